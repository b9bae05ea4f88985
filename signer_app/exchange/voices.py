"""Which machine of a body answers senders of itself: the one that the server has chosen, and nothing twice.

Main process, after a pass. Of several machines of a body each reads the whole feed; only the chosen one tells senders
that their documents came (01), the others file in silence. A machine that is chosen later, or begins anew, asks the
server what was answered before. What a person decides is not concerned.
"""

from collections.abc import Callable

from signer_app.exchange.answering import answers_for, arrived_packet
from signer_app.exchange.channels import Way
from signer_app.exchange.session import exchanging_bodies
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import IncomingDocument
from signer_app.store.model import NewPacket
from signer_app.store.notices import Voice
from signer_app.store.settings import ChannelKind
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_sync.contract import ProblemCode, Role
from signer_sync.edxml_keys import fold_code
from signer_sync.errors import ExchangeError, Scope

Heard = Callable[[IncomingPacket], bool | None]
"""Whether our body has answered a packet already, from whichever machine; None: nobody can be asked now."""
_AT_ONCE = 200
"""Documents that were filed in silence and are answered for in one pass."""


def watch_role(space: Workspace, way: Way) -> None:
    """Notes whether this machine answers; says it when another machine of the body does, and ours only reads along.
    ExchangeError when the server can't be asked.
    """
    org = way.channel.org
    alone = _alone(way)
    now = space.now()

    def work(tx: Transaction) -> None:
        if alone is False:
            tx.notices.speaks(org, Voice.SILENT)
            tx.notices.tell(org, "second_machine", now)
            return
        tx.notices.take_back(org, "second_machine")
        before = tx.notices.voice(org)
        if alone is None:
            # An older server, or another kind of channel: nobody there knows of several machines.
            tx.notices.speaks(org, Voice.OURS)
        elif before in (None, Voice.SILENT):
            tx.notices.speaks(org, Voice.CATCHING_UP)

    space.store.write(work)


def _alone(way: Way) -> bool | None:
    try:
        me = way.me()
    except ExchangeError as error:
        if error.problem == "not-found":
            return None
        raise
    roles = next((one.roles for one in me.orgs if one.code == way.channel.org), ()) if me is not None else ()
    return Role.ACKS.value in roles if roles else None


def voices(space: Workspace) -> Callable[[str], Voice | None]:
    """Whether this machine answers for a body, as it stands now; None where that must be known before anything is
    filed, and isn't yet.
    """
    asked = {body.code for body in exchanging_bodies(space.settings) if body.channel is ChannelKind.SYNC}
    with space.store.view() as view:
        known = {code: view.notices.voice(code) for code in asked}
    return lambda org: known.get(org, Voice.OURS)


def heard_by(way: Way) -> Heard:
    """Asks the server of a way."""

    def heard(packet: IncomingPacket) -> bool | None:
        if (packet.org, packet.channel) != (way.channel.org, way.channel.traits.name):
            return None
        try:
            state = way.channel.status(packet.packet_id, "")
        except ExchangeError as error:
            if error.problem == ProblemCode.NOT_ALLOWED.code:
                # A server that tells it to the packet's sender alone: better twice than never.
                return False
            return None if error.unreachable or error.scope is Scope.SERVER else False
        own = fold_code(packet.org)
        told = state.recipients if state is not None else ()
        return any(one.business_code is not None for one in told if fold_code(one.org) == own)

    return heard


def catch_up(space: Workspace, way: Way) -> None:
    """After a pass that brought all that there was: what was filed in silence, and nobody has answered, is answered.
    What can't be had now is had after a later pass.
    """
    org = way.channel.org
    with space.store.view() as view:
        if view.notices.voice(org) is not Voice.CATCHING_UP:
            return
        silent = view.incoming.unanswered(org, _AT_ONCE)
        brought = {one.id: view.inbox.of_incoming(one.id) for one in silent}
    heard = heard_by(way)
    for document in silent:
        came = next((one for one in brought[document.id] if one.channel == way.channel.traits.name), None)
        said = heard(came) if came is not None else True
        if said is None:
            return
        if not said and (body := answers_for(space, org)) is not None:
            _tell(space, document, arrived_packet(space, body, document.id, document))
    space.store.write(lambda tx: tx.notices.speaks(org, Voice.OURS))


def _tell(space: Workspace, document: IncomingDocument, packet: NewPacket | None) -> None:
    def work(tx: Transaction) -> None:
        now = tx.incoming.get(document.id)
        if packet is not None and now is not None and now.state is document.state:
            tx.outbox.add(packet)

    space.store.write(work)
