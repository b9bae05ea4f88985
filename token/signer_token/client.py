"""The main process's side of the tokens: one `TokenHost` per PKCS#11 module, `TokenHosts` for several.

Callable from any thread, one call at a time per host; a call blocks until its deadline at most, so never
from the UI thread. Loads no vendor code into this process. A PIN goes to the host once per `open`, is never
kept here and never sent a second time, whatever happened.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from signer_resources.errors import KnownError
from signer_token import wire
from signer_token.binaries import own_binary, read_binary
from signer_token.channel import Child, ChildCrashed, ChildError, ChildFailed, ChildGarbage, ChildTimeout
from signer_token.drivers import misfit
from signer_token.exposure import exposed
from signer_token.model import Pin, PinState, Token, TokenCertificate

_R = TypeVar("_R", bound=msgspec.Struct)

_SESSION_GOES_ON = frozenset({"data_refused", "signature_pin_needed"})
"""What the host says when a signature failed and its session is as good as before."""
_SICK = frozenset({"driver_timeout", "driver_crashed", "module_load_failed"})
SICK_S = 30.0
"""So long a module that is sick is left alone the first time, then twice as long: what is mended shows by itself."""
_SICK_MOST_S = 60.0


class TokenError(KnownError):
    """A token, its driver or its PIN stood in the way; nothing more was tried.

    `pin_state` is what the token said after the failure, None when that wasn't asked.
    """

    def __init__(self, code: str, /, *, pin_state: PinState | None = None, **params: object) -> None:
        super().__init__(code, **params)
        self.pin_state = pin_state

    @property
    def goes_on(self) -> bool:
        """Whether only the document in hand is concerned, so that a batch may go on with the next."""
        return self.code == "data_refused"


@dataclass(frozen=True)
class Deadlines:
    """Seconds a driver may take. An ePass2003 takes 10 s to start; smart cards up to 2 s for a signature."""

    load_s: float = 15.0
    list_s: float = 15.0
    open_s: float = 30.0
    pin_pad_s: float = 120.0
    """A person types on the reader meanwhile."""
    sign_s: float = 20.0
    close_s: float = 3.0


@dataclass(frozen=True)
class Seen:
    """What one module shows; a fault for what it could not show of a token or of one of its certificates."""

    tokens: tuple[Token, ...]
    faults: tuple[TokenError, ...] = ()


class TokenSession:
    """A token that is logged in, for one certificate's key. Made by `TokenHost.open`; close it to log out."""

    def __init__(
        self, host: "TokenHost", token_serial: str, certificate: TokenCertificate, *, asks_again: bool
    ) -> None:
        key = x509.load_der_x509_certificate(certificate.der).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise TokenError("key_unsupported")
        self._host = host
        self._public_key = key
        self.token_serial = token_serial
        self.certificate = certificate
        self.asks_again = asks_again
        """Each signature wants a login of its own: `authorise` comes before the first."""

    def authorise(self, pin: Pin) -> None:
        """Gives the PIN of a key that asks again; it is first used at the next signature, and repeated only after
        the token has accepted it.

        Raises TokenError (pin_empty, pin_not_ascii, session_lost and accidents).
        """
        if problem := pin.problem():
            raise TokenError(problem)
        self._host._authorise(self, pin)

    def sign(self, data: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 over `data`, DER of signed attributes; checked with the public key.

        Raises TokenError; after any but data_refused and signature_pin_needed the session is over and every further
        call raises session_lost.
        ValueError for more than MAX_SIGNED_ATTRIBUTES bytes.
        """
        if len(data) > wire.MAX_SIGNED_ATTRIBUTES:
            raise ValueError(f"{len(data)} bytes are no signed attributes")
        signature = self._host._sign(self, data)
        try:
            self._public_key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            self.close()
            raise TokenError("signature_wrong", module=str(self._host.module)) from None
        return signature

    def close(self) -> None:
        """Log out. Harmless twice, and when the session is over."""
        self._host._close_session(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TokenHost:
    """One PKCS#11 module in its child process, started when first needed and again after it died.

    `command` starts `host.main`; `env` is added to our own environment; `stderr` takes what the driver
    prints.
    """

    def __init__(
        self,
        command: Sequence[str],
        module: Path,
        *,
        env: Mapping[str, str] | None = None,
        deadlines: Deadlines | None = None,
        stderr: IO[Any] | None = None,
    ) -> None:
        self.module = module
        self._command = tuple(command)
        self._env = dict(env or {})
        self._deadlines = deadlines or Deadlines()
        self._stderr = stderr
        self._lock = threading.RLock()
        self._child: Child[wire.Request, wire.Reply] | None = None
        self._newest: Child[wire.Request, wire.Reply] | None = None
        """Also one that is still loading its module."""
        self._hurried = False
        self._session: TokenSession | None = None

    def tokens(self, *, fresh: bool = False) -> tuple[Token, ...]:
        """The tokens that `look` sees; raises as that does."""
        return self.look(fresh=fresh).tokens

    def look(self, *, fresh: bool = False) -> Seen:
        """The tokens seen through this module, with their certificates; logs in nowhere.

        Certificates are read once for each insertion; `fresh` reads them anew. Raises TokenError: module_missing,
        module_load_failed, driver_crashed, driver_timeout, driver_error.
        """
        with self._lock:
            repeatable = self._child is not None and self._session is None
            request = wire.ListTokens(fresh)
            try:
                found = self._ask(request, wire.TokensFound, self._deadlines.list_s)
            except TokenError as error:
                # A host that was found dead is no news; a listing costs nothing to repeat.
                if error.code != "driver_crashed" or not repeatable:
                    raise
                found = self._ask(request, wire.TokensFound, self._deadlines.list_s)
        faults = tuple(TokenError("token_unreadable", module=str(self.module), ckr=ckr) for ckr in found.unread)
        return Seen(tuple(self._token(token) for token in found.tokens), faults)

    def open(
        self, token_serial: str, certificate_sha256: str, pin: Pin | None, *, final_try: bool = False
    ) -> TokenSession:
        """Log in once and find the certificate's key. Without `pin` it is typed on the reader's own keys.

        `final_try` allows the login although one more wrong PIN locks the token. Raises TokenError; in
        pin_empty, pin_not_ascii, pin_final, certificate_not_found, key_unsupported and token_removed no
        login was tried, in pin_locked none if the token said so before. RuntimeError while another session
        of this module is open.
        """
        if pin is not None and (problem := pin.problem()):
            raise TokenError(problem)
        with self._lock:
            if self._session is not None:
                raise RuntimeError("a session of this module is open")
            self._revive()
            request = wire.Open(
                token_serial=token_serial,
                certificate_sha256=certificate_sha256,
                pin=pin.reveal() if pin is not None else None,
                final_try=final_try,
            )
            deadline_s = self._deadlines.open_s if pin is not None else self._deadlines.pin_pad_s
            opened = self._ask(request, wire.Opened, deadline_s)
            del request
            try:
                certificate = TokenCertificate.from_der(opened.certificate)
                if certificate is None or certificate.sha256 != certificate_sha256:
                    raise TokenError("certificate_not_found")
                self._session = TokenSession(self, token_serial, certificate, asks_again=opened.asks_again)
            except (TokenError, ValueError):
                self._drop_child()  # it is logged in for something that we can't use
                raise TokenError("certificate_not_found") from None
            return self._session

    def change_pin(
        self, token_serial: str, certificate_sha256: str, old: Pin, new: Pin, *, final_try: bool = False
    ) -> None:
        """Gives the token that holds this certificate another user PIN. It checks the old one, which costs a try when
        it is wrong.

        Raises TokenError: pin_rejected where the new one doesn't follow the token's rules; pin_change_unknown where the
        driver died or hung over it, so that either PIN may hold; and as `open`.
        """
        for pin in (old, new):
            if problem := pin.problem():
                raise TokenError(problem)
        with self._lock:
            if self._session is not None:
                raise RuntimeError("a session of this module is open")
            self._revive()
            request = wire.ChangePin(
                token_serial=token_serial,
                certificate_sha256=certificate_sha256,
                old=old.reveal(),
                new=new.reveal(),
                final_try=final_try,
            )
            try:
                self._ask(request, wire.Done, self._deadlines.open_s)
            except TokenError as error:
                if error.code in ("driver_timeout", "driver_crashed"):
                    raise TokenError("pin_change_unknown", module=str(self.module)) from None
                raise

    def close(self) -> None:
        """Log out and end the child process. Harmless twice; the next call starts a new child."""
        with self._lock:
            self._session = None
            self._drop_child()

    def hurry(self) -> None:
        """Kill the child at once, whatever its driver does, without waiting for a call; for the program's end.

        That call, and every later one, raises driver_crashed.
        """
        self._hurried = True
        if (child := self._newest) is not None:
            child.close(patience_s=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # For TokenSession

    def _authorise(self, session: TokenSession, pin: Pin) -> None:
        with self._lock:
            if self._session is not session:
                raise TokenError("session_lost")
            self._ask(wire.Authorise(pin.reveal()), wire.Done, self._deadlines.close_s)

    def _sign(self, session: TokenSession, data: bytes) -> bytes:
        with self._lock:
            if self._session is not session:
                raise TokenError("session_lost")
            request = wire.Sign(certificate_sha256=session.certificate.sha256, data=data)
            try:
                return self._ask(request, wire.Signed, self._deadlines.sign_s).signature
            except TokenError as error:
                if error.code not in _SESSION_GOES_ON:
                    self._session = None
                raise

    def _close_session(self, session: TokenSession) -> None:
        with self._lock:
            if self._session is not session:
                return
            self._session = None
            try:
                self._ask(wire.Close(), wire.Done, self._deadlines.close_s)
            except TokenError:
                self._drop_child()  # ending the process logs out too

    # The child

    def _ask(self, request: wire.Request, expected: type[_R], deadline_s: float) -> _R:
        """One request to the running or a new child; never repeated."""
        if self._child is None:
            self._child = self._start()
        try:
            reply = self._child.call(request, deadline_s)
        except ChildFailed as failed:
            raise self._refusal(failed) from None
        except ChildError as fault:
            self._session = None
            self._drop_child()
            raise self._accident(fault) from None
        if not isinstance(reply, expected):
            self._session = None
            self._drop_child()
            raise self._accident(ChildGarbage("the reply of another request"))
        return reply

    def _start(self) -> Child[wire.Request, wire.Reply]:
        try:
            _require_loadable(self.module)
        except OSError as error:
            raise TokenError("module_load_failed", module=str(self.module), reason=error.strerror or "") from None
        try:
            child: Child[wire.Request, wire.Reply] = Child(
                self._command, wire.REPLIES, env={**os.environ, **self._env}, stderr=self._stderr
            )
        except OSError:
            # No process could be started: out of memory, out of handles.
            raise TokenError("driver_crashed", module=str(self.module)) from None
        self._newest = child
        if self._hurried:
            child.close(patience_s=0)
        try:
            child.call(wire.Load(str(self.module.absolute())), self._deadlines.load_s)
        except ChildFailed as failed:
            child.close()
            raise self._refusal(failed) from None
        except ChildError as fault:
            raise self._accident(fault) from None
        return child

    def _revive(self) -> None:
        """See that the child lives before a PIN is trusted to it, so that no PIN is spent on a dead one."""
        if self._child is not None:
            try:
                self._child.call(wire.Ping(), self._deadlines.close_s)
            except ChildError:
                self._drop_child()
        if self._child is None:
            self._child = self._start()

    def _drop_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close(self._deadlines.close_s)

    # Words

    def _token(self, found: wire.FoundToken) -> Token:
        certificates: list[TokenCertificate] = []
        for one in found.certificates:
            try:
                certificate = _read_once(one.der, one.key_present)
            except ValueError:
                continue  # what can't be read can't be signed with; the others must show
            if certificate is not None and certificate not in certificates:
                certificates.append(certificate)
        return Token(
            label=found.label,
            serial=found.serial,
            manufacturer=found.manufacturer,
            model=found.model,
            module=self.module,
            pin_state=_pin_state(found.pin_state) or PinState.UNKNOWN,
            certificates=tuple(certificates),
            pin_pad=found.pin_pad,
            pin_least=found.pin_least,
            pin_most=found.pin_most,
        )

    def _refusal(self, failed: ChildFailed) -> TokenError:
        params: dict[str, object] = dict(failed.params)
        state = _pin_state(params.pop("pin_state", None))
        code = failed.code
        if code == "child_fault":
            # The host stumbled over what the driver gave it; its session is in an unknown state.
            code, params = "driver_error", {"ckr": params.get("type", "")}
            self._session = None
            self._drop_child()
        return TokenError(code, pin_state=state, module=str(self.module), **params)

    def _accident(self, fault: ChildError) -> TokenError:
        match fault:
            case ChildTimeout():
                return TokenError("driver_timeout", module=str(self.module))
            case ChildCrashed() | ChildGarbage():
                return TokenError("driver_crashed", module=str(self.module))
        raise fault


def _same_token(one: Token, other: Token) -> bool:
    """Whether two drivers show the same token: by a certificate that both have; an empty one by what it is called."""
    if one.module == other.module:
        return False
    mine, theirs = ({c.sha256 for c in token.certificates} for token in (one, other))
    if mine or theirs:
        return bool(mine & theirs)
    return bool(one.serial) and (one.serial, one.label) == (other.serial, other.label)


def _require_loadable(module: Path) -> None:
    """TokenError for a file that isn't there, that anybody may have exchanged, or that our host can't load."""
    if not module.is_file():
        raise TokenError("module_missing", module=str(module))
    if (place := exposed(module)) is not None:
        raise TokenError("driver_exposed", module=str(module), place=str(place))
    if (problem := misfit(module, read_binary(module), own_binary())) is not None:
        raise TokenError(problem.code, pin_state=None, **problem.params)


@lru_cache(maxsize=256)
def _read_once(der: bytes, key_present: bool | None) -> TokenCertificate | None:
    """Tokens are listed every second, with the same certificates."""
    return TokenCertificate.from_der(der, key_present)


def _pin_state(value: object) -> PinState | None:
    return next((state for state in PinState if state == value), None)


@dataclass(frozen=True)
class ModuleFault:
    """A module that couldn't be asked, or not about all that is plugged in, and why."""

    module: Path
    error: TokenError
    remembered: bool = False
    """It was left alone this time; so it was when it was last asked."""


@dataclass(frozen=True)
class TokenListing:
    """All tokens that are plugged in, and the modules that failed beside them."""

    tokens: tuple[Token, ...]
    faults: tuple[ModuleFault, ...]

    def required(self) -> tuple[Token, ...]:
        """The tokens; with none, raises the first module's TokenError, or no_token."""
        if self.tokens:
            return self.tokens
        raise self.faults[0].error if self.faults else TokenError("no_token")


@dataclass(frozen=True)
class _Sick:
    """What was wrong with a module, until when it is left alone (time.monotonic), and for how long in all."""

    error: TokenError
    until: float
    pause_s: float


class TokenHosts:
    """Several modules, asked side by side, told in the given order. `hosts` belong to it and are closed with it.

    A module that hung, crashed or could not be loaded is left alone for a while: a sick driver costs its deadline once
    and not at each look. Only a fresh look, or a person who would be refused something for it, has it asked again.
    """

    def __init__(self, hosts: Sequence[TokenHost]) -> None:
        self._hosts = tuple(hosts)
        self._sick: dict[Path, _Sick] = {}

    @property
    def modules(self) -> tuple[Path, ...]:
        """The modules, in the order in which they are asked."""
        return tuple(host.module for host in self._hosts)

    def tokens(self, *, fresh: bool = False) -> TokenListing:
        """Ask every module; the same token under two of them is listed once, under the first.

        `fresh`: certificates are read anew and a module that was sick is asked again. Raises TokenError("no_module")
        when there are no modules at all; a module's own error goes to `faults`.
        """
        return self._look(fresh=fresh, insist=fresh)

    def wanted(self, found: Callable[[Sequence[Token]], bool] = bool) -> tuple[Token, ...]:
        """The tokens, for what a person has asked for. `found`: whether it is among them; where it isn't, modules that
        were sick are asked again before anybody is refused.

        Raises as `tokens` and `TokenListing.required`.
        """
        listing = self.tokens()
        if any(fault.remembered for fault in listing.faults) and not found(listing.tokens):
            listing = self._look(fresh=False, insist=True)
        return listing.required()

    def _look(self, *, fresh: bool, insist: bool) -> TokenListing:
        if not self._hosts:
            raise TokenError("no_module")
        tokens: list[Token] = []
        faults: list[ModuleFault] = []
        with ThreadPoolExecutor(len(self._hosts), "token-listing") as threads:
            answers = list(threads.map(partial(self._ask, fresh=fresh, insist=insist), self._hosts))
        for host, answer in zip(self._hosts, answers, strict=True):
            if isinstance(answer, ModuleFault):
                faults.append(answer)
                continue
            faults += [ModuleFault(host.module, error) for error in answer.faults]
            # Two slots of one driver hold two tokens, whatever they look like.
            tokens += [token for token in answer.tokens if not any(_same_token(token, other) for other in tokens)]
        return TokenListing(tuple(tokens), tuple(faults))

    def _ask(self, host: TokenHost, *, fresh: bool, insist: bool) -> Seen | ModuleFault:
        sick = self._sick.get(host.module)
        if sick is not None and not insist and time.monotonic() < sick.until:
            return ModuleFault(host.module, sick.error, remembered=True)
        try:
            seen = host.look(fresh=fresh)
        except TokenError as fault:
            if fault.code in _SICK:
                pause_s = min(sick.pause_s * 2, _SICK_MOST_S) if sick is not None and not insist else SICK_S
                self._sick[host.module] = _Sick(fault, time.monotonic() + pause_s, pause_s)
            return ModuleFault(host.module, fault)
        self._sick.pop(host.module, None)
        return seen

    def open(self, token: Token, certificate_sha256: str, pin: Pin | None, *, final_try: bool = False) -> TokenSession:
        """`TokenHost.open` on the module `token` was listed under; KeyError for a module that isn't ours."""
        return self._host(token).open(token.serial, certificate_sha256, pin, final_try=final_try)

    def change_pin(self, token: Token, certificate_sha256: str, old: Pin, new: Pin, *, final_try: bool = False) -> None:
        """`TokenHost.change_pin` on the module `token` was listed under; KeyError for a module that isn't ours."""
        self._host(token).change_pin(token.serial, certificate_sha256, old, new, final_try=final_try)

    def _host(self, token: Token) -> TokenHost:
        for host in self._hosts:
            if host.module == token.module:
                return host
        raise KeyError(str(token.module))

    def hurry(self) -> None:
        """`TokenHost.hurry` for all."""
        for host in self._hosts:
            host.hurry()

    def close(self) -> None:
        """Log out everywhere and end the child processes."""
        for host in self._hosts:
            host.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
