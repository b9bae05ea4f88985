"""The review before the PIN: which pages are shown, what wants a look first, and what is said of each.

Pure values in and out; loads no Qt, reads no file. One cell is one page on which something will be drawn.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from signer_app.desk.signing_values import Planned
from signer_app.outgoing.model import DraftFile, Row
from signer_app.pdf.plan import SigningPlan
from signer_resources.errors import KnownError
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import Line
from signer_ui.presenters.outgoing_details import pages_of
from signer_ui.words import Words

_UNSURE = frozenset({"out_place_unsure", "place_unsure", "place_unsure_mark"})
"""What a row says of a place that is shown here as such."""


class Doubt(IntEnum):
    """Why a cell wants a look; the doubtful come first."""

    UNSURE = 0
    """The rule isn't sure of its place."""
    WARNED = 1
    """Something else was found that a person should know."""
    NONE = 2


@dataclass(frozen=True)
class Cell:
    """A page (from 0) of a document that will be signed; `plan` says what lands on it, `told` what was found."""

    draft: str
    file: str
    label: str
    blob: str
    page: int
    plan: SigningPlan | None
    doubt: Doubt
    told: tuple[KnownError, ...] = ()


def sends(documents: Sequence[Planned]) -> bool:
    """Whether signing them sends any."""
    return any(planned.job.leaves for planned in documents)


def cells(documents: Sequence[Planned], lines: Mapping[str, Line]) -> tuple[Cell, ...]:
    """All cells, the doubtful ones first, else in the order of signing."""
    found: list[Cell] = []
    for planned in documents:
        line = lines.get(planned.job.draft or "")
        if line is not None:
            found += _of_document(line.row, planned.label)
    return tuple(sorted(found, key=lambda cell: cell.doubt))


def _of_document(row: Row, label: str) -> list[Cell]:
    found: list[Cell] = []
    for file in row.draft.files:
        blob, plan = pages_of(row, file, before=False)
        told = tuple(KnownError(f.code, **f.params) for f in row.findings.get(file.id, ()) if f.code not in _UNSURE)
        for page in _pages(plan):
            unsure = plan is not None and any(not p.sure for p in plan.placements if p.page == page + 1)
            doubt = Doubt.UNSURE if unsure else Doubt.WARNED if told else Doubt.NONE
            found.append(Cell(row.draft.id, file.id, _label(row, file, label), blob, page, plan, doubt, told))
            # What concerns the whole file is told once.
            told = ()
    return found


def _pages(plan: SigningPlan | None) -> Sequence[int]:
    """The pages with a mark; the first one where nothing is drawn."""
    marked = sorted({placement.page - 1 for placement in plan.placements}) if plan is not None else []
    return marked or [0]


def _label(row: Row, file: DraftFile, label: str) -> str:
    return label if file.id == row.draft.main.id else file.name


def doubtful(found: Sequence[Cell], out: Collection[str] = ()) -> int:
    """How many documents want a look."""
    return len({cell.draft for cell in found if cell.doubt is not Doubt.NONE and cell.draft not in out})


def said(found: Sequence[Cell], out: Collection[str], words: Words) -> str:
    """The line below the title: what there is to look at, and what is left out."""
    some = doubtful(found)
    told = [words("ul_review_doubtful", count=count(some, words)) if some else words("ul_review_sure")]
    if out:
        told.append(words("ul_review_out", count=count(len(out), words)))
    return " ".join(told)


def below(cell: Cell, words: Words) -> str:
    """The second line of a cell: what is doubtful, else which page it is."""
    if cell.doubt is Doubt.UNSURE:
        return words("ul_cell_unsure")
    if cell.told:
        return words.explain(cell.told[0]).what
    if cell.doubt is Doubt.WARNED:
        return words("ul_cell_warned")
    return words("ul_cell_page", page=cell.page + 1)


def reasons(cell: Cell, words: Words) -> str:
    """All that is to be said of a cell, a line each."""
    told = [words("ul_cell_unsure")] if cell.doubt is Doubt.UNSURE else []
    for error in cell.told:
        explained = words.explain(error)
        told.append(" ".join(part for part in (explained.what, explained.do) if part))
    return "\n".join(told)


def name(cell: Cell, words: Words, *, out: bool) -> str:
    """A cell as a screen reader says it."""
    told = " ".join(part for part in (reasons(cell, words), words("ul_cell_out" if out else "ul_cell_in")) if part)
    return words("ul_cell_name", label=cell.label, page=cell.page + 1, told=told)
