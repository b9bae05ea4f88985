import os
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailingKeyring
from keyring.backends.null import Keyring as ForgetfulKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError

from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from signer_sync.keystore import (
    DeviceIdentity,
    FileKeyStore,
    KeyringKeyStore,
    KeyStoreKind,
    choose_key_store,
)


class MemoryKeyring(KeyringBackend):
    """A keyring that lives in this test only: the real one is the user's."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError


class LockedKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")


def test_a_keyring_that_works_is_chosen_and_the_probe_leaves_no_trace(tmp_path: Path) -> None:
    backend = MemoryKeyring()
    assert choose_key_store(tmp_path, backend).kind is KeyStoreKind.KEYRING
    assert backend.entries == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend", [FailingKeyring, ForgetfulKeyring, LockedKeyring])
def test_a_file_is_chosen_where_no_keyring_really_keeps_anything(tmp_path: Path, backend: type[KeyringBackend]) -> None:
    assert choose_key_store(tmp_path, backend()).kind is KeyStoreKind.FILE


def test_an_identity_comes_back_from_either_store(tmp_path: Path) -> None:
    for store in (FileKeyStore(tmp_path / "keys"), KeyringKeyStore(MemoryKeyring())):
        made = DeviceIdentity.create("H77.15")
        made.save(store)
        loaded = DeviceIdentity.load(store, made.device, "H77.15")
        assert loaded.key.private_numbers() == made.key.private_numbers()
        store.delete(made.device)
        store.delete(made.device)
        with pytest.raises(KnownError) as caught:
            DeviceIdentity.load(store, made.device, "H77.15")
        assert caught.value.code == "not_enrolled"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes; the folder's ACL rules there")
def test_key_files_are_for_the_user_only(tmp_path: Path) -> None:
    made = DeviceIdentity.create("H77.15")
    made.save(FileKeyStore(tmp_path / "keys"))
    (file,) = (tmp_path / "keys").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_damaged_key_counts_as_not_enrolled(tmp_path: Path) -> None:
    store, device = FileKeyStore(tmp_path), uuid7()
    store.save(device, b"not a key")
    with pytest.raises(KnownError) as caught:
        DeviceIdentity.load(store, device, "H77.15")
    assert caught.value.code == "not_enrolled"


@pytest.mark.parametrize("device", ["../../x", "x/y", "", "CON"])
def test_a_device_id_never_becomes_another_path(tmp_path: Path, device: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        FileKeyStore(tmp_path).save(device, b"secret")
    assert list(tmp_path.iterdir()) == []


def test_a_locked_keyring_is_a_known_error() -> None:
    with pytest.raises(KnownError) as caught:
        KeyringKeyStore(LockedKeyring()).load(uuid7())
    assert caught.value.code == "device_key_unavailable"


def test_a_folder_that_cannot_be_written_is_a_known_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KnownError) as caught:
        FileKeyStore(tmp_path / "file").save(uuid7(), b"secret")
    assert caught.value.code == "device_key_unavailable"


def test_no_repr_shows_a_key() -> None:
    assert "key" not in repr(DeviceIdentity.create("H77.15"))
