"""One request to a document server and its answer, with every way of failing turned into an ExchangeError.

Runs on the network pool; as safe for threads as the sessions it is given. Knows addresses, limits and
problem+json; knows no identity and no token: whoever calls has made sure who is there. Sends only to the base
address it was made with, whatever an answer says.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import requests

from signer_sync import contract as c
from signer_sync.diagnosis import captive_portal, certificate_clue, http_date, is_portal
from signer_sync.errors import ExchangeError, Scope, from_problem, headless
from signer_sync.http import (
    Answer,
    PlainHttp,
    Sendable,
    TransferError,
    TransferFault,
    check_address,
    chunks,
    encoding,
    exchange,
    read_capped,
    streamed,
    unpacked,
)
from signer_sync.sessions import Sessions
from signer_sync.tls import Distrust
from signer_sync.untrusted import read_json

T = TypeVar("T")

DONE = frozenset({200, 201, 202})
MAX_RETRY_AFTER = 7 * 86400.0
"""Seconds; a server that asks for more is taken to have said this."""


@dataclass(frozen=True)
class Body:
    """A body as it comes, with the answer's status and headers. `seconds`: how long it may take altogether."""

    status: int
    headers: Mapping[str, str]
    _response: requests.Response

    def chunks(self, limit: int, seconds: float) -> Iterator[bytes]:
        """The bytes, at most `limit` of them within `seconds`; TransferError."""
        return chunks(self._response, limit, seconds=seconds)


class Wire:
    """Requests to one base address ("https://lienthong.example.vn"); KnownError server_insecure if unfit."""

    def __init__(self, base_url: str, sessions: Sessions, *, clock: Callable[[], float] = time.time) -> None:
        parts = check_address(base_url, PlainHttp.LOOPBACK)
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._sessions = sessions
        self._clock = clock
        self.host = parts.hostname or "?"

    def __repr__(self) -> str:
        return f"Wire({self._base!r})"

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Sendable | None = None,
        read_timeout: float | None = None,
        done: Collection[int] = DONE,
        limit: int | None = None,
    ) -> Answer:
        """A complete answer of success; ExchangeError for a refusal, for nonsense, for no answer at all.

        `data` as a file is sent from where it stands. `limit`: the bytes that the server takes, for the words of a
        refusal.
        """
        try:
            with self._sessions.lend() as session:
                answer = exchange(
                    session,
                    method,
                    self._url(path),
                    limit=c.MAX_JSON,
                    headers=headers,
                    data=data,
                    read_timeout=read_timeout,
                )
        except TransferError as error:
            raise self._transfer(error) from error
        if answer.status not in done:
            raise self._refusal(answer, method, limit)
        return answer

    def ask_packed(self, path: str, *, headers: Mapping[str, str], packed: int, limit: int) -> bytes:
        """The body of a GET that may come gzipped: at most `packed` bytes on the line and `limit` bytes unpacked."""
        asked = {**headers, "Accept-Encoding": "gzip"}
        try:
            with (
                self._sessions.lend() as session,
                streamed(session, "GET", self._url(path), headers=asked) as response,
            ):
                if response.status_code != 200:
                    body = read_capped(response, c.MAX_JSON)
                    raise self._refusal(Answer(response.status_code, response.headers, body), "GET", None)
                parts = chunks(response, packed, packed=True)
                if encoding(response) == "gzip":
                    return unpacked(parts, limit)
                return b"".join(parts)
        except TransferError as error:
            raise self._transfer(error) from error

    @contextmanager
    def stream(
        self, path: str, *, headers: Mapping[str, str], done: Collection[int] = frozenset({200})
    ) -> Iterator[Body]:
        """A GET whose body comes as it is read. ExchangeError, also for what goes wrong inside the `with`."""
        try:
            with (
                self._sessions.lend() as session,
                streamed(session, "GET", self._url(path), headers=headers) as response,
            ):
                if response.status_code not in done:
                    body = read_capped(response, c.MAX_JSON)
                    raise self._refusal(Answer(response.status_code, response.headers, body), "GET", None)
                yield Body(response.status_code, response.headers, response)
        except TransferError as error:
            raise self._transfer(error) from error

    def signed_self(self) -> c.JwsBody:
        """The server's signed description of itself, not yet verified; what is not even of that form is not ours.

        Tells the ways of not reaching a server apart: captive_portal, clock_or_certificate and the like.
        """
        path = "/meta"
        try:
            with self._sessions.lend() as session:
                answer = exchange(session, "GET", self._url(path), limit=c.MAX_JSON)
        except TransferError as error:
            away = error.fault in (TransferFault.UNREACHABLE, TransferFault.TIMEOUT, TransferFault.TLS)
            if away and captive_portal(self._url(path), self._sessions.settings):
                raise self.not_ours(portal=True) from error
            if error.fault is TransferFault.TLS and error.distrust in (Distrust.EXPIRED, Distrust.NOT_YET_VALID):
                raise self._out_of_date(error.distrust) from error
            if error.fault in (TransferFault.TOO_LARGE, TransferFault.ENCODED):
                raise self.not_ours() from error
            raise self._transfer(error) from error
        if is_portal(answer.status, answer.media_type, answer.headers.get("Location"), self.host):
            raise self.not_ours(portal=True)
        if answer.media_type == c.MEDIA_PROBLEM:
            refusal = self._refusal(answer, "GET", None)
            raise self.not_ours() if refusal.code in ("server_answer_wrong", "server_refused") else refusal
        if answer.status >= 500:  # what stands before the server says that the server is away
            raise self._away(self._retry_after(answer))
        try:
            return read_json(answer.body, c.JwsBody)
        except msgspec.MsgspecError as error:
            raise self.not_ours() from error

    def decode(self, answer: Answer, kind: type[T]) -> T:
        """The body as `kind`; anything else is no answer of a document server."""
        try:
            return read_json(answer.body, kind)
        except msgspec.MsgspecError as error:
            raise self.wrong_answer() from error

    def wrong_answer(self, retry_after: float | None = None) -> ExchangeError:
        """Something between us and the server, or a fault of it, answered: outcome unknown."""
        return ExchangeError(
            "server_answer_wrong", retry=c.Retry.AFTER, unreachable=True, retry_after=retry_after, host=self.host
        )

    def not_ours(self, *, portal: bool = False) -> ExchangeError:
        """Whoever answers is not the server we look for: a sign-in page of the network (`portal`), another server."""
        return ExchangeError(
            "captive_portal" if portal else "server_not_ours",
            retry=c.Retry.AFTER,
            scope=Scope.SERVER,
            unreachable=True,
            host=self.host,
        )

    def _url(self, path: str) -> str:
        return f"{self._base}{c.PREFIX}{path}"

    def _away(self, retry_after: float | None = None) -> ExchangeError:
        return ExchangeError(
            "server_unreachable", retry=c.Retry.AFTER, unreachable=True, retry_after=retry_after, host=self.host
        )

    def _transfer(self, error: TransferError) -> ExchangeError:
        if error.fault in (TransferFault.TOO_LARGE, TransferFault.ENCODED):
            return self.wrong_answer()
        if error.fault is TransferFault.TLS:
            return self._distrusted(error.distrust)
        if error.fault in (TransferFault.PROXY_REFUSED, TransferFault.PROXY_UNREACHABLE):
            proxy = self._sessions.settings.proxies.of(self._base)
            if proxy is None:
                return self.wrong_answer()
            refused = error.fault is TransferFault.PROXY_REFUSED
            return ExchangeError(
                "proxy_refused" if refused else "proxy_unreachable",
                # a login that was refused is not to be tried over and over: accounts get locked
                retry=c.Retry.FIX if refused else c.Retry.AFTER,
                scope=Scope.SERVER,
                unreachable=True,
                host=self.host,
                proxy=proxy.host,
            )
        return self._away()

    def _distrusted(self, distrust: Distrust | None) -> ExchangeError:
        code = {
            Distrust.NAME: "server_certificate_name",
            Distrust.UNKNOWN: "server_certificate_unknown",
            Distrust.EXPIRED: "clock_or_certificate",
            Distrust.NOT_YET_VALID: "clock_or_certificate",
            None: "server_tls",
        }[distrust]
        here = _shown(datetime.fromtimestamp(self._clock(), UTC))
        return ExchangeError(
            code, retry=c.Retry.AFTER, scope=Scope.SERVER, unreachable=True, host=self.host, here=here, there="?"
        )

    def _out_of_date(self, distrust: Distrust) -> ExchangeError:
        """This machine's clock or the server's certificate; `there` in the parameters is the server's own time."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        clue = certificate_clue(self._base, self._sessions.settings)
        blame_clock = clue.clock_is_off(now, distrust)
        return ExchangeError(
            "server_certificate_expired" if blame_clock is False else "clock_or_certificate",
            retry=c.Retry.AFTER,
            scope=Scope.SERVER,
            unreachable=True,
            host=self.host,
            here=_shown(now),
            there=_shown(clue.server_time),
            not_before=_shown(clue.not_before),
            not_after=_shown(clue.not_after),
        )

    def _refusal(self, answer: Answer, method: str, limit: int | None) -> ExchangeError:
        after = self._retry_after(answer)
        problem = headless(answer.status) if method == "HEAD" else None
        if problem is None:
            if answer.media_type != c.MEDIA_PROBLEM:
                return self.wrong_answer(after)
            problem = self.decode(answer, c.Problem)
        return from_problem(problem, answer.status, after, self.host, limit=limit)

    def _retry_after(self, answer: Answer) -> float | None:
        """Seconds (RFC 9110 §10.2.3): told as such, or as a date, which is measured by the answer's own clock."""
        told = answer.headers.get("Retry-After", "").strip()
        if told.isascii() and told.isdecimal():
            return min(float(told[:12]), MAX_RETRY_AFTER)
        until = http_date(told or None)
        if until is None:
            return None
        now = http_date(answer.headers.get("Date")) or datetime.fromtimestamp(self._clock(), UTC)
        return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _shown(moment: datetime | None) -> str:
    """A time of day as it is told to a person, by this machine's zone; "?" if it isn't known."""
    return "?" if moment is None else f"{moment.astimezone():%H:%M %d/%m/%Y}"
