"""Fetches a packet's bytes into the caller's sink, over as many connections as it takes, and checks them.

On the thread of whoever receives. Nothing is written anywhere but into that sink, so that a secret document is
looked at before anything of it is kept. What arrived before a cut stays; only the rest is asked for (RFC 9110
§14, If-Range with the strong ETag of the first answer).
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

from signer_sync import contract as c
from signer_sync.access import Access
from signer_sync.errors import ExchangeError
from signer_sync.http import TransferError, TransferFault
from signer_sync.ids import is_uuid
from signer_sync.packets import BinarySink
from signer_sync.wire import Body

MAX_IDLE_CUTS: Final = 3
"""Cuts in a row that brought nothing before this attempt is given up."""
MAX_CUTS: Final = 100
"""Cuts altogether within one attempt."""
BASE_SECONDS: Final = 120.0
SLOWEST: Final = 4096
"""Bytes per second below which a line counts as hung up."""


@runtime_checkable
class Rewindable(Protocol):
    """A sink that can throw away what it got: a file, a BytesIO."""

    def tell(self) -> int:
        """Where it stands."""

    def seek(self, offset: int, /) -> int:
        """Goes back to `offset`."""

    def truncate(self) -> int:
        """Drops all behind where it stands."""


class _WrongBytesError(Exception):
    """What came is not what was promised."""


def download(access: Access, item: c.FeedItem, sink: BinarySink, *, limit: int) -> None:
    """Writes the packet's bytes into `sink`.

    Bytes that do not fit the feed's hash are thrown away and fetched once more, where the sink can be taken back. Then,
    or at once where it can't: ExchangeError content_wrong, and the caller throws the sink's content away.
    packet_too_large beyond `limit` bytes.
    """
    if not is_uuid(item.id):
        raise ValueError("not a packet id")
    if item.size > limit:
        raise ExchangeError("packet_too_large", retry=c.Retry.FIX, limit=limit)
    start = sink.tell() if isinstance(sink, Rewindable) else None
    for last in (False, True):
        try:
            _Download(access, item, sink).run()
            return
        except _WrongBytesError as error:
            if last or start is None:
                raise ExchangeError("content_wrong", retry=c.Retry.AFTER) from error
            assert isinstance(sink, Rewindable)
            sink.seek(start)
            sink.truncate()


class _Download:
    def __init__(self, access: Access, item: c.FeedItem, sink: BinarySink) -> None:
        self._access = access
        self._item = item
        self._sink = sink
        self._digest = hashlib.sha256()
        self._total = 0
        self._etag: str | None = None

    def run(self) -> None:
        idle = 0
        for _ in range(MAX_CUTS):
            before = self._total
            try:
                self._access.with_bearer(self._fetch_rest)
                break
            except ExchangeError as error:
                # only a line that was cut is worth going on with; whoever answers nonsense will do so again
                if error.code != "server_unreachable":
                    raise
                idle = 0 if self._total > before else idle + 1
                if idle >= MAX_IDLE_CUTS:
                    raise
        if self._total != self._item.size or self._digest.hexdigest() != self._item.sha256:
            raise _WrongBytesError

    def _fetch_rest(self, bearer: Mapping[str, str]) -> None:
        headers = dict(bearer)
        resuming = self._total > 0 and self._etag is not None
        if resuming and self._etag is not None:
            headers |= {"Range": f"bytes={self._total}-", "If-Range": self._etag}
        path = f"/packets/{self._item.id}/content"
        with self._access.wire.stream(path, headers=headers, done={200, 206, 416} if resuming else {200}) as body:
            if body.status == 416:
                raise _WrongBytesError
            skip = self._total
            if body.status == 206:
                self._check_range(body.headers.get("Content-Range", ""))
                skip = 0
            self._check_promise(body.headers)
            self._take(body, skip)

    def _take(self, body: Body, skip: int) -> None:
        """Takes what comes; `skip` bytes of it are here already, from before a cut."""
        left = self._item.size - self._total + skip
        try:
            for chunk in body.chunks(left, BASE_SECONDS + left / SLOWEST):
                fresh = chunk[skip:] if skip else chunk
                skip = max(skip - len(chunk), 0)
                self._digest.update(fresh)
                self._total += len(fresh)
                self._sink.write(fresh)
        except TransferError as error:
            if error.fault is TransferFault.TOO_LARGE:
                raise _WrongBytesError from error
            raise

    def _check_range(self, told: str) -> None:
        match = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", told, re.ASCII)
        if match is None or (int(match[1]), int(match[3])) != (self._total, self._item.size):
            raise _WrongBytesError

    def _check_promise(self, headers: Mapping[str, str]) -> None:
        """Remembers the ETag, and believes a Repr-Digest that already says that the content is another."""
        etag = headers.get("ETag", "")
        # a weak one doesn't promise the same bytes; and it goes back into a header as it came
        self._etag = etag if re.fullmatch(r'"[!#-~]{1,100}"', etag, re.ASCII) else None
        try:
            told = c.parse_digest_header(headers.get(c.HEADER_REPR_DIGEST, ""))
        except ValueError as error:
            raise _WrongBytesError from error
        if told is not None and told.hex() != self._item.sha256:
            raise _WrongBytesError
