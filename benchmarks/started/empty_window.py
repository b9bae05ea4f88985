"""The least that a window of PySide6 can be; tells when it has been painted, then ends.

Started by `startup.py`.
"""

import sys
import time

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow


class Watched(QMainWindow):
    painted = False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(event)
        if not self.painted:
            self.painted = True
            # Comes when the whole window has been painted and shown.
            QTimer.singleShot(0, told)


def told() -> None:
    sys.stdout.write(f"painted {time.monotonic()}\n")
    application.quit()


application = QApplication(sys.argv[:1])
window = Watched()
window.resize(1366, 768)
window.show()
application.exec()
