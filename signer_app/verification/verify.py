"""Checks a file: integrity from `document`, trust from `chains` and `revocation`, and the verdict from both.

`verify_file` is a pure function of file, trust material and time; it runs in a worker, which is killed when it takes
too long. Nothing that goes wrong in here reaches the caller as an exception: it becomes `unreadable` and
`indeterminate`, never better.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asn1crypto.x509
from cryptography import x509
from pyhanko.pdf_utils import generic

from signer_app.verification.chains import Chain, TrustStore, may_sign, may_timestamp, parse_certificates
from signer_app.verification.cms import Signed, Token, signature_timestamps
from signer_app.verification.document import FoundSignature, SignedDocument
from signer_app.verification.faults import UnreadableError
from signer_app.verification.model import (
    FileReport,
    Integrity,
    Level,
    Params,
    Revocation,
    RevocationUrl,
    SignatureReport,
    Timestamp,
    TimestampKind,
    Trust,
    TrustMaterial,
    Verdict,
    worst_integrity,
    worst_verdict,
)
from signer_app.verification.revocation import Evidence, Finding, When, tsa_revoked
from signer_app.verification.source import SourceFile

_VIETNAM = dt.timezone(dt.timedelta(hours=7))
"""A time without zone in /M is taken as Vietnam's (Decree 30/2020 PL I; much local software leaves the zone out)."""


def verify_file(path: Path, trust: TrustMaterial, now: dt.datetime) -> FileReport:
    """The report on `path`; never raises for what a file can hold. `now` is aware."""
    try:
        with SourceFile(path) as source:
            if not source.looks_like_pdf():
                raise UnreadableError("verify_not_pdf")
            try:
                return _Check(SignedDocument(source, strict=True), trust, now).report(path)
            except UnreadableError as error:
                if error.code != "verify_damaged":
                    raise
            except Exception:  # noqa: BLE001, S110  # pyHanko fails with many types; its lenient reader gets a turn
                pass
            return _Check(SignedDocument(source, strict=False), trust, now).report(path)
    except UnreadableError as error:
        return _unreadable(path, error.code)
    except OSError:
        return _unreadable(path, "verify_file_unreadable")
    except Exception:  # noqa: BLE001  # promise: no exception reaches the caller, and the answer is never better
        return _unreadable(path, "verify_damaged")


def _unreadable(path: Path, code: str) -> FileReport:
    return FileReport(str(path), Verdict.INDETERMINATE, Integrity.UNREADABLE, code, {}, (), ())


@dataclass
class _Trusted:
    """What was found out about the signer's certificate."""

    chain: Chain = field(default_factory=lambda: Chain(Trust.UNKNOWN))
    finding: Finding = field(default_factory=lambda: Finding(Revocation.NOT_CHECKED))
    reasons: list[str] = field(default_factory=list)
    invalid: bool = False


class _Check:
    """One run over one file."""

    def __init__(self, document: SignedDocument, trust: TrustMaterial, now: dt.datetime) -> None:
        self._now = now
        self._document = document
        self._found = document.signatures()
        held = document.validation_data()
        self._store = TrustStore(trust)
        self._supporting = tuple(parse_certificates(held.intermediates))
        embedded = [one.signed for one in self._found if one.signed is not None]
        self._evidence = Evidence(
            [*trust.crls, *held.crls, *(der for signed in embedded for der in signed.crls)],
            [*trust.ocsps, *held.ocsps, *(der for signed in embedded for der in signed.ocsps)],
        )
        self._wanted: dict[tuple[str, bytes], RevocationUrl] = {}
        self._proofs = [
            (
                one,
                self._timestamp(one.token, TimestampKind.DOCUMENT, intact=one.integrity is not Integrity.BROKEN),
            )
            for one in self._found
            if one.is_timestamp and one.token is not None
        ]

    def report(self, path: Path) -> FileReport:
        """The whole answer."""
        signatures = tuple(self._signature(one) for one in self._found if not one.is_timestamp)
        integrity = worst_integrity([one.integrity for one in signatures])
        verdict = worst_verdict([one.verdict for one in signatures])
        code, params = f"verify_{verdict}", {}
        if signatures:
            worst = next(one for one in signatures if one.verdict is verdict)
            code, params = worst.message_code, worst.message_params
        stamps = [one for one in self._found if one.is_timestamp and one.integrity is Integrity.BROKEN]
        if not signatures and stamps:
            integrity, verdict, code = Integrity.BROKEN, Verdict.INVALID, stamps[0].fault or "verify_broken"
        return FileReport(str(path), verdict, integrity, code, params, signatures, tuple(self._wanted.values()))

    # Time

    def _timestamp(self, token: Token, kind: TimestampKind, *, intact: bool = True) -> Timestamp:
        valid = (
            intact
            and token.right
            and not token.weak
            and token.certificate is not None
            and self._tsa_trusted(token.certificate, token)
        )
        return Timestamp(token.time, kind, valid)

    def _tsa_trusted(self, certificate: asn1crypto.x509.Certificate, token: Token) -> bool:
        if not may_timestamp(certificate) or not _valid_at(certificate, token.time):
            return False
        chain = self._store.chain(certificate, [*token.certificates, *self._supporting], token.time)
        if chain.trust is not Trust.TRUSTED:
            return False
        finding = self._revocation(chain, When(token.time, proven=False, now=self._now))
        return not tsa_revoked(finding)

    def _stamps_of(self, one: FoundSignature) -> list[Timestamp]:
        """The timestamps that prove when this signature existed: its own, then document timestamps after it."""
        own = [
            self._timestamp(token, TimestampKind.SIGNATURE)
            for token in (signature_timestamps(one.signed) if one.signed is not None else ())
        ]
        later = [
            stamp
            for proof, stamp in self._proofs
            if proof.range is not None and one.range is not None and proof.range.end > one.range.end
        ]
        return own + later

    def _claimed_time(self, one: FoundSignature) -> dt.datetime | None:
        time = one.signed.claimed_time if one.signed is not None else None
        if time is None and one.claimed is not None:
            try:
                time = generic.parse_pdf_date(one.claimed, strict=False)
            except Exception:  # noqa: BLE001  # any nonsense may stand there; then no time is claimed
                return None
        if time is not None and time.tzinfo is None:
            time = time.replace(tzinfo=_VIETNAM)
        return time

    # Trust

    def _revocation(self, chain: Chain, when: When) -> Finding:
        certificates = [x509.load_der_x509_certificate(one.dump()) for one in chain.certificates]
        for url in self._evidence.wanted(certificates, when):
            self._wanted.setdefault((url.url, url.certificate), url)
        return self._evidence.chain(certificates, when)

    def _trust(self, signed: Signed, when: When) -> _Trusted:
        leaf = signed.certificate
        result = _Trusted()
        if not _valid_at(leaf, when.time):
            result.invalid = True
            expired = when.time > leaf.not_valid_after
            result.reasons.append("verify_expired" if expired else "verify_not_yet_valid")
        result.chain = self._store.chain(leaf, [*signed.certificates, *self._supporting], when.time)
        if result.chain.trust is Trust.TRUSTED:
            self._judge_revocation(result, when)
        elif result.chain.trust is Trust.UNKNOWN:
            result.reasons.append("verify_no_anchors")
        else:
            result.reasons.append("verify_weak_algorithm" if result.chain.weak else "verify_untrusted")
        if signed.weak:
            result.reasons.append("verify_weak_algorithm")
        if not may_sign(leaf):
            result.reasons.append("verify_key_usage")
        return result

    def _judge_revocation(self, result: _Trusted, when: When) -> None:
        try:
            result.finding = self._revocation(result.chain, when)
        except ValueError:
            # The stricter of the two X.509 readers can't read a certificate of the chain.
            result.finding = Finding(Revocation.UNKNOWN)
        if result.finding.status is Revocation.REVOKED:
            if result.finding.late:
                result.reasons.append("verify_revoked_later")
            else:
                result.invalid = True
                result.reasons.insert(0, "verify_revoked")
        elif result.finding.status is Revocation.NOT_CHECKED:
            result.reasons.append("verify_revocation_not_checked")
        elif result.finding.status is Revocation.UNKNOWN:
            result.reasons.append("verify_revocation_unknown")

    # Putting it together

    def _signature(self, one: FoundSignature) -> SignatureReport:
        stamps = self._stamps_of(one)
        proven = [stamp for stamp in stamps if stamp.valid]
        stamp = min(proven, key=lambda s: s.time) if proven else next(iter(stamps), None)
        claimed = self._claimed_time(one)
        time = stamp.time if proven and stamp is not None else claimed
        when = When(time if time is not None else self._now, proven=bool(proven), now=self._now)
        trusted = _Trusted()
        if one.signed is not None:
            trusted = self._trust(one.signed, when)
        verdict, reasons, params = _verdict(one, trusted)
        leaf = one.signed.certificate if one.signed is not None else None
        issuer = leaf.issuer.human_friendly if leaf is not None else None
        params |= {"signer": _common_name(leaf) or one.field.name}
        return SignatureReport(
            field=one.field.name,
            signer=_common_name(leaf),
            certificate=leaf.sha256.hex() if leaf is not None else None,
            subject=leaf.subject.human_friendly if leaf is not None else None,
            issuer=issuer,
            not_before=leaf.not_valid_before if leaf is not None else None,
            not_after=leaf.not_valid_after if leaf is not None else None,
            integrity=one.integrity,
            trust=trusted.chain.trust,
            revocation=trusted.finding.status,
            signing_time=time,
            timestamp=stamp,
            level=self._level(one, stamps),
            verdict=verdict,
            message_code=reasons[0],
            message_params=params,
            reasons=tuple(reasons),
            changes=one.changes,
            covers_whole_file=one.covers_whole_file,
            revision=one.state.index if one.state is not None else None,
            page=one.widget.page + 1 if one.widget is not None and one.widget.page is not None else None,
            rect=one.state.revision.shown_rect(one.widget)
            if one.state is not None and one.widget is not None
            else None,
            docmdp=one.permissions.level if one.permissions is not None else None,
        )

    def _level(self, one: FoundSignature, stamps: Sequence[Timestamp]) -> Level:
        if not stamps:
            return Level.B_B
        if not self._document.has_revocation_data(self._document.final):
            return Level.B_T
        archived = any(
            proof.state is not None
            and one.range is not None
            and proof.state.revision.end > one.range.end
            and self._document.has_revocation_data(proof.state.revision)
            for proof, _ in self._proofs
        )
        return Level.B_LTA if archived else Level.B_LT


def _verdict(one: FoundSignature, trusted: _Trusted) -> tuple[Verdict, list[str], Params]:
    """Order: invalid > indeterminate > changed > valid. The reasons stand in the same order."""
    params: Params = {}
    if one.integrity is Integrity.BROKEN:
        code = one.fault
        if code is None:
            forbidden = [change for change in one.changes if not change.allowed]
            code = "verify_forbidden_change"
            page = next((change.page for change in forbidden if change.page is not None), None)
            if page is not None:
                code, params = "verify_forbidden_change_on_page", {"page": page}
        return Verdict.INVALID, [code, *trusted.reasons], params
    if trusted.invalid:
        return Verdict.INVALID, trusted.reasons, params
    if one.integrity is Integrity.UNREADABLE:
        return Verdict.INDETERMINATE, [one.fault or "verify_damaged", *trusted.reasons], params
    if trusted.reasons:
        return Verdict.INDETERMINATE, trusted.reasons, params
    if one.integrity is Integrity.CHANGED:
        return Verdict.CHANGED, ["verify_changed"], params
    return Verdict.VALID, ["verify_valid"], params


def _valid_at(certificate: asn1crypto.x509.Certificate, time: dt.datetime) -> bool:
    return bool(certificate.not_valid_before <= time <= certificate.not_valid_after)


def _common_name(certificate: asn1crypto.x509.Certificate | None) -> str | None:
    if certificate is None:
        return None
    name = certificate.subject.native.get("common_name")
    if isinstance(name, list):
        name = name[0] if name else None
    return str(name) if name is not None else str(certificate.subject.human_friendly)
