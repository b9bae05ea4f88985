"""What of a data folder goes into a backup beside its blobs, as one file; and out of it again, name by name.

Main process; works in a folder of its own below `work`. The pictures of seals and signatures go as they lie, encrypted,
and their keys go with them: the keyring of the old machine is not to be had where the backup is opened. Never takes a
device key, a PIN or a typed secret along: another machine makes itself known, and a person types.
"""

import base64
import datetime as dt
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.backup.sealing import DamagedError
from signer_app.store.database import database_errors
from signer_app.store.datafolder import DataFolder
from signer_app.store.durable import CHUNK, copy_to_new, disk_errors
from signer_app.vault.opening import open_vault
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import JournalHead

DATABASE, SETTINGS, TRUST, KEYS, ABOUT = "signer.sqlite", "settings.json", "trust.json", "keys.json", "about.json"

_PICTURE = re.compile(r"vault/([0-9a-f]{64}|key)")
_MOST_FILES = 10_000
_MAX_SMALL = 32 << 20
_MAX_DATABASE = 64 << 30


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the state is of. `schema` is the number of its last migration, `journal` its head."""

    made_at: dt.datetime
    machine: str
    schema: int
    journal_count: int
    journal_hash: str

    @property
    def journal(self) -> JournalHead:
        """The journal's head."""
        return JournalHead(self.journal_count, self.journal_hash)


@dataclass(frozen=True)
class Unpacked:
    """A state that was taken out into a folder. `keys`: vault's key id → key."""

    folder: Path
    about: About
    keys: Mapping[str, bytes]

    @property
    def pictures(self) -> Iterator[Path]:
        """The encrypted pictures, and the file that names the key of new ones."""
        vault = self.folder / "vault"
        return iter(sorted(vault.iterdir())) if vault.is_dir() else iter(())


def snapshot(folder: DataFolder, target: Path) -> None:
    """A whole copy of the database as it is now, made beside a writer that goes on. KnownError of the database."""
    target.touch(mode=0o600)
    with database_errors(folder), closing(sqlite3.connect(f"{folder.database.as_uri()}?mode=ro", uri=True)) as source:
        source.execute("VACUUM INTO ?", (str(target),))


def pack(space: Workspace, database: Path, about: About, target: Path) -> bool:
    """Writes the state into the file `target`; whether the pictures' keys could go along (the keyring may be locked).

    Raises KnownError "disk_full", "data_folder_unwritable".
    """
    folder = space.folder
    keys, all_keys = _vault_keys(space)
    with disk_errors(folder.path, "data_folder_unwritable"):
        target.touch(mode=0o600)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
            out.write(database, DATABASE)
            if folder.settings.is_file():
                out.write(folder.settings, SETTINGS)
            trust = space.trust_store.folder / TRUST
            if trust.is_file():
                out.write(trust, TRUST)
            vault = folder.path / "vault"
            for entry in sorted(vault.iterdir()) if vault.is_dir() else ():
                if _PICTURE.fullmatch(f"vault/{entry.name}"):
                    out.write(entry, f"vault/{entry.name}")
            named = {key_id: base64.b64encode(key).decode("ascii") for key_id, key in keys.items()}
            out.writestr(KEYS, msgspec.json.encode(named))
            out.writestr(ABOUT, msgspec.json.encode(about))
    return all_keys


def unpack(source: Path, folder: Path) -> Unpacked:
    """Takes a state apart into the empty `folder`; DamagedError where it isn't one. Names are compared with those that
    are known, and are never paths. OSError of the disk goes through.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
            if len(infos) > _MOST_FILES or len({info.filename for info in infos}) != len(infos):
                raise DamagedError
            for info in infos:
                picture = _PICTURE.fullmatch(info.filename)
                if info.filename not in (DATABASE, SETTINGS, TRUST, KEYS, ABOUT) and picture is None:
                    continue
                limit = _MAX_DATABASE if info.filename == DATABASE else _MAX_SMALL
                target = folder / "vault" / picture[1] if picture is not None else folder / info.filename
                target.parent.mkdir(mode=0o700, exist_ok=True)
                _extract(archive, info, target, limit)
        about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
        named = msgspec.json.decode((folder / KEYS).read_bytes(), type=dict[str, str])
        keys = {key_id: base64.b64decode(text, validate=True) for key_id, text in named.items()}
    except (zipfile.BadZipFile, msgspec.MsgspecError, ValueError, EOFError, FileNotFoundError) as error:
        raise DamagedError from error
    if not (folder / DATABASE).is_file():
        raise DamagedError
    return Unpacked(folder, about, keys)


def put_files(unpacked: Unpacked, folder: DataFolder) -> None:
    """Trusted certificates and pictures into a data folder that has none; OSError."""
    trust = unpacked.folder / TRUST
    for source, place in (
        *(((trust, folder.path / "trust" / TRUST),) if trust.is_file() else ()),
        *((picture, folder.path / "vault" / picture.name) for picture in unpacked.pictures),
    ):
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.unlink(missing_ok=True)
        copy_to_new(source, place, 0o600)


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, limit: int) -> None:
    if info.file_size > limit:
        raise DamagedError
    target.touch(mode=0o600, exist_ok=False)
    with archive.open(info) as reader, target.open("wb") as writer:
        # The size is checked on what comes: zipfile stops at the one that the archive tells.
        shutil.copyfileobj(reader, writer, CHUNK)


def _vault_keys(space: Workspace) -> tuple[dict[str, bytes], bool]:
    """The keys of all pictures, as far as this machine gives them out now; whether those are all."""
    found: dict[str, bytes] = {}
    whole = True
    vault = open_vault(space.folder, space.settings)
    for key_id in vault.key_ids():
        try:
            key = vault.keys.load(key_id)
        except KnownError:
            key = None
        if key is None:
            whole = False
        else:
            found[key_id] = key
    return found, whole
