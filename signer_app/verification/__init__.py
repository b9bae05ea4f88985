"""Checks the signatures of a PDF: whether the document is what was signed, and by whom.

`verify.verify_file` is the way in; `model` holds the answer's shapes and may be imported anywhere without loading
pyHanko. The check is a pure function of the file, the trust material and the time; it runs in a worker process that
is killed when it takes too long. It never asks the network and never writes.
"""
