"""Pasting from a spreadsheet: says in place what would change, asks once, and pastes.

UI thread; cells are read and drafts changed on the quick lane.
"""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtGui import QGuiApplication

from signer_app.outgoing.paste import Pasted, PasteResult
from signer_ui.panes.outgoing_bench import Bench
from signer_ui.presenters import outgoing as says
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing_news import is_one_cell, paste_view
from signer_ui.presenters.outgoing_typing import to_paste
from signer_ui.tasks import Lane

_TYPED = frozenset({says.NUMBER, says.DATE, says.SUBJECT, says.SIGNER, says.RECEIVERS})
"""Columns whose cells take a single value as if it were typed."""


class Pasting:
    """What *Dán danh sách số* and Ctrl+V do; `typed` takes a value for a single cell: row, column, text."""

    def __init__(self, bench: Bench, typed: Callable[[str, str, str], None]) -> None:
        self._bench = bench
        self._typed = typed

    def paste_clipboard(self) -> None:
        """Pastes what was copied, from the current row on."""
        text = QGuiApplication.clipboard().text()
        if text.strip():
            self._ask(text, self._bench.grid.current_id)
        else:
            self._bench.notice.tell(self._bench.shell.words("uo_paste_empty"), role="notice-warn")

    def paste_at(self, text: str, draft_id: str, column: str) -> None:
        """Pastes where the cursor is: one value into its cell, several as a list from its row on."""
        line = self._bench.lines().get(draft_id)
        if line is not None and line.editable and is_one_cell(text) and column in _TYPED:
            self._typed(draft_id, column, text.strip())
        else:
            self._ask(text, draft_id or None)

    def _ask(self, text: str, current: str | None) -> None:
        bench, lines = self._bench, self._bench.lines()
        shown = [key for key in bench.grid.shown_ids if key in lines and lines[key].editable]
        ids = to_paste(shown, [line.id for line in bench.changeable], current)
        outgoing = bench.shell.desk.outgoing
        bench.shell.tasks.run(
            bench.grid,
            Lane.QUICK,
            lambda _control: outgoing.read_cells(text),
            lambda pasted: self._ask_about(pasted, ids, text),
            failed=bench.notice.error,
        )

    def _ask_about(self, pasted: Pasted, ids: Sequence[str], text: str) -> None:
        words, notice = self._bench.shell.words, self._bench.notice
        view = paste_view(pasted, len(ids), words)
        if not view.possible:
            notice.tell(view.question, why=view.problems, role="notice-bad")
            return
        yes = (words("uo_paste_yes"), partial(self._paste, ids, text))
        no = (words("uo_paste_no"), self._dont)
        notice.tell(view.question, yes, no, why=view.problems, role="notice-warn", question=True)
        notice.focus_action()

    def _paste(self, ids: Sequence[str], text: str) -> None:
        bench, words = self._bench, self._bench.shell.words
        bench.grid.setFocus()

        def pasted(result: PasteResult) -> None:
            bench.notice.tell(words("uo_pasted", count=count(len(result.changed), words)))

        bench.changing.run(lambda outgoing: outgoing.paste(ids, text), pasted)

    def _dont(self) -> None:
        self._bench.notice.clear()
        self._bench.grid.setFocus()
