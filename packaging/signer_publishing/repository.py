"""The tree that is published: `metadata` and `targets`, plain files that any server, share or stick can hold.

Four roles (TUF 1.0, section 2.1): root says whose keys count, and needs several of its own; targets says what the
packages are; snapshot which metadata belong together; timestamp that all of it is of today. Packages come first and the
timestamp last, so that whoever copies the tree meanwhile has the old state or the new one.
"""

import datetime as dt
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Signed, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

ONLINE: Final = (Targets.type, Snapshot.type, Timestamp.type)
DAYS: Final[Mapping[str, int]] = {"root": 730, "targets": 365, "snapshot": 90, "timestamp": 30}
"""How long each role's word holds: longer than a stick lies in a drawer, shorter than an old release may be passed off
as the newest."""

Signers = Mapping[str, CryptoSigner]
"""Role → its key."""


class PublishingFault(Exception):  # noqa: N818 - told to the publisher as it is
    """It can't be published so; the text says why."""


class Repository:
    """One published tree."""

    def __init__(self, folder: Path, now: dt.datetime) -> None:
        self._metadata = folder / "metadata"
        self._targets = folder / "targets"
        self._now = now.astimezone(dt.UTC).replace(microsecond=0)

    # ---- root ------------------------------------------------------------------------------------------------------

    def init(self, roots: Sequence[CryptoSigner], threshold: int, online: Signers) -> bytes:
        """A new tree without packages; the root's bytes, which the program is built with."""
        if self._metadata.exists():
            raise PublishingFault(f"{self._metadata} is there already")
        if not 1 < threshold <= len(roots):
            raise PublishingFault("the root needs at least two signatures, and no more than it has keys")
        root = Root(1, expires=self._end("root"), consistent_snapshot=True)
        for signer in roots:
            root.add_key(signer.public_key, Root.type)
        root.roles[Root.type].threshold = threshold
        for role in ONLINE:
            root.add_key(online[role].public_key, role)
        self._metadata.mkdir(parents=True)
        self._targets.mkdir(parents=True, exist_ok=True)
        made = self._keep_root(root, roots[:threshold])
        self._keep(Metadata(Targets(1, expires=self._end("targets"))), online, f"1.{Targets.type}")
        self._renew(online, targets=1)
        return made

    def rotate(
        self,
        old: Sequence[CryptoSigner],
        *,
        add_roots: Sequence[CryptoSigner] = (),
        drop_roots: Sequence[str] = (),
        roles: Signers | None = None,
    ) -> bytes:
        """The next root: other root keys, other keys of roles, or the same for another while. `old` are holders of the
        root as it is, as many as it needs; who is new signs as well. What the roles signed stays good only where their
        keys stay, so `sign` or `add` follows.
        """
        root = self.root()
        before = Metadata[Root].from_bytes(self._newest(Root.type).read_bytes())
        for keyid in drop_roots:
            if keyid not in root.roles[Root.type].keyids:
                raise PublishingFault(f"{keyid} is no root key")
            root.revoke_key(keyid, Root.type)
        for signer in add_roots:
            root.add_key(signer.public_key, Root.type)
        if len(root.roles[Root.type].keyids) < root.roles[Root.type].threshold:
            raise PublishingFault("fewer root keys would be left than signatures are needed")
        for role, signer in (roles or {}).items():
            for keyid in tuple(root.roles[role].keyids):
                root.revoke_key(keyid, role)
            root.add_key(signer.public_key, role)
        root.version += 1
        root.expires = self._end("root")
        new = Metadata(root)
        for signer in (*old, *add_roots):
            new.sign(signer, append=True)
        try:
            before.verify_delegate(Root.type, new)
            new.verify_delegate(Root.type, new)
        except RepositoryError as error:
            raise PublishingFault("too few holders of the old or the new root have signed") from error
        return self._write(f"{root.version}.{Root.type}", new)

    def root(self) -> Root:
        """The newest root."""
        return Metadata[Root].from_file(str(self._newest(Root.type))).signed

    # ---- releases --------------------------------------------------------------------------------------------------

    def add(self, package: Path, target: str, custom: Mapping[str, Any], online: Signers) -> None:
        """Publishes `package` as the newest release under the name `target` (PLATFORM/NAME)."""
        entry = TargetFile.from_file(target, str(package))
        entry.unrecognized_fields["custom"] = dict(custom)
        folder, _slash, name = target.rpartition("/")
        place = self._targets / folder / f"{entry.hashes['sha256']}.{name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{place.name}.part")
        shutil.copyfile(package, part)
        _durable(part, place)
        self._change(online, lambda targets: targets.targets.__setitem__(target, entry))

    def withdraw(self, target: str, online: Signers) -> None:
        """No release under this name any more; machines that have it go on with it."""
        self._change(online, lambda targets: targets.targets.pop(target, None))

    def sign(self, online: Signers) -> None:
        """The same for another while: a new timestamp and snapshot; targets where half of its time is over."""
        targets = self._targets_now()
        if targets.expires - self._now < dt.timedelta(days=DAYS["targets"] / 2):
            self._change(online, lambda _targets: None)
        else:
            self._renew(online, targets=targets.version)

    def standing(self) -> dict[str, tuple[int, dt.datetime]]:
        """Role → version and end."""
        found: dict[str, Signed] = {
            "root": self.root(),
            "targets": self._targets_now(),
            "snapshot": Metadata[Snapshot].from_file(str(self._newest(Snapshot.type))).signed,
            "timestamp": Metadata[Timestamp].from_file(str(self._metadata / "timestamp.json")).signed,
        }
        return {role: (signed.version, signed.expires) for role, signed in found.items()}

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _change(self, online: Signers, change: Any) -> None:
        targets = self._targets_now()
        change(targets)
        targets.version += 1
        targets.expires = self._end("targets")
        self._keep(Metadata(targets), online, f"{targets.version}.{Targets.type}")
        self._renew(online, targets=targets.version)

    def _renew(self, online: Signers, *, targets: int) -> None:
        place = self._metadata / "timestamp.json"
        last = Metadata[Timestamp].from_file(str(place)).signed if place.exists() else None
        version = last.snapshot_meta.version + 1 if last is not None else 1
        snapshot = Snapshot(version, expires=self._end("snapshot"), meta={"targets.json": MetaFile(targets)})
        self._keep(Metadata(snapshot), online, f"{version}.{Snapshot.type}")
        timestamp = Timestamp(
            last.version + 1 if last is not None else 1, expires=self._end("timestamp"), snapshot_meta=MetaFile(version)
        )
        self._keep(Metadata(timestamp), online, Timestamp.type)

    def _keep(self, made: Metadata[Any], online: Signers, name: str) -> None:
        role = made.signed.type
        signer = online[role]
        if signer.public_key.keyid not in self.root().roles[role].keyids:
            raise PublishingFault(f"this key of {role} is not the one that the root names")
        made.sign(signer)
        self._write(name, made)

    def _keep_root(self, root: Root, signers: Sequence[CryptoSigner]) -> bytes:
        made = Metadata(root)
        for signer in signers:
            made.sign(signer, append=True)
        return self._write(f"{root.version}.{Root.type}", made)

    def _write(self, name: str, made: Metadata[Any]) -> bytes:
        content = made.to_bytes(JSONSerializer(compact=False))
        part = self._metadata / f"{name}.part"
        part.write_bytes(content)
        _durable(part, self._metadata / f"{name}.json")
        return content

    def _targets_now(self) -> Targets:
        return Metadata[Targets].from_file(str(self._newest(Targets.type))).signed

    def _newest(self, role: str) -> Path:
        numbered = [(int(file.name.split(".")[0]), file) for file in self._metadata.glob(f"*.{role}.json")]
        if not numbered:
            raise PublishingFault(f"there is no {role} in {self._metadata}")
        return max(numbered)[1]

    def _end(self, role: str) -> dt.datetime:
        return self._now + dt.timedelta(days=DAYS[role])


def _durable(part: Path, place: Path) -> None:
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    part.replace(place)
