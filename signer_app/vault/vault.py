"""The vault: pictures of seals and signatures as encrypted files, each named by the SHA-256 of what it holds.

Main process, any thread; reading needs no lock of the data folder, keeping and collecting do. AES-256-GCM, so that a
file that was altered or put in another's place is noticed. Whoever copies the data folder without the machine's keyring
has no seal. Gives a picture to nobody but its caller: no command, no list and no log shows one.
"""

import hashlib
import os
import re
import threading
import uuid
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signer_app.store.durable import disk_errors, make_folders, write_atomically
from signer_app.vault.keys import VaultKeys
from signer_resources.errors import KnownError

MAX_BYTES = 16 << 20
"""Bytes of a picture; what `clean_picture` makes has less than a tenth."""

_MAGIC = b"SGNV1"
_KEY_ID, _NONCE, _TAG = 16, 12, 16
"""Bytes; the nonce is random (NIST SP 800-38D, 8.2.2), for a key that encrypts a few dozen pictures."""
_HEAD = len(_MAGIC) + _KEY_ID + _NONCE
_NAME = re.compile(r"[0-9a-f]{64}")
_CURRENT = "key"
"""The file that names the key of new pictures."""


class Vault:
    """The pictures of one data folder."""

    def __init__(self, folder: Path, keys: VaultKeys) -> None:
        self._folder = folder
        self._keys = keys
        self._turn = threading.Lock()

    @property
    def keys(self) -> VaultKeys:
        """The keys of this machine, for a backup that must be opened without it."""
        return self._keys

    def key_ids(self) -> tuple[str, ...]:
        """Ids of the keys that the pictures name, and of the one for new pictures."""
        found: set[str] = set()
        for entry in self._folder.iterdir() if self._folder.is_dir() else ():
            with suppress(OSError, ValueError), entry.open("rb") as stream:
                head = stream.read(64)[: None if entry.name == _CURRENT else _HEAD]
                if entry.name == _CURRENT:
                    found.add(str(uuid.UUID(head.decode("ascii").strip())))
                elif head.startswith(_MAGIC) and len(head) == _HEAD:
                    found.add(str(uuid.UUID(bytes=head[len(_MAGIC) : len(_MAGIC) + _KEY_ID])))
        return tuple(sorted(found))

    def keep(self, png: bytes) -> str:
        """Keeps a picture durably; its id. The same picture twice is kept once.

        KnownError "image_unusable" for one beyond all measure, "device_key_unavailable", "disk_full",
        "data_folder_unwritable".
        """
        picture = hashlib.sha256(png).hexdigest()
        if len(png) > MAX_BYTES:
            raise KnownError("image_unusable", name=picture[:12])
        with self._turn, disk_errors(self._folder, "data_folder_unwritable"):
            with suppress(KnownError):
                self._opened(picture)
                return picture
            make_folders(self._folder, 0o700)
            key_id = self._current_key()
            key = self._keys.load(key_id)
            assert key is not None
            nonce = os.urandom(_NONCE)
            head = _MAGIC + uuid.UUID(key_id).bytes + nonce
            write_atomically(self._folder / picture, head + AESGCM(key).encrypt(nonce, png, _bound(head, picture)))
        return picture

    def open(self, picture: str) -> bytes:
        """A picture (PNG) that was kept.

        KnownError "image_unusable" where it is gone or altered or its key is lost, "device_key_unavailable" where the
        keyring is locked.
        """
        with self._turn:
            return self._opened(picture)

    def collect(self, keep: Collection[str]) -> int:
        """Deletes the pictures not in `keep` and what a killed process has left; how many files. Only the lock's owner,
        before anybody keeps a picture. KnownError "data_folder_unwritable".
        """
        gone = 0
        with self._turn, disk_errors(self._folder, "data_folder_unwritable"):
            for entry in self._folder.iterdir() if self._folder.is_dir() else ():
                if entry.name != _CURRENT and entry.name not in keep and not entry.is_dir():
                    entry.unlink()
                    gone += 1
        return gone

    def _opened(self, picture: str) -> bytes:
        unusable = KnownError("image_unusable", name=picture[:12])
        if not _NAME.fullmatch(picture):
            raise unusable
        try:
            with (self._folder / picture).open("rb") as stream:
                content = stream.read(_HEAD + MAX_BYTES + _TAG + 1)
        except OSError as error:
            raise unusable from error
        if not content.startswith(_MAGIC) or not _HEAD + _TAG <= len(content) <= _HEAD + MAX_BYTES + _TAG:
            raise unusable
        head, nonce = content[:_HEAD], content[_HEAD - _NONCE : _HEAD]
        key = self._keys.load(str(uuid.UUID(bytes=head[len(_MAGIC) : len(_MAGIC) + _KEY_ID])))
        if key is None:
            raise unusable
        try:
            return AESGCM(key).decrypt(nonce, content[_HEAD:], _bound(head, picture))
        except InvalidTag as error:
            raise unusable from error

    def _current_key(self) -> str:
        """The id of the key for new pictures; made where there is none that this machine still has."""
        file = self._folder / _CURRENT
        with suppress(OSError, ValueError):
            with file.open("rb") as stream:
                known = str(uuid.UUID(stream.read(64).decode("ascii").strip()))
            if self._keys.load(known) is not None:
                return known
        made = self._keys.make()
        write_atomically(file, made.encode("ascii") + b"\n")
        return made


def _bound(head: bytes, picture: str) -> bytes:
    """What is authenticated beside the picture: a file under another name, or with another key's id, is refused."""
    return head + picture.encode("ascii")
