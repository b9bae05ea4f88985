"""The result of a batch on the screen: a line for each document, and how many stand how.

Pure values in and out; loads no Qt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.desk.signing_values import BatchSummary, DocumentOutcome
from signer_app.store.model import FileState
from signer_ui.presenters.figures import count
from signer_ui.presenters.grid import Column, Shade
from signer_ui.words import Words

_SHADES = {
    FileState.SIGNED: Shade.GOOD,
    FileState.REFUSED: Shade.BAD,
    FileState.FAILED: Shade.BAD,
    FileState.SKIPPED: Shade.MUTED,
    FileState.PENDING: Shade.WARN,
}
_ORDER = (FileState.FAILED, FileState.REFUSED, FileState.PENDING, FileState.SKIPPED, FileState.SIGNED)
"""What wants a person comes first."""


@dataclass(frozen=True)
class ReportLine:
    """A document of the batch, and its place in it."""

    place: int
    outcome: DocumentOutcome

    @property
    def id(self) -> str:
        """What tells it from the others."""
        return str(self.place)


def report_lines(summary: BatchSummary) -> tuple[ReportLine, ...]:
    """All documents: what is not signed first, else in their order."""
    lines = [ReportLine(place, outcome) for place, outcome in enumerate(summary.outcomes)]
    return tuple(sorted(lines, key=lambda line: _ORDER.index(line.outcome.state)))


def columns(words: Words) -> tuple[Column[ReportLine], ...]:
    """What the list shows."""
    return (
        Column("ul_col_document", lambda line: line.outcome.label, 14),
        Column(
            "ul_col_result",
            lambda line: words(f"ul_state_{line.outcome.state}"),
            8,
            sort=lambda line: _ORDER.index(line.outcome.state),
            shade=lambda line: _SHADES[line.outcome.state],
            dot=True,
        ),
        Column("ul_col_level", lambda line: (line.outcome.level or "").upper(), 4),
        Column(
            "ul_col_reason",
            lambda line: reason(line.outcome, words),
            20,
            stretch=True,
            tip=lambda line: reason(line.outcome, words),
        ),
    )


def reason(outcome: DocumentOutcome, words: Words) -> str:
    """Why it is not signed, or what is to be known although it is."""
    if outcome.error is None:
        return ""
    told = words.explain(outcome.error)
    return " ".join(part for part in (told.what, told.why, told.do) if part)


def title(outcomes: Sequence[DocumentOutcome], words: Words) -> str:
    """How many stand how."""
    often = Counter(outcome.state for outcome in outcomes)
    counts = [
        words(f"ul_count_{state}", count=count(often[state], words)) for state in reversed(_ORDER) if often[state]
    ]
    return words("ul_report_title", counts=" · ".join(counts))
