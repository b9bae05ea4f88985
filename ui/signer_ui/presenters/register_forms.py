"""What is typed into the forms of the registers: a document that came on paper, the days of a report.

Pure values in and out; loads no Qt.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from signer_app.registers.cells import typed_date
from signer_app.registers.paper_entries import PaperDocument
from signer_app.registers.rights import Standing
from signer_app.registers.typed import TypedNumber
from signer_app.store.times import vietnamese_date
from signer_ui.presenters.figures import count
from signer_ui.words import Words


class PaperField(StrEnum):
    """The fields of the form for paper."""

    ARRIVED = "arrived"
    AUTHOR = "author"
    LABEL = "label"
    DATE = "date"
    TITLE = "title"


def paper_problems(texts: dict[PaperField, str], today: dt.date) -> dict[PaperField, str]:
    """What is wrong, as keys of the catalogue by field."""
    found = {field: "ur_paper_missing" for field in (PaperField.AUTHOR, PaperField.TITLE) if not texts[field].strip()}
    for field in (PaperField.ARRIVED, PaperField.DATE):
        typed = texts[field].strip()
        if typed and typed_date(typed) is None:
            found[field] = "ur_date_wrong"
        elif field is PaperField.ARRIVED and typed and (typed_date(typed) or today) > today:
            found[field] = "ur_date_later"
    return found


def paper_of(texts: dict[PaperField, str]) -> PaperDocument:
    """What a form without problems says."""
    return PaperDocument(
        author=texts[PaperField.AUTHOR].strip(),
        title=texts[PaperField.TITLE].strip(),
        label=texts[PaperField.LABEL].strip(),
        date=typed_date(texts[PaperField.DATE]),
        arrived_on=typed_date(texts[PaperField.ARRIVED]),
    )


class Period(StrEnum):
    """Periods that reports are made on."""

    WEEK = "week"
    MONTH = "month"
    LAST_MONTH = "last_month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True)
class Days:
    """From a first to a last day."""

    first: dt.date
    last: dt.date


def days_of(period: Period, today: dt.date) -> Days:
    """The days of a period, up to its end even where that is still to come."""
    if period is Period.WEEK:
        monday = today - dt.timedelta(days=today.weekday())
        return Days(monday, monday + dt.timedelta(days=6))
    if period is Period.YEAR:
        return Days(today.replace(month=1, day=1), today.replace(month=12, day=31))
    if period is Period.QUARTER:
        first = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
        return Days(first, _next_month(_next_month(_next_month(first))) - dt.timedelta(days=1))
    first = today.replace(day=1)
    if period is Period.LAST_MONTH:
        last = first - dt.timedelta(days=1)
        return Days(last.replace(day=1), last)
    return Days(first, _next_month(first) - dt.timedelta(days=1))


def typed_days(first: str, last: str) -> Days | None:
    """The days as typed; None where one is no day, or the last comes before the first."""
    begins, ends = typed_date(first), typed_date(last)
    return Days(begins, ends) if begins is not None and ends is not None and begins <= ends else None


def typed_number_told(number: TypedNumber, words: Words) -> str:
    """What is known of a number from the book on paper that may be used."""
    label = f"{number.number}/{number.notation}"
    if number.gap_from is None:
        return words("ur_typed_follows", label=label)
    first, last = number.gap_from, number.gap_to
    missing = str(first) if first == last else f"{first}–{last}"
    return words("ur_typed_gap", label=label, missing=missing)


def right_told(standing: Standing, words: Words) -> str:
    """Who gives the numbers of a register on a server, and what of that is still to come."""
    until = vietnamese_date(standing.until) if standing.until is not None else ""
    told = [words(f"ur_right_{standing.right.value}", register=standing.name, until=until)]
    if standing.waiting:
        told.append(words("ur_right_waiting", count=count(standing.waiting, words)))
    if standing.untold:
        told.append(words("ur_right_untold", count=count(standing.untold, words)))
    if standing.differing:
        labels = ", ".join(one.label for one in standing.differing)
        told.append(words("ur_right_differs", labels=labels))
    return " ".join(told)


def _next_month(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=31)).replace(day=1)
