"""A batch in the pane of outgoing documents: the look before the PIN, its rest, its report, what came by itself.

Store, workers, pages and the driver are real; the driver misbehaves by script.
"""

import csv
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pypdfium2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

import signer_resources
from signer_app.desk.desk import Desk, open_desk
from signer_app.desk.inbox_folder import InboxLook
from signer_app.outgoing.model import State
from signer_app.workspace import Overrides
from signer_resources.errors import KnownError
from signer_ui.panes.today import TodayPane
from signer_ui.presenters.outgoing import NUMBER
from signer_ui.presenters.review import Doubt
from tests.app.letters import Wording, write_letter
from tests.desk.window import nameless, visible_texts
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import Desk as Place
from tests.support.workspace import Site
from tests.ui.outgoing_clerk import VI, Clerk

# Without a screen there is no window manager.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

REMOVED = "0x32"
"""CKR_DEVICE_REMOVED of PKCS#11."""


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> CountingModule:
    return build_counting_module(tmp_path_factory.mktemp("counting"), softhsm_module())


@pytest.fixture(scope="module")
def place(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One clerk's place for all tests of this file; each leaves no drafts behind."""
    return site.desk(tmp_path_factory.mktemp("batch"))


@pytest.fixture(scope="module", name="desk")
def opened_desk(site: Site, place: Place, counting: CountingModule) -> Iterator[Desk]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("signer_app.workspace.Workers", lambda: site.workers)
        desk = stack.enter_context(open_desk(place.data, Overrides(modules=(counting.path,))))
        desk.begin()
        yield desk


@pytest.fixture
def clerk(qtbot: QtBot, desk: Desk, place: Place, counting: CountingModule, tmp_path: Path) -> Iterator[Clerk]:
    counting.misbehave()
    made = Clerk(qtbot, desk, place, tmp_path)
    yield made
    made.hub.stop()
    made.close()


# ---- before the PIN -------------------------------------------------------------------------------------------------


def test_where_something_is_doubtful_the_pages_are_reviewed_before_the_pin(clerk: Clerk) -> None:
    clerk.ready("cong-van.pdf", "thong-bao.pdf")
    pane = clerk.pane
    (unsure,) = [line.id for line in clerk.lines if line.row.state is State.WARNING]
    pane.sign()
    review = pane._batch.review
    clerk.wait(lambda: pane._batch.front is review and review.isVisible())
    clerk.wait(lambda: review.sheet.picture(review.sheet.cell(0)) is not None)
    assert (pane.flow.dialog, pane.flow.busy()) == (None, None)
    assert not nameless(review)
    cells = [review.sheet.cell(row) for row in range(review.sheet.model().rowCount())]
    assert (cells[0].draft, cells[-1].doubt) == (unsure, Doubt.NONE)
    assert clerk.says(VI("ul_review_doubtful", count="1"))
    assert review.sheet.hasFocus()
    QTest.keyClick(review.sheet, Qt.Key.Key_Space)
    assert review.out == {unsure}
    assert clerk.button("Chỉ ký (1)").isEnabled()

    QTest.keyClick(review.sheet, Qt.Key.Key_Return)
    clerk.rest()
    assert (pane._batch.front, pane.flow.running, pane.grid.current_id) == (None, False, unsure)
    assert {line.id for line in clerk.lines if not line.draft.ticked} == {unsure}


def test_where_nothing_is_doubtful_the_pin_is_one_press_away_and_a_key_shows_the_pages(clerk: Clerk) -> None:
    drafts = clerk.ready("cong-van.pdf", "giay-moi.pdf")
    pane, review = clerk.pane, clerk.pane._batch.review
    pane.sign()
    clerk.wait(lambda: pane.flow.dialog is not None and pane.flow.dialog.isVisible())
    assert pane._batch.front is None
    assert pane.flow.dialog is not None
    pane.flow.dialog.reject()
    clerk.wait(lambda: not pane.flow.running)

    pane.activateWindow()
    pane.grid.setFocus()
    clerk.wait(pane.grid.hasFocus)
    clerk.rest()
    QTest.keyClick(pane.grid, Qt.Key.Key_F9)
    clerk.wait(lambda: pane._batch.front is review)
    assert {review.sheet.cell(row).draft for row in range(review.sheet.model().rowCount())} == set(drafts)
    assert clerk.says(VI("ul_review_sure"))
    assert not pane._pressing.look.isEnabled()
    QTest.keyClick(review.sheet, Qt.Key.Key_Escape)
    clerk.rest()
    assert (pane._batch.front, pane.flow.running) == (None, False)


def test_of_a_single_document_nothing_is_reviewed_unless_somebody_wants_to(clerk: Clerk) -> None:
    clerk.ready("thong-bao.pdf")
    pane = clerk.pane
    pane.sign()
    clerk.wait(lambda: pane.flow.dialog is not None and pane.flow.dialog.isVisible())
    assert pane._batch.front is None
    assert pane.flow.dialog is not None
    pane.flow.dialog.reject()
    clerk.wait(lambda: not pane.flow.running)
    clerk.act(VI("ul_look"))
    clerk.wait(lambda: pane._batch.front is pane._batch.review)
    # The window is being closed.
    pane.stop()
    assert (pane._batch.front, pane.flow.running) == (None, False)


def test_a_disk_that_is_nearly_full_is_told_before_the_pin(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk.ready("cong-van.pdf")
    usage = shutil.disk_usage(clerk.folder)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage._replace(free=40 << 20))
    clerk.pane.sign()
    clerk.wait(lambda: clerk.pane.flow.dialog is not None and clerk.pane.flow.dialog.isVisible())
    assert clerk.pane.flow.dialog is not None
    told = visible_texts(clerk.pane.flow.dialog)
    clerk.pane.flow.dialog.reject()
    assert "sắp hết chỗ trống" in told
    assert "còn trống 40.0 MB" in told
    assert "Nên xóa bớt tệp" in told
    clerk.wait(lambda: not clerk.pane.flow.running)


# ---- the rest of a batch that stopped -------------------------------------------------------------------------------


def stopped(clerk: Clerk, counting: CountingModule, *samples: str) -> list[str]:
    """Documents whose batch has stopped before the first signature; their ids. What was signed before is told of, so
    each test has samples of its own.
    """
    drafts = clerk.ready(*samples)
    counting.misbehave(C_Sign=REMOVED)
    clerk.pane.sign()
    clerk.type_pin()
    counting.misbehave()
    clerk.hub.poke_tokens()
    clerk.rest()
    assert len(clerk.desk.today().stopped) == 1
    clerk.pane.activateWindow()
    clerk.wait(clerk.pane.isActiveWindow)
    return drafts


def test_what_a_stopped_batch_has_left_is_given_up_in_two_steps_and_waits_in_the_list_as_before(
    clerk: Clerk, counting: CountingModule
) -> None:
    drafts = stopped(clerk, counting, "ke-hoach.pdf", "quyet-dinh.pdf")
    pane, question = clerk.pane, clerk.pane._batch.rest
    before = {line.id: line.draft for line in clerk.lines}
    clerk.press(VI("ul_rest"))
    clerk.wait(question.no.hasFocus)
    assert clerk.says(VI("ul_rest_ask", count="2"))
    assert not nameless(question)
    # Enter once too often.
    QTest.keyClick(question.no, Qt.Key.Key_Return)
    assert not question.isVisible()
    assert len(clerk.desk.today().stopped) == 1
    assert clerk.button("Ký tiếp").isEnabled()

    clerk.act(VI("ul_rest_menu"))
    clerk.wait(question.no.hasFocus)
    QTest.keyClick(question.no, Qt.Key.Key_Escape)
    assert not question.isVisible()
    clerk.press(VI("ul_rest"))
    clerk.wait(question.isVisible)
    question.yes.click()
    clerk.rest()
    assert clerk.desk.today().stopped == ()
    clerk.wait(lambda: not pane._batch.give_up.isEnabled())
    assert pane.notice.text.startswith("Đã bỏ phần còn lại của đợt ký: 2 tệp chưa ký.")
    assert not pane.flow.notice.isVisible()
    assert {line.id: line.draft for line in clerk.lines} == before
    assert clerk.states == [State.READY, State.READY]

    pane.sign()
    clerk.type_pin()
    assert {line.id for line in clerk.lines if line.row.state is State.SIGNED} == set(drafts)


def test_a_batch_that_was_gone_on_with_meanwhile_has_nothing_to_give_up(clerk: Clerk, counting: CountingModule) -> None:
    stopped(clerk, counting, "to-trinh.pdf")
    (batch,) = clerk.desk.today().stopped
    question = clerk.pane._batch.rest
    # Somebody goes on with it before the question could be shown.
    question.ask(batch.id)
    question.put_away()
    clerk.rest()
    assert not question.isVisible()
    clerk.press(VI("ul_rest"))
    clerk.wait(question.isVisible)
    clerk.pane.resume(batch.id)
    clerk.type_pin()
    assert not question.isVisible()
    clerk.pane.give_up(batch.id)
    clerk.rest()
    assert clerk.pane.notice.text == VI.explain(KnownError("us_nothing_left")).what


def test_of_several_in_a_hurry_the_refusal_of_one_is_not_said_over(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, asked = clerk.ready("giay-moi.pdf", "thong-bao.pdf"), list[str]()

    def jump_in(draft: str) -> None:
        asked.append(draft)
        if len(asked) == 1:
            raise KnownError("batch_over")

    monkeypatch.setattr(clerk.desk.signing, "jump_in", jump_in)
    monkeypatch.setattr("signer_ui.presenters.outgoing_totals.Totals.hurried", lambda _totals, _chosen: clerk.lines)
    clerk.pane._batch._hurry()
    clerk.rest()
    assert sorted(asked) == sorted(drafts)
    assert clerk.pane.notice.text.startswith(VI.explain(KnownError("batch_over")).what)


# ---- its report -----------------------------------------------------------------------------------------------------


def test_the_report_is_saved_in_each_form_and_over_no_file(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk.ready("cong-van.pdf", "giay-moi.pdf")
    clerk.act(VI("ul_look"))
    clerk.wait(lambda: clerk.pane._batch.front is clerk.pane._batch.review)
    QTest.keyClick(clerk.pane._batch.review.sheet, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    clerk.type_pin()
    clerk.press(VI("ul_report"))
    report = clerk.pane._batch.report
    clerk.wait(report.isVisible)
    numbers = [line.draft.label for line in clerk.lines]

    def save(name: str, kind: str) -> str:
        chosen = str(clerk.folder / name)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_more: (chosen, kind))
        clerk.press(VI("ul_report_save"))
        clerk.rest()
        return report.notice.text

    spreadsheet, table, paper = VI("ul_report_kinds").split(";;")
    assert save("ket-qua.csv", table) == VI("ul_report_saved", file=str(clerk.folder / "ket-qua.csv"))
    text = (clerk.folder / "ket-qua.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [sum(number in row for row in rows) for number in numbers] == [1, 1]

    # Without an ending: that of the kind which was chosen.
    save("ket-qua", paper)
    with pypdfium2.PdfDocument(clerk.folder / "ket-qua.pdf") as pdf:
        told = "".join(page.get_textpage().get_text_bounded() for page in pdf)
    assert [number in told for number in numbers] == [True, True]

    save("ket-qua.xlsx", spreadsheet)
    saved = (clerk.folder / "ket-qua.xlsx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(saved)) as book:
        cells = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert [number in cells for number in numbers] == [True, True]
    assert "ket-qua.xlsx" in save("ket-qua.xlsx", spreadsheet)
    assert report.notice.property("role") == "notice-bad"
    assert (clerk.folder / "ket-qua.xlsx").read_bytes() == saved

    clerk.press(VI("ul_report_close"))
    assert clerk.pane._batch.front is None


def test_what_was_signed_before_is_told_when_it_is_brought_in_again(clerk: Clerk) -> None:
    clerk.ready("cong-van.pdf")
    clerk.pane.sign()
    clerk.type_pin()
    clerk.press(VI("uo_clear_signed"))
    clerk.rest()
    clerk.drop(clerk.folder / "cong-van.pdf")
    assert len(clerk.lines) == 1
    what, why, do = clerk.pane.notice.text.split("\n")
    assert what.startswith("Tệp cong-van.pdf đã được ký ngày ")
    assert (why, do) == ("Tệp này giống hệt tệp đã ký khi đó.", "Kiểm tra có phải phát hành hai lần không.")


# ---- what comes by itself -------------------------------------------------------------------------------------------


@pytest.fixture
def inbox(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the settings name; each look comes five seconds after the one before."""
    folder, now = clerk.folder / "Thư mục chờ ký", iter(range(0, 1_000_000, 5))
    folder.mkdir()
    monkeypatch.setattr(clerk.desk.inbox_folder, "_clock", lambda: float(next(now)))
    monkeypatch.setattr("signer_ui.hub.INBOX_EVERY_MS", 20)
    clerk.hub.settings_kept(
        clerk.desk.change_settings(lambda settings: msgspec.structs.replace(settings, inbox_folder=str(folder)))
    )
    clerk.rest()
    return folder


def test_documents_of_the_inbox_folder_wait_unticked_and_are_told_where_somebody_looks(
    clerk: Clerk, inbox: Path
) -> None:
    pane, home = clerk.pane, TodayPane(clerk.shell)
    pane.hide()
    home.show()
    shutil.copyfile(clerk.place.samples / "huong-dan-lien-tich.pdf", inbox / "huong-dan-lien-tich.pdf")
    write_letter(inbox / "chua-ky.pdf", Wording(number_line="Số:        /QĐ-UBND"))
    (inbox / "hong.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (inbox / "lich-hop.pdf").write_bytes(signer_resources.path("samples/van-ban-mat.pdf").read_bytes())
    clerk.hub.start()
    clerk.wait(lambda: "2 văn bản mới từ thư mục chờ ký" in visible_texts(home))
    assert "2 tệp trong thư mục chờ ký không lấy được, xem ở Văn bản đi" in visible_texts(home)
    assert "lich-hop" not in visible_texts(home)
    assert len(clerk.hub.inbox) >= 1

    pane.show()
    pane.shown()
    assert pane.notice.text.startswith("2 văn bản mới từ thư mục chờ ký")
    assert "hong.pdf: " in pane.notice.text
    assert pane.secret.names == ("lich-hop.pdf",)
    assert clerk.hub.inbox == ()
    assert "thư mục chờ ký" not in visible_texts(home)
    clerk.wait(lambda: len(clerk.lines) == 2)
    clerk.desk.outgoing.fill([line.id for line in clerk.lines])
    clerk.hub.poke_drafts()
    clerk.wait(lambda: all(line.draft.number for line in clerk.lines) and State.CHECKING not in clerk.states)
    assert [line.draft.ticked for line in clerk.lines] == [False, False]
    assert not clerk.button("Ký số và gửi (0)").isEnabled()


def test_the_inbox_folder_waits_while_somebody_types(
    clerk: Clerk, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    looks: list[InboxLook] = []
    look = clerk.desk.inbox_folder.look

    def looked(cancelled: Callable[[], bool]) -> InboxLook:
        looks.append(look(cancelled))
        return looks[-1]

    monkeypatch.setattr(clerk.desk.inbox_folder, "look", looked)
    clerk.pane.activateWindow()
    clerk.pane.grid.edit_cell(clerk.lines[0].id, NUMBER)
    clerk.hub.look_into_inbox()
    clerk.wait(lambda: not clerk.tasks.busy)
    assert looks == []
    clerk.pane.grid.setFocus()
    clerk.hub.look_into_inbox()
    clerk.wait(lambda: not clerk.tasks.busy)
    assert looks == [InboxLook()]


def test_an_inbox_folder_that_is_gone_is_told_with_what_to_do(clerk: Clerk, inbox: Path) -> None:
    home = TodayPane(clerk.shell)
    clerk.pane.hide()
    home.show()
    inbox.rename(inbox.with_name("Khác"))
    clerk.hub.start()
    told = VI.explain(KnownError("inbox_folder_gone", folder=str(inbox)))
    clerk.wait(lambda: told.what in visible_texts(home))
    clerk.pane.show()
    clerk.pane.shown()
    assert clerk.pane.notice.text == "\n".join((told.what, told.why, told.do))
