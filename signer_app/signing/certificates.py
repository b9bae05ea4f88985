"""Which certificate signs: found among the tokens, its role, its chain, and whether it may sign now.

Runs in the main process on values that the token host listed. Never logs in. TT 15/2025/TT-BKHCN, article 5.1a asks
that the signer's certificate is checked before signing is allowed; `require_fit` does that.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.pdf.model import Profile
from signer_app.signing.jobs import UsageError
from signer_app.signing.roles import role_of
from signer_app.store.settings import Body, CertificateRole, Settings
from signer_app.store.times import vietnamese_date
from signer_app.verification.certificate import CertificateState, assess_certificate
from signer_app.verification.model import Revocation, Trust, TrustMaterial
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_resources.rules.profiles import Signs
from signer_token.model import Token, TokenCertificate


@dataclass(frozen=True)
class SigningCertificate:
    """A certificate on a token, with what the program knows about it."""

    token: Token
    certificate: TokenCertificate
    role: CertificateRole
    body: Body | None
    state: CertificateState

    @property
    def body_code(self) -> str:
        """The body's code; without a body in the settings, its certificate stands for it."""
        return self.body.code if self.body is not None else f"certificate:{self.certificate.sha256[:16]}"

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Its issuers up to and with the anchor, DER, the nearest first; empty without an anchor in hand."""
        return self.state.chain


def choose(
    tokens: Sequence[Token],
    wanted: str | None,
    profiles: Sequence[Profile],
    settings: Settings,
    trust: TrustMaterial,
    now: dt.datetime,
) -> SigningCertificate:
    """The certificate for these profiles: by `wanted` (serial or SHA-256 prefix, hex), else the only fitting one.

    UsageError where nothing or more than one matches `wanted`, or where it stays open which one is meant.
    """
    found = _meant(tokens, wanted, profiles, settings, now.date())
    if not found and wanted is not None:
        raise UsageError("usage_certificate_unknown", text=wanted)
    if not found:
        raise KnownError("certificate_none_fits")
    if len({certificate.sha256 for _token, certificate in found}) > 1:
        names = "; ".join(f"{c.common_name} ({c.sha256[:12]})" for _t, c in found)
        raise UsageError("usage_certificate_ambiguous", names=names)
    token, certificate = found[0]
    return SigningCertificate(
        token,
        certificate,
        role_of(certificate, settings),
        settings.body_of(certificate.sha256),
        assess_certificate(certificate.der, trust, now),
    )


def _meant(
    tokens: Sequence[Token], wanted: str | None, profiles: Sequence[Profile], settings: Settings, day: dt.date
) -> list[tuple[Token, TokenCertificate]]:
    """What `wanted` names; without it, what fits the profiles. UsageError for a text that can't name a certificate."""
    known = [(token, certificate) for token in tokens for certificate in token.certificates]
    if wanted is None:
        return [
            pair for pair in known
            if pair[1].usable_for_signing and _fits(role_of(pair[1], settings), profiles, day)
        ]  # fmt: skip
    key = wanted.replace(":", "").strip().lower()
    if not key or any(c not in "0123456789abcdef" for c in key):
        raise UsageError("usage_certificate", text=wanted)
    return [
        pair for pair in known
        if pair[1].sha256.startswith(key) or pair[1].serial.lstrip("0") == (key.lstrip("0") or "0")
    ]  # fmt: skip


def fit_to_sign(space: Workspace, wanted: str | None, profiles: Sequence[Profile]) -> SigningCertificate:
    """The certificate that signs, with the newest that can be had about its revocation; one network visit at most.

    Raises as `choose` and `require_fit`, and TokenError when no token is there.
    """
    tokens = space.hosts.wanted(lambda seen: bool(_meant(seen, wanted, profiles, space.settings, space.now().date())))
    chosen = choose(tokens, wanted, profiles, space.settings, space.trust, space.now())
    if chosen.state.wanted_urls and space.revocation.fetch(chosen.state.wanted_urls):
        chosen = choose(tokens, wanted, profiles, space.settings, space.trust, space.now())
    require_fit(chosen, space.now())
    return chosen


def _fits(role: CertificateRole, profiles: Sequence[Profile], day: dt.date) -> bool:
    known = rules.load(day)
    wanted = {_ROLES.get(known.profile(profile.value).signs, role) for profile in profiles}
    return wanted <= {role}


_ROLES = {Signs.AGENCY: CertificateRole.AGENCY, Signs.PERSON: CertificateRole.PERSONAL}


def require_fit(chosen: SigningCertificate, now: dt.datetime) -> None:
    """KnownError where the certificate may not sign now (TT 15/2025/TT-BKHCN, article 5.1a).

    Both ends of its validity belong to it (RFC 5280 §4.1.2.5); a second beyond them it may not.
    """
    certificate = chosen.certificate
    name = certificate.common_name
    if not certificate.usable_for_signing:
        raise KnownError("certificate_not_for_signing", name=name)
    if now < certificate.not_before:
        raise KnownError("certificate_not_yet_valid", name=name, date=vietnamese_date(certificate.not_before))
    if now > certificate.not_after:
        raise KnownError("certificate_expired", name=name, date=vietnamese_date(certificate.not_after))
    if chosen.state.revocation is Revocation.REVOKED:
        raise KnownError("certificate_revoked", name=name)
    if chosen.state.trust is Trust.UNTRUSTED:
        raise KnownError("certificate_untrusted", name=name, issuer=certificate.issuer)
    if certificate.key_present is False:
        # A login would find the same and cost a PIN.
        raise KnownError("key_missing")
