"""pyHanko's signer with a key at hand, for documents that tests have others sign.

pyHanko loads the key anew for each signature, and loading an RSA key checks its primes, which takes longer than all the
rest of a signature.
"""

from asn1crypto import keys, x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pyhanko_certvalidator.util import get_pyca_cryptography_hash


class KeySigner(SimpleSigner):
    """Signs by RSA (PKCS #1 v1.5) or ECDSA, whichever the key is for."""

    def __init__(
        self,
        certificate: x509.Certificate,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
        store: SimpleCertificateStore,
    ) -> None:
        self._key = key
        encoded = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        super().__init__(certificate, keys.PrivateKeyInfo.load(encoded), store)

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        """The signature over `data`."""
        digest = get_pyca_cryptography_hash(digest_algorithm)
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), digest)
        return self._key.sign(data, ec.ECDSA(digest))
