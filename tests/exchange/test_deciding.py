"""The clerk's decisions: each with its entry in the register and the message to the sender, all or nothing."""

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signer_app.exchange import incoming
from signer_app.exchange.filing_facts import Opened, open_kept
from signer_app.exchange.incoming import IncomingScreen
from signer_app.store.incoming_model import ArrivalState, ArrivalVerdict, Asked, IncomingDocument, ReturnReason
from signer_app.store.store import Transaction
from signer_app.workers import Workers
from signer_resources.errors import KnownError
from signer_sync.contract import FeedType, PacketKind
from signer_sync.edxml import Organ, Priority, StatusCode, Update
from signer_sync.edxml_read import read_header
from signer_sync.ids import uuid7
from signer_sync.packets import Arrival, BinarySink
from signer_sync.ports import Taken
from tests.desk.office import ORG, PROVINCE
from tests.exchange.arrivals import Post, broken_letter, holders, plain_letter, post, signed_letter
from tests.verification.documents import SignAs, make_document, sign


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


def arrived(post: Post, number: str = "12", content: bytes | None = None, **more: object) -> IncomingDocument:
    before = {document.id for document in post.documents()}
    post.came(post.letter(number, content, **more))
    (new,) = (document for document in post.documents() if document.id not in before)
    return new


def refused(code: str, act: object) -> None:
    assert callable(act)
    with pytest.raises(KnownError) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.explain("vi")


def test_accepting_gives_a_number_and_tells_the_sender_03_at_once(post: Post) -> None:
    document = arrived(post)
    assert post.deciding.accept(document.id) == 1
    now = post.get(document.id)
    assert (now.state, now.number, now.number_year, now.decided_by) == (ArrivalState.ACCEPTED, 1, 2026, "Lê Thị Thư")
    assert post.answers(document.id) == ["01", "03"]
    with post.office.store.view() as view:
        entry = view.arrivals.of_incoming(ORG, document.id)
    assert entry is not None
    assert (entry.number, entry.label, entry.author) == (1, "12/UBND-VX", document.sender_name)
    refused("incoming_decided", lambda: post.deciding.accept(document.id))
    assert post.answers(document.id) == ["01", "03"]


def test_numbers_follow_one_another(post: Post) -> None:
    first, second = arrived(post, "1"), arrived(post, "2")
    assert (post.deciding.accept(second.id), post.deciding.accept(first.id)) == (1, 2)


def test_if_the_message_can_t_be_queued_nothing_is_accepted(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    document = arrived(post)
    known = post.office.store.write

    def cut(work: object) -> object:
        assert callable(work)

        def failing(tx: Transaction) -> None:
            work(tx)
            raise KnownError("disk_full", folder="x")

        return known(failing)

    monkeypatch.setattr(post.office.store, "write", cut)
    refused("disk_full", lambda: post.deciding.accept(document.id))
    monkeypatch.undo()
    assert (post.get(document.id).state, post.answers(document.id)) == (ArrivalState.ARRIVED, ["01"])
    with post.office.store.view() as view:
        assert view.arrivals.list() == ()


def test_one_click_takes_all_that_is_valid_hoa_toc_first_and_nothing_else(post: Post) -> None:
    plain, flash = arrived(post, "1"), arrived(post, "2", priority=Priority.FLASH)
    bad, recalled = arrived(post, "3", broken_letter()), arrived(post, "4")
    post.came(post.recall("4"))
    told: list[tuple[int, int]] = []
    done = post.deciding.accept_all_valid(progress=lambda at, total: told.append((at, total)))
    assert [(one.id, one.number) for one in done] == [(flash.id, 1), (plain.id, 2)]
    assert told == [(1, 2), (2, 2)]
    assert {post.get(bad.id).state, post.get(recalled.id).state} == {ArrivalState.ARRIVED}


def test_one_that_was_decided_meanwhile_hinders_no_other(post: Post) -> None:
    first, second = arrived(post, "1"), arrived(post, "2")
    post.deciding.accept(first.id)
    done = post.deciding.accept_some((first.id, second.id))
    assert [one.error.code if one.error else one.number for one in done] == ["incoming_decided", 2]


def test_several_at_once_take_nothing_that_a_person_has_to_look_at(tmp_path: Path) -> None:
    with post(tmp_path, crls=False) as here:
        undecided = arrived(here, "1")
        here.crls_come()
        valid = arrived(here, "2")
        assert here.take(here.letter("3"), sender="H88") is Taken.KEPT
        here.filing.run(ask_network=False)
        odd = next(one for one in here.documents() if one.id not in (undecided.id, valid.id))
        bad, recalled = arrived(here, "4", broken_letter()), arrived(here, "5")
        here.came(here.recall("5"))
        done = here.deciding.accept_some([one.id for one in (undecided, odd, bad, recalled, valid)])
        assert [one.error.code if one.error else one.number for one in done] == [
            "incoming_not_plain",
            "incoming_not_plain",
            "incoming_invalid",
            "incoming_asked",
            1,
        ]
        # A person who looks at one may accept it.
        assert here.deciding.accept(undecided.id) == 2


def test_what_changed_while_a_decision_was_being_written_is_not_decided(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, known = arrived(post), post.office.store.write

    def late(work: Callable[[Transaction], object]) -> object:
        monkeypatch.undo()
        with post.office.store.transaction() as tx:
            tx.incoming._connection.execute("UPDATE incoming SET verdict = 'invalid'")
        return known(work)

    monkeypatch.setattr(post.office.store, "write", late)
    refused("incoming_decided", lambda: post.deciding.accept(document.id))
    assert post.get(document.id).state is ArrivalState.ARRIVED


def test_an_invalid_one_is_accepted_by_order_alone_which_is_written_down(post: Post) -> None:
    document = arrived(post, content=broken_letter())
    refused("incoming_invalid", lambda: post.deciding.accept(document.id))
    post.deciding.accept(document.id, by_order="Chủ tịch Trần Văn An")
    assert post.get(document.id).note == "Chủ tịch Trần Văn An"
    assert post.log(document.id)[-1].words == "Chủ tịch Trần Văn An"


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("signed", [ReturnReason.WRONG_RECEIVER]),
        ("plain", [ReturnReason.SIGNATURE_INVALID, ReturnReason.WRONG_RECEIVER]),
        ("broken", [ReturnReason.SIGNATURE_INVALID, ReturnReason.ALTERED, ReturnReason.WRONG_RECEIVER]),
    ],
)
def test_only_what_is_so_is_a_reason_to_return(post: Post, kind: str, reasons: list[ReturnReason]) -> None:
    contents = {"signed": signed_letter(), "plain": plain_letter(), "broken": broken_letter()}
    document = arrived(post, content=contents[kind])
    assert list(post.deciding.may_return(document.id)) == reasons


def test_returning_leaves_through_the_axis_with_its_reason(post: Post) -> None:
    document = arrived(post, content=broken_letter())
    post.deciding.send_back(document.id, ReturnReason.ALTERED, "trang 1")
    now = post.get(document.id)
    assert (now.state, now.reason, now.note) == (ArrivalState.RETURNED, "altered", "trang 1")
    (told,) = (packet for packet in post.queued() if packet.status_code == "02")
    with post.office.store.blobs.path(told.sha256).open("rb") as stream:
        header = read_header(stream)
    assert (header.status, header.description) == (
        StatusCode.RETURNED,
        "Nội dung bị thay đổi sau khi ký: trang 1",
    )
    assert header.response_for[0].document_id == document.document_id
    refused("incoming_decided", lambda: post.deciding.accept(document.id))


def test_what_could_not_be_decided_is_not_returned_for_its_signature(tmp_path: Path) -> None:
    with post(tmp_path, crls=False) as here:
        document = arrived(here)
        assert document.verdict is ArrivalVerdict.INDETERMINATE
        refused(
            "incoming_not_returnable",
            lambda: here.deciding.send_back(document.id, ReturnReason.SIGNATURE_INVALID, ""),
        )
        assert here.get(document.id).state is ArrivalState.ARRIVED


def test_what_was_returned_and_comes_once_more_is_looked_at_anew(post: Post) -> None:
    document = arrived(post, content=broken_letter())
    post.deciding.send_back(document.id, ReturnReason.ALTERED, "")
    again = arrived(post, content=signed_letter())
    assert (again.round, again.state, again.doubts) == (2, ArrivalState.ARRIVED, ())
    assert post.get(document.id).state is ArrivalState.RETURNED
    assert (post.deciding.accept(again.id), post.answers(again.id)) == (1, ["01", "03"])


def test_reporting_to_the_sender_is_words_to_copy_and_refuses_nothing(post: Post) -> None:
    post.came(post.letter()[:-200])
    document = post.only()
    refused("incoming_unreadable", lambda: post.deciding.accept(document.id))
    words = post.deciding.report(document.id, "gói tin bị cắt")
    assert "gói tin bị cắt" in words
    assert document.packet_sha256 in words
    assert (post.get(document.id).state, post.queued()) == (ArrivalState.REPORTED, ())
    good = arrived(post)
    assert good.document_id in post.deciding.report(good.id, "trang 3 mờ")
    assert post.deciding.accept(good.id) == 1


def test_of_a_secret_packet_the_person_in_charge_is_told_its_id(post: Post) -> None:
    arrival = Arrival(id=uuid7(), type=FeedType.PACKET, sender=PROVINCE, subject="Phương án (TỐI MẬT)")
    assert post.inbox().take(ORG, arrival, lambda sink: None) is Taken.SECRET
    with post.office.store.view() as view:
        (packet,) = view.inbox.list()
    words = post.deciding.report_secret(packet)
    assert packet.packet_id in words
    assert "Phương án" not in words
    with post.office.store.view() as view:
        told = view.inbox.get(ORG, "sync", packet.packet_id)
    assert told is not None
    assert (told.told_by, told.told_at) == ("Lê Thị Thư", post.office.now)


def test_a_recall_that_is_agreed_to_is_answered_15_and_the_copy_kept_in_quarantine(post: Post) -> None:
    document = arrived(post)
    post.deciding.accept(document.id)
    post.deciding.pass_on(document.id, "Phòng Văn hóa - Xã hội")
    post.deciding.pass_on(document.id, "Trần Thị Bình")
    post.came(post.recall())
    refused("incoming_no_leader", lambda: post.deciding.answer(document.id, agree=True, decided_by=" "))
    post.deciding.answer(document.id, agree=True, decided_by="Chủ tịch Lê Văn Cường")
    now = post.get(document.id)
    assert (now.state, now.asked, now.number) == (ArrivalState.CANCELLED, None, 1)
    assert post.answers(document.id) == ["01", "03", "15"]
    with post.office.store.view() as view:
        assert view.incoming.holders(document.id) == ("Phòng Văn hóa - Xã hội", "Trần Thị Bình")
        (file,) = view.incoming.files(document.id)
    assert post.office.store.blobs.has(file.sha256)
    assert post.log(document.id)[-1].words == "Chủ tịch Lê Văn Cường"
    refused("incoming_not_asked", lambda: post.deciding.answer(document.id, agree=False, decided_by="A"))
    refused("incoming_quarantined", lambda: post.deciding.pass_on(document.id, "Ai đó"))


def test_a_recall_that_is_declined_is_answered_16_and_all_stays_as_it_was(post: Post) -> None:
    document = arrived(post)
    post.deciding.accept(document.id)
    post.came(post.recall())
    post.deciding.answer(document.id, agree=False, decided_by="Chủ tịch", words="đã thực hiện xong")
    now = post.get(document.id)
    assert (now.state, now.asked, post.answers(document.id)) == (ArrivalState.ACCEPTED, None, ["01", "03", "16"])
    (told,) = (packet for packet in post.queued() if packet.status_code == "16")
    assert told.reason == "đã thực hiện xong"


def test_nothing_is_accepted_while_its_sender_asks_for_it(post: Post) -> None:
    document = arrived(post)
    post.came(post.recall())
    refused("incoming_asked", lambda: post.deciding.accept(document.id))


def test_a_recall_of_what_never_came_is_answered_too(post: Post) -> None:
    post.came(post.recall())
    recall = post.only()
    assert recall.kind is PacketKind.REVOKE
    post.deciding.answer(recall.id, agree=True, decided_by="Chủ tịch")
    assert (post.get(recall.id).state, post.answers(recall.id)) == (ArrivalState.CANCELLED, ["15"])


def test_an_update_that_is_agreed_to_changes_words_and_files_and_keeps_the_old_packet(post: Post) -> None:
    document = arrived(post)
    changed = post.document(subject="V/v rà soát lại")
    post.came(post.packet(changed, ("thu.pdf", plain_letter()), business=Update(info=True)))
    assert post.get(document.id).asked is Asked.UPDATE
    post.deciding.answer(document.id, agree=True, decided_by="Chủ tịch")
    now = post.get(document.id)
    assert (now.subject, now.verdict, now.asked) == ("V/v rà soát lại", ArrivalVerdict.UNSIGNED, None)
    assert now.updated_at is not None
    assert post.answers(document.id) == ["01", "15"]
    with post.office.store.view() as view:
        first, _second = view.inbox.of_incoming(document.id)
    opened = open_kept(post.office.space, first)
    assert isinstance(opened, Opened)
    assert opened.content == document.content


@pytest.mark.parametrize("looked_through", [True, False])
def test_of_an_update_that_may_be_secret_no_evidence_is_written_down(
    post: Post, monkeypatch: pytest.MonkeyPatch, looked_through: bool
) -> None:
    document = arrived(post)
    other = sign(make_document(2), holders()[2], SignAs("Lanhdao"))
    data = post.packet(post.document(subject="V/v khác"), ("thu.pdf", other), business=Update(info=True))
    monkeypatch.setattr(incoming, "_FILE_S", 30.0 if looked_through else 0.3)
    arrival = Arrival(id=uuid7(), type=FeedType.PACKET, sender=PROVINCE, kind=PacketKind.UPDATE)

    def put(sink: BinarySink) -> None:
        sink.write(data)

    with Workers([sys.executable, "-c", "import time; time.sleep(60)"]) as hanging:
        space = post.office.space
        screen = IncomingScreen(space.workers if looked_through else hanging, space.folder.work)
        taken = post.inbox(screen=screen).take(ORG, arrival, put)
    assert taken is Taken.KEPT
    post.filing.run(ask_network=False)
    post.deciding.answer(document.id, agree=True, decided_by="Chủ tịch")
    now = post.get(document.id)
    assert (now.subject, "unscreened" in now.doubts, now.valid) == ("V/v khác", not looked_through, looked_through)
    with post.office.store.view() as view:
        (file,) = view.incoming.files(document.id)
        assert bool(view.evidence.of_document(file.sha256)) is looked_through


def test_an_update_without_files_leaves_the_files_as_they_are(post: Post) -> None:
    document = arrived(post)
    post.came(post.packet(post.document(subject="V/v khác"), business=Update(info=True)))
    post.deciding.answer(document.id, agree=True, decided_by="Chủ tịch")
    now = post.get(document.id)
    assert (now.subject, now.content, now.verdict) == ("V/v khác", document.content, ArrivalVerdict.VALID)


def test_where_another_system_exchanges_nothing_can_be_accepted_or_returned(post: Post) -> None:
    document = arrived(post)
    post.external()
    refused("exchange_external", lambda: post.deciding.accept(document.id))
    refused("exchange_external", lambda: post.deciding.send_back(document.id, ReturnReason.WRONG_RECEIVER, ""))
    assert post.answers(document.id) == ["01"]


def test_the_number_is_of_the_day_on_which_it_is_entered(post: Post) -> None:
    post.office.at(dt.datetime(2026, 12, 31, 16, 50, tzinfo=post.office.now.tzinfo))
    document = arrived(post, receivers=(Organ(ORG, "UBND xã"),))
    post.office.at(dt.datetime(2027, 1, 4, 8, 0, tzinfo=post.office.now.tzinfo))
    post.deciding.accept(document.id, by_order="Chủ tịch")
    assert (post.get(document.id).number, post.get(document.id).number_year) == (1, 2027)
