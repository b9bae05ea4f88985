"""Checks a file: integrity from `document`, trust from `signers`, and the verdict from both.

`verify_file` is a pure function of file, trust material and time; it runs in a worker, which is killed when it takes
too long. Nothing that goes wrong in here reaches the caller as an exception: it becomes `unreadable` and
`indeterminate`, never better.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace
from pyhanko.pdf_utils import generic

from signer_app.verification.chains import parse_certificates
from signer_app.verification.cms import Signed, Token, signature_timestamps
from signer_app.verification.document import FoundSignature, Opened, SignedDocument, opened
from signer_app.verification.facts import local
from signer_app.verification.faults import UnreadableError
from signer_app.verification.model import (
    Change,
    FileReport,
    Integrity,
    Level,
    Params,
    Revocation,
    SignatureReport,
    StampReport,
    TimestampKind,
    Trust,
    TrustMaterial,
    Verdict,
    worst_integrity,
    worst_verdict,
)
from signer_app.verification.names import (
    AnchorSets,
    common_name,
    issuer_name,
    one_line,
    organization,
    plain_time,
    serial_hex,
    validity,
    whole_name,
)
from signer_app.verification.revocation import Evidence, When
from signer_app.verification.signers import Signers, Stamp, Trusted

_VIETNAM = dt.timezone(dt.timedelta(hours=7))
"""A time without zone in /M is taken as Vietnam's (Decree 30/2020 PL I; much local software leaves the zone out)."""


def verify_file(path: Path, trust: TrustMaterial, now: dt.datetime) -> FileReport:
    """The report on `path`; never raises for what a file can hold. `now` is aware."""
    try:
        with opened(path) as file:
            return verify_opened(file, path, trust, now)
    except UnreadableError as error:
        # Nothing was mapped: the file is empty.
        return replace(_unreadable(path, error.code), checked_at=now)
    except OSError:
        return replace(_unreadable(path, "verify_file_unreadable"), checked_at=now)
    except Exception:  # noqa: BLE001  # promise: no exception reaches the caller, and the answer is never better
        return replace(_unreadable(path, "verify_damaged"), checked_at=now)


def verify_opened(file: Opened, path: Path, trust: TrustMaterial, now: dt.datetime) -> FileReport:
    """The report on a file that the caller has open and looks at, too. Raises OSError when it can't be read."""
    report = _judged(file, path, trust, now)
    return replace(report, sha256=file.source.sha256(), size=file.source.size, checked_at=now)


def _judged(file: Opened, path: Path, trust: TrustMaterial, now: dt.datetime) -> FileReport:
    """The report without what it says of the file's bytes; OSError alone is left to the caller."""
    source = file.source
    try:
        if not source.looks_like_pdf():
            raise UnreadableError("verify_not_pdf")
        try:
            return _Check(SignedDocument(source, strict=True, opened=file), trust, now).report(path)
        except UnreadableError as error:
            if error.code != "verify_damaged":
                raise
        except Exception:  # noqa: BLE001, S110  # pyHanko fails with many types; its lenient reader gets a turn
            pass
        return _Check(SignedDocument(source, strict=False, opened=file), trust, now).report(path)
    except UnreadableError as error:
        return _unreadable(path, error.code)
    except OSError:
        raise
    except Exception:  # noqa: BLE001  # as above
        return _unreadable(path, "verify_damaged")


def _unreadable(path: Path, code: str) -> FileReport:
    return FileReport(str(path), Verdict.INDETERMINATE, Integrity.UNREADABLE, code, {}, (), ())


class _Check:
    """One run over one file."""

    def __init__(self, document: SignedDocument, trust: TrustMaterial, now: dt.datetime) -> None:
        self._now = now
        self._document = document
        self._found = document.signatures()
        held = document.validation_data()
        self._anchor_sets = AnchorSets(trust.national_roots)
        self._legacy_before = trust.legacy_sha1_before
        embedded = [one.signed for one in self._found if one.signed is not None]
        evidence = Evidence(
            [*trust.crls, *held.crls, *(der for signed in embedded for der in signed.crls)],
            [*trust.ocsps, *held.ocsps, *(der for signed in embedded for der in signed.ocsps)],
        )
        self._signers = Signers(trust, tuple(parse_certificates(held.intermediates)), evidence, now)
        self._stamps = [
            (one, stamp)
            for one in self._found
            if one.is_timestamp and one.token is not None
            for stamp in [self._judged_stamp(one.token, intact=one.integrity is not Integrity.BROKEN)]
            if stamp is not None
        ]

    def report(self, path: Path) -> FileReport:
        """The answer, apart from what concerns the file's bytes."""
        signatures = tuple(self._told(one) for one in self._found if not one.is_timestamp)
        integrity = worst_integrity([one.integrity for one in signatures])
        verdict = worst_verdict([one.verdict for one in signatures])
        code, params = f"verify_{verdict}", {}
        if signatures:
            worst = next(one for one in signatures if one.verdict is verdict)
            code, params = worst.message_code, worst.message_params
        broken = [one for one in self._found if one.is_timestamp and one.integrity is Integrity.BROKEN]
        if not signatures and broken:
            integrity, verdict, code = Integrity.BROKEN, Verdict.INVALID, broken[0].fault or "verify_broken"
        stamps = tuple(self._stamp(one) for one in self._found if one.is_timestamp)
        return FileReport(str(path), verdict, integrity, code, params, signatures, self._signers.wanted, stamps)

    # Time

    def _stamp(self, one: FoundSignature) -> StampReport:
        stamp = next((stamp for found, stamp in self._stamps if found is one), None)
        return StampReport(
            field=one_line(one.field.name),
            time=stamp.time if stamp is not None else None,
            authority=common_name(one.token.certificate) if one.token is not None else None,
            integrity=one.integrity,
            valid=stamp is not None and stamp.valid,
            revision=one.state.index if one.state is not None else None,
        )

    def _stamps_of(self, one: FoundSignature) -> list[Stamp]:
        """The timestamps that prove when this signature existed: its own, then document timestamps after it."""
        own = [
            stamp
            for token in (signature_timestamps(one.signed) if one.signed is not None else ())
            if (stamp := self._judged_stamp(token, inside=one.signed)) is not None
        ]
        later = [
            stamp
            for found, stamp in self._stamps
            if found.range is not None and one.range is not None and found.range.end > one.range.end
        ]
        return own + later

    def _judged_stamp(self, token: Token, *, intact: bool = True, inside: Signed | None = None) -> Stamp | None:
        """None: it tells no time of this calendar, or nobody can say what it is worth; then it proves none."""
        if plain_time(token.time) is None:
            return None
        kind = TimestampKind.DOCUMENT if inside is None else TimestampKind.SIGNATURE
        try:
            return self._signers.stamp(token, kind, intact=intact, inside=inside)
        except Exception:  # noqa: BLE001  # odd tokens fail with many types; nobody else's answer suffers from it
            return None

    def _claimed_time(self, one: FoundSignature) -> dt.datetime | None:
        time = one.signed.claimed_time if one.signed is not None else None
        if time is None and one.claimed is not None:
            try:
                time = generic.parse_pdf_date(one.claimed, strict=False)
            except Exception:  # noqa: BLE001  # any nonsense may stand there; then no time is claimed
                return None
        if isinstance(time, dt.datetime) and time.tzinfo is None:
            time = time.replace(tzinfo=_VIETNAM)
        return plain_time(time)

    # Putting it together

    def _told(self, one: FoundSignature) -> SignatureReport:
        """The report on one signature, such that it can be handed on. What fails in here fails for this one alone."""
        try:
            report = self._signature(one)
            msgspec.msgpack.encode(report)
        except Exception:  # noqa: BLE001  # as `verify_file`: no exception, and never a better answer
            return _untold(one)
        return report

    def _signature(self, one: FoundSignature) -> SignatureReport:
        stamps = self._stamps_of(one)
        proof = min((stamp for stamp in stamps if stamp.valid), key=lambda stamp: stamp.time, default=None)
        shown = proof or next(iter(stamps), None)
        time = proof.time if proof is not None else self._claimed_time(one)
        when = When(time if time is not None else self._now, proven=proof is not None, now=self._now)
        trusted = self._signers.judge(one.signed, when) if one.signed is not None else Trusted()
        trusted.sha1 = trusted.sha1 or (proof is not None and proof.sha1)
        verdict, reasons, params = _verdict(one, trusted)
        leaf = one.signed.certificate if one.signed is not None else None
        anchor = trusted.chain.certificates[-1] if trusted.chain.trust is Trust.TRUSTED else None
        start, end = validity(leaf) if leaf is not None else (None, None)
        params |= {"signer": common_name(leaf) or one_line(one.field.name)}
        if self._legacy_before is not None:
            params |= {"legacy_date": _day(self._legacy_before), "stamp_date": _day(time)}
        return SignatureReport(
            field=one_line(one.field.name),
            signer=common_name(leaf),
            certificate=leaf.sha256.hex() if leaf is not None else None,
            subject=whole_name(leaf, "subject") if leaf is not None else None,
            issuer=whole_name(leaf, "issuer") if leaf is not None else None,
            not_before=start,
            not_after=end,
            integrity=one.integrity,
            trust=trusted.chain.trust,
            revocation=trusted.finding.status,
            signing_time=time,
            timestamp=shown.timestamp if shown is not None else None,
            level=self._level(one, stamps),
            verdict=verdict,
            message_code=reasons[0],
            message_params=params,
            reasons=tuple(reasons),
            changes=tuple(map(_in_one_line, one.changes)),
            covers_whole_file=one.covers_whole_file,
            revision=one.state.index if one.state is not None else None,
            page=one.widget.page + 1 if one.widget is not None and one.widget.page is not None else None,
            rect=one.state.revision.shown_rect(one.widget)
            if one.state is not None and one.widget is not None
            else None,
            docmdp=one.permissions.level if one.permissions is not None else None,
            organization=organization(leaf) if leaf is not None else None,
            issuer_name=issuer_name(leaf) if leaf is not None else None,
            serial=serial_hex(leaf) if leaf is not None else None,
            valid_at_signing=trusted.valid_at_signing,
            anchor_set=self._anchor_sets.of(anchor) if anchor is not None else None,
            anchor=common_name(anchor),
            legacy=trusted.sha1,
            chain=tuple(certificate.dump() for certificate in trusted.chain.certificates),
            proofs=trusted.finding.proofs,
        )

    def _level(self, one: FoundSignature, stamps: Sequence[Stamp]) -> Level:
        if not any(stamp.valid for stamp in stamps):
            return Level.B_B
        if not self._document.has_revocation_data(self._document.final):
            return Level.B_T
        archived = any(
            found.state is not None
            and one.range is not None
            and found.state.revision.end > one.range.end
            and self._document.has_revocation_data(found.state.revision)
            for found, stamp in self._stamps
            if stamp.valid
        )
        return Level.B_LTA if archived else Level.B_LT


def _verdict(one: FoundSignature, trusted: Trusted) -> tuple[Verdict, list[str], Params]:
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
    let_pass = ["verify_valid_by_sha1_rule"] if trusted.sha1 else []
    if one.integrity is Integrity.CHANGED:
        return Verdict.CHANGED, ["verify_changed", *let_pass], params
    return Verdict.VALID, let_pass or ["verify_valid"], params


def _untold(one: FoundSignature) -> SignatureReport:
    """What is left to say of a signature on which the report failed: as bad as it was found, and unreadable at best."""
    broken = one.integrity is Integrity.BROKEN
    verdict, reasons, params = _verdict(one, Trusted()) if broken else (Verdict.INDETERMINATE, ["verify_damaged"], {})
    field = one_line(one.field.name)
    return SignatureReport(
        field=field,
        signer=None,
        certificate=None,
        subject=None,
        issuer=None,
        not_before=None,
        not_after=None,
        integrity=Integrity.BROKEN if broken else Integrity.UNREADABLE,
        trust=Trust.UNKNOWN,
        revocation=Revocation.NOT_CHECKED,
        signing_time=None,
        timestamp=None,
        level=Level.B_B,
        verdict=verdict,
        message_code=reasons[0],
        message_params=params | {"signer": field},
        reasons=tuple(reasons),
        changes=(),
        covers_whole_file=one.covers_whole_file,
        revision=one.state.index if one.state is not None else None,
        page=None,
        rect=None,
        docmdp=None,
    )


def _in_one_line(change: Change) -> Change:
    """Names of fields are foreign text, too."""
    params = {key: one_line(value) if isinstance(value, str) else value for key, value in change.params.items()}
    return change if params == change.params else replace(change, params=params)


def _day(time: dt.date | None) -> str:
    moment = local(time) if isinstance(time, dt.datetime) else time
    return moment.strftime("%d/%m/%Y") if moment is not None else "?"
