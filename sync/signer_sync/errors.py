"""How an exchange with a document server fails: one error class, with what the sending loop needs to go on.

Plain values on any thread. The refusals of the contract are translated into codes of the catalogue here
and nowhere else; text that a server sends is never shown or kept, only its code.
"""

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


_CODES: dict[str, tuple[str, Scope]] = {
    ProblemCode.TOKEN_EXPIRED.code: ("not_enrolled", Scope.SERVER),
    ProblemCode.TOKEN_INVALID.code: ("not_enrolled", Scope.SERVER),
    ProblemCode.NOT_ALLOWED.code: ("server_not_allowed", Scope.SERVER),
    ProblemCode.DEVICE_REVOKED.code: ("device_revoked", Scope.SERVER),
    ProblemCode.CLIENT_TOO_OLD.code: ("client_too_old", Scope.SERVER),
    ProblemCode.PACKET_CONFLICT.code: ("packet_conflict", Scope.ITEM),
    ProblemCode.TOO_LARGE.code: ("packet_too_large", Scope.ITEM),
    ProblemCode.METADATA_MISMATCH.code: ("packet_refused", Scope.ITEM),
    ProblemCode.INVALID_EDXML.code: ("packet_refused", Scope.ITEM),
    ProblemCode.UNKNOWN_RECEIVER.code: ("unknown_receiver", Scope.ITEM),
    ProblemCode.SECRET_REFUSED.code: ("secret_refused", Scope.ITEM),
    ProblemCode.EPOCH_CHANGED.code: ("epoch_changed", Scope.SERVER),
    ProblemCode.RATE_LIMITED.code: ("server_busy", Scope.SERVER),
    ProblemCode.UNAVAILABLE.code: ("server_busy", Scope.SERVER),
    "quota": ("server_busy", Scope.SERVER),
}


def from_problem(problem: Problem, status: int, retry_after: float | None, host: str) -> ExchangeError:
    """The error for a refusal; `status` and `retry_after` are the answer's own and win over the body's."""
    wait = retry_after if retry_after is not None else problem.retry_after
    code, scope = _CODES.get(problem.code, ("server_refused", Scope.ITEM))
    return ExchangeError(
        code,
        retry=problem.retry_class,
        scope=scope,
        retry_after=wait,
        unreachable=status >= 500 and code == "server_refused",
        problem=problem.code,
        host=host,
        reason=_safe(problem.code),
        status=status,
    )


def _safe(code: str) -> str:
    """A server's code as it may be shown: short, plain ASCII."""
    return "".join(letter for letter in code[:40] if letter.isascii() and (letter.isalnum() or letter == "-")) or "?"
