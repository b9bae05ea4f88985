"""What the form of a file says to one who places a signature: fields that wait, names that are taken, locks.

Runs in a worker, on a file of others, read once for a preflight, by qpdf (pyHanko takes a tenth of a second for each
signature's bytes). Every look-up is bounded and tolerates odd shapes; it changes nothing and decides nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf

from signer_app.pdf.geometry import UserBox
from signer_app.pdf.marks import Refused
from signer_app.verification.permissions import FieldLock

_MAX_FIELDS = 20_000
_MAX_WAITING = 32
"""Empty fields whose page is looked for; no letter has more."""
_MAX_ANNOTATIONS = 200_000
_MAX_REFERENCES = 16
_MAX_LOCKED_NAMES = 10_000
_MAX_DEPTH = 16
_HIDDEN, _PRINTED, _NO_VIEW = 2, 4, 32
_PASSWORD = 1 << 13
"""A text field that viewers show as stars (ISO 32000-1, table 228)."""


@dataclass(frozen=True)
class WaitingField:
    """An empty field with one widget: page from 0, box in user space. `seeded`: it asks for a certain signature."""

    name: str
    kind: str
    page: int
    box: UserBox
    read_only: bool
    seeded: bool
    shown: bool = True
    """Whether what is put there is seen on the screen and on paper."""
    longest: int | None = None
    """How many letters it takes, None where it says nothing."""


@dataclass(frozen=True)
class FormFacts:
    """The form: full names of all fields, those that wait, locks of the signatures, their reasons by field's name."""

    names: frozenset[str]
    waiting: tuple[WaitingField, ...]
    locks: tuple[FieldLock, ...]
    reasons: dict[str, str]

    def find(self, name: str, kind: str) -> WaitingField | None:
        """The waiting field of this name and type ("/Tx", "/Sig"), None where there is none."""
        return next((one for one in self.waiting if (one.name, one.kind) == (name, kind)), None)

    def locked(self, name: str) -> bool:
        """Whether an earlier signature forbids any change of a field of this name, its making too."""
        return any(lock.locks(name) for lock in self.locks)

    def free_name(self, wanted: str) -> str:
        """`wanted`, or with the first number that makes it new; the same for the same file."""
        name, count = wanted, 1
        while name in self.names:
            count += 1
            name = f"{wanted}_{count}"
        return name


def read_form(path: Path) -> FormFacts:
    """The form of the file at `path`; Refused "pdf_unreadable" where nobody can tell."""
    try:
        with pikepdf.open(path) as pdf:
            return _read(pdf)
    except (pikepdf.PikepdfError, RuntimeError, ValueError, TypeError) as error:
        raise Refused("pdf_unreadable") from error


def _read(pdf: pikepdf.Pdf) -> FormFacts:
    known = list(_fields(_get(_get(pdf.Root, "/AcroForm"), "/Fields"), "", [_MAX_FIELDS], 0))
    waiting: list[tuple[str, str, pikepdf.Dictionary]] = []
    locks: list[FieldLock] = []
    reasons: dict[str, str] = {}
    for name, field in known:
        kind, value = str(_inherited(field, "/FT")), _get(field, "/V")
        if value is not None and not (isinstance(value, pikepdf.String) and str(value) == ""):
            if kind == "/Sig" and isinstance(value, pikepdf.Dictionary):
                reasons[name] = str(_get(value, "/Reason") or "")
                locks += _locks(field, value)
        elif kind in ("/Sig", "/Tx") and len(waiting) < _MAX_WAITING:
            waiting.append((name, kind, field))
    names = frozenset(name for name, _field in known)
    return FormFacts(names, tuple(_placed(pdf, waiting)), tuple(locks), reasons)


def _fields(array: Any, prefix: str, left: list[int], depth: int) -> Iterator[tuple[str, pikepdf.Dictionary]]:
    """Full name and dictionary of every terminal field."""
    if not isinstance(array, pikepdf.Array) or depth > _MAX_DEPTH:
        return
    for field in array:
        if left[0] <= 0:
            return
        left[0] -= 1
        if not isinstance(field, pikepdf.Dictionary):
            continue
        part = str(_get(field, "/T") or "")
        name = f"{prefix}.{part}" if prefix and part else part or prefix
        kids = _get(field, "/Kids")
        if isinstance(kids, pikepdf.Array) and any(_get(kid, "/T") is not None for kid in kids):
            yield from _fields(kids, name, left, depth + 1)
        else:
            yield name, field


def _placed(pdf: pikepdf.Pdf, waiting: list[tuple[str, str, pikepdf.Dictionary]]) -> Iterator[WaitingField]:
    """The fields whose one widget is on a page, with that page and its box."""
    widgets = {}
    for name, kind, field in waiting:
        widget = _widget(field)
        if widget is not None and widget.is_indirect:
            widgets[widget.objgen] = (name, kind, field, widget)
    for index, annotation in _annotations(pdf) if widgets else ():
        found = widgets.pop(annotation.objgen, None)
        if found is None:
            continue
        name, kind, field, widget = found
        box = _box(_get(widget, "/Rect"))
        if box is not None:
            flags = _inherited(field, "/Ff")
            read_only = isinstance(flags, int) and bool(flags & 1)
            seen = _is_shown(widget) and not (isinstance(flags, int) and bool(flags & _PASSWORD))
            longest = _inherited(field, "/MaxLen")
            yield WaitingField(
                name,
                kind,
                index,
                box,
                read_only,
                _get(field, "/SV") is not None,
                seen,
                longest if isinstance(longest, int) else None,
            )
        if not widgets:
            return


def _annotations(pdf: pikepdf.Pdf) -> Iterator[tuple[int, pikepdf.Object]]:
    left = _MAX_ANNOTATIONS
    for index, page in enumerate(pdf.pages):
        annotations = _get(page.obj, "/Annots")
        if not isinstance(annotations, pikepdf.Array):
            continue
        for annotation in annotations:
            left -= 1
            if left < 0:
                return
            if isinstance(annotation, pikepdf.Dictionary):
                yield index, annotation


def _is_shown(widget: pikepdf.Dictionary) -> bool:
    """Whether a widget is seen and printed (ISO 32000-1, table 165); what is filled elsewhere nobody would see."""
    flags = _get(widget, "/F")
    return isinstance(flags, int) and flags & (_HIDDEN | _NO_VIEW | _PRINTED) == _PRINTED and "/OC" not in widget


def _widget(field: pikepdf.Dictionary) -> pikepdf.Dictionary | None:
    if _get(field, "/Rect") is not None:
        return field
    kids = _get(field, "/Kids")
    if isinstance(kids, pikepdf.Array) and len(kids) == 1 and isinstance(kids[0], pikepdf.Dictionary):
        return kids[0]
    return None


def _box(corners: Any) -> UserBox | None:
    if not isinstance(corners, pikepdf.Array) or len(corners) != 4:
        return None
    try:
        return UserBox.normalised(*(float(corner) for corner in corners))
    except (TypeError, ValueError):
        return None


def _locks(field: pikepdf.Dictionary, signature: pikepdf.Dictionary) -> Iterator[FieldLock]:
    """FieldMDP of a signature's references, and the lock of its field (ISO 32000-2, 12.8.2.4 and table 235)."""
    references = _get(signature, "/Reference")
    if isinstance(references, pikepdf.Array):
        for reference, _number in zip(references, range(_MAX_REFERENCES), strict=False):
            if _get(reference, "/TransformMethod") == "/FieldMDP":
                yield _lock(_get(reference, "/TransformParams"))
    lock = _get(field, "/Lock")
    if lock is not None:
        yield _lock(lock)


def _lock(params: Any) -> FieldLock:
    """What a lock says; one that says nothing locks all."""
    names = _get(params, "/Fields")
    listed = (
        [str(name) for name, _number in zip(names, range(_MAX_LOCKED_NAMES), strict=False)]
        if isinstance(names, pikepdf.Array)
        else []
    )
    return FieldLock(str(_get(params, "/Action") or "/All"), frozenset(listed))


def _inherited(field: pikepdf.Dictionary, key: str) -> Any:
    """The field's value under `key`, its own or from a field above it."""
    current: Any = field
    for _ in range(_MAX_DEPTH):
        value = _get(current, key)
        if value is not None:
            return value
        current = _get(current, "/Parent")
    return None


def _get(holder: Any, key: str) -> Any:
    """The value under `key`; None where there is none, or where nothing can hold one."""
    return holder.get(key) if isinstance(holder, pikepdf.Dictionary) else None
