"""The Qt application: bundled fonts, palette, scaling, Qt's own words.

UI thread; made once a process.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QApplication

import signer_resources
from signer_ui.theme import Theme, Tone
from signer_ui.translation import CatalogueTranslator
from signer_ui.words import Words

_FONTS = ("BeVietnamPro-Regular.ttf", "BeVietnamPro-SemiBold.ttf")
_ICON_SIZES = (16, 32, 64)


def make_application(arguments: Sequence[str], *, training: bool = False) -> QApplication:
    """The application, with its fonts and the platform-independent style that the style sheet is made for.

    In `training` its icon has the colour of that mode.
    """
    # 125 % and 150 % stay what they are instead of being rounded.
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication(list(arguments))
    application.setApplicationName("Signer")
    # As the desktop entry and the icon are called, where the program is installed with them.
    application.setDesktopFileName("vn.signer.Signer")
    icon = QIcon()
    for size in _ICON_SIZES:
        picture = QPixmap(str(signer_resources.path(f"icons/signer-{size}.png")))
        icon.addPixmap(_recoloured(picture) if training else picture)
    application.setWindowIcon(icon)
    application.setStyle("Fusion")
    for name in _FONTS:
        QFontDatabase.addApplicationFont(str(signer_resources.path(f"fonts/{name}")))
    return application


def _recoloured(picture: QPixmap) -> QPixmap:
    """The picture in the colour of the training mode."""
    made = QPixmap(picture.size())
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.drawPixmap(0, 0, picture)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceAtop)
    tint = Theme(dark=False).colour(Tone.TRAINING)
    tint.setAlphaF(0.75)
    painter.fillRect(made.rect(), tint)
    painter.end()
    return made


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
