"""What two parsers of other makers see of a step, beside what ours made of it.

Runs in a worker. qpdf reads each object that the step brings, and the way to it, from the same cut file; PDFium draws
the pages concerned before and after. Both are asked only where our own rules found an innocent explanation. The work
grows with what the step brings, not with the file. Says only whether they agree; that can make an answer worse, never
better.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, auto
from typing import Any

import pikepdf
from pyhanko.pdf_utils import generic

from signer_app.pdf.geometry import PageFrame, Rect, UserBox
from signer_app.verification.drawing import Pages
from signer_app.verification.faults import LimitError
from signer_app.verification.revision import Key, PageNode, Revision, key_of

_MAX_COMPARISONS = 500_000
_SAME_TONE = 10
"""Rounding of blend modes stays below this, of 255."""
_EDGE_MM = 0.6
"""Smoothed edges of a stamp reach a pixel or two beyond its box."""


class Agreement(Enum):
    """How another parser reads what ours has read; it may be too strict to read the file at all."""

    SAME = auto()
    OTHERWISE = auto()
    NOT_AT_ALL = auto()


def parsers_agree(new: Revision, brought: Iterable[Key], source: Any) -> Agreement:
    """Whether qpdf reads in `source`, the file of state `new`, the same objects under these numbers, and the same root.

    Raises LimitError.
    """
    try:
        with pikepdf.open(
            source,
            access_mode=pikepdf.AccessMode.stream,
            attempt_recovery=False,
            suppress_warnings=True,
            inherit_page_attributes=False,
        ) as theirs:
            root = key_of(dict.get(new.trailer, "/Root"))
            if root != theirs.Root.objgen:
                return Agreement.OTHERWISE
            form = key_of(dict.get(new.root, "/AcroForm"))
            keys = {root, *brought} | ({form} if form is not None else set())
            compare = _Compare(new)
            same = all(compare.same(new.reader.read(key), theirs.get_object(key)) for key in sorted(keys))
            return Agreement.SAME if same else Agreement.OTHERWISE
    except (pikepdf.PdfError, ValueError, KeyError):
        return Agreement.NOT_AT_ALL


class _Compare:
    """Compares objects of ours with qpdf's, references by number."""

    def __init__(self, revision: Revision) -> None:
        self._revision = revision
        self._left = _MAX_COMPARISONS

    def same(self, ours: Any, theirs: Any) -> bool:
        """Whether both parsers read the same; what it refers to is compared by its number only."""
        todo: list[tuple[Any, Any]] = []
        if not self._level(ours, theirs, todo):
            return False
        while todo:
            a, b = todo.pop()
            self._left -= 1
            if self._left < 0:
                raise LimitError
            if isinstance(b, pikepdf.Object) and b.is_indirect:
                if key_of(a) != b.objgen:
                    return False
                continue
            # qpdf follows references to plain values by itself.
            if not self._level(self._revision.resolve(a), b, todo):
                return False
        return True

    def _level(self, a: Any, b: Any, todo: list[tuple[Any, Any]]) -> bool:
        if isinstance(b, pikepdf.Stream):
            if not isinstance(a, generic.StreamObject) or a.encoded_data != b.read_raw_bytes():
                return False
            return self._entries(a, b.stream_dict, todo)
        if isinstance(b, pikepdf.Dictionary):
            alike = isinstance(a, generic.DictionaryObject) and not isinstance(a, generic.StreamObject)
            return alike and self._entries(a, b, todo)
        if isinstance(b, pikepdf.Array):
            if not isinstance(a, generic.ArrayObject) or len(a) != len(b):
                return False
            todo.extend(zip(a, b, strict=True))
            return True
        return _same_leaf(a, b)

    def _entries(self, a: Any, b: Any, todo: list[tuple[Any, Any]]) -> bool:
        for key in dict.keys(a) | set(b.keys()):
            value = dict.get(a, key)
            if key in b:
                todo.append((value, b[key]))
            elif self._revision.resolve(value) is not None:
                return False
        return True


def _same_leaf(a: Any, b: Any) -> bool:
    if a is None or isinstance(a, generic.NullObject) or b is None:
        return (a is None or isinstance(a, generic.NullObject)) and b is None
    if isinstance(b, bool):
        return isinstance(a, generic.BooleanObject) and a.value == b
    if isinstance(b, int | Decimal):
        return isinstance(a, generic.NumberObject | generic.FloatObject) and Decimal(a) == Decimal(b)
    if isinstance(b, pikepdf.String):
        return isinstance(a, generic.TextStringObject | generic.ByteStringObject) and a.original_bytes == bytes(b)
    if isinstance(b, pikepdf.Name):
        # The two write what is no ASCII in a name each in their own way.
        return isinstance(a, generic.NameObject) and (str(a) == str(b) or not str(a).isascii())
    return False


def pages_with(revision: Revision, brought: set[Key]) -> list[PageNode]:
    """The pages that are among these objects, or list one of them."""
    concerned = {index for key in brought for index in revision.pages_of(key)}
    return [page for page in revision.pages if page.index in concerned or revision.page_key(page.index) in brought]


def same_picture(pages: Pages, page: PageNode, ends: tuple[int, int], free: Iterable[UserBox]) -> bool:
    """Whether a page looks the same in the file cut at two bytes, the boxes left out where a change is known.

    Raises PDFium's errors and LimitError.
    """
    frame = page.frame
    return pages.same_but(
        ends, page.index, [_share(frame, frame.from_user(box).grown(_EDGE_MM)) for box in free], _SAME_TONE
    )


def _share(frame: PageFrame, box: Rect) -> tuple[float, float, float, float]:
    width, height = frame.width_mm, frame.height_mm
    return box.x / width, box.y / height, box.right / width, box.bottom / height
