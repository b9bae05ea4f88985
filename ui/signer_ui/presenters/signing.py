"""What the signing flow says: before the PIN, while it signs, when it ended, and which ways go on from there.

Pure values in and out, any thread; loads no Qt. Decides what is offered, never does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.signing_values import BatchSummary, DocumentOutcome, Ready
from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.presenters.pin import PinRequest, Purpose, count_text
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_app.signing.certificates import SigningCertificate

_REASONS_SHOWN = 3
_TYPE_AGAIN = frozenset(
    {
        "pin_incorrect", "pin_length", "pin_empty", "pin_not_ascii", "pin_final", "pin_pad_cancelled",
        "signature_pin_needed", "signature_pin_incorrect",
    }
)  # fmt: skip
_PIN_ENDED = frozenset({"pin_locked", "pin_expired", "pin_not_set", "signature_pin_locked"})
_LOCKED = frozenset({"pin_locked", "signature_pin_locked"})
_TOKEN_GONE = frozenset({"token_removed", "no_token", "certificate_not_found"})
_MACHINE = frozenset(
    {
        "no_module", "module_missing", "module_load_failed", "driver_error", "driver_crashed", "driver_timeout",
        "driver_resources", "token_in_use", "token_read_only",
        "signature_wrong", "no_token",
    }
)  # fmt: skip


class Act(StrEnum):
    """A way to go on, offered as a button; its words are the text "us_act_" and this."""

    GO_ON = "go_on"
    """Sign the rest of the batch, with a new PIN."""
    TYPE_AGAIN = "type_again"
    TRY_AGAIN = "try_again"
    """Look at tokens and documents anew."""
    CHECK_MACHINE = "check_machine"
    CHANGE_PIN = "change_pin"
    """To the page where the token's PIN is changed."""
    REQUEST_FORM = "request_form"
    """To the page where the request to the issuer is printed."""
    RETRY = "retry"
    """Sign anew what has failed, with a new PIN."""
    REPORT = "report"
    """What became of each document."""


@dataclass(frozen=True)
class Told:
    """What stands in place: an error of the catalogue, or news in up to three lines; and the ways to go on."""

    role: str = "notice-good"
    what: str = ""
    why: str = ""
    do: str = ""
    error: KnownError | None = None
    acts: tuple[Act, ...] = ()
    failed: int = 0
    """How many there are to be tried again."""


def act_words(act: Act, told: Told, words: Words) -> str:
    """What stands on the button of a way."""
    match act:
        case Act.RETRY:
            return words("ul_retry", count=count_text(told.failed, words))
        case Act.REPORT:
            return words("ul_report")
    return words(f"us_act_{act}")


def pin_request(
    ready: Ready, exchange: ExchangeSnapshot, settings: Settings, clock: KnownError | None, words: Words
) -> PinRequest:
    """What the PIN dialogue asks; what is missing offline is told here, once per batch, and a `clock` that is wrong."""
    away = exchange.link is Link.AWAY
    notes = []
    if clock is not None:
        told = words.explain(clock)
        notes.append(f"{told.what} {told.do}")
    if away and any(one.job.receivers for one in ready.documents):
        notes.append(words("us_note_offline"))
    if ready.unchecked:
        since = exchange.since.strftime("%d/%m") if away and exchange.since else ""
        notes.append(words("us_note_unchecked_since", date=since) if since else words("us_note_unchecked"))
    if ready.refused:
        notes.append(words("us_note_refused", count=count_text(len(ready.refused), words)))
    return PinRequest(
        Purpose.SIGN,
        ready.token_name,
        ready.token.pin_state,
        len(ready.documents),
        tuple(one.label for one in ready.documents),
        tuple(notes),
        asks_again=ready.chosen.certificate.sha256 in settings.asking_keys,
        pin_pad=ready.token.pin_pad,
    )


def certificate_name(certificate: SigningCertificate, words: Words) -> str:
    """A certificate as it stands on a button that chooses it."""
    name = certificate.certificate.common_name or certificate.certificate.serial
    return words("us_choice", name=name, token=certificate.token.label.strip() or certificate.token.serial)


def told_of(summary: BatchSummary, words: Words) -> Told:
    """What became of a batch."""
    if summary.stopped is not None:
        return _stopped(summary, summary.stopped, words)
    signed, rest = len(summary.signed), len(summary.unsigned)
    reasons = _reasons(summary, words)
    acts, failed = _afterwards(summary), len(summary.failed)
    if not signed:
        return Told("notice-bad", words("us_none"), reasons, acts=acts, failed=failed)
    key = "us_done_unchecked" if summary.unchecked else "us_done"
    what = words(key, count=count_text(signed, words))
    if rest:
        what = f"{what} {words('us_rest', count=count_text(rest, words))}"
    later = [words("us_note_unchecked")] if summary.unchecked else []
    if summary.timestamp_missing:
        later.append(words("us_note_timestamp"))
    role = "notice-warn" if rest or reasons else "notice-good"
    return Told(role, what, reasons, " ".join(later), acts=acts, failed=failed)


def _afterwards(summary: BatchSummary) -> tuple[Act, ...]:
    """What can be done when all are through: nothing where one glance at the list says it all."""
    acts = [Act.RETRY] if summary.failed and summary.batch is not None else []
    if len(summary.outcomes) > 1:
        acts.append(Act.REPORT)
    return tuple(acts)


def told_error(error: KnownError) -> Told:
    """What stood in the way before anything was signed."""
    acts = [Act.TYPE_AGAIN if error.code in _TYPE_AGAIN else Act.TRY_AGAIN] if error.code not in _PIN_ENDED else []
    if error.code in _MACHINE:
        acts.append(Act.CHECK_MACHINE)
    if error.code in _LOCKED:
        acts.append(Act.REQUEST_FORM)
    if error.code == "pin_expired":
        acts.append(Act.CHANGE_PIN)
    return Told("notice-bad", error=error, acts=tuple(acts))


def _stopped(summary: BatchSummary, error: KnownError, words: Words) -> Told:
    if summary.batch is None or (error.code in _TYPE_AGAIN | _PIN_ENDED and not summary.signed):
        # The token let nobody in: no batch has begun.
        return told_error(error)
    counts = {
        "signed": count_text(len(summary.signed), words),
        "total": count_text(len(summary.signed) + len(summary.pending), words),
    }
    acts = (Act.GO_ON,) if summary.pending else ()
    more = (Act.REPORT,) if len(summary.outcomes) > 1 else ()
    if error.code == "interrupted":
        return Told("notice-warn", words("us_interrupted", **counts), _reasons(summary, words), acts=(*acts, *more))
    if error.code in _TOKEN_GONE:
        return Told("notice-bad", error=KnownError("us_stopped_removed", **counts), acts=(*acts, *more))
    if error.code in _MACHINE:
        acts = (*acts, Act.CHECK_MACHINE)
    told = words.explain(error)
    whole = KnownError("us_stopped", **counts, code=error.code, what=told.what, why=told.why, do=told.do)
    return Told("notice-bad", error=whole, acts=(*acts, *more))


def _reasons(summary: BatchSummary, words: Words) -> str:
    """The first reasons, one a line: why something is not signed, or what is missing although it is."""
    speaking = [outcome for outcome in summary.outcomes if outcome.error is not None]
    lines = [_reason(outcome, words) for outcome in speaking[:_REASONS_SHOWN]]
    if len(speaking) > _REASONS_SHOWN:
        lines.append(words("us_reasons_more", count=count_text(len(speaking) - _REASONS_SHOWN, words)))
    return "\n".join(lines)


def _reason(outcome: DocumentOutcome, words: Words) -> str:
    error = outcome.error
    assert error is not None
    told = words.explain(error)
    return words("us_reason", label=outcome.label, what=told.what, do=told.do).rstrip()
