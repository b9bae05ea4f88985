"""The form: what fills itself in, what has no look yet, and what each field asks of who signs it.

Runs in a worker. Seed values and locks are read for the fields that a plan will sign or fill, so that what can't be
met is told before the PIN (ISO 32000-1, 12.7.4.5, tables 232 to 235).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from signer_app.pdf.inspection.actions import has_script
from signer_app.pdf.inspection.reading import elements, entry, has, identity, name, one_or_many, values, whole, words
from signer_app.pdf.inspection.seeds import unmet
from signer_app.pdf.inspection.sightings import Budget, Sighting

_READ_ONLY = 1
_DEEPEST = 24
_OWN_TRIGGERS = ("/K", "/F", "/V", "/C")
"""While typed, for the look, after a change, to calculate."""


@dataclass(frozen=True)
class FormField:
    """A terminal field: full name, type, whether it has a value, flags, what it demands, its widgets' identities."""

    name: str
    kind: str
    filled: bool
    read_only: bool
    demands: tuple[str, ...] = ()
    """What its seed values require and this program can't give."""
    locks_on_signing: bool = False
    """Whether signing it locks the whole document against what must still come."""


@dataclass(frozen=True)
class Locks:
    """The fields that earlier signatures locked (FieldMDP): every one but `spared`, or those of `named`."""

    named: frozenset[str] = frozenset()
    spared: tuple[frozenset[str], ...] = ()
    """For each lock of the kind "all but": what it spares."""

    def hold(self, field_name: str) -> bool:
        """Whether a field of this full name is locked; a lock on a name holds for what stands below it."""
        return _among(field_name, self.named) or any(not _among(field_name, spared) for spared in self.spared)


@dataclass
class Form:
    """What the form says, gathered on the way."""

    fields: dict[str, FormField] = field(default_factory=dict)
    locks: Locks = Locks()
    certified: int | None = None
    """The permission P of a certification (DocMDP), None without one."""
    sightings: list[Sighting] = field(default_factory=list)


@dataclass(frozen=True)
class _Inherited:
    prefix: str = ""
    kind: str = ""
    flags: int = 0
    value: Any = None


def read_form(root: Any, pages: Mapping[tuple[int, int], int], certificate: str, budget: Budget) -> Form:
    """The form of the document; `pages` tells on which page (from 1) a widget lies, `certificate` who will sign."""
    form = Form()
    shape = entry(root, "/AcroForm")
    form.certified = _certification(root)
    if has(shape, "/XFA") or entry(root, "/NeedsRendering") is True:
        form.sightings.append(Sighting("pdf_dynamic", "XFA"))
    _Walk(form, pages, certificate, budget).run(shape)
    if entry(shape, "/NeedAppearances") is True and any(known.kind != "/Sig" for known in form.fields.values()):
        form.sightings.append(Sighting("need_appearances", "AcroForm"))
    if any(True for _field in elements(entry(shape, "/CO"))) and not _says(form, "dynamic_field"):
        form.sightings.append(Sighting("dynamic_field", "AcroForm/CO"))
    return form


def _says(form: Form, code: str) -> bool:
    return any(sighting.code == code for sighting in form.sightings)


class _Walk:
    """One walk over the tree of fields."""

    def __init__(self, form: Form, pages: Mapping[tuple[int, int], int], certificate: str, budget: Budget) -> None:
        self._form = form
        self._pages = pages
        self._certificate = certificate
        self._budget = budget
        self._seen: set[tuple[int, int]] = set()
        self._open: list[Sighting] = []

    def run(self, shape: Any) -> None:
        """Fills the form."""
        needs_look = entry(shape, "/NeedAppearances") is True
        for kid in elements(entry(shape, "/Fields")):
            self._field(kid, _Inherited(), 0, needs_look=needs_look)
        locks = self._form.locks
        self._form.sightings += [seen for seen in self._open if not locks.hold(seen.what)]

    def _field(self, node: Any, above: _Inherited, depth: int, *, needs_look: bool) -> None:
        mark = identity(node)
        if depth > _DEEPEST or (mark != (0, 0) and mark in self._seen) or not self._budget.spend():
            return
        self._seen.add(mark)
        part = words(entry(node, "/T"))
        here = _Inherited(
            f"{above.prefix}.{part}" if above.prefix and part else part or above.prefix,
            name(entry(node, "/FT")) or above.kind,
            whole(entry(node, "/Ff")) if has(node, "/Ff") else above.flags,
            entry(node, "/V") if has(node, "/V") else above.value,
        )
        kids = list(elements(entry(node, "/Kids")))
        below = [kid for kid in kids if has(kid, "/T")]
        for kid in below:
            self._field(kid, here, depth + 1, needs_look=needs_look)
        if not below:
            self._terminal(node, here, kids or [node], needs_look=needs_look)

    def _terminal(self, node: Any, here: _Inherited, widgets: list[Any], *, needs_look: bool) -> None:
        form, filled = self._form, _is_filled(here)
        if here.kind == "/Sig" and filled:
            form.locks = _with_locks(form.locks, here.value)
            form.locks = _with_lock(form.locks, entry(node, "/Lock"))
        form.fields[here.prefix] = FormField(
            here.prefix,
            here.kind,
            filled,
            bool(here.flags & _READ_ONLY),
            unmet(entry(node, "/SV"), self._certificate) if here.kind == "/Sig" and not filled else (),
            _locks_document(entry(node, "/Lock")),
        )
        where = next((self._pages[identity(w)] for w in widgets if identity(w) in self._pages), "AcroForm")
        if any(self._makes_itself(holder) for holder in (node, *widgets)):
            form.sightings.append(Sighting("dynamic_field", where, here.prefix))
        if here.kind in ("/Tx", "/Ch") and filled:
            if needs_look or not any(has(entry(widget, "/AP"), "/N") for widget in widgets):
                form.sightings.append(Sighting("fields_without_look", where, here.prefix))
            if not here.flags & _READ_ONLY:
                self._open.append(Sighting("open_fields", where, here.prefix))

    def _makes_itself(self, holder: Any) -> bool:
        """Whether scripts of its own make up the field's value or look."""
        triggers = entry(holder, "/AA")
        return any(has_script(entry(triggers, trigger), self._budget) for trigger in _OWN_TRIGGERS)


def _is_filled(here: _Inherited) -> bool:
    if here.kind == "/Sig":
        return any(True for _entry in values(here.value))
    return bool(words(here.value)) or any(True for _choice in elements(here.value)) or identity(here.value) != (0, 0)


def _certification(root: Any) -> int | None:
    """P of the signature that /Perms names (table 254); 2 when it says nothing."""
    signature = entry(entry(root, "/Perms"), "/DocMDP")
    if signature is None:
        return None
    for reference in elements(entry(signature, "/Reference")):
        if name(entry(reference, "/TransformMethod")) == "/DocMDP":
            return whole(entry(entry(reference, "/TransformParams"), "/P")) or 2
    return 2


def _with_locks(locks: Locks, signature: Any) -> Locks:
    """`locks` and what a signature's references lock besides (table 257)."""
    for reference in elements(entry(signature, "/Reference")):
        if name(entry(reference, "/TransformMethod")) == "/FieldMDP":
            locks = _with_lock(locks, entry(reference, "/TransformParams"))
    return locks


def _with_lock(locks: Locks, limits: Any) -> Locks:
    """`locks` and those of one lock; without a known action it locks nothing."""
    names = frozenset(filter(None, map(words, one_or_many(entry(limits, "/Fields")))))
    action = name(entry(limits, "/Action"))
    if action == "/Include":
        return Locks(locks.named | names, locks.spared)
    if action in ("/Exclude", "/All"):
        spared = names if action == "/Exclude" else frozenset[str]()
        return Locks(locks.named, (*locks.spared, spared))
    return locks


def _locks_document(lock: Any) -> bool:
    """Whether a field's lock, once it is signed, forbids every later change (PDF 2.0, table 237: P 1)."""
    return whole(entry(lock, "/P")) == 1


def _among(field_name: str, names: frozenset[str]) -> bool:
    return any(field_name == known or field_name.startswith(f"{known}.") for known in names)
