"""The file as bytes: ranges, ends, damage, and what is no PDF at all."""

import datetime as dt
import io
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer_app.verification.differences import Difference
from signer_app.verification.drawing import Pages
from signer_app.verification.model import ChangeKind, Integrity, Verdict
from signer_app.verification.reading import Memory
from signer_app.verification.revision import Revision
from signer_app.verification.second_opinion import SecondOpinion
from signer_app.verification.source import SourceFile
from signer_app.verification.traces import Traces, match_traces
from signer_app.verification.verify import verify_file
from tests.verification import documents
from tests.verification.attacks.base import (
    CATALOG,
    CONTENT,
    FORGED,
    FORM,
    LEADER_SIGNS,
    PAGE,
    SPARE,
    append,
    body,
    small_document,
    stream,
    swap,
)
from tests.verification.conftest import Checker
from tests.verification.documents import SignAs, Writer, append_timestamp, drawing, increment, make_document, sign
from tests.verification.small_pki import NOW, Holder, Pki, make_certificate

BOX = (300, 100, 450, 180)


@pytest.fixture(scope="module")
def twice_signed() -> bytes:
    root = make_certificate("Gốc", None, ca=True)
    one, two = make_certificate("Một", root), make_certificate("Hai", root)
    how = SignAs("Một", box=BOX, style=drawing("0 0 1 RG 5 5 m 100 60 l S", BOX))
    return sign(sign(make_document(pages=1), one, how), two, SignAs("Hai"))


def gaps(document: bytes) -> list[tuple[int, int]]:
    """The holes of all signatures, from `<` to `>`."""
    found = re.findall(rb"/ByteRange\s*\[0 (\d+) (\d+) \d+", document)
    return [(int(start), int(end)) for start, end in found]


def test_no_flipped_bit_of_any_signed_byte_goes_unnoticed(twice_signed: bytes, pki: Pki, check: Checker) -> None:
    chance = random.Random(20261122)
    last_gap = max(gaps(twice_signed))
    covered = [n for n in range(len(twice_signed)) if not last_gap[0] <= n < last_gap[1]]
    # The long hole of the first signature would take nearly every draw.
    first_gap = min(gaps(twice_signed))
    outside = [n for n in covered if not first_gap[0] <= n < first_gap[1]]
    drawn = chance.sample(outside, 70) + chance.sample(range(*first_gap), 6)
    for position in drawn:
        damaged = bytearray(twice_signed)
        damaged[position] ^= 1 << chance.randrange(8)
        report = check(bytes(damaged), pki.trust())
        assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}, (position, damaged[position])
        assert report.verdict in {Verdict.INVALID, Verdict.INDETERMINATE}


def test_no_cut_of_the_file_goes_unnoticed(twice_signed: bytes, pki: Pki, check: Checker) -> None:
    chance = random.Random(7)
    first_end = twice_signed.index(b"%%EOF", min(gaps(twice_signed))[1]) + 5
    for length in chance.sample(range(1, len(twice_signed) - 2), 30):
        report = check(twice_signed[:length], pki.trust())
        if first_end <= length <= first_end + 2:
            continue
        assert report.integrity not in {Integrity.INTACT, Integrity.CHANGED}, length


def test_a_file_cut_at_the_end_of_a_revision_is_that_revision(twice_signed: bytes, pki: Pki, check: Checker) -> None:
    end = twice_signed.index(b"%%EOF", min(gaps(twice_signed))[1]) + 6
    report = check(twice_signed[:end], pki.trust())
    assert report.integrity is Integrity.INTACT
    assert len(report.signatures) == 1


@pytest.mark.parametrize(
    "tail",
    [
        b"%PDF-1.7 junk",
        b"\n9 0 obj\n<< /Type /Page >>\nendobj\n",
        b"\nstartxref\n0\n%%EOF\n",
        b"\n%%EOF\n",
        b"x" * 5000,
        b"\x01",
    ],
)
def test_anything_but_blanks_behind_the_end_breaks_every_signature(
    twice_signed: bytes, pki: Pki, check: Checker, tail: bytes
) -> None:
    report = check(twice_signed + tail, pki.trust())
    assert [signature.integrity for signature in report.signatures] == [Integrity.BROKEN] * 2
    assert report.message_code == "verify_after_end"


def _with_range(document: bytes, change: dict[int, int]) -> bytes:
    """The last signature's /ByteRange with some numbers replaced, at its old length."""
    found = list(re.finditer(rb"/ByteRange\s*\[([^\]]*)\]", document))[-1]
    numbers = [int(n) for n in found.group(1).split()]
    for index, value in change.items():
        numbers[index] = value
    room = found.end(1) - found.start(1)
    inside = b" ".join(b"%d" % n for n in numbers).ljust(room)
    assert len(inside) == room
    return document[: found.start(1)] + inside + document[found.end(1) :]


@pytest.mark.parametrize("delta", [-2, 2, 40])
def test_a_hole_that_is_not_exactly_the_contents_is_refused(
    twice_signed: bytes, pki: Pki, check: Checker, delta: int
) -> None:
    start, _ = max(gaps(twice_signed))
    report = check(_with_range(twice_signed, {1: start - delta}), pki.trust())
    assert report.signatures[-1].integrity is Integrity.BROKEN
    assert report.signatures[-1].message_code == "verify_byte_range"


def test_a_range_that_does_not_start_at_the_beginning_is_refused(twice_signed: bytes, pki: Pki, check: Checker) -> None:
    report = check(_with_range(twice_signed, {0: 1}), pki.trust())
    assert report.integrity is Integrity.BROKEN


def test_something_hidden_behind_the_signature_in_its_hole_is_refused(
    twice_signed: bytes, pki: Pki, check: Checker
) -> None:
    _, end = max(gaps(twice_signed))
    hidden = twice_signed[: end - 9] + b"DEADBEEF" + twice_signed[end - 1 :]
    report = check(hidden, pki.trust())
    assert report.signatures[-1].integrity is Integrity.BROKEN
    assert report.signatures[-1].message_code == "verify_cms_malformed"


def test_a_broken_document_timestamp_breaks_what_it_stamps(pki: Pki, check: Checker) -> None:
    stamped = bytearray(append_timestamp(sign(make_document(), pki.leader, SignAs("L")), pki.tsa))
    position = bytes(stamped).rindex(b"/Size")
    assert check(bytes(stamped), pki.trust()).integrity is Integrity.INTACT
    # A harmless-looking byte of the last increment, which only the timestamp covers.
    stamped[position - 1 : position] = b"\t" if stamped[position - 1 : position] != b"\t" else b" "
    report = check(bytes(stamped), pki.trust())
    assert report.integrity is Integrity.BROKEN


def test_a_signature_whose_field_was_taken_out_of_the_form_leaves_traces(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L"))

    def hide(writer: Writer) -> None:
        del writer.root["/AcroForm"]
        writer.update_root()

    report = check(increment(signed, hide), pki.trust())
    assert report.integrity is Integrity.UNREADABLE
    assert report.message_code == "verify_signature_hidden"


_LEADER = replace(LEADER_SIGNS, room=6000)


def _attached(attachment: bytes) -> bytes:
    """A document with a file attached to it as it is."""
    names = b"/Names << /EmbeddedFiles << /Names [(a.pdf) 15 0 R] >> >>"
    return small_document(
        {
            CATALOG: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R %b >>" % names,
            15: b"<< /Type /Filespec /F (a.pdf) /EF << /F 16 0 R >> >>",
            16: stream(attachment, b"/Type /EmbeddedFile"),
        }
    )


@pytest.mark.parametrize("whole", [True, False])
def test_a_signed_document_that_is_attached_hides_nothing(signed: bytes, pki: Pki, check: Checker, whole: bool) -> None:
    attachment = signed if whole else b"/ByteRange [0 1 2 3]"
    report = check(sign(_attached(attachment), pki.leader, _LEADER), pki.trust())
    assert [one.integrity for one in report.signatures] == [Integrity.INTACT]


def test_what_is_attached_no_more_leaves_traces(signed: bytes, pki: Pki, check: Checker) -> None:
    document = append(_attached(signed), {CATALOG: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R >>"})
    report = check(sign(document, pki.leader, _LEADER), pki.trust())
    assert report.message_code == "verify_signature_hidden"


def test_a_stream_laid_around_a_signature_hides_no_trace_of_it(pki: Pki, check: Checker) -> None:
    begun = small_document() + b"150 0 obj\n<< /Length 151 0 R >>\nstream\n"
    start = begun.rindex(b"150 0 obj")
    signed = sign(append(begun, {SPARE: b"(x)"}), pki.leader, _LEADER)
    length = len(signed) + 1 - len(begun)
    form, page = (swap(body(signed, number), b"7 0 R", b"") for number in (FORM, PAGE))
    taken_out = append(
        signed + b"\nendstream\nendobj\n",
        {FORM: form, PAGE: page, 151: b"%d" % length},
        places={150: start},
        more=b"/Around 150 0 R",
    )
    report = check(sign(taken_out, pki.body, SignAs("Body", room=6000, lenient=True)), pki.trust())
    assert report.integrity is Integrity.UNREADABLE
    assert report.message_code == "verify_signature_hidden"


def test_a_signature_must_be_found_at_its_own_place(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(signed)
    with SourceFile(path) as source:
        final = Revision(source, source.last_ending(), Memory(), strict=True)
        (signature,) = (one for field in final.fields.values() if (one := final.signature_of(field)) is not None)
        assert match_traces(source, final, [signature]) == Traces(frozenset(), hidden=False)
        # Another object claims to be it, and the trace that is there belongs to nobody.
        assert match_traces(source, final, [final.root]) == Traces(frozenset({0}), hidden=True)


class BareTimeStamper(DummyTimeStamper):
    """Leaves its certificate out, as some services do when they aren't asked for it (RFC 3161, 2.4.1: certReq)."""

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        token = await super().async_timestamp(message_digest, md_algorithm)
        del token["content"]["certificates"]
        return token


def bare(tsa: Holder, at: dt.datetime | None) -> DummyTimeStamper:
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple(tsa.chain)
    return BareTimeStamper(tsa.asn1, tsa.asn1_key, store, fixed_dt=at or NOW)


def test_a_page_that_no_allowed_change_names_must_look_as_before(tmp_path: Path) -> None:
    signed = small_document()
    path = tmp_path / "a.pdf"
    path.write_bytes(append(signed, {CONTENT: FORGED, PAGE: body(signed, PAGE)}))
    with SourceFile(path) as source:
        old, new = (Revision(source, end, Memory(), strict=True) for end in (len(signed), source.last_ending()))
        pages = Pages(source)
        try:
            of = SecondOpinion(source, new, pages, 2).of
            doubts = [of(old, new, [Difference(ChangeKind.ANNOTATION_ADDED, page=page)]).doubt for page in (0, 1)]
        finally:
            pages.close()
    assert doubts == [None, "verify_page_differs"]


def test_a_timestamp_that_can_not_be_checked_leaves_earlier_signatures_open(
    pki: Pki, check: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "timestamper", bare)
    report = check(append_timestamp(sign(make_document(), pki.leader, SignAs("L")), pki.tsa), pki.trust())
    (signature,) = report.signatures
    assert (signature.integrity, signature.message_code) == (Integrity.UNREADABLE, "verify_timestamp_unreadable")
    assert report.verdict is Verdict.INDETERMINATE
    assert not any(change.kind is ChangeKind.TIMESTAMP_BROKEN for change in signature.changes)


@pytest.mark.parametrize(("own", "expected"), [(True, Integrity.INTACT), (False, Integrity.UNREADABLE)])
def test_a_timestamp_without_its_certificate_finds_it_in_the_document(
    pki: Pki, check: Checker, monkeypatch: pytest.MonkeyPatch, own: bool, expected: Integrity
) -> None:
    monkeypatch.setattr(documents, "timestamper", bare)
    stamped = append_timestamp(sign(make_document(), pki.leader, SignAs("L")), pki.tsa)
    stored = (pki.tsa if own else pki.body).asn1.dump()

    def keep(writer: Writer) -> None:
        kept = writer.add_object(generic.StreamObject(stream_data=stored))
        dss = generic.DictionaryObject({generic.NameObject("/Certs"): generic.ArrayObject([kept])})  # type: ignore[no-untyped-call]
        writer.root["/DSS"] = writer.add_object(dss)
        writer.update_root()

    report = check(increment(stamped, keep), pki.trust())
    assert [one.integrity for one in report.signatures] == [expected]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "verify_not_pdf"),
        (b"PK\x03\x04 not a PDF", "verify_not_pdf"),
        (b"%PDF-1.7\nnothing follows", "verify_damaged"),
        (make_document()[:700], "verify_damaged"),
    ],
)
def test_what_can_not_be_read_is_said_and_is_indeterminate(pki: Pki, check: Checker, content: bytes, code: str) -> None:
    report = check(content, pki.trust())
    assert report.integrity is Integrity.UNREADABLE
    assert report.verdict is Verdict.INDETERMINATE
    assert report.message_code == code


def test_a_file_that_wants_a_password_is_not_judged(pki: Pki, check: Checker) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(make_document())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    report = check(out.getvalue(), pki.trust())
    assert (report.integrity, report.message_code) == (Integrity.UNREADABLE, "verify_encrypted")


def test_a_missing_file_is_indeterminate(pki: Pki, tmp_path: Path) -> None:
    report = verify_file(tmp_path / "không có.pdf", pki.trust(), NOW)
    assert (report.verdict, report.message_code) == (Verdict.INDETERMINATE, "verify_file_unreadable")


def test_a_readable_document_without_signatures_is_unsigned(pki: Pki, check: Checker) -> None:
    report = check(make_document(), pki.trust())
    assert (report.integrity, report.verdict) == (Integrity.UNSIGNED, Verdict.UNSIGNED)
    assert report.signatures == ()


def test_a_signature_taken_from_another_document_has_a_wrong_digest(pki: Pki, check: Checker) -> None:
    other: Holder = make_certificate("Khác", None)
    foreign = sign(make_document(pages=1).replace(b"Dieu 1", b"Dieu 9"), other, SignAs("Một"))
    (start, end), *_ = gaps(foreign)
    mine = sign(make_document(pages=1), other, SignAs("Một"))
    assert gaps(mine) == [(start, end)]
    swapped = mine[:start] + foreign[start:end] + mine[end:]
    report = check(swapped, pki.trust())
    assert (report.integrity, report.message_code) == (Integrity.BROKEN, "verify_digest")


# Increments written by hand, where a library would refuse


def appended(
    document: bytes,
    objects: Mapping[int, bytes],
    *,
    root: int | None = None,
    before: int | None = None,
    trailer: bytes = b"",
    places: Mapping[int, int] | None = None,
    freed: tuple[int, ...] = (),
) -> bytes:
    """An increment of these objects with a table; `places` are entries that point elsewhere.

    Root and /Prev are those of the last section unless given.
    """
    out = bytearray(document)
    lines: dict[int, bytes] = {}
    for number, value in objects.items():
        lines[number] = b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, value)
    lines |= {number: b"%010d 00000 n \n" % place for number, place in (places or {}).items()}
    lines |= dict.fromkeys(freed, b"%010d 00001 f \n" % 0)
    start = len(out)
    out += b"xref\n" + b"".join(b"%d 1\n%b" % (number, line) for number, line in sorted(lines.items()))
    old_root = int(re.findall(rb"/Root (\d+) 0 R", document)[-1])
    old_size = max(int(n) for n in re.findall(rb"/Size (\d+)", document))
    out += b"trailer\n<< /Size %d /Root %d 0 R /Prev %d %b >>\n" % (
        max([old_size, *(number + 1 for number in lines)]),
        old_root if root is None else root,
        int(re.findall(rb"startxref\s+(\d+)", document)[-1]) if before is None else before,
        trailer,
    )
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def number_of(document: bytes, text: bytes) -> int:
    """The number of the last object that holds these bytes."""
    return int(document[: document.rindex(text)].rsplit(b" 0 obj", 1)[0].split()[-1])


OTHER_TEXT = b"<< /Length 42 >>\nstream\nBT /F1 14 Tf 80 780 Td (Chi 9.250) Tj ET     \nendstream"


@pytest.fixture(scope="module")
def signed() -> bytes:
    return sign(make_document(pages=1), make_certificate("Một", None), SignAs("Một", room=4_000))


def test_an_increment_written_by_hand_is_read(signed: bytes, pki: Pki, check: Checker) -> None:
    note = appended(signed, {40: b"<< /Title (x) >>"}, trailer=b"/Info 40 0 R")
    report = check(note, pki.trust())
    assert report.integrity is Integrity.CHANGED
    assert [change.kind for change in report.signatures[0].changes] == [ChangeKind.METADATA]


def test_an_entry_that_points_into_the_hole_of_a_signature_finds_nothing(
    signed: bytes, pki: Pki, check: Checker
) -> None:
    start, _ = max(gaps(signed))
    report = check(appended(signed, {}, places={5: start + 100}), pki.trust())
    assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}


def test_an_entry_that_points_at_another_object_is_no_object(signed: bytes, pki: Pki, check: Checker) -> None:
    report = check(appended(signed, {}, places={5: signed.index(b"3 0 obj")}), pki.trust())
    assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}


def test_an_object_hidden_in_a_stream_and_pointed_at_later_is_a_change(pki: Pki, check: Checker) -> None:
    hidden = b"5 0 obj " + OTHER_TEXT + b" endobj"
    carrier = appended(make_document(pages=1), {30: b"<< /Length %d >>\nstream\n%b\nendstream" % (len(hidden), hidden)})
    signed = sign(carrier, make_certificate("Một", None), SignAs("Một", room=4_000))
    assert check(signed, pki.trust()).integrity is Integrity.INTACT
    report = check(appended(signed, {}, places={5: signed.index(hidden)}), pki.trust())
    assert report.integrity is Integrity.BROKEN


def test_a_startxref_that_leads_back_to_an_earlier_revision_breaks_all(
    twice_signed: bytes, pki: Pki, check: Checker
) -> None:
    first = int(re.findall(rb"startxref\s+(\d+)", twice_signed)[1])
    report = check(twice_signed + b"startxref\n%d\n%%%%EOF\n" % first, pki.trust())
    assert report.integrity is Integrity.BROKEN


def test_a_section_that_skips_a_signed_revision_breaks_its_history(
    twice_signed: bytes, pki: Pki, check: Checker
) -> None:
    first = int(re.findall(rb"startxref\s+(\d+)", twice_signed)[1])
    form = number_of(twice_signed, b"/Fields")
    body = twice_signed[twice_signed.rindex(b"%d 0 obj" % form) :].split(b"obj", 1)[1].split(b"endobj")[0]
    report = check(appended(twice_signed, {form: body}, before=first), pki.trust())
    assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}


def test_a_catalog_that_is_swapped_breaks_the_signature(signed: bytes, pki: Pki, check: Checker) -> None:
    form = number_of(signed, b"/Fields")
    objects = {
        40: b"<< /Type /Catalog /Pages 41 0 R /AcroForm %d 0 R >>" % form,
        41: b"<< /Type /Pages /Kids [42 0 R] /Count 1 >>",
        42: b"<< /Type /Page /Parent 41 0 R /MediaBox [0 0 595 842] /Contents 43 0 R >>",
        43: OTHER_TEXT,
    }
    report = check(appended(signed, objects, root=40), pki.trust())
    assert report.integrity is Integrity.BROKEN


def test_two_objects_of_one_number_are_no_hiding_place(signed: bytes, pki: Pki, check: Checker) -> None:
    twice = signed + b"5 0 obj\n" + OTHER_TEXT + b"\nendobj\n"
    # The table names the second body, which is what was signed.
    report = check(appended(twice, {5: signed[signed.index(b"5 0 obj") + 8 :].split(b"\nendobj")[0]}), pki.trust())
    assert report.integrity not in {Integrity.INTACT, Integrity.UNSIGNED}


def test_freeing_what_a_page_draws_breaks_the_signature(signed: bytes, pki: Pki, check: Checker) -> None:
    report = check(appended(signed, {}, freed=(5,)), pki.trust())
    assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}


def with_length_elsewhere(pages: int = 1) -> bytes:
    """The page's content takes its length from object 30; behind the shorter text stands a longer one."""
    content = b"BT /F1 14 Tf 80 780 Td (Chi 1.250) Tj ET\n"
    return appended(
        make_document(pages),
        {5: b"<< /Length 30 0 R >>\nstream\n%b\nendstream" % content, 30: b"%d" % len(content)},
    )


@pytest.mark.parametrize("signatures", [1, 3])
def test_a_length_that_is_changed_later_is_a_change_of_the_page(pki: Pki, check: Checker, signatures: int) -> None:
    document = with_length_elsewhere()
    for n in range(signatures):
        document = sign(document, make_certificate(f"Số {n}", None), SignAs(f"S{n}", room=4_000))
    assert check(document, pki.trust()).integrity is Integrity.INTACT
    # One byte less: the white space before `endstream` makes up for it.
    shorter = appended(document, {30: b"%d" % (len(b"BT /F1 14 Tf 80 780 Td (Chi 1.250) Tj ET\n") - 1)})
    report = check(shorter, pki.trust())
    assert [signature.integrity for signature in report.signatures] == [Integrity.BROKEN] * signatures


@pytest.mark.parametrize("steps", [1, 4])
def test_what_a_page_draws_with_may_not_change_after_any_number_of_steps(pki: Pki, check: Checker, steps: int) -> None:
    document = make_document(pages=2)
    for n in range(steps):
        document = sign(document, make_certificate(f"Số {n}", None), SignAs(f"S{n}", page=n % 2, room=4_000))
    assert check(document, pki.trust()).integrity is Integrity.INTACT
    font = appended(document, {3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"})
    signed_over = sign(font, make_certificate("Sau", None), SignAs("Sau", room=4_000))
    for changed in (font, signed_over):
        report = check(changed, pki.trust())
        assert [signature.integrity for signature in report.signatures[:steps]] == [Integrity.BROKEN] * steps
    assert report.signatures[-1].integrity is Integrity.INTACT


def test_an_object_that_was_missing_may_not_appear_after_any_number_of_steps(pki: Pki, check: Checker) -> None:
    document = make_document(pages=1, extra="/Group 50 0 R")
    document = document.replace(b"/Size 6", b"/Size 9")
    for n in range(3):
        document = sign(document, make_certificate(f"Số {n}", None), SignAs(f"S{n}", room=4_000, lenient=True))
    report = check(appended(document, {50: b"<< /S /Transparency /K true >>"}), pki.trust())
    # pyHanko's analysis, which is asked too, can't read files with such references at all.
    assert {signature.integrity for signature in report.signatures} <= {Integrity.BROKEN, Integrity.UNREADABLE}


def test_contents_named_twice_are_never_good(signed: bytes, pki: Pki, check: Checker) -> None:
    start, _ = max(gaps(signed))
    key = signed.rindex(b"/Contents", 0, start)
    field = signed.rindex(b"/M (", 0, len(signed))
    # The date gives its place, so that nothing moves.
    twice = signed[:field] + b"/Contents <00>".ljust(len(b"/M (D:20261122")) + signed[field + 14 :]
    assert len(twice) == len(signed)
    assert key > 0
    report = check(twice, pki.trust())
    assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}
