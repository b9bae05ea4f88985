"""Ô 7: the signer's title (7a), the room for the signature (7c) and the name (7b); several side by side.

Pure functions over `PageText`; run in a worker. A block is sure when its title is one by its words; each tells the
body that its title names, so that the signers of a joint letter can be told apart.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.letter.words import after_office, begins_body, has_prefix, is_capitals, is_title
from signer_app.pdf.lines import Run, joined
from signer_app.pdf.names import is_honorific, same_person, unspaced, without_honorifics
from signer_app.pdf.pages import last_first
from signer_app.pdf.pagetext import PageText

_LONGEST_NAME, _MOST_NAMES = 6, 300
_TITLE_LINE_MM = 10.0
_LEAST_ROOM_MM = 6.0
_WIDTH_MM = 60.0
_SPACED = re.compile(r"(?<!\w)\w[\s,]+\w(?!\w)")
"""Two letters that stand alone side by side."""
_TALLEST_MM, _LEAST_ABOVE_MM, _ASIDE_MM = 75.0, 4.0, 22.0


@dataclass(frozen=True)
class SignerBlock:
    """Ô 7: the name (7b), the lines of the title above it (7a), and the room between them (7c), on one page.

    `body` is the body that the title names ("TM. ỦY BAN NHÂN DÂN", "GIÁM ĐỐC SỞ NỘI VỤ"), None where it names none.
    """

    page: int
    name: str
    title: str
    name_box: Rect
    room: Rect
    sure: bool
    body: str | None = None


def find_signer_blocks(pages: Sequence[PageText], names: Sequence[str]) -> tuple[SignerBlock, ...]:
    """Blocks of ô 7 whose name is one of `names`, last page first, right half first."""
    return Signers(pages).of(*names)


def find_all_signer_blocks(pages: Sequence[PageText]) -> tuple[SignerBlock, ...]:
    """Every block that has the shape of ô 7: a title in capitals, room for a signature, a name below."""
    return Signers(pages).all


class Signers:
    """Ô 7 of one document: who signs it, searched once for all rules that ask."""

    def __init__(self, pages: Sequence[PageText]) -> None:
        self._pages = pages
        self._found: dict[tuple[str, ...], tuple[SignerBlock, ...]] = {}

    def of(self, *names: str) -> tuple[SignerBlock, ...]:
        """Blocks whose name is one of `names`, last page first, right half first."""
        # A hundred signatures of few people on thousands of pages: each name is looked for once.
        if names not in self._found:
            self._found[names] = tuple(block for page in self._runs for block in _named(page, names))
        return self._found[names]

    @cached_property
    def all(self) -> tuple[SignerBlock, ...]:
        """Every block that has the shape of ô 7, last page first."""
        return tuple(block for page in self._runs for block in _all_of(page))

    @cached_property
    def _runs(self) -> "list[_Runs]":
        return [_Runs(page) for page in last_first(self._pages)]


def _named(page: "_Runs", names: Sequence[str]) -> Iterator[SignerBlock]:
    wanted = [run for run in page.may_be_names if any(same_person(run.text, name) for name in names)]
    for run in sorted(wanted, key=lambda r: (-(r.centre > page.width * 0.45), -r.baseline)):
        block = _block_above(page, run)
        if block is not None:
            yield block


def _all_of(page: "_Runs") -> Iterator[SignerBlock]:
    halves: set[int] = set()
    # A page of names is a list of people; who signs stands at its end.
    for run in [run for run in page.may_be_names if _looks_like_name(run.text)][-_MOST_NAMES:]:
        if id(run.glyphs[0]) in halves:
            continue
        block = _block_above(page, run)
        if block is not None and block.sure:
            yield block
            halves.add(id(run.glyphs[0]))


class _Runs:
    """The runs of a page by their height, so that a page of many names takes no longer than it must."""

    def __init__(self, page: PageText) -> None:
        self.number, self.width, self.all = page.number, page.frame.width_mm, page.runs
        self._sorted = sorted(page.runs, key=lambda run: run.baseline)
        self._baselines = [run.baseline for run in self._sorted]

    @cached_property
    def may_be_names(self) -> list[Run]:
        """The runs, and before each the pair that it makes with the next line, where that may be one name.

        A name may be broken after its title or rank ("PGS. TS." above, "Đại tá" above), or before its last word.
        """
        found: list[Run] = []
        for run in self.all:
            if (below := _second_line(self, run)) is not None:
                found.append(joined(run, below))
            found.append(run)
        return found

    def between(self, top: float, bottom: float) -> list[Run]:
        """The runs whose baselines lie between two heights, mm from the top."""
        return self._sorted[bisect_left(self._baselines, top) : bisect_right(self._baselines, bottom)]


def _second_line(page: _Runs, run: Run) -> Run | None:
    words = run.text.split()
    if not (is_honorific(run.text) or (2 <= len(words) <= 4 and _looks_like_name(run.text))):
        return None
    for below in page.between(run.baseline, run.baseline + 1.6 * pt_to_mm(run.size)):
        near = below.baseline > run.baseline and abs(below.centre - run.centre) < 8
        rest = len(below.text.split()) == 1 or is_honorific(run.text)
        if near and rest and abs(below.size - run.size) < 1.5 and _looks_like_name(f"{run.text} {below.text}"):
            return below
    return None


def _block_above(page: _Runs, name: Run) -> SignerBlock | None:
    """The title above a name and the room between; None when nothing above looks like a title."""
    centre = _centre(name)
    above = [
        run
        for run in page.between(name.baseline - _TALLEST_MM, name.baseline - _LEAST_ABOVE_MM)
        if abs(run.centre - centre) < _ASIDE_MM
    ]
    if not above:
        return None
    last = max(above, key=lambda run: run.baseline)
    if not (is_capitals(last.text) or is_title(last.text)):
        return None
    stack = [last]
    for run in sorted((r for r in above if r is not last), key=lambda r: -r.baseline):
        if stack[-1].baseline - run.baseline > _TITLE_LINE_MM or not (is_capitals(run.text) or is_title(run.text)):
            break
        stack.append(run)
    lines = [run.text for run in reversed(stack)]
    top, bottom = last.box.bottom, name.box.y
    if bottom - top < _LEAST_ROOM_MM:
        return None
    left, right = _sides(page, name, last)
    return SignerBlock(
        page.number,
        name.text,
        " ".join(lines),
        name.box,
        Rect(left, top, right - left, bottom - top),
        sure=any(is_title(line) for line in lines),
        body=_body_of(lines),
    )


def _centre(name: Run) -> float:
    box = name.box
    return box.x + box.w / 2


def _sides(page: _Runs, name: Run, title: Run) -> tuple[float, float]:
    """How far the room reaches to both sides: half way to what stands beside the name at most."""
    half, centre = max(name.box.w, title.box.w, _WIDTH_MM) / 2, _centre(name)
    left, right = max(0.0, centre - half), min(page.width, centre + half)
    em = pt_to_mm(name.size)
    for other in page.between(name.baseline - em, name.baseline + em):
        if other.text in name.text:
            continue
        if other.right <= name.box.x:
            left = max(left, (other.right + name.box.x) / 2)
        elif other.left >= name.box.right:
            right = min(right, (other.left + name.box.right) / 2)
    return left, right


def _body_of(lines: Sequence[str]) -> str | None:
    """The body that the lines of a title name: behind TM., behind an office ("GIÁM ĐỐC SỞ …"), or above it."""
    body: list[str] = []
    for line in lines:
        office, rest = after_office(line)
        if body and (office or has_prefix(line) or not rest):
            break
        if body or begins_body(rest):
            body.append(rest)
    return " ".join(body) or None


def _looks_like_name(text: str) -> bool:
    if not _may_look_like_name(text):
        return False
    words = unspaced(without_honorifics(text)).split()
    spelled = all(word[0].isupper() and word.isalpha() for word in words)
    whole = 2 <= len(words) <= _LONGEST_NAME or (len(words) == 1 and unspaced(text) != text.strip())
    return whole and spelled and not is_title(text) and not is_honorific(text)


def _may_look_like_name(text: str) -> bool:
    """False for most lines, by their last word alone: a name's begins with a capital, or its letters are set apart."""
    words = text.replace(",", " ").split()
    if not words or not words[-1][-1].isalpha():
        return False
    return words[-1].rpartition(".")[2][0].isupper() or _SPACED.search(text) is not None
