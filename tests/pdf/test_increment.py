"""Increments to odd files: what is there stays as it is, what is added can be read, and damage is told beforehand."""

import subprocess
from collections.abc import Callable
from typing import Literal

import pikepdf
import pypdfium2 as pdfium
import pytest

from signer_app.pdf.geometry import Rect
from signer_app.pdf.increment import Damage, extendable
from signer_app.pdf.plan import SignStep
from signer_app.verification.model import Integrity
from signer_resources.errors import KnownError
from tests.pdf import odd
from tests.pdf.paper import letter
from tests.pdf.signing import INVISIBLE, ROOM, Desk, text_step

_STAMP = text_step(Rect(120, 20, 60, 20), "Ký ngày hôm nay")


def _form(pdf: pikepdf.Pdf) -> None:
    """A text field without a look, in a form that leaves looks to the viewer."""
    field = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Widget,
        FT=pikepdf.Name.Tx,
        T=pikepdf.String("ten"),
        V=pikepdf.String("Nguyen Van A"),
        DA=pikepdf.String("/Helv 14 Tf 0 g"),
        F=4,
        Rect=pikepdf.Array([100, 60, 400, 90]),
    )
    reference = pdf.make_indirect(field)
    pdf.pages[0].obj.Annots = pikepdf.Array([reference])
    helvetica = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    pdf.Root.AcroForm = pikepdf.Dictionary(
        Fields=pikepdf.Array([reference]),
        NeedAppearances=True,
        DA=pikepdf.String("/Helv 0 Tf 0 g"),
        DR=pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=helvetica)),
    )


@pytest.mark.parametrize("size", [3, 900_000_000], ids=["too small", "huge"])
def test_new_objects_get_numbers_that_are_free_and_that_viewers_read(desk: Desk, size: int) -> None:
    source = desk.keep(odd.with_size(odd.plain(), size))

    output = desk.sign(source, [_STAMP])

    assert desk.recheck(source, output, [_STAMP]).fault is None
    with pikepdf.open(source) as before, pikepdf.open(output) as after:
        assert len(after.objects) < 1000
        assert after.pages[0].Contents.read_bytes() == before.pages[0].Contents.read_bytes()


def test_a_form_that_leaves_looks_to_the_viewer_still_does(desk: Desk) -> None:
    source = desk.keep(odd.plain(_form))

    output = desk.sign(source, [_STAMP])

    assert desk.recheck(source, output, [_STAMP]).fault is None
    with pikepdf.open(output) as after:
        assert bool(after.Root.AcroForm.NeedAppearances)


def test_a_form_that_has_its_looks_gets_no_such_wish(desk: Desk) -> None:
    output = desk.sign(desk.keep(letter()), [_STAMP])

    with pikepdf.open(output) as after:
        assert "/NeedAppearances" not in after.Root.AcroForm


@pytest.mark.parametrize("revision", [2, 3, 4, 6], ids=["RC4-40", "RC4-128", "AES-128", "AES-256"])
def test_a_file_that_opens_without_a_password_is_signed_as_it_is_encrypted(
    desk: Desk, revision: Literal[2, 3, 4, 6]
) -> None:
    source = desk.keep(odd.encrypted(revision))

    output, again = (desk.sign(source, [_STAMP]) for _ in range(2))

    assert output.read_bytes() == again.read_bytes()
    assert desk.recheck(source, output, [_STAMP]).fault is None
    assert subprocess.run(["qpdf", "--check", output], capture_output=True, check=False).returncode == 0
    with pikepdf.open(output) as after:
        assert after.is_encrypted
        field = after.Root.AcroForm.Fields[0]
        assert str(field.T) == _STAMP.field
        assert b"Tj" in field.AP.N.read_bytes()
    with pdfium.PdfDocument(output) as document:
        assert document[0].get_textpage().count_chars() > 100


def test_two_signatures_on_an_encrypted_file_are_both_intact(desk: Desk) -> None:
    second = SignStep("hai", existing=False, page=0, rect=ROOM, drawing=_STAMP.drawing)
    source = desk.keep(odd.encrypted(4, metadata=False))

    report = desk.verify(desk.sign(source, [_STAMP, second]))

    assert [one.integrity for one in report.signatures] == [Integrity.INTACT] * 2


def test_number_date_and_seal_go_on_an_encrypted_letter(desk: Desk) -> None:
    signed = desk.leader_signs(desk.keep(odd.encrypted(4)))
    plan = desk.plan(signed)

    output = desk.sign(signed, plan.steps)

    assert desk.recheck(signed, output, plan.steps).fault is None
    assert [one.integrity for one in desk.verify(output).signatures] == [Integrity.INTACT] * 2
    with pikepdf.open(output) as pdf:
        assert {str(field.T): str(field.V) for field in pdf.Root.AcroForm.Fields if field.FT == "/Tx"} == {
            "so": "05",
            "ngay": "03/11/2026",
        }


def test_what_is_drawn_over_an_encrypted_and_signed_page_is_found(desk: Desk) -> None:
    signed = desk.sign(desk.keep(odd.encrypted(3)), [INVISIBLE])
    with pikepdf.open(signed) as pdf:
        place = pdf.pages[0].Contents.objgen[0]
    changed = desk.keep(signed.read_bytes() + _increment(signed.read_bytes(), place))

    (report,) = desk.verify(changed).signatures

    assert report.integrity is Integrity.BROKEN


def _increment(data: bytes, number: int) -> bytes:
    """An increment that replaces one object by an empty page content."""
    previous = int(data.rpartition(b"startxref")[2].split()[0])
    with_encryption = data[data.rindex(b"trailer") : data.rindex(b"startxref")]
    body = b"%d 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\n" % number
    at = len(data)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, at)
    inner = with_encryption[with_encryption.index(b"<<") + 2 : with_encryption.rindex(b">>")]
    inner = b" ".join(part for part in [_without_previous(inner), b"/Prev %d" % previous])
    return body + table + b"trailer\n<<" + inner + b">>\nstartxref\n%d\n%%%%EOF\n" % (at + len(body))


def _without_previous(trailer: bytes) -> bytes:
    before, _, after = trailer.partition(b"/Prev")
    return before + after.lstrip().partition(b"\n")[2] if after else before


@pytest.mark.parametrize("revision", [3, 6])
def test_a_file_that_wants_a_password_is_never_signed(desk: Desk, revision: Literal[3, 6]) -> None:
    source = desk.keep(odd.encrypted(revision, user="open"))

    with pytest.raises(KnownError) as refused:
        desk.prepare(source, INVISIBLE)

    assert refused.value.code == "pdf_encrypted"
    with pytest.raises(KnownError, match="encrypted"):
        extendable(source)
    assert desk.verify(source).message_code == "verify_encrypted"


def test_a_file_with_usage_rights_is_signed(desk: Desk) -> None:
    def grant(pdf: pikepdf.Pdf) -> None:
        method = pikepdf.Dictionary(Type=pikepdf.Name.SigRef, TransformMethod=pikepdf.Name.UR3)
        rights = pikepdf.Dictionary(
            Type=pikepdf.Name.Sig,
            Contents=pikepdf.String(b"\0" * 40),
            ByteRange=pikepdf.Array([0, 100, 200, 300]),
            Reference=pikepdf.Array([method]),
        )
        pdf.Root.Perms = pikepdf.Dictionary(UR3=pdf.make_indirect(rights))

    source = desk.keep(odd.plain(grant))
    output = desk.sign(source, [_STAMP])

    assert desk.recheck(source, output, [_STAMP]).fault is None


@pytest.mark.parametrize(
    ("spoil", "damage"),
    [
        (odd.junk_before, Damage.START),
        (odd.without_references, Damage.REFERENCES),
        (odd.in_circles, Damage.REFERENCES),
        (odd.without_count, Damage.PAGES),
        (lambda data: data, None),
        (lambda data: data + b"\0" * 600, None),
    ],
    ids=["junk before", "no table", "circles", "no count", "sound", "junk behind"],
)
def test_what_keeps_a_file_from_being_extended_is_told_by_its_name(
    desk: Desk, spoil: Callable[[bytes], bytes], damage: Damage | None
) -> None:
    assert extendable(desk.keep(spoil(odd.plain()))) is damage
