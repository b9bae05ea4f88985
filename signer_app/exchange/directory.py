"""The directory of organisations: brought up to date from a server, and read by whoever names a receiver.

Main process, any thread; blocks. Codes are opaque; a code that is not in the directory is still a code, and stands for
itself. A server that has less than before takes nothing away: what it tells no more is kept, and receives no more.
"""

import datetime as dt
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from signer_app.store.datafolder import DataFolder
from signer_app.store.directory import Organisation
from signer_app.store.store import Store, View
from signer_resources.errors import KnownError
from signer_sync.contract import Org, OrgPage
from signer_sync.errors import ExchangeError

if TYPE_CHECKING:
    from signer_app.workspace import Workspace

SERVER: Final = "server"
"""The source of a directory of which nobody remembers who told it."""
_PAGES: Final = 5000
"""Pages of one refresh, against a directory without end."""
_AT_ONCE: Final = 2000
"""Bodies written in one transaction, so that a signing never waits long for its turn."""
_MAX_JSON: Final = 64 << 20

FetchPage = Callable[[str | None], OrgPage]
"""Bodies that changed since the cursor, all without one; ExchangeError epoch_changed if the cursor counts no more."""


@dataclass(frozen=True)
class KnownOrganisation:
    """An organisation: code, name, whether it still receives."""

    code: str
    name: str
    active: bool = True


@dataclass(frozen=True)
class Directory:
    """All organisations known, and when a server told them last."""

    fetched_at: dt.datetime | None = None
    organisations: tuple[KnownOrganisation, ...] = ()

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Code → name."""
        return {org.code: org.name for org in self.organisations}

    def name(self, code: str) -> str:
        """The organisation's name, or the code where the name isn't known."""
        return self.names.get(code, code)


def refresh(space: "Workspace", fetch_page: FetchPage, *, source: str = SERVER) -> bool:
    """Brings the directory up to date with what `fetch_page` tells; whether anything was told.

    What came before an error is kept, and the next refresh goes on behind it; a fill from the start that was cut begins
    anew. ExchangeError as `fetch_page` raises it, server_answer_wrong for pages without end.
    """
    store, now = space.store, space.now
    with store.view() as view:
        cursor = view.directory.state(source).cursor
    if cursor is not None:
        try:
            return _read_on(store, fetch_page, source, cursor, now)
        except ExchangeError as error:
            if error.code != "epoch_changed":
                raise
    return _fill(store, fetch_page, source, now)


def source_of(channel: str, org: str) -> str:
    """The name of a source: what the channel (by its traits' name) tells to one body. Two servers may tell different
    directories, and each has cursors of its own.
    """
    return f"{channel}:{org}"


def known(view: View) -> Directory:
    """The whole directory as it stands at this moment."""
    told = tuple(KnownOrganisation(*brief) for brief in view.directory.briefs())
    return Directory(view.directory.fetched_at(), told)


def names_of(view: View, codes: Iterable[str]) -> dict[str, str]:
    """Code → name for each of `codes`, the code itself where the name isn't known."""
    wanted = list(codes)
    found = view.directory.many(wanted)
    return {code: found[code].name if code in found else code for code in wanted}


def load_directory(cache: Path) -> Directory:
    """The whole directory of the data folder whose `cache` this is; the very same one while nothing has changed, an
    empty one where there is none or it can't be read.
    """
    return _KEPT.get(DataFolder(cache.parent))


def save_directory(store: Store, directory: Directory, *, source: str = SERVER) -> None:
    """Keeps a whole directory as if a server had told it at `fetched_at`."""
    bodies = [Organisation(code=one.code, name=one.name, active=one.active) for one in directory.organisations]
    number = store.write(lambda tx: tx.directory.begin_fill(source))
    _put(store, source, number, bodies)
    store.write(lambda tx: tx.directory.end_fill(source, number))
    if directory.fetched_at is not None:
        at = directory.fetched_at
        store.write(lambda tx: tx.directory.read_to(source, "", at))


def take_over_json(store: Store) -> None:
    """Takes the directory out of the file in which it was kept before, once; the file goes. The servers are asked for
    all of it at the next refresh.
    """
    file = store.folder.cache / "organisations.json"
    if not file.is_file():
        return
    with store.view() as view:
        wanted = not view.directory.is_known()
    kept = _read_json(file) if wanted else None
    if kept is not None:
        number = store.write(lambda tx: tx.directory.begin_fill(SERVER))
        _put(store, SERVER, number, [Organisation(code=o.code, name=o.name, active=o.active) for o in kept])
    with suppress(OSError):
        file.unlink()


class _JsonOrganisation(msgspec.Struct, frozen=True):
    code: str
    name: str
    active: bool = True


class _JsonDirectory(msgspec.Struct, frozen=True):
    organisations: tuple[_JsonOrganisation, ...] = ()


def _read_json(file: Path) -> tuple[_JsonOrganisation, ...] | None:
    try:
        if file.stat().st_size > _MAX_JSON:
            return None
        return msgspec.json.decode(file.read_bytes(), type=_JsonDirectory).organisations
    except (OSError, msgspec.MsgspecError):
        return None


class _Kept:
    """The directory that was read last, as long as it is the newest."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._kept: tuple[Path, int, Directory] | None = None

    def get(self, folder: DataFolder) -> Directory:
        try:
            reader = Store.read_only(folder)
        except KnownError:
            return Directory()
        with reader, reader.view() as view:
            return self._newest(folder.path, view)

    def _newest(self, path: Path, view: View) -> Directory:
        version = view.directory.version()
        with self._turn:
            kept = self._kept
        if kept is None or kept[:2] != (path, version):
            kept = (path, version, known(view))
            with self._turn:
                self._kept = kept
        return kept[2]


_KEPT = _Kept()


def _read_on(store: Store, fetch_page: FetchPage, source: str, cursor: str, now: Callable[[], dt.datetime]) -> bool:
    """Takes in what changed behind a cursor, page by page."""
    with store.view() as view:
        number = view.directory.state(source).fills
    told = False
    for _ in range(_PAGES):
        page = fetch_page(cursor)
        bodies = _bodies(page)
        _put(store, source, number, bodies)
        told = told or bool(bodies)
        behind, at = page.cursor, now()
        store.write(lambda tx, behind=behind, at=at: tx.directory.read_to(source, behind, at))  # type: ignore[misc]
        if not page.more or behind == cursor:
            return told
        cursor = behind
    return told


def _fill(store: Store, fetch_page: FetchPage, source: str, now: Callable[[], dt.datetime]) -> bool:
    """Takes in the whole directory. Bodies that were not told again receive no more, unless the server has lost so many
    that it can't be right: an emptied server must not cut us off from everybody.
    """
    with store.view() as view:
        before = view.directory.told_now(source)
    number = store.write(lambda tx: tx.directory.begin_fill(source))
    cursor: str | None = None
    told = 0
    for _ in range(_PAGES):
        page = fetch_page(cursor)
        bodies = _bodies(page)
        _put(store, source, number, bodies)
        told += len(bodies)
        if not page.more or page.cursor == cursor:
            break
        cursor = page.cursor
    behind, at, right = page.cursor, now(), told > 0 and told * 2 >= before
    if right:
        store.write(lambda tx: tx.directory.end_fill(source, number))
    store.write(lambda tx: tx.directory.read_to(source, behind, at))
    return told > 0


def _put(store: Store, source: str, number: int, bodies: "list[Organisation]") -> None:
    for start in range(0, len(bodies), _AT_ONCE):
        some = bodies[start : start + _AT_ONCE]
        store.write(lambda tx, some=some: tx.directory.put(source, number, some))  # type: ignore[misc]


def _bodies(page: OrgPage) -> list[Organisation]:
    return [_body(org) for org in page.items]


def _body(org: Org) -> Organisation:
    return Organisation(
        code=org.code,
        name=_plain(org.name) or org.code,
        parent=org.parent,
        active=org.active,
        valid_from=org.valid_from,
        replaced_by=org.replaced_by,
        channels=org.channels,
    )


def _plain(name: str) -> str:
    """A name as it may be shown: one line, composed letters."""
    kept = "".join(letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", name))
    return " ".join(kept.split())[:300]
