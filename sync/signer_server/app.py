"""The reference server as a thing that starts and stops: state on disk, a real socket, a thread of its own.

`Server` is a context manager; inside it the server answers at `url`. Signals stay with whoever runs it;
nothing is printed. Plain http on loopback; a province puts its TLS front end before it.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from signer_server.accounts import Accounts
from signer_server.admin import Admin
from signer_server.connection import protocol
from signer_server.context import Context
from signer_server.database import Database
from signer_server.directory import Directory
from signer_server.enrolment import Organisation, TrustedRoots
from signer_server.gate import Gate
from signer_server.hub import Hub
from signer_server.packets import Checkpoint, Packets
from signer_server.registers import Registers
from signer_server.rules import Register, ServerIdentity, ServerRules
from signer_server.service import Service
from signer_server.uploads import Uploads

__all__ = ["Admin", "Organisation", "Register", "Server", "ServerIdentity", "ServerRules", "TrustedRoots"]

_STOP_SECONDS = 5
"""Longest wait for requests under way when the server stops."""


class Server:
    """A document server over `data_dir` (made if missing) on `host`:`port`; port 0 takes a free one.

    `clock` gives seconds since 1970; `checkpoint` is told each durable step of keeping a packet.
    """

    def __init__(
        self,
        data_dir: Path,
        identity: ServerIdentity,
        rules: ServerRules,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
        checkpoint: Checkpoint = lambda _: None,
    ) -> None:
        self._data_dir = data_dir
        self._identity = identity
        self._rules = rules
        self._address = (host, port)
        self._clock = clock
        self._checkpoint = checkpoint
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Opens the state and answers requests when it returns; OSError if the port is taken."""
        if self._running is not None:
            raise RuntimeError("the server runs already")
        listener = _listen(*self._address)
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            database = Database(self._data_dir / "server.sqlite", self._clock)
        except BaseException:
            listener.close()
            raise
        try:
            self._running = _Running(listener, self._opened(database))
        except BaseException:
            database.close()
            listener.close()
            raise

    def _opened(self, database: Database) -> Context:
        rules = self._rules
        packets = Packets(database, self._data_dir / "packets", self._identity.server_id, self._checkpoint)
        packets.collect()
        uploads = Uploads(database, self._data_dir / "uploads", rules.upload_seconds)
        uploads.collect()
        gate = Gate(
            requests_per_minute=rules.requests_per_minute,
            bodies_at_once=rules.bodies_at_once,
            min_client=rules.min_client,
        )
        context = Context(
            identity=self._identity,
            rules=rules,
            database=database,
            accounts=Accounts(database),
            directory=Directory(database),
            packets=packets,
            uploads=uploads,
            registers=Registers(database, rules.lease_seconds),
            hub=Hub(),
            gate=gate,
        )
        admin = Admin(context, lambda _: None)  # nobody waits yet
        admin.set_directory(rules.directory())
        for register in rules.registers:
            admin.open_register(register)
        return context

    def stop(self) -> None:
        """Ends waiting requests, closes socket and state, and returns when the thread is gone."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    @property
    def port(self) -> int:
        """The port in use."""
        return self._now.port

    @property
    def url(self) -> str:
        """The base address, without /v1."""
        host = self._address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def admin(self) -> Admin:
        """What the administrator may do while the server runs."""
        return Admin(self._now.context, self._now.wake)

    def revoke_device(self, device_id: str) -> None:
        """Takes a machine's right to speak for its organisation."""
        self.admin.revoke_device(device_id)

    def begin_epoch(self) -> str:
        """After the state was restored from a backup: clients list the feed from the start."""
        return self.admin.begin_epoch()

    @property
    def _now(self) -> "_Running":
        if self._running is None:
            raise RuntimeError("the server does not run")
        return self._running


class _Running:
    """What exists only between start and stop."""

    def __init__(self, listener: socket.socket, context: Context) -> None:
        self.port = int(listener.getsockname()[1])
        self.context = context
        self.database = context.database
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._server = uvicorn.Server(
            uvicorn.Config(
                Service(context).app,
                http=protocol(max_connections=context.rules.max_connections, header_seconds=context.rules.idle_seconds),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_STOP_SECONDS,
                timeout_keep_alive=context.rules.keep_seconds,
            )
        )
        self._thread = threading.Thread(target=self._run, name="document server", daemon=True)
        self._thread.start()
        self._ready.wait()

    def wake(self, orgs: Iterable[str]) -> None:
        """Ends the long polls of these; from any thread."""
        self._soon(lambda: self.context.hub.wake(orgs))

    def stop(self) -> None:
        self._soon(self.context.hub.close)
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self.database.close()

    def _soon(self, what: Callable[[], None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        # The socket listens already, so whoever connects now waits in its queue until uvicorn takes over.
        self._ready.set()
        await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the protocol is spelt out; else each answer waits 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: else another program may take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener
