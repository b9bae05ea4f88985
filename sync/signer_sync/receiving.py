"""The receiving half of a pass: what came is brought to disk, and acknowledged once it is durable.

On the calling thread of the network pool; the store does all writing. Later entries are taken although an earlier one
is stuck, but an acknowledgement covers everything before it, so it stops there; what can never be had is recorded and
passed over, so that it doesn't stop for good. Nothing local is ever deleted because the other side has less.
"""

from dataclasses import dataclass, field
from typing import Final

from signer_sync.contract import MAX_PAGE, FeedType, ProblemCode, Retry
from signer_sync.errors import ExchangeError, Scope
from signer_sync.packets import Arrival, ArrivalPage, BinarySink
from signer_sync.ports import Channel, FeedPosition, InboxStore, OutboxStore, Taken
from signer_sync.reports import CancelledError, IncomingProblem, Watching
from signer_sync.sending import stop_if_all_concerned

MAX_PAGES: Final = 1000
"""Pages of the list in one pass, against a list without end."""
MAX_INCOMING: Final = 512 << 20
"""Bytes of the largest packet that is fetched."""
PATIENCE: Final = 5
"""Passes in which a packet may not be there, or its bytes be others than announced, before it is given up."""


@dataclass
class Received:
    """What a pass has brought so far."""

    received: int = 0
    secret: int = 0
    problems: list[IncomingProblem] = field(default_factory=list)
    given_up: list[IncomingProblem] = field(default_factory=list)
    epoch_changed: bool = False
    directory_changed: bool = False


def receive_all(
    channel: Channel,
    outbox: OutboxStore,
    inbox: InboxStore,
    epoch: str,
    so_far: Received,
    *,
    wait: int = 0,
    watching: Watching | None = None,
) -> None:
    """Fetches what came, page after page; `epoch` as the channel's `contact` told it.

    `wait`: seconds that the first page may be held open. ExchangeError when the other side as a whole is the trouble,
    CancelledError, and whatever the store raises.
    """
    _Receiver(channel, outbox, inbox, so_far, watching or Watching()).run(epoch, wait)


class _Receiver:
    def __init__(
        self, channel: Channel, outbox: OutboxStore, inbox: InboxStore, so_far: Received, watching: Watching
    ) -> None:
        self._channel = channel
        self._outbox = outbox
        self._inbox = inbox
        self._so_far = so_far
        self._watching = watching
        self._blocked = False

    def run(self, epoch: str, wait: int) -> None:
        position = self._inbox.position(self._channel.org)
        cursor = position.cursor if position is not None and position.epoch == epoch else None
        self._so_far.epoch_changed = position is not None and position.epoch != epoch
        for number in range(MAX_PAGES):
            try:
                page = self._channel.list(cursor, limit=MAX_PAGE, wait=wait if number == 0 else 0)
            except ExchangeError as error:
                if cursor is None or not (error.code == "epoch_changed" or _is_unknown_place(error)):
                    raise
                if error.code == "epoch_changed":
                    epoch = self._channel.contact().epoch
                    self._so_far.epoch_changed = True
                cursor, self._blocked = None, False
                continue
            durable = self._take_page(page)
            self._acknowledge(epoch, cursor, page, durable)
            cursor = page.cursor
            if not page.more:
                return

    def _take_page(self, page: ArrivalPage) -> int:
        """Takes what it can; how many entries from the first on need not come again."""
        durable = 0
        for arrival in page.items:
            if self._watching.cancelled():
                raise CancelledError
            self._blocked = not self._done_with(arrival) or self._blocked
            durable += not self._blocked
        return durable

    def _acknowledge(self, epoch: str, before: str | None, page: ArrivalPage, durable: int) -> None:
        """Acknowledges the first `durable` entries of the page; its own cursor stands behind the last one only."""
        cursor = page.cursor
        if durable < len(page.items):
            if durable == 0:
                return
            shorter = self._channel.list(before, limit=durable, wait=0)
            if [arrival.id for arrival in shorter.items] != [arrival.id for arrival in page.items[:durable]]:
                return
            cursor = shorter.cursor
        elif self._blocked:
            return
        if durable:
            self._channel.ack(cursor)
        self._inbox.advance(self._channel.org, FeedPosition(epoch, cursor))

    def _done_with(self, arrival: Arrival) -> bool:
        """Whether an entry need not come again: it is on disk here, or it can never be had."""
        try:
            self._take(arrival)
        except ExchangeError as error:
            if self._hopeless(arrival, error):
                self._inbox.give_up(self._channel.org, arrival, error)
                self._so_far.given_up.append(IncomingProblem(arrival.id, error.code))
                return True
            self._so_far.problems.append(IncomingProblem(arrival.id, error.code))
            stop_if_all_concerned(self._channel, error)
            return False
        return True

    def _hopeless(self, arrival: Arrival, error: ExchangeError) -> bool:
        if error.scope is Scope.SERVER or error.unreachable:
            return False
        if error.code != "content_wrong" and error.retry not in (Retry.NEVER, Retry.FIX):
            return False
        # whatever of the entry itself was garbled on its way is right again when the list is read anew
        return self._inbox.missed(self._channel.org, arrival, error) >= PATIENCE

    def _take(self, arrival: Arrival) -> None:
        org = self._channel.org
        match arrival.type:
            case FeedType.PACKET | FeedType.STATUS:
                self._take_packet(arrival)
            case FeedType.DELIVERY:
                self._take_delivery(arrival)
            case FeedType.DIRECTORY:
                self._so_far.directory_changed = True
            case FeedType.NOTICE:
                self._inbox.told(org, arrival)
            case None:
                raise ExchangeError("arrival_unknown", retry=Retry.FIX)

    def _take_packet(self, arrival: Arrival) -> None:
        org = self._channel.org
        if self._inbox.has(org, arrival):
            return

        def fetch(sink: BinarySink) -> None:
            self._channel.fetch(arrival, sink, limit=MAX_INCOMING)

        try:
            taken = self._inbox.take(org, arrival, fetch)
        except ExchangeError as error:
            if error.code != "content_wrong":
                raise
            taken = self._inbox.take(org, arrival, fetch)
        self._so_far.received += taken is Taken.KEPT
        self._so_far.secret += taken is Taken.SECRET

    def _take_delivery(self, arrival: Arrival) -> None:
        try:
            state = self._channel.status(arrival.id, "")
        except ExchangeError as error:
            if error.scope is Scope.ITEM and error.retry is Retry.NEVER:
                # the other side knows nothing of it any more: nothing to wait for
                return
            raise
        if state is not None:
            self._outbox.delivery(arrival.id, state)


def _is_unknown_place(error: ExchangeError) -> bool:
    """Whether the other side can make nothing of a cursor: garbled on its way to us, and kept so. What lies behind it
    is found from the start, where nothing is taken twice.
    """
    return error.problem == ProblemCode.BAD_REQUEST.code
