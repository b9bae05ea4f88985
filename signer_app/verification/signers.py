"""Whether a signer, or a timestamp, may be believed: chain, validity, revocation, and the rule for SHA-1.

Runs in a worker, never fetches; one `Signers` for one file, on one thread. Says nothing of the document's integrity.
What is missing is said by a code of the catalogue, and where it may be had stands in `wanted`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import asn1crypto.x509

from signer_app.verification.addresses import ODD, revocation_urls
from signer_app.verification.chains import Chain, TrustStore, may_sign, may_timestamp
from signer_app.verification.cms import Signed, Token
from signer_app.verification.legacy import Legacy, signed_with_sha1, stamped_with_sha1
from signer_app.verification.model import Revocation, RevocationUrl, Timestamp, TimestampKind, Trust, TrustMaterial
from signer_app.verification.names import validity
from signer_app.verification.revocation import Evidence, Finding, When


@dataclass
class Trusted:
    """What was found out about a signer's certificate. `reasons` are the codes of what stands against it, `sha1`: it
    rests on the legacy rule.
    """

    chain: Chain = field(default_factory=lambda: Chain(Trust.UNKNOWN))
    finding: Finding = field(default_factory=lambda: Finding(Revocation.NOT_CHECKED))
    reasons: list[str] = field(default_factory=list)
    invalid: bool = False
    sha1: bool = False

    @property
    def valid_at_signing(self) -> bool | None:
        """Within its validity and not revoked when it signed (TT 15/2025, 6.4, fact 6); None: nobody can tell."""
        if self.invalid:
            return False
        known = self.chain.trust is Trust.TRUSTED and self.finding.status is Revocation.GOOD
        return True if known else None


@dataclass(frozen=True)
class Stamp:
    """A timestamp over a signature; `sha1`: it is valid by the legacy rule alone."""

    timestamp: Timestamp
    sha1: bool = False

    @property
    def valid(self) -> bool:
        """Whether it proves its time."""
        return self.timestamp.valid

    @property
    def time(self) -> dt.datetime:
        """The time that it tells."""
        return self.timestamp.time


class Signers:
    """Judges certificates by the trust material of one check and by what came along in the document."""

    def __init__(
        self,
        trust: TrustMaterial,
        supporting: Sequence[asn1crypto.x509.Certificate],
        evidence: Evidence,
        now: dt.datetime,
    ) -> None:
        self._store = TrustStore(trust)
        self._legacy = Legacy(trust.legacy_sha1_before)
        self._supporting = tuple(supporting)
        self._evidence = evidence
        self._now = now
        self._wanted: dict[tuple[str, bytes], RevocationUrl] = {}

    @property
    def wanted(self) -> tuple[RevocationUrl, ...]:
        """Where news may be had about all certificates for which none that are good were in hand."""
        return tuple(self._wanted.values())

    def stamp(self, token: Token, kind: TimestampKind, *, intact: bool = True, inside: Signed | None = None) -> Stamp:
        """Whether this token proves its time; `inside` is the signature that it stands in, if it does."""
        good = intact and token.right
        if good and not token.weak and self._tsa_trusted(token, sha1=False):
            return Stamp(Timestamp(token.time, kind, valid=True))
        if good and self._legacy.covers(token.time):
            sha1_alone = not token.weak or (inside is not None and stamped_with_sha1(inside, token))
            if sha1_alone and self._tsa_trusted(token, sha1=True):
                return Stamp(Timestamp(token.time, kind, valid=True), sha1=True)
        return Stamp(Timestamp(token.time, kind, valid=False))

    def _tsa_trusted(self, token: Token, *, sha1: bool) -> bool:
        certificate = token.certificate
        if certificate is None or not may_timestamp(certificate) or not _valid_at(certificate, token.time):
            return False
        chain = self._store.chain(certificate, [*token.certificates, *self._supporting], token.time, sha1=sha1)
        if chain.trust is not Trust.TRUSTED:
            return False
        try:
            when = When(token.time, proven=False, now=self._now, sha1=sha1, token=True)
            self._want(chain, when)
            return not self._evidence.takes_tokens(chain.parsed, when, chain.parsed_relatives)
        except ODD:
            # As below: nothing is proven by what only one of the two readers can read.
            return False

    def judge(self, signed: Signed, when: When) -> Trusted:
        """The signer of `signed`, for the time of signing `when`."""
        leaf = signed.certificate
        result = Trusted()
        start, end = validity(leaf)
        # Of a certificate without readable limits nobody can tell; no chain leads to it either.
        if start is not None and end is not None and not start <= when.time <= end:
            result.invalid = True
            result.reasons.append("verify_expired" if when.time > end else "verify_not_yet_valid")
        others = [*signed.certificates, *self._supporting]
        result.chain = self._store.chain(leaf, others, when.time)
        if result.chain.trust is Trust.UNKNOWN:
            result.reasons.append("verify_no_anchors")
        elif result.chain.trust is Trust.UNTRUSTED and not result.chain.weak:
            result.reasons.append("verify_limit" if result.chain.limit else "verify_untrusted")
        if signed.weak or result.chain.weak:
            when = self._weigh_sha1(result, signed, others, when)
        if result.chain.trust is Trust.TRUSTED:
            self._judge_revocation(result, when)
        if not may_sign(leaf):
            result.reasons.append("verify_key_usage")
        return result

    def _weigh_sha1(
        self, result: Trusted, signed: Signed, others: Sequence[asn1crypto.x509.Certificate], when: When
    ) -> When:
        """Lets SHA-1 pass where the rule does, or says why not; the time, and whether news signed with it count."""
        chain = result.chain
        if chain.weak:
            chain = self._store.chain(signed.certificate, others, when.time, sha1=True)
        sha1_alone = chain.trust is Trust.TRUSTED and (not signed.weak or signed_with_sha1(signed))
        if sha1_alone and when.proven and self._legacy.covers(when.time):
            result.chain, result.sha1 = chain, True
            return replace(when, sha1=True)
        result.reasons.append("verify_weak_algorithm")
        if sha1_alone:
            result.reasons.append(self._legacy.reason)
        return when

    def _judge_revocation(self, result: Trusted, when: When) -> None:
        try:
            result.finding = self._revocation(result.chain, when)
        except ODD:
            # The stricter of the two X.509 readers can't read a certificate of the chain.
            result.finding = Finding(Revocation.UNKNOWN)
        status = result.finding.status
        if status is Revocation.REVOKED and result.finding.late:
            result.reasons.append("verify_revoked_later")
        elif status is Revocation.REVOKED:
            result.invalid = True
            result.reasons.insert(0, "verify_revoked")
        elif status is not Revocation.GOOD:
            unknown = status is Revocation.UNKNOWN
            result.reasons.append("verify_revocation_unknown" if unknown else "verify_revocation_not_checked")
            if self._nowhere_to_ask(result.chain, when):
                result.reasons.append("verify_revocation_no_address")

    def _nowhere_to_ask(self, chain: Chain, when: When) -> bool:
        """Whether a certificate that lacks news names no place that has any: waiting for a network won't help."""
        try:
            missing = self._evidence.missing(chain.parsed, when, chain.parsed_relatives)
            return any(not any(True for _ in revocation_urls(*pair)) for pair in missing)
        except ODD:
            return True

    def _want(self, chain: Chain, when: When) -> None:
        for url in self._evidence.wanted(chain.parsed, when, chain.parsed_relatives):
            self._wanted.setdefault((url.url, url.certificate), url)

    def _revocation(self, chain: Chain, when: When) -> Finding:
        self._want(chain, when)
        return self._evidence.chain(chain.parsed, when, chain.parsed_relatives)


def _valid_at(certificate: asn1crypto.x509.Certificate, time: dt.datetime) -> bool:
    start, end = validity(certificate)
    return start is not None and end is not None and start <= time <= end
