"""Packets as other systems make them, odd ones above all, and what is needed to read them in a test."""

import base64
import io
import zipfile
from collections.abc import Sequence

from hypothesis import settings

from signer_sync.edxml import NAMESPACE, PacketHeader, ReadPacket
from signer_sync.edxml_read import ReadLimits, read_header, read_packet

PDF = b"%PDF-1.5\n" + bytes(range(256)) * 4
INNER_ID = "9fbfbad2-f1f8-4256-a2eb-50fb1061cddb"
INNER_NAME = "TAI LIEU MAU.SIGNED.PDF"
OUTER_NAME = "1896_QD-TTg_m_294779.doc"

short = settings(deadline=None, database=None, print_blob=True, max_examples=40, derandomize=True)
long = settings(deadline=None, database=None, print_blob=True, max_examples=5_000)

FROM = "<From><OrganId>000.00.00.G22</OrganId><OrganName>Văn phòng</OrganName></From>"
HEADER = f"""{FROM}<To><OrganId>000.00.00.H41</OrganId></To>
<DocumentId>000.00.00.G22,2015/09/30,7816/VPCP-TTĐT</DocumentId>
<Code><CodeNumber>7816</CodeNumber><CodeNotation>VPCP-TTĐT</CodeNotation></Code>
<PromulgationInfo><Place>Hà Nội</Place><PromulgationDate>2018/09/28</PromulgationDate></PromulgationInfo>
<Subject>V/v kết nối, liên thông</Subject>"""
STATUS = f"""{FROM}<ResponseFor><OrganId>000.00.00.H41</OrganId><Code>7/BC</Code>
<PromulgationDate>2015/09/30</PromulgationDate><DocumentId>000.00.00.H41,2015/09/30,7/BC</DocumentId></ResponseFor>
<StatusCode>01</StatusCode><Timestamp>2015/09/20 11:08:36</Timestamp>"""


def business(kind: str, more: str = "") -> str:
    """A TraceHeaderList with this BussinessDocType."""
    return (
        "<TraceHeaderList><TraceHeader><OrganId>000.00.00.G22</OrganId><Timestamp>2018/09/28 08:00:00</Timestamp>"
        f"</TraceHeader><Bussiness><BussinessDocType>{kind}</BussinessDocType>{more}</Bussiness></TraceHeaderList>"
    )


def attachment(content: bytes = PDF, name: str = "a.pdf", kind: str = "application/pdf", more: str = "") -> str:
    return (
        f"<Attachment><ContentId>cid:1</ContentId><AttachmentName>{name}</AttachmentName><ContentType>{kind}"
        f"</ContentType>{more}<ContentTransferEncoded>{base64.b64encode(content).decode()}</ContentTransferEncoded>"
        "</Attachment>"
    )


def packet(header: str = HEADER, trace: str = "", attachments: Sequence[str] = (), more: str = "") -> bytes:
    """A packet as text makes it; `more` stands in edXMLHeader behind all else."""
    body = f"<AttachmentEncoded>{''.join(attachments)}</AttachmentEncoded>" if attachments else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<edXML xmlns="{NAMESPACE}"><edXMLEnvelope><edXMLHeader>'
        f"<MessageHeader>{header}</MessageHeader>{trace}{more}</edXMLHeader></edXMLEnvelope>{body}</edXML>"
    ).encode()


def inner_packet(content: bytes = PDF, name: str = INNER_NAME, subject: str = "Thử gửi liên thông") -> bytes:
    """What one system puts into its ZIPs: another order, comments, no Bussiness, a prefix that is declared nowhere."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="{NAMESPACE}"><edXML:edXMLEnvelope xmlns:edXML="{NAMESPACE}"><!-- XML 102 -->
 <edXML:edXMLHeader><edXML:MessageHeader>
  <edXML:From><edXML:OrganName>Trung tâm</edXML:OrganName><edXML:OrganId>14.00.W00</edXML:OrganId></edXML:From>
  <edXML:ResponseFor><edXML:OrganId></edXML:OrganId><edXML:Code></edXML:Code></edXML:ResponseFor>
  <edXML:Subject>{subject}</edXML:Subject><edXML:DocumentId>{INNER_ID}</edXML:DocumentId>
 </edXML:MessageHeader></edXML:edXMLHeader>
 <edXML:edXMLBody><edXML:edXMLManifest version="1.0"><edXML:Reference xlink:href="">
  <edXML:ContentId>cid:1</edXML:ContentId><edXML:AttachmentName>{name}</edXML:AttachmentName>
 </edXML:Reference></edXML:edXMLManifest></edXML:edXMLBody></edXML:edXMLEnvelope>
 <edXML:AttachmentEncoded xmlns:edXML="{NAMESPACE}"><edXML:Attachment><edXML:ContentId>cid:1</edXML:ContentId>
  <edXML:AttachmentName>{name}</edXML:AttachmentName><edXML:ContentType>application/pdf</edXML:ContentType>
  <edXML:ContentTransferEncoded>{base64.b64encode(content).decode()}</edXML:ContentTransferEncoded>
 </edXML:Attachment></edXML:AttachmentEncoded></edXML>""".encode()


class _Line(io.RawIOBase):
    """A line to somewhere: nothing on it can be gone back to."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        self.sent += data
        return len(data)


def streamed_zip(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP written as a stream: flag bit 3, sizes and check sums behind the data and in the directory only."""
    line = _Line()
    with zipfile.ZipFile(line, "w", method) as archive:
        for name, content in entries:
            # Of no particular time, so that it is the same in each run.
            archive.writestr(zipfile.ZipInfo(name), content, method)
    made = bytes(line.sent)
    assert not entries or made[6] & 8
    assert not entries or made[14:26] == bytes(12)
    return made


def read(data: bytes, limits: ReadLimits | None = None, *, strict: bool = False) -> tuple[ReadPacket, list[bytes]]:
    """A packet and the bytes of its attachments."""
    sinks: list[io.BytesIO] = []

    def sink_for(_number: int) -> io.BytesIO:
        sinks.append(io.BytesIO())
        return sinks[-1]

    found = read_packet(io.BytesIO(data), sink_for, limits or ReadLimits(), strict=strict)
    return found, [sink.getvalue() for sink in sinks]


def header_of(data: bytes, *, strict: bool = False) -> PacketHeader:
    return read_header(io.BytesIO(data), strict=strict)
