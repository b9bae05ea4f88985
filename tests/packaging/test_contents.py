"""What goes into the installed program, and how it finds its way when it is frozen."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from signer_app.workers import own_command
from signer_packaging import contents

_IMPORT_ALL = """
import importlib, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in LEFT_OUT):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Missing())
for name in MODULES:
    importlib.import_module(name)
"""


def test_the_program_needs_nothing_of_what_is_left_out(root: Path) -> None:
    names = [name for name in contents.modules(root) if not name.endswith("__main__")]
    left_out = [*contents.EXCLUDES, *contents.unshipped(root)]
    ran = subprocess.run(
        [sys.executable, "-c", f"MODULES = {names!r}\nLEFT_OUT = {left_out!r}\n{_IMPORT_ALL}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(contents.search_path(root))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_every_room_is_in_it_but_the_server_and_the_demonstration(root: Path) -> None:
    names = contents.modules(root)
    assert {name.split(".")[0] for name in names} == set(contents.ROOMS)
    assert {name for name in names if name.startswith(contents.DEMO)} == contents.DEMO_SHIPPED
    assert {"signer_ui.panes.today", "signer_app.cli.doctor", "signer_app.worker"} <= set(names)
    assert "signer_app.demo.services" in contents.unshipped(root)
    assert not set(names) & set(contents.unshipped(root))


def test_what_the_rooms_read_is_in_it(root: Path) -> None:
    kinds = {(Path(file).suffix, Path(folder).as_posix()) for file, folder in contents.data_files(root)}
    for wanted in ((".sql", "store/migrations"), (".toml", "messages"), (".ttf", "fonts"), (".png", "icons")):
        assert any(suffix == wanted[0] and folder.endswith(wanted[1]) for suffix, folder in kinds), wanted
    assert not {".py", ".pyc"} & {suffix for suffix, _ in kinds}


@pytest.mark.parametrize(
    ("destination", "source", "goes_in"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/v/libqxcb.so", True),
        ("PySide6/plugins/platforms/qwindows.dll", "C:/v/qwindows.dll", True),
        ("PySide6/Qt/plugins/platforms/libqwayland.so", "/v/libqwayland.so", False),
        ("PySide6/Qt/plugins/tls/libqopensslbackend.so", "/v/libqopensslbackend.so", False),
        ("PySide6/Qt/lib/libQt6Core.so.6", "/v/libQt6Core.so.6", True),
        ("PySide6\\Qt6Core.dll", "C:/v/Qt6Core.dll", True),
        ("PySide6/Qt/lib/libQt6Qml.so.6", "/v/libQt6Qml.so.6", False),
        ("PySide6/Qt/lib/libicudata.so.73", "/v/libicudata.so.73", True),
        ("PySide6/Qt/translations/qt_de.qm", "/v/qt_de.qm", False),
        ("PySide6/QtCore.abi3.so", "/v/QtCore.abi3.so", True),
        ("keyring-25.7.0.dist-info/entry_points.txt", "/v/keyring-25.7.0.dist-info/entry_points.txt", True),
        ("signer-1.dist-info/direct_url.json", "/v/signer-1.dist-info/direct_url.json", False),
    ],
)
def test_of_what_is_found_on_the_way_only_what_is_wanted_goes_in(destination: str, source: str, goes_in: bool) -> None:
    assert contents.belongs(destination, source) is goes_in


def test_a_link_to_what_stays_out_stays_out() -> None:
    links = [
        ("libQt6WaylandClient.so.6", "PySide6/Qt/lib/libQt6WaylandClient.so.6", "SYMLINK"),
        ("libQt6Core.so.6", "PySide6/Qt/lib/libQt6Core.so.6", "SYMLINK"),
    ]
    assert contents.kept(links) == links[1:]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no libraries of a distribution")
def test_libraries_of_the_distribution_stay_where_its_updates_reach_them() -> None:
    assert not contents.belongs("libssl.so.3", "/lib/x86_64-linux-gnu/libssl.so.3")
    assert not contents.belongs("libxcb-cursor.so.0", "/usr/lib/x86_64-linux-gnu/libxcb-cursor.so.0")
    assert contents.belongs("libpython3.11.so.1.0", "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0")
    assert contents.belongs("lib-dynload/_ssl.so", "/usr/lib/python3.11/lib-dynload/_ssl.so")
    assert contents.belongs("pillow.libs/libtiff-20b7e810.so.6", "/v/pillow.libs/libtiff-20b7e810.so.6")


@pytest.mark.parametrize(("window", "command"), [("signer-gui", "signer"), ("signer-gui.exe", "signer.exe")])
def test_children_of_the_installed_window_are_the_command_line(
    window: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / window))
    assert own_command("worker") == [str(tmp_path / command), "--child=worker"]
    monkeypatch.setattr(sys, "executable", str(tmp_path / command))
    assert own_command("pages") == [str(tmp_path / command), "--child=pages"]


@pytest.mark.parametrize("before", [None, "/opt/theirs"])
def test_programs_that_it_starts_get_their_own_libraries(
    before: str | None, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib/signer/_internal")
    if before is None:
        monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    else:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    runpy.run_path(str(root / "packaging" / "entries" / "own_environment.py"))
    assert os.environ.get("LD_LIBRARY_PATH") == before
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ


def test_what_is_frozen_starts_the_program(root: Path) -> None:
    entries = root / "packaging" / "entries"
    spec = (root / "build.spec").read_text(encoding="utf-8")
    compile(spec, "build.spec", "exec")
    for entry in sorted(entries.glob("*.py")):
        assert f'"{entry.name}"' in spec
    # A folder `packaging` that is a package would shadow the library of that name.
    assert not (root / "packaging" / "__init__.py").exists()
