"""Sending and receiving beside the window: one pass at a time, and what is known of the server.

Main process, on the network's thread. A pass that fails is no error here but part of the snapshot: offline is normal,
what waits goes by itself when the network is back.
"""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from signer_app.exchange.passes import forget_delays, one_pass, try_again
from signer_app.exchange.session import exchanging_bodies, has_channel
from signer_app.signing.batch import never
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.backoff import backoff

IDLE_S = 30.0
"""Seconds between two passes when all is well."""


class Link(StrEnum):
    """How the document server stands."""

    NOT_SET = "not_set"
    NOT_ENROLLED = "not_enrolled"
    NOT_ASKED = "not_asked"
    """Nobody has asked it since the program was started."""
    REACHED = "reached"
    AWAY = "away"


class Push(StrEnum):
    """Why a pass is made."""

    DUE = "due"
    """It is time; delays after failures are kept."""
    NOW = "now"
    """Something was signed, or the settings are others: no delay after a failure is kept; a hold is."""
    ASKED = "asked"
    """A person asks (Gửi ngay): neither hold nor delay, also what was stopped until someone mends its cause; only what
    a person has postponed stays.
    """


@dataclass(frozen=True)
class ExchangeSnapshot:
    """The server, and what waits for it. `since`: since when `link` is what it is."""

    link: Link = Link.NOT_ASKED
    since: dt.datetime | None = None
    error: KnownError | None = None
    sent: int = 0
    received: int = 0
    secret: int = 0
    waiting: int = 0
    oldest_unsent: dt.datetime | None = None
    next_in_s: float = IDLE_S
    """How long to wait before the next pass."""
    numbered: int = 0
    """Wishes for a number of a register on the server that were answered in the pass."""


class Exchange:
    """Remembers how the server answered from pass to pass; one thread."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._known = ExchangeSnapshot()
        self._failures = 0

    def look(self) -> ExchangeSnapshot:
        """What is known without asking anybody."""
        return self._snapshot(self._known.link, self._known.error, news=(0, 0, 0))

    def run(self, push: Push, cancelled: Callable[[], bool] = never) -> ExchangeSnapshot:
        """One pass for every body that exchanges by the server; `cancelled` is asked before each packet."""
        space = self._space
        settings = space.settings
        if not has_channel(settings):
            return self._snapshot(Link.NOT_SET, None, news=(0, 0, 0))
        bodies = exchanging_bodies(space.settings)
        if not bodies:
            return self._snapshot(Link.NOT_ENROLLED, None, news=(0, 0, 0))
        if push is Push.ASKED:
            try_again(space)
        elif push is Push.NOW:
            forget_delays(space)
        wishes = self._wishes()
        sent = received = secret = 0
        error: KnownError | None = None
        for body in bodies:
            try:
                report = one_pass(space, body, at_once=push is Push.ASKED, cancelled=cancelled)
            except KnownError as fault:
                error = fault
                continue
            sent, received, secret = sent + report.sent, received + report.received, secret + report.secret
            error = report.stopped or error
        self._failures = self._failures + 1 if error is not None else 0
        link = Link.REACHED if error is None else Link.AWAY
        told = self._snapshot(link, error, news=(sent, received, secret))
        return replace(told, numbered=max(0, wishes - self._wishes()))

    def _wishes(self) -> int:
        with self._space.store.view() as view:
            return view.leases.asked()

    def _snapshot(self, link: Link, error: KnownError | None, *, news: tuple[int, int, int]) -> ExchangeSnapshot:
        with self._space.store.view() as view:
            waiting, oldest, next_at = view.outbox.waiting(), view.outbox.oldest_unsent(), view.outbox.next_time()
        known = self._known
        since = known.since if known.link is link and known.since is not None else self._space.now()
        wait = backoff(self._failures, random.SystemRandom().uniform) if self._failures else IDLE_S
        if next_at is not None and not self._failures:
            # What is held for a moment leaves when the moment is over.
            wait = max(1.0, min(wait, (next_at - self._space.now()).total_seconds()))
        self._known = ExchangeSnapshot(link, since, error, *news, waiting, oldest, wait)
        return self._known
