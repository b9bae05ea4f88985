"""Whether two object graphs say the same, each read from its own state of the document.

Runs in a worker. Walks both graphs together without recursion, follows references by meaning and not by number, and
stops at objects with a place of their own (pages, annotations, fields): those must stand for each other and are
compared where they belong. An object that was missing and then appears is a difference (a dangling reference that is
filled later is a known attack).
"""

from typing import Any

from pyhanko.pdf_utils import generic

from signer_app.verification.faults import LimitError
from signer_app.verification.revision import Key, Revision, key_of

_MAX_COMPARISONS = 4_000_000
_STRINGS = (generic.TextStringObject, generic.ByteStringObject)
_NUMBERS = (generic.NumberObject, generic.FloatObject)


class Comparison:
    """Compares things of `old` with things of `new`; remembers what was found equal, and counts its work."""

    def __init__(self, old: Revision, new: Revision) -> None:
        self.old = old
        self.new = new
        self._equal: dict[bool, set[tuple[Key, Key]]] = {False: set(), True: set()}
        self._left = _MAX_COMPARISONS

    def same(
        self,
        before: Any,
        after: Any,
        skipped: frozenset[str] = frozenset(),
        *,
        drawn: bool = False,
    ) -> bool:
        """Whether two raw values are equal in all depth; `skipped` keys of the outermost dictionary don't count.

        An object with a place of its own is compared in depth only when it is given itself, not a reference to it.
        With `drawn` no object has: what a page draws with may also be listed as a field, so as to be looked at
        leniently there.

        Raises LimitError, and what pyHanko raises for objects that it can't read.
        """
        equal = self._equal[drawn]
        assumed: set[tuple[Key, Key]] = set()
        todo: list[tuple[Any, Any, frozenset[str]]] = [(before, after, skipped)]
        while todo:
            a, b, leave = todo.pop()
            self._left -= 1
            if self._left < 0:
                raise LimitError
            a_key, b_key = key_of(a), key_of(b)
            a_label = self.old.labels.get(a_key) if a_key and not drawn else None
            b_label = self.new.labels.get(b_key) if b_key and not drawn else None
            if a_label is not None or b_label is not None:
                if a_label != b_label:
                    return False
                continue
            if a_key and b_key:
                if (a_key, b_key) in assumed or (a_key, b_key) in equal:
                    continue
                assumed.add((a_key, b_key))
            a, b = self.old.resolve(a), self.new.resolve(b)
            if not self._level(a, b, leave, todo):
                return False
        # Only now is what was assumed on the way proven: a ring of objects is equal when no difference is in it.
        equal |= assumed
        return True

    def _level(self, a: Any, b: Any, leave: frozenset[str], todo: list[tuple[Any, Any, frozenset[str]]]) -> bool:
        if a is None or b is None:
            return a is None and b is None
        if isinstance(a, generic.DictionaryObject):
            if not isinstance(b, generic.DictionaryObject):
                return False
            streams = isinstance(a, generic.StreamObject), isinstance(b, generic.StreamObject)
            if streams[0] != streams[1]:
                return False
            if isinstance(a, generic.StreamObject) and isinstance(b, generic.StreamObject):
                if a.encoded_data != b.encoded_data:
                    return False
                leave |= {"/Length"}
            keys = (dict.keys(a) | dict.keys(b)) - leave
            todo.extend((dict.get(a, key), dict.get(b, key), frozenset()) for key in keys)
            return True
        if isinstance(a, generic.ArrayObject):
            if not isinstance(b, generic.ArrayObject) or len(a) != len(b):
                return False
            todo.extend((x, y, frozenset()) for x, y in zip(a, b, strict=True))
            return True
        return _same_leaf(a, b)


def _same_leaf(a: Any, b: Any) -> bool:
    if isinstance(a, _STRINGS):
        return isinstance(b, _STRINGS) and a.original_bytes == b.original_bytes
    if isinstance(a, generic.BooleanObject):
        return isinstance(b, generic.BooleanObject) and a.value == b.value
    if isinstance(a, _NUMBERS):
        return isinstance(b, _NUMBERS) and a == b
    if isinstance(a, generic.NameObject):
        return isinstance(b, generic.NameObject) and str(a) == str(b)
    # Commands and other oddities: no two of them are taken for equal unless they are the same kind and value.
    return type(a) is type(b) and bool(a == b)
