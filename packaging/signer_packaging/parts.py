"""What the frozen program consists of: which distributions its files come from, and what those carry inside.

Asks the installed packages themselves (metadata, their own lists of parts, version functions), so it is run in the
environment that the program was frozen in. Reads only. A file that nobody claims, or a licence that can't be told, ends
the build.
"""

import importlib.metadata
import json
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from license_expression import ExpressionError, Licensing, get_spdx_licensing

from signer_packaging.contents import ROOMS

LICENCES = Path(__file__).resolve().parents[1] / "licences"
"""Texts that don't come with what is installed."""

_MICROSOFT = re.compile(r"^(vcruntime|msvcp|concrt|ucrtbase|api-ms-win-)", re.IGNORECASE)

_SAID = {
    # Their metadata tells less than an expression; read in the texts that come with them.
    "certifi": "MPL-2.0",
    "pypdfium2": "(Apache-2.0 OR BSD-3-Clause) AND BSD-3-Clause",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
    "lxml": "BSD-3-Clause AND MIT",
    "pyrage": "MIT",
}
_CLASSIFIED = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
_OWN_TEXTS = {
    "pyside6-essentials": ("qt.txt", "lgpl-3.0.txt", "gpl-3.0.txt"),
    "shiboken6": ("qt.txt", "lgpl-3.0.txt", "gpl-3.0.txt"),
}
_LIBRARY_LICENCES = {
    "openssl": "Apache-2.0",
    "libjpeg-turbo": "IJG AND BSD-3-Clause",
    "libxau": "MIT",
    "tinystr": "Unicode-3.0",
}
"""Of what others' lists name without a licence, or with a text only."""

_PILLOW_NEEDS = {
    "FreeType": "_imagingft",
    "FriBiDi": "_imagingft",
    "HarfBuzz": "_imagingft",
    "raqm": "_imagingft",
    "fribidi-shim": "_imagingft",
    "libavif": "_avif",
    "libwebp": "_webp",
    "pybind11": "",
    "Little CMS 2": "_imagingcms",
    "libimagequant": "libimagequant",
}
"""Pillow's list names all that it can be built with: in which file a part would be; "" is in none."""

_VENDORED = {
    "avif": ("libavif", "BSD-2-Clause"),
    "brotlicommon": ("Brotli", "MIT"),
    "brotlidec": ("Brotli", "MIT"),
    "freetype": ("FreeType", "FTL"),
    "harfbuzz": ("HarfBuzz", "MIT"),
    "jpeg": ("libjpeg-turbo", "IJG AND BSD-3-Clause"),
    "lcms2": ("Little CMS 2", "MIT"),
    "lzma": ("XZ Utils", "0BSD"),
    "openjp2": ("OpenJPEG", "BSD-2-Clause"),
    "png16": ("libpng", "libpng-2.0"),
    "qpdf": ("qpdf", "Apache-2.0"),
    "sharpyuv": ("libwebp", "BSD-3-Clause"),
    "tiff": ("libtiff", "libtiff"),
    "webp": ("libwebp", "BSD-3-Clause"),
    "webpdemux": ("libwebp", "BSD-3-Clause"),
    "webpmux": ("libwebp", "BSD-3-Clause"),
    "Xau": ("libXau", "MIT"),
    "xcb": ("libxcb", "X11"),
    "zstd": ("Zstandard", "BSD-3-Clause"),
}
"""Libraries that packagers of wheels put beside them under a name with a hash, by the name without it."""

_QT_INSIDE = (
    ("ICU", "Unicode-3.0"),
    ("PCRE2", "BSD-3-Clause"),
    ("zlib", "Zlib"),
    ("libpng", "libpng-2.0"),
    ("FreeType", "FTL"),
    ("HarfBuzz", "MIT"),
    ("libjpeg-turbo", "IJG AND BSD-3-Clause"),
    ("double-conversion", "BSD-3-Clause"),
    ("MD4C", "MIT"),
)


class UnclaimedFilesError(Exception):
    """Files in the program of which nobody knows whose they are."""


class UnknownLicenceError(Exception):
    """A part whose licence can't be told."""


@dataclass(frozen=True)
class Part:
    """Something that is shipped: a distribution, a library inside of one, Python itself."""

    name: str
    version: str | None
    licence: str
    """An SPDX expression."""
    texts: tuple[Path, ...] = ()
    """Files with its licence and notices; of a library inside of a distribution they are the distribution's."""
    carrier: str | None = None
    """The distribution that holds it, for a library inside of one."""
    purl: str | None = None

    @property
    def key(self) -> str:
        """What tells it from every other part."""
        return ":".join(filter(None, (self.carrier, self.name, self.version)))


def parts_of(root: Path, sources: Iterable[Path]) -> list[Part]:
    """The parts that `sources`, the files which were put into the program from the checkout `root`, come from.

    UnclaimedFilesError, UnknownLicenceError.
    """
    files = {source.resolve() for source in sources}
    claimed = _claimed_by_distributions(files)
    unclaimed = sorted(str(file) for file in files if file not in claimed and not _known(file, root))
    if unclaimed:
        raise UnclaimedFilesError("\n".join(unclaimed))
    found = [_python(), _bootloader(), _ourselves(root)]
    found += _fonts(root)
    if any(_MICROSOFT.match(file.name) for file in files):
        found.append(_microsoft())
    by_name: dict[str, set[Path]] = {}
    for file, name in claimed.items():
        by_name.setdefault(name, set()).add(file)
    # These stand there already: the program, and its loader with the hooks that belong to it.
    for name in ("signer", "pyinstaller", "pyinstaller-hooks-contrib"):
        by_name.pop(name, None)
    for name, own in by_name.items():
        found.append(distribution_part(name))
        found += _inside(name, {file.name for file in own})
    return sorted(found, key=lambda part: (part.name.lower(), part.carrier or ""))


def distribution_part(name: str) -> Part:
    """The distribution as a part; UnknownLicenceError."""
    found = importlib.metadata.distribution(name)
    shown = _normal(found.metadata["Name"])
    texts = tuple(_licence_files(found)) or tuple(LICENCES / text for text in _OWN_TEXTS.get(shown, ()))
    if not texts:
        raise UnknownLicenceError(f"{shown} comes without the text of its licence")
    return Part(shown, found.version, _licence_of(found), texts, purl=f"pkg:pypi/{shown}@{found.version}")


def may_be_shipped(licence: str) -> bool:
    """Whether an SPDX expression leaves a choice without the GPL or AGPL, the loader's exception apart."""
    return bool(_allowed(_licensing().parse(licence, validate=True)))


def _allowed(expression: object) -> bool:
    arguments = getattr(expression, "args", ())
    match type(expression).__name__:
        case "AND":
            return all(_allowed(argument) for argument in arguments)
        case "OR":
            return any(_allowed(argument) for argument in arguments)
    key = str(getattr(expression, "key", expression))
    return key.endswith("WITH Bootloader-exception") or not key.startswith(("GPL-", "AGPL-"))


@cache
def _licensing() -> Licensing:
    return get_spdx_licensing()


def _claimed_by_distributions(files: set[Path]) -> dict[Path, str]:
    claimed, names = {}, {file.name for file in files}
    for found in importlib.metadata.distributions():
        name = _normal(found.metadata["Name"])
        for entry in found.files or ():
            # Asking the disk for each of some ten thousand files takes seconds.
            if entry.name not in names:
                continue
            place = Path(str(entry.locate())).resolve()
            if place in files:
                claimed[place] = name
    return claimed


def _known(file: Path, root: Path) -> bool:
    """Ours, Python's, or a run-time library of Windows."""
    if _MICROSOFT.match(file.name) or file.name == "base_library.zip" or file.name.startswith("libpython"):
        return True
    # The environment may lie in the checkout, and Python's libraries hold a folder for other people's.
    if "site-packages" in file.parts:
        return False
    ours = [root / folder for folder in (*ROOMS.values(), "packaging")]
    python = [Path(place) for place in (sys.base_prefix, *map(sysconfig.get_path, ("stdlib", "platstdlib")))]
    return any(file.is_relative_to(place.resolve()) for place in (*ours, *python))


def _python() -> Part:
    version = platform.python_version()
    return Part("Python", version, "PSF-2.0", (LICENCES / "python.txt",), purl=f"pkg:generic/python@{version}")


def _bootloader() -> Part:
    part = distribution_part("pyinstaller")
    return Part("PyInstaller bootloader", part.version, part.licence, part.texts, purl=part.purl)


def _ourselves(root: Path) -> Part:
    version = importlib.metadata.version("signer")
    return Part("signer", version, "Apache-2.0", (root / "LICENSE",), purl=f"pkg:generic/signer@{version}")


def _fonts(root: Path) -> Iterator[Part]:
    folder = root / "resources" / "signer_resources" / "fonts"
    yield Part("Be Vietnam Pro", None, "OFL-1.1", (folder / "OFL-BeVietnamPro.txt",), carrier="signer")
    yield Part("Signer Serif (Tinos)", None, "OFL-1.1", (folder / "OFL.txt",), carrier="signer")


def _microsoft() -> Part:
    return Part("Microsoft Visual C++ Runtime", None, "LicenseRef-Microsoft-Visual-Cpp-Runtime", carrier="Python")


# ---- what distributions carry inside --------------------------------------------------------------------------------


def _inside(name: str, files: set[str]) -> Iterator[Part]:
    """Libraries inside of a distribution of which `files` are in the program."""
    listed = list(_listed_by_itself(name, files))
    yield from listed
    yield from _beside(name, files, {part.name.lower() for part in listed})
    match name:
        case "pyside6-essentials":
            version = importlib.metadata.version(name)
            yield Part("Qt", version, "LGPL-3.0-only", carrier=name, purl=f"pkg:generic/qt@{version}")
            icu = next((match[1] for file in files if (match := re.match(r"libicudata\.so\.(\d+)", file))), None)
            for inside, licence in _QT_INSIDE:
                yield Part(inside, icu if inside == "ICU" else None, licence, carrier=name)
        case "pypdfium2":
            import pypdfium2_raw

            version = json.loads((Path(pypdfium2_raw.__file__).parent / "version.json").read_text(encoding="utf-8"))
            told = ".".join(str(version[key]) for key in ("major", "minor", "build", "patch"))
            yield Part("PDFium", told, "BSD-3-Clause", carrier=name, purl=f"pkg:generic/pdfium@{told}")
        case "pikepdf":
            import pikepdf

            told = str(pikepdf.__libqpdf_version__)
            yield Part("qpdf", told, "Apache-2.0", carrier=name, purl=f"pkg:generic/qpdf@{told}")
        case "lxml":
            from lxml import etree

            for library, numbers in (("libxml2", etree.LIBXML_VERSION), ("libxslt", etree.LIBXSLT_VERSION)):
                told = ".".join(map(str, numbers))
                yield Part(library, told, "MIT", carrier=name, purl=f"pkg:generic/{library}@{told}")


def _beside(name: str, files: set[str], listed: set[str]) -> Iterator[Part]:
    """Libraries that lie beside its own and stand in no list."""
    found = {}
    for file in files:
        match = re.match(r"lib([A-Za-z0-9]+)-[0-9a-f]{8}\.so", file)
        if match is None:
            continue
        if match[1] not in _VENDORED:
            raise UnknownLicenceError(f"{file} in {name}")
        inside, licence = _VENDORED[match[1]]
        if inside != "qpdf" and not any(inside.lower() in told for told in listed):
            found[inside] = Part(inside, None, licence, carrier=name)
    yield from found.values()


def _listed_by_itself(name: str, files: set[str]) -> Iterator[Part]:
    """What stands in the lists of parts that a distribution brings along (PEP 770)."""
    for entry in importlib.metadata.files(name) or ():
        if entry.parent.name != "sboms" or entry.suffix != ".json":
            continue
        told = json.loads(Path(str(entry.locate())).read_text(encoding="utf-8"))
        for component in told.get("components", ()):
            inside = str(component["name"])
            if _normal(inside) == name or inside.startswith("PIL."):
                continue
            if name == "pillow" and not _in_pillow(inside, files):
                continue
            licence = _component_licence(component) or _LIBRARY_LICENCES.get(inside.lower())
            if licence is None:
                raise UnknownLicenceError(f"{inside} in {name}")
            purl = component.get("purl")
            yield Part(inside, component.get("version"), licence, carrier=name, purl=purl and str(purl).split("?")[0])


def _in_pillow(inside: str, files: set[str]) -> bool:
    needs = _PILLOW_NEEDS.get(inside)
    if needs is None:
        return True
    return bool(needs) and any(file.startswith((needs, f"lib{needs.removeprefix('lib')}")) for file in files)


def _component_licence(component: dict[str, object]) -> str | None:
    licences = component.get("licenses")
    entries = licences if isinstance(licences, list) else []
    told = [entry.get("expression") or entry.get("license", {}).get("id") for entry in entries]
    return " AND ".join(f"({one})" if " OR " in one else one for one in told if one) or None


# ---- metadata -------------------------------------------------------------------------------------------------------


def _licence_of(found: importlib.metadata.Distribution) -> str:
    name = _normal(found.metadata["Name"])
    if name in _SAID:
        return _SAID[name]
    for field in ("License-Expression", "License"):
        for told in found.metadata.get_all(field) or ():
            if _is_expression(told):
                return str(told)
    for classifier in found.metadata.get_all("Classifier") or ():
        if classifier in _CLASSIFIED:
            return _CLASSIFIED[classifier]
    raise UnknownLicenceError(name)


def _is_expression(told: str) -> bool:
    try:
        _licensing().parse(told, validate=True)
    except ExpressionError:
        return False
    return True


def _licence_files(found: importlib.metadata.Distribution) -> Iterator[Path]:
    for entry in found.files or ():
        in_metadata = any(part.endswith(".dist-info") for part in entry.parts)
        told = "licenses" in entry.parts or entry.name.upper().startswith(("LICEN", "COPYING", "NOTICE"))
        if in_metadata and told and (place := Path(str(entry.locate()))).is_file():
            yield place


def _normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
