"""The vault of a data folder, with the keys of this machine.

Main process. Opens nothing by itself: the keyring is asked when a picture is wanted.
"""

from pathlib import Path

from signer_app.store.datafolder import DataFolder
from signer_app.store.settings import Settings
from signer_app.vault.keys import ChooseKeyStore, VaultKeys
from signer_app.vault.vault import Vault
from signer_sync.keystore import FileKeyStore, KeyStore, choose_key_store


def open_vault(folder: DataFolder, settings: Settings) -> Vault:
    """The vault; its keys lie where the device key lies: in the keyring, else in `keys/`."""
    # A demo workspace is thrown away whole, so nothing of it goes into the user's keyring.
    choose: ChooseKeyStore = _files if settings.softhsm2_conf else _system
    return Vault(folder.path / "vault", VaultKeys(folder.path / "keys", choose))


def _files(folder: Path) -> KeyStore:
    return FileKeyStore(folder)


def _system(folder: Path) -> KeyStore:
    return choose_key_store(folder)
