"""The reference server of the Sync API: for demo, tests and a province's trial; not part of the client.

`app` starts and stops it. It knows the contract's types and edXML of `signer_sync`, and nothing of the client.
"""
