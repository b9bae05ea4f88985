import copy
import pickle

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailingKeyring
from keyring.backends.null import Keyring as ForgetfulKeyring
from keyring.errors import KeyringLocked

from signer_resources.errors import KnownError
from signer_sync.secrets import MAX_SECRET, Kept, Secret, SecretStore
from tests.sync.test_keystore import MemoryKeyring

NAME = "lgsp-password:H77.15"


class LockedLater(MemoryKeyring):
    """Keeps secrets, until somebody locks it."""

    locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return super().get_password(service, username)


def test_a_secret_is_kept_in_the_keyring_and_there_for_the_next_start() -> None:
    backend = MemoryKeyring()
    assert SecretStore(backend).save(NAME, Secret("mật khẩu 1")) is Kept.KEYRING
    later = SecretStore(backend)
    assert later.kept(NAME) is Kept.KEYRING
    found = later.load(NAME)
    assert found is not None
    assert found.reveal() == "mật khẩu 1"


@pytest.mark.parametrize("backend", [FailingKeyring, ForgetfulKeyring])
def test_without_a_keyring_it_lives_in_memory_and_that_is_said(backend: type[KeyringBackend]) -> None:
    store = SecretStore(backend())
    assert store.save(NAME, Secret("x")) is Kept.MEMORY
    assert (store.kept(NAME), store.load(NAME)) == (Kept.MEMORY, Secret("x"))
    assert SecretStore(backend()).load(NAME) is None
    store.delete(NAME)
    assert (store.kept(NAME), store.load(NAME)) == (None, None)


def test_a_new_secret_counts_although_the_keyring_still_has_the_old_one() -> None:
    backend = LockedLater()
    store = SecretStore(backend)
    store.save(NAME, Secret("old"))
    backend.locked = True
    assert store.save(NAME, Secret("new")) is Kept.MEMORY
    assert store.load(NAME) == Secret("new")


def test_a_deleted_secret_is_gone_everywhere_and_deleting_again_is_fine() -> None:
    backend = MemoryKeyring()
    store = SecretStore(backend)
    store.save(NAME, Secret("x"))
    store.delete(NAME)
    store.delete(NAME)
    assert store.load(NAME) is None
    assert backend.entries == {}


def test_a_keyring_that_will_not_let_go_of_a_secret_is_told() -> None:
    backend = LockedLater()
    store = SecretStore(backend)
    store.save(NAME, Secret("x"))
    backend.locked = True
    assert store.load(NAME) is None
    with pytest.raises(KnownError) as caught:
        store.delete(NAME)
    assert caught.value.code == "secret_not_deleted"


def test_a_secret_shows_itself_to_nobody() -> None:
    secret, store = Secret("hunter2"), SecretStore(MemoryKeyring())
    store.save(NAME, secret)
    shown = f"{secret!r} {secret} {secret!s:>3} {[secret]} {store!r} {store}"
    assert "hunter2" not in shown
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copying(secret)


@pytest.mark.parametrize("text", ["", "x" * (MAX_SECRET + 1)])
def test_an_empty_or_endless_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        SecretStore(MemoryKeyring()).save(NAME, Secret(text))


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "é", "x" * 200, "x\n"])
def test_odd_names_are_refused(name: str) -> None:
    store = SecretStore(MemoryKeyring())
    for attempt in (lambda: store.load(name), lambda: store.save(name, Secret("x")), lambda: store.delete(name)):
        with pytest.raises(ValueError, match="not a name"):
            attempt()
