"""What a release is: its version, for which system it was made, what is new in it; and which this machine can use.

Pure values and questions about this machine, any thread. What is read here was signed; it is still capped and checked,
since it is shown to people and compared with what is installed.
"""

import datetime as dt
import platform
import re
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from signer_app.store.update_settings import VERSION_PATTERN
from signer_resources.errors import KnownError
from signer_resources.messages import Lang

PACKAGES = {
    "linux-amd64": "signer.deb",
    "linux-arm64": "signer.deb",
    "windows-x64": "signer-setup.exe",
}
"""Platform → name of its package. A platform has one target, PLATFORM/NAME, always its newest release."""

_Version = Annotated[str, msgspec.Meta(pattern=VERSION_PATTERN)]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What the publisher signed about a package, beside its length and hash. Unknown members are passed over."""

    version: _Version
    platform: str
    minimum_os: _Version | None = None
    """Windows: version with build number ("10.0.17763"); Linux: that of glibc ("2.36")."""
    released: dt.date | None = None
    notes_vi: Annotated[str, msgspec.Meta(max_length=8000)] = ""
    notes_en: Annotated[str, msgspec.Meta(max_length=8000)] = ""

    def notes(self, lang: Lang) -> str:
        """What is new, as plain text."""
        return self.notes_vi if lang == "vi" else self.notes_en


def as_release(custom: Any, wanted: str) -> Release:
    """The release that a target's custom data tells of; KnownError update_altered where that is none for `wanted`."""
    try:
        release = msgspec.convert(custom, Release)
    except msgspec.ValidationError as error:
        raise KnownError("update_altered") from error
    if release.platform != wanted:
        raise KnownError("update_altered")
    return release


def numbers(version: str) -> tuple[int, ...]:
    """A version for comparison: its leading numbers without zeros at the end ("1.2.0" is "1.2")."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", version)
    parts = [int(part) for part in found[0].split(".")] if found is not None else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


@dataclass(frozen=True)
class Machine:
    """What this machine is: its platform (None: none that releases are made for) and the version of its system."""

    platform: str | None
    system: str

    def fits(self, release: Release) -> bool:
        """Whether its system is new enough."""
        return release.minimum_os is None or numbers(self.system) >= numbers(release.minimum_os)


def this_machine() -> Machine:
    """The machine that we run on."""
    processor = platform.machine().lower()
    if sys.platform == "win32":
        major, minor, build = sys.getwindowsversion()[:3]
        return Machine("windows-x64" if processor in ("amd64", "x86_64") else None, f"{major}.{minor}.{build}")
    if sys.platform == "linux":
        name = {"x86_64": "linux-amd64", "aarch64": "linux-arm64"}.get(processor)
        return Machine(name, platform.libc_ver()[1] or "0")
    return Machine(None, "0")
