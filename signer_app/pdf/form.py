"""Form fields that a step makes for a later signer, or fills: empty text fields, empty signature fields, values.

Runs in a worker, on an increment that is being written. NeedAppearances is never set: what is shown is the appearance
that gets signed.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, SigFieldSpec, append_signature_field

from signer_app.pdf.appearance import DrawnAppearance
from signer_app.pdf.fields import entry, find_field, widget_box, widget_page
from signer_app.pdf.geometry import PageFrame, UserBox
from signer_app.pdf.objects import array, dictionary, put
from signer_app.pdf.pagetext import open_document
from signer_app.pdf.plan import Drawing, FillTextField, MakeSignatureField, MakeTextField, SignStep
from signer_resources.errors import KnownError


class Frames:
    """The displayed shape of each page, by PDFium, read when first asked for."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._known: dict[int, PageFrame] = {}

    def __getitem__(self, page: int) -> PageFrame:
        if page not in self._known:
            document = open_document(self._source)
            try:
                self._known[page] = document.frame(page)
            finally:
                document.close()
        return self._known[page]


def make_fields(writer: IncrementalPdfFileWriter, step: SignStep, frames: Frames, moment: dt.datetime) -> None:
    """The empty fields that the step makes for a later signer."""
    for make in step.make:
        box = frames[make.page].to_user(make.rect)
        if isinstance(make, MakeSignatureField):
            lock = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=list(make.locks)) if make.locks else None
            append_signature_field(
                writer,
                SigFieldSpec(
                    make.name,
                    on_page=make.page,
                    box=corners(box),
                    field_mdp_spec=lock,
                    readable_field_name=make.label,
                ),
            )
        else:
            _make_text_field(writer, make, box, frames, moment)


def _make_text_field(
    writer: IncrementalPdfFileWriter, make: MakeTextField, box: UserBox, frames: Frames, moment: dt.datetime
) -> None:
    form = _ensure_form(writer)
    page = writer.find_page_for_modification(make.page)[0]  # type: ignore[no-untyped-call]
    empty = DrawnAppearance(frames[make.page], Drawing(()), {}, moment).form(writer, box)
    field = dictionary(
        {
            "/Type": "/Annot",
            "/Subtype": "/Widget",
            "/FT": "/Tx",
            "/T": pdf_string(make.name),
            "/TU": generic.TextStringObject(make.label),
            "/F": 4,
            "/Rect": array(round(v, 4) for v in corners(box)),
            "/P": page,
            # A viewer that fills the field itself gets letters of the same kind; ours come as a fixed appearance.
            "/DA": pdf_string(f"/TiRo {make.size:g} Tf 0 g"),
            "/AP": dictionary({"/N": writer.add_object(empty)}),
        }
    )
    reference = writer.add_object(field)
    form["/Fields"].append(reference)
    writer.update_container(form["/Fields"])
    writer.register_annotation(page, reference)  # type: ignore[no-untyped-call]


def _ensure_form(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    """The AcroForm dictionary with a list of fields and a font that default appearances name."""
    root = writer.root
    form = entry(root, "/AcroForm")
    if not isinstance(form, generic.DictionaryObject):
        form = dictionary()
        put(root, "/AcroForm", writer.add_object(form))
        writer.update_root()  # type: ignore[no-untyped-call]
    if "/Fields" not in form:
        put(form, "/Fields", array(()))
        writer.update_container(form)
    fonts = _inner_dictionary(writer, _inner_dictionary(writer, form, "/DR"), "/Font")
    if "/TiRo" not in fonts:
        times = dictionary({"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Times-Roman"})
        put(fonts, "/TiRo", writer.add_object(times))
        writer.update_container(fonts)
    return form


def _inner_dictionary(
    writer: IncrementalPdfFileWriter, outer: generic.DictionaryObject, key: str
) -> generic.DictionaryObject:
    """The dictionary under `key`, made when there is none."""
    inner = entry(outer, key)
    if not isinstance(inner, generic.DictionaryObject):
        inner = dictionary()
        put(outer, key, inner)
        writer.update_container(outer)
    return inner


def fill_field(
    writer: IncrementalPdfFileWriter,
    fill: FillTextField,
    frames: Frames,
    images: Mapping[str, bytes],
    moment: dt.datetime,
) -> None:
    """Puts a value and its fixed appearance into an existing empty text field; KnownError "field_missing"."""
    field = find_field(writer.root, fill.name)
    if field is None:
        raise KnownError("field_missing", field=fill.name)
    box, page = widget_box(field), widget_page(writer.prev, field)
    if box is None or page is None:
        raise KnownError("field_missing", field=fill.name)
    shown = DrawnAppearance(frames[page], fill.drawing, images, moment).form(writer, box)
    put(field, "/V", generic.TextStringObject(fill.value))
    put(field, "/AP", dictionary({"/N": writer.add_object(shown)}))
    writer.update_container(field)


def corners(box: UserBox) -> Any:
    """As pyHanko takes a box: it asks for whole numbers and works with any."""
    return box.llx, box.lly, box.urx, box.ury
