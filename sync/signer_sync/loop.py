"""The exchange of one body: one pass (send what waits, fetch what came), and pass after pass until told to stop.

Runs on one thread of the network pool, which alone speaks to the store. Where a channel can hold its list open, a
second thread does only that, as a doorbell: it rings when something came, and sending waits for nothing. A receipt is
the only proof of sending; nothing local is ever deleted because the other side has less.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.backoff import delay_after
from signer_sync.errors import ExchangeError
from signer_sync.ports import Channel, Contact, InboxStore, OutboxStore
from signer_sync.receiving import Received, receive_all
from signer_sync.reports import CancelledError, Outcome, PacketResult, Surroundings, SyncReport, Watching
from signer_sync.sending import send_due
from signer_sync.waking import Call, Doorbell, Wake

IDLE_SECONDS: Final = 300.0
"""Longest time between two passes; the contract of the provinces wants five minutes where nothing rings."""
TICK_SECONDS: Final = 5.0
"""How often a resting loop looks whether a packet's hold or delay is over."""
JUMP_SECONDS: Final = 60.0
"""A clock that is set back by more has made every delay too long."""


def sync_once(
    channel: Channel,
    outbox: OutboxStore,
    inbox: InboxStore,
    around: Surroundings,
    *,
    at_once: bool = False,
    wait: int = 0,
    watching: Watching | None = None,
) -> SyncReport:
    """One pass: makes sure that it is the right other side, sends what is due, fetches what came.

    `wait`: seconds that the list may be held open when there is nothing. Failures of the network end up in the report;
    what the stores raise (full disk) passes through.
    """
    results: list[PacketResult] = []
    so_far, contact, cancelled = Received(), None, False
    stopped: ExchangeError | None = None
    try:
        contact = channel.contact()
        stopped = _send(channel, outbox, around, results, at_once=at_once, watching=watching)
        receive_all(channel, outbox, inbox, contact.epoch, so_far, wait=wait, watching=watching)
    except ExchangeError as error:
        stopped = stopped or error
    except CancelledError:
        cancelled = True
    return _report(results, so_far, outbox.waiting(channel.org), contact, stopped, cancelled=cancelled)


def _send(
    channel: Channel,
    outbox: OutboxStore,
    around: Surroundings,
    results: list[PacketResult],
    *,
    at_once: bool,
    watching: Watching | None,
) -> ExchangeError | None:
    """What ended the sending early and need not end the pass: who takes no more from us may still have something."""
    try:
        send_due(channel, outbox, around, results, at_once=at_once, watching=watching)
    except ExchangeError as error:
        if error.unreachable:
            raise
        return error
    return None


def _report(
    results: list[PacketResult],
    so_far: Received,
    waiting: int,
    contact: Contact | None,
    stopped: ExchangeError | None,
    *,
    cancelled: bool,
) -> SyncReport:
    return SyncReport(
        sent=sum(result.outcome is Outcome.ACCEPTED for result in results),
        received=so_far.received,
        waiting=waiting,
        secret=so_far.secret,
        packets=tuple(results),
        incoming_problems=tuple(so_far.problems),
        given_up=tuple(so_far.given_up),
        stopped=stopped,
        server_time=contact.server_time if contact else None,
        epoch_changed=so_far.epoch_changed,
        directory_changed=so_far.directory_changed,
        cancelled=cancelled,
    )


def keep_exchanging(
    channel: Channel,
    outbox: OutboxStore,
    inbox: InboxStore,
    around: Surroundings,
    wake: Wake,
    told: Callable[[SyncReport], None],
    *,
    watching: Watching | None = None,
    idle: float = IDLE_SECONDS,
) -> None:
    """Pass after pass until `wake` is told to stop; `told` gets each pass's report.

    Between passes at most `idle` seconds, less when a packet comes due, something comes in or somebody calls; a growing
    delay while the other side can't be reached. A fault of the store ends its pass and is in the report's `stopped`.
    `cancelled` of `watching` ends passes, not the loop.
    """
    _Loop(channel, outbox, inbox, around, wake, told, watching or Watching(), idle).run()


class _Loop:
    def __init__(
        self,
        channel: Channel,
        outbox: OutboxStore,
        inbox: InboxStore,
        around: Surroundings,
        wake: Wake,
        told: Callable[[SyncReport], None],
        watching: Watching,
        idle: float,
    ) -> None:
        self._channel = channel
        self._outbox = outbox
        self._inbox = inbox
        self._around = around
        self._wake = wake
        self._told = told
        self._watching = replace(watching, cancelled=lambda: wake.stopped or watching.cancelled())
        self._idle = idle
        self._bell = Doorbell(channel, wake) if channel.traits.long_poll else None
        self._failures = 0
        self._ahead = self._clock_ahead()

    def run(self) -> None:
        call = Call.OPEN
        try:
            while Call.STOP not in call:
                call = self._turn(call)
        finally:
            if self._bell is not None:
                self._bell.close()

    def _turn(self, call: Call) -> Call:
        """One pass and the rest after it; what ended the rest."""
        if call & (Call.WORK | Call.OPEN | Call.NOW):
            self._failures = 0
        before = self._cursor()
        report = self._pass(call)
        self._told(report)
        # a doorbell that rings while nothing new can be had must not keep us running
        fruitless = Call.NEWS in call and self._cursor() == before
        calm = report.stopped is None and not report.incoming_problems
        self._failures = 0 if calm and not fruitless else self._failures + 1
        if self._failures == 0:
            return self._rest(self._idle, listen=True, look=True)
        delay = delay_after(report.stopped, self._failures, self._around.uniform)
        return self._rest(delay, listen=False, look=report.stopped is None)

    def _pass(self, call: Call) -> SyncReport:
        try:
            if Call.OPEN in call or self._set_back():
                self._outbox.forget_delays(self._channel.org)
            return sync_once(
                self._channel,
                self._outbox,
                self._inbox,
                self._around,
                at_once=Call.NOW in call,
                watching=self._watching,
            )
        except KnownError as error:
            return SyncReport(stopped=error)

    def _rest(self, seconds: float, *, listen: bool, look: bool) -> Call:
        """Rests until called, until a packet comes due (where `look`), or until the time is over."""
        if listen and self._bell is not None:
            self._bell.listen(self._cursor())
        end = self._around.monotonic() + seconds
        while (left := end - self._around.monotonic()) > 0:
            if call := self._wake.wait(min(left, TICK_SECONDS)):
                return call
            if look and self._is_due():
                return Call.NOTHING
        return Call.NOTHING

    def _is_due(self) -> bool:
        try:
            if self._set_back():
                self._outbox.forget_delays(self._channel.org)
            return bool(self._outbox.due(self._channel.org, self._around.now(), at_once=False))
        except KnownError:
            return True  # the pass meets the same fault, and tells it

    def _cursor(self) -> str | None:
        try:
            position = self._inbox.position(self._channel.org)
        except KnownError:
            return None
        return None if position is None else position.cursor

    def _set_back(self) -> bool:
        """Whether the clock was set back since it was last asked: then what is to wait until a time waits too long."""
        before, self._ahead = self._ahead, self._clock_ahead()
        return self._ahead < before - JUMP_SECONDS

    def _clock_ahead(self) -> float:
        return self._around.now().timestamp() - self._around.monotonic()
