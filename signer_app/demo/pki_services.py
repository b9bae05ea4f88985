"""The HTTP face of the test PKI: CRL, CA certificates, OCSP and RFC 3161 timestamps on 127.0.0.1.

certomancer's WSGI application gives the answers; this server belongs to the main process, runs on one thread
that accepts and one short-lived thread per request, and has none left when it is closed. It never writes to
the console, never serves a key (certomancer's web pages would) and never lets a client choose the time.
"""

import socket
import socketserver
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import PKIArchitecture
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from signer_resources.errors import KnownError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MAX_REQUEST_BYTES = 64 * 1024
"""A timestamp or OCSP request has a few hundred bytes; nothing larger is read."""

_IDLE_SECONDS = 5.0
"""A client that connects and says nothing is dropped after this time."""


class PkiServices:
    """The services of one PKI, as a context manager: they serve while it is open."""

    def __init__(self, architecture: PKIArchitecture, port: int) -> None:
        store = AnimatorArchStore({architecture.arch_label: architecture})
        self._application = _fenced(_WholeSeconds(store, with_web_ui=False, allow_time_override=False))
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start to serve. KnownError `demo_port_taken` when another program has the port."""
        try:
            server = _Server(self._port)
        except OSError as error:
            raise KnownError("demo_port_taken", port=self._port) from error
        server.set_app(self._application)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="demo-pki")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop accepting, let running answers end, give the port back."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None


# What socketserver calls a request; with TCP it is always the socket.
_Connection = socket.socket | tuple[bytes, socket.socket]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """One thread per request, all joined by `server_close` (that is what `daemon_threads = False` means)."""

    daemon_threads = False
    # On Windows SO_REUSEADDR lets two programs share a port, and each gets half of the requests.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, port: int) -> None:
        self._open: set[_Connection] = set()
        super().__init__(("127.0.0.1", port), _QuietHandler)

    def process_request(self, request: _Connection, client_address: tuple[str, int]) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Connection) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        # A client that has said nothing yet won't be waited for; one that is being answered gets its answer.
        for connection in tuple(self._open):
            assert isinstance(connection, socket.socket)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        super().server_close()

    def server_bind(self) -> None:
        # HTTPServer would look up the host's name here, which can take seconds without a network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of our business; answers to bad requests are made in `_fenced`."""


class _WholeSeconds(Animator):
    """certomancer's answers, without the fractions of a second that it puts into OCSP times: RFC 6960 section
    4.2.2.1 with RFC 5280 section 4.1.2.5.2 forbids them there, and strict readers refuse the whole answer."""

    def at_time(self, request: object) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)


class _QuietHandler(WSGIRequestHandler):
    timeout = _IDLE_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the console belongs to the command that runs the demonstration."""


def _fenced(animator: Animator) -> "WSGIApplication":
    """`animator` with a limit on the size of requests, and 400 for what it can't parse."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length = str(environ.get("CONTENT_LENGTH") or "0")
        if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
            return RequestEntityTooLarge()(environ, start_response)
        try:
            answer: Iterable[bytes] = animator(environ, start_response)
        except Exception:  # noqa: BLE001 - certomancer checks nothing, so a bad request can raise anything
            return BadRequest()(environ, start_response)
        return answer

    return application
