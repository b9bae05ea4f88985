"""Work done for a widget that may be gone before the work is: then nobody is told.

UI thread; the work itself runs on a lane of `Tasks` to its end, whoever is left to hear of it.
"""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from signer_resources.errors import KnownError
from signer_ui.tasks import Control, Handle, Lane, Tasks

T = TypeVar("T")


def send_for(
    owner: QWidget,
    tasks: Tasks,
    lane: Lane,
    work: Callable[[Control], T],
    done: Callable[[T], None],
    failed: Callable[[KnownError], None],
) -> Handle:
    """As `Tasks.run`; `done` and `failed` are called only while `owner` is there."""

    def told(result: T) -> None:
        if isValid(owner):
            done(result)

    def refused(error: KnownError) -> None:
        if isValid(owner):
            failed(error)

    return tasks.run(lane, work, told, failed=refused)
