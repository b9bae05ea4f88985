"""The machine check: a light a matter with what was found and what to do, asked again by one button. UI thread.

What can be known without asking follows the hub; the network and the whole database are asked only when the clerk wants
it. Shows, and leads to where something can be mended; takes a person's word about the clock, after asking twice.
"""

import importlib.metadata
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from signer_app.desk.check_values import Check, CheckName, merged
from signer_app.desk.lights import UNDER, Light
from signer_resources.errors import KnownError
from signer_ui.panes.machine_diagnostic import DiagnosticBox
from signer_ui.presenters.machine import CheckView, LightView, Mend, machine_view, report
from signer_ui.shell import Pane, Shell
from signer_ui.tabs import Tab
from signer_ui.tasks import Handle, Lane
from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, column, label, row
from signer_ui.widgets.light import glow_icon

_LIGHT = 5
"""Size of a light, in steps of the theme."""
_SMALL = 3
"""Of one of the checks below it."""


class MachinePane(Pane):
    """The lights."""

    scrolls = True

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._standing: tuple[Check, ...] = ()
        self._asked: dict[CheckName, Check] = {}
        """What was asked stays until it is asked again or something newer is known."""
        self._version = importlib.metadata.version("signer")
        self.cards = {light: _Card(theme, light, self._mend) for light in Light}
        self._looking: Handle | None = None
        self._again = False
        self._asking = 0
        self._confirming = False
        """The clerk was asked whether the clock is really right."""
        self.summary = label(words("ut_machine_checking"), "heading", wrap=True)
        self.when = label(role="muted")
        self.check_again = button(words("ut_check_again"), self.ask, "primary")
        self.code = label(role="strong")
        self.code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = button(words("ut_copy_report"), self._copy)
        self.diagnostic = DiagnosticBox(shell, lambda: self.checks)
        self.save = button(words("ua_diagnostic"), self.diagnostic.begin)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(_page(list(self.cards.values()), theme))
        margin = theme.space(4)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(margin, theme.space(3), margin, margin)
        lines.setSpacing(theme.space(3))
        head = row(spacing=theme.space(2))
        head.addLayout(column(self.summary, self.code, self.when, spacing=0), 1)
        head.addWidget(self.save)
        head.addWidget(self.copy)
        head.addWidget(self.check_again)
        lines.addLayout(head)
        lines.addWidget(self.diagnostic)
        lines.addWidget(scroll, 1)
        shell.hub.tokens_changed.connect(self._news)
        shell.hub.exchange_changed.connect(self._server_news)
        shell.hub.settings_changed.connect(self._other_settings)
        shell.hub.levels_changed.connect(self._levels_news)

    def first_control(self) -> QWidget:
        """The button that asks anew."""
        return self.check_again

    def shown(self) -> None:
        """Looks at what can be seen without asking anybody."""
        self._confirming = False
        self._look()

    def _news(self, _snapshot: object) -> None:
        if self.isVisible():
            self._look()

    def _server_news(self, _snapshot: object) -> None:
        self._asked.pop(CheckName.SERVER, None)
        self._news(_snapshot)

    def _levels_news(self) -> None:
        self._news(None)

    def _other_settings(self, _settings: object) -> None:
        self._asked.clear()
        self._news(_settings)

    def _look(self) -> None:
        if self._looking is not None and self._looking.running:
            self._again = True
            return
        self._again = False
        hub, desk = self.shell.hub, self.shell.desk
        tokens, exchange = hub.tokens, hub.exchange
        self._looking = self.shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda _control: desk.checks.standing(tokens, exchange),
            self._looked,
            failed=self.shell.notice,
        )

    def _looked(self, checks: tuple[Check, ...]) -> None:
        self._standing = checks
        self._refresh()
        if self._again:
            self._look()

    def ask(self) -> None:
        """Asks everything: the network, the disk, the whole database."""
        if self._asking:
            return
        hub, desk, tasks = self.shell.hub, self.shell.desk, self.shell.tasks
        tokens = hub.tokens
        self.check_again.setEnabled(False)
        self.when.setText(self.shell.words("ut_machine_checking"))
        self._asking = 2
        hub.poke_tokens()
        self._look()
        tasks.run(self, Lane.NETWORK, lambda _control: desk.checks.asked(tokens), self._told, failed=self._not_told)
        tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda _control: desk.checks.database(),
            lambda one: self._told((one,)),
            failed=self._not_told,
        )

    def _told(self, checks: Sequence[Check]) -> None:
        self._asked.update({check.name: check for check in checks})
        self._asking -= 1
        if not self._asking:
            self.check_again.setEnabled(True)
            now = self.shell.desk.now().strftime("%H:%M:%S")
            self.when.setText(self.shell.words("ut_machine_checked", time=now))
        self._refresh()
        # News about revocation may be in hand by now.
        self._look()

    def _not_told(self, error: KnownError) -> None:
        self._told(())
        if error.code != "interrupted":
            self.shell.notice(error)

    @property
    def checks(self) -> tuple[Check, ...]:
        """All lights as they are shown."""
        return merged(self._standing, tuple(self._asked.values()))

    def _copy(self) -> None:
        text = report(self.checks, self._version, self.shell.desk.now(), self.shell.words)
        QGuiApplication.clipboard().setText(text)
        self.shell.notice("ut_report_copied")

    def _refresh(self) -> None:
        trying = self.shell.hub.quiet.wanted
        words = self.shell.words
        view = machine_view(self.checks, words, confirming=self._confirming, trying=trying, version=self._version)
        self.summary.setText(view.summary)
        self.code.setText(words("doctor_support_code", code=view.code))
        for light in view.lights:
            self.cards[light.light].show_view(light)

    def _mend(self, way: Mend) -> None:
        match way:
            case Mend.SETTINGS:
                self.settings_wanted.emit("")
            case Mend.NETWORK:
                self.settings_wanted.emit("un_section_network")
            case Mend.TRUST:
                self.settings_wanted.emit("ux_section")
            case Mend.BACKUP:
                self.settings_wanted.emit("bk_section")
            case Mend.TOKENS:
                self.shell.go(Tab.TOKEN)
            case Mend.CLOCK:
                self._confirming = True
                self._refresh()
            case Mend.CLOCK_SURE:
                self._accept_clock()
            case Mend.LEVELS:
                self.shell.hub.quiet.run_now()
                self._refresh()

    def _accept_clock(self) -> None:
        desk = self.shell.desk
        self._confirming = False
        self.shell.tasks.run(
            self,
            Lane.QUICK,
            lambda _control: desk.checks.accept_clock(),
            lambda _done: self._look(),
            failed=self.shell.notice,
        )


def _page(cards: Sequence[QWidget], theme: Theme) -> QWidget:
    """Two cards side by side."""
    page = QWidget()
    page.setProperty("role", "page")
    grid = QGridLayout(page)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(theme.space(3))
    for at, card in enumerate(cards):
        grid.addWidget(card, at // 2, at % 2)
    grid.setColumnStretch(0, 1)
    grid.setColumnStretch(1, 1)
    grid.setRowStretch(len(cards), 1)
    return page


class _Card(QFrame):
    """One of the eight lights with what is told below it. Words change in place: the keyboard stays where it is."""

    def __init__(self, theme: Theme, light: Light, mend: Callable[[Mend], None]) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "card")
        self._light = QLabel()
        self._title = label(role="strong")
        self._state = label(role="muted")
        names = UNDER[light]
        self._parts = {name: _Part(theme, mend, titled=len(names) > 1) for name in names}
        lines = QVBoxLayout(self)
        lines.setContentsMargins(theme.space(4), theme.space(3), theme.space(4), theme.space(3))
        lines.setSpacing(theme.space(2))
        lines.addLayout(row(self._light, self._title, 1, self._state, spacing=theme.space(2)))
        for part in self._parts.values():
            lines.addWidget(part)
        lines.addStretch(1)
        self.hide()

    def show_view(self, light: LightView) -> None:
        """Shows how the matter stands now."""
        size = self._theme.space(_LIGHT)
        self._light.setPixmap(glow_icon(self._theme, light.glow).pixmap(size, size))
        self._light.setAccessibleName(light.state)
        self.setAccessibleName(f"{light.title}: {light.state}")
        self._title.setText(light.title)
        self._state.setText(light.state)
        for check in light.checks:
            self._parts[check.name].show_view(check)
        self.show()


class _Part(QWidget):
    """One check below a light; `titled`: one of several there, so that it bears its own name and light."""

    def __init__(self, theme: Theme, mend: Callable[[Mend], None], *, titled: bool) -> None:
        super().__init__()
        self._theme = theme
        self._titled = titled
        self._way: Mend | None = None
        self._light = QLabel()
        self._title = label()
        self._state = label(role="muted")
        self._told = [label(role=role, wrap=True) for role in ("muted" if titled else None, "muted", None)]
        self._act = button("", lambda: mend(self._way) if self._way is not None else None)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(0.5))
        if titled:
            lines.addLayout(row(self._light, self._title, 1, self._state, spacing=theme.space(2)))
        for told in self._told:
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            lines.addWidget(told)
        lines.addLayout(row(self._act, 1))
        self.hide()

    def show_view(self, check: CheckView) -> None:
        """Shows how it stands now."""
        if self._titled:
            size = self._theme.space(_SMALL)
            self._light.setPixmap(glow_icon(self._theme, check.glow).pixmap(size, size))
            self._light.setAccessibleName(check.state)
            self._title.setText(check.title)
            self._state.setText(check.state)
        for told, text in zip(self._told, (check.found, check.why, check.do), strict=True):
            told.setText(text)
            told.setVisible(bool(text))
        self._way = check.mend
        self._act.setText(check.mend_words)
        self._act.setAccessibleDescription(check.title)
        self._act.setVisible(check.mend is not None)
        self.show()
