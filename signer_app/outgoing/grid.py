"""The rows of the grid: each draft with all that is known of it now, and what numbers come next.

Main process, any thread; reads the database, the directory of organisations and the memory, writes nothing.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence

import msgspec

from signer_app.exchange.directory import Directory, load_directory
from signer_app.exchange.receivers import Resolution, resolve
from signer_app.exchange.replacing import place_of
from signer_app.outgoing import numbers
from signer_app.outgoing.checks import Ground
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import Draft, Row
from signer_app.outgoing.receivers import receivers_of
from signer_app.outgoing.rows import make_row
from signer_app.store.sequences import BY_NOTATION, Register, Sequences
from signer_app.store.settings import Exchange
from signer_app.store.store import View
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_resources.rules import RuleProfile


class Grid:
    """The rows of one workspace's drafts."""

    def __init__(self, space: Workspace, memory: Memory) -> None:
        self._space = space
        self._memory = memory

    def rows(self) -> tuple[Row, ...]:
        """All rows in the clerk's order, those of signed documents among them."""
        rows = self._memory.with_signing(self._unsigned(lambda _draft: True))
        return tuple(sorted(rows, key=lambda row: (row.draft.position, row.draft.id)))

    def rows_of(self, ids: Collection[str]) -> tuple[Row, ...]:
        """The rows of these drafts, whether they are being signed or not."""
        wanted = frozenset(ids)
        return self._unsigned(lambda draft: draft.id in wanted)

    def row(self, draft_id: str) -> Row:
        """The row of one draft; KnownError "out_gone"."""
        rows = self.rows_of([draft_id])
        if not rows:
            raise KnownError("out_gone")
        return rows[0]

    def _unsigned(self, wanted: Callable[[Draft], bool]) -> tuple[Row, ...]:
        with self._space.store.view() as view:
            drafts, ground = self._ground(view, wanted)
        proposals = self._proposals(drafts, ground)
        answers = self._memory.answers()
        return tuple(
            make_row(_with_receivers(draft, ground), ground, answers.get(draft.id), proposals.get(draft.id))
            for draft in drafts
            if wanted(draft)
        )

    def next_numbers(self, ids: Collection[str]) -> dict[str, str]:
        """Draft id → next number, for those of `ids` that lack one: urgent ones first, then as in the grid."""
        with self._space.store.view() as view:
            drafts, ground = self._ground(view, lambda _draft: False)
        wanted = frozenset(ids)
        return self._proposals([draft for draft in drafts if draft.id in wanted], ground)

    def on_servers(self, ids: Collection[str]) -> dict[Register, list[Draft]]:
        """Those of `ids` whose numbers a register on a server gives, in the order in which they are given."""
        with self._space.store.view() as view:
            return numbers.on_servers(view.drafts.some(ids), self._sequences(self.body_code()))

    def _proposals(self, drafts: Sequence[Draft], ground: Ground) -> dict[str, str]:
        """None where the province's own system numbers."""
        code = self.body_code()
        body = self._space.settings.body(code) if code is not None else None
        if body is not None and body.exchange is Exchange.EXTERNAL:
            return {}
        return numbers.proposals(drafts, ground.today, ground.taken)

    def directory(self) -> Directory:
        """The organisations as the servers last told them; the very same value while nothing has changed."""
        return load_directory(self._space.folder.cache)

    def today(self) -> dt.date:
        """The day by which everything here is looked at."""
        return self._space.now().date()

    def rules(self) -> RuleProfile:
        """The rules of today."""
        return rules.load(self.today())

    def understand(self, lines: Sequence[str]) -> Resolution:
        """What typed lines of Nơi nhận mean, to the body of the token or the only one."""
        with self._space.store.view() as view:
            return resolve(view, self.body_code() or "", lines, candidates=False)

    def _ground(self, view: View, wanted: Callable[[Draft], bool]) -> tuple[tuple[Draft, ...], Ground]:
        """All drafts, and what the checks look at beside each that is wanted."""
        drafts, today, body = view.drafts.list(), self.today(), self.body_code()
        taken = numbers.taken(view, drafts, today, body, self._sequences(body))
        asked = (draft for draft in drafts if wanted(draft))
        receivers = receivers_of(view, self._space.settings, asked, body, today)
        again_refused = {draft.id: error for draft in drafts if (error := _why_not_again(view, draft)) is not None}
        issued = view.drafts.issued_before()
        return drafts, Ground(today, taken, issued, receivers, rules.load(today), again_refused)

    def body_code(self) -> str | None:
        """Under which code numbers are taken: the body of the certificate looked through last, else the only one."""
        chosen = self._memory.chosen
        if chosen is not None:
            return chosen.body_code
        bodies = self._space.settings.bodies
        return bodies[0].code if len(bodies) == 1 else None

    def _sequences(self, body: str | None) -> Sequences:
        known = self._space.settings.body(body) if body is not None else None
        return known.sequences if known is not None else BY_NOTATION


def _with_receivers(draft: Draft, ground: Ground) -> Draft:
    """The draft with the receivers that its page means, where the clerk named none."""
    return msgspec.structs.replace(draft, receivers=ground.receivers_of(draft).codes)


def _why_not_again(view: View, draft: Draft) -> KnownError | None:
    """Why a draft can't take the place of a signed or a sent document any more; None for one that can, or is to take
    none's.
    """
    try:
        if draft.replaces is not None:
            view.replacing.require_replaceable(draft.replaces)
        if draft.instead is not None:
            place_of(view, draft.instead, None)
    except KnownError as error:
        return error
    return None
