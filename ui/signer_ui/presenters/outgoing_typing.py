"""What is typed into the grid of outgoing documents, copied down or pasted, as changes of drafts; which rows it fills.

Pure values in and out; loads no Qt. A number is for one document alone, so it is never copied.
"""

import datetime as dt
import re
from collections.abc import Collection, Sequence

from signer_app.outgoing.model import Changes, Draft, Urgency
from signer_app.outgoing.reading import read_day, read_number
from signer_ui.presenters.outgoing import (
    DATE,
    KIND,
    NUMBER,
    RECEIVERS,
    SIGNER,
    SUBJECT,
    URGENCY,
    Line,
    urgency_words,
)
from signer_ui.presenters.outgoing_kinds import kind_named, kind_of
from signer_ui.words import Words

_DAY_AND_MONTH = re.compile(r"\s*\d{1,2}\s*[/.\-]\s*\d{1,2}\s*")


def typed(draft: Draft, column: str, text: str, today: dt.date, words: Words) -> Changes:
    """What a text typed into a cell of a draft changes; KnownError "out_…_unreadable" where it makes no sense.
    Receivers are looked up in the directory, which is done elsewhere.
    """
    if column == NUMBER:
        if not text:
            return Changes(number="")
        number, notation = read_number(text)
        return Changes(number=number) if notation is None else Changes(number=number, notation=notation)
    if column == DATE:
        if not text:
            return Changes(date=None)
        return Changes(date=read_day(f"{text}/{today.year}" if _DAY_AND_MONTH.fullmatch(text) else text))
    if column == URGENCY:
        return Changes(urgency=next(one for one in Urgency if urgency_words(one, words) == text))
    if column == KIND:
        return kind_named(text, words).changes(draft)
    if column == SUBJECT:
        return Changes(subject=_one_line(text))
    if column == SIGNER:
        return Changes(signer=_one_line(text))
    raise ValueError(f"{column} is not typed")


def copied_down(column: str, source: Line, targets: Sequence[Line]) -> dict[str, Changes]:
    """The value of a cell for other rows; a number is for one document alone, so it is never copied."""
    draft = source.draft
    if column == KIND:
        kind = kind_of(draft)
        return {line.id: kind.changes(line.draft) for line in targets if line.editable and line.id != source.id}
    changes = {
        DATE: Changes(date=draft.date),
        SUBJECT: Changes(subject=draft.subject),
        SIGNER: Changes(signer=draft.signer),
        RECEIVERS: Changes(receivers=draft.receivers),
        URGENCY: Changes(urgency=draft.urgency),
    }.get(column)
    if changes is None:
        return {}
    return {line.id: changes for line in targets if line.editable and line.id != source.id}


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def to_number(lines: Sequence[Line], chosen: Collection[str]) -> tuple[str, ...]:
    """Which rows get the next numbers: of several chosen ones those without a number, else all without one."""
    lacking = [
        line for line in lines if line.editable and (line.row.proposal or line.row.register) and not line.draft.number
    ]
    return tuple(line.id for line in lacking if len(chosen) < 2 or line.id in chosen)


def to_paste(shown: Sequence[str], chosen: Sequence[str], current: str | None) -> tuple[str, ...]:
    """The rows that a paste fills, in their order: several chosen ones, or all from the current one on."""
    if len(chosen) > 1:
        return tuple(chosen)
    return tuple(shown[shown.index(current) :]) if current in shown else tuple(shown)
