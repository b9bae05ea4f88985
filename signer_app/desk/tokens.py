"""What is plugged in, as the window shows it: tokens, their certificates, and what is known of each.

Main process, on the thread that talks to token hosts. Never logs in, never raises: a fault is part of the snapshot.
"""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from signer_app.signing.certificate_facts import Usage, usages
from signer_app.signing.renewal import Inheritance, inherits, remembered
from signer_app.signing.roles import role_of
from signer_app.store.settings import CertificateRole, Settings
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_token.client import TokenError
from signer_token.model import PinState, Token, TokenCertificate


class Life(StrEnum):
    """Where a certificate stands in its life; the days before its end are those of rule "certificate.expiry_warnings"
    (TT 15/2025/TT-BKHCN, article 5.1a).
    """

    VALID = "valid"
    ENDING = "ending"
    """From 60 days before its end on: to be known."""
    DUE = "due"
    """From 30 days on: its renewal should have been asked for."""
    LAST = "last"
    """From 7 days on: soon nothing can be signed."""
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
    usages: tuple[Usage, ...] = ()
    replaces: Inheritance | None = None
    """What it would take over from a certificate that it seems to replace; None once a person was asked."""


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


def look(space: Workspace, *, fresh: bool = False) -> TokensSnapshot:
    """A look at every driver of the settings; `fresh`: also at what was read or was sick before.

    A writing workspace keeps what certificates with a confirmed role are, so that those which replace them are
    recognised.
    """
    try:
        listing = space.hosts.tokens(fresh=fresh)
    except TokenError as error:
        return TokensSnapshot((), (error,), looked=True)
    seen = tuple(c for token in listing.tokens for c in token.certificates)
    if space.folder.locked and remembered(space.settings, seen) is not space.settings:
        with suppress(KnownError):
            # A full disk is told elsewhere; the next look tries again.
            space.change_settings(lambda settings: remembered(settings, seen))
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
    return CertificateView(
        certificate,
        role_of(certificate, settings),
        certificate.sha256 in settings.roles or body is not None,
        body.name if body is not None else None,
        life_of(certificate, now),
        (certificate.not_after - now).days,
        usages(certificate.der),
        inherits(certificate, settings),
    )


def life_of(certificate: TokenCertificate, now: dt.datetime) -> Life:
    """Where the certificate stands at `now`, to the second (both ends of its validity belong to it)."""
    if now > certificate.not_after:
        return Life.EXPIRED
    if now < certificate.not_before:
        return Life.NOT_YET
    days = (certificate.not_after - now).days
    reached = sum(days <= warned for warned in _warning_days(now))
    return (Life.VALID, Life.ENDING, Life.DUE, Life.LAST)[reached]


def _warning_days(now: dt.datetime) -> tuple[int, ...]:
    try:
        return rules.load(now.astimezone(VIETNAM).date()).numbers("certificate.expiry_warnings")[:3]
    except rules.NoRuleProfileError:
        # The clock is far off; whoever signs is told so.
        return ()


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
