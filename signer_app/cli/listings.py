"""The commands that only look: `tokens`, `outbox`, `journal`.

Main process, without the data folder's lock, so that they work beside a window or a running batch.
"""

import argparse
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from signer_app.cli.console import Console, message_of
from signer_app.desk.tokens import Life, life_of
from signer_app.exchange.receipts import receipt_facts
from signer_app.signing.certificate_facts import usages
from signer_app.signing.roles import role_of
from signer_app.store.model import OutboxPacket, OutboxState, PacketReceiver, ProofBy
from signer_app.store.soundness import JournalCheck
from signer_app.store.times import VIETNAM, vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text
from signer_token.client import ModuleFault, TokenError, TokenListing
from signer_token.model import Token, TokenCertificate

if TYPE_CHECKING:
    from signer_app.custody.anchors import JournalEpoch, JournalProof

_ALL = 10_000_000


def tokens(space: Workspace, _args: argparse.Namespace, console: Console) -> int:
    """What is plugged in: tokens, certificates, state of the PIN."""
    try:
        listing = space.hosts.tokens()
    except TokenError as error:
        # No driver is set: there is nothing to list, and the reason is told beside it.
        listing = TokenListing((), (ModuleFault(Path(), error),))
    for fault in listing.faults:
        console.warn(fault.error)
    if console.as_json:
        console.result([_token(token, space) for token in listing.tokens])
    else:
        rows = [_certificate_row(token, one, space, console) for token in listing.tokens for one in token.certificates]
        if listing.tokens:
            console.table(_CERTIFICATE_HEADS, rows)
            for token in listing.tokens:
                console.say("token_line", token=token.label, state=text(f"pin_state_{token.pin_state}", console.lang))
        elif not listing.faults:
            console.error(KnownError("no_token"))
    return 0 if listing.tokens else 3


def _token(token: Token, space: Workspace) -> dict[str, object]:
    return {
        "label": token.label,
        "serial": token.serial,
        "module": str(token.module),
        "pin_state": token.pin_state.value,
        "certificates": [_certificate(one, space) for one in token.certificates],
    }


def _certificate(certificate: TokenCertificate, space: Workspace) -> dict[str, object]:
    now = space.now()
    return {
        "sha256": certificate.sha256,
        "serial": certificate.serial,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "key": certificate.key,
        "role": role_of(certificate, space.settings).value,
        "usage": [usage.value for usage in usages(certificate.der)],
        "key_present": certificate.key_present,
        "life": life_of(certificate, now).value,
        "days_left": (certificate.not_after - now).days,
    }


_CERTIFICATE_HEADS = (
    "head_token",
    "head_certificate",
    "head_role",
    "head_key",
    "head_private_key",
    "head_usage",
    "head_until",
    "head_id",
)


def _certificate_row(token: Token, certificate: TokenCertificate, space: Workspace, console: Console) -> list[str]:
    key_seen = {True: "there", False: "missing", None: "unknown"}[certificate.key_present]
    life = life_of(certificate, space.now())
    until = vietnamese_date(certificate.not_after)
    return [
        token.label,
        certificate.common_name,
        text(f"role_{role_of(certificate, space.settings)}", console.lang),
        certificate.key,
        text(f"us_private_key_{key_seen}", console.lang),
        ", ".join(text(f"us_usage_{usage}", console.lang) for usage in usages(certificate.der)),
        until if life is Life.VALID else f"{until} ({text(f'life_{life}', console.lang)})",
        certificate.sha256[:16],
    ]


def outbox(space: Workspace, _args: argparse.Namespace, console: Console) -> int:
    """What waits and what was sent; a receipt is the only proof."""
    with space.reader.view() as view:
        packets, oldest = view.outbox.list(), view.outbox.oldest_unsent()
        told = {packet.packet_id: view.outbox.receivers(packet.packet_id) for packet in packets}
    if console.as_json:
        console.result([_packet(packet, told[packet.packet_id], console) for packet in packets])
    else:
        rows = [
            [
                packet.document or "",
                text(f"outbox_kind_{packet.kind}", console.lang),
                _state(packet, told[packet.packet_id], console),
                _told(packet, told[packet.packet_id], console),
            ]
            for packet in packets
        ]
        console.table(("head_document", "head_packet", "head_state", "head_note"), rows)
        if oldest is not None:
            console.say("outbox_oldest", time=oldest.strftime("%H:%M %d/%m/%Y"))
        elif not packets:
            console.say("outbox_empty")
    return 0


def _answered(packet: OutboxPacket, receivers: Sequence[PacketReceiver]) -> tuple[PacketReceiver, ...]:
    """Receivers that sent it back, declined or were not reached, and of whom nobody has settled it."""
    taken = packet.accepted_at is not None and packet.state is not OutboxState.FAILED and packet.superseded_by is None
    return tuple(one for one in receivers if taken and one.is_open)


def _state(packet: OutboxPacket, receivers: Sequence[PacketReceiver], console: Console) -> str:
    worst = sorted(_answered(packet, receivers), key=lambda one: one.code or "99")[:1]
    return _answer(worst[0], console) if worst else text(f"outbox_{packet.state}", console.lang)


def _answer(receiver: PacketReceiver, console: Console) -> str:
    return text(f"outbox_answer_{receiver.code or 'none'}", console.lang)


def _told(packet: OutboxPacket, receivers: Sequence[PacketReceiver], console: Console) -> str:
    if answered := _answered(packet, receivers):
        why = [f" ({one.code_reason})" if one.code_reason else "" for one in answered]
        told = zip(answered, why, strict=True)
        return "; ".join(f"{_answer(one, console)}: {one.org}{reason}" for one, reason in told)
    if packet.accepted_at is not None and packet.state is not OutboxState.FAILED:
        key = "outbox_said_there" if packet.proof_by is ProofBy.PERSON else "outbox_received"
        return text(key, console.lang, time=_clock(packet.accepted_at))
    if packet.error_code is not None:
        return message_of(KnownError(packet.error_code, **packet.error_params), console.lang)["message"]
    if packet.hold_until is not None and packet.state is OutboxState.QUEUED:
        key = "outbox_postponed" if packet.postponed else "outbox_held"
        return text(key, console.lang, time=_clock(packet.hold_until))
    return ""


def _clock(moment: dt.datetime) -> str:
    return moment.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")


_GIVEN_UP = (OutboxState.FAILED, OutboxState.WITHDRAWN)


def _packet(packet: OutboxPacket, receivers: Sequence[PacketReceiver], console: Console) -> dict[str, object]:
    waits = packet.accepted_at is None and packet.state not in _GIVEN_UP and packet.superseded_by is None
    answered = _answered(packet, receivers)
    return {
        "packet_id": packet.packet_id,
        "document": packet.document,
        "state": packet.state.value,
        "receipt": receipt_facts(packet.receipt) if packet.receipt is not None else None,
        "oldest_since": packet.created_at.isoformat() if waits else None,
        "message": _told(packet, receivers, console),
        "kind": packet.kind.value,
        "status_code": packet.status_code,
        "org": packet.org,
        "urgency": int(packet.urgency),
        "attempts": packet.attempts,
        "uncertain": packet.uncertain,
        "hold_until": packet.hold_until.isoformat() if packet.hold_until and waits else None,
        "next_try": packet.not_before.isoformat() if packet.not_before and waits else None,
        "proof": packet.proof_by.value if packet.proof_by is not None else None,
        "supersedes": packet.supersedes,
        "superseded_by": packet.superseded_by,
        "receivers": [
            {
                "org": one.org,
                "code": one.code,
                "at": one.code_at.isoformat() if one.code_at is not None else None,
                "reason": one.code_reason,
                "open": one in answered,
            }
            for one in receivers
        ],
    }


def journal(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """The record of token use; with --verify, how far it is proved to be as it was written."""
    proof = None
    with space.reader.view() as view:
        entries = list(reversed(view.journal.entries(limit=_ALL)))
        if args.verify:
            # Signatures and chains of certificates are only loaded where they are to be checked.
            from signer_app.custody.anchors import prove_journal

            proof = prove_journal(view, space.settings, space.trust)
    if console.as_json:
        shown = [{"seq": e.seq, "at": e.at.isoformat(), **msgspec.to_builtins(e.use)} for e in entries]
        console.result({"entries": shown, "verified": _verified(proof, console) if proof is not None else None})
    else:
        rows = [
            [
                str(e.seq), e.at.strftime("%d/%m/%Y %H:%M:%S"), e.use.operator, e.use.holder or "",
                text(f"journal_{e.use.action}", console.lang), e.use.number or "", e.use.result,
            ]
            for e in entries
        ]  # fmt: skip
        heads = ("head_seq", "head_time", "head_operator", "head_holder", "head_action", "head_document", "head_result")
        console.table(heads, rows)
        if proof is not None:
            _say_proof(proof, console)
    return 0 if proof is None or proof.sound else 1


def _verified(proof: "JournalProof", console: Console) -> dict[str, object]:
    found = proof.verified
    check, anchor = found.check, found.anchor
    return {
        "sound_to": check.sound_to,
        "newer": check.newer,
        "broken_at": check.broken_at,
        "broken_time": check.broken_time.isoformat() if check.broken_time else None,
        "fault": check.fault.value if check.fault else None,
        "message": _fault_words(check, console) if check.fault else "",
        "anchor": {"by": anchor.kind.value, "at": anchor.at.isoformat(), "place": anchor.place} if anchor else None,
        "unproven": found.unproven,
        "contradicting": found.contradicting,
        "book_sound": proof.book_sound,
        "epochs": [
            {
                "first": epoch.first,
                "last": epoch.last,
                "restored_at": epoch.restored_at.isoformat() if epoch.restored_at else None,
                "linked": epoch.linked,
                "lost": epoch.lost,
            }
            for epoch in proof.epochs
        ],
    }


def _say_proof(proof: "JournalProof", console: Console) -> None:
    found = proof.verified
    check, anchor = found.check, found.anchor
    if check.broken_at is not None:
        console.say("journal_altered", what=_fault_words(check, console))
    if anchor is not None:
        at = anchor.at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")
        by = text(f"journal_by_{anchor.kind}", console.lang, place=anchor.place, time=at)
        console.say("journal_anchored", sound=check.sound_to, anchor=by, newer=check.newer)
    else:
        console.say("journal_not_anchored", newer=check.newer)
    if found.unproven:
        console.say("journal_unproven", count=found.unproven)
    if found.contradicting:
        console.say("journal_contradicting", count=found.contradicting)
    if not proof.book_sound:
        console.say("journal_book_altered")
    if len(proof.epochs) > 1:
        for number, epoch in enumerate(proof.epochs, start=1):
            _say_epoch(number, epoch, console)


def _say_epoch(number: int, epoch: "JournalEpoch", console: Console) -> None:
    """From which entry to which, since which restore, whether it follows the one before, what was lost behind it."""
    if epoch.restored_at is not None:
        at = epoch.restored_at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")
        console.say("journal_epoch_restored", number=number, first=epoch.first, last=epoch.last, time=at)
    else:
        console.say("journal_epoch_first", number=number, first=epoch.first, last=epoch.last)
    if not epoch.linked:
        console.say("journal_epoch_unlinked", number=number)
    if epoch.lost:
        console.say("journal_epoch_lost", number=number, count=epoch.lost)


def _fault_words(check: JournalCheck, console: Console) -> str:
    """Which entry, what it gives as its time, what differs."""
    at = check.broken_time.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S") if check.broken_time else None
    return text(
        "journal_broken_at",
        console.lang,
        entry=check.broken_at,
        time=at or text("journal_no_time", console.lang),
        what=text(f"journal_fault_{check.fault}", console.lang),
    )
