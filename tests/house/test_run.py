"""The script `run`: one way in, from any folder, with blanks in the path, and without a network the second time.

The real script works in a small project of its own whose Python is a recorder, so that nothing is installed.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import screen

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="run is for Linux; on Windows the program is installed")

RECORDER = """#!/usr/bin/env bash
for word in "$@"; do printf '%s\\n' "$word"; done >>"$RECORD"
printf -- '--\\n' >>"$RECORD"
if [ "$*" = "-m pip --version" ]; then echo "pip 1 from $OWN/.venv/lib"; exit; fi
exit "${RECORDER_EXIT:-0}"
"""


@dataclass(frozen=True)
class Project:
    """A copy of the script in a folder with blanks; `calls` is what it had its Python do."""

    root: Path
    elsewhere: Path

    def run(self, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        ours = ("SIGNER_", "DISPLAY", "WAYLAND_DISPLAY")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        return subprocess.run(
            [str(self.root / "run"), *words],
            cwd=self.elsewhere,
            env={**clean, "RECORD": str(self.root / "record"), "OWN": str(self.root), **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def calls(self) -> list[list[str]]:
        record = self.root / "record"
        if not record.exists():
            return []
        text = record.read_text(encoding="utf-8")
        record.unlink()
        return [call.splitlines() for call in text.split("--\n")[:-1]]


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Project:
    own, elsewhere = tmp_path / "thư mục có dấu cách", tmp_path / "else where"
    (own / ".venv" / "bin").mkdir(parents=True)
    elsewhere.mkdir()
    shutil.copy(root / "run", own / "run")
    recorder = own / ".venv" / "bin" / "python"
    recorder.write_text(RECORDER, encoding="utf-8")
    recorder.chmod(0o755)
    for name in ("requirements.lock", "pyproject.toml"):
        (own / name).write_text(name, encoding="utf-8")
    return Project(own, elsewhere)


def installs(calls: list[list[str]]) -> list[list[str]]:
    return [call for call in calls if "install" in call]


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_the_scripts_can_be_run_and_are_sound(root: Path, script: str) -> None:
    assert os.access(root / script, os.X_OK)
    subprocess.run(["bash", "-n", str(root / script)], check=True)


def test_help_names_every_command(project: Project) -> None:
    told = project.run("help")
    assert told.returncode == 0
    for command in ("setup", "demo", "test", "bench", "package", "shell", "help"):
        assert f"\n  {command} " in told.stdout
    assert project.run().stdout == told.stdout
    assert project.calls() == []


def test_an_unknown_command_is_wrong_usage(project: Project) -> None:
    told = project.run("tset")
    assert told.returncode == 2
    assert "Usage" in told.stderr


def test_the_first_run_installs_what_is_locked_by_its_hashes(project: Project) -> None:
    assert project.run("shell", "true").returncode == 0
    locked, own = installs(project.calls())
    assert "--require-hashes" in locked
    assert str(project.root / "requirements.lock") in locked
    assert "--no-deps" in own
    assert "--no-build-isolation" in own
    assert own[-2:] == ["-e", str(project.root)]


def test_a_second_run_installs_nothing(project: Project) -> None:
    project.run("shell", "true")
    project.calls()
    assert project.run("shell", "true").returncode == 0
    assert project.calls() == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_dependency_is_installed(project: Project, name: str) -> None:
    project.run("shell", "true")
    project.calls()
    (project.root / name).write_text("changed", encoding="utf-8")
    project.run("shell", "true")
    assert len(installs(project.calls())) == 2


def test_an_installation_that_failed_is_tried_again(project: Project) -> None:
    assert project.run("shell", "true", RECORDER_EXIT="1").returncode != 0
    project.calls()
    assert project.run("shell", "true").returncode == 0
    assert len(installs(project.calls())) == 2


def test_a_moved_checkout_is_installed_again(project: Project) -> None:
    project.run("shell", "true")
    project.calls()
    moved = Project(project.root.with_name("moved"), project.elsewhere)
    project.root.rename(moved.root)
    moved.run("shell", "true")
    assert len(installs(moved.calls())) == 2


def test_the_demo_takes_general_options_wherever_they_stand(project: Project) -> None:
    project.run("shell", "true")
    project.calls()
    project.run("demo", "--headless", "--data-dir", "d x", "--json", "--lang=en", "--port", "8100")
    assert project.calls() == [
        ["-m", "signer_app", "--data-dir", "d x", "--json", "--lang=en", "demo", "--headless", "--port", "8100"]
    ]


def test_the_demo_never_takes_a_clerks_own_data_folder(project: Project) -> None:
    project.run("shell", "true")
    project.calls()
    project.run("demo")
    project.run("demo", SIGNER_DATA_DIR="elsewhere")
    own = str(project.root / ".signer-demo")
    assert project.calls() == [["-m", "signer_app", "--data-dir", own, "demo"], ["-m", "signer_app", "demo"]]


def test_bytecode_is_kept_although_the_environment_forbids_it(project: Project) -> None:
    told = project.run("shell", "env", PYTHONDONTWRITEBYTECODE="1")
    assert told.returncode == 0
    assert "PYTHONDONTWRITEBYTECODE" not in told.stdout


def test_the_exit_code_of_the_demo_is_the_programs(project: Project) -> None:
    project.run("shell", "true")
    assert project.run("demo", RECORDER_EXIT="3").returncode == 3


def test_every_check_of_the_code_runs_and_one_that_fails_is_named(project: Project) -> None:
    project.run("shell", "true")
    project.calls()
    told = project.run("test", "-k", "seal", RECORDER_EXIT="1")
    assert told.returncode == 1
    tools = [call[1] if call[0] == "-m" else "importlinter" for call in project.calls()]
    # ruff twice: format and lint.
    assert tools == ["ruff", "ruff", "mypy", "importlinter", "pytest"]
    for name in ("ruff", "mypy", "import-linter", "pytest"):
        assert name in told.stderr


def test_long_tests_run_only_when_all_are_asked_for(project: Project) -> None:
    project.run("shell", "true")
    project.calls()
    project.run("test", "-x")
    short = project.calls()[-1]
    project.run("test", "--all", "-x")
    whole = project.calls()[-1]
    assert "not long" in short
    assert "not long" not in whole
    assert short[-1] == whole[-1] == "-x"
    assert "--all" not in whole


NEEDED = ("bash", "env", "readlink", "dirname", "cat", "cut", "grep", "sha256sum", "rm", "chmod", "python3")
PACKAGES = {
    "softhsm2": "softhsm2-util",
    "gcc": "gcc",
    "qpdf": "qpdf",
    "poppler-utils": "pdfsig pdftoppm",
    "mupdf-tools": "mutool",
    "strace": "strace",
    "nsis": "makensis",
    "osslsigncode": "osslsigncode",
    "xvfb": "Xvfb",
    "xdotool": "xdotool",
    "openbox": "openbox",
}
LIBRARIES = {
    "libegl1": "libEGL.so.1",
    "libgl1": "libGL.so.1",
    "libxkbcommon0": "libxkbcommon.so.0",
    "libdbus-1-3": "libdbus-1.so.3",
    "libfontconfig1": "libfontconfig.so.1",
    "libglib2.0-0": "libglib-2.0.so.0",
    "libxcb-cursor0": "libxcb-cursor.so.0",
    "libxcb-icccm4": "libxcb-icccm.so.4",
    "libxcb-keysyms1": "libxcb-keysyms.so.1",
    "libxcb-shape0": "libxcb-shape.so.0",
    "libxkbcommon-x11-0": "libxkbcommon-x11.so.0",
}
APT = """#!/usr/bin/env bash
echo "apt-get $*" >>"$RECORD.apt"
case "$*" in *install*) ;; *) exit ;; esac
for tool in TOOLS; do
    printf '#!/bin/sh\n' >"BIN/$tool"
    chmod +x "BIN/$tool"
done
[ ! -e "BIN/ldconfig.after" ] || cat "BIN/ldconfig.after" >"BIN/ldconfig"
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with next to nothing on it: no tools of the tests, no apt, no sudo, and not root."""
    few = tmp_path / "bin"
    few.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None, name
        (few / name).symlink_to(found)
    _script(few / "id", "#!/bin/sh\necho 1000\n")
    _script(few / "ldconfig", ldconfig())
    return few


def ldconfig(*libraries: str) -> str:
    """A program that lists these libraries as ldconfig does, and one whose name only begins like another's."""
    lines = [f"\t{name} (libc6,x86-64) => /usr/lib/{name}" for name in (*libraries, "libGL.so.1.7.0", "libxlibGL.so.1")]
    return "#!/bin/sh\nprintf '%s\\n' " + " ".join(f"'{line}'" for line in lines) + "\n"


def _script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def test_missing_tools_are_named_and_nothing_is_run(project: Project, bare: Path) -> None:
    project.run("shell", "true")
    project.calls()
    told = project.run("test", PATH=str(bare))
    assert told.returncode == 1
    (named,) = (line for line in told.stderr.splitlines() if line.startswith("Missing on this machine: "))
    assert {*PACKAGES, *LIBRARIES} <= set(named.split())
    assert project.calls() == []


def test_what_the_screen_of_the_tests_needs_is_installed_too() -> None:
    assert set(screen.NEEDED) <= {tool for tools in PACKAGES.values() for tool in tools.split()}


def test_a_library_that_is_there_is_not_missing(project: Project, bare: Path) -> None:
    _script(bare / "ldconfig", ldconfig(*LIBRARIES.values()))
    told = project.run("test", PATH=str(bare))
    assert set(PACKAGES) <= set(told.stderr.split())
    assert not set(LIBRARIES) & set(told.stderr.split())


@pytest.mark.parametrize("display", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_only_a_demo_with_a_display_needs_what_a_window_needs(project: Project, bare: Path, display: str) -> None:
    _script(bare / "softhsm2-util", "#!/bin/sh\n")
    seen = {display: ":7"}
    told = project.run("demo", PATH=str(bare), **seen)
    assert told.returncode == 1
    assert set(LIBRARIES) <= set(told.stderr.split())
    assert "gcc" not in told.stderr
    for words in (("demo",), ("demo", "--headless"), ("demo", "--serve", "--json")):
        there = {} if words == ("demo",) else seen
        assert project.run(*words, PATH=str(bare), **there).returncode == 0


def test_without_root_or_sudo_the_command_that_installs_them_is_told(project: Project, bare: Path) -> None:
    _script(bare / "apt-get", "#!/bin/sh\nexit 1\n")
    told = project.run("demo", PATH=str(bare))
    assert told.returncode == 1
    assert "apt-get install --no-install-recommends softhsm2" in told.stderr
    assert "gcc" not in told.stderr


def test_root_gets_the_missing_tools_by_apt_and_the_lists_only_when_they_are_missing(
    project: Project, bare: Path
) -> None:
    tools = " ".join(PACKAGES.values())
    _script(bare / "id", "#!/bin/sh\necho 0\n")
    _script(bare / "apt-get", APT.replace("TOOLS", tools).replace("BIN", str(bare)))
    _script(bare / "apt-cache", "#!/bin/sh\nexit 0\n")
    _script(bare / "ldconfig.after", ldconfig(*LIBRARIES.values()))
    told = project.run("setup", PATH=str(bare))
    assert told.returncode == 0, told.stderr
    (installed,) = (project.root / "record.apt").read_text(encoding="utf-8").splitlines()
    assert "--no-install-recommends" in installed
    assert {*PACKAGES, *LIBRARIES} <= set(installed.split())
    (project.root / "record.apt").unlink()

    (bare / "strace").unlink()
    _script(bare / "apt-cache", "#!/bin/sh\nexit 100\n")
    assert project.run("setup", PATH=str(bare)).returncode == 0
    updated, again = (project.root / "record.apt").read_text(encoding="utf-8").splitlines()
    assert updated.endswith("update")
    assert again.endswith("install -y --no-install-recommends strace")


def test_a_package_goes_by_the_name_that_this_release_has_for_it(project: Project, bare: Path) -> None:
    tools = [tool for tools in PACKAGES.values() for tool in tools.split()]
    for tool in tools:
        _script(bare / tool, "#!/bin/sh\n")
    _script(bare / "id", "#!/bin/sh\necho 0\n")
    _script(bare / "ldconfig", ldconfig(*(set(LIBRARIES.values()) - {"libglib-2.0.so.0"})))
    _script(bare / "ldconfig.after", ldconfig(*LIBRARIES.values()))
    _script(bare / "apt-get", APT.replace("TOOLS", "true").replace("BIN", str(bare)))
    _script(bare / "apt-cache", "#!/bin/sh\ncase $2 in libglib2.0-0t64) exit 0 ;; *) exit 100 ;; esac\n")
    assert project.run("setup", PATH=str(bare)).returncode == 0
    (installed,) = (project.root / "record.apt").read_text(encoding="utf-8").splitlines()
    assert installed.endswith("install -y --no-install-recommends libglib2.0-0t64")


def test_an_unknown_benchmark_is_named(project: Project) -> None:
    told = project.run("bench", "nothing")
    assert told.returncode == 1
    assert "nothing" in told.stderr
