"""How this program exchanges for a body: the choice of the channel, and what each of them needs. UI thread.

Decides nothing; what is typed as a secret is never shown again.
"""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QVBoxLayout, QWidget

from signer_app.desk.networking import Account, Kept, Secret
from signer_app.store.settings import ChannelKind
from signer_ui.glow import Glow
from signer_ui.panes.settings_form import FormField, line_edit
from signer_ui.panes.settings_network import secret_edit
from signer_ui.presenters.settings_channel import CHANNELS, MOST_POLLING, NO_CHANNEL, ChannelForm
from signer_ui.presenters.settings_network import kept_words
from signer_ui.shell import Shell
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.widgets.inputs import Choice, WholeNumber

_NARROW = 140
"""Units of width."""


class ChannelEditor(QWidget):
    """Edits a `ChannelForm`; `by_sync` is shown for the document server."""

    changed = Signal()

    def __init__(self, shell: Shell, by_sync: QWidget) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell = shell
        self._base: ChannelForm = NO_CHANNEL
        self._showing = False
        self.kind = Choice(theme)
        self.kind.setMaximumWidth(theme.space(90))
        for kind, key in CHANNELS:
            self.kind.addItem(words(key), kind.value)
        self.kind.currentIndexChanged.connect(lambda _index: self._typed())
        self.url = self._field("un_lgsp_url", line_edit(self._typed, words("un_lgsp_url_example")))
        self.application = self._field("un_lgsp_application", line_edit(self._typed, limit=100))
        self.system = self._field("un_lgsp_system", line_edit(self._typed, limit=100))
        self._minutes = WholeNumber(theme)
        self._minutes.setRange(1, MOST_POLLING)
        self._minutes.setSuffix(" " + words("un_hold_minutes"))
        self._minutes.valueChanged.connect(lambda _value: self._typed())
        self.user = self._field("un_lgsp_user", line_edit(self._typed, limit=200))
        self.password = self._field("un_lgsp_password", secret_edit(self._typed))
        self.key = self._field("un_lgsp_key", secret_edit(self._typed))
        self.kept = label(role="muted", wrap=True)
        self._folder = line_edit(self._typed, limit=1000)
        self._folder.setAccessibleName(words("un_folder"))
        choose = button(words("ul_folder_choose"), self._choose)
        choose.setAccessibleName(words("ul_folder_choose_name", what=words("un_folder")))
        across = row(self._folder, choose)
        across.setStretch(0, 1)
        place = QWidget()
        place.setLayout(across)
        place.setFocusProxy(self._folder)
        self.folder = FormField(words("un_folder"), place, theme, words("un_folder_hint"))
        self._folder.setAccessibleName(words("un_folder"))
        polling = self._field("un_lgsp_polling", self._minutes)
        lgsp = QWidget()
        grid = QGridLayout(lgsp)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.space(4))
        grid.setVerticalSpacing(theme.space(2.5))
        self._grid = grid
        self._places = (self.url, self.application, self.system, polling, self.user, self.password, self.key, self.kept)
        self._columns = 0
        self._place(2)
        self._pages = {ChannelKind.SYNC: by_sync, ChannelKind.LGSP: lgsp, ChannelKind.FOLDER: self.folder}
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(6), 0, 0, 0)
        lines.setSpacing(theme.space(3))
        lines.addWidget(self._field("un_channel", self.kind))
        for page in self._pages.values():
            lines.addWidget(page)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window the fields stand below each other."""
        super().resizeEvent(event)
        self._place(1 if self.width() < self._shell.theme.space(_NARROW) else 2)

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for number, part in enumerate(self._places):
            self._grid.removeWidget(part)
            self._grid.addWidget(part, number // columns, number % columns)
        for column in range(2):
            self._grid.setColumnStretch(column, int(column < columns))

    @property
    def value(self) -> ChannelForm:
        """As typed."""
        return replace(
            self._base,
            kind=ChannelKind(self.kind.currentData()),
            url=self.url.line.text(),
            application=self.application.line.text(),
            system=self.system.line.text(),
            polling=self._minutes.value(),
            account=Account(self.user.line.text(), Secret(self.password.line.text()), Secret(self.key.line.text())),
            folder=self._folder.text(),
        )

    def set_value(self, form: ChannelForm) -> None:
        """Shows a channel; tells nobody."""
        self._showing = True
        self._base = form
        self.kind.setCurrentIndex([kind for kind, _key in CHANNELS].index(form.kind))
        account = form.account
        for field, text in (
            (self.url, form.url),
            (self.application, form.application),
            (self.system, form.system),
            (self.user, account.username),
            # Typed and not saved yet: another body was looked at meanwhile.
            (self.password, account.password.reveal()),
            (self.key, account.secret_key.reveal()),
        ):
            field.line.setText(text)
        self._minutes.setValue(form.polling)
        self._folder.setText(form.folder)
        self._show_page()
        self._showing = False

    def show_kept(self, code: str, kept: Mapping[str, Kept | None]) -> None:
        """Says where the account of the body with this code is."""
        words, where = self._shell.words, kept.get(code)
        told, glow = kept_words(where, words)
        self.kept.setText(told)
        repolish(self.kept, "role", "warn" if glow is Glow.WARN else "muted")
        for field in (self.user, self.password, self.key):
            field.line.setPlaceholderText(words("un_lgsp_new") if where is not None else "")

    def _field(self, key: str, editor: QWidget) -> FormField:
        return FormField(self._shell.words(key), editor, self._shell.theme)

    def _typed(self) -> None:
        if not self._showing:
            self._show_page()
            self.changed.emit()

    def _show_page(self) -> None:
        chosen = ChannelKind(self.kind.currentData())
        for kind, page in self._pages.items():
            page.setVisible(kind is chosen)

    def _choose(self) -> None:
        dialog = QFileDialog(self, self._shell.words("ul_folder_choose_title"), self._folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._folder.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
