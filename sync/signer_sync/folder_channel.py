"""A folder of .edxml files as a channel: for another program on this machine or network that does the sending.

On the thread of the pass. What goes out lies in `đi`, named by its id; what others put into `đến`, under any name,
comes in and lies in `đã xử lý` once it is kept here. A ledger beside them makes a packet appear in `đi` once only,
however soon the other program takes it away and whatever is cut when.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from signer_sync import contract as c
from signer_sync.contract import FeedType
from signer_sync.durable import move, sync_folder, write_new
from signer_sync.errors import ExchangeError, Scope
from signer_sync.folder_files import CHUNK, SUFFIX, FoundFile, WatchedFolder
from signer_sync.ids import is_uuid, uuid7
from signer_sync.packets import Arrival, ArrivalPage, BinarySink, OutgoingPacket, Proof
from signer_sync.ports import Contact, Sought, Traits

OUT: Final = "đi"
IN: Final = "đến"
DONE: Final = "đã xử lý"
LEDGER: Final = ".signer"
MARK: Final = "channel.json"
NOTE: Final = ".json"
MAX_NOTE: Final = 4096
"""Bytes of a note in the ledger; ours are far smaller."""
MOST_NOTES: Final = 20_000
"""Notes in the ledger, some years of a busy body; the oldest give way. No clock has a say in it, for clocks jump."""
NOTES_BETWEEN: Final = 1000
"""Packets that go out between two looks at how many notes there are."""
MAX_PAGES_KEPT: Final = 4096
"""Pages that are remembered until they are acknowledged."""


class _Mark(msgspec.Struct, frozen=True):
    """Which body's folder this is; a new `epoch` with each folder that is set up. `pruned`: notes of packets up to this
    id may be gone from the ledger.
    """

    org: str
    epoch: str
    pruned: str = ""


class _Entry(msgspec.Struct, frozen=True):
    """A packet that goes out; also the proof that is kept of it."""

    file: str
    sha256: str
    size: int


class FolderChannel:
    """`ports.Channel` over a folder that `set_up` made ready."""

    def __init__(
        self,
        folder: Path,
        org: str,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._org = org
        self._incoming = WatchedFolder(folder / IN, now=now, monotonic=monotonic)
        self._found: dict[str, list[FoundFile]] = {}
        self._pages: dict[str, frozenset[str]] = {}
        self._since_look = NOTES_BETWEEN  # the first packet looks

    def __repr__(self) -> str:
        return f"FolderChannel({self._org})"

    @classmethod
    def set_up(cls, folder: Path, org: str) -> None:
        """Makes an existing folder ready for a body; one that is ready stays as it is.

        ExchangeError folder_unreachable, folder_full; folder_not_ours where it is another body's.
        """
        with _faults(folder):
            for name in (OUT, IN, DONE, LEDGER):
                (folder / name).mkdir(mode=0o700, exist_ok=True)
            if not (folder / LEDGER / MARK).exists():
                write_new(folder / LEDGER / MARK, [msgspec.json.encode(_Mark(org, uuid7()))])
        cls(folder, org).contact()

    @property
    def org(self) -> str:
        """See `ports.Channel`."""
        return self._org

    @property
    def traits(self) -> Traits:
        """The ledger makes it idempotent; nobody signs a receipt."""
        return Traits("folder", idempotent=True, receipts=False)

    def contact(self) -> Contact:
        """See `ports.Channel`; ExchangeError folder_not_ours where another one stands there (a drive not connected)."""
        with _faults(self._folder):
            if not self._folder.is_dir():
                raise FileNotFoundError(errno.ENOENT, "no such folder")
            mark = self._mark()
        if mark.org != self._org or not all((self._folder / name).is_dir() for name in (OUT, IN, DONE)):
            raise self._not_ours()
        return Contact(mark.epoch)

    def submit(self, packet: OutgoingPacket, journal_head: c.JournalHead | None, sent: Callable[[int], None]) -> Proof:
        """Lays a packet into `đi`. See `ports.Channel`; there is nowhere to put the journal's head."""
        ledger = self._ledger(packet.packet_id)
        entry = _Entry(f"{packet.packet_id}{SUFFIX}", packet.sha256, packet.size)
        staged = ledger.with_suffix(SUFFIX)
        with _faults(self._folder):
            known = _entry(ledger)
            if known is not None and known != entry:
                raise ExchangeError("packet_conflict", retry=c.Retry.NEVER)
            if known is None and (packet.attempts or packet.uncertain) and packet.packet_id <= self._mark().pruned:
                raise ExchangeError("outcome_undecided", retry=c.Retry.FIX)  # its note may have been there once
            if known is None:
                # first the whole file under a name of ours, then the note that it goes out, then the one rename that
                # makes it visible: with a note and no staged file it has been visible, and isn't laid there again
                write_new(staged, _checked(packet, sent))
                write_new(ledger, [msgspec.json.encode(entry)])
            if staged.exists():
                move(staged, self._folder / OUT / entry.file)
            self._prune()
        return Proof(msgspec.json.encode(entry).decode())

    def seek(self, packet: OutgoingPacket) -> Sought:
        """See `ports.Channel`; never needed, since the same packet may be submitted again."""
        ledger = self._ledger(packet.packet_id)
        with _faults(self._folder):
            gone_out = _entry(ledger) is not None and not ledger.with_suffix(SUFFIX).exists()
        return Sought.THERE if gone_out else Sought.ABSENT

    def status(self, packet_id: str, proof: str) -> c.PacketState | None:
        """Nothing: what the other program does with a file can't be known."""
        return None

    def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
        """See `ports.Channel`. A cursor stands for the files before it, as long as this object lives; whatever else is
        asked for gets all that still lies there.
        """
        with _faults(self._folder):
            files = self._incoming.look()
        self._found = {}
        for file in files:
            self._found.setdefault(file.id, []).append(file)
        before = self._pages.get(cursor, frozenset()) if cursor is not None else frozenset()
        behind = [copies[0] for file_id, copies in self._found.items() if file_id not in before]
        shown = behind[:limit]
        return ArrivalPage(
            tuple(map(_arrival, shown)),
            self._page(before | {file.id for file in shown}),
            more=len(behind) > limit,
        )

    def fetch(self, arrival: Arrival, sink: BinarySink, *, limit: int) -> None:
        """See `ports.Channel`; ExchangeError folder_file_gone where someone took the file away."""
        found = self._found.get(arrival.id, [])
        if not found:
            raise _gone()
        if found[0].shape.size > limit:
            raise ExchangeError("packet_too_large", retry=c.Retry.FIX, limit=limit)
        digest = hashlib.sha256()
        for chunk in self._read(found[0]):
            digest.update(chunk)
            sink.write(chunk)
        if digest.hexdigest() != arrival.sha256:
            raise ExchangeError("content_wrong", retry=c.Retry.AFTER)

    def ack(self, cursor: str) -> None:
        """Moves the files before the cursor into `đã xử lý`; one that was changed meanwhile stays and comes again."""
        taken = self._pages.pop(cursor, frozenset())
        with _faults(self._folder):
            for file in [copy for file_id in taken for copy in self._found.get(file_id, [])]:
                if self._incoming.unchanged(file):
                    (self._folder / IN / file.name).replace(self._free_name(file))
            sync_folder(self._folder / DONE)
            sync_folder(self._folder / IN)

    def directory(self, since: str | None) -> c.OrgPage:
        """Nobody: a folder has no directory."""
        return c.OrgPage(items=(), cursor=since or "0")

    def _read(self, file: FoundFile) -> Iterator[bytes]:
        try:
            with self._incoming.opened(file) as handle:
                while chunk := handle.read(CHUNK):
                    yield chunk
        except FileNotFoundError as error:
            raise _gone() from error
        except OSError as error:
            raise _fault(self._folder, error) from error

    def _page(self, ids: frozenset[str]) -> str:
        """A cursor behind these files: the same for the same ones."""
        cursor = hashlib.sha256("\n".join(sorted(ids)).encode("ascii")).hexdigest()
        self._pages.pop(cursor, None)
        self._pages[cursor] = ids
        while len(self._pages) > MAX_PAGES_KEPT:
            self._pages.pop(next(iter(self._pages)))
        return cursor

    def _free_name(self, file: FoundFile) -> Path:
        """Under its own name, or its content's where that is taken."""
        target = self._folder / DONE / file.name
        return target.with_name(f"{file.id}{SUFFIX}") if os.path.lexists(target) else target

    def _mark(self) -> _Mark:
        text = _note(self._folder / LEDGER / MARK)
        try:
            return msgspec.json.decode(text or b"", type=_Mark)
        except msgspec.MsgspecError as error:
            raise self._not_ours() from error

    def _prune(self) -> None:
        """Drops the oldest notes where there are too many, of packets that have gone out whole. Up to which id that may
        be is durable before: none of those is ever laid out a second time without a person.
        """
        self._since_look += 1
        if self._since_look < NOTES_BETWEEN:
            return
        self._since_look = 0
        folder = self._folder / LEDGER
        names = {entry.name for entry in os.scandir(folder)}
        notes = sorted(name for name in names if is_uuid(name.removesuffix(NOTE)) and name.endswith(NOTE))
        old = [name for name in notes[: max(len(notes) - MOST_NOTES, 0)] if name.replace(NOTE, SUFFIX) not in names]
        if not old:
            return
        mark = self._mark()
        up_to = max(mark.pruned, old[-1].removesuffix(NOTE))
        write_new(folder / MARK, [msgspec.json.encode(msgspec.structs.replace(mark, pruned=up_to))])
        for name in old:
            (folder / name).unlink(missing_ok=True)

    def _ledger(self, packet_id: str) -> Path:
        if not is_uuid(packet_id):
            raise ValueError("not a packet id")
        return self._folder / LEDGER / f"{packet_id}{NOTE}"

    def _not_ours(self) -> ExchangeError:
        return ExchangeError(
            "folder_not_ours", retry=c.Retry.FIX, scope=Scope.SERVER, unreachable=True, folder=str(self._folder)
        )


def _arrival(file: FoundFile) -> Arrival:
    shown = file.name.encode("utf-8", "replace").decode("utf-8")
    return Arrival(file.id, FeedType.PACKET, file.sha256, file.shape.size, subject=shown)


def _note(path: Path) -> bytes | None:
    """A note of the ledger, None if there is none."""
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_NOTE)
    except FileNotFoundError:
        return None


def _entry(path: Path) -> _Entry | None:
    """What the ledger says of a packet; ExchangeError outcome_undecided where that can't be read."""
    text = _note(path)
    try:
        return None if text is None else msgspec.json.decode(text, type=_Entry)
    except msgspec.MsgspecError as error:
        raise ExchangeError("outcome_undecided", retry=c.Retry.FIX) from error


def _checked(packet: OutgoingPacket, sent: Callable[[int], None]) -> Iterator[bytes]:
    """The bytes of a packet; ExchangeError packet_damaged unless they are exactly what was queued."""
    digest, size = hashlib.sha256(), 0
    try:
        with packet.path.open("rb") as handle:
            while chunk := handle.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
                sent(len(chunk))
    except OSError as error:
        raise ExchangeError("packet_damaged", retry=c.Retry.FIX) from error
    if (digest.hexdigest(), size) != (packet.sha256, packet.size):
        raise ExchangeError("packet_damaged", retry=c.Retry.FIX)


def _gone() -> ExchangeError:
    return ExchangeError("folder_file_gone", retry=c.Retry.AFTER)


def _fault(folder: Path, error: OSError) -> ExchangeError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return ExchangeError("folder_full", retry=c.Retry.AFTER, scope=Scope.SERVER, folder=str(folder))
    return ExchangeError(
        "folder_unreachable", retry=c.Retry.AFTER, scope=Scope.SERVER, unreachable=True, folder=str(folder)
    )


@contextmanager
def _faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _fault(folder, error) from error
