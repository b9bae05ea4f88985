"""What an eye can still read after a later change: the cases in which a cheaper ink rule was deceived."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from signer_app.pdf.geometry import PageFrame, Rect, UserBox
from signer_app.verification import ink
from signer_app.verification.drawing import Pages
from signer_app.verification.model import ChangeKind, Integrity, Verdict
from signer_app.verification.source import SourceFile
from tests.verification.attacks.base import (
    CONTENT,
    LEADER_SIGNS,
    LINES,
    NUMBER,
    PAGE,
    TEXT,
    WIDGETS,
    append,
    body,
    look,
    page,
    page_content,
    small_document,
    stream,
    swap,
    with_entry,
)
from tests.verification.conftest import Checker
from tests.verification.documents import SignAs, drawing, sign
from tests.verification.small_pki import Pki, make_certificate

LEADER = replace(LEADER_SIGNS, room=8000)
WIDE, HIGH = TEXT[2] - TEXT[0], TEXT[3] - TEXT[1]
STROKE = "1 w 5 5 m 50 9 l S"


def over_the_sum(content: str) -> SignAs:
    return SignAs("Body", box=TEXT, style=drawing(content, TEXT), room=8000)


def judged(pki: Pki, check: Checker, document: bytes, content: str) -> tuple[Integrity, set[ChangeKind]]:
    """The leader's signature after the body has drawn this over the line with the sum."""
    signed = sign(document, pki.leader, LEADER)
    report = check(sign(signed, pki.body, over_the_sum(content)), pki.trust()).signatures[0]
    return report.integrity, {change.kind for change in report.changes}


def test_what_calls_itself_dots_is_not_free_to_be_covered(pki: Pki, check: Checker) -> None:
    """Invisible glyphs as wide as the line, said to be an ellipsis each, in rows over the sum."""
    shown = "".join(f"BT /T3 1 Tf 1 0 0 1 8 {66 + 4 * n} Tm ({'abcd'[n]}) Tj ET\n" for n in range(4))
    glyphs = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 142 4.1] /FontMatrix [1 0 0 1 0 0]"
        b" /CharProcs << /a 16 0 R /b 16 0 R /c 16 0 R /d 16 0 R >>"
        b" /Encoding << /Type /Encoding /Differences [97 /a /b /c /d] >> /FirstChar 97 /LastChar 100"
        b" /Widths [142 142 142 142] /Resources << >> /ToUnicode 17 0 R >>"
    )
    names = (
        b"begincmap 1 begincodespacerange <00> <ff> endcodespacerange 4 beginbfchar <61> <2026> <62> <2026>"
        b" <63> <2026> <64> <2026> endbfchar endcmap"
    )
    document = small_document(
        {
            PAGE: swap(page(CONTENT, WIDGETS), b"/F1 3 0 R", b"/F1 3 0 R /T3 15 0 R"),
            CONTENT: page_content(before=shown),
            15: glyphs,
            16: stream(b"142 0 0 0 142 4.1 d1"),
            17: stream(names),
        }
    )
    integrity, kinds = judged(pki, check, document, f"1 1 1 rg 0 0 {WIDE} {HIGH} re f 0 g {STROKE}")
    assert (integrity, ChangeKind.INK_COVERED in kinds) == (Integrity.BROKEN, True)


@pytest.mark.parametrize(
    ("ground", "ink", "cover"),
    [
        ("0 0.508 0 rg", "1 0 0 rg", "0 0.508 0 rg"),
        ("0 0 0 rg", "1 1 1 rg", "0 0 0 rg"),
    ],
    ids=["as light as its ground", "light on dark"],
)
def test_letters_that_are_not_darker_than_their_ground_are_ink_too(
    pki: Pki, check: Checker, ground: str, ink: str, cover: str
) -> None:
    sum_line = f"{ground} {TEXT[0]} {TEXT[1]} {WIDE} {HIGH} re f {ink} BT /F1 12 Tf 10 70 Td ({LINES[1]}) Tj ET 0 g\n"
    document = small_document({CONTENT: page_content((LINES[0], "", LINES[2]), before=sum_line)})
    integrity, kinds = judged(pki, check, document, f"{cover} 0 0 {WIDE} {HIGH} re f")
    assert (integrity, ChangeKind.INK_COVERED in kinds) == (Integrity.BROKEN, True)


def test_what_lies_under_an_empty_field_may_not_be_covered_by_filling_it(pki: Pki, check: Checker) -> None:
    """The note under a field without a look of its own is ink that was signed; the field's own look may go."""
    note = b"<< /Type /Annot /Subtype /FreeText /F 4 /Rect [8 66 150 82] /Contents (x) /AP << /N 16 0 R >> >>"
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (so) /F 4 /P 4 0 R /Rect [8 66 150 82] /DA (/F1 10 Tf 0 g) >>"
    document = small_document(
        {
            CONTENT: page_content((LINES[0], "", LINES[2])),
            PAGE: page(CONTENT, b"15 0 R " + WIDGETS),
            NUMBER: field,
            15: note,
            16: look(TEXT, f"BT /F1 12 Tf 2 4 Td ({LINES[1]}) Tj ET"),
        }
    )
    signed = sign(document, pki.leader, LEADER)
    forged = look(TEXT, f"1 1 1 rg 0 0 {WIDE} {HIGH} re f 0 g BT /F1 12 Tf 2 4 Td (Chi 9.250.000.000 dong) Tj ET")
    value = with_entry(body(signed, NUMBER), b"/V (Chi 9.250.000.000 dong) /AP << /N 100 0 R >> ")
    filled = append(signed, {NUMBER: value, 100: forged})
    report = check(sign(filled, pki.body, SignAs("Body", room=8000)), pki.trust())
    assert report.verdict is Verdict.INVALID
    assert ChangeKind.INK_COVERED in {change.kind for change in report.signatures[0].changes}


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        (f"0 0.4 0.8 rg 30 2 {WIDE - 70} {HIGH - 6} re f", True),
        (f"0.8 g 0 {HIGH / 2} {WIDE / 3} {HIGH / 2} re f", True),
        (f"1 0 0 rg {WIDE - 40} 0 40 {HIGH} re f 1 g 4 4 3 3 re f 60 9 2 2 re f", True),
        (f"0.9 0 0 RG {STROKE}", True),
        ("0 g 0 0 1 1 re f", False),
    ],
    ids=["in the middle", "grey half", "several places", "a line over it", "a dot beside it"],
)
def test_what_is_lost_in_a_part_of_the_page_is_what_is_lost_on_all_of_it(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, lost: bool
) -> None:
    signed = sign(small_document(), pki.leader, LEADER)
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sign(signed, pki.body, over_the_sum(content)))

    def covered_now() -> tuple[Rect, ...]:
        with SourceFile(path) as source, closing(Pages(source)) as pages:
            visible = UserBox(*(float(n) for n in pages.document(source.size)[0].get_bbox()))
            asked = ink.InkQuestion(0, PageFrame(visible), len(signed), source.size, (), ())
            return ink.covered(pages, asked).covered

    parts = covered_now()
    monkeypatch.setattr(ink, "_regions", lambda _unlike, size, _repainted: [(0, 0, *size)])
    monkeypatch.setattr(ink, "_REACH", (10_000, 10_000))
    assert parts == covered_now()
    assert bool(parts) == lost


@pytest.mark.parametrize("whose", ["leaf", "ca"])
def test_a_short_elliptic_key_proves_nothing(check: Checker, whose: str) -> None:
    short = ec.generate_private_key(ec.SECP192R1())
    root = make_certificate("Gốc", None, ca=True)
    ca = make_certificate("CA", root, ca=True, key=short if whose == "ca" else None)
    leader = make_certificate("Leader", ca, key=short if whose == "leaf" else None)
    pki = Pki(root, ca, leader, leader, leader)
    report = check(sign(small_document(), leader, LEADER_SIGNS), pki.trust())
    assert (report.verdict, "verify_weak_algorithm" in report.signatures[0].reasons) == (Verdict.INDETERMINATE, True)
    sound = replace(pki, ca=make_certificate("CA", root, ca=True))
    good = make_certificate("Leader", sound.ca)
    assert check(sign(small_document(), good, LEADER_SIGNS), sound.trust()).verdict is Verdict.VALID


@pytest.mark.timeout(20)
def test_a_thousand_endings_that_lead_into_one_run_of_blanks_take_no_minutes(check: Checker) -> None:
    path = check.folder / "blank.pdf"
    document = b"%PDF-1.7\n" + b" " * (4 << 20) + b"x\n" + b"startxref\n9\n%%EOF\n" * 1000
    path.write_bytes(document)
    with SourceFile(path) as source:
        assert source.last_ending() == len(document) - 1
