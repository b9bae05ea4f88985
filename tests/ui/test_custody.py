"""The hand-over book in the window: what it shows, what a form means, and a hand-over from the form to the book."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from signer_app.custody.book import Book, require_holder
from signer_app.custody.values import BookSnapshot, Holding, Subject, Wish
from signer_app.store.custody import DeviceFacts, HandOver, PinProof, Waiting
from signer_app.store.settings import Body
from signer_app.workspace import Overrides, workspace
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.custody import CustodyPane
from signer_ui.presenters.custody import Field, custody_page, first_form, problems, question, waiting_words, wish_of
from signer_ui.widgets.pin_dialog import PinDialog
from signer_ui.words import Words
from tests.custody.minutes import AT, CERTIFICATE, PERMISSION, add, entry
from tests.desk.office import Office, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts
from tests.store.letters import Clock
from tests.support.workspace import CANARY_PIN, Desk

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
BODY = Body(code="H77.15", name="UBND xã Hòa Sơn")
TYPED = {
    Field.GIVER: "Trần Văn An",
    Field.RECEIVER: "Lê Thị Nhàn",
    Field.NUMBER: "15/QĐ-UBND",
    Field.DATE: "20/11/2026",
    Field.BY: "Chủ tịch UBND xã Hòa Sơn",
}


def holding(last: HandOver | None) -> Holding:
    return Holding(Subject(CERTIFICATE, DeviceFacts(serial="77", label="")), BODY, last)


def snapshot(*entries: HandOver) -> BookSnapshot:
    last = entries[0] if entries else None
    return BookSnapshot((holding(last),), entries, Waiting(1200, ("a",)), Waiting(0, ()))


@pytest.mark.parametrize(
    ("last", "told", "glow"),
    [
        (None, "Sổ chưa ghi ai đang giữ. Bấm Bàn giao để ghi lần nhận đầu tiên.", Glow.OFF),
        (entry(3), "Người đang giữ: Lê Thị Nhàn (từ 23/11/2026, biên bản số 3)", Glow.GOOD),
        (
            entry(4, receiver=""),
            "Không ai đang giữ: đã trả lại cơ quan ngày 23/11/2026 (biên bản số 4). Chưa ký được.",
            Glow.BAD,
        ),
        (entry(5, pin_change=True), "Người đang giữ: Lê Thị Nhàn (từ 23/11/2026, biên bản số 5)", Glow.WARN),
    ],
)
def test_a_certificate_says_who_holds_it(last: HandOver | None, told: str, glow: Glow) -> None:
    (card,) = custody_page(snapshot(*([last] if last else [])), WORDS).cards
    assert (card.holder, card.glow) == (told, glow)
    assert bool(card.pin_open) == (glow is Glow.WARN)
    assert card.device == "USB ký số số hiệu 77, nhãn - · chưa cắm"


def test_an_entry_says_who_gave_what_to_whom_by_which_permission() -> None:
    done = replace_pin(entry(2, pin_change=True, signed="x"))
    lines = custody_page(snapshot(done, entry(1, receiver="")), WORDS).entries
    assert [line.heading for line in lines] == [
        "Biên bản số 2 · 23/11/2026 08:42 · Trần Văn An → Lê Thị Nhàn",
        "Biên bản số 1 · 23/11/2026 08:42 · Trần Văn An → (trả lại cơ quan)",
    ]
    assert lines[0].facts == (
        "UBND XÃ HÒA SƠN · số 15/QĐ-UBND ngày 20/11/2026 của Chủ tịch UBND xã Hòa Sơn"
        " · đã ký bằng USB ký số · Đổi mã PIN: đã đổi"
    )
    assert lines[1].facts.endswith("không ký số")


def replace_pin(made: HandOver) -> HandOver:
    return HandOver(minute=made.minute, text=made.text, signed=made.signed, pin_changed_at=AT, pin_proof=PinProof.HERE)


def test_a_form_begins_with_what_is_known_and_says_what_is_missing_or_wrong() -> None:
    first = first_form(holding(None), "Lê Thị Nhàn", WORDS)
    assert (first.texts[Field.GIVER], first.texts[Field.RECEIVER], first.pin_change) == ("", "Lê Thị Nhàn", True)
    assert first.texts[Field.PLACE] == "trụ sở UBND xã Hòa Sơn"
    next_one = first_form(holding(entry(1)), "Lê Thị Nhàn", WORDS)
    assert (next_one.texts[Field.GIVER], next_one.texts[Field.RECEIVER]) == ("Lê Thị Nhàn", "")
    assert (next_one.pin_change, next_one.signed) == (True, True)
    assert problems(next_one) == {
        Field.NUMBER: "uc_missing",
        Field.DATE: "uc_missing",
        Field.BY: "uc_missing",
        Field.RECEIVER: "uc_receiver_missing",
    }
    typed = replace(next_one, texts={**next_one.texts, **TYPED, Field.DATE: "32/1/2026", Field.UNTIL: "mai"})
    assert problems(typed) == {Field.DATE: "uc_date_wrong", Field.UNTIL: "uc_date_wrong"}


def test_a_form_means_a_wish() -> None:
    first = first_form(holding(entry(1)), "", WORDS)
    typed = replace(first, texts={**first.texts, **TYPED, Field.UNTIL: "31/05/2027"})
    assert wish_of(typed) == Wish(
        giver="Trần Văn An",
        receiver="Lê Thị Nhàn",
        permission=PERMISSION,
        place="trụ sở UBND xã Hòa Sơn",
        until=dt.date(2027, 5, 31),
        pin_change=True,
    )
    back = wish_of(replace(typed, returned=True))
    assert (back.receiver, back.returns, back.pin_change) == ("", True, False)
    assert "Trần Văn An trả «X» lại cơ quan" in question("X", back, WORDS)
    assert waiting_words(snapshot(), WORDS).startswith("Lúc này còn 1.200 văn bản chưa ký, 0 văn bản chưa gửi")


# ---- the pane


@pytest.fixture(name="shown")
def desktop_without_tokens(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with office(tmp_path) as made, desktop(qtbot, made) as shown:
        yield shown


@pytest.fixture(name="real")
def desktop_with_tokens(qtbot: QtBot, desk: Desk) -> Iterator[Desktop]:
    with (
        workspace(desk.data, Overrides(), writing=True) as space,
        desktop(qtbot, Office(space, Clock(), desk.folder)) as shown,
    ):
        yield shown


def read(pane: CustodyPane, shown: Desktop, told: str) -> None:
    shown.wait(lambda: told in visible_texts(pane))


def test_an_empty_book_says_so_and_the_way_back_leaves(shown: Desktop) -> None:
    pane = shown.show(CustodyPane)
    read(pane, shown, "Sổ bàn giao chưa có biên bản nào.")
    assert "Chưa cắm USB ký số nào" in visible_texts(pane)
    assert not nameless(pane)
    left: list[bool] = []
    pane.left.connect(lambda: left.append(True))
    press(pane, "Quay lại")
    assert left


def test_papers_are_saved_where_the_clerk_wants_them(
    shown: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(shown.office.store, entry(1))
    pane = shown.show(CustodyPane)
    read(pane, shown, "Người đang giữ: Lê Thị Nhàn")
    for act, name in (("Lưu biên bản PDF…", "biên bản.pdf"), ("Đề nghị thu hồi…", "thu hồi.pdf")):
        target = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(target), ""))  # noqa: B023
        press(pane, act)
        shown.wait(lambda: str(target) in pane.notice.text)  # noqa: B023
        assert target.read_bytes().startswith(b"%PDF-")
    press(pane, "Đề nghị thu hồi…")
    shown.wait(lambda: "Đã có tệp" in pane.notice.text)


def test_a_pin_that_must_be_changed_is_asked_for_or_noted_as_said(shown: Desktop) -> None:
    add(shown.office.store, entry(1, pin_change=True))
    pane = shown.show(CustodyPane)
    read(pane, shown, "chưa đổi mã PIN sau khi nhận")
    # The token isn't plugged in.
    wanted: list[str] = []
    pane.pin_change_wanted.connect(wanted.append)
    press(pane, "Đổi mã PIN")
    assert wanted == []
    press(pane, "Đã đổi bằng phần mềm khác…")
    press(pane, "Ghi là đã đổi")
    read(pane, shown, "Đổi mã PIN: đã đổi (người giữ xác nhận)")
    require_holder(shown.office.store, CERTIFICATE.sha256, "")


def test_the_change_of_a_pin_is_asked_for_while_the_token_is_there(real: Desktop, desk: Desk) -> None:
    book = Book(real.office.space)
    typed = replace(
        first_form(holding(None), "Lê Thị Nhàn", WORDS), texts={field: TYPED.get(field, "") for field in Field}
    )
    book.record(desk.agency, replace(wish_of(typed), pin_change=True), None)
    pane = real.show(CustodyPane)
    read(pane, real, "chưa đổi mã PIN sau khi nhận")
    wanted: list[str] = []
    pane.pin_change_wanted.connect(wanted.append)
    press(pane, "Đổi mã PIN")
    assert wanted == [desk.agency]


def test_a_hand_over_is_filled_in_asked_once_more_signed_and_recorded(real: Desktop, desk: Desk) -> None:
    pane = real.show(CustodyPane)
    read(pane, real, "Bàn giao…")
    agency = next(h for h in Book(real.office.space).look().holdings if h.subject.certificate.sha256 == desk.agency)
    pane._open_form(desk.agency)
    assert pane.filling_in
    press(pane, "Ghi bàn giao")
    assert "Chưa nhập." in visible_texts(pane)
    for field, typed in TYPED.items():
        pane.form.fields[field].line.setText(typed)
    press(pane, "Ghi bàn giao")
    assert f"Trần Văn An giao «{agency.subject.certificate.name}» cho Lê Thị Nhàn." in pane.notice.text
    assert Book(real.office.space).entries(real.office.store) == ()
    press(pane, "Ghi vào sổ")
    real.wait(lambda: pane.findChild(PinDialog) is not None)
    dialog = pane.findChild(PinDialog)
    assert isinstance(dialog, PinDialog)
    assert not pane.may_leave()
    dialog.field.setText(CANARY_PIN)
    dialog.accept_button.click()
    real.wait(lambda: "Đã ghi biên bản số 1." in pane.notice.text)
    read(pane, real, "Người đang giữ: Lê Thị Nhàn")
    assert pane.may_leave()
    assert not pane.filling_in
    (made,) = Book(real.office.space).entries(real.office.store)
    assert made.signed is not None


def test_a_refused_pin_leaves_the_form_as_it_was(real: Desktop, desk: Desk) -> None:
    pane = real.show(CustodyPane)
    read(pane, real, "Bàn giao…")
    pane._open_form(desk.agency)
    for field, typed in TYPED.items():
        pane.form.fields[field].line.setText(typed)
    press(pane, "Ghi bàn giao")
    press(pane, "Ghi vào sổ")
    real.wait(lambda: pane.findChild(PinDialog) is not None)
    dialog = pane.findChild(PinDialog)
    assert isinstance(dialog, PinDialog)
    dialog.field.setText("wrong-pin")
    dialog.accept_button.click()
    told = KnownError("pin_incorrect").explain("vi").what
    real.wait(lambda: told in pane.notice.text)
    assert pane.filling_in
    assert pane.form.fields[Field.GIVER].line.text() == "Trần Văn An"
    assert Book(real.office.space).entries(real.office.store) == ()
