"""The command `inbox`: what came, what its signatures are worth, what was made of it, and what still waits.

Main process, without the data folder's lock, so that it works beside a window. Of a secret packet only that it came.
"""

import argparse

from signer_app.cli.console import Console
from signer_app.desk.incoming_model import STATE_KEYS, asked_key, packet_state, verdict_key
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import IncomingDocument
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources.messages import text

_MOST = 10_000


def inbox(space: Workspace, _args: argparse.Namespace, console: Console) -> int:
    """Lists the documents, the newest first, and the packets that no document stands for."""
    with space.reader.view() as view:
        packets = view.inbox.without_document(_MOST)
        documents = sorted(view.incoming.touched_since(0), key=lambda one: one.arrived_at, reverse=True)
    if console.as_json:
        console.result(
            {
                "documents": [_document(document, console) for document in documents],
                "packets": [_packet(packet, console) for packet in packets],
            }
        )
    elif documents or packets:
        console.table(
            (
                "inbox_head_arrived",
                "inbox_head_sender",
                "head_document",
                "inbox_head_verdict",
                "inbox_head_arrival_number",
                "head_state",
            ),
            [*(_packet_row(one, console) for one in packets), *(_row(one, console) for one in documents)],
        )
    else:
        console.say("inbox_empty")
    return 0


def _state(document: IncomingDocument, console: Console) -> str:
    return text(asked_key(document) or STATE_KEYS[document.state], console.lang)


def _number(document: IncomingDocument) -> str:
    return f"{document.number}/{document.number_year}" if document.number is not None else ""


def _row(document: IncomingDocument, console: Console) -> list[str]:
    return [
        document.arrived_at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y"),
        document.sender_name or document.sender,
        document.label or document.subject,
        text(verdict_key(document), console.lang),
        _number(document),
        _state(document, console),
    ]


def _packet_row(packet: IncomingPacket, console: Console) -> list[str]:
    return [
        packet.received_at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y"),
        packet.from_org or "",
        packet.subject or packet.packet_id,
        "",
        "",
        text(packet_state(packet), console.lang),
    ]


def _document(document: IncomingDocument, console: Console) -> dict[str, object]:
    return {
        "id": document.id,
        "body": document.org,
        "document": document.label or None,
        "document_id": document.document_id or None,
        "sender": document.sender or None,
        "sender_name": document.sender_name or None,
        "subject": document.subject,
        "kind": document.kind.value,
        "urgency": int(document.urgency),
        "arrived_at": document.arrived_at.isoformat(),
        "verdict": document.verdict.value,
        "state": document.state.value,
        "asked": document.asked.value if document.asked is not None else None,
        "number": document.number,
        "year": document.number_year,
        "decided_at": document.decided_at.isoformat() if document.decided_at is not None else None,
        "decided_by": document.decided_by,
        "doubts": list(document.doubts),
        "message": _state(document, console),
    }


def _packet(packet: IncomingPacket, console: Console) -> dict[str, object]:
    return {
        "packet_id": packet.packet_id,
        "body": packet.org,
        "channel": packet.channel,
        "received_at": packet.received_at.isoformat(),
        "state": "secret" if packet.secret else "given_up" if packet.given_up else "filing",
        "message": text(packet_state(packet), console.lang),
    }
