"""A proxy as offices have them: real sockets, tunnels for TLS, a login, and the moods of a network's own pages."""

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Plain = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class OfficeProxy:
    """Lets tunnels through to `target` whatever host was asked for; `refuse` is the status for all of them."""

    target: tuple[str, int] | None = None
    login: str | None = None
    refuse: int | None = None
    plain: Plain | None = None
    url: str = ""
    asked: list[str] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def office_proxy(
    target: str | None = None, *, login: str | None = None, refuse: int | None = None, plain: Plain | None = None
) -> Iterator[OfficeProxy]:
    """`target` as "127.0.0.1:port"; `login` as "user:password"."""
    host, _, port = (target or "").rpartition(":")
    proxy = OfficeProxy((host, int(port)) if target else None, login, refuse, plain)

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            if not self._let_in():
                return
            if proxy.refuse is not None or proxy.target is None:
                self._say(proxy.refuse or 502)
                return
            with socket.create_connection(proxy.target, 10) as far:
                self.send_response(200)
                self.end_headers()
                self.wfile.flush()
                back = threading.Thread(target=_pump, args=(far, self.connection))
                back.start()
                _pump(self.connection, far)
                back.join(20)
            self.close_connection = True

        def do_GET(self) -> None:
            if not self._let_in():
                return
            if proxy.plain is None:
                self._say(502)
            else:
                proxy.plain(self)

        def _let_in(self) -> bool:
            proxy.asked.append(f"{self.command} {self.path}")
            proxy.heads.append({name.lower(): value for name, value in self.headers.items()})
            if proxy.login is None:
                return True
            expected = "Basic " + base64.b64encode(proxy.login.encode()).decode()
            if self.headers["Proxy-Authorization"] == expected:
                return True
            self._say(407, ("Proxy-Authenticate", 'Basic realm="office"'))
            return False

        def _say(self, status: int, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what several tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
