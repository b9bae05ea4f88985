"""`prepare` and `finish`: a file up to the bytes that the token signs, and the signature put in afterwards.

Runs in a worker, file in, file out, in chunks. `prepare` is a pure function of source bytes, step and signing time:
called twice it gives the same output and the same `to_be_signed`. Between the two nothing is held: `Prepared` is all
that `finish` needs. pyHanko's PdfSigner does the PDF work, so that its checks of DocMDP, locks, seed values and
cross-references stay in force.
"""

import asyncio
import datetime as dt
import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from asn1crypto import algos, cms, core, tsp, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
)
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_cms import ExternalSigner, PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer_app.pdf.appearance import DrawnAppearance, StepStampStyle
from signer_app.pdf.fields import entry, find_field, widget_box, widget_page
from signer_app.pdf.geometry import PageFrame, UserBox
from signer_app.pdf.model import Prepared
from signer_app.pdf.objects import array, dictionary, put
from signer_app.pdf.pagetext import open_document
from signer_app.pdf.plan import VIETNAM, Drawing, FillTextField, MakeSignatureField, MakeTextField, SignStep, canonical
from signer_resources.errors import KnownError

CONTENTS_BYTES = 32_768
"""Room for the CMS in bytes: RSA-3072, the chain and a timestamp fit with much to spare (profile rule)."""

_CHUNK = 1 << 20
_DIGEST = "sha256"

# pyHanko tells of each odd file on its logger; what matters comes back as a finding.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


class _PureIncrementalWriter(IncrementalPdfFileWriter):
    """An increment without chance and clock, so that the same input gives the same bytes.

    The file identifier is not random: ISO 32000-1, 14.4 asks that its second part changes with the content, and a hash
    of what makes the content does that. Info dictionary and XMP stay as they are: pyHanko would put the time of this
    PC's clock and zone in them, and its own name; the time of signing stands in the signature.
    """

    seed: bytes = b""

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        changing = generic.ByteStringObject(hashlib.sha256(cls.seed).digest()[:16])
        try:
            first = prev.trailer["/ID"][0]
        except (KeyError, IndexError, TypeError):
            return generic.ArrayObject([changing, changing])
        original = getattr(first, "original_bytes", None)
        kept = generic.ByteStringObject(original if original is not None else bytes(first))
        return generic.ArrayObject([kept, changing])

    def _update_meta(self) -> None:
        pass


def open_increment(source: IO[bytes], seed: bytes) -> IncrementalPdfFileWriter:
    """A writer that appends to `source`; lenient only where the strict reader gives up (Word's hybrid files).

    Raises what pyHanko raises for files that it can't extend.
    """
    writer_type = type("_SeededWriter", (_PureIncrementalWriter,), {"seed": seed})
    try:
        writer: IncrementalPdfFileWriter = writer_type(source)
        if writer.prev.xrefs.hybrid_xrefs_present:
            raise PdfError("hybrid cross-reference sections")
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        source.seek(0)
        writer = writer_type(source, strict=False)
    return writer


def prepare(
    source: Path,
    output: Path,
    step: SignStep,
    *,
    images: Mapping[str, Path],
    moment: dt.datetime,
    certificate: bytes,
    chain: Sequence[bytes],
    source_sha256: str | None = None,
) -> Prepared:
    """Writes `source` plus the step's increment with an empty signature to `output`.

    `certificate` and `chain` are DER, the chain from the issuer upwards; `moment` is aware. With
    `source_sha256` the source must still be those bytes. KnownError `blob_damaged`, `image_unusable`, or
    `pdf_not_signable` with pyHanko's reason.
    """
    moment = moment.astimezone(VIETNAM).replace(microsecond=0)
    signer = _external_signer(certificate, chain, None)
    digest_in = _file_digest(source)
    if source_sha256 is not None and digest_in.hex() != source_sha256:
        raise KnownError("blob_damaged", sha256=source_sha256)
    seed = b"\0".join((digest_in, canonical(step), moment.isoformat().encode()))
    frames = _Frames(source)
    try:
        with source.open("rb") as handle, output.open("w+b") as target:
            writer = open_increment(handle, seed)
            writer.IO_CHUNK_SIZE = _CHUNK
            _make_fields(writer, step, frames, moment)
            for fill in step.fill:
                _fill_field(writer, fill, frames, images, moment)
            pdf_signer = PdfSigner(
                PdfSignatureMetadata(
                    field_name=step.field,
                    md_algorithm=_DIGEST,
                    subfilter=SigSeedSubFilter.PADES,
                    name=signer.subject_name,
                ),
                signer,
                stamp_style=_stamp_style(writer, step, frames, images, moment),
                new_field_spec=None if step.existing else _new_field(step, frames),
            )
            session = pdf_signer.init_signing_session(writer, existing_fields_only=step.existing)
            session.system_time = moment
            document = session.prepare_tbs_document(validation_info=None, bytes_reserved=CONTENTS_BYTES * 2)
            digest, _ = document.digest_tbs_document(output=target, chunk_size=_CHUNK)
    except (KnownError, OSError):
        # A full disk is no fault of the file.
        raise
    except SigningError as error:
        raise KnownError("pdf_not_signable", reason=str(error)) from error
    except Exception as error:
        # pyHanko fails with many exception types on odd files, not only its own.
        raise KnownError("pdf_not_signable", reason=f"{type(error).__name__}: {error}") from error
    attributes = asyncio.run(
        signer.signed_attrs(digest.document_digest, _DIGEST, attr_settings=PdfCMSSignedAttributes(), use_pades=True)
    )
    return Prepared(attributes.dump(), digest.document_digest, digest.reserved_region_start, digest.reserved_region_end)


def finish(
    prepared_file: Path,
    prepared: Prepared,
    *,
    certificate: bytes,
    chain: Sequence[bytes],
    signature: bytes,
    timestamp: bytes | None,
) -> None:
    """Puts the CMS into the gap of `prepared_file`, in place.

    `signature` is the token's RSA signature over `prepared.to_be_signed`; `timestamp` the DER of an RFC 3161 token
    over the SHA-256 of `signature`, or None. The file on disk is complete when this returns.
    """
    signer = _external_signer(certificate, chain, signature)
    content = asyncio.run(
        signer.async_sign_prescribed_attributes(
            _DIGEST,
            signed_attrs=cms.CMSAttributes.load(prepared.to_be_signed),
            timestamper=_FetchedTimestamp(timestamp) if timestamp is not None else None,
        )
    )
    gap = PreparedByteRangeDigest(prepared.document_digest, prepared.gap_start, prepared.gap_end)
    with prepared_file.open("r+b") as handle:
        gap.fill_with_cms(handle, content)


class _FetchedTimestamp(TimeStamper):
    """Hands out the timestamp token that the network pool fetched; asks nobody."""

    def __init__(self, token: bytes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._token = cms.ContentInfo.load(token)

    async def async_dummy_response(self, md_algorithm: str) -> cms.ContentInfo:
        return self._token

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        return self._token

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        raise RuntimeError("the timestamp was fetched before")


class _Frames:
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


def _external_signer(certificate: bytes, chain: Sequence[bytes], signature: bytes | None) -> ExternalSigner:
    own = x509.Certificate.load(certificate)
    return ExternalSigner(
        own,
        SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
            [x509.Certificate.load(der) for der in chain]
        ),
        signature_value=signature,
        # What signing practice in Vietnam writes: rsaEncryption with explicit NULL, not the combined identifier.
        signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()}),
        embed_roots=True,
    )


def _make_fields(writer: IncrementalPdfFileWriter, step: SignStep, frames: _Frames, moment: dt.datetime) -> None:
    for make in step.make:
        box = frames[make.page].to_user(make.rect)
        if isinstance(make, MakeSignatureField):
            lock = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=list(make.locks)) if make.locks else None
            append_signature_field(
                writer,
                SigFieldSpec(
                    make.name,
                    on_page=make.page,
                    box=_corners(box),
                    field_mdp_spec=lock,
                    readable_field_name=make.label,
                ),
            )
        else:
            _make_text_field(writer, make, box, frames, moment)


def _make_text_field(
    writer: IncrementalPdfFileWriter, make: MakeTextField, box: UserBox, frames: _Frames, moment: dt.datetime
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
            "/Rect": array(round(v, 4) for v in _corners(box)),
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


def _fill_field(
    writer: IncrementalPdfFileWriter,
    fill: FillTextField,
    frames: _Frames,
    images: Mapping[str, Path],
    moment: dt.datetime,
) -> None:
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


def _stamp_style(
    writer: IncrementalPdfFileWriter,
    step: SignStep,
    frames: _Frames,
    images: Mapping[str, Path],
    moment: dt.datetime,
) -> StepStampStyle:
    if step.drawing is None or step.page is None or step.rect is None:
        return StepStampStyle()
    frame = frames[step.page]
    box = frame.to_user(step.rect)
    if step.existing:
        field = find_field(writer.root, step.field)
        known = widget_box(field) if field is not None else None
        if known is None:
            raise KnownError("field_missing", field=step.field)
        box = known
    return StepStampStyle(appearance=DrawnAppearance(frame, step.drawing, images, moment), field_box=box)


def _new_field(step: SignStep, frames: _Frames) -> SigFieldSpec:
    if step.page is None or step.rect is None:
        return SigFieldSpec(step.field)
    return SigFieldSpec(step.field, on_page=step.page, box=_corners(frames[step.page].to_user(step.rect)))


def _corners(box: UserBox) -> Any:
    """As pyHanko takes a box: it asks for whole numbers and works with any."""
    return box.llx, box.lly, box.urx, box.ury


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()
