"""Files made to exhaust the checker: an answer comes, never better than indeterminate where a limit is hit."""

import hashlib
import io
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from asn1crypto import cms

from signer_app.tasks import Verify
from signer_app.verification.faults import LimitError
from signer_app.verification.model import Integrity, Verdict
from signer_app.verification.source import SignedRange, SourceFile
from signer_app.workers import Workers
from tests.verification.conftest import Checker
from tests.verification.documents import (
    SignAs,
    append_timestamp,
    make_document,
    sign,
)
from tests.verification.small_pki import NOW, Pki, make_certificate

PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"


def written(objects: Mapping[int, bytes], trailer: bytes = b"", *, size: int | None = None) -> bytes:
    """A PDF of these objects; catalog, page tree and page are plain unless given."""
    held = {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: PAGES, 3: PAGE, **objects}
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    lines = []
    for number, body in sorted(held.items()):
        lines.append(b"%d 1\n%010d 00000 n \n" % (number, out.tell()))
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n" + b"".join(lines))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (size or max(held) + 1, trailer))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def stream(data: bytes, entries: bytes) -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), entries, data)


def with_xref_stream(entries: bytes, rows: bytes, extra: Mapping[int, bytes] | None = None) -> bytes:
    """The plain file with its cross-reference in a stream whose dictionary has these entries."""
    out = b"%PDF-1.7\n"
    for number, body in {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: PAGES, 3: PAGE, **(extra or {})}.items():
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"9 0 obj\n%b\nendobj\n" % stream(rows, b"/Type /XRef /Size 10 /Root 1 0 R " + entries)
    return out + b"startxref\n%d\n%%%%EOF\n" % start


def many_sections(count: int) -> bytes:
    """A chain of so many empty cross-reference sections over one plain file."""
    out = bytearray(written({}))
    before = int(out.split()[-2])
    for _ in range(count):
        start = len(out)
        out += b"xref\n0 0\ntrailer\n<< /Size 4 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (before, start)
        before = start
    return bytes(out)


def loop() -> bytes:
    out = written({})
    start = len(out)
    return out + b"xref\n0 0\ntrailer\n<< /Size 4 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (start, start)


FIELD = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>"
BOMBS = {
    "a page tree that holds itself": written({2: b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"}),
    "a page tree that doubles at each level": written(
        {2: b"<< /Type /Pages /Kids [4 0 R] >>"}
        | {n: b"<< /Type /Pages /Kids [%d 0 R %d 0 R] >>" % (n + 1, n + 1) for n in range(4, 50)}
        | {50: b"<< /Type /Pages /Kids [] >>"}
    ),
    "a field that is its own kid": written({1: FIELD, 4: b"<< /T (a) /FT /Tx /Kids [4 0 R] >>"}),
    "fields that double at each level": written(
        {1: FIELD}
        | {n: b"<< /T (a) /Kids [%d 0 R %d 0 R] >>" % (n + 1, n + 1) for n in range(4, 50)}
        | {50: b"<< /T (z) /FT /Tx >>"}
    ),
    "100,000 arrays in each other": written({2: b"<< /Type /Pages /Kids " + b"[" * 100_000 + b"]" * 100_000 + b" >>"}),
    "100,000 dictionaries in each other": written({2: b"<< /Kids " + b"<</A " * 100_000 + b"1" + b">>" * 100_000}),
    "references in a ring": written({2: b"4 0 R", 4: b"5 0 R", 5: b"4 0 R", 1: b"6 0 R", 6: b"1 0 R"}),
    "a length that is its own stream": written(
        {2: b"<< /Type /Pages /Kids [3 0 R] /Length 2 0 R >>\nstream\nx\nendstream"}
    ),
    "a length of a petabyte": written({2: b"<< /Length 1000000000000000 >>\nstream\nx\nendstream"}),
    "a negative length": written({2: b"<< /Length -1 >>\nstream\nx\nendstream"}),
    "a chain of sections that loops": loop(),
    "5,000 sections": many_sections(5000),
    "a section of a billion entries without width": with_xref_stream(b"/W [0 0 0] /Index [0 1000000000]", b""),
    "a section of a billion entries": with_xref_stream(b"/W [1 0 0] /Index [0 1000000000]", b"\1"),
    "an object stream that lies in itself": with_xref_stream(
        b"/W [1 2 1] /Index [1 3]", b"\2\0\7\0" + b"\2\0\7\0" + b"\2\0\7\0"
    ),
    "object streams that lie in each other": with_xref_stream(
        b"/W [1 2 1] /Index [1 8]",
        b"\2\0\7\0" * 3 + b"\0\0\0\0" * 3 + b"\2\0\10\0" + b"\2\0\7\0",
    ),
    "an object stream of 100 MB out of 100 kB": with_xref_stream(
        b"/W [1 2 1] /Index [1 7]",
        b"\2\0\7\0" * 3 + b"\0\0\0\0" * 3 + b"\1\0\11\0",
        {7: stream(zlib.compress(b" " * 100_000_000, 1), b"/Type /ObjStm /N 3 /First 12 /Filter /FlateDecode")},
    ),
    "a reference below zero": written({}).replace(b"3 1\n0", b"3 1\n-"),
    "a reference behind the end": written({}).replace(b"3 1\n0", b"3 1\n9"),
    "a section below zero": written({})[:-6].replace(b"startxref\n", b"startxref\n-") + b"%%EOF\n",
}


@pytest.mark.parametrize("document", BOMBS.values(), ids=BOMBS.keys())
def test_a_file_that_is_made_to_exhaust_is_unreadable(pki: Pki, check: Checker, document: bytes) -> None:
    report = check(document, pki.trust())
    assert (report.integrity, report.verdict) == (Integrity.UNREADABLE, Verdict.INDETERMINATE)


def test_the_plain_file_of_these_tests_is_readable(pki: Pki, check: Checker) -> None:
    rows = b"".join(b"\1" + written({}).index(b"%d 0 obj" % n).to_bytes(2, "big") + b"\0" for n in (1, 2, 3))
    for document in (written({}), with_xref_stream(b"/W [1 2 1] /Index [1 3]", rows)):
        assert check(document, pki.trust()).integrity is Integrity.UNSIGNED


# Signed files


@pytest.fixture(scope="module")
def signed() -> bytes:
    return sign(make_document(pages=1), make_certificate("Một", None), SignAs("Một", room=4_000))


def replaced_contents(document: bytes, der: bytes) -> bytes:
    """The signature's /Contents with this in their place, as long as they were."""
    found = re.search(rb"/Contents\s*<([0-9A-Fa-f]+)>", document)
    assert found is not None
    room = found.end(1) - found.start(1)
    assert len(der) * 2 <= room
    return document[: found.start(1)] + der.hex().encode().ljust(room, b"0") + document[found.end(1) :]


def contents(document: bytes) -> bytes:
    found = re.search(rb"/Contents\s*<([0-9A-Fa-f]+)>", document)
    assert found is not None
    return bytes.fromhex(found.group(1).decode())


def with_certificates(der: bytes, count: int) -> bytes:
    """A CMS with its first certificate so many times over."""
    held = cms.ContentInfo.load(der)
    certificates = held["content"]["certificates"]
    first = certificates[0].chosen
    held["content"]["certificates"] = cms.CertificateSet(
        [cms.CertificateChoices("certificate", first) for _ in range(count)]
    )
    encoded: bytes = held.dump(force=True)
    return encoded


@pytest.mark.parametrize("count", [100, pytest.param(2_000, marks=pytest.mark.long)])
def test_a_bomb_of_certificates_is_not_looked_through(pki: Pki, check: Checker, count: int) -> None:
    room = 1_000 * count
    roomy = sign(make_document(pages=1), make_certificate("Một", None), SignAs("Một", room=room))
    assert check(roomy, pki.trust()).integrity is (Integrity.INTACT if room < 4 << 20 else Integrity.UNREADABLE)
    report = check(replaced_contents(roomy, with_certificates(contents(roomy), count)), pki.trust())
    assert (report.integrity, report.message_code) == (Integrity.UNREADABLE, "verify_limit")


def with_range(document: bytes, numbers: bytes) -> bytes:
    found = re.search(rb"/ByteRange\s*\[([^\]]*)\]", document)
    assert found is not None
    room = found.end(1) - found.start(1)
    assert len(numbers) <= room
    return document[: found.start(1)] + numbers.ljust(room) + document[found.end(1) :]


@pytest.mark.parametrize(
    "numbers",
    [
        b"",
        b"0",
        b"0 0 0 0",
        b"0 -1 99 -5",
        b"0 10 5 100",
        b"0 1e3 9 9",
        b"0 9999999999 0",
        b"-1 9 99 9",
        b"0 1 2 3 4 5",
        b"0 9.5 99 9",
        b"null 1 2 3",
        b"0 [1] 2 3",
        b"0 7 0 R 9",
        b"0 true 9 9",
    ],
)
def test_a_range_of_odd_numbers_is_never_good(pki: Pki, check: Checker, signed: bytes, numbers: bytes) -> None:
    report = check(with_range(signed, numbers), pki.trust())
    assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}
    assert report.verdict in {Verdict.INVALID, Verdict.INDETERMINATE}


def test_what_is_deeply_nested_behind_a_signature_is_unreadable(pki: Pki, check: Checker, signed: bytes) -> None:
    start = len(signed)
    nested = b"900 0 obj\n" + b"[" * 100_000 + b"]" * 100_000 + b"\nendobj\n"
    root = re.findall(rb"/Root (\d+ 0 R)", signed)[-1]
    before = signed.split()[-2]
    page = signed.index(b"/Type /Page ", signed.index(b"/Type /Pages") + 13)
    number = int(signed[:page].rsplit(b" 0 obj", 1)[0].split()[-1])
    changed = b"%d 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 900 0 R >>\nendobj\n" % number
    table = start + len(nested) + len(changed)
    document = signed + nested + changed
    document += b"xref\n900 1\n%010d 00000 n \n%d 1\n%010d 00000 n \n" % (start, number, start + len(nested))
    document += b"trailer\n<< /Size 901 /Root %b /Prev %b >>\nstartxref\n%d\n%%%%EOF\n" % (root, before, table)
    report = check(document, pki.trust())
    assert report.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}


def test_all_digests_come_from_one_pass(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = bytes(range(256)) * 9000
    path.write_bytes(data)
    wanted = [
        (SignedRange(100, 300, 5000), "sha256"),
        (SignedRange(5100, 5200, 1_300_000), "sha512"),
        (SignedRange(1_300_500, 1_300_900, len(data)), "sha256"),
        (SignedRange(100, 200, len(data)), "sha384"),
    ]
    with SourceFile(path) as source:
        source.read_once(wanted)
        for one, name in wanted:
            expected = hashlib.new(name, data[: one.gap_start] + data[one.gap_end : one.end]).digest()
            assert source.digest(one, name) == expected
        assert source.sha256() == hashlib.sha256(data).hexdigest()


def test_signatures_that_each_sign_all_of_the_file_again_reach_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(100_000))
    with SourceFile(path) as source:
        ranges = [SignedRange(n, n + 10, 100_000) for n in range(1, 50)]
        source.read_once((one, "sha256") for one in ranges)
        assert source.digest(ranges[-1], "sha256")
        with pytest.raises(LimitError):
            source.digest(ranges[0], "sha256")


def many_signatures(count: int) -> bytes:
    holder = make_certificate("Một", None)
    document = make_document(pages=1)
    for n in range(count):
        document = sign(document, holder, SignAs(f"S{n}", room=4_000))
    return document


@pytest.mark.long
def test_a_hundred_signatures_are_answered(pki: Pki, check: Checker) -> None:
    report = check(many_signatures(100), pki.trust())
    assert [signature.integrity for signature in report.signatures] == [Integrity.INTACT] * 100


@pytest.mark.long
def test_more_signatures_than_are_looked_at_are_indeterminate(pki: Pki, check: Checker) -> None:
    report = check(many_signatures(201), pki.trust())
    assert (report.verdict, report.message_code) == (Verdict.INDETERMINATE, "verify_limit")


@pytest.mark.parametrize("pages", [150, pytest.param(5000, marks=pytest.mark.long)])
def test_thousands_of_pages_are_answered(pki: Pki, check: Checker, pages: int) -> None:
    once = sign(make_document(pages=pages), make_certificate("Một", None), SignAs("Một", box=(300, 100, 450, 180)))
    twice = sign(once, make_certificate("Hai", None), SignAs("Hai", page=1))
    report = check(append_timestamp(twice, pki.tsa), pki.trust())
    assert [signature.integrity for signature in report.signatures] == [Integrity.INTACT] * 2


@pytest.mark.long
def test_a_file_of_a_gigabyte_is_answered(pki: Pki, tmp_path: Path) -> None:
    """Most of it is a hole in the file, so that it takes no room; the checker reads it all the same."""
    path = tmp_path / "lớn.pdf"
    path.write_bytes(make_document(pages=1))
    length = 1 << 30
    with path.open("r+b") as file:
        start = file.seek(0, io.SEEK_END)
        file.write(b"90 0 obj\n<< /Length %d >>\nstream\n" % length)
        file.seek(length, io.SEEK_CUR)
        file.write(b"\nendstream\nendobj\n")
        table = file.tell()
        before = make_document(pages=1).split()[-2]
        file.write(b"xref\n90 1\n%010d 00000 n \ntrailer\n" % start)
        file.write(b"<< /Size 91 /Root 1 0 R /Prev %b >>\nstartxref\n%d\n%%%%EOF\n" % (before, table))
    with Workers() as workers:
        report = workers.verify(Verify(str(path), pki.trust(), NOW)).report
    assert report.integrity is Integrity.UNSIGNED
