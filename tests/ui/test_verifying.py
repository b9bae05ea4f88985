"""What the verify view says of a checked file: plain reports in, words, order, facts and frames out."""

import datetime as dt
from pathlib import Path

import pytest
from msgspec.structs import replace

from signer_app.desk.verifying import Checked
from signer_app.pdf.geometry import Rect
from signer_app.verification.model import (
    AnchorSet,
    Change,
    ChangeKind,
    FileReport,
    Integrity,
    Level,
    Revocation,
    SignatureReport,
    StampReport,
    Timestamp,
    TimestampKind,
    Trust,
    Verdict,
)
from signer_ui.glow import Glow
from signer_ui.presenters.frames import Frame, FrameKind, frames_of
from signer_ui.presenters.pages import Spot
from signer_ui.presenters.verifying import EntryKind, FileView, file_view
from signer_ui.presenters.verifying_files import Results, report_name
from signer_ui.words import Words
from tests.desk.office import MONDAY

WORDS = Words("vi")
FRIDAY = dt.datetime(2026, 11, 20, 1, 30, tzinfo=dt.UTC)
SPOT, ELSEWHERE = Rect(20, 60, 80, 10), Rect(120, 200, 40, 15)
LEADER = SignatureReport(
    field="Leader",
    signer="Nguyễn Văn Ổn",
    certificate="a" * 64,
    subject="CN=Nguyễn Văn Ổn",
    issuer="CN=CA",
    not_before=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    not_after=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    integrity=Integrity.INTACT,
    trust=Trust.TRUSTED,
    revocation=Revocation.GOOD,
    signing_time=FRIDAY,
    timestamp=Timestamp(FRIDAY, TimestampKind.SIGNATURE, valid=True),
    level=Level.B_T,
    verdict=Verdict.VALID,
    message_code="verify_valid",
    message_params={},
    reasons=(),
    changes=(),
    covers_whole_file=False,
    revision=0,
    page=1,
    rect=ELSEWHERE,
    docmdp=None,
    organization="Sở Nội vụ",
    issuer_name="CA phục vụ các cơ quan Nhà nước",
    serial="5f3a01",
    valid_at_signing=True,
    anchor_set=AnchorSet.VGCA,
    anchor="Gốc thử nghiệm",
)
BODY = replace(LEADER, field="Seal", signer="UBND XÃ ĐỒNG TÂM", revision=1, page=None, rect=None, timestamp=None)
STAMP = StampReport("Stamp", FRIDAY, "TSA thử nghiệm", Integrity.INTACT, valid=True, revision=2)
COVERED = Change(
    ChangeKind.INK_COVERED, 2, "verify_change_ink_covered", {"page": 2}, False, False, areas=(SPOT,), after=1
)
NOTE = Change(
    ChangeKind.ANNOTATION_ADDED, 1, "verify_change_annotation_added", {"page": 1}, True, False, (ELSEWHERE,), 1
)
SIGNED = Change(ChangeKind.SIGNATURE, 1, "verify_change_signature", {"field": "Seal"}, True, True, (ELSEWHERE,), 0)
FILLED = Change(ChangeKind.FIELD_FILLED, 1, "verify_change_field_filled", {"field": "So"}, True, True, (SPOT,), 0)


def report(
    *signatures: SignatureReport,
    verdict: Verdict = Verdict.VALID,
    code: str = "verify_valid",
    stamps: tuple[StampReport, ...] = (),
    **params: str | int,
) -> FileReport:
    return FileReport("x.pdf", verdict, Integrity.INTACT, code, params, signatures, (), stamps, "ab" * 32, 10, MONDAY)


def view(found: FileReport) -> FileView:
    return file_view(found, MONDAY, WORDS)


def texts(shown: FileView) -> list[str]:
    return [entry.text for entry in shown.entries]


def broken() -> FileReport:
    worse = {"integrity": Integrity.BROKEN, "verdict": Verdict.INVALID, "message_code": "verify_forbidden_change"}
    return report(
        replace(LEADER, changes=(SIGNED, FILLED, NOTE, COVERED), **worse),
        replace(BODY, changes=(NOTE, COVERED), **worse),
        verdict=Verdict.INVALID,
        code="verify_forbidden_change_on_page",
        page=2,
    )


def test_the_course_runs_from_the_oldest_on_with_each_change_after_the_signature_it_followed() -> None:
    late = replace(NOTE, after=2)
    shown = view(
        report(replace(LEADER, changes=(SIGNED, FILLED, late)), replace(BODY, changes=(late,)), stamps=(STAMP,))
    )
    assert [(entry.kind, entry.text) for entry in shown.entries] == [
        (EntryKind.SIGNATURE, "1. Nguyễn Văn Ổn: Chữ ký hợp lệ"),
        (EntryKind.CHANGE, "Điền ô trống So."),
        (EntryKind.SIGNATURE, "2. UBND XÃ ĐỒNG TÂM: Chữ ký hợp lệ"),
        (EntryKind.STAMP, "Dấu thời gian của văn bản"),
        (EntryKind.CHANGE, "Trang 1: thêm chú thích hoặc hình đè lên trang."),
    ]


def test_an_entry_says_who_for_which_unit_as_what_and_when() -> None:
    first, second = view(report(LEADER, replace(BODY, docmdp=1))).entries
    assert first.under == "Sở Nội vụ · cá nhân ký · 08:30 20/11/2026"
    assert second.under == "Sở Nội vụ · cơ quan, tổ chức ký, khóa văn bản sau khi ký · 08:30 20/11/2026"


def test_a_change_that_no_state_is_given_for_stands_after_the_last_signature_that_saw_it() -> None:
    unplaced = replace(NOTE, after=None)
    shown = view(report(replace(LEADER, changes=(unplaced,)), replace(BODY, changes=(unplaced,))))
    assert [entry.kind for entry in shown.entries] == [EntryKind.SIGNATURE, EntryKind.SIGNATURE, EntryKind.CHANGE]


def test_a_change_counts_as_the_signature_sees_it_to_which_it_does_most_harm() -> None:
    mild = replace(COVERED, allowed=True, harmless=True)
    for changes in ((COVERED, mild), (mild, COVERED)):
        shown = view(report(replace(LEADER, changes=changes[:1]), replace(BODY, changes=changes[1:])))
        (change,) = (entry for entry in shown.entries if entry.kind is EntryKind.CHANGE)
        assert change.glow is Glow.BAD
        assert [frame.kind for frame in shown.frames] == [FrameKind.FORBIDDEN, FrameKind.SIGNATURE]


def test_a_broken_file_names_the_page_and_its_red_frame_and_begins_there() -> None:
    shown = view(broken())
    assert (shown.verdict, shown.glow) == ("Chữ ký không hợp lệ", Glow.BAD)
    assert shown.why == "Nội dung trang 2 bị thay đổi sau khi ký (khung đỏ). Đề nghị trả lại nơi gửi."
    assert shown.first is not None
    first = shown.entries[shown.first]
    assert (first.text, first.spots) == ("Trang 2: chữ hoặc hình có khi ký bị che mất.", (Spot(1, SPOT),))
    assert first.under == "Không được phép (khung đỏ)"


def test_the_time_of_a_timestamp_that_is_not_trusted_is_not_shown_as_that_of_the_signature() -> None:
    told = Timestamp(FRIDAY - dt.timedelta(days=400), TimestampKind.SIGNATURE, valid=False)
    (claimed,) = view(report(replace(LEADER, timestamp=None))).entries
    (rogue,) = view(report(replace(LEADER, timestamp=told))).entries
    assert rogue.under == claimed.under


def test_a_file_with_additions_begins_with_what_was_added_and_a_valid_one_with_its_signature() -> None:
    added = view(report(replace(LEADER, changes=(SIGNED, NOTE), verdict=Verdict.CHANGED), verdict=Verdict.CHANGED))
    assert added.first is not None
    assert added.entries[added.first].spots == (Spot(0, ELSEWHERE),)
    assert added.entries[added.first].under.endswith("(khung vàng)")
    assert view(report(replace(LEADER, changes=(SIGNED, FILLED)), BODY)).first == 0
    assert view(report(verdict=Verdict.UNSIGNED, code="verify_unsigned")).first is None


def test_no_red_frame_is_spoken_of_where_none_can_be_drawn() -> None:
    without = replace(COVERED, areas=())
    found = broken()
    found = replace(found, signatures=tuple(replace(one, changes=(without,)) for one in found.signatures))
    shown = view(found)
    assert "khung đỏ" not in shown.why
    assert "trang 2" in shown.why
    assert shown.first == 0


def test_what_is_undecided_says_what_is_missing_and_what_to_do() -> None:
    code, params = "verify_revocation_not_checked", {"signer": "Nguyễn Văn Ổn"}
    undecided = replace(LEADER, verdict=Verdict.INDETERMINATE, message_code=code, message_params=params)
    shown = view(report(undecided, verdict=Verdict.INDETERMINATE, code=code, signer="Nguyễn Văn Ổn"))
    assert (shown.verdict, shown.glow) == ("Chưa đủ thông tin để xác thực", Glow.WARN)
    assert shown.why.startswith("Chưa kiểm tra được tình trạng chứng thư số của Nguyễn Văn Ổn.")
    assert "Kiểm tra lại" in shown.why


def test_a_verdict_is_said_once_with_its_reason() -> None:
    assert view(report(LEADER)).why == ""
    assert view(report(verdict=Verdict.UNSIGNED, code="verify_unsigned")).why == ""
    changed = view(report(LEADER, verdict=Verdict.CHANGED, code="verify_changed"))
    assert (changed.verdict, changed.why) == (
        "Hợp lệ, có bổ sung sau khi ký",
        "Xem danh sách bổ sung trước khi tiếp nhận.",
    )


def test_the_facts_of_a_signature_are_the_seven_of_the_law_and_whose_anchors_were_used() -> None:
    (entry,) = view(report(LEADER)).entries
    assert [fact.value for fact in entry.facts][:3] == ["CA phục vụ các cơ quan Nhà nước", "Nguyễn Văn Ổn", "Sở Nội vụ"]
    told = {fact.what: fact.value for fact in entry.facts}
    assert len(told) == 9
    assert "theo dấu thời gian" in told["Thời gian ký"]
    assert told["Gốc tin cậy đã dùng"].endswith(": Gốc thử nghiệm")
    assert told["Số hiệu chứng thư số"] == "5f3a 01"


def test_a_signature_that_is_not_valid_says_why_before_its_facts_and_old_algorithms_are_named() -> None:
    worse = replace(LEADER, verdict=Verdict.INVALID, message_code="verify_digest", legacy=True)
    entry = view(report(worse, BODY, verdict=Verdict.INVALID, code="verify_digest")).entries[0]
    assert entry.facts[0].value.startswith("Nội dung đã bị thay đổi")
    alone = view(report(worse, verdict=Verdict.INVALID, code="verify_digest"))
    assert alone.why.startswith("Nội dung đã bị thay đổi")
    assert alone.entries[0].facts == entry.facts[1:]
    assert "SHA-1" in entry.facts[-1].value


def test_a_timestamp_that_nobody_trusts_is_no_good_light() -> None:
    shown = view(report(LEADER, stamps=(replace(STAMP, valid=False),)))
    assert (shown.entries[1].glow, "chưa" in shown.entries[1].text) == (Glow.WARN, True)
    assert view(report(stamps=(replace(STAMP, valid=False, integrity=Integrity.BROKEN),))).entries[0].glow is Glow.BAD


def test_frames_put_what_is_forbidden_first_and_each_place_once() -> None:
    frames = frames_of([LEADER, LEADER, BODY], [NOTE, COVERED, COVERED, FILLED])
    assert frames == (
        Frame(Spot(1, SPOT), FrameKind.FORBIDDEN),
        Frame(Spot(0, ELSEWHERE), FrameKind.ALLOWED),
        Frame(Spot(0, ELSEWHERE), FrameKind.SIGNATURE),
    )


def test_a_file_with_thousands_of_changes_has_a_bounded_number_of_frames() -> None:
    areas = tuple(Rect(at, at, 1, 1) for at in range(5000))
    frames = frames_of([LEADER], [replace(NOTE, areas=areas), COVERED])
    assert len(frames) == 600
    assert frames[0].kind is FrameKind.FORBIDDEN


def test_a_list_of_thousands_of_changes_keeps_the_weightiest_and_counts_the_others() -> None:
    many = tuple(replace(NOTE, page=page, params={"page": page}) for page in range(1, 1001))
    shown = view(report(replace(LEADER, changes=(*many, COVERED))))
    assert len(shown.entries) == 1 + 150 + 1
    assert sum(entry.glow is Glow.BAD for entry in shown.entries) == 1
    assert shown.entries[-1].text == "và 851 thay đổi khác, ít quan trọng hơn"


# ---- the list of checked files


def checked(name: str, found: FileReport) -> Checked:
    return Checked(Path("/hồ sơ") / name, name, found, evidence=False)


def test_results_stand_the_worst_first_and_are_summed_up() -> None:
    found = Results(WORDS)
    assert found.summary() == ""
    for one in (
        checked("c.pdf", report(LEADER)),
        checked("b.pdf", report(verdict=Verdict.UNSIGNED, code="verify_unsigned")),
        checked("d.pdf", report(LEADER, verdict=Verdict.INDETERMINATE, code="verify_damaged")),
        checked("đ.pdf", report(LEADER, verdict=Verdict.CHANGED, code="verify_changed")),
        checked("a.pdf", report(LEADER)),
        checked("z.pdf", broken()),
    ):
        found.put(one)
    assert [line.name for line in found.lines] == ["z.pdf", "d.pdf", "b.pdf", "đ.pdf", "a.pdf", "c.pdf"]
    assert found.lines[0].why.startswith("Nội dung trang 2 bị thay đổi sau khi ký.")
    assert found.summary() == (
        "Đã kiểm tra 6 tệp: 1 không hợp lệ · 1 chưa đủ thông tin · 1 không có chữ ký số · 1 có bổ sung · 2 hợp lệ"
    )


def test_a_newer_answer_takes_the_place_of_the_older_one() -> None:
    found = Results(WORDS)
    for verdict in (Verdict.INDETERMINATE, Verdict.VALID):
        found.put(checked("a.pdf", report(LEADER, verdict=verdict)))
        found.put(checked("b.pdf", report(LEADER)))
    assert [(line.name, line.verdict) for line in found.lines] == [("a.pdf", Verdict.VALID), ("b.pdf", Verdict.VALID)]
    assert found.summary() == "Đã kiểm tra 2 tệp: 2 hợp lệ"
    newest = found.find(Path("/hồ sơ/a.pdf"))
    assert newest is not None
    assert newest.report.verdict is Verdict.VALID
    found.clear()
    assert (found.lines, found.summary()) == ((), "")


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("Công văn 12.pdf", "Kết quả kiểm tra Công văn 12.pdf"),
        ("../../etc/x.PDF", "Kết quả kiểm tra _.._etc_x.pdf"),
        ("", "Kết quả kiểm tra chữ ký.pdf"),
    ],
)
def test_the_report_s_name_leads_nowhere_else(name: str, suggested: str) -> None:
    assert report_name(name, WORDS) == suggested
