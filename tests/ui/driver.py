"""Drives the real window as a clerk does: looks at what a screen reader would find, then clicks and types for real.

Runs outside the window's process. Every step waits until the window shows what it needs, and fails with what the window
showed instead. The window's own standard error must stay empty: a Qt warning is a failure.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from PIL import Image

from tests.support.screen import Screen
from tests.ui.agent import Begin, Clip, Done, Ended, Look, Picture, Request, Seen, Stalls, View
from tests.ui.stall import StallReport

T = TypeVar("T")

PATIENCE_S = 40.0
_LOOK_EVERY_S = 0.05
_MOST_TABS = 80
_ROOT = Path(__file__).resolve().parents[2]

BUTTON, EDIT, TAB, CHECK, CHOICE, CELL, TEXT = (
    *("Button", "EditableText", "PageTab", "CheckBox", "ComboBox", "Cell", "StaticText"),
)  # fmt: skip
"""Roles of the accessible tree that journeys speak of."""


class NotSeenError(AssertionError):
    """The window never showed what a step waited for."""


def _is(thing: Seen, name: str, role: str | None, *, exact: bool) -> bool:
    return (thing.name == name if exact else name in thing.name) and (role is None or thing.role == role)


class Driver:
    """One window, from its start to its end. Use as made by `opened`."""

    def __init__(
        self,
        screen: Screen,
        process: "subprocess.Popen[bytes]",
        stderr: Path,
        *,
        pictures: Path | None = None,
        keys_alone: bool = False,
    ) -> None:
        self.screen = screen
        self.keys_alone = keys_alone
        self._process = process
        self._stderr = stderr
        self._pictures = pictures

    # ---- looking ----------------------------------------------------------------------------------------------------

    def look(self) -> View:
        """All that the window shows now."""
        return self._ask(Look(), View)

    def seen(self, name: str = "", role: str | None = None, *, exact: bool = False) -> list[Seen]:
        """What is there now and has a name that holds `name`, or is it; what lies in front comes first."""
        found = [thing for thing in self.look().seen if _is(thing, name, role, exact=exact) and thing.place[2] > 0]
        return sorted(found, key=lambda thing: (-thing.window, thing.name != name))

    def wait(self, name: str, role: str | None = None, *, exact: bool = False, patience: float = PATIENCE_S) -> Seen:
        """What has such a name, when it is there and can be used."""

        def there() -> Seen | None:
            return next((thing for thing in self.seen(name, role, exact=exact) if thing.enabled), None)

        return self.until(there, f"{role or 'anything'} named “{name}”", patience)

    def wait_worked(self, name: str) -> Seen:
        """As `wait`, for what comes when work is done: as long as a line of progress moves, patience begins anew."""
        deadline, progress = time.monotonic() + PATIENCE_S, None
        while not (found := [thing for thing in self.seen(name) if thing.enabled]):
            before, progress = progress, [(bar.name, bar.value) for bar in self.seen(role="ProgressBar")]
            if progress != before:
                deadline = time.monotonic() + PATIENCE_S
            if time.monotonic() > deadline:
                raise NotSeenError(f"waited in vain for “{name}”; nothing moves; the window shows:\n{self.told()}")
            time.sleep(_LOOK_EVERY_S)
        return found[0]

    def wait_gone(self, name: str, role: str | None = None) -> None:
        """Returns when nothing has such a name."""
        self.until(lambda: not self.seen(name, role) or None, f"the end of “{name}”")

    def until(self, look: Callable[[], T | None], what: str, patience: float = PATIENCE_S) -> T:
        """The first answer of `look` that is not None."""
        deadline = time.monotonic() + patience
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise NotSeenError(f"waited in vain for {what}; the window shows:\n{self.told()}")
            time.sleep(_LOOK_EVERY_S)
        return found

    def told(self) -> str:
        """Everything that the window shows, as one text; for messages of failed steps."""
        things = self.look().seen
        return "\n".join(
            f"  [{t.window}] {t.role} {t.name!r}{' = ' + repr(t.value) if t.value else ''}"
            f"{'' if t.enabled else ' (off)'}{' (focus)' if t.focused else ''}"
            for t in things
            if t.name or t.value
        )

    def photograph(self) -> Image.Image:
        """The screen as it is now."""
        with tempfile.NamedTemporaryFile(prefix="signer-screen-", suffix=".png") as file:
            self._ask(Picture(file.name), Done)
            return Image.open(file.name).convert("RGB")

    def picture(self, name: str) -> None:
        """Writes a picture of the screen, where pictures are wanted."""
        if self._pictures is not None:
            self._still()
            self.snap(name)

    def snap(self, name: str) -> None:
        """As `picture`, whatever moves."""
        if self._pictures is not None:
            self._ask(Picture(str(self._pictures / f"{name}.png")), Done)

    # ---- acting -----------------------------------------------------------------------------------------------------

    def push(self, name: str, role: str | None = None, *, exact: bool = False) -> None:
        """Presses a button or ticks a box: with the mouse, or where the keyboard is alone by Tab and the space bar."""
        if self.keys_alone:
            self.tab_to(name, role, exact=exact)
            self.key("space")
        else:
            self.click(name, role, exact=exact)

    def fill(self, name: str, text: str) -> None:
        """Puts `text` into the field `name` in place of what is there."""
        if self.keys_alone:
            self.tab_to(name, EDIT)
        else:
            self.click(name, EDIT)
            self.wait_focus(name)
        self.key("ctrl+a")
        self.write(text)

    def choose(self, name: str, item: str) -> None:
        """Chooses the item that holds `item` in the box `name`, by its first letters or the arrow keys."""
        if self.keys_alone:
            self.tab_to(name)
        else:
            self.click(name, CHOICE)
            self.key("Escape")
        self.key("Home")
        for _step in range(_MOST_TABS):
            if item in self.wait(name, CHOICE).value:
                return
            self.key("Down")
        raise NotSeenError(f"there is no “{item}” in “{name}”")

    def click(self, name: str, role: str | None = None, *, exact: bool = False, times: int = 1) -> None:
        """Clicks at something when it is there, enabled, and stands still."""
        self.screen.click(*self._settled(name, role, exact).middle, times=times)

    def key(self, *names: str) -> None:
        """Presses keys."""
        self.screen.key(*names)

    def write(self, text: str) -> None:
        """Types into what has the focus."""
        self.screen.write(text)

    def clip(self, text: str) -> None:
        """Has `text` on the clipboard, as if it had been copied in another program."""
        self._ask(Clip(text), Done)

    def tab_to(self, name: str, role: str | None = None, *, exact: bool = False) -> None:
        """Presses Tab until something of that name has the focus; by keyboard alone."""
        self.wait(name, role, exact=exact)
        been: list[str] = []
        for _step in range(_MOST_TABS):
            here = self.focus()
            if here is not None and _is(here, name, role, exact=exact):
                return
            been.append(f"{here.name} ({here.path})" if here is not None else "nothing")
            self.key("Tab")
            self.focus_moved(here)
        raise NotSeenError(f"Tab never came to “{name}”; it went by {been}")

    def focus(self) -> Seen | None:
        """What has the keyboard's focus; the innermost."""
        return next((thing for thing in reversed(self.look().seen) if thing.focused), None)

    def wait_focus(self, name: str) -> None:
        """Returns when something of that name has the focus."""
        self.until(lambda: ((here := self.focus()) is not None and name in here.name) or None, f"the focus on “{name}”")

    def focus_moved(self, before: Seen | None) -> None:
        """Returns when something else has the focus, or when nothing seems to come of the key."""
        deadline = time.monotonic() + 1
        while self.focus() == before and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S / 5)

    def _settled(self, name: str, role: str | None, exact: bool) -> Seen:
        """Something that stands at the same place in two looks, for layouts move while the window fills."""
        last = self.wait(name, role, exact=exact)

        def same() -> Seen | None:
            nonlocal last
            before, last = last, self.wait(name, role, exact=exact)
            return last if last.place == before.place else None

        return self.until(same, f"“{name}” to stand still")

    def _still(self) -> None:
        """Returns when two looks in a row show the same."""
        last, before = self.look(), View((), (), ())

        def same() -> View | None:
            nonlocal last, before
            before, last = last, self.look()
            return last if last == before else None

        try:
            self.until(same, "a window that stands still")
        except NotSeenError as error:
            moving = set(map(str, last.seen)) ^ set(map(str, before.seen))
            raise NotSeenError("what moves:\n" + "\n".join(moving)) from error

    # ---- the stall watch, and the end -------------------------------------------------------------------------------

    def section(self, name: str) -> None:
        """What follows is counted apart by the stall watch."""
        self._ask(Begin(name), Done)

    def stalls(self) -> StallReport:
        """What the stall watch has seen."""
        return self._ask(Stalls(), StallReport)

    @property
    def running(self) -> bool:
        """Whether the window's process lives."""
        return self._process.poll() is None

    def close(self) -> Ended:
        """Closes the window as a clerk does, and waits for the end of its process."""
        self.key("alt+F4")
        return self.ended()

    def ended(self) -> Ended:
        """What the process left when it ended by itself; fails on anything in its standard error."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        code = self._process.wait(PATIENCE_S)
        told = self._stderr.read_text(encoding="utf-8", errors="replace")
        assert not told, told
        ended = msgspec.json.decode(line, type=Ended)
        assert code == ended.code
        return ended

    def _ask(self, request: Request, kind: type[T]) -> T:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(request) + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        if not line:
            told = self._stderr.read_text(encoding="utf-8", errors="replace")
            raise NotSeenError(f"the window's process ended ({process.poll()})\n{told}")
        return msgspec.json.decode(line, type=kind)


@contextmanager
def opened(
    screen: Screen,
    data: Path,
    *words: object,
    environment: dict[str, str],
    pictures: Path | None = None,
    scale: float = 1.0,
    keys_alone: bool = False,
) -> Iterator[Driver]:
    """A window on the data folder `data`; closed by force at the end of the block if it still runs."""
    # The window is that of the tree from which the tests are run, wherever its packages are installed from.
    places = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    more = {**screen.environment(), "QT_SCALE_FACTOR": str(scale), "PYTHONPATH": places}
    with tempfile.NamedTemporaryFile(prefix="signer-window-", suffix=".err") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.agent", "--data-dir", str(data), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=_ROOT,
            env={**environment, **more},
        )
        try:
            yield Driver(screen, process, Path(stderr.name), pictures=pictures, keys_alone=keys_alone)
        finally:
            process.kill()
            process.wait(10)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
