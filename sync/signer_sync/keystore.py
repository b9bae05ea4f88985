"""Where this machine's device key is kept: the operating system's keyring, or a file where there is none.

Runs on the network pool's threads and in the command line. Never shows a key in a repr, an error or a
log; never asks a person. Which of the two was chosen is told to the caller, who tells the clerk (Sync API
§4.3).
"""

import base64
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import keyring
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from signer_resources.errors import KnownError
from signer_sync.durable import sync_folder
from signer_sync.ids import is_uuid, uuid7

SERVICE = "signer device key"


class KeyStoreKind(StrEnum):
    """Which kind of store keeps the device key."""

    KEYRING = "keyring"
    FILE = "file"


class KeyStore(Protocol):
    """Keeps small secrets by device id (a UUID); KnownError device_key_unavailable if it cannot."""

    @property
    def kind(self) -> KeyStoreKind:
        """Which kind this is."""

    def load(self, device: str) -> bytes | None:
        """The secret of `device`, None if there is none."""

    def save(self, device: str, secret: bytes) -> None:
        """Keeps the secret, durably, in place of an earlier one."""

    def delete(self, device: str) -> None:
        """Forgets the secret; nothing happens if there is none."""


@dataclass(frozen=True)
class DeviceIdentity:
    """This machine's enrolment for one organisation: its id and its P-256 key."""

    device: str
    org: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(cls, org: str, device: str | None = None) -> "DeviceIdentity":
        """A new identity with a fresh key."""
        return cls(device or uuid7(), org, ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, store: KeyStore, device: str, org: str) -> "DeviceIdentity":
        """The identity kept in `store`; KnownError not_enrolled if it is not there or not readable."""
        secret = store.load(device)
        if secret is None:
            raise KnownError("not_enrolled")
        try:
            key = serialization.load_der_private_key(secret, password=None)
        except ValueError as error:
            raise KnownError("not_enrolled") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KnownError("not_enrolled")
        return cls(device, org, key)

    def save(self, store: KeyStore) -> None:
        """Keeps the key (PKCS #8, DER) in `store`."""
        store.save(
            self.device,
            self.key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )


class KeyringKeyStore:
    """The operating system's keyring (Windows Credential Manager, macOS Keychain, Secret Service)."""

    kind = KeyStoreKind.KEYRING

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    def load(self, device: str) -> bytes | None:
        """See `KeyStore`."""
        try:
            text = self._backend.get_password(SERVICE, device)
        except KeyringError as error:
            raise KnownError("device_key_unavailable") from error
        try:
            return None if text is None else base64.b64decode(text, validate=True)
        except ValueError as error:
            raise KnownError("device_key_unavailable") from error

    def save(self, device: str, secret: bytes) -> None:
        """See `KeyStore`."""
        try:
            self._backend.set_password(SERVICE, device, base64.b64encode(secret).decode("ascii"))
        except KeyringError as error:
            raise KnownError("device_key_unavailable") from error

    def delete(self, device: str) -> None:
        """See `KeyStore`."""
        if self.load(device) is None:
            return
        try:
            self._backend.delete_password(SERVICE, device)
        except KeyringError as error:
            raise KnownError("device_key_unavailable") from error


class FileKeyStore:
    """One file per device, readable by the user only, in a folder that is the user's only."""

    kind = KeyStoreKind.FILE

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, device: str) -> bytes | None:
        """See `KeyStore`."""
        try:
            return self._path(device).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KnownError("device_key_unavailable") from error

    def save(self, device: str, secret: bytes) -> None:
        """See `KeyStore`."""
        path = self._path(device)
        temporary = path.with_suffix(".tmp")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(self._folder)
        except OSError as error:
            raise KnownError("device_key_unavailable") from error

    def delete(self, device: str) -> None:
        """See `KeyStore`."""
        try:
            self._path(device).unlink(missing_ok=True)
        except OSError as error:
            raise KnownError("device_key_unavailable") from error

    def _path(self, device: str) -> Path:
        if not is_uuid(device):
            raise ValueError("a device id is a UUID")
        return self._folder / f"{device}.key"


def choose_key_store(folder: Path, backend: KeyringBackend | None = None) -> KeyStore:
    """The keyring if it really keeps and returns a probe, else files in `folder`; `kind` tells which.

    `backend` None: the one that the system offers. Some keyrings answer and keep nothing, hence the probe.
    """
    candidate = KeyringKeyStore(backend if backend is not None else keyring.get_keyring())
    probe, secret = uuid7(), os.urandom(16)
    try:
        candidate.save(probe, secret)
        works = candidate.load(probe) == secret
        candidate.delete(probe)
    except KnownError:
        works = False
    return candidate if works else FileKeyStore(folder)
