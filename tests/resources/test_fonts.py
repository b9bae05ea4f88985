"""The bundled fonts: letters, units, names, and that the committed files are what the tool makes."""

import unicodedata
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

import signer_resources
from tools import build_fonts

STYLES = ("Regular", "Italic", "Bold", "BoldItalic")


def _file(style: str) -> Path:
    return signer_resources.path(f"fonts/SignerSerif-{style}.ttf")


def _vietnamese() -> set[str]:
    vowels = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
    tones = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    return {unicodedata.normalize("NFC", vowel + tone) for vowel in vowels for tone in tones} | {"đ", "Đ"}


@pytest.mark.parametrize("style", STYLES)
def test_every_vietnamese_letter_and_mark_has_a_drawn_glyph(style: str) -> None:
    font = TTFont(_file(style))
    glyphs = font.getBestCmap()
    wanted = _vietnamese() | set("«»“”‘’–—…·•№°≤≥×0123456789") | set("\u0300\u0301\u0303\u0309\u0323")
    assert len(_vietnamese()) == 12 * 6 * 2 + 2
    assert {c for c in wanted if ord(c) not in glyphs} == set()
    empty = {c for c in wanted if font["glyf"][glyphs[ord(c)]].numberOfContours == 0}
    assert empty == set()


@pytest.mark.parametrize("style", STYLES)
def test_fonts_have_1000_units_no_hinting_and_a_name_of_their_own(style: str) -> None:
    font = TTFont(_file(style))
    assert font["head"].unitsPerEm == 1000
    assert not {"fpgm", "prep", "cvt ", "gasp", "hdmx", "VDMX"} & set(font.keys())
    names = font["name"]
    assert names.getDebugName(1) == "Signer Serif"
    assert names.getDebugName(6) == f"SignerSerif-{style}"
    # The Open Font License forbids the reserved names to a changed version (clause 3), wants the notice (2).
    given = " ".join(names.getDebugName(i) for i in (1, 2, 3, 4, 6))
    assert not any(reserved in given for reserved in ("Liberation", "Tinos", "Arimo", "Cousine"))
    assert "Copyright (c) 2012 Red Hat" in names.getDebugName(0)
    assert _file(style).stat().st_size < 60_000


def test_the_licence_lies_beside_the_fonts() -> None:
    text = signer_resources.path("fonts/OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in text
    assert "Reserved Font Name Liberation" in text


def test_widths_are_those_of_times_new_roman() -> None:
    font = TTFont(_file("Regular"))
    glyphs, metrics = font.getBestCmap(), font["hmtx"]
    widths = {c: metrics[glyphs[ord(c)]][0] for c in "a 5M"}
    # Adobe's metrics of Times-Roman, in thousandths of an em.
    assert widths == {"a": 444, " ": 250, "5": 500, "M": 889}


def test_the_committed_fonts_are_what_the_tool_makes(tmp_path: Path) -> None:
    source = build_fonts.find_source()
    if source is None:
        pytest.skip(f"Liberation Serif, {build_fonts.SOURCE_VERSION}, is not installed (fonts-liberation2)")
    for style in STYLES:
        made = tmp_path / f"{style}.ttf"
        build_fonts.build(source, style).save(made)
        assert made.read_bytes() == _file(style).read_bytes()
