"""`signer-gui`, telling when it has been painted and when its home screen is filled.

Started by `startup.py`.
"""

import sys
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

import signer_ui.main
from signer_ui.theme import Theme
from signer_ui.window import Window
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_ui.shell import Shell


class Watched(Window):
    def __init__(self, words: Words, theme: Theme) -> None:
        super().__init__(words, theme)
        self.painted.connect(lambda: told("painted"))

    def furnish(self, shell: "Shell", *, first_start: bool) -> None:
        super().furnish(shell, first_start=first_start)
        shell.hub.today_changed.connect(lambda _today: QTimer.singleShot(0, self._filled))

    def _filled(self) -> None:
        told("filled")
        self.close()


def told(what: str) -> None:
    sys.stdout.write(f"{what} {time.monotonic()}\n")
    sys.stdout.flush()


vars(signer_ui.main)["Window"] = Watched
raise SystemExit(signer_ui.main.main())
