"""Documents made and signed by the tests of verification, with pyHanko's own signer."""

import asyncio
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import PdfResources, RawContent, ResourceType
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import (
    AxisAlignment,
    BoxConstraints,
    InnerScaling,
    Margins,
    SimpleBoxLayoutRule,
)
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, PdfTimeStamper
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.support.signer import KeySigner
from tests.verification.small_pki import NOW, Holder

pdf: Any = generic
"""pyHanko's constructors carry no types."""

Writer = Any
"""pyHanko's IncrementalPdfFileWriter, which is typed only in parts."""


class StillWriter(IncrementalPdfFileWriter):
    """An increment that leaves the time of change alone, so that no second of the clock adds a change of its own."""

    def _update_meta(self) -> None:
        pass


LINES = (
    "CONG HOA XA HOI CHU NGHIA VIET NAM",
    "So: ............/QD-UBND",
    "Dieu 1. Chi 1.250.000.000 dong cho cong trinh thuy loi.",
    "Dieu 2. Quyet dinh nay co hieu luc tu ngay ky.",
)


def make_document(pages: int = 2, extra: str = "") -> bytes:
    """A hand-written PDF 1.7 of A4 pages: black Helvetica lines from y = 780 downwards, 40 pt apart."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for n in range(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * n} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> {extra} >>".encode()
        )
        text = "".join(f"BT /F1 14 Tf 80 {780 - 40 * i} Td ({line}) Tj ET\n" for i, line in enumerate(LINES))
        content = text.encode()
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    return assemble(dict(enumerate(objects, start=1)))


def assemble(objects: Mapping[int, bytes]) -> bytes:
    """A PDF 1.7 of these objects with a cross-reference table; object 1 is the catalog, no number is left out."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number in range(1, len(objects) + 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, objects[number]))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(
        b"trailer\n<< /Size %d /Root 1 0 R /ID [<00><00>] >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    )
    return out.getvalue()


def hybrid(document: bytes) -> bytes:
    """The same document with a cross-reference stream beside its table, as Word writes it (ISO 32000-1, 7.5.8.4)."""
    table = document.rindex(b"xref\n0 ", 0, document.rindex(b"startxref"))
    count = int(document[table:].split()[2])
    entry = bytes([1]) + table.to_bytes(3, "big") + b"\0"
    stream = (
        b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 3 1] /Index [%d 1] /Root 1 0 R /Length 5 >>\n"
        b"stream\n%b\nendstream\nendobj\n" % (count, count + 1, count, entry)
    )
    tail = document[table : document.rindex(b"startxref")].replace(
        b"/Size %d" % count, b"/Size %d /XRefStm %d" % (count + 1, table)
    )
    return document[:table] + stream + tail + b"startxref\n%d\n%%%%EOF\n" % (table + len(stream))


Box = tuple[int, int, int, int]


def drawing(content: str, box: Box, *, multiply: bool = False, opacity: float | None = None) -> StaticStampStyle:
    """A stamp that draws PDF operators as given, in points from the lower left of its box.

    With `multiply` all of it darkens what lies below; with `opacity` there is a graphics state /Half of it.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    resources = None
    if multiply:
        resources = PdfResources()  # type: ignore[no-untyped-call]
        resources[ResourceType.EXT_G_STATE][pdf_name("/Mult")] = pdf.DictionaryObject(
            {pdf_name("/BM"): pdf_name("/Multiply")}
        )
        content = f"/Mult gs {content}"
    if opacity is not None:
        resources = PdfResources()  # type: ignore[no-untyped-call]
        resources[ResourceType.EXT_G_STATE][pdf_name("/Half")] = pdf.DictionaryObject(
            {pdf_name("/ca"): pdf.FloatObject(opacity)}
        )
    return StaticStampStyle(
        border_width=0,
        background=RawContent(content.encode(), resources=resources, box=BoxConstraints(width=width, height=height)),
        background_layout=SimpleBoxLayoutRule(
            AxisAlignment.ALIGN_MIN,
            AxisAlignment.ALIGN_MIN,
            margins=Margins(0, 0, 0, 0),
            inner_content_scaling=InnerScaling.NO_SCALING,
        ),
    )


Preparation = Callable[[Writer], None]


@dataclass(frozen=True)
class SignAs:
    """How one signature of a test is made. `box` None is invisible; pages count from 0."""

    field: str
    box: Box | None = None
    page: int = 0
    style: StaticStampStyle | None = None
    certify: MDPPerm | None = None
    lock: FieldMDPSpec | None = None
    existing: bool = False
    at: dt.datetime | None = NOW
    timestamp_at: dt.datetime | None = None
    digest: str = "sha256"
    before: Sequence[Preparation] = ()
    lenient: bool = False
    """Whether the document is read leniently for it: pyHanko refuses to extend what is odd."""
    room: int = 16_384
    """Hex digits for the CMS. pyHanko reads its digits one by one, so that little room makes quick tests."""


def sign(document: bytes, holder: Holder, how: SignAs, tsa: Holder | None = None) -> bytes:
    strict = b"/XRefStm" not in document and not how.lenient
    writer: Writer = StillWriter(io.BytesIO(document), strict=strict)
    for prepare in how.before:
        prepare(writer)
    if not how.existing:
        append_signature_field(writer, SigFieldSpec(how.field, on_page=how.page, box=how.box, field_mdp_spec=how.lock))
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple(holder.chain)
    signer = KeySigner(holder.asn1, holder.key, store)
    signer_ = PdfSigner(
        PdfSignatureMetadata(
            field_name=how.field,
            md_algorithm=how.digest,
            subfilter=SigSeedSubFilter.PADES,
            certify=how.certify is not None,
            docmdp_permissions=how.certify or MDPPerm.FILL_FORMS,
        ),
        signer,
        stamp_style=how.style or drawing("", how.box or (0, 0, 1, 1)),
        timestamper=timestamper(tsa, how.timestamp_at) if tsa is not None else None,
    )
    session = signer_.init_signing_session(writer, existing_fields_only=True)
    session.system_time = how.at if how.at is not None else NOW
    tbs = session.prepare_tbs_document(validation_info=None, bytes_reserved=how.room)
    prepared, output = tbs.digest_tbs_document()
    asyncio.run(tbs.perform_signature(prepared.document_digest, PdfCMSSignedAttributes()))
    output.seek(0)
    data: bytes = output.read()
    return data


def timestamper(tsa: Holder, at: dt.datetime | None) -> DummyTimeStamper:
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple(tsa.chain)
    return DummyTimeStamper(tsa.asn1, tsa.asn1_key, store, fixed_dt=at or NOW)


def append_timestamp(document: bytes, tsa: Holder, at: dt.datetime = NOW) -> bytes:
    """A document timestamp in an increment of its own."""
    writer: Writer = StillWriter(io.BytesIO(document), strict=b"/XRefStm" not in document)
    stamper = PdfTimeStamper(timestamper(tsa, at))
    output = stamper.timestamp_pdf(writer, "sha256", bytes_reserved=16_384)
    data: bytes = output.getvalue()
    return data


def increment(document: bytes, *prepare: Preparation) -> bytes:
    """An increment that nobody signs."""
    writer: Writer = StillWriter(io.BytesIO(document), strict=b"/XRefStm" not in document)
    for step in prepare:
        step(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def page_object(writer: Writer, page: int = 0) -> Any:
    """The page's dictionary, marked for writing again."""
    return writer.find_page_for_modification(page)[0].get_object()


def text_field(name: str, box: Box, value: str | None = None) -> Preparation:
    """Makes a text field on the first page; its appearance is empty."""

    def prepare(writer: Writer) -> None:
        page_ref = writer.find_page_for_modification(0)[0]
        entries = {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Tx"),
            pdf_name("/T"): pdf_string(name),
            pdf_name("/F"): pdf.NumberObject(4),
            pdf_name("/Rect"): pdf.ArrayObject([pdf.NumberObject(n) for n in box]),
            pdf_name("/P"): page_ref,
            pdf_name("/AP"): appearance(writer, box, ""),
        }
        if value is not None:
            entries[pdf_name("/V")] = pdf_string(value)
        field_ref = writer.add_object(pdf.DictionaryObject(entries))
        page = page_ref.get_object()
        if "/Annots" not in page:
            page["/Annots"] = pdf.ArrayObject()
        page["/Annots"].append(field_ref)
        writer.update_container(page["/Annots"])
        if "/AcroForm" not in writer.root:
            writer.root["/AcroForm"] = writer.add_object(pdf.DictionaryObject({pdf_name("/Fields"): pdf.ArrayObject()}))
            writer.update_root()
        writer.root["/AcroForm"]["/Fields"].append(field_ref)
        writer.update_container(writer.root["/AcroForm"]["/Fields"])

    return prepare


def appearance(writer: Writer, box: Box, content: str) -> Any:
    """An /AP with one stream that draws `content` in a box of this size."""
    font = pdf.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Font"),
            pdf_name("/Subtype"): pdf_name("/Type1"),
            pdf_name("/BaseFont"): pdf_name("/Helvetica"),
        }
    )
    stream = pdf.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): pdf.ArrayObject([pdf.NumberObject(n) for n in (0, 0, box[2] - box[0], box[3] - box[1])]),
            pdf_name("/Resources"): pdf.DictionaryObject(
                {pdf_name("/Font"): pdf.DictionaryObject({pdf_name("/F1"): font})}
            ),
        },
        stream_data=content.encode(),
    )
    return pdf.DictionaryObject({pdf_name("/N"): writer.add_object(stream)})


def fill(name: str, value: str, content: str | None = None) -> Preparation:
    """Fills a text field and draws the value (or `content`) in it."""

    def prepare(writer: Writer) -> None:
        for item in writer.root["/AcroForm"]["/Fields"]:
            found = item.get_object()
            if found["/T"] == name:
                x0, y0, x1, y1 = (int(n) for n in found["/Rect"])
                drawn = content if content is not None else f"BT /F1 12 Tf 2 4 Td ({value}) Tj ET"
                found["/V"] = pdf_string(value)
                found["/AP"] = appearance(writer, (x0, y0, x1, y1), drawn)
                writer.mark_update(item.reference)

    return prepare


def annotate(box: Box, content: str, page: int = 0) -> Preparation:
    """Lays a stamp annotation over the page."""

    def prepare(writer: Writer) -> None:
        page_ref = writer.find_page_for_modification(page)[0]
        annotation = pdf.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/Stamp"),
                pdf_name("/F"): pdf.NumberObject(4),
                pdf_name("/Rect"): pdf.ArrayObject([pdf.NumberObject(n) for n in box]),
                pdf_name("/AP"): appearance(writer, box, content),
            }
        )
        writer.register_annotation(page_ref, writer.add_object(annotation))

    return prepare
