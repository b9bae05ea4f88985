"""What the main process and the token host say to each other (see `channel` for how it travels).

Plain structs, imported by both ends; nothing here touches a device. The only secrets are the
PINs in `Open`, `Authorise` and `ChangePin`, whose reprs hide them.
"""

from typing import Annotated

import msgspec

from signer_token.channel import Message

MAX_SIGNED_ATTRIBUTES = 64 * 1024
"""Bytes that `Sign` takes: the DER of CMS SignedAttributes (RFC 5652 §5.4), in practice some hundred."""


class Load(Message, frozen=True):
    """Load and initialise the module; the first request. → Loaded"""

    module: str


class Ping(Message, frozen=True):
    """Are you there? → Done"""


class ListTokens(Message, frozen=True):
    """What is plugged in; logs in nowhere. → TokensFound

    Certificates are read once for each insertion, if that succeeds; `fresh` reads them anew.
    """

    fresh: bool = False


class Open(Message, frozen=True):
    """One login with one PIN for one certificate's key. → Opened"""

    token_serial: str
    certificate_sha256: str
    pin: str | None
    """None: it is typed on the reader's own keys."""
    final_try: bool
    """Whether to log in although one more wrong PIN locks the token."""

    def __repr__(self) -> str:
        return f"Open(token_serial={self.token_serial!r}, certificate={self.certificate_sha256!r}, pin=***)"


class Authorise(Message, frozen=True):
    """The PIN for a key that wants a login for each signature; used at the next `Sign`, then repeated. → Done"""

    pin: str

    def __repr__(self) -> str:
        return "Authorise(pin=***)"


class ChangePin(Message, frozen=True):
    """Another user PIN for the token that holds this certificate; nobody is logged in. → Done

    Its serial number alone names no token: cards with several PINs show several under the same one.
    """

    token_serial: str
    certificate_sha256: str
    old: str
    new: str
    final_try: bool

    def __repr__(self) -> str:
        named = f"token_serial={self.token_serial!r}, certificate={self.certificate_sha256!r}"
        return f"ChangePin({named}, old=***, new=***)"


class Sign(Message, frozen=True):
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2) over `data`. → Signed"""

    certificate_sha256: str
    data: Annotated[bytes, msgspec.Meta(max_length=MAX_SIGNED_ATTRIBUTES)]


class Close(Message, frozen=True):
    """Log out and forget the key; harmless when nothing is open. → Done"""


class Done(Message, frozen=True):
    """It is done."""


class Loaded(Message, frozen=True):
    """The module runs; what it says of itself (CK_INFO)."""

    manufacturer: str
    description: str
    library_version: str
    cryptoki_version: str


class FoundCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate as the DER on the token; `key_present`: its key was seen, None: that takes a login."""

    der: bytes
    key_present: bool | None


class FoundToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token with its certificates, authorities' and unreadable ones among them.

    `pin_pad`: its PIN is typed on the reader. `pin_least`, `pin_most`: characters; 0 where the token doesn't say.
    """

    label: str
    serial: str
    manufacturer: str
    model: str
    pin_state: str
    pin_pad: bool
    pin_least: int
    pin_most: int
    certificates: list[FoundCertificate]


class TokensFound(Message, frozen=True):
    """The answer to ListTokens.

    `unread`: what the driver said instead of showing a token or one of its certificates, return values.
    """

    tokens: list[FoundToken]
    unread: list[str]


class Opened(Message, frozen=True):
    """Logged in, the key found. `certificate` is the DER on the token.

    `asks_again`: each signature wants a login of its own (CKA_ALWAYS_AUTHENTICATE).
    """

    certificate: bytes
    asks_again: bool


class Signed(Message, frozen=True):
    """The raw signature as the token gave it; not yet checked."""

    signature: bytes


Request = Load | Ping | ListTokens | Open | Authorise | Sign | ChangePin | Close
Reply = Done | Loaded | TokensFound | Opened | Signed
REQUESTS: tuple[type[Request], ...] = (Load, Ping, ListTokens, Open, Authorise, Sign, ChangePin, Close)
REPLIES: tuple[type[Reply], ...] = (Done, Loaded, TokensFound, Opened, Signed)
