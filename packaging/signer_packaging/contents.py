"""What goes into the frozen program, and what stays out: the one place that `build.spec` reads it from.

Plain values and questions about paths; runs nothing, writes nothing.
"""

import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOMS = {
    "signer_app": "signer_app",
    "signer_ui": "ui/signer_ui",
    "signer_token": "token/signer_token",
    "signer_sync": "sync/signer_sync",
    "signer_resources": "resources/signer_resources",
}
"""Packages that are shipped, and where they lie in the checkout; the reference server is none of them."""

DEMO = "signer_app.demo"
DEMO_SHIPPED = frozenset({DEMO, f"{DEMO}.batch", f"{DEMO}.command", f"{DEMO}.files", f"{DEMO}.leaf", f"{DEMO}.softhsm"})
"""All of the demonstration that is shipped: its software token and its batches, which training uses, and the words with
which the command says that the rest is missing.
"""

METADATA = ("signer", "keyring")
"""Distributions that are asked for their version or their entry points while the program runs."""

EXCLUDES = (
    # The demonstration's services, and what only they want.
    *("signer_server", "certomancer", "starlette", "uvicorn", "werkzeug", "jinja2", "click"),
    # Of pyHanko what shapes letters and draws codes; of rich what colours source code.
    *("uharfbuzz", "yaml", "qrcode", "barcode", "defusedxml", "pygments", "markdown_it", "mdurl"),
    # Tools of development that libraries ask for when they are there.
    *("pytest", "_pytest", "hypothesis", "mypy", "setuptools", "pip", "pkg_resources", "IPython", "numpy", "reportlab"),
    # Python's own parts for terminals, other databases, other windows, tests, and pools of forked processes.
    *("tkinter", "_tkinter", "turtle", "idlelib", "lib2to3", "pydoc", "pydoc_data", "pdb", "doctest", "test"),
    *("unittest", "readline", "curses", "_curses", "_curses_panel", "dbm.gnu", "dbm.ndbm", "_gdbm", "_dbm"),
    *("distutils", "xmlrpc", "multiprocessing"),
    # Of Qt the window needs Core, Gui, Widgets and Network.
    *("PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtSql", "PySide6.QtTest", "PySide6.QtDesigner"),
    # Of Pillow what draws letters, mixes inks, shows windows, and reads what no scanner writes.
    *("PIL.ImageTk", "PIL.ImageQt", "PIL.ImageGrab", "PIL.ImageShow", "PIL.FpxImagePlugin", "PIL.MicImagePlugin"),
    *("PIL._imagingft", "PIL._imagingcms", "PIL._avif", "PIL._webp"),
    *("lxml.html", "lxml.objectify", "lxml.isoschematron", "lxml.cssselect", "lxml.sax", "lxml.builder"),
)

_QT_PLUGINS = {
    "platforms": ("qxcb", "qoffscreen", "qminimal", "qwindows"),
    "xcbglintegrations": ("qxcb-glx", "qxcb-egl"),
    "platformthemes": ("qxdgdesktopportal",),
    "platforminputcontexts": ("composeplatforminputcontext", "ibusplatforminputcontext"),
    "imageformats": ("qico", "qjpeg", "qsvg"),
    "iconengines": ("qsvgicon",),
    "printsupport": ("cupsprintersupport", "windowsprintersupport"),
    "styles": ("qmodernwindowsstyle",),
}
"""Of Qt's plugins those that were tried. Wayland's is left out: there the window goes by XWayland."""

_QT_LIBRARIES = ("Core", "Gui", "Widgets", "Network", "DBus", "PrintSupport", "XcbQpa", "Svg", "OpenGL")


def modules(root: Path) -> list[str]:
    """Every module of the rooms, since panes and commands are loaded by name."""
    found = []
    for folder in ROOMS.values():
        for file in sorted((root / folder).rglob("*.py")):
            parts = file.relative_to((root / folder).parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if ships(name):
                found.append(name)
    return found


def ships(module: str) -> bool:
    """Whether a module of ours is in the installer."""
    return not (module == DEMO or module.startswith(f"{DEMO}.")) or module in DEMO_SHIPPED


def unshipped(root: Path) -> list[str]:
    """Modules of the rooms that must not be found in the frozen program."""
    demo = root / ROOMS["signer_app"] / "demo"
    names = (f"{DEMO}.{file.stem}" for file in sorted(demo.glob("*.py")) if file.stem != "__init__")
    return [name for name in names if not ships(name)]


def data_files(root: Path) -> list[tuple[str, str]]:
    """Files that the rooms read: (where it lies, the folder it gets)."""
    return [
        (str(file), str(file.relative_to((root / folder).parent).parent))
        for folder in ROOMS.values()
        for file in sorted((root / folder).rglob("*"))
        if file.is_file() and file.suffix not in {".py", ".pyc"}
    ]


def search_path(root: Path) -> list[str]:
    """Where the rooms' packages are imported from."""
    return list(dict.fromkeys(str((root / folder).parent) for folder in ROOMS.values()))


def belongs(destination: str, source: str) -> bool:
    """Whether a library or data file that was found on the way goes into the program."""
    path = PurePosixPath(destination.replace("\\", "/"))
    if "PySide6" in path.parts:
        return _of_qt(path)
    if any(part.endswith(".dist-info") for part in path.parts):
        # The rest tells of the machine that it was installed on.
        return path.name in {"METADATA", "entry_points.txt"}
    return not _of_the_system(path.name, source)


def kept(entries: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Of PyInstaller's entries (destination, source, kind) those that go in."""
    # Of a link what counts is where it leads.
    return [
        (name, source, kind)
        for name, source, kind in entries
        if (belongs(source, source) if kind == "SYMLINK" else belongs(name, source))
    ]


def _of_qt(path: PurePosixPath) -> bool:
    if {"translations", "qml", "metatypes", "libexec", "typesystems", "glue"} & set(path.parts):
        return False
    stem = path.name.split(".")[0]
    if "plugins" in path.parts:
        return stem.removeprefix("lib") in _QT_PLUGINS.get(path.parent.name, ())
    if stem.startswith(("libQt6", "Qt6")):
        return stem.removeprefix("lib").removeprefix("Qt6") in _QT_LIBRARIES
    # A drawing library in software for machines without OpenGL; the widgets draw without any.
    return stem.lower() != "opengl32sw"


def _of_the_system(name: str, source: str) -> bool:
    """Libraries of the distribution come with the package's Depends: so its security updates reach them, and a vendor's
    driver finds the libraries that it was made for. Python's own library isn't in every release.
    """
    if sys.platform == "win32" or name.startswith("libpython"):
        return False
    system = source.startswith(("/lib/", "/lib64/", "/usr/lib/"))
    return system and ".so" in name and name.startswith("lib")
