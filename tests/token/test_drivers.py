"""Which modules are found, which are kept from being tried, and what is told of those that are."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePath, PureWindowsPath

import pytest

from signer_resources.drivers import System, known_drivers
from signer_resources.messages import Lang
from signer_resources.rules import Mark
from signer_token import drivers
from signer_token.binaries import Binary, Format
from signer_token.driver_list import Listed
from signer_token.drivers import (
    Module,
    Origin,
    known_modules,
    look_around,
    survey,
)
from signer_token.exposure import exposed
from tests.support.headers import elf, pe
from tests.support.softhsm import softhsm_module

OURS = Binary(Format.ELF, 64, "x86-64")
PATIENT_S = 60.0
WINDOWS = {"SystemRoot": r"C:\Windows", "ProgramFiles": r"C:\Program Files"}


def lie(*files: str) -> Callable[[PurePath], bool]:
    """A disk on which these files lie."""
    return lambda path: str(path) in files


def anywhere(_path: PurePath) -> bool:
    return True


def surveyed(folder: Path, *names: str, chosen: tuple[str, ...] = ()) -> list[Module]:
    """What is made of files in `folder` that an administrator lists."""
    listed = [Listed(str(folder / name)) for name in names]
    return list(survey(known_modules(System.LINUX, {}, lie(), chosen, listed), OURS))


def problem_of(module: Module) -> str | None:
    return module.problem.code if module.problem else None


# The table


@pytest.mark.parametrize(
    ("file", "driver"),
    [
        ("bit4xpki.dll", "bit4id"),
        ("eTPKCS11.dll", "safenet"),
        ("eps2003csp11.dll", "feitian"),
        ("vnptca_p11_v8.dll", "vnpt"),
        ("viettel-ca_v6.dll", "viettel"),
        ("fptca_v4.dll", "fpt"),
        ("BkavCA.dll", "bkav"),
        ("CA2_csp11.dll", "ca2"),
        ("NEWTEL-CA.dll", "newtel"),
    ],
)
def test_the_tokens_of_the_agencies_are_found_in_both_system_folders_of_windows(file: str, driver: str) -> None:
    both = [rf"C:\Windows\System32\{file}", rf"C:\Windows\SysWOW64\{file}"]
    found = known_modules(System.WINDOWS, WINDOWS, lie(*both))
    assert [str(one.path) for one in found] == both
    assert {one.driver.id for one in found if one.driver} == {driver}


@pytest.mark.parametrize(
    "file",
    [
        "/usr/lib/bit4id/libbit4xpki.so",
        "/usr/lib/libeTPkcs11.so",
        "/usr/lib/fptca_v4.so",
        "/usr/lib/libcastle.so.1.0.0",
        "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
        "/usr/lib64/pkcs11/opensc-pkcs11.so",
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
    ],
)
def test_packages_of_linux_are_found(file: str) -> None:
    (found,) = known_modules(System.LINUX, {}, lie(file))
    assert (str(found.path), found.origin) == (file, Origin.TABLE)


def test_every_place_of_the_table_says_where_it_is_from_and_how_sure_that_is() -> None:
    installs = [install for driver in known_drivers() for install in driver.install]
    assert all(len(install.source) > 5 and install.names and install.folders for install in installs)
    assert {install.mark for install in installs} == set(Mark)


@pytest.mark.parametrize("system", list(System))
def test_every_place_of_the_table_is_absolute_and_named_once(system: System) -> None:
    asked: list[PurePath] = []

    def absent(path: PurePath) -> bool:
        asked.append(path)
        return False

    assert known_modules(system, {}, absent) == ()
    assert asked
    assert all(path.is_absolute() and "{" not in str(path) for path in asked)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("system", list(System))
def test_makers_modules_come_first_then_tests_then_proxies(system: System) -> None:
    order = [one.driver for one in known_modules(system, {}, anywhere) if one.driver]
    ranks = [(driver.proxy, driver.tests_only) for driver in order]
    assert ranks == sorted(ranks)
    assert order[0].id == "bit4id"


def test_folders_of_windows_are_taken_from_the_environment_unless_it_leads_astray() -> None:
    elsewhere = {"systemroot": r"D:\Win", "PROGRAMW6432": r"D:\Programs", "ProgramFiles": r"D:\Programs32"}
    asked = {str(one.path) for one in known_modules(System.WINDOWS, elsewhere, anywhere)}
    assert r"D:\Win\System32\bit4xpki.dll" in asked
    assert r"D:\Programs\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll" in asked
    astray = known_modules(System.WINDOWS, {"SystemRoot": "Windows"}, anywhere)
    assert astray
    assert all(one.path.is_absolute() and "bit4xpki" not in str(one.path.parent) for one in astray)
    assert not [one for one in astray if "System32" in str(one.path)]


# Order and origin


def test_what_the_person_chose_comes_first_then_the_administrators_list_then_the_table() -> None:
    opensc = "/usr/lib/opensc-pkcs11.so"
    found = known_modules(
        System.LINUX, {}, lie(opensc), ["/opt/mine.so"], [Listed("/opt/ours.so", "Sở Nội vụ"), Listed("/opt/mine.so")]
    )
    assert [(str(one.path), one.origin, one.name) for one in found] == [
        ("/opt/mine.so", Origin.SETTINGS, "mine.so"),
        ("/opt/ours.so", Origin.ADMINISTRATOR, "Sở Nội vụ"),
        (opensc, Origin.TABLE, "OpenSC"),
    ]


def test_case_means_nothing_in_names_on_windows() -> None:
    file = r"c:\windows\SYSTEM32\BIT4XPKI.DLL"
    found = known_modules(System.WINDOWS, WINDOWS, anywhere, [file])
    assert [one.origin for one in found if one.path == PureWindowsPath(file)] == [Origin.SETTINGS]
    assert found[0].name == "Bit4id Universal Middleware"


# What stands against a file


def test_a_module_that_is_not_there_is_told_and_not_left_out(tmp_path: Path) -> None:
    (module,) = surveyed(tmp_path, chosen=(str(tmp_path / "gone.so"),))
    assert (problem_of(module), module.in_use) == ("module_missing", True)


def test_a_folder_is_no_module(tmp_path: Path) -> None:
    (module,) = surveyed(tmp_path.parent, tmp_path.name)
    assert problem_of(module) == "module_missing"


def test_a_relative_path_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "near.so").write_bytes(elf())
    (module,) = surveyed(tmp_path, chosen=("near.so",))
    assert problem_of(module) == "driver_path_relative"


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (elf(64, 62), None),
        (elf(32, 3), "driver_wrong_width"),
        (elf(64, 183), "driver_wrong_machine"),
        (pe(64), "driver_wrong_machine"),
        (b"garbage", None),
    ],
)
def test_a_module_for_another_kind_of_machine_is_told_as_such(tmp_path: Path, start: bytes, problem: str) -> None:
    (tmp_path / "module.so").write_bytes(start)
    (module,) = surveyed(tmp_path, "module.so")
    assert problem_of(module) == problem


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_words_for_a_wrong_width_name_the_file_and_both_widths(tmp_path: Path, lang: Lang) -> None:
    (tmp_path / "module.so").write_bytes(elf(32, 3))
    (module,) = surveyed(tmp_path, "module.so")
    assert module.problem
    told = str(module.problem.explain(lang))
    assert all(part in told for part in (str(tmp_path / "module.so"), "32", "64"))


def test_a_file_that_everybody_may_change_is_never_used(tmp_path: Path) -> None:
    file = tmp_path / "module.so"
    file.write_bytes(elf())
    file.chmod(0o666)
    assert exposed(file) == file
    assert [problem_of(module) for module in surveyed(tmp_path, file.name)] == ["driver_exposed"]


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_file_in_a_folder_where_everybody_may_put_one_is_never_used(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "module.so").write_bytes(elf())
    folder.chmod(mode)
    assert exposed(folder / "module.so") == folder


def test_a_folder_further_up_counts_unless_it_is_sticky(tmp_path: Path) -> None:
    inner = tmp_path / "up" / "inner"
    inner.mkdir(parents=True)
    (inner / "module.so").write_bytes(elf())
    (tmp_path / "up").chmod(0o777)
    assert exposed(inner / "module.so") == tmp_path / "up"
    (tmp_path / "up").chmod(0o1777)
    assert exposed(inner / "module.so") is None


def test_a_link_is_as_safe_as_the_folder_of_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "module.so").write_bytes(elf())
    (tmp_path / "link.so").symlink_to(folder / "module.so")
    assert exposed(tmp_path / "link.so") is None
    folder.chmod(0o777)
    assert exposed(tmp_path / "link.so") == folder


def test_a_link_in_the_middle_of_a_chain_counts_as_well(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "middle", "last")]
    for folder in folders:
        folder.mkdir(mode=0o755)
    first, middle, last = folders
    (last / "real.so").write_bytes(elf())
    (middle / "link.so").symlink_to(Path("..", "last", "real.so"))
    (first / "link.so").symlink_to(middle / "link.so")
    assert exposed(first / "link.so") is None
    middle.chmod(0o777)
    assert exposed(first / "link.so") == middle
    middle.chmod(0o1777)
    assert exposed(first / "link.so") == middle, "a link may be put there in the file's place"
    (tmp_path / "folder").symlink_to(middle)
    assert exposed(tmp_path / "folder" / ".." / "last" / "real.so") is None, "folders in it stay whose they are"


def test_links_that_never_end_are_followed_no_further_than_the_system_does(tmp_path: Path) -> None:
    (tmp_path / "one.so").symlink_to("other.so")
    (tmp_path / "other.so").symlink_to("one.so")
    with pytest.raises(OSError, match="symbolic links"):
        exposed(tmp_path / "one.so")


# Each file once


@pytest.mark.parametrize("how", [os.symlink, os.link, shutil.copyfile])
def test_a_module_under_two_names_is_shown_once(tmp_path: Path, how: Callable[[Path, Path], object]) -> None:
    (tmp_path / "first.so").write_bytes(elf() + b"one")
    (tmp_path / "other.so").write_bytes(elf() + b"two")
    how(tmp_path / "first.so", tmp_path / "second.so")
    found = surveyed(tmp_path, "first.so", "other.so", "second.so")
    assert [(module.path.name, [alias.name for alias in module.aliases]) for module in found] == [
        ("first.so", ["second.so"]),
        ("other.so", []),
    ]


def test_a_module_that_may_be_used_hides_behind_no_copy_that_may_not(tmp_path: Path) -> None:
    for name in ("open.so", "closed.so"):
        (tmp_path / name).write_bytes(elf())
    (tmp_path / "open.so").chmod(0o666)
    found = surveyed(tmp_path, "open.so", "closed.so")
    assert [problem_of(module) for module in found] == ["driver_exposed", None]


@pytest.mark.parametrize(
    ("others", "kept"),
    [([], ["p11-kit-proxy.so"]), (["opensc-pkcs11.so"], ["opensc-pkcs11.so"])],
)
def test_the_proxy_is_offered_only_where_nothing_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: list[str], kept: list[str]
) -> None:
    for name in ("p11-kit-proxy.so", *others):
        (tmp_path / name).write_bytes(elf() + name.encode())
    monkeypatch.setattr(drivers, "_gaps", lambda _system, _environ: {"{lib}": (str(tmp_path),)})
    candidates = known_modules(System.LINUX, {}, lambda path: tmp_path in path.parents and Path(path).is_file())
    assert [module.path.name for module in survey(candidates, OURS)] == kept


def test_a_proxy_that_the_person_chose_stays(tmp_path: Path) -> None:
    for name in ("p11-kit-proxy.so", "opensc-pkcs11.so"):
        (tmp_path / name).write_bytes(elf() + name.encode())
    found = surveyed(tmp_path, "opensc-pkcs11.so", chosen=(str(tmp_path / "p11-kit-proxy.so"),))
    assert [module.path.name for module in found] == ["p11-kit-proxy.so", "opensc-pkcs11.so"]


# All of it


def test_a_bad_list_hides_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "drivers.toml"
    file.write_text("[")
    monkeypatch.setattr(drivers, "list_place", lambda _system, _environ: file)
    found = look_around()
    assert found.list_problem
    assert found.list_problem.code == "driver_list_invalid"
    assert softhsm_module().resolve() in {module.path.resolve() for module in found.usable}


def test_the_list_and_the_settings_are_part_of_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "drivers.toml"
    file.write_text(f'[[driver]]\npath = "{tmp_path / "a.so"}"\n')
    monkeypatch.setattr(drivers, "list_place", lambda _system, _environ: file)
    found = look_around([str(softhsm_module())])
    assert [module.origin for module in found.modules[:2]] == [Origin.SETTINGS, Origin.ADMINISTRATOR]
    assert (found.modules[0].in_use, found.modules[1].in_use) == (True, False)
    assert found.list_problem is None
