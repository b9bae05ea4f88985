"""The signature itself: the signed attributes that the token signs, and the CMS that is put into the file.

Runs in a worker; knows bytes and certificates, no page. What is written is what signing practice in Vietnam writes:
PKCS #1 v1.5 with SHA-256, the signing certificate's attribute, the full chain.
"""

import asyncio
from collections.abc import Sequence
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


def external_signer(certificate: bytes, chain: Sequence[bytes], signature: bytes | None) -> ExternalSigner:
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


def signed_attributes(signer: ExternalSigner, document_digest: bytes) -> bytes:
    """The DER of the signed attributes, which hold the digest of the document: the token signs exactly these bytes."""
    attributes = asyncio.run(
        signer.signed_attrs(document_digest, DIGEST, attr_settings=PdfCMSSignedAttributes(), use_pades=True)
    )
    encoded: bytes = attributes.dump()
    return encoded


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
    signer = external_signer(certificate, chain, signature)
    content = asyncio.run(
        signer.async_sign_prescribed_attributes(
            DIGEST,
            signed_attrs=cms.CMSAttributes.load(prepared.to_be_signed),
            timestamper=_FetchedTimestamp(timestamp) if timestamp is not None else None,
        )
    )
    gap = PreparedByteRangeDigest(prepared.document_digest, prepared.gap_start, prepared.gap_end)
    with prepared_file.open("r+b") as handle:
        gap.fill_with_cms(handle, content)


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
