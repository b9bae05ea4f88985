"""Whatever touches the bytes of a PDF while it is signed: reading the page, placing, preparing, finishing, re-checking.

Everything here runs in worker processes (`signer_app.worker`), on files named by the caller, and returns plain values.
"""
