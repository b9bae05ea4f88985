"""What changed between two successive states of the document, each difference by its kind and page.

Runs in a worker. One comparison per step serves every signature before it, so the work grows with the number of
revisions and not with its square. The strictest places are compared first. Says what is different; whether that is
allowed is for `rules` to say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic

from signer_app.pdf.geometry import Rect
from signer_app.verification.comparison import Comparison
from signer_app.verification.looks import areas_of, conceals, has_kept_looks, has_look, has_one_look
from signer_app.verification.model import ChangeKind
from signer_app.verification.revision import FormField, Key, PageNode, Revision, Widget, key_of

_SIGNATURE_WIDGET_ACTIONS = ("/A", "/AA")
_PAGE_HARMLESS = frozenset({"/LastModified", "/PieceInfo", "/Tabs"})
_PAGE_ELSEWHERE = frozenset({"/Parent", "/Annots", "/Type", "/StructParents"}) | _PAGE_HARMLESS
_DRAWN = frozenset({"/Contents", "/Resources", "/Group"})
_TREE_ELSEWHERE = frozenset({"/Parent", "/Kids", "/Type"})
_CATALOG_ELSEWHERE = frozenset({"/Type", "/Pages", "/AcroForm", "/DSS", "/Metadata", "/Perms"})
_CATALOG_NOTES = frozenset({"/Version", "/Extensions"})
"""What PAdES software states about the file when it appends (ISO 32000-2, 7.12); draws nothing, does nothing."""
_CATALOG_STRUCTURE = frozenset({"/StructTreeRoot", "/MarkInfo"})
_FORM_LENIENT = frozenset({"/DA", "/Q", "/NeedAppearances", "/DR"})
_FIELD_VALUE = frozenset({"/V", "/RV", "/I"})
_FIELD_LOOK = frozenset({"/AP", "/AS", "/MK", "/F", "/DA", "/Q"})
_FIELD_NOTES = frozenset({"/M", "/Type", "/P", "/Parent", "/Kids", "/StructParent", "/Ff"})
_READ_ONLY = 1


@dataclass(frozen=True)
class Difference:
    """One difference. `page` counts from 0. `field` is a full field name; `areas` are where it shows on that page.

    For a signature: whether its field is `new`, and its `widgets` in the later state. With `concealed` the screen does
    not show what paper, the mouse or a layer would.
    """

    kind: ChangeKind
    page: int | None = None
    field: str | None = None
    new: bool = False
    widgets: tuple[Widget, ...] = ()
    repaint: tuple[Widget, ...] = ()
    """Old annotations whose own ink may go, because the change is to them."""
    areas: tuple[Rect, ...] = ()
    concealed: bool = False


def differences(old: Revision, new: Revision) -> list[Difference]:
    """All differences from `old` to `new`. Raises LimitError and what pyHanko raises."""
    comparison = Comparison(old, new)
    return [
        *_page_differences(comparison),
        *_catalog_differences(comparison),
        *_form_differences(comparison),
        *_annotation_differences(comparison),
    ]


# Pages


def _page_differences(c: Comparison) -> Iterator[Difference]:
    if not _same_tree(c, dict.get(c.old.root, "/Pages"), dict.get(c.new.root, "/Pages")):
        yield Difference(ChangeKind.PAGE_TREE)
    notes = False
    for before, after in zip(c.old.pages, c.new.pages, strict=False):
        if not _same_node(c, before.dictionary, after.dictionary, _PAGE_ELSEWHERE):
            yield Difference(ChangeKind.PAGE_CONTENT, page=before.index)
        notes = notes or any(
            not c.same(dict.get(before.dictionary, key), dict.get(after.dictionary, key)) for key in _PAGE_HARMLESS
        )
    if notes:
        yield Difference(ChangeKind.METADATA)


def _same_node(
    c: Comparison, a: generic.DictionaryObject, b: generic.DictionaryObject, elsewhere: frozenset[str]
) -> bool:
    """Whether two pages, or nodes of the page tree, draw the same and say the same about themselves.

    They hang from the same node too: viewers look for what is inherited there, whatever node lists them.
    """
    return (
        c.same(a, b, elsewhere | _DRAWN)
        and c.same(dict.get(a, "/Parent"), dict.get(b, "/Parent"))
        and all(c.same(dict.get(a, key), dict.get(b, key), drawn=True) for key in _DRAWN)
    )


def _same_tree(c: Comparison, before: Any, after: Any) -> bool:
    todo = [(before, after)]
    while todo:
        raw_a, raw_b = todo.pop()
        a, b = c.old.resolve(raw_a), c.new.resolve(raw_b)
        if not isinstance(a, generic.DictionaryObject) or not isinstance(b, generic.DictionaryObject):
            if a is None and b is None:
                continue
            return False
        if ("/Kids" in a) != ("/Kids" in b):
            return False
        if "/Kids" not in a:
            continue
        kids_a, kids_b = c.old.array(dict.get(a, "/Kids")), c.new.array(dict.get(b, "/Kids"))
        if len(kids_a) != len(kids_b) or not _same_node(c, a, b, _TREE_ELSEWHERE):
            return False
        todo.extend(zip(kids_a, kids_b, strict=True))
    return True


# Catalog and trailer


def _catalog_differences(c: Comparison) -> Iterator[Difference]:
    old, new = c.old.root, c.new.root
    kinds: set[ChangeKind] = set()
    for key in (dict.keys(old) | dict.keys(new)) - _CATALOG_ELSEWHERE - _CATALOG_NOTES:
        if c.same(dict.get(old, key), dict.get(new, key)):
            continue
        if key == "/OCProperties":
            kinds.add(ChangeKind.LAYERS)
        elif key in _CATALOG_STRUCTURE:
            kinds.add(ChangeKind.STRUCTURE)
        else:
            kinds.add(ChangeKind.DOCUMENT_SETTINGS)
    if not c.same(dict.get(old, "/Perms"), dict.get(new, "/Perms")):
        kinds.add(ChangeKind.DOCUMENT_SETTINGS)
    if not c.same(dict.get(old, "/DSS"), dict.get(new, "/DSS")):
        kinds.add(ChangeKind.VALIDATION_DATA)
    info = dict.get(c.old.trailer, "/Info"), dict.get(c.new.trailer, "/Info")
    if not c.same(*info) or not c.same(dict.get(old, "/Metadata"), dict.get(new, "/Metadata")):
        kinds.add(ChangeKind.METADATA)
    for kind in sorted(kinds):
        yield Difference(kind)


# Form


def _form_differences(c: Comparison) -> Iterator[Difference]:
    yield from _form_settings(c)
    names = sorted(c.old.fields.keys() | c.new.fields.keys())
    # Signed fields first: what they share with others is judged as theirs.
    names.sort(key=lambda name: not _was_signed(c, name))
    for name in names:
        before, after = c.old.fields.get(name), c.new.fields.get(name)
        if before is None and after is not None:
            yield _added(c, after)
        elif after is None and before is not None:
            page = _page(before)
            areas = areas_of(c, page, before.widgets)
            yield Difference(ChangeKind.FIELD_REMOVED, page=page, field=name, areas=areas)
        elif before is not None and after is not None:
            yield from _field_differences(c, before, after)


def _was_signed(c: Comparison, name: str) -> bool:
    field = c.old.fields.get(name)
    return field is not None and c.old.signature_of(field) is not None


def _form_settings(c: Comparison) -> Iterator[Difference]:
    nothing = generic.DictionaryObject()  # type: ignore[no-untyped-call]
    old = c.old.form if c.old.form is not None else nothing
    new = c.new.form if c.new.form is not None else nothing
    for key in sorted(dict.keys(old) | dict.keys(new)):
        if key in {"/Fields", "/SigFlags"} or c.same(dict.get(old, key), dict.get(new, key)):
            continue
        if key not in _FORM_LENIENT:
            yield Difference(ChangeKind.DOCUMENT_SETTINGS)
        elif key == "/NeedAppearances":
            value = c.new.entry(new, key)
            if isinstance(value, generic.BooleanObject) and value.value:
                yield Difference(ChangeKind.FORM_SETTINGS)
        elif not _grown(c, key, old, new) or _draws_by_form(c.old):
            yield Difference(ChangeKind.FORM_SETTINGS)
    for name, node in c.old.field_nodes.items():
        after = c.new.field_nodes.get(name)
        if (
            after is None
            or not c.same(node, after, frozenset({"/Kids", "/Parent"}) | _FIELD_VALUE)
            or not _same_parent(c, node, after)
        ):
            yield Difference(ChangeKind.FIELD_ALTERED, field=name)


def _same_parent(c: Comparison, a: generic.DictionaryObject, b: generic.DictionaryObject) -> bool:
    """Whether two fields or widgets name the same place above them: viewers look for value and look there."""
    return c.same(dict.get(a, "/Parent"), dict.get(b, "/Parent"))


def _grown(c: Comparison, key: str, old: generic.DictionaryObject, new: generic.DictionaryObject) -> bool:
    """Whether a setting of the form only adds to what there was."""
    return _resources_kept(c, old, new) if key == "/DR" else key not in old


def _draws_by_form(revision: Revision) -> bool:
    """Whether a filled field has no look, so that viewers make one up from the form's settings."""
    return any(
        field.type != "/Sig"
        and not is_empty(revision, field)
        and any(widget.visible and not has_look(revision, widget) for widget in field.widgets)
        for field in revision.fields.values()
    )


def _resources_kept(c: Comparison, old: generic.DictionaryObject, new: generic.DictionaryObject) -> bool:
    """Whether the form's resources only grew: every old font, graphics state, ... is there unchanged."""
    before, after = c.old.entry(old, "/DR"), c.new.entry(new, "/DR")
    if before is None:
        return True
    if not isinstance(before, generic.DictionaryObject) or not isinstance(after, generic.DictionaryObject):
        return False
    for key in dict.keys(before):
        a, b = c.old.entry(before, key), c.new.entry(after, key)
        if isinstance(a, generic.DictionaryObject) and isinstance(b, generic.DictionaryObject):
            if not all(c.same(dict.get(a, name), dict.get(b, name)) for name in dict.keys(a)):
                return False
        elif not c.same(dict.get(before, key), dict.get(after, key)):
            return False
    return True


def _page(field: FormField) -> int | None:
    return next((w.page for w in field.widgets if w.page is not None and w.visible), None)


def _added(c: Comparison, field: FormField) -> Difference:
    dictionaries = [field.dictionary, *(widget.dictionary for widget in field.widgets)]
    page = _page(field)
    areas = areas_of(c, page, field.widgets)
    if field.type != "/Sig":
        return Difference(ChangeKind.FIELD_ADDED, page=page, field=field.name, areas=areas)
    if any(action in dictionary for dictionary in dictionaries for action in _SIGNATURE_WIDGET_ACTIONS):
        return Difference(ChangeKind.FIELD_ALTERED, page=page, field=field.name, areas=areas)
    kind = ChangeKind.SIGNATURE_FIELD
    if (signature := c.new.signature_of(field)) is not None:
        kind = ChangeKind.TIMESTAMP if c.new.is_timestamp(signature) else ChangeKind.SIGNATURE
    return Difference(
        kind,
        page=page,
        field=field.name,
        new=True,
        widgets=field.widgets,
        areas=areas,
        concealed=any(conceals(c, widget) or not has_one_look(c, widget) for widget in field.widgets),
    )


def _field_differences(c: Comparison, before: FormField, after: FormField) -> Iterator[Difference]:
    page = _page(after)

    def altered() -> Difference:
        areas = areas_of(c, page, (*before.widgets, *after.widgets))
        return Difference(ChangeKind.FIELD_ALTERED, page=page, field=before.name, areas=areas)

    if before.type != after.type or len(before.widgets) != len(after.widgets):
        yield altered()
        return
    pairs = [(before.dictionary, after.dictionary)]
    pairs += [
        (x.dictionary, y.dictionary)
        for x, y in zip(before.widgets, after.widgets, strict=True)
        if x.dictionary is not before.dictionary
    ]
    ignored = _FIELD_VALUE | _FIELD_LOOK | _FIELD_NOTES
    moved = any(x.key != y.key for x, y in zip(before.widgets, after.widgets, strict=True))
    if moved or not all(c.same(x, y, ignored) and _same_parent(c, x, y) for x, y in pairs):
        yield altered()
    value = _any_differs(c, pairs, _FIELD_VALUE) or not c.same(before.inherited.get("/V"), after.inherited.get("/V"))
    look = _any_differs(c, pairs, _FIELD_LOOK)
    flags = not _same_flags(c, before, after)
    if not (value or look or flags):
        return
    if before.type == "/Sig":
        yield from _signature_field_differences(c, before, after, value=value, look=look)
        return
    empty = is_empty(c.old, before)
    filled = empty and value and not is_empty(c.new, after)
    yield Difference(
        ChangeKind.FIELD_FILLED if filled else ChangeKind.FIELD_CHANGED,
        page=page,
        field=before.name,
        widgets=after.widgets,
        # What an empty field showed must stay, unless a viewer made it up for want of a look.
        repaint=tuple(widget for widget in before.widgets if not empty or not has_look(c.old, widget)),
        areas=areas_of(c, page, after.widgets),
        concealed=any(
            conceals(c, y) or not (has_kept_looks(c, x, y) if before.type == "/Btn" else has_one_look(c, y))
            for x, y in zip(before.widgets, after.widgets, strict=True)
        ),
    )


def _signature_field_differences(
    c: Comparison, before: FormField, after: FormField, *, value: bool, look: bool
) -> Iterator[Difference]:
    page = _page(after)
    areas = areas_of(c, page, after.widgets)
    if c.old.signature_of(before) is not None:
        # Software sets flags on signed fields; nothing else of them may move.
        if value or look:
            yield Difference(ChangeKind.SIGNATURE_ALTERED, page=page, field=before.name, areas=areas)
        return
    signature = c.new.signature_of(after)
    kind = ChangeKind.FIELD_CHANGED
    if signature is not None:
        kind = ChangeKind.TIMESTAMP if c.new.is_timestamp(signature) else ChangeKind.SIGNATURE
    yield Difference(
        kind,
        page=page,
        field=before.name,
        widgets=after.widgets,
        areas=areas,
        concealed=any(conceals(c, widget) or not has_one_look(c, widget) for widget in after.widgets),
    )


def _any_differs(
    c: Comparison,
    pairs: list[tuple[generic.DictionaryObject, generic.DictionaryObject]],
    keys: frozenset[str],
) -> bool:
    return any(
        not c.same(dict.get(x, key), dict.get(y, key))
        for x, y in pairs
        for key in sorted(keys & (dict.keys(x) | dict.keys(y)))
    )


def _same_flags(c: Comparison, before: FormField, after: FormField) -> bool:
    """Whether the field flags are as before; making a field read-only takes nothing from anyone."""
    a, b = c.old.resolve(before.inherited.get("/Ff")), c.new.resolve(after.inherited.get("/Ff"))
    numbers = [int(n) if isinstance(n, generic.NumberObject) else 0 for n in (a, b)]
    return numbers[1] in {numbers[0], numbers[0] | _READ_ONLY}


def is_empty(revision: Revision, field: FormField) -> bool:
    """Whether a field has no value: no text, no choice, box not ticked, not signed."""
    value = revision.resolve(field.inherited.get("/V"))
    if isinstance(value, generic.ByteStringObject | generic.ArrayObject):
        return len(value) == 0
    return value is None or value in ("", "/Off")


# Annotations


def _annotation_differences(c: Comparison) -> Iterator[Difference]:
    for before, after in zip(c.old.pages, c.new.pages, strict=False):
        yield from _page_annotations(c, before, after)


def _page_annotations(c: Comparison, before: PageNode, after: PageNode) -> Iterator[Difference]:
    page = before.index
    old = {key: item for item in before.annotations if (key := key_of(item)) is not None}
    new = {key: item for item in after.annotations if (key := key_of(item)) is not None}
    old_keys, new_keys = _keys(before), _keys(after)
    for key, item in new.items():
        if key not in old and not _widget_of_new_field(c, key, page):
            yield _put_on_page(c, key, item, page)
    for key, item in old.items():
        if key not in new:
            yield _taken_off_page(c, key, item, page)
    if [key for key in old_keys if key in new] != [key for key in new_keys if key in old]:
        yield Difference(ChangeKind.ANNOTATION_CHANGED, page=page)
    for key, item in old.items():
        if key not in new:
            continue
        names = c.old.field_of(key), c.new.field_of(key)
        if names[0] != names[1]:
            yield _given_to_another(c, (item, new[key]), names, page)
        elif names[0] is None:
            x, y = c.old.resolve(item), c.new.resolve(new[key])
            if not c.same(x, y, frozenset({"/P"})):
                places = _as_widgets(c.old, item, page)
                areas = areas_of(c, page, (*places, *_as_widgets(c.new, new[key], page)))
                yield Difference(ChangeKind.ANNOTATION_CHANGED, page=page, repaint=places, areas=areas)
    direct = [[item for item in p.annotations if key_of(item) is None] for p in (before, after)]
    if len(direct[0]) != len(direct[1]) or not all(
        c.same(x, y, frozenset({"/P"})) for x, y in zip(*direct, strict=True)
    ):
        places = tuple(
            widget
            for revision, items in zip((c.old, c.new), direct, strict=True)
            for item in items
            for widget in _as_widgets(revision, item, page)
        )
        yield Difference(ChangeKind.ANNOTATION_CHANGED, page=page, areas=areas_of(c, page, places))


def _put_on_page(c: Comparison, key: Key, item: Any, page: int) -> Difference:
    """An annotation that the page did not list. A widget is no note: it belongs to the form."""
    areas = areas_of(c, page, _as_widgets(c.new, item, page))
    if (name := c.new.field_of(key)) is not None:
        return Difference(ChangeKind.FIELD_ALTERED, page=page, field=name, areas=areas)
    annotation = c.new.resolve(item)
    if isinstance(annotation, generic.DictionaryObject) and c.new.entry(annotation, "/Subtype") == "/Widget":
        stray = str(c.new.entry(annotation, "/T") or "?")
        return Difference(ChangeKind.FIELD_ADDED, page=page, field=stray, areas=areas)
    return Difference(ChangeKind.ANNOTATION_ADDED, page=page, areas=areas)


def _taken_off_page(c: Comparison, key: Key, item: Any, page: int) -> Difference:
    """An annotation that the page lists no more. A field may keep its value and yet be seen nowhere."""
    places = _as_widgets(c.old, item, page)
    areas = areas_of(c, page, places)
    if (name := c.old.field_of(key)) is not None:
        signed = _was_signed(c, name)
        kind = ChangeKind.SIGNATURE_ALTERED if signed else ChangeKind.FIELD_ALTERED
        return Difference(kind, page=page, field=name, areas=areas)
    return Difference(ChangeKind.ANNOTATION_REMOVED, page=page, repaint=places, areas=areas)


def _given_to_another(
    c: Comparison, items: tuple[Any, Any], names: tuple[str | None, str | None], page: int
) -> Difference:
    """An annotation that the page keeps, but the field does not whose widget it was, or one took it: it is seen where
    no field's comparison looks.
    """
    places = (*_as_widgets(c.old, items[0], page), *_as_widgets(c.new, items[1], page))
    signed = names[0] is not None and _was_signed(c, names[0])
    kind = ChangeKind.SIGNATURE_ALTERED if signed else ChangeKind.FIELD_ALTERED
    return Difference(kind, page=page, field=names[0] or names[1], areas=areas_of(c, page, places))


def _keys(page: PageNode) -> list[Key]:
    return [key for item in page.annotations if (key := key_of(item)) is not None]


def _widget_of_new_field(c: Comparison, key: Key, page: int) -> bool:
    """Whether this is the one place of a field's widget, which the form's comparison tells of."""
    name = c.new.field_of(key)
    if name is None:
        return False
    placed = [widget for widget in c.new.fields[name].widgets if widget.key == key]
    if not placed or placed[0].page != page or len(c.new.pages_of(key)) != 1:
        return False
    return name not in c.old.fields or not placed[0].visible


def _as_widgets(revision: Revision, item: Any, page: int) -> tuple[Widget, ...]:
    annotation = revision.resolve(item)
    if not isinstance(annotation, generic.DictionaryObject):
        return ()
    return (Widget(annotation, key_of(item), page, revision.box(dict.get(annotation, "/Rect"))),)
