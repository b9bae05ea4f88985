"""What the list *Chờ gửi* has done on other threads: reading it, one of its packets, what may come in another's place.

Blocks; touches no widget, loads no Qt. Names are read over the readers' connection, so that no signing waits.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from signer_app.desk.desk import Desk
from signer_app.desk.reading import reading
from signer_app.desk.register import SentPacket, Years
from signer_app.desk.sending import DocumentSending, PacketDetails
from signer_app.desk.sending_rows import Calm, SendingItem, Standing
from signer_app.exchange.directory import names_of
from signer_app.exchange.replacing import place_of
from signer_app.outgoing.model import Changes, State
from signer_app.store.listings import RegisterEntry
from signer_app.store.model import DocumentState, InsteadOf
from signer_app.store.notices import Notice
from signer_sync.contract import PacketKind
from signer_ui.presenters.outgoing_kinds import is_sent
from signer_ui.presenters.sending_list import Sums

_GIVEN_UP = (Standing.REFUSED, Standing.WITHDRAWN)


@dataclass(frozen=True, eq=False)
class Queue:
    """The list at one moment; `names` by the codes in it."""

    items: tuple[SendingItem, ...] = ()
    by_id: Mapping[str, SendingItem] = field(default_factory=dict, repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)
    notices: tuple[Notice, ...] = ()
    paper: int = 0
    """Documents of which a copy on paper is still to be sent."""


@dataclass(frozen=True)
class Found:
    """One packet; `document`, with the receipts of its packets, where it is about one of ours."""

    told: PacketDetails
    document: DocumentSending | None
    receipts: tuple[SentPacket, ...]
    names: Mapping[str, str]


def look(desk: Desk, known: Queue) -> Queue:
    """The list now; its lines are the very same tuple as in `known` while none of them has changed."""
    snapshot = desk.sending.look()
    items = known.items if snapshot.items == known.items else snapshot.items
    unsent = (item for item in items if item.row.accepted_at is None and item.calm is not Calm.DONE)
    documents = (item for item in unsent if item.row.kind is not PacketKind.STATUS and item.standing not in _GIVEN_UP)
    oldest = min(documents, key=lambda item: item.since, default=None)
    names = names_in(desk, {code for item in items for code in (item.row.org, *item.row.receivers)})
    sums = Sums(
        waiting=snapshot.documents,
        answers=snapshot.answers,
        oldest=oldest.since if oldest is not None else None,
        oldest_label=oldest.row.label if oldest is not None else "",
        stuck=snapshot.stuck + snapshot.answered - snapshot.returned,
        refused=snapshot.refused + snapshot.returned,
        answered=snapshot.answered,
        red=snapshot.red,
    )
    by_id = known.by_id if items is known.items else {item.id: item for item in items}
    return Queue(items, by_id, names, sums, snapshot.notices, len(desk.receivers.paper_waiting()))


def find(desk: Desk, packet_id: str) -> Found:
    """One packet as it stands; KnownError "packet_moved_on"."""
    told = desk.sending.packet(packet_id)
    document_id = told.item.row.document_id
    document = desk.sending.document(document_id) if document_id is not None else None
    receipts = desk.register.details(document_id).packets if document_id is not None else ()
    codes = {told.item.row.org, *(one.org for one in told.receivers)}
    if document is not None:
        codes |= {one.org for one in document.holders}
    return Found(told, document, receipts, names_in(desk, codes))


def names_in(desk: Desk, codes: Iterable[str]) -> dict[str, str]:
    """Code → name of each; our own bodies go by the name in the settings."""
    with reading(desk.space).view() as view:
        found = names_of(view, codes)
    found.update({own.code: own.name for own in desk.space.settings.bodies if own.code in found})
    return found


@dataclass(frozen=True)
class Candidate:
    """A document that may come in the place of another: signed and kept, or (`draft`) still to be signed."""

    id: str
    label: str
    day: dt.date | None
    what: str
    draft: bool = False


def candidates(desk: Desk, body: str, beside: str) -> tuple[Candidate, ...]:
    """What may come in the place of the document `beside`: what waits to be signed first, then what was signed and
    kept, the newest first.
    """
    drafts = (
        Candidate(row.draft.id, row.draft.label, row.draft.date, row.draft.subject or row.draft.main.name, draft=True)
        for row in desk.outgoing.rows()
        if row.state is not State.SIGNED
        and is_sent(row.draft.profile)
        and row.receivers.body in ("", body)
        and (row.draft.instead is None or row.draft.instead.document_id == beside)
    )
    kept = (
        Candidate(row.id, row.label, row.doc_date, row.subject or row.type or "")
        for row in kept_documents(desk, body, beside)
    )
    return (*drafts, *kept)


def replace_once_signed(desk: Desk, draft_id: str, wish: InsteadOf, body: str) -> None:
    """The draft goes out in place of a sent document once it is signed, to all who have that one unless it has
    receivers of its own. KnownError as `place_of`, and as `Outgoing.edit`.
    """
    with desk.space.store.view() as view:
        place = place_of(view, wish, body)
    row = next((row for row in desk.outgoing.rows() if row.draft.id == draft_id), None)
    changes = Changes(instead=wish)
    if row is not None and not row.receivers.codes and not row.receivers.asked:
        changes = Changes(instead=wish, receivers=place.holding)
    desk.outgoing.edit(draft_id, changes)


def kept_documents(desk: Desk, body: str, beside: str) -> tuple[RegisterEntry, ...]:
    """Numbered documents of a body that were signed and kept, the newest first; without the one `beside` which they
    would be sent.
    """
    snapshot = desk.register.look(Years.ALL, body)
    rows = snapshot.rows if snapshot is not None else ()
    return tuple(
        row
        for row in rows
        if row.sending is None and row.state is DocumentState.SIGNED and row.label and row.id != beside
    )
