"""The Qt application: bundled fonts, palette, scaling, Qt's own words.

UI thread; made once a process.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QApplication

import signer_resources
from signer_ui.theme import Theme
from signer_ui.translation import CatalogueTranslator
from signer_ui.words import Words

_FONTS = ("BeVietnamPro-Regular.ttf", "BeVietnamPro-SemiBold.ttf")


def make_application(arguments: Sequence[str]) -> QApplication:
    """The application, with its fonts and the platform-independent style that the style sheet is made for."""
    # 125 % and 150 % stay what they are instead of being rounded.
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication(list(arguments))
    application.setApplicationName("Signer")
    application.setDesktopFileName("signer")
    application.setStyle("Fusion")
    for name in _FONTS:
        QFontDatabase.addApplicationFont(str(signer_resources.path(f"fonts/{name}")))
    return application


class Dress:
    """Language and looks of the whole application; put on again when the settings change."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        self._translator: CatalogueTranslator | None = None

    def put_on(self, words: Words, theme: Theme) -> None:
        """Gives the application these words and this look."""
        if self._translator is not None:
            self._application.removeTranslator(self._translator)
        self._translator = CatalogueTranslator(words, self._application)
        self._application.installTranslator(self._translator)
        theme.apply(self._application)
