"""The LGSP adapter against a server on loopback that speaks as documented, with its quirks."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind, PacketPhase, Retry
from signer_sync.edxml import Organ, StatusCode
from signer_sync.edxml_read import read_packet
from signer_sync.errors import ExchangeError, Scope
from signer_sync.lgsp import LgspChannel
from signer_sync.lgsp_settings import LgspCredentials
from signer_sync.packets import Arrival
from signer_sync.ports import Channel, Sought
from tests.server.world import OFFICE, document, packet_bytes
from tests.sync.lgsp_unit import TODAY, Unit, running_unit


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    with running_unit(tmp_path) as made:
        yield made


def sent_nothing(_: int) -> None:
    pass


def refused(work: Callable[[], object]) -> ExchangeError:
    with pytest.raises(ExchangeError) as caught:
        work()
    for lang in ("vi", "en"):
        assert caught.value.explain(lang).do
    return caught.value


def fetched(channel: LgspChannel, doc_id: str, limit: int = 1 << 24) -> bytes:
    sink = io.BytesIO()
    arrival = Arrival(doc_id, channel.list(None, limit=1, wait=0).items[0].type)
    channel.fetch(arrival, sink, limit=limit)
    return sink.getvalue()


# -- the login -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_root", [False, True])
def test_the_token_is_taken_from_wherever_the_server_puts_it(unit: Unit, at_root: bool) -> None:
    unit.lgsp.quirks.token_at_root = at_root
    channel: Channel = unit.channel()
    contact = channel.contact()
    assert (contact.epoch, contact.server_time) == ("lgsp:127.0.0.1", TODAY)
    (asked,) = unit.lgsp.logins
    assert asked == {
        "username": "vanthu",
        "password": "đúng mật khẩu",
        "applicationCode": "QLVB",
        "otp": None,
        "twoFactorProvider": None,
        "typeObjs": [0, 1],
    }
    assert "POST /v1/auth/login?allow_anonymous=true" in unit.lgsp.asked


def test_a_token_is_renewed_after_29_minutes_and_not_before(unit: Unit) -> None:
    channel = unit.channel()
    channel.contact()
    unit.seconds = 29 * 60 - 1
    channel.contact()
    assert len(unit.lgsp.logins) == 1
    unit.seconds = 29 * 60
    channel.contact()
    assert len(unit.lgsp.logins) == 2


def test_a_token_that_the_server_forgot_is_renewed_once_and_the_packet_sent_once(unit: Unit) -> None:
    channel = unit.channel()
    channel.contact()
    unit.lgsp.end_tokens()
    channel.submit(unit.packet(), None, sent_nothing)
    assert (len(unit.lgsp.logins), len(unit.lgsp.received)) == (2, 1)
    unit.lgsp.quirks.answers["/v1/sendEdoc"] = [(401, {"message": "token expired"})] * 5
    error = refused(lambda: channel.submit(unit.packet(), None, sent_nothing))
    assert (error.code, error.retry, error.unreachable) == ("lgsp_unit_refused", Retry.FIX, False)
    assert len(unit.lgsp.logins) == 3


def test_a_wrong_password_is_tried_once_and_never_again_by_itself(unit: Unit) -> None:
    wrong = unit.channel(password="sai")
    for _ in range(3):
        error = refused(wrong.contact)
        assert (error.code, error.retry, error.scope) == ("lgsp_login_refused", Retry.FIX, Scope.SERVER)
    error = refused(lambda: wrong.submit(unit.packet(), None, sent_nothing))
    assert (error.code, error.unreachable) == ("lgsp_login_refused", False)
    again = refused(unit.channel(password="sai").contact)
    assert (again.code, len(unit.lgsp.logins)) == ("lgsp_login_refused", 1)
    unit.channel(revision="2").contact()
    assert len(unit.lgsp.logins) == 2
    assert unit.memory.is_refused("1")
    assert not unit.memory.is_refused("2")


@pytest.mark.parametrize(
    "answer", [(503, {"message": "busy"}), (404, {"message": "no such path"}), (200, ["?"]), (200, {"token": "a b"})]
)
def test_a_login_that_nobody_judged_says_nothing_against_the_password(unit: Unit, answer: tuple[int, object]) -> None:
    unit.lgsp.quirks.answers["/v1/auth/login"] = [answer]
    error = refused(unit.channel().contact)
    assert (error.code, error.retry, error.scope) == ("server_answer_wrong", Retry.AFTER, Scope.SERVER)
    unit.channel().contact()


def test_no_secret_shows_in_a_repr_or_an_error(unit: Unit) -> None:
    credentials = LgspCredentials("nguoidung", "matkhau", "khoa", "1")
    channel = unit.channel(password="matkhau")
    error = refused(channel.contact)
    told = f"{credentials!r} {channel!r} {error!r} {error} {error.params}"
    assert not any(secret in told for secret in ("nguoidung", "matkhau", "khoa-bi-mat", "token-"))
    with pytest.raises(ValueError, match="secret key") as caught:
        LgspCredentials("u", "p", "khoa\r\nX-Evil: 1", "1")
    assert "Evil" not in str(caught.value)


# -- sending ---------------------------------------------------------------------------------------------------


def test_a_packet_leaves_as_a_form_of_known_length_and_its_number_is_the_proof(unit: Unit) -> None:
    packet, counted = unit.packet(content=b"%PDF-" + bytes(300_000)), list[int]()
    proof = unit.channel().submit(packet, None, counted.append)
    (taken,) = unit.lgsp.received
    assert taken.content == packet.path.read_bytes()
    assert taken.length > packet.size == sum(counted)
    assert (taken.message_type, taken.name) == ("edoc", f"{packet.packet_id}.edxml")
    assert (proof.receipt, proof.doc_id) == (None, "axis-1")
    assert json.loads(proof.text)["documentId"] == packet.document_id


def test_a_status_message_leaves_as_one(unit: Unit) -> None:
    unit.channel().submit(replace(unit.packet(), kind=PacketKind.STATUS), None, sent_nothing)
    assert unit.lgsp.received[0].message_type == "status"


def test_a_packet_that_changed_on_disk_never_leaves_whole(unit: Unit) -> None:
    packet = unit.packet()
    packet.path.write_bytes(packet.path.read_bytes().replace(b"QCVN", b"QCVM", 1))
    longer = unit.packet()
    longer.path.write_bytes(longer.path.read_bytes() + b" ")
    gone = replace(unit.packet(), path=unit.folder / "nowhere")
    for one in (packet, longer, gone):
        error = refused(lambda one=one: unit.channel().submit(one, None, sent_nothing))  # type: ignore[misc]
        assert (error.code, error.retry, error.unreachable) == ("packet_damaged", Retry.FIX, False)
    assert not unit.lgsp.received


CODES = [
    (10, "lgsp_file_invalid", Retry.FIX, Scope.ITEM),
    ("15", "lgsp_unit_refused", Retry.FIX, Scope.SERVER),
    (18, "lgsp_receiver_unknown", Retry.FIX, Scope.ITEM),
    (19, "lgsp_sender_unregistered", Retry.FIX, Scope.SERVER),
    ("20", "lgsp_system_fault", Retry.AFTER, Scope.ITEM),
    (21, "lgsp_file_fault", Retry.AFTER, Scope.ITEM),
    ("022", "lgsp_format_wrong", Retry.FIX, Scope.ITEM),
    (23, "lgsp_receiver_locked", Retry.FIX, Scope.ITEM),
    ("E77", "lgsp_refused", Retry.AFTER, Scope.ITEM),
]


@pytest.mark.parametrize(("code", "entry", "retry", "scope"), CODES)
def test_each_error_code_has_its_class_and_its_words_whatever_the_status(
    unit: Unit, code: object, entry: str, retry: Retry, scope: Scope
) -> None:
    channel, packet = unit.channel(), unit.packet()
    for status in (200, 400, 500):
        unit.lgsp.quirks.codes["/v1/sendEdoc"] = [(status, code, "Lỗi")]
        error = refused(lambda: channel.submit(packet, None, sent_nothing))
        if entry == "lgsp_refused" and status == 500:
            # nobody knows what such a code means, and a fault of the server leaves the outcome open
            assert (error.code, error.unreachable) == ("server_answer_wrong", True)
        else:
            # a server that failed while it worked on the packet (20, 21) may have kept it, if it says so by a 5xx
            unknown = status == 500 and entry in ("lgsp_system_fault", "lgsp_file_fault")
            assert (error.code, error.retry, error.scope, error.unreachable) == (entry, retry, scope, unknown)


def test_the_words_name_the_receiver_the_element_and_the_line(unit: Unit) -> None:
    packet = unit.packet(to=(OFFICE, "H77", "H77.021"))
    quirks, channel = unit.lgsp.quirks, unit.channel()

    def told(code: int, words: str) -> str:
        quirks.codes["/v1/sendEdoc"] = [(200, code, words)]
        return str(refused(lambda: channel.submit(packet, None, sent_nothing)).explain("vi"))

    assert f": Nơi nhận ({OFFICE})." in told(18, f"Đơn vị {OFFICE} không tồn tại")
    assert ": Nơi nhận (H77.021)." in told(23, "H77.021 đã khóa")
    assert f"Nơi nhận ({OFFICE}); Nơi nhận (H77); Nơi nhận (H77.021)" in told(23, "đơn vị nhận đã khóa")
    assert "DocumentId, dòng: 17" in told(22, "Invalid element 'DocumentId' at line 17")
    assert "sha256 file" in told(10, "sai sha256 của file <b>http://evil.example/x?y</b>")
    assert "evil" not in told(10, "xem http://evil.example/x")


def test_code_21_is_tried_five_times_and_then_left_to_a_person(unit: Unit) -> None:
    unit.lgsp.quirks.codes["/v1/sendEdoc"] = [(200, 21, "")] * 5
    channel, packet = unit.channel(), unit.packet()
    found = [
        refused(lambda attempts=attempts: channel.submit(replace(packet, attempts=attempts), None, sent_nothing))  # type: ignore[misc]
        for attempts in range(5)
    ]
    assert [error.retry for error in found] == [Retry.AFTER] * 4 + [Retry.FIX]
    assert found[-1].code == "lgsp_file_unusable"


def test_a_refusal_that_gives_a_number_all_the_same_leaves_the_outcome_open(unit: Unit) -> None:
    data = {"docId": "axis-9", "errorCode": 20}
    unit.lgsp.quirks.answers["/v1/sendEdoc"] = [(200, {"success": False, "data": data})]
    error = refused(lambda: unit.channel().submit(unit.packet(), None, sent_nothing))
    assert (error.code, error.unreachable) == ("lgsp_system_fault", True)


@pytest.mark.parametrize("answer", [(500, {"message": "?"}), (200, {"success": True}), (200, {"docId": "x"}), (200, 5)])
def test_an_answer_that_proves_nothing_leaves_the_outcome_open(unit: Unit, answer: tuple[int, object]) -> None:
    unit.lgsp.quirks.answers["/v1/sendEdoc"] = [answer]
    if answer == (200, {"docId": "x"}):
        proof = unit.channel().submit(unit.packet(), None, sent_nothing)
        assert proof.doc_id == "x"
        return
    error = refused(lambda: unit.channel().submit(unit.packet(), None, sent_nothing))
    assert (error.code, error.retry, error.unreachable) == ("server_answer_wrong", Retry.AFTER, True)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("path", ["/v1/auth/login", "/v1/syncReceivedEdocList", "/v1/getAgenciesList"])
def test_an_answer_nested_without_end_is_no_answer(unit: Unit, path: str) -> None:
    unit.lgsp.quirks.raw[path] = b'{"success":true,"data":' + DEEP + b"}"
    channel = unit.channel()
    error = refused(lambda: (channel.contact(), channel.directory(None)))
    assert error.code == "server_answer_wrong"


@pytest.mark.parametrize("year", [1970, 2999, 9999])
def test_a_clock_that_tells_another_age_is_not_asked_which_day_it_is(unit: Unit, year: int) -> None:
    unit.lgsp.quirks.clock = lambda: datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    channel = unit.channel()
    assert channel.contact().server_time is None
    assert channel.list(None, limit=10, wait=0).items == ()
    assert len(unit.lgsp.asked) < 20


def test_a_page_instead_of_an_answer_leaves_the_outcome_open(unit: Unit) -> None:
    unit.lgsp.quirks.html = ["/v1/sendEdoc"]
    error = refused(lambda: unit.channel().submit(unit.packet(), None, sent_nothing))
    assert (error.code, error.unreachable, error.scope) == ("server_answer_wrong", True, Scope.ITEM)


def test_a_lost_answer_leaves_the_outcome_open_and_the_packet_there(unit: Unit) -> None:
    unit.lgsp.quirks.lose = ["/v1/sendEdoc"]
    error = refused(lambda: unit.channel().submit(unit.packet(), None, sent_nothing))
    assert (error.unreachable, len(unit.lgsp.received)) == (True, 1)


def test_a_slow_answer_counts_as_lost(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_sync.lgsp_line.LONG_SECONDS", 0.2)
    channel = unit.channel()
    channel.contact()
    unit.lgsp.quirks.slow = 0.6
    error = refused(lambda: channel.submit(unit.packet(), None, sent_nothing))
    assert (error.code, error.unreachable) == ("server_unreachable", True)


def test_a_packet_of_which_a_part_left_was_not_sent(unit: Unit) -> None:
    channel = unit.channel()
    channel.contact()
    unit.lgsp.quirks.hang_up = ["/v1/sendEdoc"]
    large = unit.packet(content=b"%PDF-" + bytes(30 << 20))
    error = refused(lambda: channel.submit(large, None, sent_nothing))
    assert (error.code, error.unreachable, error.scope) == ("server_unreachable", False, Scope.SERVER)


def test_without_a_network_nothing_is_uncertain(unit: Unit) -> None:
    channel = unit.channel(base_url="http://127.0.0.1:1")
    error = refused(lambda: channel.submit(unit.packet(), None, sent_nothing))
    assert error.code == "server_unreachable"
    logged_in = unit.channel()
    logged_in.contact()
    logged_in._line._base = "http://127.0.0.1:1"
    error = refused(lambda: logged_in.submit(unit.packet(), None, sent_nothing))
    assert (error.unreachable, error.scope, error.retry) == (False, Scope.SERVER, Retry.AFTER)


def test_a_wrong_key_of_the_unit_pauses_the_unit_without_a_new_login(unit: Unit) -> None:
    channel = unit.channel(secret_key="khac")
    for work in (channel.contact, lambda: channel.submit(unit.packet(), None, sent_nothing)):
        error = refused(work)
        assert (error.code, error.retry, error.scope) == ("lgsp_unit_refused", Retry.FIX, Scope.SERVER)
    assert len(unit.lgsp.logins) == 1


def test_an_address_without_tls_is_refused(unit: Unit) -> None:
    with pytest.raises(KnownError) as caught:
        unit.channel(base_url="http://apiltvb.example.gov.vn")
    assert caught.value.code == "server_insecure"


# -- looking before sending again ------------------------------------------------------------------------------


def test_a_status_message_on_the_document_proves_that_it_is_there(unit: Unit) -> None:
    packet, channel = unit.packet(), unit.channel()
    unit.answered(StatusCode.ARRIVED, "s-1", "H77,2026/11/20,99/QĐ")
    unit.waits("s-0", kind="status", content=b"<not edxml")
    assert channel.seek(packet) is Sought.UNKNOWN
    unit.answered(StatusCode.ARRIVED, "s-2", packet.document_id)
    assert channel.seek(packet) is Sought.THERE
    assert unit.lgsp.calls("getEdoc?docId=s-1") == 1


def test_a_recall_is_there_only_when_somebody_answers_the_recall(unit: Unit) -> None:
    recall, channel = replace(unit.packet(), kind=PacketKind.REVOKE), unit.channel()
    unit.answered(StatusCode.ACCEPTED, "s-1", recall.document_id)
    assert channel.seek(recall) is Sought.UNKNOWN
    unit.answered(StatusCode.AGREED, "s-2", recall.document_id)
    assert channel.seek(recall) is Sought.THERE


def test_a_status_message_of_ours_may_be_said_again(unit: Unit) -> None:
    assert unit.channel().seek(replace(unit.packet(), kind=PacketKind.STATUS)) is Sought.ABSENT
    assert not unit.lgsp.asked


def test_how_far_a_packet_is_comes_from_its_receivers(unit: Unit) -> None:
    packet = unit.packet(to=(OFFICE, "H77"))
    channel = unit.channel()
    proof = channel.submit(packet, None, sent_nothing).text
    assert channel.status(packet.packet_id, proof) is None
    unit.answered(StatusCode.ARRIVED, "s-1", packet.document_id)
    late = unit.answered(StatusCode.ACCEPTED, "s-2", packet.document_id)
    late.created = "2026/11/20 09:00:00"
    unit.answered(StatusCode.ARRIVED, "s-3", packet.document_id, sender=Organ("H99", "Kẻ lạ"))
    state = channel.status(packet.packet_id, proof)
    assert state is not None
    assert state.state is PacketPhase.PARTIALLY
    assert [(item.org, item.business_code) for item in state.recipients] == [(OFFICE, "03"), ("H77", None)]
    unit.answered(StatusCode.ARRIVED, "s-4", packet.document_id, sender=Organ("H77", "UBND tỉnh"))
    full = channel.status(packet.packet_id, proof)
    assert full is not None
    assert full.state is PacketPhase.DELIVERED
    assert channel.status(packet.packet_id, "{}") is None


# -- receiving -------------------------------------------------------------------------------------------------


def test_documents_and_status_messages_come_in_their_order_and_once(unit: Unit) -> None:
    unit.lgsp.quirks.double_lines = True
    unit.waits("b", "2026/11/19 09:00:00")
    unit.waits("a", "2026/11/20 07:00:00", sender="H37.01")
    unit.answered(StatusCode.ARRIVED, "s", "x").created = "2026/11/19 10:00:00"
    channel = unit.channel()
    page = channel.list(None, limit=100, wait=25)
    assert [(item.id, str(item.type)) for item in page.items] == [("b", "packet"), ("s", "status"), ("a", "packet")]
    assert (page.items[2].sender, page.items[2].sha256, page.more) == ("H37.01", None, False)
    unit.seconds += 301
    assert channel.list(page.cursor, limit=100, wait=0).items == ()


def test_pages_bring_everything_once_whatever_their_size(unit: Unit) -> None:
    for number in range(23):
        unit.waits(f"d{number:02}", f"2026/11/{14 + number % 7} 08:00:00", content=b"<edXML/>")
    channel, cursor, came = unit.channel(), None, list[str]()
    for _ in range(20):
        page = channel.list(cursor, limit=4, wait=0)
        assert len(page.items) <= 4
        came += [item.id for item in page.items]
        cursor = page.cursor
        if not page.more:
            break
    assert sorted(came) == sorted(item.doc_id for item in unit.lgsp.waiting)
    shorter = channel.list(None, limit=2, wait=0)
    assert [item.id for item in shorter.items] == came[:2]


def test_the_list_is_not_asked_for_again_before_its_time_unless_a_person_wants_it(unit: Unit) -> None:
    channel = unit.channel()
    cursor = channel.list(None, limit=100, wait=0).cursor
    unit.waits("late")
    asked = unit.lgsp.calls("syncReceivedEdocList")
    unit.seconds += 299
    assert channel.list(cursor, limit=100, wait=0).items == ()
    assert unit.lgsp.calls("syncReceivedEdocList") == asked
    channel.hurry()
    assert [item.id for item in channel.list(cursor, limit=100, wait=0).items] == ["late"]


def test_a_packet_that_enters_the_list_late_or_at_a_wrong_date_is_not_missed(unit: Unit) -> None:
    channel = unit.channel()
    unit.waits("first")
    page = channel.list(None, limit=100, wait=0)
    unit.waits("three days late", "2026/11/17 23:00:00")
    unit.waits("tomorrow", "2026/11/21 05:00:00")
    unit.waits("other form", "2026/11/20T09:00:00")
    unit.seconds += 301
    came = channel.list(page.cursor, limit=100, wait=0)
    assert {item.id for item in came.items} == {"three days late", "tomorrow", "other form"}


def test_a_clock_that_runs_wild_misses_nothing(unit: Unit) -> None:
    told = unit.time
    unit.lgsp.quirks.clock = lambda: told
    channel = unit.channel()
    channel.contact()
    unit.time = TODAY + timedelta(days=900)
    cursor = channel.list(None, limit=100, wait=0).cursor
    unit.time = TODAY - timedelta(days=900)
    unit.waits("after the jump")
    unit.seconds += 301
    assert [item.id for item in channel.list(cursor, limit=100, wait=0).items] == ["after the jump"]


def test_after_a_month_offline_the_list_is_asked_for_in_parts(unit: Unit) -> None:
    channel = unit.channel()
    cursor = channel.list(None, limit=100, wait=0).cursor
    for day in range(20, 31):
        unit.waits(f"n{day}", f"2026/11/{day} 08:00:00", content=b"<edXML/>")
    unit.time += timedelta(days=30)
    later = unit.channel()
    before = unit.lgsp.calls("syncReceivedEdocList")
    page = later.list(cursor, limit=100, wait=0)
    assert len(page.items) == 11
    assert unit.lgsp.calls("syncReceivedEdocList") - before >= 8


def test_a_cursor_of_another_channel_begins_from_the_start(unit: Unit) -> None:
    unit.waits("a")
    for cursor in ("", "eyJhIjoxfQ", '{"day":"2026-11-20","marks":"AAAA"}'):
        assert [item.id for item in unit.channel().list(cursor, limit=9, wait=0).items] == ["a"]


def test_a_list_that_is_none_is_told_and_a_bad_line_left_out(unit: Unit) -> None:
    channel = unit.channel()
    lines = [None, {"docId": ""}, {"docId": True}, {"docId": 7, "createdTime": "31/02/2026", "messageType": "edoc"}]
    good = (200, {"success": True, "data": lines})
    none = (200, {"success": True, "data": None})
    unit.lgsp.quirks.answers["/v1/syncReceivedEdocList"] = [good, none] * 3
    assert [item.id for item in channel.list(None, limit=9, wait=0).items] == ["7"]
    unit.lgsp.quirks.answers["/v1/syncReceivedEdocList"] = [(200, {"success": True, "data": "?"})]
    assert refused(lambda: channel.list(None, limit=9, wait=0)).code == "server_answer_wrong"


@pytest.mark.parametrize("wrap", ["base64", "lines", "xml", "file"])
def test_a_packet_is_taken_out_of_whatever_it_is_wrapped_in(unit: Unit, wrap: str) -> None:
    unit.lgsp.quirks.wrap = wrap
    item = unit.waits("a", content=packet_bytes(unit.folder, content=b"%PDF-" + bytes(range(256)) * 8000))
    assert fetched(unit.channel(), "a") == item.content


def test_an_envelope_gets_its_files_back(unit: Unit) -> None:
    unit.lgsp.quirks.wrap = "envelope"
    content = b"%PDF-" + bytes(range(256)) * 700
    unit.waits("a", content=packet_bytes(unit.folder, content=content, name="Phụ lục <1> & 2.pdf"))
    sinks: list[io.BytesIO] = []

    def sink_for(_number: int) -> io.BytesIO:
        sinks.append(io.BytesIO())
        return sinks[-1]

    packet = read_packet(io.BytesIO(fetched(unit.channel(), "a")), sink_for)
    assert packet.header.document_id == document().document_id
    assert [item.size for item in packet.attachments] == [len(content)]
    assert sinks[0].getvalue() == content


def answer_of(data: object) -> tuple[int, object]:
    return 200, {"success": True, "data": data}


@pytest.mark.parametrize(
    ("answer", "code", "retry"),
    [
        (answer_of({"edxml": ""}), "lgsp_no_packet", Retry.FIX),
        (answer_of({"attachments": [{"fileName": "a.pdf"}, {"fileName": "b.pdf"}]}), "lgsp_no_packet", Retry.FIX),
        (answer_of({"edxml": "!!!!"}), "content_wrong", Retry.AFTER),
        (answer_of({"edxml": "QUJD="}), "content_wrong", Retry.AFTER),
        (answer_of({"edxml": "QQ==QUJD"}), "content_wrong", Retry.AFTER),
        ((200, {"success": False, "data": {"errorCode": 20}}), "lgsp_system_fault", Retry.AFTER),
        ((200, {"success": False, "message": "?"}), "lgsp_refused", Retry.AFTER),
    ],
)
def test_an_answer_without_a_packet_is_told(unit: Unit, answer: tuple[int, object], code: str, retry: Retry) -> None:
    unit.waits("a")
    channel = unit.channel()
    channel.contact()
    unit.lgsp.quirks.answers["/v1/getEdoc"] = [answer]
    error = refused(lambda: fetched(channel, "a"))
    assert (error.code, error.retry) == (code, retry)


def test_a_packet_over_the_limit_is_not_taken(unit: Unit) -> None:
    item = unit.waits("a", content=packet_bytes(unit.folder, content=bytes(3_000_000)))
    error = refused(lambda: fetched(unit.channel(), "a", limit=len(item.content) - 1))
    assert error.code == "packet_too_large"
    endless = (200, {"success": True, "data": {"attachments": [{"fileContent": "A" * 6_000_000}], "edxml": "QUJD"}})
    unit.lgsp.quirks.answers["/v1/getEdoc"] = [endless]
    assert refused(lambda: fetched(unit.channel(), "a", limit=1000)).code == "packet_too_large"


def test_a_download_renews_a_token_that_is_over(unit: Unit) -> None:
    item = unit.waits("a")
    channel = unit.channel()
    arrival = channel.list(None, limit=1, wait=0).items[0]
    unit.lgsp.end_tokens()
    sink = io.BytesIO()
    channel.fetch(arrival, sink, limit=1 << 20)
    assert (sink.getvalue(), len(unit.lgsp.logins)) == (item.content, 2)


# -- acknowledging ---------------------------------------------------------------------------------------------


def test_only_what_is_acknowledged_is_told_as_received(unit: Unit) -> None:
    for doc_id in ("a", "b", "c"):
        unit.waits(doc_id)
    unit.waits("d", status="done")
    channel = unit.channel()
    page = channel.list(None, limit=2, wait=0)
    rest = channel.list(page.cursor, limit=9, wait=0)
    assert not unit.lgsp.told
    channel.ack(page.cursor)
    assert unit.lgsp.told == [("a", "done"), ("b", "done")]
    channel.ack(page.cursor)
    channel.ack(rest.cursor)
    assert unit.lgsp.told[2:] == [("c", "done")]


def test_an_acknowledgement_that_was_cut_is_made_up_for(unit: Unit) -> None:
    unit.waits("a")
    unit.waits("b")
    channel = unit.channel()
    page = channel.list(None, limit=9, wait=0)
    unit.lgsp.quirks.lose = ["/v1/updateStatus"]
    assert refused(lambda: channel.ack(page.cursor)).unreachable
    again = unit.channel()
    same = again.list(None, limit=9, wait=0)
    assert same.cursor == page.cursor
    again.ack(same.cursor)
    assert {doc_id for doc_id, _ in unit.lgsp.told} == {"a", "b"}


def test_a_packet_that_the_server_will_not_hear_of_holds_up_no_other(unit: Unit) -> None:
    unit.waits("a")
    unit.waits("b")
    channel = unit.channel()
    page = channel.list(None, limit=9, wait=0)
    unit.lgsp.quirks.codes["/v1/updateStatus"] = [(200, 10, "không có")]
    channel.ack(page.cursor)
    assert unit.lgsp.told == [("b", "done")]


# -- the directory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bare", [False, True])
def test_the_directory_comes_whole_and_only_when_it_has_changed(unit: Unit, bare: bool) -> None:
    unit.lgsp.quirks.bare_directory = bare
    unit.lgsp.agencies = [
        {"orgCode": "H37", "orgName": "UBND  tỉnh", "parentCode": "", "email": "a@b", "phone": None},
        {"orgCode": "000.00.15.H37", "orgName": "Xã A", "parentCode": "H37"},
        {"orgCode": "../etc", "orgName": "?"},
        {"orgCode": "H37", "orgName": "lần hai"},
    ]
    channel = unit.channel(secret_key="khac")
    page = channel.directory(None)
    assert [(org.code, org.name, org.parent) for org in page.items] == [
        ("H37", "UBND tỉnh", None),
        ("000.00.15.H37", "Xã A", "H37"),
    ]
    assert channel.directory(page.cursor).items == ()
    unit.lgsp.agencies.pop()
    assert refused(lambda: channel.directory(page.cursor)).code == "epoch_changed"
    asked = unit.lgsp.calls("getAgenciesList")
    assert channel.directory(None).cursor != page.cursor
    assert unit.lgsp.calls("getAgenciesList") == asked


def test_an_empty_directory_is_no_answer(unit: Unit) -> None:
    assert refused(lambda: unit.channel().directory(None)).code == "server_answer_wrong"
