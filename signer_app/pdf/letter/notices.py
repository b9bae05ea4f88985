"""Ô 10: marks of state secrecy (10a) and of urgency (10b), as they stand on the page or in what annotations show.

Pure functions over `PageText`; run in a worker. A mark stands alone; the same words within a text are none.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, pairwise

from signer_app.pdf.geometry import pt_to_mm
from signer_app.pdf.lines import Run
from signer_app.pdf.names import fold
from signer_app.pdf.pagetext import PageText

_SECRECY = ("MẬT", "TỐI MẬT", "TUYỆT MẬT")
_URGENCY = {
    "khan": "KHẨN",
    "thuongkhan": "THƯỢNG KHẨN",
    "hoatoc": "HỎA TỐC",
    "hoatochengio": "HỎA TỐC HẸN GIỜ",
}
_FIRST_WORDS = {"thuong": "THƯỢNG KHẨN", "hoa": "HỎA TỐC"}
_LONGEST_PIECE = 1_000
_VOWEL = re.compile("[\u1eac\u1ead\u0302\u0323]")
"""Ậ and ậ, and the marks of which one is needed to make them of other letters; no mark of secrecy is without."""
_MAY_BE_MARK = re.compile("[\u1eac\u0302\u0323]|\u1ead.*:", re.DOTALL)
"""Outside its place a mark is in capitals, or named before a colon."""
_URGENCY_SHARE = 0.6
"""Ô 10b stands under ô 2 or ô 5b, in the upper part of page 1."""
_NEXT_RUNS = 40
"""Runs behind one among which its second line is looked for."""
_FRAME = " .*-–—[]()|:!_"
_COPY_NUMBER = re.compile(r"[\s,;]*[(\[]?\s*bản\s+số\b.{0,20}$", re.IGNORECASE)
"""Of a secret document each copy has its number, which may stand behind the mark: "MẬT (Bản số 01)"."""
_BETWEEN_MARKS = re.compile(r"[-–—/,;|+&]")
_MIXED_CASE = {"Mật": "MẬT", "Tối mật": "TỐI MẬT", "Tuyệt mật": "TUYỆT MẬT"}
LOOK_ALIKES = str.maketrans("АВЕКМНОРСТУХІЅЈаеорсухіѕј", "ABEKMHOPCTYXISJaeopcyxisj")
"""Cyrillic letters that look like Latin ones, whoever typed them, one for one."""


def find_secrecy_mark(page: PageText) -> str | None:
    """The secrecy mark of ô 10a on this page ("MẬT", "TỐI MẬT", "TUYỆT MẬT"), or None.

    A mark stands alone in its line piece (also in a cell of a table), in capitals (letters may be spaced), upright or
    across the page; or it is named after "Độ mật:". Stamps, notes and filled fields count as the page does. A mark of
    urgency or the number of the copy may stand behind it. In its place on page 1 it may also be typed "Mật".
    """
    shown = _pieces(page.shown) if page.shown is not None else ()
    found = next(filter(None, map(_secrecy, chain(_pieces(page), shown, page.notes))), None)
    return found or next(filter(None, map(_in_place, filter(None, (page, page.shown)))), None)


def find_urgency_mark(page: PageText) -> str | None:
    """The mark of ô 10b: "KHẨN", "THƯỢNG KHẨN", "HỎA TỐC" or "HỎA TỐC HẸN GIỜ"; None without.

    It stands alone in the upper part of the page, in capitals (letters may be spaced, the words one below the other),
    or is named after "Độ khẩn:".
    """
    limit = page.frame.height_mm * _URGENCY_SHARE
    for seen in filter(None, (page, page.shown)):
        runs = [run for run in seen.runs if run.baseline < limit]
        texts = (*(run.text for run in runs), *_spaced_words(runs), *_side_by_side(runs))
        found = [mark for text in texts if (mark := _urgency(text))]
        found.extend(_stacked(runs))
        if found:
            return max(found, key=list(_URGENCY.values()).index)
    return None


def _pieces(page: PageText) -> Iterator[str]:
    yield from (run.text for run in page.runs)
    yield from (line.text for line in page.lines)
    yield from _spaced_words(page.runs)
    yield from page.slanted


def _secrecy(text: str) -> str | None:
    """The mark of secrecy that a piece of text is, or None."""
    if len(text) > _LONGEST_PIECE or _MAY_BE_MARK.search(text) is None:
        return None
    text = _latin(text).strip(_FRAME)
    named = re.match(r"^(?:độ|mức độ)\s+mật\s*:\s*(.+)$", text, re.IGNORECASE)
    text = _COPY_NUMBER.sub("", named[1].upper() if named else text)
    if (mark := _plain_mark(text)) is not None:
        return mark
    parts = _BETWEEN_MARKS.split(text)
    marks = [_plain_mark(part) for part in parts]
    rest = [part for part, found in zip(parts, marks, strict=True) if found is None and part.strip(_FRAME)]
    return next(filter(None, marks), None) if all(map(_urgency, rest)) else None


def _plain_mark(text: str) -> str | None:
    letters = "".join(text.split()).strip(_FRAME)
    return next((mark for mark in _SECRECY if letters == mark.replace(" ", "")), None)


def _in_place(page: PageText) -> str | None:
    """The mark in the place of ô 10a, the upper left quarter of page 1, where it may be typed in small letters."""
    if page.number != 0:
        return None
    width, height = page.frame.width_mm / 2, page.frame.height_mm / 2
    pieces = (
        " ".join(_latin(run.text).strip(_FRAME).split())
        for run in page.runs
        if _VOWEL.search(run.text) and run.right < width and run.baseline < height
    )
    return next((_MIXED_CASE[text] for text in pieces if text in _MIXED_CASE), None)


def _latin(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(LOOK_ALIKES))


def _urgency(text: str) -> str | None:
    """The mark of urgency that a piece of text is, or None."""
    text = text.strip(_FRAME)
    named = re.match(r"^(?:(?:mức )?độ)\s+khẩn\s*:\s*(.+)$", text, re.IGNORECASE)
    text = named[1].upper() if named else text
    letters = fold(text).replace(" ", "")
    capitals = "".join(c for c in text if c.isalpha())
    if letters.startswith("hoatochengio") and re.match(r"H\s*[OỎ]\s*[AẢ]", text):
        # The hour may stand behind it.
        return _URGENCY["hoatochengio"]
    if not capitals.isupper() or letters not in _URGENCY:
        return None
    # Words without diacritics are taken where they have no other meaning.
    return None if letters == "khan" and "Ẩ" not in capitals else _URGENCY[letters]


def _stacked(runs: Sequence[Run]) -> Iterator[str]:
    """Marks in two lines: THƯỢNG above KHẨN, HỎA above TỐC."""
    for i, above in enumerate(runs):
        mark = _FIRST_WORDS.get(fold(above.text)) if above.text.isupper() else None
        if mark is None:
            continue
        for below in runs[i + 1 : i + _NEXT_RUNS]:
            distance = below.baseline - above.baseline
            near = 0 < distance < 2 * pt_to_mm(above.size) and abs(below.centre - above.centre) < 10
            if near and _urgency(f"{above.text.strip()} {below.text.strip()}") == mark:
                yield mark


def _side_by_side(runs: Sequence[Run]) -> Iterator[str]:
    """Pairs of neighbours on one line: two words with spaced letters stand further apart than other words."""
    for left, right in pairwise(runs):
        if abs(left.baseline - right.baseline) < 0.5 and 0 < right.left - left.right < 3 * pt_to_mm(left.size):
            yield f"{left.text} {right.text}"


def _spaced_words(runs: Sequence[Run]) -> Iterator[str]:
    """Words whose letters are spaced so wide that each is a run, beside other text on their line ("M   Ậ   T")."""
    for _baseline, line in groupby(runs, key=lambda run: round(run.baseline, 1)):
        for single, letters in groupby(line, key=lambda run: len(run.text.strip()) == 1):
            if single:
                yield "".join(run.text.strip() for run in letters)
