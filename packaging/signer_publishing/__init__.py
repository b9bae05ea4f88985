"""The publisher's tool for updates: keys, releases, renewals, and a new root; `python -m signer_publishing`.

Runs where releases are made, never on a clerk's machine; nothing of it is shipped.
"""
