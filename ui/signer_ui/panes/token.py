"""The pane *USB ký số*: what is plugged in, which certificates are on it, and for whom they are used. UI thread.

Draws what the presenter says and follows the hub; a press of a button becomes a change of the settings. Never logs in.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.presenters.token import (
    CertificateCard,
    Offer,
    SetBody,
    TokenCard,
    TokenPage,
    changed,
    token_page,
)
from signer_ui.shell import Pane, Shell, Tab
from signer_ui.widgets.basics import button, frame, label, row
from signer_ui.widgets.light import glow_icon
from signer_ui.widgets.pin_change import change_pin

_NOTICES = {Glow.GOOD: "notice-good", Glow.WARN: "notice-warn", Glow.BAD: "notice-bad", Glow.OFF: "card"}


class TokenPane(Pane):
    """Live: follows tokens and settings."""

    scrolls = True

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self._again = button(words("us_token_again"), shell.hub.poke_tokens)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        margin = theme.space(4)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(margin, theme.space(3), margin, margin)
        lines.setSpacing(theme.space(2))
        book = button(words("us_token_book"), self.custody_wanted.emit)
        lines.addLayout(row(label(words("us_token_title"), "heading"), 1, book, self._again, spacing=theme.space(2)))
        lines.addWidget(self._scroll, 1)
        self._page: TokenPage | None = None
        shell.hub.tokens_changed.connect(self._refresh)
        shell.hub.settings_changed.connect(self._refresh)
        self._refresh()

    def first_control(self) -> QWidget:
        """The button that looks anew."""
        return self._again

    def shown(self) -> None:
        """Looks at once instead of at the next round."""
        self.shell.hub.poke_tokens()

    def _refresh(self, *_news: object) -> None:
        hub = self.shell.hub
        page = token_page(hub.tokens, hub.settings, self.shell.words)
        if page == self._page:
            return
        self._page = page
        held = self._held()
        self._scroll.setWidget(self._draw(page))
        if held:
            self._hold_again(held)

    def _held(self) -> str:
        """The certificate whose button has the keyboard, if one has."""
        focus = self._scroll.focusWidget()
        return str(focus.property("certificate") or "") if focus is not None and focus.hasFocus() else ""

    def _hold_again(self, certificate: str) -> None:
        """The buttons were drawn anew: the keyboard stays with the certificate that it was at."""
        for made in self._scroll.findChildren(QPushButton):
            if made.property("certificate") == certificate:
                made.setFocus()
                return
        self._again.setFocus()

    def _draw(self, page: TokenPage) -> QWidget:
        inner = QWidget()
        inner.setProperty("role", "page")
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(self.shell.theme.space(3))
        if page.waiting:
            lines.addWidget(label(page.waiting, "muted"))
        for error in page.errors:
            lines.addWidget(self._error(error))
        for card in page.cards:
            lines.addWidget(self._token(card))
        lines.addStretch(1)
        return inner

    def _error(self, error: KnownError) -> QFrame:
        words, theme = self.shell.words, self.shell.theme
        told = words.explain(error)
        made = frame("card" if error.code == "no_token" else "notice-bad")
        made.setAccessibleName(str(told))
        lines = _inside(made, theme.space(4), theme.space(1))
        lines.addWidget(label(told.what, "heading", wrap=True))
        for text in (told.why, told.do):
            if text:
                lines.addWidget(label(text, wrap=True))
        check = button(words("us_act_check_machine"), lambda: self.shell.go(Tab.MACHINE))
        lines.addSpacing(theme.space(1))
        lines.addLayout(row(check, 1))
        return made

    def _token(self, card: TokenCard) -> QFrame:
        theme = self.shell.theme
        made = frame("card")
        made.setAccessibleName(card.name)
        lines = _inside(made, theme.space(4), theme.space(2))
        lines.addLayout(row(label(card.name, "heading"), 1, label(card.where, "small"), spacing=theme.space(3)))
        light = QLabel()
        light.setFixedWidth(theme.space(3))
        light.setPixmap(glow_icon(theme, card.glow).pixmap(theme.space(3), theme.space(3)))
        state = label(card.pin, _TONES[card.glow], wrap=True)
        told = row(light, state, spacing=theme.space(2))
        told.setStretchFactor(state, 1)
        lines.addLayout(told)
        if card.empty:
            lines.addWidget(label(card.empty, wrap=True))
        if card.pin_of:
            change = button(self.shell.words("us_change_button"), lambda: self._change_pin(card.pin_of))
            change.setAccessibleName(self.shell.words("us_change_button_name", token=card.name))
            lines.addLayout(row(change, 1))
        for certificate in card.certificates:
            lines.addWidget(_line())
            lines.addWidget(self._certificate(certificate))
        return made

    def _certificate(self, card: CertificateCard) -> QWidget:
        theme = self.shell.theme
        made = QWidget()
        made.setAccessibleName(card.name)
        lines = QVBoxLayout(made)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        lines.addWidget(label(card.name, "strong", wrap=True))
        if card.warning:
            warning = frame(_NOTICES[card.glow])
            _inside(warning, theme.space(2), 0).addWidget(label(card.warning, "strong", wrap=True))
            lines.addWidget(warning)
        facts = QGridLayout()
        facts.setHorizontalSpacing(theme.space(4))
        facts.setVerticalSpacing(theme.space(1))
        facts.setColumnStretch(1, 3)
        facts.setColumnStretch(3, 2)
        for number, (what, value) in enumerate(card.facts):
            line, side = divmod(number, 2)
            said = label(value, wrap=True)
            said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            said.setAccessibleName(f"{what}: {value}")
            facts.addWidget(label(what, "muted"), line, 2 * side, Qt.AlignmentFlag.AlignTop)
            facts.addWidget(said, line, 2 * side + 1)
        lines.addLayout(facts)
        lines.addWidget(label(card.use, wrap=True))
        # Names of bodies are long: each has a line of its own, so that nothing is cut off on a small screen.
        for offer in card.offers:
            if isinstance(offer.change, SetBody):
                lines.addLayout(row(self._offer(offer, card), 1))
        roles = [self._offer(offer, card) for offer in card.offers if not isinstance(offer.change, SetBody)]
        lines.addLayout(row(*roles, 1, spacing=theme.space(2)))
        return made

    def _change_pin(self, certificate: str) -> None:
        shell = self.shell

        def changed_it() -> None:
            shell.notice("us_change_done")
            shell.hub.poke_tokens()

        change_pin(shell, self, certificate, changed_it, shell.notice)

    def _offer(self, offer: Offer, card: CertificateCard) -> QPushButton:
        made = button(offer.words, self._wish(offer))
        made.setAccessibleName(f"{offer.words} ({card.name})")
        made.setProperty("certificate", offer.change.certificate)
        return made

    def _wish(self, offer: Offer) -> Callable[[], None]:
        return lambda: self.shell.hub.keep_settings(lambda settings: changed(settings, offer.change))


_TONES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}


def _inside(outer: QFrame, margin: int, spacing: int) -> QVBoxLayout:
    lines = QVBoxLayout(outer)
    lines.setContentsMargins(margin, margin, margin, margin)
    lines.setSpacing(spacing)
    return lines


def _line() -> QFrame:
    made = QFrame()
    made.setFrameShape(QFrame.Shape.HLine)
    made.setProperty("role", "line")
    return made
