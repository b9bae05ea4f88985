"""The one catalogue of everything the program says, Vietnamese first, English beside it.

One TOML file per room (`token.toml`, `sync.toml`, ...). `[error.CODE]` has three lines per language: what happened,
why, what to do now; its `exit` is the process's exit code. `[text.KEY]` is any other sentence. Texts are templates
for `str.format`. Codes are stable: scripts rely on them.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Lang = Literal["vi", "en"]


@dataclass(frozen=True)
class Explanation:
    """An error as it is told to a person."""

    what: str
    why: str
    do: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.do) if part)


@dataclass(frozen=True)
class _ErrorEntry:
    exit: int
    texts: dict[str, Explanation]


@dataclass(frozen=True)
class Catalogue:
    """Everything in the TOML files, checked for doubles while it is read."""

    errors: dict[str, _ErrorEntry]
    texts: dict[str, dict[str, str]]


_FIRST = "window.toml"
"""Holds what the window's frame says: all that is read before its first paint."""


@cache
def _first_texts() -> dict[str, dict[str, str]]:
    """The texts of the frame alone; reading all the others takes as long as painting the window."""
    file = Path(__file__).resolve().parent / _FIRST
    texts: dict[str, dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))["text"]
    return texts


@cache
def catalogue() -> Catalogue:
    """The whole catalogue; read once."""
    errors: dict[str, _ErrorEntry] = {}
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(Path(__file__).resolve().parent.glob("*.toml")):
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        for code, entry in data.get("error", {}).items():
            if code in errors:
                raise ValueError(f"error code {code} stands twice, the second time in {file.name}")
            errors[code] = _ErrorEntry(
                exit=int(entry["exit"]),
                texts={lang: Explanation(**entry[lang]) for lang in ("vi", "en")},
            )
        for key, entry in data.get("text", {}).items():
            if key in texts:
                raise ValueError(f"text {key} stands twice, the second time in {file.name}")
            texts[key] = {lang: entry[lang] for lang in ("vi", "en")}
    return Catalogue(errors, texts)


def text(key: str, lang: Lang, /, **params: object) -> str:
    """The sentence `key` with its gaps filled; KeyError for an unknown key or a missing parameter."""
    found = _first_texts().get(key) or catalogue().texts[key]
    return found[lang].format(**params)


def explain(code: str, lang: Lang, /, **params: object) -> Explanation:
    """The three lines of error `code` with their gaps filled; KeyError for an unknown code."""
    found = catalogue().errors[code].texts[lang]
    return Explanation(found.what.format(**params), found.why.format(**params), found.do.format(**params))


def exit_code(code: str) -> int:
    """The exit code of the command line that goes with error `code`."""
    return catalogue().errors[code].exit
