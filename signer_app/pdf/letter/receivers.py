"""Whom a letter is for: the lines of Kính gửi (ô 9a) and of Nơi nhận (ô 9b), as they are typed.

Pure functions over `PageText`; run in a worker. Nothing is decided here of what a line means. The file copy (Lưu) is
nobody to send to and is left out; "Như trên" gives way to the lines of Kính gửi that it stands for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from signer_app.pdf.geometry import pt_to_mm
from signer_app.pdf.letter.words import is_capitals, is_title
from signer_app.pdf.lines import Run, cut
from signer_app.pdf.names import fold
from signer_app.pdf.pages import last_first
from signer_app.pdf.pagetext import PageText

MOST_RECEIVERS = 200
"""Lines taken of one letter."""
_LONGEST = 300
_MOST_LINES = 2 * MOST_RECEIVERS
"""Lines of a page that are looked at behind a heading."""

_MAY_BE_HEADING = re.compile(r"n[ơo]i\s*nh[ậa]n", re.IGNORECASE)
_MAY_BE_ADDRESS = re.compile(r"k[íi]nh\s*g[ửu]i", re.IGNORECASE)
_HEADING = re.compile(r"\s*n[ơo]i\s*nh[ậa]n\s*(?P<colon>[:;.])?\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_ADDRESS = re.compile(r"\s*k[íi]nh\s*g[ửu]i\s*(?P<colon>[:;])?\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
# Word's own bullets are letters of a symbol font, which have no meaning outside of it.
_BULLET = re.compile("\\s*[-–—−+*•●▪·\uf02d\uf0b7\uf0a7]\\s*")
_MARKS = " \t-–—−+*•●▪·\uf02d\uf0b7\uf0a7;,"
_ABOVE = re.compile(r"nhu (?:tren|(?:phan |noi )?kinh gui|noi gui)\b")
_END_OF_ITEM = re.compile(r"[;.]\s+")

_COLUMN = 0.5
"""What stands further right than this share of the width is ô 7."""
_NEAR_MM = 6.0
"""A gap within a line of the left column; ô 7 stands further away."""
_LEFTWARDS_MM, _RIGHTWARDS_MM = 6.0, 25.0
"""How far from the left edge of "Nơi nhận:" its lines may begin."""
_NEXT_ITEM, _SAME_ITEM = 2.9, 2.1
"""Ems down to the next line: of another receiver, of the same one."""
_ADDRESS_SHARE = 0.6
_INDENTED = 0.26
"""Ô 9a stands further right than the text's first lines; where it doesn't, only what hangs under a name goes on."""


@dataclass(frozen=True)
class _Piece:
    """A line as far as it belongs to the list: its text, left edge and baseline in mm, size in points."""

    text: str
    left: float
    baseline: float
    size: float

    @property
    def bulleted(self) -> bool:
        return _BULLET.match(self.text) is not None

    def below(self, before: "_Piece") -> float:
        """How far it stands below another, in ems."""
        return (self.baseline - before.baseline) / pt_to_mm(max(self.size, before.size, 1.0))


def find_receivers(pages: Sequence[PageText]) -> tuple[str, ...]:
    """The lines of ô 9a and ô 9b in reading order, each once, without bullets and closing marks.

    The first list of Nơi nhận counts: what stands behind it is an appendix, which may show a letter's form. "Như trên"
    is left in only where the page has no Kính gửi.
    """
    addressed = find_addressees(pages[0]) if pages else ()
    listed: tuple[str, ...] = ()
    for page in last_first(pages):
        listed = _listed(page) or listed
    found: dict[str, str] = {}
    for line in (*addressed, *listed):
        if not (addressed and _ABOVE.match(fold(line))):
            found.setdefault(line.casefold(), line)
    return tuple(found.values())[:MOST_RECEIVERS]


def find_addressees(page: PageText) -> tuple[str, ...]:
    """The lines of ô 9a, "Kính gửi:", one name behind it or several below; empty without."""
    limit = page.frame.height_mm * _ADDRESS_SHARE
    for i, line in enumerate(page.lines):
        if line.baseline > limit:
            break
        head = _address(line)
        if head is not None:
            below = page.lines[i + 1 : i + 1 + _MOST_LINES]
            lines = _address_lines(*head, below, page.frame.width_mm)
            return tuple(_items(lines, one_name=head[1] is not None))
    return ()


def _address(line: Run) -> tuple[_Piece, _Piece | None] | None:
    """ "Kính gửi:" in a line, and what stands behind it."""
    if _MAY_BE_ADDRESS.search(line.text) is None:
        return None
    pieces = list(cut(line))
    for i, piece in enumerate(pieces):
        found = _ADDRESS.fullmatch(piece.text)
        if found is None:
            continue
        more = " ".join(other.text.strip() for other in pieces[i + 1 :])
        rest = " ".join(filter(None, (found["rest"].strip(), more)))
        if rest and not found["colon"]:
            # "Kính gửi kèm theo …" is a sentence.
            return None
        head = _Piece("", piece.left, piece.baseline, piece.size)
        if not rest:
            return head, None
        left = piece.edge_after(found.start("rest")) if found["rest"].strip() else pieces[i + 1].left
        return head, _Piece(rest, left, piece.baseline, piece.size)
    return None


def _address_lines(head: _Piece, first: _Piece | None, below: Sequence[Run], width: float) -> list[_Piece]:
    taken = [first] if first is not None else []
    last = first or head
    hangs = head.left if head.left > width * _INDENTED else (first or head).left
    for line in below:
        piece = _Piece(line.text.strip(), line.left, line.baseline, line.size)
        step = piece.below(last)
        closed = bool(taken) and taken[-1].text.rstrip().endswith(".")
        if closed or step > _NEXT_ITEM or piece.left < min(head.left, hangs) - 3:
            break
        begins = piece.bulleted or not taken or taken[-1].text.rstrip().endswith(";")
        if not begins and (step > _SAME_ITEM or piece.left < hangs - 4):
            break
        if begins and not piece.bulleted and piece.left < hangs - 4:
            break
        taken.append(piece)
        last = piece
    return taken


def _listed(page: PageText) -> tuple[str, ...]:
    """The lines of ô 9b on this page, "Lưu" left out."""
    for i, line in enumerate(page.lines):
        head = _heading(page, line)
        if head is not None:
            first, left = head
            below = page.lines[i + 1 : i + 1 + _MOST_LINES]
            return tuple(_items(_list_lines(page, first, left, below)))
    return ()


def _heading(page: PageText, line: Run) -> tuple[_Piece, float] | None:
    """ "Nơi nhận:" at the left of a line: what stands behind it ("" for nothing), and its left edge."""
    if _MAY_BE_HEADING.search(line.text) is None:
        return None
    for piece in cut(line):
        found = _HEADING.fullmatch(piece.text)
        if found is None or piece.left > page.frame.width_mm * _COLUMN:
            continue
        rest = _without_title(found["rest"].strip())
        if rest and not (found["colon"] and (_BULLET.match(rest) or _ABOVE.match(fold(rest)))):
            # "Nơi nhận hồ sơ: …" is a sentence.
            continue
        return _Piece(rest, piece.left, piece.baseline, piece.size), piece.left
    return None


def _list_lines(page: PageText, first: _Piece, left: float, below: Sequence[Run]) -> list[_Piece]:
    taken = [first] if first.text else []
    last = first
    for line in below:
        piece = _in_column(page, line, left)
        if piece is None:
            continue
        step = piece.below(last)
        if step > (_NEXT_ITEM if piece.bulleted or not taken else _SAME_ITEM):
            break
        # By law "Lưu" is the last line of all (Decree 30/2020, appendix I, ô 9b); only another bullet goes on.
        if taken and not piece.bulleted and _is_copy(taken[-1].text) and taken[-1].text.rstrip().endswith("."):
            break
        taken.append(piece)
        last = piece
    return taken


def _in_column(page: PageText, line: Run, left: float) -> _Piece | None:
    """What of a line stands in the left column, below "Nơi nhận:"."""
    taken: list[Run] = []
    for piece in cut(line):
        if piece.left >= page.frame.width_mm * _COLUMN:
            break
        if taken:
            bullet = _BULLET.fullmatch(taken[-1].text) is not None
            label = taken[-1].text.rstrip().endswith(":")
            apart = piece.left - taken[-1].right > _NEAR_MM and not (bullet or label)
            if apart or (is_capitals(piece.text) and is_title(piece.text)):
                break
        elif not left - _LEFTWARDS_MM <= piece.left <= left + _RIGHTWARDS_MM:
            return None
        taken.append(piece)
    text = _without_title(" ".join(piece.text.strip() for piece in taken))
    return _Piece(text, taken[0].left, taken[0].baseline, taken[0].size) if text else None


def _without_title(text: str) -> str:
    """A line of the left column without the signer's title, where that stands so near that both are one piece."""
    if is_capitals(text) and is_title(text):
        return ""
    for found in _END_OF_ITEM.finditer(text):
        rest = text[found.end() :]
        if is_capitals(rest) and is_title(rest):
            return text[: found.end()].rstrip()
    return text


def _items(lines: Sequence[_Piece], *, one_name: bool = False) -> Iterator[str]:
    """The receivers of these lines: one for each bullet, or for each semicolon, or else for each line, unless they are
    `one_name` that goes on.
    """
    if any(line.bulleted for line in lines):
        groups: list[list[str]] = []
        for line in lines:
            if line.bulleted or not groups:
                groups.append([])
            groups[-1].append(line.text)
        whole = [" ".join(group) for group in groups]
    elif one_name or any(";" in line.text for line in lines):
        whole = [" ".join(line.text for line in lines)]
    else:
        whole = [line.text for line in lines]
    for text in whole:
        yield from _parts(text)


def _parts(text: str) -> Iterator[str]:
    """The receivers of one bullet, parted by semicolons that stand in no brackets. What follows "Lưu:" belongs to it,
    unless it has a bullet of its own.
    """
    copy = False
    for part in _at_semicolons(text):
        bare = " ".join(part.split()).strip(_MARKS)
        bare = bare.removesuffix("./.").removesuffix(".").rstrip(_MARKS)
        copy = _is_copy(bare) or (copy and _BULLET.match(part) is None)
        if not copy and any(letter.isalnum() for letter in bare):
            yield bare[:_LONGEST]


def _at_semicolons(text: str) -> Iterator[str]:
    depth = start = 0
    for i, letter in enumerate(text):
        if letter == "(":
            depth += 1
        elif letter == ")":
            depth = max(0, depth - 1)
        elif letter == ";" and (depth == 0 or ")" not in text[i:]):
            yield text[start:i]
            start, depth = i + 1, 0
    yield text[start:]


def _is_copy(text: str) -> bool:
    """Whether a line names where the file copy stays."""
    return fold(text).split(" ", 1)[0] == "luu"
