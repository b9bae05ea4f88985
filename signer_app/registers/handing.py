"""What becomes of a number that a server's register has given: it is kept for its document, whose draft says it from
then on, or it is given up where that document can't have it any more.

Runs inside the transaction in which the number becomes known, so that none is ever lost between server and book. A
number that can't be used stays in the book with the reason.
"""

import datetime as dt

import msgspec

from signer_app.outgoing.numbers import day_of, owner_of, takes_number, value_of
from signer_app.store.leases import LeasedNumber, LeasedState
from signer_app.store.model import Draft
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import Sequences
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError
from signer_resources.messages import text


def hand_over(
    tx: Transaction, number: LeasedNumber, body_code: str, sequences: Sequences, now: dt.datetime, operator: str
) -> None:
    """Keeps the number for the draft that waits for it, and writes it there; else gives it up."""
    if number.state is LeasedState.VOIDED:
        _book_void(tx, number, body_code, sequences, now, operator)
        return
    draft = tx.drafts.with_blob(number.owner)
    if draft is None or owner_of(draft) != number.owner or not takes_number(draft):
        _give_up(tx, number, text("register_void_gone", "vi"))
        _book_void(tx, number, body_code, sequences, now, operator)
        return
    if draft.number and value_of(draft.number) != value_of(number.number or ""):
        _give_up(tx, number, text("register_void_typed", "vi"))
        _book_void(tx, number, body_code, sequences, now, operator)
        return
    try:
        tx.reservations.reserve(_wish(draft, number, body_code, sequences, now, operator), sequences)
    except KnownError as error:
        if error.code == "number_kept":
            _give_up(tx, number, text("register_void_typed", "vi"))
            _book_void(tx, number, body_code, sequences, now, operator)
        else:
            # The book on paper, or what was typed from it, has this number already: there it stays.
            _give_up(tx, number, text("register_void_taken", "vi"))
        return
    tx.drafts.put(msgspec.structs.replace(draft, number=number.number or ""))


def hand_again(
    tx: Transaction, number: LeasedNumber, body_code: str, sequences: Sequences, now: dt.datetime, operator: str
) -> None:
    """The draft that says its number no more gets it again. KnownError as `Reservations.reserve`, where the same file
    was signed under it before, say; the number stays as it is.
    """
    draft = tx.drafts.with_blob(number.owner)
    if draft is not None and owner_of(draft) == number.owner and not draft.number:
        tx.reservations.reserve(_wish(draft, number, body_code, sequences, now, operator), sequences)
        tx.drafts.put(msgspec.structs.replace(draft, number=number.number or ""))


def _wish(
    draft: Draft, number: LeasedNumber, body_code: str, sequences: Sequences, now: dt.datetime, operator: str
) -> Reservation:
    return Reservation.of(
        body_code,
        sequences,
        number.number or "",
        draft.notation or number.notation or "",
        day_of(draft, number.issued_date),
        owner=number.owner,
        name=draft.main.name,
        at=now,
        operator=operator,
    )


def _give_up(tx: Transaction, number: LeasedNumber, reason: str) -> None:
    """The server hears of it with what else it is told."""
    tx.leases.void(number.id, reason)


def _book_void(
    tx: Transaction, number: LeasedNumber, body_code: str, sequences: Sequences, now: dt.datetime, operator: str
) -> None:
    """Has the number stand in the book as given up, unless it stands there otherwise."""
    voided = tx.leases.number(number.id) or number
    wish = Reservation.of(
        body_code,
        sequences,
        number.number or "",
        number.notation or "",
        number.issued_date,
        # Whoever it was asked for may keep another number by now.
        owner=number.id,
        name="",
        at=now,
        operator=operator,
    )
    try:
        tx.reservations.reserve(wish, sequences)
    except KnownError:
        return
    tx.reservations.give_up(wish, voided.void_reason or text("register_void_gone", "vi"), now, operator)
