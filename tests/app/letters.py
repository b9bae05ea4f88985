"""Letters for the tests of the whole program: written here, and signed elsewhere, by other software with other keys."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer_app.demo.leaf import Leaf
from tests.pdf.paper import BOLD, ITALIC, MM, Words, page_of
from tests.support.signer import KeySigner

COMMUNE = ("ỦY BAN NHÂN DÂN", "XÃ HÒA SƠN")
LEADER = "Nguyễn Thị Phượng"


@dataclass(frozen=True)
class Wording:
    """What stands on a letter in the layout of Decree 30/2020, appendix I."""

    body: tuple[str, ...] = COMMUNE
    number_line: str = "Số:        /QĐ-UBND"
    date_line: str = "Hòa Sơn, ngày      tháng      năm 2026"
    signer: str = LEADER
    mark: str | None = None
    """Ô 10a."""
    text: str = "Căn cứ chức năng, nhiệm vụ được giao, kính đề nghị các cơ quan phối hợp thực hiện."


def write_letter(target: Path, wording: Wording) -> Path:
    """A letter of one page, not signed."""
    left = [Words(60, 25 + 6 * line, part, BOLD, 12, centred=True) for line, part in enumerate(wording.body)]
    words = [
        *left,
        Words(140, 25, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", BOLD, 12, centred=True),
        Words(140, 31, "Độc lập - Tự do - Hạnh phúc", BOLD, 13, centred=True),
        Words(60, 40, wording.number_line, size=13, centred=True),
        Words(140, 40, wording.date_line, ITALIC, 13, centred=True),
        Words(105, 65, "QUYẾT ĐỊNH", BOLD, 14, centred=True),
        Words(105, 72, "Về việc phối hợp thực hiện nhiệm vụ", BOLD, 14, centred=True),
        Words(30, 90, wording.text, size=13),
        Words(140, 130, "TM. ỦY BAN NHÂN DÂN", BOLD, 13, centred=True),
        Words(140, 136, "CHỦ TỊCH", BOLD, 13, centred=True),
        Words(140, 172, wording.signer, BOLD, 14, centred=True),
        Words(30, 136, "Nơi nhận:", ITALIC, 12),
        Words(30, 141, "- Như trên;", size=11),
        Words(30, 146, "- Lưu: VT.", size=11),
    ]
    if wording.mark is not None:
        words.append(Words(60, 50, wording.mark, BOLD, 13, centred=True))
    target.write_bytes(page_of(words))
    return target


SIGNING_ROOM = (120.0, 142.0, 40.0, 20.0)
"""In mm from the top left: between title and name of `write_letter`."""


def signed_elsewhere(
    source: Path,
    target: Path,
    certificate: bytes,
    key: rsa.RSAPrivateKey,
    chain: tuple[bytes, ...] = (),
    *,
    certify: MDPPerm | None = None,
    place: tuple[float, float, float, float] | None = SIGNING_ROOM,
    field: str = "Signature1",
) -> Path:
    """Signed by other software, visibly in `place` of page 1 or not at all, certifying if `certify` says how."""
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple(x509.Certificate.load(der) for der in chain)
    signer = KeySigner(x509.Certificate.load(certificate), key, store)
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()), strict=False)
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        certify=certify is not None,
        docmdp_permissions=certify or MDPPerm.FILL_FORMS,
    )
    spec = SigFieldSpec(field, on_page=0, box=None if place is None else _points(*place))
    out = io.BytesIO()
    PdfSigner(metadata, signer, new_field_spec=spec).sign_pdf(writer, output=out)
    target.write_bytes(out.getvalue())
    return target


def signed_by(leaf: Leaf, source: Path, target: Path, *, certify: MDPPerm | None = None) -> Path:
    """Signed elsewhere with a key of the test PKI."""
    return signed_elsewhere(source, target, leaf.certificate_der, leaf.private_key, leaf.chain_der[1:], certify=certify)


def write_over(source: Path, target: Path) -> Path:
    """One more revision that writes a word onto the page."""
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()), strict=False)
    drawn = generic.StreamObject(stream_data=b"q 0 0 0 rg 200 400 120 40 re f Q")
    writer.add_stream_to_page(0, writer.add_object(drawn))  # type: ignore[no-untyped-call]
    return _written(writer, target)


def put_a_note(source: Path, target: Path) -> Path:
    """One more revision that puts a note into the margin, which an approval signature allows (DocMDP P=3)."""
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()), strict=False)
    page = writer.root["/Pages"]["/Kids"][0]
    note: Any = generic.DictionaryObject(  # type: ignore[no-untyped-call]
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Text"),
            generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (20, 20, 40, 40))),
            generic.pdf_name("/Contents"): generic.pdf_string("xem lại"),
        }
    )
    reference = writer.add_object(note)
    if "/Annots" in page:
        page["/Annots"].append(reference)
        writer.update_container(page["/Annots"])
    else:
        page["/Annots"] = generic.ArrayObject([reference])
    writer.update_container(page)
    return _written(writer, target)


def _written(writer: IncrementalPdfFileWriter, target: Path) -> Path:
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    target.write_bytes(out.getvalue())
    return target


def _points(x: float, y: float, w: float, h: float) -> tuple[int, int, int, int]:
    top = 297.0
    return (round(x * MM), round((top - y - h) * MM), round((x + w) * MM), round((top - y) * MM))
