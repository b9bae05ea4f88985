"""The diagnostic file: what whoever helps needs to know of this machine, as a zip that may be sent by mail.

Main process. Holds versions, the checks by their codes, the settings without names of persons, the log, the schema's
number and counts. No document, nothing that was read in one, no name of a person or file, no secret: what isn't made
here from codes and numbers is not in it. `gather` shows what will be in it before `save` writes it.
"""

import io
import platform
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.administration.exported import export_settings
from signer_app.administration.minimum import program_version
from signer_app.desk.check_values import Check
from signer_app.desk.lights import lights
from signer_app.desk.support import support_code
from signer_app.logs import log_files
from signer_app.store.durable import disk_errors, write_atomically
from signer_app.store.settings import Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_MASK = "***"
_LARGEST_LOG = 2 << 20
_FAULTS = 20
_replace = msgspec.structs.replace


@dataclass(frozen=True)
class Entry:
    """A file in the zip; `key` is a text of the catalogue that says what it holds."""

    name: str
    key: str
    content: bytes


@dataclass(frozen=True)
class Diagnostic:
    """All that will be saved, to be shown first."""

    entries: tuple[Entry, ...]

    def save(self, target: Path) -> None:
        """Writes the zip to a new file (0600); KnownError "output_exists", "output_unwritable", "disk_full"."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry in self.entries:
                archive.writestr(entry.name, entry.content)
        with disk_errors(target.parent, "output_unwritable"):
            try:
                write_atomically(target, packed.getvalue(), replace=False)
            except FileExistsError as error:
                raise KnownError("output_exists", file=str(target)) from error


def gather(space: Workspace, checks: Sequence[Check]) -> Diagnostic:
    """What is known now; a database that can't be read is told by its code. Blocks for a moment."""
    found = lights(checks)
    version = program_version()
    machine = {
        "program": version,
        "frozen": bool(getattr(sys, "frozen", False)),
        "python": platform.python_version(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "support_code": support_code(version, found),
        "made_at": space.now().isoformat(timespec="seconds"),
    }
    told = {
        "lights": {one.light.value: one.state.value for one in found},
        # Codes alone: what fills their words may be a name or a path.
        "checks": [
            {
                "check": one.name.value,
                "state": one.state.value,
                "found": one.key,
                "codes": [error.code for error in (one.error, *one.also) if error is not None],
            }
            for one in checks
        ],
    }
    entries = [
        Entry("machine.json", "ua_diagnostic_machine", _json(machine)),
        Entry("checks.json", "ua_diagnostic_checks", _json(told)),
        Entry("settings.json", "ua_diagnostic_settings", _settings(space)),
        Entry("counts.json", "ua_diagnostic_counts", _json(_counts(space))),
    ]
    logs = [Entry(f"logs/{file.name}", "ua_diagnostic_log", _end_of(file)) for file in log_files(space.folder.logs)]
    faults = [
        Entry(f"logs/{file.name}", "ua_diagnostic_fault", _without_home(_end_of(file)))
        for file in sorted(space.folder.logs.glob("fault-*.txt"))[-_FAULTS:]
    ]
    return Diagnostic((*entries, *logs, *faults))


def _settings(space: Workspace) -> bytes:
    try:
        settings = space.settings
    except KnownError as error:
        return _json({"code": error.code})
    return export_settings(masked(settings))


def masked(settings: Settings) -> Settings:
    """Without names of persons and accounts; how many there are stays."""
    bodies = tuple(_replace(body, signers=tuple(_MASK for _ in body.signers)) for body in settings.bodies)
    network = _replace(settings.network, proxy_user=_MASK if settings.network.proxy_user else "")
    return _replace(settings, clerk="", bodies=bodies, network=network)


def _counts(space: Workspace) -> dict[str, object]:
    try:
        with (space.store if space.folder.locked else space.reader).view() as view:
            return {"schema": view.schema_number(), "rows": view.counts(), "journal": view.journal.head().count}
    except KnownError as error:
        return {"code": error.code}


def _end_of(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(max(0, size - _LARGEST_LOG))
            return stream.read(_LARGEST_LOG)
    except OSError:
        return b""


def _without_home(content: bytes) -> bytes:
    """Places in the code begin where the program lies, which may be below somebody's own folder."""
    return content.replace(str(Path.home()).encode(), b"~")


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
