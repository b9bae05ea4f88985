"""Objects of the file under check, each read once for all states of the document that it belongs to.

Runs in a worker, on files of others. A `StateReader` sees the file cut at one byte, nothing behind it. What stands at
a place never changes, so what one state read there serves every other that reaches as far; only what a stream takes
from other objects (an indirect /Length) is read by each state for itself. pyHanko parses; long strings and long streams
are stepped over, because it reads them digit by digit and whole. Decides nothing.
"""

import io
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.decode_limits import DecodeContext, DecodeLimits
from pyhanko.pdf_utils.reader import process_data_at_eof
from pyhanko.pdf_utils.xref import ObjStreamRef, XRefCache, XRefSection, read_object_header

from signer_app.verification.faults import UnreadableError
from signer_app.verification.generations import Settled
from signer_app.verification.plain import header_end, plain_object, plain_value
from signer_app.verification.sections import Chain, HistoryReader, Sections, numbers_of
from signer_app.verification.source import SourceFile
from signer_app.verification.streams import LongStream, Unpacked, stands_alone, unpack
from signer_app.verification.unlocking import Unlocked

_LOOK_AHEAD = 32
"""No parser looks further than this behind an object's end."""
_HEAD = 4096
_PLAIN = 32 << 10
"""Bytes of an object that is read quickly where it is written plainly."""
_LONG_STREAM = 4096
_MAX_DIGITS = 8 << 20
_HEADER = re.compile(rb"%PDF-\d.\d")
_LONG_CONTENTS = re.compile(rb"/Contents\s*<(?=[0-9A-Fa-f]{1024})")
_STREAM_START = re.compile(rb">>\s*stream(\r\n|\n)")
_STREAM_END = re.compile(rb"[\x00\t\n\f\r ]{0,2}endstream\s{1,4}endobj")

Key = tuple[int, int]
"""Object number and generation."""


@dataclass(frozen=True)
class Packed:
    """A place within an object stream: where that stream stands, its number, and the index in it."""

    stream_at: int
    stream: int
    index: int


Place = int | Packed


@dataclass(frozen=True)
class _Read:
    """An object as it was read at its place, and the byte up to which the file was read for it."""

    value: Any
    end: int


@dataclass(frozen=True)
class _Lock:
    """How the file is encrypted, by what tells it, and what opens it; both None where it isn't."""

    told_by: Any
    unlocked: Unlocked | None


@dataclass
class Memory:
    """What was read of one file, by place, and what was compared; shared by all states of it."""

    objects: dict[tuple[Place, Key], _Read] = field(default_factory=dict)
    unpacked: dict[int, Unpacked] = field(default_factory=dict)
    chains: dict[int, Chain] = field(default_factory=dict)
    walks: dict[Any, Any] = field(default_factory=dict)
    settled: Settled = field(default_factory=Settled)
    lock: "_Lock | None" = None


class StateReader(HistoryReader):
    """The file up to byte `end`: its cross-reference sections (oldest first), its trailer, its objects.

    Raises what pyHanko raises for files that it can't read, and LimitError. What an `earlier` state looked up counts
    here too, save for what the sections since then tell of.
    """

    def __init__(
        self, source: SourceFile, end: int, memory: Memory, *, strict: bool, earlier: "StateReader | None" = None
    ) -> None:
        self._source = source
        self._memory = memory
        self._own: dict[Key, _Read] = {}
        self._context = DecodeContext(DecodeLimits(), input_size=end)
        self.end = end
        self.strict = strict
        self.stream = source.prefix(end)
        self.sections: list[XRefSection] = []
        self.xrefs = XRefCache(self, self.sections)
        if _HEADER.match(source.data[:8]) is None:
            raise misc.PdfReadError("no header")
        self.stream.seek(-1, io.SEEK_END)
        self.startxref = process_data_at_eof(self.stream)
        builder = Sections(self, self.startxref, memory.chains)
        self.sections = builder.read_xrefs()  # type: ignore[no-untyped-call]
        builder.remember()
        memory.settled = memory.settled.going_on_to(self.sections)
        self._generations = memory.settled.generations
        self.xrefs = XRefCache(self, self.sections)
        self.trailer = builder.trailer
        self._places: dict[Key, Place | None] = {}
        self._packed_in: dict[Key, int] = {}
        self._dependent: set[Key] = set() if earlier is None else set(earlier._dependent)
        self._lock_key: Key | None = None
        self._unlocked: Unlocked | None = None
        self._unlocked = self._unlock()
        if earlier is not None and self.extends(earlier):
            left_out = self.told_since(earlier)
            self._places = {key: place for key, place in earlier._places.items() if key not in left_out}
            self._packed_in = {key: number for key, number in earlier._packed_in.items() if key not in left_out}

    def _unlock(self) -> Unlocked | None:
        """What opens the objects of an encrypted file; UnreadableError `verify_encrypted` where nothing does.

        All states of a file are encrypted alike (ISO 32000-1, 7.6.1): what was read of one is good for all.
        """
        trailer = self.trailer.flatten()
        settings, ids = dict.get(trailer, "/Encrypt"), dict.get(trailer, "/ID")
        told_by: Any = None
        if settings is not None:
            first = ids[0] if isinstance(ids, generic.ArrayObject) and ids else None
            first_id = bytes(getattr(first, "original_bytes", b""))
            told_by = (settings, first_id)
            if isinstance(settings, generic.IndirectObject):
                self._lock_key = (settings.idnum, settings.generation)
                told_by = (self.place(self._lock_key), first_id)
        if self._memory.lock is None:
            if isinstance(settings, generic.IndirectObject):
                settings = self.read((settings.idnum, settings.generation))
            unlocked = None if told_by is None else Unlocked(settings, told_by[1])
            self._memory.lock = _Lock(told_by, unlocked)
        elif self._memory.lock.told_by != told_by:
            raise UnreadableError("verify_encrypted")
        return self._memory.lock.unlocked

    # History

    def extends(self, earlier: "StateReader") -> bool:
        """Whether the sections of `earlier` are the beginning of these: the same ones, read once."""
        count = len(earlier.sections)
        return count <= len(self.sections) and all(
            a is b for a, b in zip(earlier.sections, self.sections[:count], strict=True)
        )

    def told_since(self, earlier: "StateReader") -> set[Key]:
        """The objects that the sections after those of `earlier` tell of, in any way.

        Those that lie in an object stream of which they tell are among them, and all that depend on other objects.
        """
        numbers: set[int] = set()
        for section in self.sections[len(earlier.sections) :]:
            numbers |= numbers_of(section.xref_data)
        numbers |= {key[0] for key in earlier._dependent | self._dependent}
        known = earlier._places.keys() | self._places.keys()
        told = {key for key in known if key[0] in numbers or earlier._packed_in.get(key) in numbers}
        return told | {(number, 0) for number in numbers}

    # Objects

    @property
    def decode_context(self) -> DecodeContext:
        """pyHanko's bounds for what streams of this state unfold to."""
        return self._context

    @property
    def trailer_view(self) -> generic.DictionaryObject:
        """All trailers laid over each other, as ISO 32000-2, 7.5.5 has it."""
        return self.trailer.flatten()

    def get_object(self, ref: Any, as_metadata_stream: bool = False) -> Any:
        """What pyHanko asks while it parses (an indirect /Length)."""
        value = self.read((int(ref.idnum), int(ref.generation)))
        return generic.NullObject() if value is None else value

    def place(self, key: Key) -> Place | None:
        """Where this state has the object; None where it has none."""
        if key in self._places:
            return self._places[key]
        if self._generations.get(key[0], key[1]) != key[1]:
            # To those who look at the number alone, this leads to an object; to us it would lead nowhere.
            raise UnreadableError("verify_damaged")
        found = self.xrefs[generic.Reference(*key, self)]
        place: Place | None = found
        if isinstance(found, ObjStreamRef):
            stream_at = self.place((found.obj_stream_id, 0))
            if not isinstance(stream_at, int):
                raise misc.PdfReadError("an object stream within an object stream, or none")
            self._packed_in[key] = found.obj_stream_id
            place = Packed(stream_at, found.obj_stream_id, found.ix_in_stream)
        self._places[key] = place
        return place

    def read(self, key: Key) -> Any:
        """The object with this number, None where there is none. Raises what pyHanko raises."""
        place = self.place(key)
        if place is None:
            return None
        if (own := self._own.get(key)) is not None:
            return own.value
        known = self._memory.objects.get((place, key))
        if known is not None and known.end + _LOOK_AHEAD <= self.end:
            return known.value
        if isinstance(place, int):
            if place < 0:
                raise misc.PdfReadError("before the beginning of the file")
            found = self._long_object(key, place) or self._plain_object(key, place)
            shared = stands_alone(found.value)
            if self._unlocked is not None and key != self._lock_key:
                found = _Read(self._unlocked.plain(found.value, key), found.end)
        else:
            found, shared = self._packed_object(key, place)
        if shared and found.end + _LOOK_AHEAD <= self.end:
            self._memory.objects[place, key] = found
        else:
            self._own[key] = found
            self._dependent.add(key)
        return found.value

    def known_at(self, key: Key, place: int) -> Any:
        """The object that stands at a place now or stood there for an earlier state; None when nobody has read it, and
        nothing of this state leads there.
        """
        if self.place(key) == place:
            return self.read(key)
        known = self._memory.objects.get((place, key))
        return None if known is None else known.value

    def extent(self, key: Key) -> tuple[int, int] | None:
        """The bytes where an object stands that has a place of its own; None for any other."""
        place = self.place(key)
        if not isinstance(place, int):
            return None
        self.read(key)
        found = self._own.get(key) or self._memory.objects.get((place, key))
        return None if found is None else (place, found.end)

    def _plain_object(self, key: Key, place: int) -> _Read:
        head = self._source.piece(place, min(place + _PLAIN, self.end))
        if (quick := plain_object(head, key, generic.Reference(*key, self))) is not None:
            return _Read(quick.value, place + quick.end)
        self.stream.seek(place)
        self._check_header(self.stream, key)
        value = generic.read_object(self.stream, generic.Reference(*key, self))
        self._check_footer(self.stream)
        return _Read(value, self.stream.tell())

    def _check_header(self, stream: Any, key: Key) -> None:
        if read_object_header(stream, strict=self.strict) != key:  # type: ignore[no-untyped-call]
            raise misc.PdfReadError("another object stands here")

    def _check_footer(self, stream: Any) -> None:
        misc.read_non_whitespace(stream, seek_back=True)  # type: ignore[no-untyped-call]
        if stream.read(6) != b"endobj" and self.strict:
            raise misc.PdfStrictReadError("endobj expected")

    # Objects that pyHanko would read too slowly

    def _long_object(self, key: Key, place: int) -> _Read | None:
        """A signature or a long stream, read without walking through it; None for all else and all that is odd."""
        head = self._source.piece(place, min(place + _HEAD, self.end))
        close = head.find(b"endobj")
        close = len(head) if close < 0 else close
        if (found := _LONG_CONTENTS.search(head, 0, close)) is not None:
            return self._signature(key, place, place + found.end())
        if (found := _STREAM_START.search(head, 0, close)) is not None:
            return self._long_stream(key, place, place + found.start() + 2, place + found.end())
        return None

    def _signature(self, key: Key, place: int, digits: int) -> _Read | None:
        """A dictionary whose /Contents begin at byte `digits`: parsed with a word of our own in their stead."""
        data = self._source.data
        close = data.find(b">", digits, min(digits + _MAX_DIGITS, self.end))
        if close < 0:
            return None
        try:
            contents = bytes.fromhex(data[digits:close].decode("ascii"))
        except ValueError:
            return None
        word = secrets.token_bytes(16)
        start = data[place:digits] + word.hex().encode()
        text, reference = start + data[close : min(close + _HEAD, self.end)], generic.Reference(*key, self)
        if (quick := plain_object(text, key, reference)) is not None:
            value, end = quick.value, quick.end
        else:
            stream = io.BytesIO(text)
            try:
                self._check_header(stream, key)
                value = generic.read_object(stream, reference)
                self._check_footer(stream)
            except (misc.PdfReadError, misc.PdfStreamError, ValueError):
                return None
            end = stream.tell()
        if not isinstance(value, generic.DictionaryObject) or isinstance(value, generic.StreamObject):
            return None
        if getattr(dict.get(value, "/Contents"), "original_bytes", None) != word:
            return None
        string = generic.ByteStringObject(contents)
        string.container_ref = reference
        dict.__setitem__(value, generic.NameObject("/Contents"), string)
        return _Read(value, close + end - len(start))

    def _long_stream(self, key: Key, place: int, dictionary_end: int, start: int) -> _Read | None:
        """A stream with a /Length of its own that ends where that says."""
        # In pieces: each byte that is looked at in a mapped file maps others around it, a hundred times over in a scan.
        value = self._dictionary(key, self._source.piece(place, dictionary_end))
        if value is None:
            return None
        length = dict.get(value, "/Length")
        if not isinstance(length, generic.NumberObject) or not _LONG_STREAM <= length <= self.end - start:
            return None
        stop = start + int(length)
        footer = _STREAM_END.match(self._source.piece(stop, min(stop + _LOOK_AHEAD, self.end)))
        if footer is None:
            return None
        found = LongStream(value, self._source, start, stop)
        found.container_ref = generic.Reference(*key, self)
        return _Read(found, stop + footer.end())

    def _dictionary(self, key: Key, data: bytes) -> generic.DictionaryObject | None:
        """The dictionary that an object begins with, when it takes all of `data`."""
        reference = generic.Reference(*key, self)
        begins = header_end(data, key)
        quick = plain_value(data, begins, reference) if begins is not None else None
        if quick is not None:
            value, end = quick.value, quick.end
        else:
            stream = io.BytesIO(data + b" ")
            try:
                self._check_header(stream, key)
                value, end = generic.read_object(stream, reference), stream.tell()
            except (misc.PdfReadError, misc.PdfStreamError, ValueError):
                return None
        return value if type(value) is generic.DictionaryObject and end == len(data) else None

    # Object streams (ISO 32000-2, 7.5.7)

    def _packed_object(self, key: Key, place: Packed) -> tuple[_Read, bool]:
        """An object out of an object stream, and whether other states may share it."""
        container = self.read((place.stream, 0))
        shared = stands_alone(container)
        number = (place.stream, 0)
        held = self._own.get(number) or self._memory.objects[place.stream_at, number]
        unpacked = self._memory.unpacked.get(place.stream_at) if shared else None
        if unpacked is None:
            unpacked = unpack(container)
            if shared:
                self._memory.unpacked[place.stream_at] = unpacked
        if not 0 <= place.index < len(unpacked.numbers) or unpacked.numbers[place.index][0] != key[0]:
            if self.strict:
                raise misc.PdfStrictReadError("the object stream holds something else")
            return _Read(generic.NullObject(), held.end), shared
        start, reference = unpacked.first + unpacked.numbers[place.index][1], generic.Reference(*key, self)
        quick = plain_value(unpacked.data, start, reference) if start >= 0 else None
        if quick is not None:
            return _Read(quick.value, held.end), shared
        stream = io.BytesIO(unpacked.data)
        stream.seek(start)
        value = generic.read_object(stream, reference)
        if isinstance(value, generic.StreamObject | generic.IndirectObject):
            raise misc.PdfReadError("an object stream holds plain objects only")
        return _Read(value, held.end), shared
