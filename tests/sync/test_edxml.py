import base64
import hashlib
import io
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import NAMESPACE, AttachmentFile, Organ, PacketHeader, Priority, ReadPacket
from signer_sync.edxml_read import ReadLimits, read_header, read_packet
from signer_sync.edxml_write import write_packet
from tests.server.world import COMMUNE, OFFICE, attachment, document, packet_bytes

HEADER = """
  <From><OrganId>H41</OrganId><OrganName>UBND tỉnh</OrganName></From>
  <To><OrganId>G22</OrganId><OrganName>VPCP</OrganName></To>
  <DocumentId>H41,2026/02/30,74fass22/QĐ</DocumentId>
  <Code><CodeNumber>74fass22</CodeNumber><CodeNotation>QĐ</CodeNotation></Code>
  <PromulgationInfo><Place>Vinh</Place><PromulgationDate>2026/02/30</PromulgationDate></PromulgationInfo>
  <Subject>Về việc A</Subject>
"""
BODY = """<AttachmentEncoded><Attachment><ContentId>cid:1</ContentId><AttachmentName>a.pdf</AttachmentName>
<ContentTransferEncoded>JVBERi0=</ContentTransferEncoded></Attachment></AttachmentEncoded>"""


def written(header: str = HEADER, trace: str = "", body: str = BODY, before: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<edXML xmlns="{NAMESPACE}">'
        f"<edXMLEnvelope><edXMLHeader><MessageHeader>{header}</MessageHeader>{trace}</edXMLHeader></edXMLEnvelope>{body}</edXML>"
    ).encode()


def read(data: bytes, limits: ReadLimits | None = None) -> tuple[ReadPacket, list[bytes]]:
    sinks: list[io.BytesIO] = []

    def sink_for(number: int) -> io.BytesIO:
        assert number == len(sinks)
        sinks.append(io.BytesIO())
        return sinks[-1]

    packet = read_packet(io.BytesIO(data), sink_for, limits or ReadLimits())
    return packet, [sink.getvalue() for sink in sinks]


def header_of(data: bytes) -> PacketHeader:
    return read_header(io.BytesIO(data))


def refused(data: bytes, limits: ReadLimits | None = None) -> str:
    with pytest.raises(KnownError) as caught:
        read(data, limits)
    assert caught.value.code == "edxml_invalid"
    assert str(caught.value.explain("vi"))
    return str(caught.value.params["reason"])


def by_reason(value: object) -> str:
    """Names a case by its reason: the packets themselves are too long for that."""
    return value if isinstance(value, str) else ""


# -- writing -----------------------------------------------------------------------------------------------


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    plain = document(
        receivers=(Organ(OFFICE, "Sở Nội vụ"), Organ("H77", "UBND tỉnh")),
        priority=Priority.FLASH,
        appendixes=("Phụ lục I",),
        to_places=("Như Điều 3", "Lưu: VT"),
    )
    files = [
        attachment(tmp_path),
        attachment(tmp_path, b"\0\xff" * 1000 + b"z", "Phụ lục <1> & 2.xlsx"),
        attachment(tmp_path, b"", "empty"),
    ]
    out = io.BytesIO()
    result = write_packet(plain, files, out)
    assert result.sha256 == hashlib.sha256(out.getvalue()).hexdigest()
    assert result.size == len(out.getvalue())
    packet, contents = read(out.getvalue())
    header = packet.header
    assert header.document_id == result.document_id == f"{COMMUNE},2026/11/20,12/QĐ-UBND"
    assert (header.kind, header.kind_declared, header.secret) == (PacketKind.NEW, True, False)
    assert header.sender == plain.sender
    assert header.routed_to == (OFFICE, "H77")
    assert (header.subject, header.signer, header.priority) == (plain.subject, plain.signer, Priority.FLASH)
    assert (header.appendixes, header.to_places) == (plain.appendixes, plain.to_places)
    assert [item.name for item in header.references] == [item.name for item in files]
    assert [(item.name, item.size, item.sha256) for item in packet.attachments] == [
        (item.name, item.size, item.sha256) for item in files
    ]
    assert contents == [item.path.read_bytes() for item in files]
    assert header_of(out.getvalue()) == header


def test_equal_input_gives_equal_bytes_whatever_zone_the_time_is_told_in(tmp_path: Path) -> None:
    instant = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
    one = packet_bytes(tmp_path, sent_at=instant)
    assert one == packet_bytes(tmp_path, sent_at=instant.astimezone(timezone(timedelta(hours=-5))))
    assert b"<edXML:Timestamp>2026/11/21 00:30:00<" in one
    with pytest.raises(ValueError, match="offset"):
        packet_bytes(tmp_path, sent_at=instant.replace(tzinfo=None))


def test_text_is_escaped_and_brought_to_composed_form(tmp_path: Path) -> None:
    subject = "]]> <edXML:DocumentId>x</edXML:DocumentId> &amp; Ủy ban".replace("Ủ", "U\u0309")
    header = header_of(packet_bytes(tmp_path, subject=subject))
    assert header.subject == "]]> <edXML:DocumentId>x</edXML:DocumentId> &amp; Ủy ban"
    assert header.document_id.startswith(COMMUNE)


@pytest.mark.parametrize("letter", ["\0", "\x07", "\n", "\x7f", "\x85", "\ud800", "\ufffe"])
def test_control_characters_are_refused_not_dropped(tmp_path: Path, letter: str) -> None:
    with pytest.raises(KnownError) as caught:
        packet_bytes(tmp_path, subject=f"Về{letter} việc")
    assert caught.value.params["reason"] == "control character in Subject"


@pytest.mark.parametrize("changes", [{"receivers": ()}, {"number": ""}, {"notation": ""}])
def test_a_document_without_receiver_or_number_makes_no_packet(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(KnownError, match="missing"):
        packet_bytes(tmp_path, **changes)


def test_a_file_that_is_no_longer_what_was_stored_makes_no_packet(tmp_path: Path) -> None:
    good = attachment(tmp_path)
    for bad in (
        replace(good, sha256="00" * 32),
        replace(good, size=good.size - 1),
        replace(good, path=tmp_path / "gone"),
    ):
        with pytest.raises(KnownError) as caught:
            write_packet(document(), [bad], io.BytesIO())
        assert caught.value.code == "packet_damaged"


def test_a_large_attachment_is_never_whole_in_memory(tmp_path: Path) -> None:
    size = 48 << 20
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(size)
    digest = hashlib.sha256()
    for _ in range(48):
        digest.update(bytes(1 << 20))
    large = AttachmentFile(path, "large.pdf", digest.hexdigest(), size)
    target = tmp_path / "packet.edxml"
    tracemalloc.start()
    try:
        with target.open("wb") as out:
            write_packet(document(), [large], out)
        with target.open("rb") as source, (tmp_path / "out").open("wb") as sink:
            packet = read_packet(source, lambda _: sink)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert packet.attachments[0].sha256 == large.sha256
    assert peak < 12 << 20


# -- reading -----------------------------------------------------------------------------------------------


def test_impossible_facts_are_kept_as_they_were_written() -> None:
    header = header_of(written())
    assert header.issued == "2026/02/30"
    assert header.code_number == "74fass22"
    assert (header.kind, header.kind_declared) == (PacketKind.NEW, False)


def test_prefixes_and_order_do_not_matter() -> None:
    data = (
        f'<x:edXML xmlns:x="{NAMESPACE}" xmlns:xlink="urn:l" xmlns="urn:other">'
        "<x:AttachmentEncoded><x:Attachment>"
        "<x:ContentTransferEncoded>JVBE\r\n Ri0=</x:ContentTransferEncoded>"
        "<x:AttachmentName> B.PDF </x:AttachmentName></x:Attachment></x:AttachmentEncoded><x:edXMLEnvelope>"
        '<x:edXMLHeader><x:TraceHeaderList xlink:href="u"><x:Bussiness>'
        "<x:BussinessDocType>1</x:BussinessDocType>"
        "<x:DocumentId>ignored</x:DocumentId></x:Bussiness></x:TraceHeaderList><Signature>?</Signature>"
        "<x:MessageHeader><x:Subject>S<!-- c -->T</x:Subject><x:From><x:OrganName>N</x:OrganName>"
        "<x:OrganId>H41</x:OrganId></x:From><From><OrganId>FAKE</OrganId></From></x:MessageHeader>"
        "</x:edXMLHeader></x:edXMLEnvelope></x:edXML>"
    ).encode()
    packet, contents = read(data)
    assert (packet.header.kind, packet.header.sender.code) == (PacketKind.REVOKE, "H41")
    assert packet.header.subject == "ST"
    assert (packet.attachments[0].name, contents) == ("B.PDF", [b"%PDF-"])
    assert header_of(data) == packet.header


def test_a_status_message_is_routed_by_what_it_answers() -> None:
    header = header_of(
        written(
            "<From><OrganId>H41</OrganId></From><ResponseFor><OrganId>G22</OrganId><Code>7816/VPCP</Code>"
            "<DocumentId>id</DocumentId></ResponseFor><StatusCode>02</StatusCode>"
            "<Description>Trả lại</Description><StaffInfo><Staff>Mẫu</Staff></StaffInfo>",
            body="",
        )
    )
    assert (header.kind, header.status_code, header.routed_to) == (PacketKind.STATUS, "02", ("G22",))
    assert (header.description, header.staff.name) == ("Trả lại", "Mẫu")


def test_reading_the_header_goes_no_further_than_the_envelope() -> None:
    data = written(body="<AttachmentEncoded><Attachment><this is not xml")
    assert header_of(data).subject == "Về việc A"
    source = io.BytesIO(written(body="<!--" + "x" * (8 << 20) + "-->"))
    read_header(source)
    assert source.tell() <= 1 << 17


@pytest.mark.parametrize("name", ["../../x", "C:\\Windows\\x.dll", "/etc/passwd", "a\u202efdp.exe", "CON"])
def test_declared_names_come_back_as_text_and_touch_no_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packet, contents = read(written(body=BODY.replace("a.pdf", name)))
    assert packet.attachments[0].name == name
    assert contents == [b"%PDF-"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "before",
    [
        "<!DOCTYPE edXML>",
        '<!DOCTYPE edXML SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE edXML [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE edXML [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE edXML [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]>',
    ],
)
def test_document_types_and_entities_are_refused_at_once(before: str) -> None:
    assert refused(written(before=before)) == "DOCTYPE or entity"
    with pytest.raises(KnownError):
        header_of(written(before=before))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no element found"),
        (written()[:-30], "unclosed token"),
        (written("&unknown;"), "undefined entity"),
        (b"<edXML/>", "not an edXML packet"),
        (f'<edXML xmlns="{NAMESPACE}"/>'.encode(), "edXMLEnvelope missing"),
        (written("<Subject>x</Subject>"), "From missing"),
        (written(HEADER + "<From><OrganId>H1</OrganId></From>"), "From stands twice"),
        (written(HEADER + "<DocumentId>other</DocumentId>"), "DocumentId stands twice"),
        (
            written(
                trace="<TraceHeaderList><Bussiness><BussinessDocType>9</BussinessDocType></Bussiness></TraceHeaderList>"
            ),
            "unknown BussinessDocType",
        ),
        (written(body=BODY.replace("JVBERi0=", "JVBERi0")), "base64 cut short"),
        (written(body=BODY.replace("JVBERi0=", "JVB!Ri0=")), "not base64"),
        (written(body=BODY.replace("JVBERi0=", "JVBERi0=JVBERi0=")), "not base64"),
        (written(body=BODY.replace("JVBERi0=", "JVBERi0=<a/>")), "element inside an attachment's content"),
        (
            written(body="<AttachmentEncoded><Attachment><ContentId>c</ContentId></Attachment></AttachmentEncoded>"),
            "attachment without content",
        ),
        (
            written(body=BODY.replace("<ContentId>", "<AttachmentName>b</AttachmentName><ContentId>")),
            "two AttachmentName in one attachment",
        ),
        (
            written(
                body=BODY.replace("</Attachment>", "<ContentTransferEncoded/></Attachment>"),
            ),
            "two contents in one attachment",
        ),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "encoding"),
    ],
    ids=by_reason,
)
def test_what_cannot_be_read_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert refused(data) == reason


def test_base64_split_at_any_place_is_put_together() -> None:
    content = bytes(range(256)) * 3
    text = base64.b64encode(content).decode()
    for step in (1, 2, 3, 5, 7, 64, 76):
        lines = "\r\n".join(text[at : at + step] for at in range(0, len(text), step))
        _, contents = read(written(body=BODY.replace("JVBERi0=", lines)))
        assert contents == [content]


@pytest.mark.parametrize(
    ("data", "limits", "reason"),
    [
        (written("<a>" * 30 + "</a>" * 30), ReadLimits(), "nested too deeply"),
        (written("<a/>" * 500), ReadLimits(elements=400), "too many elements"),
        (written(f"<Subject>{'x' * 70_000}</Subject>"), ReadLimits(), "text too long"),
        (written(f"<a>{'x' * 900}</a>" * 10), ReadLimits(header_text=5000), "text too long"),
        (written(body=BODY.replace("a.pdf", "n" * 70_000)), ReadLimits(), "text too long"),
        (written(), ReadLimits(packet=500), "too large"),
        (
            written(body=BODY.replace("</AttachmentEncoded>", BODY[len("<AttachmentEncoded>") :])),
            ReadLimits(attachments=1),
            "too many attachments",
        ),
        (written(f'<a b="{"x" * (3 << 20)}"/>'), ReadLimits(), "tag too long"),
    ],
    ids=by_reason,
)
def test_sizes_counts_and_depth_are_capped(data: bytes, limits: ReadLimits, reason: str) -> None:
    assert refused(data, limits) == reason


# -- secrecy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    [
        "<OtherInfo><SecurityLevel>1</SecurityLevel></OtherInfo>",
        "<OtherInfo><DoMat>Mật</DoMat></OtherInfo>",
        "<OtherInfo><AnyThing> TỐI  MẬT </AnyThing></OtherInfo>",
        "<Content>Độ mật: Tuyệt mật</Content>",
        "<ToPlaces><Place>(MẬT)</Place></ToPlaces>",
    ],
)
def test_a_secrecy_mark_anywhere_in_the_header_is_seen(extra: str) -> None:
    assert header_of(written(HEADER + extra)).secret


def test_a_secrecy_mark_in_decomposed_letters_is_seen() -> None:
    assert header_of(written(HEADER + "<Content>Ma\u0323\u0302t</Content>")).secret


def test_a_secrecy_mark_in_the_name_of_an_attachment_is_seen() -> None:
    packet, _ = read(written(body=BODY.replace("a.pdf", "12-BC_MẬT.pdf")))
    assert packet.secret
    assert not packet.header.secret


@pytest.mark.parametrize(
    "extra",
    [
        "<OtherInfo><SecurityLevel>0</SecurityLevel></OtherInfo>",
        "<OtherInfo><DoMat>Thường</DoMat></OtherInfo>",
        "<Content>Về công tác bảo vệ bí mật nhà nước và bảo mật thông tin</Content>",
        "<Content>Tập huấn quản lý mật độ dân cư, nuôi ong lấy mật</Content>",
    ],
)
def test_talk_of_secrecy_is_no_mark(extra: str) -> None:
    header = header_of(written(HEADER + extra, body=BODY.replace("a.pdf", "KH bảo mật 2026.pdf")))
    assert not header.secret
