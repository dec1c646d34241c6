"""An engagement on generated support tickets, from the brief to the signature: what `make demo` runs.

tickets    the client's mail of fourteen months, made from fragments of our own; the same seed writes the same mail
run        the steps, each printing what it found; results lie in one folder
walk       the same through the API with the typed client, up to the certificate
generating what a small model on this machine writes, and what becomes of it
routed     the same client's second engagement, small enough to be trained on this machine
server     a server of the demo's own for that
"""
