"""Opinions of others on a step that our own rules find harmless, and objects that nothing uses.

Runs in a worker. They may only make an answer worse: a step that we can explain and another can't is `unexplained`; one
that another parser reads otherwise, or that shows where it should not, leaves it open what a person sees.
qpdf reads what the step brings, PDFium draws the pages concerned; both take as long as the step is large. pyHanko's own
difference analysis walks through the whole document for each step, so it is asked only about files of a few states.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfStrictReadError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY

from signer_app.verification.cross_check import Agreement, pages_with, parsers_agree, same_picture
from signer_app.verification.differences import Difference
from signer_app.verification.drawing import Pages
from signer_app.verification.faults import LimitError
from signer_app.verification.model import ChangeKind
from signer_app.verification.revision import Key, Revision, key_of
from signer_app.verification.source import SourceFile
from signer_app.verification.streams import LongStream

_MAX_OBJECTS = 2_000_000
_MAX_STEPS_OF_PYHANKO = 12
"""A document goes through fewer hands than this; beyond, pyHanko's time grows with the square of the steps."""

_CONTAINERS = (generic.DictionaryObject, generic.ArrayObject)
_REFERRING = (*_CONTAINERS, generic.IndirectObject)

_EXPLAINED = frozenset(
    {
        ChangeKind.VALIDATION_DATA,
        ChangeKind.TIMESTAMP,
        ChangeKind.SIGNATURE,
        ChangeKind.SIGNATURE_FIELD,
        ChangeKind.FIELD_FILLED,
        ChangeKind.METADATA,
    }
)
"""What may turn out harmless, and so is worth a second look."""

_PICTURED = _EXPLAINED | {
    ChangeKind.FIELD_CHANGED,
    ChangeKind.FORM_SETTINGS,
    ChangeKind.STRUCTURE,
    ChangeKind.ANNOTATION_ADDED,
    ChangeKind.ANNOTATION_CHANGED,
    ChangeKind.ANNOTATION_REMOVED,
}
"""What may turn out allowed: pages that it doesn't name look as before."""


@dataclass(frozen=True)
class Opinion:
    """`suspicious`: somebody can't explain a step that sounds harmless. `doubt`: the code of why nobody can tell what a
    reader sees after it.
    """

    suspicious: bool = False
    doubt: str | None = None


class SecondOpinion:
    """Looks at the steps of one file; `steps` is how many there are."""

    def __init__(self, source: SourceFile, final: Revision, pages: Pages, steps: int) -> None:
        self._source = source
        self._final = final
        self._pages = pages
        self._ask_pyhanko = steps <= _MAX_STEPS_OF_PYHANKO
        self._history: History | None = None

    def of(self, old: Revision, new: Revision, found: Sequence[Difference]) -> Opinion:
        """What the others say of the way from `old` to `new`, for which we found these differences.

        Raises LimitError, and PdfStrictReadError for a file that wants the lenient reader.
        """
        brought = brought_since(old, new)
        agreement = parsers_agree(new, brought, self._source.copy(new.end))
        if agreement is Agreement.OTHERWISE:
            # What a viewer shows then depends on its parser; that is so whatever the change was said to be.
            return Opinion(doubt="verify_parsers_disagree")
        if any(difference.kind not in _PICTURED for difference in found):
            return Opinion()
        explained = all(difference.kind in _EXPLAINED for difference in found)
        if explained and agreement is Agreement.NOT_AT_ALL:
            return Opinion(suspicious=True)
        seen = {d.page for d in found} | {w.page for d in found for w in d.widgets if w.visible}
        try:
            for page in pages_with(new, brought):
                # Where a change shows, the ink rule compares the pictures.
                if page.index not in seen and not same_picture(self._pages, page, (old.end, new.end), ()):
                    return Opinion(doubt="verify_page_differs")
        except pdfium.PdfiumError:
            return Opinion(suspicious=True)
        return Opinion(suspicious=explained and self._ask_pyhanko and self._finds_suspicious(old, new))

    def _finds_suspicious(self, old: Revision, new: Revision) -> bool:
        if self._history is None:
            self._history = History(self._final, self._source.prefix(self._final.end))
        before = self._history.resolver_with_usages(old)
        for number in range(len(old.reader.sections), len(new.reader.sections)):
            try:
                DEFAULT_DIFF_POLICY.apply(old=before, new=self._history.get_historical_resolver(number))
            except PdfStrictReadError:
                raise
            except Exception:  # noqa: BLE001  # whether it says so or stumbles: it can't explain the step
                return True
        return False


class _Skeleton(HistoricalResolver):
    """A state of the document as far as objects refer to others: what holds no reference is left out.

    What `state`, the same by our reader, has read is taken from there.
    """

    def __init__(self, reader: "History", number: int, state: Revision) -> None:
        super().__init__(reader, number)
        self._state = state.reader

    def get_object(self, ref: generic.Reference, as_metadata_stream: bool = False) -> Any:
        """What pyHanko asks for on its way."""
        if ref not in self.cache:
            known = self._state.read((ref.idnum, ref.generation))
            if known is None:
                return super().get_object(ref, as_metadata_stream)
            self.cache[ref] = self._subsume_object(known)
        return self.cache[ref]

    def _subsume_object(self, obj: Any) -> Any:
        """The same with what matters to the ways through it: /Type tells pages and their nodes."""
        if isinstance(obj, generic.DictionaryObject):
            entries = {
                key: self._subsume_object(value)
                for key, value in dict.items(obj)
                if isinstance(value, _REFERRING) or key == "/Type"
            }
            return generic.DictionaryObject(  # type: ignore[no-untyped-call]
                {k: v for k, v in entries.items() if not isinstance(v, _CONTAINERS) or len(v)}
            )
        if isinstance(obj, generic.ArrayObject):
            items = [self._subsume_object(value) for value in list.__iter__(obj) if isinstance(value, _REFERRING)]
            if not any(not isinstance(item, _CONTAINERS) or len(item) for item in items):
                return generic.ArrayObject()
            # Its members keep their places, by which a way through it is named.
            return generic.ArrayObject(self._subsume_object(value) for value in list.__iter__(obj))
        if isinstance(obj, generic.IndirectObject):
            return generic.IndirectObject(obj.idnum, obj.generation, self)  # type: ignore[no-untyped-call]
        return obj


class History(PdfFileReader):
    """pyHanko's reader over what we have read already; what stands at a place never changes."""

    def __init__(self, final: Revision, stream: Any) -> None:
        self._final = final.reader
        super().__init__(stream, strict=final.reader.strict)
        if self.encrypted:
            self.decrypt("")

    def resolver_with_usages(self, state: Revision) -> HistoricalResolver:
        """A state as pyHanko's analysis wants it, which asks first by which ways each object can be reached.

        pyHanko walks through every number of every array for that; here through what can lead to an object.
        """
        number = len(state.reader.sections) - 1
        resolver = self.get_historical_resolver(number)
        if "/Encrypt" not in self.trailer and resolver._indirect_object_access_cache is None:
            skeleton = _Skeleton(self, number, state)
            skeleton._load_reverse_xref_cache()  # type: ignore[no-untyped-call]
            resolver._indirect_object_access_cache = skeleton._indirect_object_access_cache
        return resolver

    def _read_object(self, ref: Any, marker: Any, never_decrypt: bool = False, as_metadata_stream: bool = False) -> Any:
        key = (ref.idnum, ref.generation)
        # What we have read of an encrypted file is opened already, and pyHanko would open it again.
        reuse = isinstance(marker, int) and not as_metadata_stream and "/Encrypt" not in self.trailer
        if reuse and (known := self._final.known_at(key, marker)) is not None:
            if not isinstance(known, LongStream):
                return known
            if dict.get(known, "/Type") == "/Metadata":
                # pyHanko reads the XML of it, whether it changed or not.
                return super()._read_object(ref, marker, never_decrypt, as_metadata_stream)
            # pyHanko keeps what it reads, twice; where a stream stands tells it as well whether it is the same.
            short = generic.StreamObject(dict(dict.items(known)), encoded_data=b"%d" % known.start)
            short.container_ref = known.container_ref
            return short
        if as_metadata_stream and not getattr(self.security_handler, "encrypt_metadata", True):
            # pyHanko opens what was left in the clear for those who search (ISO 32000-1, table 21).
            never_decrypt = True
        return super()._read_object(ref, marker, never_decrypt, as_metadata_stream)


def brought_since(old: Revision, new: Revision) -> set[Key]:
    """The objects that the sections of `new` after those of `old` name, save those that only carry others."""
    xrefs = new.reader.xrefs
    brought: set[Key] = set()
    for number in range(len(old.reader.sections), len(new.reader.sections)):
        info, data = xrefs.get_xref_container_info(number), xrefs.get_xref_data(number)
        brought |= {(ref.idnum, ref.generation) for ref in xrefs.explicit_refs_in_revision(number)}
        brought -= {(ref.idnum, ref.generation) for ref in xrefs.object_streams_used_in(number)}  # type: ignore[no-untyped-call]
        streams = [info.stream_ref, data.hybrid.meta_info.stream_ref if data.hybrid else None]
        brought -= {(ref.idnum, ref.generation) for ref in streams if ref is not None}
    return brought


def has_unused_objects(old: Revision, new: Revision) -> bool:
    """Whether `new` brought objects that nothing in it leads to (to be used by something appended later)."""
    return bool(brought_since(old, new) - reachable(new))


def reachable(revision: Revision) -> set[Key]:
    """The objects that the trailer leads to. Raises LimitError."""
    seen: set[Key] = set()
    todo: list[Any] = list(dict.values(revision.trailer))
    left = _MAX_OBJECTS
    while todo:
        raw = todo.pop()
        left -= 1
        if left < 0:
            raise LimitError
        if (key := key_of(raw)) is not None:
            if key in seen:
                continue
            seen.add(key)
        value = revision.resolve(raw)
        if isinstance(value, generic.DictionaryObject):
            todo.extend(dict.values(value))
        elif isinstance(value, generic.ArrayObject):
            todo.extend(value)
    return seen
