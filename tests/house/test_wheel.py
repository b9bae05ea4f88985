"""The wheel: what is shipped, and what is not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOMS = {
    "signer_app": "signer_app",
    "signer_token": "token/signer_token",
    "signer_sync": "sync/signer_sync",
    "signer_server": "sync/signer_server",
    "signer_resources": "resources/signer_resources",
}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(root)],
        # A `token` folder or another project must not stand in the way of what is built.
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_holds_every_file_of_every_room(wheel: Path, root: Path, committed: list[Path]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    wanted = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for path in committed
        for package, folder in ROOMS.items()
        if path.is_relative_to(folder)
    }
    assert not wanted - shipped
    kinds = ("fonts/*.ttf", "samples/*.pdf", "messages/*.toml", "rules/*.toml", "calendar/*.toml", "images/*.png")
    for kind in (*kinds, "schemas/*.json"):
        assert any(Path(name).match(f"signer_resources/{kind}") for name in shipped), kind
    assert "signer_app/store/migrations/0001_initial.sql" in shipped
    assert {"signer_server/schema.sql", "signer_server/schema_2.sql", "signer_server/schema_3.sql"} <= shipped


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        licences = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    assert {name for name in tops if not name.endswith(".dist-info")} - {"signer_ui"} == set(ROOMS)
    assert licences


def test_the_program_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    where = "import signer_app, signer_token, sys; print(signer_app.__file__, signer_token.__file__)"
    run = "from signer_app.__main__ import main; sys.argv = ['signer', '--lang', 'en', '--help']; main()"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", f"{where}; {run}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "unpacked"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    first, rest = ran.stdout.split("\n", 1)
    assert all(name.startswith(str(tmp_path)) for name in first.split())
    assert "verify" in rest
