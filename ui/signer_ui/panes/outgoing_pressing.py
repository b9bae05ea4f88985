"""The one button of the pane of outgoing documents: what it would sign, with which certificate, and the press itself.

UI thread. What stands on the button is the presenter's; signing is the flow's.
"""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from signer_ui.panes.outgoing_bench import Bench
from signer_ui.panes.outgoing_checking import Checking
from signer_ui.panes.outgoing_face import ListFace
from signer_ui.presenters import outgoing_signing as signing
from signer_ui.presenters.outgoing_signing import Press
from signer_ui.shell import Tab
from signer_ui.signing_flow import SigningFlow

_LOOK_KEY = "F9"
"""No Ctrl+Shift: that is how Unikey is switched off and on."""


class Pressing:
    """`look` is the entry that shows the stamped pages of what would be signed, also where nothing is doubtful."""

    def __init__(self, bench: Bench, face: ListFace, checking: Checking, flow: SigningFlow, parent: QWidget) -> None:
        self._bench, self._face, self._checking, self._flow = bench, face, checking, flow
        self._press: Press | None = None
        self.look = QAction(bench.shell.words("ul_look"), parent)
        self.look.setShortcut(QKeySequence(_LOOK_KEY))
        self.look.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.look.triggered.connect(lambda _checked=False: self.sign(send=True, show=True))
        parent.addAction(self.look)
        face.certificate.activated.connect(lambda place: checking.name(face.certificate.itemData(place)))
        face.only_sign_wanted.connect(lambda: self.sign(send=False))

    def offer_certificates(self) -> None:
        """Fills the box of certificates with those that are plugged in."""
        words, box = self._bench.shell.words, self._face.certificate
        box.clear()
        box.addItem(words("uo_with_auto"), None)
        for signer in signing.signers(self._bench.shell.hub.tokens):
            box.addItem(words("uo_with_item", name=signer.name, token=signer.token), signer.sha256)
        box.setCurrentIndex(max(0, box.findData(self._checking.wanted)))

    def enable(self, *, on_list: bool) -> None:
        """What can be signed of the rows now; `on_list`: nothing stands in place of the list."""
        bench, face, running = self._bench, self._face, self._flow.running
        totals = bench.totals()
        words, plugged, today = (
            bench.shell.words,
            signing.signers(bench.shell.hub.tokens),
            bench.shell.desk.now().date(),
        )
        # While it is being signed, the line that shows how far has the place of the button.
        face.foot.setVisible(bool(totals.count) and self._flow.busy() is None and on_list)
        self._press = press = signing.press(totals, self._checking.chosen.names, plugged, today, words)
        face.sign.setText(press.text)
        face.sign.setEnabled(bool(press.ids) and not running)
        face.only_sign.setVisible(press.sends)
        face.only_sign.setEnabled(not running)
        face.hint.setText(press.hint)
        self.look.setEnabled(bool(press.ids) and not running)
        named = self._checking.wanted in {signer.sha256 for signer in plugged}
        face.certificate.setVisible(named or signing.must_choose(totals, plugged, today))

    def sign(self, *, send: bool, show: bool = False) -> None:
        """Signs what is ticked; `send` False: it is kept. `show`: its pages are to be seen first."""
        press, bench = self._press, self._bench
        if press is None or not press.ids or self._flow.running:
            return
        if press.error is not None:
            check = (bench.shell.words("us_act_check_machine"), lambda: bench.shell.go(Tab.MACHINE))
            bench.notice.error(press.error, check)
            return
        bench.notice.clear()
        # The button goes off now and would hand the keyboard to whatever comes next.
        bench.grid.setFocus()
        self._flow.start(press.ids, press.certificate, send=send, show=show)
