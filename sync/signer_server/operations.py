"""The calls of the Sync API as a table: from it come the routes of the server and its OpenAPI document.

Pure data.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from signer_sync import contract as c
from signer_sync.contract import ProblemCode


class Auth(Enum):
    """What a caller has to show."""

    NOTHING = "nothing"
    BEARER = "bearer"


@dataclass(frozen=True)
class Param:
    """A parameter: where it is (`path`, `query`, `header`), and what it may be (a type, or a JSON schema)."""

    where: str
    name: str
    schema: Any
    required: bool = True


@dataclass(frozen=True)
class Answer:
    """An answer of success: its media type (None: no body), the type inside, and headers beside the usual ones."""

    status: int
    media: str | None
    body: Any = None
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One call."""

    id: str
    method: str
    path: str
    summary: str
    answers: tuple[Answer, ...]
    auth: Auth = Auth.BEARER
    params: tuple[Param, ...] = ()
    media: str | None = None
    body: Any = None
    problems: tuple[ProblemCode, ...] = ()


def _json(status: int, body: Any) -> Answer:
    return Answer(status, c.MEDIA_JSON, body)


_ORG: Final = Param("path", "org", c.OrgCode)
_PACKET: Final = Param("path", "packet", c.Uuid)
_UPLOAD: Final = Param("path", "upload", c.Uuid)
_REGISTER: Final = Param("path", "register", c.Uuid)
_NUMBER: Final = Param("path", "number", c.Uuid)
_TUS: Final = Param("header", c.HEADER_TUS, {"const": c.TUS_VERSION})
_JOURNAL: Final = Param(
    "header", c.HEADER_JOURNAL_HEAD, {"type": "string", "pattern": r"^\d{1,15}:[0-9a-f]{64}$"}, False
)
_DIGEST: Final = {"type": "string", "pattern": r"sha-256=:[A-Za-z0-9+/]{43}=:"}
_SIZE: Final = {"type": "integer", "minimum": 0, "maximum": 2**49}
_WAS: Final = (c.HEADER_TUS, c.HEADER_UPLOAD_OFFSET, c.HEADER_UPLOAD_EXPIRES)
_WRITES: Final = (ProblemCode.TOO_LARGE, ProblemCode.QUOTA)
_UNFIT: Final = (
    ProblemCode.PACKET_CONFLICT,
    ProblemCode.DIGEST_MISMATCH,
    ProblemCode.METADATA_MISMATCH,
    ProblemCode.INVALID_EDXML,
    ProblemCode.UNKNOWN_RECEIVER,
    ProblemCode.SECRET_REFUSED,
)

OPERATIONS: Final = (
    Operation(
        "meta",
        "GET",
        "/v1/meta",
        "Who is there: id, feed epoch, time, limits, nonce. Payload of the JWS: Meta",
        (Answer(200, c.MEDIA_JOSE, c.JwsBody),),
        auth=Auth.NOTHING,
    ),
    Operation(
        "openapi",
        "GET",
        "/v1/openapi.json",
        "This document",
        (Answer(200, c.MEDIA_JSON, dict[str, Any]),),
        auth=Auth.NOTHING,
    ),
    Operation(
        "enrol",
        "PUT",
        "/v1/devices/{device}",
        "Enrols this machine. Payload of the JWS: Enrolment",
        (_json(201, c.EnrolledDevice), _json(200, c.EnrolledDevice)),
        auth=Auth.NOTHING,
        params=(Param("path", "device", c.Uuid),),
        media=c.MEDIA_JOSE,
        body=c.JwsBody,
        problems=(
            ProblemCode.NOT_ALLOWED,
            ProblemCode.DEVICE_REVOKED,
            ProblemCode.DEVICE_CONFLICT,
            ProblemCode.TOO_LARGE,
            ProblemCode.CLIENT_TOO_OLD,
        ),
    ),
    Operation(
        "token",
        "POST",
        "/v1/token",
        "A bearer token for a client assertion (RFC 7523)",
        (_json(200, c.BearerAnswer),),
        auth=Auth.NOTHING,
        media="application/x-www-form-urlencoded",
        body={
            "type": "object",
            "properties": {
                "grant_type": {"const": "client_credentials"},
                "client_assertion_type": {"const": c.CLIENT_ASSERTION_TYPE},
                "client_assertion": {"type": "string"},
            },
            "required": ["grant_type", "client_assertion_type", "client_assertion"],
        },
        problems=(ProblemCode.TOKEN_INVALID, ProblemCode.DEVICE_REVOKED, ProblemCode.TOO_LARGE),
    ),
    Operation("me", "GET", "/v1/me", "Who the server takes this machine for", (_json(200, c.Me),)),
    Operation(
        "orgs",
        "GET",
        "/v1/orgs",
        "Organisations changed since a cursor; gzip when asked for",
        (_json(200, c.OrgPage),),
        params=(
            Param("query", "since", c.Cursor, False),
            Param("query", "limit", {"type": "integer", "minimum": 1, "maximum": 5000}, False),
        ),
        problems=(ProblemCode.EPOCH_CHANGED,),
    ),
    Operation(
        "put_packet",
        "PUT",
        "/v1/orgs/{org}/packets/{packet}/content",
        "A packet in one request, gzip allowed",
        (_json(201, c.AcceptedPacket), _json(200, c.AcceptedPacket)),
        params=(_ORG, _PACKET, Param("header", c.HEADER_PACKET_DIGEST, _DIGEST), _JOURNAL),
        media=c.MEDIA_PACKET,
        body={"type": "string"},
        problems=(*_UNFIT, *_WRITES),
    ),
    Operation(
        "commit",
        "PUT",
        "/v1/orgs/{org}/packets/{packet}",
        "Makes a finished upload the packet of this id",
        (_json(202, c.AcceptedPacket), _json(200, c.AcceptedPacket)),
        params=(_ORG, _PACKET, _JOURNAL),
        media=c.MEDIA_JSON,
        body=c.Commit,
        problems=(*_UNFIT, *_WRITES, ProblemCode.OFFSET_MISMATCH, ProblemCode.UPLOAD_EXPIRED),
    ),
    Operation(
        "packet_state",
        "GET",
        "/v1/orgs/{org}/packets/{packet}",
        "How far a packet is, by receiver",
        (_json(200, c.PacketState),),
        params=(_ORG, _PACKET),
        problems=(ProblemCode.NOT_FOUND,),
    ),
    Operation(
        "receipt",
        "GET",
        "/v1/orgs/{org}/packets/{packet}/receipt",
        "The receipt again. Payload of the JWS: Receipt",
        (Answer(200, c.MEDIA_JOSE, c.JwsBody),),
        params=(_ORG, _PACKET),
        problems=(ProblemCode.NOT_FOUND,),
    ),
    Operation(
        "content",
        "GET",
        "/v1/packets/{packet}/content",
        "A packet's bytes, for its sender and its receivers, also in ranges",
        (
            Answer(200, c.MEDIA_PACKET, {"type": "string"}, ("ETag", c.HEADER_REPR_DIGEST)),
            Answer(206, c.MEDIA_PACKET, {"type": "string"}, ("ETag", c.HEADER_REPR_DIGEST, "Content-Range")),
        ),
        params=(_PACKET,),
        problems=(ProblemCode.NOT_FOUND, ProblemCode.CONTENT_LOST),
    ),
    Operation(
        "create_upload",
        "POST",
        "/v1/uploads",
        "Announces a packet (tus creation); the same one again is the same upload",
        (Answer(201, None, headers=("Location", *_WAS)),),
        params=(
            _TUS,
            Param("header", c.HEADER_UPLOAD_LENGTH, _SIZE),
            Param("header", c.HEADER_UPLOAD_METADATA, {"type": "string"}),
        ),
        problems=(ProblemCode.PACKET_CONFLICT, ProblemCode.UPLOAD_EXPIRED, ProblemCode.TUS_VERSION, *_WRITES),
    ),
    Operation(
        "upload_offset",
        "HEAD",
        "/v1/uploads/{upload}",
        "How much of an upload is durably there",
        (Answer(200, None, headers=(c.HEADER_UPLOAD_LENGTH, *_WAS)),),
        params=(_UPLOAD, _TUS),
        problems=(ProblemCode.UPLOAD_EXPIRED, ProblemCode.TUS_VERSION),
    ),
    Operation(
        "append_upload",
        "PATCH",
        "/v1/uploads/{upload}",
        "Adds bytes at an offset; what arrived before a cut stays",
        (Answer(204, None, headers=_WAS),),
        params=(_UPLOAD, _TUS, Param("header", c.HEADER_UPLOAD_OFFSET, _SIZE)),
        media=c.MEDIA_OFFSET,
        body={"type": "string"},
        problems=(ProblemCode.OFFSET_MISMATCH, ProblemCode.UPLOAD_EXPIRED, ProblemCode.TUS_VERSION, *_WRITES),
    ),
    Operation(
        "end_upload",
        "DELETE",
        "/v1/uploads/{upload}",
        "Gives an upload up (tus termination)",
        (Answer(204, None, headers=(c.HEADER_TUS,)),),
        params=(_UPLOAD, _TUS),
        problems=(ProblemCode.UPLOAD_EXPIRED, ProblemCode.TUS_VERSION),
    ),
    Operation(
        "feed",
        "GET",
        "/v1/orgs/{org}/feed",
        "What came in behind a cursor; held open up to `wait` seconds while there is nothing",
        (_json(200, c.FeedPage),),
        params=(
            _ORG,
            Param("query", "cursor", c.Cursor, False),
            Param("query", "limit", {"type": "integer", "minimum": 1, "maximum": c.MAX_PAGE}, False),
            Param("query", "wait", {"type": "integer", "minimum": 0, "maximum": c.MAX_WAIT}, False),
        ),
        problems=(ProblemCode.EPOCH_CHANGED,),
    ),
    Operation(
        "acknowledge",
        "PUT",
        "/v1/orgs/{org}/feed/ack",
        "All up to a cursor is on disk at this machine",
        (_json(200, c.FeedAck),),
        params=(_ORG,),
        media=c.MEDIA_JSON,
        body=c.FeedAck,
        problems=(ProblemCode.EPOCH_CHANGED, ProblemCode.TOO_LARGE),
    ),
    Operation(
        "lease",
        "PUT",
        "/v1/registers/{register}/lease/{lease}",
        "The right to be the only writer of a register",
        (_json(201, c.Lease), _json(200, c.Lease)),
        params=(_REGISTER, Param("path", "lease", c.Uuid)),
        problems=(ProblemCode.NOT_FOUND, ProblemCode.FENCE_STALE, ProblemCode.NUMBER_CONFLICT),
    ),
    Operation(
        "take_number",
        "PUT",
        "/v1/registers/{register}/numbers/{number}",
        "The next number of a register; the same id has the same number",
        (_json(201, c.TakenNumber), _json(200, c.TakenNumber)),
        params=(_REGISTER, _NUMBER),
        media=c.MEDIA_JSON,
        body=c.NumberWish,
        problems=(
            ProblemCode.NOT_FOUND,
            ProblemCode.FENCE_STALE,
            ProblemCode.NUMBER_CONFLICT,
            ProblemCode.TOO_LARGE,
        ),
    ),
    Operation(
        "void_number",
        "PUT",
        "/v1/registers/{register}/numbers/{number}/void",
        "Gives a number up; it stays in the book",
        (_json(200, c.TakenNumber),),
        params=(_REGISTER, _NUMBER),
        media=c.MEDIA_JSON,
        body=c.VoidWish,
        problems=(ProblemCode.NOT_FOUND, ProblemCode.NUMBER_CONFLICT, ProblemCode.TOO_LARGE),
    ),
)

ANYWHERE: Final = (
    ProblemCode.BAD_REQUEST,
    ProblemCode.RATE_LIMITED,
    ProblemCode.UNAVAILABLE,
    ProblemCode.INTERNAL,
)
"""Refusals that any call may get."""
WITH_BEARER: Final = (
    ProblemCode.TOKEN_INVALID,
    ProblemCode.TOKEN_EXPIRED,
    ProblemCode.DEVICE_REVOKED,
    ProblemCode.NOT_ALLOWED,
    ProblemCode.CLIENT_TOO_OLD,
)
"""Refusals that any call with a bearer token may get."""
