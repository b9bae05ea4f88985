"""Makes the pictures of the documentation from what the demonstration has signed.

A tool of the developers, run by hand: `./run demo --headless`, then `./run shell python docs/make_pictures.py`.
Reads signed letters, writes PNG files into docs/pictures; the program never uses them.
"""

import argparse
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
SIGNED = ROOT / ".signer-demo" / "Đã ký"
PICTURES = ROOT / "docs" / "pictures"

_DPI = 96
_GAP = 24
_FRAME = "#c8c8c8"
_BLOCK = (0.12, 0.256, 0.97, 0.49)
"""The signature block of the decision: left, top, right, bottom as parts of its last page."""


def main() -> None:
    """Writes docs/pictures/signed-letter.png: the first page, and the signature block at its side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signed", type=Path, default=SIGNED, metavar="DIR", help="the demonstration's signed letters")
    arguments = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    letter = arguments.signed / "quyet-dinh.pdf"
    if not letter.is_file():
        parser.error(f"{letter} is not there; run the demonstration first")
    document = pdfium.PdfDocument(letter)
    # Without a form environment PDFium draws no fields, and so no stamps.
    document.init_forms()
    first, last = (_page(document, number) for number in (0, len(document) - 1))
    left, top, right, bottom = _BLOCK
    block = last.crop((left * last.width, top * last.height, right * last.width, bottom * last.height))
    picture = Image.new("RGB", (first.width + block.width + 3 * _GAP, first.height + 2 * _GAP), "white")
    for image, left, top in (
        (first, _GAP, _GAP),
        (block, first.width + 2 * _GAP, (picture.height - block.height) // 2),
    ):
        picture.paste(image, (left, top))
        ImageDraw.Draw(picture).rectangle((left - 1, top - 1, left + image.width, top + image.height), outline=_FRAME)
    picture.save(PICTURES / "signed-letter.png", optimize=True)


def _page(document: pdfium.PdfDocument, number: int) -> Image.Image:
    picture: Image.Image = document[number].render(scale=_DPI / 72).to_pil().convert("RGB")
    return picture


if __name__ == "__main__":
    main()
