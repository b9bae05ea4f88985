"""Opens the desk, after the first paint and off the UI thread: everything heavy is loaded here.

The modules of the panes come along, so that making a pane costs no more than its widgets. Makes no Qt object.
"""

import importlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signer_app.desk.desk import Desk, open_desk
from signer_app.looks import Looks
from signer_app.store.settings import Settings
from signer_app.workspace import Overrides
from signer_resources.messages import Lang, catalogue

if TYPE_CHECKING:
    from signer_app.training.preparing import Training

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
    training: "Training | None"
    _stack: ExitStack

    def close(self) -> None:
        """Ends children, store and lock."""
        self._stack.close()


def open_everything(folder: Path, lang: Lang | None, training: Looks | None = None) -> Opened:
    """The desk on the data folder; KnownError where it can't be opened ("busy", a damaged database, …).

    `training`: the folder is one of the training mode, made ready first, with these looks where it is new.
    """
    for name in _PANES:
        importlib.import_module(f"signer_ui.panes.{name}")
    importlib.import_module("signer_ui.hub")
    catalogue()
    made = None
    if training is not None:
        from signer_app.training.preparing import prepare

        made = prepare(folder, _untold, training)
    with ExitStack() as stack:
        desk = stack.enter_context(open_desk(folder, Overrides(lang=lang)))
        settings = desk.begin()
        return Opened(desk, settings, made, stack.pop_all())


def _untold(_key: str, _done: int, _total: int) -> None:
    pass
