"""An end certificate with its key, as it goes onto a software token of a demonstration or of training.

A plain value in the main process. It knows nothing of who made it: the installed program has no maker of PKIs in it.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class Leaf:
    """An end certificate with its key."""

    certificate_der: bytes
    chain_der: tuple[bytes, ...]
    """The certificate and the issuing authority's, in this order; the root isn't part of it."""
    private_key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the certificate's DER, lower-case hex: the program's name for a certificate."""
        return hashlib.sha256(self.certificate_der).hexdigest()

    @property
    def private_key_der(self) -> bytes:
        """The key as unencrypted PKCS#8 DER."""
        return pkcs8(self.private_key, serialization.Encoding.DER)


def pkcs8(key: rsa.RSAPrivateKey, encoding: serialization.Encoding) -> bytes:
    """A key as unencrypted PKCS#8, in DER or PEM."""
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
