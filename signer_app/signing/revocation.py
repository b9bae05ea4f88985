"""Fetches CRLs and OCSP answers that the verifier asks for, and keeps them for the days without a network.

Runs in the main process, on the network side. Addresses come from certificates: only http and https, sizes capped,
little time, nothing followed. What is fetched counts only when the verifier finds the right issuer's signature on it.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
from asn1crypto import algos, crl, ocsp, x509

from signer_app.store.durable import write_atomically
from signer_app.verification.model import RevocationUrl, RevocationUrlKind, TrustMaterial
from signer_resources.errors import KnownError
from signer_sync.http import HttpSettings, PlainHttp, TransferError, exchange, open_session

_MAX_CRL = 24 << 20
_MAX_OCSP = 256 << 10
_MAX_URLS = 16
_MAX_CACHED = 200


class RevocationCache:
    """CRLs in `folder` (one file per address), OCSP answers for this run only."""

    def __init__(self, folder: Path, timeout_s: float = 5.0) -> None:
        self._folder = folder / "crl"
        self._timeout_s = timeout_s
        self._ocsps: list[bytes] = []
        self._asked: set[tuple[str, bytes]] = set()

    def extend(self, trust: TrustMaterial) -> TrustMaterial:
        """`trust` with every CRL and OCSP answer in hand."""
        crls: list[bytes] = []
        if self._folder.is_dir():
            files = sorted(self._folder.glob("*.crl"))[:_MAX_CACHED]
            crls = [file.read_bytes() for file in files if file.stat().st_size <= _MAX_CRL]
        return msgspec.structs.replace(trust, crls=(*trust.crls, *crls), ocsps=(*trust.ocsps, *self._ocsps))

    def fetch(self, wanted: Sequence[RevocationUrl]) -> bool:
        """Asks each address that was not asked before in this run; True if anything new is in hand."""
        new = False
        for item in wanted[:_MAX_URLS]:
            key = (item.url, item.certificate if item.kind is RevocationUrlKind.OCSP else b"")
            if key in self._asked:
                continue
            self._asked.add(key)
            try:
                new = (self._crl(item) if item.kind is RevocationUrlKind.CRL else self._ocsp(item)) or new
            except (TransferError, KnownError, ValueError, TypeError, OSError):
                # No network, or nonsense: the verdict says "not checked"; nothing else depends on it.
                continue
        return new

    def _crl(self, item: RevocationUrl) -> bool:
        body = self._get(item.url, _MAX_CRL, None)
        crl.CertificateList.load(body, strict=True)["tbs_cert_list"]["issuer"].native  # noqa: B018 - parses
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._folder / f"{hashlib.sha256(item.url.encode()).hexdigest()}.crl", body)
        return True

    def _ocsp(self, item: RevocationUrl) -> bool:
        subject, issuer = x509.Certificate.load(item.certificate), x509.Certificate.load(item.issuer)
        request = ocsp.OCSPRequest(
            {
                "tbs_request": {
                    "request_list": [
                        {
                            "req_cert": {
                                # RFC 6960 knows SHA-1 here as a name, not as a proof.
                                "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha1"}),
                                "issuer_name_hash": issuer.subject.sha1,
                                "issuer_key_hash": issuer.public_key.sha1,
                                "serial_number": subject.serial_number,
                            }
                        }
                    ]
                }
            }
        )
        body = self._get(item.url, _MAX_OCSP, request.dump())
        if ocsp.OCSPResponse.load(body, strict=True)["response_status"].native != "successful":
            return False
        self._ocsps.append(body)
        return True

    def _get(self, url: str, limit: int, data: bytes | None) -> bytes:
        settings = HttpSettings(
            connect_timeout=self._timeout_s, read_timeout=self._timeout_s, plain_http=PlainHttp.ANYWHERE
        )
        with open_session(settings) as session:
            answer = exchange(
                session,
                "GET" if data is None else "POST",
                url,
                limit=limit,
                headers={} if data is None else {"Content-Type": "application/ocsp-request"},
                data=data,
            )
        if answer.status != 200:
            raise ValueError("refused")
        return answer.body
