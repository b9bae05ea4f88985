"""The catalogue of messages against the code: no code without words, no words without code."""

import ast
import re
import string
from pathlib import Path

import pytest

from signer_resources.messages import Catalogue, Lang, catalogue
from tests.house.tree import Module

LANGS: tuple[Lang, Lang] = ("vi", "en")

RAISING = frozenset(
    {
        "KnownError", "TokenError", "UsageError", "ExchangeError", "TrustFolderError", "NoRuleProfileError",
        "DatabaseFullError", "Refused", "Refusal", "Finding", "refuse", "warn", "disk_errors",
    }
)  # fmt: skip
"""Calls whose first string is the code of an error."""

TELLING = frozenset({"say", "note", "text"})
"""Calls whose first string is the key of a text."""

PREFIXES = {Path("signer_app/cli/arguments.py"): "help_"}
"""Where the key is put together: by what the strings that stand there begin."""

ADDED_LATER = {Path("token/signer_token/host.py"): {"module"}}
"""What the other end of a pipe adds to each refusal that comes from there."""


def _gaps(template: str) -> frozenset[str]:
    return frozenset(name for _text, name, _spec, _how in string.Formatter().parse(template) if name)


def _error_gaps(known: Catalogue, code: str, lang: Lang) -> frozenset[str]:
    told = known.errors[code].texts[lang]
    return _gaps(told.what) | _gaps(told.why) | _gaps(told.do)


def _first_string(call: ast.Call) -> str | None:
    for argument in call.args[:2]:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return None


@pytest.fixture(scope="module")
def words(modules: list[Module]) -> frozenset[str]:
    """Every word that stands in a string of the code."""
    return frozenset(word for module in modules for found in module.strings() for word in re.findall(r"\w+", found))


def test_every_code_that_is_raised_has_words(modules: list[Module]) -> None:
    known, checked = catalogue().errors, 0
    unknown = []
    for module in modules:
        for name, call in module.calls():
            code = _first_string(call) if name in RAISING else None
            if code and re.fullmatch(r"[a-z][a-z0-9_]*", code):
                checked += 1
                if code not in known:
                    unknown.append(f"{module.path}:{call.lineno}: {code}")
    assert not unknown
    assert checked > 150


def test_every_error_of_the_catalogue_can_happen(words: frozenset[str]) -> None:
    assert not sorted(code for code in catalogue().errors if code not in words)


def test_every_text_that_is_told_exists(modules: list[Module]) -> None:
    known, checked = catalogue().texts, 0
    unknown = []
    for module in modules:
        prefix = PREFIXES.get(module.path, "")
        for name, call in module.calls():
            key = _first_string(call) if name in TELLING else None
            if key is None or not re.fullmatch(r"[a-z][a-z0-9_]*", key):
                continue
            checked += 1
            if prefix + key not in known:
                unknown.append(f"{module.path}:{call.lineno}: {prefix}{key}")
    assert not unknown
    assert checked > 50


def test_every_text_of_the_catalogue_is_told(modules: list[Module], words: frozenset[str]) -> None:
    beginnings = tuple(
        part.value
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values[:1]
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.endswith("_")
    )
    dead = [key for key in catalogue().texts if key not in words and not key.startswith(beginnings)]
    # What begins like a key that is put together must end in a word of the code, too.
    ends = [key for key in catalogue().texts if key not in words and key.startswith(beginnings)]
    dead += [
        key
        for key in ends
        if not any(key.startswith(start) and key.removeprefix(start) in words for start in beginnings)
    ]
    assert not dead


def test_an_error_that_is_raised_brings_what_fills_its_words(modules: list[Module]) -> None:
    known = catalogue()
    incomplete = []
    for module in modules:
        for name, call in module.calls():
            code = _first_string(call) if name in RAISING - {"Finding", "disk_errors"} else None
            if code not in known.errors or any(keyword.arg is None for keyword in call.keywords):
                continue
            given = {keyword.arg for keyword in call.keywords} | ADDED_LATER.get(module.path, set())
            missing = frozenset().union(*(_error_gaps(known, code, lang) for lang in LANGS)) - given
            if missing:
                incomplete.append(f"{module.path}:{call.lineno}: {code} lacks {', '.join(sorted(missing))}")
    assert not incomplete


def test_both_languages_have_the_same_gaps() -> None:
    known = catalogue()
    different = [code for code in known.errors if len({_error_gaps(known, code, lang) for lang in LANGS}) > 1]
    different += [key for key, told in known.texts.items() if len({_gaps(told[lang]) for lang in LANGS}) > 1]
    assert not different


def test_every_error_says_what_happened_and_what_to_do_now_in_both_languages() -> None:
    silent = [
        f"{code} ({lang})"
        for code, entry in catalogue().errors.items()
        for lang in LANGS
        # Exit code 0 is nothing to be done about.
        if not entry.texts[lang].what.strip() or not (entry.exit == 0 or entry.texts[lang].do.strip())
    ]
    assert not silent


def test_every_error_has_one_of_the_promised_exit_codes() -> None:
    assert {entry.exit for entry in catalogue().errors.values()} <= {0, 1, 2, 3, 4}
