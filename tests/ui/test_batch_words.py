"""What the window says of a batch: its pace, what it waits for, the review's order, its result."""

from dataclasses import replace

import pytest

from signer_app.desk.signing_values import BatchSummary, DocumentOutcome, Planned, Standing
from signer_app.outgoing.model import FileRole, Finding, Severity, State, Urgency
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import Profile
from signer_app.pdf.plan import Mark, Placement, SigningPlan
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.waiting import Wait, Waits, waited_for
from signer_app.store.model import FileState
from signer_resources.errors import KnownError
from signer_ui.presenters import review
from signer_ui.presenters.outgoing import Line
from signer_ui.presenters.outgoing_totals import Totals
from signer_ui.presenters.pace import Pace, line_text
from signer_ui.presenters.report import columns, report_lines, title
from signer_ui.presenters.review import Doubt
from signer_ui.words import Words
from tests.ui.test_outgoing_presenter import line as made_line

VI = Words("vi")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def planned(draft: str, label: str) -> Planned:
    return Planned(DocumentJob((FileJob(f"/{draft}", "", FileRole.MAIN, Profile.AGENCY),), draft=draft), label)


def with_marks(name: str, *marks: tuple[int, bool], found: tuple[Finding, ...] = ()) -> Line:
    """A row whose plan has a mark on each of these pages (from 1), sure or not."""
    made = made_line(name, findings=found)
    placements = tuple(Placement(Mark.SEAL, page, Rect(0, 0, 30, 30), "x", sure) for page, sure in marks)
    plan = SigningPlan("agency", "0" * 64, "c", "r", (), placements)
    return replace(made, row=replace(made.row, plans={made.draft.main.id: plan}))


def paced(*seen: tuple[float, int]) -> Pace:
    pace = Pace()
    for at, done in seen:
        pace.tell(done, at)
    return pace


def test_done_left_rate_and_time_left_are_told() -> None:
    pace = paced((0, 0), (10, 20), (20, 40))
    told = line_text(Standing(40, 1200), pace, VI)
    assert told.what == "Đang ký 40/1.200… Còn khoảng 10 phút."
    assert told.more == "Còn 1.160 văn bản · 120 văn bản/phút"
    assert line_text(Standing(0, 38), paced((0, 0)), VI).more == "Còn 38 văn bản"
    assert line_text(Standing(30, 38), paced((0, 0), (2, 30)), VI).what == "Đang ký 30/38…"


def test_the_rate_is_that_of_the_last_minute_and_pauses_are_no_work() -> None:
    slow = [(float(at), at // 10) for at in range(0, 600, 10)]
    slow_then_fast = paced(*slow, *((600.0 + t, 60 + 2 * t) for t in range(61)))
    assert slow_then_fast.a_second == pytest.approx(2.0, rel=0.05)
    pace = paced((0, 0), (10, 10))
    pace.tell(10, 10, paused=True)
    pace.tell(10, 1000, paused=True)
    pace.tell(10, 1001)
    assert pace.a_second == pytest.approx(10 / 11)


def test_hours_are_told_roughly_and_slow_tokens_by_the_hour() -> None:
    told = line_text(Standing(1, 361), paced((0, 0), (30, 1)), VI)
    assert told.what == "Đang ký 1/361… Còn khoảng 3 giờ 0 phút."
    assert "120 văn bản/giờ" not in told.more
    assert "60 văn bản/giờ" in line_text(Standing(1, 9), paced((0, 0), (60, 1)), VI).more


def test_a_pause_says_that_the_token_is_still_open() -> None:
    told = line_text(Standing(3, 9, paused=True), paced((0, 0)), VI)
    assert told.what == "Đang tạm dừng. Đã ký 3/9."
    assert "USB ký số vẫn mở" in told.more


@pytest.mark.parametrize(
    ("token", "tsa", "disk", "expected"),
    [(9.0, 5.0, 0.5, Wait.TOKEN), (1.0, 45.0, 0.5, Wait.TSA), (2.0, 1.0, 8.0, Wait.DISK), (3.0, 10.0, 3.0, None)],
)
def test_what_takes_the_time_is_what_is_waited_for(
    token: float, tsa: float, disk: float, expected: Wait | None
) -> None:
    clock = Clock()
    waits = Waits(clock)
    before = waits.glance()
    # Six documents on their way for ten seconds.
    inside = [waits.on(None) for _ in range(6)]
    for one in inside:
        one.__enter__()
    for what, seconds in ((Wait.TOKEN, token), (Wait.DISK, disk)):
        spell(waits, clock, what, seconds)
    several = [waits.on(Wait.TSA) for _ in range(6)]
    for one in several:
        one.__enter__()
    clock.now += tsa / 6
    for one in several:
        one.__exit__(None, None, None)
    passed = token + disk + tsa / 6
    clock.now += max(0.0, 10 - passed)
    for one in inside:
        one.__exit__(None, None, None)
    assert waited_for(before, waits.glance()) is expected


def spell(waits: Waits, clock: Clock, what: Wait, seconds: float) -> None:
    with waits.on(what):
        clock.now += seconds


def test_nobody_is_waited_for_when_nothing_is_on_its_way() -> None:
    clock = Clock()
    waits = Waits(clock)
    before = waits.glance()
    clock.now = 5
    assert waited_for(before, waits.glance()) is None


def test_the_doubtful_come_first_in_the_review_and_every_marked_page_is_there() -> None:
    warned = (Finding("same_file_in_batch", Severity.WARNING, {"name": "a.pdf"}),)
    lines = {
        made.id: made
        for made in (
            with_marks("sure", (1, True), (3, True)),
            with_marks("warned", (1, True), found=warned),
            with_marks("unsure", (1, True), (2, False), found=(Finding("out_place_unsure", Severity.WARNING),)),
            with_marks("bare"),
        )
    }
    found = review.cells([planned(key, key.upper()) for key in (*lines, "gone")], lines)
    assert [(cell.label, cell.page, cell.doubt) for cell in found] == [
        ("UNSURE", 1, Doubt.UNSURE),
        ("WARNED", 0, Doubt.WARNED),
        ("SURE", 0, Doubt.NONE),
        ("SURE", 2, Doubt.NONE),
        ("UNSURE", 0, Doubt.NONE),
        ("BARE", 0, Doubt.NONE),
    ]
    assert review.said(found, (), VI).startswith("2 văn bản cần xem kỹ, xếp lên đầu.")
    assert review.said(found, {"sure"}, VI).endswith("1 văn bản để lại, chưa ký lần này.")
    assert review.below(found[0], VI) == "Chưa chắc vị trí"
    assert review.below(found[1], VI) == "Tệp này giống hệt a.pdf trong cùng đợt ký."
    assert review.below(found[3], VI) == "Trang 3"
    assert review.name(found[0], VI, out=True) == "UNSURE, trang 2. Chưa chắc vị trí Để lại."


def test_only_what_is_in_a_hurry_and_ready_can_jump_in() -> None:
    urgent = made_line("urgent", urgency=Urgency.HOA_TOC, ticked=True)
    other = made_line("other", urgency=Urgency.HOA_TOC, ticked=True)
    slow, unready = made_line("slow"), made_line("unready", State.NEEDS_NUMBER, urgency=Urgency.HOA_TOC)
    totals = Totals.of([urgent, other, slow, unready])
    assert totals.hurried([slow, unready]) == (urgent, other)
    assert totals.hurried([other]) == (other,)


def test_the_result_tells_the_unsigned_first_with_their_reasons() -> None:
    signed = DocumentOutcome("a", "1/QĐ", FileState.SIGNED, level="b-t")
    failed = DocumentOutcome("b", "2/QĐ", FileState.FAILED, "output_changed", {"name": "2.pdf"})
    skipped = DocumentOutcome("c", "3/QĐ", FileState.SKIPPED, "skipped_by_person")
    summary = BatchSummary("x", None, (signed, skipped, failed))
    lines = report_lines(summary)
    assert [line.outcome for line in lines] == [failed, skipped, signed]
    texts = [[column.text(line) for column in columns(VI)] for line in lines]
    assert texts[2] == ["1/QĐ", "Đã ký", "B-T", ""]
    assert texts[0][3].startswith(VI.explain(KnownError("output_changed", name="2.pdf")).what)
    assert title(summary.outcomes, VI) == "Kết quả đợt ký: 1 đã ký · 1 bỏ qua · 1 lỗi"
