"""What must be told of a checked signature, in words: the seven facts of TT 15/2025/TT-BKHCN, article 6.4, and whose
anchors were used.

Runs anywhere; pure. The same words stand in the report on paper and in the answer of the command line.
"""

import datetime as dt
from dataclasses import dataclass

from signer_app.verification.model import FileReport, Revocation, SignatureReport, Trust, Verdict
from signer_resources.messages import Lang, text

_VIETNAM = dt.timezone(dt.timedelta(hours=7))
"""The timezone of law, written literally (Decree 30/2020 PL I)."""


@dataclass(frozen=True)
class Fact:
    """What, and its value."""

    what: str
    value: str


def signature_facts(signature: SignatureReport, lang: Lang) -> tuple[Fact, ...]:
    """Issuing CA, signer, unit, time, integrity, validity at signing, validity period: in the article's order; then
    the anchors.
    """
    unknown = text("verify_fact_unknown", lang)
    values = (
        ("verify_fact_issuer", signature.issuer_name or signature.issuer or unknown),
        ("verify_fact_signer", signature.signer or unknown),
        ("verify_fact_unit", signature.organization or unknown),
        ("verify_fact_time", _signed_at(signature, lang)),
        ("verify_fact_integrity", text(f"verify_integrity_{signature.integrity}", lang)),
        ("verify_fact_at_signing", _at_signing(signature, lang)),
        ("verify_fact_period", _period(signature, lang)),
        ("verify_fact_anchor", _anchor(signature, lang)),
    )
    return tuple(Fact(text(what, lang), value) for what, value in values)


def anchors_used(report: FileReport, lang: Lang) -> str:
    """The anchor sets that the signatures of a file lead to."""
    sets = dict.fromkeys(one.anchor_set for one in report.signatures if one.anchor_set is not None)
    if sets:
        return "; ".join(text(f"verify_anchor_set_{one}", lang) for one in sets)
    missing = any(one.trust is Trust.UNKNOWN for one in report.signatures)
    return text("verify_anchor_missing" if missing else "verify_anchor_none", lang)


def without_verdict(told: str, lang: Lang) -> str:
    """A reason without the verdict that it begins with, for places where the verdict stands already."""
    for verdict in Verdict:
        opening = text(f"verdict_{verdict}", lang) + ":"
        if told.startswith(opening):
            rest = told.removeprefix(opening).lstrip()
            return rest[:1].upper() + rest[1:]
    return told


def moment(time: dt.datetime) -> str:
    """A time as it is written here, in Vietnam's zone: 08:42:05 22/11/2026."""
    return local(time).strftime("%H:%M:%S %d/%m/%Y")


def local(time: dt.datetime) -> dt.datetime:
    """`time` in Vietnam's zone; as it stands where the calendar ends (certificates say 31/12/9999 for never)."""
    try:
        return time.astimezone(_VIETNAM)
    except OverflowError:
        return time.replace(tzinfo=_VIETNAM)


def _signed_at(signature: SignatureReport, lang: Lang) -> str:
    stamp = signature.timestamp
    if stamp is not None and stamp.valid:
        return text("verify_time_proven", lang, time=moment(stamp.time))
    if signature.signing_time is None:
        return text("verify_time_none", lang)
    key = "verify_time_claimed" if stamp is None else "verify_time_unproven"
    return text(key, lang, time=moment(signature.signing_time))


def _at_signing(signature: SignatureReport, lang: Lang) -> str:
    if signature.valid_at_signing:
        told = "verify_at_signing_good"
    elif signature.valid_at_signing is None:
        told = "verify_at_signing_unknown"
    elif signature.revocation is Revocation.REVOKED:
        told = "verify_at_signing_revoked"
    else:
        told = "verify_at_signing_outside"
    return text(told, lang)


def _period(signature: SignatureReport, lang: Lang) -> str:
    if signature.not_before is None or signature.not_after is None:
        return text("verify_fact_unknown", lang)
    return text("verify_period", lang, start=moment(signature.not_before), end=moment(signature.not_after))


def _anchor(signature: SignatureReport, lang: Lang) -> str:
    if signature.anchor_set is None:
        return text("verify_anchor_missing" if signature.trust is Trust.UNKNOWN else "verify_anchor_none", lang)
    told = text(f"verify_anchor_set_{signature.anchor_set}", lang)
    return text("verify_anchor", lang, set=told, name=signature.anchor) if signature.anchor else told
