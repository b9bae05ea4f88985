"""What a sender, or the person in charge of state secrets, is to be told, as a paper to print.

Main process, any thread; blocks on the disk. Holds nothing but the words handed in.
"""

from pathlib import Path

from signer_app.paper.listing import ListingPaper
from signer_app.paper.writing import require_free, write_paper


def save_note(target: Path, title: str, words: str) -> None:
    """Writes the words as a PDF to a new file; KnownError as `write_paper`."""
    require_free(target)
    paper = ListingPaper()
    paper.title(title.upper(), ())
    for line in words.splitlines():
        for part in _parts(line):
            paper.note(part)
    write_paper(target, paper.pdf(title))


_AT_ONCE = 500
"""Letters of one paragraph of a paper, which cuts longer ones off."""


def _parts(line: str) -> list[str]:
    """A line in pieces that end with a word, where it has any."""
    parts: list[str] = []
    while len(line) > _AT_ONCE:
        end = line.rfind(" ", 0, _AT_ONCE)
        end = end if end > 0 else _AT_ONCE
        parts.append(line[:end])
        line = line[end:].lstrip()
    return [*parts, line]
