"""The embedded letters of every stamp: Signer Serif, pre-built, 1000 units to the em, put into a PDF as it is.

The fonts are small enough (Latin and Vietnamese, no hinting) to be embedded whole, so no subsetting happens while a
document is signed and the same text always gives the same bytes. Runs in a worker; keeps the encoded streams of the
four styles for the life of the process.
"""

import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from functools import cache

from fontTools.ttLib import TTFont
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.writer import BasePdfFileWriter

import signer_resources
from signer_app.pdf.geometry import pt_to_mm
from signer_app.pdf.objects import array, deflated, dictionary
from signer_app.pdf.plan import Style
from signer_resources.errors import KnownError


class Face:
    """One style: its metrics, and its objects in a PDF."""

    def __init__(self, style: Style) -> None:
        self.style = style
        file = signer_resources.path(f"fonts/SignerSerif-{style}.ttf")
        self._program = file.read_bytes()
        with TTFont(file, lazy=True) as font:
            if font["head"].unitsPerEm != 1000:
                raise ValueError(f"{file.name} is not scaled to 1000 units per em")
            order = font.getReverseGlyphMap()
            metrics = font["hmtx"].metrics
            self._glyphs = {code: order[name] for code, name in font.getBestCmap().items()}
            self._letters = {gid: code for code, gid in sorted(self._glyphs.items(), reverse=True)}
            self._advance = {order[name]: advance for name, (advance, _bearing) in metrics.items()}
            head, hhea = font["head"], font["hhea"]
            self._box = (head.xMin, head.yMin, head.xMax, head.yMax)
            self._ascent, self._descent = hhea.ascent, hhea.descent
            self._cap_height = getattr(font["OS/2"], "sCapHeight", 660) or 660
            self._italic_angle = float(font["post"].italicAngle)
        self._compressed = zlib.compress(self._program, 9)

    def glyph_ids(self, text: str) -> list[int]:
        """Glyph numbers of NFC `text`; KnownError `glyph_missing` names a letter that the font doesn't have."""
        ids = []
        for letter in unicodedata.normalize("NFC", text):
            found = self._glyphs.get(ord(letter))
            if found is None:
                raise KnownError("glyph_missing", letter=letter)
            ids.append(found)
        return ids

    def width_mm(self, text: str, size_pt: float) -> float:
        """Width of `text` at `size_pt` points, in mm."""
        return pt_to_mm(sum(self._advance[gid] for gid in self.glyph_ids(text)) * size_pt / 1000)

    def show(self, text: str) -> bytes:
        """The operand of Tj: glyph numbers as two-byte codes (Identity-H)."""
        return b"<" + b"".join(b"%04X" % gid for gid in self.glyph_ids(text)) + b">"

    def embed(self, writer: BasePdfFileWriter, texts: Iterable[str] | None = None) -> generic.IndirectObject:
        """Puts the font into the document that `writer` extends; a Type 0 font with Identity-H codes.

        With `texts`, widths and letters are told of those glyphs alone that they show: whoever reads the file reads
        these lists, number by number, for each signature.
        """
        shown = sorted(self._letters if texts is None else {gid for text in texts for gid in self.glyph_ids(text)})
        name = f"/SignerSerif-{self.style}"
        program = deflated({"/Length1": len(self._program)}, self._compressed)
        descriptor = dictionary(
            {
                "/Type": "/FontDescriptor",
                "/FontName": name,
                "/Flags": 4 | 2 | (64 if self._italic_angle else 0),
                "/FontBBox": array(self._box),
                "/ItalicAngle": self._italic_angle,
                "/Ascent": self._ascent,
                "/Descent": self._descent,
                "/CapHeight": self._cap_height,
                "/StemV": 120 if "Bold" in self.style else 80,
                "/FontFile2": writer.add_object(program),
            }
        )
        system = {
            "/Registry": generic.pdf_string("Adobe"),
            "/Ordering": generic.pdf_string("Identity"),
            "/Supplement": 0,
        }
        # Each glyph's number with the list of its one width (ISO 32000-1, 9.7.4.3).
        widths = array(part for gid in shown for part in (gid, array([self._advance[gid]])))
        descendant = dictionary(
            {
                "/Type": "/Font",
                "/Subtype": "/CIDFontType2",
                "/BaseFont": name,
                "/CIDSystemInfo": dictionary(system),
                "/FontDescriptor": writer.add_object(descriptor),
                "/CIDToGIDMap": "/Identity",
                "/W": widths,
            }
        )
        return writer.add_object(
            dictionary(
                {
                    "/Type": "/Font",
                    "/Subtype": "/Type0",
                    "/BaseFont": name,
                    "/Encoding": "/Identity-H",
                    "/DescendantFonts": array([writer.add_object(descendant)]),
                    "/ToUnicode": writer.add_object(self._to_unicode(shown)),
                }
            )
        )

    def _to_unicode(self, shown: Sequence[int]) -> generic.StreamObject:
        """The CMap that gives the text of these glyphs back when it is copied (ISO 32000-1, 9.10.3)."""
        pairs = [(gid, self._letters[gid]) for gid in shown]
        lines = [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
        ]
        for start in range(0, len(pairs), 100):
            chunk = pairs[start : start + 100]
            lines.append(f"{len(chunk)} beginbfchar")
            lines.extend(f"<{gid:04X}> <{chr(code).encode('utf-16-be').hex().upper()}>" for gid, code in chunk)
            lines.append("endbfchar")
        lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
        return deflated({}, zlib.compress("\n".join(lines).encode("ascii"), 9))


@cache
def face(style: Style) -> Face:
    """The face of `style`, read once per process."""
    return Face(style)
