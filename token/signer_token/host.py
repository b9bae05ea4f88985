"""The token host: the child process that alone makes C_ calls to one PKCS#11 module, on its main thread.

A crash, a hang or a leak of a vendor's driver ends here and nowhere else. It logs in exactly once per `Open` request,
never by itself and never again. It keeps a PIN only for a key that wants a login for each signature, as long as that
key is open, and overwrites it then. Keys are chosen by certificate, never by label or slot number. It writes nothing
to disk and prints nothing.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11 import PROTECTED_AUTH, Attribute, Mechanism, ObjectClass, TokenFlag

from signer_token import watchdog, wire
from signer_token.channel import END_S, Refusal, serve
from signer_token.ckr import describe, value_of
from signer_token.idleness import Idleness
from signer_token.inventory import Inventory, certificates, pin_state, plugged_in, serial_text
from signer_token.model import PinState

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

_IDLE_EVERY_S = 5.0
STUCK_S = 30.0
"""So long a driver may load, finalise or log out; whoever waits for an answer has lost patience long before."""
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER of DigestInfo up to the SHA-256 value (RFC 8017 §9.2, note 1)."""

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


class Driver:
    """One loaded module. Answers requests one after the other; holds at most one open key.

    `stuck_s`: after so many seconds in a call that nobody waits for, this process ends.
    """

    def __init__(self, idleness: Idleness | None = None, stuck_s: float = STUCK_S) -> None:
        self._idleness = idleness or Idleness()
        self._stuck_s = stuck_s
        self._module: lib | None = None
        self._path = ""
        self.opened: OpenKey | None = None
        self._inventory = Inventory()
        self._left_open: pkcs11.Session | None = None
        """To be closed once the request is answered."""
        self._restart_due = False

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answer `request`; raises Refusal with a code of the message catalogue."""
        match request:
            case wire.Load():
                return self._load(request.module)
            case wire.ListTokens():
                return self._list(fresh=request.fresh)
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
        self._end_unused()
        self.settle()

    def settle(self) -> None:
        """Puts in order what a request has left. After its answer: a driver that dies here hides no refused PIN."""
        session, self._left_open = self._left_open, None
        if session is not None:
            with watchdog.within(self._stuck_s):
                self._end(session)
        if self._restart_due:
            self._restart_module()

    def shut_down(self) -> None:
        """Log out and finalise, as far as the driver lets us."""
        self._close()
        if self._module is not None:
            with suppress(pkcs11.PKCS11Error):
                self._module.finalize()

    def _end_unused(self) -> None:
        if self.opened is not None and self._idleness.over:
            with watchdog.within(self._stuck_s):
                self._close()

    def _load(self, path: str) -> wire.Loaded:
        try:
            with watchdog.within(self._stuck_s):
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

    def _restart_soon(self) -> None:
        """C_Finalize, C_Initialize: the only cure after a removal, or for what a failed login leaks. Not before the
        answer: drivers like to die of it.
        """
        self._forget_key()
        self._inventory.forget()
        self._restart_due = True

    def _restart_module(self) -> None:
        self._forget_key()
        self._inventory.forget()
        self._restart_due = False
        with watchdog.within(self._stuck_s):
            with suppress(pkcs11.PKCS11Error):
                self._lib.finalize()
            with suppress(pkcs11.PKCS11Error):
                self._lib.initialize()

    # Listing

    def _list(self, *, fresh: bool) -> wire.TokensFound:
        self._end_unused()
        if fresh:
            self._inventory.forget()
        try:
            return self._inventory.look(self._lib, self._path)
        except pkcs11.PKCS11Error as error:
            if self.opened is not None:
                raise Refusal("driver_error", ckr=describe(error)) from error
        # After a removal many drivers answer again only once restarted; listing is safe to repeat.
        self._restart_module()
        try:
            return self._inventory.look(self._lib, self._path)
        except pkcs11.PKCS11Error as error:
            raise Refusal("driver_error", ckr=describe(error)) from error

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
            self._restart_soon()
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
        """The chosen certificate on the chosen token; two tokens are often plugged in together.

        Where something could not be read it may have been there: then that fault is raised, PKCS11Error.
        """
        slots = plugged_in(self._lib)
        faults, seen = list(slots.faults), False
        for slot, token in slots.tokens:
            if serial_text(token.serial) != serial:
                continue
            seen = True
            try:
                read = certificates(token)
            except pkcs11.PKCS11Error as fault:
                faults.append(fault)
                continue
            for der, key_id in read.found:
                if hashlib.sha256(der).hexdigest() == sha256:
                    return _OnToken(slot, der, key_id)
            if read.fault is not None:
                faults.append(read.fault)
        if faults:
            raise faults[-1]
        raise Refusal("certificate_not_found" if seen else "token_removed")

    def _log_in(self, token: pkcs11.Token, request: wire.Open) -> pkcs11.Session:
        """The one C_Login(CKU_USER) of this request."""
        try:
            return token.open(user_pin=PROTECTED_AUTH if request.pin is None else request.pin)
        except pkcs11.PKCS11Error as error:
            state = _state_now(token)
            self._restart_soon()  # python-pkcs11 leaks the session of a failed login
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
            token = self._find(request.token_serial, request.certificate_sha256).slot.get_token()
            _require_tries(token, final_try=request.final_try)
            session = token.open(rw=True)
        except pkcs11.PKCS11Error as error:
            raise self._fault(error, request.token_serial) from error
        try:
            session.set_pin(request.old, request.new)
        except pkcs11.PKCS11Error as error:
            state = _state_now(token)
            self._restart_soon()
            if value_of(error).meaning in ("pin_length", "pin_rejected"):
                raise Refusal("pin_rejected", pin_state=state) from error
            raise self._pin_refusal(error, state, request.token_serial) from error
        self._left_open = session

    # Signing

    def _authorise(self, request: wire.Authorise) -> None:
        if self.opened is None:
            raise Refusal("session_lost")
        self.opened.forget_pin()
        self.opened.pin.extend(request.pin.encode())

    def _sign(self, request: wire.Sign) -> bytes:
        self._end_unused()
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
            self._restart_soon()
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
            self._restart_soon()

    def _fault(self, error: pkcs11.PKCS11Error, serial: str) -> Refusal:
        """What `error` means.

        Pulled-out tokens show as nearly any code (CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, …), so the slots
        are asked.
        """
        meaning = value_of(error).meaning
        if meaning == "token_removed":
            return Refusal(meaning)
        with suppress(pkcs11.PKCS11Error):
            if plugged_in(self._lib).lacks(serial):
                return Refusal("token_removed")
        return Refusal(meaning, ckr=describe(error))


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


def main(stuck_s: float = STUCK_S, end_s: float = END_S) -> NoReturn:
    """Run the host on stdin and stdout until the parent closes them, then end the process.

    `stuck_s`, `end_s`: seconds after which a driver that hangs is left, with the process, when nobody else does it.
    """
    driver = Driver(stuck_s=stuck_s)
    try:
        code = serve(
            driver.handle,
            wire.REQUESTS,
            idle=driver.idle,
            idle_every_s=_IDLE_EVERY_S,
            settle=driver.settle,
            end_s=end_s,
        )
    finally:
        watchdog.end_after(end_s)
        driver.shut_down()
    # Not by the interpreter's end: what a driver does when it is unloaded has brought down many a program.
    os._exit(code)
