"""Makes the pictures of what each signature profile draws, on pages that lie in all ways in their files.

A tool of the developers, run by hand: `./run shell python docs/make_profiles.py`. Letters and scans are made here,
their plans by the preflight, the signatures by `prepare` and `finish` with the test PKI's keys; PDFium draws them.
Writes contact sheets into docs/pictures/profiles; the program never uses them.
"""

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

import signer_resources
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.pdf.model import Body, CopyForm, CopyOrder, PlaceOption, Profile
from tests.pdf.paper import A4, BOLD, ITALIC, MM, REGULAR, Turn, Words, page_of, picture, turned
from tests.pdf.signing import BODY, INITIAL, OUR_BODY, SEAL, Desk, picture_step

PICTURES = Path(__file__).resolve().parent / "pictures" / "profiles"

_LANDSCAPE = (A4[1], A4[0])
_A5 = (148.0, 210.0)
_WIDTH = 400
_GAP = 16
_CAPTION = 26
_FRAME = "#b8b8b8"
_FRONT = "ỦY BAN MẶT TRẬN TỔ QUỐC VIỆT NAM XÃ HÒA SƠN"


@dataclass(frozen=True)
class Lie:
    """How a page lies in its file."""

    name: str
    size: tuple[float, float] = A4
    turn: Turn | None = None


LIES = (
    Lie("portrait"),
    Lie("landscape", _LANDSCAPE),
    Lie("/Rotate 90", turn=Turn(90)),
    Lie("/Rotate 180, UserUnit 2", turn=Turn(180, unit=2.0)),
    Lie("/Rotate 270, CropBox", turn=Turn(270, -30, 70, 40)),
    Lie("CropBox off the origin", turn=Turn(0, 100, -50, 30)),
    Lie("A5", _A5),
)


@dataclass(frozen=True)
class Row:
    """One profile: its name on the sheet, and what makes a signed file of a page."""

    name: str
    make: Callable[[Desk, Lie], Path]


def main() -> None:
    """Makes all sheets anew."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pki = DemoPki.create_or_load(Path(folder) / "pki")
        desk = Desk(pki, Path(folder))
        for name, rows in SHEETS.items():
            _sheet(desk, rows).save(PICTURES / f"{name}.png", optimize=True)


# --- the sheets ------------------------------------------------------------------------------------------------------


def _sheet(desk: Desk, rows: Sequence[Row]) -> Image.Image:
    """The first page of each file, a row for each profile and a column for each way to lie."""
    lines = [[picture(row.make(desk, lie), 0, _WIDTH) for lie in LIES] for row in rows]
    heights = [max(page.height for page in line) for line in lines]
    width = _GAP + len(LIES) * (_WIDTH + _GAP)
    sheet = Image.new("RGB", (width, sum(heights) + (_CAPTION + _GAP) * len(rows) + _GAP), "#f4f4f4")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(str(signer_resources.path(f"fonts/{REGULAR}.ttf")), 18)
    top = _GAP
    for row, line, height in zip(rows, lines, heights, strict=True):
        for number, (lie, page) in enumerate(zip(LIES, line, strict=True)):
            left = _GAP + number * (_WIDTH + _GAP)
            draw.text((left, top), f"{row.name}, {lie.name}", fill="#303030", font=font)
            sheet.paste(page, (left, top + _CAPTION))
            box = (left - 1, top + _CAPTION - 1, left + page.width, top + _CAPTION + page.height)
            draw.rectangle(box, outline=_FRAME)
        top += _CAPTION + height + _GAP
    return sheet.quantize(96, dither=Image.Dither.NONE)


# --- pages -----------------------------------------------------------------------------------------------------------


def _letter(lie: Lie, *, joint: bool = False) -> list[Words]:
    """A decision of one page, laid out on paper of any size."""
    width = lie.size[0]
    scale = min(1.0, width / A4[0])
    left, right, middle = width * 0.3, width * 0.69, width / 2
    lines = [
        Words(left, 25 * scale, "ỦY BAN NHÂN DÂN XÃ HÒA SƠN -" if joint else BODY, BOLD, 12 * scale, centred=True),
        Words(right, 25 * scale, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", BOLD, 12 * scale, centred=True),
        Words(right, 31 * scale, "Độc lập - Tự do - Hạnh phúc", BOLD, 13 * scale, centred=True),
    ]
    if joint:
        lines += [Words(left, 31 * scale, "ỦY BAN MẶT TRẬN TỔ QUỐC", BOLD, 12 * scale, centred=True)]
        lines += [Words(left, 36 * scale, "VIỆT NAM XÃ HÒA SƠN", BOLD, 12 * scale, centred=True)]
    row = 43 * scale
    lines += [
        Words(left, row, "Số:          /QĐ-UBND", REGULAR, 13 * scale, centred=True),
        Words(right, row, "Hòa Sơn, ngày      tháng      năm 2026", ITALIC, 13 * scale, centred=True),
        Words(middle, 60 * scale, "QUYẾT ĐỊNH", BOLD, 14 * scale, centred=True),
        Words(middle, 66 * scale, "Ban hành Quy chế quản lý văn bản điện tử", BOLD, 14 * scale, centred=True),
    ]
    for number in range(4):
        text = f"Điều {number + 1}. Quyết định này có hiệu lực kể từ ngày ký"
        lines.append(
            Words(30 * scale, (82 + 8 * number) * scale, text + ("./." if number == 3 else "."), size=14 * scale)
        )
    top = _block_top(lie)
    lines += _block(right, top, scale, ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"), "Nguyễn Thị Phượng")
    if joint:
        lines += _block(left, top, scale, ("TM. BAN THƯỜNG TRỰC", "CHỦ TỊCH"), "Đặng Văn Thưởng")
    else:
        notes = ("Nơi nhận:", "- Như Điều 4;", "- UBND tỉnh (báo cáo);", "- Lưu: VT, VP.")
        for number, text in enumerate(notes):
            lines.append(Words(30 * scale, top + 5 * number * scale, text, REGULAR, 11 * scale))
    return lines


def _block_top(lie: Lie) -> float:
    """Where the signer's block begins, mm from the top."""
    scale = min(1.0, lie.size[0] / A4[0])
    return min(lie.size[1] - 80 * scale, 150 * scale)


def _block(x: float, top: float, scale: float, title: Sequence[str], name: str) -> list[Words]:
    lines = [Words(x, top + 5.6 * i * scale, line, BOLD, 13 * scale, centred=True) for i, line in enumerate(title)]
    return [*lines, Words(x, top + 37 * scale, name, BOLD, 14 * scale, centred=True)]


def _laid(data: bytes, lie: Lie) -> bytes:
    return turned(data, lie.turn) if lie.turn is not None else data


def _page(desk: Desk, lie: Lie, *, joint: bool = False) -> Path:
    return desk.keep(_laid(page_of(_letter(lie, joint=joint), lie.size), lie))


def _scan(desk: Desk, lie: Lie) -> Path:
    """A paper letter, signed and sealed by hand, as a scanner gives it: a grey, slanted picture without text."""
    lines = [replace(words, text=words.text.replace("Số:          /", "Số: 12/")) for words in _letter(lie)]
    paper = picture(page_of(lines, lie.size), 0, 1000).convert("RGBA")
    scale, shrink = 1000 / lie.size[0], min(1.0, lie.size[0] / A4[0])
    left, top = lie.size[0] * 0.69 - 25 * shrink, _block_top(lie) + 9 * shrink
    for file, x, width in (
        ("sample-signature.png", left, 50 * shrink),
        ("sample-seal.png", left + 17 * shrink - 38, 38),
    ):
        with Image.open(signer_resources.path(f"images/{file}")) as opened:
            ink = opened.convert("RGBA")
        ink.thumbnail((round(width * scale), round(width * scale)))
        paper.alpha_composite(ink, (round(x * scale), round((top - (4 if width == 38 else 0)) * scale)))
    grey = Image.new("RGB", paper.size, "#efece4")
    flat = Image.composite(paper.convert("RGB"), grey, paper.convert("L").point(lambda v: 255 if v < 220 else 0))
    flat = flat.rotate(0.6, fillcolor="#efece4", resample=Image.Resampling.BICUBIC)
    out = io.BytesIO()
    canvas = Canvas(out, (lie.size[0] * MM, lie.size[1] * MM), invariant=1)
    canvas.drawImage(ImageReader(flat), 0, 0, lie.size[0] * MM, lie.size[1] * MM)
    canvas.showPage()
    canvas.save()
    return desk.keep(_laid(out.getvalue(), lie))


# --- profiles --------------------------------------------------------------------------------------------------------


def _leader(desk: Desk, lie: Lie) -> Path:
    return desk.leader_signs(_page(desk, lie))


def _initial(desk: Desk, lie: Lie) -> Path:
    source = _page(desk, lie)
    plan = desk.plan(source, Profile.INITIAL, picture=INITIAL)
    return desk.sign(source, plan.steps, Holder.DRAFTER)


def _agency(desk: Desk, lie: Lie) -> Path:
    """Into the fields that the leader's signature has prepared."""
    signed = _leader(desk, lie)
    return desk.sign(signed, desk.plan(signed).steps)


def _agency_elsewhere(desk: Desk, lie: Lie) -> Path:
    """The leader signed with other software: one more signature carries number and date."""
    source = _page(desk, lie)
    (placed,) = desk.preflight(source, Profile.LEADER).placements
    signed = desk.leader_signs_elsewhere(source, placed.rect)
    return desk.sign(signed, desk.plan(signed).steps)


def _joint(desk: Desk, lie: Lie) -> Path:
    """Two leaders and two seals: ours, which is the lead body's, and the Front's."""
    signed = desk.leader_signs(_page(desk, lie, joint=True))
    (placed,) = desk.preflight(signed, Profile.LEADER, name="Đặng Văn Thưởng").placements
    signed = desk.sign(signed, [picture_step(placed.rect, field="lanh_dao_2")], Holder.FRONT_LEADER)
    ours = desk.sign(signed, desk.plan(signed).steps)
    front = Body(names=(_FRONT,), seal=SEAL, seal_mm=36.0)
    # The test PKI has no certificate of the Front's; any key draws the same picture.
    return desk.sign(ours, desk.plan(ours, body=front, name=_FRONT).steps, Holder.SERVER)


def _appendix(desk: Desk, lie: Lie) -> Path:
    source = _page(desk, lie)
    return desk.sign(source, desk.plan(source, Profile.APPENDIX, number="12", notation="QĐ-UBND").steps)


def _copy(desk: Desk, lie: Lie) -> Path:
    source = _scan(desk, lie)
    order = CopyOrder(CopyForm.SAO_Y, "Chủ tịch Nguyễn Thị Phượng")
    return desk.sign(source, desk.plan(source, Profile.COPY, copy=order).steps)


def _archive(desk: Desk, lie: Lie) -> Path:
    source = _scan(desk, lie)
    body = Body(names=("Ủy ban nhân dân xã Hòa Sơn, tỉnh An Sơn", *OUR_BODY.names))
    return desk.sign(source, desk.plan(source, Profile.ARCHIVE, body=body).steps)


def _plain(desk: Desk, lie: Lie) -> Path:
    source = _page(desk, lie)
    place = PlaceOption(-1, 20, min(lie.size[1] - 40, 240), 70, 16)
    return desk.sign(source, desk.plan(source, Profile.PLAIN, place=place).steps)


def _scanned_leader(desk: Desk, lie: Lie) -> Path:
    """A page without text: the layout proposes a place, and the leader is asked."""
    source = _scan(desk, lie)
    return desk.sign(source, desk.plan(source, Profile.LEADER).steps, Holder.LEADER)


SHEETS = {
    "leader-initial": (Row("leader", _leader), Row("initial", _initial)),
    "agency": (Row("agency, prepared fields", _agency), Row("agency, two signatures", _agency_elsewhere)),
    "joint-plain": (Row("joint", _joint), Row("plain, by hand", _plain)),
    "appendix-copy": (Row("appendix", _appendix), Row("copy of a scan", _copy)),
    "archive-scan": (Row("archive of a scan", _archive), Row("leader on a scan", _scanned_leader)),
}


if __name__ == "__main__":
    main()
