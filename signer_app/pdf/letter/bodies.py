"""Ô 2, the name of the issuing body, and of several where bodies issue a letter jointly (liên tịch).

Pure functions over `PageText`; run in a worker. A body that stands first with another one below is only the parent.
"""

import re
from collections.abc import Sequence

from signer_app.pdf.letter.numbers import find_number_line
from signer_app.pdf.letter.words import begins_body, is_capitals
from signer_app.pdf.lines import Run, line_of
from signer_app.pdf.names import fold, same_body
from signer_app.pdf.pagetext import PageText
from signer_app.pdf.plan import Style

_MOTTO = re.compile(r"\s(?:c[ộo]ng h(?:òa|oà|oa) x[ãa] h[ộo]i|đ[ảa]ng c[ộo]ng s[ảa]n)", re.IGNORECASE)
"""What stands on the right of ô 2 on the same lines: the country's name, or the Party's."""
_OPEN = frozenset(
    {"van phong", "uy ban nhan dan", "hoi dong nhan dan", "ubnd", "hdnd", "ban quan ly", "cong an", "dang uy"}
)
"""Beginnings that are no whole name: the next line goes on with it, even where that begins like a body's."""
_DASHES = re.compile(r"(?:^|\s)[-–—](?:\s|$)")
_BOLD = frozenset({Style.BOLD, Style.BOLD_ITALIC})


def issuing_lines(page: PageText) -> tuple[str, ...]:
    """The lines of ô 2: capitals in the upper left, above the number line; the parent body first, if it is there."""
    return tuple(run.text.strip() for run in _runs(page))


def issuing_bodies(page: PageText) -> tuple[str, ...]:
    """The full names of the issuing bodies, line breaks undone and without the parent; several for a joint letter."""
    runs = _own(_runs(page))
    whole = "\n".join(run.text.strip() for run in runs)
    parts = [" ".join(part.split()) for part in _DASHES.split(whole)]
    parts = [part for part in parts if part]
    if len(parts) > 1 and all(begins_body(part) for part in parts):
        return tuple(parts)
    # A dash within a name ("PHÒNG VĂN HÓA - XÃ HỘI") parts nothing.
    name = " ".join(whole.split())
    return (name,) if name else ()


def issuing_body(page: PageText) -> str | None:
    """The full name of the issuing body; of a joint letter all, with dashes between; None where ô 2 is empty."""
    return " - ".join(issuing_bodies(page)) or None


def names_body(lines: Sequence[str], name: str) -> bool:
    """Whether `name` is the issuing body of these lines of ô 2.

    It is when the lines end with it (line breaks undone), or when it is one of several joint bodies (liên tịch),
    which a dash with blanks parts; each of them begins with a line or a dash. A body that stands first with another
    one below is only the parent.
    """
    joint = _DASHES.split("\n".join(lines))
    return any(_ends_with(part.splitlines(), name) for part in ("\n".join(lines), *joint))


def _runs(page: PageText) -> list[Run]:
    number = find_number_line(page)
    limit = number.box.y if number else page.frame.height_mm * 0.2
    width = page.frame.width_mm
    return [
        run
        for run in map(_without_motto, page.runs)
        if run.baseline <= limit + 1
        and run.centre < width * 0.52
        and run.right < width * 0.62
        and is_capitals(run.text)
    ]


def _without_motto(run: Run) -> Run:
    """What of a line belongs to ô 2, where ô 1 stands so near that both are one run."""
    found = _MOTTO.search(run.text)
    return line_of(run.glyphs[: run.index[found.start() + 1]]) if found and found.start() > 0 else run


def _own(runs: Sequence[Run]) -> Sequence[Run]:
    """The lines of the issuing body itself: the last bold ones, as Decree 30/2020 has it; else by how they begin."""
    bold = [run.style in _BOLD for run in runs]
    if bold and bold[-1] and not all(bold):
        return runs[len(bold) - bold[::-1].index(False) :]
    start = max((i for i, run in enumerate(runs) if _begins(runs, i)), default=0)
    while start > 0 and _joint(runs[start - 1].text, runs[start].text):
        start -= 1
        while start > 0 and not _begins(runs, start):
            start -= 1
    return runs[start:]


def _begins(runs: Sequence[Run], i: int) -> bool:
    """Whether line `i` begins a body's name rather than goes on with one."""
    text = runs[i].text
    opened = i > 0 and fold(runs[i - 1].text) in _OPEN
    return (begins_body(text) or bool(re.match(r"\s*[-–—]\s", text))) and not opened


def _joint(before: str, text: str) -> bool:
    """Whether a dash at the break says that both bodies issue the letter."""
    return bool(re.search(r"\s[-–—]\s*$", before) or re.match(r"\s*[-–—]\s", text))


def _ends_with(lines: Sequence[str], name: str) -> bool:
    """Whether the last lines, all of each, make up the body `name`."""
    return any(same_body(" ".join(lines[i:]), name) for i in range(len(lines)))
