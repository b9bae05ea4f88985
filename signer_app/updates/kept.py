"""The folder `updates` of a data folder: what was last found, and the packages that are kept.

For the owner of the data folder's lock; reading is for any process. `metadata` is the TUF client's own, and is what
recognises a source that was set back: deleting it gives that up. A package is believed only with its record, which is
written after it was checked; both are checked once more before a package is started.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from signer_app.store.datafolder import DataFolder
from signer_app.store.durable import disk_errors, make_folders, move_over, write_atomically
from signer_app.updates.releases import PACKAGES, Release, numbers
from signer_resources.errors import KnownError

_LARGEST_RECORD = 1 << 16

_T = TypeVar("_T")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the last look at a source came to."""

    at: dt.datetime
    source: str
    release: Release | None = None
    """The newest release there, whether it is newer than ours or not."""
    size: int = 0
    error: str | None = None
    """The code of what went wrong instead; `facts` fill its sentences."""
    facts: dict[str, str] = {}


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A package that was downloaded and is what its publisher signed."""

    release: Release
    length: int
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]

    @property
    def version(self) -> str:
        """Its release's."""
        return self.release.version


class UpdatesFolder:
    """Making the object touches nothing."""

    def __init__(self, folder: DataFolder) -> None:
        self.path = folder.path / "updates"
        self.metadata = self.path / "metadata"
        self._packages = self.path / "packages"
        self._found = self.path / "found.json"

    def create(self) -> None:
        """Makes what is missing (0700); KnownError "data_folder_unwritable", "disk_full"."""
        with disk_errors(self.path, "data_folder_unwritable"):
            for folder in (self.path, self.metadata, self._packages):
                make_folders(folder, 0o700)

    # ---- what was found --------------------------------------------------------------------------------------------

    def found(self) -> Found | None:
        """The last look; None before the first, or where its record can't be read."""
        return _read(self._found, Found)

    def keep_found(self, found: Found) -> None:
        """Replaces the record of the last look; raises as `create`."""
        self.create()
        with disk_errors(self.path, "data_folder_unwritable"):
            write_atomically(self._found, msgspec.json.encode(found))

    # ---- packages --------------------------------------------------------------------------------------------------

    def packages(self) -> tuple[Package, ...]:
        """The packages that are whole by their length, the newest first."""
        found = []
        for record in self._packages.glob("*.json") if self._packages.is_dir() else ():
            package = _read(record, Package)
            if package is None or package.release.platform not in PACKAGES or record.stem != package.version:
                continue
            with suppress(OSError):
                if self.file(package.release).stat().st_size == package.length:
                    found.append(package)
        return tuple(sorted(found, key=lambda package: numbers(package.version), reverse=True))

    def file(self, release: Release) -> Path:
        """Where the package of a release lies: signer-1.2.3.deb, signer-setup-1.2.3.exe."""
        name = PACKAGES[release.platform]
        stem, _dot, kind = name.rpartition(".")
        return self._packages / f"{stem}-{release.version}.{kind}"

    def part(self, release: Release) -> Path:
        """Where it lies while it comes."""
        return self.file(release).with_suffix(".part")

    def take_in(self, part: Path, package: Package) -> None:
        """The checked file `part` becomes the package, durably; raises as `create`."""
        with disk_errors(self.path, "data_folder_unwritable"):
            part.chmod(0o600)
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
            move_over(part, self.file(package.release))
            write_atomically(self._packages / f"{package.version}.json", msgspec.json.encode(package))

    def check(self, package: Package) -> Path:
        """The package's file, read once more; KnownError update_altered if it isn't what was signed, and then it goes
        away.
        """
        file = self.file(package.release)
        try:
            with file.open("rb") as stream:
                good = hashlib.file_digest(stream, "sha256").hexdigest() == package.sha256
        except OSError:
            good = False
        if not good:
            self._drop([package])
            raise KnownError("update_altered")
        return file

    def prune(self, installed: str, newest: Release | None) -> None:
        """Keeps the package of `newest`, what is installed, and one before it to go back to. What else is newer was
        withdrawn or followed by another one, and must not come up again when the source is away.
        """
        ours, packages = numbers(installed), self.packages()
        newer = [one for one in packages if numbers(one.version) > ours and one.release != newest]
        older = [one for one in packages if numbers(one.version) < ours]
        same = [one for one in packages if numbers(one.version) == ours]
        self._drop([*newer, *older[1:], *same[1:]])
        wanted = {self.file(package.release).name for package in self.packages()}
        with suppress(OSError):
            for entry in self._packages.iterdir():
                if entry.suffix != ".json" and entry.name not in wanted:
                    entry.unlink()

    def _drop(self, packages: Iterable[Package]) -> None:
        for package in packages:
            with suppress(OSError):
                (self._packages / f"{package.version}.json").unlink(missing_ok=True)
                self.file(package.release).unlink(missing_ok=True)


def _read(file: Path, kind: type[_T]) -> _T | None:
    try:
        with file.open("rb") as stream:
            return msgspec.json.decode(stream.read(_LARGEST_RECORD), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
