"""What qpdf and PDFium are asked about a step: they agree on honest ones, and any difference is told."""

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from signer_app.pdf.geometry import UserBox
from signer_app.verification.comparison import Comparison
from signer_app.verification.cross_check import Agreement, pages_with, parsers_agree, same_picture
from signer_app.verification.drawing import Pages
from signer_app.verification.model import Integrity
from signer_app.verification.reading import Memory
from signer_app.verification.revision import Revision
from signer_app.verification.source import SourceFile
from signer_app.verification.streams import LongStream
from tests.verification.conftest import Checker
from tests.verification.documents import (
    SignAs,
    annotate,
    assemble,
    drawing,
    fill,
    increment,
    make_document,
    sign,
    text_field,
)
from tests.verification.small_pki import Pki, make_certificate

BOX = (300, 100, 450, 180)


@pytest.fixture(scope="module")
def steps() -> list[bytes]:
    """The same document in three states: plain, signed visibly, signed again out of sight."""
    holder = make_certificate("Một", None)
    plain = make_document(pages=2)
    once = sign(plain, holder, SignAs("A", box=BOX, style=drawing("0 0 1 rg 10 10 50 50 re f", BOX), room=4_000))
    return [plain, once, sign(once, holder, SignAs("B", page=1, room=4_000))]


@pytest.fixture
def source(steps: list[bytes], tmp_path: Path) -> Iterator[SourceFile]:
    path = tmp_path / "a.pdf"
    path.write_bytes(steps[-1])
    with SourceFile(path) as opened:
        yield opened


def states(source: SourceFile, steps: list[bytes]) -> list[Revision]:
    memory, made = Memory(), list[Revision]()
    for step in steps:
        made.append(Revision(source, len(step), memory, strict=True, earlier=made[-1] if made else None))
    return made


def test_qpdf_reads_what_each_honest_step_brings(source: SourceFile, steps: list[bytes]) -> None:
    made = states(source, steps)
    for old, new in pairwise(made):
        brought = new.told_since(old)
        assert brought
        assert parsers_agree(new, brought, io.BytesIO(steps[made.index(new)])) is Agreement.SAME


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"/Rect [", b"/Rext ["),
        (b"/F 132", b"/F 133"),
        (b"(A)", b"(C)"),
        (b"/ETSI.CAdES.detached", b"/ETSI.CAdES.detacheX"),
        (b"0 0 1 rg", b"0 1 0 rg"),
    ],
)
def test_one_byte_that_qpdf_reads_otherwise_is_told(
    source: SourceFile, steps: list[bytes], before: bytes, after: bytes
) -> None:
    old, new = states(source, steps)[:2]
    brought = new.told_since(old)
    assert brought
    assert before in steps[1]
    assert parsers_agree(new, brought, io.BytesIO(steps[1].replace(before, after))) is Agreement.OTHERWISE


def test_a_file_that_qpdf_can_not_open_is_told(source: SourceFile, steps: list[bytes]) -> None:
    new = states(source, steps)[1]
    assert parsers_agree(new, set(), io.BytesIO(steps[1][:900])) is Agreement.NOT_AT_ALL


def test_the_pages_concerned_are_those_that_a_step_touches(source: SourceFile, steps: list[bytes]) -> None:
    plain, once, twice = states(source, steps)
    assert [page.index for page in pages_with(once, once.told_since(plain) or set())] == [0]
    assert [page.index for page in pages_with(twice, twice.told_since(once) or set())] == [1]


def test_pictures_are_the_same_save_where_a_change_is_known(source: SourceFile, steps: list[bytes]) -> None:
    made, pages = states(source, steps), Pages(source)
    try:
        plain, once, twice = (len(step) for step in steps)
        first, second = made[0].pages
        assert same_picture(pages, second, (plain, twice), ())
        assert same_picture(pages, first, (once, twice), ())
        assert not same_picture(pages, first, (plain, once), ())
        assert same_picture(pages, first, (plain, once), [UserBox(*map(float, BOX))])
        assert not same_picture(pages, first, (plain, once), [UserBox(300.0, 100.0, 330.0, 180.0)])
    finally:
        pages.close()


def test_states_share_what_no_later_section_tells_of(source: SourceFile, steps: list[bytes]) -> None:
    plain, once, twice = states(source, steps)
    assert plain.pages[1] is once.pages[1]
    assert once.pages[0] is twice.pages[0]
    assert once.pages[1] is not twice.pages[1]
    assert once.fields["A"] is twice.fields["A"]
    assert Comparison(once, twice).same(once.pages[0].dictionary, twice.pages[0].dictionary)
    assert not Comparison(once, twice).same(once.pages[1].dictionary, twice.pages[1].dictionary)


def test_a_long_stream_stays_in_the_file_and_counts_byte_by_byte(pki: Pki, check: Checker, tmp_path: Path) -> None:
    text = b"BT /F1 14 Tf 80 780 Td (Dieu 1) Tj ET\n% " + b"long" * 3000
    document = sign(one_page(text), pki.leader, SignAs("L", room=8_000))
    path = tmp_path / "long.pdf"
    path.write_bytes(document)
    with SourceFile(path) as source:
        content = Revision(source, len(document), Memory(), strict=True).reader.read((5, 0))
        assert isinstance(content, LongStream)
        assert content.data == text
    assert check(sign(document, pki.body, SignAs("B")), pki.trust()).integrity is Integrity.INTACT


def one_page(content: bytes) -> bytes:
    return assemble(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            4: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>",
            5: b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        }
    )


def test_a_field_filled_and_a_note_laid_over_a_page_are_told_apart(pki: Pki, check: Checker) -> None:
    """The picture outside the filled field is the same; a stamp beside it is not, and is told as what it is."""
    box = (80, 600, 300, 630)
    document = sign(increment(make_document(pages=1), text_field("so", box)), pki.leader, SignAs("L", room=8_000))
    filled = sign(document, pki.body, SignAs("B", before=[fill("so", "12")], room=8_000))
    assert check(filled, pki.trust()).integrity is Integrity.INTACT
    stamped = sign(document, pki.body, SignAs("B", before=[annotate((300, 200, 400, 250), "0 g 0 0 9 9 re f")]))
    assert check(stamped, pki.trust()).signatures[0].integrity is Integrity.CHANGED
