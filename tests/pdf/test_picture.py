"""Seals and signatures out of scans, photos and ready pictures: ink kept, paper clear, strangers refused."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

import signer_resources
from signer_app.pdf.picture import MAX_BYTES, MAX_SIDE, clean_picture
from signer_app.tasks import Cleaned, CleanPicture, PictureNote
from signer_app.workers import Workers
from signer_resources.errors import KnownError

RED = (200, 20, 30)
IVORY = (250, 246, 236)


def picture(cleaned: Cleaned) -> Image.Image:
    image = Image.open(io.BytesIO(cleaned.png))
    image.load()
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (cleaned.width, cleaned.height))
    return image


def ring(draw: ImageDraw.ImageDraw, middle: tuple[int, int], radius: int) -> None:
    """A seal of `radius` with a star's worth of ink in its middle."""
    x, y = middle
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=RED, width=max(4, radius // 20))
    draw.ellipse((x - radius // 4, y - radius // 4, x + radius // 4, y + radius // 4), fill=RED)


def sheet(size: tuple[int, int] = (800, 1000), paper: tuple[int, int, int] = IVORY) -> Image.Image:
    """A sheet with a seal of 300 pixels at 400, 350."""
    image = Image.new("RGB", size, paper)
    ring(ImageDraw.Draw(image), (400, 350), 150)
    return image


def saved(folder: Path, image: Image.Image, name: str = "seal.png", **how: object) -> Path:
    file = folder / name
    image.save(file, **how)  # type: ignore[arg-type]
    return file


def code_of(file: Path) -> str:
    with pytest.raises(KnownError) as told:
        clean_picture(file)
    assert told.value.explain("vi").do
    return told.value.code


@pytest.mark.parametrize("name", ["seal.png", "seal.jpg", "seal.bmp", "seal.webp", "seal.tif"])
def test_a_scanned_seal_comes_out_red_on_clear_ground_and_trimmed(tmp_path: Path, name: str) -> None:
    cleaned = clean_picture(saved(tmp_path, sheet(), name))
    image = picture(cleaned)
    assert abs(cleaned.width - 301) <= 4
    assert abs(cleaned.height - 301) <= 4
    red, green, blue, alpha = image.getpixel((image.width // 2, image.height // 2))  # type: ignore[misc]
    assert alpha == 255
    assert red > 170 > 60 > max(green, blue)
    between = image.getpixel((image.width // 2, image.height // 6))
    assert between[3] == 0  # type: ignore[index]
    assert cleaned.notes == ()


def test_shadow_grain_and_dust_of_a_scan_are_paper(tmp_path: Path) -> None:
    scan = sheet()
    shadow = Image.linear_gradient("L").resize(scan.size).point(lambda value: 255 - value // 3)
    grain = Image.effect_noise(scan.size, 10).point(lambda value: min(255, value + 120))
    for layer in (shadow, grain):
        scan = ImageChops.multiply(scan, Image.merge("RGB", [layer] * 3))
    draw = ImageDraw.Draw(scan)
    for x, y in ((30, 40), (760, 950), (90, 900)):
        draw.rectangle((x, y, x + 1, y + 1), fill=(40, 40, 40))
    image = picture(clean_picture(saved(tmp_path, scan)))
    assert abs(image.width - 301) <= 6
    assert abs(image.height - 301) <= 6
    clear = image.getchannel("A").crop((110, 40, 190, 90)).histogram()[0]
    assert clear > 0.97 * 80 * 50


def test_a_ready_picture_keeps_its_own_transparency(tmp_path: Path) -> None:
    ready = Image.new("RGBA", (500, 500), (0, 0, 0, 0))
    ring(ImageDraw.Draw(ready), (250, 250), 120)
    ready.putpixel((2, 2), (255, 255, 255, 3))
    image = picture(clean_picture(saved(tmp_path, ready)))
    assert image.size == (241, 241)
    assert image.getpixel((120, 120)) == (*RED, 255)


def test_a_signature_keeps_its_thin_ends(tmp_path: Path) -> None:
    pen = Image.new("RGB", (1200, 600), "white")
    ImageDraw.Draw(pen).line([(100, 400), (400, 150), (600, 420), (1100, 300)], fill=(20, 40, 160), width=5)
    cleaned = clean_picture(saved(tmp_path, pen, "ký.png"))
    assert abs(cleaned.width - 1001) <= 6
    assert PictureNote.NOT_ROUND in cleaned.notes


def test_a_huge_scan_becomes_a_picture_of_ordinary_size(tmp_path: Path) -> None:
    scan = Image.new("RGB", (2400, 2400), "white")
    ring(ImageDraw.Draw(scan), (1200, 1200), 1000)
    assert max(picture(clean_picture(saved(tmp_path, scan, compress_level=1))).size) == MAX_SIDE


def test_a_small_seal_is_taken_and_told_to_be_coarse(tmp_path: Path) -> None:
    scan = Image.new("RGB", (300, 300), "white")
    ring(ImageDraw.Draw(scan), (150, 150), 60)
    assert clean_picture(saved(tmp_path, scan)).notes == (PictureNote.COARSE,)


def test_a_photo_is_turned_as_the_camera_meant_it_and_loses_its_notes(tmp_path: Path) -> None:
    photo = Image.new("RGB", (900, 500), "white")
    ImageDraw.Draw(photo).rectangle((100, 200, 700, 300), fill=RED)
    notes = Image.Exif()
    notes[0x0112] = 6
    notes[0x010F] = "Camera of a person"
    cleaned = clean_picture(saved(tmp_path, photo, "photo.jpg", exif=notes))
    assert cleaned.height > cleaned.width
    assert b"Camera" not in cleaned.png


def test_sixteen_bits_of_grey_are_no_white_sheet(tmp_path: Path) -> None:
    grey = Image.new("L", (500, 500), 250)
    ImageDraw.Draw(grey).ellipse((100, 100, 400, 400), outline=30, width=20)
    deep = Image.frombytes("I;16", grey.size, b"".join(struct.pack("<H", value * 257) for value in grey.tobytes()))
    assert abs(clean_picture(saved(tmp_path, deep, "grey.tif")).width - 301) <= 4


def test_our_own_sample_seal_stays_as_it_is() -> None:
    cleaned = clean_picture(signer_resources.path("images/sample-seal.png"))
    assert (cleaned.width, cleaned.height, cleaned.notes) == (720, 720, ())


def test_a_blank_sheet_and_a_dark_photo_are_told_apart(tmp_path: Path) -> None:
    assert code_of(saved(tmp_path, Image.new("RGB", (400, 400), IVORY))) == "picture_blank"
    assert code_of(saved(tmp_path, sheet(paper=(40, 60, 40)))) == "picture_dark"
    assert code_of(saved(tmp_path, Image.new("RGBA", (400, 400), (0, 0, 0, 0)))) == "picture_blank"


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 3.6 thousand million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def strangers() -> Iterator[tuple[str, bytes, str]]:
    good = io.BytesIO()
    sheet().save(good, "PNG")
    yield "bomb.png", bomb(), "picture_too_large"
    yield "heavy.png", good.getvalue() + bytes(MAX_BYTES), "picture_too_large"
    yield "cut.png", good.getvalue()[: len(good.getvalue()) // 2], "picture_unreadable"
    yield "empty.png", b"", "picture_unreadable"
    yield "drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture_unreadable"
    yield "letter.png", b"%PDF-1.7\n", "picture_unreadable"
    yield "script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "picture_unreadable"
    gif = io.BytesIO()
    sheet().convert("P").save(gif, "GIF")
    yield "moving.png", gif.getvalue(), "picture_unreadable"


@pytest.mark.parametrize(("name", "content", "code"), [pytest.param(*case, id=case[0]) for case in strangers()])
def test_what_is_no_picture_for_a_stamp_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert code_of(file) == code


def test_the_worker_gives_pictures_and_refusals_and_goes_on(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(bomb())
    with Workers() as workers:
        with pytest.raises(KnownError, match="too large"):
            workers.clean_picture(CleanPicture(str(bad)))
        with pytest.raises(KnownError) as gone:
            workers.clean_picture(CleanPicture(str(tmp_path / "gone.png")))
        assert gone.value.code == "file_unreadable"
        assert workers.clean_picture(CleanPicture(str(saved(tmp_path, sheet())))).width > 290
