"""The receivers of documents that wait to be signed, chosen in the dialogue: for the chosen rows, or for a cell whose
text nobody understands. Where the page says who gets it, the dialogue begins with its lines.

UI thread; drafts are changed on the quick lane. What goes on paper is kept with the draft, and is the document's once
it is signed.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from signer_app.outgoing.model import Changes
from signer_app.store.receivers import PaperReceiver
from signer_ui.panes import receivers_work as work
from signer_ui.panes.outgoing_bench import Bench
from signer_ui.panes.receivers_dialog import ReceiversDialog
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing import Line, subject_text
from signer_ui.presenters.outgoing_kinds import is_sent
from signer_ui.presenters.receivers import Choice
from signer_ui.tasks import Lane

_KEY = "F4"


class DraftReceivers:
    """`choose` is the entry of the menus; it has a key of its own."""

    def __init__(self, bench: Bench, parent: QWidget) -> None:
        self._bench, self._parent = bench, parent
        self.dialog: ReceiversDialog | None = None
        self.choose = QAction(bench.shell.words("uq_r_action"), parent)
        self.choose.setShortcut(QKeySequence(_KEY))
        self.choose.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.choose.triggered.connect(lambda _checked=False: self.ask())
        bench.grid.addAction(self.choose)

    def enable(self) -> None:
        """Whether one of the chosen rows has receivers that may still be changed."""
        self.choose.setEnabled(bool(self._lines()))

    def _lines(self) -> list[Line]:
        return [line for line in self._bench.changeable if is_sent(line.draft.profile)]

    def way(self, draft_id: str, text: str) -> tuple[str, Callable[[], None]]:
        """The button beside a complaint about a cell: the dialogue, with what was typed there."""
        return self._bench.shell.words("uq_r_choose"), lambda: self.ask(draft_id, text)

    def ask(self, draft_id: str | None = None, text: str = "") -> None:
        """Opens the dialogue for one row, or for the chosen ones; `text` was typed for it."""
        known = self._bench.lines()
        lines = self._lines() if draft_id is None else [known[draft_id]] if draft_id in known else []
        if not lines:
            return
        desk, first = self._bench.shell.desk, lines[0]
        self._bench.shell.tasks.run(
            self._parent,
            Lane.QUICK,
            lambda _control: (desk.receivers.paper(first.id), first.row.receivers.body or work.body_of(desk)),
            lambda told: self._open(lines, text, *told),
            failed=self._bench.notice.error,
        )

    def _open(self, lines: Sequence[Line], text: str, paper: Sequence[PaperReceiver], body: str) -> None:
        shell, words = self._bench.shell, self._bench.shell.words
        first = lines[0]
        title = words("uq_r_title_many", count=count(len(lines), words))
        if len(lines) == 1:
            title = words("uq_r_title", label=first.draft.label or subject_text(first.draft, words))
        by_page = first.row.receivers.page is not None and not text
        told = first.draft.main.facts.receivers if by_page else first.draft.receivers
        self.dialog = dialog = ReceiversDialog(shell, self._parent, title, body, told, paper=paper)
        if text:
            dialog.chooser.add_text(text)
        ids = [line.id for line in lines]

        def chosen(choice: Choice) -> None:
            if by_page and len(ids) == 1 and not dialog.chooser.touched:
                # Its lines are understood now: the page still says who gets it.
                shell.hub.poke_drafts()
            else:
                self._chosen(ids, choice)

        dialog.chosen.connect(chosen)
        self.dialog.finished.connect(lambda _result: self._closed())
        self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None
        self._bench.grid.setFocus()

    def _chosen(self, ids: Sequence[str], choice: Choice) -> None:
        desk, notice = self._bench.shell.desk, self._bench.notice
        notice.clear()

        def keep(_control: object) -> None:
            for draft_id in ids:
                desk.receivers.put_paper(draft_id, choice.paper)

        self._bench.shell.tasks.run(
            self._parent,
            Lane.QUICK,
            keep,
            lambda _none: self._bench.changing.edit({one: Changes(receivers=choice.codes) for one in ids}),
            failed=notice.error,
        )
