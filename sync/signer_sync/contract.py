"""The Sync API v1 as types: every JSON body, header form, state and error code, shared by client and server.

Pure data on any thread; nothing here talks to a network or a disk. Decoding ignores unknown members (so
that an older client lives with a newer server) and refuses values out of shape, because ids end up in
addresses and hashes in file names. Times are RFC 3339 with an offset, hashes lower-case hex SHA-256, org
codes and cursors opaque strings.
"""

import base64
import binascii
import re
from enum import Enum, StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta as Rule

API_VERSION: Final = "1"
PREFIX: Final = "/v1"

MEDIA_JOSE: Final = "application/jose+json"
MEDIA_JSON: Final = "application/json"
MEDIA_PACKET: Final = "application/xml"
MEDIA_PROBLEM: Final = "application/problem+json"

TYP_META: Final = "signer-meta+jwt"
TYP_RECEIPT: Final = "signer-receipt+jwt"
TYP_ENROLMENT: Final = "signer-enrolment+jwt"
TYP_ASSERTION: Final = "JWT"

TUS_VERSION: Final = "1.0.0"
MEDIA_OFFSET: Final = "application/offset+octet-stream"
HEADER_TUS: Final = "Tus-Resumable"
HEADER_UPLOAD_LENGTH: Final = "Upload-Length"
HEADER_UPLOAD_OFFSET: Final = "Upload-Offset"
HEADER_UPLOAD_METADATA: Final = "Upload-Metadata"
HEADER_UPLOAD_EXPIRES: Final = "Upload-Expires"
ENCODING_GZIP: Final = "gzip"
"""How an upload's bytes may be encoded, beside not at all (`Tus.encodings`)."""

CLIENT_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523 §2.2."""

HEADER_CONTENT_DIGEST: Final = "Content-Digest"
HEADER_PACKET_DIGEST: Final = "Packet-Digest"
HEADER_REPR_DIGEST: Final = "Repr-Digest"
HEADER_JOURNAL_HEAD: Final = "Journal-Head"

MAX_JSON: Final = 1 << 20
"""Largest JSON or JWS body that either side reads, in bytes."""
MAX_WAIT: Final = 25
"""Longest long poll of the feed, in seconds."""
MAX_PAGE: Final = 100
"""Most items in one page of the feed."""

# \Z and not $, which would let a line end pass
UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
ORG_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,63}\Z"

Uuid = Annotated[str, Rule(pattern=UUID_PATTERN)]
Sha256 = Annotated[str, Rule(pattern=r"^[0-9a-f]{64}\Z")]
OrgCode = Annotated[str, Rule(pattern=ORG_PATTERN)]
Cursor = Annotated[str, Rule(min_length=1, max_length=200)]
Short = Annotated[str, Rule(max_length=300)]
Text = Annotated[str, Rule(max_length=4000)]
Time = Annotated[str, Rule(max_length=40)]
Count = Annotated[int, Rule(ge=0, le=2**53 - 1)]
Size = Count
Base64Url = Annotated[str, Rule(pattern=r"^[A-Za-z0-9_\-]*\Z", max_length=MAX_JSON)]


class PacketKind(StrEnum):
    """What a packet does (domain: BussinessDocType 0, 1, 2, 3; a status message)."""

    NEW = "new"
    REVOKE = "revoke"
    UPDATE = "update"
    REPLACE = "replace"
    STATUS = "status"


class PacketPhase(StrEnum):
    """Where a packet is, as the server tells it; never goes back, `failed` is final for its id."""

    ACCEPTED = "accepted"
    FORWARDED = "forwarded"
    PARTIALLY = "partially"
    DELIVERED = "delivered"
    FAILED = "failed"


class Transport(StrEnum):
    """How far a packet is on its way to one receiver."""

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    FAIL = "fail"


class FeedType(StrEnum):
    """What an entry of the feed announces."""

    PACKET = "packet"
    STATUS = "status"
    DELIVERY = "delivery"
    DIRECTORY = "directory"
    NOTICE = "notice"


class Retry(StrEnum):
    """What to do after a refusal; an unknown word counts as `after` (Sync API §4.7)."""

    NOW = "now"
    AFTER = "after"
    NEVER = "never"
    REAUTH = "reauth"
    FIX = "fix"


class ProblemCode(Enum):
    """The refusals of the contract: code on the wire, HTTP status, retry class."""

    BAD_REQUEST = ("bad-request", 400, Retry.NEVER)
    TOKEN_EXPIRED = ("token-expired", 401, Retry.REAUTH)
    TOKEN_INVALID = ("token-invalid", 401, Retry.REAUTH)
    NOT_ALLOWED = ("not-allowed", 403, Retry.FIX)
    DEVICE_REVOKED = ("device-revoked", 403, Retry.FIX)
    CLIENT_TOO_OLD = ("client-too-old", 403, Retry.FIX)
    NOT_FOUND = ("not-found", 404, Retry.NEVER)
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, Retry.NEVER)
    PACKET_CONFLICT = ("packet-conflict", 409, Retry.NEVER)
    DEVICE_CONFLICT = ("device-conflict", 409, Retry.NEVER)
    EPOCH_CHANGED = ("epoch-changed", 409, Retry.NOW)
    OFFSET_MISMATCH = ("offset-mismatch", 409, Retry.NOW)
    FENCE_STALE = ("fence-stale", 409, Retry.FIX)
    NUMBER_CONFLICT = ("number-conflict", 409, Retry.NEVER)
    UPLOAD_EXPIRED = ("upload-expired", 410, Retry.NOW)
    TUS_VERSION = ("tus-version", 412, Retry.FIX)
    TOO_LARGE = ("too-large", 413, Retry.FIX)
    DIGEST_MISMATCH = ("digest-mismatch", 422, Retry.NOW)
    METADATA_MISMATCH = ("metadata-mismatch", 422, Retry.FIX)
    INVALID_EDXML = ("invalid-edxml", 422, Retry.FIX)
    UNKNOWN_RECEIVER = ("unknown-receiver", 422, Retry.FIX)
    SECRET_REFUSED = ("secret-refused", 422, Retry.FIX)
    RATE_LIMITED = ("rate-limited", 429, Retry.AFTER)
    UNAVAILABLE = ("unavailable", 503, Retry.AFTER)
    CONTENT_LOST = ("content-lost", 503, Retry.AFTER)
    INTERNAL = ("internal", 500, Retry.AFTER)
    QUOTA = ("quota", 507, Retry.AFTER)

    def __init__(self, code: str, status: int, retry: Retry) -> None:
        self.code = code
        self.status = status
        self.retry = retry


class _Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What all bodies share: camelCase on the wire, members at their default left out."""


class Limits(_Body, frozen=True, kw_only=True):
    """Largest sizes the server takes, in bytes of unencoded edXML (`max_chunk`: of one upload request)."""

    max_packet: Size
    max_inline: Size
    max_chunk: Size


class Tus(_Body, frozen=True, kw_only=True):
    """Resumable uploads; absent from `Meta` where the server has none.

    `encodings`: how an upload's bytes may be encoded; its metadata then tell `encoding`, the packet's own `size`, and
    the SHA-256 of the bytes that come (`encodedSha256`).
    """

    version: Short
    extensions: tuple[Short, ...] = ()
    encodings: tuple[Short, ...] = ()


class AuthOffer(_Body, frozen=True, kw_only=True):
    """How to log in; `nonce` goes into the next enrolment and is good once."""

    token_endpoint: Short = msgspec.field(name="token_endpoint")
    nonce: Short


class Meta(_Body, frozen=True, kw_only=True):
    """`GET /v1/meta`, the payload of a JWS by the server's certificate."""

    server_id: Short
    feed_epoch: Short
    server_time: Time
    api_versions: tuple[Short, ...]
    min_client: Short
    limits: Limits
    auth: AuthOffer
    tus: Tus | None = None


class DeviceKey(_Body, frozen=True, kw_only=True):
    """A P-256 public key as JWK (RFC 7517, RFC 7518 §6.2)."""

    kty: str
    crv: str
    x: Base64Url
    y: Base64Url


class Enrolment(_Body, frozen=True, kw_only=True):
    """What the token signs to enrol this machine; `exp` in seconds since 1970. `code` is good once: the administrator
    of the server has given it out for one machine; whether it is asked for is the server's rule.
    """

    device: Uuid
    device_key: DeviceKey
    server_id: Short
    org: OrgCode
    nonce: Short
    exp: int
    code: Short | None = None


class EnrolledDevice(_Body, frozen=True, kw_only=True):
    """Answer to an enrolment."""

    device: Uuid
    org: OrgCode
    enrolled_at: Time


class Assertion(_Body, frozen=True, kw_only=True):
    """Client assertion by the device key (RFC 7523 §3), at most five minutes long."""

    iss: Uuid
    sub: Uuid
    aud: Short
    jti: Short
    exp: int


class BearerAnswer(_Body, frozen=True, kw_only=True):
    """`POST /v1/token` (RFC 6749 §5.1)."""

    access_token: Annotated[str, Rule(min_length=16, max_length=1000, pattern=r"^[!-~]+\Z")] = msgspec.field(
        name="access_token"
    )
    token_type: Short = msgspec.field(name="token_type")
    expires_in: Annotated[int, Rule(ge=1, le=2**31)] = msgspec.field(name="expires_in")

    def __repr__(self) -> str:
        return f"BearerAnswer(expires_in={self.expires_in})"


class JwsBody(_Body, frozen=True, kw_only=True):
    """A flattened JSON JWS (RFC 7515 §7.2.2); a member `header` (unprotected) is no part of our contract."""

    protected: Base64Url
    payload: Base64Url
    signature: Base64Url


class Receipt(_Body, frozen=True, kw_only=True):
    """Payload of the signed proof that the server has a packet.

    `seq` and `prev_receipt_hash` (of the receipt before, see `jws.digest`; null for the first) run per
    device.
    """

    server_id: Short
    packet_id: Uuid
    sha256: Sha256
    size: Size
    received_at: Time
    seq: Count
    prev_receipt_hash: Sha256 | None = None
    journal_head: Short | None = None


class Commit(_Body, frozen=True, kw_only=True):
    """`PUT /v1/orgs/{org}/packets/{uuid}`: makes a finished upload the packet of that id.

    `kind` and `edxml_document_id` must be what the edXML itself says; `supersedes` names the failed packet in whose
    place this one is sent.
    """

    upload: Uuid
    sha256: Sha256
    size: Size
    kind: PacketKind
    edxml_document_id: Text = ""
    register_no: Short | None = None
    supersedes: Uuid | None = None


class RegisterOffer(_Body, frozen=True, kw_only=True):
    """A register of numbers that the server keeps for a body."""

    id: Uuid
    name: Text
    notation: Short = ""


class Role(StrEnum):
    """What a machine may do for its organisation: all `send` and `read`, one of them `acks` and `numbers`.

    Only the acknowledgements of the machine with `acks` count towards senders; only the one with `numbers` may write in
    the organisation's registers.
    """

    SEND = "send"
    READ = "read"
    ACKS = "acks"
    NUMBERS = "numbers"


class OrgRole(_Body, frozen=True, kw_only=True):
    """What the caller may do for one organisation; see `Role` for the words of `roles`.

    `devices`: how many machines are enrolled for it, the caller's with them.
    """

    code: OrgCode
    roles: tuple[Short, ...] = ()
    devices: Count = 1
    registers: tuple[RegisterOffer, ...] = ()


class Quota(_Body, frozen=True, kw_only=True):
    """Bytes that the organisation has used and may use; `limit` None: no limit."""

    used: Size
    limit: Size | None = None


class Me(_Body, frozen=True, kw_only=True):
    """`GET /v1/me`: who the server takes this machine for."""

    person: Text
    orgs: tuple[OrgRole, ...]
    quota: Quota | None = None


class Lease(_Body, frozen=True, kw_only=True):
    """`PUT /v1/registers/{id}/lease/{uuid}`: the right to be the only writer; a newer lease has a higher `fence`."""

    fence: Count
    valid_until: Time


class NumberWish(_Body, frozen=True, kw_only=True):
    """`PUT /v1/registers/{id}/numbers/{uuid}`: `issued_date` as yyyy-mm-dd; `fence` of the caller's lease.

    `last_known`: the highest number of this register and year that the caller has had, 0 for none. It counts only after
    the server was restored from a copy that may lack the last ones.
    """

    doc_type: Short
    issued_date: Annotated[str, Rule(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
    fence: Count | None = None
    last_known: Count | None = None


class NumberState(StrEnum):
    """A number is reserved, then in use or void; never free again."""

    RESERVED = "reserved"
    USED = "used"
    VOID = "void"


class TakenNumber(_Body, frozen=True, kw_only=True):
    """The number given for one id; the same id gets the same number."""

    number: Short
    notation: Short
    state: NumberState


class VoidWish(_Body, frozen=True, kw_only=True):
    """`PUT …/numbers/{uuid}/void`: why the number is given up; it stays in the book."""

    reason: Annotated[str, Rule(min_length=1, max_length=1000)]


class AcceptedPacket(_Body, frozen=True, kw_only=True):
    """Answer to a packet: 201 the first time, 200 with the same receipt ever after."""

    state: PacketPhase
    receipt: JwsBody


class RecipientState(_Body, frozen=True, kw_only=True):
    """One receiver of a packet; `business_code` "01" to "16" as in the status messages."""

    org: OrgCode
    transport: Transport
    business_code: Short | None = None
    at: Time | None = None
    by: Short | None = None
    evidence: Uuid | None = None


class PacketState(_Body, frozen=True, kw_only=True):
    """`GET /v1/orgs/{org}/packets/{uuid}`."""

    state: PacketPhase
    since: Time
    recipients: tuple[RecipientState, ...]
    axis_doc_id: Short | None = None
    error: Short | None = None


class Org(_Body, frozen=True, kw_only=True):
    """One body of the directory."""

    code: OrgCode
    name: Text
    parent: OrgCode | None = None
    active: bool = True
    valid_from: Time | None = None
    replaced_by: OrgCode | None = None
    channels: tuple[Short, ...] = ()


class OrgPage(_Body, frozen=True, kw_only=True, omit_defaults=False):
    """`GET /v1/orgs`: bodies changed since the cursor; `more`: ask again from `cursor`."""

    items: tuple[Org, ...]
    cursor: Cursor
    more: bool = False


class FeedItem(_Body, frozen=True, kw_only=True):
    """One entry of the inbound feed; `seq` grows strictly within one epoch.

    Of a `directory` or `notice` entry only `seq`, `type`, `id` and perhaps `subject` count. `type` and `kind` are plain
    words, so that an entry of a kind made later doesn't make its page unreadable; see `feed_type`, `packet_kind`.
    """

    seq: Count
    type: Short
    id: Uuid
    sha256: Sha256 | None = None
    size: Size = 0
    sender: OrgCode | None = msgspec.field(name="from", default=None)
    kind: Short = PacketKind.NEW.value
    subject: Text = ""
    priority: Annotated[int, Rule(ge=0, le=9)] = 0

    @property
    def feed_type(self) -> FeedType | None:
        """What it announces; None for a word that this version doesn't know."""
        return FeedType(self.type) if self.type in FeedType._value2member_map_ else None

    @property
    def packet_kind(self) -> PacketKind | None:
        """What the packet does; None for a word that this version doesn't know."""
        return PacketKind(self.kind) if self.kind in PacketKind._value2member_map_ else None


class FeedPage(_Body, frozen=True, kw_only=True, omit_defaults=False):
    """`GET /v1/orgs/{org}/feed`; `cursor` stands behind the last item."""

    items: Annotated[tuple[FeedItem, ...], Rule(max_length=MAX_PAGE)]
    cursor: Cursor
    more: bool = False


class FeedAck(_Body, frozen=True, kw_only=True):
    """`PUT /v1/orgs/{org}/feed/ack`: all items up to the cursor are on disk here."""

    cursor: Cursor


class Problem(_Body, frozen=True, kw_only=True):
    """RFC 9457 problem details with the members of the contract."""

    status: int
    code: Short
    title: Text = ""
    type: Short = "about:blank"
    detail: Text | None = None
    retry: Short = Retry.AFTER.value
    retry_after: Annotated[float, Rule(ge=0)] | None = None
    trace_id: Short | None = None

    @property
    def retry_class(self) -> Retry:
        """The retry class; a word this version does not know counts as `after`."""
        try:
            return Retry(self.retry)
        except ValueError:
            return Retry.AFTER


class JournalHead(msgspec.Struct, frozen=True):
    """Head of the client's journal of token use: number of entries and hash of the last."""

    count: int
    hash: str

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "JournalHead":
        """From `<count>:<sha256 hex>`; ValueError if it is anything else."""
        if not re.fullmatch(r"\d{1,15}:[0-9a-f]{64}", text, re.ASCII):
            raise ValueError("not a journal head")
        count, _, digest = text.partition(":")
        return cls(int(count), digest)


def digest_header(sha256: bytes) -> str:
    """A digest field (RFC 9530 §2) over the 32 bytes of a SHA-256."""
    return f"sha-256=:{base64.b64encode(sha256).decode('ascii')}:"


def parse_digest_header(value: str) -> bytes | None:
    """The SHA-256 in a digest field, None if only other algorithms are named; ValueError if malformed."""
    for part in value.split(","):
        name, _, rest = part.strip().partition("=")
        if name.lower() != "sha-256":
            continue
        if not (len(rest) >= 2 and rest[0] == rest[-1] == ":"):
            raise ValueError("malformed digest")
        try:
            digest = base64.b64decode(rest[1:-1], validate=True)
        except binascii.Error as error:
            raise ValueError("malformed digest") from error
        if len(digest) != 32:
            raise ValueError("malformed digest")
        return digest
    return None
