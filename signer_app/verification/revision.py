"""One state of the document: the file cut at the end of a revision, read by pyHanko, and what stands in it.

Runs in a worker, on files of others. Lists pages, annotations and form fields once, names the objects that have a
place of their own ("page 3", "field so"), and tells where widgets show. Decides nothing.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from signer_app.pdf.geometry import PageFrame, Rect, UserBox
from signer_app.verification.faults import BrokenError, LimitError, UnreadableError
from signer_app.verification.source import ParsedSignature, SourceFile

MAX_REVISIONS = 400
MAX_PAGES = 20_000
MAX_FIELDS = 20_000
_MAX_ANNOTATIONS = 200_000
_MAX_DEPTH = 64
_BIG_STREAM = 1 << 16
_PAGE_INHERITS = ("/MediaBox", "/CropBox", "/Rotate")
_FIELD_INHERITS = ("/FT", "/V", "/Ff", "/DV", "/DA", "/Q", "/MaxLen", "/Opt")

Key = tuple[int, int]
"""Object number and generation."""

# pyHanko tells of each odd file on its logger; what matters comes back in the report.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)


def key_of(value: Any) -> Key | None:
    """Object number and generation of a reference; None for a direct object."""
    if isinstance(value, generic.IndirectObject):
        return value.idnum, value.generation
    return None


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


class Revision:
    """The document as it was when the file ended at byte `end`.

    Raises what pyHanko raises for files that it can't read, LimitError, and UnreadableError.
    """

    def __init__(self, source: SourceFile, end: int, *, strict: bool) -> None:
        self._source = source
        self.end = end
        self.reader = PdfFileReader(source.prefix(end), strict=strict)
        if self.reader.total_revisions > MAX_REVISIONS:
            raise LimitError
        if "/Encrypt" in self.reader.trailer:
            raise UnreadableError("verify_encrypted")
        self.labels: dict[Key, str] = {}
        self.trailer = self.reader.trailer_view
        root = self.resolve(self.trailer.raw_get("/Root"))
        if not isinstance(root, generic.DictionaryObject):
            raise UnreadableError("verify_damaged")
        self.root = root
        root_key = key_of(self.trailer.raw_get("/Root"))
        if root_key is not None:
            self.labels[root_key] = "catalog"
        self.pages = list(self._pages())
        self._page_of: dict[Key, list[int]] = {}
        for page in self.pages:
            for item in page.annotations:
                if (key := key_of(item)) is not None:
                    self._page_of.setdefault(key, []).append(page.index)
        self.field_nodes: dict[str, generic.DictionaryObject] = {}
        self._field_of: dict[Key, str] = {}
        self.fields = {field.name: field for field in self._fields()}
        for page in self.pages:
            for item in page.annotations:
                if (key := key_of(item)) is not None:
                    self.labels.setdefault(key, f"annotation {key[0]} {key[1]}")

    # Objects

    def resolve(self, raw: Any) -> Any:
        """The object behind `raw`, None for null and for a reference that leads nowhere (ISO 32000-1, 7.3.10)."""
        value = raw
        for _ in range(8):
            if not isinstance(value, generic.IndirectObject):
                break
            reference = generic.Reference(value.idnum, value.generation, self.reader)
            place = self.reader.xrefs[reference]
            if place is None:
                return None
            value = self._object(reference, place)
            if isinstance(value, generic.StreamObject) and len(value.encoded_data) > _BIG_STREAM:
                # Compared once and not needed again: pages of scans would fill the memory.
                self.reader.resolved_objects.pop((reference.generation, reference.idnum), None)
        return None if isinstance(value, generic.NullObject) else value

    def _object(self, reference: generic.Reference, place: Any) -> Any:
        """The object at its place in the file; a signature's is parsed once for all revisions.

        pyHanko reads the 65,536 digits of /Contents one by one. The bytes at a place never change, so what one
        revision read there holds for every other whose file reaches as far.
        """
        key = (place, reference.idnum, reference.generation)
        known = self._source.signatures.get(key) if isinstance(place, int) else None
        if known is not None and known.end <= self.end:
            return known.dictionary
        fresh = (reference.generation, reference.idnum) not in self.reader.resolved_objects
        value = self.reader.get_object(reference)  # type: ignore[no-untyped-call]
        if fresh and isinstance(place, int) and isinstance(value, generic.DictionaryObject) and "/ByteRange" in value:
            self._source.signatures[key] = ParsedSignature(value, self.reader.stream.tell())
        return value

    def entry(self, dictionary: generic.DictionaryObject, key: str) -> Any:
        """The value under `key` with references followed, None when there is none."""
        return self.resolve(dict.get(dictionary, key))

    def array(self, value: Any) -> list[Any]:
        """The raw items of an array (or of the array a reference leads to); empty for anything else."""
        resolved = self.resolve(value)
        return list(resolved) if isinstance(resolved, generic.ArrayObject) else []

    # Where the revision ends

    @property
    def startxrefs(self) -> list[int]:
        """The startxref values of the chain, oldest first."""
        xrefs = self.reader.xrefs
        return [xrefs.get_startxref_for_revision(n) for n in range(self.reader.total_revisions)]

    def check_ending(self) -> None:
        """BrokenError `verify_after_end` when more than white space follows the last reachable %%EOF."""
        xrefs = self.reader.xrefs
        last = max(xrefs.get_xref_container_info(n).end_location for n in range(self.reader.total_revisions))
        end = self._source.end_of_revision(last, int(self.reader.last_startxref or 0), self.end)
        if end is None or not self._source.only_blank(end, self.end):
            raise BrokenError("verify_after_end")

    def continues(self, earlier: "Revision") -> bool:
        """Whether the chain of this revision has the whole chain of `earlier` as its beginning."""
        before = earlier.startxrefs
        return self.startxrefs[: len(before)] == before

    # Pages

    def _pages(self) -> Iterator[PageNode]:
        left = [MAX_PAGES, _MAX_ANNOTATIONS]
        yield from self._walk_pages(dict.get(self.root, "/Pages"), {}, "pages", set(), left, [0])

    def _walk_pages(
        self,
        raw: Any,
        inherited: dict[str, Any],
        path: str,
        above: set[Key],
        left: list[int],
        count: list[int],
    ) -> Iterator[PageNode]:
        node = self.resolve(raw)
        if not isinstance(node, generic.DictionaryObject):
            return
        key = key_of(raw)
        if (key is not None and key in above) or len(above) > _MAX_DEPTH:
            raise UnreadableError("verify_damaged")
        here = inherited | {k: dict.get(node, k) for k in _PAGE_INHERITS if k in node}
        if "/Kids" in node:
            if key is not None:
                self.labels[key] = path
            for n, kid in enumerate(self.array(dict.get(node, "/Kids"))):
                deeper = above | {key} if key is not None else above
                yield from self._walk_pages(kid, here, f"{path}.{n}", deeper, left, count)
            return
        left[0] -= 1
        annotations = tuple(self.array(dict.get(node, "/Annots")))
        left[1] -= len(annotations)
        if min(left) < 0:
            raise LimitError
        index = count[0]
        count[0] += 1
        if key is not None:
            self.labels[key] = f"page {index}"
        yield PageNode(index, node, self._frame(node, here), annotations)

    def _frame(self, node: generic.DictionaryObject, inherited: dict[str, Any]) -> PageFrame:
        media = self.box(inherited.get("/MediaBox")) or UserBox(0, 0, 612, 792)
        crop = self.box(inherited.get("/CropBox")) or media
        visible = UserBox(
            max(media.llx, crop.llx),
            max(media.lly, crop.lly),
            min(media.urx, crop.urx),
            min(media.ury, crop.ury),
        )
        if visible.width <= 0 or visible.height <= 0:
            visible = media
        rotate = self.resolve(inherited.get("/Rotate"))
        unit = self.entry(node, "/UserUnit")
        return PageFrame(
            visible,
            int(rotate) % 360 // 90 * 90 if isinstance(rotate, generic.NumberObject) else 0,
            float(unit) if isinstance(unit, generic.NumberObject | generic.FloatObject) and unit > 0 else 1.0,
        )

    def box(self, raw: Any) -> UserBox | None:
        """A rectangle array as a box; None when it is none."""
        numbers = [self.resolve(item) for item in self.array(raw)]
        if len(numbers) != 4 or not all(isinstance(n, generic.NumberObject | generic.FloatObject) for n in numbers):
            return None
        return UserBox.normalised(*(float(n) for n in numbers))

    # Fields

    @property
    def form(self) -> generic.DictionaryObject | None:
        """The /AcroForm dictionary."""
        form = self.entry(self.root, "/AcroForm")
        return form if isinstance(form, generic.DictionaryObject) else None

    def _fields(self) -> Iterator[FormField]:
        if self.form is None:
            return
        left = [MAX_FIELDS]
        names: dict[str, int] = {}
        for raw in self.array(dict.get(self.form, "/Fields")):
            yield from self._walk_fields(raw, "", {}, names, left, 0)

    def _walk_fields(
        self,
        raw: Any,
        prefix: str,
        inherited: dict[str, Any],
        names: dict[str, int],
        left: list[int],
        depth: int,
    ) -> Iterator[FormField]:
        node = self.resolve(raw)
        if not isinstance(node, generic.DictionaryObject):
            return
        left[0] -= 1
        if left[0] < 0 or depth > _MAX_DEPTH:
            raise LimitError
        part = self.entry(node, "/T")
        name = f"{prefix}.{part}" if prefix and part is not None else str(part if part is not None else prefix)
        here = inherited | {k: dict.get(node, k) for k in _FIELD_INHERITS if k in node}
        kids = self.array(dict.get(node, "/Kids"))
        named = [kid for kid in kids if self._has_name(kid)]
        key = key_of(raw)
        # Two fields of one name are wrong but met in files put together by careless programs.
        count = names.get(name, 0)
        if named:
            node_name = name if name not in self.field_nodes else f"{name}#{len(self.field_nodes)}"
            self.field_nodes[node_name] = node
            if key is not None:
                self.labels[key] = f"form node {node_name}"
            for kid in named:
                yield from self._walk_fields(kid, name, here, names, left, depth + 1)
            return
        names[name] = count + 1
        if count:
            name = f"{name}#{count + 1}"
        if key is not None:
            self.labels[key] = f"field {name}"
            self._field_of[key] = name
        own = [self._widget(raw, node)] if "/Rect" in node or not kids else []
        below = []
        for n, kid in enumerate(kids):
            widget = self.resolve(kid)
            if isinstance(widget, generic.DictionaryObject):
                below.append(self._widget(kid, widget))
                if (kid_key := key_of(kid)) is not None:
                    self.labels[kid_key] = f"field {name} widget {n}"
                    self._field_of[kid_key] = name
        left[0] -= len(below)
        yield FormField(name, str(self.resolve(here.get("/FT")) or ""), node, here, tuple(own + below))

    def _has_name(self, raw: Any) -> bool:
        kid = self.resolve(raw)
        return isinstance(kid, generic.DictionaryObject) and "/T" in kid

    def _widget(self, raw: Any, node: generic.DictionaryObject) -> Widget:
        key = key_of(raw)
        pages = self._page_of.get(key, []) if key is not None else []
        return Widget(node, key, pages[0] if pages else None, self.box(dict.get(node, "/Rect")))

    def field_of(self, key: Key) -> str | None:
        """Full name of the field whose widget this object is."""
        return self._field_of.get(key)

    def pages_of(self, key: Key) -> list[int]:
        """Indexes of the pages that list this object among their annotations."""
        return self._page_of.get(key, [])

    def signature_of(self, field: FormField) -> generic.DictionaryObject | None:
        """The signature dictionary that fills a signature field; None while it is empty."""
        if field.type != "/Sig":
            return None
        value = self.resolve(field.inherited.get("/V"))
        return value if isinstance(value, generic.DictionaryObject) else None

    def is_timestamp(self, signature: generic.DictionaryObject) -> bool:
        """Whether a signature dictionary is a document timestamp (ISO 32000-2, 12.8.5)."""
        return bool(
            self.entry(signature, "/Type") == "/DocTimeStamp" or self.entry(signature, "/SubFilter") == "/ETSI.RFC3161"
        )

    def share_of_page(self, widget: Widget) -> float:
        """The part of its page that a widget takes, 0 to 1; 1 when the page isn't known."""
        if widget.box is None:
            return 0.0
        if widget.page is None:
            return 1.0 if widget.visible else 0.0
        page = self.pages[widget.page].frame.visible
        width = min(widget.box.urx, page.urx) - max(widget.box.llx, page.llx)
        height = min(widget.box.ury, page.ury) - max(widget.box.lly, page.lly)
        return max(0.0, width) * max(0.0, height) / (page.width * page.height)

    def shown_rect(self, widget: Widget) -> Rect | None:
        """Where a widget shows, in mm from the top left of its displayed page; None when it doesn't."""
        if widget.page is None or widget.box is None or not widget.visible:
            return None
        return self.pages[widget.page].frame.from_user(widget.box).rounded()
