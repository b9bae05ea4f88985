"""The token host: the child process that alone makes C_ calls to one PKCS#11 module, on its main thread.

A crash, a hang or a leak of a vendor's driver ends here and nowhere else. It logs in exactly once per
`Open` request, never by itself and never again; it keeps no PIN; keys are chosen by certificate, never by
label or slot number. It writes nothing to disk and prints nothing.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11 import Attribute, CertificateType, Mechanism, ObjectClass, TokenFlag

from signer_token import wire
from signer_token.channel import Refusal, serve
from signer_token.ckr import describe
from signer_token.model import PinState

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER of DigestInfo up to the SHA-256 value (RFC 8017 §9.2, note 1)."""

_REMOVED = (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.DeviceRemoved)
_SESSION_GONE = (pkcs11.SessionClosed, pkcs11.SessionHandleInvalid, pkcs11.UserNotLoggedIn)


@dataclass(frozen=True)
class _OnToken:
    """A certificate where it was found."""

    slot: pkcs11.Slot
    certificate: bytes
    key_id: bytes


@dataclass(frozen=True)
class _OpenKey:
    """The logged-in session and its one key."""

    session: pkcs11.Session
    key: pkcs11.SignMixin
    mechanism: Mechanism
    token_serial: str
    certificate_sha256: str


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


class Driver:
    """One loaded module. Answers requests one after the other; holds at most one open key."""

    def __init__(self) -> None:
        self._module: lib | None = None
        self._open: _OpenKey | None = None

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answer `request`; raises Refusal with a code of the message catalogue."""
        match request:
            case wire.Load():
                self._load(request.module)
            case wire.ListTokens():
                return wire.TokensFound(self._list())
            case wire.Open():
                return self._open_key(request)
            case wire.Sign():
                return wire.Signed(self._sign(request))
            case wire.Close():
                self._close()
            case wire.Ping():
                pass
        return wire.Done()

    def shut_down(self) -> None:
        """Log out and finalise, as far as the driver lets us."""
        self._close()
        if self._module is not None:
            with suppress(pkcs11.PKCS11Error):
                self._module.finalize()

    def _load(self, path: str) -> None:
        try:
            self._module = pkcs11.lib(path)
        except pkcs11.PKCS11Error as error:
            _, _, system = str(error).partition(f"OS exception while loading {path}: ")
            raise Refusal("module_load_failed", reason=system or describe(error)) from error

    @property
    def _lib(self) -> "lib":
        if self._module is None:
            raise RuntimeError("Load comes first")
        return self._module

    def _restart_module(self) -> None:
        """C_Finalize, C_Initialize: the only cure after a removal, or for what a failed login leaks."""
        self._open = None
        with suppress(pkcs11.PKCS11Error):
            self._lib.finalize()
        with suppress(pkcs11.PKCS11Error):
            self._lib.initialize()

    # Listing

    def _plugged_in(self) -> Iterator[tuple[pkcs11.Slot, pkcs11.Token]]:
        """Slots with an initialised token; asks the driver anew, for flags are a snapshot."""
        for slot in self._lib.get_slots(token_present=True):
            try:
                token = slot.get_token()
            except _REMOVED:
                continue
            if token.flags & TokenFlag.TOKEN_INITIALIZED:
                yield slot, token

    def _list(self) -> list[wire.FoundToken]:
        try:
            return self._list_once()
        except pkcs11.PKCS11Error as error:
            if self._open is not None:
                raise Refusal("driver_error", ckr=describe(error)) from error
        # After a removal many drivers answer again only once restarted; listing is safe to repeat.
        self._restart_module()
        try:
            return self._list_once()
        except pkcs11.PKCS11Error as error:
            raise Refusal("driver_error", ckr=describe(error)) from error

    def _list_once(self) -> list[wire.FoundToken]:
        found: list[wire.FoundToken] = []
        fault: pkcs11.PKCS11Error | None = None
        for _, token in self._plugged_in():
            try:
                certificates = [der for der, _ in self._certificates(token)]
            except _REMOVED:
                continue
            except pkcs11.PKCS11Error as error:  # one sick token hides no other
                fault = error
                continue
            found.append(
                wire.FoundToken(
                    label=token.label,
                    serial=serial_text(token.serial),
                    manufacturer=token.manufacturer_id,
                    model=token.model,
                    pin_state=pin_state(token.flags),
                    certificates=certificates,
                )
            )
        if fault is not None and not found:
            raise fault
        return found

    def _certificates(self, token: pkcs11.Token) -> list[tuple[bytes, bytes]]:
        """DER and CKA_ID of the X.509 certificates that can be read without login."""
        wanted = {
            Attribute.CLASS: ObjectClass.CERTIFICATE,
            Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
        }
        read: list[tuple[bytes, bytes]] = []
        with token.open() as session:
            for certificate in session.get_objects(wanted):
                with suppress(pkcs11.PKCS11Error):
                    read.append((certificate[Attribute.VALUE], certificate[Attribute.ID]))
        return read

    # Opening

    def _open_key(self, request: wire.Open) -> wire.Opened:
        if self._open is not None:
            raise RuntimeError("a key is open")
        try:
            found = self._find(request.token_serial, request.certificate_sha256)
            modulus = _rsa_modulus(found.certificate)
            token = found.slot.get_token()
            mechanism = _mechanism(found.slot)
        except pkcs11.PKCS11Error as error:
            raise self._fault(error, request.token_serial) from error
        state = pin_state(token.flags)
        if state is PinState.LOCKED:
            raise Refusal("pin_locked", pin_state=state)
        if state is PinState.FINAL and not request.final_try:
            raise Refusal("pin_final", pin_state=state)
        session = self._log_in(token, request)
        try:
            key = _key(session, found.key_id, modulus)
        except pkcs11.PKCS11Error as error:
            self._restart_module()
            raise self._fault(error, request.token_serial) from error
        except Refusal:
            self._end(session)
            raise
        self._open = _OpenKey(session, key, mechanism, request.token_serial, request.certificate_sha256)
        return wire.Opened(found.certificate)

    def _find(self, serial: str, sha256: str) -> _OnToken:
        """The chosen certificate on the chosen token; two tokens are often plugged in together."""
        seen = False
        for slot, token in self._plugged_in():
            if serial_text(token.serial) != serial:
                continue
            seen = True
            for der, key_id in self._certificates(token):
                if hashlib.sha256(der).hexdigest() == sha256:
                    return _OnToken(slot, der, key_id)
        raise Refusal("certificate_not_found" if seen else "token_removed")

    def _log_in(self, token: pkcs11.Token, request: wire.Open) -> pkcs11.Session:
        """The one C_Login(CKU_USER) of this request."""
        try:
            return token.open(user_pin=request.pin)
        except pkcs11.PKCS11Error as error:
            try:
                state = pin_state(token.slot.get_token().flags)
            except pkcs11.PKCS11Error:
                state = PinState.UNKNOWN
            self._restart_module()  # python-pkcs11 leaks the session of a failed login
            code = _pin_refusal(error, state)
            if code is None:
                raise self._fault(error, request.token_serial) from error
            raise Refusal(code, pin_state=state) from error

    # Signing

    def _sign(self, request: wire.Sign) -> bytes:
        opened = self._open
        if opened is None or opened.certificate_sha256 != request.certificate_sha256:
            raise Refusal("session_lost")
        data = request.data
        if opened.mechanism is Mechanism.RSA_PKCS:
            data = _SHA256_DIGEST_INFO + hashlib.sha256(data).digest()
        try:
            return opened.key.sign(data, mechanism=opened.mechanism)
        except pkcs11.PKCS11Error as error:
            fault = self._fault(error, opened.token_serial)
            self._restart_module()
            raise fault from error

    def _close(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            self._end(opened.session)

    def _end(self, session: pkcs11.Session) -> None:
        try:
            session.close()  # logs out first
        except pkcs11.PKCS11Error:
            self._restart_module()

    def _fault(self, error: pkcs11.PKCS11Error, serial: str) -> Refusal:
        """What `error` means, none of it ever "wrong PIN".

        Pulled-out tokens show as nearly any code (CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, …), so the slots
        are asked.
        """
        if isinstance(error, _REMOVED):
            return Refusal("token_removed")
        with suppress(pkcs11.PKCS11Error):
            if all(serial_text(token.serial) != serial for _, token in self._plugged_in()):
                return Refusal("token_removed")
        if isinstance(error, _SESSION_GONE):
            return Refusal("session_lost")
        return Refusal("driver_error", ckr=describe(error))


def _pin_refusal(error: pkcs11.PKCS11Error, state: PinState) -> str | None:
    """The code for a refused login, None when it isn't about the PIN.

    A wrong PIN that locked the token is "locked": that is what the clerk must act on.
    """
    match error:
        case pkcs11.PinLocked():
            return "pin_locked"
        case pkcs11.PinIncorrect():
            return "pin_locked" if state is PinState.LOCKED else "pin_incorrect"
        case pkcs11.PinLenRange():
            return "pin_length"
        case pkcs11.PinExpired():
            return "pin_expired"
        case pkcs11.UserPinNotInitialized():
            return "pin_not_set"
    return None


def _rsa_modulus(der: bytes) -> int:
    """The modulus of the certificate's key; Refusal("key_unsupported") when it isn't RSA."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except Exception as error:  # the parser's exceptions are many, and the bytes are foreign
        raise Refusal("certificate_not_found") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refusal("key_unsupported")
    return key.public_numbers().n


def _mechanism(slot: pkcs11.Slot) -> Mechanism:
    offered = slot.get_mechanisms()
    for mechanism in (Mechanism.SHA256_RSA_PKCS, Mechanism.RSA_PKCS):
        if mechanism in offered:
            return mechanism
    raise Refusal("key_unsupported")


def _key(session: pkcs11.Session, key_id: bytes, modulus: int) -> pkcs11.SignMixin:
    """The private key with the certificate's CKA_ID and modulus; Refusal("key_missing") without one."""
    wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key_id}
    for key in session.get_objects(wanted):
        try:
            fits = int.from_bytes(key[Attribute.MODULUS], "big") == modulus
        except pkcs11.PKCS11Error:
            fits = True  # some drivers don't tell; a wrong key shows when the signature is checked
        if fits and isinstance(key, pkcs11.SignMixin):
            if _asks_again(key):
                raise Refusal("key_asks_again")
            return key
    raise Refusal("key_missing")


def _asks_again(key: pkcs11.SignMixin) -> bool:
    """CKA_ALWAYS_AUTHENTICATE: each signature would want a login of its own (PKCS#11 2.40 §4.9)."""
    try:
        return bool(key[Attribute.ALWAYS_AUTHENTICATE])
    except pkcs11.PKCS11Error:
        return False


def main() -> int:
    """Run the host on stdin and stdout until the parent closes them; returns the exit code."""
    driver = Driver()
    try:
        return serve(driver.handle, wire.REQUESTS)
    finally:
        driver.shut_down()
