"""The picture of a stamp: chosen or dropped, trimmed elsewhere, shown in true proportions, measured with a ruler print.

UI thread; files are read and pictures decoded by others. Keeps nothing: what was chosen is in `value` until the form
around it is saved.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QLocale, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from signer_app.tasks import PictureNote
from signer_resources.errors import KnownError
from signer_ui.presenters.settings_bodies import SEAL_MM, SEAL_MM_LIMITS, SealForm
from signer_ui.shell import Shell
from signer_ui.tasks import Control, Handle, Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.inputs import DecimalNumber
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.seal_preview import SealPreview
from signer_ui.widgets.seal_ruler import write_ruler_page

T = TypeVar("T")

PICTURE_ENDINGS = ("png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff")
_SHOWN_SIDE = 480
"""Pixels of the picture that is painted; the whole one is scaled down where nobody waits for it."""


@dataclass(frozen=True)
class _Picture:
    """A picture that was made ready: what will be kept (None: it is kept already), what is painted, what to know."""

    png: bytes | None
    shown: QImage
    notes: tuple[PictureNote, ...] = ()


def open_by_system(path: Path) -> bool:
    """Has the system show a file; whether it has a program for it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def choose_picture(shell: Shell, parent: QWidget, chosen: Callable[[Path], None]) -> None:
    """Asks for the file of a picture."""
    dialog = QFileDialog(parent, shell.words("ue_picture_choose_title"))
    endings = " ".join(f"*.{ending} *.{ending.upper()}" for ending in PICTURE_ENDINGS)
    dialog.setNameFilter(f"{shell.words('ue_picture_files')} ({endings})")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    dialog.open()


class SealEditor(QWidget):
    """Edits one seal."""

    changed = Signal()

    def __init__(
        self, shell: Shell, parent: QWidget | None = None, open_file: Callable[[Path], bool] = open_by_system
    ) -> None:
        super().__init__(parent)
        self._shell = shell
        self._setup = shell.desk.setup
        self._open_file = open_file
        self._form = SealForm()
        self._picture: _Picture | None = None
        self._notes: tuple[PictureNote, ...] = ()
        self._loading: Handle | None = None
        words = shell.words
        self.preview = SealPreview(words, shell.theme)
        self.choose = button(words("ue_seal_choose"), self._choose)
        self.remove = button(words("ue_seal_remove"), self._remove, "quiet")
        self.ruler = button(words("ue_ruler_print"), self._print_ruler)
        self.ruler.setToolTip(words("ue_ruler_tip"))
        self.diameter = DecimalNumber(shell.theme)
        self._hint = label(role="muted", wrap=True)
        self._told = label(role="warn", wrap=True)
        self.notice = Notice(words, shell.theme)
        self._build()
        self.setAcceptDrops(True)
        self._refresh()

    def _build(self) -> None:
        words, space = self._shell.words, self._shell.theme.space
        self.diameter.setLocale(QLocale(words.lang))
        self.diameter.setRange(*SEAL_MM_LIMITS)
        self.diameter.setDecimals(1)
        self.diameter.setSingleStep(0.5)
        self.diameter.setSuffix(" mm")
        self.diameter.setMinimumWidth(space(22))
        self.diameter.setValue(self._form.diameter_mm)
        self.diameter.valueChanged.connect(self._measured)
        title = QLabel(words("ue_seal_diameter"))
        title.setBuddy(self.diameter)
        side = QVBoxLayout()
        side.setSpacing(space(2))
        side.addWidget(Flow((self.choose, self.remove), space(2)))
        side.addWidget(self._hint)
        measure = QWidget()
        measure.setLayout(row(title, self.diameter, spacing=space(2)))
        side.addWidget(Flow((measure, self.ruler), space(2)))
        side.addWidget(label(words("ue_seal_size_hint"), "muted", wrap=True))
        side.addWidget(self._told)
        side.addStretch(1)
        across = row(self.preview, spacing=space(4))
        across.setAlignment(self.preview, Qt.AlignmentFlag.AlignTop)
        across.addLayout(side, 1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(space(2))
        lines.addWidget(self.notice)
        lines.addLayout(across)

    @property
    def value(self) -> SealForm:
        """The seal as it is now."""
        return self._form

    def set_value(self, form: SealForm) -> None:
        """Shows a seal of the settings, or one that was chosen before."""
        self._form, self._picture, self._notes = form, None, ()
        self.diameter.blockSignals(True)
        self.diameter.setValue(form.diameter_mm)
        self.diameter.blockSignals(False)
        self.notice.clear()
        self._forget_loading()
        if form.there:
            self._loading = self._send(lambda _control: self._load(form), self._loaded, self._failed)
        self._refresh()

    def take_file(self, file: Path) -> None:
        """Makes the picture in `file` the seal's."""
        self.notice.clear()
        self._forget_loading()

        def make(_control: object) -> _Picture:
            cleaned = self._setup.clean(file)
            return _Picture(cleaned.png, small_picture(cleaned.png), cleaned.notes)

        self._loading = self._send(make, self._taken, self._failed)
        self._refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """One picture may be dropped."""
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Takes it."""
        file = _dropped(event)
        if file is not None:
            event.acceptProposedAction()
            self.take_file(file)

    def _send(
        self, work: Callable[[Control], T], done: Callable[[T], None], failed: Callable[[KnownError], None]
    ) -> Handle:
        return self._shell.tasks.run(self, Lane.DOCUMENTS, work, done, failed=failed)

    def _load(self, form: SealForm) -> _Picture:
        if form.png is not None:
            return _Picture(form.png, small_picture(form.png))
        assert form.kept is not None
        return _Picture(None, small_picture(self._setup.seal_png(form.kept)))

    def _forget_loading(self) -> None:
        if self._loading is not None:
            # A result that comes nevertheless must not replace what was chosen since.
            self._loading.cancel()
            self._loading = None

    def _loaded(self, picture: _Picture) -> None:
        self._loading = None
        self._picture = picture
        self._refresh()

    def _taken(self, picture: _Picture) -> None:
        self._notes = picture.notes
        self._form = replace(self._form, png=picture.png)
        self._loaded(picture)
        self.changed.emit()

    def _failed(self, error: KnownError) -> None:
        if error.code == "interrupted":
            return
        self._loading = None
        self.notice.error(error)
        self._refresh()

    def _choose(self) -> None:
        choose_picture(self._shell, self, self.take_file)

    def _remove(self) -> None:
        self._forget_loading()
        self._form, self._picture, self._notes = replace(self._form, png=None, kept=None), None, ()
        self._refresh()
        self.changed.emit()

    def _measured(self, mm: float) -> None:
        self._form = replace(self._form, diameter_mm=round(mm, 1))
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        words, form, picture = self._shell.words, self._form, self._picture
        self.preview.show_seal(picture.shown if picture else None, form.diameter_mm)
        self.choose.setText(words("ue_seal_choose_other" if form.there else "ue_seal_choose"))
        self.remove.setVisible(form.there)
        self.ruler.setEnabled(picture is not None)
        reading = self._loading is not None
        self._hint.setText(words("ue_seal_reading" if reading else "ue_seal_done" if picture else "ue_seal_hint"))
        told = [words(f"ue_seal_{note}") for note in self._notes]
        if form.unusual:
            told.append(words("ue_seal_unusual", least=f"{SEAL_MM[0]:g}", most=f"{SEAL_MM[1]:g}"))
        self._told.setText("\n".join(told))
        self._told.setVisible(bool(told))

    def _print_ruler(self) -> None:
        form, words = self._form, self._shell.words
        self.notice.clear()

        def write(_control: object) -> Path:
            png = form.png if form.png is not None else self._setup.seal_png(form.kept) if form.kept else b""
            path = self._setup.work_file(".pdf")
            write_ruler_page(path, QImage.fromData(png), form.diameter_mm, words)
            return path

        self.ruler.setEnabled(False)
        self._send(write, self._ruler_written, self._ruler_failed)

    def _ruler_written(self, path: Path) -> None:
        self.ruler.setEnabled(True)
        words = self._shell.words
        if self._open_file(path):
            self.notice.tell(words("ue_ruler_opened"), do=words("ue_ruler_actual_size"))
        else:
            told = words("ue_ruler_not_opened")
            self.notice.tell(told, do=words("ue_ruler_lies", file=str(path)), role="notice-warn")

    def _ruler_failed(self, error: KnownError) -> None:
        self.ruler.setEnabled(True)
        self.notice.error(error)


def small_picture(png: bytes) -> QImage:
    """A picture as large as it is painted; KnownError "picture_unreadable". Any thread."""
    image = QImage.fromData(png)
    if image.isNull():
        raise KnownError("picture_unreadable", name="PNG")
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    side = min(_SHOWN_SIDE, max(image.width(), image.height()))
    return image.scaled(side, side, keep, smooth)


def _dropped(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.suffix.lower().removeprefix(".") in PICTURE_ENDINGS else None
