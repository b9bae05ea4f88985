"""The guide and the administrators' pages: words as on the screen, commands that exist, small pictures."""

import argparse
import datetime as dt
import os
import re
import shlex
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from signer_app.administration.enrolment import read_enrolment
from signer_app.administration.machine import read_machine
from signer_app.cli.arguments import _parser as program_parser
from signer_app.workspace import Overrides, workspace

ROOT = Path(__file__).resolve().parents[2]
_MESSAGES = ROOT / "resources" / "signer_resources" / "messages"
_PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
_VIETNAMESE = sorted((ROOT / "docs" / "vi").rglob("*.md"))
_PAIRS = {
    "cai-dat": "install",
    "trien-khai": "roll-out",
    "cap-nhat": "update",
    "sao-luu": "back-up",
    "go-bo": "remove",
}
"""The administrators' pages, in both languages."""

_LATE_2026 = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
"""A day on which the example of an enrolment file is good."""

_COUNTS = {"count", "done", "total", "first", "last", "signed", "ms", "of"}
"""Gaps of a sentence that hold a number."""


def _ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


# ---- words ----------------------------------------------------------------------------------------------------------


def _letters(line: str) -> int:
    """How many letters there are in a line."""
    return sum(map(str.isalpha, line))


@cache
def _shown() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """What the window says in Vietnamese: sentences without gaps, and patterns of those with gaps."""
    whole, gapped = set(), []
    for file in sorted(_MESSAGES.glob("*.toml")):
        catalogue = tomllib.loads(file.read_text(encoding="utf-8"))
        said = [
            told["vi"]
            for key, told in catalogue.get("text", {}).items()
            # Help of the command line, and names for those who hear the window: nobody sees them in it.
            if not key.startswith("help_") and not key.endswith(("_of", "_for", "_name"))
        ]
        said += [line for told in catalogue.get("error", {}).values() for line in told["vi"].values()]
        for line in (one.replace("&", "").strip() for one in said):
            fixed = re.split(r"\{(\w+)\}", line)
            if len(fixed) == 1:
                whole.add(line)
            elif max(_letters(fixed[0]), _letters(fixed[-1])) >= 3 or _letters("".join(fixed[::2])) >= 8:
                # Of the others nearly anything would be an example.
                gaps = iter(fixed)
                pattern = re.escape(next(gaps))
                for name, after in zip(gaps, gaps, strict=True):
                    pattern += (r"[\d.]+" if name in _COUNTS else r".+") + re.escape(after)
                gapped.append(re.compile(pattern))
    return frozenset(whole), tuple(gapped)


def _is_on_the_screen(words: str) -> bool:
    whole, gapped = _shown()
    return words in whole or any(pattern.fullmatch(words) for pattern in gapped)


def _bold(page: Path) -> list[str]:
    return [
        " ".join(found.split()) for found in re.findall(r"\*\*(.+?)\*\*", page.read_text(encoding="utf-8"), re.DOTALL)
    ]


@pytest.mark.parametrize("page", [page for page in _VIETNAMESE if _bold(page)], ids=_ids)
def test_what_stands_in_bold_is_what_the_screen_says(page: Path) -> None:
    plain = {"đậm", "ổ khác"}  # the guide's own emphasis
    assert [words for words in _bold(page) if words not in plain and not _is_on_the_screen(words)] == []


@pytest.mark.parametrize("words", ["Ký số rồi gửi", "Ký số và gửi", "Tiếp nhận bốn đã chọn", "Hoãn gửi…"])
def test_words_that_no_screen_says_are_seen(words: str) -> None:
    assert not _is_on_the_screen(words)


# ---- the guide as a whole --------------------------------------------------------------------------------------------


def test_each_task_of_the_guide_is_listed_and_its_pictures_are_small() -> None:
    guide = ROOT / "docs" / "vi" / "huong-dan"
    listed = re.findall(r"^\d+\. \[.+\]\((.+)\)$", (guide / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == sorted(page.name for page in guide.glob("[0-9]*.md"))
    told = "".join(page.read_text(encoding="utf-8") for page in _VIETNAMESE)
    for picture in (ROOT / "docs" / "pictures").glob("guide-*.png"):
        assert picture.name in told
        assert picture.stat().st_size <= 150_000


# ---- commands -------------------------------------------------------------------------------------------------------


@cache
def _program() -> argparse.ArgumentParser:
    """The program's own parser; made once, for it has many commands."""
    return program_parser("vi")


def _blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"^ *```{kind}\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _commands(page: Path) -> list[list[str]]:
    """Calls of the program, from blocks and from the midst of sentences."""
    lines = [line.strip() for block in _blocks(page, "sh") for line in block.splitlines()]
    lines += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", page.read_text(encoding="utf-8"))]
    calls = (line.partition(" <")[0].partition(" # ")[0] for line in lines if line.startswith("signer "))
    return [shlex.split(call)[1:] for call in calls]


@pytest.mark.parametrize(
    "page", [page for page in _PAGES if page.parent.name in ("vi", "en", "huong-dan", ROOT.name)], ids=_ids
)
def test_every_command_that_is_told_is_one_of_the_program(page: Path) -> None:
    for words in _commands(page):
        assert _program().parse_args(words).command == next(word for word in words if not word.startswith("-"))


@pytest.mark.parametrize(("vi", "en"), _PAIRS.items())
def test_both_languages_tell_the_same_commands(vi: str, en: str) -> None:
    pages = (ROOT / "docs" / "vi" / f"{vi}.md", ROOT / "docs" / "en" / f"{en}.md")
    for kind in ("sh", "bat", "json"):
        assert _blocks(pages[0], kind) == _blocks(pages[1], kind)


@pytest.mark.parametrize("folder", ["vi", "en"])
def test_the_publisher_s_commands_are_those_of_its_tool(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    from signer_publishing.__main__ import _parser

    page = ROOT / "docs" / folder / {"vi": "cap-nhat.md", "en": "update.md"}[folder]
    calls = [line for block in _blocks(page, "sh") for line in block.splitlines() if "-m signer_publishing" in line]
    told = [_parser().parse_args(shlex.split(call)[3:]).command for call in calls]
    assert told == ["init", "add", "sign", "show", "rotate"]


def test_the_set_up_for_windows_knows_the_switches_that_are_told() -> None:
    setup = (ROOT / "packaging" / "windows" / "signer.nsi").read_text(encoding="utf-8-sig")
    told = {
        switch
        for vi, en in _PAIRS.items()
        for page in (ROOT / "docs" / "vi" / f"{vi}.md", ROOT / "docs" / "en" / f"{en}.md")
        for switch in re.findall(r"[` ](/[A-Z][A-Za-z]*)\b", page.read_text(encoding="utf-8"))
    }
    built_in = {"/S", "/D"}
    assert {"/AllUsers", "/CurrentUser", "/REMOVEDATA"} <= told
    assert [switch for switch in told - built_in if f'"{switch}"' not in setup] == []


@pytest.mark.skipif(sys.platform == "win32", reason="owners are numbers on POSIX only")
@pytest.mark.parametrize("page", ["vi/trien-khai.md", "en/roll-out.md"])
def test_the_settings_of_a_machine_that_are_told_are_taken(page: str, tmp_path: Path) -> None:
    told, enrolment = _blocks(ROOT / "docs" / page, "json")
    file = tmp_path / "machine.json"
    file.write_text(told, encoding="utf-8")
    file.chmod(0o644)
    machine = read_machine(file, {os.getuid()})
    assert machine.trouble is None
    assert machine.is_set
    expected = tmp_path / "enrolment.json"
    expected.write_text(enrolment, encoding="utf-8")
    expected.chmod(0o600)
    with workspace(tmp_path / "data", Overrides(), writing=True, now=lambda: _LATE_2026) as space:
        assert read_enrolment(space, expected).machine == "hoa-son-vt-01"
