"""Makes the fonts "Signer Serif" from Liberation Serif 2: Vietnamese and Latin, unhinted, 1000 units per em.

A tool of the developers, run by hand as `python -m tools.build_fonts [--source DIR] [--out DIR]` in
`resources/`; the program itself only reads the finished files. The same source gives the same bytes at
every run. Never fetches anything. Liberation Serif has the widths of Times New Roman, which Decree 30/2020,
Annex I, asks for; the SIL Open Font License forbids its reserved names to a changed version, hence the new
name.
"""

import argparse
import unicodedata
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem

FAMILY = "Signer Serif"
STYLES = {"Regular": "Regular", "Italic": "Italic", "Bold": "Bold", "BoldItalic": "Bold Italic"}
SOURCE_VERSION = "Version 2.1.5"
SOURCES = (
    Path("/usr/share/fonts/truetype/liberation2"),
    Path("/usr/share/fonts/truetype/liberation"),
)
"""Where Debian and Ubuntu put Liberation fonts; which folder holds version 2 depends on the release."""

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "signer_resources" / "fonts"

UNITS_PER_EM = 1000
"""pyHanko writes glyph widths in raw font units, and PDF reads them as thousandths of an em."""

VERSION = "1.000"
TIMESTAMP = 3_850_000_000
"""head.created and head.modified (seconds since 1904): fixed, so that a rebuild changes no byte."""

TONES = "\u0300\u0301\u0303\u0309\u0323"
VOWELS = "aăâeêioôơuưy"
COMBINING = TONES + "\u0302\u0306\u031b"
PUNCTUATION = "\u00a0«»“”‘’‚„–—\u2010…·•№°≤≥×±÷²³½¼¾§©®†‡′″−€₫"
HIGHLANDS = "ČčĔĕĚěĬĭŎŏŬŭÑñɃƀ"
"""Letters of Ê Đê, Gia Rai and Ba Na names, which stand in documents of the Central Highlands."""


def vietnamese_letters() -> str:
    """Every letter of Vietnamese with and without tone, lower and upper case, precomposed (NFC)."""
    lower = [unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in ("", *TONES)]
    lower.append("đ")
    return "".join(lower) + "".join(letter.upper() for letter in lower)


def wanted_characters() -> str:
    """All characters that a font of the family must hold, sorted, each once."""
    ascii_ = "".join(map(chr, range(0x20, 0x7F)))
    latin_1 = "".join(map(chr, range(0xC0, 0x100)))
    return "".join(sorted(set(ascii_ + latin_1 + vietnamese_letters() + COMBINING + PUNCTUATION + HIGHLANDS)))


def find_source() -> Path | None:
    """The folder with Liberation Serif in the version of the committed fonts, if it is installed."""
    for folder in SOURCES:
        file = folder / "LiberationSerif-Regular.ttf"
        if file.exists():
            with TTFont(file) as font:
                if font["name"].getDebugName(5) == SOURCE_VERSION:
                    return folder
    return None


def build(source: Path, style: str) -> TTFont:
    """The font of `style` (a key of STYLES), made from Liberation Serif in the folder `source`.

    Raises FileNotFoundError without the source font and ValueError if it lacks a wanted character.
    """
    font = TTFont(source / f"LiberationSerif-{style}.ttf", recalcTimestamp=False)
    missing = [c for c in wanted_characters() if ord(c) not in font.getBestCmap()]
    if missing:
        names = ", ".join(f"U+{ord(c):04X}" for c in missing)
        raise ValueError(f"the source font of {style} lacks {names}")
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.notdef_outline = True
    options.glyph_names = False
    options.name_IDs = [0, 13, 14]
    options.name_languages = [0x409]
    options.drop_tables += ["GDEF", "GPOS", "GSUB", "kern", "gasp", "FFTM", "DSIG", "meta"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=wanted_characters())
    subsetter.subset(font)
    scale_upem(font, UNITS_PER_EM)
    _rename(font, style)
    font["head"].created = font["head"].modified = TIMESTAMP
    font["head"].fontRevision = float(VERSION)
    return font


def _rename(font: TTFont, style: str) -> None:
    shown = STYLES[style]
    texts = {
        1: FAMILY,
        2: shown,
        3: f"{FAMILY} {shown} {VERSION}",
        4: FAMILY if style == "Regular" else f"{FAMILY} {shown}",
        5: f"Version {VERSION}",
        6: f"SignerSerif-{style}",
    }
    for name_id, text in texts.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font["OS/2"].achVendID = "SGNR"
    font["OS/2"].fsType = 0


def main() -> None:
    """Writes the four fonts."""
    parser = argparse.ArgumentParser(description="Makes the Signer Serif fonts.")
    parser.add_argument("--source", type=Path, default=find_source())
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    arguments = parser.parse_args()
    if arguments.source is None:
        parser.error(f"no Liberation Serif of {SOURCE_VERSION}; install fonts-liberation2 or give --source")
    for style in STYLES:
        build(arguments.source, style).save(arguments.out / f"SignerSerif-{style}.ttf")


if __name__ == "__main__":
    main()
