"""Documents that wait to be signed: brought in, kept over a restart, arranged, filled in, examined without a token."""

import datetime as dt
import hashlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from signer_app.outgoing import adding
from signer_app.outgoing.model import Changes, DraftFile, FileRole, PlaceOption, Profile, Row, State, Urgency
from signer_app.outgoing.outgoing import Outgoing
from signer_app.pdf.model import LetterFacts
from signer_app.store.drafts import Drafts
from signer_app.tasks import Preflight, PreflightAnswer
from signer_app.workspace import Workspace, vietnam_now
from signer_resources import samples
from signer_resources.errors import KnownError
from tests.app.letters import Wording, write_letter
from tests.outgoing.conftest import opened
from tests.outgoing.drafts import draft
from tests.support.workspace import DAY, ISSUED, Desk

SENTENCE = "Phương án tuần tra mốc giới số 2719 trong đêm rằm."


def plain_letter(desk: Desk, name: str, number_line: str = "Số:        /QĐ-UBND") -> Path:
    """A letter that nobody has signed."""
    target = desk.letters / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return write_letter(target, Wording(number_line=number_line, text=f"Nội dung của {name}."))


def only(outgoing: Outgoing) -> Row:
    (row,) = outgoing.rows()
    return row


def names(row: Row) -> list[str]:
    return [file.name for file in row.draft.files]


def codes(row: Row) -> list[str]:
    return [finding.code for finding in row.reasons]


def refusal(error: pytest.ExceptionInfo[KnownError]) -> str:
    return error.value.code


# --- bringing in ----------------------------------------------------------------------------------------------------


def test_a_folder_is_brought_in_grouped_with_what_its_pages_say(desk: Desk, outgoing: Outgoing) -> None:
    desk.letter("quyet-dinh.pdf")
    main, appendix = desk.letter("to-trinh.pdf"), desk.letter("to-trinh-phu-luc.pdf")
    for left_out in ("cũ.signed.pdf", "Đã ký/2026-11-19/to-trinh.pdf"):
        plain_letter(desk, left_out)
    (desk.letters / "ghi chú.txt").write_text("không phải PDF", encoding="utf-8")
    told: list[tuple[str, int, int]] = []

    added = outgoing.add([desk.letters], lambda *step: told.append(step))

    assert (added.left, added.interrupted) == ((), False)
    assert (told[0], told[-1]) == (("out_progress_open", 0, 3), ("out_progress_open", 3, 3))
    decision, submission = outgoing.rows()
    assert names(submission) == [main.name, appendix.name]
    assert [(file.role, file.profile) for file in submission.draft.files] == [
        (FileRole.MAIN, Profile.AGENCY),
        (FileRole.APPENDIX, Profile.APPENDIX),
    ]
    known = next(sample for sample in samples.load().samples if sample.id == "quyet-dinh")
    read = decision.draft
    assert (read.number, read.notation, read.type) == ("", "QĐ-UBND", "Quyết định")
    assert (read.subject, read.signer, read.main.pages) == (known.subject, "Nguyễn Thị Phượng", 2)
    assert "quy che tiep nhan" in decision.key
    assert Path(read.main.output) == desk.letters / "Đã ký" / vietnam_now().date().isoformat() / "quyet-dinh.pdf"
    assert {file.name for file in desk.letters.iterdir() if file.name.startswith(".")} == set()


def test_what_is_no_pdf_or_here_already_is_told_and_the_rest_comes(desk: Desk, outgoing: Outgoing) -> None:
    letter = plain_letter(desk, "một.pdf")
    copy = Path(shutil.copyfile(letter, desk.letters / "bản sao.pdf"))
    word = desk.letters / "văn bản.docx"
    word.write_bytes(b"PK")
    unknown = desk.letters / "bản vẽ.tmp"
    unknown.write_bytes(b"?")
    disguised = desk.letters / "giả.pdf"
    disguised.write_bytes(b"PK, a document of another program")
    cut = desk.letters / "cụt.pdf"
    cut.write_bytes(letter.read_bytes()[:900])
    empty = desk.letters / "trống"
    empty.mkdir()

    added = outgoing.add([letter, copy, word, unknown, disguised, cut, empty, desk.letters / "không có.pdf"])

    assert {left.name: left.error.code for left in added.left} == {
        "một.pdf": "out_already_here",
        "văn bản.docx": "attachment_alone",
        "bản vẽ.tmp": "out_not_pdf",
        "giả.pdf": "out_not_pdf",
        "cụt.pdf": "pdf_unreadable",
        "trống": "usage_empty_folder",
        "không có.pdf": "file_unreadable",
    }
    assert names(only(outgoing)) == ["bản sao.pdf"]
    assert [left.error.code for left in outgoing.add([letter]).left] == ["out_already_here"]


def test_a_whole_disk_is_not_looked_through(desk: Desk, outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "MOST_FILES", 2)
    folder = desk.letters / "ổ đĩa"
    for number in range(5):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "x.pdf").write_bytes(b"%PDF-")
    looked: list[bool] = []

    def look_on() -> bool:
        looked.append(True)
        return False

    found = adding.find([folder, desk.letters], look_on)
    assert [path.parent.name for path in found.files] == ["0", "1"]
    assert [(left.name, left.error.code) for left in found.left] == [("ổ đĩa", "out_too_many")]
    assert len(looked) == 4, "the folder itself and three in it"
    added = outgoing.add([folder], cancelled=lambda: True)
    assert (added.drafts, added.left, added.interrupted) == ((), (), True)


def test_a_draft_never_names_a_copy_that_is_gone(
    desk: Desk, space: Workspace, outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = adding.take

    def taken_and_thrown_away(*given: Any) -> DraftFile:
        file = take(*given)
        space.store.discard({file.blob})
        return file

    monkeypatch.setattr(adding, "take", taken_and_thrown_away)
    added = outgoing.add([plain_letter(desk, "một.pdf")])
    assert [left.error.code for left in added.left] == ["blob_damaged"]
    assert outgoing.rows() == ()


def test_a_secret_file_leaves_no_trace_and_takes_its_document_with_it(
    desk: Desk, space: Workspace, outgoing: Outgoing
) -> None:
    main = plain_letter(desk, "15-KH.pdf")
    marked = write_letter(desk.letters / "15-KH phụ lục.pdf", Wording(mark="TUYỆT MẬT", text=SENTENCE))
    named = plain_letter(desk, "số 7 (MẬT).pdf")
    fine = plain_letter(desk, "16-BC.pdf")

    added = outgoing.add([desk.letters])

    assert {left.name: left.error.code for left in added.left} == {
        main.name: "out_part_left",
        marked.name: "secret",
        named.name: "secret",
    }
    assert names(only(outgoing)) == [fine.name]
    assert space.store.blobs.has(only(outgoing).draft.main.blob)
    for path in (main, marked, named):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        traces = (path.name.encode(), digest.encode(), path.read_bytes()[-300:])
        left = [str(file) for file, data in desk.everything() if any(t in data for t in traces) or digest in str(file)]
        assert left == [], path.name
    assert all(SENTENCE.encode() not in data for _file, data in desk.everything())


def test_an_appendix_that_comes_later_joins_its_letter(desk: Desk, outgoing: Outgoing) -> None:
    letter = plain_letter(desk, "12-QĐ.pdf")
    outgoing.add([letter])
    appendix = plain_letter(desk, "12-QĐ phụ lục.pdf")
    added = outgoing.add([letter, appendix])
    assert [left.name for left in added.left] == [letter.name]
    assert names(only(outgoing)) == [letter.name, appendix.name]


def test_bringing_in_can_be_stopped_between_documents(desk: Desk, outgoing: Outgoing) -> None:
    for number in range(3):
        plain_letter(desk, f"{number}.pdf")
    asked: list[int] = []

    def after_one() -> bool:
        asked.append(1)
        return len(asked) > 2

    added = outgoing.add([desk.letters], cancelled=after_one)
    assert (added.interrupted, [names(row) for row in outgoing.rows()]) == (True, [["0.pdf"]])


# --- kept -----------------------------------------------------------------------------------------------------------


def test_drafts_come_back_after_the_window_was_closed_with_all_that_was_filled_in(desk: Desk) -> None:
    path = plain_letter(desk, "12-QĐ.pdf")
    with opened(desk) as space:
        outgoing = Outgoing(space)
        outgoing.add([path])
        row = only(outgoing)
        changes = Changes(number="12", date=ISSUED, receivers=("H77",), urgency=Urgency.HOA_TOC, subject="Về việc khác")
        outgoing.edit(row.draft.id, changes)
        outgoing.place(row.draft.main.id, PlaceOption(1, 100, 150, 38, 38))
        outgoing.tick([row.draft.id], ticked=True)
        before = only(outgoing).draft
    path.unlink()
    with opened(desk) as space:
        after = only(Outgoing(space)).draft
        assert space.store.blobs.verify(after.main.blob).sha256 == after.main.blob
    assert after == before
    assert (after.label, after.date, after.urgency, after.subject) == ("12/QĐ-UBND", ISSUED, 3, "Về việc khác")
    assert (after.main.place, after.ticked, after.ticked_by_hand) == (PlaceOption(1, 100, 150, 38, 38), True, True)


def test_what_is_taken_out_is_gone_and_its_copy_too_but_not_the_clerks_file(
    desk: Desk, space: Workspace, outgoing: Outgoing
) -> None:
    path = plain_letter(desk, "12-QĐ.pdf")
    outgoing.add([path])
    row = only(outgoing)
    outgoing.remove([row.draft.id])
    assert outgoing.rows() == ()
    assert not space.store.blobs.has(row.draft.main.blob)
    assert path.exists()
    with pytest.raises(KnownError) as gone:
        outgoing.edit(row.draft.id, Changes(number="1"))
    assert refusal(gone) == "out_gone"
    outgoing.add([path])
    assert names(only(outgoing)) == [path.name]


def test_two_thousand_drafts_are_read_by_a_handful_of_statements(space: Workspace, outgoing: Outgoing) -> None:
    facts = LetterFacts(
        notation="QĐ-UBND",
        subject="Về việc phối hợp thực hiện nhiệm vụ",
        signer="Nguyễn Thị Phượng",
        receivers=("UBND tỉnh An Sơn", "Các phòng"),
    )
    with space.store.transaction() as tx:
        for number in range(2000):
            tx.drafts.add(draft(str(number + 1), facts=facts, subject=facts.subject))
    connection = space.store._connection
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    rows = outgoing.rows()
    connection.set_trace_callback(None)
    assert (len(rows), rows[1999].draft.number) == (2000, "2000")
    assert len(statements) < 24


def test_the_database_itself_keeps_one_main_file_and_each_file_once(space: Workspace) -> None:
    one, two = draft(), draft()
    twice = msgspec.structs.replace(two, files=one.files)
    with space.store.transaction() as tx:
        tx.drafts.add(one)
    with pytest.raises(KnownError) as caught, space.store.transaction() as tx:
        tx.drafts.add(msgspec.structs.replace(twice, files=(msgspec.structs.replace(one.main, id="other"),)))
    assert refusal(caught) == "out_already_here"
    with pytest.raises(sqlite3.IntegrityError), space.store.transaction() as tx:
        tx.drafts.add(msgspec.structs.replace(two, files=(*two.files, draft().main)))
    with space.store.view() as view:
        assert [found.id for found in view.drafts.list()] == [one.id]
        assert not isinstance(view.drafts, Drafts)


# --- arranging and filling in ---------------------------------------------------------------------------------------


def test_grouping_is_corrected_by_hand(desk: Desk, outgoing: Outgoing) -> None:
    notice = plain_letter(desk, "b.pdf", "Số:        /TB-UBND")
    outgoing.add([plain_letter(desk, "a.pdf"), notice, plain_letter(desk, "c.pdf")])
    a, b, c = (row.draft for row in outgoing.rows())

    merged = outgoing.merge([a.id, b.id, c.id], a.id)
    assert (names(merged), [file.profile for file in merged.draft.files][1:]) == (
        ["a.pdf", "b.pdf", "c.pdf"], [Profile.APPENDIX, Profile.APPENDIX],
    )  # fmt: skip
    assert names(outgoing.reorder_files(a.id, [c.main.id, b.main.id])) == ["a.pdf", "c.pdf", "b.pdf"]

    turned = outgoing.set_role(b.main.id, FileRole.MAIN)
    assert names(turned) == ["b.pdf", "a.pdf", "c.pdf"]
    assert (turned.draft.notation, turned.draft.type) == ("TB-UBND", "Thông báo")

    rest, own = outgoing.split(a.main.id)
    assert (names(rest), names(own)) == (["b.pdf", "c.pdf"], ["a.pdf"])
    assert (own.draft.main.role, own.draft.profile, own.draft.notation) == (FileRole.MAIN, Profile.AGENCY, "QĐ-UBND")
    outgoing.reorder([own.draft.id])
    assert [names(row)[0] for row in outgoing.rows()] == ["a.pdf", "b.pdf"]
    for file_id in (b.main.id, a.main.id):
        with pytest.raises(KnownError) as caught:
            outgoing.split(file_id)
        assert refusal(caught) == "out_main_needed"


def test_numbers_are_filled_in_from_the_next_one_and_pasted_from_a_spreadsheet(desk: Desk, outgoing: Outgoing) -> None:
    for name in ("1.pdf", "2.pdf", "3.pdf"):
        plain_letter(desk, name)
    outgoing.add([desk.letters])
    first, second, third = (row.draft.id for row in outgoing.rows())
    assert [row.proposal for row in outgoing.rows()] == ["01", "02", "03"]
    outgoing.edit(first, Changes(number="40/QĐ-UBND"))
    filled = outgoing.fill([second, third])
    assert [row.draft.number for row in filled] == ["41", "42"]

    cells = "Số\tNgày\tNơi nhận\n50\t20/11/2026\tH77\nnăm mốt\t\t\n52\t\t\n53\t\t\n"
    result = outgoing.paste([first, second, third], cells)

    assert (result.changed, result.rows_over) == ((first, third), 1)
    assert [(fault.row, fault.error.code) for fault in result.faults] == [(3, "out_number_unreadable")]
    assert [row.draft.number for row in outgoing.rows()] == ["50", "41", "52"]
    assert (outgoing.rows()[0].draft.date, outgoing.rows()[0].draft.receivers) == (ISSUED, ("H77",))


def test_a_cell_that_is_emptied_goes_back_to_what_the_page_says(desk: Desk, outgoing: Outgoing) -> None:
    outgoing.add([plain_letter(desk, "a.pdf", "Số: 9/QĐ-UBND")])
    row = only(outgoing)
    assert (row.draft.number, row.draft.type) == ("9", "Quyết định")
    changed = outgoing.edit(row.draft.id, Changes(notation="TB-UBND", number="10", signer="Ai đó"))
    assert (changed.draft.label, changed.draft.type, changed.draft.signer) == ("10/TB-UBND", "Thông báo", "Ai đó")
    back = outgoing.edit(row.draft.id, Changes(notation="", number=" ", signer=""))
    assert (back.draft.label, back.draft.type, back.draft.signer) == ("9/QĐ-UBND", "Quyết định", "Nguyễn Thị Phượng")
    with pytest.raises(KnownError) as caught:
        outgoing.edit(row.draft.id, Changes(number="số chín"))
    assert refusal(caught) == "out_number_unreadable"


# --- examined without a token ---------------------------------------------------------------------------------------


def test_an_examination_without_a_token_says_what_is_ready_and_ticks_it(desk: Desk, outgoing: Outgoing) -> None:
    ready, waiting = desk.letter("quyet-dinh.pdf"), desk.letter("thong-bao.pdf")
    unsigned = plain_letter(desk, "chưa ký.pdf")
    outgoing.add([ready, waiting, unsigned])
    by_name = {names(row)[0]: row.draft.id for row in outgoing.rows()}
    assert {row.state for row in outgoing.rows()} == {State.CHECKING}
    outgoing.edit_many({by_name[name]: Changes(number=number, date=ISSUED) for name, number in
                        ((ready.name, "12"), (unsigned.name, "13"))})  # fmt: skip

    examined = outgoing.examine(by_name.values(), None)

    rows = {names(row)[0]: row for row in examined.rows}
    assert {name: (row.state, row.draft.ticked) for name, row in rows.items()} == {
        ready.name: (State.READY, True),
        waiting.name: (State.NEEDS_NUMBER, False),
        unsigned.name: (State.REFUSED, False),
    }, [(name, codes(row)) for name, row in rows.items()]
    assert codes(rows[unsigned.name])[0] == "leader_missing"
    row = rows[ready.name]
    assert {placement.what for placement in row.placements[row.draft.main.id]} >= {"seal", "number", "date"}
    assert [note.code for note in row.notes] == ["out_receivers_unknown", "out_receivers_referred"]
    assert outgoing.edit(row.draft.id, Changes(number="14")).state is State.CHECKING
    with pytest.raises(KnownError) as caught:
        outgoing.jobs([row.draft.id])
    assert refusal(caught) == "out_not_ready"


def test_nothing_is_looked_at_twice_and_ticks_by_hand_are_left_alone(
    desk: Desk, space: Workspace, outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    outgoing.add([desk.letter("quyet-dinh.pdf")])
    draft_id = only(outgoing).draft.id
    asked: list[str] = []
    preflight = space.workers.preflight

    def ask(task: Preflight) -> PreflightAnswer:
        asked.append(task.path)
        return preflight(task)

    monkeypatch.setattr(space.workers, "preflight", ask)

    outgoing.edit(draft_id, Changes(number="12", date=ISSUED))
    (row,) = outgoing.examine([draft_id], None).rows
    assert (row.state, row.draft.ticked, len(asked)) == (State.READY, True, 1)
    outgoing.tick([draft_id], ticked=False)
    outgoing.edit(draft_id, Changes(receivers=("H77",), subject="Về việc khác"))
    assert only(outgoing).state is State.READY
    (row,) = outgoing.examine([draft_id], None).rows
    assert (row.draft.ticked, len(asked)) == (False, 1)

    outgoing.edit(draft_id, Changes(number="13"))
    outgoing.examine([draft_id], None)
    assert len(asked) == 2
    outgoing.edit(draft_id, Changes(number="12"))
    outgoing.examine([draft_id], None)
    assert len(asked) == 2
    space.folder.cache.joinpath("crl").mkdir(parents=True, exist_ok=True)
    space.folder.cache.joinpath("crl", "new.crl").write_bytes(b"a list that came meanwhile")
    outgoing.examine([draft_id], None)
    assert len(asked) == 3


def test_a_date_that_differs_from_the_page_is_refused_with_both(desk: Desk, outgoing: Outgoing) -> None:
    outgoing.add([desk.letter("quyet-dinh.pdf")])
    draft_id = only(outgoing).draft.id
    outgoing.edit(draft_id, Changes(number="12", date=dt.date(2027, 11, 20)))
    (row,) = outgoing.examine([draft_id], None).rows
    assert "date_differs" in codes(row)
    assert DAY[:4] in next(finding for finding in row.reasons if finding.code == "date_differs").params["page"]
