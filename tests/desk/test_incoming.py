"""Incoming documents: listed, opened without trusting a name, verified, saved; packets forgotten with the workspace."""

import datetime as dt
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import signer_resources
from signer_app.desk.incoming import Incoming, IncomingRow, OpenedPacket
from signer_app.desk.incoming_model import Place
from signer_app.desk.names import Names
from signer_app.desk.verifying import Verifying
from signer_app.pdf.names import fold
from signer_app.store.calendar_settings import AddedDay, AddedKind, CalendarSettings
from signer_app.store.incoming_model import IncomingDocument
from signer_app.store.model import Urgency
from signer_app.store.times import VIETNAM
from signer_app.verification.model import Verdict
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import Priority, Update
from tests.desk.office import SENDER, Office, changed
from tests.exchange.arrivals import broken_letter, plain_letter, post, signed_letter

LETTER = b"%PDF-1.7 not much of a letter"


def incoming(office: Office) -> Incoming:
    return Incoming(office.space, Names(office.space.folder.cache))


def only(inbox: Incoming) -> IncomingRow:
    (row,) = inbox.look().rows
    return row


def opened(inbox: Incoming) -> OpenedPacket:
    return inbox.open(only(inbox))


def test_what_is_not_filed_yet_tells_sender_subject_urgency_and_kind_the_urgent_first(office: Office) -> None:
    office.came(b"two", "V/v hai", sender="X99", kind=PacketKind.REVOKE, priority=9)
    office.clock.go_on(60)
    office.came(b"one", "V/v một", priority=1)
    rows = incoming(office).look().rows
    assert [(row.subject, row.sender, row.urgency, row.kind) for row in rows] == [
        ("V/v một", SENDER, Urgency.KHAN, PacketKind.NEW),
        ("V/v hai", "X99", Urgency.NORMAL, PacketKind.REVOKE),
    ]
    assert {row.state_key for row in rows} == {"incoming_state_filing"}


def test_of_a_secret_packet_only_its_coming_is_listed_and_nothing_can_be_opened(office: Office) -> None:
    office.secret_came()
    inbox = incoming(office)
    row = only(inbox)
    assert (row.secret, row.sender, row.subject, row.sha256) == (True, "", "", None)
    assert inbox.learn((row,), lambda: False) == 0
    with pytest.raises(ValueError, match="nothing was kept"):
        inbox.open(row)


def test_the_same_list_is_given_again_while_nothing_has_come(office: Office) -> None:
    office.came(office.packet())
    inbox = incoming(office)
    first = inbox.look()
    assert inbox.look() is first
    office.clock.go_on(1)
    office.came(office.packet(number="13"))
    assert len(inbox.look().rows) == 2


def test_numbers_are_learnt_from_the_packets_and_what_nobody_can_read_says_so(office: Office) -> None:
    office.came(office.packet(number="12"))
    office.clock.go_on(1)
    office.came(b"no edXML")
    inbox = incoming(office)
    rows = inbox.look().rows
    assert [row.facts for row in rows] == [None, None]
    assert inbox.learn(rows, lambda: True) == 0
    assert inbox.learn(rows, lambda: False) == 2
    whole, broken = (row.facts for row in inbox.look().rows)
    assert whole is not None
    assert broken is not None
    assert (whole.label, whole.readable, broken.label, broken.readable) == ("12/UBND-VX", True, "", False)
    assert inbox.learn(inbox.look().rows, lambda: False) == 0


def test_an_opened_packet_gives_its_words_and_its_files_by_content(office: Office) -> None:
    office.came(office.packet(("thư.pdf", LETTER), ("bảng.xlsx", b"PK table"), subject="V/v rà soát"))
    packet = opened(incoming(office))
    assert (packet.header.subject, packet.header.sender.name) == ("V/v rà soát", SENDER)
    assert [(file.name, file.size, file.is_pdf) for file in packet.files] == [
        ("thư.pdf", len(LETTER), True),
        ("bảng.xlsx", 8, False),
    ]
    assert [file.path.read_bytes() for file in packet.files] == [LETTER, b"PK table"]


def test_what_a_sender_calls_a_file_is_never_a_path(office: Office) -> None:
    office.came(office.packet(("../../../evil.pdf", LETTER), ("C:\\autorun.inf", b"x")))
    for file in opened(incoming(office)).files:
        assert re.fullmatch(r"[0-9a-f]{64}\.(pdf|bin)", file.path.name)
        assert file.path.is_relative_to(office.space.folder.work)
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert not list(office.folder.rglob("*evil*"))


def test_two_files_with_one_content_are_both_there(office: Office) -> None:
    office.came(office.packet(("a.pdf", LETTER), ("b.pdf", LETTER)))
    first, second = opened(incoming(office)).files
    assert (first.name, second.name, first.path) == ("a.pdf", "b.pdf", second.path)
    assert first.path.read_bytes() == LETTER


def test_a_packet_that_breaks_off_leaves_nothing_behind(office: Office) -> None:
    office.came(office.packet()[:-40])
    with pytest.raises(KnownError) as caught:
        opened(incoming(office))
    assert caught.value.code == "edxml_invalid"
    assert list(office.space.folder.work.iterdir()) == []


def test_a_packet_that_is_gone_from_the_disk_is_told(office: Office) -> None:
    office.came(office.packet())
    inbox = incoming(office)
    row = only(inbox)
    office.store.blobs.delete(str(row.sha256))
    with pytest.raises(KnownError) as caught:
        inbox.open(row)
    assert caught.value.code == "blob_damaged"


def test_only_the_last_few_packets_stay_taken_apart_and_none_with_the_workspace(office: Office) -> None:
    for number in range(10):
        office.clock.go_on(1)
        office.came(office.packet(number=str(number)))
    inbox = incoming(office)
    rows = inbox.look().rows
    first = inbox.open(rows[0])
    for row in rows[1:]:
        inbox.open(row)
    assert not first.folder.exists()
    assert len(list(office.space.folder.work.glob("incoming-*"))) == 8
    assert inbox.open(rows[0]).files[0].path.is_file()
    office.space._stack.close()
    assert not list(office.space.folder.work.glob("incoming-*"))


def test_signatures_are_verified_by_the_same_worker_as_everywhere(office: Office) -> None:
    letter = signer_resources.path("samples/cong-van.pdf").read_bytes()
    office.came(office.packet(("thu.pdf", letter)))
    (file,) = opened(incoming(office)).files
    assert Verifying(office.space).check(file.path, name=file.name).report.verdict is Verdict.UNSIGNED


def test_a_file_is_saved_where_the_clerk_wants_it_and_never_over_another(office: Office, tmp_path: Path) -> None:
    office.came(office.packet(("thu.pdf", LETTER)))
    inbox = incoming(office)
    (file,) = opened(inbox).files
    target = tmp_path / "lưu" / "thư đến.pdf"
    with pytest.raises(KnownError) as caught:
        inbox.save(file, target)
    assert caught.value.code == "output_unwritable"
    target.parent.mkdir()
    inbox.save(file, target)
    assert target.read_bytes() == LETTER
    target.write_bytes(b"mine")
    with pytest.raises(KnownError) as caught:
        inbox.save(file, target)
    assert caught.value.code == "output_exists"
    assert target.read_bytes() == b"mine"


def test_a_copy_that_was_altered_in_the_meantime_is_not_saved(office: Office, tmp_path: Path) -> None:
    office.came(office.packet())
    inbox = incoming(office)
    (file,) = opened(inbox).files
    file.path.write_bytes(b"%PDF-1.7 forged")
    with pytest.raises(KnownError) as caught:
        inbox.save(file, tmp_path / "thu.pdf")
    assert caught.value.code == "blob_damaged"
    assert not (tmp_path / "thu.pdf").exists()


# ---- documents


def test_what_presses_stands_first_then_what_is_asked_then_problems_then_what_is_valid(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        inbox = incoming(here.office)
        here.came(here.letter("1"))
        here.came(here.letter("2", broken_letter()))
        here.came(here.letter("3"))
        here.came(here.recall("3"))
        here.came(here.letter("4", plain_letter(), priority=Priority.FLASH))
        here.came(here.letter("5"))
        here.office.secret_came()
        snapshot = inbox.look()
        told = [(row.facts.label[:1] if row.facts else "", row.place) for row in snapshot.rows]
        assert told == [
            ("4", Place.FLASH),
            ("3", Place.ASKED),
            ("2", Place.PROBLEM),
            ("", Place.PROBLEM),
            ("1", Place.VALID),
            ("5", Place.VALID),
        ]
        assert (snapshot.valid, snapshot.open) == (2, 6)
        assert [row.state_key for row in snapshot.rows][:2] == ["incoming_state_arrived", "incoming_state_recall"]
        inbox.deciding.accept_all_valid()
        done = inbox.look()
        assert [row.facts.label[:1] for row in done.rows[-2:] if row.facts] == ["5", "1"] or done.open == 4
        assert (done.valid, done.open) == (0, 4)


def test_only_what_is_new_is_read_and_the_same_answer_given_while_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with post(tmp_path) as here:
        inbox = incoming(here.office)
        here.came(here.letter("1"))
        here.came(here.letter("2"))
        first = inbox.look()
        assert inbox.look() is first
        made: list[str] = []
        row = Incoming._row

        def counted(self: Incoming, document: IncomingDocument, *rest: Any) -> IncomingRow:
            made.append(document.label)
            return row(self, document, *rest)

        monkeypatch.setattr(Incoming, "_row", counted)
        here.deciding.accept(next(one.id for one in here.documents() if one.label == "2/UBND-VX"))
        changed = inbox.look()
        assert made == ["2/UBND-VX"]
        assert {one.state_key for one in changed.rows} == {"incoming_state_arrived", "incoming_state_accepted"}


def test_a_hoa_toc_is_loud_after_ten_minutes_and_late_at_the_day_s_end(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        inbox = incoming(here.office)
        here.came(here.letter("1", priority=Priority.FLASH))
        here.came(here.letter("2"))
        snapshot, now = inbox.look(), here.office.now
        assert snapshot.loud(now + dt.timedelta(minutes=9)) == ()
        assert [row.urgency for row in snapshot.loud(now + dt.timedelta(minutes=10))] == [Urgency.HOA_TOC]
        assert snapshot.late(now) == ()
        assert len(snapshot.late(now + dt.timedelta(days=1))) == 2
        here.deciding.accept_all_valid()
        assert inbox.look().loud(now + dt.timedelta(hours=1)) == ()
        assert inbox.look().late(now + dt.timedelta(days=9)) == ()


def test_a_hoa_toc_stays_loud_while_its_sender_asks_for_an_update_at_home_and_in_the_list_alike(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        inbox = incoming(here.office)
        here.came(here.letter("1", priority=Priority.FLASH))
        changed_words = here.document("1", subject="V/v khác", priority=Priority.FLASH)
        here.came(here.packet(changed_words, business=Update(info=True)))
        here.office.clock.go_on(600)
        (loud,) = inbox.look().loud(here.office.now)
        assert (loud.place, loud.is_flash) == (Place.ASKED, True)
        assert here.office.desk.today().incoming.loud == 1
        here.came(here.recall("1", priority=Priority.FLASH))
        assert inbox.look().loud(here.office.now) == ()
        came = here.office.desk.today().incoming
        assert (came.loud, len(came.recalls)) == (0, 1)


def test_a_filed_document_is_opened_from_its_blobs_and_a_recalled_one_for_the_log_alone(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        inbox = incoming(here.office)
        here.came(here.letter("1"))
        row = only(inbox)
        (file,) = inbox.open(row).files
        assert (file.name, file.path.read_bytes()) == ("thu.pdf", signed_letter())
        assert list(here.office.space.folder.work.glob("incoming-*")) == []
        details = inbox.details(row.id)
        assert ([one.verdict for one in details.files], [one.what for one in details.events]) == (
            ["valid"],
            ["arrived"],
        )
        here.came(here.recall("1"))
        here.deciding.answer(row.id, agree=True, decided_by="Chủ tịch")
        with pytest.raises(KnownError) as caught:
            inbox.open(only(inbox))
        assert caught.value.code == "incoming_quarantined"
        assert inbox.open(only(inbox), for_log=True).files[0].sha256 == file.sha256


def test_documents_are_found_without_diacritics_by_number_subject_and_sender(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        here.came(here.letter("12"))
        (row,) = incoming(here.office).look().rows
        assert all(fold(words) in row.search for words in ("12/ubnd", "RÀ SOÁT ĐÊ ĐIỀU", "tinh an son", "tran van an"))


def test_a_secret_packet_that_was_told_of_no_longer_presses(office: Office) -> None:
    office.secret_came()
    inbox = incoming(office)
    row = only(inbox)
    assert (row.place, row.packet is not None) == (Place.PROBLEM, True)
    assert row.packet is not None
    inbox.deciding.report_secret(row.packet)
    assert only(inbox).place == Place.DONE


def test_another_calendar_is_another_deadline_at_once(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        inbox = incoming(here.office)
        here.office.at(dt.datetime(2026, 11, 27, 16, 30, tzinfo=VIETNAM))  # a Friday
        here.came(here.letter("1"))
        here.office.at(dt.datetime(2026, 11, 27, 17, 30, tzinfo=VIETNAM))
        here.came(here.letter("2"))
        days = {row.facts.label[0]: row.deadline for row in inbox.look().rows if row.facts and row.deadline}
        assert {label: found.target for label, found in days.items()} == {
            "1": dt.datetime(2026, 11, 27, 17, tzinfo=VIETNAM),
            "2": dt.datetime(2026, 11, 30, 17, tzinfo=VIETNAM),
        }
        assert days["1"].is_red(dt.datetime(2026, 11, 27, 16, 31, tzinfo=VIETNAM))
        worked = AddedDay(date=dt.date(2026, 11, 28), kind=AddedKind.WORKED, name="Làm bù")
        changed(here.office, calendar=CalendarSettings(days=(worked,)))
        (second,) = (row for row in inbox.look().rows if row.facts and row.facts.label[0] == "2")
        assert second.deadline is not None
        assert second.deadline.target == dt.datetime(2026, 11, 28, 17, tzinfo=VIETNAM)


def test_a_sender_s_words_are_one_line_and_can_t_turn_what_stands_beside_them(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        hostile = "V/v\nChữ ký hợp lệ\u202e gnourt"
        here.came(here.letter("1", subject="V/v rà soát").replace("V/v rà soát".encode(), hostile.encode()))
        row = only(incoming(here.office))
        assert row.subject == "V/v Chữ ký hợp lệ gnourt"


def test_several_threads_may_look_at_once(tmp_path: Path) -> None:
    with post(tmp_path) as here:
        here.came(here.letter("1"))
        inbox, names = incoming(here.office), [f"{n}" for n in range(2, 5)]
        with ThreadPoolExecutor(4) as pool:
            first = list(pool.map(lambda _n: inbox.look(), range(8)))
        assert all(one is first[0] for one in first)
        for name in names:
            here.came(here.letter(name))
            with ThreadPoolExecutor(4) as pool:
                found = {len(one.rows) for one in pool.map(lambda _n: inbox.look(), range(8))}
            assert found == {int(name)}
