"""The answer of a check as the command line gives it: JSON with the words of the catalogue.

Runs anywhere; pure. The shape is that of `verify` in the command line's contract, its schema lies in
`schemas/verify.json`.
"""

import datetime as dt
from typing import TypedDict

from signer_app.verification.model import Change, FileReport, SignatureReport
from signer_resources.messages import Lang, text


class ChangeJson(TypedDict):
    """One entry of `changes`."""

    page: int | None
    kind: str
    message: str


class TimestampJson(TypedDict):
    """`timestamp` of a signature."""

    time: str
    kind: str
    valid: bool


class SignatureJson(TypedDict):
    """One entry of `signatures`."""

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


class FileJson(TypedDict):
    """One file's entry in the output of `verify --json`."""

    file: str
    verdict: str
    integrity: str
    message: str
    signatures: list[SignatureJson]


_VIETNAM = dt.timezone(dt.timedelta(hours=7))
"""The timezone of law, written literally (Decree 30/2020 PL I)."""


def to_json(report: FileReport, lang: Lang) -> FileJson:
    """The report as plain JSON values; times are ISO 8601 with +07:00."""
    return FileJson(
        file=report.file,
        verdict=report.verdict.value,
        integrity=report.integrity.value,
        message=message(report, lang),
        signatures=[_signature(signature, lang) for signature in report.signatures],
    )


def message(report: FileReport | SignatureReport, lang: Lang) -> str:
    """What the verdict is and what it rests on, for a clerk."""
    return text(report.message_code, lang, **report.message_params)


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
        signing_time=_time(signature.signing_time) if signature.signing_time else None,
        timestamp=TimestampJson(time=_time(stamp.time), kind=stamp.kind.value, valid=stamp.valid) if stamp else None,
        level=signature.level.value,
        verdict=signature.verdict.value,
        changes=[
            ChangeJson(page=change.page, kind=change.kind.value, message=change_message(change, lang))
            for change in signature.changes
        ],
    )


def _time(time: dt.datetime) -> str:
    return time.astimezone(_VIETNAM).isoformat(timespec="seconds")
