"""The command `sync`: enrol this machine, send what waits, fetch what came.

Main process, under the data folder's lock. Sending needs no PIN; only `--enrol` asks for one.
"""

import argparse
import threading
from dataclasses import replace

from signer_app.cli import pin as pin_source
from signer_app.cli.console import Console, message_of
from signer_app.cli.stopping import stop_signal, wait_for
from signer_app.custody.book import require_holder
from signer_app.exchange.exchanger import Exchanger
from signer_app.exchange.passes import added, one_pass, try_again
from signer_app.exchange.rechecking import Rechecking
from signer_app.exchange.session import enrol, exchanging_bodies, has_channel, server_address
from signer_app.pdf.model import Profile
from signer_app.signing.certificates import choose, require_fit
from signer_app.signing.login import log_in
from signer_app.store.settings import Body
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text
from signer_sync.reports import Outcome, SyncReport


def sync(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """One pass with --once, else pass after pass until a signal; --enrol first makes this machine known."""
    if args.enrol:
        return _enrol(space, args, console)
    if not has_channel(space.settings):
        raise KnownError("server_not_set")
    if not exchanging_bodies(space.settings):
        raise KnownError("not_enrolled")
    if args.once:
        try_again(space)
        report = _pass(space, console)
        _tell(space, report, console)
        troubled = report.waiting or report.incoming_problems or report.given_up
        return 0 if report.stopped is None and not troubled else 1
    return _until_signal(space, console)


def _pass(space: Workspace, console: Console) -> SyncReport:
    """One pass for every body of this machine; the reports added up."""
    total = SyncReport()
    with console.progress() as progress:
        for body in exchanging_bodies(space.settings):
            report = one_pass(
                space, body, at_once=True, progress=lambda done, count: progress("progress_send", done, count)
            )
            total = added(total, report, waiting=total.waiting + report.waiting)
    Rechecking(space).run()
    return total


def _until_signal(space: Workspace, console: Console) -> int:
    """A loop for each body; for people each pass that did something is told, for scripts all of them once, at the
    end.
    """
    total, away, turn = SyncReport(), False, threading.Lock()

    def told(_body: Body, report: SyncReport) -> None:
        nonlocal total, away
        with turn:
            news, away = report.stopped is not None and not away, report.stopped is not None
            # A pass that went well has mended what stopped the one before.
            total = replace(added(total, report, waiting=report.waiting), stopped=report.stopped)
            if not console.as_json and (report.sent or report.received or news):
                _tell(space, report, console)

    stop = threading.Event()
    # Gửi ngay: what is held leaves in the first pass.
    space.store.write(lambda tx: tx.outbox.send_all_now())
    with stop_signal(stop), Exchanger(space, told):
        wait_for(stop)
    if console.as_json:
        with space.store.view() as view:
            total = replace(total, waiting=view.outbox.waiting())
        _tell(space, total, console)
    return 0


def _tell(space: Workspace, report: SyncReport, console: Console) -> None:
    if console.as_json:
        console.result(
            {
                "sent": report.sent,
                "received": report.received,
                "waiting": report.waiting,
                "packets": [
                    {
                        "packet_id": packet.packet_id,
                        "outcome": packet.outcome.value,
                        "code": packet.code,
                    }
                    for packet in report.packets
                ],
                "stopped": message_of(report.stopped, console.lang) if report.stopped else None,
            }
        )
        return
    if report.stopped is not None:
        console.error(report.stopped)
    for packet in report.packets:
        if packet.outcome is not Outcome.ACCEPTED:
            _warn_of(space, packet.packet_id, console)
    with space.store.view() as view:
        notices = view.notices.unseen()
    for notice in notices:
        console.warn(KnownError(notice.code, **notice.params))
    if report.secret:
        console.warn(KnownError("incoming_secret", count=report.secret))
    console.say("sync_done", sent=report.sent, received=report.received, waiting=report.waiting)


def _warn_of(space: Workspace, packet_id: str, console: Console) -> None:
    """Why a packet was not taken, as the store keeps it."""
    with space.store.view() as view:
        packet = view.outbox.get(packet_id)
    if packet is not None and packet.error_code is not None:
        console.warn(KnownError(packet.error_code, **packet.error_params))


def _enrol(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    server_address(space.settings)
    pin_source.require_source(from_stdin=args.pin_stdin)
    tokens = space.hosts.tokens().required()
    chosen = choose(tokens, args.cert, [Profile.AGENCY], space.settings, space.trust, space.now())
    require_fit(chosen, space.now())
    require_holder(space.store, chosen.certificate.sha256, chosen.token.serial)
    login = pin_source.ask(
        console,
        space,
        chosen,
        text("pin_for_enrolment", console.lang),
        from_stdin=args.pin_stdin,
        final_try=args.final_try,
    )
    with log_in(space, chosen, login) as session:
        done = enrol(space, chosen, session)
    if console.as_json:
        console.result({"enrolled": {"org": done.org, "server": done.server_id, "key_store": done.key_store.value}})
    else:
        console.say("enrol_done", org=done.org, store=done.key_store.value)
    return 0
