"""Timestamps from TSAs (RFC 3161), fetched on the network side and handed to the workers as bytes.

Runs in the main process, from any thread. Several servers stand in for one another; each has its own limit, its quota,
which is counted across starts, and is left alone for a while after it failed. While documents are signed, failure costs
one wait per batch, not one per document: after the first failure of all servers the rest is signed without. Whatever a
server answers is checked before anybody else sees it.
"""

import datetime as dt
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from asn1crypto import algos, cms, tsp

from signer_app.signing.batch import Stamped, never
from signer_app.store.settings import Settings, TimestampServer
from signer_app.store.times import VIETNAM
from signer_app.verification.faults import BrokenError, UnreadableError
from signer_app.verification.model import Trust, TrustMaterial
from signer_resources.errors import KnownError
from signer_sync.http import HttpSettings, PlainHttp, TransferError, chunks, open_session, streamed

_MAX_ANSWER = 1 << 20
_NONSENSE = (ValueError, KeyError, TypeError, AttributeError)
"""What the ASN.1 reader raises on an answer that is none."""
_FAILURES = (TransferError, KnownError, BrokenError, UnreadableError, *_NONSENSE)
_AT_ONCE = 4
"""Requests at the same time, to all servers together."""
_IN_ALL_S = 180.0
"""For one timestamp that nobody stands and waits for, whatever fails meanwhile; measured answers took up to 131 s."""
_PAUSES_S = (2.0, 4.0)
"""Between one round over the servers and the next."""
_MINUTES_S = 600.0
"""As long one timestamp waits for quotas of a minute, beside `_IN_ALL_S`: others may take each new quota first."""
_LOOK_EVERY_S = 1.0
_LEFT_ALONE_S = 60.0
_LEFT_ALONE_AT_MOST_S = 900.0


class FetchedStamp(Stamped, frozen=True):
    """A timestamp with the address of the server that gave it."""

    tsa: str


class UseCounter(Protocol):
    """Where requests to servers with a quota are counted, durably."""

    def used(self, tsa: str, since: dt.datetime) -> int:
        """How many requests were made to the server after `since`."""
        ...

    def use(self, tsa: str, at: dt.datetime) -> None:
        """Counts one; raises nothing but KnownError."""
        ...


def ask_tsa(url: str, imprint: bytes, limit_s: float, nonce: int) -> Stamped:
    """A timestamp over a SHA-256, checked; one of `_FAILURES` where there is no good answer in `limit_s` seconds."""
    request = tsp.TimeStampReq(
        {
            "version": 1,
            "message_imprint": {
                "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                "hashed_message": imprint,
            },
            "nonce": nonce,
            "cert_req": True,
        }
    )
    # A TSA is asked over plain http by law's own addresses; what it answers is signed itself.
    settings = HttpSettings(connect_timeout=limit_s, read_timeout=limit_s, plain_http=PlainHttp.ANYWHERE)
    started = time.monotonic()
    with (
        open_session(settings) as session,
        streamed(
            session,
            "POST",
            url,
            headers={
                "Content-Type": "application/timestamp-query",
                "Accept": "application/timestamp-reply",
            },
            data=request.dump(),
        ) as answer,
    ):
        # The limit is for the whole answer, so that a TSA which drips bytes can't hold up the batch.
        left = max(0.1, limit_s - (time.monotonic() - started))
        body = b"".join(chunks(answer, _MAX_ANSWER, seconds=left))
        if answer.status_code != 200:
            raise ValueError("the TSA refused")
    return _checked(body, imprint, nonce)


def _checked(body: bytes, imprint: bytes, nonce: int) -> Stamped:
    # As long as no timestamp is fetched, the window does without pyHanko's signing and its twenty megabytes.
    from signer_app.verification.cms import check_token

    response = tsp.TimeStampResp.load(body, strict=True)
    if response["status"]["status"].native not in ("granted", "granted_with_mods"):
        raise ValueError("the TSA refused")
    token: cms.ContentInfo = response["time_stamp_token"]
    info = token["content"]["encap_content_info"]["content"].parsed
    if not isinstance(info, tsp.TSTInfo):
        raise ValueError("no timestamp in the answer")
    if info["nonce"].native != nonce:
        raise ValueError("the timestamp is an old one")
    checked = check_token(token["content"], lambda _name: imprint)
    if not checked.right or checked.weak:
        # Whatever stands between us and the TSA could put anything into a document; only a good token goes in.
        raise ValueError("the timestamp is for something else, or its signature is wrong")
    return Stamped(token.dump(), checked.time)


def stands_on_anchor(stamped: Stamped, trust: TrustMaterial) -> bool:
    """Whether the server's certificate, with those that came along, leads to an anchor in hand."""
    from signer_app.verification.chains import TrustStore
    from signer_app.verification.cms import check_token

    # The imprint was checked when the answer came; here only the certificates are looked at.
    token = check_token(cms.ContentInfo.load(stamped.token)["content"], lambda _name: b"")
    if token.certificate is None:
        return False
    return TrustStore(trust).chain(token.certificate, token.certificates, stamped.time).trust is Trust.TRUSTED


def _fresh_nonce() -> int:
    return secrets.randbits(63)


class TimestampClient:
    """One TSA, asked at most `limit_s` seconds a time, for one batch."""

    def __init__(self, url: str, limit_s: float, nonce: Callable[[], int] = _fresh_nonce) -> None:
        self._url = url
        self._limit_s = limit_s
        self._nonce = nonce
        self._away = False

    def stamp(self, signature: bytes) -> Stamped | None:
        """A timestamp over `signature`; None when the TSA didn't give a good one, now or before in this batch."""
        if self._away:
            return None
        try:
            return ask_tsa(self._url, hashlib.sha256(signature).digest(), self._limit_s, self._nonce())
        except _FAILURES:
            # Whatever the TSA answers, the signature is made; it is told as a level not reached.
            self._away = True
            return None


class ServerState(StrEnum):
    """Whether a server is asked."""

    READY = "ready"
    LEFT_ALONE = "left_alone"
    """It failed a moment ago."""
    USED_UP = "used_up"
    """Its quota for this minute or this day is used up."""


@dataclass(frozen=True)
class ServerStatus:
    """How a server stands right now; `today` are the requests of this day, None where it has no quota."""

    url: str
    state: ServerState
    today: int | None
    per_day: int | None


@dataclass
class _Circuit:
    """How a server has been lately; under the pool's guard."""

    failures: int = 0
    closed_until: float = 0.0


@dataclass(frozen=True)
class Means:
    """What the pool takes from outside: chance, clocks, and the way to wait (seconds) between rounds."""

    nonce: Callable[[], int] = _fresh_nonce
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(VIETNAM)
    wait: Callable[[float], None] = time.sleep
    ask: Callable[[str, bytes, float, int], Stamped] = field(default=ask_tsa)
    is_known: Callable[[Stamped], bool] = lambda _stamped: True
    """Whether this machine knows who stands behind the server's certificate."""


class _UsedUpError(Exception):
    """A quota is used up; nobody was asked."""


class TimestampPool:
    """The servers of a workspace, in the order in which they are asked."""

    def __init__(self, servers: Sequence[TimestampServer], uses: UseCounter, means: Means | None = None) -> None:
        self.servers = tuple(servers)
        self._uses = uses
        self._means = means or Means()
        self._guard = threading.Lock()
        self._counting = threading.Lock()
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._circuits = {server.url: _Circuit() for server in self.servers}

    @classmethod
    def of(cls, settings: Settings, uses: UseCounter, is_known: Callable[[Stamped], bool]) -> "TimestampPool | None":
        """The pool that the settings name; None where no server is set."""
        means = Means(is_known=is_known)
        return cls(settings.timestamp_servers, uses, means) if settings.timestamp_servers else None

    def at_once(self, imprint: bytes) -> FetchedStamp | None:
        """A timestamp for a signature that is being made: each server once, within its own short limit; None."""
        for server in self.servers:
            if self._state(server) is ServerState.READY:
                with suppress(_UsedUpError):
                    stamped = self._ask(server, imprint, server.limit_s)
                    if stamped is not None:
                        return stamped
        return None

    def patiently(self, imprint: bytes, cancelled: Callable[[], bool] = never) -> FetchedStamp:
        """A timestamp that nobody stands and waits for: up to three rounds over the servers, 180 s in all. A quota of a
        minute is waited for, beside that.

        KnownError "tsa_quota_used" where nothing but quotas stood in the way, else "tsa_no_answer"; "interrupted".
        """
        end = self._means.monotonic() + _IN_ALL_S
        minutes_left = _MINUTES_S
        asked = False
        pauses = [*_PAUSES_S]
        while True:
            try:
                stamped = self._round(imprint, end, cancelled)
            except _UsedUpError:
                waited = self._await_minute(minutes_left, cancelled)
                if waited is None:
                    raise KnownError("tsa_no_answer" if asked else "tsa_quota_used") from None
                minutes_left -= waited
                end += waited
                continue
            if stamped is not None:
                return stamped
            asked = True
            if not pauses:
                raise KnownError("tsa_no_answer")
            pause = pauses.pop(0)
            if end - self._means.monotonic() > pause:
                self._means.wait(pause)

    def _round(self, imprint: bytes, end: float, cancelled: Callable[[], bool]) -> FetchedStamp | None:
        """Asks one server after the other; _UsedUpError where the quotas let none be asked. KnownError as `patiently`,
        but for quotas.
        """
        asked = False
        # One that has just failed may take all the time there is: the others come first.
        for server in sorted(self.servers, key=lambda one: self._state(one) is ServerState.LEFT_ALONE):
            left = end - self._means.monotonic()
            if cancelled():
                raise KnownError("interrupted")
            if left <= 0:
                raise KnownError("tsa_no_answer")
            with suppress(_UsedUpError):
                stamped = self._ask(server, imprint, min(server.patience_s, left))
                asked = True
                if stamped is not None:
                    return stamped
        if not asked:
            raise _UsedUpError
        return None

    def _await_minute(self, at_most_s: float, cancelled: Callable[[], bool]) -> float | None:
        """Waits while each server's quota is used up, if one of them has a new quota within the minute; the seconds.

        None where there is no quota to wait for, or not so long. KnownError "interrupted".
        """
        begun = self._means.monotonic()
        while True:
            if all(self._day_is_used_up(server) for server in self.servers):
                return None
            # Looked at after a pause in any case: what was taken a moment ago may not be counted yet.
            self._means.wait(_LOOK_EVERY_S)
            if cancelled():
                raise KnownError("interrupted")
            waited = self._means.monotonic() - begun
            if waited > at_most_s:
                return None
            if not all(self._is_used_up(server) for server in self.servers):
                return waited

    def status(self) -> tuple[ServerStatus, ...]:
        """How each server stands."""
        return tuple(
            ServerStatus(
                server.url,
                self._state(server),
                self._uses.used(server.url, self._midnight()) if server.has_quota else None,
                server.per_day,
            )
            for server in self.servers
        )

    def _ask(self, server: TimestampServer, imprint: bytes, limit_s: float) -> FetchedStamp | None:
        """Its answer, None where that is none; _UsedUpError where its quota is."""
        with self._places:
            if not self._take(server):
                raise _UsedUpError
            try:
                stamped = self._means.ask(server.url, imprint, limit_s, self._means.nonce())
                if not self._means.is_known(stamped):
                    # Anybody on a plain http line can answer with a certificate and a time of his own.
                    raise ValueError("nobody here knows this TSA")
            except _FAILURES:
                self._failed(server)
                return None
        with self._guard:
            self._circuits[server.url] = _Circuit()
        return FetchedStamp(stamped.token, stamped.time, server.url)

    def _failed(self, server: TimestampServer) -> None:
        with self._guard:
            circuit = self._circuits[server.url]
            pause = min(_LEFT_ALONE_S * 2**circuit.failures, _LEFT_ALONE_AT_MOST_S)
            circuit.failures += 1
            circuit.closed_until = self._means.monotonic() + pause

    # Quotas

    def _state(self, server: TimestampServer) -> ServerState:
        with self._guard:
            if self._means.monotonic() < self._circuits[server.url].closed_until:
                return ServerState.LEFT_ALONE
        return ServerState.USED_UP if self._is_used_up(server) else ServerState.READY

    def _is_used_up(self, server: TimestampServer) -> bool:
        now = self._means.now()
        if server.per_minute is not None:
            minute_ago = now - dt.timedelta(minutes=1)
            if self._uses.used(server.url, minute_ago) >= server.per_minute:
                return True
        return self._day_is_used_up(server)

    def _day_is_used_up(self, server: TimestampServer) -> bool:
        return server.per_day is not None and self._uses.used(server.url, self._midnight()) >= server.per_day

    def _take(self, server: TimestampServer) -> bool:
        """Counts a request before it is made, for the server counts it however it ends; False: none is left."""
        if not server.has_quota:
            return True
        with self._counting:
            if self._is_used_up(server):
                return False
            try:
                self._uses.use(server.url, self._means.now())
            except KnownError:
                # What can't be counted isn't asked for: a quota that is overrun may cost the body its account.
                return False
        return True

    def _midnight(self) -> dt.datetime:
        today = self._means.now().astimezone(VIETNAM)
        return today.replace(hour=0, minute=0, second=0, microsecond=0)


class BatchStamps:
    """The timestamps of one batch: after the first time that no server gave one, the rest goes without."""

    def __init__(self, pool: TimestampPool) -> None:
        self._pool = pool
        self._away = False

    def stamp(self, signature: bytes) -> FetchedStamp | None:
        """A timestamp over `signature`; None when no server gave one, now or before in this batch."""
        return self._ask(hashlib.sha256(signature).digest())

    def over(self, imprint: bytes, _cancelled: Callable[[], bool] = never) -> FetchedStamp:
        """A timestamp over a document with this SHA-256; KnownError "tsa_no_answer" as soon as `stamp` gives None."""
        stamped = self._ask(imprint)
        if stamped is None:
            raise KnownError("tsa_no_answer")
        return stamped

    def _ask(self, imprint: bytes) -> FetchedStamp | None:
        if self._away:
            return None
        stamped = self._pool.at_once(imprint)
        self._away = stamped is None
        return stamped
