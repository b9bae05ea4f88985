"""What was signed here: what its columns and details say, and the page: searching, narrowing, opening, copying."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from signer_app.desk.register import RegisterDetails, SentPacket, SignedFile
from signer_app.store.listings import RegisterEntry
from signer_app.store.model import DocumentState, FileRole, OutboxState, Urgency
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION
from signer_app.store.settings import Body
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.receivers_dialog import ReceiversDialog
from signer_ui.panes.register import RegisterPane
from signer_ui.panes.register_signed import SignedPage
from signer_ui.presenters.grid import Shade
from signer_ui.presenters.register import (
    FileLevel,
    Kept,
    brief_state,
    columns,
    details_view,
    glow,
    level_note,
    level_text,
    line_id,
    number_key,
    state,
    title,
)
from signer_ui.presenters.register_books import Part
from signer_ui.shell import Shell
from signer_ui.words import Words
from tests.desk.office import FRIDAY, MONDAY, ORG, Office, changed, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts
from tests.store.letters import Letters, not_secret

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
NAMES = {"H77": "UBND tỉnh", "H77.15": "UBND xã Hòa Sơn"}


def entry(number: str = "12", sending: OutboxState | None = None, **more: object) -> RegisterEntry:
    accepted = sending in (OutboxState.ACCEPTED, OutboxState.FORWARDED, OutboxState.DELIVERED)
    facts: dict[str, object] = {
        "id": "d",
        "body_code": "H77.15",
        "state": DocumentState.RELEASED if sending else DocumentState.SIGNED,
        "created_at": MONDAY,
        "urgency": Urgency.NORMAL,
        "number": number,
        "notation": "QĐ-UBND",
        "doc_date": FRIDAY,
        "type": "Quyết định",
        "subject": "Phê duyệt kế hoạch",
        "signer_name": "Trần Văn An",
        "sending": sending,
        "accepted_at": MONDAY if accepted else None,
        "receivers": ("H77", "X99"),
    }
    return RegisterEntry(**{**facts, **more})  # type: ignore[arg-type]


def test_columns_say_number_day_subject_signer_receivers_and_state() -> None:
    row = entry(sending=OutboxState.ACCEPTED)
    texts = [column.text(row) for column in columns(lambda: NAMES, WORDS, lambda: MONDAY)]
    assert texts == [
        "12/QĐ-UBND",
        "20/11/2026",
        "Quyết định: Phê duyệt kế hoạch",
        "Trần Văn An",
        "UBND tỉnh; X99",
        "Máy chủ đã nhận",
    ]


def test_numbers_sort_as_numbers_within_their_year() -> None:
    rows = [entry("10"), entry("9"), entry("9a"), entry("1", doc_date=dt.date(2027, 1, 4)), entry("")]
    assert [row.number for row in sorted(rows, key=number_key)] == ["", "9", "9a", "10", "1"]


def test_the_type_is_not_said_twice() -> None:
    assert title(entry(subject="Quyết định phê duyệt"), WORDS) == "Quyết định phê duyệt"
    assert title(entry(subject=None), WORDS) == "Quyết định"
    assert title(entry(type=None), WORDS) == "Phê duyệt kế hoạch"


@pytest.mark.parametrize(
    ("sending", "brief", "whole", "shape"),
    [
        (None, "Đã ký", "Đã ký", Glow.OFF),
        (OutboxState.QUEUED, "Chờ gửi", "Chờ gửi", Glow.OFF),
        (OutboxState.RETRYING, "Chờ gửi", "Chờ gửi", Glow.OFF),
        (OutboxState.FORWARDED, "Máy chủ đã nhận", "Máy chủ đã nhận lúc 08:42", Glow.GOOD),
        (OutboxState.DELIVERED, "Nơi nhận đã tiếp nhận", "Nơi nhận đã tiếp nhận", Glow.GOOD),
        (OutboxState.NEEDS_PERSON, "Cần xem", "Chưa gửi được, cần xem", Glow.BAD),
        (OutboxState.FAILED, "Bị trả lại", "Bị trả lại", Glow.BAD),
    ],
)
def test_the_state_is_said_in_the_clerks_words(
    sending: OutboxState | None, brief: str, whole: str, shape: Glow
) -> None:
    row = entry(sending=sending)
    assert (brief_state(row, WORDS), state(row, MONDAY, WORDS), glow(row)) == (brief, whole, shape)


def test_details_tell_what_hinders_the_sending_and_that_an_attachment_is_unsigned() -> None:
    sent = SentPacket("p", OutboxState.NEEDS_PERSON, MONDAY, None, "", "", "", KnownError("unknown_receiver"))
    file = SignedFile("f", "bảng.xlsx", FileRole.ATTACHMENT, None, None, False, None)
    row = entry(sending=OutboxState.NEEDS_PERSON, receivers=())
    view = details_view(row, RegisterDetails("d", (file,), (sent,)), {}, NAMES, MONDAY, WORDS)
    assert view.under == "12/QĐ-UBND · 20/11/2026 · UBND xã Hòa Sơn"
    assert [(fact.what, fact.value) for fact in view.facts] == [
        ("Trạng thái", "Chưa gửi được, cần xem"),
        ("Người ký", "Trần Văn An"),
        ("Nơi nhận", "Chưa có nơi nhận"),
    ]
    assert view.trouble.startswith("Có nơi nhận mà máy chủ không biết.")
    assert view.files[0].under == "Kèm theo, không ký."


def test_the_level_is_the_lowest_of_the_files_and_a_missing_timestamp_is_said() -> None:
    timed, plain = FileLevel("b-t", "b-t"), FileLevel("b-b", "b-b", "b-t")
    assert (level_text((timed, plain), WORDS), level_text((timed,), WORDS), level_text((), WORDS)) == ("B-B", "B-T", "")
    assert level_note((timed, plain), WORDS) == "Chưa có dấu thời gian, sẽ bổ sung sau. Chữ ký không thay đổi."
    assert level_text((FileLevel("b-b", "b-lta"),), WORDS) == "B-LTA (gửi đi ở mức B-B)"
    assert "B-LTA" in level_note((FileLevel("b-t", "b-t", "b-lta"),), WORDS)
    never = level_note((FileLevel("b-b", "b-b", "", KnownError("level_certificate_expired")),), WORDS)
    assert "chứng thư số của người ký đã hết hạn" in never
    assert level_note((timed,), WORDS) == ""


def test_what_was_given_to_be_sent_is_not_signed_again() -> None:
    def again(row: RegisterEntry) -> str:
        return details_view(row, RegisterDetails("d", (), ()), {}, NAMES, MONDAY, WORDS).again

    assert again(entry()) == "12/QĐ-UBND"
    assert again(entry(sending=OutboxState.QUEUED)) == ""


# ---- the pane


class Book:
    """The pane over an office, and the files that it had the system open."""

    def __init__(self, screen: Desktop) -> None:
        self.screen = screen
        self.opened: list[Path] = []

        def make(shell: Shell) -> RegisterPane:
            return RegisterPane(shell, self.opened.append)

        self.pane = screen.show(make)
        page = self.pane.show_part(Part.SIGNED)
        assert isinstance(page, SignedPage)
        self.page = page
        screen.wait(lambda: bool(self.shown))

    def wait_rows(self, *labels: str) -> None:
        self.screen.wait(lambda: self.shown == list(labels))

    @property
    def shown(self) -> list[str]:
        """The numbers on the screen, in their order."""
        labels = {line_id(row): row.label for row in self.page.grid.rows}
        return [labels[row_id] for row_id in self.page.grid.shown_ids if row_id in labels]

    def choose(self, label: str) -> None:
        self.page.grid.choose([next(line_id(row) for row in self.page.grid.rows if row.label == label)])
        self.screen.wait(
            lambda: label in visible_texts(self.page.details) and "Lưu" in visible_texts(self.page.details)
        )


def sent(tx: Transaction, document: str) -> None:
    """It was given to be sent, as another process does it behind the window's back."""
    tx.documents._connection.execute("UPDATE document SET state = 'released' WHERE id = ?", (document,))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def screen(qtbot: QtBot, place: Office) -> Iterator[Desktop]:
    with desktop(qtbot, place) as made:
        yield made


def test_the_register_is_searched_without_marks_and_follows_the_store(place: Office, screen: Desktop) -> None:
    place.signed("1")
    place.clock.go_on(60)
    place.signed("2")
    book = Book(screen)
    QTest.keyClicks(book.page.bar.search, "hoi nghi 2/ubnd")
    book.wait_rows("2/UBND-VHXH")
    QTest.keyClick(book.page.bar.search, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(book.page.bar.search, Qt.Key.Key_Delete)
    place.clock.go_on(60)
    place.signed("3")
    screen.store_changed()
    book.wait_rows("3/UBND-VHXH", "2/UBND-VHXH", "1/UBND-VHXH")
    assert "3 văn bản" in visible_texts(book.pane)
    assert not nameless(book.pane)


def test_another_year_is_a_choice_away(place: Office, screen: Desktop) -> None:
    place.at(MONDAY - dt.timedelta(days=400))
    place.signed("5", dt.date(2025, 10, 19))
    place.at(MONDAY)
    place.signed("1")
    book = Book(screen)
    assert [book.page.bar.years.itemText(at) for at in range(3)] == ["Tất cả các năm", "2026", "2025"]
    assert book.page.bar.years.currentText() == "2026"
    book.page.bar.years.setCurrentIndex(2)
    book.page.bar.years.activated.emit(2)
    book.wait_rows("5/UBND-VHXH")
    book.page.bar.years.setCurrentIndex(0)
    book.page.bar.years.activated.emit(0)
    screen.wait(lambda: len(book.page.grid.shown_ids) == 2)


def test_details_show_files_proof_and_receipt_and_open_the_signed_copy(place: Office, screen: Desktop) -> None:
    target = place.folder / "Đã ký" / "Công văn 125.pdf"
    made = Letters(place.store, place.clock).signing("1", output=target)
    place.store.commit_signed(made, not_secret)
    place.store.export(made.files[0].id)
    book = Book(screen)
    book.choose("1/UBND-VHXH")
    shown = visible_texts(book.pane)
    for words in ("Công văn 125.pdf", "Chứng cứ ký số", "Lê Thị Văn Thư", "Chờ gửi từ"):
        assert words in shown
    press(book.pane, "Mở")
    screen.wait(lambda: book.opened == [target])
    target.write_bytes(b"altered")
    press(book.pane, "Mở")
    screen.wait(lambda: "đã bị thay đổi, không mở" in book.pane.notice.text)
    assert book.opened == [target]


def test_a_copy_is_saved_where_the_clerk_says(
    place: Office, screen: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.signed("1")
    book = Book(screen)
    book.choose("1/UBND-VHXH")
    target = tmp_path / "bản sao.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kwargs: (str(target), ""))
    press(book.pane, "Lưu bản sao…")
    screen.wait(lambda: "Đã lưu" in book.pane.notice.text)
    assert target.read_bytes().endswith(b" signed")
    press(book.pane, "Lưu bản sao…")
    screen.wait(lambda: "không ghi đè" in book.pane.notice.text)


def test_chosen_rows_are_copied_for_a_spreadsheet(place: Office, screen: Desktop) -> None:
    place.signed("1", receivers=("H77",))
    book = Book(screen)
    assert not book.page.copy.isEnabled()
    book.page.grid.selectAll()
    press(book.pane, "Chép dòng đã chọn")
    cells = QGuiApplication.clipboard().text().split("\t")
    assert (cells[0], cells[1], cells[5]) == ("1/UBND-VHXH", "23/11/2026", "Chờ gửi")


def test_numbers_that_were_kept_or_given_up_stand_among_the_documents_in_grey(place: Office, screen: Desktop) -> None:
    place.signed("1")
    place.clock.go_on(60)
    kept = Reservation.of(
        ORG,
        BY_NOTATION,
        "2",
        "UBND-VHXH",
        place.now.date(),
        owner="ab" * 32,
        name="to-trinh.pdf",
        at=place.now,
        operator="Lê Thị Văn Thư",
    )
    place.store.write(lambda tx: tx.reservations.reserve(kept))
    book = Book(screen)
    book.wait_rows("2/UBND-VHXH", "1/UBND-VHXH")
    assert "1 văn bản" in visible_texts(book.pane)
    book.page.grid.choose([line_id(book.page.grid.rows[0])])
    assert "Đang giữ số" in visible_texts(book.page.details)
    press(book.page.details, "Bỏ số")
    asked = book.pane.giving_up
    asked.reason.setText("Trùng nội dung")
    QTest.keyClick(asked.reason, Qt.Key.Key_Return)
    screen.wait(lambda: "Trùng nội dung" in visible_texts(book.page.details))
    assert "Đã bỏ số 2/UBND-VHXH." in book.pane.notice.text
    row = book.page.grid.rows[0]
    shades = {column.key: column.shade(row) for column in columns(dict, WORDS, lambda: place.now) if column.shade}
    assert set(shades.values()) == {Shade.MUTED}
    assert not nameless(book.pane)


def test_signing_again_takes_two_steps_and_is_refused_with_the_reason_once_it_was_sent(
    place: Office, screen: Desktop
) -> None:
    document = place.signed("1", receivers=())
    book = Book(screen)
    book.choose("1/UBND-VHXH")
    press(book.pane, "Ký lại…")
    assert book.pane.notice.text.startswith("Ký lại 1/UBND-VHXH?")
    press(book.pane, "Thôi")
    assert book.pane.notice.text == ""
    press(book.pane, "Ký lại…")
    place.store.write(lambda tx: sent(tx, document.id))
    press(book.pane, "Ký lại")
    screen.wait(lambda: WORDS.explain(KnownError("again_sent", label="1/UBND-VHXH")).what in book.pane.notice.text)
    assert screen.tabs == []


def test_an_empty_register_is_calm(screen: Desktop) -> None:
    pane = screen.show(RegisterPane)
    pane.show_part(Part.SIGNED)
    screen.wait(lambda: "0 văn bản" in visible_texts(pane))
    assert "Chọn một văn bản để xem" in visible_texts(pane)


def test_a_document_that_was_only_signed_is_given_to_be_sent_from_the_register(qtbot: QtBot, place: Office) -> None:
    changed(place, bodies=(Body(code=ORG, name="Ủy ban nhân dân xã Hòa Sơn"),))
    kept = place.signed("1", receivers=())
    place.clock.go_on(60)
    place.signed("2", receivers=("H77",))
    with desktop(qtbot, place) as screen:
        book = Book(screen)
        book.choose("2/UBND-VHXH")
        assert not book.page.details.give.isVisible()
        book.choose("1/UBND-VHXH")
        press(book.pane, "Chọn nơi nhận và gửi…")
        screen.wait(lambda: any(one.isVisible() for one in book.pane.findChildren(ReceiversDialog)))
        (dialog,) = book.pane.findChildren(ReceiversDialog)
        dialog.chooser.add_text("H77.02")
        screen.wait(lambda: dialog.chooser.list.count() == 1 and not screen.shell.tasks.busy)
        press(dialog, "Gửi")
        screen.wait(lambda: "vào hàng gửi" in book.pane.notice.text)
        with place.store.view() as view:
            (packet,) = view.outbox.of_document(kept.id)
        assert (packet.receivers, packet.state) == (("H77.02",), OutboxState.QUEUED)
        screen.store_changed()
        screen.wait(lambda: not book.page.details.give.isVisible())


def test_what_another_system_sends_is_not_given_here() -> None:
    def given(row: RegisterEntry, *ours: str) -> Kept | None:
        return details_view(row, RegisterDetails("d", (), ()), {}, NAMES, MONDAY, WORDS, ours).give

    row = entry()
    assert given(row, row.body_code) == Kept(row.id, "12/QĐ-UBND", row.body_code)
    assert (given(row), given(entry(sending=OutboxState.QUEUED), row.body_code)) == (None, None)
