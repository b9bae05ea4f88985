"""A driver that dies, hangs, or loses its token while a clerk signs three letters: what the window says, that nothing
is lost, and that the rest is signed when the fault is gone, with one login for each PIN typed.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from signer_app.desk.desk import Desk, open_desk
from signer_app.workspace import Overrides
from signer_token.client import Deadlines, TokenHost
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import Desk as Place
from tests.support.workspace import Site
from tests.ui.test_signing_flow import Clerk

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> CountingModule:
    return build_counting_module(tmp_path_factory.mktemp("counting"), softhsm_module())


@pytest.fixture(scope="module")
def place(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return site.desk(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def desk(site: Site, place: Place, counting: CountingModule) -> Iterator[Desk]:
    """A desk whose logins end after a second; everything else has the time that it always has."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("signer_app.workspace.Workers", lambda: site.workers)
        patch.setattr("signer_app.workspace.TokenHost", partial(TokenHost, deadlines=Deadlines(open_s=1.0)))
        desk = stack.enter_context(open_desk(place.data, Overrides(modules=(counting.path,))))
        desk.begin()
        yield desk


@pytest.fixture
def clerk(qtbot: QtBot, desk: Desk, counting: CountingModule, tmp_path: Path) -> Iterator[Clerk]:
    counting.begin_anew()
    made = Clerk(qtbot, desk, counting, tmp_path)
    yield made
    made.hub.stop()
    made.tasks.close()
    desk.outgoing.remove(made.waiting())


def goes_on(clerk: Clerk, way: str, left: int) -> None:
    """The fault is gone; the person presses `way` and types the PIN, and what was left is signed, once."""
    logins = clerk.counting.user_logins()
    clerk.counting.misbehave()
    clerk.press(way)
    clerk.type_pin()
    assert len(clerk.end(1).signed) == left
    assert clerk.told.startswith(f"Đã ký {left} văn bản, đã kiểm tra lại: hợp lệ.")
    assert clerk.waiting() == set()
    assert clerk.desk.today().stopped == ()
    assert clerk.counting.user_logins() == logins + 1


def test_a_driver_that_crashes_in_the_second_signature_keeps_the_first_and_the_rest_is_signed_later(
    clerk: Clerk,
) -> None:
    drafts = clerk.plain(3)
    clerk.counting.misbehave(C_Sign="crash@2")
    summary = clerk.sign(drafts)
    assert "Trình điều khiển USB ký số bị hỏng giữa chừng, đã dừng lại." in clerk.told
    assert "Đã ký 1/3, không mất văn bản nào." in clerk.told
    assert str(clerk.counting.path) in clerk.told
    assert (len(summary.signed), len(clerk.waiting()), clerk.counting.user_logins()) == (1, 2, 1)
    goes_on(clerk, "Ký tiếp", 2)


def test_a_token_pulled_out_before_the_second_signature_keeps_the_first_and_the_rest_is_signed_later(
    clerk: Clerk,
) -> None:
    drafts = clerk.plain(3)
    clerk.counting.misbehave(C_Sign="unplug@2")
    summary = clerk.sign(drafts)
    assert "USB ký số bị rút. Đã ký 1/3, không mất văn bản nào." in clerk.told
    assert (len(summary.signed), len(clerk.waiting()), clerk.counting.user_logins()) == (1, 2, 1)
    assert "UBND xã Hòa Sơn" not in {view.token.label for view in clerk.desk.tokens().tokens}
    goes_on(clerk, "Ký tiếp", 2)


def test_a_driver_that_hangs_at_the_login_is_told_at_the_deadline_and_all_is_signed_later(clerk: Clerk) -> None:
    drafts = clerk.plain(3)
    clerk.counting.misbehave(C_Login="hang")
    summary = clerk.sign(drafts)
    assert clerk.told.startswith("USB ký số không trả lời, đã dừng lại.")
    assert str(clerk.counting.path) in clerk.told
    assert (len(summary.signed), clerk.waiting(), clerk.counting.user_logins()) == (0, set(drafts), 1)
    goes_on(clerk, "Thử lại", 3)
