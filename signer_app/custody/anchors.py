"""Proof of the journal: which heads of it others have signed, whether those signatures are good, and what follows.

Main process, any thread; only reads. A head is vouched for by the pinned server's receipt or by the token's signature
under a hand-over's minute, checked anew each time with the key that must have made it; a row of the database proves
nothing by itself. The book is held against the journal as well: each minute has its entry, and each entry its minute.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer_app.store.custody import HandOver
from signer_app.store.journal import KeptReceipt, Verified
from signer_app.store.model import JournalAction
from signer_app.store.restored import Answer
from signer_app.store.settings import Settings
from signer_app.store.store import View
from signer_app.verification.chains import TrustStore
from signer_app.verification.model import Trust, TrustMaterial
from signer_resources.errors import KnownError
from signer_sync import jws
from signer_sync.client import PinnedServer, check_receipt
from signer_sync.contract import JournalHead, JwsBody, Receipt
from signer_sync.packets import SignedReceipt

MINUTE_TYPE = "signer-hand-over+jwt"
"""`typ` of the signature under a minute: no signature made for anything else passes for one."""

_ALL = 10_000_000


class AnchorKind(StrEnum):
    """What vouches for a head."""

    RECEIPT = "receipt"
    HAND_OVER = "hand_over"


@dataclass(frozen=True)
class Anchor:
    """A head of the journal that somebody is said to have signed: when, and where (the server, or the place of the
    hand-over). `proof` is what can be checked; None where only a row says so.
    """

    count: int
    hash: str
    kind: AnchorKind
    at: dt.datetime
    place: str
    proof: KeptReceipt | HandOver | None


@dataclass(frozen=True)
class JournalEpoch:
    """Entries that one machine has written, from `first` to `last`; the next epoch goes on from a backup of it.

    `restored_at`: when this one began, None for the first. `linked`: its first entry names the head that it goes on
    from, and so does what the restore wrote down. `lost`: how many more entries the epoch had at least, by receipts of
    packets that were sent after the backup: they went with the machine.
    """

    first: int
    last: int
    restored_at: dt.datetime | None
    linked: bool
    lost: int = 0


@dataclass(frozen=True)
class JournalProof:
    """The whole check. `book_sound`: minutes and journal tell of the same hand-overs, and of the same journal.
    `epochs`: one, unless the database came out of a backup.
    """

    verified: Verified[Anchor]
    book_sound: bool
    epochs: tuple[JournalEpoch, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether all is as it was written, as far as can be told."""
        found = self.verified
        linked = all(epoch.linked for epoch in self.epochs)
        return found.check.broken_at is None and not found.contradicting and self.book_sound and linked


def prove_journal(view: View, settings: Settings, trust: TrustMaterial) -> JournalProof:
    """Checks the journal against all that is signed of it, and the hand-over book against the journal."""
    judge = _Judge(_pinned(settings), trust)
    epochs = _epochs(view)
    heads, lost = _of_lost_entries(view, epochs)
    verified = view.journal.verify(heads, judge.vouches)
    vouched = [anchor for anchor in lost if judge.vouches(anchor)]
    return JournalProof(verified, _book_is_sound(view), tuple(_with_lost(epochs, vouched)))


def anchors(view: View) -> Iterator[Anchor]:
    """Every head that a receipt, a minute, or a mere row names; nothing is checked yet."""
    rows = {row.packet_id: row for row in view.journal.anchors()}
    for receipt in view.journal.receipts():
        facts = _claimed(receipt.text)
        head = _head(facts.journal_head) if facts is not None else None
        if facts is not None and head is not None:
            row = rows.get(receipt.packet_id)
            if row is not None and (row.count, row.hash) == (head.count, head.hash):
                del rows[receipt.packet_id]
            yield Anchor(head.count, head.hash, AnchorKind.RECEIPT, _told(facts, receipt), facts.server_id, receipt)
    for row in rows.values():
        # The receipt that it came from says something else by now, or is gone.
        yield Anchor(row.count, row.hash, AnchorKind.RECEIPT, row.at, "", None)
    try:
        entries = view.custody.list()
    except KnownError:
        # An altered minute proves nothing; that the book is not sound is said apart.
        return
    for entry in entries:
        if entry.signed is not None:
            minute = entry.minute
            head = minute.journal
            yield Anchor(head.count, head.hash, AnchorKind.HAND_OVER, minute.at, minute.place, entry)


def _epochs(view: View) -> list[JournalEpoch]:
    """The epochs as the journal itself tells of them, each held against what the restore wrote down."""
    entries = view.journal.head().count
    begun = [entry for entry in reversed(view.journal.entries(_ALL)) if entry.use.action is JournalAction.RESTORED]
    noted = {epoch.journal_count + 1: epoch.journal_hash for epoch in view.restored.epochs()}
    firsts = [1, *(entry.seq for entry in begun)]
    lasts = [*(entry.seq - 1 for entry in begun), entries]
    found = [JournalEpoch(1, lasts[0], None, linked=set(noted) <= set(firsts))]
    for entry, last in zip(begun, lasts[1:], strict=True):
        before = view.journal.hash_at(entry.seq - 1)
        linked = before is not None and entry.use.sha256 == before == noted.get(entry.seq)
        found.append(JournalEpoch(entry.seq, last, entry.at, linked))
    return found


def _of_lost_entries(view: View, epochs: list[JournalEpoch]) -> tuple[list[Anchor], list[Anchor]]:
    """All heads, and apart from them those that reach behind a backup: they came with receipts for which the server was
    asked after a restore, and tell of entries that nobody has any more.
    """
    asked = set(view.restored.packets(Answer.THERE))
    heads, lost = [], []
    for anchor in anchors(view):
        beyond = any(epoch.first <= anchor.count for epoch in epochs[1:])
        of_asked = isinstance(anchor.proof, KeptReceipt) and anchor.proof.packet_id in asked
        if beyond and of_asked and view.journal.hash_at(anchor.count) != anchor.hash:
            lost.append(anchor)
        else:
            heads.append(anchor)
    return heads, lost


def _with_lost(epochs: list[JournalEpoch], lost: list[Anchor]) -> Iterator[JournalEpoch]:
    """The epochs with what each had more, at least: a head is taken for the newest one that it can belong to."""
    counts = [anchor.count for anchor in lost]
    for epoch, following in zip(epochs, [*epochs[1:], None], strict=True):
        # The last epoch goes on; nothing of it is lost.
        until = 0 if following is None else following.last if following is not epochs[-1] else max(counts, default=0)
        own = [count for count in counts if epoch.last < count <= until]
        yield replace(epoch, lost=max(own, default=epoch.last) - epoch.last)


def minute_is_signed(entry: HandOver, trust: TrustMaterial) -> bool:
    """Whether the minute was signed, byte for byte, by the certificate that it speaks of, and that one is trusted."""
    if entry.signed is None:
        return False
    try:
        message = msgspec.json.decode(entry.signed, type=JwsBody)
        leaf, *others = jws.unverified_chain(message)
        payload = jws.verify(message, jws.certificate_key(leaf), typ=MINUTE_TYPE).payload
    except (msgspec.MsgspecError, jws.JwsError):
        return False
    der = leaf.public_bytes(Encoding.DER)
    if payload != entry.text.encode() or hashlib.sha256(der).hexdigest() != entry.minute.certificate.sha256:
        return False
    if not leaf.not_valid_before_utc <= entry.minute.at <= leaf.not_valid_after_utc:
        return False
    helping = [asn1_x509.Certificate.load(other.public_bytes(Encoding.DER)) for other in others]
    chain = TrustStore(trust).chain(asn1_x509.Certificate.load(der), helping, entry.minute.at)
    return chain.trust is Trust.TRUSTED


@dataclass(frozen=True)
class _Judge:
    """Knows the keys that must have signed."""

    pinned: PinnedServer | None
    trust: TrustMaterial

    def vouches(self, anchor: Anchor) -> bool:
        """Whether the signature behind this head is good."""
        match anchor.proof:
            case KeptReceipt():
                return self._receipt_is_good(anchor, anchor.proof)
            case HandOver():
                return minute_is_signed(anchor.proof, self.trust)
        return False

    def _receipt_is_good(self, anchor: Anchor, receipt: KeptReceipt) -> bool:
        if self.pinned is None:
            return False
        try:
            message = SignedReceipt.message_of(receipt.text)
            checked = check_receipt(message, self.pinned, receipt.packet_id, receipt.sha256)
        except (KnownError, msgspec.MsgspecError, ValueError):
            return False
        return checked.facts.journal_head == str(JournalHead(anchor.count, anchor.hash))


def _pinned(settings: Settings) -> PinnedServer | None:
    server = settings.server
    if server is None or server.server_id is None or server.signer_certificate_der is None:
        return None
    return PinnedServer(server.server_id, server.signer_certificate_der)


def _claimed(text: str) -> Receipt | None:
    try:
        return msgspec.json.decode(jws.unverified_payload(SignedReceipt.message_of(text)), type=Receipt)
    except (jws.JwsError, msgspec.MsgspecError):
        return None


def _told(facts: Receipt, receipt: KeptReceipt) -> dt.datetime:
    """The server's own time, which it has signed; ours where its text is no time."""
    try:
        told = dt.datetime.fromisoformat(facts.received_at)
    except ValueError:
        return receipt.at
    return told if told.tzinfo is not None else receipt.at


def _head(text: str | None) -> JournalHead | None:
    try:
        return JournalHead.parse(text) if text is not None else None
    except ValueError:
        return None


def _book_is_sound(view: View) -> bool:
    """Whether every minute is in the journal by its hash and names the journal's own head of then, and every hand-over
    of the journal has its minute.
    """
    try:
        entries = view.custody.list()
    except KnownError:
        return False
    if any(view.journal.hash_at(entry.minute.journal.count) != entry.minute.journal.hash for entry in entries):
        return False
    written = [entry.journal_sha256 for entry in entries]
    told = [
        entry.use.sha256
        for entry in view.journal.entries(_ALL)
        if entry.use.action is JournalAction.HAND_OVER and entry.use.result == "ok"
    ]
    return written == told
