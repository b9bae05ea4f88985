"""What we answer the senders of incoming documents: status messages, each for a document as it stands in its row.

Main process. The packet's blob is durable when it is handed back; the caller queues it in the transaction of what it
tells. Of a body for which another system exchanges nothing is answered.
"""

from signer_app.exchange.messages import status_packet
from signer_app.store.incoming_model import IncomingDocument, IncomingFacts
from signer_app.store.model import NewPacket
from signer_app.store.settings import Body, Exchange
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError
from signer_sync.edxml import ResponseFor, Staff, StatusCode


def answers_for(space: Workspace, org: str) -> Body | None:
    """The body in whose name this program answers; None where another system does, or nobody knows the body."""
    body = space.settings.body(org)
    return body if body is not None and body.exchange is Exchange.SERVER else None


def clerk_of(space: Workspace) -> str:
    """Who decides here, by name."""
    return space.settings.clerk or operator_name()


def status_of(
    space: Workspace,
    body: Body,
    incoming_id: str,
    about: IncomingDocument | IncomingFacts,
    code: StatusCode,
    description: str,
) -> NewPacket:
    """The message that tells `about`'s sender this code; raises as `status_packet`."""
    answered = ResponseFor(about.sender, about.label, about.issued, about.document_id)
    return status_packet(
        space,
        body,
        answered,
        code,
        description,
        Staff(name=clerk_of(space)),
        space.now(),
        incoming=incoming_id,
        about=about.label,
        urgency=about.urgency,
    )


def arrived_packet(
    space: Workspace, body: Body, incoming_id: str, about: IncomingDocument | IncomingFacts
) -> NewPacket | None:
    """What tells `about`'s sender that it came (01); None where nobody can be told."""
    if not about.sender or not about.document_id:
        return None
    try:
        return status_of(space, body, incoming_id, about, StatusCode.ARRIVED, "")
    except KnownError as error:
        if error.code != "edxml_invalid":
            raise
        # Its sender writes of itself what can't be written back; the document is here all the same.
        return None
