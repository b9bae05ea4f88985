"""What is typed, ticked and numbered in the grid of outgoing documents, and what is asked before a number is given up.

UI thread; drafts are changed on the quick lane. What makes no sense is told, and the cell says again what holds.
"""

from collections.abc import Callable

from signer_app.outgoing.model import Changes, CopyOrder, Row
from signer_resources.errors import KnownError
from signer_ui.panes.outgoing_bench import Bench
from signer_ui.panes.receivers_drafts import DraftReceivers
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import KIND, RECEIVERS
from signer_ui.presenters.outgoing_typing import to_number, typed
from signer_ui.tasks import Lane
from signer_ui.widgets.giving_up import GivingUp


class Filling:
    """`copied` is told of a draft whose kind is typed: if it becomes a copy, who ordered it is asked. `receivers` asks
    which bodies are meant, where nobody can tell.
    """

    def __init__(
        self, bench: Bench, giving_up: GivingUp, copied: Callable[[str], None], receivers: DraftReceivers
    ) -> None:
        self._bench, self._giving_up, self._copied, self._receivers = bench, giving_up, copied, receivers
        bench.grid.edited.connect(self.edited)
        bench.grid.ticked.connect(self._ticked)
        bench.card.copying.told.connect(self._copy_told)
        bench.changing.begun.connect(self._begun)
        bench.changing.reason_wanted.connect(self._reason_wanted)
        bench.changing.failed.connect(self._failed)

    def edited(self, draft_id: str, column: str, text: str) -> None:
        """A cell was left with this text."""
        bench, today = self._bench, self._bench.shell.desk.now().date()
        line = bench.lines().get(draft_id)
        if line is None:
            return
        if column == RECEIVERS:
            self._receivers_typed(draft_id, text)
            return
        try:
            changes = typed(line.draft, column, text, today, bench.shell.words)
        except KnownError as error:
            self._failed(error)
            return
        if column == KIND:
            self._copied(draft_id)
        bench.changing.edit({draft_id: changes})

    def _receivers_typed(self, draft_id: str, text: str) -> None:
        """Names are looked up in the directory; where nobody can tell who is meant, the choice is offered."""

        def refused(error: KnownError) -> None:
            self._bench.grid.forget_typed()
            self._bench.notice.error(error, self._receivers.way(draft_id, text))

        self._bench.changing.run(
            lambda outgoing: outgoing.edit(draft_id, Changes(receivers=outgoing.read_receivers(text))), refused=refused
        )

    def fill(self) -> None:
        """Gives the next numbers (Điền số tiếp theo)."""
        bench, words = self._bench, self._bench.shell.words
        ids = to_number(tuple(bench.lines().values()), bench.grid.chosen_ids)
        if not ids:
            bench.notice.tell(words("uo_fill_nothing"), role="notice-warn")
            return

        def filled(rows: tuple[Row, ...]) -> None:
            bench.notice.tell(words("uo_filled", count=count(len(rows), words)))

        def refused(error: KnownError) -> None:
            self._failed(error)
            # Some may have got theirs before.
            bench.shell.hub.poke_drafts()

        asked = any(line.row.register for line in bench.lines().values() if line.id in ids)
        # A server may have to be asked for them.
        lane = Lane.NETWORK if asked else Lane.QUICK
        bench.changing.run(lambda outgoing: outgoing.fill(ids), filled, refused, lane)

    def _ticked(self, ids: tuple[str, ...], ticked: bool) -> None:
        self._bench.changing.run(lambda outgoing: outgoing.tick(ids, ticked=ticked))

    def _copy_told(self, draft_id: str, order: CopyOrder) -> None:
        self._bench.changing.edit({draft_id: Changes(copy=order)})

    def _begun(self) -> None:
        self._bench.notice.clear()
        self._giving_up.put_away()

    def _reason_wanted(self, error: KnownError, do: Callable[[str], None]) -> None:
        """A number would be given up: nothing was changed so far."""
        self._bench.grid.forget_typed()
        self._giving_up.ask(error, do)

    def _failed(self, error: KnownError) -> None:
        self._bench.notice.error(error)
        self._bench.grid.forget_typed()
