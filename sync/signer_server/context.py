"""What all endpoints share: the server's state, who asks, whether they may, and how answers are signed.

Runs on the server's event loop; whatever touches the disk or a key runs on worker threads.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from signer_server.accounts import Accounts, Device
from signer_server.cursors import make_cursor, read_cursor
from signer_server.database import Database
from signer_server.directory import Directory
from signer_server.gate import Gate
from signer_server.hub import Hub
from signer_server.packets import Packets
from signer_server.problems import RefusedError
from signer_server.registers import Registers
from signer_server.rules import ServerIdentity, ServerRules
from signer_server.uploads import Uploads
from signer_sync import jws
from signer_sync.contract import JwsBody, ProblemCode

_QUOTA_WAIT = 3600


class _Claims:
    """Bytes of requests that have been let in and are not written down yet, by organisation."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.sizes: Counter[str] = Counter()


@dataclass(frozen=True)
class Context:
    """The parts of a running server."""

    identity: ServerIdentity
    rules: ServerRules
    database: Database
    accounts: Accounts
    directory: Directory
    packets: Packets
    uploads: Uploads
    registers: Registers
    hub: Hub
    gate: Gate
    _claims: _Claims = field(default_factory=_Claims)

    async def known_device(self, request: Request) -> Device:
        """The machine that asks, before anything is counted; RefusedError token-invalid and its kin."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise RefusedError(ProblemCode.TOKEN_INVALID)
        return await run_in_threadpool(self.accounts.bearer, token)

    async def known_device_of(self, request: Request) -> Device:
        """The same, which must be enrolled for the organisation in the path."""
        device = await self.known_device(request)
        if request.path_params["org"] != device.org:
            raise RefusedError(ProblemCode.NOT_ALLOWED)
        return device

    def admit(self, request: Request, device: Device) -> None:
        """Counts a request that the server isn't bound to answer; RefusedError rate-limited, client-too-old."""
        self.gate.check_version(request.headers.get("User-Agent", ""))
        self.gate.count(device.id)

    async def device(self, request: Request) -> Device:
        """The machine that asks, counted."""
        device = await self.known_device(request)
        self.admit(request, device)
        return device

    async def device_of(self, request: Request) -> Device:
        """The machine that asks for the organisation in the path, counted."""
        device = await self.known_device_of(request)
        self.admit(request, device)
        return device

    @contextmanager
    def room(self, org: str, size: int) -> Iterator[None]:
        """Room for `size` bytes more of the organisation, to be written down until the end of the `with`.

        RefusedError quota if that is too much for it or for the disk, with what others are just about to write.
        """
        with self._claims.turn:
            quota, claims = self.rules.quota, self._claims.sizes
            if quota is not None:
                taken = self.packets.used(org) + self.uploads.reserved(org) + claims[org]
                if taken + size > quota:
                    raise RefusedError(ProblemCode.QUOTA, retry_after=_QUOTA_WAIT)
            if self.packets.free() - self.uploads.outstanding() - claims.total() - size < self.rules.reserve:
                raise RefusedError(ProblemCode.QUOTA, "disk", retry_after=_QUOTA_WAIT)
            claims[org] += size
        try:
            yield
        finally:
            with self._claims.turn:
                claims[org] -= size
                if not claims[org]:
                    del claims[org]

    def cursor(self, place: str, number: int) -> str:
        """A cursor of the present epoch."""
        return make_cursor(self.database.secret, self.database.epoch, place, number)

    def position(self, place: str, cursor: str) -> int:
        """The number inside a cursor; RefusedError epoch-changed for one of another epoch, bad-request for nonsense."""
        return read_cursor(self.database.secret, self.database.epoch, place, cursor)

    def lost(self) -> RefusedError:
        """A client has seen what this state no longer knows: it was put back from a copy, a new epoch begins."""
        self.database.begin_epoch()
        return RefusedError(ProblemCode.EPOCH_CHANGED)

    def sign(self, value: msgspec.Struct, typ: str, *, with_chain: bool = False) -> JwsBody:
        """`value` signed by the server's certificate."""
        chain = self.identity.chain_der if with_chain else ()
        return jws.sign(msgspec.json.encode(value), self.identity.key, typ=typ, chain_der=chain)
