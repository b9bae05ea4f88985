"""Endpoints of the feed: what came in for an organisation, and how far its machines have it.

Runs on the server's event loop; whatever touches the disk runs on worker threads.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from signer_server.accounts import Device
from signer_server.body import Patience, read_small
from signer_server.context import Context
from signer_server.forms import decode, json_answer, number_of
from signer_server.identity_api import SMALL
from signer_server.problems import RefusedError
from signer_sync import contract as c
from signer_sync.contract import ProblemCode


class FeedApi:
    """The feed and its acknowledgement."""

    def __init__(self, context: Context, patience: Patience) -> None:
        self._context = context
        self._patience = patience

    async def feed(self, request: Request) -> Response:
        """The caller's feed; held open while it is empty, for as long as asked."""
        context = self._context
        device = await context.device_of(request)
        cursor, epoch = request.query_params.get("cursor"), context.database.epoch
        after = 0 if cursor is None else context.position(device.org, cursor)
        limit = number_of(request, "limit", c.MAX_PAGE, 1, c.MAX_PAGE)
        wait = number_of(request, "wait", 0, 0, c.MAX_WAIT)
        bell = context.hub.bell(device.org)  # before looking, so that nothing slips in between
        page = await run_in_threadpool(self._page, device, after, limit)
        if not page.items and wait:
            with context.gate.waiting(device.id) as allowed:
                rung = allowed and await bell.ring_within(wait)
            if rung:
                if context.database.epoch != epoch:
                    raise RefusedError(ProblemCode.EPOCH_CHANGED)
                page = await run_in_threadpool(self._page, device, after, limit)
        return json_answer(page)

    async def acknowledge(self, request: Request) -> Response:
        """The caller has everything up to the cursor on disk; an older cursor does nothing."""
        context = self._context
        device = await context.device_of(request)
        ack = decode(await read_small(request, SMALL, self._patience), c.FeedAck)
        seq = context.position(device.org, ack.cursor)

        def acknowledged() -> set[str]:
            self._check_known(device, seq)
            return context.packets.acknowledge(device, seq)

        context.hub.wake(await run_in_threadpool(acknowledged))
        return json_answer(ack)

    def _page(self, device: Device, after: int, limit: int) -> c.FeedPage:
        context = self._context
        self._check_known(device, after)
        items, more = context.packets.feeds.page(device, after, limit)
        last = items[-1].seq if items else after
        return c.FeedPage(items=items, cursor=context.cursor(device.org, last), more=more)

    def _check_known(self, device: Device, seq: int) -> None:
        """A sealed cursor behind the end of the feed: whoever holds it has seen what is lost here."""
        with self._context.database.lock:
            last = self._context.packets.feeds.last(device.org)
        if seq > last:
            raise self._context.lost()
