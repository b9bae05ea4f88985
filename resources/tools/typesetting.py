"""Lines of text in the bundled font: runs, words, line breaks, justification.

A tool of the developers (used by `letter_layout`). Pure functions over plain values, save that
`register_fonts` tells reportlab once where the fonts lie. Lengths are points. It draws nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

import signer_resources


class Face(Enum):
    """The four styles of the bundled font; the value is the file's and the PDF font's name."""

    REGULAR = "SignerSerif-Regular"
    ITALIC = "SignerSerif-Italic"
    BOLD = "SignerSerif-Bold"
    BOLD_ITALIC = "SignerSerif-BoldItalic"


@dataclass(frozen=True)
class Run:
    """Some text in one style."""

    text: str
    face: Face
    size: float

    @property
    def width(self) -> float:
        """Advance width in points."""
        return float(pdfmetrics.stringWidth(self.text, self.face.value, self.size))


def register_fonts() -> None:
    """Makes the four styles known to reportlab; harmless when done before."""
    for face in Face:
        if face.value not in pdfmetrics.getRegisteredFontNames():
            file = signer_resources.path(f"fonts/{face.value}.ttf")
            # asciiReadable=0: only used glyphs are embedded; the space keeps its code, so it can be widened.
            pdfmetrics.registerFont(TTFont(face.value, str(file), asciiReadable=0))


def words(text: str, base: Face, size: float) -> list[Run]:
    """The words of `text`, each in its style; a mark inside a word is not known."""
    found: list[Run] = []
    face = base
    for part in re.split(r"([*_])", text):
        if part in ("*", "_"):
            marked = Face.BOLD if part == "*" else Face.ITALIC
            face = base if face is marked else marked
        else:
            found += [Run(word, face, size) for word in part.split(" ") if word]
    return found


def broken_into_lines(text: Sequence[Run], width: float, indent: float) -> list[list[Run]]:
    """Breaks the words into lines no wider than `width`, the first one shorter by `indent`."""
    lines: list[list[Run]] = [[]]
    room = width - indent
    used = 0.0
    for word in text:
        needed = word.width + (Run(" ", word.face, word.size).width if lines[-1] else 0.0)
        if lines[-1] and used + needed > room:
            lines.append([])
            room, used, needed = width, 0.0, word.width
        lines[-1].append(word)
        used += needed
    return lines


def joined(line: Sequence[Run]) -> list[Run]:
    """The words of a line as few runs: neighbours in the same style become one."""
    runs: list[Run] = []
    for word in line:
        if runs and runs[-1].face is word.face:
            runs[-1] = Run(f"{runs[-1].text} {word.text}", word.face, word.size)
        else:
            if runs:
                runs[-1] = Run(runs[-1].text + " ", runs[-1].face, runs[-1].size)
            runs.append(word)
    return runs


def slack(line: Sequence[Run], width: float) -> float:
    """What each space of a justified line must be wider."""
    gaps = len(line) - 1
    return (width - sum(run.width for run in joined(line))) / gaps if gaps else 0.0
