"""Where changes are said to stand: boxes in mm on the page as displayed now; and the state that they follow."""

from dataclasses import replace

import pytest
from PIL import Image
from pyhanko.sign.fields import MDPPerm

from signer_app.pdf.geometry import PageFrame, Rect, UserBox, pt_to_mm
from signer_app.verification.ink import MAX_AREAS, Look, Scale, fewer
from signer_app.verification.model import Change, ChangeKind, TrustMaterial
from tests.verification.attacks import structure
from tests.verification.attacks.annotations import annotated
from tests.verification.attacks.base import (
    BESIDE,
    BODY,
    CONTENT,
    FORGED,
    LEADER_SIGNS,
    LINES,
    PAGE,
    SUM,
    TEXT,
    WIDGETS,
    Scene,
    append,
    body,
    page,
    page_content,
    small_document,
    swap,
    with_entry,
)
from tests.verification.attacks.forms import filled
from tests.verification.conftest import Checker
from tests.verification.documents import Box, SignAs, drawing, sign
from tests.verification.small_pki import make_certificate

Points = tuple[float, float, float, float]
"""Left, top, width and height on the displayed page, in points."""

TURNS: dict[int, Points] = {0: (80, 76, 60, 30), 90: (4, 80, 30, 60), 180: (80, 4, 60, 30), 270: (76, 80, 30, 60)}
"""Where BESIDE (90, 4, 150, 34) shows on a page cut to (10, 0, 230, 110) and turned clockwise."""
TEXT_TURNS: dict[int, Points] = {
    0: (-2, 28, 142, 16),
    90: (66, -2, 16, 142),
    180: (80, 66, 142, 16),
    270: (28, 80, 16, 142),
}
"""The same of TEXT (8, 66, 150, 82)."""


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(make_certificate("Lãnh đạo", None), make_certificate("Cơ quan", None))


@pytest.fixture
def changes(check: Checker) -> "Changes":
    return Changes(check)


class Changes:
    """The changes after the first signature of a document."""

    def __init__(self, check: Checker) -> None:
        self._check = check

    def __call__(self, document: bytes) -> tuple[Change, ...]:
        return self._check(document, TrustMaterial()).signatures[0].changes

    def one(self, document: bytes, kind: ChangeKind) -> Change:
        (found,) = (change for change in self(document) if change.kind is kind)
        return found


def mm(points: Points) -> Rect:
    return Rect(*(pt_to_mm(n) for n in points)).rounded()


def within(inner: Rect, outer: Rect) -> bool:
    """With a pixel's tolerance."""
    roomy = outer.grown(0.4)
    return roomy.x <= inner.x and roomy.y <= inner.y and inner.right <= roomy.right and inner.bottom <= roomy.bottom


def turned(scene: Scene, turn: int) -> bytes:
    more = b"/Rotate %d /CropBox [10 0 230 110] " % turn
    return scene.signs(
        f"turned {turn}", lambda: small_document({PAGE: with_entry(page(CONTENT, WIDGETS), more)}), LEADER_SIGNS
    )


@pytest.mark.parametrize("turn", TURNS)
def test_a_note_is_outlined_where_it_shows_on_a_turned_and_cut_page(scene: Scene, changes: Changes, turn: int) -> None:
    noted = annotated(turned(scene, turn), "Square", BESIDE, "0 0 1 rg 0 0 60 30 re f")
    change = changes.one(noted, ChangeKind.ANNOTATION_ADDED)
    assert (change.page, change.areas, change.after) == (1, (mm(TURNS[turn]),), 0)


@pytest.mark.parametrize("turn", TURNS)
def test_covered_ink_is_outlined_where_it_was(scene: Scene, changes: Changes, turn: int) -> None:
    """Only half of the box has text below it; the outline is around that."""
    noted = annotated(turned(scene, turn), "Square", TEXT, "1 g 0 0 71 16 re f")
    change = changes.one(noted, ChangeKind.INK_COVERED)
    assert (change.page, change.after) == (1, 0)
    assert change.areas
    whole = mm(TEXT_TURNS[turn])
    assert all(within(area, whole) for area in change.areas)
    around = change.areas[0]
    for area in change.areas:
        around = around.union(area)
    assert 0.3 < max(around.w, around.h) / max(whole.w, whole.h) < 0.55


def test_other_content_is_outlined_where_the_page_differs(scene: Scene, changes: Changes) -> None:
    forged = append(scene.signed(), {CONTENT: FORGED})
    (area,) = changes.one(forged, ChangeKind.PAGE_CONTENT).areas
    # "Chi 1" became "Chi 9": the figure stands near x = 34 on the second line.
    assert within(area, mm((30, 40, 10, 14)))
    assert area.w > 1


def test_each_of_two_places_of_a_page_has_its_outline(scene: Scene, changes: Changes) -> None:
    other = page_content(("So: 13/QD-UBND", LINES[1], "Co hieu luc tu ngay in"))
    areas = changes.one(append(scene.signed(), {CONTENT: other}), ChangeKind.PAGE_CONTENT).areas
    assert len(areas) == 2
    assert areas[0].y < areas[1].y
    assert not areas[0].overlaps(areas[1])


def test_a_switched_layer_is_told_of_each_page_that_it_shows_on(scene: Scene, changes: Changes) -> None:
    (attack,) = (one for one in structure.ATTACKS if one.name == "layers: switched")
    change = changes.one(attack.make(scene), ChangeKind.LAYERS)
    assert change.page == 1
    assert change.areas
    assert all(within(area, mm((30, 40, 10, 14))) for area in change.areas)


def test_content_that_looks_the_same_is_told_without_an_outline(scene: Scene, changes: Changes) -> None:
    same = append(scene.signed(), {CONTENT: page_content(before="q Q\n")})
    assert changes.one(same, ChangeKind.PAGE_CONTENT).areas == ()


def test_a_filled_field_is_outlined_by_its_widget(scene: Scene, changes: Changes) -> None:
    change = changes.one(filled(scene.signed()), ChangeKind.FIELD_FILLED)
    assert change.areas == (mm((160, 14, 70, 16)),)


def test_a_moved_widget_is_outlined_where_it_was_and_where_it_is(scene: Scene, changes: Changes) -> None:
    signed = scene.signed()
    moved = append(signed, {SUM: swap(body(signed, SUM), b"160 64 230 80", b"90 4 150 34")})
    change = changes.one(moved, ChangeKind.FIELD_ALTERED)
    assert set(change.areas) == {mm((160, 40, 70, 16)), mm((90, 86, 60, 30))}


def test_a_later_signature_is_outlined_and_counted_by_the_state_it_follows(scene: Scene, changes: Changes) -> None:
    first = SignAs("Body", box=BODY, style=drawing("0 0 1 RG 5 5 m 50 20 l S", BODY), room=3000)
    twice = scene.signed_by_body(scene.signed(), first)
    second = replace(first, field="Again", box=BESIDE)
    thrice = scene.signed_by_body(filled(twice), second)
    found = {(c.kind, c.params.get("field")): (c.after, c.areas) for c in changes(thrice)}
    assert found[ChangeKind.SIGNATURE, "Body"] == (0, (mm((10, 86, 60, 30)),))
    assert found[ChangeKind.FIELD_FILLED, "so"] == (1, (mm((160, 14, 70, 16)),))
    assert found[ChangeKind.SIGNATURE, "Again"] == (1, (mm((90, 86, 60, 30)),))


def test_what_has_no_place_has_no_outline(scene: Scene, changes: Changes) -> None:
    signed = sign(scene.signed(MDPPerm.FILL_FORMS), scene.body, SignAs("Body", room=3000))
    assert changes.one(signed, ChangeKind.SIGNATURE).areas == ()


def test_many_notes_on_a_page_are_outlined_by_a_few_boxes(scene: Scene, changes: Changes) -> None:
    signed = scene.signed()
    boxes: list[Box] = [(4 + 12 * n, 110, 12 + 12 * n, 118) for n in range(18)]
    objects: dict[int, bytes | None] = {
        100 + n: b"<< /Type /Annot /Subtype /Square /F 4 /Rect [%d %d %d %d] >>" % box for n, box in enumerate(boxes)
    }
    listed = b" ".join(b"%d 0 R" % number for number in objects)
    objects[PAGE] = swap(body(signed, PAGE), b"/Annots [", b"/Annots [ " + listed)
    change = changes.one(append(signed, objects), ChangeKind.ANNOTATION_ADDED)
    assert len(change.areas) == MAX_AREAS
    for box in boxes:
        place = mm((box[0], 120 - box[3], 8, 8))
        assert any(within(place, area) for area in change.areas)


@pytest.mark.parametrize("size", [(40, 30), (4000, 3000)])
def test_a_single_pixel_of_a_large_page_has_its_place(size: tuple[int, int]) -> None:
    """Pages are looked at in cells; none is so large that a pixel is lost in it."""
    picture = Image.new("L", size)
    picture.putpixel((size[0] - 3, size[1] // 2), 255)
    frame = PageFrame(UserBox(0, 0, size[0], size[1]))
    unchanged = Image.new("L", size)
    (place,) = Look((), unchanged, picture, Scale(frame, picture)).differing()
    pixel = pt_to_mm(1)
    assert place == Rect((size[0] - 3) * pixel, size[1] // 2 * pixel, pixel, pixel).rounded()


def test_places_are_drawn_together_only_when_there_are_too_many() -> None:
    few = [Rect(10 * n, 0, 5, 5) for n in range(MAX_AREAS)]
    assert fewer(few) == tuple(few)
    assert fewer([*few, Rect(5, 0, 5, 5)])[0] == Rect(0, 0, 10, 5)
    assert fewer([Rect(n, n, 0.5, 0.5) for n in range(1000)]) == (Rect(0, 0, 999.5, 999.5),)
