"""Making this machine from a backup: where it is, the recovery code, what was found, and the restore itself. UI thread.

Stands in the window without a desk: the data folder must be open nowhere while it is filled, so `desk_away` is called
before, on the thread that does the work. Nothing begins with one click: what was found is shown first.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.backup_setup import choose_folder
from signer_ui.panes.settings_form import FormField, card, clear, line_edit, scrolled
from signer_ui.presenters.backup import found_words, restored_lines
from signer_ui.shell import Page
from signer_ui.tasks import Control, Handle, Lane, Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.code_entry import CodeEntry
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_app.backup.restoring import OpenedBackup, RestoreResult

_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: None}


class RestorePage(Page):
    """Fills the data folder `folder`."""

    begun = Signal()
    """From now on the desk is closed."""
    ended = Signal()
    """Back to where one was, or on to the work when `restored`; whoever opened the page decides what comes."""

    def __init__(
        self, words: Words, theme: Theme, tasks: Tasks, folder: Path, desk_away: Callable[[], None], *, away: bool
    ) -> None:
        super().__init__()
        self._words = words
        self._tasks = tasks
        self._folder = folder
        self._desk_away = desk_away
        self._away = away
        """The desk is closed: what stands behind this page can't work any more."""
        self._handle: Handle | None = None
        self._opened: OpenedBackup | None = None
        self.restored = False
        space = theme.space
        self.notice = Notice(words, theme)
        self.progress = ProgressLine(words, theme)
        self.place = line_edit(self._changed, words("bk_place_example"), 1000)
        self.choose = button(words("bk_choose"), self._choose)
        across = QWidget()
        line = row(self.place, self.choose, spacing=space(2))
        line.setStretch(0, 1)
        across.setLayout(line)
        across.setFocusProxy(self.place)
        field = FormField(words("bk_restore_place"), across, theme, words("bk_restore_place_hint"))
        self.place.setAccessibleName(words("bk_restore_place"))
        self.entry = CodeEntry(words, theme)
        self.entry.changed.connect(self._changed)
        self.look = button(words("bk_restore_look"), self._look, "primary")
        self.found = label("", wrap=True)
        self.go = button(words("bk_restore_go"), self._ask, "danger")
        self.back = button(words("ue_back"), self.ended.emit)
        self.open = button(words("bk_restore_open"), self.ended.emit, "primary")
        looking = QWidget()
        looking.setLayout(row(self.look, 1))
        going = QWidget()
        going.setLayout(row(self.go, 1))
        self._asking = card(theme, "", field, FormField(words("bk_restore_code"), self.entry, theme), looking)
        self._found_card = card(theme, words("bk_restore_found"), self.found, going)
        told, opening = QWidget(), QWidget()
        self._told = QVBoxLayout(told)
        self._told.setContentsMargins(0, 0, 0, 0)
        self._told.setSpacing(space(1.5))
        opening.setLayout(row(self.open, 1))
        self._result = card(theme, words("bk_restore_done"), told, opening)
        self._found_card.hide()
        self._result.hide()
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, space(2), 0)
        inside.setSpacing(space(3))
        for part in (self._asking, self._found_card, self._result):
            inside.addWidget(part)
        inside.addStretch(1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(space(4), space(3), space(4), space(3))
        lines.setSpacing(space(3))
        lines.addLayout(row(label(words("bk_restore_title"), "title"), 1, self.back))
        lines.addWidget(label(words("bk_restore_hint"), "muted", wrap=True))
        lines.addWidget(self.notice)
        lines.addWidget(self.progress)
        lines.addWidget(scrolled(content), 1)
        self._changed()

    def first_control(self) -> QWidget:
        """The place."""
        return self.open if self.restored else self.place

    def use_tasks(self, tasks: Tasks) -> None:
        """Work is done by these from now on: those before end with the desk."""
        self._tasks = tasks

    @property
    def running(self) -> bool:
        """Whether something is looked at or restored."""
        return self._handle is not None and self._handle.running

    def may_leave(self) -> bool:
        """A restore is waited for, or stopped by its own button. Without a desk the tabs come with a new one."""
        if self.running:
            self.notice.tell(self._words("bk_restore_busy"), role="notice-warn")
        elif self._away:
            QTimer.singleShot(0, self.ended.emit)
        return not self.running and not self._away

    def busy(self) -> str | None:
        """A restore that is cut is begun anew the next time."""
        return "bk_restore_busy" if self.running else None

    def stop(self) -> None:
        """Ends it at the next file."""
        if self._handle is not None:
            self._handle.cancel()

    # ---- what is typed -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        chosen = choose_folder(self, self._words("bk_restore_place"), self.place.text())
        if chosen:
            self.place.setText(str(Path(chosen)))

    def _changed(self) -> None:
        self._opened = None
        self._found_card.hide()
        self._enable()

    def _enable(self) -> None:
        free = not self.running
        ready = free and self.entry.right and Path(self.place.text().strip()).is_absolute()
        self.look.setEnabled(ready)
        for part in (self.place, self.choose, self.entry, self.go, self.back):
            part.setEnabled(free)

    # ---- looking -----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        place, typed = Path(self.place.text().strip()), self.entry.code
        self.notice.clear()

        def work(_control: Control) -> "OpenedBackup":
            from signer_app.backup.restoring import open_backup

            return open_backup(place, typed)

        self._begin("bk_restore_looking", work, self._seen, stoppable=False)

    def _seen(self, opened: "OpenedBackup") -> None:
        self._done()
        self._opened = opened
        newest = opened.generations[0]
        self.found.setText(found_words(newest.made_at, newest.documents, self._words))
        self._found_card.show()
        self.go.setFocus()

    # ---- restoring ---------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        words = self._words
        self.notice.tell(
            words("bk_restore_sure"),
            (words("bk_restore_yes"), lambda: self._restore(keep_old=False)),
            (words("bk_setup_stop"), self.notice.clear),
            why=words("bk_restore_sure_why"),
            role="notice-warn",
            question=True,
        )
        self.notice.focus_action()

    def _restore(self, *, keep_old: bool) -> None:
        opened, folder, desk_away = self._opened, self._folder, self._desk_away
        if opened is None:
            return
        self.notice.clear()
        self._away = True
        self.begun.emit()

        def work(control: Control) -> "RestoreResult":
            from signer_app.backup.restoring import restore
            from signer_app.store import DataFolder
            from signer_app.workspace import vietnam_now

            desk_away()
            return restore(
                DataFolder(folder),
                opened,
                vietnam_now,
                keep_old=keep_old,
                progress=lambda done, count: control.progress("restore_progress", done, count),
                cancelled=lambda: control.cancelled,
            )

        self._begin("restore_progress", work, self._finished, stoppable=True)

    def _finished(self, result: "RestoreResult") -> None:
        self._done()
        self.restored = True
        self.entry.clear()
        clear(self._told)
        for told, glow in restored_lines(result, self._words):
            self._told.addWidget(label(told, _ROLES[glow], wrap=True))
        self._asking.hide()
        self._found_card.hide()
        self._result.show()
        self.back.hide()
        self.open.setFocus()

    def _failed(self, error: KnownError) -> None:
        self._done()
        words = self._words
        if error.code == "interrupted":
            self.notice.tell(words("bk_restore_stopped"), why=words("bk_restore_stopped_why"), role="notice-warn")
        elif error.code == "restore_folder_used":
            self.notice.error(error, (words("bk_restore_aside"), lambda: self._restore(keep_old=True)))
            self.notice.focus_action()
        else:
            self.notice.error(error)

    # ---- both --------------------------------------------------------------------------------------------------------

    def _begin(
        self, key: str, work: Callable[[Control], object], done: Callable[..., None], *, stoppable: bool
    ) -> None:
        self._handle = self._tasks.run(
            self, Lane.DOCUMENTS, work, done, failed=self._failed, progress=self.progress.tell
        )
        self.progress.begin(key, self._handle if stoppable else None)
        self._enable()

    def _done(self) -> None:
        self._handle = None
        self.progress.end()
        self._enable()
