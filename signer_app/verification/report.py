"""The answer of a check as the command line gives it: JSON with the words of the catalogue.

Runs anywhere; pure. The shape is that of `verify` in the command line's contract, its schema lies in
`schemas/verify.json`. Members are added, never renamed.
"""

import datetime as dt
from typing import TypedDict

from signer_app.pdf.geometry import Rect
from signer_app.verification.facts import local
from signer_app.verification.model import (
    Change,
    FileReport,
    Params,
    Proof,
    SignatureReport,
    StampReport,
)
from signer_resources.messages import Lang, text


class RectJson(TypedDict):
    """A box on the displayed page, mm from its top left corner."""

    x: float
    y: float
    w: float
    h: float


class ChangeJson(TypedDict):
    """One entry of `changes`; `after` is the signed state (from 0) after which it was made."""

    page: int | None
    kind: str
    message: str
    allowed: bool
    harmless: bool
    areas: list[RectJson]
    after: int | None


class TimestampJson(TypedDict):
    """`timestamp` of a signature."""

    time: str
    kind: str
    valid: bool


class ReasonJson(TypedDict):
    """One of the reasons behind a verdict, the weightiest first."""

    code: str
    message: str


class ProofJson(TypedDict):
    """A CRL or OCSP answer behind the finding about a certificate (SHA-256 of each)."""

    kind: str
    sha256: str
    certificate: str
    issued: str
    next_update: str | None
    status: str


class SignatureJson(TypedDict):
    """One entry of `signatures`: after the contract's members the facts of TT 15/2025/TT-BKHCN, article 6.4, and what
    they rest on.
    """

    field: str
    signer: str | None
    integrity: str
    trust: str
    revocation: str
    signing_time: str | None
    timestamp: TimestampJson | None
    level: str
    verdict: str
    changes: list[ChangeJson]
    message: str
    reasons: list[ReasonJson]
    issuer: str | None
    organization: str | None
    valid_at_signing: bool | None
    not_before: str | None
    not_after: str | None
    anchor_set: str | None
    anchor: str | None
    legacy: bool
    certificate: str | None
    serial: str | None
    subject: str | None
    proofs: list[ProofJson]
    revision: int | None
    covers_whole_file: bool
    docmdp: int | None
    page: int | None
    area: RectJson | None


class StampJson(TypedDict):
    """One entry of `timestamps`: a document timestamp, a signed state though no signature."""

    field: str
    time: str | None
    authority: str | None
    integrity: str
    valid: bool
    revision: int | None


class FileJson(TypedDict):
    """One file's entry in the output of `verify --json`."""

    file: str
    verdict: str
    integrity: str
    message: str
    signatures: list[SignatureJson]
    code: str
    sha256: str | None
    size: int | None
    checked_at: str | None
    timestamps: list[StampJson]
    evidence: bool


def to_json(report: FileReport, lang: Lang, *, evidence: bool = False) -> FileJson:
    """The report as plain JSON values; times are ISO 8601 with +07:00. `evidence`: it is kept in the data folder."""
    return FileJson(
        file=report.file,
        verdict=report.verdict.value,
        integrity=report.integrity.value,
        message=message(report, lang),
        signatures=[_signature(signature, lang) for signature in report.signatures],
        code=report.message_code,
        sha256=report.sha256,
        size=report.size,
        checked_at=_time_or_none(report.checked_at),
        timestamps=[_stamp(stamp) for stamp in report.stamps],
        evidence=evidence,
    )


def message(report: FileReport | SignatureReport, lang: Lang) -> str:
    """What the verdict is and what it rests on, for a clerk."""
    return text(report.message_code, lang, **report.message_params)


def reason(code: str, params: Params, lang: Lang) -> str:
    """One of the reasons behind a signature's verdict, for a clerk; `params` are those of its message."""
    return text(code, lang, **params)


def change_message(change: Change, lang: Lang) -> str:
    """What was changed after signing, for a clerk."""
    return text(change.message_code, lang, **change.params)


def _signature(signature: SignatureReport, lang: Lang) -> SignatureJson:
    stamp = signature.timestamp
    return SignatureJson(
        field=signature.field,
        signer=signature.signer,
        integrity=signature.integrity.value,
        trust=signature.trust.value,
        revocation=signature.revocation.value,
        signing_time=_time_or_none(signature.signing_time),
        timestamp=TimestampJson(time=_time(stamp.time), kind=stamp.kind.value, valid=stamp.valid) if stamp else None,
        level=signature.level.value,
        verdict=signature.verdict.value,
        changes=[_change(change, lang) for change in signature.changes],
        message=message(signature, lang),
        reasons=[
            ReasonJson(code=code, message=reason(code, signature.message_params, lang)) for code in signature.reasons
        ],
        issuer=signature.issuer_name or signature.issuer,
        organization=signature.organization,
        valid_at_signing=signature.valid_at_signing,
        not_before=_time_or_none(signature.not_before),
        not_after=_time_or_none(signature.not_after),
        anchor_set=signature.anchor_set.value if signature.anchor_set else None,
        anchor=signature.anchor,
        legacy=signature.legacy,
        certificate=signature.certificate,
        serial=signature.serial,
        subject=signature.subject,
        proofs=[_proof(proof) for proof in signature.proofs],
        revision=signature.revision,
        covers_whole_file=signature.covers_whole_file,
        docmdp=signature.docmdp,
        page=signature.page,
        area=_rect(signature.rect) if signature.rect else None,
    )


def _change(change: Change, lang: Lang) -> ChangeJson:
    return ChangeJson(
        page=change.page,
        kind=change.kind.value,
        message=change_message(change, lang),
        allowed=change.allowed,
        harmless=change.harmless,
        areas=[_rect(area) for area in change.areas],
        after=change.after,
    )


def _proof(proof: Proof) -> ProofJson:
    return ProofJson(
        kind=proof.kind.value,
        sha256=proof.sha256,
        certificate=proof.certificate,
        issued=_time(proof.issued),
        next_update=_time_or_none(proof.next_update),
        status=proof.status.value,
    )


def _stamp(stamp: StampReport) -> StampJson:
    return StampJson(
        field=stamp.field,
        time=_time_or_none(stamp.time),
        authority=stamp.authority,
        integrity=stamp.integrity.value,
        valid=stamp.valid,
        revision=stamp.revision,
    )


def _rect(rect: Rect) -> RectJson:
    return RectJson(x=round(rect.x, 2), y=round(rect.y, 2), w=round(rect.w, 2), h=round(rect.h, 2))


def _time(time: dt.datetime) -> str:
    return local(time).isoformat(timespec="seconds")


def _time_or_none(time: dt.datetime | None) -> str | None:
    return None if time is None else _time(time)
