"""What the buttons of the training mode do: in its own window, and in the real one to get there.

UI thread; what blocks is handed to tasks. Touches nothing of the real data folder.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess

from signer_ui.presenters.training import Deed
from signer_ui.shell import Shell
from signer_ui.tabs import Tab
from signer_ui.tasks import Lane
from signer_ui.widgets.training_banner import TrainingBanner

if TYPE_CHECKING:
    from signer_app.training.preparing import Training
    from signer_ui.window import Window


def lead(window: "Window", banner: TrainingBanner, training: "Training") -> None:
    """Has the banner lead through the exercise in its window, and out of it."""

    def do(deed: Deed) -> None:
        match deed:
            case Deed.OPEN_LETTERS:
                window.open_files([str(letter) for letter in training.letters])
            case Deed.GO_OUTGOING:
                window.go(Tab.OUTGOING)
            case Deed.GO_INCOMING:
                window.go(Tab.INCOMING)

    def ask() -> None:
        words, notice = window.words, window.notice
        notice.tell(
            words("tr_remove_asked"),
            (words("tr_remove_yes"), window.removal_wanted.emit),
            (words("tr_remove_no"), notice.clear),
            why=words("tr_remove_kept"),
            role="notice-warn",
            question=True,
        )
        notice.focus_action()

    banner.wanted.connect(do)
    banner.remove_wanted.connect(ask)
    banner.ready(training.pin)


def enter(shell: Shell, owner: QObject) -> None:
    """Opens the window of the training mode beside this one, or says why it can't be opened."""
    desk = shell.desk

    def start(command: list[str]) -> None:
        started, _number = QProcess.startDetached(command[0], command[1:])
        shell.notice("tr_opening" if started else "tr_not_started")

    shell.tasks.run(owner, Lane.QUICK, lambda _control: desk.training.command(), start, failed=shell.notice)
