"""Whether a key is of a length that still proves something.

Apart from the CMS, so that who only builds chains (the main process, for a token's own certificate) needs nothing of
pyHanko's signing, which is twenty megabytes.
"""

from asn1crypto import x509

_LEAST_BITS = {"rsa": 2048, "rsassa_pss": 2048, "dsa": 2048, "ec": 256}
"""TT 15/2025 PL I 1.2; an elliptic curve of 256 bits is worth more than RSA of 2048, one of 192 less."""


def long_enough(certificate: x509.Certificate) -> bool:
    """Whether the certificate's key is of a length that still proves something."""
    key = certificate.public_key
    least = _LEAST_BITS.get(key.algorithm)
    return least is None or key.bit_size >= least
