"""Pictures of pages: as large as the plan's millimetres, the same in parts as whole, widgets too, nothing endless."""

import hashlib
import io
import os
from pathlib import Path

import pikepdf
import pytest
from PIL import Image, ImageChops, ImageStat

from signer_app.page_tasks import MAX_PIXELS, DrawInk, Drawn, DrawPage, Outline, PixelBox
from signer_app.pdf.pagetext import open_document
from signer_app.pdf.render import Renderer
from signer_resources.errors import KnownError
from tests.pdf.paper import A4, TURNS, Turn, Words, document_of, head, letter, picture, turned
from tests.pdf.signing import SEAL, SEAL_FILE, Desk

WORDS = [*head(), Words(65, 150, "Một dòng ở giữa trang", size=16)]


@pytest.fixture
def renderer() -> Renderer:
    return Renderer()


def _room(folder: Path) -> Path:
    """The file into which the asking process has pixels written."""
    room = folder / "pixels"
    room.touch(mode=0o600)
    return room


def _draw(renderer: Renderer, path: Path, width: int, height: int, clip: PixelBox | None = None) -> Image.Image:
    room = _room(path.parent)
    drawn = renderer.draw_page(DrawPage(str(path), 0, width, height, clip or PixelBox(0, 0, width, height), str(room)))
    return _image(room, drawn, "BGRX")


def _image(room: Path, drawn: Drawn, order: str) -> Image.Image:
    mode = "RGB" if order == "BGRX" else "RGBA"
    return Image.frombuffer(mode, (drawn.width, drawn.height), room.read_bytes(), "raw", order, drawn.stride, 1)


def _apart(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_a_page_is_as_large_as_the_plan_says_however_it_lies_in_its_file(
    renderer: Renderer, desk: Desk, turn: Turn
) -> None:
    path = desk.keep(turned(document_of([WORDS], (210, 160)), turn))
    (size,) = renderer.outline(Outline(str(path), 0, 10)).sizes
    document = open_document(path)
    frame = document.frame(0)
    document.close()
    assert size == pytest.approx((frame.width_mm, frame.height_mm), abs=1e-3)
    assert size == pytest.approx((210, 160), abs=0.1)


def test_boxes_and_rotation_of_the_parent_hold_for_pages_without_their_own(renderer: Renderer, desk: Desk) -> None:
    with pikepdf.open(io.BytesIO(document_of([WORDS]))) as pdf:
        page = pdf.pages[0].obj
        pdf.Root.Pages.MediaBox, pdf.Root.Pages.CropBox = page.MediaBox, pikepdf.Array([0, 0, 300, 400])
        pdf.Root.Pages.Rotate = 90
        for name in ("/MediaBox", "/CropBox", "/Rotate"):
            if name in page:
                del page[name]
        out = io.BytesIO()
        pdf.save(out)
    (size,) = renderer.outline(Outline(str(desk.keep(out.getvalue())), 0, 1)).sizes
    assert size == pytest.approx((400 / 72 * 25.4, 300 / 72 * 25.4), abs=0.01)


def test_sizes_come_in_helpings(renderer: Renderer, desk: Desk) -> None:
    path = desk.keep(document_of([[Words(30, 30, str(number))] for number in range(7)]))
    first, rest = renderer.outline(Outline(str(path), 0, 3)), renderer.outline(Outline(str(path), 3, 100))
    assert (first.total, len(first.sizes), rest.total, len(rest.sizes)) == (7, 3, 7, 4)


def test_a_page_in_parts_is_the_page(renderer: Renderer, desk: Desk) -> None:
    path = desk.keep(letter())
    whole = _draw(renderer, path, 601, 850)
    pieced = Image.new("RGB", whole.size)
    for left, top, width, height in ((0, 0, 301, 500), (301, 0, 300, 500), (0, 500, 301, 350), (301, 500, 300, 350)):
        part = _draw(renderer, path, 601, 850, PixelBox(left, top, width, height))
        pieced.paste(part, (left, top))
    # Letters that are cut by an edge may be smoothed a little otherwise.
    assert _apart(whole, pieced) < 0.05
    assert _apart(whole, Image.new("RGB", whole.size, "white")) > 1


def test_stamps_and_filled_fields_are_drawn(renderer: Renderer, desk: Desk) -> None:
    source = desk.keep(letter())
    signed = desk.leader_signs(source)
    shown = _draw(renderer, signed, 600, 848)
    assert _apart(shown, picture(signed).resize(shown.size)) < 1
    assert _apart(shown, _draw(renderer, source, 600, 848)) > 0.3


def test_a_file_that_changed_under_its_name_is_read_again(renderer: Renderer, desk: Desk) -> None:
    path = desk.keep(document_of([WORDS]))
    before = _draw(renderer, path, 300, 424)
    other = desk.keep(document_of([[]]))
    os.utime(other, ns=(1, 1))
    other.replace(path)
    assert _apart(before, _draw(renderer, path, 300, 424)) > 0.5


def test_many_documents_in_turn_stay_readable(renderer: Renderer, desk: Desk) -> None:
    paths = [desk.keep(document_of([WORDS])) for _ in range(5)]
    pictures = [_draw(renderer, path, 200, 283) for path in (*paths, *paths)]
    assert all(_apart(pictures[0], one) == 0 for one in pictures)


def test_a_page_of_five_kilometres_is_drawn_as_small_as_it_is_wanted(renderer: Renderer, desk: Desk) -> None:
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(14_400, 14_400))
        page.obj.UserUnit = 1000
        out = io.BytesIO()
        pdf.save(out)
    path = desk.keep(out.getvalue())
    (size,) = renderer.outline(Outline(str(path), 0, 1)).sizes
    assert size == (1e6, 1e6)
    assert _draw(renderer, path, 100, 100).size == (100, 100)


@pytest.mark.parametrize(
    ("width", "height", "clip"),
    [
        (100, 100, PixelBox(50, 0, 51, 10)),
        (100, 100, PixelBox(-1, 0, 10, 10)),
        (100, 100, PixelBox(0, 0, 0, 10)),
        (60_001, 100, PixelBox(0, 0, 10, 10)),
        (4000, 4000, PixelBox(0, 0, 4000, MAX_PIXELS // 4000 + 1)),
    ],
    ids=["beyond the page", "before the page", "nothing", "endless", "too much at once"],
)
def test_an_unreasonable_wish_is_refused(
    renderer: Renderer, desk: Desk, width: int, height: int, clip: PixelBox
) -> None:
    with pytest.raises(KnownError) as error:
        _draw(renderer, desk.keep(document_of([WORDS])), width, height, clip)
    assert (error.value.code, error.value.params) == ("page_not_drawn", {"page": 1})


def test_a_page_that_is_not_there_is_refused(renderer: Renderer, desk: Desk) -> None:
    path = desk.keep(document_of([WORDS]))
    with pytest.raises(KnownError, match="Page 2"):
        renderer.draw_page(DrawPage(str(path), 1, 10, 10, PixelBox(0, 0, 10, 10), str(_room(desk.folder))))


def test_what_is_no_pdf_is_told(renderer: Renderer, desk: Desk) -> None:
    with pytest.raises(KnownError) as error:
        renderer.outline(Outline(str(desk.keep(b"%PDF-1.7 and nothing more")), 0, 1))
    assert error.value.code == "pdf_unreadable"


def test_a_pdf_with_a_password_is_told(renderer: Renderer, desk: Desk) -> None:
    with pikepdf.open(io.BytesIO(document_of([WORDS]))) as pdf:
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(user="mở", owner="chủ"))
    with pytest.raises(KnownError) as error:
        renderer.outline(Outline(str(desk.keep(out.getvalue())), 0, 1))
    assert error.value.code == "pdf_encrypted"


def _ink(renderer: Renderer, file: Path, sha256: str, side: int, room: Path) -> Image.Image:
    return _image(room, renderer.draw_ink(DrawInk(file.read_bytes(), sha256, side, side, str(room))), "RGBA")


def test_ink_comes_without_its_clear_borders_in_the_wanted_size(renderer: Renderer, tmp_path: Path) -> None:
    with Image.open(SEAL_FILE) as opened:
        seal = opened.convert("RGBA")
    wide = Image.new("RGBA", (seal.width * 2, seal.height * 2))
    wide.paste(seal, (seal.width // 3, seal.height // 2))
    file = tmp_path / "dau.png"
    wide.save(file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    plain = _ink(renderer, SEAL_FILE, SEAL, 200, _room(tmp_path))
    framed = _ink(renderer, file, sha256, 200, _room(tmp_path))
    assert plain.size == framed.size
    assert max(plain.size) == 200
    assert _apart(plain, framed) < 1


def test_ink_is_never_enlarged(renderer: Renderer, tmp_path: Path) -> None:
    file = tmp_path / "nhỏ.png"
    Image.new("RGBA", (30, 20), (200, 0, 0, 255)).save(file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert _ink(renderer, file, sha256, 500, _room(tmp_path)).size == (30, 20)


@pytest.mark.parametrize("fault", ["another file", "no picture", "all clear"])
def test_a_picture_that_is_not_the_plans_is_refused(renderer: Renderer, tmp_path: Path, fault: str) -> None:
    file = tmp_path / "dau.png"
    if fault == "no picture":
        file.write_bytes(b"no picture")
    else:
        Image.new("RGBA", (30, 20), (200, 0, 0, 0 if fault == "all clear" else 255)).save(file)
    sha256 = SEAL if fault == "another file" else hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(KnownError) as error:
        _ink(renderer, file, sha256, 100, _room(tmp_path))
    assert error.value.code == "image_unusable"


def test_pixels_go_only_into_a_file_that_is_there(renderer: Renderer, desk: Desk) -> None:
    path, missing = desk.keep(document_of([WORDS], A4)), desk.folder / "missing"
    with pytest.raises(FileNotFoundError):
        renderer.draw_page(DrawPage(str(path), 0, 10, 10, PixelBox(0, 0, 10, 10), str(missing)))
    assert not missing.exists()
