"""Incoming documents as the store keeps and gives them: plain, frozen, without behaviour.

Usable on any thread and in any process. Texts are the sender's, as they were written, and never a path. No value here
ever describes a secret document.
"""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from signer_app.store.model import Urgency
from signer_sync.contract import PacketKind


class ArrivalState(StrEnum):
    """What the clerk has made of a document that came.

    `cancelled`: its sender has it back, the copy lies in quarantine for the log alone. `superseded`: another document
    stands in its place.
    """

    ARRIVED = "arrived"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    REPORTED = "reported"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Asked(StrEnum):
    """What the sender of a document asks for, to be answered by 15 or 16."""

    RECALL = "recall"
    UPDATE = "update"


class ArrivalVerdict(StrEnum):
    """What the signatures of a document's PDFs are worth together, as `verification.model.Verdict` for each; `no_pdf`
    where there is none, `unreadable` for a packet that nobody can read.
    """

    VALID = "valid"
    CHANGED = "changed"
    INDETERMINATE = "indeterminate"
    INVALID = "invalid"
    UNSIGNED = "unsigned"
    NO_PDF = "no_pdf"
    UNREADABLE = "unreadable"


class ReturnReason(StrEnum):
    """Why a document may be returned (Decree 30/2020, article 21.1 and 21.2; QĐ 28/2018): nothing else is a reason."""

    SIGNATURE_INVALID = "signature_invalid"
    ALTERED = "altered"
    WRONG_RECEIVER = "wrong_receiver"


class IncomingWhat(StrEnum):
    """What happened to a document."""

    ARRIVED = "arrived"
    CAME_AGAIN = "came_again"
    VERIFIED = "verified"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    REPORTED = "reported"
    RECALL_ASKED = "recall_asked"
    UPDATE_ASKED = "update_asked"
    AGREED = "agreed"
    DECLINED = "declined"
    TRANSFERRED = "transferred"
    SUPERSEDED = "superseded"
    UPDATED = "updated"
    CANCELLED = "cancelled"


class OwnDoubt(StrEnum):
    """What is odd about a document here, beside the doubts of its packet (`signer_sync.edxml.Doubt`); a person has to
    look before it is accepted.
    """

    NOT_ADDRESSED = "not_addressed"
    """The packet names other bodies as its receivers."""
    UNSCREENED = "unscreened"
    """Some of its files could not be looked into for marks of secrecy."""
    CAME_CHANGED = "came_changed"
    """The same document came before, with other files."""
    NOT_HERE = "not_here"
    """It speaks of a document that never came."""
    OTHER_SENDER = "other_sender"
    """The channel names another body as its sender than the packet does itself."""

    @property
    def text_key(self) -> str:
        """The key of its words in the catalogue."""
        return f"incoming_doubt_{self.value}"


CHECK_WAITS = "verify_waiting"
"""The `verdict_code` of a document whose signatures nobody has looked at yet, or not to the end."""
_OWN_DOUBTS = frozenset(doubt.value for doubt in OwnDoubt)


class IncomingFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a document, a blob by its content; `verdict` and what follows are of a PDF alone."""

    name: str
    sha256: str
    size: int
    is_pdf: bool
    verdict: str | None = None
    integrity: str | None = None
    message_code: str | None = None
    message_params: Mapping[str, str | int] = {}


class IncomingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a document's packet says of it. `issued_on` is None where the date is none."""

    sender: str = ""
    """Organisation code."""
    sender_name: str = ""
    document_id: str = ""
    id_key: str = ""
    """`edxml_keys.id_key` of sender and DocumentId."""
    label: str = ""
    """Số, ký hiệu."""
    issued: str = ""
    issued_on: dt.date | None = None
    type_name: str = ""
    subject: str = ""
    signer: str = ""
    due: str = ""
    urgency: Urgency = Urgency.NORMAL
    doubts: tuple[str, ...] = ()
    """What is odd about it: `OwnDoubt` and `signer_sync.edxml.Doubt`."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a document; `recheck_at`: when it is looked at again by itself, None where it is decided."""

    verdict: ArrivalVerdict
    code: str | None
    at: dt.datetime
    recheck_at: dt.datetime | None = None


class NewIncoming(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be filed; its files are blobs already."""

    id: str
    org: str
    document_key: str
    content: str
    packet_sha256: str
    kind: PacketKind
    arrived_at: dt.datetime
    facts: IncomingFacts
    files: tuple[IncomingFile, ...]
    judged: Judged
    readable: bool = True
    round: int = 1


class IncomingDocument(msgspec.Struct, frozen=True, gc=False):
    """A document that came, as it stands. The garbage collector leaves these alone: there may be a hundred thousand,
    and they hold no cycles.
    """

    id: str
    org: str
    document_key: str
    round: int
    content: str
    packet_sha256: str
    kind: PacketKind
    arrived_at: dt.datetime
    urgency: Urgency
    readable: bool
    sender: str
    sender_name: str
    document_id: str
    id_key: str
    label: str
    issued: str
    issued_on: dt.date | None
    type_name: str
    subject: str
    signer: str
    due: str
    doubts: tuple[str, ...]
    search: str
    """All that can be searched for, folded."""
    verdict: ArrivalVerdict
    verdict_code: str | None
    verified_at: dt.datetime
    recheck_at: dt.datetime | None
    rechecks: int
    state: ArrivalState
    decided_at: dt.datetime | None
    decided_by: str | None
    reason: str | None
    note: str
    number: int | None
    number_year: int | None
    asked: Asked | None
    asked_at: dt.datetime | None
    asked_reason: str
    asked_packet: str | None
    superseded_by: str | None
    updated_at: dt.datetime | None
    came_again: int
    touched: int

    @property
    def open(self) -> bool:
        """Whether the clerk still has to do something about it."""
        return self.state is ArrivalState.ARRIVED or self.asked is not None

    @property
    def doubted(self) -> bool:
        """Whether a person has to look at it for what is odd about it here (`OwnDoubt`)."""
        return not _OWN_DOUBTS.isdisjoint(self.doubts)

    @property
    def valid(self) -> bool:
        """Whether one click on all valid ones takes it: it waits, nobody asks for anything, nothing is doubtful."""
        return (
            self.state is ArrivalState.ARRIVED
            and self.asked is None
            and self.verdict is ArrivalVerdict.VALID
            and self.kind is not PacketKind.REVOKE
            and not self.doubted
        )


class IncomingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a document; `answer` is the outbox's id of the status message that left for it."""

    at: dt.datetime
    what: IncomingWhat
    by: str
    words: str = ""
    packet_sha256: str | None = None
    answer: str | None = None
