"""Files that readers may take in several ways are refused; what all read in one way costs next to nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest

from signer_app.pdf.agreement import disagreement
from signer_app.pdf.drawable import undrawable_page
from signer_app.pdf.increment import Damage, extendable
from signer_app.pdf.model import Finding, Profile, Severity
from tests.pdf import odd
from tests.pdf.ambiguous import GREAT, LINKED, PAGE, SMALL, Object, entry, one_by_one, stream, tiny
from tests.pdf.paper import letter
from tests.pdf.signing import INVISIBLE, Desk


def _told(path: Path) -> str | None:
    with pdfium.PdfDocument(path) as document:
        return disagreement(path, len(document))


def _content_twice(objects: Sequence[Object], offsets: Sequence[int]) -> bytes:
    """Object 4 once more, in a later subsection of the same table."""
    return one_by_one(objects, offsets) + b"4 1\n" + entry(offsets[-1])


_BOTH: list[Object] = [*PAGE, (4, 0, stream(SMALL)), (4, 0, stream(GREAT))]
_LEAF = PAGE[2][2]
_ONE_PAGE_OF_TWO: list[Object] = [
    PAGE[0],
    (2, 0, b"<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 1 >>"),
    PAGE[2],
    (4, 0, stream(SMALL)),
    (5, 0, stream(GREAT)),
    (6, 0, _LEAF.replace(b"4 0 R", b"5 0 R")),
]


def _unended_increment() -> bytes:
    data = tiny([*PAGE, (4, 0, stream(SMALL))])
    before, at = int(data.rpartition(b"startxref")[2].split()[0]), len(data)
    data += b"4 0 obj\n" + stream(GREAT) + b"\nendobj\n"
    table = len(data)
    data += b"xref\n4 1\n" + entry(at) + b"trailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\n" % before
    return data + b"startxref\n%d\n" % table


@pytest.mark.parametrize(
    "data",
    [
        tiny(_BOTH, _content_twice),
        tiny([*PAGE[:2], (3, 0, _LEAF.replace(b"4 0 R", b"4 1 R")), (4, 0, stream(SMALL)), (4, 1, stream(GREAT))]),
        tiny([*PAGE[:2], (3, 0, _LEAF.replace(b"4 0 R", b"4 % 0\n1 R")), (4, 0, stream(SMALL))]),
        tiny(_ONE_PAGE_OF_TWO),
        _unended_increment(),
        tiny([*PAGE[:2], (3, 0, _LEAF[:-2] + b"/Contents 5 0 R >>"), (4, 0, stream(SMALL)), (5, 0, stream(GREAT))]),
        tiny([*PAGE, (4, 0, stream(SMALL)), (6, 0, PAGE[0][2])]).replace(b"/Root 1 0 R", b"/Root 6 0 R /Root 1 0 R"),
    ],
    ids=["two places", "generation", "generation behind a comment", "count", "no end", "one key twice", "two roots"],
)
def test_what_readers_take_in_two_ways_is_told(desk: Desk, data: bytes) -> None:
    assert _told(desk.keep(data)) is not None


def test_it_is_refused_for_every_profile(desk: Desk) -> None:
    path = desk.keep(tiny(_BOTH, _content_twice))

    for profile in (Profile.PLAIN, Profile.INITIAL, Profile.LEADER, Profile.AGENCY):
        found = [f for f in desk.preflight(path, profile=profile).findings if f.code == "readers_disagree"]
        assert found == [Finding("readers_disagree", Severity.REFUSED, {"where": "xref"})]


@pytest.mark.parametrize(
    "spoil",
    [bytes, odd.junk_before, odd.without_ends, odd.wrong_lengths, odd.twice],
    ids=["sound", "junk before", "without ends", "wrong lengths", "twice"],
)
def test_faults_that_all_readers_get_over_are_no_disagreement(desk: Desk, spoil: Callable[[bytes], bytes]) -> None:
    assert _told(desk.keep(spoil(odd.plain()))) is None


def test_ordinary_and_signed_files_need_no_pictures(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_app.pdf.agreement.difference", lambda one, other: "asked")
    source = desk.keep(letter())
    with pikepdf.open(source) as pdf:
        pdf.save(packed := desk.folder / "packed.pdf", object_stream_mode=pikepdf.ObjectStreamMode.generate)

    assert [_told(path) for path in (source, packed, desk.sign(source, [INVISIBLE]))] == [None, None, None]


@pytest.mark.parametrize(
    ("data", "damage"),
    [
        (tiny([*PAGE[:1], (2, 0, b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>"), PAGE[2]]), Damage.PAGES),
        (tiny([*LINKED, (5, 0, b"<< /Subtype /Widget /FT /Tx /T (a) /Rect [0 0 9 9] >>")]), Damage.FORM),
        (
            tiny(
                [
                    (1, 0, b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>"),
                    *LINKED[1:],
                    (5, 0, b"<< /Subtype /Widget /FT /Tx /T (a) /Rect [0 0 9 9] /Kids [5 0 R] >>"),
                ]
            ),
            Damage.FORM,
        ),
        (tiny([(1, 0, b"<< /Type /Catalog /Pages 2 0 R /Extensions 5 >>"), *PAGE[1:]]), Damage.OBJECTS),
        (tiny(PAGE).replace(b"startxref\n", b"startxref\n0 % "), Damage.REFERENCES),
    ],
    ids=["page twice", "orphan field", "field in circles", "extensions", "startxref 0"],
)
def test_what_would_spoil_the_output_is_told_before(desk: Desk, data: bytes, damage: Damage) -> None:
    assert extendable(desk.keep(data)) is damage


def test_a_page_beside_its_paper_is_told(desk: Desk) -> None:
    aside = tiny([*PAGE[:2], (3, 0, _LEAF[:-2] + b"/CropBox [1000 1000 1200 1200] >>")])

    assert undrawable_page(desk.keep(aside)) == 1
    assert undrawable_page(desk.keep(letter())) is None
