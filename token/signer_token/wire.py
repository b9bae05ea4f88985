"""What the main process and the token host say to each other (see `channel` for how it travels).

Plain structs, imported by both ends; nothing here touches a device. The one secret is the PIN in `Open`:
its repr hides it.
"""

from typing import Annotated

import msgspec

from signer_token.channel import Message

MAX_SIGNED_ATTRIBUTES = 64 * 1024
"""Bytes that `Sign` takes: the DER of CMS SignedAttributes (RFC 5652 §5.4), in practice some hundred."""


class Load(Message, frozen=True):
    """Load and initialise the module; the first request. → Done"""

    module: str


class Ping(Message, frozen=True):
    """Are you there? → Done"""


class ListTokens(Message, frozen=True):
    """What is plugged in; logs in nowhere. → TokensFound"""


class Open(Message, frozen=True):
    """One login with one PIN for one certificate's key. → Opened"""

    token_serial: str
    certificate_sha256: str
    pin: str
    final_try: bool
    """Whether to log in although one more wrong PIN locks the token."""

    def __repr__(self) -> str:
        return f"Open(token_serial={self.token_serial!r}, certificate={self.certificate_sha256!r}, pin=***)"


class Sign(Message, frozen=True):
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2) over `data`. → Signed"""

    certificate_sha256: str
    data: Annotated[bytes, msgspec.Meta(max_length=MAX_SIGNED_ATTRIBUTES)]


class Close(Message, frozen=True):
    """Log out and forget the key; harmless when nothing is open. → Done"""


class Done(Message, frozen=True):
    """It is done."""


class FoundToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token, its certificates as the DER it holds, authorities' and unreadable ones among them."""

    label: str
    serial: str
    manufacturer: str
    model: str
    pin_state: str
    certificates: list[bytes]


class TokensFound(Message, frozen=True):
    """The answer to ListTokens."""

    tokens: list[FoundToken]


class Opened(Message, frozen=True):
    """Logged in, the key found. `certificate` is the DER on the token."""

    certificate: bytes


class Signed(Message, frozen=True):
    """The raw signature as the token gave it; not yet checked."""

    signature: bytes


Request = Load | Ping | ListTokens | Open | Sign | Close
Reply = Done | TokensFound | Opened | Signed
REQUESTS: tuple[type[Request], ...] = (Load, Ping, ListTokens, Open, Sign, Close)
REPLIES: tuple[type[Reply], ...] = (Done, TokensFound, Opened, Signed)
