"""Looks at a source and brings what is new: signed metadata first, then the package, each checked before it is kept.

Main process, the owner of the data folder's lock, one call at a time, blocking. The rules are those of The Update
Framework (TUF 1.0, section 5) in python-tuf's client; here its refusals become words. Trust begins with the root that
came with the program.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    ExpiredMetadataError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater

import signer_resources
from signer_app.store.durable import disk_errors
from signer_app.updates.kept import Package, UpdatesFolder
from signer_app.updates.releases import PACKAGES, Release, as_release
from signer_app.updates.sources import METADATA, TARGETS, Source
from signer_resources.errors import KnownError

ROOT = "updates/root.json"
"""The resource with the root that the publisher's tool wrote; a program built without one takes no updates."""


def shipped_root() -> bytes:
    """The root that came with the program; KnownError update_no_root without one."""
    try:
        return signer_resources.path(ROOT).read_bytes()
    except FileNotFoundError as error:
        raise KnownError("update_no_root") from error


class Fetching:
    """One look at one source."""

    def __init__(self, folder: UpdatesFolder, root: bytes, source: Source, platform: str) -> None:
        self._folder = folder
        self._root = root
        self._source = source
        self._platform = platform
        self._client: Updater | None = None

    @property
    def source_shown(self) -> str:
        """The source, as it may be shown."""
        return self._source.shown

    def newest(self) -> tuple[Release, int] | None:
        """The newest release for this platform and its package's bytes; None where the publisher has none for it.

        KnownError update_expired, update_rolled_back, update_unsigned, update_altered, update_incomplete,
        update_source_away and other faults of the source, disk_full.
        """
        with self._refusals():
            target = self._target()
        return None if target is None else (self._release(target), target.length)

    def download(self, progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> Package | None:
        """Brings the newest release's package, and keeps it; None where there is none. Raises as `newest`, and
        "interrupted". What is here already and is right isn't brought again.
        """
        with self._refusals():
            target = self._target()
            if target is None:
                return None
            release = self._release(target)
            package = Package(release=release, length=target.length, sha256=_sha256(target))
            if package in self._folder.packages():
                try:
                    self._folder.check(package)
                except KnownError:
                    pass
                else:
                    return package
            part = self._folder.part(release)
            done = 0

            def heard(length: int) -> None:
                nonlocal done
                if cancelled():
                    raise KnownError("interrupted")
                done += length
                progress(min(done, target.length), target.length)

            self._source.heard = heard
            try:
                self._opened().download_target(target, str(part))
                self._folder.take_in(part, package)
            finally:
                self._source.heard = _unheard
                part.unlink(missing_ok=True)
        return package

    def _opened(self) -> Updater:
        if self._client is None:
            self._folder.create()
            self._client = Updater(
                str(self._folder.metadata), METADATA, None, TARGETS, self._source, bootstrap=self._root
            )
            self._client.refresh()
        return self._client

    def _target(self) -> TargetFile | None:
        return self._opened().get_targetinfo(f"{self._platform}/{PACKAGES[self._platform]}")

    def _release(self, target: TargetFile) -> Release:
        return as_release(target.custom, self._platform)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the client refuses, in words; its own texts name files and stay in the chain."""
        try:
            with disk_errors(self._folder.path, "data_folder_unwritable"):
                yield
        except ExpiredMetadataError as error:
            raise KnownError("update_expired", source=self._source.shown) from error
        except BadVersionNumberError as error:
            raise KnownError("update_rolled_back", source=self._source.shown) from error
        except UnsignedMetadataError as error:
            raise KnownError("update_unsigned", source=self._source.shown) from error
        except DownloadHTTPError as error:
            raise KnownError("update_incomplete", source=self._source.shown) from error
        except (RepositoryError, DownloadError) as error:
            raise KnownError("update_altered") from error


def _sha256(target: TargetFile) -> str:
    found = target.hashes.get("sha256")
    if found is None:
        raise KnownError("update_altered")
    return found


def _unheard(_length: int) -> None:
    pass
