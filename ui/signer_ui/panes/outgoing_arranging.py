"""What can be done with the chosen documents: merged, taken apart, given another kind, filled down, removed.

UI thread; holds the actions of menus and keys, and says which of them can be used now. Drafts are changed on the quick
lane; the original files are never touched.
"""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from signer_ui.panes import outgoing_work as work
from signer_ui.panes.outgoing_bench import Bench
from signer_ui.presenters.figures import count
from signer_ui.presenters.outgoing_kinds import KINDS, Kind, kinds_of, menu_text
from signer_ui.presenters.outgoing_typing import copied_down


class Arranging:
    """The actions, and what they do. `add_back` takes paths that were removed and are wanted again; `copied` is told of
    the draft in view when it has become a copy.
    """

    def __init__(
        self,
        bench: Bench,
        add_back: Callable[[list[str]], None],
        copied: Callable[[str], None],
        parent: QWidget,
    ) -> None:
        self._bench = bench
        self._copied = copied
        self._add_back = add_back
        self._parent = parent
        self.merge = self._action("uo_merge", self._merge)
        self.split = self._action("uo_split", self._split)
        self.fill_down = self._action("uo_fill_down", self._fill_down)
        self.remove = self._action("uo_remove", self._remove, QKeySequence.StandardKey.Delete)
        self.kinds = QActionGroup(parent)
        for kind in KINDS:
            action = self._action_of(menu_text(kind, bench.shell.words), partial(self._set_kind, kind))
            action.setCheckable(True)
            action.setData(kind)
            self.kinds.addAction(action)
        bench.grid.addActions([self.merge, self.split, self.fill_down, self.remove])
        bench.card.files.main_wanted.connect(self._make_main)
        bench.card.files.split_wanted.connect(self._split_file)
        bench.card.files.order_wanted.connect(self._order_files)

    def enable(self) -> None:
        """Lets be used what can be used with the rows chosen now."""
        changeable, current = self._bench.changeable, self._bench.current
        self.merge.setEnabled(len(changeable) > 1)
        self.split.setEnabled(current is not None and current.editable and len(current.draft.files) > 1)
        self.fill_down.setEnabled(len(changeable) > 1)
        self.remove.setEnabled(bool(changeable))
        self.kinds.setEnabled(bool(changeable))
        kinds = kinds_of(line.draft for line in changeable)
        for action in self.kinds.actions():
            action.setChecked(kinds == {action.data()})

    def _action(self, key: str, act: Callable[[], None], keys: QKeySequence.StandardKey | None = None) -> QAction:
        action = self._action_of(self._bench.shell.words(key), act)
        if keys is not None:
            action.setShortcut(keys)
        return action

    def _action_of(self, text: str, act: Callable[[], None]) -> QAction:
        action = QAction(text, self._parent)
        # Delete in a field of text deletes letters: the keys are heard in the grid alone.
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda _checked=False: act())
        return action

    def _warn(self, key: str) -> None:
        self._bench.notice.tell(self._bench.shell.words(key), role="notice-warn")

    def _merge(self) -> None:
        ids = self._bench.grid.chosen_ids
        if len(ids) < 2:
            self._warn("uo_merge_needs_two")
        else:
            self._bench.changing.run(lambda outgoing: outgoing.merge(ids, ids[0]))

    def _split(self) -> None:
        line, card = self._bench.current, self._bench.card
        if line is None or len(line.draft.files) < 2:
            self._warn("uo_split_needs_file")
        elif card.files.current in {file.id for file in line.draft.files[1:]}:
            self._split_file(card.files.current)
        else:
            card.files.focus_list()

    def _split_file(self, file_id: str) -> None:
        self._bench.changing.run(lambda outgoing: outgoing.split(file_id))

    def _make_main(self, file_id: str) -> None:
        line = self._bench.current
        if line is not None:
            main = line.draft.main.role
            self._bench.changing.run(lambda outgoing: outgoing.set_role(file_id, main))

    def _order_files(self, file_ids: list[str]) -> None:
        line = self._bench.current
        if line is not None:
            draft_id = line.id
            self._bench.changing.run(lambda outgoing: outgoing.reorder_files(draft_id, file_ids))

    def _set_kind(self, kind: Kind) -> None:
        current = self._bench.current
        if kind.form is not None and current is not None:
            self._copied(current.id)
        self._bench.changing.edit({line.id: kind.changes(line.draft) for line in self._bench.changeable})

    def _fill_down(self) -> None:
        line, grid = self._bench.current, self._bench.grid
        if line is not None:
            column = grid.column_key(grid.currentIndex().column())
            self._bench.changing.edit(copied_down(column, line, self._bench.chosen))

    def _remove(self) -> None:
        words, lines = self._bench.shell.words, self._bench.changeable
        if not lines:
            return
        paths, ids = work.paths_of(lines), [line.id for line in lines]

        def removed(_nothing: None) -> None:
            again = (words("uo_add_back"), lambda: self._add_back(paths))
            self._bench.notice.tell(words("uo_removed", count=count(len(ids), words)), again)

        self._bench.changing.run_with_reason(lambda outgoing, reason: outgoing.remove(ids, reason), removed)
