"""The list of parts and the licences, made from what is really installed."""

import importlib.metadata
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_packaging.papers import LICENCES, SBOM, licences, sbom, write_papers
from signer_packaging.parts import (
    _SAID,
    Part,
    UnclaimedFilesError,
    UnknownLicenceError,
    distribution_part,
    may_be_shipped,
    parts_of,
)


def _needed(name: str, seen: set[str]) -> Iterator[str]:
    """The distribution and all that it needs on this system, without extras."""
    if name in seen:
        return
    seen.add(name)
    yield name
    for wanted in importlib.metadata.distribution(name).requires or ():
        found = re.match(r"[A-Za-z0-9._-]+", wanted)
        assert found is not None
        if "extra ==" in wanted:
            continue
        try:
            importlib.metadata.distribution(found[0])
        except importlib.metadata.PackageNotFoundError:
            # For another system or another Python.
            continue
        yield from _needed(found[0], seen)


def _files(*names: str) -> list[Path]:
    return [
        Path(str(entry.locate()))
        for name in names
        for entry in importlib.metadata.files(name) or ()
        if entry.suffix in {".py", ".so", ".pyd", ".dll"} or ".so." in entry.name
    ]


@pytest.fixture(scope="module")
def parts(root: Path) -> list[Part]:
    return parts_of(root, [*_files("pillow", "msgspec", "cryptography"), root / "signer_app" / "worker.py"])


def test_all_that_the_program_needs_has_a_licence_under_which_it_may_be_given_away() -> None:
    names = [name for name in _needed("signer", set()) if name != "signer"]
    assert len(names) > 25
    for name in names:
        part = distribution_part(name)
        assert may_be_shipped(part.licence), part
        assert all(text.stat().st_size > 100 for text in part.texts if text.name.upper().startswith("LICENSE")), part


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", True),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True),
        ("GPL-2.0-or-later WITH Bootloader-exception", True),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only OR AGPL-3.0-only", False),
    ],
)
def test_the_gpl_is_refused_where_nothing_else_may_be_chosen(licence: str, allowed: bool) -> None:
    assert may_be_shipped(licence) is allowed


def test_libraries_inside_of_others_are_named(parts: list[Part]) -> None:
    by_name = {part.name: part for part in parts}
    assert {"Python", "signer", "PyInstaller bootloader", "Be Vietnam Pro", "pillow", "msgspec"} <= by_name.keys()
    assert by_name["openssl"].carrier == "cryptography"
    assert by_name["libtiff"].carrier == "pillow"
    # In Pillow's own list, but never in what is given away.
    assert "libimagequant" not in by_name


def test_a_library_that_is_not_in_the_program_is_not_named(root: Path) -> None:
    without = ("_avif", "libavif", "_webp", "libwebp", "libsharpyuv")
    inside = [file for file in _files("pillow") if not file.name.startswith(without)]
    names = {part.name for part in parts_of(root, inside)}
    assert "libtiff" in names
    assert not {"libavif", "libwebp"} & names


@pytest.mark.parametrize("place", ["libstray.so.1", ".venv/lib/python3.11/site-packages/stray/libstray.so.1"])
def test_a_file_that_nobody_claims_ends_the_build(place: str, tmp_path: Path) -> None:
    stray = tmp_path / place
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.touch()
    with pytest.raises(UnclaimedFilesError, match=r"libstray\.so\.1"):
        parts_of(tmp_path, [stray])


def test_the_list_is_cyclonedx_with_a_licence_for_each_part(parts: list[Part]) -> None:
    told = json.loads(sbom(parts))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["component"]["name"] == "signer"
    assert len(told["components"]) == len(parts) - 1
    assert all(component["licenses"] for component in told["components"])
    references = [component["bom-ref"] for component in told["components"]]
    assert len(set(references)) == len(references)
    carried = {entry["ref"]: entry.get("dependsOn", []) for entry in told["dependencies"]}
    pillow = f"pillow:{importlib.metadata.version('pillow')}"
    assert any("libtiff" in reference for reference in carried[pillow])


def test_the_licences_name_each_part_and_hold_each_text_once(parts: list[Part], root: Path) -> None:
    told = licences(parts)
    for part in parts:
        assert f"  {part.name}" in told
    text = root / "resources" / "signer_resources" / "fonts" / "OFL.txt"
    shared = licences([Part("one", "1", "OFL-1.1", (text,)), Part("two", None, "OFL-1.1", (text,), carrier="one")])
    assert shared.count(text.read_text(encoding="utf-8").strip("\n")) == 1
    assert "\none, two\n" in shared


def test_both_papers_are_the_same_whenever_they_are_written(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    files = _files("msgspec")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_papers(root, files, tmp_path / name)
    for paper in (SBOM, LICENCES):
        assert (tmp_path / "one" / paper).read_bytes() == (tmp_path / "two" / paper).read_bytes()
    assert "2023-11-14T22:13:20" in (tmp_path / "one" / SBOM).read_text(encoding="utf-8")


def test_papers_about_something_that_must_not_be_given_away_are_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_SAID, "msgspec", "GPL-3.0-only")
    with pytest.raises(UnknownLicenceError, match="msgspec"):
        write_papers(root, _files("msgspec"), tmp_path)
