"""Events as JSON lines for a province's monitoring; the schema `events` says what stands in a line.

Main process; reads the store and writes one new file. A run that begins where the one before ended repeats what has the
same moment, never leaves out: events have ids by which doubles are dropped.
"""

import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.store.durable import disk_errors, place_new
from signer_app.store.event_reader import Event
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


@dataclass(frozen=True)
class Exported:
    """What was written; `first` and `last` are the moments of the first and last event, None without any."""

    count: int
    first: str | None
    last: str | None


def parse_since(text: str) -> dt.datetime:
    """A day (2026-11-23, from its beginning in Vietnam) or a moment (2026-11-23T08:00:00+07:00, without a zone
    Vietnam's); ValueError for anything else.
    """
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=VIETNAM)


def write_events(space: Workspace, since: dt.datetime | None, target: Path) -> Exported:
    """Writes all events from `since` on to the new file `target` (0600), whole or not at all.

    KnownError "output_exists", "output_unwritable", "disk_full", and as reading the store.
    """
    if target.exists():
        raise KnownError("output_exists", file=str(target))
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    with disk_errors(target.parent, "output_unwritable"):
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                reader = space.store if space.folder.locked else space.reader
                with reader.view() as view:
                    done = _write(stream.write, view.events.since(since))
                stream.flush()
                os.fsync(stream.fileno())
            try:
                place_new(part, target)
            except FileExistsError as error:
                raise KnownError("output_exists", file=str(target)) from error
        finally:
            part.unlink(missing_ok=True)
    return done


def _write(write: Callable[[bytes], object], events: Iterable[Event]) -> Exported:
    count, first, last = 0, None, None
    for event in events:
        write(msgspec.json.encode(event) + b"\n")
        count, last = count + 1, str(event["at"])
        first = first or last
    return Exported(count, first, last)
