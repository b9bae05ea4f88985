"""Whether what a batch will write has room on the disks that it goes to, told before any PIN.

Main process; looks at sizes and at free space, opens no file and keeps nothing. An estimate: a disk that fills up
meanwhile is a matter of the writing itself. Memory doesn't grow with the batch.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from signer_app.pdf.model import Finding, Severity
from signer_app.signing.jobs import AttachmentJob, DocumentJob, FileJob
from signer_app.store.blobs import BlobStore
from signer_app.store.durable import can_clone, reachable
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

SIGNATURE_BYTES = 64 << 10
"""By so much a file grows with its signature, the stamps on it and the timestamp in it."""
ROW_BYTES = 32 << 10
"""What the database and the evidence take for one file."""
MARGIN_BYTES = 32 << 20
"""What must stay free in the data folder beside all that is counted: files at work, the database's log."""
_FOLDERS = 1_024
"""Folders of which it is remembered on which volume they lie."""


@dataclass(frozen=True)
class Written:
    """A file that will be written: its size as it is, where its copy goes (None: nowhere), and whether the store has
    the file as it came already.
    """

    size: int
    output: Path | None
    kept: bool = False
    signed: bool = True


@dataclass
class _Volume:
    """A volume that takes something: how it is called, what is free there, whether blobs can be cloned to it."""

    name: str
    free: int
    clones: bool
    needed: int = 0


def space_findings(space: Workspace, jobs: Iterable[DocumentJob]) -> tuple[Finding, ...]:
    """What speaks against signing all of these: "disk_space_short" refuses, "disk_space_low" warns, one for each volume
    that has too little.
    """
    return findings_of(space.folder.blobs, written_by(jobs, space.folder.blobs))


def require_space(space: Workspace, jobs: Iterable[DocumentJob]) -> None:
    """KnownError "disk_space_short" before anything is begun that can't come to its end."""
    for finding in space_findings(space, jobs):
        if finding.severity is Severity.REFUSED:
            raise KnownError(finding.code, **finding.params)


def written_by(jobs: Iterable[DocumentJob], blobs: Path) -> Iterator[Written]:
    """What the signing of these writes. A file that can't be looked at is left out: it is refused for that."""
    store = BlobStore(blobs)
    for job in jobs:
        items: tuple[FileJob | AttachmentJob, ...] = (*job.files, *job.attachments)
        for item in items:
            size = _size(store, item)
            if size is not None:
                output = Path(item.output) if item.output is not None else None
                yield Written(size, output, kept=item.blob is not None, signed=isinstance(item, FileJob))


def findings_of(blobs: Path, files: Iterable[Written]) -> tuple[Finding, ...]:
    """As `space_findings`, for files of which the sizes are known."""
    volumes = _Volumes(blobs)
    for file in files:
        volumes.add(file)
    return tuple(finding for volume in volumes.all() if (finding := _finding(volume)) is not None)


class _Volumes:
    """The volumes that a batch writes to; the first one is the data folder's."""

    def __init__(self, blobs: Path) -> None:
        self._blobs = blobs
        self._known: dict[int, _Volume] = {}
        self._places: dict[Path, _Volume | None] = {}
        self._home = self._at(blobs)
        if self._home is not None:
            self._home.needed += MARGIN_BYTES

    def add(self, file: Written) -> None:
        """Counts what is written for one file: the file as it came, what becomes of it, its copy."""
        made = file.size + (SIGNATURE_BYTES if file.signed else 0)
        if self._home is not None:
            as_it_came = 0 if file.kept else file.size
            self._home.needed += as_it_came + (made if file.signed else 0) + ROW_BYTES
        target = self._at(file.output.parent) if file.output is not None else None
        if target is not None and not target.clones:
            target.needed += made

    def all(self) -> Iterable[_Volume]:
        """Each volume once."""
        return self._known.values()

    def _at(self, folder: Path) -> _Volume | None:
        if folder not in self._places:
            if len(self._places) >= _FOLDERS:
                self._places.clear()
            self._places[folder] = self._look(folder)
        return self._places[folder]

    def _look(self, folder: Path) -> _Volume | None:
        """The volume of a folder, or of the one above it that is there; None if nobody can tell: then the writing, or
        the look at the output, says what is wrong.
        """
        try:
            there = next(place for place in (folder, *folder.parents) if reachable(place).is_dir())
            device = _device(there)
            if device not in self._known:
                free = shutil.disk_usage(reachable(there)).free
                self._known[device] = _Volume(_root(there), free, can_clone(self._blobs, there))
        except (OSError, StopIteration):
            return None
        return self._known[device]


def _device(folder: Path) -> int:
    return reachable(folder).stat().st_dev


def _root(folder: Path) -> str:
    """The drive, or the folder at which the volume is mounted: so it is called."""
    place = folder.absolute()
    while not os.path.ismount(place) and place != place.parent:
        place = place.parent
    return str(place)


def _size(store: BlobStore, item: FileJob | AttachmentJob) -> int | None:
    try:
        return store.size(item.blob) if item.blob is not None else reachable(Path(item.path)).stat().st_size
    except (OSError, KnownError):
        return None


def _finding(volume: _Volume) -> Finding | None:
    if volume.free >= 2 * volume.needed:
        return None
    params = {"volume": volume.name, "needed": _in_words(volume.needed), "free": _in_words(volume.free)}
    if volume.free < volume.needed:
        return Finding("disk_space_short", Severity.REFUSED, params)
    return Finding("disk_space_low", Severity.WARNING, params)


def _in_words(size: int) -> str:
    """A size with a unit that both languages write alike."""
    megabytes = size / (1 << 20)
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{megabytes:.1f} MB"
