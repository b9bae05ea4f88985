"""Another document in the place of one that was sent (type 3): what is asked of both, and what the packet says of it.

Pure over a view of the store; any process. The same for a document that was signed and kept, and for one that is signed
just now.
"""

from dataclasses import dataclass

from signer_app.exchange.holders import sent_in
from signer_app.store.model import InsteadOf
from signer_app.store.store import View
from signer_resources.errors import KnownError
from signer_sync import edxml


@dataclass(frozen=True)
class Place:
    """The place of a sent document: its số, ký hiệu, who has it (codes), and what the packet says that takes it."""

    label: str
    holding: tuple[str, ...]
    told: edxml.Replacement


def place_of(view: View, wish: InsteadOf, body: str | None) -> Place:
    """The place that a document of this body (None: not known yet) may take now.

    KnownError "replace_needs_reason", "recall_not_sent", "recall_nobody", "replace_other_body", "replaced_already".
    """
    reason = wish.reason.strip()
    if not reason:
        raise KnownError("replace_needs_reason")
    before, carrier, having = sent_in(view, wish.document_id)
    label = before.label or ""
    if body is not None and body != before.body_code:
        raise KnownError("replace_other_body")
    if view.outbox.replacing(wish.document_id) is not None:
        raise KnownError("replaced_already", label=label)
    holding = tuple(holder.org for holder in having if holder.has_it)
    if not holding:
        raise KnownError("recall_nobody")
    return Place(label, holding, edxml.Replacement((edxml.Replaced(carrier.edxml_id, holding),), reason))
