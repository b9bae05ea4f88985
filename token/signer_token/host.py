"""The token host: the child process that alone makes C_ calls to one PKCS#11 module, on its main thread.

A crash, a hang or a leak of a vendor's driver ends here and nowhere else. It logs in exactly once per `Open` request,
never by itself and never again. It keeps a PIN only for a key that wants a login for each signature, as long as that
key is open, and overwrites it then. Keys are chosen by certificate, never by label or slot number. It writes nothing
to disk and prints nothing.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11 import PROTECTED_AUTH, Attribute, CertificateType, Mechanism, ObjectClass, TokenFlag

from signer_token import wire
from signer_token.channel import Refusal, serve
from signer_token.ckr import describe, value_of
from signer_token.idleness import Idleness
from signer_token.model import PinState
from signer_token.pin_lengths import PinLengths, pin_lengths

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

_IDLE_EVERY_S = 5.0
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER of DigestInfo up to the SHA-256 value (RFC 8017 §9.2, note 1)."""

_REMOVED = (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.DeviceRemoved)
_OF_THE_PIN = frozenset(
    {"pin_incorrect", "pin_locked", "pin_length", "pin_expired", "pin_not_set", "pin_pad_cancelled"}
)
"""What a login can be refused for, so that the state of the PIN is told with it."""


_OF_A_SIGNATURE_PIN = {
    "pin_incorrect": "signature_pin_incorrect",
    "pin_length": "signature_pin_length",
    "pin_locked": "signature_pin_locked",
}
"""What a context login is refused for, and how that is told."""


@dataclass(frozen=True)
class _OnToken:
    """A certificate where it was found."""

    slot: pkcs11.Slot
    certificate: bytes
    key_id: bytes


@dataclass(frozen=True)
class OpenKey:
    """The logged-in session and its one key."""

    session: pkcs11.Session
    key: pkcs11.SignMixin
    mechanism: Mechanism
    token_serial: str
    certificate_sha256: str
    asks_again: bool
    pin: bytearray
    """For a key that asks again, empty until it was given; overwritten when the key is closed."""

    def forget_pin(self) -> None:
        """Overwrites the PIN."""
        self.pin[:] = bytes(len(self.pin))
        self.pin.clear()


@dataclass(frozen=True)
class _Content:
    """What a token holds, read once for each insertion."""

    certificates: list[wire.FoundCertificate]
    lengths: PinLengths | None


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

    def __init__(self, idleness: Idleness | None = None) -> None:
        self._idleness = idleness or Idleness()
        self._module: lib | None = None
        self._path = ""
        self.opened: OpenKey | None = None
        self._read: dict[tuple[int, bytes, str], _Content] = {}
        """What was read of the tokens that are plugged in, by slot, serial and label."""

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answer `request`; raises Refusal with a code of the message catalogue."""
        match request:
            case wire.Load():
                return self._load(request.module)
            case wire.ListTokens():
                return wire.TokensFound(self._list(fresh=request.fresh))
            case wire.Open():
                return self._open_key(request)
            case wire.Authorise():
                self._authorise(request)
            case wire.Sign():
                return wire.Signed(self._sign(request))
            case wire.ChangePin():
                self._change_pin(request)
            case wire.Close():
                self._close()
            case wire.Ping():
                pass
        return wire.Done()

    def idle(self) -> None:
        """Logs out when the open key was not used for long, or the machine has slept since."""
        if self.opened is not None and self._idleness.over:
            self._close()

    def shut_down(self) -> None:
        """Log out and finalise, as far as the driver lets us."""
        self._close()
        if self._module is not None:
            with suppress(pkcs11.PKCS11Error):
                self._module.finalize()

    def _load(self, path: str) -> wire.Loaded:
        try:
            module = pkcs11.lib(path)
        except pkcs11.PKCS11Error as error:
            _, _, system = str(error).partition(f"OS exception while loading {path}: ")
            raise Refusal("module_load_failed", reason=system or describe(error)) from error
        self._module, self._path = module, path
        return wire.Loaded(
            manufacturer=module.manufacturer_id,
            description=module.library_description,
            library_version=_version(module.library_version),
            cryptoki_version=_version(module.cryptoki_version),
        )

    @property
    def _lib(self) -> "lib":
        if self._module is None:
            raise RuntimeError("Load comes first")
        return self._module

    def _restart_module(self) -> None:
        """C_Finalize, C_Initialize: the only cure after a removal, or for what a failed login leaks."""
        self._forget_key()
        self._read.clear()
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

    def _list(self, *, fresh: bool) -> list[wire.FoundToken]:
        self.idle()
        if fresh:
            self._read.clear()
        try:
            return self._list_once()
        except pkcs11.PKCS11Error as error:
            if self.opened is not None:
                raise Refusal("driver_error", ckr=describe(error)) from error
        # After a removal many drivers answer again only once restarted; listing is safe to repeat.
        self._restart_module()
        try:
            return self._list_once()
        except pkcs11.PKCS11Error as error:
            raise Refusal("driver_error", ckr=describe(error)) from error

    def _list_once(self) -> list[wire.FoundToken]:
        found: list[wire.FoundToken] = []
        read: dict[tuple[int, bytes, str], _Content] = {}
        fault: pkcs11.PKCS11Error | None = None
        for slot, token in self._plugged_in():
            key = (slot.slot_id, token.serial, token.label)
            try:
                # Reading takes a slow token seconds, and this is asked every second.
                read[key] = self._read[key] if key in self._read else self._content(slot, token)
            except _REMOVED:
                continue
            except pkcs11.PKCS11Error as error:  # one sick token hides no other
                fault = error
                continue
            found.append(_found(token, read[key]))
        self._read = read
        if fault is not None and not found:
            raise fault
        return found

    def _content(self, slot: pkcs11.Slot, token: pkcs11.Token) -> _Content:
        return _Content(self._found_certificates(token), pin_lengths(self._path, slot.slot_id))

    def _found_certificates(self, token: pkcs11.Token) -> list[wire.FoundCertificate]:
        certificates = self._certificates(token)
        seen = self._visible_keys(token)
        return [wire.FoundCertificate(der, True if key_id in seen else None) for der, key_id in certificates]

    def _visible_keys(self, token: pkcs11.Token) -> set[bytes]:
        """CKA_ID of the key pairs that show without login: most tokens show the public half."""
        seen: set[bytes] = set()
        with suppress(pkcs11.PKCS11Error), token.open() as session:
            for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
                for key in session.get_objects({Attribute.CLASS: kind}):
                    with suppress(pkcs11.PKCS11Error):
                        seen.add(bytes(key[Attribute.ID]))
        return seen - {b""}

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
        if self.opened is not None:
            raise RuntimeError("a key is open")
        try:
            found = self._find(request.token_serial, request.certificate_sha256)
            modulus = _rsa_modulus(found.certificate)
            token = found.slot.get_token()
            mechanism = _mechanism(found.slot)
        except pkcs11.PKCS11Error as error:
            raise self._fault(error, request.token_serial) from error
        _require_tries(token, final_try=request.final_try)
        if request.pin is None and not token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH:
            raise Refusal("pin_empty")
        session = self._log_in(token, request)
        try:
            key = _key(session, found.key_id, modulus)
        except pkcs11.PKCS11Error as error:
            self._restart_module()
            raise self._fault(error, request.token_serial) from error
        except Refusal:
            self._end(session)
            raise
        again = _asks_again(key)
        self._idleness.used()
        self.opened = OpenKey(
            session, key, mechanism, request.token_serial, request.certificate_sha256, again, bytearray()
        )
        return wire.Opened(found.certificate, again)

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
            return token.open(user_pin=PROTECTED_AUTH if request.pin is None else request.pin)
        except pkcs11.PKCS11Error as error:
            state = _state_now(token)
            self._restart_module()  # python-pkcs11 leaks the session of a failed login
            raise self._pin_refusal(error, state, request.token_serial) from error

    def _pin_refusal(self, error: pkcs11.PKCS11Error, state: PinState, serial: str) -> Refusal:
        """Why a PIN was refused; a wrong one that locked the token is "locked": that is what the clerk must act on."""
        code = value_of(error).meaning
        if code == "pin_rejected":
            # A word about new PINs; of one that is used to log in it tells nothing certain.
            return Refusal("driver_error", ckr=describe(error))
        if code not in _OF_THE_PIN:
            return self._fault(error, serial)
        if code == "pin_incorrect" and state is PinState.LOCKED:
            code = "pin_locked"
        return Refusal(code, pin_state=state)

    def _change_pin(self, request: wire.ChangePin) -> None:
        """C_SetPIN in a session without login: the token itself checks the old PIN, once."""
        if self.opened is not None:
            raise RuntimeError("a key is open")
        try:
            token = next(
                (token for _, token in self._plugged_in() if serial_text(token.serial) == request.token_serial), None
            )
            if token is None:
                raise Refusal("token_removed")
            _require_tries(token, final_try=request.final_try)
            session = token.open(rw=True)
        except pkcs11.PKCS11Error as error:
            raise self._fault(error, request.token_serial) from error
        try:
            session.set_pin(request.old, request.new)
        except pkcs11.PKCS11Error as error:
            state = _state_now(token)
            self._restart_module()
            if value_of(error).meaning in ("pin_length", "pin_rejected"):
                raise Refusal("pin_rejected", pin_state=state) from error
            raise self._pin_refusal(error, state, request.token_serial) from error
        self._end(session)

    # Signing

    def _authorise(self, request: wire.Authorise) -> None:
        if self.opened is None:
            raise Refusal("session_lost")
        self.opened.forget_pin()
        self.opened.pin.extend(request.pin.encode())

    def _sign(self, request: wire.Sign) -> bytes:
        self.idle()
        opened = self.opened
        if opened is None or opened.certificate_sha256 != request.certificate_sha256:
            raise Refusal("session_lost")
        self._idleness.used()
        if opened.asks_again and not opened.pin:
            raise Refusal("signature_pin_needed")
        data = request.data
        if opened.mechanism is Mechanism.RSA_PKCS:
            data = _SHA256_DIGEST_INFO + hashlib.sha256(data).digest()
        try:
            # With a PIN: C_SignInit, C_Login(CKU_CONTEXT_SPECIFIC), C_Sign.
            pin = opened.pin.decode() if opened.asks_again else None
            return opened.key.sign(data, mechanism=opened.mechanism, pin=pin)
        except pkcs11.PKCS11Error as error:
            value = value_of(error)
            if value.goes_on and not opened.asks_again:
                raise Refusal(value.meaning, ckr=describe(error)) from error
            fault = self._fault(error, opened.token_serial)
            self._restart_module()
            if opened.asks_again and fault.code in _OF_A_SIGNATURE_PIN:
                raise Refusal(_OF_A_SIGNATURE_PIN[fault.code]) from error
            if value.goes_on:
                # The session is gone with the refused operation: nothing goes on here.
                raise Refusal("driver_error", ckr=describe(error)) from error
            raise fault from error

    def _forget_key(self) -> OpenKey | None:
        opened, self.opened = self.opened, None
        if opened is not None:
            opened.forget_pin()
        return opened

    def _close(self) -> None:
        opened = self._forget_key()
        if opened is not None:
            self._end(opened.session)

    def _end(self, session: pkcs11.Session) -> None:
        try:
            session.close()  # logs out first
        except pkcs11.PKCS11Error:
            self._restart_module()

    def _fault(self, error: pkcs11.PKCS11Error, serial: str) -> Refusal:
        """What `error` means.

        Pulled-out tokens show as nearly any code (CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, …), so the slots
        are asked.
        """
        meaning = value_of(error).meaning
        if meaning == "token_removed":
            return Refusal(meaning)
        with suppress(pkcs11.PKCS11Error):
            if all(serial_text(token.serial) != serial for _, token in self._plugged_in()):
                return Refusal("token_removed")
        return Refusal(meaning, ckr=describe(error))


def _found(token: pkcs11.Token, content: _Content) -> wire.FoundToken:
    lengths = content.lengths
    return wire.FoundToken(
        label=token.label,
        serial=serial_text(token.serial),
        manufacturer=token.manufacturer_id,
        model=token.model,
        pin_state=pin_state(token.flags),
        pin_pad=bool(token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH),
        pin_least=lengths.least if lengths else 0,
        pin_most=lengths.most if lengths else 0,
        certificates=content.certificates,
    )


def _version(numbers: tuple[int, int]) -> str:
    return ".".join(str(number) for number in numbers)


def _require_tries(token: pkcs11.Token, *, final_try: bool) -> None:
    """Refusal before a PIN is spent on a locked token, or the last try without the person's word."""
    state = pin_state(token.flags)
    if state is PinState.LOCKED:
        raise Refusal("pin_locked", pin_state=state)
    if state is PinState.FINAL and not final_try:
        raise Refusal("pin_final", pin_state=state)


def _state_now(token: pkcs11.Token) -> PinState:
    try:
        return pin_state(token.slot.get_token().flags)
    except pkcs11.PKCS11Error:
        return PinState.UNKNOWN


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
        return serve(driver.handle, wire.REQUESTS, idle=driver.idle, idle_every_s=_IDLE_EVERY_S)
    finally:
        driver.shut_down()
