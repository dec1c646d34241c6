"""An engagement on generated support tickets, from the brief to the proposal: what `make demo` runs.

tickets    the client's mail of fourteen months, made from fragments of our own; the same seed writes the same mail
run        the steps, each printing what it found; results lie in one folder
"""
