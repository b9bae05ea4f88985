"""What is plugged in, as the window shows it: tokens, their certificates, and what is known of each.

Main process, on the thread that talks to token hosts. Never logs in, never raises: a fault is part of the snapshot.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from signer_app.signing.roles import role_of
from signer_app.store.settings import CertificateRole, Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.client import TokenError
from signer_token.model import PinState, Token, TokenCertificate

WARN_DAYS = 60
"""From so many days before its end on, the window speaks of a certificate's expiry."""


class Life(StrEnum):
    """Where a certificate stands in its life."""

    VALID = "valid"
    ENDING = "ending"
    EXPIRED = "expired"
    NOT_YET = "not_yet"


@dataclass(frozen=True)
class CertificateView:
    """A certificate on a token; `body` is the name of the body for which it may seal."""

    certificate: TokenCertificate
    role: CertificateRole
    role_confirmed: bool
    body: str | None
    life: Life
    days_left: int


@dataclass(frozen=True)
class TokenView:
    """A token with its certificates; those that can't sign are left out of `certificates`."""

    token: Token
    certificates: tuple[CertificateView, ...]

    @property
    def name(self) -> str:
        """What people call it: its label."""
        return self.token.label.strip() or self.token.serial


@dataclass(frozen=True)
class TokensSnapshot:
    """All that is plugged in at one moment, and what stood in the way of seeing more."""

    tokens: tuple[TokenView, ...] = ()
    faults: tuple[KnownError, ...] = ()
    looked: bool = False
    """False until the first look has ended."""

    @property
    def sealing(self) -> tuple[tuple[TokenView, CertificateView], ...]:
        """Bodies' certificates, those of a body in the settings first."""
        found = [(t, c) for t in self.tokens for c in t.certificates if c.role is CertificateRole.AGENCY]
        return tuple(sorted(found, key=lambda pair: pair[1].body is None))

    @property
    def pin_locked(self) -> bool:
        """Whether a token that is in says that it is locked."""
        return any(view.token.pin_state is PinState.LOCKED for view in self.tokens)


def look(space: Workspace) -> TokensSnapshot:
    """A look at every driver of the settings."""
    try:
        listing = space.hosts.tokens()
    except TokenError as error:
        return TokensSnapshot((), (error,), looked=True)
    settings, now = space.settings, space.now()
    views = tuple(
        TokenView(
            token,
            tuple(_certificate(c, settings, now) for c in token.certificates if c.usable_for_signing),
        )
        for token in listing.tokens
    )
    return TokensSnapshot(views, tuple(fault.error for fault in listing.faults), looked=True)


def _certificate(certificate: TokenCertificate, settings: Settings, now: dt.datetime) -> CertificateView:
    body = settings.body_of(certificate.sha256)
    days = (certificate.not_after - now).days
    if now > certificate.not_after:
        life = Life.EXPIRED
    elif now < certificate.not_before:
        life = Life.NOT_YET
    else:
        life = Life.ENDING if days <= WARN_DAYS else Life.VALID
    return CertificateView(
        certificate,
        role_of(certificate, settings),
        certificate.sha256 in settings.roles or body is not None,
        body.name if body is not None else None,
        life,
        days,
    )


def confirm_role(settings: Settings, certificate: str, role: CertificateRole) -> Settings:
    """The settings with the role that the person has confirmed; a person's certificate seals for nobody."""
    known = msgspec.structs.replace(settings, roles={**settings.roles, certificate: role})
    return known if role is CertificateRole.AGENCY else _sealing_for(known, certificate, None)


def assign_body(settings: Settings, certificate: str, body: str | None) -> Settings:
    """The settings in which this certificate seals for the body with code `body`, and for no other (None: for none).

    That it is a body's is confirmed by the same word.
    """
    roles = {**settings.roles, certificate: CertificateRole.AGENCY}
    return _sealing_for(msgspec.structs.replace(settings, roles=roles), certificate, body)


def _sealing_for(settings: Settings, certificate: str, code: str | None) -> Settings:
    bodies = []
    for body in settings.bodies:
        others = tuple(known for known in body.certificates if known != certificate)
        mine = (*others, certificate) if body.code == code else others
        bodies.append(msgspec.structs.replace(body, certificates=mine))
    return msgspec.structs.replace(settings, bodies=tuple(bodies))
