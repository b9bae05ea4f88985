"""What waits to be sent, how far what was sent has got with each receiver, and all that a person may do about it.

Main process, any thread; every method may block, so none is called on a UI thread. Each deed is one transaction; what
must be a packet is a durable blob before it. Sending itself is the exchange's affair, and no deed here needs a PIN.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from signer_app.deadlines import Deadlines
from signer_app.desk.sending_rows import LOUD_AFTER, LOUD_FOR, Deed, SendingItem, Standing, items
from signer_app.exchange import changing, withdrawing
from signer_app.exchange.holders import Holder, holders
from signer_app.exchange.outgoing import clerk
from signer_app.store.model import OutboxPacket, PacketReceiver
from signer_app.store.notices import Notice
from signer_app.store.queue import QueueRow
from signer_app.store.receivers import PaperReceiver
from signer_app.store.settings import Exchange
from signer_app.store.store import Transaction
from signer_app.store.times import VIETNAM
from signer_app.workdays import WorkCalendar
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError

__all__ = ["Deed", "DocumentSending", "Sending", "SendingItem", "SendingSnapshot", "Standing"]

_TO_ACT_ON = (Standing.RETURNED, Standing.DECLINED, Standing.NOT_REACHED, Standing.UNANSWERED)
SENT_LINES = 200
"""Lines of what was sent today."""


@dataclass(frozen=True)
class SendingSnapshot:
    """The list at one moment. `waiting`: not sent and not given up, `answers` to senders among them; `held`,
    `postponed` and `stuck` (those that need a person) are among them. `refused`: refused or lost, and not sent in
    another way yet. `answered`: receivers sent it back, declined to give it back, were not reached, or leave a hỏa tốc
    without an answer, and nobody has acted on it; of those `returned` sent back.
    """

    now: dt.datetime
    items: tuple[SendingItem, ...]
    waiting: int
    held: int
    postponed: int
    stuck: int
    refused: int
    returned: int
    answered: int
    red: int
    """Documents that must be pressed for."""
    oldest_unsent: dt.datetime | None
    next_at: dt.datetime | None
    """When the next one may leave; in the past where one may already."""
    notices: tuple[Notice, ...] = ()
    answers: int = 0

    @property
    def documents(self) -> int:
        """How many documents wait, and what is said of documents of ours."""
        return self.waiting - self.answers


@dataclass(frozen=True)
class PacketDetails:
    """One packet, and how far it is with each receiver."""

    item: SendingItem
    packet: OutboxPacket
    receivers: tuple[PacketReceiver, ...]


@dataclass(frozen=True)
class DocumentSending:
    """All packets of a document in the order in which they were made, and who has it by now."""

    packets: tuple[PacketDetails, ...]
    holders: tuple[Holder, ...]


class Sending:
    """The outbox as a person works with it."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    # ---- looking ---------------------------------------------------------------------------------------------------

    def look(self, *, sent: bool = True) -> SendingSnapshot:
        """The list now, with what was `sent` today. KnownError as `Store.view`."""
        now = self._space.now().astimezone(VIETNAM)
        midnight = dt.datetime.combine(now.date(), dt.time(), VIETNAM)
        with self._space.store.view() as view:
            silent = list(view.queue.silent(now - LOUD_FOR, now - LOUD_AFTER))
            rows = [*view.queue.waiting(), *silent]
            if sent:
                known = {row.packet_id for row in silent}
                rows += (row for row in view.queue.sent_since(midnight, SENT_LINES) if row.packet_id not in known)
            waiting, oldest = view.outbox.waiting(), view.outbox.oldest_unsent()
            next_at, notices, answers = view.outbox.next_time(), view.notices.unseen(), view.listings.answers_waiting()
        found = self._items(rows, now)
        count = dict.fromkeys(Standing, 0)
        for item in found:
            count[item.standing] += 1
        return SendingSnapshot(
            now=now,
            items=found,
            waiting=waiting,
            held=count[Standing.HELD],
            postponed=count[Standing.POSTPONED],
            stuck=count[Standing.NEEDS_PERSON] + count[Standing.UNDECIDED] + count[Standing.EXTERNAL],
            refused=count[Standing.REFUSED] + count[Standing.NOT_FORWARDED] + count[Standing.LOST],
            returned=count[Standing.RETURNED],
            answered=sum(count[one] for one in _TO_ACT_ON),
            red=sum(item.is_red(now) for item in found),
            oldest_unsent=oldest,
            next_at=next_at,
            notices=notices,
            answers=answers,
        )

    def packet(self, packet_id: str) -> PacketDetails:
        """One packet; KnownError "packet_moved_on" if there is none."""
        with self._space.store.view() as view:
            row, packet = view.queue.one(packet_id), view.outbox.get(packet_id)
            receivers = view.outbox.receivers(packet_id)
        if row is None or packet is None:
            raise KnownError("packet_moved_on")
        (item,) = self._items([row], self._space.now())
        return PacketDetails(item, packet, receivers)

    def document(self, document_id: str) -> DocumentSending:
        """How far a document is, and with whom."""
        with self._space.store.view() as view:
            packets = view.outbox.of_document(document_id)
            rows = [view.queue.one(packet.packet_id) for packet in packets]
            told = [view.outbox.receivers(packet.packet_id) for packet in packets]
            having = holders(view.outbox, document_id)
        by_id = {item.id: item for item in self._items([row for row in rows if row is not None], self._space.now())}
        details = (
            PacketDetails(by_id[packet.packet_id], packet, receivers)
            for packet, receivers in zip(packets, told, strict=True)
        )
        return DocumentSending(tuple(details), having)

    def _items(self, rows: Sequence[QueueRow], now: dt.datetime) -> tuple[SendingItem, ...]:
        settings = self._space.settings
        ours = {body.code for body in settings.bodies if body.exchange is Exchange.SERVER}
        today = now.astimezone(VIETNAM).date()
        deadlines = Deadlines.of(rules.load(today), WorkCalendar.of(settings.calendar))
        return items(rows, now, lambda org: org not in ours, deadlines.release)

    # ---- the queue -------------------------------------------------------------------------------------------------

    def postpone(self, packet_ids: Collection[str], until: dt.datetime) -> None:
        """Hoãn gửi: none of them leaves before `until`, all or nothing; KnownError "packet_moved_on" where one is on
        its way or sent, "postpone_past".
        """
        if until <= self._space.now():
            raise KnownError("postpone_past")
        self._for_each(packet_ids, lambda tx, packet_id: tx.outbox.postpone(packet_id, until))

    def send_now(self, packet_ids: Collection[str] | None = None) -> int:
        """Gửi ngay: takes holds and delays off them, or off all that wait, those excepted that a person has postponed,
        and those of which nobody knows whether they arrived. How many may leave now; who sends them must be woken.

        KnownError "packet_moved_on" for one that doesn't wait.
        """
        if packet_ids is not None:
            self._for_each(packet_ids, lambda tx, packet_id: tx.outbox.send_now(packet_id))
            return len(set(packet_ids))
        return self._space.store.write(lambda tx: tx.outbox.send_all_now())

    def withdraw(self, packet_id: str) -> OutboxPacket:
        """Bỏ khỏi hàng gửi; see `withdrawing.withdraw`."""
        return withdrawing.withdraw(self._space, packet_id)

    def say_arrived(self, packet_id: str, *, arrived: bool, sure: bool) -> None:
        """The answer to the question whether a packet arrived that nobody else can be asked about: it has, or it hasn't
        and goes again. KnownError "say_not_sure" unless the person is `sure`; "packet_moved_on" where it isn't asked.
        """
        if not sure:
            raise KnownError("say_not_sure")
        by, at = clerk(self._space), self._space.now()

        def say(tx: Transaction, packet_id: str) -> None:
            if arrived:
                tx.outbox.arrived(packet_id, by, at)
            else:
                tx.outbox.not_arrived(packet_id, by, at)

        self._for_each([packet_id], say)

    def settle(self, packet_id: str, orgs: Collection[str]) -> None:
        """Đã xử lý: a person has acted on what these receivers made of a packet. KnownError "packet_moved_on" where one
        of them waits for nobody (any more).
        """
        by, at = clerk(self._space), self._space.now()
        self._for_each([packet_id], lambda tx, packet_id: tx.outbox.settle(packet_id, orgs, by, at))

    def send_in_place(
        self,
        packet_id: str,
        receivers: Sequence[str] | None = None,
        paper: Sequence[PaperReceiver] | None = None,
    ) -> str:
        """Once more under a new id; see `changing.send_in_place`."""
        return changing.send_in_place(self._space, packet_id, receivers, paper)

    # ---- documents -------------------------------------------------------------------------------------------------

    def give(self, document_id: str, receivers: Sequence[str], paper: Sequence[PaperReceiver] | None = None) -> str:
        """Sends a document that was signed and kept; see `changing.give`."""
        return changing.give(self._space, document_id, receivers, paper)

    def recall(self, document_id: str, reason: str, receivers: Collection[str] | None = None) -> str:
        """Thu hồi văn bản; see `withdrawing.recall`. Never one click."""
        return withdrawing.recall(self._space, document_id, reason, receivers)

    def ask_back(self, document_id: str, reason: str, receivers: Collection[str] | None = None) -> tuple[str, ...]:
        """Yêu cầu lấy lại by status messages; see `withdrawing.ask_back`."""
        return withdrawing.ask_back(self._space, document_id, reason, receivers)

    def change_receivers(
        self,
        document_id: str,
        added: Sequence[str],
        removed: Sequence[str],
        reason: str = "",
        paper: Sequence[PaperReceiver] = (),
    ) -> str:
        """Cập nhật nơi nhận; see `changing.change_receivers`."""
        return changing.change_receivers(self._space, document_id, added, removed, reason, paper)

    def replace_sent(self, sent_id: str, document_id: str, reason: str, receivers: Sequence[str] | None = None) -> str:
        """Thay thế văn bản đã gửi; see `changing.replace_sent`."""
        return changing.replace_sent(self._space, sent_id, document_id, reason, receivers)

    # ---- notices ---------------------------------------------------------------------------------------------------

    def seen(self, notice: Notice) -> None:
        """A person has read it."""
        now = self._space.now()
        self._space.store.write(lambda tx: tx.notices.seen(notice.id, now))

    def _for_each(self, packet_ids: Collection[str], deed: Callable[[Transaction, str], None]) -> None:
        def work(tx: Transaction) -> None:
            for packet_id in dict.fromkeys(packet_ids):
                deed(tx, packet_id)

        try:
            self._space.store.write(work)
        except ValueError as error:
            raise KnownError("packet_moved_on") from error
