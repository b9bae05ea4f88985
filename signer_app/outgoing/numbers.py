"""Numbers of outgoing documents: which come next in their sequences, which are taken, where one is missing.

Functions over drafts and what the store knows of issued, kept and given-up numbers; nothing is written. A sequence (sổ)
goes by body, year and notation, or register where the notation is in one (Decree 30/2020, article 15: numbers run
through the year).
"""

import datetime as dt
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from signer_app.signing.jobs import has_own_number, printed_number
from signer_app.signing.release import issues_number
from signer_app.store.documents import NumberUse
from signer_app.store.model import Document, Draft
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION, Register, Sequences
from signer_app.store.settings import Settings
from signer_app.store.store import View

Series = tuple[int, str]
"""Year and sequence (a register's name or a notation), in the form by which it is found."""


@dataclass(frozen=True)
class Taken:
    """What is known of numbers: the last of each sequence that is issued, kept or given up; of those that the drafts
    want the documents that have used them and the `kept` and given-up ones; of the drafts how many want which, and the
    values that they want in each sequence, rising.
    """

    last: Mapping[Series, int]
    used: Mapping[NumberUse, Document]
    wanted: Mapping[NumberUse, int]
    values: Mapping[Series, Sequence[int]]
    kept: Mapping[NumberUse, Reservation] = field(default_factory=dict)
    sequences: Sequences = BY_NOTATION

    @classmethod
    def of(
        cls,
        drafts: Iterable[Draft],
        today: dt.date,
        last: Mapping[Series, int],
        used: Mapping[NumberUse, Document],
        kept: Mapping[NumberUse, Reservation] | None = None,
        sequences: Sequences = BY_NOTATION,
    ) -> "Taken":
        """All numbers together."""
        uses = [use for draft in drafts if (use := use_of(draft, today, sequences)) is not None]
        values: dict[Series, set[int]] = {}
        for use in uses:
            values.setdefault((use.year, use.group), set()).add(value_of(use.number))
        rising = {key: sorted(found) for key, found in values.items()}
        return cls(last, used, Counter(uses), rising, kept or {}, sequences)

    def held_by_another(self, draft: Draft, today: dt.date) -> Reservation | None:
        """The number that the draft wants, where it is kept for another document or was given up."""
        use = use_of(draft, today, self.sequences)
        known = self.kept.get(use) if use is not None else None
        return known if known is not None and known.owner != owner_of(draft) else None

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
    return draft.date or (None if has_own_number(draft.profile) else draft.main.facts.date) or today


def taken(view: View, drafts: Sequence[Draft], today: dt.date, body: str | None, sequences: Sequences) -> Taken:
    """What the store knows of the numbers that these drafts of a body (code) want, and of their sequences."""
    if body is None:
        return Taken.of(drafts, today, {}, {}, sequences=sequences)
    last: dict[Series, int] = {}
    for year in {day_of(draft, today).year for draft in drafts}:
        for numbers in (view.documents.last_numbers(body, year), view.reservations.last_numbers(body, year)):
            for key, number in sequences.last(numbers).items():
                last[year, key] = max(last.get((year, key), 0), number)
    uses = [use for draft in drafts if (use := use_of(draft, today, sequences)) is not None]
    used = view.documents.find_numbers(body, uses, sequences)
    return Taken.of(drafts, today, last, used, view.reservations.find_numbers(body, uses, sequences), sequences)


def owner_of(draft: Draft) -> str:
    """For whom its number is kept: SHA-256 of its main file as it was opened, before any repair."""
    return draft.main.original or draft.main.blob


def takes_number(draft: Draft) -> bool:
    """Whether signing it issues a number."""
    return issues_number(draft.profile)


def use_of(draft: Draft, today: dt.date, sequences: Sequences = BY_NOTATION) -> NumberUse | None:
    """The number that the draft wants; None while it has none, or takes none."""
    if not (takes_number(draft) and draft.number and draft.notation):
        return None
    return NumberUse.of(day_of(draft, today).year, sequences.name(draft.notation), draft.number)


def sequence_of(draft: Draft, today: dt.date, sequences: Sequences = BY_NOTATION) -> Series | None:
    """The sequence that the draft's number belongs to; None while its notation isn't known, or it takes none."""
    if not (takes_number(draft) and draft.notation):
        return None
    return day_of(draft, today).year, sequences.key(draft.notation)


def keeps(draft: Draft, kept: Reservation, today: dt.date, sequences: Sequences) -> bool:
    """Whether the draft still wants the number that is kept for it."""
    return owner_of(draft) == kept.owner and use_of(draft, today, sequences) == kept.use


def dropped(kept: Iterable[Reservation], after: Draft | None, today: dt.date, settings: Settings) -> list[Reservation]:
    """Of the numbers that are kept for a draft those that it doesn't want any more as it is now; None: it is gone."""
    return [one for one in kept if after is None or not keeps(after, one, today, _sequences(one, settings))]


def _sequences(kept: Reservation, settings: Settings) -> Sequences:
    body = settings.body(kept.body_code)
    return body.sequences if body is not None else BY_NOTATION


def value_of(number: str) -> int:
    """12 of "12", "12a" and "12/2026"."""
    found = re.match(r"\d+", number)
    return int(found[0]) if found else 0


def proposals(drafts: Sequence[Draft], today: dt.date, taken: Taken) -> dict[str, str]:
    """Draft id → the number that comes next for it: urgent ones first, then as they stand; above all that is taken."""
    highest = {key: values[-1] for key, values in taken.values.items()}
    found: dict[str, str] = {}
    for draft in sorted(drafts, key=lambda draft: -draft.urgency):
        sequence = sequence_of(draft, today, taken.sequences)
        if draft.number or sequence is None or taken.sequences.on_server(draft.notation) is not None:
            # Of a register on a server only that one, or the machine that writes it, knows what comes next.
            continue
        highest[sequence] = max(highest.get(sequence, 0), taken.last.get(sequence, 0)) + 1
        found[draft.id] = printed_number(str(highest[sequence]))
    return found


def on_servers(drafts: Sequence[Draft], sequences: Sequences) -> dict[Register, list[Draft]]:
    """The drafts without a number that registers on a server number, in the order in which numbers are given."""
    found: dict[Register, list[Draft]] = {}
    for draft in sorted(drafts, key=lambda draft: -draft.urgency):
        register = None if draft.number or not takes_number(draft) else sequences.on_server(draft.notation)
        if register is not None:
            found.setdefault(register, []).append(draft)
    return found


def signing_order(draft: Draft) -> tuple[int, int, str, int]:
    """Hỏa tốc first, then by urgency, number and place."""
    return -draft.urgency, value_of(draft.number), draft.number, draft.position
