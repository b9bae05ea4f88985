"""Folders gone through: each once, in order, whatever points where; what can't be read is told."""

import os
import sys
import unicodedata
from pathlib import Path

import pytest

from signer_app.pdf.model import Profile
from signer_app.signing.gathering import gather, read_list
from signer_app.signing.jobs import UsageError
from signer_app.signing.walking import printable, require_name, walk
from signer_resources.errors import KnownError

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="links and modes of POSIX")


def found(folder: Path, unreadable: list[Path] | None = None) -> list[str]:
    told = unreadable if unreadable is not None else []
    return [str((place / name).relative_to(folder)) for place, names in walk(folder, told.append) for name in names]


def test_files_come_folder_by_folder_in_order_also_those_whose_names_are_spelt_in_two_ways(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "tờ trình.pdf") for form in ("NFC", "NFD"))
    for name in ("b/2.pdf", "b/1.pdf", "a.pdf", f"c/{composed}", f"c/{apart}", "b/50% #1 .pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    twins = sorted({entry.name for entry in (tmp_path / "c").iterdir()})
    assert found(tmp_path) == ["a.pdf", "b/1.pdf", "b/2.pdf", "b/50% #1 .pdf", *(f"c/{name}" for name in twins)]
    entered: list[str] = []

    def enters(name: str) -> bool:
        entered.append(name)
        return name != "b"

    assert [place.name for place, _names in walk(tmp_path, list[Path]().append, enters=enters)] == [tmp_path.name, "c"]
    assert sorted(entered) == ["b", "c"]


@needs_posix
def test_a_loop_of_links_ends_and_a_folder_that_is_there_twice_is_taken_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.pdf").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "loop.pdf").symlink_to(tmp_path / "loop.pdf")
    assert found(tmp_path) == ["loop.pdf", "a/x.pdf"]
    # As a junction of Windows or a mount is: a folder, and no link.
    walk_links = os.walk
    monkeypatch.setattr("os.walk", lambda top, onerror: walk_links(top, onerror=onerror, followlinks=True))
    assert found(tmp_path) == ["loop.pdf", "a/x.pdf"]


@needs_posix
def test_a_folder_that_cannot_be_read_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "closed", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.pdf").touch()
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "closed", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    told: list[Path] = []
    assert found(tmp_path, told) == ["a/x.pdf", "z/x.pdf"]
    assert told == [tmp_path / "closed"]
    assert found(tmp_path / "not there", told) == []
    assert told[1:] == [tmp_path / "not there"]


@needs_posix
def test_a_name_that_is_no_text_is_refused_with_something_that_can_be_shown() -> None:
    broken = os.fsdecode(b"c\xf4ng v\xe3n.pdf")
    with pytest.raises(KnownError) as caught:
        require_name(Path("/x", broken))
    assert (caught.value.code, caught.value.params["name"]) == ("file_name_broken", "c\ufffdng v\ufffdn.pdf")
    require_name(Path("/x/công văn.pdf"))
    assert printable("công văn.pdf") == "công văn.pdf"


@needs_posix
def test_a_folder_whose_name_is_no_text_is_refused_as_input_and_as_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / os.fsdecode(b"v\xe3n b\xb6n")
    broken.mkdir()
    (broken / "a.pdf").touch()
    (tmp_path / "a.pdf").touch()
    (broken / "list.csv").write_text("input\na.pdf\n", encoding="utf-8")

    def gathered(source: Path, out: Path | None = None) -> None:
        gather([source], profile=Profile.PLAIN, out=out, number=None, date=None, place=None, receivers=())

    monkeypatch.chdir(broken)
    for wish in (
        lambda: gathered(Path("a.pdf")),
        lambda: gathered(tmp_path / "a.pdf", broken),
        lambda: read_list(broken / "list.csv", profile=Profile.PLAIN, out=None),
    ):
        with pytest.raises(UsageError) as caught:
            wish()
        assert (caught.value.code, caught.value.params["name"]) == ("file_name_broken", "v\ufffdn b\ufffdn")
