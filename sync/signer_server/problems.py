"""Refusals of the server: raised anywhere below a request, answered as problem+json (RFC 9457).

Plain values; nothing of a request's content goes into an answer.
"""

import secrets
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from signer_sync.contract import MEDIA_PROBLEM, Problem, ProblemCode


class RefusedError(Exception):
    """The request is refused with `problem`; `detail` is a sentence for the client's support staff."""

    def __init__(self, problem: ProblemCode, detail: str = "", retry_after: int | None = None) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.detail = detail
        self.retry_after = retry_after


def problem_response(
    problem: ProblemCode, detail: str = "", retry_after: int | None = None, trace_id: str | None = None
) -> Response:
    """The answer to a refused request."""
    body = Problem(
        status=problem.status,
        code=problem.code,
        title=problem.code.replace("-", " "),
        detail=detail or None,
        retry=problem.retry.value,
        retry_after=retry_after,
        trace_id=trace_id or secrets.token_hex(8),
    )
    headers: Mapping[str, str] = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(msgspec.json.encode(body), status_code=problem.status, headers=headers, media_type=MEDIA_PROBLEM)
