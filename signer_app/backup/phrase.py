"""The recovery code: eight groups of six digits that a person keeps on paper, and the keys that follow from it.

Pure values, any thread; never written to a disk, shown by no repr. Digits, because a clerk reads them over the
telephone in any accent and types them whatever keyboard is on. Each group carries sixteen bits and checks itself and
its place: group N, divided by eleven, leaves N. So one wrong digit, two swapped ones and two swapped groups are seen at
once, and in which group. The code has 128 random bits; nothing about it can be guessed, so no slow derivation is
needed.
"""

import hmac
import os
from hashlib import sha256

import pyrage
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signer_app.backup.groups import DIGITS, GROUPS, digits_of, group_digits, group_value
from signer_resources.errors import KnownError

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_IDENTITY = "age-secret-key-"


class RecoveryCode:
    """The code itself; `str` of it is for the one moment in which a person writes it down."""

    __slots__ = ("_entropy",)

    def __init__(self, entropy: bytes) -> None:
        if len(entropy) != GROUPS * 2:
            raise ValueError("a recovery code has 128 bits")
        self._entropy = entropy

    @classmethod
    def make(cls) -> "RecoveryCode":
        """A new one."""
        return cls(os.urandom(GROUPS * 2))

    @classmethod
    def parse(cls, typed: str) -> "RecoveryCode":
        """What a person typed or read out; whatever stands between the digits makes no difference.

        KnownError "recovery_code_length" unless it has 48 digits, "recovery_code_group" names the first wrong group.
        """
        digits = digits_of(typed)
        if len(digits) != GROUPS * DIGITS:
            raise KnownError("recovery_code_length", count=len(digits), wanted=GROUPS * DIGITS)
        entropy = b""
        for place in range(GROUPS):
            value = group_value(place, digits[place * DIGITS : (place + 1) * DIGITS])
            if value is None:
                raise KnownError("recovery_code_group", group=place + 1)
            entropy += value.to_bytes(2, "big")
        return cls(entropy)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups as they are written down."""
        values = (int.from_bytes(self._entropy[at * 2 : at * 2 + 2], "big") for at in range(GROUPS))
        return tuple(group_digits(place, value) for place, value in enumerate(values))

    def is_same(self, other: "RecoveryCode") -> bool:
        """Whether both are one code, in a time that tells nothing."""
        return hmac.compare_digest(self._entropy, other._entropy)

    def identity(self) -> pyrage.x25519.Identity:
        """The key that opens backups (age, X25519)."""
        return pyrage.x25519.Identity.from_str(_bech32(_IDENTITY, self._derive(b"signer backup: open")).upper())

    def recipient(self) -> str:
        """The public half, to which backups are encrypted: "age1…"."""
        return str(self.identity().to_public())

    def seal_key(self) -> bytes:
        """32 bytes by which a machine vouches for what it wrote, and by which files in the backup get their names."""
        return self._derive(b"signer backup: vouch")

    def _derive(self, purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(self._entropy)

    def __str__(self) -> str:
        return "-".join(self.groups)

    def __repr__(self) -> str:
        return "RecoveryCode(…)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a recovery code is not copied out of the program")


def set_name(seal_key: bytes) -> str:
    """The folder of all backups that belong to one recovery code."""
    return f"signer-backup-{hmac.new(seal_key, b'name of the set', sha256).hexdigest()[:16]}"


def _bech32(prefix: str, data: bytes) -> str:
    """BIP 173; age writes its keys in it (age-encryption.org/v1)."""
    bits, count, words = 0, 0, []
    for byte in data:
        bits, count = bits << 8 | byte, count + 8
        while count >= 5:
            count -= 5
            words.append(bits >> count & 31)
    if count:
        words.append(bits << (5 - count) & 31)
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod([*expanded, *words, 0, 0, 0, 0, 0, 0]) ^ 1
    words += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{prefix}1{''.join(_BECH32[word] for word in words)}"


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at in range(5):
            check ^= _BECH32_GENERATOR[at] if top >> at & 1 else 0
    return check
