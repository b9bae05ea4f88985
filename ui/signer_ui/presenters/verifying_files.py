"""What the list of checked files says: the worst first, each with its verdict and why, and how many of which.

Pure; loads no Qt.
"""

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from signer_app.desk.verifying import Checked
from signer_app.verification.model import Verdict
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count
from signer_ui.presenters.grid import Column, Shade, fold
from signer_ui.presenters.verifying import GLOWS, reason
from signer_ui.words import Words

_WORST_FIRST = (Verdict.INVALID, Verdict.INDETERMINATE, Verdict.UNSIGNED, Verdict.CHANGED, Verdict.VALID)
_SHADES = {Glow.GOOD: Shade.GOOD, Glow.WARN: Shade.WARN, Glow.BAD: Shade.BAD, Glow.OFF: None}
_FORBIDDEN = '\\/:*?"<>|'
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Result:
    """A line of the list; `id` is the path."""

    id: str
    name: str
    why: str
    order: tuple[int, str, str]
    checked: Checked

    @property
    def verdict(self) -> Verdict:
        """What it came to."""
        return self.checked.report.verdict


class Results:
    """All lines, the worst first. Each new one finds its place at once: there may be a hundred thousand."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._lines: list[Result] = []
        self._by_path: dict[Path, Result] = {}
        self._counts: Counter[Verdict] = Counter()

    def __contains__(self, path: Path) -> bool:
        return path in self._by_path

    @property
    def lines(self) -> tuple[Result, ...]:
        """As they are shown."""
        return tuple(self._lines)

    def find(self, path: Path) -> Checked | None:
        """What is known of a file."""
        found = self._by_path.get(path)
        return found.checked if found is not None else None

    def put(self, checked: Checked) -> None:
        """Takes a new answer; one about the same file goes."""
        old = self._by_path.get(checked.path)
        if old is not None:
            del self._lines[bisect_left(self._lines, old.order, key=_order)]
            self._counts[old.verdict] -= 1
        order = (_WORST_FIRST.index(checked.report.verdict), fold(checked.name), str(checked.path))
        line = Result(str(checked.path), checked.name, reason(checked.report, self._words), order, checked)
        insort(self._lines, line, key=_order)
        self._by_path[checked.path] = line
        self._counts[line.verdict] += 1

    def clear(self) -> None:
        """Forgets all."""
        self._lines.clear()
        self._by_path.clear()
        self._counts.clear()

    def summary(self) -> str:
        """How many there are of each verdict, the worst first."""
        words, counts = self._words, self._counts
        told = [words(f"uv_sum_{one}", count=count(counts[one], words)) for one in _WORST_FIRST if counts[one]]
        return words("uv_sum", total=count(len(self._lines), words), parts=" · ".join(told)) if told else ""


def _order(line: Result) -> tuple[int, str, str]:
    return line.order


def columns(words: Words) -> tuple[Column[Result], ...]:
    """The list's columns."""
    return (
        Column(
            "uv_head_verdict",
            lambda result: words(f"verdict_{result.verdict}"),
            16,
            sort=lambda result: result.order,
            shade=lambda result: _SHADES[GLOWS[result.verdict]],
            dot=True,
            tip=lambda result: result.why,
        ),
        Column("uv_head_file", lambda result: result.name, 11, tip=lambda result: result.id),
        Column("uv_head_why", lambda result: result.why, 8, tip=lambda result: result.why, stretch=True),
    )


def report_name(name: str, words: Words) -> str:
    """A name for the report in the save dialogue, with nothing in it that could lead to another place."""
    kept = "".join(letter if letter.isprintable() and letter not in _FORBIDDEN else "_" for letter in name)
    kept = kept.removesuffix(".pdf").removesuffix(".PDF").strip(" .")[:_LONGEST_NAME]
    return words("uv_report_name", name=kept) if kept else words("uv_report_name_list")
