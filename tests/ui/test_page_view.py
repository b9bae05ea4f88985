"""The page widget: what it shows is what gets signed, marks go where a person puts them, and nothing stands still."""

import hashlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import pikepdf
import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QListView, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from signer_app.demo.pki import DemoPki
from signer_app.pages import Margins, Pages, PageSize
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import PlaceOption, Profile
from signer_app.pdf.plan import (
    SIGNING_TIME,
    Drawing,
    ImageItem,
    Mark,
    Placement,
    SigningPlan,
    SignStep,
    Style,
    TextItem,
)
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_ui.presenters.pages import Lock, Marks, Step, overlay_of
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.page_canvas import PageCanvas
from signer_ui.widgets.page_layout import Fit, Layout, next_zoom
from signer_ui.widgets.page_stamps import SAMPLE_TIME
from signer_ui.widgets.page_view import PageView
from signer_ui.words import Words
from tests.pdf.paper import Turn, document_of, head, letter, turned
from tests.pdf.paper import Words as Piece
from tests.pdf.signing import IMAGES, PICTURE, SEAL, Desk
from tests.support.pki import shared_pki

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

VI = Words("vi")
LETTER = letter()


W = TypeVar("W", bound=QWidget)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspace(tmp_path_factory.mktemp("data"), Overrides(), writing=True) as made:
        yield made


@pytest.fixture(scope="module")
def pages(space: Workspace) -> Iterator[Pages]:
    """One worker for all tests of this file."""
    made = Pages(space)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    return shared_pki(tmp_path_factory)


@pytest.fixture
def desk(pki: DemoPki, tmp_path: Path) -> Desk:
    return Desk(pki, tmp_path)


@pytest.fixture(scope="module")
def sealed(pki: DemoPki, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SigningPlan]:
    """A letter with a leader's signature made elsewhere, and the plan for number, date and seal."""
    desk = Desk(pki, tmp_path_factory.mktemp("sealed"))
    signed = desk.leader_signs_elsewhere(desk.keep(LETTER))
    return signed, desk.plan(signed)


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    def fault(error: BaseException) -> str:
        raise error

    made = Tasks(fault)
    yield made
    made.close()


@pytest.fixture
def view(tasks: Tasks, pages: Pages, qtbot: QtBot) -> PageView:
    return _view(tasks, pages, qtbot)


def _view(tasks: Tasks, pages: Pages, qtbot: QtBot) -> PageView:
    made = PageView(tasks, pages, VI, Theme(dark=False))
    qtbot.addWidget(made)
    made.resize(900, 1000)
    made.show()
    return made


def _canvas(view: PageView) -> PageCanvas:
    return _child(view, PageCanvas)


def _child(view: PageView, kind: type[W]) -> W:
    """The only widget of this kind."""
    (found,) = view.findChildren(kind)
    return found


def _settled(view: PageView, tasks: Tasks, qtbot: QtBot) -> None:
    """All pictures that are wanted have come."""
    qtbot.waitUntil(lambda: not tasks.busy, timeout=30_000)
    QTest.qWait(0)
    qtbot.waitUntil(lambda: not tasks.busy, timeout=30_000)


def _shown(view: PageView) -> Image.Image:
    return _pil(_canvas(view).viewport().grab().toImage())


def _pil(image: QImage) -> Image.Image:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    raw = bytes(plain.constBits())
    return Image.frombuffer("RGB", (plain.width(), plain.height()), raw, "raw", "BGRX", plain.bytesPerLine(), 1)


def _apart(one: Image.Image, other: Image.Image) -> float:
    """Mean difference, 0 to 255. Two renderers smooth edges differently, so a pixel's neighbours count as well."""
    one, other = (image.filter(ImageFilter.GaussianBlur(1.5)) for image in (one, other))
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def _says(view: PageView) -> str:
    (label,) = (found for found in view.findChildren(QLabel) if found.accessibleDescription() == VI("page_says"))
    return label.text()


# --- what is shown is what gets signed -----------------------------------------------------------------------------


def _same(empty: Image.Image, shown: Image.Image, signed: Image.Image) -> bool:
    """Whether both show the same stamps; a third of a millimetre beside would be seen. PDFium puts pictures on whole
    pixels, so some difference there is.
    """
    limit = _apart(empty, signed) / 4
    assert _apart(ImageChops.offset(shown, 1, 1), signed) > limit
    return _apart(shown, signed) < limit


TURNS = (
    Turn(0, -30, 70, 40, 1.0),
    Turn(90, 12.5, 0, 25, 2.5),
    Turn(180, 100, -50, 0, 1.0),
    Turn(270, -30, 70, 40, 1.0),
)


def _bare(step: SignStep) -> SigningPlan:
    """A plan without placements, so that no frame is drawn around what it shows."""
    return SigningPlan("plain", "", "", "1", (step,))


def _both(
    view: PageView, pages: Pages, desk: Desk, source: Path, plan: SigningPlan
) -> tuple[Image.Image, Image.Image, Image.Image]:
    """The page of `source` without anything, with the plan as the widget shows it, and as it was really signed."""
    canvas = _canvas(view)
    box = canvas._layout.box(0)
    left, top = box.left - canvas._left, box.top - canvas._top
    cut = (left, top, left + box.width, min(top + box.height, canvas.viewport().height()))

    def drawn(path: Path) -> Image.Image:
        picture = pages.draw(path, 0, box.width, box.height)
        size = (picture.width, picture.height)
        whole = Image.frombuffer("RGB", size, picture.pixels, "raw", "BGRX", picture.stride, 1)
        return whole.crop((0, 0, box.width, cut[3] - top))

    return drawn(source), _shown(view).crop(cut), drawn(desk.sign(source, plan.steps))


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_what_is_shown_is_what_gets_signed_however_the_page_lies_in_its_file(
    desk: Desk, view: PageView, pages: Pages, tasks: Tasks, qtbot: QtBot, turn: Turn
) -> None:
    source = desk.keep(turned(document_of([[*head(), Piece(65, 150, "Chữ nằm dưới con dấu", size=16)]]), turn))
    drawing = Drawing(
        (
            ImageItem(SEAL, Rect(2, 1, 38, 38)),
            ImageItem(PICTURE, Rect(28, 8, 60, 22)),
            # The last letters lie beyond the stamp's edge and are cut off.
            TextItem(40, 36, 14, Style.BOLD, "Ký số: Ủy ban, 12/QĐ-UBND"),
            TextItem(2, 6, 11, Style.ITALIC, "AV Tá đường"),
        ),
        multiply=True,
    )
    plan = _bare(SignStep("ky", existing=False, page=0, rect=Rect(60, 130, 90, 40), drawing=drawing))
    view.show_file(source, plan, IMAGES)
    _canvas_fit(view, qtbot, tasks)
    empty, shown, signed = _both(view, pages, desk, source, plan)
    assert _apart(empty, signed) > 1
    assert _same(empty, shown, signed)


def _canvas_fit(view: PageView, qtbot: QtBot, tasks: Tasks) -> None:
    _settled(view, tasks, qtbot)
    _canvas(view).set_fit(Fit.PAGE)
    _settled(view, tasks, qtbot)


def test_number_date_and_seal_of_a_letter_are_shown_where_they_get_signed(
    sealed: tuple[Path, SigningPlan], desk: Desk, view: PageView, pages: Pages, tasks: Tasks, qtbot: QtBot
) -> None:
    source, plan = sealed
    view.resize(720, 1200)
    view.show_file(source, msgspec.structs.replace(plan, placements=()), IMAGES)
    _canvas_fit(view, qtbot, tasks)
    empty, shown, signed = _both(view, pages, desk, source, plan)
    assert _same(empty, shown, signed)


def test_values_for_prepared_fields_are_shown_in_them(
    desk: Desk, view: PageView, pages: Pages, tasks: Tasks, qtbot: QtBot
) -> None:
    source = desk.leader_signs(desk.keep(LETTER))
    plan = desk.plan(source)
    assert plan.steps[0].fill
    view.show_file(source, msgspec.structs.replace(plan, placements=()), IMAGES)
    _canvas_fit(view, qtbot, tasks)
    empty, shown, signed = _both(view, pages, desk, source, plan)
    assert _same(empty, shown, signed)


def test_the_time_of_signing_is_shown_as_a_pale_sample(desk: Desk, view: PageView, tasks: Tasks, qtbot: QtBot) -> None:
    def darkest(text: str) -> float:
        drawing = Drawing((TextItem(1, 8, 14, Style.REGULAR, text),))
        rect = Rect(40, 100, 90, 10)
        view.set_plan(_bare(SignStep("ky", existing=False, page=0, rect=rect, drawing=drawing)))
        _settled(view, tasks, qtbot)
        histogram = _shown(view).convert("L").histogram()
        return next(value for value, count in enumerate(histogram) if count)

    view.show_file(desk.keep(document_of([[]])))
    _canvas_fit(view, qtbot, tasks)
    assert darkest(SAMPLE_TIME) < 60 < 100 < darkest(SIGNING_TIME) < 200


def test_ink_over_ink_stays_readable(desk: Desk, view: PageView, tasks: Tasks, qtbot: QtBot) -> None:
    file = desk.folder / "đỏ.png"
    Image.new("RGBA", (20, 20), (255, 0, 0, 255)).save(file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    data = document_of([[Piece(95, 150, "MMMM", size=60)]])
    drawing = Drawing((ImageItem(sha256, Rect(0, 0, 60, 60)),), multiply=True)
    plan = _bare(SignStep("ky", existing=False, page=0, rect=Rect(90, 110, 60, 60), drawing=drawing))
    view.show_file(desk.keep(data), plan, {sha256: file.read_bytes()})
    _canvas_fit(view, qtbot, tasks)
    corner, end = (_point(_canvas(view), x, y) for x, y in ((92, 112), (148, 168)))
    red, green, _blue = _shown(view).crop((corner.x(), corner.y(), end.x(), end.y())).split()
    assert red.getextrema() == (0, 255)
    assert green.getextrema() == (0, 0)


# --- marks, by the presenter alone ---------------------------------------------------------------------------------

A4 = PageSize(210, 297)
HOME = Rect(100, 180, 38, 38)


def _seal_plan(rect: Rect = HOME, page: int = 0, rule: str = "leader_signature", sure: bool = True) -> SigningPlan:
    drawing = Drawing((ImageItem(SEAL, Rect(0, 0, rect.w, rect.h)),), multiply=True)
    step = SignStep("dau", existing=False, page=page, rect=rect, drawing=drawing)
    return SigningPlan("agency", "", "", "1", (step,), (Placement(Mark.SEAL, page + 1, rect, rule, sure),))


def _marks(plan: SigningPlan, pages_: int = 2, rule_places: Sequence[Placement] = ()) -> Marks:
    marks = Marks(lambda page: A4 if 0 <= page < pages_ else None)
    marks.show(plan, rule_places)
    return marks


def _place(marks: Marks) -> tuple[float, float]:
    rect = marks.spot(0).rect
    return rect.x, rect.y


def test_arrow_keys_move_by_their_steps() -> None:
    marks = _marks(_seal_plan())
    marks.nudge(1, 0, Step.NORMAL)
    marks.nudge(0, -1, Step.COARSE)
    marks.nudge(-1, 0, Step.FINE)
    assert _place(marks) == (100.9, 175)
    assert marks.drop() is not None
    assert marks.drop() is None


def test_a_mark_can_not_leave_its_page() -> None:
    marks = _marks(_seal_plan())
    marks.drag(0, -50, 500)
    assert _place(marks) == (0, 297 - 38)
    marks.drag(0, 500, -50, snap=False)
    assert _place(marks) == (210 - 38, 0)
    assert not marks.to_page(-1)
    marks.drag(9, 10, 10)
    assert _place(marks) == (210 - 38, 0)


def test_a_dragged_mark_snaps_to_its_rules_place_and_to_the_edges_of_the_text() -> None:
    marks = _marks(_seal_plan())
    marks.margins = Margins(30, 20, 15, 20)
    marks.drag(0, 101.9, 178.1)
    assert _place(marks) == (100, 180)
    marks.drag(0, 102.1, 178.1)
    assert _place(marks) == (102.1, 178.1)
    marks.drag(0, 31, 60)
    assert _place(marks) == (30, 60)
    marks.drag(0, 60, 297 - 20 - 38 + 1.5)
    assert _place(marks) == (60, 239)
    marks.drag(0, 31, 60, snap=False)
    assert _place(marks) == (31, 60)


def test_small_steps_get_away_from_the_rules_place() -> None:
    marks = _marks(_seal_plan())
    marks.nudge(1, 0, Step.FINE)
    assert _place(marks) == (100.1, 180)


def test_back_at_its_rules_place_a_mark_is_no_longer_placed_by_hand() -> None:
    marks = _marks(_seal_plan())
    marks.nudge(1, 1, Step.COARSE)
    first = marks.drop()
    assert first is not None
    assert first.option == PlaceOption(1, 105, 185, 38, 38)
    marks.show(_seal_plan(Rect(105, 185, 38, 38), rule="by_hand"))
    marks.go_home()
    back = marks.drop()
    assert back is not None
    assert back.option is None
    assert _place(marks) == (100, 180)


def test_a_plan_that_came_with_a_place_by_hand_finds_back_by_what_the_owner_knows() -> None:
    by_hand = _seal_plan(Rect(20, 20, 38, 38), rule="by_hand")
    marks = _marks(by_hand, rule_places=_seal_plan().placements)
    assert marks.away
    marks.go_home()
    assert _place(marks) == (100, 180)


def test_where_nobody_knows_the_rules_place_it_is_asked_for_again() -> None:
    marks = _marks(_seal_plan(Rect(20, 20, 38, 38), rule="by_hand"))
    marks.go_home()
    back = marks.drop()
    assert back is not None
    assert back.option is None
    marks.go_home()
    marks.nudge(1, 0, Step.NORMAL)
    on = marks.drop()
    assert on is not None
    assert on.option == PlaceOption(1, 21, 20, 38, 38)


def test_a_mark_goes_to_another_page() -> None:
    marks = _marks(_seal_plan())
    assert marks.to_page(1)
    outcome = marks.drop()
    assert outcome is not None
    assert outcome.option == PlaceOption(2, 100, 180, 38, 38)


def test_doubt_ends_when_the_person_moves_the_mark() -> None:
    marks = _marks(_seal_plan(sure=False))
    assert marks.unsure
    marks.nudge(1, 0, Step.NORMAL)
    outcome = marks.drop()
    assert not marks.unsure
    assert outcome is not None
    marks.go_home()
    home = marks.drop()
    # The rule doubts that place, so it stands only because the person chose it.
    assert home is not None
    assert home.option == PlaceOption(1, 100, 180, 38, 38)


def test_prepared_fields_and_the_letters_blanks_hold_their_marks(sealed: tuple[Path, SigningPlan], desk: Desk) -> None:
    free = {mark.what: mark.lock for mark in overlay_of(sealed[1]).marks}
    assert free == {Mark.NUMBER: Lock.BLANK, Mark.DATE: Lock.BLANK, Mark.SEAL: None}
    prepared = desk.plan(desk.leader_signs(desk.keep(LETTER)))
    held = {mark.what: mark.lock for mark in overlay_of(prepared).marks}
    assert held == {Mark.NUMBER: Lock.BLANK, Mark.DATE: Lock.BLANK, Mark.SEAL: Lock.PREPARED}
    appendix = desk.plan(desk.keep(LETTER), Profile.APPENDIX, notation="QĐ-UBND")
    assert [mark.lock for mark in overlay_of(appendix).marks] == [Lock.CORNER]


def test_a_leaders_signature_can_be_moved(desk: Desk) -> None:
    plan = desk.plan(desk.keep(LETTER), Profile.LEADER)
    assert [(mark.what, mark.lock) for mark in overlay_of(plan).marks] == [(Mark.SIGNATURE, None)]


def test_a_mark_larger_than_its_page_lies_at_the_corner() -> None:
    marks = Marks(lambda _: PageSize(20, 20))
    marks.show(_seal_plan())
    marks.nudge(1, 1, Step.COARSE)
    assert _place(marks) == (0, 0)


def test_lengths_are_said_as_the_language_writes_them() -> None:
    marks = _marks(_seal_plan())
    marks.selected = 0
    marks.nudge(1, 0, Step.FINE)
    assert "100,1 mm" in marks.says(VI)
    assert "100.1 mm" in marks.says(Words("en"))


# --- pages under each other ------------------------------------------------------------------------------------------


def test_tiles_cover_a_page_without_overlap() -> None:
    box = Layout([A4], 20.0, 10, 500).box(0)
    tiles = list(box.tiles(0, 10**6, 0, 10**6))
    assert sum(tile.clip.width * tile.clip.height for tile in tiles) == box.width * box.height
    assert len(tiles) == 3 * 4


def test_a_page_of_five_kilometres_leaves_room_for_the_others() -> None:
    layout = Layout([A4, PageSize(5e6, 5e6), A4], 4.0, 10, 500)
    assert (layout.box(0).width, layout.box(1).width) == (840, 20_000)
    assert layout.box(2).top < 30_000


def test_zoom_steps_end_at_the_limits() -> None:
    zoom = 1.0
    for _ in range(30):
        zoom = next_zoom(zoom, 1)
    assert zoom == 5.0
    for _ in range(30):
        zoom = next_zoom(zoom, -1)
    assert zoom == 0.1


# --- the widget ------------------------------------------------------------------------------------------------------


def _show_letter(view: PageView, sealed: tuple[Path, SigningPlan], tasks: Tasks, qtbot: QtBot) -> PageCanvas:
    view.show_file(sealed[0], sealed[1], IMAGES)
    _settled(view, tasks, qtbot)
    return _canvas(view)


def _seal_of(plan: SigningPlan) -> Rect:
    return next(placement.rect for placement in plan.placements if placement.what is Mark.SEAL)


def _point(canvas: PageCanvas, x: float, y: float) -> QPoint:
    """Where a place on page 1 (mm) is in the view."""
    box = canvas._layout.box(0)
    return QPoint(round(box.left - canvas._left + x * box.per_mm), round(box.top - canvas._top + y * box.per_mm))


def test_a_seal_is_dragged_with_the_mouse(
    sealed: tuple[Path, SigningPlan], view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    canvas = _show_letter(view, sealed, tasks, qtbot)
    view.reveal_mark()
    seal, port = _seal_of(sealed[1]), canvas.viewport()
    start = _point(canvas, *seal.centre)
    end = start - QPoint(60, 40)
    with qtbot.waitSignal(view.moved) as moved:
        QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(port, start - QPoint(20, 10))
        QTest.mouseMove(port, end)
        assert "cách mép trái" in _says(view)
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    (option,) = moved.args or (None,)
    per_mm = canvas._layout.box(0).per_mm
    assert isinstance(option, PlaceOption)
    assert (option.page, option.w, option.h) == (1, 38, 38)
    assert option.x == pytest.approx(seal.x - 60 / per_mm, abs=0.5)
    assert option.y == pytest.approx(seal.y - 40 / per_mm, abs=0.5)


def test_escape_in_the_middle_of_a_drag_puts_the_seal_back(
    sealed: tuple[Path, SigningPlan], view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    canvas = _show_letter(view, sealed, tasks, qtbot)
    view.reveal_mark()
    start, port = _point(canvas, *_seal_of(sealed[1]).centre), canvas.viewport()
    with qtbot.assertNotEmitted(view.moved):
        QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(port, start - QPoint(50, 50))
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert _says(view).endswith(f" {VI(sealed[1].placements[-1].rule_text)}.")


def test_the_keys_alone_find_the_seal_move_it_and_bring_it_back(
    sealed: tuple[Path, SigningPlan], view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    canvas = _show_letter(view, sealed, tasks, qtbot)
    qtbot.waitUntil(view.isActiveWindow)
    before = _child(view, QListView)
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Tab)
    assert canvas.hasFocus()
    seal = _seal_of(sealed[1])
    for locked in (VI("page_what_number"), VI("page_what_date")):
        assert _says(view).startswith(locked)
        assert VI("page_locked_blank") in _says(view)
        QTest.keyClick(canvas, Qt.Key.Key_Tab)
    assert _says(view).startswith(VI("page_what_seal"))
    QTest.keyClick(canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(canvas, Qt.Key.Key_Up)
    QTest.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(view.moved) as moved:
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert moved.args == [PlaceOption(1, round(seal.x - 4.9, 2), seal.y - 1, seal.w, seal.h)]
    with qtbot.waitSignal(view.moved) as moved:
        QTest.keyClick(canvas, Qt.Key.Key_Home)
        QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert moved.args == [None]
    QTest.keyClick(canvas, Qt.Key.Key_Tab)
    assert not canvas.hasFocus()


def test_keys_are_let_go_by_themselves(
    sealed: tuple[Path, SigningPlan], view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    canvas = _show_letter(view, sealed, tasks, qtbot)
    view.reveal_mark()
    with qtbot.waitSignal(view.moved):
        QTest.keyClick(canvas, Qt.Key.Key_Down)


def test_a_prepared_seal_stays_where_it_is(desk: Desk, view: PageView, tasks: Tasks, qtbot: QtBot) -> None:
    source = desk.leader_signs(desk.keep(LETTER))
    plan = desk.plan(source)
    view.show_file(source, plan, IMAGES)
    _settled(view, tasks, qtbot)
    canvas, (seal,) = _canvas(view), [p.rect for p in plan.placements if p.what is Mark.SEAL]
    canvas.set_fit(Fit.PAGE)
    start = _point(canvas, *seal.centre)
    with qtbot.assertNotEmitted(view.moved):
        QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(canvas.viewport(), start - QPoint(30, 30))
        QTest.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert VI("page_locked_prepared") in _says(view)


def test_a_doubtful_place_is_told_and_confirmed_with_one_click(
    desk: Desk, view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    view.show_file(desk.keep(LETTER), _seal_plan(sure=False), IMAGES)
    _settled(view, tasks, qtbot)
    right = next(button for button in view.findChildren(QPushButton) if button.text() == VI("page_right"))
    assert right.isVisible()
    assert VI("page_doubt_seal") in {label.text() for label in view.findChildren(QLabel)}
    with qtbot.waitSignal(view.confirmed) as confirmed:
        QTest.mouseClick(right, Qt.MouseButton.LeftButton)
    assert confirmed.args == [PlaceOption(1, 100, 180, 38, 38)]
    view.set_plan(_seal_plan(rule="by_hand"))
    assert not right.isVisible()


def test_a_page_that_can_not_be_drawn_says_so_and_the_others_are_shown(
    desk: Desk, space: Workspace, tasks: Tasks, qtbot: QtBot
) -> None:
    stubborn = Pages(space, [sys.executable, "-c", _STUBBORN_WORKER], deadline_s=1.5)
    try:
        view = _view(tasks, stubborn, qtbot)
        view.show_thumbnails(shown=False)
        view.resize(300, 900)
        view.show_file(desk.keep(document_of([[*head()] for _ in range(4)], (210, 100))))
        pictures = view._pictures
        # Whatever is drawn first: two pages never come, the two others do.
        qtbot.waitUntil(lambda: set(pictures.faults) == {1, 2}, timeout=30_000)
        qtbot.waitUntil(lambda: all(pictures.stand_in(page) is not None for page in (0, 3)), timeout=30_000)
        assert {fault.code for fault in pictures.faults.values()} == {"page_not_drawn"}
        assert not list(space.folder.work.iterdir())
    finally:
        tasks.close()
        stubborn.close()


_STUBBORN_WORKER = """
import os, threading
from signer_app.pdf.render import Renderer
from signer_app.page_tasks import PAGE_TASKS, Awake, Outline, Wake
from signer_token.channel import serve

renderer = Renderer()

def answer(task):
    if isinstance(task, Wake):
        return Awake()
    if isinstance(task, Outline):
        return renderer.outline(task)
    if task.page == 1:
        threading.Event().wait()
    if task.page == 2:
        os.abort()
    return renderer.draw_page(task)

raise SystemExit(serve(answer, PAGE_TASKS))
"""
"""Hangs over page 2 and dies of page 3."""


def test_a_file_that_is_no_pdf_is_told_in_the_place_of_its_pages(
    desk: Desk, view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(view._pictures.unreadable, timeout=30_000) as told:
        view.show_file(desk.keep(b"no pdf"))
    (error,) = told.args or (None,)
    assert isinstance(error, KnownError)
    assert error.code == "pdf_unreadable"
    empty = _shown(view)
    view.clear()
    assert _apart(empty, _shown(view)) > 0.1


def test_only_what_is_seen_is_drawn_of_a_thousand_pages(desk: Desk, view: PageView, tasks: Tasks, qtbot: QtBot) -> None:
    path = desk.keep(_thousand_pages())
    view.show_file(path)
    _settled(view, tasks, qtbot)
    canvas, pictures = _canvas(view), view._pictures
    assert pictures.total == 1000
    last = pictures.size(999)
    assert last is not None
    assert (last.width, last.height) == pytest.approx((300, 200), abs=0.001)
    canvas.go_to(700)
    qtbot.waitUntil(lambda: canvas.page == 700)
    _settled(view, tasks, qtbot)
    assert pictures.stand_in(700) is not None
    assert pictures.stand_in(350) is None
    assert _child(view, QLineEdit).text() == "701"


def _thousand_pages() -> bytes:
    """The last page is of another size, which is known only when the second helping of sizes has come."""
    with pikepdf.open(io.BytesIO(document_of([[Piece(30, 30, "Trang")]]))) as pdf:
        for _ in range(998):
            pdf.pages.append(pdf.pages[0])
        pdf.add_blank_page(page_size=(300 / 25.4 * 72, 200 / 25.4 * 72))
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def test_zooming_keeps_what_is_under_the_pointer(
    sealed: tuple[Path, SigningPlan], view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    canvas = _show_letter(view, sealed, tasks, qtbot)
    canvas.set_zoom(1.0)
    before = canvas._anchor(200)
    canvas.set_zoom(2.0, 200)
    after = canvas._anchor(200)
    assert after[0] == before[0]
    assert after[1] == pytest.approx(before[1], abs=0.002)


def test_another_file_shows_nothing_of_the_one_before(
    sealed: tuple[Path, SigningPlan], desk: Desk, view: PageView, tasks: Tasks, qtbot: QtBot
) -> None:
    _show_letter(view, sealed, tasks, qtbot)
    view.reveal_mark()
    view.show_file(desk.keep(document_of([[]])))
    _settled(view, tasks, qtbot)
    canvas = _canvas(view)
    canvas.set_fit(Fit.PAGE)
    _settled(view, tasks, qtbot)
    port = canvas.viewport()
    middle = _shown(view).crop((port.width() // 2 - 50, 50, port.width() // 2 + 50, port.height() - 50))
    assert middle.getcolors() == [(middle.width * middle.height, (255, 255, 255))]
    assert _says(view) == ""


def test_every_control_has_a_name(view: PageView) -> None:
    controls = [w for kind in (QToolButton, QPushButton, QLineEdit, PageCanvas) for w in view.findChildren(kind)]
    assert len(controls) >= 8
    assert not [w for w in controls if isinstance(w, QWidget) and not (w.accessibleName() or _text(w))]


def _text(widget: QWidget) -> str:
    return widget.text() if isinstance(widget, QPushButton) else ""


def test_pages_end_at_once_when_the_window_closes(space: Workspace, desk: Desk) -> None:
    pages = Pages(space)
    pages.start()
    pages.close()
    with pytest.raises(KnownError) as error:
        pages.outline(desk.keep(LETTER))
    assert error.value.code == "interrupted"
