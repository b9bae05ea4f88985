"""The publisher's private keys: Ed25519, each a file of its own, encrypted by a passphrase.

A key's file is made once and never replaced. Passphrases come from the caller, and are kept nowhere.
"""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

Ask = Callable[[str], str]
"""Gives the passphrase of the key with this name."""

SHORTEST = 12
"""Letters of a passphrase at least."""


class KeyFault(Exception):  # noqa: N818 - told to the publisher as it is
    """A key can't be made or used; the text says why."""


def make_key(file: Path, passphrase: str) -> CryptoSigner:
    """A new key in `file` (0600); KeyFault where there is one already, or the passphrase is short."""
    if len(passphrase) < SHORTEST:
        raise KeyFault(f"the passphrase of {file.stem} has fewer than {SHORTEST} letters")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError as error:
        raise KeyFault(f"{file} is there already") from error
    return CryptoSigner(key)


def load_key(file: Path, ask: Ask) -> CryptoSigner:
    """The key in `file`; KeyFault where there is none, or the passphrase is another one."""
    try:
        key = load_pem_private_key(file.read_bytes(), ask(file.stem).encode())
    except OSError as error:
        raise KeyFault(f"{file} can't be read") from error
    except (ValueError, TypeError) as error:
        raise KeyFault(f"{file} doesn't open with this passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFault(f"{file} is no Ed25519 key")
    return CryptoSigner(key)
