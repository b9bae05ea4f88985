"""Where copies of signed documents go: by days, as deep as the originals lie, never over another file.

Main process, any thread; looks which names are taken, on the disk and by copies that are still to be made. Writes
nothing.
"""

import datetime as dt
import os
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from signer_app.outgoing.model import Draft, DraftAttachment, DraftFile
from signer_app.store.durable import reachable
from signer_app.store.store import Store, Transaction, View
from signer_app.workspace import Workspace

SIGNED_FOLDER = "Đã ký"
"""Where signed copies go, beside the originals."""
_LONGEST_NAME = 255
"""Bytes, or on Windows UTF-16 units."""

F = TypeVar("F", DraftFile, DraftAttachment)


@dataclass(frozen=True)
class Place:
    """Where the copies of one day go: into "Đã ký/YYYY-MM-DD" in the folder that was brought in, else beside the
    original; or into "YYYY-MM-DD" in the `chosen` folder.
    """

    today: dt.date
    chosen: Path | None = None

    @staticmethod
    def of(space: Workspace) -> "Place":
        """As the settings say, for what is signed now."""
        chosen = space.settings.output_folder
        return Place(space.now().date(), Path(chosen).absolute() if chosen is not None else None)

    def folder(self, file: DraftFile | DraftAttachment) -> Path:
        """The folder of a file's copy, as deep below as the original lies below the folder it came with."""
        above = Path(file.path).parent
        root = Path(file.root) if file.root is not None and above.is_relative_to(file.root) else above
        day = (self.chosen or root / SIGNED_FOLDER) / self.today.isoformat()
        return day / above.relative_to(root)


class Taken:
    """Places that copies have already, or are still to get."""

    def __init__(self, outputs: Collection[str] = ()) -> None:
        self._keys = {_key(output) for output in outputs}

    @staticmethod
    def of(tx: Transaction) -> "Taken":
        """Those of all drafts, and those of signed documents."""
        return Taken(tx.drafts.outputs() | _pending(tx))

    def take(self, path: Path) -> None:
        """From now on nobody else gets this one."""
        self._keys.add(_key(str(path)))

    def has_free(self, path: Path) -> bool:
        """Whether nobody has it, on the disk neither."""
        return _key(str(path)) not in self._keys and not os.path.lexists(reachable(path))


def with_outputs(tx: Transaction, files: Sequence[F], place: Place, taken: Taken | None = None) -> tuple[F, ...]:
    """New files, each with where its copy goes if it is signed today. `taken` may be known from files before."""
    outputs = _name(files, place, taken if taken is not None else Taken.of(tx))
    return tuple(msgspec.structs.replace(file, output=outputs[file.id]) for file in files)


def outputs_of(store: Store, ids: Collection[str], place: Place) -> dict[str, str]:
    """File id → where its copy goes if it is signed today; for the drafts `ids`, beside all others."""
    wanted = frozenset(ids)
    with store.view() as view:
        drafts, others = view.drafts.some(wanted), view.drafts.outputs(without=wanted) | _pending(view)
    # The folders, which may lie on a slow share, are looked into when the store is free again.
    files = [file for draft in drafts for file in _copies(draft)]
    return _name(files, place, Taken(others))


def _pending(tables: View | Transaction) -> set[str]:
    """Where copies of signed documents are still to go."""
    pending = (*tables.documents.pending_exports(), *tables.attachments.pending_exports())
    return {file.output_path or "" for file in pending}


def _copies(draft: Draft) -> tuple[DraftFile | DraftAttachment, ...]:
    """All of which a copy goes beside the originals."""
    return (*draft.files, *draft.attachments)


def _name(files: Sequence[DraftFile | DraftAttachment], place: Place, taken: Taken) -> dict[str, str]:
    """File id → where its copy goes: under the original's name, with " (2)" and so on where that name is taken on the
    disk or by another copy that is still to be made.
    """
    outputs: dict[str, str] = {}
    for file in files:
        folder = place.folder(file)
        kept = Path(file.output) if file.output else None
        if kept is None or kept.parent != folder or not taken.has_free(kept):
            kept = next(path for path in _names(folder, Path(file.path).name) if taken.has_free(path))
        taken.take(kept)
        outputs[file.id] = str(kept)
    return outputs


def _names(folder: Path, name: str) -> Iterator[Path]:
    stem, suffix = Path(name).stem, Path(name).suffix
    yield folder / name
    number = 2
    while True:
        end = f" ({number}){suffix}"
        yield folder / f"{_short(stem, _LONGEST_NAME - _length(end))}{end}"
        number += 1


def _short(stem: str, longest: int) -> str:
    """The stem of a name, cut where the whole would be too long for the disk."""
    while _length(stem) > longest:
        stem = stem[:-1]
    return stem


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2 if os.name == "nt" else len(os.fsencode(text))


def _key(path: str) -> str:
    """What two places have in common that are one on some system, or look like one: Windows and macOS don't tell names
    by case, macOS and the eye don't tell ủ from u with two marks.
    """
    return unicodedata.normalize("NFC", path).casefold()
