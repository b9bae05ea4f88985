"""Cells of tables that leave the program, made harmless: without what could rewrite a terminal or break a file's form,
and plain text where a spreadsheet would calculate with them.

Pure; usable on any thread and in any process. What is handed in may come from outside.
"""

import datetime as dt
import unicodedata

Cell = str | int | float | dt.date | None
"""What stands in a table; None: nothing."""

_LONGEST = 8000
"""Letters of one cell; a spreadsheet takes 32,767."""
_CALCULATES = frozenset("=+-@＝＋－＠")
"""What a cell begins with that a spreadsheet may take for a formula (OWASP, CSV injection); `plain` takes tabs and ends
of lines away, which count there too.
"""


def defused(cell: str) -> str:
    """The text so that no spreadsheet calculates with it, also where it drops blanks before it."""
    kept = plain(cell)
    return f"'{kept}" if kept.lstrip()[:1] in _CALCULATES else kept


def plain(cell: str) -> str:
    """The text in one line, without control and direction characters and what no XML may hold; not without end."""
    kept = cell
    if not cell.isprintable():
        line = " ".join(cell.splitlines())
        kept = "".join(
            letter
            for letter in line.replace("\t", " ")
            if unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs") and letter not in "\ufffe\uffff"
        )
    return kept if len(kept) <= _LONGEST else f"{kept[:_LONGEST]}…"
