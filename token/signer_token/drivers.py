"""Which PKCS#11 modules lie on this machine, whose they are, and what stands against using one.

Main process, any thread; blocks for a look at some hundred places. Loads no module and reads only the beginning of its
file (all of it only to compare two of the same size); what a module does when it is loaded is for `signer_token.probes`
to find out. Keeps nothing of what it found, and changes nothing.
"""

import filecmp
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from signer_resources.drivers import KnownDriver, System, known_drivers
from signer_resources.errors import KnownError
from signer_token.binaries import Binary, Fit, fit, own_binary, read_binary
from signer_token.driver_list import Listed, list_place, read_list
from signer_token.exposure import exposed


class Origin(StrEnum):
    """Who says that there is a driver."""

    SETTINGS = "settings"
    """The person: it is in use."""
    ADMINISTRATOR = "administrator"
    """The list that an administrator put on this machine."""
    TABLE = "table"
    """The table of known drivers."""


@dataclass(frozen=True)
class Candidate:
    """A module that somebody names or that lies in a known place; nothing was read of it yet."""

    path: PurePath
    origin: Origin
    name: str
    driver: KnownDriver | None
    """Its entry in the table, by its file's name; it may be another's file all the same."""


@dataclass(frozen=True)
class Module:
    """A module on this machine."""

    path: Path
    origin: Origin
    name: str
    driver: KnownDriver | None
    binary: Binary
    problem: KnownError | None
    """Why it isn't to be tried: driver_path_relative, module_missing, driver_exposed, driver_wrong_width,
    driver_wrong_machine.
    """
    aliases: tuple[Path, ...] = ()
    """Other places of the same file, or of a copy."""

    @property
    def in_use(self) -> bool:
        """Whether the settings name it: those come first, so a copy elsewhere is its alias."""
        return self.origin is Origin.SETTINGS


@dataclass(frozen=True)
class Survey:
    """What lies on this machine, in order of preference."""

    modules: tuple[Module, ...]
    list_problem: KnownError | None
    """Why the administrator's list was left out."""

    @property
    def usable(self) -> tuple[Module, ...]:
        """Those with nothing against trying them."""
        return tuple(module for module in self.modules if module.problem is None)


# Where to look


def own_system() -> System:
    """The operating system of this process."""
    if sys.platform == "win32":
        return System.WINDOWS
    return System.MACOS if sys.platform == "darwin" else System.LINUX


def known_modules(
    system: System,
    environ: Mapping[str, str],
    exists: Callable[[PurePath], bool],
    chosen: Sequence[str] = (),
    listed: Sequence[Listed] = (),
) -> tuple[Candidate, ...]:
    """Installed modules in order of preference: `chosen` in the settings, `listed` by the administrator, the table's.

    What a person names is there even if the file isn't, so that this can be told; of the table's only what `exists`,
    and only absolute paths, whatever `environ` says.
    """
    path_of = _path_type(system)
    found: dict[PurePath, Candidate] = {}
    for text in chosen:
        _add(found, path_of(text), Origin.SETTINGS)
    for entry in listed:
        _add(found, path_of(entry.path), Origin.ADMINISTRATOR, entry.name)
    for path in _table_places(system, environ):
        if path.is_absolute() and path not in found and exists(path):
            _add(found, path, Origin.TABLE)
    return tuple(found.values())


def _path_type(system: System) -> type[PurePath]:
    return PureWindowsPath if system is System.WINDOWS else PurePosixPath


def _add(found: dict[PurePath, Candidate], path: PurePath, origin: Origin, name: str = "") -> None:
    driver = _driver_named(path.name)
    found.setdefault(path, Candidate(path, origin, name or (driver.name if driver else path.name), driver))


def _driver_named(file: str) -> KnownDriver | None:
    """The driver that calls its files so; on Windows case means nothing, and elsewhere no two differ by case."""
    wanted = file.lower()
    for driver in known_drivers():
        if any(wanted == name.lower() for install in driver.install for name in install.names):
            return driver
    return None


def _table_places(system: System, environ: Mapping[str, str]) -> Iterator[PurePath]:
    """Every place of the table, in its order; what is for tests and what only passes others on comes last there."""
    path_of, gaps = _path_type(system), _gaps(system, environ)
    for driver in known_drivers():
        for install in driver.install:
            if install.system is system:
                folders = [folder for text in install.folders for folder in _filled(text, gaps)]
                yield from (path_of(folder, name) for name in install.names for folder in folders)


def _gaps(system: System, environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What stands for the gaps in the table's folders."""
    if system is System.WINDOWS:
        known = {name.upper(): value for name, value in environ.items()}
        # A 32-bit process finds its own folder under ProgramFiles, and the machine's under ProgramW6432.
        programs = known.get("PROGRAMW6432") or known.get("PROGRAMFILES") or "C:/Program Files"
        return {
            "{windows}": (known.get("SYSTEMROOT") or "C:/Windows",),
            "{programs}": (programs,),
            "{programs32}": (known.get("PROGRAMFILES(X86)") or "C:/Program Files (x86)",),
        }
    if system is System.MACOS:
        return {"{lib}": ("/usr/local/lib", "/opt/homebrew/lib")}
    return {
        "{lib}": (
            "/usr/lib",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64",
            "/usr/lib/i386-linux-gnu",
            "/usr/local/lib",
            "/usr/local/lib64",
        )
    }


def _filled(folder: str, gaps: Mapping[str, tuple[str, ...]]) -> list[str]:
    for gap, values in gaps.items():
        if folder.startswith(gap):
            return [value + folder.removeprefix(gap) for value in values]
    return [folder]


# What lies there


def survey(candidates: Sequence[Candidate], own: Binary) -> tuple[Module, ...]:
    """The candidates as they lie on this disk, each file once.

    A proxy of the table is left out where anything else can be used: it would show every token a second time.
    """
    modules: list[Module] = []
    for candidate in candidates:
        module = _looked_at(candidate, own)
        twin = next((n for n, other in enumerate(modules) if _same(other, module)), None)
        if twin is None:
            modules.append(module)
        else:
            modules[twin] = replace(modules[twin], aliases=(*modules[twin].aliases, module.path))
    if any(module.problem is None and not _offered_proxy(module) for module in modules):
        modules = [module for module in modules if not _offered_proxy(module)]
    return tuple(modules)


def _offered_proxy(module: Module) -> bool:
    return module.origin is Origin.TABLE and module.driver is not None and module.driver.proxy


def _looked_at(candidate: Candidate, own: Binary) -> Module:
    path = Path(candidate.path)
    binary, problem = Binary(), None
    if not candidate.path.is_absolute():
        problem = KnownError("driver_path_relative", module=str(candidate.path))
    elif not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a folder may not be looked into
        problem = KnownError("module_missing", module=str(path))
    else:
        binary = read_binary(path)
        problem = _exposed_problem(path) or misfit(path, binary, own)
    return Module(path, candidate.origin, candidate.name, candidate.driver, binary, problem)


def _exposed_problem(path: Path) -> KnownError | None:
    try:
        place = exposed(path)
    except OSError:  # it went away meanwhile
        return KnownError("module_missing", module=str(path))
    return None if place is None else KnownError("driver_exposed", module=str(path), place=str(place))


def misfit(path: Path, binary: Binary, own: Binary) -> KnownError | None:
    """Why no process that is `own` can load the file at `path`, which is `binary`; None where it may be tried."""
    match fit(binary, own):
        case Fit.OTHER_WIDTH:
            return KnownError("driver_wrong_width", module=str(path), bits=binary.bits, own=own.bits)
        case Fit.OTHER_MACHINE:
            return KnownError("driver_wrong_machine", module=str(path), built=str(binary), own=str(own))
        case Fit.FITS | Fit.UNKNOWN:
            return None


def _same(one: Module, other: Module) -> bool:
    """Whether it is the same file or a copy. With a problem of its own it counts apart, or it would hide the other."""
    if (one.problem and one.problem.code) != (other.problem and other.problem.code):
        return False
    try:
        return one.path.samefile(other.path) or filecmp.cmp(one.path, other.path, shallow=False)
    except (OSError, ValueError):
        return False


def look_around(chosen: Sequence[str] = ()) -> Survey:
    """What lies on this machine; `chosen` are the paths in the settings. A bad list of the administrator's is told in
    `list_problem` and hides nothing else.
    """
    system = own_system()
    listed: tuple[Listed, ...] = ()
    list_problem: KnownError | None = None
    try:
        listed = read_list(Path(list_place(system, os.environ)))
    except KnownError as error:
        list_problem = error
    candidates = known_modules(system, os.environ, os.path.isfile, chosen, listed)
    return Survey(survey(candidates, own_binary()), list_problem)
