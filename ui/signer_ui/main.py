"""The window's entry: `signer-gui [--data-dir DIR] [--lang vi|en] [FILE…]`.

UI thread. Order: hand the files to a window that is open already; else paint the frame; then load the rest elsewhere,
open the desk, furnish. Started with a hidden first argument it is one of the program's own children instead.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from signer_app.handover import Wish, hand_over
from signer_app.looks import Looks, default_data_folder, is_training, read_looks, training_folder
from signer_resources.errors import KnownError
from signer_ui.application import Dress, make_application
from signer_ui.sweeping import Sweeper
from signer_ui.tabs import Tab
from signer_ui.tasks import Control, Lane, Tasks
from signer_ui.theme import Theme
from signer_ui.window import Window
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_resources.messages import Lang
    from signer_ui.hub import Hub
    from signer_ui.instance import Door
    from signer_ui.opening import Opened
    from signer_ui.panes.restoring import RestorePage

BUSY_TRIES = 24
BUSY_EVERY_MS = 500
"""A window that is just closing, or a command that ends, has the data folder a moment longer."""


UNPAINTED_MS = 1000
"""So long the desk waits for the first paint, lest loading it makes the paint late."""


class Program(QObject):
    """One run of the window: from the first paint to the last child's end."""

    def __init__(
        self,
        folder: Path,
        dress: Dress,
        looks: Looks,
        lang: Lang | None,
        files: list[str],
        *,
        training: bool = False,
    ) -> None:
        super().__init__()
        self._training = looks if training else None
        """The looks of the real window, where this is the one of the training mode."""
        self._removes = False
        self._folder = folder
        self._dress = dress
        self._lang = lang
        self._files = files
        self._tasks = Tasks(self._write_fault)
        self._tasks.unhandled.connect(self._tell)
        self._sweeper = Sweeper(self)
        self._opened: Opened | None = None
        self._leaving: tuple[Tasks, Opened] | None = None
        """Lanes and desk that a restore is about to end."""
        self._hub: Hub | None = None
        self._door: Door | None = None
        self._begun = False
        self._closed = False
        self._tries = 0
        self._look = (lang or looks.language, looks.dark)
        self.window: Window = self._make_window()

    def start(self) -> None:
        """Shows the frame; all else comes after its first paint."""
        self.window.painted.connect(self._begin)
        self.window.show()
        # A window that is started minimised isn't painted.
        QTimer.singleShot(UNPAINTED_MS, self._begin)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._open()

    def quit(self) -> None:
        """Closes the window as its close button would: at once, or when it has asked what to do with running work."""
        self.window.close()

    def _make_window(self) -> Window:
        lang, dark = self._look
        words, theme = Words(lang), Theme(dark)
        self._dress.put_on(words, theme)
        window = Window(words, theme, training=self._training is not None)
        window.closing.connect(self._close)
        window.restore_wanted.connect(self._open_restore)
        window.removal_wanted.connect(self._remove_training)
        return window

    def _remove_training(self) -> None:
        """Leaves training for good: its folder goes when nobody works in it any more."""
        # What runs is asked about, as always; who has it ended asks once more to have all removed.
        self._removes = self.window.busy() is None
        self.window.close()

    def _open(self) -> None:
        self._tries += 1
        folder, lang, files, training = self._folder, self._lang, self._files, self._training

        def work(_control: Control) -> Opened | None:
            from signer_ui.opening import open_everything

            try:
                return open_everything(folder, lang, training)
            except KnownError as error:
                # Perhaps another window was quicker than we: then it is the one that is wanted.
                if error.code == "busy" and hand_over(folder, files):
                    return None
                raise

        self._tasks.run(self, Lane.DOCUMENTS, work, self._furnish, failed=self._not_opened)

    def _not_opened(self, error: KnownError) -> None:
        if error.code == "busy" and self._tries < BUSY_TRIES:
            QTimer.singleShot(BUSY_EVERY_MS, self._open)
            return
        self._tries = 0
        self.window.refuse(error, self._open)

    def _furnish(self, opened: Opened | None) -> None:
        if opened is None:
            self._end()
            return
        from signer_ui.hub import Hub
        from signer_ui.instance import Door

        self._opened = opened
        self._door = Door(self._folder, self)
        self._door.knocked.connect(self._asked)
        self._hub = Hub(opened.desk, self._tasks, opened.settings, self)
        self._hub.settings_changed.connect(self._settings_changed)
        if not self._look_again(self._begin_work):
            self._begin_work()

    def _begin_work(self) -> None:
        assert self._opened is not None
        assert self._hub is not None
        self._fill_window(first_start=not self._opened.settings.bodies)
        self._hub.start()
        self._sweeper.settle()
        if self._files:
            self.window.open_files(self._files)

    def _asked(self, wish: str, files: list[str]) -> None:
        assert self._hub is not None
        match Wish(wish):
            case Wish.OPEN:
                self.window.open_files(files)
            case Wish.RESUME:
                self.window.open_files([])
                self.window.go(Tab.OUTGOING)
            case Wish.SEND:
                self._hub.send_now()

    def _fill_window(self, *, first_start: bool) -> None:
        from signer_ui.shell import Shell
        from signer_ui.steering import Steering

        assert self._opened is not None
        assert self._hub is not None
        window = self.window
        shell = Shell(
            self._opened.desk,
            self._tasks,
            self._hub,
            window.words,
            window.theme,
            window.tell,
            window.go,
            self._opened.training,
        )
        Steering(shell, window)
        window.furnish(shell, first_start=first_start)

    def _settings_changed(self) -> None:
        if self._closed:
            return
        if self.window.busy() is not None:
            # What runs tells its end in this window.
            QTimer.singleShot(BUSY_EVERY_MS, self._settings_changed)
            return
        self._look_again(self._refill)

    def _refill(self) -> None:
        self._fill_window(first_start=False)
        self.window.open_settings()

    def _look_again(self, done: Callable[[], None]) -> bool:
        """Makes the window anew where language or looks are others than those it was painted with; then `done`.

        The old one goes first: all that stands in it would be styled anew for nothing.
        """
        assert self._hub is not None
        settings = self._hub.settings
        look = (self._lang or settings.language, settings.theme.value == "dark")
        if look == self._look:
            return False
        self._look = look
        self._renew_window(done)
        return True

    def _renew_window(self, done: Callable[[], None]) -> None:
        old, place, state = self.window, self.window.geometry(), self.window.windowState()

        def make() -> None:
            self.window = self._make_window()
            self.window.setGeometry(place)
            self.window.setWindowState(state)
            self.window.open_files(waiting)
            QTimer.singleShot(0, done)

        waiting = old.waiting
        old.closing.disconnect()
        old.destroyed.connect(make)
        old.dismiss()

    # ---- made from a backup ------------------------------------------------------------------------------------------

    def _open_restore(self) -> None:
        """The page that asks for the backup; the desk stays open until the restore itself begins."""
        from signer_ui.panes.restoring import RestorePage

        window, away = self.window, self._opened is None
        page = RestorePage(window.words, window.theme, self._tasks, self._folder, self._desk_away, away=away)
        page.begun.connect(lambda: self._leave_desk(page))
        page.ended.connect(self._restored)
        self.window.show_page(page)

    def _leave_desk(self, page: RestorePage) -> None:
        """Nothing is asked of the desk any more; new lanes for what comes, for the old ones end with it."""
        if self._opened is None:
            return
        if self._hub is not None:
            self._hub.stop()
        if self._door is not None:
            self._door.close()
        self._leaving = (self._tasks, self._opened)
        self._hub = self._door = self._opened = None
        self._tasks = Tasks(self._write_fault)
        self._tasks.unhandled.connect(self._tell)
        page.use_tasks(self._tasks)

    def _desk_away(self) -> None:
        """On the restore's thread: what runs comes to its end, and the data folder is open no more."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            tasks, opened = leaving
            opened.desk.hurry()
            tasks.close()
            opened.close()

    def _restored(self) -> None:
        """Back from that page: to the first start, or with another window to what is there now."""
        if self._opened is None:
            self._renew_window(self._open)
        else:
            self.window.back_to_first_start()

    def _close(self) -> None:
        """The window is hidden already; what runs comes to its end, and everything that was started is ended."""
        self._closed = True
        # A restore that was stopped before it began.
        self._desk_away()
        if self._hub is not None:
            self._hub.stop()
        if self._door is not None:
            self._door.close()
        if self._opened is not None:
            self._opened.desk.hurry()
        self._tasks.close()
        if self._opened is not None:
            self._opened.close()
        if self._removes:
            from signer_app.training.removing import remove_training

            try:
                remove_training(self._folder)
            except KnownError as error:
                # Nobody is there to read it any more; the next start, or `signer training --remove`, tells again.
                self._write_fault(error)
        self._end()

    def _tell(self, error: KnownError) -> None:
        self.window.tell(error)

    def _end(self) -> None:
        self._sweeper.stop()
        # What its controls are connected to keeps it alive, and Python's collector doesn't see that.
        self.window.deleteLater()
        QTimer.singleShot(0, _quit)

    def _write_fault(self, fault: BaseException) -> str:
        from signer_app.faults import write_fault

        return write_fault(fault, self._folder)


def _quit() -> None:
    from PySide6.QtWidgets import QApplication

    QApplication.quit()


def _watch_uncaught() -> None:
    from signer_app.logs import watch_uncaught

    watch_uncaught()


@dataclass(frozen=True)
class _Given:
    """What stands on the command line."""

    data_dir: Path | None = None
    lang: Lang | None = None
    files: tuple[str, ...] = ()
    training: bool = False


def _arguments(argv: Sequence[str]) -> _Given:
    if not argv:
        # Started from the menu, as on most mornings: the parser needn't even be loaded.
        return _Given()
    import argparse

    parser = argparse.ArgumentParser(prog="signer-gui", add_help=True)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--lang", choices=("vi", "en"))
    parser.add_argument("--training", action="store_true")
    parser.add_argument("files", nargs="*", metavar="FILE")
    args = parser.parse_args(argv)
    return _Given(args.data_dir, args.lang, tuple(args.files), args.training)


def _looks(folder: Path, other: Path) -> Looks:
    """The looks set in `folder`; where nothing is set there yet, those in `other`."""
    found = read_looks(folder)
    return found if found.known else read_looks(other)


def main(argv: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0].startswith("--child="):
        from signer_app.__main__ import main as child

        return child()
    args = _arguments(given)
    folder = args.data_dir or Path(os.environ.get("SIGNER_DATA_DIR") or default_data_folder())
    looks_from = folder
    if args.training:
        folder = training_folder(folder)
    training = args.training or is_training(folder)
    files = [os.path.abspath(file) for file in args.files]  # noqa: PTH100 - links stay as the person named them
    if hand_over(folder, files):
        return 0
    _watch_uncaught()
    # A lane that is busy in Python lets the screen go on five times sooner than it would by default.
    sys.setswitchinterval(0.001)
    application = make_application(sys.argv[:1], training=training)
    application.setQuitOnLastWindowClosed(False)
    program = Program(folder, Dress(application), _looks(folder, looks_from), args.lang, files, training=training)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Heard at the next piece of Python that runs here; the hub's timers see to that.
        signal.signal(number, lambda *_: QTimer.singleShot(0, program.quit))
    program.start()
    return application.exec()


if __name__ == "__main__":
    raise SystemExit(main())
