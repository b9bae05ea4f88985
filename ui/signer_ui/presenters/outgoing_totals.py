"""What all rows of the grid of outgoing documents come to together: how many stand how, which are ticked, which kinds.

Pure values in and out; loads no Qt. Made once where the rows are read, then brought up to date by those that changed:
nobody goes through ten thousand rows on the UI thread.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from signer_app.outgoing.model import Profile, State
from signer_app.store.model import Urgency
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import Line, ticked
from signer_ui.presenters.outgoing_kinds import is_sent
from signer_ui.words import Words

_COUNTED = (
    State.READY, State.WARNING, State.REFUSED, State.NEEDS_NUMBER, State.CHECKING, State.SIGNING, State.SIGNED,
)  # fmt: skip


@dataclass(frozen=True)
class Totals:
    """All counts are of rows. `wanted` are those that the one button would sign; `flash` are those, ticked or not, that
    could go before all others (hỏa tốc); both by id of the draft.
    """

    states: Counter[State] = field(default_factory=Counter)
    kinds: Counter[Profile] = field(default_factory=Counter)
    editable: Counter[Profile] = field(default_factory=Counter)
    """Kinds of what may still be changed."""
    signing: Counter[Profile] = field(default_factory=Counter)
    """Kinds of what is wanted."""
    leaving: int = 0
    """Of what is wanted so many are given to be sent."""
    boxed: int = 0
    """So many can be ticked."""
    received: int = 0
    """So many have a receipt."""
    wanted: Mapping[str, Line] = field(default_factory=dict)
    flash: Mapping[str, Line] = field(default_factory=dict)

    @staticmethod
    def of(lines: Iterable[Line]) -> "Totals":
        """Of these rows."""
        sums = _Sums(Totals())
        for line in lines:
            sums.add(line)
        return sums.result()

    def replaced(self, pairs: Iterable[tuple[Line, Line]]) -> "Totals":
        """With other contents for some rows: each as it was, and as it is."""
        sums = _Sums(self)
        for before, after in pairs:
            sums.add(before, -1)
            sums.add(after)
        return sums.result()

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.states.total()

    @property
    def kinds_differ(self) -> bool:
        """Whether how a document is signed has to be said: a day's letters are all sealed, and the room is wanted."""
        return self.kinds[Profile.AGENCY] < self.count

    def summary(self, words: Words) -> str:
        """Wording 8, with what else there is; empty without rows."""
        if not self.count:
            return ""
        told = [words(f"uo_count_{one}", count=count(self.states[one], words)) for one in _COUNTED if self.states[one]]
        return words("uo_summary", counts=" · ".join(told))

    def hurried(self, chosen: Sequence[Line]) -> tuple[Line, ...]:
        """What could be signed before all that waits in a batch: hỏa tốc, ready; of the chosen rows, else of the
        ticked.
        """
        if not self.flash:
            return ()
        ids = {line.id for line in chosen}
        able = self.flash.values()
        return tuple(line for line in able if line.id in ids) or tuple(line for line in able if line.draft.ticked)


class _Sums:
    """Counts that are being made."""

    def __init__(self, start: Totals) -> None:
        self._states, self._kinds = Counter(start.states), Counter(start.kinds)
        self._editable, self._signing = Counter(start.editable), Counter(start.signing)
        self._leaving, self._boxed, self._received = start.leaving, start.boxed, start.received
        self._wanted, self._flash = dict(start.wanted), dict(start.flash)

    def add(self, line: Line, times: int = 1) -> None:
        """One row more; `times` -1: less."""
        row, draft = line.row, line.draft
        self._states[row.state] += times
        self._kinds[draft.profile] += times
        self._editable[draft.profile] += times * line.editable
        self._boxed += times * (ticked(line) is not None)
        self._received += times * (line.packet is not None and line.packet.accepted_at is not None)
        wanted = row.signable and draft.ticked
        self._signing[draft.profile] += times * wanted
        self._leaving += times * (wanted and leaves(line))
        _keep(self._wanted, line, times, wanted)
        _keep(self._flash, line, times, row.signable and draft.urgency >= Urgency.HOA_TOC)

    def result(self) -> Totals:
        """What it comes to; kinds of which there is none are left out."""
        return Totals(
            states=+self._states,
            kinds=+self._kinds,
            editable=+self._editable,
            signing=+self._signing,
            leaving=self._leaving,
            boxed=self._boxed,
            received=self._received,
            wanted=self._wanted,
            flash=self._flash,
        )


def _keep(kept: dict[str, Line], line: Line, times: int, wanted: bool) -> None:
    if wanted and times > 0:
        kept[line.id] = line
    elif wanted:
        kept.pop(line.id, None)


def leaves(line: Line) -> bool:
    """Whether it is given to be sent: a copy without a number of its own is kept, and what has receivers of whom nobody
    knows who they are.
    """
    draft = line.draft
    if line.row.receivers.asked:
        return False
    return bool(draft.receivers) and is_sent(draft.profile) and (draft.profile is Profile.AGENCY or bool(draft.number))
