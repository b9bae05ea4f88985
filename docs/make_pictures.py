"""Makes the pictures of the documentation: from a signed letter, and from the window while it is driven.

A tool of the developers, run by hand: `./run demo --headless`, then `./run shell python docs/make_pictures.py`;
`--only` makes a part. The window's journeys are those of the tests (`tests/ui/journeys.py`, and for the clerk's guide
`tests/ui/guided.py`), on a workspace of its own.
Writes PNG files into docs/pictures; the program never uses them.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image, ImageDraw

from signer_app.store.settings import ThemeChoice
from tests.support.screen import screen
from tests.support.workspace import Site
from tests.ui.guided import GUIDED
from tests.ui.journeys import JOURNEYS, Stage, own_site

ROOT = Path(__file__).resolve().parents[1]
SIGNED = ROOT / ".signer-demo" / "Đã ký"
PICTURES = ROOT / "docs" / "pictures"

_DPI = 96
_GAP = 24
_FRAME = "#c8c8c8"
_BLOCK = (0.12, 0.256, 0.97, 0.49)
"""The signature block of the decision: left, top, right, bottom as parts of its last page."""


@dataclass(frozen=True)
class Look:
    """How the window is shown, and what of each journey is kept."""

    name: str
    theme: ThemeChoice
    scale: float
    size: tuple[int, int]
    """Of the screen, in its pixels."""
    kept: dict[str, tuple[str, ...]]


_ALL = {
    "first_start": ("first-start-seal", "first-start-done"),
    "ten_documents": ("outgoing-ready", "pin", "received", "register", "home-evening"),
    "moved_by_hand": ("moved-by-hand",),
    "wrong_pin": ("wrong-pin",),
    "token_pulled": ("token-pulled",),
    "server_down": ("machine-server-down", "home-waiting"),
    "closed_while_signing": ("closing",),
    "files_checked": ("checked", "checked-wide"),
    "exchanged": ("home-incoming", "incoming", "sending", "register-incoming", "settings-network"),
    "looks": ("settings-bodies",),
}
_SOME = {
    "ten_documents": ("outgoing-ready", "pin", "received", "home-evening"),
    "moved_by_hand": ("moved-by-hand",),
    "token_pulled": ("token-pulled",),
    "files_checked": ("checked-wide",),
    "exchanged": ("incoming", "sending"),
}
_GUIDE = {
    "one_document": ("one-numbered", "receivers"),
    "incoming_documents": ("return", "recall-asked", "recall", "token"),
    "backup_set_up": ("backup-code",),
    "training": ("training",),
}
"""What the clerk's guide shows of its own journeys, as guide-WHAT.png."""

LOOKS = (
    Look("light", ThemeChoice.LIGHT, 1.0, (1366, 768), _ALL),
    Look("dark", ThemeChoice.DARK, 1.0, (1366, 768), _SOME),
    Look("150", ThemeChoice.LIGHT, 1.5, (1920, 1080), _SOME),
)


def main() -> None:
    """Writes docs/pictures/signed-letter.png and docs/pictures/window-LOOK-WHAT.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signed", type=Path, default=SIGNED, metavar="DIR", help="the demonstration's signed letters")
    parser.add_argument("--only", choices=("letter", "guide", *(look.name for look in LOOKS)), help="only these")
    arguments = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    if arguments.only in (None, "letter"):
        letter = arguments.signed / "quyet-dinh.pdf"
        if not letter.is_file():
            parser.error(f"{letter} is not there; run the demonstration first")
        _signed_letter(letter)
    looks = [look for look in LOOKS if arguments.only in (None, look.name)]
    guide = arguments.only in (None, "guide")
    if looks or guide:
        with tempfile.TemporaryDirectory() as name, own_site(Path(name) / "site") as site:
            for look in looks:
                _window(look, site, Path(name) / look.name)
            if guide:
                _guide(site, Path(name) / "guide")


def _window(look: Look, site: Site, folder: Path) -> None:
    """Plays the journeys of a look, each in a copy of the workspace, and keeps some of what they saw."""
    with screen(*look.size) as shown:
        for journey, kept in look.kept.items():
            taken = folder / journey / "pictures"
            taken.mkdir(parents=True)
            desk = site.desk(folder / journey)
            desk.change_settings(theme=look.theme)
            JOURNEYS[journey](Stage(desk, shown, pictures=taken, scale=look.scale))
            for what in kept:
                _keep(taken / f"{what}.png", f"window-{look.name}-{what}", 256)


def _guide(site: Site, folder: Path) -> None:
    """Follows the clerk's guide, and keeps some of what is seen on the way."""
    with screen(1366, 768) as shown:
        for page, kept in _GUIDE.items():
            taken = folder / page / "pictures"
            taken.mkdir(parents=True)
            GUIDED[page](Stage(site.desk(folder / page), shown, pictures=taken))
            for what in kept:
                _keep(taken / f"{what}.png", f"guide-{what}", 192)


def _keep(taken: Path, name: str, colours: int) -> None:
    """Words and flat colours: few of them are enough, and a third of the bytes."""
    picture = Image.open(taken).convert("RGB")
    picture.quantize(colours, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)


def _signed_letter(letter: Path) -> None:
    """The first page, and the signature block at its side."""
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
