"""The home screen: the red strip's words, the cards' words, and the pane that follows the store."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.inbox_folder import InboxLook
from signer_app.desk.incoming_model import Place
from signer_app.desk.today import Arrived, Incoming, Outgoing, Sending, TodaySnapshot
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView
from signer_app.outgoing.model import Left, Note
from signer_app.store.listings import SendingRow, StoppedBatch
from signer_app.store.model import OutboxState, Urgency
from signer_app.store.queue import OpenAnswer, QueueRow
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_token.model import PinState, Token, TokenCertificate
from signer_ui.glow import Glow
from signer_ui.panes.today import TodayPane
from signer_ui.presenters.today import Alarm, Line, alarms, today_view
from signer_ui.tabs import Tab
from signer_ui.words import Words
from tests.desk.office import FRIDAY, MONDAY, Office, office
from tests.desk.window import Desktop, away, desktop, nameless, press, visible_texts
from tests.exchange.arrivals import plain_letter, post

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
CALM = TodaySnapshot(MONDAY, Incoming(), Outgoing(0, 0, 0, 0, 0, 0, 0, 0, 12), Sending(0, None, 0, (), ()), (), "0.1.0")
ONLINE, NO_TOKEN = ExchangeSnapshot(Link.REACHED, MONDAY), TokensSnapshot(looked=True)


def arrived(subject: str, urgency: Urgency = Urgency.NORMAL, kind: PacketKind = PacketKind.NEW, **more: Any) -> Arrived:
    return Arrived(subject, MONDAY - dt.timedelta(minutes=30), "UBND tỉnh", subject, urgency, kind, **more)


def packet(state: OutboxState, code: str | None = None, *, urgency: Urgency = Urgency.NORMAL) -> SendingRow:
    accepted = MONDAY if state in (OutboxState.ACCEPTED, OutboxState.PARTIALLY, OutboxState.DELIVERED) else None
    return SendingRow(
        packet_id="p",
        urgency=urgency,
        created_at=MONDAY,
        state=state,
        document="12/QĐ-UBND",
        subject="V/v họp",
        accepted_at=accepted,
        error_code=code,
    )


def came(**facts: Any) -> TodaySnapshot:
    return replace(CALM, incoming=Incoming(**facts))


def refused(*rows: SendingRow) -> TodaySnapshot:
    return replace(CALM, sending=replace(CALM.sending, refused=rows))


# ---- the red strip


def test_on_a_calm_day_there_is_no_red_strip() -> None:
    assert alarms(CALM, WORDS) == ()


def test_flash_documents_lead_to_where_they_are() -> None:
    flash = (arrived("Ứng phó bão", Urgency.HOA_TOC), arrived("Lũ", Urgency.HOA_TOC))
    snapshot = replace(came(flash=flash), outgoing=replace(CALM.outgoing, flash=2))
    assert alarms(snapshot, WORDS) == (
        Alarm("Hỏa tốc chưa tiếp nhận: 2 văn bản đến, lâu nhất từ UBND tỉnh (08:12).", "Mở văn bản đến", Tab.INCOMING),
        Alarm("Hỏa tốc: 2 văn bản đi chưa ký hoặc chưa gửi.", "Mở văn bản đi", Tab.OUTGOING),
    )


def test_flash_that_nobody_answers_is_loud_and_says_for_how_long() -> None:
    (alarm,) = alarms(came(flash=(arrived("Bão", Urgency.HOA_TOC),), loud=1), WORDS)
    assert alarm.text == "Hỏa tốc đã chờ 30 phút chưa tiếp nhận: 1 văn bản đến, lâu nhất từ UBND tỉnh (08:12)."
    assert alarm.loud == 1


def test_few_recalls_are_told_one_by_one_and_many_are_counted() -> None:
    recall = arrived("Công văn 12", kind=PacketKind.REVOKE)
    assert [alarm.text for alarm in alarms(came(recalls=(recall,)), WORDS)] == [
        "UBND tỉnh yêu cầu thu hồi văn bản: Công văn 12"
    ]
    assert [alarm.text for alarm in alarms(came(recalls=(recall,) * 3), WORDS)] == ["3 yêu cầu thu hồi văn bản."]


def test_what_was_returned_is_told_with_the_reason_and_leads_to_what_waits_to_be_sent() -> None:
    (alarm,) = alarms(refused(packet(OutboxState.FAILED, "packet_conflict")), WORDS)
    assert alarm.text == "Bị trả lại: 12/QĐ-UBND. Máy chủ đã có một gói khác mang cùng mã."
    assert (alarm.action, alarm.tab, alarm.sending) == ("Xem", Tab.OUTGOING, True)


def test_what_receivers_sent_back_is_in_the_red_strip_with_who_and_why() -> None:
    row = QueueRow(
        packet_id="p",
        org="H77.15",
        kind=PacketKind.NEW,
        state=OutboxState.ACCEPTED,
        urgency=Urgency.NORMAL,
        created_at=CALM.now,
        accepted_at=CALM.now,
        attempts=1,
        label="12/QĐ-UBND",
        receivers=("H77",),
        answers=(OpenAnswer("H77", "02", reason="Sai nơi nhận"),),
    )
    sending = replace(CALM.sending, answered=1, returned=(row,), names={"H77": "UBND tỉnh"})
    snapshot = replace(CALM, sending=sending)
    (alarm,) = alarms(snapshot, WORDS)
    assert alarm.text == "Bị trả lại: 12/QĐ-UBND. UBND tỉnh (Sai nơi nhận)"
    assert (alarm.tab, alarm.sending) == (Tab.OUTGOING, True)
    told = today_view(snapshot, ONLINE, NO_TOKEN, WORDS).sending.told
    assert ("Bị trả lại hoặc chưa đến nơi, chưa xử lý: 1", Glow.BAD) in [(one.text, one.glow) for one in told]
    (many,) = alarms(replace(CALM, sending=replace(sending, answered=3)), WORDS)
    assert many.text == "3 văn bản bị trả lại hoặc chưa gửi được."


def test_what_this_machine_hinders_leads_to_the_machine_check() -> None:
    (alarm,) = alarms(refused(packet(OutboxState.NEEDS_PERSON, "not_enrolled")), WORDS)
    assert alarm.text == "Chưa gửi được 12/QĐ-UBND. Máy này chưa đăng ký với máy chủ văn bản."
    assert (alarm.tab, alarm.sending) == (Tab.MACHINE, False)


def test_a_stopped_batch_says_how_far_it_came() -> None:
    snapshot = replace(CALM, stopped=(StoppedBatch("b", 612, 1200), StoppedBatch("a", 1, 2)))
    (alarm,) = alarms(snapshot, WORDS)
    assert alarm == Alarm("Lô ký dở: đã ký 612/1.200, không mất văn bản nào.", "Ký tiếp", Tab.OUTGOING, "b")


# ---- the cards


def test_empty_cards_are_calm() -> None:
    view = today_view(CALM, ONLINE, NO_TOKEN, WORDS)
    assert (view.incoming.empty, view.outgoing.empty, view.sending.empty) == (
        "Chưa có văn bản đến.",
        "Chưa có văn bản nào chờ ký.",
        "Không có văn bản chờ gửi.",
    )
    assert (view.waiting, view.can_send, view.grey) == (False, False, "Phiên bản 0.1.0")


def test_a_line_of_the_incoming_card_tells_time_sender_subject_and_what_presses() -> None:
    valid, broken, done = (f"incoming_{key}" for key in ("verdict_valid", "verdict_invalid", "state_accepted"))
    named = (
        arrived("Bão", Urgency.HOA_TOC, place=Place.FLASH, says=valid),
        arrived("Thu hồi", kind=PacketKind.REVOKE, place=Place.ASKED, says="incoming_state_recall"),
        arrived("Khẩn", Urgency.KHAN, place=Place.PROBLEM, says=broken),
        arrived("Mời họp", place=Place.VALID, says=valid),
        arrived("Cũ", Urgency.HOA_TOC, place=Place.DONE, says=done),
    )
    card = today_view(came(today=3, open=4, valid=2, late=1, named=named), ONLINE, NO_TOKEN, WORDS).incoming
    assert [(told.text, told.glow) for told in card.told] == [
        ("Quá hạn tiếp nhận hoặc trả lại: 1", Glow.BAD),
        ("Chờ tiếp nhận: 4, trong đó hợp lệ 2", Glow.OFF),
        ("Hôm nay: 3", Glow.OFF),
    ]
    assert card.lines == (
        Line("08:12", "UBND tỉnh", "Bão", "Hỏa tốc", Glow.BAD),
        Line("08:12", "UBND tỉnh", "Thu hồi", "Thu hồi văn bản", Glow.BAD),
        Line("08:12", "UBND tỉnh", "Khẩn", f"Khẩn · {WORDS(broken)}", Glow.BAD),
        Line("08:12", "UBND tỉnh", "Mời họp", WORDS(valid), Glow.GOOD),
        Line("08:12", "UBND tỉnh", "Cũ", WORDS(done), Glow.OFF),
    )


def test_a_secret_packet_is_told_in_its_card() -> None:
    card = today_view(came(secret=1), ONLINE, NO_TOKEN, WORDS).incoming
    assert card.told[0].glow is Glow.BAD
    assert card.told[0].text.startswith("1 văn bản đến có dấu chỉ độ mật, không giữ lại.")


def test_where_another_system_exchanges_both_cards_say_so() -> None:
    external = replace(CALM, sending=replace(CALM.sending, external=True))
    view = today_view(external, ExchangeSnapshot(Link.NOT_ENROLLED), NO_TOKEN, WORDS)
    assert view.incoming.empty == "Hệ thống của tỉnh nhận văn bản đến; chương trình này chỉ ký."
    assert view.sending.empty == "Hệ thống của tỉnh gửi văn bản; chương trình này chỉ ký."


def test_the_outgoing_card_counts_by_state_and_by_when_documents_must_leave() -> None:
    outgoing = Outgoing(
        needs_number=3,
        to_sign=38,
        flash=0,
        signed_today=2,
        before_hour=5,
        due_today=1,
        late=1200,
        late_days=2,
        hour=12,
    )
    card = today_view(replace(CALM, outgoing=outgoing), ONLINE, NO_TOKEN, WORDS).outgoing
    assert [(told.text, told.glow) for told in card.told] == [
        ("Chờ ký: 38", Glow.OFF),
        ("Chờ số: 3", Glow.OFF),
        ("Phải phát hành trước 12:00 hôm nay: 5", Glow.WARN),
        ("Phải phát hành trong hôm nay: 1", Glow.WARN),
        ("Quá hạn phát hành (lâu nhất 2 ngày): 1.200", Glow.BAD),
        ("Đã ký hôm nay: 2", Glow.GOOD),
    ]


@pytest.mark.parametrize(
    ("row", "words", "glow"),
    [
        (packet(OutboxState.QUEUED), "Chờ gửi", Glow.OFF),
        (packet(OutboxState.QUEUED, urgency=Urgency.HOA_TOC), "Hỏa tốc · Chờ gửi", Glow.OFF),
        (packet(OutboxState.RETRYING, "server_busy"), "Chờ gửi", Glow.WARN),
        (
            packet(OutboxState.RETRYING, "outcome_unknown"),
            "Chưa rõ máy chủ đã nhận chưa. Đang hỏi lại, không gửi trùng.",
            Glow.WARN,
        ),
        (packet(OutboxState.ACCEPTED), "Máy chủ đã nhận lúc 08:42; nơi nhận chưa tiếp nhận.", Glow.GOOD),
        (packet(OutboxState.DELIVERED), "Nơi nhận đã tiếp nhận", Glow.GOOD),
        (packet(OutboxState.NEEDS_PERSON, "unknown_receiver"), "Chưa gửi được, cần xem", Glow.BAD),
        (packet(OutboxState.FAILED, "packet_conflict"), "Bị trả lại", Glow.BAD),
    ],
)
def test_each_packet_says_where_it_is(row: SendingRow, words: str, glow: Glow) -> None:
    snapshot = replace(CALM, sending=replace(CALM.sending, lines=(row,)))
    (line,) = today_view(snapshot, ONLINE, NO_TOKEN, WORDS).sending.lines
    assert (line.lead, line.what, line.state, line.glow) == ("12/QĐ-UBND", "V/v họp", words, glow)


def test_offline_is_told_once_and_only_while_something_waits() -> None:
    waiting = replace(CALM, sending=replace(CALM.sending, waiting=2, oldest=MONDAY - dt.timedelta(days=1)))
    offline = away(MONDAY - dt.timedelta(hours=1))
    assert [told.text for told in today_view(waiting, offline, NO_TOKEN, WORDS).sending.told] == [
        "2 văn bản chờ gửi, lâu nhất từ 08:42 22/11/2026",
        "Mất mạng từ 07:42. Vẫn ký được, có mạng sẽ tự gửi.",
    ]
    assert today_view(CALM, offline, NO_TOKEN, WORDS).sending.told == ()


def test_what_is_no_missing_network_is_told_in_its_own_words() -> None:
    waiting = replace(CALM, sending=replace(CALM.sending, waiting=2, oldest=MONDAY))
    portal = ExchangeSnapshot(Link.AWAY, MONDAY, KnownError("captive_portal", host="vb.vn"))
    assert today_view(waiting, portal, NO_TOKEN, WORDS).sending.told[1].text == (
        "Mạng này đang chắn bằng trang đăng nhập, chưa đến được máy chủ vb.vn."
        " Mở trình duyệt, đăng nhập mạng rồi bấm Gửi ngay. Chưa gửi gì đi."
    )


@pytest.mark.parametrize(("link", "can"), [(Link.REACHED, True), (Link.AWAY, True), (Link.NOT_SET, False)])
def test_what_waits_can_be_sent_where_there_is_a_server(link: Link, can: bool) -> None:
    waiting = replace(CALM, sending=replace(CALM.sending, waiting=2, oldest=MONDAY))
    assert today_view(waiting, ExchangeSnapshot(link, MONDAY), NO_TOKEN, WORDS).can_send is can


@pytest.mark.parametrize(
    ("life", "days", "grey"),
    [
        (Life.ENDING, 27, "Chứng thư số còn 27 ngày (đến 18/12/2026)"),
        (Life.EXPIRED, -3, "Chứng thư số đã hết hạn ngày 18/12/2026"),
    ],
)
def test_the_grey_line_tells_the_certificate_s_days_in_vietnam_s_time(life: Life, days: int, grey: str) -> None:
    certificate = TokenCertificate(
        sha256="ab" * 32,
        serial="01",
        subject="",
        issuer="",
        not_before=MONDAY,
        not_after=dt.datetime(2026, 12, 17, 17, tzinfo=dt.UTC),
        key="RSA-2048",
        common_name="UBND",
        organization="",
        usable_for_signing=True,
        der=b"",
    )
    view = CertificateView(certificate, CertificateRole.AGENCY, True, "UBND", life, days)
    token = Token("UBND", "1", "", "", Path("/x.so"), PinState.OK, (certificate,))
    tokens = TokensSnapshot((TokenView(token, (view,)),), (), looked=True)
    assert today_view(CALM, ONLINE, tokens, WORDS).grey == f"{grey} · Phiên bản 0.1.0"


def test_what_came_by_the_inbox_folder_stands_in_the_outgoing_card_until_somebody_looks() -> None:
    fault, note = KnownError("inbox_folder_gone", folder="/x"), Note("out_signed_before", {"name": "a", "date": "x"})
    left = Left("b.pdf", KnownError("pdf_unreadable"))
    came = [InboxLook(refused=(left,), notes=(note,)), InboxLook(fault=fault)]
    card = today_view(CALM, ONLINE, NO_TOKEN, WORDS, came).outgoing
    assert [(told.text, told.glow) for told in card.told] == [
        ("1 tệp trong thư mục chờ ký không lấy được, xem ở Văn bản đi", Glow.WARN),
        ("1 tệp mới cần xem lại, xem ở Văn bản đi", Glow.WARN),
        (WORDS.explain(fault).what, Glow.WARN),
    ]
    assert today_view(CALM, ONLINE, NO_TOKEN, WORDS).outgoing.told == ()


# ---- the pane


@pytest.fixture
def screen(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with office(tmp_path) as place, desktop(qtbot, place) as made:
        yield made


def fill(place: Office) -> None:
    place.came(place.packet(), "V/v báo cáo", priority=3)
    place.draft("7", FRIDAY)
    place.signed("9", FRIDAY)


def test_the_pane_follows_the_store(screen: Desktop) -> None:
    pane = screen.show(TodayPane)
    screen.wait(lambda: "Chưa có văn bản đến." in visible_texts(pane))
    fill(screen.office)
    screen.store_changed()
    wanted = ("V/v báo cáo", "Hỏa tốc", "Chờ ký: 1", "Phải phát hành trước 12:00 hôm nay: 2", "9/UBND-VHXH", "Chờ gửi")
    # The office is filled in several transactions, between which the hub may look.
    screen.wait(lambda: all(words in visible_texts(pane) for words in wanted))
    assert not nameless(pane)


def test_buttons_lead_to_the_tabs(screen: Desktop) -> None:
    fill(screen.office)
    pane = screen.show(TodayPane)
    screen.wait(lambda: "Chờ ký: 1" in visible_texts(pane))
    press(pane, "Mở văn bản đến")
    press(pane, "Mở để ký")
    assert screen.tabs == [Tab.INCOMING, Tab.OUTGOING]


def test_a_button_opens_the_list_of_what_waits_to_be_sent(screen: Desktop) -> None:
    pane = screen.show(TodayPane)
    with screen.qtbot.waitSignal(pane.sending_wanted, timeout=5000):
        press(pane, "Mở danh sách chờ gửi")


def test_send_now_asks_for_a_pass(screen: Desktop) -> None:
    fill(screen.office)
    pane = screen.show(TodayPane)
    screen.wait(lambda: "Gửi ngay" in visible_texts(pane).replace("&", ""))
    with screen.qtbot.waitSignal(screen.hub.exchange_changed, timeout=20_000):
        press(pane, "Gửi ngay")
    screen.wait(lambda: "Chưa khai báo máy chủ văn bản." in visible_texts(pane))


def test_one_click_accepts_all_valid_ones_and_their_senders_are_told(qtbot: QtBot, tmp_path: Path) -> None:
    with post(tmp_path) as letters, desktop(qtbot, letters.office) as screen:
        letters.came(letters.letter("12"))
        letters.came(letters.letter("13", content=plain_letter()))
        pane = screen.show(TodayPane)
        screen.wait(lambda: "Tiếp nhận 1" in visible_texts(pane).replace("&", ""))
        press(pane, "Tiếp nhận 1")
        screen.wait(lambda: "Chờ tiếp nhận: 1, trong đó hợp lệ 0" in visible_texts(pane))
        assert "Đã tiếp nhận" in visible_texts(pane)
        states = sorted(document.state.value for document in letters.documents())
        assert states == ["accepted", "arrived"]
        assert "03" in {packet.status_code for packet in letters.queued()}


def test_what_the_exchange_says_is_put_away_by_a_person(screen: Desktop) -> None:
    office = screen.office
    office.store.write(lambda tx: tx.notices.tell("H77.15", "second_machine", office.now, {}))
    pane = screen.show(TodayPane)
    screen.store_changed()
    screen.wait(lambda: "Một máy khác của cơ quan" in visible_texts(pane))
    press(pane, "Đã biết")
    screen.wait(lambda: "Một máy khác của cơ quan" not in visible_texts(pane))


def test_documents_dropped_anywhere_on_the_pane_are_handed_on(screen: Desktop, tmp_path: Path) -> None:
    pane = screen.show(TodayPane)
    wanted: list[list[str]] = []
    pane.files_wanted.connect(wanted.append)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "Công văn.pdf")), QUrl("https://example.org/x.pdf")])
    event = QDropEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    pane.dropEvent(event)
    assert wanted == [[str(tmp_path / "Công văn.pdf")]]
