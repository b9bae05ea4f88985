"""The locked packages: complete for every system the program runs on, pinned by hash, from no named place."""

import importlib.metadata
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SYSTEMS = {
    "Linux": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "Windows": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
}
PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class Entry:
    """One locked package."""

    version: str
    marker: Marker | None
    hashes: int


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, list[str]]:
    """Direct dependencies, by extra; "" for those of the program itself."""
    found = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": found["dependencies"], **found["optional-dependencies"]}


@pytest.fixture(scope="module")
def lock(root: Path) -> dict[str, Entry]:
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    entries: dict[str, Entry] = {}
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        lines = [line.strip().removesuffix("\\").strip() for line in block.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if not lines:
            continue
        wanted = Requirement(lines[0])
        (pin,) = wanted.specifier
        assert pin.operator == "==", lines[0]
        for line in lines[1:]:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line), line
        entries[canonicalize_name(wanted.name)] = Entry(pin.version, wanted.marker, len(lines) - 1)
    assert len(entries) > 50
    return entries


def test_every_locked_package_has_hashes_and_an_exact_version(lock: dict[str, Entry]) -> None:
    assert not [name for name, entry in lock.items() if entry.hashes < 1]


def test_the_lock_names_no_place_to_load_from(root: Path) -> None:
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert not re.findall(r"(?m)^\s*(?:-[a-z]\b|--(?!hash=)).*|.*://.*| @ ", text)


def _environment(system: str, python: str, extra: str = "") -> Mapping[str, str]:
    here = {key: str(value) for key, value in default_environment().items()}
    version = {"python_version": python, "python_full_version": f"{python}.9", "implementation_version": f"{python}.9"}
    return {**here, **SYSTEMS[system], **version, "extra": extra}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_lock_is_complete(lock: dict[str, Entry], project: dict[str, list[str]], system: str, python: str) -> None:
    waiting = [Requirement(text) for texts in project.values() for text in texts]
    seen: set[str] = set()
    wrong = []
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name == "signer" or (key := f"{name}{sorted(wanted.extras)}{wanted.specifier}") in seen:
            continue
        seen.add(key)
        entry = lock.get(name)
        here = _environment(system, python)
        if entry is None or (entry.marker is not None and not entry.marker.evaluate(here)):
            wrong.append(f"{wanted} is not locked")
            continue
        if not wanted.specifier.contains(entry.version, prereleases=True):
            wrong.append(f"{wanted} is locked at {entry.version}")
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            # One for the other system: what it needs can't be told from here.
            continue
        for text in needs:
            deeper = Requirement(text)
            if deeper.marker is None or any(
                deeper.marker.evaluate(_environment(system, python, extra)) for extra in ("", *wanted.extras)
            ):
                waiting.append(deeper)
    assert not wrong


def test_what_only_windows_needs_is_locked_too(lock: dict[str, Entry]) -> None:
    only = {
        name
        for name, entry in lock.items()
        if entry.marker is not None
        and entry.marker.evaluate(_environment("Windows", "3.12"))
        and not entry.marker.evaluate(_environment("Linux", "3.12"))
    }
    # Without it keyring finds no Windows credential store, and the device key would lie in a file.
    assert "pywin32-ctypes" in only


def test_the_installed_packages_are_the_locked_ones(lock: dict[str, Entry]) -> None:
    different = []
    for name, entry in lock.items():
        if entry.marker is None or entry.marker.evaluate():
            try:
                found = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                found = "not installed"
            if found != entry.version:
                different.append(f"{name}: {found}, locked {entry.version}")
    assert not different
