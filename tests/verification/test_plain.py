"""The quick reader of plain objects says what pyHanko says, or nothing; and so do the ways to objects."""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import read_object_header

from signer_app.verification.plain import plain_object
from signer_app.verification.reading import Memory
from signer_app.verification.revision import Revision
from signer_app.verification.second_opinion import History
from signer_app.verification.source import SourceFile
from signer_resources import samples
from tests.verification.attacks.base import LEADER_SIGNS, small_document
from tests.verification.documents import SignAs, sign
from tests.verification.small_pki import Pki

_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,7}) ([0-9]{1,5}) obj")
SAMPLES = [samples.file(sample.main) for sample in samples.load().samples]


class _Handler:
    strict = True

    def get_pdf_handler(self) -> "_Handler":
        return self

    def get_object(self, _reference: Any) -> Any:
        raise misc.PdfReadError("no such object")


def _both(data: bytes, key: tuple[int, int]) -> tuple[Any, Any]:
    """What the quick reader makes of the object at the beginning, and what pyHanko makes of it; each with its end."""
    reference = generic.Reference(*key, _Handler())
    quick = plain_object(data, key, reference)
    stream = io.BytesIO(data)
    assert read_object_header(stream, strict=True) == key  # type: ignore[no-untyped-call]
    value = generic.read_object(stream, reference)
    misc.read_non_whitespace(stream, seek_back=True)  # type: ignore[no-untyped-call]
    assert stream.read(6) == b"endobj"
    return (quick.value, quick.end) if quick is not None else None, (value, stream.tell())


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, generic.DictionaryObject):
        same_data = not isinstance(a, generic.StreamObject) or a.encoded_data == b.encoded_data
        return same_data and list(a) == list(b) and all(_same(dict.get(a, k), dict.get(b, k)) for k in a)
    if isinstance(a, generic.ArrayObject):
        return len(a) == len(b) and all(map(_same, list.__iter__(a), list.__iter__(b)))
    if isinstance(a, generic.TextStringObject | generic.ByteStringObject):
        return bool(a == b and a.original_bytes == b.original_bytes)
    if isinstance(a, generic.BooleanObject):
        return bool(a.value == b.value)
    return isinstance(a, generic.NullObject) or bool(a == b)


@pytest.mark.parametrize("path", SAMPLES[:2], ids=lambda path: path.stem)
def test_objects_of_letters_are_read_as_pyhanko_reads_them(path: Path) -> None:
    data = path.read_bytes()
    quick = 0
    for found in _OBJECT.finditer(data):
        key = int(found[1]), int(found[2])
        if plain_object(data[found.start() :], key, generic.Reference(*key, _Handler())) is None:
            continue
        ours, theirs = _both(data[found.start() :], key)
        assert _same(ours[0], theirs[0])
        assert ours[1] == theirs[1]
        quick += 1
    assert quick > 10


@pytest.mark.parametrize(
    "body",
    [
        b"<< /A 1 /B [ 2 0 R -3 +4 .5 -1.25 ] /C << /D /E#20F >> >>",
        b"<</A(x\\055\\377y)/B<FEFF0041>/C[true false null]/D/Name>>",
        b"[1 0 R 2 0 R 3 4 5]",
        b"[ 1  0 R ]",
        b"(a (nested) one)",
        b"(a \\( b)",
        b"<< /A 1 % comment\n /B 2 >>",
        b"<< /Length 3 >>\nstream\nabc\nendstream",
        b"<< /Length 3 >>\nstream\r\nabc endstream",
        b"<414>",
        b"/Name.with-odd_but+plain:characters",
        b"12",
        b"[[[[1]]]]",
        b"<</A<</A<</A null>>>>>>",
    ],
)
def test_what_is_written_oddly_is_read_alike_or_left(body: bytes) -> None:
    ours, theirs = _both(b"7 0 obj\n" + body + b"\nendobj\n", (7, 0))
    assert ours is None or (_same(ours[0], theirs[0]) and ours[1] == theirs[1])


@pytest.mark.parametrize(
    "data",
    [
        b"8 0 obj\n1\nendobj",  # another number
        b"7 0 obj\n<< /A 1 /A 2 >>\nendobj",  # a key twice: strict readers refuse it
        b"7 0 obj\n<< /A >>\nendobj",
        b"7 0 obj\n<< 1 /A >>\nendobj",
        b"7 0 obj\n[ 1 >>\nendobj",
        b"7 0 obj\n>>\nendobj",
        b"7 0 obj\n1",
        b"7 0 obj\n<< /Length 9 >>\nstream\nabc\nendstream\nendobj",
        b"7 0 obj\n<< /Length 3 0 R >>\nstream\nabc\nendstream\nendobj",
        b"7 0 obj\n" + b"[" * 60 + b"]" * 60 + b"\nendobj",
    ],
)
def test_what_is_wrong_or_rare_is_left_to_pyhanko(data: bytes) -> None:
    assert plain_object(data, (7, 0), generic.Reference(7, 0, _Handler())) is None


@pytest.mark.parametrize("text", [b"(a \\(b\\) c)", b"(\\\\)", b"(\\\\\\101\\))"])
def test_brackets_in_texts_are_read_quickly_and_as_pyhanko_reads_them(text: bytes) -> None:
    ours, theirs = _both(b"7 0 obj\n" + text + b"\nendobj\n", (7, 0))
    assert ours is not None
    assert _same(ours[0], theirs[0])
    assert ours[1] == theirs[1]


def test_ways_to_objects_are_those_that_pyhanko_finds() -> None:
    """Pins what of pyHanko's analysis is private: where it keeps the ways, and that it asks for them first."""
    with SourceFile(SAMPLES[0]) as source:
        final = Revision(source, source.last_ending(), Memory(), strict=True)
        ours = History(final, source.prefix(final.end)).resolver_with_usages(final)
        theirs = PdfFileReader(source.prefix(final.end)).get_historical_resolver(len(final.reader.sections) - 1)
        theirs._load_reverse_xref_cache()  # type: ignore[no-untyped-call]
        assert theirs._indirect_object_access_cache
        assert ours._indirect_object_access_cache == theirs._indirect_object_access_cache


def test_ways_in_an_earlier_state_are_those_that_pyhanko_finds(pki: Pki, tmp_path: Path) -> None:
    """Also where the file has the same objects elsewhere since; what stood there is not read again."""
    path = tmp_path / "signed.pdf"
    path.write_bytes(
        sign(sign(small_document(), pki.leader, replace(LEADER_SIGNS, room=8000)), pki.body, SignAs("Body", room=8000))
    )
    with SourceFile(path) as source:
        memory = Memory()
        final = Revision(source, source.last_ending(), memory, strict=True)
        count = len(final.reader.sections)
        end = source.data.rfind(b"%%EOF", 0, source.size - 10) + len(b"%%EOF")
        state = Revision(source, end, memory, strict=True)
        assert len(state.reader.sections) == count - 1
        history = History(final, source.prefix(final.end))
        ours = history.resolver_with_usages(state)
        theirs = PdfFileReader(source.prefix(final.end)).get_historical_resolver(count - 2)
        theirs._load_reverse_xref_cache()  # type: ignore[no-untyped-call]
        assert theirs._indirect_object_access_cache
        assert ours._indirect_object_access_cache == theirs._indirect_object_access_cache
        moved = [key for key in state.labels if state.reader.place(key) != final.reader.place(key)]
        assert moved
        for key in moved:
            assert ours(generic.Reference(*key, history)) == theirs(generic.Reference(*key, theirs.reader))
            place = state.reader.place(key)
            assert isinstance(place, int)
            assert final.reader.known_at(key, place) is state.reader.read(key)
            assert final.reader.known_at(key, place + 1) is None
