"""Requests to a province's LGSP: the login, the three headers, answers as values, failures as ExchangeError.

Runs on threads of the network pool, several at once. Knows nothing of cursors and packets. Credentials stay in here: no
repr, error or log holds them, and a login that was refused is never repeated by the program itself.
"""

import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Final, TypeVar, cast
from urllib.parse import urlencode

import msgspec
import requests

from signer_sync.contract import MEDIA_JSON, Retry
from signer_sync.diagnosis import http_date
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import (
    Answer,
    HttpSettings,
    PlainHttp,
    TransferError,
    TransferFault,
    check_address,
    chunks,
    exchange,
    open_session,
    streamed,
)
from signer_sync.lgsp_errors import Refusal, error_for, refusal_in
from signer_sync.lgsp_form import PacketForm
from signer_sync.lgsp_settings import VIETNAM, LgspCredentials, LgspSettings, LoginMemory
from signer_sync.tls import Distrust
from signer_sync.untrusted import read_any

T = TypeVar("T")

TOKEN_SECONDS: Final = 29 * 60.0
"""A token lives about 30 minutes; it is renewed a minute before."""
READ_SECONDS: Final = 30.0
"""Time limit of a call (the servers' own)."""
LONG_SECONDS: Final = 60.0
"""Time limit of sendEdoc and getEdoc."""
MAX_ANSWER: Final = 1 << 20
MAX_LIST: Final = 16 << 20
MAX_DIRECTORY: Final = 96 << 20
_FIRST_YEAR, _LAST_YEAR = 2020, 2100
"""A clock that tells another year is broken, and not asked which day it is: all days up to it would be listed."""
PEEK: Final = 1 << 16
"""Bytes of an answer to getEdoc that are looked at for a refusal before they count as a packet."""


class LgspLine:
    """Speaks with one LGSP for one unit. KnownError server_insecure for an address that may not be asked.

    Close it after use. `monotonic` in seconds.
    """

    def __init__(
        self,
        settings: LgspSettings,
        credentials: LgspCredentials,
        http: HttpSettings,
        memory: LoginMemory,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = check_address(settings.base_url, PlainHttp.LOOPBACK)
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.host = parts.hostname or "?"
        self._settings = settings
        self._credentials = credentials
        self._http = http
        self._memory = memory
        self._monotonic = monotonic
        self._turn = threading.Lock()
        """Guards the sessions; never held while anything is asked."""
        self._idle: list[requests.Session] = []
        self._login_turn = threading.Lock()
        """Held during a login, so that there is one at a time."""
        self._token: tuple[str, float] | None = None
        self.server_time: datetime | None = None
        """By the Date header of the newest answer."""

    def __repr__(self) -> str:
        return f"LgspLine({self._base!r})"

    def close(self) -> None:
        """Ends all connections."""
        with self._turn:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    @property
    def logged_in(self) -> bool:
        """Whether there is a token that is not over yet."""
        token = self._token
        return token is not None and self._monotonic() < token[1]

    def login(self, *, not_this: str | None = None) -> str:
        """A token that is good now; a new one if there is none, or if it is `not_this`.

        ExchangeError lgsp_login_refused: once refused, nothing is asked any more until the credentials are others.
        """
        with self._login_turn:
            token = self._token
            if token is not None and token[0] != not_this and self._monotonic() < token[1]:
                return token[0]
            self._token = None
            revision = self._credentials.revision
            if self._memory.is_refused(revision):
                raise self._login_refused()
            fresh = self._ask_token()
            self._memory.taken(revision)
            self._token = (fresh, self._monotonic() + TOKEN_SECONDS)
            return fresh

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        limit: int = MAX_ANSWER,
        unit: bool = True,
    ) -> tuple[object, bytes]:
        """A whole answer of success, as a value and as it came; `unit`: a call that needs the unit's id and key."""
        data = None if body is None else msgspec.json.encode(body)

        def request(session: requests.Session, headers: dict[str, str]) -> tuple[object, bytes]:
            if data is not None:
                headers["Content-Type"] = MEDIA_JSON
            answer = self._exchange(session, method, self._url(path, query), headers, data, limit)
            return self._judged(answer.status, answer.body), answer.body

        return self._with_token(request, unit=unit)

    def send(self, make_form: Callable[[], PacketForm], judge: Callable[[Refusal], ExchangeError]) -> object:
        """Hands a form over; the value of an answer of success. `judge` says what a refusal means.

        Where no answer comes, the error is `unreachable` (outcome unknown) only if all of the form had left.
        """

        def request(session: requests.Session, headers: dict[str, str]) -> object:
            with make_form() as form:
                headers["Content-Type"] = form.media
                try:
                    answer = exchange(
                        session,
                        "POST",
                        self._url("/v1/sendEdoc"),
                        limit=MAX_ANSWER,
                        headers=headers,
                        data=cast(IO[bytes], form),
                        read_timeout=LONG_SECONDS,
                    )
                except TransferError as error:
                    raise self._cut(error, maybe_there=form.left_whole) from error
            self._note_time(answer.headers)
            return self._judged(answer.status, answer.body, judge)

        return self._with_token(request, unit=True)

    @contextmanager
    def content(self, doc_id: str, limit: int) -> Iterator[Iterator[bytes]]:
        """The answer to getEdoc as it comes, at most `limit` bytes of it; a refusal raises before any of it."""
        with self._with_open_answer(f"/v1/getEdoc?{urlencode({'docId': doc_id})}") as response:
            pieces = self._pieces(response, limit)
            begun = bytearray()
            for piece in pieces:
                begun += piece
                if len(begun) > PEEK:
                    break
            else:
                self._judged(response.status_code, bytes(begun))
            if response.status_code != 200:
                raise self.wrong_answer()

            def whole() -> Iterator[bytes]:
                yield bytes(begun)
                yield from pieces

            yield whole()

    def wrong_answer(self) -> ExchangeError:
        """What came is no answer of an LGSP (a page of a proxy, a fault): nobody knows what became of the request."""
        return ExchangeError("server_answer_wrong", retry=Retry.AFTER, unreachable=True, host=self.host)

    # ---- one request

    def _with_token(self, request: Callable[[requests.Session, dict[str, str]], T], *, unit: bool) -> T:
        """Runs `request` with a token, which is renewed once if the LGSP takes it no longer."""
        for again in (False, True):
            token = self.login()
            with self._session() as session:
                try:
                    return request(session, self._headers(token, unit=unit))
                except _TokenOver:
                    if again:
                        break
            self.login(not_this=token)
        raise self._unit_refused()

    @contextmanager
    def _with_open_answer(self, path: str) -> Iterator[requests.Response]:
        """An answer whose body is unread; a token that is over is renewed once."""
        for again in (False, True):
            token = self.login()
            with self._session() as session:
                headers = self._headers(token, unit=True)
                with (
                    self._transfers(),
                    streamed(session, "GET", self._base + path, headers=headers, read_timeout=LONG_SECONDS) as response,
                ):
                    self._note_time(response.headers)
                    try:
                        if response.status_code == 401:
                            self._judged(401, b"".join(self._pieces(response, MAX_ANSWER)))
                    except _TokenOver:
                        if again:
                            break
                    else:
                        yield response
                        return
            self.login(not_this=token)
        raise self._unit_refused()

    def _headers(self, token: str, *, unit: bool) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {token}"}
        if unit:
            headers |= {"X-SystemId": self._settings.system_id, "X-SecretKey": self._credentials.secret_key}
        return headers

    def _exchange(
        self,
        session: requests.Session,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes | None,
        limit: int,
    ) -> Answer:
        with self._transfers():
            answer = exchange(
                session,
                method,
                url,
                limit=limit,
                headers=headers,
                data=None if data is None else io.BytesIO(data),
                read_timeout=READ_SECONDS,
            )
        self._note_time(answer.headers)
        return answer

    def _pieces(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        try:
            yield from chunks(response, limit)
        except TransferError as error:
            if error.fault is TransferFault.TOO_LARGE:
                raise ExchangeError("packet_too_large", retry=Retry.FIX, limit=limit) from error
            raise self._cut(error, maybe_there=True) from error

    def _judged(self, status: int, body: bytes, judge: Callable[[Refusal], ExchangeError] | None = None) -> object:
        """The answer as a value; ExchangeError for a refusal and for what is no JSON."""
        try:
            value = read_any(body)
        except msgspec.MsgspecError as error:
            if status == 401:
                raise _TokenOver from error
            raise self.wrong_answer() from error
        refusal = refusal_in(status, value)
        if refusal is None:
            return value
        if refusal.wants_login:
            raise _TokenOver
        raise judge(refusal) if judge is not None else error_for(refusal, self.host)

    # ---- the login

    def _ask_token(self) -> str:
        asked = {
            "username": self._credentials.username,
            "password": self._credentials.password,
            "applicationCode": self._settings.application_code,
            "otp": None,
            "twoFactorProvider": None,
            "typeObjs": [0, 1],
        }
        url = self._url("/v1/auth/login", {"allow_anonymous": "true"})
        with self._session() as session:
            headers = {"Content-Type": MEDIA_JSON}
            answer = self._exchange(session, "POST", url, headers, msgspec.json.encode(asked), MAX_ANSWER)
        try:
            value = read_any(answer.body)
        except msgspec.MsgspecError as error:
            raise self._nobody_there() from error
        if answer.status >= 500 or not isinstance(value, dict):
            raise self._nobody_there()
        if answer.status == 429:
            raise ExchangeError("server_busy", retry=Retry.AFTER, scope=Scope.SERVER, host=self.host, reason="429")
        data = value.get("data")
        for part in (data if isinstance(data, dict) else {}, value):
            token = part.get("token")
            if answer.status in (200, 201) and isinstance(token, str) and token:
                if len(token) > 8000 or not token.isascii() or not token.isprintable() or " " in token:
                    raise self._nobody_there()
                return token
        if answer.status == 404:
            raise self._nobody_there()
        self._memory.refused(self._credentials.revision)
        raise self._login_refused()

    def _login_refused(self) -> ExchangeError:
        return ExchangeError("lgsp_login_refused", retry=Retry.FIX, scope=Scope.SERVER, host=self.host)

    def _unit_refused(self) -> ExchangeError:
        """A token of a minute's age is not taken: then it is the unit that the LGSP does not know."""
        return ExchangeError("lgsp_unit_refused", retry=Retry.FIX, scope=Scope.SERVER, host=self.host)

    def _nobody_there(self) -> ExchangeError:
        """Whoever answers a login is no LGSP: a sign-in page of the network, a fault of a proxy."""
        return ExchangeError("server_answer_wrong", retry=Retry.AFTER, scope=Scope.SERVER, host=self.host)

    # ---- transfers

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """A session that nobody else uses meanwhile."""
        with self._turn:
            session = self._idle.pop() if self._idle else None
        if session is None:
            session = open_session(self._http)
        try:
            yield session
        finally:
            with self._turn:
                self._idle.append(session)

    @contextmanager
    def _transfers(self) -> Iterator[None]:
        try:
            yield
        except TransferError as error:
            raise self._cut(error, maybe_there=True) from error

    def _cut(self, error: TransferError, *, maybe_there: bool) -> ExchangeError:
        """The error for an answer that did not come. Where the request has not left as a whole, nothing was done, and
        nothing else would get through now.
        """
        if maybe_there and error.fault in (TransferFault.TOO_LARGE, TransferFault.ENCODED):
            return self.wrong_answer()
        code, of_server = _away(error)
        refused = error.fault is TransferFault.PROXY_REFUSED
        proxy = self._http.proxies.of(self._base)
        return ExchangeError(
            code,
            # A login that the proxy refused is not to be tried over and over: accounts get locked.
            retry=Retry.FIX if refused else Retry.AFTER,
            scope=Scope.SERVER if of_server or not maybe_there else Scope.ITEM,
            unreachable=maybe_there,
            host=self.host,
            proxy=proxy.host if proxy is not None else "?",
            here=self._here(),
            there="?",
        )

    def _here(self) -> str:
        """This machine's time, for the words about certificates whose days are over."""
        return datetime.now(VIETNAM).strftime("%H:%M %d/%m/%Y")

    def _url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        # The days of the list stand as they are documented, with their strokes.
        return f"{self._base}{path}" + (f"?{urlencode(query, safe='/')}" if query else "")

    def _note_time(self, headers: Mapping[str, str]) -> None:
        told = http_date(headers.get("Date"))
        if told is not None and _FIRST_YEAR <= told.year <= _LAST_YEAR:
            self.server_time = told


def _away(error: TransferError) -> tuple[str, bool]:
    """The code for an answer that did not come, and whether it is the way to the server as a whole that fails."""
    match error.fault:
        case TransferFault.PROXY_REFUSED:
            return "proxy_refused", True
        case TransferFault.PROXY_UNREACHABLE:
            return "proxy_unreachable", True
        case TransferFault.TLS:
            code = (
                {
                    Distrust.NAME: "server_certificate_name",
                    Distrust.UNKNOWN: "server_certificate_unknown",
                    Distrust.EXPIRED: "clock_or_certificate",
                    Distrust.NOT_YET_VALID: "clock_or_certificate",
                }.get(error.distrust)
                if error.distrust is not None
                else None
            )
            return code or "server_tls", True
    return "server_unreachable", False


class _TokenOver(Exception):  # noqa: N818 - no error: the token is renewed
    pass
