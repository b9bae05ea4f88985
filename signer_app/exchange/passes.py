"""One pass of sending and receiving for a body, and what is looked after when a pass went well.

Main process, on the network's threads; one pass of a body at a time. Network failures are in the report, offline is
normal.
"""

import datetime as dt
import random
from collections.abc import Callable
from contextlib import suppress

from signer_app.backup.reconciling import ask_for_unproven
from signer_app.exchange.answering import answers_for
from signer_app.exchange.channels import Way
from signer_app.exchange.directory import refresh, source_of
from signer_app.exchange.epochs import ask_for_taken, watch_epoch
from signer_app.exchange.filing import Filing
from signer_app.exchange.incoming import IncomingScreen
from signer_app.exchange.incoming_spool import Spool
from signer_app.exchange.voices import catch_up, heard_by, watch_role
from signer_app.registers.rights import NumberRights
from signer_app.signing.batch import never
from signer_app.signing.clock import TimeSource
from signer_app.store.inbox_stores import SqlInbox
from signer_app.store.settings import Body
from signer_app.store.sync_stores import SqlOutbox
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.errors import ExchangeError
from signer_sync.loop import sync_once
from signer_sync.ports import InboxStore, OutboxStore
from signer_sync.reports import Surroundings, SyncReport, Watching

DIRECTORY_AGE = dt.timedelta(hours=12)
ROLE_AGE = dt.timedelta(minutes=15)
_ROLE = "role"


def stores(space: Workspace, channel: str) -> tuple[OutboxStore, InboxStore]:
    """Outbox and inbox as the loop wants them; each channel has its own place in its feed."""
    screen = IncomingScreen(space.workers, space.folder.work)
    outbox = SqlOutbox(space.store, space.now, lambda org: answers_for(space, org) is not None)
    return outbox, SqlInbox(space.store, space.now, screen, Spool, channel=channel)


def surroundings(space: Workspace) -> Surroundings:
    """Time and chance for the loop."""
    return Surroundings(space.now, random.SystemRandom().uniform)


def try_again(space: Workspace) -> int:
    """Who asks for sending is the person that a stopped packet waited for: perhaps its cause was mended. How many are
    tried again.
    """
    return space.store.write(lambda tx: tx.outbox.try_again())


def forget_delays(space: Workspace) -> int:
    """The way to the server may be open again; holds stay. How many delays ended."""
    return space.store.write(lambda tx: tx.outbox.forget_delays())


def one_pass(
    space: Workspace,
    body: Body,
    *,
    at_once: bool,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = never,
) -> SyncReport:
    """Sends what waits and fetches what came, once, for one body. Network failures are in the report.

    `at_once` (Gửi ngay): neither delays nor the first minutes' hold are kept; what a person has postponed stays.
    `cancelled` is asked before each packet, either way; then KnownError "interrupted". KnownError "exchange_running"
    where another pass of the body runs, and as `Channels.get`.
    """
    way = space.channels.get(body)
    if not way.turn.acquire(blocking=False):
        raise KnownError("exchange_running")
    try:
        if at_once:
            way.hurry()
        outbox, inbox = stores(space, way.channel.traits.name)
        watching = Watching(progress=progress or (lambda _done, _count: None), cancelled=cancelled)
        around = surroundings(space)
        report = sync_once(way.channel, outbox, inbox, around, at_once=at_once, watching=watching)
        after_pass(space, way, report)
        if report.stopped is None and outbox.due(body.code, space.now(), at_once=False):
            # What came is filed by now; its senders hear so in the same pass.
            more = sync_once(way.channel, outbox, inbox, around, watching=watching)
            report = added(report, more, waiting=more.waiting)
    finally:
        way.turn.release()
    if report.cancelled:
        raise KnownError("interrupted")
    return report


def added(before: SyncReport, report: SyncReport, *, waiting: int) -> SyncReport:
    """Both reports in one; what stopped the later one stands, else what stopped the earlier."""
    return SyncReport(
        sent=before.sent + report.sent,
        received=before.received + report.received,
        waiting=waiting,
        secret=before.secret + report.secret,
        packets=(*before.packets, *report.packets),
        incoming_problems=(*before.incoming_problems, *report.incoming_problems),
        given_up=(*before.given_up, *report.given_up),
        stopped=report.stopped or before.stopped,
        server_time=report.server_time or before.server_time,
        epoch_changed=report.epoch_changed or before.epoch_changed,
        directory_changed=report.directory_changed or before.directory_changed,
        cancelled=report.cancelled or before.cancelled,
    )


def after_pass(space: Workspace, way: Way, report: SyncReport) -> None:
    """What the server said of the time; and, of a pass that went well, whether the other side began anew, whether
    another machine acknowledges, and the directory. What of that can't be had now is had after a later pass.
    """
    now = space.now()
    # Whose word it is that something came must be known before anything is filed.
    if not report.cancelled and (report.received or (report.stopped is None and _is_time(way, _ROLE, now, ROLE_AGE))):
        with suppress(ExchangeError):
            watch_role(space, way)
            way.looked[_ROLE] = now
    # What was received is acknowledged by now. No pass waits for what a first look can't decide: see `Rechecking`.
    filed = Filing(space, heard=heard_by(way)).run(ask_network=False)
    ahead = way.ahead()
    if ahead is not None:
        space.clock.saw(now + dt.timedelta(seconds=ahead), now, TimeSource.SERVER)
    if report.stopped is not None or report.cancelled:
        return
    with space.store.view() as view:
        position = view.inbox.position(way.channel.org, way.channel.traits.name)
    with suppress(ExchangeError):
        if position is not None:
            watch_epoch(space, way, position.epoch)
        ask_for_unproven(space, way)
        ask_for_taken(space, way)
        if not (report.incoming_problems or filed.stuck or filed.later):
            catch_up(space, way)
        if way.numbers is not None and (body := space.settings.body(way.channel.org)) is not None:
            NumberRights(space).look_after(body, way.numbers)
        if report.directory_changed or _directory_is_old(space, way, now):
            refresh(space, way.channel.directory, source=_source(way))


def _is_time(way: Way, what: str, now: dt.datetime, age: dt.timedelta) -> bool:
    before = way.looked.get(what)
    return before is None or not before <= now < before + age


def _source(way: Way) -> str:
    """Under which name the directory of a way is kept."""
    return source_of(way.channel.traits.name, way.channel.org)


def _directory_is_old(space: Workspace, way: Way, now: dt.datetime) -> bool:
    with space.store.view() as view:
        fetched_at = view.directory.state(_source(way)).fetched_at
    return fetched_at is None or not fetched_at <= now < fetched_at + DIRECTORY_AGE
