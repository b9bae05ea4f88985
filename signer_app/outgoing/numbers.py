"""Numbers of outgoing documents: which come next in their sequences, which are taken, where one is missing.

Pure functions over drafts and what the store knows of issued numbers. A sequence (sổ) goes by body, year and notation
(Decree 30/2020, article 15: numbers run through the year).
"""

import datetime as dt
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from signer_app.pdf.model import Profile
from signer_app.signing.jobs import printed_number
from signer_app.store.documents import NumberUse, sequence_key
from signer_app.store.model import Document, Draft

Series = tuple[int, str]
"""Year and notation, in the form by which a sequence is found."""


@dataclass(frozen=True)
class Taken:
    """What is known of numbers: of issued ones the last of each sequence and the documents of those that the drafts
    want; of the drafts how many want which, and the values that they want in each sequence, rising.
    """

    last: Mapping[Series, int]
    used: Mapping[NumberUse, Document]
    wanted: Mapping[NumberUse, int]
    values: Mapping[Series, Sequence[int]]

    @classmethod
    def of(
        cls,
        drafts: Iterable[Draft],
        today: dt.date,
        last: Mapping[Series, int],
        used: Mapping[NumberUse, Document],
    ) -> "Taken":
        """All numbers together."""
        uses = [use for draft in drafts if (use := use_of(draft, today)) is not None]
        values: dict[Series, set[int]] = {}
        for use in uses:
            values.setdefault((use.year, use.group), set()).add(value_of(use.number))
        return cls(last, used, Counter(uses), {key: sorted(found) for key, found in values.items()})

    def missing_before(self, use: NumberUse) -> int | None:
        """The number that should come instead of this one; None where it follows the others.

        Where this program has issued none of the sequence yet, the lowest draft begins it: the numbers before
        may stand in a book on paper.
        """
        sequence, value = (use.year, use.group), value_of(use.number)
        wanted, last = self.values.get(sequence, ()), self.last.get(sequence, 0)
        place = bisect_left(wanted, value)
        if value <= last or (last == 0 and place == 0):
            return None
        expected = max(last, wanted[place - 1] if place else 0) + 1
        return expected if value > expected else None


def day_of(draft: Draft, today: dt.date) -> dt.date:
    """The day of issue: as given, else as typed on the page, else today."""
    return draft.date or draft.main.facts.date or today


def takes_number(draft: Draft) -> bool:
    """Whether signing it issues a number."""
    return draft.profile is Profile.AGENCY


def use_of(draft: Draft, today: dt.date) -> NumberUse | None:
    """The number that the draft wants; None while it has none, or takes none."""
    if not (takes_number(draft) and draft.number and draft.notation):
        return None
    return NumberUse.of(day_of(draft, today).year, draft.notation, draft.number)


def sequence_of(draft: Draft, today: dt.date) -> Series | None:
    """The sequence that the draft's number belongs to; None while its notation isn't known, or it takes none."""
    if not (takes_number(draft) and draft.notation):
        return None
    return day_of(draft, today).year, sequence_key(draft.notation)


def value_of(number: str) -> int:
    """12 of "12", "12a" and "12/2026"."""
    found = re.match(r"\d+", number)
    return int(found[0]) if found else 0


def proposals(drafts: Sequence[Draft], today: dt.date, taken: Taken) -> dict[str, str]:
    """Draft id → the number that comes next for it: urgent ones first, then as they stand; above all that is taken."""
    highest = {key: values[-1] for key, values in taken.values.items()}
    found: dict[str, str] = {}
    for draft in sorted(drafts, key=lambda draft: -draft.urgency):
        sequence = sequence_of(draft, today)
        if draft.number or sequence is None:
            continue
        highest[sequence] = max(highest.get(sequence, 0), taken.last.get(sequence, 0)) + 1
        found[draft.id] = printed_number(str(highest[sequence]))
    return found


def signing_order(draft: Draft) -> tuple[int, int, str, int]:
    """Hỏa tốc first, then by urgency, number and place."""
    return -draft.urgency, value_of(draft.number), draft.number, draft.position
