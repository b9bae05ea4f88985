"""Named secrets that a person typed: a proxy's password, those of a province's LGSP, access keys.

Any thread. They are kept in the operating system's keyring; where there is none that really keeps anything, in memory
until the program ends, and the caller is told so, to tell the clerk. Never in a file, a repr, an error or a log.
"""

import re
import threading
from enum import StrEnum
from typing import Final

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from signer_resources.errors import KnownError

SERVICE: Final = "signer secret"
MAX_SECRET: Final = 1000
"""Letters; the keyring of Windows takes 2,560 bytes."""


class Kept(StrEnum):
    """Where a secret is."""

    KEYRING = "keyring"
    MEMORY = "memory"
    """Until the program ends; to be typed again then."""


class Secret:
    """A secret that shows itself to nobody who doesn't ask for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, to be handed on at once and not kept."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not copied out of the program")


class SecretStore:
    """Keeps secrets by name ("proxy-password", "lgsp-password:H77.15"); `backend` None: the system's keyring."""

    def __init__(self, backend: KeyringBackend | None = None) -> None:
        self._backend = backend if backend is not None else keyring.get_keyring()
        self._memory: dict[str, str] = {}
        self._turn = threading.Lock()

    def save(self, name: str, secret: Secret) -> Kept:
        """Keeps a secret in place of an earlier one, and says where. ValueError if it is empty or too long."""
        text = secret.reveal()
        if not 0 < len(text) <= MAX_SECRET:
            raise ValueError("a secret has 1 to 1000 letters")
        with self._turn:
            if self._keep(_name(name), text):
                self._memory.pop(name, None)
                return Kept.KEYRING
            self._memory[name] = text
            return Kept.MEMORY

    def load(self, name: str) -> Secret | None:
        """The secret, None if it isn't there or the keyring doesn't give it out now."""
        with self._turn:
            text = self._memory.get(_name(name))
            text = text if text is not None else self._read(name)
        return None if text is None else Secret(text)

    def kept(self, name: str) -> Kept | None:
        """Where the secret is, None if nowhere."""
        with self._turn:
            if _name(name) in self._memory:
                return Kept.MEMORY
            return None if self._read(name) is None else Kept.KEYRING

    def delete(self, name: str) -> None:
        """Forgets a secret; nothing happens if there is none. KnownError secret_not_deleted if the keyring keeps it."""
        with self._turn:
            self._memory.pop(_name(name), None)
            try:
                if self._backend.get_password(SERVICE, name) is None:
                    return
                self._backend.delete_password(SERVICE, name)
            except NotImplementedError:  # a keyring that keeps nothing at all
                return
            except KeyringError as error:
                if _keeps_nothing(self._backend):
                    return
                raise KnownError("secret_not_deleted") from error

    def __repr__(self) -> str:
        return "SecretStore(…)"

    def _keep(self, name: str, text: str) -> bool:
        """Some keyrings answer and keep nothing, hence the second look."""
        try:
            self._backend.set_password(SERVICE, name, text)
        except (KeyringError, NotImplementedError):
            return False
        return self._read(name) == text

    def _read(self, name: str) -> str | None:
        try:
            return self._backend.get_password(SERVICE, name)
        except (KeyringError, NotImplementedError):
            return None


def _keeps_nothing(backend: KeyringBackend) -> bool:
    """Whether this is keyring's stand-in for "there is none on this machine"."""
    return type(backend).__module__ in ("keyring.backends.fail", "keyring.backends.null")


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.:\-]{0,120}", name, re.ASCII):
        raise ValueError("not a name for a secret")
    return name
