"""The administrator's list: where it lies, how it is read, and what is told of one that is wrong."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from signer_resources.drivers import System
from signer_resources.errors import KnownError
from signer_token.driver_list import Listed, list_place, read_list


def test_the_list_lies_where_only_administrators_write() -> None:
    assert list_place(System.LINUX, {}) == PurePosixPath("/etc/signer/drivers.toml")
    windows = list_place(System.WINDOWS, {"ProgramData": r"D:\Data"})
    assert windows == PureWindowsPath(r"D:\Data\Signer\drivers.toml")
    for astray in ({}, {"ProgramData": "Data"}):
        assert list_place(System.WINDOWS, astray) == PureWindowsPath(r"C:\ProgramData\Signer\drivers.toml")


def test_a_list_is_read_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "drivers.toml"
    file.write_text(
        '# Sở Nội vụ\n[[driver]]\npath = "/opt/b.so"\nname = "CA của tỉnh"\n\n[[driver]]\npath = "/opt/a.so"\n'
    )
    assert read_list(file) == (Listed("/opt/b.so", "CA của tỉnh"), Listed("/opt/a.so"))
    file.write_text("")
    assert read_list(file) == ()
    assert read_list(tmp_path / "none.toml") == ()


def refusal(file: Path) -> Mapping[str, object]:
    """Why a list is refused; its words can be told."""
    with pytest.raises(KnownError) as refused:
        read_list(file)
    assert str(file) in str(refused.value.explain("vi"))
    return {"code": refused.value.code, **refused.value.params}


GOOD = '[[driver]]\npath = "/opt/a.so"\n'


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ('[[driver]]\npath = "/opt/a.so\n', "driver_list_invalid", 2),
        ('[[driver]]\npath = "/opt/a.so"\nname = [1,', "driver_list_invalid", 3),
        (GOOD + "\n[[driver]]\npath = 7\n", "driver_list_invalid", 5),
        (GOOD + '[[driver]]\nname = "x"\n', "driver_list_invalid", 3),
        (GOOD + '[[driver]]\npath = "/a"\npth = "/b"\n', "driver_list_invalid", 5),
        (GOOD + f'name = "{"x" * 81}"\n', "driver_list_invalid", 3),
        ('# x\n[[drivers]]\npath = "/opt/a.so"\n', "driver_list_invalid", 2),
        ("driver = 1\n", "driver_list_invalid", 1),
        (GOOD * 65, "driver_list_invalid", 1),
        ("a = " + "[" * 5000, "driver_list_invalid", 1),
        (GOOD + '[[driver]]\npath = "lib/a.so"\n', "driver_list_path", 4),
        (GOOD + "[[driver]]\npath = '\\\\opt\\\\a.so'\n", "driver_list_path", 4),
    ],
)
def test_a_list_that_is_written_wrongly_says_in_which_line(tmp_path: Path, text: str, code: str, line: int) -> None:
    file = tmp_path / "drivers.toml"
    file.write_text(text)
    told = refusal(file)
    assert (told["code"], told["line"]) == (code, line)


def test_bytes_that_are_no_text_say_in_which_line(tmp_path: Path) -> None:
    file = tmp_path / "drivers.toml"
    file.write_bytes(GOOD.encode() + b'name = "\xff"\n')
    assert refusal(file)["line"] == 3


def test_a_list_without_end_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "drivers.toml"
    file.write_text("#" * 70_000)
    assert refusal(file)["code"] == "driver_list_too_long"


def test_a_list_that_everybody_may_write_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "drivers.toml"
    file.write_text(GOOD)
    file.chmod(0o666)
    assert refusal(file)["place"] == str(file)


def test_what_is_no_file_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "drivers.toml")
    assert refusal(tmp_path / "drivers.toml")["code"] == "driver_list_unreadable"
