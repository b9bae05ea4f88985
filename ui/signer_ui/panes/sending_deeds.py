"""What the clerk does with packets of the list *Chờ gửi*: each deed with its question where it needs one.

UI thread; deeds are done on the quick or the documents' lane (a new packet is written). Who sends is woken afterwards;
nothing is sent here.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from signer_app.desk.desk import Desk
from signer_app.desk.sending_rows import Standing
from signer_app.store.model import InsteadOf
from signer_app.store.receivers import PaperReceiver
from signer_resources.errors import KnownError
from signer_ui.panes import sending_work as work
from signer_ui.panes.receivers_dialog import ReceiversDialog
from signer_ui.panes.sending_change import ChangeDialog, PostponeDialog
from signer_ui.panes.sending_steps import RecallDialog, ReplaceDialog
from signer_ui.presenters.figures import count
from signer_ui.presenters.receivers import Choice
from signer_ui.presenters.sending_details import having, to_recall
from signer_ui.presenters.sending_list import concerned, local_time
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.notice import Notice

T = TypeVar("T")


class Deeds(QObject):
    """See the module. `back` gives the keyboard back to the list."""

    done = Signal()
    """Something was done: the list is others than before."""

    def __init__(self, shell: Shell, notice: Notice, back: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._shell, self._notice, self._back, self._parent = shell, notice, back, parent

    # ---- the queue -------------------------------------------------------------------------------------------------

    def send_now(self, packet_ids: Sequence[str]) -> None:
        """Gửi ngay: these leave at once; one press."""
        if packet_ids:
            self._run(lambda desk: desk.sending.send_now(packet_ids), self._going)

    def send_all(self) -> None:
        """Gửi ngay tất cả: what a person has postponed stays."""

        def going(number: int) -> None:
            self._going(number)
            # A person asks: what was stopped until someone mends its cause is tried again, too.
            self._shell.hub.send_now()

        self._run(lambda desk: desk.sending.send_now(), going)

    def _going(self, number: int) -> None:
        words = self._shell.words
        told = words("uq_going", count=count(number, words)) if number else words("uq_going_none")
        self._notice.tell(told, role="notice-good" if number else "notice-warn")
        if number:
            self._shell.hub.sync_now()

    def postpone(self, packet_ids: Sequence[str], until: dt.datetime) -> None:
        """Hoãn gửi."""
        words = self._shell.words
        time = local_time(until, self._shell.desk.now())
        told = words("uq_postponed", count=count(len(packet_ids), words), time=time)
        if packet_ids:
            self._run(lambda desk: desk.sending.postpone(packet_ids, until), lambda _none: self._notice.tell(told))

    def ask_time(self, packet_ids: Sequence[str]) -> None:
        """Hoãn gửi to a time that is typed."""
        ids = tuple(packet_ids)
        dialog = PostponeDialog(self._shell, self._parent)
        dialog.chosen.connect(lambda until: self.postpone(ids, until))
        dialog.open()

    def withdraw(self, found: work.Found) -> None:
        """Bỏ khỏi hàng gửi: asked once."""
        words, what = self._shell.words, _label(found)

        def sure() -> None:
            self._leave()
            self._run(lambda desk: desk.sending.withdraw(found.told.item.id), lambda _packet: self._withdrawn(found))

        self._ask(words("uq_withdraw_ask", label=what), words("uq_withdraw_why"), words("uq_withdraw_yes"), sure)

    def _withdrawn(self, found: work.Found) -> None:
        words, document = self._shell.words, found.told.item.row.document_id
        told = words("uq_withdrawn", label=_label(found))
        if document is None:
            self._notice.tell(told)
            return
        give = (words("uq_give"), lambda: self.give(document, _label(found), found.told.item.row.org, _codes(found)))
        self._notice.tell(told, give)

    def give(self, document: str, what: str, body: str, receivers: Sequence[str]) -> None:
        """Has receivers chosen for a document that was signed and kept, and queues it. The dialogue begins with what is
        known: `receivers`, else the lines by which it was signed; and with its paper list.
        """
        words = self._shell.words

        def known(desk: Desk) -> tuple[Sequence[str], Sequence[PaperReceiver]]:
            return receivers or desk.receivers.of_kept(document), desk.receivers.paper(document)

        def ask(told: tuple[Sequence[str], Sequence[PaperReceiver]]) -> None:
            lines, paper = told
            title = words("uq_r_title", label=what)
            done = words("uq_r_send")
            dialog = ReceiversDialog(self._shell, self._parent, title, body, lines, paper=paper, done=done)
            dialog.chosen.connect(chosen)
            dialog.open()

        def chosen(choice: Choice) -> None:
            self._run(
                lambda desk: desk.sending.give(document, choice.codes, choice.paper),
                lambda _id: self._queued(words("uq_given", label=what)),
                Lane.DOCUMENTS,
            )

        self._run(known, ask, changes=False)

    def settle(self, found: work.Found) -> None:
        """Đã xử lý: asked once, for those receivers that were shown."""
        words, row = self._shell.words, found.told.item.row
        orgs = found.told.item.to_settle
        if not orgs:
            return

        def sure() -> None:
            self._leave()
            told = words("uq_settled", label=_label(found))
            self._run(lambda desk: desk.sending.settle(row.packet_id, orgs), lambda _none: self._notice.tell(told))

        names = concerned(found.told.item, found.names, words)
        silent = found.told.item.standing is Standing.UNANSWERED
        ask = words("uq_called_ask" if silent else "uq_settle_ask", label=_label(found))
        self._ask(ask, names, words("uq_called_yes" if silent else "uq_settle_yes"), sure)

    def say_arrived(self, packet_id: str, *, arrived: bool) -> None:
        """The answer of a person who has said that they are sure."""
        self._run(
            lambda desk: desk.sending.say_arrived(packet_id, arrived=arrived, sure=True),
            lambda _none: None if arrived else self._shell.hub.sync_now(),
        )

    # ---- once more -------------------------------------------------------------------------------------------------

    def again(self, found: work.Found) -> None:
        """Gửi lại as it was: asked once."""
        words, what = self._shell.words, _label(found)
        number = count(len(found.told.receivers), words)

        def sure() -> None:
            self._leave()
            self._send_again(found, None)

        ask = words("uq_again_ask", label=what, count=number)
        self._ask(ask, words("uq_again_why"), words("uq_again_yes"), sure)

    def again_others(self, found: work.Found) -> None:
        """Gửi lại to receivers that are chosen anew."""
        words, row = self._shell.words, found.told.item.row
        title, document = words("uq_r_title", label=_label(found)), row.document_id or ""

        def ask(paper: Sequence[PaperReceiver]) -> None:
            done = words("uq_again_yes")
            dialog = ReceiversDialog(self._shell, self._parent, title, row.org, row.receivers, paper=paper, done=done)
            dialog.chosen.connect(lambda choice: self._send_again(found, choice))
            dialog.open()

        self._run(lambda desk: desk.receivers.paper(document), ask, changes=False)

    def _send_again(self, found: work.Found, choice: Choice | None) -> None:
        packet = found.told.item.id

        def send(desk: Desk) -> str:
            if choice is None:
                return desk.sending.send_in_place(packet)
            return desk.sending.send_in_place(packet, choice.codes, choice.paper)

        told = self._shell.words("uq_again_sent", label=_label(found))
        self._run(send, lambda _id: self._queued(told), Lane.DOCUMENTS)

    # ---- documents -------------------------------------------------------------------------------------------------

    def recall(self, found: work.Found) -> None:
        """Thu hồi văn bản: in two steps, with a reason."""
        words, document = self._shell.words, found.told.item.row.document_id
        asked = to_recall(found.document) if found.document is not None else ()
        if document is None or not asked:
            self._notice.tell(words("uq_recall_nobody"), role="notice-warn")
            return
        dialog = RecallDialog(self._shell, self._parent, _label(found), asked, found.names)

        def said() -> None:
            reason, receivers, old = dialog.reason_given, dialog.asked, dialog.old_way.isChecked()

            def do(desk: Desk) -> None:
                (desk.sending.ask_back if old else desk.sending.recall)(document, reason, receivers)

            self._run(do, lambda _none: self._queued(words("uq_recalled", label=_label(found))), Lane.DOCUMENTS)

        dialog.said.connect(said)
        dialog.open()

    def change(self, found: work.Found) -> None:
        """Cập nhật nơi nhận: in two steps."""
        words, row = self._shell.words, found.told.item.row
        document = row.document_id
        if document is None or found.document is None:
            return
        dialog = ChangeDialog(self._shell, self._parent, _label(found), row.org, having(found.document), found.names)
        dialog.chooser.failed.connect(self._notice.error)

        def said() -> None:
            choice, removed, reason = dialog.choice, dialog.removed, dialog.reason_given

            def do(desk: Desk) -> str:
                return desk.sending.change_receivers(document, choice.codes, removed, reason, choice.paper)

            self._run(do, lambda _id: self._queued(words("uq_changed", label=_label(found))), Lane.DOCUMENTS)

        dialog.said.connect(said)
        dialog.open()

    def replace(self, found: work.Found) -> None:
        """Thay thế: in two steps, by a document that was signed and kept, or by one once it is signed."""
        row = found.told.item.row
        document = row.document_id
        if document is None:
            return

        def known(found_ones: tuple[work.Candidate, ...]) -> None:
            dialog = ReplaceDialog(self._shell, self._parent, _label(found), found_ones)
            dialog.said.connect(lambda: self._replace(document, row.org, _label(found), dialog))
            dialog.open()

        self._run(lambda desk: work.candidates(desk, row.org, document), known, changes=False)

    def _replace(self, document: str, body: str, what: str, dialog: ReplaceDialog) -> None:
        other, reason = dialog.document, dialog.reason_given
        if other is None:
            return
        if other.draft:
            wish = InsteadOf(document_id=document, reason=reason)

            def waits(_none: None) -> None:
                self._notice.tell(self._shell.words("uq_replace_waits", other=other.label or other.what, label=what))
                self._shell.hub.poke_drafts()

            self._run(lambda desk: work.replace_once_signed(desk, other.id, wish, body), waits, Lane.DOCUMENTS)
            return
        told = self._shell.words("uq_replaced", other=other.label, label=what)
        self._run(
            lambda desk: desk.sending.replace_sent(document, other.id, reason),
            lambda _id: self._queued(told),
            Lane.DOCUMENTS,
        )

    # ---- pieces ----------------------------------------------------------------------------------------------------

    def _queued(self, told: str) -> None:
        self._notice.tell(told)
        self._shell.hub.sync_now()

    def _ask(self, what: str, why: str, yes: str, sure: Callable[[], None]) -> None:
        no = (self._shell.words("uq_no"), self._leave)
        self._notice.tell(what, (yes, sure), no, why=why, role="notice-warn", question=True)
        self._notice.focus_action()

    def _leave(self) -> None:
        self._notice.clear()
        self._back()

    def _run(
        self, do: Callable[[Desk], T], then: Callable[[T], None], lane: Lane = Lane.QUICK, *, changes: bool = True
    ) -> None:
        desk = self._shell.desk

        def ended(result: T) -> None:
            then(result)
            if changes:
                self._told()

        def failed(error: KnownError) -> None:
            self._notice.error(error)
            self._told()

        self._shell.tasks.run(self, lane, lambda _control: do(desk), ended, failed=failed)

    def _told(self) -> None:
        self.done.emit()
        self._shell.hub.poke_store()


def _label(found: work.Found) -> str:
    row = found.told.item.row
    return row.label or row.subject or row.packet_id


def _codes(found: work.Found) -> tuple[str, ...]:
    return found.told.item.row.receivers
