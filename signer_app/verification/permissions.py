"""What a signature allows to be done to the document after it: DocMDP and FieldMDP.

Runs in a worker. Read from the state that the signature itself closed, never from a later one.
"""

from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic

from signer_app.verification.revision import FormField, Revision

NO_CHANGES = 1
FILL_FORMS = 2
ANNOTATE = 3
"""DocMDP permissions (ISO 32000-2, table 257); a document without any counts as ANNOTATE."""


@dataclass(frozen=True)
class FieldLock:
    """FieldMDP (ISO 32000-2, table 259): `All`, only those in `names`, or all but those."""

    action: str
    names: frozenset[str]

    def locks(self, field: str) -> bool:
        """Whether this field, or a field above it, may not change any more."""
        listed = any(field == name or field.startswith(f"{name}.") for name in self.names)
        if self.action == "/Include":
            # The second of two fields of one name is called `name#2` by us; who locks the name means both.
            return listed or any(field.startswith(f"{name}#") for name in self.names)
        if self.action == "/Exclude":
            return not listed
        return True


@dataclass(frozen=True)
class Permissions:
    """What one signature asks for: its DocMDP level, whether it certifies, its locks."""

    level: int | None
    certifies: bool
    locks: tuple[FieldLock, ...]


def read_permissions(revision: Revision, field: FormField, signature: generic.DictionaryObject) -> Permissions:
    """From the signature's /Reference and the field's /Lock: the strictest of them; odd values count as that."""
    levels: list[int] = []
    certifies = False
    locks: list[FieldLock] = []
    for raw in revision.array(dict.get(signature, "/Reference")):
        reference = revision.resolve(raw)
        if not isinstance(reference, generic.DictionaryObject):
            continue
        method = revision.entry(reference, "/TransformMethod")
        params = revision.entry(reference, "/TransformParams")
        params = params if isinstance(params, generic.DictionaryObject) else _nothing()
        if method == "/DocMDP":
            certifies = True
            levels.append(_level(revision.entry(params, "/P"), missing=FILL_FORMS))
        elif method == "/FieldMDP":
            locks.append(_lock(revision, params))
    lock = revision.entry(field.dictionary, "/Lock")
    if isinstance(lock, generic.DictionaryObject):
        locks.append(_lock(revision, lock))
        if "/P" in lock:
            levels.append(_level(revision.entry(lock, "/P"), missing=NO_CHANGES))
    return Permissions(min(levels, default=None), certifies, tuple(locks))


def _nothing() -> generic.DictionaryObject:
    return generic.DictionaryObject()  # type: ignore[no-untyped-call]


def _level(value: Any, missing: int) -> int:
    if value is None:
        return missing
    if isinstance(value, generic.NumberObject) and int(value) in {NO_CHANGES, FILL_FORMS, ANNOTATE}:
        return int(value)
    return NO_CHANGES


def _lock(revision: Revision, params: generic.DictionaryObject) -> FieldLock:
    names = frozenset(str(revision.resolve(item)) for item in revision.array(dict.get(params, "/Fields")))
    return FieldLock(str(revision.entry(params, "/Action") or "/All"), names)
