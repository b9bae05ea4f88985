"""PKCS#11 for the rest of the program: tokens, their certificates, the PIN, raw signatures.

`client` is what others use; `host` is the child process where a vendor's driver lives; `channel` is how the
two (and other workers) talk; `model` holds the values. Knows X.509; knows no PDF, no window, no HTTP.
"""
