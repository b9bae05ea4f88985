"""The command `drivers`: what it lists, what it tries, and its exit code; without a workspace, as on a new machine."""

from pathlib import Path

import pytest

from signer_token import drivers
from tests.support.headers import elf
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import Program


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """On a machine without known drivers and without an administrator's list."""
    monkeypatch.setattr(drivers, "_table_places", lambda _system, _environ: iter(()))
    monkeypatch.setattr(drivers, "list_place", lambda _system, _environ: tmp_path / "drivers.toml")
    return Program(tmp_path, tmp_path, tmp_path / "data")


@pytest.fixture
def module(tmp_path: Path) -> CountingModule:
    folder = tmp_path / "driver"
    folder.mkdir()
    return build_counting_module(folder, softhsm_module())


def test_a_module_is_listed_with_its_width_and_is_not_loaded(program: Program, module: CountingModule) -> None:
    answer = program.call("drivers", options=("--module", module.path))
    (one,) = answer.json["drivers"]
    assert answer.code == 0
    assert (one["path"], one["origin"], one["in_use"], one["bits"]) == (str(module.path), "settings", True, 64)
    assert one["probe"] is None
    assert module.calls() == []
    assert not program.data.exists()


def test_probed_modules_tell_what_they_are_or_why_not(program: Program, module: CountingModule) -> None:
    narrow = program.folder / "narrow.so"
    narrow.write_bytes(elf(32, 3))
    (program.folder / "drivers.toml").write_text(f'[[driver]]\npath = "{narrow}"\nname = "CA cũ"\n')
    answer = program.call("drivers", "--probe", options=("--module", module.path))
    good, bad = answer.json["drivers"]
    assert answer.code == 0
    assert (good["probe"]["outcome"], good["probe"]["manufacturer"]) == ("loaded", "SoftHSM")
    assert (bad["name"], bad["origin"], bad["probe"]) == ("CA cũ", "administrator", None)
    assert bad["problem"]["code"] == "driver_wrong_width"


def test_with_nothing_that_works_the_exit_code_is_that_of_a_drivers_fault(
    program: Program, module: CountingModule
) -> None:
    assert program.call("drivers").code == 3
    module.misbehave(C_Initialize="crash")
    answer = program.call("drivers", "--probe", options=("--module", module.path))
    assert answer.code == 3
    assert answer.json["drivers"][0]["probe"]["error"]["code"] == "driver_load_crashed"


def test_words_name_the_file_and_the_fault(program: Program, module: CountingModule) -> None:
    module.misbehave(C_Initialize="0x30")
    (program.folder / "drivers.toml").write_text("[[driver]]\npath = 1\n")
    answer = program.call("drivers", "--probe", text=True, options=("--module", module.path))
    assert answer.code == 3
    assert str(module.path) in answer.out
    assert "không dùng được" in answer.out
    assert "Dòng 2" in answer.err
    assert "Không tìm thấy" in program.call("drivers", text=True).out
