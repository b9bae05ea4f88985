"""The door of the one window: who may bring documents, what is heard of hostile ones, and that nothing is lost."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from pytestqt.qtbot import QtBot

from signer_app import handover
from signer_app.handover import LARGEST, TAKEN, Wish, address, hand_over, make_pipe_name, pipe_name
from signer_ui import instance
from signer_ui.instance import Door
from signer_ui.shell import Pane, Shell
from signer_ui.tabs import Tab
from signer_ui.theme import Theme
from signer_ui.window import Window
from signer_ui.words import Words

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="speaks to the door by the sockets of POSIX"),
    # Without a screen there is no window manager that could be told such things.
    pytest.mark.qt_log_ignore("This plugin does not support"),
]

WORDS = Words("vi")


SHELL = cast("Shell", SimpleNamespace(tasks=SimpleNamespace(busy=False), hub=SimpleNamespace(changing_pin=False)))
"""As much of a shell as a window without real panes asks for."""


class Still(Pane):
    """A pane that remembers what it was given."""

    def __init__(self, shell: Shell, *, stays: bool = False) -> None:
        super().__init__(shell)
        self.stays = stays
        self.files: list[str] = []

    def open_files(self, paths: list[str]) -> None:
        self.files += paths

    def may_leave(self) -> bool:
        return not self.stays


def test_every_pane_is_made_in_quiet_moments_and_only_once(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer_ui.window._pane_class", lambda _tab: Still)
    window = Window(WORDS, Theme(dark=False))
    qtbot.addWidget(window)
    window.furnish(
        SHELL,
        first_start=False,
    )
    made = [len(window.findChildren(Still))]
    window.go(Tab.REGISTER)
    made.append(len(window.findChildren(Still)))
    qtbot.waitUntil(lambda: not window.making_ahead, timeout=30_000)
    assert (made, len(window.findChildren(Still))) == ([1, 2], len(Tab))
    window.go(Tab.OUTGOING)
    assert len(window.findChildren(Still)) == len(Tab)


def test_what_is_handed_over_while_the_settings_can_not_be_left_comes_when_they_are(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_ui.window._pane_class", lambda _tab: Still)
    shell = SHELL
    window = Window(WORDS, Theme(dark=False))
    qtbot.addWidget(window)
    window.furnish(shell, first_start=False)
    page = Still(shell, stays=True)
    window._instead(page)
    window.open_files(["/a.pdf"])
    window.open_files(["/b.pdf"])
    assert [pane.files for pane in window.findChildren(Still) if pane.files] == []
    page.stays = False
    page.left.emit()
    assert [pane.files for pane in window.findChildren(Still) if pane.files] == [["/a.pdf", "/b.pdf"]]
    assert window.tab is Tab.OUTGOING
    window.dismiss()


PATIENCE_MS = 10_000


class House:
    """A data folder with an open door, and what was asked at it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.folder = folder
        self.heard: list[tuple[str, list[str]]] = []
        self.door = Door(folder)
        self.door.knocked.connect(lambda wish, files: self.heard.append((wish, files)))
        self._qtbot = qtbot

    def wait(self, until: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(until, timeout=PATIENCE_MS)

    def asked(self, ask: Callable[[], bool]) -> bool:
        """The answer to what another process asks meanwhile."""
        answers: list[bool] = []
        asking = threading.Thread(target=lambda: answers.append(ask()))
        asking.start()
        self.wait(lambda: bool(answers))
        asking.join()
        return answers[0]

    def guest(self) -> socket.socket:
        """Somebody who has come to the door and says nothing yet."""
        place = address(self.folder)
        assert place is not None
        guest = socket.socket(socket.AF_UNIX)
        guest.settimeout(PATIENCE_MS / 1000)
        guest.connect(place)
        return guest

    def answer(self, said: bytes) -> bytes:
        """All that the door says to these bytes."""
        heard = bytearray()

        def talk() -> bool:
            with self.guest() as guest:
                try:
                    guest.sendall(said)
                    while more := guest.recv(100):
                        heard.extend(more)
                except OSError:
                    return True
            return True

        self.asked(talk)
        return bytes(heard)


@pytest.fixture
def house(tmp_path: Path, qtbot: QtBot) -> Iterator[House]:
    made = House(tmp_path, qtbot)
    assert made.door.open
    yield made
    made.door.close()


def line(wish: object, files: object) -> bytes:
    return json.dumps({"wish": wish, "files": files}).encode() + b"\n"


def test_files_and_wishes_come_as_they_were_given_whatever_the_files_are_called(house: House) -> None:
    files = ["/thư mục/công văn.pdf", os.fsdecode(b"/t\xff/\xe9.pdf")]
    assert house.asked(lambda: hand_over(house.folder, files))
    assert house.asked(lambda: hand_over(house.folder, [], Wish.SEND))
    assert house.heard == [("open", files), ("send", [])]


@pytest.mark.parametrize(
    "said",
    [
        b"\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        line("sign", []),
        line(["open"], []),
        line("open", "/a.pdf"),
        line("open", [1]),
        line("open", ["văn bản.pdf"]),
        line("open", [""]),
        line("open", ["/a\0b.pdf"]),
        line("open", ["/a.pdf"] * 10_001),
    ],
    ids=[
        "empty", "no text", "deep", "unknown wish", "a list as wish", "a text as files", "a number", "relative",
        "no path", "NUL", "too many",
    ],
)  # fmt: skip
def test_what_is_no_wish_is_not_answered_and_the_door_stays_open(house: House, said: bytes) -> None:
    assert house.answer(said) == b""
    assert house.heard == []
    assert house.asked(lambda: hand_over(house.folder, ["/a.pdf"]))


def test_a_line_without_end_is_cut_off(house: House) -> None:
    assert house.answer(b"x" * (LARGEST + 100_000)) == b""
    assert house.heard == []


def test_a_guest_has_one_wish(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "PATIENCE_MS", 200)
    assert house.answer(line("open", ["/a.pdf"]) + line("open", ["/b.pdf"])) == TAKEN
    assert house.heard == [("open", ["/a.pdf"])]


def test_who_is_silent_is_shown_out_and_holds_up_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "MOST_GUESTS", 3)
    monkeypatch.setattr(instance, "PATIENCE_MS", 1_000)
    silent = [house.guest() for _ in range(3)]
    house.wait(lambda: len(house.door.findChildren(instance._Guest)) == 3)
    assert not house.asked(lambda: hand_over(house.folder, ["/a.pdf"]))
    house.wait(lambda: not house.door.findChildren(instance._Guest))
    assert house.asked(lambda: hand_over(house.folder, ["/a.pdf"]))
    for guest in silent:
        assert guest.recv(10) == b""
        guest.close()


def test_a_closed_door_tells_nobody_that_documents_were_taken(house: House) -> None:
    with house.guest() as guest:
        house.wait(lambda: len(house.door.findChildren(instance._Guest)) == 1)
        house.door.close()
        with suppress(ConnectionError):
            guest.sendall(line("open", ["/a.pdf"]))
            assert guest.recv(10) == b""
    assert not house.asked(lambda: hand_over(house.folder, ["/a.pdf"]))
    assert house.heard == []


def test_a_window_that_was_killed_leaves_no_door_that_stays_shut(house: House, qtbot: QtBot) -> None:
    place = address(house.folder)
    assert place is not None
    house.door.close()
    left = socket.socket(socket.AF_UNIX)
    left.bind(place)
    left.close()
    assert not hand_over(house.folder, [])
    again = House(house.folder, qtbot)
    assert again.asked(lambda: hand_over(again.folder, ["/a.pdf"]))
    again.door.close()


def test_a_link_or_a_plain_file_at_the_address_gets_no_documents(house: House, tmp_path: Path) -> None:
    place = address(house.folder)
    assert place is not None
    other = tmp_path / "khác"
    other.mkdir()
    (other / "window").symlink_to(place)
    assert not house.asked(lambda: hand_over(other, ["/a.pdf"]))
    (other / "window").unlink()
    (other / "window").write_text("", encoding="ascii")
    assert not hand_over(other, ["/a.pdf"])
    assert house.heard == []


def test_a_folder_with_a_long_path_has_a_door_too(tmp_path: Path, qtbot: QtBot) -> None:
    deep = tmp_path / ("thư mục " * 12)
    deep.mkdir()
    house = House(deep, qtbot)
    assert house.door.open
    assert house.asked(lambda: hand_over(deep, ["/a.pdf"]))
    house.door.close()


def test_a_window_that_hangs_is_not_waited_for_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_ANSWER_S", 0.1)
    place = address(tmp_path)
    assert place is not None
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(place)
        hanging.listen()
        assert not hand_over(tmp_path, ["/a.pdf"])


def test_a_pipe_on_windows_has_a_name_that_only_the_folder_tells(tmp_path: Path) -> None:
    assert pipe_name(tmp_path) is None
    first, second = make_pipe_name(tmp_path), make_pipe_name(tmp_path)
    assert first != second
    assert pipe_name(tmp_path) == second
    assert (tmp_path / "window").stat().st_mode & 0o777 == 0o600
    (tmp_path / "window").write_text(r"..\khác" + "x" * 40, encoding="utf-8")
    assert pipe_name(tmp_path) is None
