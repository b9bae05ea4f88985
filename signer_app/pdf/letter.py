"""Recognises the parts of an administrative letter (the ô of Decree 30/2020, appendix I) in the text of its pages.

Pure functions over `PageText`; runs in a worker. What is found comes with its place; what is not found is None, never
a guess. Tolerates capitals, missing diacritics, decomposed letters, dot leaders and the odd forms met in practice.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.names import fold, same_body, same_person
from signer_app.pdf.pagetext import COLUMN_GAP, PageText, Run

_BLANK = r"[\s.…_]*"
_NUMBER_LINE = re.compile(
    rf"(?:^|(?<=\s))(?:Số|SỐ)\s*:?(?P<gap>{_BLANK})(?P<num>\d+[a-zđ]?)?(?P<gap2>{_BLANK})(?:/(?P<year>\d{{4}}))?\s*"
    r"[/-]\s*(?P<sym>[A-ZĐ][A-Za-zĐđ]*(?:(?:\s?[-–]\s?|[.&/])[A-Za-zĐđ0-9]+)*)\.?(?=\s|$)"
)
_DATE_LINE = re.compile(
    rf"(?:^|(?<=[\s,]))[Nn]gày(?P<gap_d>{_BLANK})(?P<day>\d{{1,2}})?(?P<end_d>{_BLANK})"
    rf"tháng(?P<gap_m>{_BLANK})(?P<month>\d{{1,2}})?(?P<end_m>{_BLANK})"
    rf"năm(?P<gap_y>{_BLANK})(?P<year>\d{{4}})?"
)
_MARKS = ("MẬT", "TỐI MẬT", "TUYỆT MẬT")
_TITLE_PREFIX = re.compile(r"^(TM|Q|KT|TL|TUQ)\s*\.", re.IGNORECASE)
_TITLES = (
    "chu tich", "pho chu tich", "giam doc", "pho giam doc", "truong phong", "pho truong phong", "chanh van phong",
    "pho chanh van phong", "truong ban", "pho truong ban", "bi thu", "pho bi thu", "cuc truong", "chi cuc truong",
    "hieu truong", "vien truong", "tong giam doc", "thu truong", "bo truong", "chanh thanh tra", "truong thon",
)  # fmt: skip


@dataclass(frozen=True)
class Blank:
    """An empty place within a line: from `left` to `right` mm, on `baseline` mm, beside letters of `size` points."""

    page: int
    left: float
    right: float
    baseline: float
    size: float


@dataclass(frozen=True)
class NumberLine:
    """Ô 3. `blank` is where the number goes when none is typed."""

    page: int
    number: str | None
    year: str | None
    symbol: str
    blank: Blank | None
    box: Rect


@dataclass(frozen=True)
class DateLine:
    """Ô 4. Each of day, month and year is either typed or has a blank; `place` is what stands before."""

    page: int
    place: str | None
    day: int | None
    month: int | None
    year: int | None
    day_blank: Blank | None
    month_blank: Blank | None
    year_blank: Blank | None
    box: Rect


@dataclass(frozen=True)
class SignerBlock:
    """Ô 7: the name (7b), the lines of the title above it (7a), and the room between them (7c), on one page."""

    page: int
    name: str
    title: str
    name_box: Rect
    room: Rect
    sure: bool


def find_number_line(page: PageText) -> NumberLine | None:
    """Ô 3 in the upper half of the page, or None; it starts in the left half, where ô 2 stands."""
    for line in _upper(page, 0.5):
        found = _NUMBER_LINE.search(line.text)
        if not found:
            continue
        box = _span(line, found.start(), found.end())
        if box.x > page.frame.width_mm / 2:
            continue
        blank = None
        if found["num"] is None:
            blank = _blank(page, line, found.start("gap"), found.end("gap2"))
        symbol = "".join(found["sym"].replace("–", "-").split())
        return NumberLine(page.number, found["num"], found["year"], symbol, blank, box)
    return None


def find_date_line(page: PageText) -> DateLine | None:
    """Ô 4 in the upper half of the page, or None."""
    for line in _upper(page, 0.5):
        found = _DATE_LINE.search(line.text)
        if not found:
            continue
        # Only ô 4 stands on the right of the page, behind the place's name and a comma or alone; a date that the text
        # mentions does neither.
        box = _span(line, found.start(), found.end())
        before = _piece_before(line, found.start())
        if box.centre[0] < page.frame.width_mm * 0.5 or (before and not before.endswith(",")):
            continue

        def blank_of(value: str, gap: str, end: str, line: Run = line, found: re.Match[str] = found) -> Blank | None:
            return None if found[value] else _blank(page, line, found.start(gap), found.end(end))

        place = before.rstrip(",").strip() or None
        return DateLine(
            page.number,
            place,
            _int(found["day"]),
            _int(found["month"]),
            _int(found["year"]),
            blank_of("day", "gap_d", "end_d"),
            blank_of("month", "gap_m", "end_m"),
            None if found["year"] else _open_blank(page, line, found.end("gap_y")),
            box,
        )
    return None


def _piece_before(line: Run, end: int) -> str:
    """What stands before character `end` of a line, without what a wide gap parts from it (ô 3)."""
    for i in range(end - 1, 0, -1):
        here, before = line.glyphs[line.index[i]], line.glyphs[line.index[i - 1]]
        if here.left - before.right > COLUMN_GAP * pt_to_mm(here.size):
            return line.text[i:end].strip()
    return line.text[:end].strip()


def issuing_lines(page: PageText) -> tuple[str, ...]:
    """The lines of ô 2: capitals in the upper left, above the number line; the parent body first, if it is there."""
    number = find_number_line(page)
    limit = number.box.y if number else page.frame.height_mm * 0.2
    width = page.frame.width_mm
    return tuple(
        run.text.strip()
        for run in page.runs
        if run.baseline <= limit + 1
        and run.centre < width * 0.52
        and run.right < width * 0.62
        and _is_capitals(run.text)
    )


def names_body(lines: Sequence[str], name: str) -> bool:
    """Whether `name` is the issuing body of these lines of ô 2.

    It is when the lines end with it (line breaks undone), or when it is one of several joint bodies (liên tịch),
    which a dash with blanks parts; each of them begins with a line or a dash. A body that stands first with another
    one below is only the parent.
    """
    joint = re.split(r"(?:^|\s)[-–](?:\s|$)", "\n".join(lines))
    return any(_ends_with(part.splitlines(), name) for part in ("\n".join(lines), *joint))


def _ends_with(lines: Sequence[str], name: str) -> bool:
    """Whether the last lines, all of each, make up the body `name`."""
    return any(same_body(" ".join(lines[i:]), name) for i in range(len(lines)))


def find_title(page: PageText) -> str | None:
    """Trích yếu: the lines under the type's name (ô 5a), or after "V/v" under the number line (ô 5b); None without."""
    width = page.frame.width_mm
    upper = [run for run in page.runs if run.baseline < page.frame.height_mm * 0.55]
    for i, run in enumerate(upper):
        text = run.text.strip()
        if re.match(r"^v/v\b", text, re.IGNORECASE) and run.centre < width / 2:
            return " ".join([text, *_lines_below(upper[i + 1 :], run, run.centre)])
    number = find_number_line(page)
    below = number.box.bottom if number else page.frame.height_mm * 0.12
    for i, run in enumerate(upper):
        if run.baseline > below and _is_capitals(run.text) and abs(run.centre - width / 2) < width * 0.12:
            lines = _lines_below(upper[i + 1 :], run, run.centre)
            return " ".join(lines) or None
    return None


def _lines_below(runs: Sequence[Run], first: Run, centre: float) -> list[str]:
    """Lines that follow `first` closely and are centred with it, at most five."""
    lines: list[str] = []
    last = first
    for run in runs:
        if run.baseline <= last.baseline or abs(run.centre - centre) > 14:
            continue
        if run.baseline - last.baseline > 9.5 or len(lines) == 5 or _is_capitals(run.text):
            break
        lines.append(run.text.strip())
        last = run
    return lines


def find_secrecy_mark(page: PageText) -> str | None:
    """The secrecy mark of ô 10a on this page ("MẬT", "TỐI MẬT", "TUYỆT MẬT"), or None.

    A mark stands alone in its line piece (also in a cell of a table), in capitals (letters may be spaced), upright or
    across the page; or it is named after "Độ mật:".
    """
    pieces = [run.text for run in (*page.runs, *page.lines)]
    return next(filter(None, map(_mark, (*pieces, *_spaced_words(page.runs), *page.slanted))), None)


def _mark(text: str) -> str | None:
    """The mark that a piece of text is, or None."""
    text = text.strip(" .*-–[]()|")
    named = re.match(r"^(?:độ|mức độ)\s+mật\s*:\s*(.+)$", text, re.IGNORECASE)
    letters = "".join((named[1].upper() if named else text).split()).strip(" .*-–[]()|")
    return next((mark for mark in _MARKS if letters == mark.replace(" ", "")), None)


def _spaced_words(runs: Sequence[Run]) -> Iterator[str]:
    """Words whose letters are spaced so wide that each is a run, beside other text on their line ("M   Ậ   T")."""
    for _baseline, line in groupby(runs, key=lambda run: round(run.baseline, 1)):
        for single, letters in groupby(line, key=lambda run: len(run.text.strip()) == 1):
            if single:
                yield "".join(run.text.strip() for run in letters)


def find_signer_blocks(pages: Sequence[PageText], names: Sequence[str]) -> tuple[SignerBlock, ...]:
    """Blocks of ô 7 whose name is one of `names`, last page first, right half first."""
    blocks: list[SignerBlock] = []
    for page in reversed(pages):
        for run in sorted(page.runs, key=lambda r: (-(r.centre > page.frame.width_mm * 0.45), -r.baseline)):
            if any(same_person(run.text, name) for name in names):
                block = _block_above(page, run)
                if block is not None:
                    blocks.append(block)
    return tuple(blocks)


def find_all_signer_blocks(pages: Sequence[PageText]) -> tuple[SignerBlock, ...]:
    """Every block that has the shape of ô 7: a title in capitals, room for a signature, a name below."""
    blocks: list[SignerBlock] = []
    for page in reversed(pages):
        for run in page.runs:
            if 2 <= len(run.text.split()) <= 6 and _looks_like_name(run.text):
                block = _block_above(page, run)
                if block is not None and block.sure:
                    blocks.append(block)
    return tuple(blocks)


def find_receivers_box(page: PageText) -> Rect | None:
    """Ô 9b "Nơi nhận:" with its lines, so that a seal can keep off it; None when the page has none."""
    for run in page.runs:
        if fold(run.text).startswith("noi nhan") and run.left < page.frame.width_mm / 2:
            below = [
                other.box
                for other in page.runs
                if other.baseline >= run.baseline
                and abs(other.left - run.left) < 8
                and other.text.lstrip().startswith(("-", "–"))
            ]
            box = run.box
            for other in below:
                box = box.union(other)
            return box
    return None


def text_end(page: PageText) -> Rect | None:
    """Where the text ends with "./." (ô 6), for a small mark beside it; None when it doesn't on this page."""
    for run in reversed(page.runs):
        if run.text.rstrip().endswith("./."):
            return Rect(run.right, run.box.y, 0.0, run.box.h)
    return None


def _block_above(page: PageText, name: Run) -> SignerBlock | None:
    """The title above a name and the room between; None when nothing above looks like a title."""
    above = [
        run for run in page.runs
        if run.baseline < name.baseline - 4 and name.baseline - run.baseline < 75 and abs(run.centre - name.centre) < 22
    ]  # fmt: skip
    if not above:
        return None
    last = max(above, key=lambda run: run.baseline)
    if not (_is_capitals(last.text) or _is_title(last.text)):
        return None
    stack = [last]
    for run in sorted((r for r in above if r is not last), key=lambda r: -r.baseline):
        if stack[-1].baseline - run.baseline > 10 or not (_is_capitals(run.text) or _is_title(run.text)):
            break
        stack.append(run)
    title = " ".join(run.text for run in reversed(stack))
    top, bottom = last.box.bottom, name.box.y
    half_width = max(name.box.w, last.box.w, 60) / 2
    left = max(0.0, name.centre - half_width)
    right = min(page.frame.width_mm, name.centre + half_width)
    if bottom - top < 6:
        return None
    return SignerBlock(
        page.number,
        name.text,
        title,
        name.box,
        Rect(left, top, right - left, bottom - top),
        sure=any(_is_title(run.text) or _TITLE_PREFIX.match(run.text) for run in stack),
    )


def _upper(page: PageText, share: float) -> list[Run]:
    limit = page.frame.height_mm * share
    return [line for line in page.lines if line.baseline < limit]


def _blank(page: PageText, line: Run, start: int, end: int) -> Blank:
    return Blank(page.number, line.edge_before(start), line.edge_after(end), line.baseline, line.size)


def _open_blank(page: PageText, line: Run, start: int) -> Blank:
    left = line.edge_before(start)
    return Blank(page.number, left, min(left + 14, page.frame.width_mm), line.baseline, line.size)


def _span(line: Run, start: int, end: int) -> Rect:
    left = line.edge_after(start)
    right = line.edge_before(end)
    box = line.box
    return Rect(left, box.y, max(0.0, right - left), box.h)


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def _is_capitals(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= 2 and sum(c.isupper() for c in letters) >= 0.9 * len(letters)


def _is_title(text: str) -> bool:
    folded = fold(text)
    return bool(_TITLE_PREFIX.match(text.strip())) or any(folded.startswith(title) for title in _TITLES)


def _looks_like_name(text: str) -> bool:
    words = text.split()
    return all(word[0].isupper() and word.isalpha() for word in words) and not _is_title(text)
