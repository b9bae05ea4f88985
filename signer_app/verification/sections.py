"""The chain of cross-reference sections of a file, read back from its end; what was read of it once serves every state.

Runs in a worker, on files of others. pyHanko reads the sections; here stand the bounds that it doesn't have, and the
memory of what an earlier state has read. Decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.pdf_utils.xref import (
    TrailerDictionary,
    XRefBuilder,
    XRefSection,
    XRefSectionData,
    parse_xref_stream,
    parse_xref_table,
)

from signer_app.verification.faults import LimitError
from signer_app.verification.generations import refuse_high_generations

MAX_REVISIONS = 400
_MAX_ENTRIES = 2_000_000


class HistoryReader(PdfHandler):
    """Whoever has sections read: the file up to byte `end`, as `stream`."""

    stream: Any
    strict: bool
    end: int


@dataclass(frozen=True)
class Chain:
    """Cross-reference sections with their trailers, newest first, read from a file that ended at byte `end`."""

    sections: Sequence[XRefSection]
    trailers: Sequence[generic.DictionaryObject]
    end: int


class _Trailers(TrailerDictionary):
    """Remembers each trailer by itself, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.newest_first: list[generic.DictionaryObject] = []

    def add_trailer_revision(self, trailer_dict: generic.DictionaryObject) -> None:
        super().add_trailer_revision(trailer_dict)
        self.newest_first.append(trailer_dict)


class Sections(XRefBuilder):
    """Reads the chain of cross-reference sections back to where an earlier state has read it already."""

    def __init__(self, reader: "HistoryReader", startxref: int, chains: dict[int, Chain]) -> None:
        super().__init__(reader, reader.stream, reader.strict, startxref)
        reference = self.trailer.container_ref
        self.trailer = self.trailers = _Trailers()
        self.trailer.container_ref = reference
        self._chains = chains
        self._end = reader.end

    def _read_xref_stream_object(self) -> Any:
        reference, stream = super()._read_xref_stream_object()  # type: ignore[no-untyped-call]
        # One subsection of a billion entries of no width would be read for ever.
        widths, pairs = dict.get(stream, "/W"), dict.get(stream, "/Index")
        counts = list(pairs)[1::2] if isinstance(pairs, generic.ArrayObject) else [dict.get(stream, "/Size")]
        numbers = [int(n) for n in (*counts, *(widths or ())) if isinstance(n, generic.NumberObject)]
        if len(numbers) != len(counts) + 3 or min(numbers) < 0:
            raise misc.PdfReadError("odd cross-reference stream")
        if sum(numbers[: len(counts)]) > _MAX_ENTRIES:
            raise LimitError
        if sum(numbers[len(counts) :]) == 0:
            raise misc.PdfReadError("cross-reference stream without entries")
        if numbers[-1] > 2:
            refuse_high_generations(parse_xref_stream(stream, strict=False))
        return reference, stream

    def _read_xref_table(self, declared_startxref: int) -> int | None:
        start = self.stream.tell()
        before = super()._read_xref_table(declared_startxref)
        if not self.strict:
            # In strict mode pyHanko has refused these already.
            end = self.stream.tell()
            self.stream.seek(start)
            refuse_high_generations(parse_xref_table(self.stream, strict=False))
            self.stream.seek(end)
        return self._joined(before)

    def _read_xref_stream(self, declared_startxref: int) -> int | None:
        return self._joined(super()._read_xref_stream(declared_startxref))

    def _joined(self, before: Any) -> int | None:
        """What is left to read: the section before, unless it is known from there on."""
        known = self._chains.get(int(before)) if before is not None else None
        if known is not None and known.end <= self._end:
            self.sections.extend(known.sections)
            for trailer in known.trailers:
                self.trailers.add_trailer_revision(trailer)
            before = None
        if len(self.sections) > MAX_REVISIONS:
            raise LimitError
        return None if before is None else int(before)

    def remember(self) -> None:
        """Keeps each chain that begins at a section of this one, unless it was read from a shorter file."""
        for number, section in enumerate(self.sections):
            start = section.meta_info.declared_startxref
            known = self._chains.get(start)
            if known is not None and known.end <= self._end:
                break
            self._chains[start] = Chain(self.sections[number:], self.trailers.newest_first[number:], self._end)


def numbers_of(data: XRefSectionData) -> set[int]:
    """The object numbers that a section tells of."""
    told: set[int] = data.standard_xrefs.keys() | data.xrefs_in_objstm.keys() | data.freed.keys()
    return told if data.hybrid is None else told | numbers_of(data.hybrid.xref_data)
