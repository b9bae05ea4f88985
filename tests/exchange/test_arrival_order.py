"""What speaks of a document may come before it, twice, or in another's name: the document stands as it should."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.exchange.filing_facts import open_kept
from signer_app.store.incoming_model import ArrivalState, Asked, OwnDoubt
from signer_sync.contract import PacketKind
from signer_sync.edxml import ReceiverChange, Replaced, Replacement, StatusCode, Update
from signer_sync.ports import Taken
from tests.desk.office import ORG, PROVINCE
from tests.exchange.arrivals import Post, plain_letter, post, signed_letter

STRANGER = "H88"
MEANT = f"{PROVINCE},2026/11/20,12/UBND-VX"


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


def replacement(post: Post, document_id: str = MEANT) -> bytes:
    named = Replacement((Replaced(document_id, (ORG,)),), "Sai phụ lục")
    return post.packet(post.document("13"), ("thu.pdf", signed_letter()), business=named)


def test_a_recall_of_what_never_came_by_two_channels_is_one_row(post: Post) -> None:
    recall = post.recall()
    post.came(recall)
    post.came(recall, channel="lgsp")
    (row,) = post.documents()
    assert (row.kind, row.asked, row.came_again) == (PacketKind.REVOKE, Asked.RECALL, 1)


def test_a_recall_that_was_answered_is_not_asked_again_by_its_copy_of_another_channel(post: Post) -> None:
    post.came(post.letter())
    recall = post.recall()
    post.came(recall)
    post.deciding.answer(post.only().id, agree=False, decided_by="Chủ tịch")
    post.came(recall, channel="lgsp")
    assert post.only().asked is None
    post.came(post.recall(reason="Lần nữa"))
    assert post.only().asked is Asked.RECALL


def test_a_document_that_comes_after_its_replacement_stands_behind_it(post: Post) -> None:
    post.came(replacement(post))
    new = post.only()
    post.came(post.letter())
    old = next(one for one in post.documents() if one.id != new.id)
    assert (old.state, old.superseded_by) == (ArrivalState.SUPERSEDED, new.id)
    assert post.answers(old.id) == ["01"]
    with post.office.store.view() as view:
        assert view.incoming.waiting_valid() == (new.id,)


def test_a_document_that_comes_after_its_update_does_not_push_it_aside(post: Post) -> None:
    update = Update(info=True, receivers=(ReceiverChange(ORG, added=True),))
    post.came(post.packet(post.document(subject="V/v mới"), ("thu.pdf", plain_letter()), business=update))
    newer = post.only()
    post.came(post.letter())
    older = next(one for one in post.documents() if one.id != newer.id)
    assert (post.get(newer.id).state, older.state) == (ArrivalState.ARRIVED, ArrivalState.SUPERSEDED)
    assert older.superseded_by == newer.id


def test_an_update_of_words_that_overtakes_its_document_waits_for_it(post: Post) -> None:
    post.came(post.packet(post.document(subject="V/v mới"), business=Update(info=True)))
    early = post.only()
    post.came(post.letter())
    document = next(one for one in post.documents() if one.id != early.id)
    assert (document.asked, post.get(early.id).superseded_by) == (Asked.UPDATE, document.id)
    post.deciding.answer(document.id, agree=True, decided_by="Chủ tịch")
    assert post.get(document.id).subject == "V/v mới"


def forged(post: Post, data: bytes) -> None:
    assert post.take(data, sender=STRANGER) is Taken.KEPT
    post.filing.run(ask_network=False)


def test_a_letter_in_another_s_name_is_marked_and_pushes_nothing_aside(post: Post) -> None:
    post.came(post.letter())
    mine = post.only()
    forged(post, post.letter(content=plain_letter()))
    other = next(one for one in post.documents() if one.id != mine.id)
    assert OwnDoubt.OTHER_SENDER in other.doubts
    assert post.get(mine.id).state is ArrivalState.ARRIVED
    with post.office.store.view() as view:
        assert view.incoming.waiting_valid() == (mine.id,)
    # Another channel brings the true one once more: still the same document.
    post.came(post.letter(to_places=("Như trên",)), channel="lgsp")
    assert (post.get(mine.id).came_again, len(post.documents())) == (1, 2)


def test_who_speaks_in_another_s_name_takes_nothing_back_and_replaces_nothing(post: Post) -> None:
    post.came(post.letter())
    mine = post.only()
    forged(post, post.recall())
    forged(post, post.status(StatusCode.ASKED_BACK, mine.document_id, "Trả đây"))
    forged(post, replacement(post, mine.document_id))
    forged(post, post.packet(post.document(subject="V/v khác"), business=Update(info=True)))
    now = post.get(mine.id)
    assert (now.state, now.asked) == (ArrivalState.ARRIVED, None)
    others = [one for one in post.documents() if one.id != mine.id]
    assert len(others) == 4
    assert all(OwnDoubt.OTHER_SENDER in one.doubts for one in others)


def test_a_recall_in_another_s_name_that_waits_is_not_asked_of_the_document(post: Post) -> None:
    forged(post, post.recall())
    forged(post, replacement(post))
    post.came(post.letter())
    document = next(one for one in post.documents() if one.label == "12/UBND-VX" and one.kind is PacketKind.NEW)
    assert (document.asked, document.state) == (None, ArrivalState.ARRIVED)


def test_an_answer_in_another_s_name_changes_nothing(post: Post) -> None:
    ours = post.office.signed("5", receivers=(PROVINCE,))
    packet = post.office.packet_of(ours)
    known_as = f"{ORG},2026/11/23,5/UBND-VHXH"
    with post.office.store.transaction() as tx:
        tx.outbox._connection.execute("UPDATE outbox SET edxml_id = ? WHERE packet_id = ?", (known_as, packet))
    forged(post, post.status(StatusCode.RETURNED, known_as, "Chữ ký không hợp lệ"))
    with post.office.store.view() as view:
        (told,) = view.outbox.receivers(packet)
        (came,) = (one for one in view.inbox.list() if one.from_org == STRANGER)
    assert (told.code, came.error_code) == (None, "incoming_status_unmatched")


def test_the_same_body_in_two_spellings_is_no_other_one(post: Post) -> None:
    assert post.take(post.letter(), sender=f"000.00.00.{PROVINCE.lower()}") is Taken.KEPT
    post.filing.run(ask_network=False)
    assert post.only().doubts == ()


def test_a_packet_at_which_the_filing_fails_stops_no_other(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.take(post.letter("1"), priority=3)
    post.take(post.letter("2"))

    def failing(space: object, packet: object) -> object:
        if getattr(packet, "priority", None) == 3:
            raise RuntimeError("nobody thought of this")
        return open_kept(space, packet)  # type: ignore[arg-type]

    monkeypatch.setattr("signer_app.exchange.filing.open_kept", failing)
    filed = post.filing.run(ask_network=False)
    assert (filed.packets, filed.stuck, post.only().label) == (1, 1, "2/UBND-VX")
    assert list((post.office.space.folder.path / "logs").iterdir())
    monkeypatch.undo()
    assert post.filing.run(ask_network=False).packets == 1
