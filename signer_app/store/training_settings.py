"""What holds in a data folder of the training mode, whatever stands in its settings file.

Used by every process that reads settings. The folder's own software token and trust anchors are all there is: no
server, no timestamps, no other driver, no address of anybody, no backup of what has no value.
"""

from pathlib import Path

import msgspec

from signer_app.store.backup_settings import BackupSettings
from signer_app.store.datafolder import DataFolder
from signer_app.store.settings import (
    ArchiveLevel,
    Body,
    ChannelKind,
    Exchange,
    NetworkSettings,
    ProxyChoice,
    Settings,
)
from signer_app.store.update_settings import UpdateSettings

_SOFT_TOKEN = "softhsm"  # noqa: S105 - a part of a file's name
"""What the name of a software token's driver has in it."""


def training_home(folder: DataFolder) -> Path:
    """Everything in the folder that was made for training: keys, tokens, anchors, letters."""
    return folder.path / "training"


def token_settings(folder: DataFolder) -> Path:
    """The configuration of the folder's software token."""
    return training_home(folder) / "tokens" / "softhsm2.conf"


def trust_folder(folder: DataFolder) -> Path:
    """The anchors that hold in training alone."""
    return training_home(folder) / "trust"


def kept_apart(folder: DataFolder, settings: Settings) -> Settings:
    """The settings with all that could reach out of the folder taken away."""
    return msgspec.structs.replace(
        settings,
        modules=tuple(module for module in settings.modules if _SOFT_TOKEN in Path(module).name.lower()),
        softhsm2_conf=str(token_settings(folder)),
        trust_dir=str(trust_folder(folder)),
        trust_store=None,
        national_root=None,
        output_folder=str(folder.path / "Đã ký"),
        inbox_folder=None,
        tsa_url=None,
        tsa_others=(),
        archive_level=ArchiveLevel.B_B,
        bodies=tuple(_only_signing(body) for body in settings.bodies),
        backup=BackupSettings(),
        updates=UpdateSettings(),
        server=None,
        network=NetworkSettings(proxy=ProxyChoice.NONE),
    )


def _only_signing(body: Body) -> Body:
    return msgspec.structs.replace(
        body, exchange=Exchange.EXTERNAL, channel=ChannelKind.SYNC, server=None, lgsp=None, exchange_folder=None
    )
