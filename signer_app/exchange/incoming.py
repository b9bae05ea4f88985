"""Looks for secrecy marks in a packet that came, in memory, before anything of it is kept.

Main process; files are read by workers, which get the bytes over their pipe and write nothing. What the feed and the
packet say of themselves counts, and so does a mark in any file of it, however it is wrapped. A file at which a worker
hangs or dies is no reason to receive nothing any more: it is given up in time, and the packet is marked as one that was
not looked through.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from signer_app.exchange.incoming_spool import as_file, in_memory
from signer_app.pdf.model import Screened
from signer_app.store.inbox_stores import Held, Screening
from signer_app.tasks import LookInto, LookIntoBytes, Screen, ScreenBytes
from signer_app.workers import Workers
from signer_resources.errors import KnownError
from signer_sync.edxml_attachments import FileKind, UnwrappedFile, open_packet
from signer_sync.edxml_zip import Trouble
from signer_sync.packets import Arrival
from signer_sync.secrecy import field_is_secret, name_is_secret

_IN_ONE_MESSAGE = 60 << 20
"""Bytes of a file that are handed to a worker in one message (`tasks.FRAME_CAP`)."""
_FILE_S = 40.0
_PACKET_S = 150.0
"""Seconds for all files of a packet: what hangs must not hold up what came behind it."""
_PACKED = b"PK\x03\x04"
_OFFICE_NAMES = ("1.docx", "1.odt")
_OTHER_KIND = frozenset({"attachment_kind", "attachment_damaged"})
_CLOSED = frozenset({Trouble.LOCKED, Trouble.BOMB, Trouble.NESTED})
"""What is put around a file so that nobody can look into it."""
_NOT_LOOKED = frozenset({"worker_timeout", "worker_fault", "attachment_locked"})
"""Faults after which nobody knows what stands in a file. The others tell that it is of a kind without words."""


class IncomingScreen:
    """Called with each packet of the feed and its bytes; `folder` is for files too large for one message."""

    def __init__(self, workers: Workers, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._folder = folder
        self._clock = clock

    def __call__(self, arrival: Arrival, held: Held) -> Screening:
        """Whether the packet is secret. One that nobody can read shows no mark; it is kept for its sender's sake."""
        if field_is_secret("Subject", arrival.subject):
            return Screening.SECRET
        try:
            with open_packet(held.reader(), in_memory) as packet:
                return Screening.SECRET if packet.secret else self._files(packet.files)
        except KnownError as error:
            if error.code != "edxml_invalid":
                raise
            return Screening.OPEN

    def _files(self, files: Sequence[UnwrappedFile]) -> Screening:
        until, found = self._clock() + _PACKET_S, Screening.OPEN
        for part in files:
            if name_is_secret(part.name):
                return Screening.SECRET
            left = until - self._clock()
            looked = self._look(part, min(_FILE_S, left)) if left > 0 else Screening.UNSURE
            if part.trouble in _CLOSED and looked is Screening.OPEN:
                looked = Screening.UNSURE
            if looked is Screening.SECRET:
                return looked
            if looked is Screening.UNSURE:
                found = looked
        return found

    def _look(self, part: UnwrappedFile, limit_s: float) -> Screening:
        try:
            if part.kind is FileKind.PACKET and part.trouble is None:
                # Its files stand beside it, each by itself.
                return Screening.OPEN
            if part.kind is FileKind.PDF:
                screened = self._pdf(part, limit_s)
                return _told(screened.secret, sure=screened.readable)
            return _told(self._other(part, limit_s), sure=True)
        except KnownError as error:
            if error.code in _NOT_LOOKED:
                return Screening.UNSURE
            if error.code.startswith("attachment_"):
                return Screening.OPEN
            raise

    def _pdf(self, part: UnwrappedFile, limit_s: float) -> Screened:
        if part.size <= _IN_ONE_MESSAGE:
            return self._workers.screen_bytes(ScreenBytes(part.stream.read(), part.name), limit_s).screened
        with as_file(part.stream, self._folder) as path:
            return self._workers.screen(Screen(str(path), part.name), limit_s).screened

    def _other(self, part: UnwrappedFile, limit_s: float) -> bool:
        if part.size > _IN_ONE_MESSAGE:
            with as_file(part.stream, self._folder) as path:
                return self._workers.look_into(LookInto(str(path), part.name), limit_s).found.secret
        data = part.stream.read()
        # An office file under a name by which nobody would look into it is looked into as what it is.
        for name in (part.name, *(_OFFICE_NAMES if data.startswith(_PACKED) else ())):
            try:
                return self._workers.look_into_bytes(LookIntoBytes(data, name), limit_s).found.secret
            except KnownError as error:
                if error.code not in _OTHER_KIND:
                    raise
        return False


def _told(secret: bool, *, sure: bool) -> Screening:
    if secret:
        return Screening.SECRET
    return Screening.OPEN if sure else Screening.UNSURE
