"""What the CRLs and OCSP responses in hand say about the certificates of a chain.

Runs in a worker, never fetches. Every piece in hand is looked at for every certificate, whether the certificate names
it or not: a revoked one that names no CRL is found too. A piece counts only when the certificate's own issuer, or a
responder which that issuer named, signed it.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from signer_app.verification.addresses import revocation_urls
from signer_app.verification.model import Proof, Revocation, RevocationUrl
from signer_app.verification.news import MAX_RELATIVES, Issuers, News, Pieces

_CLOCK_SKEW = dt.timedelta(minutes=5)
"""Tolerance for the clocks of machines and responders (RFC 5019, 4 leaves the amount to the client)."""
_HARMLESS_FOR_TSA = frozenset(
    {
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)
"""After these, tokens from before stay good (RFC 3161, 4)."""


@dataclass(frozen=True)
class When:
    """The time that a certificate must have been good at; `proven` by a timestamp or only claimed; and today.

    `sha1`: news that were signed with SHA-1 count, for the legacy rule. `token`: it is the time of a TSA's own token,
    of which news from after it may speak, though a later revocation is weighed all the same.
    """

    time: dt.datetime
    proven: bool
    now: dt.datetime
    sha1: bool = False
    token: bool = False


@dataclass(frozen=True)
class Finding:
    """What is known about one certificate, or the worst about a chain. `revoked_at` is set when revoked.

    `late`: revoked only after the claimed, unproven time; then nobody knows whether it was before the signature.
    `proofs` are what it rests on, one for each certificate about which there was any news.
    """

    status: Revocation
    revoked_at: dt.datetime | None = None
    late: bool = False
    reason: x509.ReasonFlags | None = None
    proofs: tuple[Proof, ...] = ()


_ORDER = (Revocation.GOOD, Revocation.NOT_CHECKED, Revocation.UNKNOWN, Revocation.REVOKED)


class Evidence:
    """All CRLs and OCSP responses in hand, parsed once; what can't be parsed is left out. For one thread."""

    def __init__(self, crls: Iterable[bytes], ocsps: Iterable[bytes]) -> None:
        self._pieces = Pieces(crls, ocsps)

    def chain(
        self, chain: Sequence[x509.Certificate], when: When, relatives: Sequence[x509.Certificate] = ()
    ) -> Finding:
        """The worst finding about the certificates below the anchor; `chain` runs from the leaf to the anchor.

        `relatives` are other certificates of the same CAs: one that a CA of the chain has issued for its own name may
        sign lists, too (RFC 5280, 6.3.3 f).
        """
        findings = [self._one(one, issuers, when) for one, issuers in _links(chain, relatives)]
        worst = max(findings, key=_weight, default=Finding(Revocation.GOOD))
        return replace(worst, proofs=tuple(proof for finding in findings for proof in finding.proofs))

    def takes_tokens(
        self, chain: Sequence[x509.Certificate], when: When, relatives: Sequence[x509.Certificate] = ()
    ) -> bool:
        """Whether any revocation in a TSA's chain takes its tokens with it: at once, and for bad keys also those from
        before. One with a harmless reason hides no other.
        """
        return any(
            _takes_tokens(_judged(one, news, certificate, when))
            for certificate, issuers in _links(chain, relatives)
            for news in [self._pieces.about(certificate, issuers)]
            for one in news
        )

    def wanted(
        self, chain: Sequence[x509.Certificate], when: When, relatives: Sequence[x509.Certificate] = ()
    ) -> Iterator[RevocationUrl]:
        """Where news may be had about certificates for which nothing good is in hand. Plain http only."""
        for certificate, issuer in self.missing(chain, when, relatives):
            yield from revocation_urls(certificate, issuer)

    def missing(
        self, chain: Sequence[x509.Certificate], when: When, relatives: Sequence[x509.Certificate] = ()
    ) -> Iterator[tuple[x509.Certificate, x509.Certificate]]:
        """The certificates, each with its issuer, for which nothing good is in hand."""
        for certificate, issuers in _links(chain, relatives):
            if self._one(certificate, issuers, when).status in {Revocation.NOT_CHECKED, Revocation.UNKNOWN}:
                yield certificate, issuers.issuer

    def _one(self, certificate: x509.Certificate, issuers: Issuers, when: When) -> Finding:
        """What is in hand about one certificate of this issuer."""
        news = self._pieces.about(certificate, issuers)
        if not news:
            return Finding(Revocation.NOT_CHECKED)
        found = [(_judged(one, news, certificate, when), one) for one in news]
        finding, basis = max(found, key=lambda pair: _weightiest(*pair))
        if finding.status is Revocation.GOOD and any(_perhaps_suspended(one, news, when) for one in news):
            finding = Finding(Revocation.UNKNOWN)
        return replace(finding, proofs=(_proof(basis, certificate.fingerprint(hashes.SHA256()), finding.status),))


def _links(
    chain: Sequence[x509.Certificate], relatives: Sequence[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, Issuers]]:
    for place, (certificate, issuer) in enumerate(itertools.pairwise(chain)):
        above = chain[place + 2] if place + 2 < len(chain) else None
        yield certificate, Issuers(issuer, above, tuple(relatives[:MAX_RELATIVES]))


def _weight(finding: Finding) -> tuple[int, bool]:
    return _ORDER.index(finding.status), not finding.late


_PRECEDENCE = (Revocation.NOT_CHECKED, Revocation.UNKNOWN, Revocation.GOOD, Revocation.REVOKED)
"""Of several pieces of news about one certificate: what calls it revoked, then what calls it good."""


def _weightiest(finding: Finding, news: News) -> tuple[int, bool, float, dt.datetime]:
    """A revocation that counts, the earliest first; else the newest piece of news."""
    since = -finding.revoked_at.timestamp() if finding.revoked_at is not None else 0.0
    return _PRECEDENCE.index(finding.status), not finding.late, since, news.issued


def _judged(news: News, all_news: Sequence[News], certificate: x509.Certificate, when: When) -> Finding:
    """What this piece of news says about the time in question, in the light of all others."""
    if news.revoked_at is not None:
        if when.time > news.issued and _lifted(news, all_news) is not None:
            return Finding(Revocation.UNKNOWN)
        return _revoked(news.revoked_at, news.reason, when)
    usable = news.weak is None or (when.sha1 and news.weak == "sha1")
    fits = news.clean and usable and _fresh(news.issued, news.next_update, certificate, when)
    return Finding(Revocation.GOOD if fits else Revocation.UNKNOWN)


def _lifted(news: News, all_news: Sequence[News]) -> dt.datetime | None:
    """By when a suspension had ended: the issue of newer news that no longer knows of it (RFC 5280, 5.3.1)."""
    if news.reason is not x509.ReasonFlags.certificate_hold:
        return None
    later = [one.issued for one in all_news if (one.clean or one.lifted) and one.issued > news.issued]
    return min(later, default=None)


def _perhaps_suspended(news: News, all_news: Sequence[News], when: When) -> bool:
    """Whether the time lies between the last news of a suspension and the first of its end."""
    lifted = _lifted(news, all_news)
    return lifted is not None and news.issued < when.time < lifted


def _revoked(moment: dt.datetime, reason: x509.ReasonFlags | None, when: When) -> Finding:
    if moment <= when.time:
        return Finding(Revocation.REVOKED, moment, reason=reason)
    if when.proven:
        # Good when the timestamp was made; what came later doesn't undo it.
        return Finding(Revocation.GOOD)
    return Finding(Revocation.REVOKED, moment, late=True, reason=reason)


def _proof(news: News, certificate: bytes, status: Revocation) -> Proof:
    return Proof(news.kind, news.sha256, certificate.hex(), news.issued, news.next_update, status)


def _fresh(issued: dt.datetime, next_update: dt.datetime | None, certificate: x509.Certificate, when: When) -> bool:
    """Whether news of this date speaks about `when`.

    News from after a proven time does (while the certificate has not run out: CAs drop expired ones from CRLs). News
    from before does while it is in force then. Where the time is only claimed, whoever has a stolen key may claim any:
    then the news must be in force today, and so must the certificate, for nobody tells of expired ones.
    """
    if issued > when.now + _CLOCK_SKEW or issued > certificate.not_valid_after_utc:
        return False
    if (when.proven or when.token) and issued >= when.time:
        return True
    if not (when.proven or when.token) and when.now > certificate.not_valid_after_utc:
        return False
    at = when.time if when.proven else when.now
    return next_update is not None and at <= next_update


def _takes_tokens(finding: Finding) -> bool:
    if finding.status is not Revocation.REVOKED:
        return False
    return not finding.late or finding.reason not in _HARMLESS_FOR_TSA
