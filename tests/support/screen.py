"""A screen of its own for a window under test: Xvfb, a window manager, and real mouse and key events by xdotool.

For tests and for the pictures of the documentation. Runs in the process that drives; the window is another process, so
that driving costs it nothing. Nothing here sleeps to be right: who drives waits for what the window shows.
"""

import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_START_S = 20.0
NEEDED = ("Xvfb", "xdotool", "openbox")

_NO_FRAMES = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew></focus>
  <keyboard><keybind key="A-F4"><action name="Close"/></keybind></keyboard>
  <mouse></mouse>
  <applications><application class="*"><decor>no</decor></application></applications>
</openbox_config>
"""
"""A window manager that gives focus and keeps its hands off: no frames, no clicks of its own, and one key to close."""


def missing_programs() -> list[str]:
    """What has to be installed before there can be a screen."""
    return [name for name in NEEDED if shutil.which(name) is None]


@dataclass(frozen=True)
class Screen:
    """A running display. Places are pixels from its top left corner."""

    display: str
    width: int
    height: int

    def environment(self) -> dict[str, str]:
        """What a process needs to show its windows here."""
        return {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}

    def move(self, x: int, y: int) -> None:
        """Moves the mouse."""
        self._act("mousemove", str(x), str(y))

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        """Clicks with the left button."""
        self._act("mousemove", str(x), str(y), "click", "--repeat", str(times), "--delay", "60", "1")

    def wheel(self, x: int, y: int, *, down: bool, notches: int = 1) -> None:
        """Turns the wheel over a place."""
        button = "5" if down else "4"
        self._act("mousemove", str(x), str(y), "click", "--repeat", str(notches), "--delay", "15", button)

    def drag(self, start: tuple[int, int], end: tuple[int, int], *, steps: int = 12) -> None:
        """Presses at `start`, moves in `steps` and lets go at `end`."""
        words = ["mousemove", *map(str, start), "mousedown", "1"]
        for step in range(1, steps + 1):
            x, y = (round(a + (b - a) * step / steps) for a, b in zip(start, end, strict=True))
            words += ["mousemove", str(x), str(y), "sleep", "0.01"]
        self._act(*words, "mouseup", "1")

    def key(self, *names: str) -> None:
        """Presses keys one after another, by their X names: "Tab", "ctrl+o", "Return"."""
        self._act("key", "--delay", "12", *names)

    def write(self, text: str) -> None:
        """Types a text."""
        self._act("type", "--delay", "8", "--", text)

    def _act(self, *words: str) -> None:
        ran = subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            timeout=60,
            check=False,
        )
        if ran.returncode != 0:
            raise RuntimeError(f"xdotool {words[0]}: {ran.stderr.decode(errors='replace').strip()}")


@contextmanager
def screen(width: int = 1366, height: int = 768) -> Iterator[Screen]:
    """A display from here to the end of the block."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signer-screen-")))
        reading, writing = os.pipe()
        server = subprocess.Popen(
            [
                *("Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24"),
                *("-nolisten", "tcp", "-noreset", "-dpi", "96"),
            ],
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(_end, server)
        os.close(writing)
        with os.fdopen(reading) as told:
            # Xvfb writes the number when clients can connect; end of file means that it could not start.
            number = told.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        made = Screen(f":{number}", width, height)
        stack.callback(_end, _window_manager(made, home))
        yield made


def _window_manager(shown: Screen, home: Path) -> "subprocess.Popen[bytes]":
    """A running window manager; returns when it manages."""
    rules, word = home / "rc.xml", home / "ready"
    rules.write_text(_NO_FRAMES, encoding="utf-8")
    os.mkfifo(word)
    # Opened for both, so that a manager which dies at once leaves nobody waiting for its end of the pipe.
    with os.fdopen(os.open(word, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0) as told:
        manager = subprocess.Popen(
            ["openbox", "--config-file", str(rules), "--sm-disable", "--startup", f"sh -c 'echo ready >{word}'"],
            env={**os.environ, "DISPLAY": shown.display, "HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not select.select([told], [], [], _START_S)[0]:
            _end(manager)
            raise RuntimeError("openbox did not start")
    return manager


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(10)
