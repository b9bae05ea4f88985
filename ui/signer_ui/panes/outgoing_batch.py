"""What belongs to a batch in the pane of outgoing documents: review, what is done while it is signed, result, rest.

UI thread. The flow asks, signs and tells; here its wishes become pages in place of the list, and the chosen rows become
what is skipped or hurried.
"""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from signer_app.desk.signing_values import BatchSummary, Ready
from signer_app.outgoing.model import State
from signer_resources.errors import KnownError
from signer_ui.panes.outgoing_bench import Bench
from signer_ui.panes.outgoing_report import ReportPage
from signer_ui.panes.outgoing_rest import RestQuestion
from signer_ui.panes.outgoing_review import ReviewPage
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import Line
from signer_ui.presenters.review import Cell, cells, doubtful, sends
from signer_ui.signing_flow import SigningFlow
from signer_ui.signing_look import Review
from signer_ui.tasks import Control, Lane


class BatchSide(QObject):
    """Its pages stand in the stack of the pane; `front` is the one that is wanted there now."""

    front_changed = Signal()
    page_wanted = Signal(str, str, int)
    """Draft, file, page (from 0): to be seen large beside the list."""
    changed = Signal()
    """Rows may stand otherwise than before."""

    def __init__(self, bench: Bench, flow: SigningFlow, images: Callable[[], Mapping[str, bytes]]) -> None:
        super().__init__(flow)
        self._bench, self._flow, self._images = bench, flow, images
        self.front: QWidget | None = None
        self.review = ReviewPage(bench.shell)
        self.report = ReportPage(bench.shell)
        self.rest = RestQuestion(bench.shell)
        """Has its own place, below the list."""
        self.give_up = QAction(bench.shell.words("ul_rest_menu"), self)
        self.give_up.triggered.connect(lambda _checked=False: self._give_up_stopped())
        self.offer_rest()
        flow.reviews = True
        flow.review_wanted.connect(self._review)
        flow.reviewed.connect(self._reviewed)
        flow.report_wanted.connect(self._show_report)
        flow.line.skip_wanted.connect(self._skip)
        flow.line.urgent_wanted.connect(self._hurry)
        self.review.go_wanted.connect(self._go)
        self.review.back_wanted.connect(self._back)
        self.review.page_wanted.connect(self._to_page)
        self.report.closed.connect(self.close_report)
        flow.giving_up_wanted.connect(self.rest.ask)
        flow.running_changed.connect(self._no_question)
        self.rest.given_up.connect(self._given_up)
        self.rest.failed.connect(bench.notice.error)

    # ---- before the PIN --------------------------------------------------------------------------------------------

    def _review(self, ready: Ready, review: Review) -> None:
        lines, bench = dict(self._bench.lines()), self._bench

        def found(shown: tuple[Cell, ...]) -> None:
            if self._flow.reviewing is not ready:
                # The window is being closed.
                return
            if not shown or (review is not Review.WANTED and not doubtful(shown)):
                self._flow.pass_over()
                return
            self._come_forward(self.review)
            self.review.put(shown, self._images(), sends=sends(ready.documents))

        bench.shell.tasks.run(self, Lane.QUICK, lambda _control: cells(ready.documents, lines), found)

    def _reviewed(self) -> None:
        if self.front is self.review:
            self._come_forward(None)
        self.review.clear()

    def go(self) -> bool:
        """The key that signs goes on from the review; False where there is none."""
        if self.front is not self.review:
            return False
        self._go()
        return True

    def _go(self) -> None:
        if self.review.go.isEnabled():
            out = self.review.out
            self._leave_out(out)
            self._flow.proceed(out)

    def _back(self) -> None:
        self._leave_out(self.review.out)
        self._flow.leave()

    def _to_page(self, cell: Cell) -> None:
        self._back()
        self.page_wanted.emit(cell.draft, cell.file, cell.page)

    def _leave_out(self, drafts: frozenset[str]) -> None:
        """What is left out isn't ticked any more, so that the next press leaves it out as well."""
        if drafts:
            self._bench.changing.run(lambda outgoing: outgoing.tick(drafts, ticked=False))

    # ---- while it is signed ----------------------------------------------------------------------------------------

    def offer(self, chosen: Sequence[Line]) -> None:
        """What can be done with these rows now."""
        if not self._flow.stoppable:
            return
        skip = any(line.row.state is State.SIGNING for line in chosen)
        self._flow.line.offer(skip=skip, urgent=len(self._bench.totals().hurried(chosen)))

    def _skip(self) -> None:
        shell = self._bench.shell
        drafts = [line.id for line in self._bench.chosen if line.row.state is State.SIGNING]
        shell.desk.signing.skip(drafts)
        self._bench.notice.tell(shell.words("ul_skip_asked", count=count(len(drafts), shell.words)))

    def _hurry(self) -> None:
        bench, desk = self._bench, self._bench.shell.desk
        lines = bench.totals().hurried(bench.chosen)
        wanted = [(line.id, line.draft.label or line.draft.main.name) for line in lines]

        def jump_in(_control: Control) -> tuple[list[str], KnownError | None]:
            """Those that are in, and why the first of the others is not."""
            inside, refusal = [], None
            for draft, label in wanted:
                try:
                    desk.signing.jump_in(draft)
                    inside.append(label)
                except KnownError as error:
                    refusal = refusal or error
            return inside, refusal

        bench.shell.tasks.run(self, Lane.DOCUMENTS, jump_in, self._hurried)

    def _hurried(self, done: tuple[list[str], KnownError | None]) -> None:
        """What was refused is said last and stays: the rows tell of the others."""
        inside, refusal = done
        if refusal is not None:
            self._bench.notice.error(refusal)
        elif inside:
            self._bench.notice.tell(self._bench.shell.words("ul_urgent_in", label=", ".join(inside)))
        self.changed.emit()

    # ---- afterwards ------------------------------------------------------------------------------------------------

    def _show_report(self, summary: BatchSummary) -> None:
        self._come_forward(self.report)
        self.report.put(summary)

    def close_report(self) -> None:
        """Back to the list."""
        if self.front is self.report:
            self._come_forward(None)

    def offer_rest(self) -> None:
        """Whether there is a batch to go on with, and so a rest to give up."""
        self.give_up.setEnabled(self._stopped is not None and not self._flow.running)

    @property
    def _stopped(self) -> str | None:
        """The batch that *Ký tiếp* goes on with."""
        today = self._bench.shell.hub.today
        return today.stopped[0].id if today is not None and today.stopped else None

    def _give_up_stopped(self) -> None:
        if self._stopped is not None:
            self.rest.ask(self._stopped)

    def _no_question(self, running: bool) -> None:
        """What is gone on with is not given up meanwhile."""
        self.offer_rest()
        if running:
            self.rest.put_away()

    def _given_up(self, files: int) -> None:
        words = self._bench.shell.words
        self._flow.notice.clear()
        self._bench.notice.tell(words("ul_rest_done", count=count(files, words)), why=words("ul_rest_done_why"))
        self._bench.shell.hub.poke_store()
        self.changed.emit()

    def _come_forward(self, page: QWidget | None) -> None:
        self.front = page
        self.front_changed.emit()
