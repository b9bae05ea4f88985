"""Names of scans for the archive: the code of the file (mã hồ sơ) and the document's number in it (TT 05/2025/TT-BNV,
Đ8).

Pure but for a look whether a name is taken. A code comes from a person or a list and becomes the name of a file, so
whatever could leave the folder, or that some system can't take, is refused before anything happens.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from signer_app.pdf.names import fold
from signer_resources.errors import KnownError

WHOLE = "whole"
"""In a list: the whole file is one PDF, which bears the file's code itself."""
_LONGEST = 80
"""Letters of a code: with its number and in UTF-8 it still fits into the 255 bytes of a name."""
_MOST = 99_999
"""Documents of one file."""
_TAKEN_BY_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True)
class FileCode:
    """The code of a file, and the number of the first document that is named; make it by `of`."""

    code: str
    start: int = 1

    @classmethod
    def of(cls, code: str | None, start: int | None) -> "FileCode | None":
        """What the person said; None where that is nothing. KnownError "usage_file_code", "usage_file_code_start"."""
        if start is not None and (code is None or not 1 <= start <= _MOST):
            raise KnownError("usage_file_code_start", start=start, most=_MOST)
        return None if code is None else cls(checked_code(code), start or 1)

    def numbered(self, at: int) -> str:
        """The name of the document at this place, from 0: CODE.01, CODE.02, …; KnownError "usage_file_code_start"."""
        number = self.start + at
        if number > _MOST:
            raise KnownError("usage_file_code_start", start=self.start, most=_MOST)
        return f"{self.code}.{number:02d}"

    def has_made(self, path: Path, out: Path | None) -> bool:
        """Whether a file that lies among the scans is called as those that are made of them here, and is none."""
        if out is not None and not path.absolute().is_relative_to(out.absolute()):
            return False
        found = _one_form(path.stem)
        own = _one_form(self.code)
        return found == own or (found.startswith(f"{own}.") and found.removeprefix(f"{own}.").isdecimal())


class ListedNames:
    """The names of a list's scans, asked for row by row: those that it gives, and the next number where it gives none.

    KnownError "usage_file_code", "usage_file_code_start", "usage_file_code_whole", "usage_same_output".
    """

    def __init__(self, scans: FileCode | None) -> None:
        self._scans = scans
        self._count = 0
        self._given: set[str] = set()

    def name(self, cell: str, file: str) -> str | None:
        """What the output of `file` is called, without its ending; None: as any other output."""
        name = self._named(cell.strip(), file)
        if name is not None:
            if _one_form(name) in self._given:
                raise KnownError("usage_same_output", name=f"{name}.pdf")
            self._given.add(_one_form(name))
        return name

    @property
    def any(self) -> bool:
        """Whether any file is called so."""
        return bool(self._given)

    def has_given(self, output: str) -> bool:
        """Whether this output's name is one of them."""
        return _one_form(Path(output).stem) in self._given

    def _named(self, cell: str, file: str) -> str | None:
        if cell == WHOLE:
            if self._scans is None:
                raise KnownError("usage_file_code_whole", name=file)
            return self._scans.code
        if cell:
            return checked_code(cell)
        if self._scans is None:
            return None
        self._count += 1
        return self._scans.numbered(self._count - 1)


def checked_code(text: str) -> str:
    """The code as it names a file, in NFC; KnownError "usage_file_code"."""
    code = unicodedata.normalize("NFC", text.strip())
    parts = re.split(r"[.\-_]", code)
    letters = all(part and all(map(_may_stand, part)) for part in parts)
    if len(code) > _LONGEST or not letters or _TAKEN_BY_WINDOWS.match(code):
        raise KnownError("usage_file_code", code=text[:_LONGEST], most=_LONGEST)
    return code


def numbered_scans(pairs: Sequence[tuple[str, str]], scans: FileCode) -> list[tuple[str, str]]:
    """Inputs and outputs in the order of the inputs' names, each output called by its number. KnownError
    "usage_file_code_start".
    """
    ordered = sorted(pairs, key=lambda pair: natural_order(pair[0]))
    return [
        (source, str(Path(output).with_name(f"{scans.numbered(at)}.pdf")))
        for at, (source, output) in enumerate(ordered)
    ]


def require_free_names(outputs: Iterable[str]) -> None:
    """KnownError "file_code_taken" where something is called so already."""
    for output in map(Path, outputs):
        if output.exists() or output.is_symlink():
            raise KnownError("file_code_taken", name=output.name, folder=str(output.parent))


def natural_order(path: str) -> tuple[tuple[tuple[str | int, ...], ...], str]:
    """By what names are sorted as people count: 2 before 10, whatever the case and the marks of letters."""
    place = PurePath(path)
    parts = place.with_suffix("").parts if place.name else place.parts
    return tuple(map(_counted, parts)), unicodedata.normalize("NFC", path)


def _counted(name: str) -> tuple[str | int, ...]:
    """Words and numbers by turns, so that only like is held against like."""
    pieces = re.split(r"([0-9]+)", unicodedata.normalize("NFC", name))
    return tuple(int(piece) if at % 2 else fold(piece) for at, piece in enumerate(pieces))


def _may_stand(letter: str) -> bool:
    """Letters of Vietnamese and digits; no others that only look like them."""
    return letter.isalnum() if letter.isascii() else unicodedata.name(letter, "").startswith("LATIN")


def _one_form(name: str) -> str:
    """The name as systems compare it that don't tell names by case."""
    return unicodedata.normalize("NFC", name).casefold()
