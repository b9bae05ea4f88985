"""Giving a number up (Bỏ số): by the clerk alone, with a reason, for good.

Main process, inside the transactions that are handed in. The number stays in the book with its reason (Decree 30/2020,
article 15: numbers run on, and each is used once); the journal has a line of it. Nothing here gives a number up by
itself.
"""

import datetime as dt
from collections.abc import Iterable

from signer_app.store.model import JournalAction, TokenUse
from signer_app.store.reservations import Reservation
from signer_app.store.store import Transaction
from signer_app.workspace import operator_name
from signer_resources.errors import KnownError


def let_go(tx: Transaction, kept: Iterable[Reservation], reason: str | None, now: dt.datetime) -> None:
    """Gives up numbers (Bỏ số), each with a line in the journal; KnownError "out_number_kept" without a reason."""
    for number in kept:
        if not (reason and reason.strip()):
            raise KnownError("out_number_kept", number=number.label)
        tx.reservations.give_up(number, reason, now, operator_name())
        if number.owner is not None:
            # A register on a server hears of it with what else it is told.
            tx.leases.give_up_for(number.owner, number.shown, reason.strip())
        tx.journal.append(_given_up(number), now)


def _given_up(number: Reservation) -> TokenUse:
    return TokenUse(
        action=JournalAction.NUMBER_GIVEN_UP,
        operator=operator_name(),
        certificate_sha256=None,
        token_serial=None,
        result="ok",
        number=number.label,
    )
