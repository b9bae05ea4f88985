"""The Debian package: its fields, its files and what desktops read in it, with a stand-in for the program."""

import configparser
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from signer_packaging.deb import DESKTOP_ID, Needs, UnknownLibraryError, control, depends_on, make_deb, needs

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's tools are missing")

VERSION = "1.2.3"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    inside = folder / "_internal"
    inside.mkdir()
    for name in ("signer", "signer-gui"):
        shutil.copy("/bin/true", folder / name)
    (inside / "data.toml").write_text("a = 1\n", encoding="utf-8")
    (inside / "data.toml").chmod(0o600)
    (folder / "licences.txt").write_text("all of them\n", encoding="utf-8")
    (folder / "sbom.cdx.json").write_text("{}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def package(root: Path, program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        return make_deb(root, program, VERSION, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(folder)], check=True)
    return folder


def _fields(package: Path) -> dict[str, str]:
    told = subprocess.run(["dpkg-deb", "--field", str(package)], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^([A-Za-z-]+): (.*)$", told, re.MULTILINE))


def test_the_fields_say_what_it_needs(package: Path) -> None:
    fields = _fields(package)
    assert package.name == f"signer_{VERSION}_{fields['Architecture']}.deb"
    assert (fields["Package"], fields["Version"]) == ("signer", VERSION)
    assert re.search(r"(^|, )libc6 \(>= 2\.\d+\)", fields["Depends"])
    assert {"libegl1", "libgl1", "libdbus-1-3"} <= set(fields["Depends"].split(", "))
    assert {"softhsm2", "pcscd"} <= set(fields["Recommends"].split(", "))
    assert int(fields["Installed-Size"]) > 0


def test_libraries_become_packages_under_both_of_their_names() -> None:
    wanted = Needs(frozenset({"libssl.so.3", "libcrypto.so.3", "libc.so.6", "libxcb-cursor.so.0"}), (2, 36))
    depends = depends_on(wanted)
    assert depends[0] == "libc6 (>= 2.36)"
    assert depends.count("libssl3 | libssl3t64") == 1
    assert "libxcb-cursor0" in depends


def test_a_library_of_no_known_package_ends_the_build() -> None:
    with pytest.raises(UnknownLibraryError, match=r"libnew\.so\.9"):
        control(VERSION, "amd64", Needs(frozenset({"libnew.so.9"}), (2, 36)), 1)


def test_what_the_program_brings_along_is_asked_of_nobody(program: Path, tmp_path: Path) -> None:
    own = tmp_path / "program"
    shutil.copytree(program, own)
    assert "libc.so.6" in needs(own).libraries
    (own / "_internal" / "libc.so.6").touch()
    assert "libc.so.6" not in needs(own).libraries


def test_the_same_program_gives_the_same_package(
    root: Path, program: Path, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    again = tmp_path / "program"
    shutil.copytree(program, again)
    for file in again.rglob("*"):
        file.chmod(0o700)
    assert make_deb(root, again, VERSION, tmp_path / "out").read_bytes() == package.read_bytes()


def test_files_lie_where_a_system_looks_for_them(unpacked: Path, root: Path) -> None:
    for name in ("signer", "signer-gui"):
        assert (unpacked / "usr/bin" / name).readlink() == Path(f"../lib/signer/{name}")
        assert (unpacked / "usr/lib/signer" / name).stat().st_mode & 0o777 == 0o755
    assert (unpacked / "usr/lib/signer/_internal/data.toml").stat().st_mode & 0o777 == 0o644
    papers = unpacked / "usr/share/doc/signer"
    assert (papers / "copyright").read_text(encoding="utf-8") == "all of them\n"
    assert {"sbom.cdx.json", "changelog.gz"} <= {file.name for file in papers.iterdir()}
    lines = (unpacked / "DEBIAN/md5sums").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = [file for file in (unpacked / "usr").rglob("*") if file.is_file() and not file.is_symlink()]
    assert {str(file.relative_to(unpacked)) for file in files} == set(sums)
    one = unpacked / "usr/share/doc/signer/copyright"
    assert sums["usr/share/doc/signer/copyright"] == hashlib.md5(one.read_bytes(), usedforsecurity=False).hexdigest()
    assert {file.name for file in (unpacked / "DEBIAN").iterdir()} == {"control", "md5sums"}


def test_the_icon_is_there_in_every_size(unpacked: Path) -> None:
    from PIL import Image

    folder = unpacked / "usr/share/icons/hicolor"
    for size in (16, 24, 32, 48, 64, 128, 256):
        with Image.open(folder / f"{size}x{size}" / "apps" / f"{DESKTOP_ID}.png") as picture:
            assert picture.size == (size, size)
    assert (folder / "scalable/apps" / f"{DESKTOP_ID}.svg").is_file()


def test_the_icons_are_drawn_from_the_drawing(root: Path, tmp_path: Path) -> None:
    from PIL import Image, ImageChops

    tool = root / "resources" / "tools" / "build_icons.py"
    subprocess.run([sys.executable, str(tool), "--out", str(tmp_path)], check=True)
    for made in tmp_path.glob("*.png"):
        with Image.open(made) as new, Image.open(root / "resources/signer_resources/icons" / made.name) as kept:
            counts = ImageChops.difference(new.convert("RGBA"), kept.convert("RGBA")).histogram()
            # By channel and by how different: a few steps are rounding.
            assert not any(sum(counts[band * 256 + 17 : (band + 1) * 256]) for band in range(4)), made.name


def test_menu_and_pdf_entries_start_the_window(unpacked: Path, root: Path) -> None:
    scripts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["gui-scripts"]
    entries = {}
    for file in (unpacked / "usr/share/applications").iterdir():
        parser = configparser.ConfigParser(interpolation=None, strict=True)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(file, encoding="utf-8")
        entries[file.name] = parser["Desktop Entry"]
    menu, pdf = entries[f"{DESKTOP_ID}.desktop"], entries[f"{DESKTOP_ID}.sign.desktop"]
    for entry in (menu, pdf):
        assert entry["Exec"].split()[0] in scripts
        assert entry["Icon"] == DESKTOP_ID
    assert pdf["Name[vi]"] == "Ký số…"
    assert (pdf["MimeType"], pdf["NoDisplay"]) == ("application/pdf;", "true")
    assert pdf["Exec"].endswith(" %F")
    # The one in the menu must not offer itself for files as well.
    assert "MimeType" not in menu


def test_the_window_goes_by_the_name_of_its_entry(root: Path) -> None:
    source = (root / "ui/signer_ui/application.py").read_text(encoding="utf-8")
    assert f'setDesktopFileName("{DESKTOP_ID}")' in source


def test_the_store_of_programs_is_told_of_this_version(unpacked: Path) -> None:
    told = ET.parse(unpacked / "usr/share/metainfo" / f"{DESKTOP_ID}.metainfo.xml").getroot()  # noqa: S314 - ours
    assert told.findtext("id") == DESKTOP_ID
    assert told.findtext("launchable") == f"{DESKTOP_ID}.desktop"
    (release,) = told.iter("release")
    assert release.attrib == {"version": VERSION, "date": "2023-11-14"}


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is missing")
def test_the_entries_are_valid(unpacked: Path) -> None:
    files = [str(file) for file in (unpacked / "usr/share/applications").iterdir()]
    told = subprocess.run(["desktop-file-validate", *files], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="appstream is missing")
def test_the_metainfo_is_valid(unpacked: Path) -> None:
    file = unpacked / "usr/share/metainfo" / f"{DESKTOP_ID}.metainfo.xml"
    told = subprocess.run(
        ["appstreamcli", "validate", "--no-net", str(file)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout


def test_the_script_that_tries_it_is_sound(root: Path) -> None:
    script = root / "packaging" / "linux" / "try_in_chroot.sh"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)
