"""Documents that came on paper: what the clerk types of each, entered under the next số đến; and giving a number up.

Main process, any thread; writes through the store. Numbers are given by the book alone.
"""

import datetime as dt
import unicodedata
from dataclasses import dataclass

from signer_app.registers.cells import IncomingField, checked
from signer_app.store.arrival_book import Arrival, ArrivalEntry
from signer_app.store.store import Transaction
from signer_app.workdays import day_in_vietnam
from signer_resources.errors import KnownError


@dataclass(frozen=True)
class PaperDocument:
    """What the clerk types of a paper; `arrived_on` None: today. Who sent it and what it is about are needed."""

    author: str
    title: str
    label: str = ""
    date: dt.date | None = None
    arrived_on: dt.date | None = None


def enter_paper(tx: Transaction, body_code: str, paper: PaperDocument, at: dt.datetime, operator: str) -> int:
    """Enters it; the number it got. KnownError "arrival_incomplete", "arrival_day_later", "register_cell_long"."""
    author = checked(IncomingField.AUTHOR, paper.author)
    title = checked(IncomingField.TITLE, paper.title)
    if not author or not title:
        raise KnownError("arrival_incomplete")
    entry = ArrivalEntry(
        author=author,
        label=unicodedata.normalize("NFC", checked(IncomingField.LABEL, paper.label)),
        doc_date=paper.date,
        subject=title,
        at=at,
        operator=operator,
    )
    return tx.arrivals.enter(body_code, paper.arrived_on or day_in_vietnam(at), entry)


def void_arrival(
    tx: Transaction, body_code: str, year: int, number: int, reason: str, at: dt.datetime, operator: str
) -> Arrival:
    """Gives a number up (Hủy số đến), with a reason; the line as it was.

    KnownError "arrival_number_unknown" for a number that isn't in use, "arrival_void_reason".
    """
    known = next((one for one in tx.arrivals.list(year, body_code) if one.number == number and not one.voided), None)
    if known is None:
        raise KnownError("arrival_number_unknown", number=number, year=year)
    tx.arrivals.void(known.id, reason, at, operator)
    return known
