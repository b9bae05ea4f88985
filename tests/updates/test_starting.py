"""Starting an installer: only when nobody works, only after our end, as this copy was installed; going back."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from signer_app.cli.console import Console
from signer_app.cli.update import update
from signer_app.desk.updating import Surroundings, UpdateStage
from signer_app.updates.releases import Machine, numbers, this_machine
from signer_app.updates.starting import MARK, InstallKind, Launch, how_installed, launch, others_running
from signer_resources.errors import KnownError
from tests.support.workspace import schema
from tests.updates.publisher import Clerk, Publisher

DESKTOP = {"DISPLAY": ":0"}


def refused(code: str, machine: Clerk, **how: Any) -> None:
    with pytest.raises(KnownError) as raised:
        machine.updating.start(**how)
    assert raised.value.code == code
    assert not machine.launched


@pytest.fixture(name="ready")
def machine_with_an_update(machine: Clerk, publisher: Publisher) -> Clerk:
    publisher.release("1.1.0")
    machine.set(source=str(publisher.tree))
    assert machine.updating.download().stage is UpdateStage.READY
    machine.around = Surroundings(**{**machine.around.__dict__, "kind": lambda: InstallKind.WINDOWS_USER})
    return machine


def test_nothing_starts_while_documents_are_signed_or_another_window_is_open(ready: Clerk) -> None:
    with ready.space.tokens_held():
        refused("update_batch_runs", ready)
    ready.is_now(others=True)
    refused("update_other_window", ready)
    ready.is_now(others=False)
    ready.set(minimum_version="2.0")
    refused("update_below_minimum", ready)


def test_a_second_click_starts_no_second_installer(ready: Clerk) -> None:
    updating = ready.updating
    assert updating.start().waits
    assert updating.start().waits
    [(chosen, again)] = ready.launched
    assert chosen.argv is not None
    assert chosen.argv[0].endswith("signer-1.1.0.deb")
    assert again == "signer-gui"


def test_nothing_to_start_is_told(machine: Clerk) -> None:
    refused("update_not_ready", machine)
    refused("update_no_way_back", machine, back=True)


def test_one_package_is_kept_to_go_back_to(ready: Clerk, publisher: Publisher) -> None:
    for version, before in (("1.1.0", None), ("1.2.0", "1.1.0"), ("1.3.0", "1.2.0")):
        publisher.release(version)
        assert ready.updating.download().stage is UpdateStage.READY
        ready.is_now(installed=version)
        assert ready.updating.state().previous == before
    publisher.release("1.4.0")
    ready.updating.download()
    assert set(ready.files()) == {"signer-1.2.0.deb", "signer-1.3.0.deb", "signer-1.4.0.deb"}
    started = ready.updating.start(back=True)
    assert (started.version, started.waits) == ("1.2.0", True)
    ready.launched.clear()
    ready.set(minimum_version="1.3")
    refused("update_below_minimum", ready, back=True)


# ---- which installer -----------------------------------------------------------------------------------------------


def test_how_this_copy_was_installed(tmp_path: Path) -> None:
    executable = tmp_path / "signer.exe"
    assert how_installed(executable, frozen=False) is InstallKind.OTHER
    assert how_installed(executable, frozen=True) is InstallKind.OTHER
    for told, kind in (("user\r\n", InstallKind.WINDOWS_USER), ("machine", InstallKind.WINDOWS_MACHINE)):
        (tmp_path / MARK).write_text(told, encoding="utf-8")
        assert how_installed(executable, frozen=True) is kind
    (tmp_path / MARK).write_bytes(b"\xff\xfe")
    assert how_installed(executable, frozen=True) is InstallKind.OTHER
    assert how_installed(Path("/usr/lib/signer/signer"), frozen=True) is InstallKind.DEBIAN


def test_windows_is_set_up_the_way_it_was(tmp_path: Path) -> None:
    def asked(kind: InstallKind, *, again: bool = True) -> Launch:
        return launch(kind, tmp_path / "s.exe", back=False, pid=12, again=again, environment={})

    assert asked(InstallKind.WINDOWS_USER).argv == (
        str(tmp_path / "s.exe"), "/S", "/CurrentUser", "/WAITPID=12", "/RELAUNCH",
    )  # fmt: skip
    machine = asked(InstallKind.WINDOWS_MACHINE)
    assert machine.elevated
    assert machine.argv == (str(tmp_path / "s.exe"), "/S", "/AllUsers", "/WAITPID=12")
    assert not asked(InstallKind.WINDOWS_USER, again=False).elevated
    back = launch(InstallKind.WINDOWS_USER, tmp_path / "s.exe", back=True, pid=1, again=False, environment={})
    assert back.argv is not None
    assert "/DOWNGRADE" in back.argv


def test_debian_asks_for_the_password_or_tells_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bản mới.deb"

    def asked(environment: dict[str, str], *, back: bool = False) -> Launch:
        return launch(InstallKind.DEBIAN, package, back=back, pid=1, again=True, environment=environment)

    assert asked({}).argv is None
    assert asked({}).typed == f"sudo apt-get install --yes '{package}'"
    assert "--allow-downgrades" in asked({}, back=True).typed
    monkeypatch.setattr("signer_app.updates.starting.shutil.which", lambda _name, path: "/usr/bin/pkexec")
    assert asked(DESKTOP).argv == ("/usr/bin/pkexec", "/usr/bin/apt-get", "install", "--yes", str(package))
    other = launch(InstallKind.OTHER, package, back=False, pid=1, again=True, environment=DESKTOP)
    assert (other.argv, other.typed) == (None, str(package))


def test_the_installer_begins_only_when_the_program_has_ended(tmp_path: Path) -> None:
    # A program that starts an installer, goes on for as long as it is told, and has a child of its own meanwhile.
    mark = tmp_path / "installed"
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys\n"
            "from signer_app.updates.starting import Launch, start\n"
            "waiting = start(Launch(('/usr/bin/touch', sys.argv[1])), again='')\n"
            "print(waiting.process.pid, flush=True)\n"
            "del waiting\n"
            "sys.stdin.read()\n",
            str(mark),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    with program:
        shell = int(program.stdout.readline())
        waits = Path(f"/proc/{shell}/stat").read_text(encoding="ascii").split()
        assert waits[2] not in "ZX", "it waits, and has not ended"
        assert not mark.exists()
        program.stdin.close()
        program.wait(20)
    end = time.monotonic() + 20
    while not mark.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert mark.exists()


def test_windows_of_this_copy_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    proc = tmp_path / "proc"
    for pid, words in ((1, b"init\0"), (7, str(folder / "signer-gui").encode() + b"\0"), (8, b"signer-gui.txt\0")):
        (proc / str(pid)).mkdir(parents=True)
        (proc / str(pid) / "cmdline").write_bytes(words)
    (proc / "9").mkdir()
    (proc / "self").mkdir()
    assert others_running(folder / "signer", 5, proc)
    assert not others_running(folder / "signer", 7, proc)
    assert not others_running(folder / "signer", 5, tmp_path / "none")


def test_versions_and_machines() -> None:
    assert numbers("1.10") > numbers("1.9.9")
    assert numbers("1.2") == numbers("1.2.0")
    assert numbers("1.2.0.dev1") == numbers("1.2")
    assert numbers("nonsense") == ()
    here = this_machine()
    assert here.platform in ("linux-amd64", "linux-arm64")
    assert numbers(here.system) >= (2, 31)
    assert Machine(None, "0") != here


# ---- the command ---------------------------------------------------------------------------------------------------


def run(machine: Clerk, capsys: pytest.CaptureFixture[str], *, as_json: bool, **args: Any) -> tuple[int, str]:
    options = argparse.Namespace(**{"check": False, "back": False, "source": None, **args})
    code = update(machine.space, options, Console("vi", as_json=as_json), machine.updating)
    told = capsys.readouterr().out
    if as_json:
        jsonschema.validate(json.loads(told), schema("update"))
    return code, told


def test_the_command_looks_brings_and_starts(
    machine: Clerk, publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.is_now(kind=InstallKind.WINDOWS_USER)
    code, told = run(machine, capsys, as_json=True, check=True, source=str(publisher.tree))
    assert (code, json.loads(told)["stage"]) == (0, "current")
    publisher.release("1.2.0")
    code, told = run(machine, capsys, as_json=True, check=True, source=str(publisher.tree))
    assert (code, json.loads(told)["stage"], json.loads(told)["started"]) == (0, "offered", None)
    code, told = run(machine, capsys, as_json=True, source=str(publisher.tree))
    assert json.loads(told)["started"] == {"version": "1.2.0", "waits": True, "typed": None}
    machine.is_now(kind=InstallKind.OTHER)
    code, told = run(machine, capsys, as_json=False, source=str(publisher.tree))
    assert code == 0
    assert "signer-1.2.0.deb" in told
    assert "Có gì mới trong 1.2.0" in told
    publisher.release("1.3.0", minimum_os="3.0")
    assert run(machine, capsys, as_json=True, check=True, source=str(publisher.tree))[0] == 1
