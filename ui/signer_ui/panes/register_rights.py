"""Who gives the numbers of the registers that a server keeps: said above the outgoing register, taken and given back in
a dialogue.

UI thread; the server is asked on the network's lane. Taking the right ends another machine's, so it takes two steps.
"""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from signer_app.registers.rights import Right, Standing, has_server_registers
from signer_resources.errors import KnownError
from signer_sync.contract import RegisterOffer
from signer_ui.panes.register_dialog import FormDialog
from signer_ui.presenters.register_forms import right_told
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button
from signer_ui.widgets.inputs import Choice

_WIDTH = 150
"""Units of spacing."""


def may_have_rights(shell: Shell) -> bool:
    """Whether a server may keep registers of one of the bodies, and this machine is known there."""
    settings = shell.hub.settings
    return any(
        has_server_registers(body) and (server := settings.server_of(body)) is not None and body.code in server.devices
        for body in settings.bodies
    )


class RightsDialog(FormDialog):
    """Which register, who gives its numbers now, and what is to be."""

    changed = Signal(str)
    """What to say of it."""

    def __init__(self, shell: Shell, body: str | None, parent: QWidget) -> None:
        super().__init__(shell, "ur_right_title", "ur_right_hint", "ur_right_take", _WIDTH, parent)
        words = shell.words
        self.body = Choice(shell.theme)
        for one in shell.hub.settings.bodies:
            if has_server_registers(one):
                self.body.addItem(one.name, one.code)
        self.body.setCurrentIndex(max(0, self.body.findData(body)))
        if self.body.count() > 1:
            self.add("ur_paper_body", self.body)
        self.register = Choice(shell.theme)
        self.add("ur_right_register", self.register)
        self.back = button(words("ur_right_back"), self._give_back)
        self.back.setAutoDefault(False)
        self.back.setEnabled(False)
        self.buttons.insertWidget(0, self.back)
        self._standings: dict[str, Standing] = {}
        self.yes.setEnabled(False)
        self.body.activated.connect(lambda _at: self._ask())
        self.register.activated.connect(lambda _at: self._chosen())
        self._ask()
        self.register.setFocus()

    @property
    def _code(self) -> str:
        return str(self.body.currentData())

    def _ask(self) -> None:
        desk, code = self.shell.desk, self._code
        self.register.clear()
        self._enable(False)
        self.remark(self.shell.words("ur_right_asking"), "muted")
        self.shell.tasks.run(
            self,
            Lane.NETWORK,
            lambda _control: (desk.number_rights.offers(code), desk.number_rights.standings()),
            lambda found: self._came(code, *found),
            failed=self._not_asked,
        )

    def _came(self, code: str, offers: Sequence[RegisterOffer], standings: Sequence[Standing]) -> None:
        if code != self._code:
            return
        self._standings = {one.register_id: one for one in standings if one.body_code == code}
        for offer in offers:
            self.register.addItem(offer.name, offer)
        self._chosen()

    def _not_asked(self, error: KnownError) -> None:
        self.refuse(error)
        self._enable(False)

    def _chosen(self) -> None:
        offer, words = self._offer, self.shell.words
        if offer is None:
            self.remark(words("ur_right_none"), "muted")
            self._enable(False)
            return
        standing = self._standings.get(offer.id) or Standing(offer.id, self._code, offer.name, Right.ELSEWHERE)
        self.remark(right_told(standing, words), "muted")
        self._enable(True)

    @property
    def _offer(self) -> RegisterOffer | None:
        found = self.register.currentData()
        return found if isinstance(found, RegisterOffer) else None

    def _enable(self, known: bool) -> None:
        offer = self._offer
        standing = self._standings.get(offer.id) if known and offer is not None else None
        ours = standing is not None and standing.right is not Right.ELSEWHERE
        self.yes.setEnabled(known and (standing is None or standing.right is not Right.HERE))
        self.back.setEnabled(known and ours)

    def answer(self) -> None:
        """Takes the right."""
        offer, code, desk = self._offer, self._code, self.shell.desk
        if offer is None:
            return
        self._enable(False)
        self.shell.tasks.run(
            self,
            Lane.NETWORK,
            lambda _control: desk.number_rights.take(code, offer),
            lambda _lease: self._done("ur_right_taken", offer.name),
            failed=self._failed,
        )

    def _give_back(self) -> None:
        offer, code, desk = self._offer, self._code, self.shell.desk
        if offer is None:
            return
        self._enable(False)
        self.shell.tasks.run(
            self,
            Lane.NETWORK,
            lambda _control: desk.number_rights.give_back(code, offer.id),
            lambda _none: self._done("ur_right_given_back", offer.name),
            failed=self._failed,
        )

    def _failed(self, error: KnownError) -> None:
        self._enable(True)
        told = self.shell.words.explain(error)
        self.remark(" ".join(part for part in (told.what, told.why, told.do) if part))

    def _done(self, key: str, register: str) -> None:
        self.accept()
        self.changed.emit(self.shell.words(key, register=register))
