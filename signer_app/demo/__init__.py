"""The demonstration: software tokens, a test PKI, sample letters and a document server on this machine.

Part of the extra `[demo]`; apart from the command line's `demo`, the training mode (its software token and batches) and
the tests nothing imports it. It runs in the main process and its children. It is never a source of trust for real
documents: its authorities say in their names that they are a test.
"""
