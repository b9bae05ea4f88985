"""The subject (ô 5), the end of the text (ô 6) and the receivers (ô 9b).

Pure functions over `PageText`; run in a worker.
"""

import re
from collections.abc import Sequence

from signer_app.pdf.geometry import Rect
from signer_app.pdf.letter.numbers import find_number_line
from signer_app.pdf.letter.words import is_capitals
from signer_app.pdf.lines import Run
from signer_app.pdf.names import fold
from signer_app.pdf.pagetext import PageText

_END = re.compile(r"[.…]\s?/\s?[.…]\s*$")


def find_title(page: PageText) -> str | None:
    """Trích yếu: the lines under the type's name (ô 5a), or after "V/v" under the number line (ô 5b); None without."""
    width = page.frame.width_mm
    upper = [run for run in page.runs if run.baseline < page.frame.height_mm * 0.55]
    for i, run in enumerate(upper):
        text = run.text.strip()
        if re.match(r"^v/v\b", text, re.IGNORECASE) and run.centre < width / 2:
            return " ".join([text, *_lines_below(upper[i + 1 :], run, run.centre)])
    number = find_number_line(page)
    below = number.box.bottom if number else page.frame.height_mm * 0.12
    for i, run in enumerate(upper):
        if run.baseline > below and is_capitals(run.text) and abs(run.centre - width / 2) < width * 0.12:
            lines = _lines_below(upper[i + 1 :], run, run.centre)
            return " ".join(lines) or None
    return None


def find_receivers_box(page: PageText) -> Rect | None:
    """Ô 9b "Nơi nhận:" with its lines, so that a seal can keep off it; None when the page has none."""
    for run in page.runs:
        if fold(run.text).startswith("noi nhan") and run.left < page.frame.width_mm / 2:
            below = [
                other.box
                for other in page.runs
                if other.baseline >= run.baseline
                and abs(other.left - run.left) < 8
                and other.text.lstrip().startswith(("-", "–"))
            ]
            box = run.box
            for other in below:
                box = box.union(other)
            return box
    return None


def text_end(page: PageText) -> Rect | None:
    """Where the text ends with "./." (ô 6), for a small mark beside it; None when it doesn't on this page."""
    for run in reversed(page.runs):
        if _END.search(run.text):
            return Rect(run.right, run.box.y, 0.0, run.box.h)
    return None


def _lines_below(runs: Sequence[Run], first: Run, centre: float) -> list[str]:
    """Lines that follow `first` closely and are centred with it, at most five."""
    lines: list[str] = []
    last = first
    for run in runs:
        if run.baseline <= last.baseline or abs(run.centre - centre) > 14:
            continue
        if run.baseline - last.baseline > 9.5 or len(lines) == 5 or is_capitals(run.text):
            break
        lines.append(run.text.strip())
        last = run
    return lines
