"""Documents as they go from desk to desk: all of them valid; and files kept anew by other programs, told rightly."""

import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, append_signature_field

from signer_app.verification.model import ChangeKind, FileReport, Integrity, Level, Verdict
from tests.verification.attacks.base import (
    BODY,
    CATALOG,
    NUMBER,
    SPARE,
    TICK,
    append,
    body,
    look,
    small_document,
    stream,
    swap,
    with_entry,
)
from tests.verification.attacks.base import (
    LEADER_SIGNS as QUICKLY,
)
from tests.verification.conftest import Checker
from tests.verification.documents import (
    Box,
    SignAs,
    Writer,
    append_timestamp,
    drawing,
    fill,
    make_document,
    sign,
    text_field,
)
from tests.verification.small_pki import Holder, Pki, make_certificate, make_crl

SEAL_BOX: Box = (230, 90, 330, 190)
LEADER_BOX: Box = (300, 100, 450, 180)
LEADER_SIGNS = replace(QUICKLY, room=16_384)
"""A chain and a timestamp take more room than the tests of attacks leave."""


def valid(report: FileReport, count: int) -> bool:
    """Whether the file is valid with this many signatures, each of them intact."""
    intact = [Integrity.INTACT] * count
    return report.verdict is Verdict.VALID and [one.integrity for one in report.signatures] == intact


def _seal_field(writer: Writer) -> None:
    append_signature_field(writer, SigFieldSpec("Dấu", on_page=0, box=SEAL_BOX))


def _issued(pki: Pki, certify: MDPPerm | None, tsa: Holder | None = None) -> bytes:
    """The leader signs; then the clerk fills number and date and the body seals over a third of his signature."""
    style = drawing("0 0 0.7 RG 5 5 m 140 70 l S", LEADER_BOX)
    fields = [text_field("số", (110, 735, 170, 752)), text_field("ngày", (300, 735, 400, 752)), _seal_field]
    leader = SignAs("Người ký", box=LEADER_BOX, style=style, certify=certify, before=fields)
    seal = SignAs(
        "Dấu",
        box=SEAL_BOX,
        existing=True,
        style=drawing("0.86 0.08 0.08 rg 0 0 100 100 re f", SEAL_BOX, multiply=True),
        before=[fill("số", "125"), fill("ngày", "22")],
    )
    return sign(sign(make_document(), pki.leader, leader, tsa), pki.body, seal, tsa)


@pytest.mark.parametrize("certify", [None, MDPPerm.FILL_FORMS, pytest.param(MDPPerm.ANNOTATE, marks=pytest.mark.long)])
def test_leader_number_date_and_seal_are_valid(pki: Pki, check: Checker, certify: MDPPerm | None) -> None:
    report = check(_issued(pki, certify), pki.trust())
    assert valid(report, 2)
    kinds = {change.kind for change in report.signatures[0].changes}
    assert kinds == {ChangeKind.FIELD_FILLED, ChangeKind.SIGNATURE}
    assert report.signatures[0].docmdp == (certify.value if certify is not None else None)


def test_seven_signatures_of_three_bodies_are_valid(pki: Pki, check: Checker) -> None:
    bodies = [pki.body, *(make_certificate(name, pki.ca) for name in ("Sở Tài chính", "Sở Xây dựng"))]
    document = small_document()
    for n in range(7):
        box = (10 + 20 * n, 4, 28 + 20 * n, 34)
        how = SignAs(f"Ký {n}", box=box, style=drawing("0 0 0.6 RG 2 2 m 16 26 l S", box), room=8000)
        document = sign(document, bodies[n % 3], how)
    report = check(document, pki.trust())
    assert valid(report, 7)
    assert [one.revision for one in report.signatures] == list(range(7))


# Validation data and timestamps


def _with_validation_data(document: bytes, pki: Pki, number: int = SPARE) -> bytes:
    """A DSS with the certificates and CRLs that the check of all signatures needs."""
    certificates = [pki.root.der, pki.ca.der, pki.tsa.der]
    crls = [make_crl(pki.root), make_crl(pki.ca)]
    objects: dict[int, bytes | None] = {number + 1 + n: stream(der) for n, der in enumerate([*certificates, *crls])}
    references = [b"%d 0 R" % one for one in objects]
    split = len(certificates)
    objects[number] = b"<< /Type /DSS /Certs [%b] /CRLs [%b] >>" % (
        b" ".join(references[:split]),
        b" ".join(references[split:]),
    )
    catalog = body(document, CATALOG)
    if b"/DSS" not in catalog:
        objects[CATALOG] = with_entry(catalog, b"/DSS %d 0 R " % number)
    return append(document, objects)


@pytest.fixture
def timestamped(pki: Pki) -> bytes:
    return sign(small_document(), pki.leader, LEADER_SIGNS, pki.tsa)


def test_a_signature_with_its_validation_data_is_valid_without_any_other(
    pki: Pki, check: Checker, timestamped: bytes
) -> None:
    report = check(_with_validation_data(timestamped, pki), pki.trust(crls=[]))
    assert valid(report, 1)
    assert report.signatures[0].level is Level.B_LT
    assert {change.kind for change in report.signatures[0].changes} == {ChangeKind.VALIDATION_DATA}


def test_archive_timestamps_and_more_validation_data_leave_it_valid(
    pki: Pki, check: Checker, timestamped: bytes
) -> None:
    once = append_timestamp(_with_validation_data(timestamped, pki), pki.tsa)
    twice = append_timestamp(_with_validation_data(once, pki, SPARE + 200), pki.tsa)
    for document in (once, twice):
        report = check(document, pki.trust(crls=[]))
        assert valid(report, 1)
        assert report.signatures[0].level is Level.B_LTA


@pytest.mark.long
def test_a_document_upgraded_after_both_signatures_is_valid(pki: Pki, check: Checker) -> None:
    both = _issued(pki, MDPPerm.FILL_FORMS, pki.tsa)
    report = check(append_timestamp(_with_validation_data(both, pki), pki.tsa), pki.trust(crls=[]))
    assert valid(report, 2)
    assert {one.level for one in report.signatures} == {Level.B_LTA}


# Forms


def _filled_by_hand(number: int, entry: bytes, content: str, box: Box) -> bytes:
    """The small document with one field filled, as a form program keeps it."""
    document = small_document()
    return append(document, {number: with_entry(body(document, number), entry), SPARE: look(box, content)})


def test_a_form_that_is_filled_and_then_signed_is_valid(pki: Pki, check: Checker) -> None:
    entry = b"/V (12) /AP << /N 100 0 R >> "
    form = _filled_by_hand(NUMBER, entry, "BT /F1 10 Tf 2 4 Td (12) Tj ET", (160, 90, 230, 106))
    assert valid(check(sign(form, pki.leader, LEADER_SIGNS), pki.trust()), 1)


def test_a_box_ticked_before_the_next_signature_leaves_the_first_valid(pki: Pki, check: Checker) -> None:
    signed = sign(small_document(), pki.leader, LEADER_SIGNS)
    ticked = append(signed, {TICK: swap(body(signed, TICK), b"/AS /Off", b"/V /Yes /AS /Yes")})
    assert valid(check(sign(ticked, pki.body, SignAs("Sau", box=BODY, room=8000)), pki.trust()), 2)


def test_a_chain_of_approvals_each_with_its_lock_is_valid(pki: Pki, check: Checker) -> None:
    document = make_document(pages=1)
    names = ("đơn vị", "văn phòng", "lãnh đạo")
    fields = [text_field(name, (80, 300 - 40 * n, 200, 320 - 40 * n)) for n, name in enumerate(names)]
    for n, name in enumerate(names):
        lock = FieldMDPSpec(FieldMDPAction.INCLUDE, [name])
        before = [*(fields if n == 0 else ()), fill(name, f"ý kiến {n}")]
        box = (300, 300 - 40 * n, 400, 330 - 40 * n)
        style = drawing("0 0 0.6 RG 2 2 m 90 26 l S", box)
        holder = pki.leader if n % 2 else pki.body
        document = sign(document, holder, SignAs(f"Ký {name}", box=box, style=style, lock=lock, before=before))
    assert valid(check(document, pki.trust()), 3)


# Kept anew by other programs

KEPT_BY = {
    "qpdf": ["qpdf", "{old}", "{new}"],
    "qpdf, packed": ["qpdf", "--object-streams=generate", "{old}", "{new}"],
    "qpdf, linearised": ["qpdf", "--linearize", "{old}", "{new}"],
    "mutool": ["mutool", "clean", "{old}", "{new}"],
    "mutool, cleaned": ["mutool", "clean", "-gggg", "-z", "{old}", "{new}"],
}


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=[pytest.mark.long] if "," in name else []) for name in KEPT_BY]
)
def test_a_file_written_anew_is_broken_by_its_signed_ranges(
    pki: Pki, check: Checker, tmp_path: Path, program: str
) -> None:
    arguments = KEPT_BY[program]
    if shutil.which(arguments[0]) is None:
        pytest.skip(f"{arguments[0]} is not at hand")
    old, new = tmp_path / "old.pdf", tmp_path / "new.pdf"
    old.write_bytes(sign(small_document(), pki.leader, LEADER_SIGNS))
    subprocess.run([one.format(old=old, new=new) for one in arguments], check=True, capture_output=True)
    report = check(new.read_bytes(), pki.trust())
    assert (report.integrity, report.verdict) == (Integrity.BROKEN, Verdict.INVALID)
    assert report.message_code == "verify_byte_range"


def test_a_file_printed_anew_has_no_signature(pki: Pki, check: Checker) -> None:
    """As office programs export what they opened: the pages stay, the form and its signatures are gone."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(sign(small_document(), pki.leader, LEADER_SIGNS))) as document:
        del document.Root["/AcroForm"]
        for page in document.pages:
            if "/Annots" in page:
                del page["/Annots"]
        document.save(out)
    report = check(out.getvalue(), pki.trust())
    assert (report.integrity, report.verdict) == (Integrity.UNSIGNED, Verdict.UNSIGNED)


def test_a_signed_file_as_an_attachment_is_as_good_as_before(pki: Pki, check: Checker) -> None:
    """Mail programs and portals add blanks or the end of a line; nothing else may follow."""
    signed = sign(small_document(), pki.leader, LEADER_SIGNS)
    assert valid(check(signed + b"\r\n\r\n", pki.trust()), 1)


def test_a_document_with_long_metadata_stays_valid_under_a_second_signature(pki: Pki, check: Checker) -> None:
    """XMP of several kilobytes stands in nearly every document that an office program wrote."""
    padding = b" " * 6000
    xmp = b"<?xpacket begin='' id='W5M0'?><x:xmpmeta xmlns:x='adobe:ns:meta/'/>" + padding + b"<?xpacket end='w'?>"
    document = small_document(
        {
            CATALOG: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /Metadata 15 0 R >>",
            15: stream(xmp, b"/Type /Metadata /Subtype /XML"),
        }
    )
    signed = sign(document, pki.leader, LEADER_SIGNS)
    again = sign(signed, pki.body, SignAs("Sau", box=BODY, room=8000))
    assert valid(check(again, pki.trust()), 2)
