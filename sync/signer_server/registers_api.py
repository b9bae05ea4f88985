"""Endpoints of the registers: the right to write, and numbers.

Runs on the server's event loop; whatever touches the disk runs on worker threads.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from signer_server.body import Patience, drain, read_small
from signer_server.context import Context
from signer_server.forms import decode, json_answer, uuid_of
from signer_server.identity_api import SMALL
from signer_sync import contract as c


class RegistersApi:
    """Leases and numbers."""

    def __init__(self, context: Context, patience: Patience) -> None:
        self._context = context
        self._patience = patience

    async def lease(self, request: Request) -> Response:
        """Makes the caller the only writer of a register, or goes on with that."""
        context = self._context
        device = await context.device(request)
        register, lease = uuid_of(request, "register"), uuid_of(request, "lease")
        await drain(request, SMALL, self._patience)
        made, created = await run_in_threadpool(context.registers.lease, register, lease, device)
        return json_answer(made, 201 if created else 200)

    async def take(self, request: Request) -> Response:
        """The next number, or the one that this id has."""
        context = self._context
        device = await context.known_device(request)
        register, number = uuid_of(request, "register"), uuid_of(request, "number")
        wish = decode(await read_small(request, SMALL, self._patience), c.NumberWish)
        known = await run_in_threadpool(context.registers.known, register, number, wish, device)
        if known is not None:
            return json_answer(known)
        context.admit(request, device)
        taken, created = await run_in_threadpool(context.registers.take, register, number, wish, device)
        return json_answer(taken, 201 if created else 200)

    async def void(self, request: Request) -> Response:
        """Gives a number up; it stays in the book."""
        context = self._context
        device = await context.device(request)
        register, number = uuid_of(request, "register"), uuid_of(request, "number")
        wish = decode(await read_small(request, SMALL, self._patience), c.VoidWish)
        return json_answer(await run_in_threadpool(context.registers.void, register, number, wish.reason, device))
