"""Repair: a broken file that nobody has signed is written anew and looks as before, or is refused with the reason."""

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from signer_app.pdf.increment import Damage, unsound
from signer_app.pdf.model import Repaired
from signer_app.pdf.repair import repair
from signer_app.pdf.same_pages import difference
from signer_app.pdf.standards import claims
from signer_resources.errors import KnownError
from tests.pdf import odd
from tests.pdf.ambiguous import GREAT, LINKED, PAGE, SMALL, stream, tiny
from tests.pdf.paper import letter
from tests.pdf.signing import INVISIBLE, Desk, text_step
from tests.pdf.signing import ROOM as PLACE

_CLAIM = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="B"/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def _much_in_it(pdf: pikepdf.Pdf) -> None:
    """Title, claim, an attachment, an outline."""
    pdf.docinfo["/Title"] = "Báo cáo"
    pdf.docinfo["/ModDate"] = "D:20260102030405+07'00'"
    pdf.Root.Metadata = pdf.make_stream(_CLAIM, Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)
    pdf.attachments["số liệu.csv"] = pikepdf.AttachedFileSpec(
        pdf, b"1,2,3", description="", filename="so-lieu.csv", mime_type="", creation_date="", mod_date=""
    )
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Mục 1", 0))


def _repaired(desk: Desk, data: bytes) -> tuple[Repaired, bytes]:
    source, output = desk.keep(data), desk.folder / "bản sửa.pdf"
    done = repair(source, output)
    assert source.read_bytes() == data
    return done, output.read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        odd.junk_before,
        odd.without_references,
        odd.in_circles,
        odd.without_count,
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_a_broken_file_is_offered_a_repair_and_then_signed_intact(desk: Desk, spoil: Callable[[bytes], bytes]) -> None:
    broken = desk.keep(spoil(odd.plain()))
    damage = unsound(broken, desk.verify(broken))
    assert damage is not None

    done, data = _repaired(desk, broken.read_bytes())

    assert done.pages == 1
    assert damage.value in done.changes
    source = desk.keep(data)
    assert unsound(source, desk.verify(source)) is None
    step = text_step(PLACE, "Đã ký")
    assert desk.recheck(source, desk.sign(source, [step]), [step]).fault is None


@pytest.mark.parametrize("spoil", [odd.without_ends, odd.wrong_lengths, odd.twice], ids=lambda spoil: spoil.__name__)
def test_a_file_with_lesser_faults_is_signed_intact(desk: Desk, spoil: Callable[[bytes], bytes]) -> None:
    source = desk.keep(spoil(odd.plain()))
    if unsound(source, desk.verify(source)) is not None:
        source = desk.keep(_repaired(desk, source.read_bytes())[1])
    step = text_step(PLACE, "Đã ký")

    assert desk.recheck(source, desk.sign(source, [step]), [step]).fault is None


def test_a_sound_file_needs_none(desk: Desk) -> None:
    path = desk.keep(letter())
    assert unsound(path, desk.verify(path)) is None


def test_a_repair_gives_the_same_bytes_each_time_and_keeps_what_isnt_on_the_pages(desk: Desk) -> None:
    broken = odd.without_references(odd.plain(_much_in_it))

    (done, data), (again, more) = _repaired(desk, broken), _repaired(desk, broken)

    assert (done, data) == (again, more)
    with pikepdf.open(desk.keep(data)) as pdf:
        assert str(pdf.docinfo["/ModDate"]) == "D:20260102030405+07'00'"
        assert pdf.attachments["số liệu.csv"].get_file().read_bytes() == b"1,2,3"
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root] == ["Mục 1"]
    assert claims(desk.keep(data)).names == ("PDF/A-2b",)


def test_a_signed_file_is_never_repaired(desk: Desk) -> None:
    signed = desk.sign(desk.keep(odd.plain()), [INVISIBLE])
    broken = desk.keep(odd.junk_before(signed.read_bytes()))

    with pytest.raises(KnownError) as refused:
        repair(broken, desk.folder / "bản sửa.pdf")

    assert refused.value.code == "repair_signed"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.4\nrubbish", "repair_beyond"),
        (b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", "repair_beyond"),
        (odd.cut_short(odd.plain()), "viewer_cannot_open"),
    ],
    ids=["nothing", "no pages", "seen by one reader only"],
)
def test_what_can_not_be_put_together_is_refused(desk: Desk, data: bytes, code: str) -> None:
    with pytest.raises(KnownError) as refused:
        repair(desk.keep(data), desk.folder / "bản sửa.pdf")

    assert refused.value.code == code


def _two_of_one_number(first: bytes, second: bytes) -> bytes:
    """A page whose content, object 4, stands in the file twice, with a table that leads to nowhere."""
    return odd.without_references(tiny([*PAGE, (4, 0, stream(first)), (4, 0, stream(second))]))


def test_of_two_objects_with_one_number_none_is_chosen(desk: Desk) -> None:
    with pytest.raises(KnownError) as refused:
        repair(desk.keep(_two_of_one_number(SMALL, GREAT)), desk.folder / "bản sửa.pdf")

    assert refused.value.code == "repair_ambiguous"
    # The same bytes twice leave no doubt.
    assert _repaired(desk, _two_of_one_number(SMALL, SMALL))[0].pages == 1


def test_words_about_signatures_are_no_trace_of_one(desk: Desk) -> None:
    words = odd.without_references(tiny([*PAGE, (4, 0, stream(b"BT /F1 9 Tf (What /ByteRange is) Tj ET"))]))
    assert "xref" in _repaired(desk, words)[0].changes

    trace = words + b"9 0 obj\n<< /Type /Sig /Contents <00> >>\nendobj\n"
    with pytest.raises(KnownError) as refused:
        repair(desk.keep(trace), desk.folder / "bản sửa.pdf")
    assert refused.value.code == "repair_signed"


def test_what_links_and_fields_say_is_compared_and_so_are_colours(desk: Desk) -> None:
    link = b"<< /Type /Annot /Subtype /Link /Rect [9 9 99 99] /A << /S /URI /URI (%s) >> >>"

    def page(colour: bytes, target: bytes) -> Path:
        return desk.keep(tiny([*LINKED, (4, 0, stream(colour + b" rg 9 9 99 99 re f")), (5, 0, link % target)]))

    # As light in grey as each other.
    red, green = b"0.9 0 0", b"0 0.459 0"
    assert difference(page(red, b"http://a/"), page(red, b"http://a/")) is None
    assert difference(page(red, b"http://a/"), page(green, b"http://a/")) == "/Page 1"
    assert difference(page(red, b"http://a/"), page(red, b"http://b/")) == "/Page 1"


def test_an_encrypted_file_is_not_rewritten_without_its_encryption(desk: Desk) -> None:
    with pytest.raises(KnownError) as refused:
        repair(desk.keep(odd.junk_before(odd.encrypted(4))), desk.folder / "bản sửa.pdf")

    assert refused.value.code == "repair_encrypted"
    assert not (desk.folder / "bản sửa.pdf").exists()


def test_a_file_that_only_our_verifier_cant_read_is_damaged_too(desk: Desk) -> None:
    # One object number under two generations: half of the viewers look at the number alone.
    data = odd.plain()
    number, at = 1 + data.count(b"endobj"), len(data)
    previous = int(data.rpartition(b"startxref")[2].split()[0])
    data += b"1 1 obj\nnull\nendobj\n"
    data += b"xref\n1 1\n%010d 00001 n \n" % at
    data += b"trailer\n<< /Size %d /Root 1 0 R /Prev %d >>\n" % (number, previous)
    path = desk.keep(data + b"startxref\n%d\n%%%%EOF\n" % (at + len(b"1 1 obj\nnull\nendobj\n")))

    assert unsound(path, desk.verify(path)) is Damage.OBJECTS
