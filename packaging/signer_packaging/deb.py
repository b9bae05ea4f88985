"""The Debian package: the frozen program laid out as a system wants it, its fields, and `dpkg-deb`.

Run by `./run package` after PyInstaller; same program, same time (SOURCE_DATE_EPOCH), same bytes. The package has no
maintainer's scripts: what desktops keep about menus and icons they bring up to date by their own triggers.
"""

import gzip
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path

from signer_packaging.papers import LICENCES, SBOM, built_at

NAME = "signer"
DESKTOP_ID = "vn.signer.Signer"
LIBRARY = Path("usr/lib/signer")
_MAINTAINER = "Signer <maintainers@signer.invalid>"
_RECOMMENDS = ("pcscd", "softhsm2")
_SUGGESTS = ("opensc", "gnome-keyring", "libreoffice-writer-nogui", "pkexec")

# Where Ubuntu 24.04 and Debian 13 gave a library another name, both stand here.
_PACKAGES = {
    "ld-linux-x86-64.so.2": "libc6",
    "ld-linux-aarch64.so.1": "libc6",
    "libc.so.6": "libc6",
    "libm.so.6": "libc6",
    "libdl.so.2": "libc6",
    "libpthread.so.0": "libc6",
    "librt.so.1": "libc6",
    "libresolv.so.2": "libc6",
    "libutil.so.1": "libc6",
    "libcrypt.so.1": "libcrypt1",
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libbz2.so.1.0": "libbz2-1.0",
    "liblzma.so.5": "liblzma5",
    "libzstd.so.1": "libzstd1",
    "libexpat.so.1": "libexpat1",
    "libffi.so.8": "libffi8",
    "libuuid.so.1": "libuuid1",
    "libsqlite3.so.0": "libsqlite3-0",
    "libssl.so.3": "libssl3 | libssl3t64",
    "libcrypto.so.3": "libssl3 | libssl3t64",
    "libglib-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgthread-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgobject-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgio-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libICE.so.6": "libice6",
    "libSM.so.6": "libsm6",
    "libcups.so.2": "libcups2 | libcups2t64",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinput.so.0": "libxcb-xinput0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}

_ALWAYS = ("libdbus-1-3", "libegl1", "libgl1", "hicolor-icon-theme")
"""Loaded by Qt when it runs, so that no file names them; and the folder of icons."""


class UnknownLibraryError(Exception):
    """The program needs a library of which it isn't known which package has it."""


@dataclass(frozen=True)
class Needs:
    """What the program's files want of the system."""

    libraries: frozenset[str]
    glibc: tuple[int, ...]


def make_deb(root: Path, program: Path, version: str, out: Path) -> Path:
    """Makes `signer_VERSION_ARCH.deb` in `out` from the frozen `program`; UnknownLibraryError."""
    architecture = _told("dpkg", "--print-architecture")
    with tempfile.TemporaryDirectory(prefix="signer-deb-") as name:
        tree = Path(name) / "tree"
        lay_out(root, program, version, tree)
        fields = control(version, architecture, needs(program), _kilobytes(tree))
        _write(tree / "DEBIAN" / "control", fields)
        _write(tree / "DEBIAN" / "md5sums", _sums(tree))
        _settle(tree)
        made = out / f"{NAME}_{version}_{architecture}.deb"
        out.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", str(tree), str(made)],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(int(built_at().timestamp()))},
            stdout=subprocess.DEVNULL,
            check=True,
        )
    return made


def lay_out(root: Path, program: Path, version: str, tree: Path) -> None:
    """The files of the package below `tree`."""
    linux = root / "packaging" / "linux"
    shutil.copytree(program, tree / LIBRARY, symlinks=True, ignore=shutil.ignore_patterns(LICENCES, SBOM))
    for command in ("signer", "signer-gui"):
        link = tree / "usr/bin" / command
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../lib/signer/{command}")
    for entry in sorted(linux.glob("*.desktop")):
        _write(tree / "usr/share/applications" / entry.name, entry.read_text(encoding="utf-8"))
    told = (linux / f"{DESKTOP_ID}.metainfo.xml").read_text(encoding="utf-8")
    told = told.replace("@VERSION@", version).replace("@DATE@", f"{built_at():%Y-%m-%d}")
    _write(tree / "usr/share/metainfo" / f"{DESKTOP_ID}.metainfo.xml", told)
    icons = root / "resources/signer_resources/icons"
    for picture in sorted(icons.glob("signer-*.png")):
        size = picture.stem.removeprefix("signer-")
        _copy(picture, tree / f"usr/share/icons/hicolor/{size}x{size}/apps/{DESKTOP_ID}.png")
    _copy(icons / "signer.svg", tree / f"usr/share/icons/hicolor/scalable/apps/{DESKTOP_ID}.svg")
    papers = tree / "usr/share/doc" / NAME
    _copy(program / LICENCES, papers / "copyright")
    _copy(program / SBOM, papers / SBOM)
    change = f"{NAME} ({version}) stable; urgency=medium\n\n  * Version {version}.\n\n -- {_MAINTAINER}  "
    change += f"{format_datetime(built_at())}\n"
    (papers / "changelog.gz").write_bytes(gzip.compress(change.encode(), mtime=0))


def needs(program: Path) -> Needs:
    """Asks every ELF file of the program what it is linked to, and leaves out what the program brings along."""
    files = [file for file in sorted(program.rglob("*")) if file.is_file() and not file.is_symlink() and _is_elf(file)]
    own = {file.name for file in program.rglob("*")}
    told = _told("readelf", "--dynamic", "--version-info", "--wide", *map(str, files))
    libraries = set(re.findall(r"\(NEEDED\).*\[([^\]]+)\]", told)) - own
    versions = {tuple(map(int, found.split("."))) for found in re.findall(r"Name: GLIBC_([0-9.]+)", told)}
    return Needs(frozenset(libraries), max(versions, default=(2, 17)))


def control(version: str, architecture: str, wanted: Needs, kilobytes: int) -> str:
    """The package's fields; UnknownLibraryError."""
    depends = depends_on(wanted)
    return "\n".join(
        (
            f"Package: {NAME}",
            f"Version: {version}",
            f"Architecture: {architecture}",
            f"Maintainer: {_MAINTAINER}",
            "Section: misc",
            "Priority: optional",
            f"Installed-Size: {kilobytes}",
            f"Depends: {', '.join(depends)}",
            f"Recommends: {', '.join(_RECOMMENDS)}",
            f"Suggests: {', '.join(_SUGGESTS)}",
            "Description: signs, checks and exchanges the documents of an agency",
            " For the clerks of Vietnam's agencies: signs PDF documents with the USB token on",
            " this machine, checks them again, keeps them, and sends them to the document",
            " server when there is a network.",
            " .",
            " Ký số, kiểm tra và gửi nhận văn bản của cơ quan.",
            "",
        )
    )


def depends_on(wanted: Needs) -> list[str]:
    """The field Depends, each package once; UnknownLibraryError."""
    unknown = sorted(wanted.libraries - _PACKAGES.keys())
    if unknown:
        raise UnknownLibraryError(", ".join(unknown))
    packages = {_PACKAGES[library] for library in wanted.libraries} | set(_ALWAYS)
    packages.discard("libc6")
    return [f"libc6 (>= {'.'.join(map(str, wanted.glibc))})", *sorted(packages)]


def _is_elf(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def _told(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    return ran.stdout.strip()


def _kilobytes(tree: Path) -> int:
    """As Debian's policy counts: files in whole kilobytes, every folder and link as one."""
    total = 0
    for path in tree.rglob("*"):
        status = path.lstat()
        total += -(-status.st_size // 1024) if stat.S_ISREG(status.st_mode) else 1
    return total


def _sums(tree: Path) -> str:
    lines = []
    for path in _files(tree):
        if path.relative_to(tree).parts[0] != "DEBIAN":
            digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            lines.append(f"{digest}  {path.relative_to(tree)}\n")
    return "".join(lines)


def _files(tree: Path) -> Iterable[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())


def _settle(tree: Path) -> None:
    """One time and the usual rights for everything, whoever builds and with whatever umask."""
    when = int(built_at().timestamp())
    programs = {tree / LIBRARY / "signer", tree / LIBRARY / "signer-gui"}
    for path in [*tree.rglob("*"), tree]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in programs else 0o644)
        os.utime(path, (when, when), follow_symlinks=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main(arguments: list[str]) -> int:
    """`PROGRAM OUT [VERSION]`: the frozen program, where the package goes, a version other than the project's."""
    import tomllib

    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    program, out = Path(arguments[0]), Path(arguments[1])
    version = arguments[2] if len(arguments) > 2 else project["version"]
    sys.stdout.write(f"{make_deb(root, program, version, out)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
