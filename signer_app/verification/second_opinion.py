"""pyHanko's difference analysis as a cross-check of ours, and objects that nothing uses.

Runs in a worker. It may only make an answer worse: a step that our rules find harmless and pyHanko finds suspicious
is `unexplained`. Each step is looked at once, for all signatures before it; pyHanko itself looks once per signature
and step, which grows worse than quadratically.
"""

from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, SuspiciousModification

from signer_app.verification.faults import LimitError
from signer_app.verification.model import ChangeKind
from signer_app.verification.revision import Key, Revision, key_of

_MAX_OBJECTS = 2_000_000

EXPLAINED = frozenset(
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


def finds_suspicious(final: Revision, old: Revision, new: Revision) -> bool:
    """Whether pyHanko can't explain the way from `old` to `new`; both are beginnings of `final`.

    Raises what pyHanko raises for files that it can't read.
    """
    base = old.reader.total_revisions - 1
    before = final.reader.get_historical_resolver(base)
    for number in range(base + 1, new.reader.total_revisions):
        try:
            DEFAULT_DIFF_POLICY.apply(old=before, new=final.reader.get_historical_resolver(number))
        except SuspiciousModification:
            return True
    return False


def has_unused_objects(old: Revision, new: Revision) -> bool:
    """Whether `new` brought objects that nothing in it leads to (to be used by something appended later)."""
    xrefs = new.reader.xrefs
    brought: set[Key] = set()
    for number in range(old.reader.total_revisions, new.reader.total_revisions):
        info, data = xrefs.get_xref_container_info(number), xrefs.get_xref_data(number)
        brought |= {(ref.idnum, ref.generation) for ref in xrefs.explicit_refs_in_revision(number)}
        brought -= {(ref.idnum, ref.generation) for ref in xrefs.object_streams_used_in(number)}  # type: ignore[no-untyped-call]
        streams = [info.stream_ref, data.hybrid.meta_info.stream_ref if data.hybrid else None]
        brought -= {(ref.idnum, ref.generation) for ref in streams if ref is not None}
    return bool(brought - _reachable(new))


def _reachable(revision: Revision) -> set[Key]:
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
