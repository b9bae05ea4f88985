"""The sections "USB ký số" and "Hiển thị": drivers, pictures of signatures, language, looks. UI thread.

Pictures are decoded and scaled down where nobody waits for it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.settings import Settings, ThemeChoice
from signer_resources.errors import KnownError
from signer_resources.messages import Lang
from signer_ui.panes.settings_form import FormField, Section, card, clear, line_edit
from signer_ui.presenters.settings import (
    Change,
    DisplayForm,
    DriversForm,
    Problem,
    SignatureRow,
    signature_rows,
)
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, frame, label, row
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.seal_editor import choose_picture, small_picture

_LANGUAGES: tuple[tuple[Lang, str], ...] = (("vi", "Tiếng Việt"), ("en", "English"))
"""Each in its own words, so that whoever lands in the other one finds back."""
_THUMBNAIL = (40, 15)
"""Units of spacing."""


def choose_driver(shell: Shell, parent: QWidget, chosen: Callable[[str], None]) -> None:
    """Asks for the file of a driver."""
    dialog = QFileDialog(parent, shell.words("ue_driver_choose_title"))
    dialog.setNameFilters([f"{shell.words('ue_driver_files')} (*.so *.so.* *.dll *.dylib)"])
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda name: chosen(str(Path(name))))
    dialog.open()


class DriversSection(Section[DriversForm]):
    """Drivers of tokens, and pictures of their holders' signatures."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, space = shell.words, shell.theme.space
        self._form = DriversForm()
        self._found: tuple[Path, ...] = ()
        self._thumbnails: dict[str, QImage] = {}
        """Pictures as they are shown, by certificate."""
        self.add = button(words("ue_driver_add"), self._choose)
        list_of_drivers, list_of_pictures = QWidget(), QWidget()
        self._drivers = QVBoxLayout(list_of_drivers)
        self._pictures = QVBoxLayout(list_of_pictures)
        for lines in (self._drivers, self._pictures):
            lines.setContentsMargins(0, 0, 0, 0)
            lines.setSpacing(space(2))
        self.drivers = FormField(words("ue_drivers_list"), list_of_drivers, shell.theme)
        buttons = QWidget()
        buttons.setLayout(row(self.add, 1))
        offers = QWidget()
        self._offers = QVBoxLayout(offers)
        self._offers.setContentsMargins(0, 0, 0, 0)
        self._offers.setSpacing(space(1))
        self.frame_up(
            card(
                shell.theme,
                words("ue_drivers_title"),
                label(words("ue_drivers_hint"), "muted", wrap=True),
                self.drivers,
                offers,
                buttons,
            ),
            card(
                shell.theme,
                words("ue_signatures_title"),
                label(words("ue_signatures_hint"), "muted", wrap=True),
                list_of_pictures,
            ),
        )
        shell.hub.tokens_changed.connect(self._tokens_changed)

    def form(self) -> DriversForm:
        """As typed."""
        return self._form

    def fill(self, settings: Settings) -> DriversForm:
        """As set; looks for drivers and pictures elsewhere."""
        self._form = DriversForm.of(settings)
        setup, kept, files = self.setup, dict(settings.signatures), dict(settings.pictures)

        def look(_control: object) -> tuple[tuple[Path, ...], dict[str, QImage]]:
            pictures = {}
            for certificate in {**files, **kept}:
                try:
                    sha256 = kept.get(certificate)
                    png = setup.kept_png(sha256) if sha256 else setup.clean(Path(files[certificate])).png
                    pictures[certificate] = small_picture(png)
                except KnownError:
                    # Told when it is wanted for signing; here its place stays empty.
                    continue
            return setup.drivers(), pictures

        self.send(Lane.DOCUMENTS, look, self._looked)
        self._show()
        return self._form

    def problems(self, form: DriversForm) -> Sequence[Problem]:
        """A driver that isn't there."""
        return form.problems(Path.is_file)

    def change(self, form: DriversForm) -> Change:
        """Keeps new pictures first."""
        return form.change({png: self.setup.keep(png) for _sha256, png in form.pictures if png is not None})

    def field(self, problem: Problem) -> FormField:
        """The list."""
        return self.drivers

    def fields(self) -> Sequence[FormField]:
        """The list."""
        return (self.drivers,)

    def add_driver(self, path: str) -> None:
        """Another driver, unless it is there."""
        if path not in self._form.modules:
            self._set(DriversForm((*self._form.modules, path), self._form.pictures))

    def take_picture(self, certificate: str, file: Path) -> None:
        """Makes the picture in `file` that of the certificate's holder's signature."""
        self.notice.clear()

        setup = self.setup

        def work(_control: object) -> tuple[bytes, QImage]:
            png = setup.clean(file).png
            return png, small_picture(png)

        def made(result: tuple[bytes, QImage]) -> None:
            png, self._thumbnails[certificate] = result
            self._set(self._form.with_picture(certificate, png))

        self.send(Lane.DOCUMENTS, work, made)

    def _looked(self, found: tuple[tuple[Path, ...], dict[str, QImage]]) -> None:
        self._found, kept = found
        fresh = {sha256 for sha256, png in self._form.pictures if png is not None}
        self._thumbnails = {**kept, **{key: self._thumbnails[key] for key in fresh}}
        self._show()

    def _set(self, form: DriversForm) -> None:
        self._form = form
        self.drivers.complain(None)
        self._show()
        self.touched()

    def _show(self) -> None:
        words, space = self.shell.words, self.shell.theme.space
        clear(self._drivers)
        clear(self._offers)
        for module in self._form.modules:
            remove = button(words("ue_driver_remove"), partial(self._drop, module), "quiet")
            remove.setAccessibleName(words("ue_driver_remove_name", file=module))
            line = QWidget()
            across = row(label(module, wrap=True), remove, spacing=space(2))
            across.setStretch(0, 1)
            line.setLayout(across)
            self._drivers.addWidget(line)
        if not self._form.modules:
            self._drivers.addWidget(label(words("ue_drivers_none"), "warn", wrap=True))
        for place in self._found:
            if str(place) not in self._form.modules:
                use = button(words("ue_driver_use", file=str(place)), partial(self.add_driver, str(place)))
                line = QWidget()
                line.setLayout(row(use, 1))
                self._offers.addWidget(line)
        self._show_pictures()

    def _show_pictures(self) -> None:
        clear(self._pictures)
        rows = signature_rows(self._form, self.shell.hub.settings, self.shell.hub.tokens)
        for found in rows:
            self._pictures.addWidget(self._picture_row(found))
        if not rows:
            self._pictures.addWidget(label(self.shell.words("ue_signatures_none"), "muted", wrap=True))

    def _picture_row(self, found: SignatureRow) -> QWidget:
        words, space = self.shell.words, self.shell.theme.space
        holder = found.holder or words("ue_signature_away", start=found.certificate[:12])
        choose = button(words("ue_signature_choose"), lambda: self._choose_picture(found.certificate))
        choose.setAccessibleName(words("ue_signature_choose_for", name=holder))
        parts: list[QWidget | int] = [self._thumbnail(holder, found), label(holder), 1, choose]
        if found.png is not None or found.kept:
            remove = button(words("ue_signature_remove"), lambda: self._drop_picture(found.certificate), "quiet")
            remove.setAccessibleName(words("ue_signature_remove_for", name=holder))
            parts.append(remove)
        line = QWidget()
        line.setLayout(row(*parts, spacing=space(3)))
        return line

    def _thumbnail(self, holder: str, found: SignatureRow) -> QWidget:
        words, space = self.shell.words, self.shell.theme.space
        shown = frame("paper")
        shown.setFixedSize(space(_THUMBNAIL[0]), space(_THUMBNAIL[1]))
        picture = QLabel()
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        there = found.png is not None or found.kept
        if there and found.certificate in self._thumbnails:
            ratio = self.devicePixelRatioF()
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            width, height = (round(space(units - 2) * ratio) for units in _THUMBNAIL)
            pixmap = QPixmap.fromImage(self._thumbnails[found.certificate].scaled(width, height, keep, smooth))
            pixmap.setDevicePixelRatio(ratio)
            picture.setPixmap(pixmap)
            picture.setAccessibleName(words("ue_signature_of", name=holder))
        else:
            picture.setText(words("ue_signature_file" if there else "ue_signature_no"))
        inside = QVBoxLayout(shown)
        inside.setContentsMargins(space(1), space(1), space(1), space(1))
        inside.addWidget(picture)
        return shown

    def _drop(self, module: str) -> None:
        self._set(DriversForm(tuple(m for m in self._form.modules if m != module), self._form.pictures))
        self.add.setFocus()

    def _drop_picture(self, certificate: str) -> None:
        self._set(self._form.with_picture(certificate, None))

    def _choose(self) -> None:
        choose_driver(self.shell, self, self.add_driver)

    def _choose_picture(self, certificate: str) -> None:
        choose_picture(self.shell, self, lambda file: self.take_picture(certificate, file))

    def _tokens_changed(self, _tokens: TokensSnapshot) -> None:
        self._show_pictures()


class DisplaySection(Section[DisplayForm]):
    """Language, looks, the clerk's name."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self.language, self.theme = Choice(theme), Choice(theme)
        for language, name in _LANGUAGES:
            self.language.addItem(name, language)
        for choice in ThemeChoice:
            self.theme.addItem(words(f"ue_theme_{choice}"), choice.value)
        for box in (self.language, self.theme):
            box.setMaximumWidth(theme.space(70))
            box.currentIndexChanged.connect(lambda _index: self.touched())
        self.clerk = line_edit(self.touched, words("ue_clerk_example"), 120)
        self.frame_up(
            card(
                theme,
                words("ue_display_title"),
                FormField(words("ue_language"), self.language, theme),
                FormField(words("ue_theme"), self.theme, theme),
                FormField(words("ue_clerk"), self.clerk, theme, words("ue_clerk_hint")),
            )
        )

    def form(self) -> DisplayForm:
        """As chosen."""
        language = _LANGUAGES[self.language.currentIndex()][0]
        return DisplayForm(language, ThemeChoice(self.theme.currentData()), self.clerk.text())

    def fill(self, settings: Settings) -> DisplayForm:
        """As set."""
        form = DisplayForm.of(settings)
        self.language.setCurrentIndex(self.language.findData(form.language))
        self.theme.setCurrentIndex(self.theme.findData(form.theme.value))
        self.clerk.setText(form.clerk)
        return form

    def problems(self, form: DisplayForm) -> Sequence[Problem]:
        """Nothing can be wrong."""
        return ()

    def change(self, form: DisplayForm) -> Change:
        """These alone."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """There is never one."""
        raise LookupError(problem.field)
