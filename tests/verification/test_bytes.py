"""The file as bytes: ranges, ends, damage, and what is no PDF at all."""

import io
import random
import re
from pathlib import Path

import pikepdf
import pytest

from signer_app.verification.model import Integrity, Verdict
from signer_app.verification.verify import verify_file
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


def test_an_encrypted_file_is_not_judged(pki: Pki, check: Checker) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(make_document())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="a", user=""))
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
