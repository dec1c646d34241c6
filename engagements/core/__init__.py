"""Words that everything in an engagement shares.

errors      one class per fact that a caller can get wrong, with its code
clock       what time it is, as an argument
roles       who may do what: the permission matrix, and the actor of a request
models      organisations, clients, contacts, engagements, audit events, outgoing events
schemas     what comes in and goes out about them
service     open, change and find them; each change leaves one audit event
audit       the append-only, hash-chained trail
outbox      what others are told, written with the change itself
"""
