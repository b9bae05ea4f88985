"""What follows when the other side began anew (restored, emptied, replaced): it is asked for each packet that it had
taken.

Main process, after a pass. Nothing local is ever deleted or sent again by itself: what the server no longer has is
shown, and a person decides. A few packets a pass, so that nothing else waits for thousands of questions; what is still
to be asked is in the database.
"""

from signer_app.exchange.channels import Way
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace

A_PASS = 200
"""Packets that are asked for in one pass."""


def watch_epoch(space: Workspace, way: Way, epoch: str) -> None:
    """Notes in which epoch the other side was met; in another one than before, all its receipts are to be asked for."""
    org = way.channel.org
    with space.store.view() as view:
        if view.notices.epoch(org) == epoch:
            return

    def work(tx: Transaction) -> None:
        if tx.notices.met(org, epoch):
            tx.outbox.ask_for_all(org)

    space.store.write(work)


def ask_for_taken(space: Workspace, way: Way, most: int = A_PASS) -> int:
    """Asks for packets that the other side had taken before it began anew; how many it no longer has, of those that
    were asked for now. ExchangeError when it can't be asked.
    """
    org = way.channel.org
    with space.store.view() as view:
        packets = view.outbox.to_ask(org, most)
    lost = 0
    for packet in packets:
        state = way.channel.status(packet.packet_id, packet.receipt or packet.proof or "")
        now = space.now()
        lost += state is None

        def work(tx: Transaction) -> None:
            tx.outbox.answered_for(packet.packet_id, there=state is not None, at=now)  # noqa: B023 - run at once
            if state is not None:  # noqa: B023
                tx.outbox.delivery(packet.packet_id, state)  # noqa: B023

        space.store.write(work)
    if packets:
        _tell_lost(space, org)
    return lost


def _tell_lost(space: Workspace, org: str) -> None:
    with space.store.view() as view:
        missing = view.outbox.missing(org)
    now = space.now()

    def work(tx: Transaction) -> None:
        tx.notices.take_back(org, "server_lost_packets")
        if missing:
            tx.notices.tell(org, "server_lost_packets", now, {"count": missing})

    space.store.write(work)
