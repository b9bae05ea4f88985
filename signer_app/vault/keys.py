"""The vault's keys: in the operating system's keyring, or in files of the user alone where there is no keyring.

Main process, any thread; may wait for the keyring. Never shows a key in a repr, an error or a log, and never replaces
one: a keyring that is away today may be back tomorrow, and what was encrypted with its key is readable then.
"""

import os
from collections.abc import Callable
from pathlib import Path

from signer_sync.ids import uuid7
from signer_sync.keystore import FileKeyStore, KeyStore, KeyStoreKind

KEY_BYTES = 32
"""AES-256."""

ChooseKeyStore = Callable[[Path], KeyStore]


class VaultKeys:
    """Keys by their ids (UUIDs), as far as this machine has them."""

    def __init__(self, folder: Path, choose: ChooseKeyStore) -> None:
        self._files = FileKeyStore(folder)
        self._folder = folder
        self._choose = choose
        self._chosen: KeyStore | None = None
        self._known: dict[str, bytes] = {}

    def load(self, key_id: str) -> bytes | None:
        """The key, None if this machine doesn't have it; KnownError "device_key_unavailable".

        Where a key was kept once, it is found also after a keyring has come or gone.
        """
        if key_id not in self._known:
            # A key in a file is there without waking the keyring.
            key = self._files.load(key_id) or self._store.load(key_id)
            if key is None or len(key) != KEY_BYTES:
                return None
            self._known[key_id] = key
        return self._known[key_id]

    def make(self) -> str:
        """Makes a key and keeps it durably; its id. KnownError "device_key_unavailable"."""
        key_id, key = uuid7(), os.urandom(KEY_BYTES)
        self._store.save(key_id, key)
        self._known[key_id] = key
        return key_id

    def take_over(self, key_id: str, key: bytes) -> None:
        """Keeps a key that another machine has made, and whose pictures came here; KnownError "device_key_unavailable",
        ValueError for what is no key.
        """
        if len(key) != KEY_BYTES:
            raise ValueError("not a key of the vault")
        if self.load(key_id) is None:
            self._store.save(key_id, key)
            self._known[key_id] = key

    @property
    def kind(self) -> KeyStoreKind:
        """Where a key that is made now would be kept."""
        return self._store.kind

    @property
    def _store(self) -> KeyStore:
        if self._chosen is None:
            self._chosen = self._choose(self._folder)
        return self._chosen
