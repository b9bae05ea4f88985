"""Files that go along with a draft unsigned: brought in beside it, chosen by hand, turned into pages, never secret."""

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from signer_app.attachments.office import Office
from signer_app.outgoing import arranging
from signer_app.outgoing.grouping import group
from signer_app.outgoing.model import Added, Changes, FileRole, Profile, Row, Urgency
from signer_app.outgoing.outgoing import Outgoing
from signer_app.pdf.model import LetterFacts
from signer_app.pdf.plan import SigningPlan
from signer_app.signing.jobs import AttachmentJob, job_of
from signer_app.store.model import Draft
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from tests.app.letters import Wording, write_letter
from tests.outgoing.drafts import TODAY, draft
from tests.outgoing.office_files import spreadsheet, text_document
from tests.support.workspace import Desk

ROWS = (("STT", "Họ và tên"), ("1", "Nguyễn Văn Ánh"))


def letter(desk: Desk, name: str) -> Path:
    return write_letter(desk.letters / name, Wording(text=f"Nội dung của {name}."))


def only(outgoing: Outgoing) -> Row:
    (row,) = outgoing.rows()
    return row


def along(draft: Draft) -> list[str]:
    return [item.name for item in draft.attachments]


def told(added: Added) -> dict[str, str]:
    return {left.name: left.error.code for left in added.left}


def kept(space: Workspace, *paths: Path) -> list[bool]:
    return [space.store.blobs.has(hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]


def test_what_belongs_to_a_letter_is_told_by_its_name(tmp_path: Path) -> None:
    main, other = tmp_path / "12-QĐ.pdf", tmp_path / "13-QĐ.pdf"
    names = [
        "12-QĐ phụ lục 2.xlsx",
        "12-QĐ Phụ lục I.docx",
        "Dự toán kèm theo 13-QĐ.xlsx",
        "12-QĐ.docx",
        "kế hoạch.xlsx",
    ]
    first, second = group([main, other], [tmp_path / name for name in names])
    assert [path.name for path in first.attachments] == ["12-QĐ Phụ lục I.docx", "12-QĐ phụ lục 2.xlsx"]
    assert second.attachments == ()
    (alone,) = group([main], [tmp_path / "Dự toán kèm theo.xlsx"])
    assert [path.name for path in alone.attachments] == ["Dự toán kèm theo.xlsx"]


def test_a_folder_brings_what_goes_along_and_leaves_what_does_not(desk: Desk, outgoing: Outgoing) -> None:
    letter(desk, "12-QĐ.pdf")
    letter(desk, "12-QĐ phụ lục 1.pdf")
    sheet = spreadsheet(desk.letters / "12-QĐ phụ lục 2.xlsx", ROWS)
    text_document(desk.letters / "12-QĐ phụ lục 1.docx", "Nguồn của tệp PDF cùng tên")
    text_document(desk.letters / "12-QĐ.docx", "Bản thảo")
    (desk.letters / "~$12-QĐ phụ lục 2.xlsx").write_bytes(b"PK")

    assert outgoing.add([desk.letters]).left == ()

    draft = only(outgoing).draft
    (item,) = draft.attachments
    assert [file.name for file in draft.files] == ["12-QĐ.pdf", "12-QĐ phụ lục 1.pdf"]
    assert (item.name, item.path, item.words) == (sheet.name, str(sheet), True)
    assert item.blob == hashlib.sha256(sheet.read_bytes()).hexdigest()
    assert Path(item.output).parent == Path(draft.main.output).parent
    assert job_of(draft).attachments == (AttachmentJob(str(sheet), item.output, item.blob),)
    assert "phu luc 2" in only(outgoing).key

    # The same folder once more, with a file that is new: it joins the draft that is there.
    spreadsheet(desk.letters / "12-QĐ phụ lục 3.xlsx", [*ROWS, ("2", "Trần Thị Bình")])
    again = outgoing.add([desk.letters])
    assert set(told(again).values()) == {"out_already_here"}
    assert along(only(outgoing).draft) == ["12-QĐ phụ lục 2.xlsx", "12-QĐ phụ lục 3.xlsx"]


def test_nothing_is_kept_of_a_document_one_of_whose_files_is_secret_or_a_danger(
    desk: Desk, space: Workspace, outgoing: Outgoing
) -> None:
    marked = spreadsheet(desk.letters / "12-QĐ phụ lục.xlsx", [("MẬT",), *ROWS])
    danger = desk.letters / "13-QĐ phụ lục.xlsm"
    danger.write_bytes(b"PK")
    first, second = letter(desk, "12-QĐ.pdf"), letter(desk, "13-QĐ.pdf")

    added = outgoing.add([desk.letters])

    assert told(added) == {
        first.name: "out_part_left",
        marked.name: "secret",
        second.name: "out_part_left",
        danger.name: "attachment_macros",
    }
    assert (outgoing.rows(), kept(space, first, second, marked, danger)) == ((), [False] * 4)


def test_a_file_that_is_no_pdf_is_not_brought_in_alone(desk: Desk, outgoing: Outgoing) -> None:
    sheet = spreadsheet(desk.letters / "danh sách.xlsx", ROWS)
    program = desk.letters / "cài đặt.exe"
    program.write_bytes(b"MZ")
    hidden = desk.letters / "số 7 (MẬT).exe"
    hidden.write_bytes(b"MZ")
    assert told(outgoing.add([sheet, program, hidden])) == {
        sheet.name: "attachment_alone",
        program.name: "attachment_program",
        hidden.name: "secret",
    }


def test_files_are_chosen_by_hand_taken_out_and_go_with_their_document(
    desk: Desk, space: Workspace, outgoing: Outgoing
) -> None:
    outgoing.add([letter(desk, "một.pdf"), letter(desk, "hai.pdf")])
    one, two = (row.draft.id for row in sorted(outgoing.rows(), key=lambda row: row.draft.main.name, reverse=True))
    sheet = spreadsheet(desk.letters / "danh sách.xlsx", ROWS)
    drawing = desk.letters / "bản vẽ.dwg"
    drawing.write_bytes(b"AC1032")
    marked = spreadsheet(desk.letters / "khác.xlsx", [("TUYỆT MẬT",)])

    attached = outgoing.attach(one, [sheet, drawing, marked, sheet])

    assert along(attached.row.draft) == [sheet.name, drawing.name]
    assert [(left.name, left.error.code) for left in attached.left] == [(marked.name, "secret")]
    assert kept(space, sheet, drawing, marked) == [True, True, False]
    (warning,) = [finding for finding in attached.row.reasons if finding.code == "attachment_not_looked"]
    assert warning.params == {"names": drawing.name}

    assert along(outgoing.attach(two, [sheet]).row.draft) == [sheet.name]
    merged = outgoing.merge([one, two], one).draft
    assert along(merged) == [sheet.name, drawing.name]
    row = outgoing.detach(merged.attachments[1].id)
    assert (along(row.draft), kept(space, sheet, drawing)) == ([sheet.name], [True, False])
    with pytest.raises(KnownError, match="not in the list"):
        outgoing.detach(merged.attachments[1].id)
    outgoing.remove([one])
    assert kept(space, sheet) == [False]


def test_a_spreadsheet_becomes_an_appendix_where_libreoffice_is_there(
    desk: Desk, space: Workspace, tmp_path: Path
) -> None:
    pages = write_letter(tmp_path / "pages.pdf", Wording(number_line="", text="Bảng trên giấy."))

    class Scripted(Office):
        def to_pdf(self, source: Path, name: str, work: Path) -> Path:
            assert source.read_bytes() == sheet.read_bytes()
            return Path(pages.rename(work / "source.pdf"))

    outgoing = Outgoing(space, office=lambda: Scripted(tmp_path / "soffice"))
    outgoing.add([letter(desk, "12-QĐ.pdf")])
    sheet = spreadsheet(desk.letters / "danh sách.xlsx", ROWS)
    (item,) = outgoing.attach(only(outgoing).draft.id, [sheet]).row.draft.attachments
    assert outgoing.why_not_converted(item.id) is None

    draft = outgoing.convert(item.id, keep_source=False).draft

    made = draft.files[1]
    assert (made.name, made.role, made.profile) == ("danh sách.pdf", FileRole.APPENDIX, Profile.APPENDIX)
    assert (made.made_from, made.pages, draft.attachments) == (item.blob, 1, ())
    assert Path(made.output).name == "danh sách.pdf"
    assert kept(space, sheet) == [False]
    assert list(space.folder.work.iterdir()) == []
    with space.store.view() as view:
        assert view.drafts.list() == (draft,)


def test_without_libreoffice_the_choice_is_not_there_and_it_says_why(desk: Desk, space: Workspace) -> None:
    outgoing = Outgoing(space, office=lambda: None)
    outgoing.add([letter(desk, "12-QĐ.pdf")])
    drawing = desk.letters / "bản vẽ.dwg"
    drawing.write_bytes(b"AC1032")
    sheet = spreadsheet(desk.letters / "danh sách.xlsx", ROWS)
    first, second = outgoing.attach(only(outgoing).draft.id, [sheet, drawing]).row.draft.attachments
    reasons = [outgoing.why_not_converted(item.id) for item in (first, second)]
    assert [reason.code if reason else "" for reason in reasons] == ["office_missing", "office_kind"]
    with pytest.raises(KnownError, match="LibreOffice is not installed"):
        outgoing.convert(first.id, keep_source=True)


def test_another_way_of_signing_asks_for_other_numbers(desk: Desk, outgoing: Outgoing) -> None:
    named = write_letter(desk.letters / "12.pdf", Wording(number_line="Số: 12/QĐ-UBND"))
    outgoing.add([named, letter(desk, "12 phụ lục.pdf")])
    draft = only(outgoing).draft
    assert (draft.number, draft.notation) == ("12", "QĐ-UBND")
    for profile, beside in (
        (Profile.COPY, Profile.COPY),
        (Profile.ARCHIVE, Profile.ARCHIVE),
        (Profile.INITIAL, Profile.PLAIN),
        (Profile.LEADER, Profile.PLAIN),
        (Profile.AGENCY, Profile.APPENDIX),
    ):
        row = outgoing.edit(draft.id, Changes(profile=profile))
        assert [file.profile for file in row.draft.files] == [profile, beside]
        own = profile is Profile.COPY
        assert (row.draft.number, row.draft.notation) == (("", "") if own else ("12", "QĐ-UBND"))
    copy = outgoing.edit(draft.id, Changes(profile=Profile.COPY)).draft
    copy = outgoing.edit(draft.id, Changes(number="12/SY-UBND")).draft
    assert (job_of(copy).number, job_of(copy).notation, copy.type) == ("12", "SY-UBND", draft.type)


def test_a_repaired_copy_takes_the_place_of_what_came_and_keeps_it(
    desk: Desk, space: Workspace, outgoing: Outgoing
) -> None:
    path = letter(desk, "12-QĐ.pdf")
    outgoing.add([path])
    draft = only(outgoing).draft
    better = space.store.blobs.add_file(letter(desk, "tốt hơn.pdf")).sha256
    main = draft.main
    plan = SigningPlan(profile="agency", blob=better, certificate="", rules="", steps=(), original=main.blob)

    now = arranging.repaired(draft, {main.id: plan})

    assert (now.main.blob, now.main.original, now.blobs) == (better, main.blob, {better, main.blob})
    assert arranging.repaired(now, {main.id: plan}) == now
    space.store.write(lambda tx: tx.drafts.put(now))
    with space.store.view() as view:
        assert view.drafts.get(draft.id) == now
    assert told(outgoing.add([path])) == {path.name: "out_already_here"}
    assert job_of(now).files[0].original == main.blob
    outgoing.remove([draft.id])
    assert kept(space, path, desk.letters / "tốt hơn.pdf") == [False, False]


@pytest.mark.parametrize(
    ("mark", "degree"),
    [
        (None, Urgency.NORMAL),
        ("KHẨN", Urgency.KHAN),
        ("THƯỢNG KHẨN", Urgency.THUONG_KHAN),
        ("HỎA TỐC", Urgency.HOA_TOC),
        ("HỎA TỐC HẸN GIỜ", Urgency.HOA_TOC_HEN_GIO),
    ],
)
def test_how_urgent_a_draft_is_follows_the_page_until_a_person_says_it(mark: str | None, degree: Urgency) -> None:
    facts = LetterFacts(urgency=mark)
    profile = rules.load(TODAY)
    fresh = arranging.new_draft(draft(facts=facts).files, dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC), 0, profile)
    assert fresh.urgency is degree
    assert arranging.changed(fresh, Changes(urgency=Urgency.NORMAL), profile).urgency is Urgency.NORMAL
