"""Streams of a file under check: long ones that stay in the file, object streams, and what a stream depends on.

Runs in a worker, on files of others. pyHanko decodes, within its limits. Decides nothing.
"""

from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.decode_limits import DecodePurpose

from signer_app.verification.faults import LimitError
from signer_app.verification.source import SourceFile

_MAX_IN_STREAM = 200_000
_STREAM_SETTINGS = ("/Length", "/Filter", "/DecodeParms", "/F", "/FFilter", "/FDecodeParms")


@dataclass(frozen=True)
class Unpacked:
    """A decoded object stream: numbers and offsets of its objects in order, and the byte where the first begins."""

    numbers: tuple[tuple[int, int], ...]
    first: int
    data: bytes


class LongStream(generic.StreamObject):
    """A stream whose bytes stay in the file until they are asked for."""

    def __init__(self, dictionary: generic.DictionaryObject, source: SourceFile, start: int, stop: int) -> None:
        super().__init__(dict(dict.items(dictionary)), encoded_data=b"")
        self._source = source
        self.start = start
        self.stop = stop

    @property
    def encoded_data(self) -> bytes:
        """The bytes as they stand in the file; not kept."""
        return bytes(self._source.data[self.start : self.stop])

    def read_data(self, purpose: DecodePurpose = DecodePurpose.GENERIC, expected_size: int | None = None) -> bytes:
        """The decoded bytes, within pyHanko's limits. Raises what pyHanko raises."""
        whole = generic.StreamObject(dict(dict.items(self)), encoded_data=self.encoded_data)
        whole.container_ref = self.container_ref
        return whole.read_data(purpose, expected_size)


def same_data(a: generic.StreamObject, b: generic.StreamObject) -> bool:
    """Whether two streams hold the same bytes as they stand in the file."""
    if isinstance(a, LongStream) and isinstance(b, LongStream):
        if (a.start, a.stop) == (b.start, b.stop):
            return True
        if a.stop - a.start != b.stop - b.start:
            return False
    return bool(a.encoded_data == b.encoded_data)


def unpack(container: Any) -> Unpacked:
    """The objects of an object stream; LimitError, and what pyHanko raises where it is none."""
    if not isinstance(container, generic.StreamObject) or dict.get(container, "/Type") != "/ObjStm":
        raise misc.PdfReadError("not an object stream")
    count, first = dict.get(container, "/N"), dict.get(container, "/First")
    if not isinstance(count, generic.NumberObject) or not isinstance(first, generic.NumberObject):
        raise misc.PdfReadError("odd object stream")
    if count > _MAX_IN_STREAM:
        raise LimitError
    data = container.read_data(DecodePurpose.OBJECT_STREAM)
    words = data[: max(0, first)].split()[: 2 * max(0, count)]
    if len(words) != 2 * count:
        raise misc.PdfReadError("odd object stream")
    numbers = [int(word) for word in words]
    return Unpacked(tuple(zip(numbers[::2], numbers[1::2], strict=True)), int(first), data)


def stands_alone(value: Any) -> bool:
    """Whether nothing but the bytes at its place made the object what it is."""
    if not isinstance(value, generic.StreamObject):
        return True
    return not any(_refers(dict.get(value, key)) for key in _STREAM_SETTINGS)


def _refers(value: Any) -> bool:
    """Whether a setting of a stream is, or holds, a reference."""
    todo: list[Any] = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, generic.IndirectObject):
            return True
        if isinstance(one, generic.DictionaryObject):
            todo.extend(dict.values(one))
        elif isinstance(one, generic.ArrayObject):
            todo.extend(one)
    return False
