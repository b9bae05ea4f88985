"""What a clerk may do with an incoming document, and what is asked before it is done.

Pure values in and out; loads no Qt, decides nothing itself. Returning and whatever isn't plainly valid is asked once
more; agreeing to what a sender asks for is never one click.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from signer_app.desk.incoming import IncomingRow
from signer_app.desk.incoming_model import IncomingDetails
from signer_app.exchange.deciding import Accepted
from signer_app.store.incoming_model import ArrivalState, ArrivalVerdict, Asked, IncomingDocument, ReturnReason
from signer_sync.contract import PacketKind
from signer_ui.presenters.figures import count
from signer_ui.words import Words


class Act(StrEnum):
    """What may be done, in the order of the buttons."""

    ACCEPT = "accept"
    SEND_BACK = "send_back"
    REPORT = "report"
    PASS_ON = "pass_on"  # noqa: S105 - what a button does
    TELL_SECRET = "tell_secret"  # noqa: S105 - what a button does
    LOOK = "look"


BUTTONS = {
    Act.ACCEPT: "ua_accept",
    Act.SEND_BACK: "ua_return",
    Act.REPORT: "ua_report",
    Act.PASS_ON: "ua_pass_on",
    Act.TELL_SECRET: "ua_tell_secret",
    Act.LOOK: "ua_look_quarantined",
}
REASONS = {
    ReturnReason.SIGNATURE_INVALID: "incoming_reason_signature_invalid",
    ReturnReason.ALTERED: "incoming_reason_altered",
    ReturnReason.WRONG_RECEIVER: "incoming_reason_wrong_receiver",
}
_DECIDABLE = frozenset({ArrivalState.ARRIVED, ArrivalState.REPORTED})
_UNSIGNED = frozenset({ArrivalVerdict.UNSIGNED, ArrivalVerdict.NO_PDF})


@dataclass(frozen=True)
class Form:
    """A question in place: what, why, lawful choices, a line to be typed, and the words that answer it.

    `must_type`: without a text there is no answer.
    """

    what: str
    why: str
    yes: str
    choices: tuple[str, ...] = ()
    field: str = ""
    must_type: bool = False
    danger: bool = False


@dataclass(frozen=True)
class Offer:
    """What may be done with a row now. `asked`: its sender waits for an answer. `external`: another system answers."""

    acts: tuple[Act, ...] = ()
    asked: bool = False
    external: bool = False
    accept_asks: bool = False


@dataclass(frozen=True)
class Request:
    """What a sender asks for, in words; `agree` is the question that comes before agreeing."""

    what: str
    holders: str


def packet_offer(row: IncomingRow) -> Offer:
    """For a packet without a document: a secret one is reported, once."""
    packet = row.packet
    return Offer((Act.TELL_SECRET,)) if packet is not None and packet.secret and packet.told_at is None else Offer()


def offer(details: IncomingDetails, *, answers: bool) -> Offer:
    """For a document; `answers`: whether this program exchanges for its body."""
    document = details.document
    decidable = document.state in _DECIDABLE and document.kind is not PacketKind.REVOKE
    acts = []
    if decidable and answers and document.readable and document.asked is not Asked.RECALL:
        acts.append(Act.ACCEPT)
        if details.may_return:
            acts.append(Act.SEND_BACK)
    if decidable and document.asked is not Asked.RECALL:
        acts.append(Act.REPORT)
    kept = document.state is not ArrivalState.CANCELLED
    if kept and document.readable and document.kind is not PacketKind.REVOKE:
        acts.append(Act.PASS_ON)
    if not kept and document.kind is not PacketKind.REVOKE:
        acts.append(Act.LOOK)
    asks = accept_form(document, _SILENT) is not None
    waits = decidable or document.asked is not None
    return Offer(tuple(acts), document.asked is not None and answers, waits and not answers, asks)


_SILENT = Words("vi")


def accept_form(document: IncomingDocument, words: Words) -> Form | None:
    """What is asked before this document is accepted; None: nothing, it is valid."""
    named, verdict = name_of(document, words), document.verdict
    if verdict is ArrivalVerdict.INVALID:
        return Form(
            words("ua_ask_order", label=named),
            words("ua_ask_order_why"),
            words("ua_yes_order"),
            field=words("ua_field_order"),
            must_type=True,
            danger=True,
        )
    if document.valid:
        return None
    if verdict is ArrivalVerdict.VALID:
        return Form(words("ua_ask_accept_doubt", label=named), words("ua_ask_accept_why"), words("ua_yes_accept"))
    what = words("ua_ask_accept", verdict=words(f"incoming_verdict_{verdict.value}"), label=named)
    why = words("ua_ask_accept_unsigned" if verdict in _UNSIGNED else "ua_ask_accept_why")
    return Form(what, why, words("ua_yes_accept"))


def return_form(details: IncomingDetails, words: Words) -> Form:
    """The reason for which it is returned: only what the law gives and what is so."""
    return Form(
        words("ua_ask_return", label=name_of(details.document, words)),
        words("ua_ask_return_why"),
        words("ua_yes_return"),
        choices=tuple(words(REASONS[reason]) for reason in details.may_return),
        field=words("ua_field_reason_more"),
        danger=True,
    )


def report_form(document: IncomingDocument, words: Words) -> Form:
    """What the sender should look at."""
    return Form(
        words("ua_ask_report", label=name_of(document, words)),
        words("ua_ask_report_why"),
        words("ua_yes_report"),
        field=words("ua_field_report"),
        must_type=True,
    )


def pass_on_form(document: IncomingDocument, words: Words) -> Form:
    """Who has it now."""
    return Form(
        words("ua_ask_pass_on", label=name_of(document, words)),
        words("ua_ask_pass_on_why"),
        words("ua_yes_pass_on"),
        field=words("ua_field_pass_on"),
        must_type=True,
    )


def secret_form(packet_id: str, words: Words) -> Form:
    """Whether the person in charge was told."""
    return Form(words("ua_ask_secret"), words("ua_ask_secret_why", packet=packet_id), words("ua_yes_secret"))


def request(details: IncomingDetails, words: Words) -> Request:
    """What the sender asks for."""
    document = details.document
    reason = document.asked_reason or words("ua_no_reason")
    recall = document.asked is Asked.RECALL
    what = words("ua_recall_what", reason=reason) if recall else words("ua_update_what", reason=reason)
    names = "; ".join(details.holders)
    return Request(what, words("ua_holders", names=names) if names else words("ua_holders_none"))


def agree_form(details: IncomingDetails, leader: str, words: Words) -> Form:
    """What is asked once more before a sender's wish is agreed to."""
    document = details.document
    named = name_of(document, words)
    if document.asked is Asked.UPDATE:
        what = words("ua_agree_update", label=named, leader=leader)
        return Form(what, words("ua_agree_update_why"), words("ua_yes_update"))
    why = [words("ua_agree_recall_why")]
    if details.holders:
        why.append(words("ua_agree_recall_holders", names="; ".join(details.holders)))
    what = words("ua_agree_recall", label=named, leader=leader)
    return Form(what, " ".join(why), words("ua_yes_recall"), danger=True)


def name_of(document: IncomingDocument, words: Words) -> str:
    """A document in a sentence: its số, ký hiệu, else its subject."""
    return document.label or document.subject or words("ua_no_label")


@dataclass(frozen=True)
class Told:
    """What came of accepting several."""

    what: str
    why: str
    good: bool


def accepted_words(results: Sequence[Accepted], named: str, words: Words) -> Told:
    """What came of it; `named`: the one that was accepted, where it was one alone."""
    numbers = [result.number for result in results if result.number is not None]
    errors = [result.error for result in results if result.error is not None]
    if not numbers:
        what = words("ua_told_accepted_none")
    elif len(numbers) == 1:
        what = words("ua_told_accepted", label=named, number=numbers[0])
    elif max(numbers) - min(numbers) == len(numbers) - 1:
        number, first, last = count(len(numbers), words), min(numbers), max(numbers)
        what = words("ua_told_accepted_some", count=number, first=first, last=last)
    else:
        what = words("ua_told_accepted_many", count=count(len(numbers), words))
    why = ""
    if errors:
        why = words("ua_told_not_accepted", count=count(len(errors), words), why=words.explain(errors[0]).what)
    return Told(what, why, not errors and bool(numbers))
