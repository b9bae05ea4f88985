"""The main process's side of the tokens: one `TokenHost` per PKCS#11 module, `TokenHosts` for several.

Callable from any thread, one call at a time per host; a call blocks until its deadline at most, so never
from the UI thread. Loads no vendor code into this process. A PIN goes to the host once per `open`, is never
kept here and never sent a second time, whatever happened.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from signer_resources.errors import KnownError
from signer_token import wire
from signer_token.channel import Child, ChildCrashed, ChildError, ChildFailed, ChildGarbage, ChildTimeout
from signer_token.model import Pin, PinState, Token, TokenCertificate

_R = TypeVar("_R", bound=msgspec.Struct)

ENDS_SESSION = frozenset({"token_removed", "session_lost", "driver_error"})
"""What the host says when a signature failed: it has dropped its session by then."""


class TokenError(KnownError):
    """A token, its driver or its PIN stood in the way; nothing more was tried.

    `pin_state` is what the token said after the failure, None when that wasn't asked.
    """

    def __init__(self, code: str, /, *, pin_state: PinState | None = None, **params: object) -> None:
        super().__init__(code, **params)
        self.pin_state = pin_state


@dataclass(frozen=True)
class Deadlines:
    """Seconds a driver may take. An ePass2003 takes 10 s to start; smart cards up to 2 s for a signature."""

    load_s: float = 15.0
    list_s: float = 15.0
    open_s: float = 30.0
    sign_s: float = 20.0
    close_s: float = 3.0


class TokenSession:
    """A token that is logged in, for one certificate's key. Made by `TokenHost.open`; close it to log out."""

    def __init__(self, host: "TokenHost", token_serial: str, certificate: TokenCertificate) -> None:
        key = x509.load_der_x509_certificate(certificate.der).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise TokenError("key_unsupported")
        self._host = host
        self._public_key = key
        self.token_serial = token_serial
        self.certificate = certificate

    def sign(self, data: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 over `data`, DER of signed attributes; checked with the public key.

        Raises TokenError; after any the session is over and every further call raises session_lost.
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

    def tokens(self) -> tuple[Token, ...]:
        """The tokens seen through this module, with their certificates; logs in nowhere.

        Raises TokenError: module_missing, module_load_failed, driver_crashed, driver_timeout, driver_error.
        """
        with self._lock:
            repeatable = self._child is not None and self._session is None
            try:
                found = self._ask(wire.ListTokens(), wire.TokensFound, self._deadlines.list_s)
            except TokenError as error:
                # A host that was found dead is no news; a listing costs nothing to repeat.
                if error.code != "driver_crashed" or not repeatable:
                    raise
                found = self._ask(wire.ListTokens(), wire.TokensFound, self._deadlines.list_s)
        return tuple(self._token(token) for token in found.tokens)

    def open(self, token_serial: str, certificate_sha256: str, pin: Pin, *, final_try: bool = False) -> TokenSession:
        """Log in once and find the certificate's key.

        `final_try` allows the login although one more wrong PIN locks the token. Raises TokenError; in
        pin_empty, pin_not_ascii, pin_final, certificate_not_found, key_unsupported and token_removed no
        login was tried, in pin_locked none if the token said so before. RuntimeError while another session
        of this module is open.
        """
        if problem := pin.problem():
            raise TokenError(problem)
        with self._lock:
            if self._session is not None:
                raise RuntimeError("a session of this module is open")
            self._revive()
            request = wire.Open(
                token_serial=token_serial,
                certificate_sha256=certificate_sha256,
                pin=pin.reveal(),
                final_try=final_try,
            )
            opened = self._ask(request, wire.Opened, self._deadlines.open_s)
            del request
            try:
                certificate = TokenCertificate.from_der(opened.certificate)
                if certificate is None or certificate.sha256 != certificate_sha256:
                    raise TokenError("certificate_not_found")
                self._session = TokenSession(self, token_serial, certificate)
            except (TokenError, ValueError):
                self._drop_child()  # it is logged in for something that we can't use
                raise TokenError("certificate_not_found") from None
            return self._session

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

    def _sign(self, session: TokenSession, data: bytes) -> bytes:
        with self._lock:
            if self._session is not session:
                raise TokenError("session_lost")
            request = wire.Sign(certificate_sha256=session.certificate.sha256, data=data)
            try:
                return self._ask(request, wire.Signed, self._deadlines.sign_s).signature
            except TokenError as error:
                self._session = None
                if error.code not in ENDS_SESSION:
                    self._drop_child()
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
        if not self.module.is_file():
            raise TokenError("module_missing", module=str(self.module))
        child: Child[wire.Request, wire.Reply] = Child(
            self._command, wire.REPLIES, env={**os.environ, **self._env}, stderr=self._stderr
        )
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
        for der in found.certificates:
            try:
                certificate = TokenCertificate.from_der(der)
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


def _pin_state(value: object) -> PinState | None:
    return next((state for state in PinState if state == value), None)


@dataclass(frozen=True)
class ModuleFault:
    """A module that couldn't be asked, and why."""

    module: Path
    error: TokenError


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


class TokenHosts:
    """Several modules, asked in the given order. `hosts` belong to it from now on and are closed with it."""

    def __init__(self, hosts: Sequence[TokenHost]) -> None:
        self._hosts = tuple(hosts)

    @property
    def modules(self) -> tuple[Path, ...]:
        """The modules, in the order in which they are asked."""
        return tuple(host.module for host in self._hosts)

    def tokens(self) -> TokenListing:
        """Ask every module; the same token under two of them is listed once, under the first.

        Raises TokenError("no_module") when there are no modules at all; a module's own error goes to
        `faults`.
        """
        if not self._hosts:
            raise TokenError("no_module")
        tokens: dict[tuple[str, frozenset[str]], Token] = {}
        faults: list[ModuleFault] = []
        for host in self._hosts:
            try:
                for token in host.tokens():
                    same = (token.serial, frozenset(c.sha256 for c in token.certificates))
                    tokens.setdefault(same, token)
            except TokenError as error:
                faults.append(ModuleFault(host.module, error))
        return TokenListing(tuple(tokens.values()), tuple(faults))

    def open(self, token: Token, certificate_sha256: str, pin: Pin, *, final_try: bool = False) -> TokenSession:
        """`TokenHost.open` on the module `token` was listed under; KeyError for a module that isn't ours."""
        for host in self._hosts:
            if host.module == token.module:
                return host.open(token.serial, certificate_sha256, pin, final_try=final_try)
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
