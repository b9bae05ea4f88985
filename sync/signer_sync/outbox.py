"""The sending and receiving loop: one pass sends what waits, then fetches what came.

Runs on the network pool; the store does all writing. No SQL and no secrets here: the rows are the
store's, reached through the two Protocols, and this module decides only what becomes of a packet. A
receipt is the only proof of sending; one failing item never blocks the next; nothing local is ever
deleted because the server has less.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.contract import (
    MAX_PAGE,
    FeedItem,
    FeedPage,
    FeedType,
    JournalHead,
    Retry,
)
from signer_sync.errors import ExchangeError, Scope
from signer_sync.packets import OutgoingPacket, SignedReceipt
from signer_sync.ports import DocumentServer, FeedPosition, InboxStore, OutboxStore

BASE_DELAY: Final = 5.0
"""Seconds; upper bound of the first delay after a failure."""
MAX_DELAY: Final = 900.0
"""Seconds; the ceiling of the delay (15 minutes, Sync API §4.8)."""
MAX_RETRY_AFTER: Final = 3600.0
"""Seconds; a server that asks for more is asked again after this."""
MAX_PAGES: Final = 1000
"""Pages of the feed in one pass, against a feed without end."""
MAX_INCOMING: Final = 64 << 20
"""Bytes of a packet that is held in memory until it has been screened for secrecy marks."""


class Outcome(Enum):
    """What became of a packet in this pass."""

    ACCEPTED = "accepted"
    RETRYING = "retrying"
    NEEDS_PERSON = "needs_person"
    FAILED = "failed"


@dataclass(frozen=True)
class PacketResult:
    """One packet that was tried; `code` names the error, None if accepted."""

    packet_id: str
    outcome: Outcome
    code: str | None = None


@dataclass(frozen=True)
class IncomingProblem:
    """A packet of the feed that could not be fetched: not acknowledged, tried again in the next pass."""

    packet_id: str
    code: str


@dataclass(frozen=True)
class SyncReport:
    """One pass: how many packets were sent and received, how many still wait, and why it ended early."""

    sent: int = 0
    received: int = 0
    waiting: int = 0
    secret: int = 0
    packets: tuple[PacketResult, ...] = ()
    incoming_problems: tuple[IncomingProblem, ...] = ()
    stopped: ExchangeError | None = None
    server_time: str | None = None

    @property
    def unreachable(self) -> str | None:
        """The code of the error that kept us from the server, None if it was reached throughout."""
        return None if self.stopped is None else self.stopped.code


@dataclass(frozen=True)
class Surroundings:
    """What the loop takes from outside: the time (with an offset) and `uniform(low, high)`."""

    now: Callable[[], datetime]
    uniform: Callable[[float, float], float]


def backoff(attempts: int, uniform: Callable[[float, float], float]) -> float:
    """Seconds to wait after `attempts` failures: full jitter below a doubling bound, at most `MAX_DELAY`."""
    bound = min(MAX_DELAY, BASE_DELAY * 2.0 ** min(max(attempts, 1) - 1, 16))
    return uniform(0.0, bound)


def sync_once(
    server: DocumentServer,
    outbox: OutboxStore,
    inbox: InboxStore,
    around: Surroundings,
    *,
    at_once: bool = False,
    wait: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> SyncReport:
    """One pass: makes sure that it is our server, sends what is due, fetches what came.

    `wait`: seconds that the feed may be held open when there is nothing; `progress(done, total)` after
    each packet sent. Failures of the network end up in the report; what the stores raise (full disk)
    passes through.
    """
    sending, receiving, meta = _Sending(), _Receiving(), None
    stopped: ExchangeError | None = None
    try:
        meta = server.meta()
        _send_all(server, outbox, around, sending, at_once=at_once, progress=progress)
        _receive_all(server, outbox, inbox, meta.feed_epoch, receiving, wait=wait)
    except ExchangeError as error:
        stopped = error
    return SyncReport(
        sent=sum(result.outcome is Outcome.ACCEPTED for result in sending.results),
        received=receiving.received,
        waiting=outbox.waiting(server.org),
        secret=receiving.secret,
        packets=tuple(sending.results),
        incoming_problems=tuple(receiving.problems),
        stopped=stopped,
        server_time=meta.server_time if meta else None,
    )


def sync_until(
    stopped: Callable[[float], bool],
    one_pass: Callable[[], SyncReport],
    told: Callable[[SyncReport], None],
    uniform: Callable[[float, float], float],
    *,
    idle: float = 30.0,
) -> None:
    """Pass after pass until `stopped(seconds)`, which waits that long or shorter, says so.

    Between passes `idle` seconds, or a growing delay while the server cannot be reached.
    """
    failures = 0
    while True:
        report = one_pass()
        told(report)
        failures = failures + 1 if report.stopped is not None else 0
        if stopped(backoff(failures, uniform) if failures else idle):
            return


@dataclass
class _Sending:
    results: list[PacketResult] = field(default_factory=list)


@dataclass
class _Receiving:
    received: int = 0
    secret: int = 0
    problems: list[IncomingProblem] = field(default_factory=list)


def _send_all(
    server: DocumentServer,
    outbox: OutboxStore,
    around: Surroundings,
    sending: _Sending,
    *,
    at_once: bool,
    progress: Callable[[int, int], None] | None,
) -> None:
    due = sorted(
        outbox.due(server.org, around.now(), at_once=at_once),
        key=lambda packet: (-packet.urgency, packet.created_at, packet.packet_id),
    )
    for done, packet in enumerate(due, start=1):
        outbox.mark_sending(packet.packet_id)
        try:
            receipt = _put(server, packet, outbox.journal_head())
        except KnownError as error:
            sending.results.append(_settle(outbox, packet, error, around))
            _stop_if_server(server, error)
        else:
            outbox.accepted(packet.packet_id, receipt)
            sending.results.append(PacketResult(packet.packet_id, Outcome.ACCEPTED))
        if progress is not None:
            progress(done, len(due))


def _put(server: DocumentServer, packet: OutgoingPacket, head: JournalHead | None) -> SignedReceipt:
    """One attempt; a refusal of class `now` is repeated at once, one time."""
    try:
        return server.put_packet(packet, head)
    except ExchangeError as error:
        if error.retry is not Retry.NOW:
            raise
    return server.put_packet(packet, head)


def _settle(outbox: OutboxStore, packet: OutgoingPacket, error: KnownError, around: Surroundings) -> PacketResult:
    """Writes what becomes of a packet whose sending failed."""
    retry = error.retry if isinstance(error, ExchangeError) else Retry.FIX
    scope = error.scope if isinstance(error, ExchangeError) else Scope.ITEM
    if scope is Scope.SERVER or retry in (Retry.NOW, Retry.AFTER, Retry.REAUTH):
        delay = backoff(packet.attempts + 1, around.uniform)
        asked = error.retry_after if isinstance(error, ExchangeError) else None
        if asked is not None:
            delay = max(delay, min(asked, MAX_RETRY_AFTER))
        outbox.retry(packet.packet_id, error, around.now() + timedelta(seconds=delay))
        return PacketResult(packet.packet_id, Outcome.RETRYING, error.code)
    if retry is Retry.NEVER:
        outbox.failed(packet.packet_id, error)
        return PacketResult(packet.packet_id, Outcome.FAILED, error.code)
    outbox.needs_person(packet.packet_id, error)
    return PacketResult(packet.packet_id, Outcome.NEEDS_PERSON, error.code)


def _stop_if_server(server: DocumentServer, error: KnownError) -> None:
    """After a failure: goes on if only this packet is concerned, so that it cannot hold up the next."""
    if not isinstance(error, ExchangeError):
        return
    if error.scope is Scope.SERVER:
        raise error
    if error.unreachable:
        # raises if the server itself is away; else one packet was cut on its way, and the next may pass
        server.meta()


def _receive_all(
    server: DocumentServer,
    outbox: OutboxStore,
    inbox: InboxStore,
    epoch: str,
    receiving: _Receiving,
    *,
    wait: int,
) -> None:
    position = inbox.position(server.org)
    cursor = position.cursor if position is not None and position.epoch == epoch else None
    blocked = False
    for page_number in range(MAX_PAGES):
        try:
            page = server.feed(cursor, limit=MAX_PAGE, wait=wait if page_number == 0 else 0)
        except ExchangeError as error:
            if error.code != "epoch_changed" or cursor is None:
                raise
            epoch, cursor, blocked = server.meta().feed_epoch, None, False
            continue
        durable = 0
        for item in page.items:
            # later items are taken all the same, but an acknowledgement covers everything before it
            blocked = not _take(server, outbox, inbox, item, receiving) or blocked
            durable += not blocked
        _acknowledge(server, inbox, epoch, cursor, page, durable)
        cursor = page.cursor
        if not page.more:
            return


def _acknowledge(
    server: DocumentServer, inbox: InboxStore, epoch: str, before: str | None, page: FeedPage, durable: int
) -> None:
    """Acknowledges the first `durable` items of the page; its own cursor stands behind the last one only."""
    if durable == 0:
        return
    cursor = page.cursor
    if durable < len(page.items):
        shorter = server.feed(before, limit=durable, wait=0)
        if [item.seq for item in shorter.items] != [item.seq for item in page.items[:durable]]:
            return
        cursor = shorter.cursor
    server.ack(cursor)
    inbox.advance(server.org, FeedPosition(epoch, cursor))


def _take(
    server: DocumentServer, outbox: OutboxStore, inbox: InboxStore, item: FeedItem, receiving: _Receiving
) -> bool:
    """Brings one entry of the feed to disk; False if it has to be tried again."""
    try:
        if item.type is FeedType.DELIVERY:
            _take_delivery(server, outbox, item)
        elif item.type in (FeedType.PACKET, FeedType.STATUS):
            _take_packet(server, inbox, item, receiving)
    except ExchangeError as error:
        receiving.problems.append(IncomingProblem(item.id, error.code))
        _stop_if_server(server, error)
        return False
    return True


def _take_delivery(server: DocumentServer, outbox: OutboxStore, item: FeedItem) -> None:
    try:
        state = server.packet_state(item.id)
    except ExchangeError as error:
        if error.retry is Retry.NEVER:  # the server knows nothing of it any more: nothing to wait for
            return
        raise
    outbox.delivery(item.id, state)


def _take_packet(server: DocumentServer, inbox: InboxStore, item: FeedItem, receiving: _Receiving) -> None:
    if inbox.has(server.org, item.id, item.sha256):
        return
    try:
        data = server.fetch(item, limit=MAX_INCOMING)
    except ExchangeError as error:
        if error.code != "content_wrong":
            raise
        data = server.fetch(item, limit=MAX_INCOMING)
    if inbox.screen(server.org, item, data):
        inbox.record_secret(server.org, item.id)
        receiving.secret += 1
        return
    inbox.receive(server.org, item, data)
    receiving.received += 1
