"""Who gives the numbers of a register on a server, as the window says it and as a clerk changes it; a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from signer_app.desk.exchange import Push
from signer_app.registers.rights import Right
from signer_resources.errors import KnownError
from signer_sync.contract import RegisterOffer
from signer_ui.panes.register import RegisterPane
from signer_ui.panes.register_rights import RightsDialog
from signer_ui.panes.register_typed import OutgoingPage, TypedDialog
from tests.desk.office import MONDAY, office
from tests.desk.window import Desktop, away, desktop, nameless, press, visible_texts
from tests.registers.machines import OFFER, Machine
from tests.server.world import COMMUNE, World, running

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    with running(tmp_path / "world") as world:
        yield world


@pytest.fixture
def machine(tmp_path: Path, world: World) -> Iterator[Machine]:
    with office(tmp_path / "one") as place:
        place.at(world.clock.now())
        yield Machine(place, world)


@pytest.fixture
def screen(qtbot: QtBot, machine: Machine) -> Iterator[Desktop]:
    with desktop(qtbot, machine.place) as made:
        yield made


def outgoing_page(screen: Desktop) -> OutgoingPage:
    pane = screen.show(RegisterPane)
    page = pane.page
    assert isinstance(page, OutgoingPage)
    screen.wait(lambda: page._shelf is not None)
    return page


def dialog_of(page: OutgoingPage) -> RightsDialog:
    press(page, "Quyền lấy số…")
    dialogs = [one for one in page.findChildren(RightsDialog) if one.isVisible()]
    assert len(dialogs) == 1
    return dialogs[0]


def test_the_right_is_taken_said_and_given_back(machine: Machine, screen: Desktop) -> None:
    page = outgoing_page(screen)
    assert page.holding.isHidden()
    dialog = dialog_of(page)
    assert not nameless(dialog)
    screen.wait(lambda: "không giữ quyền lấy số" in visible_texts(dialog))
    assert (dialog.yes.isEnabled(), dialog.back.isEnabled()) == (True, False)
    press(dialog, "Nhận quyền lấy số")
    screen.wait(lambda: "máy này lấy số, mất mạng vẫn lấy được" in page.holding.text())
    assert machine.standing().right is Right.HERE
    dialog = dialog_of(page)
    screen.wait(dialog.back.isEnabled)
    assert not dialog.yes.isEnabled()
    machine.next()
    machine.online(False)
    machine.next()
    press(dialog, "Trả quyền")
    # The server doesn't know of the second number: the right stays.
    screen.wait(lambda: dialog.said.isVisible() and "Chưa kết nối" in dialog.said.text())
    assert machine.standing().right is Right.HERE
    machine.online(True)
    press(dialog, "Trả quyền")
    screen.wait(lambda: "không giữ quyền lấy số" in page.holding.text())


def test_offline_the_window_says_how_far_the_numbers_are_and_offers_the_book_on_paper_only_without_the_right(
    machine: Machine, screen: Desktop
) -> None:
    machine.rights.take(*_right())
    machine.next()
    machine.online(False)
    machine.next()
    machine.letter()
    page = outgoing_page(screen)
    screen.wait(lambda: "1 số chưa báo máy chủ" in page.holding.text())
    screen.hub.exchange_changed.emit(away(MONDAY))
    press(page, "Số từ sổ giấy…")
    dialog = page.findChild(TypedDialog)
    assert dialog is not None
    screen.wait(lambda: "Bấm Điền số tiếp theo" in visible_texts(dialog))
    assert not dialog.number.isEnabled()
    dialog.reject()
    machine.place.clock.go_on(31 * 86400)
    screen.hub.exchange_changed.emit(away(MONDAY))
    screen.wait(lambda: "đã hết ngày" in page.holding.text())


def test_a_number_that_came_with_a_pass_is_told(machine: Machine, screen: Desktop) -> None:
    machine.rights.take(*_right())
    machine.online(False)
    waiting = machine.letter()
    with pytest.raises(KnownError):
        machine.fill(waiting)
    machine.online(True)
    assert machine.desk.exchange.run(Push.DUE).numbered == 1
    assert machine.labels()[waiting] == "01/QĐ-UBND"


def _right() -> tuple[str, RegisterOffer]:
    return COMMUNE, OFFER
