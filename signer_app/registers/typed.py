"""A number that a clerk takes from the book on paper and types: is it one, is it free, does it follow the others?

Reads a view of the store; any thread. Never proposes a number: where the register is kept elsewhere and can't be asked,
only the clerk knows which comes next.
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from signer_app.outgoing.numbers import value_of
from signer_app.signing.jobs import printed_number
from signer_app.store.reservations import refusal_of
from signer_app.store.sequences import BY_NOTATION, Sequences, sequence_key
from signer_app.store.store import View
from signer_resources.errors import KnownError

_FORM = re.compile(r"[0-9]{1,7}[a-zđ]?\Z")


@dataclass(frozen=True)
class TypedNumber:
    """A number that may be used. `number` is as it is printed. `gap_from`: the first of the numbers before it that are
    unknown here (None: it follows); `last`: the highest that is known, 0 for none.
    """

    number: str
    notation: str
    last: int
    gap_from: int | None

    @property
    def gap_to(self) -> int | None:
        """The last of the unknown numbers."""
        return None if self.gap_from is None else value_of(self.number) - 1


def check_typed(
    view: View,
    body_code: str,
    notation: str,
    typed: str,
    day: dt.date,
    sequences: Sequences = BY_NOTATION,
    owner: str | None = None,
) -> TypedNumber:
    """What the number says; `owner` is the document (as in a reservation) that may have it kept already.

    KnownError "typed_number_form", "number_used", "number_reserved", "number_given_up".
    """
    number = unicodedata.normalize("NFC", typed).strip().casefold()
    if not _FORM.match(number) or value_of(number) == 0:
        raise KnownError("typed_number_form", number=typed.strip())
    printed = printed_number(number.lstrip("0"))
    view.documents.check_number(body_code, day, notation, printed, sequences)
    kept = view.reservations.find(body_code, day.year, notation, printed, sequences)
    if kept is not None and (kept.given_up or kept.owner != owner):
        raise refusal_of(kept)
    key = sequences.key(notation)
    last = max(
        sequences.last(numbers).get(key, numbers.get(sequence_key(notation), 0))
        for numbers in (
            view.documents.last_numbers(body_code, day.year),
            view.reservations.last_numbers(body_code, day.year),
        )
    )
    follows = value_of(printed) <= last + 1
    return TypedNumber(printed, notation, last, None if follows else last + 1)
