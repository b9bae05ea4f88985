"""Generations of objects: one for each number, in all of a file's cross-reference sections.

Runs in a worker, on files of others. PDFium and MuPDF look at an object's number alone and take the newest of that
number; pyHanko and qpdf hold to the generation. A file that tells the two kinds of readers different things is refused;
nothing else is decided here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.xref import XRefEntry, XRefSection, XRefSectionData, XRefType

from signer_app.verification.faults import UnreadableError

_MAX_GENERATION = 0xFFFF


@dataclass(frozen=True)
class Settled:
    """Sections, oldest first, and the generation under which each object number of theirs is in use."""

    sections: Sequence[XRefSection] = ()
    generations: dict[int, int] = field(default_factory=dict)

    def going_on_to(self, sections: Sequence[XRefSection]) -> "Settled":
        """The same for these sections; what is known of their beginning is not looked at again.

        UnreadableError `verify_damaged` for a number that is, or was, in use under two generations.
        """
        known = len(self.sections)
        if known > len(sections) or any(a is not b for a, b in zip(self.sections, sections[:known], strict=True)):
            return Settled().going_on_to(sections) if known else self
        generations = dict(self.generations)
        for section in sections[known:]:
            for number, generation in _in_use(section.xref_data):
                if generations.setdefault(number, generation) != generation:
                    raise UnreadableError("verify_damaged")
        return Settled(tuple(sections), generations)


def _in_use(data: XRefSectionData) -> Iterator[tuple[int, int]]:
    """The objects that a section says are in use, also those that it names twice."""
    for number, generation in data.explicit_refs_in_revision:
        used = number in data.standard_xrefs or number in data.xrefs_in_objstm
        if used or data.freed.get(number) != generation + 1:
            yield number, generation
    if data.hybrid is not None:
        yield from _in_use(data.hybrid.xref_data)


def refuse_high_generations(entries: Iterable[XRefEntry]) -> None:
    """PdfReadError for a generation so high that pyHanko passes over the entry, which others take."""
    if any(entry.xref_type is XRefType.STANDARD and entry.generation > _MAX_GENERATION for entry in entries):
        raise PdfReadError("illegal generation")
