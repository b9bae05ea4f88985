"""One request to a document server and its answer, with every way of failing turned into an ExchangeError.

Runs on the network pool. Knows addresses, limits and problem+json; knows no identity and no token:
whoever calls has made sure who is there. Sends only to the base address it was made with, whatever an
answer says.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import msgspec
import requests

from signer_sync import contract as c
from signer_sync.errors import ExchangeError, Scope, from_problem
from signer_sync.http import (
    Answer,
    PlainHttp,
    TransferError,
    TransferFault,
    check_address,
    chunks,
    exchange,
    read_capped,
    streamed,
)

T = TypeVar("T")


class Wire:
    """Requests to one base address ("https://lienthong.example.vn"); KnownError server_insecure if unfit."""

    def __init__(self, base_url: str, session: requests.Session) -> None:
        parts = check_address(base_url, PlainHttp.LOOPBACK)
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._session = session
        self.host = parts.hostname or "?"

    def __repr__(self) -> str:
        return f"Wire({self._base!r})"

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        read_timeout: float | None = None,
    ) -> Answer:
        """A complete answer of success; ExchangeError for a refusal, for nonsense, for no answer at all."""
        try:
            answer = exchange(
                self._session,
                method,
                self._url(path),
                limit=c.MAX_JSON,
                headers=headers,
                data=None if data is None else io.BytesIO(data),
                read_timeout=read_timeout,
            )
        except TransferError as error:
            raise self._transfer(error) from error
        if answer.status not in (200, 201, 202):
            raise self._refusal(answer)
        return answer

    @contextmanager
    def stream(self, path: str, *, headers: Mapping[str, str], limit: int) -> Iterator[Iterator[bytes]]:
        """The body of a GET as it comes; more than `limit` bytes is content_wrong."""
        try:
            with streamed(self._session, "GET", self._url(path), headers=headers) as response:
                if response.status_code != 200:
                    body = read_capped(response, c.MAX_JSON)
                    raise self._refusal(Answer(response.status_code, response.headers, body))
                yield chunks(response, limit)
        except TransferError as error:
            if error.fault is TransferFault.TOO_LARGE:
                raise ExchangeError("content_wrong", retry=c.Retry.AFTER) from error
            raise self._transfer(error) from error

    def decode(self, answer: Answer, kind: type[T]) -> T:
        """The body as `kind`; anything else is no answer of a document server."""
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.MsgspecError as error:
            raise self.wrong_answer() from error

    def wrong_answer(self) -> ExchangeError:
        """Something between us and the server, or a fault of it, answered: outcome unknown."""
        return ExchangeError("server_answer_wrong", retry=c.Retry.AFTER, unreachable=True, host=self.host)

    def not_ours(self) -> ExchangeError:
        """Whoever answers is not the server we look for: a sign-in page of the network, another server."""
        return ExchangeError(
            "server_not_ours", retry=c.Retry.AFTER, scope=Scope.SERVER, unreachable=True, host=self.host
        )

    def _url(self, path: str) -> str:
        return f"{self._base}{c.PREFIX}{path}"

    def _transfer(self, error: TransferError) -> ExchangeError:
        if error.fault in (TransferFault.TOO_LARGE, TransferFault.ENCODED):
            return self.wrong_answer()
        if error.fault is TransferFault.TLS:
            return ExchangeError(
                "server_tls", retry=c.Retry.AFTER, scope=Scope.SERVER, unreachable=True, host=self.host
            )
        return ExchangeError("server_unreachable", retry=c.Retry.AFTER, unreachable=True, host=self.host)

    def _refusal(self, answer: Answer) -> ExchangeError:
        if answer.media_type != c.MEDIA_PROBLEM:
            return self.wrong_answer()
        problem = self.decode(answer, c.Problem)
        seconds = answer.headers.get("Retry-After", "")
        after = float(seconds) if seconds.isascii() and seconds.isdecimal() and len(seconds) < 8 else None
        return from_problem(problem, answer.status, after, self.host)
