"""The two software tokens of a demonstration: SoftHSM with its tokens inside the workspace.

The main process only finds the module, writes `softhsm2.conf` and judges what came out; the module itself is
loaded in a short-lived child (`--child=softhsm-setup`), to which keys and PIN travel over the pipe. The
tokens are made in a folder beside the final one and moved there when they are whole, so that a set-up that
was cut leaves none behind. It never uses a token of the person: only the tokens under the workspace's own
configuration are seen.
"""

import ctypes
import hashlib
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from signer_app.demo.files import make_private_folder, write_private
from signer_app.demo.leaf import Leaf
from signer_resources.errors import KnownError
from signer_token.channel import Child, ChildError, ChildFailed, Message, serve
from signer_token.model import Pin

if TYPE_CHECKING:
    import pkcs11
    from pkcs11._pkcs11 import lib as PkcsLibrary  # noqa: N812 - a class, whatever its name

MODULE_VARIABLE = "SOFTHSM2_MODULE"
CONF_VARIABLE = "SOFTHSM2_CONF"

KNOWN_PLACES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),  # Debian, Ubuntu, Arch
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/softhsm/libsofthsm2.so"),  # openSUSE
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),  # Fedora
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
    Path("C:/SoftHSM2/lib/softhsm2-x64.dll"),
    Path("C:/Program Files/SoftHSM2/lib/softhsm2-x64.dll"),
)

_LABEL_BYTES = 32
"""CK_TOKEN_INFO.label is UTF-8, padded with blanks to 32 bytes (PKCS #11 v2.40 section 3.2)."""

_MAX_CONF_LINE = 1000
"""SoftHSM reads its configuration with a buffer of 1,024 bytes per line."""

_DEADLINE_S = 60.0


@dataclass(frozen=True)
class SoftToken:
    """What shall be on one software token: its label, at most 32 bytes in UTF-8, and a certificate with its
    key."""

    label: str
    leaf: Leaf

    def __post_init__(self) -> None:
        if len(self.label.encode()) > _LABEL_BYTES:
            raise ValueError(f"a token's label has at most {_LABEL_BYTES} bytes")


@dataclass(frozen=True)
class SoftHsm:
    """Tokens that are ready: the module to load them with and the configuration it needs."""

    module: Path
    conf: Path

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` and what the module must find in the environment of the process that loads it."""
        return {**base, CONF_VARIABLE: str(self.conf)}


def find_module(environ: Mapping[str, str], places: Sequence[Path] = KNOWN_PLACES) -> Path:
    """SoftHSM's PKCS#11 module: the file that SOFTHSM2_MODULE names, else the first known place that has it.

    KnownError `softhsm_missing` when there is none.
    """
    named = environ.get(MODULE_VARIABLE)
    for place in [Path(named)] if named else places:
        if place.is_file():
            return place
    raise KnownError("softhsm_missing")


def set_up_tokens(
    folder: Path,
    tokens: Sequence[SoftToken],
    pin: Pin,
    *,
    command: Sequence[str],
    environ: Mapping[str, str],
) -> SoftHsm:
    """Have exactly `tokens` in `folder`, all with the user PIN `pin`; what fits already is left as it is.

    `command` starts the child that ends up in `child_main`, `environ` is the environment it starts from.
    Tokens that don't fit (another PKI, another PIN) are thrown away and made again: their keys are copies.
    KnownError `softhsm_missing`, `softhsm_failed`, `softhsm_folder_unsuitable`.
    """
    module = find_module(environ)
    folder = folder.resolve()
    make_private_folder(folder)
    ready = SoftHsm(module, folder / "softhsm2.conf")
    home = folder / "tokens"
    _write_conf(ready.conf, home)
    wanted = {_Found(token.label, (token.leaf.sha256,)) for token in tokens}
    if home.is_dir():
        if set(_ask(ready, _Inspect(str(module), pin.reveal()), command, environ)) == wanted:
            return ready
        shutil.rmtree(home)

    making = SoftHsm(module, folder / "softhsm2-making.conf")
    workshop = folder / "tokens-making"
    shutil.rmtree(workshop, ignore_errors=True)
    make_private_folder(workshop)
    _write_conf(making.conf, workshop)
    contents = tuple(
        _Content(t.label, t.leaf.certificate_der, t.leaf.private_key_der, t.leaf.chain_der[1:]) for t in tokens
    )
    made = _ask(making, _Make(str(module), pin.reveal(), contents), command, environ)
    if set(made) != wanted:
        raise KnownError("softhsm_failed", module=module.name, reason="TokensDiffer")
    workshop.rename(home)
    making.conf.unlink()
    return ready


def _write_conf(path: Path, tokens: Path) -> None:
    line = f"directories.tokendir = {tokens}"
    if "#" in line or not line.isprintable() or len(line.encode()) > _MAX_CONF_LINE:
        raise KnownError("softhsm_folder_unsuitable")
    text = f"{line}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
    write_private(path, text.encode())


def _ask(
    hsm: SoftHsm, request: "_Inspect | _Make", command: Sequence[str], environ: Mapping[str, str]
) -> tuple["_Found", ...]:
    child = Child[_Inspect | _Make, _Report](command, [_Report], env=hsm.environment(environ))
    try:
        return child.call(request, _DEADLINE_S).tokens
    except ChildFailed as error:
        reason = str(error.params.get("type", error.code))
        raise KnownError("softhsm_failed", module=hsm.module.name, reason=reason) from error
    except ChildError as error:
        raise KnownError("softhsm_failed", module=hsm.module.name, reason=type(error).__name__) from error
    finally:
        child.close()


# What travels over the pipe. Keys and PIN are in it, so no repr shows a field.


class _Secretive(Message, frozen=True):
    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class _Content(_Secretive, frozen=True):
    label: str
    certificate: bytes
    private_key: bytes
    authorities: tuple[bytes, ...]


class _Inspect(_Secretive, frozen=True):
    module: str
    pin: str


class _Make(_Secretive, frozen=True):
    module: str
    pin: str
    tokens: tuple[_Content, ...]


class _Found(Message, frozen=True):
    """A token and the SHA-256 (hex) of each certificate on it that has its private key there."""

    label: str
    usable: tuple[str, ...]


class _Report(Message, frozen=True):
    tokens: tuple[_Found, ...]


# The child's side


def child_main() -> int:
    """The child: makes or inspects tokens on request until its pipe is closed. Returns the exit code."""
    return serve(_answer, [_Inspect, _Make])


def _answer(request: _Inspect | _Make) -> _Report:
    # Imported here, so that the main process never has PKCS#11 in it.
    import pkcs11

    library = pkcs11.lib(request.module)
    if isinstance(request, _Make):
        for content in request.tokens:
            _make_token(library, request.module, content, request.pin)
    return _Report(tuple(_inspect(token, request.pin) for token in _initialized(library)))


def _initialized(library: "PkcsLibrary") -> Iterator["pkcs11.Token"]:
    from pkcs11 import TokenFlag

    for slot in library.get_slots(token_present=True):
        token = slot.get_token()
        if token.flags & TokenFlag.TOKEN_INITIALIZED:
            yield token


def _inspect(token: "pkcs11.Token", pin: str) -> _Found:
    from pkcs11 import Attribute, ObjectClass
    from pkcs11.exceptions import PinIncorrect

    try:
        # A login by the program itself is right here alone: these are its own toys, and SoftHSM never locks.
        with token.open(user_pin=pin) as session:
            keys = {key[Attribute.ID] for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})}
            certificates = session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE})
            usable = [
                hashlib.sha256(found[Attribute.VALUE]).hexdigest()
                for found in certificates
                if found[Attribute.ID] in keys
            ]
    except PinIncorrect:
        usable = []
    return _Found(token.label, tuple(sorted(usable)))


def _make_token(library: "PkcsLibrary", module: str, content: _Content, pin: str) -> None:
    from cryptography.hazmat.primitives import serialization
    from pkcs11 import Attribute, MechanismFlag, TokenFlag
    from pkcs11.util.rsa import decode_rsa_private_key
    from pkcs11.util.x509 import decode_x509_certificate

    slot = next(
        slot
        for slot in library.get_slots(token_present=True)
        if not slot.get_token().flags & TokenFlag.TOKEN_INITIALIZED
    )
    # Nobody will ever be the security officer of a toy: the officer's PIN is forgotten right here.
    officer_pin = secrets.token_hex(16)
    _init_token(module, slot.slot_id, officer_pin, content.label)
    token = slot.get_token()
    with token.open(rw=True, so_pin=officer_pin) as session:
        session.init_pin(pin)

    certificate = x509.load_der_x509_certificate(content.certificate)
    identity = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    key = serialization.load_der_private_key(content.private_key, password=None)
    pkcs1 = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    with token.open(rw=True, user_pin=pin) as session:
        session.create_object(
            {
                **decode_rsa_private_key(pkcs1, MechanismFlag.SIGN),
                Attribute.TOKEN: True,
                Attribute.PRIVATE: True,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
                Attribute.LABEL: content.label,
                Attribute.ID: identity,
            }
        )
        for der in (content.certificate, *content.authorities):
            public_key = x509.load_der_x509_certificate(der).public_key()
            session.create_object(
                {
                    **decode_x509_certificate(der),
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: False,
                    Attribute.LABEL: content.label,
                    Attribute.ID: x509.SubjectKeyIdentifier.from_public_key(public_key).digest,
                }
            )


def _init_token(module: str, slot_id: int, officer_pin: str, label: str) -> None:
    """C_InitToken (PKCS #11 v2.40 section 5.5), which python-pkcs11 doesn't offer.

    The module is loaded and initialized already; the system's loader gives the same copy again.
    `softhsm2-util`
    could do it too, but takes the PINs as arguments, where every process of the machine can read them.
    """
    function = ctypes.CDLL(module).C_InitToken
    function.argtypes = [ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
    function.restype = ctypes.c_ulong
    padded = label.encode().ljust(_LABEL_BYTES)
    result = function(slot_id, officer_pin.encode(), len(officer_pin), padded)
    if result != 0:
        raise OSError(f"C_InitToken gave 0x{result:08X}")
