"""What later changes do to a signature: harmless, allowed, forbidden."""

import io
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, append_signature_field

from signer_app.verification.model import ChangeKind, FileReport, Integrity, Verdict
from tests.verification.conftest import Checker
from tests.verification.documents import (
    Preparation,
    SignAs,
    Writer,
    annotate,
    append_timestamp,
    drawing,
    fill,
    hybrid,
    increment,
    make_document,
    page_object,
    pdf,
    sign,
    text_field,
)
from tests.verification.small_pki import Pki

NUMBER_BOX = (110, 735, 170, 752)
SEAL_BOX = (250, 90, 350, 190)
BLANK_BOX = (300, 100, 450, 180)
TEXT_BOX = (78, 690, 300, 720)
"""Over the line with the sum, which has its baseline at y = 700."""

LEADER = SignAs("Leader", box=BLANK_BOX, style=drawing("0 0 0.7 RG 5 5 m 140 70 l S", BLANK_BOX))
SEAL = SignAs(
    "Seal",
    box=SEAL_BOX,
    style=drawing("0.86 0.08 0.08 rg 0 0 100 100 re f", SEAL_BOX, multiply=True),
)


def empty_seal_field(writer: Writer) -> None:
    append_signature_field(writer, SigFieldSpec("Seal", on_page=0, box=SEAL_BOX))


def kinds(report: FileReport, signature: int = 0) -> set[ChangeKind]:
    return {change.kind for change in report.signatures[signature].changes}


def integrities(report: FileReport) -> list[Integrity]:
    return [signature.integrity for signature in report.signatures]


def test_a_document_as_it_was_signed_is_intact_and_valid(pki: Pki, check: Checker) -> None:
    report = check(sign(make_document(), pki.leader, LEADER), pki.trust())
    assert (report.integrity, report.verdict) == (Integrity.INTACT, Verdict.VALID)
    (signature,) = report.signatures
    assert signature.covers_whole_file
    assert signature.changes == ()
    assert signature.signer == "Nguyễn Văn Ổn"
    assert signature.page == 1
    assert signature.rect is not None
    assert (round(signature.rect.x), round(signature.rect.y)) == (106, 234)


def test_the_shown_place_of_a_signature_follows_the_turn_of_the_page(pki: Pki, check: Checker) -> None:
    report = check(sign(make_document(extra="/Rotate 90"), pki.leader, LEADER), pki.trust())
    rect = report.signatures[0].rect
    assert rect is not None
    # Turned clockwise by 90 degrees the lower left corner of the page is shown at the top left.
    assert (round(rect.x), round(rect.y)) == (35, 106)
    assert (round(rect.w), round(rect.h)) == (28, 53)


def test_blanks_after_the_end_are_nothing(pki: Pki, check: Checker) -> None:
    report = check(sign(make_document(), pki.leader, LEADER) + b"\r\n \x00\n", pki.trust())
    assert report.integrity is Integrity.INTACT


@pytest.mark.parametrize("multiply", [True, False])
def test_a_seal_over_a_third_of_the_leaders_signature_leaves_it_intact(
    pki: Pki, check: Checker, multiply: bool
) -> None:
    style = drawing("0.86 0.08 0.08 rg 0 0 100 100 re f", SEAL_BOX, multiply=multiply)
    sealed = sign(sign(make_document(), pki.leader, LEADER), pki.body, SignAs("Seal", box=SEAL_BOX, style=style))
    report = check(sealed, pki.trust())
    assert integrities(report) == [Integrity.INTACT, Integrity.INTACT]
    assert ChangeKind.SIGNATURE in kinds(report)
    assert report.verdict is Verdict.VALID


def test_a_seal_drawn_with_multiply_may_touch_text(pki: Pki, check: Checker) -> None:
    box = (80, 650, 180, 750)
    style = drawing("0.86 0.08 0.08 rg 0 0 100 100 re f", box, multiply=True)
    sealed = sign(sign(make_document(), pki.leader, SignAs("L")), pki.body, SignAs("S", box=box, style=style))
    assert integrities(check(sealed, pki.trust())) == [Integrity.INTACT, Integrity.INTACT]


@pytest.mark.parametrize(
    "colour", ["1 1 1 rg", "0.86 0.08 0.08 rg", "0 0 0 rg", "0 0 0.4 rg", "0.95 g", "0.1 0.1 0.1 rg"]
)
def test_an_opaque_patch_over_text_breaks_what_was_signed(pki: Pki, check: Checker, colour: str) -> None:
    style = drawing(f"{colour} 0 0 222 30 re f", TEXT_BOX)
    covered = sign(sign(make_document(), pki.leader, SignAs("L")), pki.body, SignAs("S", box=TEXT_BOX, style=style))
    report = check(covered, pki.trust())
    assert integrities(report) == [Integrity.BROKEN, Integrity.INTACT]
    assert ChangeKind.INK_COVERED in kinds(report)
    assert report.verdict is Verdict.INVALID
    assert report.message_code == "verify_forbidden_change_on_page"
    assert report.message_params["page"] == 1


def test_covering_a_single_decimal_point_breaks_what_was_signed(pki: Pki, check: Checker) -> None:
    # "Dieu 1. Chi 1.250": the point after the first figure of the sum lies near x = 167.
    for x in range(160, 175):
        box = (x, 699, x + 3, 703)
        signed = sign(make_document(), pki.leader, SignAs("L"))
        style = drawing("1 1 1 rg 0 0 3 4 re f", box)
        report = check(sign(signed, pki.body, SignAs("S", box=box, style=style)), pki.trust())
        if report.integrity is Integrity.BROKEN:
            break
    else:
        pytest.fail("no patch between x = 160 and 175 was found to cover ink")


def test_a_later_signature_over_more_than_a_tenth_of_the_page_is_a_change(pki: Pki, check: Checker) -> None:
    box = (60, 60, 535, 400)
    signed = sign(make_document(), pki.leader, SignAs("L"))
    style = drawing("0 0 0 RG 10 10 m 60 10 l S", box)
    report = check(sign(signed, pki.body, SignAs("S", box=box, style=style)), pki.trust())
    assert integrities(report) == [Integrity.CHANGED, Integrity.INTACT]
    assert report.verdict is Verdict.CHANGED


def test_a_filled_field_that_no_signature_covers_is_a_change(pki: Pki, check: Checker) -> None:
    how = SignAs("Leader", box=BLANK_BOX, before=[text_field("so", NUMBER_BOX)])
    signed = sign(make_document(), pki.leader, how)
    report = check(increment(signed, fill("so", "125")), pki.trust())
    assert integrities(report) == [Integrity.CHANGED]
    assert kinds(report) == {ChangeKind.FIELD_FILLED}


def test_a_field_that_had_a_value_and_gets_another_is_a_change(pki: Pki, check: Checker) -> None:
    how = SignAs("Leader", before=[text_field("so", NUMBER_BOX, value="1")])
    signed = sign(make_document(), pki.leader, how)
    report = check(sign(signed, pki.body, SignAs("S", before=[fill("so", "125")])), pki.trust())
    assert integrities(report) == [Integrity.CHANGED, Integrity.INTACT]
    assert ChangeKind.FIELD_CHANGED in kinds(report)


def test_a_field_whose_filling_hides_text_breaks_the_signature(pki: Pki, check: Checker) -> None:
    how = SignAs("Leader", before=[text_field("so", TEXT_BOX)])
    signed = sign(make_document(), pki.leader, how)
    hiding = fill("so", "x", content="1 1 1 rg 0 0 222 30 re f")
    report = check(sign(signed, pki.body, SignAs("S", before=[hiding])), pki.trust())
    assert report.signatures[0].integrity is Integrity.BROKEN
    assert ChangeKind.INK_COVERED in kinds(report)


def test_filling_a_locked_field_breaks_the_signature_that_locked_it(pki: Pki, check: Checker) -> None:
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, ["so"])
    signed = sign(make_document(), pki.leader, SignAs("L", lock=lock, before=[text_field("so", NUMBER_BOX)]))
    report = check(increment(signed, fill("so", "125")), pki.trust())
    assert integrities(report) == [Integrity.BROKEN]


def test_a_new_visible_signature_after_a_certification_is_a_change(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L", certify=MDPPerm.FILL_FORMS))
    report = check(sign(signed, pki.body, SEAL), pki.trust())
    assert integrities(report) == [Integrity.CHANGED, Integrity.INTACT]


def test_a_new_invisible_signature_after_a_certification_is_harmless(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L", certify=MDPPerm.FILL_FORMS))
    report = check(sign(signed, pki.body, SignAs("S")), pki.trust())
    assert integrities(report) == [Integrity.INTACT, Integrity.INTACT]


def _put_signature_in(document: bytes) -> bytes:
    """Undoes P=1 in the writer's eyes: pyHanko itself refuses to sign such a document."""
    return document.replace(b"/P 1", b"/P 2")


def test_any_signature_after_a_certification_without_changes_breaks_it(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L", certify=MDPPerm.NO_CHANGES))
    sealed = sign(_put_signature_in(signed), pki.body, SEAL)
    report = check(signed + sealed[len(signed) :], pki.trust())
    assert report.signatures[0].integrity is Integrity.BROKEN
    assert report.signatures[0].docmdp == 1


@pytest.mark.parametrize(
    ("certify", "expected"),
    [
        (None, Integrity.CHANGED),
        (MDPPerm.ANNOTATE, Integrity.CHANGED),
        (MDPPerm.FILL_FORMS, Integrity.BROKEN),
        (MDPPerm.NO_CHANGES, Integrity.BROKEN),
    ],
)
def test_a_note_beside_the_text_is_judged_by_the_documents_permission(
    pki: Pki, check: Checker, certify: MDPPerm | None, expected: Integrity
) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L", certify=certify))
    noted = increment(signed, annotate((400, 300, 500, 330), "0 0 1 rg 0 0 100 30 re f", page=1))
    report = check(noted, pki.trust())
    assert integrities(report) == [expected]
    found = {(change.kind, change.page) for change in report.signatures[0].changes}
    assert found == {(ChangeKind.ANNOTATION_ADDED, 2)}


def test_a_note_over_the_text_breaks_the_signature_whatever_is_permitted(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L", certify=MDPPerm.ANNOTATE))
    report = check(increment(signed, annotate(TEXT_BOX, "1 1 1 rg 0 0 222 30 re f")), pki.trust())
    assert integrities(report) == [Integrity.BROKEN]
    assert ChangeKind.INK_COVERED in kinds(report)


def test_a_note_that_was_there_may_be_removed_where_notes_are_permitted(pki: Pki, check: Checker) -> None:
    noted = increment(make_document(), annotate((400, 300, 500, 330), "0 0 0 rg 0 0 100 30 re f"))
    signed = sign(noted, pki.leader, SignAs("L"))

    def remove(writer: Writer) -> None:
        page = page_object(writer)
        del page["/Annots"][0]
        writer.update_container(page["/Annots"])

    report = check(increment(signed, remove), pki.trust())
    assert integrities(report) == [Integrity.CHANGED]
    assert kinds(report) == {ChangeKind.ANNOTATION_REMOVED}


def _new_content(writer: Writer) -> None:
    stream = pdf.StreamObject(stream_data=b"BT /F1 14 Tf 80 700 Td (Khac) Tj ET")
    page = page_object(writer, 1)
    page["/Contents"] = writer.add_object(stream)
    writer.update_container(page)


def _other_font(writer: Writer) -> None:
    font = page_object(writer)["/Resources"]["/Font"]["/F1"]
    font["/BaseFont"] = pdf_name("/Symbol")
    writer.update_container(font)


def _smaller_page(writer: Writer) -> None:
    page = page_object(writer)
    page["/CropBox"] = pdf.ArrayObject([pdf.NumberObject(n) for n in (0, 0, 595, 750)])
    writer.update_container(page)


def _fewer_pages(writer: Writer) -> None:
    pages = writer.root["/Pages"]
    del pages["/Kids"][1]
    pages["/Count"] = pdf.NumberObject(1)
    writer.update_container(pages)


def _layers(writer: Writer) -> None:
    writer.root["/OCProperties"] = pdf.DictionaryObject({pdf_name("/OCGs"): pdf.ArrayObject()})
    writer.update_root()


def _open_action(writer: Writer) -> None:
    writer.root["/OpenAction"] = pdf.DictionaryObject(
        {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): pdf_string("app.alert(1)")}
    )
    writer.update_root()


@pytest.mark.parametrize(
    ("change", "kind", "page"),
    [
        (_new_content, ChangeKind.PAGE_CONTENT, 2),
        (_other_font, ChangeKind.PAGE_CONTENT, 1),
        (_smaller_page, ChangeKind.PAGE_CONTENT, 1),
        (_fewer_pages, ChangeKind.PAGE_TREE, None),
        (_layers, ChangeKind.LAYERS, None),
        (_open_action, ChangeKind.DOCUMENT_SETTINGS, None),
        (text_field("moi", NUMBER_BOX), ChangeKind.FIELD_ADDED, 1),
    ],
)
@pytest.mark.parametrize("signed_again", [False, True])
def test_what_no_permission_allows_breaks_the_signature(
    pki: Pki, check: Checker, change: Preparation, kind: ChangeKind, page: int | None, signed_again: bool
) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L"))
    changed = sign(signed, pki.body, SignAs("S", before=[change])) if signed_again else increment(signed, change)
    report = check(changed, pki.trust())
    assert report.signatures[0].integrity is Integrity.BROKEN
    assert (kind, page) in {(found.kind, found.page) for found in report.signatures[0].changes}
    assert report.verdict is Verdict.INVALID


def test_all_changes_are_listed_each_with_its_page(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(pages=3), pki.leader, SignAs("L"))
    changed = increment(
        signed,
        _new_content,
        annotate((400, 300, 500, 330), "0 0 1 rg 0 0 100 30 re f", page=2),
        _open_action,
    )
    report = check(changed, pki.trust())
    assert {(change.kind, change.page) for change in report.signatures[0].changes} >= {
        (ChangeKind.PAGE_CONTENT, 2),
        (ChangeKind.ANNOTATION_ADDED, 3),
        (ChangeKind.DOCUMENT_SETTINGS, None),
    }


def test_a_page_change_in_a_resource_called_like_a_way_upwards_is_seen(pki: Pki, check: Checker) -> None:
    """`/P` and `/Parent` lead upwards in some dictionaries and are plain names of resources in others."""
    document = make_document().replace(b"/F1 14 Tf", b"/P 14 Tf ").replace(b"/F1 3 0 R", b"/P 3 0 R ")
    signed = sign(document, pki.leader, SignAs("L"))

    def other_font(writer: Writer) -> None:
        font = page_object(writer)["/Resources"]["/Font"]["/P"]
        font["/BaseFont"] = pdf_name("/Symbol")
        writer.update_container(font)

    report = check(increment(signed, other_font), pki.trust())
    assert integrities(report) == [Integrity.BROKEN]


def test_an_object_that_was_missing_when_signed_may_not_appear_later(pki: Pki, check: Checker) -> None:
    document = make_document(extra="/Group 900 0 R")
    signed = sign(document, pki.leader, SignAs("L"))
    size = 901
    body = b"900 0 obj\n<< /S /Transparency /K true >>\nendobj\n"
    start = len(signed)
    previous = int(signed.rsplit(b"startxref", 1)[1].split()[0])
    root = signed.rsplit(b"/Root ", 1)[1].split(b"R")[0]
    tail = b"xref\n900 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %bR /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        start,
        size,
        root,
        previous,
        start + len(body),
    )
    assert check(signed, pki.trust()).integrity is Integrity.INTACT
    report = check(signed + body + tail, pki.trust())
    assert integrities(report) == [Integrity.BROKEN]


def test_an_increment_that_only_adds_an_unused_object_is_a_change(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L"))

    def add(writer: Writer) -> None:
        writer.add_object(pdf_string("for later"))

    report = check(increment(signed, add), pki.trust())
    assert integrities(report) == [Integrity.CHANGED]
    assert kinds(report) == {ChangeKind.UNUSED_OBJECTS}


def test_new_metadata_alone_are_a_change(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L"))

    def title(writer: Writer) -> None:
        writer.set_info(pdf.DictionaryObject({pdf_name("/Title"): pdf_string("Khác")}))

    report = check(increment(signed, title), pki.trust())
    assert integrities(report) == [Integrity.CHANGED]
    assert kinds(report) == {ChangeKind.METADATA}


def test_timestamps_and_validation_data_leave_everything_intact(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L", certify=MDPPerm.NO_CHANGES))
    report = check(append_timestamp(signed, pki.tsa), pki.trust())
    assert integrities(report) == [Integrity.INTACT]
    assert ChangeKind.TIMESTAMP in kinds(report)


def test_the_picture_of_an_earlier_signature_may_not_be_swapped(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, LEADER)

    def swap(writer: Writer) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/AP"] = pdf.DictionaryObject()
        writer.update_container(field)

    report = check(increment(signed, swap), pki.trust())
    assert integrities(report) == [Integrity.BROKEN]
    assert ChangeKind.SIGNATURE_ALTERED in kinds(report)


def test_a_certification_can_not_be_loosened_afterwards(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L", certify=MDPPerm.NO_CHANGES))

    def loosen(writer: Writer) -> None:
        signature = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        signature["/Reference"][0]["/TransformParams"]["/P"] = pdf.NumberObject(3)
        writer.update_container(signature)

    noted = increment(signed, loosen, annotate((400, 300, 500, 330), "0 0 1 rg 0 0 100 30 re f"))
    assert check(noted, pki.trust()).integrity is Integrity.BROKEN


def test_dot_leaders_may_be_written_over(pki: Pki, check: Checker) -> None:
    """ "So: ......" from x = 106 on, baseline y = 740; the white patch hides dots and nothing else."""
    box = (110, 738, 148, 745)
    style = drawing("1 1 1 rg 0 0 38 7 re f", box)
    signed = sign(make_document(), pki.leader, SignAs("L"))
    report = check(sign(signed, pki.body, SignAs("S", box=box, style=style)), pki.trust())
    assert integrities(report) == [Integrity.INTACT, Integrity.INTACT]


def test_a_see_through_patch_over_text_breaks_what_was_signed(pki: Pki, check: Checker) -> None:
    style = drawing("/Half gs 1 1 1 rg 0 0 222 30 re f", TEXT_BOX, opacity=0.5)
    signed = sign(make_document(), pki.leader, SignAs("L"))
    report = check(sign(signed, pki.body, SignAs("S", box=TEXT_BOX, style=style)), pki.trust())
    assert report.signatures[0].integrity is Integrity.BROKEN


@pytest.mark.parametrize(
    "kept_as",
    [
        {"linearize": True},
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"linearize": True, "object_stream_mode": pikepdf.ObjectStreamMode.generate},
    ],
)
def test_files_kept_in_other_ways_are_judged_alike(pki: Pki, check: Checker, kept_as: dict[str, Any]) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(make_document())) as pdf:
        pdf.save(out, **kept_as)
    signed = sign(out.getvalue(), pki.leader, LEADER)
    assert check(signed, pki.trust()).verdict is Verdict.VALID
    assert check(sign(signed, pki.body, SEAL), pki.trust()).verdict is Verdict.VALID
    assert check(increment(signed, _other_font), pki.trust()).integrity is Integrity.BROKEN


def test_a_hybrid_file_as_word_writes_it_is_judged(pki: Pki, check: Checker) -> None:
    signed = sign(hybrid(make_document()), pki.leader, LEADER)
    assert check(signed, pki.trust()).verdict is Verdict.VALID
    assert check(increment(signed, _other_font), pki.trust()).integrity is Integrity.BROKEN


def test_what_a_page_draws_with_may_not_change_by_passing_as_a_form_field(pki: Pki, check: Checker) -> None:
    """The page's font dictionary is also a text field; filling that "field" would swap the font named /AP."""
    document = make_document().replace(b"/F1 14 Tf", b"/AP 14 Tf").replace(b"/F1 3 0 R", b"/AP 3 0 R")

    def as_field(writer: Writer) -> None:
        page = page_object(writer)
        fonts = page["/Resources"]["/Font"]
        fonts[pdf_name("/FT")] = pdf_name("/Tx")
        fonts[pdf_name("/T")] = pdf_string("so")
        reference = writer.add_object(fonts)
        page["/Resources"]["/Font"] = reference
        writer.update_container(page)
        writer.root["/AcroForm"] = writer.add_object(
            pdf.DictionaryObject({pdf_name("/Fields"): pdf.ArrayObject([reference])})
        )
        writer.update_root()

    def other_font(writer: Writer) -> None:
        fonts = page_object(writer)["/Resources"]["/Font"]
        fonts[pdf_name("/V")] = pdf_string("125")
        fonts[pdf_name("/AP")] = pdf.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Font"),
                pdf_name("/Subtype"): pdf_name("/Type1"),
                pdf_name("/BaseFont"): pdf_name("/Symbol"),
            }
        )
        writer.update_container(fonts)

    signed = sign(document, pki.leader, SignAs("L", before=[as_field]))
    assert check(signed, pki.trust()).integrity is Integrity.INTACT
    report = check(sign(signed, pki.body, SignAs("S", before=[other_font])), pki.trust())
    assert report.signatures[0].integrity is Integrity.BROKEN
    assert (ChangeKind.PAGE_CONTENT, 1) in {(c.kind, c.page) for c in report.signatures[0].changes}
