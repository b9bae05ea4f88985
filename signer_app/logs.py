"""The program's log: `logs/signer.log` of the data folder, one short line an event, kept small, safe to be sent.

Any thread, several processes on one folder at a time. What may stand in a line is decided here and nowhere else: an
event is a word of the code, and so is the name of each field; a value is a number, or a word that the code could have
made (a code of the catalogue, the name of an exception's class, an id). All else becomes "…": no PIN, no name of a
document, a person or a file, nothing that was read, gets in, whatever is handed over. Writing never fails: a log that
can't be written costs nobody a signature.
"""

import contextlib
import datetime as dt
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from signer_app.faults import fault_places, write_fault
from signer_resources.messages import catalogue

LARGEST = 1 << 20
"""Bytes of one file of the log."""
KEPT = 4
"""So many older files are kept: signer.log.1 is the newest of them."""
_LOCK_S = 1.0
_LINE = 1000

FIELDS = frozenset(
    {"child", "code", "command", "count", "exit", "id", "kind", "light", "place", "seconds", "state", "version"}
)
"""What a line may say; a field of another name is left out."""
_EVENT = re.compile(r"[a-z][a-z_]{1,39}")
_WORD = re.compile(r"[a-z][a-z_-]{0,39}")
_CHECKED = {
    "version": re.compile(r"[0-9]{1,4}(\.[0-9a-z]{1,6}){1,4}"),
    "place": re.compile(r"-|[A-Za-z_<][\w<>]*(\.pyc?)?:[0-9]{1,5}(<[A-Za-z_<][\w<>]*(\.pyc?)?:[0-9]{1,5})*", re.ASCII),
    "id": re.compile(r"(?=.{0,5}[A-Z])[2-9A-Z]{6}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "kind": re.compile(r"_?[A-Z][A-Za-z]{0,40}(Error|Exception|Exit|Interrupt|Timeout|Crashed|Failed|Cancelled)"),
}
"""How a value looks that the code has made: a fault's id or a UUID, a class of exceptions. Others are words in small
letters, and a `code` stands in the catalogue.
"""
_HIDDEN = "…"
_NAME = "signer"

_log = logging.getLogger(_NAME)


def log_event(event: str, /, **fields: object) -> None:
    """Writes down that `event` has happened; nothing where no log is open."""
    _log.info(event, extra={"signer_fields": fields})


def note_fault(fault_id: str, fault: BaseException) -> None:
    """Writes a fault of the program down: its class and places in the code."""
    _log.error(
        "fault", extra={"signer_fields": {"id": fault_id, "kind": type(fault).__name__, "place": fault_places(fault)}}
    )


class Line(logging.Formatter):
    """One record as a line. What isn't known to be harmless is not written, from whomever the record comes."""

    def format(self, record: logging.LogRecord) -> str:
        """`2026-11-23T08:42:00.123Z I 4711 event field=value …`"""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        event = record.msg if isinstance(record.msg, str) and _EVENT.fullmatch(record.msg) else _HIDDEN
        fields: object = getattr(record, "signer_fields", {})
        if record.exc_info and isinstance(record.exc_info[1], BaseException):
            fields = {"kind": type(record.exc_info[1]).__name__, "place": fault_places(record.exc_info[1])}
        said = [f"{name}={harmless(name, value)}" for name, value in _known(fields)]
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return " ".join([stamp, record.levelname[0], str(record.process), event, *said])[:_LINE]


def _known(fields: object) -> Iterator[tuple[str, object]]:
    if isinstance(fields, Mapping):
        yield from ((name, value) for name, value in fields.items() if isinstance(name, str) and name in FIELDS)


def harmless(name: str, value: object) -> str:
    """The value as it may be written: numbers and words of the code; "…" for anything else."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        # A number that somebody typed would be a text; still, none with as many digits as a PIN has.
        return f"{value:.9g}" if abs(value) < 1000 or (name == "count" and abs(value) < 10**9) else _HIDDEN
    if not isinstance(value, str):
        return _HIDDEN
    if name == "code":
        return value if value in catalogue().errors else _HIDDEN
    return value if _CHECKED.get(name, _WORD).fullmatch(value) else _HIDDEN


class SharedRotating(logging.Handler):
    """Appends each line by one write to a file that is opened for it, under a lock of all processes; so any of them may
    put a full file aside.
    """

    def __init__(self, folder: Path, largest: int = LARGEST, kept: int = KEPT) -> None:
        super().__init__()
        self.folder = folder
        self.file = folder / "signer.log"
        self._largest = largest
        self._kept = kept
        self._lock_file = FileLock(folder / "signer.log.lock", timeout=_LOCK_S, mode=0o600, thread_local=False)
        self.setFormatter(Line())

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line, or nothing."""
        try:
            line = (self.format(record) + "\n").encode()
        except Exception:  # noqa: BLE001 - a record that can't be shown is not worth a fault
            return
        with contextlib.suppress(OSError, NotImplementedError):
            try:
                with self._lock_file:
                    self._make_room(len(line))
                    self._append(line)
            except Timeout:
                # Somebody hangs with the lock: a file that grows past its size is the lesser evil.
                self._append(line)

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def _make_room(self, length: int) -> None:
        try:
            size = self.file.stat().st_size
        except FileNotFoundError:
            return
        if size + length <= self._largest:
            return
        for number in range(self._kept, 0, -1):
            newer = self.file if number == 1 else self.folder / f"signer.log.{number - 1}"
            with contextlib.suppress(FileNotFoundError):
                newer.replace(self.folder / f"signer.log.{number}")


def open_log(folder: Path) -> None:
    """From now on this process writes into `folder`, the logs of a data folder; one that isn't there gets none."""
    close_log()
    if folder.is_dir():
        _log.addHandler(SharedRotating(folder))
        _log.setLevel(logging.INFO)
        _log.propagate = False


def close_log() -> None:
    """Writes nothing any more."""
    for handler in list(_log.handlers):
        _log.removeHandler(handler)
        handler.close()


def log_folder() -> Path | None:
    """Where this process writes; None: nowhere."""
    return next((handler.folder for handler in _log.handlers if isinstance(handler, SharedRotating)), None)


def log_files(folder: Path) -> tuple[Path, ...]:
    """The files of the log in `folder`, the newest first."""
    names = ["signer.log", *(f"signer.log.{number}" for number in range(1, KEPT + 1))]
    return tuple(folder / name for name in names if (folder / name).is_file())


CHILDS_LOG = "SIGNER_CHILD_LOGS"
"""The variable by which a child of ours is told where to write; no secret, and no setting for anybody else."""


def for_children() -> dict[str, str]:
    """What a child's environment needs beside the rest, so that its faults come into this log, too."""
    folder = log_folder()
    return {CHILDS_LOG: str(folder)} if folder is not None else {}


def watch_child(name: str) -> None:
    """In a child: what nobody caught goes into the parent's log, under an id of its own."""
    told = os.environ.get(CHILDS_LOG)
    if told:
        open_log(Path(told))
        watch_uncaught(name)


def watch_uncaught(child: str = "") -> None:
    """What nobody caught, on any thread, is written down where the log is open then; a child's message stays out of its
    parent's terminal.
    """

    def uncaught(fault: BaseException) -> None:
        if not isinstance(fault, KeyboardInterrupt | SystemExit):
            folder = log_folder()
            write_fault(fault, folder.parent if folder is not None else None)
            if child:
                log_event("child_fault", child=child, kind=type(fault).__name__)

    before = sys.excepthook

    def hook(kind: type[BaseException], fault: BaseException, places: TracebackType | None) -> None:
        uncaught(fault)
        if not child:
            before(kind, fault, places)

    def thread_hook(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            uncaught(arguments.exc_value)

    sys.excepthook = hook
    threading.excepthook = thread_hook
