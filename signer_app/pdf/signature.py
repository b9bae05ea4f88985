"""The signature itself: the signed attributes that the token signs, and the CMS that is put into the file.

Runs in a worker; knows bytes and certificates, no page. What is written is what signing practice in Vietnam writes:
PKCS #1 v1.5 with SHA-256, the signing certificate's attribute, the full chain. pyHanko encodes it once per certificate;
for each document only digest and signature are put in.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from asn1crypto import algos, cms, core, tsp, x509
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_cms import ExternalSigner, PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer_app.pdf.model import Prepared

CONTENTS_BYTES = 32_768
"""Room for the CMS in bytes: RSA-3072, the chain and a timestamp fit with much to spare (profile rule)."""

DIGEST = "sha256"


@lru_cache(maxsize=16)
def external_signer(certificate: bytes, chain: tuple[bytes, ...], signature: bytes | None) -> ExternalSigner:
    """pyHanko's signer for a certificate and its issuers (DER), with the token's signature where there is one."""
    own = x509.Certificate.load(certificate)
    return ExternalSigner(
        own,
        SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
            [x509.Certificate.load(der) for der in chain]
        ),
        signature_value=signature,
        # What signing practice in Vietnam writes: rsaEncryption with explicit NULL, not the combined identifier.
        signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()}),
        embed_roots=True,
    )


def signed_attributes(certificate: bytes, chain: Sequence[bytes], document_digest: bytes) -> bytes:
    """The DER of the signed attributes, which hold the digest of the document: the token signs exactly these bytes."""
    return _attributes(certificate, tuple(chain)).with_pieces(document_digest)


def finish(
    prepared_file: Path,
    prepared: Prepared,
    *,
    certificate: bytes,
    chain: Sequence[bytes],
    signature: bytes,
    timestamp: bytes | None,
) -> None:
    """Puts the CMS into the gap of `prepared_file`, in place.

    `signature` is the token's RSA signature over `prepared.to_be_signed`; `timestamp` the DER of an RFC 3161 token
    over the SHA-256 of `signature`, or None. The file on disk is complete when this returns.
    """
    if timestamp is None and prepared.to_be_signed == signed_attributes(certificate, chain, prepared.document_digest):
        content = _content(certificate, tuple(chain), len(signature)).with_pieces(prepared.document_digest, signature)
    else:
        signer = external_signer(certificate, tuple(chain), signature)
        stamper = _FetchedTimestamp(timestamp) if timestamp is not None else None
        content = asyncio.run(_encoded_content(signer, prepared.to_be_signed, stamper))
    gap = PreparedByteRangeDigest(prepared.document_digest, prepared.gap_start, prepared.gap_end)
    with prepared_file.open("r+b") as handle:
        gap.fill_with_cms(handle, content)


@dataclass(frozen=True)
class _Template:
    """A DER structure as pyHanko made it, in which only pieces of a known length differ from document to document."""

    encoded: bytes
    placeholders: tuple[bytes, ...]

    def with_pieces(self, *pieces: bytes) -> bytes:
        """The structure with these in place of the placeholders, in their order."""
        encoded = self.encoded
        for placeholder, piece in zip(self.placeholders, pieces, strict=True):
            if len(placeholder) != len(piece) or self.encoded.count(placeholder) != 1:
                raise ValueError("a piece that does not fit")
            encoded = encoded.replace(placeholder, piece)
        return encoded


# One batch is signed with one certificate; encoding it anew for each letter would cost more than all the PDF work.
@lru_cache(maxsize=16)
def _attributes(certificate: bytes, chain: tuple[bytes, ...]) -> _Template:
    placeholder = _placeholder("digest", hashlib.new(DIGEST).digest_size)
    encoded = asyncio.run(_encoded_attributes(external_signer(certificate, chain, None), placeholder))
    return _Template(encoded, (placeholder,))


@lru_cache(maxsize=16)
def _content(certificate: bytes, chain: tuple[bytes, ...], signature_bytes: int) -> _Template:
    attributes, placeholder = _attributes(certificate, chain), _placeholder("signature", signature_bytes)
    signer = external_signer(certificate, chain, placeholder)
    encoded = asyncio.run(_encoded_content(signer, attributes.encoded, None))
    return _Template(encoded, (*attributes.placeholders, placeholder))


def _placeholder(name: str, length: int) -> bytes:
    """Bytes that stand nowhere else."""
    return hashlib.shake_256(b"placeholder of " + name.encode()).digest(length)


# Bytes, not structures, leave the event loop: asyncio writes its tasks' results into its names for them, and asn1crypto
# encodes a structure for that.
async def _encoded_attributes(signer: ExternalSigner, document_digest: bytes) -> bytes:
    attributes = await signer.signed_attrs(
        document_digest, DIGEST, attr_settings=PdfCMSSignedAttributes(), use_pades=True
    )
    encoded: bytes = attributes.dump()
    return encoded


async def _encoded_content(signer: ExternalSigner, attributes: bytes, stamper: TimeStamper | None) -> bytes:
    content = await signer.async_sign_prescribed_attributes(
        DIGEST, signed_attrs=cms.CMSAttributes.load(attributes), timestamper=stamper
    )
    encoded: bytes = content.dump()
    return encoded


class _FetchedTimestamp(TimeStamper):
    """Hands out the timestamp token that the network pool fetched; asks nobody."""

    def __init__(self, token: bytes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._token = cms.ContentInfo.load(token)

    async def async_dummy_response(self, md_algorithm: str) -> cms.ContentInfo:
        return self._token

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        return self._token

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        raise RuntimeError("the timestamp was fetched before")
