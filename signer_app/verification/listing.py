"""The pages, annotations and form fields of one state of the document, listed once.

Runs in a worker, on files of others. What an earlier state listed and no later section of the file tells of is taken
over as it is, so that a file with many signatures is not listed anew for each. Every walk is bounded in number and
depth. Decides nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyhanko.pdf_utils import generic

from signer_app.pdf.geometry import PageFrame, UserBox
from signer_app.verification.faults import LimitError, UnreadableError
from signer_app.verification.reading import Key, StateReader

MAX_PAGES = 20_000
MAX_FIELDS = 20_000
_MAX_NODES = 60_000
_MAX_ANNOTATIONS = 200_000
_MAX_DEPTH = 64
_PAGE_INHERITS = ("/MediaBox", "/CropBox", "/Rotate")
_FIELD_INHERITS = ("/FT", "/V", "/Ff", "/DV", "/DA", "/Q", "/MaxLen", "/Opt")


def key_of(value: Any) -> Key | None:
    """Object number and generation of a reference; None for a direct object."""
    return (value.idnum, value.generation) if isinstance(value, generic.IndirectObject) else None


@dataclass(frozen=True)
class PageNode:
    """A page: index from 0, its dictionary, its frame, and its raw /Annots items."""

    index: int
    dictionary: generic.DictionaryObject
    frame: PageFrame
    annotations: tuple[Any, ...]


@dataclass(frozen=True)
class Widget:
    """Where a field shows: its dictionary, its object, the page (from 0) that lists it, its /Rect."""

    dictionary: generic.DictionaryObject
    key: Key | None
    page: int | None
    box: UserBox | None

    @property
    def visible(self) -> bool:
        """Whether it takes any area."""
        return self.box is not None and self.box.width > 0 and self.box.height > 0


@dataclass(frozen=True)
class FormField:
    """A terminal field by its full name; `inherited` holds the attributes that may stand higher up."""

    name: str
    type: str
    dictionary: generic.DictionaryObject
    inherited: dict[str, Any]
    widgets: tuple[Widget, ...]


class Objects:
    """The objects of one state by reference; remembers which it was asked for."""

    def __init__(self, reader: StateReader) -> None:
        self.reader = reader
        self._asked: set[Key] = set()

    def resolve(self, raw: Any) -> Any:
        """The object behind `raw`, None for null and for a reference that leads nowhere (ISO 32000-1, 7.3.10)."""
        value = raw
        for _ in range(8):
            if not isinstance(value, generic.IndirectObject):
                break
            key = (value.idnum, value.generation)
            self._asked.add(key)
            value = self.reader.read(key)
        return None if isinstance(value, generic.NullObject) else value

    def entry(self, dictionary: generic.DictionaryObject, key: str) -> Any:
        """The value under `key` with references followed, None when there is none."""
        return self.resolve(dict.get(dictionary, key))

    def array(self, value: Any) -> list[Any]:
        """The raw items of an array (or of the array a reference leads to); empty for anything else."""
        resolved = self.resolve(value)
        return list(resolved) if isinstance(resolved, generic.ArrayObject) else []

    def box(self, raw: Any) -> UserBox | None:
        """A rectangle array as a box; None when it is none."""
        numbers = [self.resolve(item) for item in self.array(raw)]
        if len(numbers) != 4 or not all(isinstance(n, generic.NumberObject | generic.FloatObject) for n in numbers):
            return None
        return UserBox.normalised(*(float(n) for n in numbers))

    def asked_since(self) -> frozenset[Key]:
        """The objects asked for since this was last called."""
        asked, self._asked = frozenset(self._asked), set()
        return asked


# Pages


@dataclass(frozen=True)
class _Leaf:
    """A page as it stands in the tree: what leads to it, what it inherits, and the objects that make it."""

    raw: Any
    inherited: dict[str, Any]
    keys: frozenset[Key]


@dataclass(frozen=True)
class PageList:
    """All pages in order, the places of pages and nodes by name, and which pages list an annotation."""

    root: Key | None
    pages: tuple[PageNode, ...]
    labels: dict[Key, str]
    pages_of: dict[Key, tuple[int, ...]]
    leaves: tuple[_Leaf, ...]
    nodes: frozenset[Key]

    def moved_since(self, earlier: "PageList") -> set[Key]:
        """The annotations that one of the pages lists and did not list before, or the other way round."""
        moved: set[Key] = set()
        for before, after in zip(earlier.pages, self.pages, strict=False):
            if before is not after:
                moved |= {key for key, _ in Counter(_listed(before)).items() ^ Counter(_listed(after)).items()}
        return moved


def _listed(page: PageNode) -> Iterator[Key]:
    return (key for item in page.annotations if (key := key_of(item)) is not None)


def list_pages(objects: Objects, raw: Any, earlier: PageList | None, told: set[Key]) -> PageList:
    """The pages under the catalog's /Pages. Raises LimitError, UnreadableError and what pyHanko raises.

    `told` are the objects that the file tells of since `earlier`.
    """
    if earlier is not None and earlier.root == key_of(raw) is not None and earlier.nodes.isdisjoint(told):
        renewed = _renewed(objects, earlier, told)
        if renewed is not None:
            return renewed
    return _PageWalk(objects).run(raw)


def _renewed(objects: Objects, earlier: PageList, told: set[Key]) -> PageList | None:
    """The same tree with those pages made again that the file tells of; None where a page became a node."""
    pages, leaves = list(earlier.pages), list(earlier.leaves)
    for index, leaf in enumerate(earlier.leaves):
        if leaf.keys.isdisjoint(told):
            continue
        objects.asked_since()
        node = objects.resolve(leaf.raw)
        if not isinstance(node, generic.DictionaryObject) or "/Kids" in node:
            return None
        pages[index] = _page(objects, index, node, leaf.inherited)
        leaves[index] = replace(leaf, keys=objects.asked_since())
    if sum(len(page.annotations) for page in pages) > _MAX_ANNOTATIONS:
        raise LimitError
    fresh = replace(earlier, pages=tuple(pages), leaves=tuple(leaves))
    moved = fresh.moved_since(earlier)
    if not moved:
        return fresh
    again = {before.index for before, after in zip(earlier.pages, pages, strict=True) if before is not after}
    pages_of = dict(earlier.pages_of)
    for key in moved:
        pages_of[key] = tuple(index for index in pages_of.get(key, ()) if index not in again)
    for index in again:
        for key in _listed(pages[index]):
            if key in moved:
                pages_of[key] = tuple(sorted((*pages_of[key], index)))
    for key in moved:
        if not pages_of[key]:
            del pages_of[key]
    return replace(fresh, pages_of=pages_of)


def _page(objects: Objects, index: int, node: generic.DictionaryObject, inherited: dict[str, Any]) -> PageNode:
    here = inherited | {k: dict.get(node, k) for k in _PAGE_INHERITS if k in node}
    return PageNode(index, node, _frame(objects, node, here), tuple(objects.array(dict.get(node, "/Annots"))))


def _frame(objects: Objects, node: generic.DictionaryObject, inherited: dict[str, Any]) -> PageFrame:
    media = objects.box(inherited.get("/MediaBox")) or UserBox(0, 0, 612, 792)
    crop = objects.box(inherited.get("/CropBox")) or media
    visible = UserBox(
        max(media.llx, crop.llx),
        max(media.lly, crop.lly),
        min(media.urx, crop.urx),
        min(media.ury, crop.ury),
    )
    if visible.width <= 0 or visible.height <= 0:
        visible = media
    rotate = objects.resolve(inherited.get("/Rotate"))
    unit = objects.entry(node, "/UserUnit")
    return PageFrame(
        visible,
        int(rotate) % 360 // 90 * 90 if isinstance(rotate, generic.NumberObject) else 0,
        float(unit) if isinstance(unit, generic.NumberObject | generic.FloatObject) and unit > 0 else 1.0,
    )


class _PageWalk:
    """One walk over the page tree."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._labels: dict[Key, str] = {}
        self._pages: list[PageNode] = []
        self._leaves: list[_Leaf] = []
        self._nodes: set[Key] = set()
        self._left = _MAX_NODES
        self._annotations = _MAX_ANNOTATIONS

    def run(self, raw: Any) -> PageList:
        self._objects.asked_since()
        self._walk(raw, {}, "pages", frozenset())
        pages_of: dict[Key, list[int]] = {}
        for page in self._pages:
            for key in _listed(page):
                pages_of.setdefault(key, []).append(page.index)
        return PageList(
            key_of(raw),
            tuple(self._pages),
            self._labels,
            {key: tuple(indexes) for key, indexes in pages_of.items()},
            tuple(self._leaves),
            frozenset(self._nodes) | self._objects.asked_since(),
        )

    def _walk(self, raw: Any, inherited: dict[str, Any], path: str, above: frozenset[Key]) -> None:
        self._left -= 1
        if self._left < 0:
            raise LimitError
        # What was asked for before this node belongs to the tree above it.
        self._nodes |= self._objects.asked_since()
        node = self._objects.resolve(raw)
        if not isinstance(node, generic.DictionaryObject):
            return
        key = key_of(raw)
        if (key is not None and key in above) or len(above) > _MAX_DEPTH:
            raise UnreadableError("verify_damaged")
        if "/Kids" not in node:
            self._leaf(raw, node, inherited)
            return
        here = inherited | {k: dict.get(node, k) for k in _PAGE_INHERITS if k in node}
        if key is not None:
            self._labels[key] = path
        deeper = above | {key} if key is not None else above
        for n, kid in enumerate(self._objects.array(dict.get(node, "/Kids"))):
            self._walk(kid, here, f"{path}.{n}", deeper)

    def _leaf(self, raw: Any, node: generic.DictionaryObject, inherited: dict[str, Any]) -> None:
        index = len(self._pages)
        page = _page(self._objects, index, node, inherited)
        self._annotations -= len(page.annotations)
        if index >= MAX_PAGES or self._annotations < 0:
            raise LimitError
        if (key := key_of(raw)) is not None:
            self._labels[key] = f"page {index}"
        self._pages.append(page)
        self._leaves.append(_Leaf(raw, inherited, self._objects.asked_since()))


# Fields


@dataclass(frozen=True)
class _Known:
    """A field that hangs from the form itself, its places by name, and the objects that make it."""

    field: FormField
    labels: dict[Key, str]
    keys: frozenset[Key]


@dataclass
class FieldList:
    """All terminal fields by full name, the nodes above them, and the places of both by name."""

    fields: dict[str, FormField] = field(default_factory=dict)
    nodes: dict[str, generic.DictionaryObject] = field(default_factory=dict)
    labels: dict[Key, str] = field(default_factory=dict)
    field_of: dict[Key, str] = field(default_factory=dict)
    known: dict[Key, _Known] = field(default_factory=dict)


def list_fields(
    objects: Objects, raws: Sequence[Any], pages: PageList, earlier: FieldList | None, told: set[Key]
) -> FieldList:
    """The fields under the form's /Fields. Raises LimitError and what pyHanko raises.

    `told` are the objects that the file tells of since `earlier`, and the annotations that moved since.
    """
    return _FieldWalk(objects, pages, earlier.known if earlier is not None else {}, told).run(raws)


class _FieldWalk:
    """One walk over the form."""

    def __init__(self, objects: Objects, pages: PageList, known: dict[Key, _Known], told: set[Key]) -> None:
        self._objects = objects
        self._pages_of = pages.pages_of
        self._known = known
        self._told = told
        self._left = MAX_FIELDS
        self._count: dict[str, int] = {}
        self._list = FieldList()

    def run(self, raws: Sequence[Any]) -> FieldList:
        if len(raws) > self._left:
            raise LimitError
        for raw in raws:
            key = key_of(raw)
            known = self._known.get(key) if key is not None else None
            if known is not None and known.keys.isdisjoint(self._told) and known.field.name not in self._count:
                self._take(known, key)
                continue
            self._objects.asked_since()
            nodes, before = len(self._list.nodes), len(self._list.fields)
            for found in self._walk(raw, "", {}, 0):
                self._list.fields[found.name] = found
            if key is not None and len(self._list.nodes) == nodes and len(self._list.fields) == before + 1:
                self._keep(key)
        return self._list

    def _take(self, known: _Known, key: Key | None) -> None:
        found = known.field
        self._left -= 1 + len(found.widgets)
        if self._left < 0:
            raise LimitError
        self._count[found.name] = 1
        self._list.fields[found.name] = found
        self._list.labels |= known.labels
        self._list.field_of |= dict.fromkeys(known.labels, found.name)
        if key is not None:
            self._list.known[key] = known

    def _keep(self, key: Key) -> None:
        found = next(reversed(self._list.fields.values()))
        if self._count.get(found.name) != 1:
            return
        own = [key, *(widget.key for widget in found.widgets if widget.key is not None)]
        labels = {one: self._list.labels[one] for one in own if one in self._list.labels}
        self._list.known[key] = _Known(found, labels, self._objects.asked_since() | frozenset(own))

    def _walk(self, raw: Any, prefix: str, inherited: dict[str, Any], depth: int) -> Iterator[FormField]:
        node = self._objects.resolve(raw)
        if not isinstance(node, generic.DictionaryObject):
            return
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise LimitError
        part = self._objects.entry(node, "/T")
        name = f"{prefix}.{part}" if prefix and part is not None else str(part if part is not None else prefix)
        here = inherited | {k: dict.get(node, k) for k in _FIELD_INHERITS if k in node}
        kids = self._objects.array(dict.get(node, "/Kids"))
        if len(kids) > self._left:
            raise LimitError
        named = [kid for kid in kids if self._has_name(kid)]
        key = key_of(raw)
        if named:
            node_name = name if name not in self._list.nodes else f"{name}#{len(self._list.nodes)}"
            self._list.nodes[node_name] = node
            if key is not None:
                self._list.labels[key] = f"form node {node_name}"
            for kid in named:
                yield from self._walk(kid, name, here, depth + 1)
            return
        # Two fields of one name are wrong but met in files put together by careless programs.
        count = self._count.get(name, 0)
        self._count[name] = count + 1
        if count:
            name = f"{name}#{count + 1}"
        yield self._terminal(raw, node, name, here, kids)

    def _terminal(
        self, raw: Any, node: generic.DictionaryObject, name: str, inherited: dict[str, Any], kids: Sequence[Any]
    ) -> FormField:
        self._label(raw, f"field {name}", name)
        widgets = [self._widget(raw, node)] if "/Rect" in node or not kids else []
        for n, kid in enumerate(kids):
            widget = self._objects.resolve(kid)
            if isinstance(widget, generic.DictionaryObject):
                widgets.append(self._widget(kid, widget))
                self._label(kid, f"field {name} widget {n}", name)
        self._left -= len(widgets)
        return FormField(name, str(self._objects.resolve(inherited.get("/FT")) or ""), node, inherited, tuple(widgets))

    def _label(self, raw: Any, label: str, name: str) -> None:
        if (key := key_of(raw)) is not None:
            self._list.labels[key] = label
            self._list.field_of[key] = name

    def _has_name(self, raw: Any) -> bool:
        kid = self._objects.resolve(raw)
        return isinstance(kid, generic.DictionaryObject) and "/T" in kid

    def _widget(self, raw: Any, node: generic.DictionaryObject) -> Widget:
        key = key_of(raw)
        pages = self._pages_of.get(key, ()) if key is not None else ()
        return Widget(node, key, pages[0] if pages else None, self._objects.box(dict.get(node, "/Rect")))
