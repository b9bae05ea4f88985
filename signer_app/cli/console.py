"""How the command line speaks: one JSON document or words on stdout, progress and warnings on stderr.

A bar appears for work that takes over a second; without a terminal it is a line now and then. Control characters
that came from files or servers never reach the terminal.
"""

import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

import msgspec
from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from signer_resources.errors import KnownError
from signer_resources.messages import Explanation, Lang, text

_BAR_AFTER_S = 1.0
_LINE_EVERY_S = 5.0
_WIDE = 200


class Console:
    """The two streams of one command."""

    def __init__(self, lang: Lang, *, as_json: bool) -> None:
        self.lang = lang
        self.as_json = as_json
        # A file or another program has no right edge: nothing is wrapped for it, and tables get the room they need.
        self._out = RichConsole(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
        self._err = RichConsole(stderr=True, highlight=False, soft_wrap=True)

    def say(self, key: str, /, **params: object) -> None:
        """A sentence of the catalogue on stdout; nothing where JSON is wanted."""
        if not self.as_json:
            self._out.print(Text(clean(text(key, self.lang, **_flat(params)))))

    def warn(self, error: KnownError) -> None:
        """What, why and what to do, on stderr."""
        self._err.print(Text(clean(str(_told(error, self.lang)))))

    def note(self, key: str, /, **params: object) -> None:
        """A sentence of the catalogue on stderr."""
        self._err.print(Text(clean(text(key, self.lang, **_flat(params)))))

    def result(self, value: Any) -> None:
        """The one JSON document of the command."""
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
        sys.stdout.flush()

    def line(self, value: Mapping[str, object]) -> None:
        """One line of JSON of many, on stdout."""
        sys.stdout.write(msgspec.json.encode(value).decode() + "\n")

    def result_with(self, head: Mapping[str, object], key: str, items: Iterable[object]) -> None:
        """As `result`, of `head` and under `key` a list that may be longer than memory should hold."""
        out, comma = sys.stdout, ""
        opened = msgspec.json.format(msgspec.json.encode(head), indent=2).decode().removesuffix("}").rstrip()
        out.write(f"{opened}{',' if head else ''}\n  {msgspec.json.encode(key).decode()}: [")
        for item in items:
            shown = msgspec.json.format(msgspec.json.encode(item), indent=2).decode()
            out.write(f"{comma}\n    " + shown.replace("\n", "\n    "))
            comma = ","
        out.write("\n  ]\n}\n" if comma else "]\n}\n")
        out.flush()

    def error(self, error: KnownError) -> None:
        """The command's end without a result."""
        if self.as_json:
            self.result({"error": message_of(error, self.lang)})
        else:
            told = _told(error, self.lang)
            for line in (told.what, told.why, told.do):
                if line:
                    self._err.print(Text(clean(line)))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table with heads from the catalogue; nothing where JSON is wanted."""
        if self.as_json:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in heads:
            table.add_column(text(head, self.lang), overflow="fold")
        for row in rows:
            table.add_row(*(Text(_line(cell)) for cell in row))
        self._out.print(table)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A callback (text key, done, total) that shows a bar once the work has taken a second."""
        bar = _Bar(self._err, self.lang)
        try:
            yield bar
        finally:
            bar.close()


class _Bar:
    def __init__(self, console: RichConsole, lang: Lang) -> None:
        self._console = console
        self._lang = lang
        self._started = self._told = time.monotonic()
        self._bar: Progress | None = None
        self._tasks: dict[str, Any] = {}

    def __call__(self, key: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._started < _BAR_AFTER_S:
            return
        if self._console.is_terminal:
            if self._bar is None:
                self._bar = Progress(
                    TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    console=self._console, transient=True,
                )  # fmt: skip
                self._bar.start()
            if key not in self._tasks:
                self._tasks[key] = self._bar.add_task(text(key, self._lang), total=total)
            self._bar.update(self._tasks[key], completed=done, total=total)
        elif now - self._told >= _LINE_EVERY_S:
            self._told = now
            self._console.print(Text(f"{text(key, self._lang)} {done}/{total}"))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def ask_person(question: str) -> str:
    """The line that a person types, with its end. Asks on stderr: stdout may hold one JSON document and nothing else.
    KnownError "interrupted" at the end of input.
    """
    sys.stderr.write(clean(question))
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise KnownError("interrupted")
    return line


def message_of(error: KnownError, lang: Lang) -> dict[str, str]:
    """Code and message of an error, as every command's JSON carries them."""
    return {"code": error.code, "message": str(error.explain(lang))}


def _told(error: KnownError, lang: Lang) -> Explanation:
    return KnownError(error.code, **_flat(error.params)).explain(lang)


def _flat(params: Mapping[str, object]) -> dict[str, object]:
    """What is put into a sentence, each in one line: a name from outside can't begin a line that looks like ours."""
    return {key: _line(str(one)) if isinstance(one, str | PurePath) else one for key, one in params.items()}


def _line(words: str) -> str:
    return clean(" ".join(words.splitlines()))


def clean(line: str) -> str:
    """The text without control and direction characters, which could rewrite what a terminal shows."""
    return "".join(c for c in line if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))
