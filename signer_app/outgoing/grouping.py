"""Which files make one document: a main file, its appendices and what goes along, told by their names and folders.

Pure functions over paths; opens nothing. What is not plainly an appendix of one main file stays a document of its own:
a wrong pair would send one document's appendix with another. The person can correct it all.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from signer_app.pdf.names import fold

_APPENDIX = re.compile(r"(?:^|(?<= ))(?P<word>phu ?luc|pl)(?: ?(?:so )?(?P<number>\d{1,3}|[ivx]{1,5}|[a-h]))?(?=$| )")
"""In a folded name: "phu luc", "phu luc so 1", "phuluc ii", "pl01", "pl a"."""
_GOES_ALONG = re.compile(r"(?:^|(?<= ))(?:kem theo|dinh kem)(?=$| )")
"""In the folded name of a file that is no PDF: that makes it no appendix, but something that goes along."""
_FILLERS = re.compile(r"^(?:(?:kem theo|dinh kem|kem|cua|so|van ban) )*|(?: (?:kem theo|dinh kem|kem|va|cua|so))*$")
_ROMAN = {"i": 1, "v": 5, "x": 10}


@dataclass(frozen=True)
class Group:
    """The files of one document; `attachments` are no PDF and go along unsigned."""

    main: Path
    appendices: tuple[Path, ...] = ()
    attachments: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that are signed, the main one first."""
        return (self.main, *self.appendices)


@dataclass(frozen=True)
class _Name:
    """An appendix's name: the words beside "phụ lục", its number, and whether the word can mean nothing else."""

    path: Path
    rest: tuple[str, ...]
    number: int
    plain: bool


def group(paths: Iterable[Path], beside: Iterable[Path] = ()) -> tuple[Group, ...]:
    """The documents that these PDF files make, in the order of their folders and names; each file is in one of them.

    `beside` are files that are no PDF; one that plainly belongs to a document is among its attachments.
    """
    others: dict[Path, list[Path]] = {}
    for path in _ordered(beside):
        others.setdefault(path.parent, []).append(path)
    groups: list[Group] = []
    for folder, files in groupby(_ordered(paths), key=lambda path: path.parent):
        groups += _folder_groups(list(files), others.get(folder, ()))
    return tuple(groups)


def goes_along(name: str) -> bool:
    """Whether the name of a file that is no PDF says that it belongs to a document."""
    return _beside(Path(name)) is not None


def _ordered(paths: Iterable[Path]) -> list[Path]:
    return sorted(set(paths), key=lambda path: (_natural(str(path.parent)), _natural(path.name), str(path)))


@lru_cache(maxsize=8_192)
def is_appendix(name: str) -> bool:
    """Whether a file's name says that it is an appendix."""
    found = _appendix(Path(name))
    return found is not None and found.plain


def _folder_groups(files: Sequence[Path], others: Sequence[Path]) -> list[Group]:
    named = {path: _appendix(path) for path in files}
    mains = {path: _words(path) for path in files if named[path] is None}
    # "PL" may be part of a notation (STP-PL): alone it makes an appendix only beside the file that it belongs to.
    doubtful = [name for name in named.values() if name is not None and not name.plain]
    alone = [name.path for name in doubtful if _owner(name, mains, exact=True) is None]
    mains |= {path: _words(path) for path in alone}
    owned: dict[Path, list[_Name]] = {path: [] for path in mains}
    for name in (found for path, found in named.items() if found is not None and path not in mains):
        owner = _owner(name, mains)
        if owner is None:
            owned[name.path] = []
        else:
            owned[owner].append(name)
    attached: dict[Path, list[_Name]] = {}
    for found in filter(None, map(_beside, others)):
        owner = _owner(found, mains)
        if owner is not None:
            attached.setdefault(owner, []).append(found)
    order = {path: place for place, path in enumerate((*files, *others))}

    def in_order(names: Iterable[_Name]) -> tuple[Path, ...]:
        return tuple(name.path for name in sorted(names, key=lambda name: (name.number, order[name.path])))

    return [
        Group(main, in_order(names), in_order(attached.get(main, ())))
        for main, names in sorted(owned.items(), key=lambda item: order[item[0]])
    ]


def _beside(path: Path) -> _Name | None:
    """What the name of a file that is no PDF says of the document that it goes along with."""
    name = _appendix(path)
    if name is not None and name.plain:
        return name
    folded = fold(path.stem)
    found = _GOES_ALONG.search(folded)
    if found is None:
        return None
    rest = f"{folded[: found.start()]} {_FILLERS.sub('', folded[found.end() :].strip())}"
    return _Name(path, _plain_numbers(rest.split()), 0, plain=True)


def _owner(name: _Name, mains: dict[Path, tuple[str, ...]], *, exact: bool = False) -> Path | None:
    """The one main file that an appendix belongs to: the same words; else words that the other's begin with; else
    the only main file of the folder, unless both bear numbers and they differ.
    """
    fits: list[Callable[[tuple[str, ...]], bool]] = [lambda words: words == name.rest]
    if not exact:
        fits.append(lambda words: bool(name.rest) and _begins(words, name.rest))
    for fit in fits:
        found = [path for path, words in mains.items() if name.rest and fit(words)]
        if len(found) == 1:
            return found[0]
        if found:
            return None
    if exact or len(mains) != 1:
        return None
    path, words = next(iter(mains.items()))
    theirs, ours = _numbers(words), _numbers(name.rest)
    return path if not theirs or not ours or theirs & ours else None


def _begins(words: tuple[str, ...], other: tuple[str, ...]) -> bool:
    short, long = sorted((words, other), key=len)
    return bool(short) and long[: len(short)] == short


def _numbers(words: tuple[str, ...]) -> set[str]:
    return {word for word in words if word.isdecimal()}


def _appendix(path: Path) -> _Name | None:
    folded = fold(path.stem)
    found = _APPENDIX.search(folded)
    if found is None:
        return None
    before, behind = folded[: found.start()].strip(), folded[found.end() :].strip()
    rest = " ".join(part for part in (_FILLERS.sub("", before), _FILLERS.sub("", behind)) if part)
    plain = found["word"] != "pl" or bool(found["number"])
    return _Name(path, _plain_numbers(rest.split()), _value(found["number"]), plain)


def _words(path: Path) -> tuple[str, ...]:
    return _plain_numbers(fold(path.stem).split())


def _plain_numbers(words: Iterable[str]) -> tuple[str, ...]:
    """ "05" as "5"."""
    return tuple(word.lstrip("0") or "0" if word.isdecimal() else word for word in words)


def _value(number: str | None) -> int:
    """The number of an appendix: 2, "ii", "b" are the second; without one it is the first."""
    if number is None:
        return 0
    if number.isdecimal():
        return int(number)
    if set(number) <= set(_ROMAN):
        values = [_ROMAN[letter] for letter in number]
        following = [*values[1:], 0]
        return sum(-one if one < next_ else one for one, next_ in zip(values, following, strict=True))
    return ord(number) - ord("a") + 1


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts "2" before "10", whatever case and diacritics."""
    parts = re.findall(r"\d+|\D+", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, fold(part)) for part in parts)
