"""A document that is signed to go out in the place of one that was sent (Thay thế), under a number of its own."""

from collections.abc import Iterator

import pytest

from signer_app.exchange import withdrawing
from signer_app.outgoing.model import Changes, InsteadOf
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml_read import read_header
from tests.outgoing.test_page_receivers import sent, tell
from tests.outgoing.test_signing_drafts import Clerk, clerk_at
from tests.support.workspace import Desk

WHY = "Sai số liệu"
CODES = {"recall_not_sent", "replaced_already"}


@pytest.fixture
def clerk(desk: Desk) -> Iterator[Clerk]:
    with clerk_at(desk) as made:
        tell(made.space)
        yield made


def accepted(store: Store, packet_id: str, clerk: Clerk) -> None:
    store.write(lambda tx: tx.outbox.accepted(packet_id, "{}", None, clerk.space.now()))


def hindrances(clerk: Clerk, draft_id: str) -> list[str]:
    """Why it can't be signed, once it was looked at."""
    clerk.outgoing.examine([draft_id], clerk.chosen)
    (row,) = [row for row in clerk.outgoing.rows() if row.draft.id == draft_id]
    assert row.draft.instead is not None
    assert row.signable is not any(note.code in CODES for note in row.reasons)
    return [note.code for note in row.reasons if note.code in CODES]


def test_it_replaces_the_sent_one_once_and_the_row_says_why_it_no_longer_can(clerk: Clerk) -> None:
    space = clerk.space
    ids = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"), receivers=("H77", "H77.02"))
    old, (before,) = sent(space, clerk.sign(ids))
    (newer,) = clerk.bring_in(clerk.desk.letter("ke-hoach.pdf"), receivers=("H77",))
    wish = InsteadOf(document_id=old, reason=WHY)
    clerk.outgoing.edit(newer, Changes(instead=wish))
    assert hindrances(clerk, newer) == ["recall_not_sent"]
    accepted(space.store, before.packet_id, clerk)
    assert hindrances(clerk, newer) == []
    document, (packet,) = sent(space, clerk.sign([newer]))
    assert (packet.kind, packet.replaces, packet.reason, packet.receivers) == (PacketKind.REPLACE, old, WHY, ("H77",))
    with space.store.blobs.path(packet.sha256).open("rb") as stream:
        header = read_header(stream)
    assert [(one.document_id, one.organ_codes) for one in header.replaced] == [(before.edxml_id, ("H77", "H77.02"))]
    assert header.reason == WHY
    with space.store.view() as view:
        assert {row.label for row in view.listings.register()} == {before.document, packet.document}
    # A second one in the same place is refused, and taken out of the queue the first makes room for it.
    (third,) = clerk.bring_in(clerk.desk.letter("thong-bao.pdf"), receivers=("H77",))
    clerk.outgoing.edit(third, Changes(instead=wish))
    assert hindrances(clerk, third) == ["replaced_already"]
    withdrawing.withdraw(space, packet.packet_id)
    assert hindrances(clerk, third) == []
    last, (packet,) = sent(space, clerk.sign([third]))
    assert (packet.kind, last != document) == (PacketKind.REPLACE, True)


def test_signed_alone_it_is_kept_and_the_person_is_told(clerk: Clerk) -> None:
    ids = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"), receivers=("H77",))
    old, (before,) = sent(clerk.space, clerk.sign(ids))
    accepted(clerk.space.store, before.packet_id, clerk)
    (newer,) = clerk.bring_in(clerk.desk.letter("ke-hoach.pdf"), receivers=("H77",))
    clerk.outgoing.edit(newer, Changes(instead=InsteadOf(document_id=old, reason=WHY)))
    clerk.outgoing.examine([newer], clerk.chosen)
    document, packets = sent(clerk.space, result := clerk.sign([newer], send=False))
    (file,) = result.files
    assert (packets, [warning.code for warning in file.warnings]) == ((), ["replacement_kept"])
    assert KnownError("replacement_kept").explain("vi").do
    with clerk.space.store.view() as view:
        assert view.outbox.replacing(old) is None
        assert view.documents.get(document) is not None
