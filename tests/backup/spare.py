"""A machine with its backup on another disk, which is lost, and the machine that is made from the backup."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.backup.making import Made, make_backup
from signer_app.backup.phrase import RecoveryCode
from signer_app.backup.restoring import RestoreResult, open_backup, restore
from signer_app.backup.setting_up import adopt_code
from signer_app.exchange.passes import one_pass
from signer_app.store.datafolder import DataFolder
from signer_app.store.model import OutboxPacket
from signer_app.workspace import Overrides, Workspace, workspace
from signer_sync.keystore import FileKeyStore
from signer_sync.reports import SyncReport
from tests.exchange.post import ORG, Post


@dataclass
class Spare:
    """The backups of `post`, in the folder `place`."""

    post: Post
    place: Path
    code: RecoveryCode

    @classmethod
    def set_up(cls, post: Post, place: Path) -> "Spare":
        place.mkdir()
        code = RecoveryCode.make()
        adopt_code(post.office.space, place, code)
        return cls(post, place, code)

    @property
    def space(self) -> Workspace:
        return self.post.office.space

    @property
    def folder(self) -> DataFolder:
        """Of the new machine."""
        return DataFolder(self.post.office.folder / "máy mới")

    def make(self) -> Made:
        return make_backup(self.space)

    def restored(self, *, keep_old: bool = False) -> RestoreResult:
        return restore(self.folder, open_backup(self.place, str(self.code)), self.post.office.clock, keep_old=keep_old)

    def files(self, kind: str) -> list[Path]:
        """All files of the set below `objects` or `generations`."""
        return sorted(path for path in self.place.glob(f"signer-backup-*/{kind}/**/*") if path.is_file())

    @contextmanager
    def new_machine(self, *, enrolled: bool = True) -> Iterator["NewMachine"]:
        """The new machine, opened; made known to the server as a person does it."""
        with workspace(self.folder.path, Overrides(), writing=True, now=self.post.office.clock) as space:
            if enrolled:
                device = self.post.world.enrolled(ORG).device
                assert device is not None
                device.save(FileKeyStore(space.folder.path / "keys"))
                assert space.settings.server is not None
                server = msgspec.structs.replace(space.settings.server, devices={ORG: device.device})
                space.change_settings(lambda old: msgspec.structs.replace(old, server=server))
            yield NewMachine(space)


@dataclass
class NewMachine:
    """The machine that was made from the backup."""

    space: Workspace

    def sync(self) -> SyncReport:
        (body,) = self.space.settings.bodies
        return one_pass(self.space, body, at_once=True)

    def packet(self, packet_id: str) -> OutboxPacket:
        with self.space.store.view() as view:
            return view.outbox.require(packet_id)
