"""The values that the store keeps and gives: plain, frozen, without behaviour.

Usable on any thread and in any process. Hashes are SHA-256 in lower-case hex, times know their zone, ids are
UUIDv7 texts (`signer_sync.ids.uuid7`). No value here ever describes a secret document.
"""

import datetime as dt
from collections.abc import Mapping
from enum import IntEnum, StrEnum

import msgspec

from signer_app.pdf.model import CopyOrder, LetterFacts, PlaceOption, Profile
from signer_sync.contract import PacketKind, Transport


class DocumentState(StrEnum):
    """`signed`: signed and kept. `released`: also given to the outbox, whose row tells how far it got."""

    SIGNED = "signed"
    RELEASED = "released"


class FileRole(StrEnum):
    """What a file is in its document."""

    MAIN = "main"
    APPENDIX = "appendix"
    ATTACHMENT = "attachment"


class Urgency(IntEnum):
    """Mức độ khẩn, numbered as edXML's Priority (QCVN 102:2016/BTTTT)."""

    NORMAL = 0
    KHAN = 1
    THUONG_KHAN = 2
    HOA_TOC = 3
    HOA_TOC_HEN_GIO = 4


class FileState(StrEnum):
    """How a file of a batch stands.

    The first three wait: not looked at yet (or again), ready for the token, handed out to be signed.
    """

    PENDING = "pending"
    PREPARED = "prepared"
    SIGNING = "signing"
    SIGNED = "signed"
    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def waits(self) -> bool:
        """Whether it is still to be signed."""
        return self in (FileState.PENDING, FileState.PREPARED, FileState.SIGNING)


class OutboxState(StrEnum):
    """How far a packet is. Only a proof leads to `accepted`; the states after it are the server's word. `withdrawn`: a
    person took it out of the queue before anything of it left.
    """

    QUEUED = "queued"
    SENDING = "sending"
    RETRYING = "retrying"
    ACCEPTED = "accepted"
    FORWARDED = "forwarded"
    PARTIALLY = "partially"
    DELIVERED = "delivered"
    FAILED = "failed"
    NEEDS_PERSON = "needs_person"
    WITHDRAWN = "withdrawn"


class ProofBy(StrEnum):
    """Who vouches for it that the other side has a packet: the server's signed receipt, a channel that gives none by
    its answer, a person who has made sure.
    """

    RECEIPT = "receipt"
    CHANNEL = "channel"
    PERSON = "person"


class ReceiverChange(IntEnum):
    """What an update does to a receiver, numbered as edXML's ReceiverType (QCVN 102:2016/BTTTT)."""

    REMOVED = 0
    ADDED = 1


class DraftFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that waits to be signed: `path` is where it was opened, `blob` its copy, of which all that follows is
    told. `facts` are what its pages say; `output` is where its signed copy goes.
    """

    id: str
    name: str
    path: str
    output: str
    role: FileRole
    profile: Profile
    blob: str
    facts: LetterFacts = LetterFacts()
    place: PlaceOption | None = None
    """Where the person wants the seal or signature; None: where the rule puts it."""
    made_from: str | None = None
    """SHA-256 of the file that became this PDF, where one did."""
    original: str | None = None
    """Blob of the file as it came, where `blob` is its repaired copy."""
    root: str | None = None
    """The folder that was brought in whole, in which or below which it lay: its copy lies as deep below the folder of
    the copies. None: it was brought in by itself.
    """

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return self.facts.pages


class DraftAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that waits to go along unsigned: `path` is where it was opened, `blob` its copy, `output` where a copy
    goes beside the signed files. `words`: whether its words could be searched for a mark of secrecy.
    """

    id: str
    name: str
    path: str
    output: str
    blob: str
    size: int
    words: bool = True
    root: str | None = None
    """As that of a file."""


class InsteadOf(msgspec.Struct, frozen=True, kw_only=True):
    """A document that was sent and in whose place another comes (type 3), and why; the receivers read that."""

    document_id: str
    reason: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A document that waits to be signed, its main file first. Texts are empty where nothing is known yet; without a
    date it is issued on the day of its signing. `attachments` go along unsigned.
    """

    id: str
    files: tuple[DraftFile, ...]
    created_at: dt.datetime
    position: int
    number: str = ""
    notation: str = ""
    date: dt.date | None = None
    type: str = ""
    subject: str = ""
    signer: str = ""
    receivers: tuple[str, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    ticked: bool = False
    ticked_by_hand: bool = False
    """Whether the clerk has ticked or unticked it; then the program leaves it alone."""
    attachments: tuple[DraftAttachment, ...] = ()
    copy: CopyOrder | None = None
    """What copy is made and who ordered it, where its profile is `copy`."""
    replaces: str | None = None
    """Id of the document that it is signed again in place of."""
    instead: InsteadOf | None = None
    """The document that was sent, in whose place it goes out once it is signed."""

    @property
    def blobs(self) -> set[str]:
        """Every copy that it needs."""
        kept = {file.blob for file in self.files} | {file.original for file in self.files if file.original}
        return kept | {item.blob for item in self.attachments}

    @property
    def main(self) -> DraftFile:
        """Its main file."""
        return self.files[0]

    @property
    def profile(self) -> Profile:
        """How its main file is signed."""
        return self.main.profile

    @property
    def label(self) -> str:
        """Số, ký hiệu as on the page; what of it is known."""
        return f"{self.number}/{self.notation}" if self.number and self.notation else self.number or self.notation


class CertificateStatus(StrEnum):
    """What was known of the certificate when it signed."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    NOT_CHECKED = "not_checked"


class JournalAction(StrEnum):
    """What a token was used for."""

    LOGIN = "login"
    SIGN = "sign"
    ENROL = "enrol"
    CLOCK = "clock"
    """No use of a token: the clock was found right although a signature bears a later time."""
    CHANGE_PIN = "change_pin"
    HAND_OVER = "hand_over"
    TRUST_ADD = "trust_add"
    """No use of a token, nor are the next two: a certificate was made an anchor or a helper here, and which."""
    TRUST_REMOVE = "trust_remove"
    EVIDENCE_DESTROYED = "evidence_destroyed"
    """What was kept of the checks of a file was destroyed on request (TT 15/2025/TT-BKHCN, articles 5.4 and 6.2)."""
    NUMBER_GIVEN_UP = "number_given_up"
    """No use of a token: the clerk gave a number up that was kept for a document, and which; the reason stands in the
    book.
    """
    RESTORED = "restored"
    """No use of a token: the database came out of a backup, and the journal goes on from its head (`sha256`) in another
    epoch.
    """
    UNREADABLE = "unreadable"
    """Never written: stands where the file was altered so that no entry can be read there any more."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document (bộ văn bản): metadata of one main file with its appendices and attachments."""

    id: str
    body_code: str
    created_at: dt.datetime
    state: DocumentState
    number: str | None = None
    notation: str | None = None
    notation_group: str | None = None
    """The number's sequence (sổ) within body and year. Given exactly when this signing issues the number."""
    doc_date: dt.date | None = None
    type: str | None = None
    subject: str | None = None
    signer_name: str | None = None
    urgency: Urgency = Urgency.NORMAL

    @property
    def label(self) -> str | None:
        """Số, ký hiệu as on the page: "125/UBND-VHXH"; None while there is no number."""
        return f"{self.number}/{self.notation}" if self.number and self.notation else None


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a document; an attachment that goes along unsigned has no `blob_out`, `level` and
    `signed_at`.
    """

    id: str
    document_id: str
    position: int
    role: FileRole
    name: str
    """The name shown and exported, not a path."""
    blob_in: str
    original: str | None = None
    """Blob of the file as it came, where `blob_in` is its repaired copy."""
    profile: str | None = None
    plan_sha256: str | None = None
    """Of the drawing plan: what is drawn where, with which texts."""
    certificate_sha256: str | None = None
    blob_out: str | None = None
    level: str | None = None
    """b-b, b-t, b-lt or b-lta."""
    signed_at: dt.datetime | None = None
    output_path: str | None = None
    """Where a copy is wanted outside the store."""
    exported_at: dt.datetime | None = None


class PieceKind(StrEnum):
    """What a finding about a certificate can rest on."""

    CRL = "crl"
    OCSP = "ocsp"


class EvidencePiece(msgspec.Struct, frozen=True, kw_only=True):
    """A CRL or OCSP answer behind a status: its SHA-256 and dates, and what it says of which certificate (SHA-256)."""

    kind: PieceKind
    sha256: str
    certificate: str
    issued: dt.datetime
    next_update: dt.datetime | None
    status: CertificateStatus


class EvidenceStamp(msgspec.Struct, frozen=True, kw_only=True):
    """The timestamp that the signing time rests on, as the check found it; `kind` is "signature" or "document"."""

    time: dt.datetime
    kind: str
    valid: bool


class AttachmentHash(msgspec.Struct, frozen=True):
    """A file that went along unsigned, as it is kept with the main file's evidence."""

    name: str
    sha256: str


class EvidenceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a signature made or checked (TT 15/2025/TT-BKHCN, articles 5.4 and 6.2). Bytes are base64 in
    the database.

    A check changes nothing, so both hashes are the same there, no token is named, and `signing_time` is the time for
    which the certificate was judged: proven, else claimed, else that of the check.
    """

    document_sha256_before: str
    document_sha256_after: str
    signer_cert_der: bytes
    chain_der: tuple[bytes, ...]
    status: CertificateStatus
    operator: str
    token_serial: str
    rule_profile: str
    software_version: str
    signing_time: dt.datetime
    verdict: str
    status_time: dt.datetime | None = None
    ocsp_der: bytes | None = None
    timestamp_token: bytes | None = None
    original_sha256: str = ""
    """The file as it came, where it was broken and its repaired copy was signed."""
    repairs: tuple[str, ...] = ()
    """What was mended in it, by the names that the standard has ("xref", "Pages")."""
    warnings_shown: tuple[str, ...] = ()
    """Codes of the catalogue."""
    name: str = ""
    """What the person called the file that was checked; not a path."""
    field: str = ""
    """The signature's field in the document that was checked."""
    signer: str = ""
    """Common name of the certificate that was checked."""
    stamp: EvidenceStamp | None = None
    anchor_set: str = ""
    anchor: str = ""
    """Common name of the anchor at which the chain ends."""
    proofs: tuple[EvidencePiece, ...] = ()
    """What the status rests on; those that came with the document itself are only named."""
    attachments: tuple[AttachmentHash, ...] = ()
    """What went along unsigned; kept with the main file's signature."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of one signature; `file_id` is None where it was only checked. `pieces` are the CRLs and OCSP
    answers that are kept for it, each a blob that many share.
    """

    signature_id: str
    file_id: str | None
    record: EvidenceRecord
    pieces: tuple[str, ...] = ()


class NewPacket(msgspec.Struct, frozen=True, kw_only=True):
    """A packet to be queued: the row that makes it exist. Its blob is in the store already.

    `document_id`: the document of ours that it carries or is about; None for a status message about what came, which
    has `incoming` instead. `edxml_id` is the DocumentId by which others speak of that document.
    """

    packet_id: str
    document_id: str | None
    org: str
    kind: PacketKind
    sha256: str
    size: int
    created_at: dt.datetime
    receivers: tuple[str, ...]
    urgency: Urgency = Urgency.NORMAL
    hold_until: dt.datetime | None = None
    """Nothing leaves before."""
    edxml_id: str = ""
    operator: str = ""
    """Who made it."""
    incoming: str | None = None
    """Id of the incoming document that a status message answers."""
    about: str = ""
    """How that document is called on the screen."""
    status_code: str | None = None
    reason: str | None = None
    """Why: obligatory for a recall, and for the status messages 02 and 13."""
    replaces: str | None = None
    """Id of the document that was sent before and in whose place this one comes."""
    supersedes: str | None = None
    """Id of the packet in whose place this one is sent."""
    changes: tuple[ReceiverChange, ...] = ()
    """Of an update: what becomes of each of the `receivers`."""


class OutboxPacket(msgspec.Struct, frozen=True, kw_only=True):
    """A packet of the outbox as it stands."""

    packet_id: str
    org: str
    kind: PacketKind
    sha256: str
    size: int
    urgency: Urgency
    created_at: dt.datetime
    state: OutboxState
    attempts: int
    document_id: str | None = None
    document: str | None = None
    """Số, ký hiệu of the document; of a status message what it answers."""
    receivers: tuple[str, ...] = ()
    edxml_id: str = ""
    operator: str = ""
    hold_until: dt.datetime | None = None
    postponed: bool = False
    """Whether a person holds it back."""
    not_before: dt.datetime | None = None
    uncertain: bool = False
    """An attempt got no answer: the other side may have it."""
    error_code: str | None = None
    error_params: Mapping[str, object] = {}
    incoming: str | None = None
    status_code: str | None = None
    reason: str | None = None
    replaces: str | None = None
    supersedes: str | None = None
    superseded_by: str | None = None
    proof_by: ProofBy | None = None
    receipt: str | None = None
    """The server's receipt, a flattened JSON JWS, exactly as it came."""
    proof: str | None = None
    """What a channel without receipts answered, or the person's word; JSON."""
    doc_id: str | None = None
    """The channel's own number of the document."""
    accepted_at: dt.datetime | None = None
    decided_by: str | None = None
    decided_at: dt.datetime | None = None
    missing_since: dt.datetime | None = None
    """Since when the server, which began anew, no longer has what it had taken."""


class PacketReceiver(msgspec.Struct, frozen=True, kw_only=True):
    """How far a packet is with one of its receivers. `code`: the newest of the status messages (01 to 16, QCVN 102),
    when and by whom it was given, why; `evidence` is the id of the packet that brought it. `settled_at`: since when a
    person has acted on what had to be acted on (sent back, declined, not reached).
    """

    org: str
    change: ReceiverChange | None = None
    transport: Transport | None = None
    code: str | None = None
    code_at: dt.datetime | None = None
    code_by: str | None = None
    code_reason: str | None = None
    evidence: str | None = None
    settled_at: dt.datetime | None = None
    settled_by: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a person must still act on what became of it here."""
        wrong = self.code in ("02", "16") or (self.code is None and self.transport is Transport.FAIL)
        return wrong and self.settled_at is None


class TokenUse(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the journal: who used which token for which document, with what result."""

    action: JournalAction
    operator: str
    certificate_sha256: str | None
    token_serial: str | None
    result: str
    """"ok" or the code of the error."""
    document_id: str | None = None
    number: str | None = None
    """Số, ký hiệu."""
    sha256: str | None = None
    """Of the signed file; of the minute, where it is a hand-over."""
    holder: str | None = None
    """Who held the certificate by the hand-over book; the journal fills it in. None before the first hand-over."""
