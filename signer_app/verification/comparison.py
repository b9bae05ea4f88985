"""Whether two object graphs say the same, each read from its own state of the document.

Runs in a worker. Walks both graphs together without recursion, follows references by meaning and not by number, and
stops at objects with a place of their own (pages, annotations, fields): those must stand for each other and are
compared where they belong. An object that was missing and then appears is a difference (a dangling reference that is
filled later is a known attack). What was walked from one state to the next is not walked again for the step after it
where the file tells of nothing new in it.
"""

from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic

from signer_app.verification.faults import LimitError
from signer_app.verification.revision import Key, Revision, key_of
from signer_app.verification.streams import same_data

_MAX_COMPARISONS = 4_000_000
_STRINGS = (generic.TextStringObject, generic.ByteStringObject)
_NUMBERS = (generic.NumberObject, generic.FloatObject)
_CONTAINERS = (generic.DictionaryObject, generic.ArrayObject)
_DEEP = (*_CONTAINERS, generic.IndirectObject)
_NOTHING: frozenset[str] = frozenset()

_Pair = tuple[Any, Any, frozenset[str]]
_Walked = tuple[frozenset[Key], ...]
"""The objects that a walk met, in parts, because walks share what was proven before."""


@dataclass
class Walk:
    """A walk that found states equal: what it began with, what it met, and between which states that holds."""

    start: Any
    met: _Walked
    first: int
    last: int


class Comparison:
    """Compares things of `old` with things of `new`; remembers what was found equal, and counts its work."""

    def __init__(self, old: Revision, new: Revision) -> None:
        self.old = old
        self.new = new
        self._equal: dict[bool, dict[tuple[Key, Key], _Walked]] = {False: {}, True: {}}
        self._left = _MAX_COMPARISONS
        self._walks = new.memory.walks
        told = new.told_since(old)
        self._told = None if told is None else told | new.relabelled_since(old)

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
        if before is after and not isinstance(before, _DEEP):
            return True
        start = _start(before, after)
        if start is None or self._told is None:
            return self._walk(before, after, skipped, drawn=drawn) is not None
        name = (start, skipped, drawn)
        known = self._walks.get(name)
        if known is not None:
            if known.first <= self.old.end and known.last == self.new.end:
                return True
            if known.last == self.old.end and all(self._told.isdisjoint(part) for part in known.met):
                known.last = self.new.end
                return True
        met = self._walk(before, after, skipped, drawn=drawn)
        if met is not None:
            # `before` is held, so that no other object can come to have its identity.
            self._walks[name] = Walk(before, met, self.old.end, self.new.end)
        return met is not None

    def _walk(self, before: Any, after: Any, skipped: frozenset[str], *, drawn: bool) -> _Walked | None:
        """The objects met on the way when both are equal; None when they are not."""
        equal = self._equal[drawn]
        assumed: set[tuple[Key, Key]] = set()
        met: set[Key] = set()
        proven: dict[int, frozenset[Key]] = {}
        todo: list[_Pair] = [(before, after, skipped)]
        while todo:
            a, b, leave = todo.pop()
            self._left -= 1
            if self._left < 0:
                raise LimitError
            a_key, b_key = key_of(a), key_of(b)
            met |= {key for key in (a_key, b_key) if key is not None}
            a_label = self.old.label_of(a_key) if a_key and not drawn else None
            b_label = self.new.label_of(b_key) if b_key and not drawn else None
            if a_label is not None or b_label is not None:
                if a_label != b_label:
                    return None
                continue
            if a_key and b_key:
                if (a_key, b_key) in assumed:
                    continue
                if (a_key, b_key) in equal:
                    proven |= {id(part): part for part in equal[a_key, b_key]}
                    continue
                if not leave:
                    assumed.add((a_key, b_key))
            a, b = self.old.resolve(a), self.new.resolve(b)
            if not self._level(a, b, leave, todo):
                return None
        walked = (frozenset(met), *proven.values())
        # Only now is what was assumed on the way proven: a ring of objects is equal when no difference is in it.
        equal |= dict.fromkeys(assumed, walked)
        return walked

    def _level(self, a: Any, b: Any, leave: frozenset[str], todo: list[_Pair]) -> bool:
        if a is None or b is None:
            return a is None and b is None
        if isinstance(a, generic.DictionaryObject):
            if not isinstance(b, generic.DictionaryObject):
                return False
            streams = isinstance(a, generic.StreamObject), isinstance(b, generic.StreamObject)
            if streams[0] != streams[1]:
                return False
            if isinstance(a, generic.StreamObject) and isinstance(b, generic.StreamObject):
                if a is not b and not same_data(a, b):
                    return False
                leave |= {"/Length"}
            keys = (dict.keys(a) | dict.keys(b)) - leave
            for key in keys:
                x, y = dict.get(a, key), dict.get(b, key)
                if x is not y or isinstance(x, _DEEP):
                    todo.append((x, y, _NOTHING))
            return True
        if isinstance(a, generic.ArrayObject):
            if not isinstance(b, generic.ArrayObject) or len(a) != len(b):
                return False
            # Numbers and the like that were read once are the same in both; lists of widths have hundreds.
            todo.extend((x, y, _NOTHING) for x, y in zip(a, b, strict=True) if x is not y or isinstance(x, _DEEP))
            return True
        return _same_leaf(a, b)


def _start(before: Any, after: Any) -> Key | int | None:
    """What names a walk from the same beginning in two states; None where it has none."""
    key = key_of(before)
    if key is not None:
        return key if key == key_of(after) else None
    return id(before) if before is after and isinstance(before, _CONTAINERS) else None


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
