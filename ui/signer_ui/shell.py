"""What a pane is given, and what every pane has in common.

UI thread; holds no logic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from signer_resources.errors import KnownError
from signer_ui.tabs import Tab
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.words import Words

if TYPE_CHECKING:
    # The window is painted before these are loaded.
    from signer_app.desk.desk import Desk
    from signer_app.training.preparing import Training
    from signer_ui.hub import Hub

__all__ = ["Page", "Pane", "Shell", "Tab"]


@dataclass(frozen=True)
class Shell:
    """The window as a pane sees it."""

    desk: "Desk"
    tasks: Tasks
    hub: "Hub"
    words: Words
    theme: Theme
    notice: Callable[[KnownError | str], None]
    """Tells an error, or a text of the catalogue, in a line at the top of the window."""
    go: Callable[[Tab], None]
    """Shows another tab."""
    training: "Training | None" = None
    """The folder of the training mode, where this is its window."""


class Page(QWidget):
    """What is shown in place of the tabs, even where there is no desk."""

    left = Signal()
    """A page in place of the tabs: it is done, the tabs may come back."""
    files_wanted = Signal(list)
    """Paths (list of str) that somebody dropped here and that belong on the outgoing tab."""

    sending_wanted = Signal()
    """The list of what waits to be sent should come to the front."""

    settings_wanted = Signal(str)
    """The settings should be opened, at the section with this title (a text of the catalogue); empty: the first one."""

    custody_wanted = Signal()
    """The hand-over book should be opened."""

    restore_wanted = Signal()
    """The data folder should be filled from a backup."""

    after_restore_wanted = Signal()
    """What a restore has left to be said should be shown."""

    scrolls = False
    """Whether all of it scrolls already where the window is low."""

    def shown(self) -> None:
        """Called when the pane comes to the front."""

    def open_files(self, paths: list[str]) -> None:
        """Takes documents that were handed to the window; only the outgoing pane does."""

    def resume(self, batch: str) -> None:
        """Goes on with the batch that stopped; only the outgoing pane does."""

    def give_up(self, batch: str) -> None:
        """Asks whether what a stopped batch has left is to stay unsigned; only the outgoing pane does."""

    def show_sending(self) -> None:
        """Brings what waits to be sent to the front; only the outgoing pane does."""

    def show_section(self, section: str) -> None:
        """Brings the section with this title (a text of the catalogue) to the front; only the settings do."""

    def first_control(self) -> QWidget | None:
        """What gets the keyboard when the pane comes to the front; None leaves it to the order of the controls.

        No focus proxy: Qt's Tab passes over all that stands before a proxy.
        """
        return None

    def may_leave(self) -> bool:
        """Whether another tab may be shown now; False has said why in the pane itself."""
        return True

    def settled(self) -> bool:
        """Has what is being typed written down; False while that is under way, which takes a moment."""
        return True

    def busy(self) -> str | None:
        """Key of a text that says what closing the window now would interrupt; None when nothing."""
        return None

    def stop(self) -> None:
        """Ends what `busy` speaks of as soon as it can be ended without loss."""


class Pane(Page):
    """The content of a tab, or of a page that is shown in place of the tabs; works with the desk."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
