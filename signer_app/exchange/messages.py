"""Status messages (QCVN 102: 01 to 06, 13, 15, 16) as packets of the outbox: the one way by which they leave.

Main process. The packet's bytes are a durable blob when it is handed back; its row is written by the caller, in the
transaction of the decision that it tells.
"""

import datetime as dt

import msgspec

from signer_app.exchange.outgoing import clerk, exchanging_body, keep_packet
from signer_app.store.model import NewPacket, Urgency
from signer_app.store.settings import Body
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import REASONED, Organ, ResponseFor, Staff, StatusCode, StatusMessage
from signer_sync.edxml_write import write_status
from signer_sync.ids import uuid7


def status_packet(
    space: Workspace,
    body: Body,
    answered: ResponseFor,
    code: StatusCode,
    description: str,
    staff: Staff,
    now: dt.datetime,
    *,
    incoming: str,
    about: str = "",
    urgency: Urgency = Urgency.NORMAL,
) -> NewPacket:
    """What `body` answers about a document that came (`answered`: whose it is), to be queued by the caller.

    `incoming` is the id of that document here, `about` how the screen calls it. It is not held back. KnownError
    "exchange_external" where another system answers for the body, "status_needs_reason" for 02 without `description`,
    as `keep_packet` and `write_status`; ValueError for 13, which asks for a document of ours.
    """
    if code is StatusCode.ASKED_BACK:
        raise ValueError("13 answers nothing")
    message = StatusMessage(Organ(body.code, body.name), answered, code, description.strip(), now, staff)
    packet = _queued(space, body, message, answered.organ_code)
    return msgspec.structs.replace(packet, incoming=incoming, about=about, urgency=urgency)


def asking_back_packet(
    space: Workspace, body: Body, receiver: str, document_id: str, asked: ResponseFor, reason: str, now: dt.datetime
) -> NewPacket:
    """What asks one receiver for a document of ours back (13), to be queued by the caller. `asked` names our document,
    and the receiver as the one to whom it goes. Raises as `status_packet`.
    """
    message = StatusMessage(
        Organ(body.code, body.name), asked, StatusCode.ASKED_BACK, reason.strip(), now, Staff(name=clerk(space))
    )
    return msgspec.structs.replace(_queued(space, body, message, receiver), document_id=document_id)


def _queued(space: Workspace, body: Body, message: StatusMessage, receiver: str) -> NewPacket:
    exchanging_body(space, body.code)
    if message.code in REASONED and not message.description:
        raise KnownError("status_needs_reason")
    written = keep_packet(space, lambda out: write_status(message, out))
    return NewPacket(
        packet_id=uuid7(),
        document_id=None,
        org=body.code,
        kind=PacketKind.STATUS,
        sha256=written.sha256,
        size=written.size,
        created_at=message.at,
        receivers=(receiver,),
        edxml_id=written.document_id,
        operator=message.staff.name,
        status_code=message.code.value,
        reason=message.description or None,
    )
