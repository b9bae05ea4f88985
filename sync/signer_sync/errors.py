"""How an exchange with a document server fails: one error class, with what the sending loop needs to go on.

Plain values on any thread. The refusals of the contract are translated into codes of the catalogue here
and nowhere else; text that a server sends is never shown or kept, only its code.
"""

from collections.abc import Mapping
from enum import Enum

from signer_resources.errors import KnownError
from signer_sync.contract import Problem, ProblemCode, Retry


class Scope(Enum):
    """What a failure concerns."""

    ITEM = "item"
    """This packet only; the next may do better."""
    SERVER = "server"
    """The server, the way to it or this machine's right to use it: nothing else would do better now."""


class ExchangeError(KnownError):
    """An exchange with the server did not come to its end.

    `retry` and `retry_after` (seconds) tell when to try again; `unreachable`: no answer that counts, so
    the outcome of a write is unknown and the same write is to be repeated.
    """

    def __init__(
        self,
        code: str,
        /,
        *,
        retry: Retry,
        scope: Scope = Scope.ITEM,
        retry_after: float | None = None,
        unreachable: bool = False,
        problem: str | None = None,
        **params: object,
    ) -> None:
        super().__init__(code, **params)
        self.retry = retry
        self.scope = scope
        self.retry_after = retry_after
        self.unreachable = unreachable
        self.problem = problem


CODES: Mapping[ProblemCode, tuple[str, Scope]] = {
    ProblemCode.BAD_REQUEST: ("server_refused", Scope.ITEM),
    ProblemCode.TOKEN_EXPIRED: ("not_enrolled", Scope.SERVER),
    ProblemCode.TOKEN_INVALID: ("not_enrolled", Scope.SERVER),
    ProblemCode.NOT_ALLOWED: ("server_not_allowed", Scope.SERVER),
    ProblemCode.DEVICE_REVOKED: ("device_revoked", Scope.SERVER),
    ProblemCode.CLIENT_TOO_OLD: ("client_too_old", Scope.SERVER),
    ProblemCode.NOT_FOUND: ("server_refused", Scope.ITEM),
    ProblemCode.METHOD_NOT_ALLOWED: ("server_refused", Scope.ITEM),
    ProblemCode.PACKET_CONFLICT: ("packet_conflict", Scope.ITEM),
    ProblemCode.DEVICE_CONFLICT: ("server_refused", Scope.SERVER),
    ProblemCode.EPOCH_CHANGED: ("epoch_changed", Scope.SERVER),
    ProblemCode.OFFSET_MISMATCH: ("upload_interrupted", Scope.ITEM),
    ProblemCode.FENCE_STALE: ("register_lease_lost", Scope.ITEM),
    ProblemCode.NUMBER_CONFLICT: ("register_number_conflict", Scope.ITEM),
    ProblemCode.UPLOAD_EXPIRED: ("upload_interrupted", Scope.ITEM),
    ProblemCode.TUS_VERSION: ("client_too_old", Scope.ITEM),
    ProblemCode.TOO_LARGE: ("packet_too_large", Scope.ITEM),
    ProblemCode.DIGEST_MISMATCH: ("packet_garbled", Scope.ITEM),
    ProblemCode.METADATA_MISMATCH: ("packet_refused", Scope.ITEM),
    ProblemCode.INVALID_EDXML: ("packet_refused", Scope.ITEM),
    ProblemCode.UNKNOWN_RECEIVER: ("unknown_receiver", Scope.ITEM),
    ProblemCode.SECRET_REFUSED: ("secret_refused", Scope.ITEM),
    ProblemCode.RATE_LIMITED: ("server_busy", Scope.SERVER),
    ProblemCode.UNAVAILABLE: ("server_busy", Scope.SERVER),
    ProblemCode.CONTENT_LOST: ("server_refused", Scope.ITEM),
    ProblemCode.INTERNAL: ("server_refused", Scope.ITEM),
    ProblemCode.QUOTA: ("server_quota", Scope.ITEM),
}
"""What each refusal of the contract is called in the catalogue, and what it concerns."""

_OTHER = ("server_refused", Scope.ITEM)

_KNOWN = {problem.code: problem for problem in ProblemCode}

_HEADLESS = {
    401: ProblemCode.TOKEN_EXPIRED,
    403: ProblemCode.NOT_ALLOWED,
    404: ProblemCode.UPLOAD_EXPIRED,
    409: ProblemCode.OFFSET_MISMATCH,
    410: ProblemCode.UPLOAD_EXPIRED,
    429: ProblemCode.RATE_LIMITED,
    503: ProblemCode.UNAVAILABLE,
    507: ProblemCode.QUOTA,
}


def from_problem(
    problem: Problem, status: int, retry_after: float | None, host: str, *, limit: int | None = None
) -> ExchangeError:
    """The error for a refusal; `status` and `retry_after` are the answer's own and win over the body's.

    The class of a refusal that the contract knows is the contract's; of any other, what the server says. `limit`: the
    bytes that the server takes, where they are known.
    """
    known = _KNOWN.get(problem.code)
    code, scope = _OTHER if known is None else CODES.get(known, _OTHER)
    return ExchangeError(
        code,
        retry=problem.retry_class if known is None else known.retry,
        scope=scope,
        retry_after=retry_after if retry_after is not None else problem.retry_after,
        unreachable=status >= 500 and code == "server_refused",
        problem=problem.code,
        host=host,
        reason=_safe(problem.code),
        status=status,
        limit="?" if limit is None else limit,
    )


def headless(status: int) -> Problem | None:
    """What a refusal means to a HEAD of an upload, whose answer has no body to tell; None for any other status."""
    known = _HEADLESS.get(status)
    return None if known is None else Problem(status=status, code=known.code, retry=known.retry.value)


def _safe(code: str) -> str:
    """A server's code as it may be shown: short, plain ASCII."""
    return "".join(letter for letter in code[:40] if letter.isascii() and (letter.isalnum() or letter == "-")) or "?"
