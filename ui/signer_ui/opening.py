"""Opens the desk, after the first paint and off the UI thread: everything heavy is loaded here.

The modules of the panes come along, so that making a pane costs no more than its widgets. Makes no Qt object.
"""

import importlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from signer_app.desk.desk import Desk, open_desk
from signer_app.store.settings import Settings
from signer_app.workspace import Overrides
from signer_resources.messages import Lang, catalogue

_PANES = (
    "today",
    "outgoing",
    "incoming",
    "register",
    "token",
    "machine",
    "settings",
    "settings_bodies",
    "settings_hands",
    "settings_server",
    "settings_timestamps",
    "settings_machine",
    "first_start",
)


@dataclass(frozen=True)
class Opened:
    """The open desk with the settings it was opened with; `close` gives the data folder's lock back."""

    desk: Desk
    settings: Settings
    _stack: ExitStack

    def close(self) -> None:
        """Ends children, store and lock."""
        self._stack.close()


def open_everything(folder: Path, lang: Lang | None) -> Opened:
    """The desk on the data folder; KnownError where it can't be opened ("busy", a damaged database, …)."""
    for name in _PANES:
        importlib.import_module(f"signer_ui.panes.{name}")
    importlib.import_module("signer_ui.hub")
    catalogue()
    with ExitStack() as stack:
        desk = stack.enter_context(open_desk(folder, Overrides(lang=lang)))
        settings = desk.begin()
        return Opened(desk, settings, stack.pop_all())
