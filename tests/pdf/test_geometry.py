"""Millimetres of the displayed page and points of the file: there and back, whatever the page's boxes and turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_app.pdf.geometry import PageFrame, Rect, UserBox, mm_to_pt, pt_to_mm
from signer_app.pdf.pagetext import open_document
from tests.pdf.paper import TURNS, Turn, Words, page_of, turned

_coordinate = st.floats(-2000, 2000)
_frames = st.builds(
    lambda x, y, w, h, rotate, unit: PageFrame(UserBox(x, y, x + w, y + h), rotate, unit),
    _coordinate,
    _coordinate,
    st.floats(20, 3000),
    st.floats(20, 3000),
    st.sampled_from([0, 90, 180, 270]),
    st.floats(0.1, 10),
)
_places = st.builds(Rect, st.floats(-50, 400), st.floats(-50, 400), st.floats(0.1, 200), st.floats(0.1, 200))


def test_an_inch_is_25_4_mm_and_72_points() -> None:
    assert mm_to_pt(25.4) == pytest.approx(72)
    assert pt_to_mm(72) == pytest.approx(25.4)


@given(_frames, _places)
def test_a_place_survives_the_way_into_user_space_and_back(frame: PageFrame, place: Rect) -> None:
    back = frame.from_user(frame.to_user(place))
    assert (back.x, back.y, back.w, back.h) == pytest.approx((place.x, place.y, place.w, place.h), abs=1e-6)


@given(_frames)
def test_the_whole_page_is_what_is_visible(frame: PageFrame) -> None:
    box = frame.to_user(frame.whole)
    seen = frame.visible
    assert (box.llx, box.lly, box.urx, box.ury) == pytest.approx((seen.llx, seen.lly, seen.urx, seen.ury), abs=1e-6)


@given(_frames, _places)
def test_upright_content_fills_its_box_with_its_top_at_the_displayed_top(frame: PageFrame, place: Rect) -> None:
    box = frame.to_user(place)
    a, b, c, d, e, f = frame.upright_matrix(box)

    def shown(x: float, y_up: float) -> tuple[float, float]:
        return frame.point_from_user(box.llx + a * x + c * y_up + e, box.lly + b * x + d * y_up + f)

    assert shown(0, place.h) == pytest.approx((place.x, place.y), abs=1e-6)
    assert shown(place.w, 0) == pytest.approx((place.right, place.bottom), abs=1e-6)
    assert shown(place.w, place.h) == pytest.approx((place.right, place.y), abs=1e-6)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_a_turned_page_is_as_large_as_it_is_displayed(turn: Turn) -> None:
    document = open_document(turned(page_of([Words(20, 20, "x")], (180, 250)), turn))
    try:
        frame = document.frame(0)
    finally:
        document.close()
    assert (frame.width_mm, frame.height_mm) == pytest.approx((180, 250), abs=0.01)
    assert (frame.rotate, frame.user_unit) == (turn.rotate, turn.unit)


def test_boxes_grow_meet_and_join() -> None:
    one, other = Rect(10, 10, 20, 10), Rect(25, 15, 20, 20)
    assert one.overlaps(other)
    assert not one.overlaps(Rect(30, 10, 5, 5))
    assert one.union(other) == Rect(10, 10, 35, 25)
    assert one.grown(1) == Rect(9, 9, 22, 12)
    assert one.centre == (20, 15)
