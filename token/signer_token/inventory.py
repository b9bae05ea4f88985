"""What lies on the tokens of one loaded module, as far as it shows without a login: flags, certificates, PIN lengths.

Token host only, on its main thread. What was read of a token is kept until it is pulled out, for reading takes a slow
one seconds; what could not be read whole is read again, more and more rarely. A token that can't be read hides no
other, and is told. Never logs in.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pkcs11
from pkcs11 import Attribute, CertificateType, ObjectClass, TokenFlag

from signer_token import wire
from signer_token.ckr import describe
from signer_token.model import PinState
from signer_token.pin_lengths import PinLengths, pin_lengths

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

_REMOVED = (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.DeviceRemoved)
_NOT_THERE = (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive)
"""What a token says of an object that has no such value to show: an answer, no fault."""
_LEFT_ALONE_MOST = 63
"""Looks; somebody looks about every second."""


@dataclass(frozen=True)
class PluggedIn:
    """The slots with an initialised token, and what the driver said instead of telling of one."""

    tokens: tuple[tuple[pkcs11.Slot, pkcs11.Token], ...]
    faults: tuple[pkcs11.PKCS11Error, ...]

    def lacks(self, serial: str) -> bool:
        """Whether this token is surely not there: what can't be read may be it."""
        return not self.faults and all(serial_text(token.serial) != serial for _slot, token in self.tokens)


@dataclass(frozen=True)
class Certificates:
    """DER and CKA_ID of each X.509 certificate that could be read; `fault`: why another couldn't."""

    found: tuple[tuple[bytes, bytes], ...]
    fault: pkcs11.PKCS11Error | None


@dataclass(frozen=True)
class _Content:
    """What a token holds."""

    certificates: list[wire.FoundCertificate]
    lengths: PinLengths | None
    fault: pkcs11.PKCS11Error | None

    @property
    def whole(self) -> bool:
        return self.fault is None and self.lengths is not None


@dataclass(frozen=True)
class _Kept:
    """What was read; if not whole, for how many looks it is left alone, and for how many are left of them."""

    content: _Content
    pause: int
    left: int


_Key = tuple[int, bytes, str]
"""Slot, serial number and label of a token."""


def plugged_in(module: "lib") -> PluggedIn:
    """Asks the driver anew, for flags are a snapshot; PKCS11Error where it doesn't even tell its slots."""
    tokens: list[tuple[pkcs11.Slot, pkcs11.Token]] = []
    faults: list[pkcs11.PKCS11Error] = []
    for slot in module.get_slots(token_present=True):
        try:
            token = slot.get_token()
        except _REMOVED:
            continue
        except pkcs11.PKCS11Error as fault:
            faults.append(fault)
            continue
        if token.flags & TokenFlag.TOKEN_INITIALIZED:
            tokens.append((slot, token))
    return PluggedIn(tuple(tokens), tuple(faults))


def certificates(token: pkcs11.Token) -> Certificates:
    """Those that can be read without login; PKCS11Error where the token can't be searched."""
    wanted = {
        Attribute.CLASS: ObjectClass.CERTIFICATE,
        Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
    }
    found: list[tuple[bytes, bytes]] = []
    fault: pkcs11.PKCS11Error | None = None
    with token.open() as session:
        for certificate in session.get_objects(wanted):
            try:
                found.append((certificate[Attribute.VALUE], certificate[Attribute.ID]))
            except _NOT_THERE:
                continue
            except pkcs11.PKCS11Error as error:
                fault = error
    return Certificates(tuple(found), fault)


class Inventory:
    """Remembers what was read of the tokens that are plugged in."""

    def __init__(self) -> None:
        self._kept: dict[_Key, _Kept] = {}

    def forget(self) -> None:
        """Everything is to be read anew."""
        self._kept.clear()

    def look(self, module: "lib", path: str) -> wire.TokensFound:
        """The tokens that `module`, loaded from `path`, shows; PKCS11Error where all that it says is a fault."""
        slots = plugged_in(module)
        faults, found = list(slots.faults), list[wire.FoundToken]()
        kept: dict[_Key, _Kept] = {}
        for slot, token in slots.tokens:
            key = (slot.slot_id, token.serial, token.label)
            try:
                kept[key] = self._current(key, slot, token, path)
            except _REMOVED:
                continue
            except pkcs11.PKCS11Error as fault:
                faults.append(fault)
                continue
            content = kept[key].content
            if content.fault is not None:
                faults.append(content.fault)
            found.append(_found(token, content))
        self._kept = kept
        if faults and not found:
            raise faults[0]
        return wire.TokensFound(found, _told(faults))

    def _current(self, key: _Key, slot: pkcs11.Slot, token: pkcs11.Token, path: str) -> _Kept:
        before = self._kept.get(key)
        if before is not None and before.content.whole:
            return before
        if before is not None and before.left > 0:
            return replace(before, left=before.left - 1)
        # At once the first time; a token with a certificate that no one can read isn't to be busy with it for ever.
        pause = 0 if before is None else min(before.pause * 2 + 1, _LEFT_ALONE_MOST)
        return _Kept(_content(slot, token, path), pause, pause)


def _content(slot: pkcs11.Slot, token: pkcs11.Token, path: str) -> _Content:
    read, seen = certificates(token), _visible_keys(token)
    found = [wire.FoundCertificate(der, True if key_id in seen else None) for der, key_id in read.found]
    return _Content(found, pin_lengths(path, slot.slot_id), read.fault)


def _visible_keys(token: pkcs11.Token) -> set[bytes]:
    """CKA_ID of the key pairs that show without login: most tokens show the public half."""
    seen: set[bytes] = set()
    with suppress(pkcs11.PKCS11Error), token.open() as session:
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            for key in session.get_objects({Attribute.CLASS: kind}):
                with suppress(pkcs11.PKCS11Error):
                    seen.add(bytes(key[Attribute.ID]))
    return seen - {b""}


def _found(token: pkcs11.Token, content: _Content) -> wire.FoundToken:
    return wire.FoundToken(
        label=token.label,
        serial=serial_text(token.serial),
        manufacturer=token.manufacturer_id,
        model=token.model,
        pin_state=pin_state(token.flags),
        pin_pad=bool(token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH),
        pin_least=content.lengths.least if content.lengths else 0,
        pin_most=content.lengths.most if content.lengths else 0,
        certificates=content.certificates,
    )


def _told(faults: Iterable[pkcs11.PKCS11Error]) -> list[str]:
    """Each kind of fault once."""
    return list(dict.fromkeys(map(describe, faults)))


def pin_state(flags: TokenFlag) -> PinState:
    """What the flags of CK_TOKEN_INFO say about the user PIN."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        return PinState.LOCKED
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        return PinState.FINAL
    return PinState.LOW if flags & TokenFlag.USER_PIN_COUNT_LOW else PinState.OK


def serial_text(serial: bytes) -> str:
    """The serial number of a token without its padding; some drivers pad with NUL instead of blanks."""
    return serial.rstrip(b"\0 ").decode("utf-8", errors="replace")
