"""The forms of requests and answers: decoding, parameters, and refusals as problem+json.

Runs on the server's event loop; touches neither disk nor state.
"""

import errno
import gzip
import logging
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from signer_server.packets import KeptPacket
from signer_server.problems import RefusedError, problem_response
from signer_sync import contract as c
from signer_sync.contract import ProblemCode
from signer_sync.ids import is_uuid
from signer_sync.untrusted import read_json

T = TypeVar("T")

_DISK_WAIT = 3600

_LOG = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(endpoint: Endpoint) -> Endpoint:
    """Turns refusals and faults into problem+json."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as refused:
            return problem_response(refused.problem, refused.detail, refused.retry_after)
        except ClientDisconnect:
            return problem_response(ProblemCode.BAD_REQUEST, "body cut short")
        except (OSError, sqlite3.OperationalError) as error:
            if not _disk_full(error):
                return _fault()
            return problem_response(ProblemCode.QUOTA, "disk", retry_after=_DISK_WAIT)
        except Exception:  # noqa: BLE001 - the last line of defence: no fault may reach a client as text
            return _fault()

    return answer


def _fault() -> Response:
    trace_id = secrets.token_hex(8)
    _LOG.exception("fault %s", trace_id)
    return problem_response(ProblemCode.INTERNAL, trace_id=trace_id)


def _disk_full(error: OSError | sqlite3.OperationalError) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return error.sqlite_errorcode == sqlite3.SQLITE_FULL


def http_problem(_: Request, error: Exception) -> Response:
    """404 and 405 of the router."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    codes = {404: ProblemCode.NOT_FOUND, 405: ProblemCode.METHOD_NOT_ALLOWED}
    response = problem_response(codes.get(status, ProblemCode.BAD_REQUEST))
    for name, value in ((error.headers or {}) if isinstance(error, HTTPException) else {}).items():
        response.headers[name] = value
    return response


def json_answer(value: msgspec.Struct, status: int = 200) -> Response:
    """A body of the contract."""
    return Response(msgspec.json.encode(value), status_code=status, media_type=c.MEDIA_JSON)


def long_answer(request: Request, value: msgspec.Struct) -> Response:
    """A body that may be long, gzipped for those who ask for that."""
    body, headers = msgspec.json.encode(value), {"Vary": "Accept-Encoding"}
    if takes_gzip(request.headers.get("Accept-Encoding", "")):
        body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=6, mtime=0), "gzip"
    return Response(body, headers=headers, media_type=c.MEDIA_JSON)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding (RFC 9110 §12.5.3) names gzip and doesn't give it the weight 0."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def jose_answer(message: c.JwsBody) -> Response:
    """A signed object that must be fresh each time."""
    return Response(msgspec.json.encode(message), media_type=c.MEDIA_JOSE, headers={"Cache-Control": "no-store"})


def accepted_answer(packet: KeptPacket, status: int) -> Response:
    """The receipt as it was made, not encoded anew: the same bytes each time."""
    receipt = msgspec.Raw(packet.receipt.encode("ascii"))
    body = msgspec.json.encode({"state": c.PacketPhase.ACCEPTED.value, "receipt": receipt})
    return Response(body, status_code=status, media_type=c.MEDIA_JSON)


def decode(body: bytes, kind: type[T]) -> T:
    """A body of the contract as sent; RefusedError bad-request."""
    try:
        return read_json(body, kind)
    except msgspec.MsgspecError as error:
        raise RefusedError(ProblemCode.BAD_REQUEST, "body") from error


def uuid_of(request: Request, name: str) -> str:
    """The UUID in the path; RefusedError bad-request for anything else."""
    text = str(request.path_params[name])
    if not is_uuid(text):
        raise RefusedError(ProblemCode.BAD_REQUEST, name)
    return text


def number_of(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A number of the query, moved into its bounds; RefusedError bad-request if it is none."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise RefusedError(ProblemCode.BAD_REQUEST, name)
    return max(low, min(high, int(text)))


def journal_head_of(request: Request) -> str | None:
    """The head of the journal that the client wants in its receipt."""
    text = request.headers.get(c.HEADER_JOURNAL_HEAD)
    if text is None:
        return None
    try:
        return str(c.JournalHead.parse(text))
    except ValueError as error:
        raise RefusedError(ProblemCode.BAD_REQUEST, c.HEADER_JOURNAL_HEAD) from error
