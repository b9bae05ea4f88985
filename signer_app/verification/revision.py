"""One state of the document: the file cut at the end of a revision, and what stands in it.

Runs in a worker, on files of others. Holds pages, annotations and form fields as `listing` found them, names the
objects that have a place of their own ("page 3", "field so"), and tells where widgets show. Decides nothing.
"""

import logging
from functools import cached_property
from typing import Any

from pyhanko.pdf_utils import generic

from signer_app.pdf.geometry import Rect
from signer_app.verification.faults import BrokenError, UnreadableError
from signer_app.verification.listing import (
    FieldList,
    FormField,
    Objects,
    PageList,
    PageNode,
    Widget,
    key_of,
    list_fields,
    list_pages,
)
from signer_app.verification.reading import Key, Memory, StateReader
from signer_app.verification.source import SourceFile

__all__ = ["FormField", "Key", "PageNode", "Revision", "Widget", "key_of"]

# pyHanko tells of each odd file on its logger; what matters comes back in the report.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)


class Revision(Objects):
    """The document as it was when the file ended at byte `end`.

    `memory` is shared by all states of a file. What an `earlier` state has listed is taken over where the file since
    then tells of nothing new.

    Raises what pyHanko raises for files that it can't read, LimitError, and UnreadableError.
    """

    def __init__(
        self, source: SourceFile, end: int, memory: Memory, *, strict: bool, earlier: "Revision | None" = None
    ) -> None:
        self._source = source
        self.end = end
        self.memory = memory
        super().__init__(StateReader(source, end, memory, strict=strict, earlier=earlier.reader if earlier else None))
        self.trailer = self.reader.trailer_view
        root = self.resolve(dict.get(self.trailer, "/Root"))
        if not isinstance(root, generic.DictionaryObject):
            raise UnreadableError("verify_damaged")
        self.root = root
        told = self.told_since(earlier) if earlier is not None else None
        if earlier is None or told is None:
            self._pages: PageList = list_pages(self, dict.get(root, "/Pages"), None, set())
            self._fields: FieldList = list_fields(self, self._raw_fields(), self._pages, None, set())
        else:
            self._pages = list_pages(self, dict.get(root, "/Pages"), earlier._pages, told)
            told |= self._pages.moved_since(earlier._pages)
            known = earlier._fields if len(self._pages.pages) == len(earlier._pages.pages) else None
            self._fields = list_fields(self, self._raw_fields(), self._pages, known, told)
        self.pages = list(self._pages.pages)
        self.fields = self._fields.fields
        self.field_nodes = self._fields.nodes

    def told_since(self, earlier: "Revision") -> set[Key] | None:
        """The objects that the file tells of since an earlier state; None when this doesn't go on from that."""
        return self.reader.told_since(earlier.reader) if self.reader.extends(earlier.reader) else None

    # Places

    @cached_property
    def labels(self) -> dict[Key, str]:
        """The objects with a place of their own, by name; annotations are left to `label_of`."""
        root = key_of(dict.get(self.trailer, "/Root"))
        return ({} if root is None else {root: "catalog"}) | self._pages.labels | self._fields.labels

    def label_of(self, key: Key) -> str | None:
        """The name of an object with a place of its own; None for all others."""
        label = self.labels.get(key)
        if label is None and key in self._pages.pages_of:
            return f"annotation {key[0]} {key[1]}"
        return label

    def relabelled_since(self, earlier: "Revision") -> set[Key]:
        """The objects whose place has, or may have, another name than in an earlier state."""
        renamed = {key for key, _ in self.labels.items() ^ earlier.labels.items()}
        if len(self.pages) != len(earlier.pages):
            return renamed | self._pages.pages_of.keys() | earlier._pages.pages_of.keys()
        return renamed | self._pages.moved_since(earlier._pages)

    # Where the revision ends

    @property
    def startxrefs(self) -> list[int]:
        """The startxref values of the chain, oldest first."""
        return [section.meta_info.declared_startxref for section in self.reader.sections]

    def check_ending(self) -> None:
        """BrokenError `verify_after_end` when more than white space follows the last reachable %%EOF."""
        last = max(section.meta_info.end_location for section in self.reader.sections)
        end = self._source.end_of_revision(last, self.reader.startxref, self.end)
        if end is None or not self._source.only_blank(end, self.end):
            raise BrokenError("verify_after_end")

    def continues(self, earlier: "Revision") -> bool:
        """Whether the chain of this revision has the whole chain of `earlier` as its beginning."""
        before = earlier.startxrefs
        return self.startxrefs[: len(before)] == before

    # Fields

    @property
    def form(self) -> generic.DictionaryObject | None:
        """The /AcroForm dictionary."""
        form = self.entry(self.root, "/AcroForm")
        return form if isinstance(form, generic.DictionaryObject) else None

    def _raw_fields(self) -> list[Any]:
        return self.array(dict.get(self.form, "/Fields")) if self.form is not None else []

    def field_of(self, key: Key) -> str | None:
        """Full name of the field whose widget this object is."""
        return self._fields.field_of.get(key)

    def pages_of(self, key: Key) -> list[int]:
        """Indexes of the pages that list this object among their annotations."""
        return list(self._pages.pages_of.get(key, ()))

    def page_key(self, index: int) -> Key | None:
        """The object that is the page with this index."""
        return key_of(self._pages.leaves[index].raw)

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
