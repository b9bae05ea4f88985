"""Where copies of signed documents go: beside the originals, in a folder of the day, never over another file.

Main process, any thread; looks which names are taken, on the disk and by copies that are still to be made. Writes
nothing.
"""

import datetime as dt
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from signer_app.outgoing.model import Draft, DraftAttachment, DraftFile
from signer_app.store.store import Store, Transaction, View

SIGNED_FOLDER = "Đã ký"
"""Where signed copies go, beside the originals."""

F = TypeVar("F", DraftFile, DraftAttachment)


def with_outputs(tx: Transaction, files: Sequence[F], today: dt.date) -> tuple[F, ...]:
    """New files, each with where its copy goes if it is signed today."""
    outputs = _name(files, today, tx.drafts.outputs() | _pending(tx))
    return tuple(msgspec.structs.replace(file, output=outputs[file.id]) for file in files)


def outputs_of(store: Store, ids: Collection[str], today: dt.date) -> dict[str, str]:
    """File id → where its copy goes if it is signed today; for the drafts `ids`, beside all others."""
    wanted = frozenset(ids)
    with store.view() as view:
        drafts, taken = view.drafts.list(), _pending(view)
    # The folders, which may lie on a slow share, are looked into when the store is free again.
    taken |= {file.output for draft in drafts if draft.id not in wanted for file in _copies(draft)}
    return _name([file for draft in drafts if draft.id in wanted for file in _copies(draft)], today, taken)


def _pending(tables: View | Transaction) -> set[str]:
    """Where copies of signed documents are still to go."""
    pending = (*tables.documents.pending_exports(), *tables.attachments.pending_exports())
    return {file.output_path or "" for file in pending}


def _copies(draft: Draft) -> tuple[DraftFile | DraftAttachment, ...]:
    """All of which a copy goes beside the originals."""
    return (*draft.files, *draft.attachments)


def _name(files: Sequence[DraftFile | DraftAttachment], today: dt.date, taken: Collection[str]) -> dict[str, str]:
    """File id → where its copy goes: "Đã ký/YYYY-MM-DD" beside the original, under the same name; with " (2)"
    and so on where that name is taken on the disk or by another copy that is still to be made.
    """
    used = {path.casefold() for path in taken}
    outputs: dict[str, str] = {}
    for file in files:
        source = Path(file.path)
        folder = source.parent / SIGNED_FOLDER / today.isoformat()
        kept = Path(file.output) if file.output else None
        if kept is None or kept.parent != folder or not _free(kept, used):
            kept = next(path for path in _names(folder, source.name) if _free(path, used))
        used.add(str(kept).casefold())
        outputs[file.id] = str(kept)
    return outputs


def _names(folder: Path, name: str) -> Iterator[Path]:
    stem, suffix = Path(name).stem, Path(name).suffix
    yield folder / name
    number = 2
    while True:
        yield folder / f"{stem} ({number}){suffix}"
        number += 1


def _free(path: Path, used: Collection[str]) -> bool:
    # Windows and macOS don't tell names by case.
    return str(path).casefold() not in used and not os.path.lexists(path)
