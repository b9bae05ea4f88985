"""Endpoints about who is who: the server itself, machines that enrol and log in, the directory.

Runs on the server's event loop; whatever touches the disk or a key runs on worker threads.
"""

from typing import Final
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from signer_server import enrolment
from signer_server.accounts import Device
from signer_server.body import Patience, read_small
from signer_server.context import Context
from signer_server.forms import decode, jose_answer, json_answer, long_answer, number_of, uuid_of
from signer_server.problems import RefusedError
from signer_sync import contract as c
from signer_sync import jws
from signer_sync.contract import ProblemCode

SMALL: Final = 64 * 1024
"""Largest body of a request that isn't a packet."""
_ORG_PAGE: Final = 5000
_DIRECTORY: Final = "/orgs"
"""What cursors of the directory are of; no organisation's code looks like it."""
_EVERYBODY: Final = ""
"""Who asks before anybody is known: all together may ask ten times as often as one machine."""
_SHARED: Final = 0.1


class IdentityApi:
    """Server, machines, directory."""

    def __init__(self, context: Context, patience: Patience) -> None:
        self._context = context
        self._patience = patience

    async def meta(self, _: Request) -> Response:
        """Who this server is, signed."""
        context, rules = self._context, self._context.rules

        def made() -> c.JwsBody:
            meta = c.Meta(
                server_id=context.identity.server_id,
                feed_epoch=context.database.epoch,
                server_time=context.database.now_text(),
                api_versions=(c.API_VERSION,),
                min_client=rules.min_client,
                limits=c.Limits(max_packet=rules.max_packet, max_inline=rules.max_inline, max_chunk=rules.max_packet),
                auth=c.AuthOffer(token_endpoint="/v1/token", nonce=context.accounts.make_nonce()),  # noqa: S106
                tus=c.Tus(
                    version=c.TUS_VERSION,
                    extensions=("creation", "expiration", "termination"),
                    encodings=(c.ENCODING_GZIP,),
                ),
            )
            return context.sign(meta, c.TYP_META, with_chain=True)

        return jose_answer(await run_in_threadpool(made))

    async def enrol(self, request: Request) -> Response:
        """Records a machine whose enrolment a token signed."""
        context = self._context
        device = uuid_of(request, "device")
        context.gate.check_version(request.headers.get("User-Agent", ""))
        context.gate.count(_EVERYBODY, _SHARED)
        message = decode(await read_small(request, SMALL, self._patience), c.JwsBody)

        def enrolled() -> tuple[c.EnrolledDevice, bool]:
            known = context.accounts.device(device)
            created = False
            if known is None or known.revoked or known.enrolment != jws.digest(message):
                checked = enrolment.check_enrolment(
                    message,
                    device=device,
                    server_id=context.identity.server_id,
                    now=context.database.clock(),
                    roots=context.rules.roots,
                    organisations=context.rules.organisations,
                )
                facts = checked.facts
                created = context.accounts.enrol(
                    device,
                    facts.org,
                    facts.device_key,
                    checked.certificate_der,
                    jws.digest(message),
                    facts.nonce,
                )
                known = context.accounts.device(device)
            assert known is not None
            return c.EnrolledDevice(device=device, org=known.org, enrolled_at=known.enrolled_at), created

        answer, created = await run_in_threadpool(enrolled)
        return json_answer(answer, 201 if created else 200)

    async def token(self, request: Request) -> Response:
        """A bearer token for an assertion by an enrolled device (RFC 7523 §2.2)."""
        context = self._context
        context.gate.count(_EVERYBODY, _SHARED)
        body = await read_small(request, SMALL, self._patience)
        try:
            form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
        except ValueError as error:
            raise RefusedError(ProblemCode.BAD_REQUEST, "too many fields") from error
        if form.get("client_assertion_type") != [c.CLIENT_ASSERTION_TYPE]:
            raise RefusedError(ProblemCode.BAD_REQUEST, "client_assertion_type")
        try:
            message = jws.from_compact(form.get("client_assertion", [""])[0])
        except jws.JwsError as error:
            raise RefusedError(ProblemCode.TOKEN_INVALID) from error

        def made() -> c.BearerAnswer:
            device = context.accounts.device(enrolment.assertion_device(message))
            if device is None:
                raise RefusedError(ProblemCode.TOKEN_INVALID)
            facts = enrolment.check_assertion(
                message,
                jws.load_device_key(device.key),
                server_id=context.identity.server_id,
                now=context.database.clock(),
            )
            if device.revoked:
                raise RefusedError(ProblemCode.DEVICE_REVOKED)
            if not context.accounts.use_once(f"{device.id}/{facts.jti}", facts.exp):
                raise RefusedError(ProblemCode.TOKEN_INVALID, "assertion used before")
            seconds = context.rules.bearer_seconds
            return c.BearerAnswer(
                access_token=context.accounts.make_bearer(device, seconds),
                token_type="Bearer",  # noqa: S106 - the kind of token, not one
                expires_in=seconds,
            )

        response = json_answer(await run_in_threadpool(made))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def me(self, request: Request) -> Response:
        """Who the server takes the machine for, and what it may do."""
        device = await self._context.device(request)
        return json_answer(await run_in_threadpool(self._me, device))

    async def orgs(self, request: Request) -> Response:
        """What changed in the directory, in pages."""
        context = self._context
        await context.device(request)
        since = request.query_params.get("since")
        revision = 0 if since is None else context.position(_DIRECTORY, since)
        limit = number_of(request, "limit", _ORG_PAGE, 1, _ORG_PAGE)

        def page() -> Response:
            if revision > context.directory.revision():
                raise context.lost()
            items, end, more = context.directory.changed_since(revision, limit)
            return long_answer(request, c.OrgPage(items=items, cursor=context.cursor(_DIRECTORY, end), more=more))

        return await run_in_threadpool(page)

    def _me(self, device: Device) -> c.Me:
        context = self._context
        roles = [c.Role.SEND, c.Role.READ]
        if device.chosen:
            roles += [c.Role.ACKS, c.Role.NUMBERS]
        return c.Me(
            person=_common_name(context.accounts.certificate(device.id)),
            orgs=(
                c.OrgRole(
                    code=device.org,
                    roles=tuple(role.value for role in roles),
                    devices=context.accounts.enrolled(device.org),
                    registers=context.registers.of(device.org),
                ),
            ),
            quota=c.Quota(
                used=context.packets.used(device.org) + context.uploads.reserved(device.org),
                limit=context.rules.quota,
            ),
        )


def _common_name(certificate: bytes) -> str:
    found = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value)[:4000] if found else ""
