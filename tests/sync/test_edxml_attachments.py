"""What systems put around the files that they send is taken off, as far as that is safe; nothing is lost by it."""

import hashlib
import io
import struct
import tempfile
import tracemalloc
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO

import pytest

from signer_resources.errors import KnownError
from signer_sync.edxml import Doubt
from signer_sync.edxml_attachments import FileKind, OpenedPacket, UnwrapLimits, kind_of, open_packet, unwrap
from signer_sync.edxml_zip import Trouble
from tests.sync.edxml_made import (
    HEADER,
    INNER_ID,
    INNER_NAME,
    OUTER_NAME,
    PDF,
    attachment,
    business,
    inner_packet,
    packet,
    streamed_zip,
)

UUID_NAME = "32da2890-1a55-4ccd-9ac9-cd0d98559e67.edxml"
Seen = list[tuple[str, bytes, FileKind, Trouble | None]]


def files_in(
    content: bytes, name: str = "a.pdf", limits: UnwrapLimits | None = None, expected: Collection[str] = ()
) -> Seen:
    with unwrap(io.BytesIO(content), name, io.BytesIO, limits or UnwrapLimits(), expected) as found:
        for item in found:
            content = item.stream.read()
            assert (item.size, item.sha256) == (len(content), hashlib.sha256(content).hexdigest())
            item.stream.seek(0)
        return [(item.name, item.stream.read(), item.kind, item.trouble) for item in found]


def kept(content: bytes, trouble: Trouble | None, name: str = "a.pdf", limits: UnwrapLimits | None = None) -> bool:
    """Whether a ZIP stays the file that came, with this trouble."""
    return files_in(content, name, limits) == [(name, content, FileKind.ZIP, trouble)]


def opened(data: bytes, limits: UnwrapLimits | None = None) -> tuple[OpenedPacket, Seen]:
    with open_packet(io.BytesIO(data), io.BytesIO, limits or UnwrapLimits()) as found:
        return found, [(item.name, item.stream.read(), item.kind, item.trouble) for item in found.files]


def ordinary_zip(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


# What is unwrapped


def test_a_plain_file_stays_what_it_is() -> None:
    assert files_in(PDF, "a.pdf") == [("a.pdf", PDF, FileKind.PDF, None)]
    assert files_in(b"", "trống") == [("trống", b"", FileKind.OTHER, None)]


@pytest.mark.parametrize("make", [streamed_zip, ordinary_zip])
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_of_one_file_gives_that_file_under_the_attachments_name(make: type, method: int) -> None:
    assert files_in(make((UUID_NAME, PDF), method=method)) == [("a.pdf", PDF, FileKind.PDF, None)]


def test_a_packet_in_a_streamed_zip_gives_its_file_and_stays_a_file_itself() -> None:
    inner = inner_packet()
    data = packet(trace=business("0"), attachments=[attachment(streamed_zip((UUID_NAME, inner)), OUTER_NAME)])
    found, files = opened(data)
    assert files == [
        (INNER_NAME, PDF, FileKind.PDF, None),
        (f"{OUTER_NAME}.edxml", inner, FileKind.PACKET, None),
    ]
    assert found.packet.header.subject == "V/v kết nối, liên thông"
    assert [header.document_id for header in found.inner] == [INNER_ID]
    assert Doubt.UNDECLARED_PREFIX in found.inner[0].doubts
    assert not found.secret


def test_bytes_decide_what_a_file_is_and_no_declared_type() -> None:
    data = packet(
        attachments=[attachment(PDF, "a.doc", "application/zip"), attachment(streamed_zip(("x", PDF)), "b.pdf")]
    )
    assert [(name, kind) for name, _, kind, _ in opened(data)[1]] == [("a.doc", FileKind.PDF), ("b.pdf", FileKind.PDF)]
    assert kind_of(b"junk\n" + PDF) is FileKind.PDF
    assert kind_of(b"x" * 1025 + PDF) is FileKind.OTHER
    assert kind_of(packet().decode().encode("utf-16")) is FileKind.PACKET
    assert kind_of(b"<html>http://www.mic.gov.vn/TBT/QCVN_102_2016</html>") is FileKind.OTHER
    # The PDF in it begins within the first bytes, but it is a ZIP.
    assert kind_of(ordinary_zip(("a.pdf", PDF), method=zipfile.ZIP_STORED)) is FileKind.ZIP


@pytest.mark.parametrize(
    "entries",
    [
        [("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<x/>")],
        [("mimetype", b"application/vnd.oasis.opendocument.text")],
    ],
)
def test_an_office_document_is_a_file_and_no_wrapping(entries: list[tuple[str, bytes]]) -> None:
    assert kept(ordinary_zip(*entries), None, "phụ lục.docx")


def test_what_its_sender_calls_an_archive_is_one_unless_a_packet_is_in_it() -> None:
    assert kept(ordinary_zip(("a.pdf", PDF)), None, "Hồ sơ.ZIP")
    assert kept(ordinary_zip(("a.pdf", PDF), ("b.pdf", PDF)), None, "hồ sơ.zip")
    assert [item[0] for item in files_in(ordinary_zip(("a.edxml", inner_packet())), "hồ sơ.zip")] == [
        INNER_NAME,
        "hồ sơ.zip.edxml",
    ]


def test_several_files_in_a_zip_are_taken_only_if_the_manifest_lists_them_all() -> None:
    two = ordinary_zip(("a.pdf", PDF), ("b.pdf", PDF + b"b"))
    assert kept(two, Trouble.SEVERAL)
    assert files_in(two, expected={"a.pdf", "b.pdf", "c.pdf"}) == [
        ("a.pdf", PDF, FileKind.PDF, None),
        ("b.pdf", PDF + b"b", FileKind.PDF, None),
    ]
    assert files_in(two, expected={"a.pdf"})[0][3] is Trouble.SEVERAL


def test_a_zip_in_a_zip_is_a_file() -> None:
    within = ordinary_zip(("a.pdf", PDF))
    assert files_in(ordinary_zip(("x", within))) == [("a.pdf", within, FileKind.ZIP, None)]


# What is not


def test_packets_in_packets_in_packets_are_not_opened() -> None:
    deepest = inner_packet(name="sâu.pdf")
    middle = packet(attachments=[attachment(deepest, "giữa.xml")])
    found, files = opened(packet(attachments=[attachment(middle, "ngoài.edxml")]))
    assert files == [
        ("giữa.xml", deepest, FileKind.PACKET, Trouble.NESTED),
        ("ngoài.edxml", middle, FileKind.PACKET, None),
    ]
    assert len(found.inner) == 1


def test_a_damaged_packet_inside_stays_a_file() -> None:
    broken = inner_packet()[:-200]
    found, files = opened(packet(attachments=[attachment(broken, "x.edxml")]))
    assert files == [("x.edxml", broken, FileKind.PACKET, Trouble.DAMAGED)]
    assert found.inner == ()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "C:\\Windows\\x.dll", "..\\x.pdf", "C:x", "a/../../b", "thư mục/"]
)
def test_an_entry_called_like_a_way_out_leaves_its_zip_shut(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert kept(ordinary_zip((name, b"" if name.endswith("/") else PDF)), Trouble.UNSAFE_NAME)
    assert list(tmp_path.iterdir()) == []


def test_an_entry_without_a_name_leaves_its_zip_shut() -> None:
    # The directory's own record is left with a name of no letters, and what was the name passes for a comment.
    honest = ordinary_zip(("a", PDF))
    at = honest.index(b"PK\x01\x02")
    assert kept(honest[: at + 28] + struct.pack("<3H", 0, 0, 1) + honest[at + 34 :], Trouble.UNSAFE_NAME)


def test_an_entry_in_a_folder_is_only_a_file() -> None:
    assert files_in(ordinary_zip(("thư mục/tệp.pdf", PDF))) == [("a.pdf", PDF, FileKind.PDF, None)]


def test_a_bomb_is_not_unpacked() -> None:
    assert kept(ordinary_zip(("a", bytes(16 << 20))), Trouble.BOMB)


def test_what_is_larger_than_all_may_be_is_not_unpacked() -> None:
    limits = UnwrapLimits(total=len(PDF) - 1)
    assert kept(streamed_zip(("a", PDF)), Trouble.BOMB, limits=limits)


def test_a_size_that_lies_gives_no_more_than_was_told() -> None:
    honest = ordinary_zip(("a", bytes(1 << 20)))
    at = honest.index(b"PK\x01\x02") + 24
    lying = honest[:at] + struct.pack("<L", 10) + honest[at + 4 :]
    assert kept(lying, Trouble.DAMAGED)


def test_a_zip_with_a_password_or_an_odd_method_stays_shut() -> None:
    honest = ordinary_zip(("a", PDF))
    at = honest.index(b"PK\x01\x02")
    for place, value in ((at + 8, 1), (at + 10, 97)):
        assert kept(honest[:place] + struct.pack("<H", value) + honest[place + 2 :], Trouble.LOCKED)
    assert kept(ordinary_zip(("a", PDF), method=zipfile.ZIP_LZMA), Trouble.LOCKED)


def test_a_damaged_zip_stays_a_file() -> None:
    honest = streamed_zip(("a", PDF))
    assert kept(honest[:-30], Trouble.DAMAGED)
    assert kept(honest[:60] + bytes(20) + honest[80:], Trouble.DAMAGED)
    assert kept(b"PK\x03\x04", Trouble.DAMAGED)
    assert kept(b"PK\x03\x04" + bytes(100) + b"PK\x05\x06", Trouble.DAMAGED)
    assert kept(b"PK\x03\x04" + ordinary_zip(), None)


def test_a_directory_of_any_size_is_not_read_into_memory() -> None:
    honest = ordinary_zip(("a", PDF))
    at = honest.index(b"PK\x05\x06")
    huge = honest[: at + 12] + struct.pack("<L", 2 << 20) + honest[at + 16 :]
    assert kept(huge, None)
    with_locator = honest[:at] + b"PK\x06\x07" + bytes(16) + honest[at:]
    assert kept(with_locator, Trouble.LOCKED)


def test_a_packet_too_large_unpacked_is_refused() -> None:
    data = packet(attachments=[attachment(), attachment()])
    with pytest.raises(KnownError) as caught:
        opened(data, UnwrapLimits(total=2 * len(PDF) - 1))
    assert caught.value.params["reason"] == "attachments too large"
    assert len(opened(data, UnwrapLimits(total=2 * len(PDF)))[1]) == 2


def test_what_was_tried_in_vain_does_not_use_up_the_room_of_others() -> None:
    broken = packet(attachments=[attachment(PDF * 4)])[:-40]
    data = packet(attachments=[attachment(broken, "x.edxml"), attachment(streamed_zip(("a", PDF)), "b.pdf")])
    room = len(broken) + len(streamed_zip(("a", PDF))) + len(PDF) * 4
    assert [item[3] for item in opened(data, UnwrapLimits(total=room))[1]] == [Trouble.DAMAGED, None]


def test_a_fault_of_the_disk_is_no_fault_of_the_packet() -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), unwrap(io.BytesIO(streamed_zip(("a", PDF))), "a.pdf", Full):
        pass


# What the caller relies on


def test_spools_are_closed_with_the_context() -> None:
    made: list[IO[bytes]] = []

    def spool() -> IO[bytes]:
        made.append(io.BytesIO())
        return made[-1]

    data = packet(
        attachments=[attachment(streamed_zip((UUID_NAME, inner_packet())), OUTER_NAME), attachment(b"PK\x03\x04")]
    )
    with open_packet(io.BytesIO(data), spool) as found:
        assert len(made) == 4
        assert not any(stream.closed for stream in made)
        assert all(item.stream in made for item in found.files)
    assert all(stream.closed for stream in made)
    made.clear()
    with pytest.raises(KnownError), open_packet(io.BytesIO(data[:-60]), spool):
        pass
    assert made
    assert all(stream.closed for stream in made)


def test_a_large_file_in_a_zip_in_a_packet_is_never_whole_in_memory(tmp_path: Path) -> None:
    size = 12 << 20
    path = tmp_path / "wrapped"
    head, _, tail = inner_packet(b"").partition(b"</edXML:ContentTransferEncoded>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive, archive.open("x.edxml", "w") as entry:
        entry.write(head)
        for _ in range(size // (3 << 16)):
            entry.write(b"JVBERi0x" * (1 << 15))
        entry.write(b"</edXML:ContentTransferEncoded>" + tail)
    tracemalloc.start()
    try:
        with path.open("rb") as stream, unwrap(stream, "a.doc", tempfile.TemporaryFile) as found:
            sizes = [item.size for item in found]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sizes[0] == size // (3 << 16) * (3 << 16)
    assert peak < 6 << 20


# Secrecy


@pytest.mark.parametrize(
    "content",
    [
        inner_packet(subject="[MẬT] Kế hoạch"),
        streamed_zip((UUID_NAME, inner_packet(subject="Độ mật: Tối mật"))),
        inner_packet(name="12-BC (MẬT).pdf"),
        inner_packet(subject="[MẬT] Kế hoạch")[:-200],
        ordinary_zip(("KH/12 (MẬT).pdf", PDF)),
        ordinary_zip(("a.pdf", PDF), ("Tuyệt mật.pdf", PDF)),
        packet(attachments=[attachment(inner_packet(subject="TỐI MẬT"), "x")]),
    ],
    ids=["packet", "zipped packet", "name in it", "damaged packet", "entry", "one of several entries", "too deep"],
)
def test_a_mark_of_secrecy_inside_a_wrapping_is_seen(content: bytes) -> None:
    found, _ = opened(packet(HEADER, business("0"), [attachment(content, "a.pdf")]))
    assert found.secret
    assert not found.packet.secret
