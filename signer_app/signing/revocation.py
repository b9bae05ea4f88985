"""Fetches CRLs and OCSP answers that the verifier asks for, and keeps them for the days without a network.

Runs in the main process, on the network side, from any thread. Addresses come from certificates, so from anybody: only
http and https, sizes capped, nothing followed, little time in all. What is fetched is kept only when it speaks of the
certificate that it was asked about and the right issuer signed it; it counts only when the verifier finds so again.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from asn1crypto import algos, ocsp, x509
from cryptography import x509 as strict_x509

from signer_app.store.durable import write_atomically
from signer_app.verification.addresses import ODD
from signer_app.verification.model import RevocationUrl, RevocationUrlKind, TrustMaterial
from signer_app.verification.news import Issuers, News, Pieces
from signer_resources.errors import KnownError
from signer_sync.http import HttpSettings, PlainHttp, TransferError, TransferFault, chunks, open_session, streamed

_LARGEST = {RevocationUrlKind.CRL: 24 << 20, RevocationUrlKind.OCSP: 256 << 10}
_MOST = {RevocationUrlKind.CRL: 200, RevocationUrlKind.OCSP: 1000}
_IN_HAND = 64 << 20
"""Bytes of all that is handed to one check; the newest first."""
_MAX_URLS = 16
_IN_ALL_S = 30.0
"""For one `fetch`, whatever answers how slowly."""
_DEAD_HOSTS = 2
"""So many hosts that can't be reached mean that there is no network."""
_ASK_AGAIN_S = 900.0
_TRY_AGAIN_S = 60.0
_Nonsense = (KnownError, OSError, *ODD)


@dataclass(frozen=True)
class _Stored:
    """A file of the cache as it was read."""

    changed_ns: int
    content: bytes


class RevocationCache:
    """What was fetched, in two folders under `folder`: `crl` one file for each address, `ocsp` one for each certificate
    and address. A file's time is that of its fetching. With `asks` False nobody is ever asked.
    """

    def __init__(
        self,
        folder: Path,
        timeout_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        asks: bool = True,
    ) -> None:
        self._asks = asks
        self._folders = {kind: folder / kind.value for kind in RevocationUrlKind}
        self._timeout_s = timeout_s
        self._clock = clock
        self._turn = threading.Lock()
        self._not_before: dict[str, float] = {}
        self._dead_until: dict[str, float] = {}
        self._read: dict[Path, _Stored] = {}

    def extend(self, trust: TrustMaterial) -> TrustMaterial:
        """`trust` with every CRL and OCSP answer in hand."""
        with self._turn:
            held = {kind: tuple(self._contents(kind)) for kind in RevocationUrlKind}
        return msgspec.structs.replace(
            trust,
            crls=(*trust.crls, *held[RevocationUrlKind.CRL]),
            ocsps=(*trust.ocsps, *held[RevocationUrlKind.OCSP]),
        )

    def fetch(self, wanted: Sequence[RevocationUrl], *, again: bool = False) -> bool:
        """Asks each address that was not asked lately; True if anything new is in hand.

        A failed address is left alone for a minute, unless `again` says that things have changed. Stops as soon as the
        network seems to be away, and then takes no address for asked that was not; a host that could not be reached is
        left alone as long, whoever asks next.
        """
        if not self._asks:
            return False
        new, dead, end = False, set[str](), self._clock() + _IN_ALL_S
        for item in wanted[:_MAX_URLS]:
            host = urlsplit(item.url).netloc
            left = end - self._clock()
            if len(dead) >= _DEAD_HOSTS or left <= 0:
                break
            if host in dead or not (again or (self._is_due(item) and self._may_live(host))):
                continue
            fetched = False
            try:
                fetched = self._ask(item, left)
            except TransferError as error:
                if error.fault in (TransferFault.UNREACHABLE, TransferFault.TIMEOUT):
                    dead.add(host)
                    with self._turn:
                        self._dead_until[host] = self._clock() + _TRY_AGAIN_S
            except _Nonsense:
                # The verdict says "not checked"; nothing else depends on it.
                pass
            self._was_asked(item, _ASK_AGAIN_S if fetched else _TRY_AGAIN_S)
            new = new or fetched
        return new

    def _is_due(self, item: RevocationUrl) -> bool:
        with self._turn:
            return self._clock() >= self._not_before.get(_name(item), 0.0)

    def _may_live(self, host: str) -> bool:
        with self._turn:
            return self._clock() >= self._dead_until.get(host, 0.0)

    def _was_asked(self, item: RevocationUrl, pause_s: float) -> None:
        with self._turn:
            self._not_before[_name(item)] = self._clock() + pause_s

    # Asking

    def _ask(self, item: RevocationUrl, seconds: float) -> bool:
        """Whether news came that are newer than what is kept. TransferError; ValueError and its like for nonsense."""
        body = self._get(item, seconds)
        fresh = _news(item, body)
        if fresh is None:
            return False
        folder, file = self._folders[item.kind], self._folders[item.kind] / _name(item)
        with self._turn:
            kept = _news(item, file.read_bytes()) if file.is_file() else None
            if kept is not None and kept.issued > fresh.issued:
                # Whoever sits on a plain http line may play back an older list.
                return False
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(file, body)
            self._prune(item.kind)
        return kept is None or kept.sha256 != fresh.sha256

    def _get(self, item: RevocationUrl, seconds: float) -> bytes:
        asks = item.kind is RevocationUrlKind.OCSP
        settings = HttpSettings(
            connect_timeout=min(self._timeout_s, seconds),
            read_timeout=min(self._timeout_s, seconds),
            plain_http=PlainHttp.ANYWHERE,
        )
        with (
            open_session(settings) as session,
            streamed(
                session,
                "POST" if asks else "GET",
                item.url,
                headers={"Content-Type": "application/ocsp-request"} if asks else {},
                data=_request(item) if asks else None,
            ) as response,
        ):
            if response.status_code != 200:
                raise ValueError("refused")
            return b"".join(chunks(response, _LARGEST[item.kind], seconds=seconds, clock=self._clock))

    # Keeping; under `_turn`

    def _files(self, kind: RevocationUrlKind) -> list[tuple[int, int, Path]]:
        """Time of fetching (ns), size and path of each file, the newest first."""
        folder, found = self._folders[kind], []
        if folder.is_dir():
            for file in folder.glob(f"*.{kind.value}"):
                with suppress(OSError):
                    state = file.stat()
                    found.append((state.st_mtime_ns, state.st_size, file))
        return sorted(found, reverse=True)

    def _contents(self, kind: RevocationUrlKind) -> Iterator[bytes]:
        total, read = 0, {}
        for changed_ns, size, file in self._files(kind)[: _MOST[kind]]:
            if size > _LARGEST[kind] or total + size > _IN_HAND:
                continue
            known = self._read.get(file)
            if known is None or known.changed_ns != changed_ns:
                try:
                    known = _Stored(changed_ns, file.read_bytes())
                except OSError:
                    continue
            read[file] = known
            total += size
            yield known.content
        others = {file: known for file, known in self._read.items() if file.parent != self._folders[kind]}
        self._read = {**others, **read}

    def _prune(self, kind: RevocationUrlKind) -> None:
        """Drops what is too large, and the oldest of too many."""
        files = self._files(kind)
        for place, (_changed, size, file) in enumerate(files):
            if place >= _MOST[kind] or size > _LARGEST[kind]:
                with suppress(OSError):
                    file.unlink()


def _name(item: RevocationUrl) -> str:
    """The file's name, which nothing from outside chooses: a list serves all certificates of an issuer."""
    about = item.certificate if item.kind is RevocationUrlKind.OCSP else item.issuer
    named = item.url.encode() + b"\x00" + hashlib.sha256(about).digest()
    return f"{hashlib.sha256(named).hexdigest()}.{item.kind.value}"


def _news(item: RevocationUrl, body: bytes) -> News | None:
    """What the answer says of the certificate that it was asked about; None: nothing, or somebody else says it."""
    certificate = strict_x509.load_der_x509_certificate(item.certificate)
    issuers = Issuers(strict_x509.load_der_x509_certificate(item.issuer), None, ())
    is_list = item.kind is RevocationUrlKind.CRL
    pieces = Pieces([body] if is_list else [], [] if is_list else [body])
    return next(iter(pieces.about(certificate, issuers)), None)


def _request(item: RevocationUrl) -> bytes:
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
    encoded: bytes = request.dump()
    return encoded
