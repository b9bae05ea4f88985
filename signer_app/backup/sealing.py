"""Encrypting and opening files of a backup (age), chunk by chunk; and the keys on either side.

Any thread. The writing side has the public half and a key to vouch with; only the recovery code gives the other half.
Never holds a file whole in memory; tells a full disk from a broken file.
"""

import hashlib
import hmac
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyrage

from signer_app.backup.phrase import RecoveryCode, set_name
from signer_app.store.durable import CHUNK
from signer_resources.errors import KnownError

NAME_LENGTH = 32
"""Hex digits of an object's name: enough that no two contents meet (128 bits)."""


class SourceError(Exception):
    """What was to be encrypted could not be read."""


class DamagedError(Exception):
    """A file of the backup is not what was written there; whoever meets it knows which, and says so."""


@dataclass(frozen=True)
class SealKeys:
    """What the machine that makes backups has: it can't open them."""

    recipient: str
    vouch: bytes = field(repr=False)

    @property
    def set_name(self) -> str:
        """The folder of the backups in their place."""
        return set_name(self.vouch)

    def object_name(self, sha256: str) -> str:
        """The name of a kept file in the backup: who sees the folder can't tell which documents are in it, not even
        whether one that he has is among them.
        """
        return hmac.new(self.vouch, b"object:" + sha256.encode("ascii"), hashlib.sha256).hexdigest()[:NAME_LENGTH]

    def mac(self, content: bytes) -> str:
        """Vouches for `content`."""
        return hmac.new(self.vouch, b"manifest:" + content, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class OpenKeys:
    """What the recovery code gives: it opens, and checks what was vouched for."""

    code: RecoveryCode

    @property
    def seal(self) -> SealKeys:
        """The other side's keys."""
        return SealKeys(self.code.recipient(), self.code.seal_key())


@dataclass(frozen=True)
class Sealed:
    """What was written: SHA-256 of the encrypted bytes and of what they hold, and both sizes."""

    sha256: str
    size: int
    plain_sha256: str
    plain_size: int


class _Reader(io.RawIOBase):
    """Hashes what is read, and remembers the disk's complaint, which age turns into one of its own."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.size = 0
        self.fault: OSError | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._source.read(size if size >= 0 else CHUNK)
        except OSError as error:
            self.fault = error
            raise
        self.digest.update(data)
        self.size += len(data)
        return data


class _Writer(io.RawIOBase):
    """The same for what is written; at most `limit` bytes."""

    def __init__(self, target: IO[bytes], limit: int | None = None) -> None:
        self._target = target
        self._limit = limit
        self.digest = hashlib.sha256()
        self.size = 0
        self.fault: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self._limit is not None and self.size + len(data) > self._limit:
            raise ValueError("more than was said")
        try:
            self._target.write(data)
        except OSError as error:
            self.fault = error
            raise
        self.digest.update(data)
        self.size += len(data)
        return len(data)


def seal(reader: IO[bytes], writer: IO[bytes], recipient: str) -> Sealed:
    """Encrypts all that `reader` gives. SourceError where that can't be read, OSError of the writer."""
    source, target = _Reader(reader), _Writer(writer)
    try:
        pyrage.encrypt_io(source, target, [pyrage.x25519.Recipient.from_str(recipient)])
    except (pyrage.EncryptError, OSError) as error:
        if source.fault is not None:
            raise SourceError from source.fault
        raise target.fault or OSError(str(error)) from error
    return Sealed(target.digest.hexdigest(), target.size, source.digest.hexdigest(), source.size)


def unseal(reader: IO[bytes], writer: IO[bytes], code: RecoveryCode, limit: int | None = None) -> str:
    """Decrypts all that `reader` gives; SHA-256 of what it held. DamagedError unless it is whole and for this code, and
    at most `limit` bytes; OSError of the writer.
    """
    target = _Writer(writer, limit)
    try:
        pyrage.decrypt_io(_Reader(reader), target, [code.identity()])
    except (pyrage.DecryptError, OSError, ValueError) as error:
        if target.fault is not None:
            raise target.fault from error
        raise DamagedError from error
    return target.digest.hexdigest()


def seal_bytes(content: bytes, recipient: str) -> bytes:
    """The same for a small thing."""
    out = io.BytesIO()
    seal(io.BytesIO(content), out, recipient)
    return out.getvalue()


def file_digest(path: Path) -> str:
    """SHA-256 of a file; OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as reader:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def require_recipient(recipient: str) -> None:
    """KnownError "backup_not_set" where the settings name no key that anything can be encrypted to."""
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise KnownError("backup_not_set") from error
