"""The values of custody: what is known of a certificate, the book at one moment, and what a person fills in.

Frozen; passed between threads as they are. Loads nothing of tokens or PDFs, so that a screen that only shows them is
there at once.
"""

import datetime as dt
from dataclasses import dataclass

from signer_app.store.custody import CertificateFacts, DeviceFacts, HandOver, Permission, Waiting
from signer_app.store.settings import Body
from signer_token.model import PinState, Token

LONGEST = 160
"""Characters of a typed text, so that a minute fits what a token signs at once."""


@dataclass(frozen=True)
class Subject:
    """A certificate, the device that it is or was on, and the token, where it is plugged in now."""

    certificate: CertificateFacts
    device: DeviceFacts | None
    token: Token | None = None
    last_use: dt.datetime | None = None
    """The last signature of which evidence is kept here."""


@dataclass(frozen=True)
class Holding:
    """A certificate as the book has it. `last` None: its book has not been begun."""

    subject: Subject
    body: Body | None
    last: HandOver | None

    @property
    def holder(self) -> str:
        """Who holds it by the book; empty where it is nobody, or not known."""
        return self.last.minute.receiver if self.last is not None else ""

    @property
    def pin_state(self) -> PinState | None:
        """As the token said when it was listed; None while it isn't plugged in."""
        return self.subject.token.pin_state if self.subject.token is not None else None


@dataclass(frozen=True)
class BookSnapshot:
    """The book at one moment: every known certificate, all entries (the newest first), what would be handed over."""

    holdings: tuple[Holding, ...]
    entries: tuple[HandOver, ...]
    unsigned: Waiting
    unsent: Waiting


@dataclass(frozen=True)
class Wish:
    """What the person fills in. `receiver` empty: the device goes back to the body, and nobody holds it."""

    giver: str
    receiver: str
    permission: Permission
    place: str
    witness: str = ""
    purpose: str = ""
    until: dt.date | None = None
    pin_change: bool = False

    @property
    def returns(self) -> bool:
        """Whether nobody holds it afterwards."""
        return not self.receiver
