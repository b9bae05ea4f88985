"""The settings, in place of the tabs: sections on the left, the one in front beside them. UI thread.

A section is made when it is first shown, keeps what was typed while another is in front, and is saved by itself.
Leaving with something unsaved asks in place.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from signer_ui.shell import Pane, Shell
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.notice import Notice

if TYPE_CHECKING:
    from signer_ui.panes.settings_form import Section


# Each section is loaded when it is first shown: all of them at once would be a step that the eye sees.


def _bodies(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_bodies import BodiesSection

    return BodiesSection(shell)


def _hands(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_hands import HandsSection

    return HandsSection(shell)


def _server(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_server import ServerSection

    return ServerSection(shell)


def _network(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_network import NetworkSection

    return NetworkSection(shell)


def _sending(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_sending import SendingSection

    return SendingSection(shell)


def _timestamp(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_timestamps import TimestampSection

    return TimestampSection(shell)


def _drivers(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_machine import DriversSection

    return DriversSection(shell)


def _display(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_machine import DisplaySection

    return DisplaySection(shell)


def _folders(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_folders import FoldersSection

    return FoldersSection(shell)


def _trust(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_trust import TrustSection

    return TrustSection(shell)


def _backup(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_backup import BackupSection

    return BackupSection(shell)


def _updates(shell: Shell) -> "Section[Any]":
    from signer_ui.panes.settings_updates import UpdatesSection

    return UpdatesSection(shell)


_SECTIONS: tuple[tuple[str, Callable[[Shell], "Section[Any]"]], ...] = (
    ("ue_section_bodies", _bodies),
    ("ub_section_hands", _hands),
    ("ue_section_server", _server),
    ("un_section_network", _network),
    ("un_section_sending", _sending),
    ("ue_section_tsa", _timestamp),
    ("ue_section_drivers", _drivers),
    ("ul_section_folders", _folders),
    ("ue_section_display", _display),
    ("ux_section", _trust),
    ("bk_section", _backup),
    ("up_section", _updates),
)
_NARROW = 240
"""Units of width."""


class SettingsPane(Pane):
    """All settings of this machine; `section` is the title's key of the one that is shown first."""

    def __init__(self, shell: Shell, section: str = "") -> None:
        super().__init__(shell)
        words, space = shell.words, shell.theme.space
        self._first = next((number for number, (key, _make) in enumerate(_SECTIONS) if key == section), 0)
        self._sections: dict[int, Section[Any]] = {}
        self._leaving = False
        self._narrow = False
        self.notice = Notice(words, shell.theme)
        self.back = button(words("ue_back"), self._back)
        self.list = QListWidget()
        self.list.setAccessibleName(words("ue_sections"))
        self.list.setFixedWidth(space(48))
        self.list.setSpacing(space(0.75))
        self.choice = Choice(shell.theme)
        self.choice.setAccessibleName(words("ue_sections"))
        self.choice.hide()
        for key, _make in _SECTIONS:
            self.list.addItem(QListWidgetItem(words(key)))
            self.choice.addItem(words(key))
        self.choice.activated.connect(self.list.setCurrentRow)
        self.list.currentRowChanged.connect(self.choice.setCurrentIndex)
        self._stack = QStackedWidget()
        self._places: list[QVBoxLayout] = []
        for _section in _SECTIONS:
            place = QWidget()
            self._places.append(QVBoxLayout(place))
            self._places[-1].setContentsMargins(0, 0, 0, 0)
            self._stack.addWidget(place)
        across = QHBoxLayout()
        across.setSpacing(space(4))
        across.addWidget(self.list)
        across.addWidget(self._stack, 1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(space(4), space(3), space(4), space(3))
        lines.setSpacing(space(3))
        lines.addLayout(row(label(words("ue_title"), "title"), self.choice, 1, self.back, spacing=space(4)))
        lines.addWidget(self.notice)
        lines.addLayout(across, 1)
        # Painted first, then the section comes; the list chooses its first row as soon as it has the keyboard.
        begin = QTimer(self)
        begin.setSingleShot(True)
        begin.timeout.connect(self._begin)
        begin.start(0)

    def first_control(self) -> QWidget:
        """The list of the sections, however it is shown."""
        return self.choice if self._narrow else self.list

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """In a narrow window the sections are chosen in the line of the title, and their fields have the width."""
        super().resizeEvent(event)
        narrow = self.width() < self.shell.theme.space(_NARROW)
        if narrow is self._narrow:
            return
        focused = self.focusWidget() is self.first_control()
        self._narrow = narrow
        # Each of both may have another size follow at once: what holds then is asked for, not what held before.
        self.choice.setVisible(self._narrow)
        self.list.setVisible(not self._narrow)
        if focused:
            self.first_control().setFocus()

    def section(self, number: int) -> "Section[Any]":
        """The section, from 0; made when it is first asked for."""
        if number not in self._sections:
            made = _SECTIONS[number][1](self.shell)
            made.edited.connect(self._mark)
            made.saved.connect(self._go_on_leaving)
            self._sections[number] = made
            made.refused.connect(self._stay)
            self._places[number].addWidget(made)
        return self._sections[number]

    def show_section(self, section: str) -> None:
        """Brings this section to the front."""
        found = next((number for number, (key, _make) in enumerate(_SECTIONS) if key == section), None)
        if found is not None:
            self.list.setCurrentRow(found)

    def may_leave(self) -> bool:
        """Asks in place when something is unsaved; work with a token is waited for."""
        if any(section.working for section in self._sections.values()):
            self.notice.tell(self.shell.words("ue_busy_trial"), role="notice-warn")
            return False
        if not self._unsaved():
            return True
        words = self.shell.words
        names = ", ".join(words(_SECTIONS[number][0]) for number in self._unsaved())
        self.notice.tell(
            words("ue_leave_unsaved", sections=names),
            (words("ue_leave_save"), self._save_and_leave),
            (words("ue_leave_discard"), self._discard_and_leave),
            role="notice-warn",
        )
        return False

    def busy(self) -> str | None:
        """Unsaved settings would be lost."""
        if any(section.working for section in self._sections.values()):
            return "ue_busy_trial"
        return "ue_busy_unsaved" if self._unsaved() else None

    def stop(self) -> None:
        """Lets go of what is unsaved; what is being written is written whole."""
        self._discard()

    def _begin(self) -> None:
        self.list.setCurrentRow(self._first or max(0, self.list.currentRow()))
        self._show(self.list.currentRow())
        self.list.currentRowChanged.connect(self._show)

    def _show(self, number: int) -> None:
        self.section(number)
        self._stack.setCurrentIndex(number)

    def _unsaved(self) -> list[int]:
        return [number for number, section in sorted(self._sections.items()) if section.dirty or section.saving]

    def _mark(self) -> None:
        """A dot beside the sections with something unsaved."""
        words = self.shell.words
        unsaved = self._unsaved()
        for number, (key, _make) in enumerate(_SECTIONS):
            name = words(key)
            shown = words("ue_section_unsaved", name=name) if number in unsaved else name
            self.list.item(number).setText(shown)
            self.choice.setItemText(number, shown)
        if not unsaved:
            self.notice.clear()

    def _back(self) -> None:
        if self.may_leave():
            self.left.emit()

    def _save_and_leave(self) -> None:
        self.notice.clear()
        self._leaving = True
        self._save_next()

    def _go_on_leaving(self) -> None:
        if self._leaving:
            self._save_next()

    def _stay(self) -> None:
        self._leaving = False

    def _save_next(self) -> None:
        """One after the other; one that is wrong stays in front and says what is wrong."""
        unsaved = self._unsaved()
        if not unsaved:
            self._leaving = False
            self.left.emit()
            return
        self.list.setCurrentRow(unsaved[0])
        self._sections[unsaved[0]].save()

    def _discard_and_leave(self) -> None:
        self._discard()
        self.left.emit()

    def _discard(self) -> None:
        for section in self._sections.values():
            if section.dirty:
                section.discard()
