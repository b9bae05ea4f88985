"""A publisher with throwaway keys and a clerk's machine that takes updates from it."""

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner

from signer_app.desk.updating import Surroundings, Updating
from signer_app.store.settings import Settings, save_settings
from signer_app.store.update_settings import UpdateSettings
from signer_app.updates.releases import Machine
from signer_app.updates.starting import InstallKind, Launch, Waiting
from signer_app.workspace import Overrides, Workspace, workspace
from signer_publishing.repository import ONLINE, Repository

NOW = dt.datetime.now(dt.UTC)
PLATFORM = "linux-amd64"
TARGET = "linux-amd64/signer.deb"


@dataclass
class Publisher:
    """One published tree and the keys behind it."""

    tree: Path
    roots: tuple[CryptoSigner, ...]
    online: dict[str, CryptoSigner]
    root: bytes
    made: int = 0

    @classmethod
    def begin(cls, tree: Path, at: dt.datetime = NOW) -> "Publisher":
        roots = tuple(CryptoSigner.generate_ed25519() for _ in range(3))
        online = {role: CryptoSigner.generate_ed25519() for role in ONLINE}
        return cls(tree, roots, online, Repository(tree, at).init(roots, 2, online))

    def at(self, moment: dt.datetime = NOW) -> Repository:
        return Repository(self.tree, moment)

    def release(self, version: str, content: bytes | None = None, at: dt.datetime = NOW, **more: Any) -> bytes:
        """Publishes `version`; what its package holds."""
        self.made += 1
        package = self.tree.parent / f"made-{self.made}"
        held = content if content is not None else f"package of {version}".encode() * 1000
        package.write_bytes(held)
        custom = {
            "version": version,
            "platform": PLATFORM,
            "notes_vi": f"Có gì mới trong {version}",
            "notes_en": f"New in {version}",
            "released": "2026-11-01",
            **more,
        }
        self.at(at).add(package, TARGET, custom, self.online)
        return held

    def copy(self, to: Path) -> Path:
        """The tree as it is now, on a stick."""
        shutil.copytree(self.tree, to)
        return to

    @property
    def packages(self) -> list[Path]:
        return sorted((self.tree / "targets").rglob("*.deb"))


@dataclass
class Clerk:
    """A machine with the program on it."""

    space: Workspace
    around: Surroundings
    launched: list[tuple[Launch, str]] = field(default_factory=list)

    @property
    def updating(self) -> Updating:
        """As after a new start of the program."""
        return Updating(self.space, self.around)

    def is_now(self, **changed: Any) -> None:
        """The machine or the program on it has changed."""
        told: dict[str, Any] = {name: (lambda value=value: value) for name, value in changed.items()}
        self.around = replace(self.around, **told)

    def set(self, **settings: Any) -> None:
        save_settings(self.space.folder, Settings(updates=UpdateSettings(**settings)))
        self.space.reload()

    def files(self) -> Mapping[str, bytes]:
        folder = self.space.folder.path / "updates" / "packages"
        found: Sequence[Path] = sorted(folder.iterdir()) if folder.is_dir() else []
        return {file.name: file.read_bytes() for file in found if file.suffix != ".json"}


@contextmanager
def clerk(folder: Path, root: bytes, installed: str = "1.0.0") -> Iterator[Clerk]:
    with workspace(folder, Overrides(), writing=True) as space:
        launched: list[tuple[Launch, str]] = []

        def start(chosen: Launch, *, again: str = "") -> Waiting:
            launched.append((chosen, again))
            return Waiting()

        around = Surroundings(
            machine=lambda: Machine(PLATFORM, "2.36"),
            installed=lambda: installed,
            kind=lambda: InstallKind.DEBIAN,
            root=lambda: root,
            start=start,
            others=lambda: False,
        )
        yield Clerk(space, around, launched)
