"""What real packets have that the standard doesn't tell of: each is read, marked, and never believed blindly."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from signer_resources.errors import KnownError
from signer_resources.messages import catalogue
from signer_sync.contract import PacketKind
from signer_sync.edxml import NAMESPACE, Doubt, ReceiverChange, Replaced, StatusCode, Steering
from signer_sync.edxml_dates import read_day, read_instant
from signer_sync.edxml_read import ReadLimits, read_packet
from signer_sync.edxml_zip import Trouble
from tests.sync.edxml_made import HEADER, PDF, STATUS, attachment, business, header_of, inner_packet, packet, read

ID = "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT"
SIGNATURE = "<SignedInfo/><SignatureValue>GbVb8n9+</SignatureValue>"


def refused(data: bytes, limits: ReadLimits | None = None, *, strict: bool = False) -> str:
    with pytest.raises(KnownError) as caught:
        read(data, limits, strict=strict)
    assert caught.value.code == "edxml_invalid"
    return str(caught.value.params["reason"])


# What is overlooked for reading


@pytest.mark.parametrize("stray", [b"1212", b"\r\n ", b"\xef\xbb\xbf12", b"\xff" * 4000], ids=len)
def test_stray_bytes_before_the_declaration_are_skipped_and_told(stray: bytes) -> None:
    plain = packet(attachments=[attachment()])
    found, contents = read(stray + plain)
    assert found.doubts[0] is Doubt.STRAY_BYTES
    assert found.header.subject == header_of(plain).subject
    assert contents == [PDF]
    assert refused(stray + plain, strict=True) == "stray bytes before <?xml"


@pytest.mark.parametrize(
    "start", [b"\xef\xbb\xbf", b"<!-- <?xml -->"], ids=["byte order mark", "comment that talks of a declaration"]
)
def test_what_may_stand_before_a_packet_is_not_skipped(start: bytes) -> None:
    plain = packet()
    whole = start + (plain if start.startswith(b"\xef") else plain.partition(b"?>")[2].lstrip())
    assert header_of(whole, strict=True).doubts == header_of(plain).doubts


def test_bytes_without_end_before_the_declaration_are_no_packet() -> None:
    assert refused(b"\xff" * 5000 + packet()) == "not well-formed (invalid token)"


def test_a_packet_in_utf_16_is_read() -> None:
    data = packet().decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    assert header_of(data, strict=True).document_id == ID


def test_an_undeclared_prefix_of_an_attribute_is_overlooked_and_told() -> None:
    found, contents = read(inner_packet())
    assert Doubt.UNDECLARED_PREFIX in found.doubts
    assert contents == [PDF]
    assert refused(inner_packet(), strict=True) == "unbound prefix"


def test_the_standards_own_prefix_counts_even_undeclared_any_other_is_foreign() -> None:
    data = packet(HEADER.replace("Subject>", "edXML:Subject>")).replace(
        b"</edXMLHeader>", b"<x:Secret>1</x:Secret></edXMLHeader>"
    )
    header = header_of(data)
    assert (header.subject, header.doubts) == ("V/v kết nối, liên thông", (Doubt.UNDECLARED_PREFIX, Doubt.KIND))
    foreign = header_of(packet(HEADER.replace("Subject>", "x:Subject>")))
    assert foreign.subject == ""


def test_a_prefix_counts_by_its_namespace_and_only_where_it_is_declared() -> None:
    data = (
        f'<q:edXML xmlns:q="{NAMESPACE}" xmlns="urn:other"><q:edXMLEnvelope><edXMLHeader/>'
        f'<e:edXMLHeader xmlns:e="{NAMESPACE}"><MessageHeader xmlns="{NAMESPACE}"><From><OrganId>H1</OrganId></From>'
        '<q:Subject xmlns:q="urn:q">sai</q:Subject>'
        "<e:Subject>đúng</e:Subject></MessageHeader></e:edXMLHeader></q:edXMLEnvelope></q:edXML>"
    ).encode()
    header = header_of(data, strict=True)
    assert (header.sender.code, header.subject) == ("H1", "đúng")


def test_prefixes_without_end_are_refused() -> None:
    many = "".join(f' xmlns:p{number}="urn:{number}"' for number in range(100))
    assert refused(packet(f"<a{many}/>{HEADER}")) == "too many prefixes"


def test_declared_attributes_of_other_namespaces_on_the_trace_are_no_doubt() -> None:
    trace = business("0").replace(
        "<TraceHeaderList>", '<TraceHeaderList xmlns:xlink="urn:x" xlink:href="" id="1" version="1" actor="a">'
    )
    assert not header_of(packet(trace=trace), strict=True).doubts


# Which document is meant


def test_a_recall_without_an_id_means_the_headers_and_never_what_it_answers() -> None:
    answers = (
        "<ResponseFor><OrganId>H14</OrganId><DocumentId>000.00.04.G14,2012/08/06,267/VPCP</DocumentId></ResponseFor>"
    )
    header = header_of(packet(HEADER + answers, business("1", "<BussinessDocReason>Sai số</BussinessDocReason>")))
    assert (header.kind, header.concerns, header.reason) == (PacketKind.REVOKE, (ID,), "Sai số")
    assert not header.doubts


def test_a_recall_that_names_a_document_means_that_one_and_says_that_the_header_differs() -> None:
    header = header_of(packet(trace=business("1", "<DocumentId>khác</DocumentId>")))
    assert header.concerns == ("khác",)
    assert header.doubts == (Doubt.CONCERNS,)


def test_a_recall_that_names_nothing_means_nothing() -> None:
    header = header_of(packet(HEADER.replace(f"<DocumentId>{ID}</DocumentId>", ""), business("1")))
    assert (header.concerns, header.doubts) == ((), (Doubt.CONCERNS,))


def test_a_new_document_means_no_other_though_its_business_names_one() -> None:
    assert header_of(packet(trace=business("0", "<DocumentId>lạc</DocumentId>"))).concerns == ()


def test_an_update_tells_who_is_added_and_who_is_removed() -> None:
    info = """<BussinessDocumentInfo><DocumentInfo>1</DocumentInfo><DocumentReceiver>1</DocumentReceiver><ReceiverList>
    <Receiver><OrganId>H41</OrganId><ReceiverType>0</ReceiverType></Receiver>
    <Receiver><ReceiverType>1</ReceiverType><OrganId>H14</OrganId></Receiver>
    <Receiver><OrganId>H15</OrganId><ReceiverType>2</ReceiverType></Receiver>
    <Receiver><ReceiverType>1</ReceiverType></Receiver></ReceiverList></BussinessDocumentInfo>"""
    header = header_of(packet(trace=business("2", info)))
    assert header.receiver_changes == (ReceiverChange("H41", added=False), ReceiverChange("H14", added=True))
    assert header.info_changed
    assert (header.concerns, header.doubts) == ((ID,), (Doubt.RECEIVERS,))


def test_a_replacement_tells_which_documents_and_whose() -> None:
    given = """<ReplacementInfoList><ReplacementInfo><DocumentId>cũ 1</DocumentId><OrganIdList><OrganId>H1</OrganId>
    <OrganId>H2</OrganId></OrganIdList></ReplacementInfo><ReplacementInfo><DocumentId>cũ 2</DocumentId>
    </ReplacementInfo><ReplacementInfo/></ReplacementInfoList>"""
    header = header_of(packet(trace=business("3", given)))
    assert header.replaced == (Replaced("cũ 1", ("H1", "H2")), Replaced("cũ 2"))
    assert header.concerns == ("cũ 1", "cũ 2")
    assert not header.doubts


def test_a_replacement_of_nothing_named_is_doubtful() -> None:
    header = header_of(packet(trace=business("3", "<DocumentId>cũ</DocumentId>")))
    assert (header.concerns, header.replaced, header.doubts) == (("cũ",), (), (Doubt.CONCERNS,))


# Facts that cannot be


@pytest.mark.parametrize(
    ("header", "trace", "doubt"),
    [
        (HEADER.replace("2018/09/28", "2014/02/30"), business("0"), Doubt.ISSUED_DATE),
        (HEADER + "<DueDate>hôm nay</DueDate>", business("0"), Doubt.DUE_DATE),
        (HEADER, business("0").replace("08:00:00", "28:00:00"), Doubt.TIME),
        (HEADER.replace("<CodeNumber>7816", "<CodeNumber>74fass22"), business("0"), Doubt.NUMBER),
        (HEADER + "<OtherInfo><Priority>9</Priority></OtherInfo>", business("0"), Doubt.PRIORITY),
        (HEADER + "<SteeringType>x</SteeringType>", business("0"), Doubt.STEERING),
        (HEADER, business("0", "<Paper>có</Paper>"), Doubt.PAPER),
        (HEADER, "", Doubt.KIND),
        (HEADER, business(""), Doubt.KIND),
        (STATUS.replace("<StatusCode>01", "<StatusCode>99"), "", Doubt.STATUS),
        (STATUS.replace("2015/09/20 11", "2015/09/31 11"), "", Doubt.TIME),
    ],
)
def test_what_cannot_be_is_marked_and_kept_as_it_was_written(header: str, trace: str, doubt: Doubt) -> None:
    found = header_of(packet(header, trace))
    assert found.doubts == (doubt,)
    assert (found.issued, found.code_number) != ("", "") or found.kind is PacketKind.STATUS


def test_raw_texts_stand_beside_what_could_be_made_of_them() -> None:
    odd = HEADER.replace("2018/09/28", "2014/02/30").replace("<CodeNumber>7816", "<CodeNumber>74fass22")
    header = header_of(packet(odd + "<OtherInfo><Priority>9</Priority></OtherInfo>"))
    assert (header.issued, header.issued_date) == ("2014/02/30", None)
    assert (header.label, header.priority) == ("74fass22/VPCP-TTĐT", None)


@pytest.mark.parametrize("number", ["05", "12a", "12A", "7đ"])
def test_numbers_with_a_letter_are_numbers(number: str) -> None:
    assert not header_of(packet(HEADER.replace("Number>7816", f"Number>{number}"), business("0"))).doubts


def test_plain_facts_are_read_as_what_they_are() -> None:
    header = header_of(
        packet(
            f"{HEADER}<SteeringType>2</SteeringType><DueDate>2018/10/01</DueDate>", business("0", "<Paper>1</Paper>")
        )
    )
    assert (header.steering, header.paper) == (Steering.ORDERS, True)
    assert (header.issued_date, header.due_date) == (date(2018, 9, 28), date(2018, 10, 1))
    assert header.told_at == datetime(2018, 9, 28, 1, tzinfo=UTC)
    assert not header.doubts


def test_an_unknown_status_code_is_no_status_that_counts() -> None:
    assert header_of(packet(STATUS)).status is StatusCode.ARRIVED
    assert header_of(packet(STATUS.replace("<StatusCode>01", "<StatusCode>99"))).status is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026/03/05", date(2026, 3, 5)),
        (" 2026-3-5 ", date(2026, 3, 5)),
        ("05/03/2026", date(2026, 3, 5)),
        ("5.3.2026 08:30", date(2026, 3, 5)),
        ("2026-03-04T17:00:00.000Z", date(2026, 3, 5)),
        ("2026-03-05T00:00:00+07:00", date(2026, 3, 5)),
        ("2026/02/30", None),
        ("0001/01/01", None),
        ("1970/01/01", date(1970, 1, 1)),
        ("9999/12/31 23:59:59-12:00", None),
        ("2026/03-05", None),
        ("٢٠٢٦/03/05", None),
        ("20260305", None),
        ("", None),
    ],
)
def test_days_are_read_as_they_are_met_and_never_guessed(text: str, day: date | None) -> None:
    assert read_day(text) == day


def test_an_instant_is_told_in_vietnams_time() -> None:
    assert read_instant("2018/09/28 08:15:00") == datetime(2018, 9, 28, 1, 15, tzinfo=UTC)
    assert read_instant("2018/09/28 24:15:00") is None


# Signatures of the header


@pytest.mark.parametrize(
    ("more", "present"),
    [
        (f"<Signature>{SIGNATURE}</Signature>", True),
        (f'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#">{SIGNATURE}</Signature>', True),
        ("<DigitalSignature>\n</DigitalSignature>", False),
        ("", False),
    ],
)
def test_a_signature_of_the_header_is_noticed_and_nothing_depends_on_it(more: str, present: bool) -> None:
    header = header_of(packet(trace=business("0"), more=more))
    assert header.signature_present is present
    assert not header.doubts


# Attachments


def test_a_manifest_that_lists_other_files_is_doubtful() -> None:
    listed = (
        "<edXMLBody><edXMLManifest><Reference><ContentId>cid:{}</ContentId></Reference></edXMLManifest></edXMLBody>"
    )
    whole = packet(trace=business("0"), attachments=[attachment()])
    for number, doubts in ((1, ()), (2, (Doubt.MANIFEST,))):
        data = whole.replace(b"</edXMLEnvelope>", f"{listed.format(number)}</edXMLEnvelope>".encode())
        assert read(data)[0].doubts == doubts


class _MadeUp(io.RawIOBase):
    """A packet whose attachment has so many megabytes, made up while it is read."""

    def __init__(self, megabytes: int) -> None:
        super().__init__()
        head, _, tail = packet(attachments=[attachment(b"")]).partition(b"</ContentTransferEncoded>")
        block = b"JVBERi0x" * (1 << 17)
        self._blocks = iter([head, *[block] * megabytes, b"</ContentTransferEncoded>" + tail])
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if not self._rest:
            self._rest = next(self._blocks, b"")
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


class _Bounded:
    """Keeps nothing but how much came, and how much of it at once."""

    largest = 0
    total = 0

    def write(self, data: bytes, /) -> None:
        self.largest = max(self.largest, len(data))
        self.total += len(data)


def test_a_hundred_megabytes_pass_in_small_pieces() -> None:
    sink = _Bounded()
    found = read_packet(_MadeUp(134), lambda _: sink)  # type: ignore[arg-type]
    assert found.attachments[0].size == sink.total == 134 * (3 << 18)
    assert sink.total > 100 << 20
    assert sink.largest <= 1 << 16


# Secrecy


@pytest.mark.parametrize("kind", ["0", "1", "2", "3"])
@pytest.mark.parametrize(
    "mark",
    [
        lambda kind: packet(HEADER + "<OtherInfo><SecurityLevel>2</SecurityLevel></OtherInfo>", business(kind)),
        lambda kind: packet(HEADER.replace("V/v", "[MẬT] V/v"), business(kind)),
        lambda kind: packet(trace=business(kind, "<BussinessDocReason>TỐI MẬT</BussinessDocReason>")),
        lambda kind: packet(trace=business(kind, "<DoMat>Mật</DoMat>")),
        lambda kind: packet(trace=business(kind), more="<SecretMark>1</SecretMark>"),
        lambda kind: packet(trace=business(kind), attachments=[attachment(name="12-BC (MẬT).pdf")]),
        lambda kind: packet(trace=business(kind), attachments=[attachment(more="<DoMat>Tuyệt mật</DoMat>")]),
    ],
    ids=["field", "subject", "reason", "business", "header", "file name", "field of a file"],
)
def test_a_mark_of_secrecy_is_seen_in_every_kind_of_packet(kind: str, mark: Callable[[str], bytes]) -> None:
    assert read(mark(kind))[0].secret
    assert not read(packet(trace=business(kind), attachments=[attachment()]))[0].secret


def test_a_mark_of_secrecy_is_seen_in_a_status_message() -> None:
    assert not header_of(packet(STATUS)).secret
    assert header_of(packet(STATUS + "<Description>Độ mật: Mật</Description>")).secret


def test_a_mark_of_secrecy_is_seen_behind_a_prefix_that_nobody_declared() -> None:
    assert header_of(packet(HEADER + "<ext:DoMat>Mật</ext:DoMat>")).secret


def test_a_mark_of_secrecy_is_seen_wherever_it_is_put() -> None:
    assert header_of(packet(more="<Signature><Object><DoMat>Mật</DoMat></Object></Signature>")).secret
    assert header_of(packet().replace(b"<edXMLEnvelope>", "<edXMLEnvelope><DoMat>Mật</DoMat>".encode())).secret


# Words


def test_every_doubt_and_trouble_has_words() -> None:
    told = catalogue().texts
    assert {item.text_key for item in [*Doubt, *Trouble]} <= told.keys()
