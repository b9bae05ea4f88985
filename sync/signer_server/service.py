"""The endpoints of the Sync API put together: one application over opened state.

Runs on the server's event loop. Every refusal, 404, 405 and fault is problem+json; a fault's text stays in the
server's log.
"""

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signer_server.body import Patience
from signer_server.context import Context
from signer_server.feed_api import FeedApi
from signer_server.forms import Endpoint, guarded, http_problem
from signer_server.identity_api import IdentityApi
from signer_server.openapi import document
from signer_server.operations import OPERATIONS
from signer_server.packets_api import PacketsApi
from signer_server.registers_api import RegistersApi
from signer_server.turns import Turns
from signer_server.uploads_api import UploadsApi
from signer_sync.contract import MEDIA_JSON


class Service:
    """The application; `app` is the ASGI callable."""

    def __init__(self, context: Context) -> None:
        patience, turns = Patience(context.rules.idle_seconds, context.rules.slowest), Turns()
        identity, feed = IdentityApi(context, patience), FeedApi(context, patience)
        packets, uploads = PacketsApi(context, patience, turns), UploadsApi(context, patience, turns)
        registers = RegistersApi(context, patience)
        endpoints: dict[str, Endpoint] = {
            "meta": identity.meta,
            "openapi": _openapi,
            "enrol": identity.enrol,
            "token": identity.token,
            "me": identity.me,
            "orgs": identity.orgs,
            "put_packet": packets.put_packet,
            "commit": packets.commit,
            "packet_state": packets.packet_state,
            "receipt": packets.receipt,
            "content": packets.content,
            "create_upload": uploads.create,
            "upload_offset": uploads.offset,
            "append_upload": uploads.append,
            "end_upload": uploads.end,
            "feed": feed.feed,
            "acknowledge": feed.acknowledge,
            "lease": registers.lease,
            "take_number": registers.take,
            "void_number": registers.void,
        }
        by_path: dict[str, dict[str, Endpoint]] = {}
        for operation in OPERATIONS:
            by_path.setdefault(operation.path, {})[operation.method] = guarded(endpoints[operation.id])
        self.app = Starlette(
            routes=[Route(path, _by_method(methods), methods=[*methods]) for path, methods in by_path.items()],
            exception_handlers={HTTPException: http_problem},
        )


def _by_method(methods: dict[str, Endpoint]) -> Endpoint:
    """One endpoint per path, so that a wrong method is told all that would be right."""

    async def answer(request: Request) -> Response:
        # the router lets HEAD through wherever there is GET
        return await (methods.get(request.method) or methods["GET"])(request)

    return answer


async def _openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return Response(msgspec.json.encode(document()), media_type=MEDIA_JSON)
