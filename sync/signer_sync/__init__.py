"""Document servers: the contract of the Sync API, edXML packets, and the loop that sends and fetches.

Knows HTTP, edXML and the states of the queue. Knows no PDF, no Qt, no SQL and no token: the store and the
signer are handed in as Protocols and callbacks.
"""
