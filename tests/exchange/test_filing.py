"""Filing: one row per document whatever brought it, its verdict, 01 in the same transaction, and what speaks of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.store.incoming_model import ArrivalState, ArrivalVerdict, Asked, IncomingWhat, OwnDoubt
from signer_app.store.model import OutboxState, Urgency
from signer_sync.contract import PacketKind
from signer_sync.edxml import (
    Organ,
    Priority,
    ReceiverChange,
    Replaced,
    Replacement,
    StatusCode,
    Update,
)
from tests.desk.office import ORG, PROVINCE
from tests.exchange.arrivals import (
    COMMUNE,
    Post,
    broken_letter,
    holders,
    plain_letter,
    post,
    signed_letter,
)


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


def test_a_signed_letter_becomes_a_document_and_its_sender_is_told_01(post: Post) -> None:
    assert post.came(post.letter(priority=Priority.FLASH)).documents == 1
    document = post.only()
    assert (document.label, document.sender, document.subject) == ("12/UBND-VX", PROVINCE, "V/v rà soát đê điều")
    assert (document.verdict, document.state, document.urgency) == (
        ArrivalVerdict.VALID,
        ArrivalState.ARRIVED,
        Urgency.HOA_TOC,
    )
    assert document.doubts == ()
    (told,) = post.queued()
    assert (told.kind, told.status_code, told.state) == (PacketKind.STATUS, "01", OutboxState.QUEUED)
    assert (told.receivers, told.incoming) == ((PROVINCE,), document.id)
    with post.office.store.view() as view:
        (file,) = view.incoming.files(document.id)
        (evidence,) = view.evidence.of_document(file.sha256)
    assert post.office.store.blobs.path(file.sha256).read_bytes() == signed_letter()
    assert evidence.record.signer == "Trần Văn An"
    assert post.filing.run(ask_network=False).packets == 0


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        (["broken"], ArrivalVerdict.INVALID),
        (["plain"], ArrivalVerdict.UNSIGNED),
        (["plain", "signed"], ArrivalVerdict.UNSIGNED),
        (["signed", "plain"], ArrivalVerdict.UNSIGNED),
        (["signed", "broken"], ArrivalVerdict.INVALID),
        (["table"], ArrivalVerdict.NO_PDF),
        (["signed", "table"], ArrivalVerdict.VALID),
        (["signed", "junk"], ArrivalVerdict.INDETERMINATE),
    ],
)
def test_a_document_is_as_good_as_its_worst_pdf(post: Post, files: list[str], verdict: ArrivalVerdict) -> None:
    contents = {
        "signed": ("thu.pdf", signed_letter()),
        "broken": ("thu2.pdf", broken_letter()),
        "plain": ("phu luc.pdf", plain_letter()),
        "table": ("bang.csv", b"a;b\n1;2\n"),
        "junk": ("hong.pdf", b"%PDF-1.7 nothing of a letter"),
    }
    post.came(post.packet(post.document(), *(contents[name] for name in files)))
    assert post.only().verdict is verdict


def test_the_same_document_by_two_channels_is_one_row_and_one_01(post: Post) -> None:
    post.came(post.letter())
    again = post.came(post.letter(to_places=("Như trên",)), channel="lgsp")
    assert (again.packets, again.documents) == (1, 0)
    document = post.only()
    assert (document.round, document.came_again) == (1, 1)
    assert post.events(document.id) == ["arrived", "came_again"]
    assert post.answers(document.id) == ["01"]
    with post.office.store.view() as view:
        assert {packet.channel for packet in view.inbox.of_incoming(document.id)} == {"sync", "lgsp"}


def test_the_same_number_with_other_files_is_never_taken_for_a_copy(post: Post) -> None:
    post.came(post.letter())
    first = post.only()
    post.came(post.letter(content=plain_letter()))
    second = next(one for one in post.documents() if one.round == 2)
    assert OwnDoubt.CAME_CHANGED in second.doubts
    assert (post.get(first.id).state, post.get(first.id).superseded_by) == (ArrivalState.SUPERSEDED, second.id)
    assert second.state is ArrivalState.ARRIVED


def test_a_packet_that_nobody_can_read_is_a_line_and_answers_nothing(post: Post) -> None:
    post.came(post.letter()[:-200], priority=3)
    document = post.only()
    assert (document.readable, document.verdict, document.urgency) == (
        False,
        ArrivalVerdict.UNREADABLE,
        Urgency.HOA_TOC,
    )
    assert post.queued() == ()


def test_a_letter_to_somebody_else_is_marked(post: Post) -> None:
    post.came(post.letter(receivers=(Organ("H99", "Nơi khác"),)))
    assert OwnDoubt.NOT_ADDRESSED in post.only().doubts
    with post.office.store.view() as view:
        assert view.incoming.waiting_valid() == ()


def test_a_recall_is_asked_of_the_document_and_deletes_nothing(post: Post) -> None:
    post.came(post.letter())
    before = post.only()
    post.came(post.recall(reason="Sai số liệu"))
    document = post.only()
    assert (document.asked, document.asked_reason, document.state) == (
        Asked.RECALL,
        "Sai số liệu",
        ArrivalState.ARRIVED,
    )
    assert post.events(document.id) == ["arrived", "recall_asked"]
    assert document.content == before.content
    assert post.answers(document.id) == ["01"]
    with post.office.store.view() as view:
        assert view.incoming.waiting_valid() == ()


def test_13_is_a_recall_in_other_words(post: Post) -> None:
    post.came(post.letter())
    post.came(post.status(StatusCode.ASKED_BACK, post.only().document_id, "Gửi nhầm"))
    document = post.only()
    assert (document.asked, document.asked_reason) == (Asked.RECALL, "Gửi nhầm")


def test_a_recall_by_another_body_touches_nothing(post: Post) -> None:
    post.came(post.letter())
    mine = post.only()
    other = Organ("H88", "Kẻ khác")
    post.came(post.status(StatusCode.ASKED_BACK, mine.document_id, "Trả đây", sender=other))
    assert post.get(mine.id).asked is None
    stray = next(one for one in post.documents() if one.id != mine.id)
    assert (stray.kind, stray.asked, OwnDoubt.NOT_HERE in stray.doubts) == (PacketKind.REVOKE, Asked.RECALL, True)


def test_a_recall_that_overtakes_its_document_waits_for_it(post: Post) -> None:
    post.came(post.recall(reason="Nhầm"))
    recall = post.only()
    assert recall.kind is PacketKind.REVOKE
    post.came(post.letter())
    document = next(one for one in post.documents() if one.id != recall.id)
    assert (document.asked, document.asked_reason) == (Asked.RECALL, "Nhầm")
    assert post.get(recall.id).superseded_by == document.id


def test_a_replacement_stands_in_the_place_of_what_it_names_of_its_own_sender(post: Post) -> None:
    post.came(post.letter("12"))
    old = post.only()
    replacing = Replacement((Replaced(old.document_id, (ORG,)),), "Sai phụ lục")
    post.came(post.packet(post.document("13"), ("thu.pdf", signed_letter()), business=replacing))
    new = next(one for one in post.documents() if one.label == "13/UBND-VX")
    assert (new.kind, new.state) == (PacketKind.REPLACE, ArrivalState.ARRIVED)
    assert (post.get(old.id).state, post.get(old.id).superseded_by) == (ArrivalState.SUPERSEDED, new.id)

    strange = post.document("1", sender=Organ("H88", "Kẻ khác"))
    claims = Replacement((Replaced(new.document_id, (ORG,)),), "Thay")
    post.came(post.packet(strange, ("thu.pdf", signed_letter()), business=claims))
    assert post.get(new.id).state is ArrivalState.ARRIVED


def test_an_update_is_asked_and_one_that_removes_us_is_a_recall(post: Post) -> None:
    post.came(post.letter())
    post.came(post.packet(post.document(subject="V/v khác"), business=Update(info=True)))
    document = post.only()
    assert (document.asked, document.subject) == (Asked.UPDATE, "V/v rà soát đê điều")
    removed = Update(receivers=(ReceiverChange(ORG, added=False),))
    post.came(post.packet(post.document(), business=removed))
    assert post.only().asked is Asked.RECALL


def test_a_document_that_comes_to_us_by_an_update_is_a_document(post: Post) -> None:
    added = Update(receivers=(ReceiverChange(ORG, added=True),))
    post.came(post.packet(post.document(), ("thu.pdf", signed_letter()), business=added))
    document = post.only()
    assert (document.kind, document.verdict, document.asked) == (PacketKind.UPDATE, ArrivalVerdict.VALID, None)


def test_an_answer_reaches_our_document_and_one_about_a_stranger_s_changes_nothing(post: Post) -> None:
    ours = post.office.signed("5", receivers=(PROVINCE,))
    packet = post.office.packet_of(ours)
    known_as = f"{ORG},2026/11/23,5/UBND-VHXH"
    with post.office.store.transaction() as tx:
        tx.outbox._connection.execute("UPDATE outbox SET edxml_id = ? WHERE packet_id = ?", (known_as, packet))
    post.came(post.status(StatusCode.RETURNED, known_as, "Chữ ký không hợp lệ"))
    post.came(post.status(StatusCode.ACCEPTED, "nobody's"))
    assert post.documents() == ()
    with post.office.store.view() as view:
        (told,) = view.outbox.receivers(packet)
        codes = [packet.error_code for packet in view.inbox.list()]
    assert (told.code, told.code_reason) == ("02", "Chữ ký không hợp lệ")
    assert codes == ["incoming_status_unmatched", None]


def test_where_another_system_exchanges_nothing_is_answered(post: Post) -> None:
    post.external()
    post.came(post.letter())
    assert post.only().verdict is ArrivalVerdict.VALID
    assert post.queued() == ()


def test_what_was_not_filed_when_the_process_was_cut_is_filed_by_the_next(post: Post) -> None:
    post.take(post.letter("1"))
    post.take(post.letter("2"))
    asked: list[int] = []

    def cut() -> bool:
        asked.append(1)
        return len(asked) > 2

    assert post.filing.run(cut, ask_network=False).packets == 1
    assert post.filing.run(ask_network=False).packets == 1
    assert len(post.documents()) == 2


def test_a_packet_that_is_gone_from_the_disk_hinders_no_other(post: Post) -> None:
    post.take(post.letter("1"), priority=3)
    post.take(post.letter("2"))
    with post.office.store.view() as view:
        gone = view.inbox.to_file(1)[0]
    post.office.store.blobs.delete(str(gone.sha256))
    filed = post.filing.run(ask_network=False)
    assert (filed.packets, filed.stuck, post.only().label) == (1, 1, "2/UBND-VX")


def test_what_cannot_be_decided_is_looked_at_again_and_never_returned_by_itself(tmp_path: Path) -> None:
    with post(tmp_path, crls=False) as here:
        here.came(here.letter())
        document = here.only()
        assert (document.verdict, document.recheck_at is not None) == (ArrivalVerdict.INDETERMINATE, True)
        assert here.rechecking.run() == 0
        assert here.get(document.id).rechecks == 0
        here.office.clock.go_on(11 * 60)
        assert here.rechecking.run() == 0
        assert (here.get(document.id).rechecks, here.get(document.id).state) == (1, ArrivalState.ARRIVED)
        here.crls_come()
        assert here.rechecking.at_once() == 1
        decided = here.get(document.id)
        assert (decided.verdict, decided.recheck_at) == (ArrivalVerdict.VALID, None)
        assert here.events(document.id) == ["arrived", IncomingWhat.VERIFIED]
        assert here.answers(document.id) == ["01"]


def test_a_revoked_signer_makes_it_invalid(post: Post) -> None:
    post.crls_come(revoked=holders()[2])
    post.came(post.letter())
    assert post.only().verdict is ArrivalVerdict.INVALID


def test_names_of_files_are_only_text(post: Post) -> None:
    post.came(post.packet(post.document(), ("../../../evil.pdf", signed_letter()), ("C:\\autorun.inf", b"x")))
    with post.office.store.view() as view:
        names = [file.name for file in view.incoming.files(post.only().id)]
    assert names == ["../../../evil.pdf", "C:\\autorun.inf"]
    assert not list(post.office.folder.rglob("*evil*"))
    assert COMMUNE.code == ORG
