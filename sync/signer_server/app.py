"""The reference server as a thing that starts and stops: state on disk, a real socket, a thread of its own.

`Server` is a context manager; inside it the server answers at `url`. Signals stay with whoever runs it;
nothing is printed. Plain http on loopback; a province puts its TLS front end before it.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from signer_server.database import Database
from signer_server.enrolment import Organisation, TrustedRoots
from signer_server.hub import Hub
from signer_server.packets import Checkpoint, Packets
from signer_server.service import ServerIdentity, ServerRules, Service

__all__ = ["Organisation", "Server", "ServerIdentity", "ServerRules", "TrustedRoots"]

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
            packets = Packets(database, self._data_dir / "packets", self._identity.server_id, self._checkpoint)
            packets.collect()
            hub = Hub()
            service = Service(self._identity, self._rules, database, packets, hub)
            self._running = _Running(listener, database, service, hub)
        except BaseException:
            database.close()
            listener.close()
            raise

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

    def revoke_device(self, device_id: str) -> None:
        """Takes a machine's right to speak for its organisation."""
        self._now.service.accounts.revoke(device_id)

    def begin_epoch(self) -> str:
        """After the state was restored from a backup: clients list the feed from the start."""
        return self._now.database.begin_epoch()

    @property
    def _now(self) -> "_Running":
        if self._running is None:
            raise RuntimeError("the server does not run")
        return self._running


class _Running:
    """What exists only between start and stop."""

    def __init__(self, listener: socket.socket, database: Database, service: Service, hub: Hub) -> None:
        self.port = int(listener.getsockname()[1])
        self.database = database
        self.service = service
        self._listener = listener
        self._hub = hub
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._server = uvicorn.Server(
            uvicorn.Config(
                service.app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_STOP_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._run, name="document server", daemon=True)
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                self._loop.call_soon_threadsafe(self._hub.close)
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self.database.close()

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
