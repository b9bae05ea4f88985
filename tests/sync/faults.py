"""What reality does to an exchange, on purpose: a proxy that loses answers, a server that lies."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import msgspec

from signer_sync import contract as c
from signer_sync import jws
from tests.server.world import SERVER_ID, trust


@dataclass
class _Line:
    """What is about to happen to one connection."""

    swallow: threading.Event = field(default_factory=threading.Event)
    request_left: int | None = None
    answer_left: int | None = None
    held: int | None = None


@dataclass
class FaultProxy:
    """Forwards TCP to a server; loses the answers to the next requests that match, or cuts lines in their middle."""

    target: str
    lose: list[bytes] = field(default_factory=list)
    lost: int = 0
    cuts: list[tuple[bytes, int]] = field(default_factory=list)
    answer_cuts: list[tuple[bytes, int]] = field(default_factory=list)
    holds: int | None = None
    """Larger bodies are held back, and dropped with the line once so many bytes of them have come."""
    asked: list[bytes] = field(default_factory=list)
    """The first line of every request that came."""
    brought: int = 0
    """Bytes that came from the near side."""
    url: str = ""
    _threads: list[threading.Thread] = field(default_factory=list)
    _ends: list[socket.socket] = field(default_factory=list)

    def lose_answers(self, pattern: bytes, times: int = 1) -> None:
        """The next `times` requests whose head matches reach the server; their answers never come back."""
        self.lose += [pattern] * times

    def cut_requests(self, pattern: bytes, after: int, times: int = 1) -> None:
        """The line breaks when `after` bytes of the next `times` requests whose head matches have passed."""
        self.cuts += [(pattern, after)] * times

    def cut_answers(self, pattern: bytes, after: int, times: int = 1) -> None:
        """The line breaks when `after` bytes of the answers to the next `times` requests that match have passed."""
        self.answer_cuts += [(pattern, after)] * times

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._relay, args=(near,))
            self._threads.append(thread)
            self._ends.append(near)
            thread.start()

    def end(self) -> None:
        """Hangs up on whoever still keeps a connection open."""
        for near in self._ends:
            _hang_up(near)
        for thread in self._threads:
            thread.join(20)

    def _relay(self, near: socket.socket) -> None:
        parts = urlsplit(self.target)
        line = _Line()
        with near, socket.create_connection((parts.hostname, parts.port), 10) as far:
            back = threading.Thread(target=self._back, args=(near, far, line))
            back.start()
            while data := _receive(near):
                self.brought += len(data)
                self._look(data, line)
                if line.held is not None:
                    line.held -= len(data)
                    if line.held <= 0:
                        break
                    continue
                passing = data if line.request_left is None else data[: line.request_left]
                try:
                    far.sendall(passing)
                except OSError:
                    break
                if line.request_left is not None:
                    line.request_left -= len(passing)
                    if line.request_left <= 0:
                        break
            _hang_up(far)
            if line.held is not None or line.request_left is not None:
                _hang_up(near)
            back.join(20)

    def _look(self, data: bytes, line: _Line) -> None:
        """Decides at the head of a request what becomes of it."""
        head = re.match(rb"(?:GET|HEAD|PUT|POST|PATCH|DELETE) [^\r]+ HTTP/1\.1\r\n", data)
        if head is None:
            if self.lose and re.search(self.lose[0], data):
                self._lose(line)
            return
        self.asked.append(head[0].removesuffix(b" HTTP/1.1\r\n"))
        if self.lose and re.search(self.lose[0], data):
            self._lose(line)
        if self.cuts and re.search(self.cuts[0][0], data):
            line.request_left = self.cuts.pop(0)[1]
        if self.answer_cuts and re.search(self.answer_cuts[0][0], data):
            line.answer_left = self.answer_cuts.pop(0)[1]
        length = re.search(rb"\r\nContent-Length: (\d+)", data)
        if self.holds is not None and length is not None and int(length[1]) > self.holds:
            line.held = self.holds

    def _lose(self, line: _Line) -> None:
        self.lose.pop(0)
        self.lost += 1
        line.swallow.set()

    def _back(self, near: socket.socket, far: socket.socket, line: _Line) -> None:
        while data := _receive(far):
            if line.swallow.is_set():
                break
            passing = data if line.answer_left is None else data[: line.answer_left]
            try:
                near.sendall(passing)
            except OSError:
                break
            if line.answer_left is not None:
                line.answer_left -= len(passing)
                if line.answer_left <= 0:
                    _hang_up(far)
                    break
        _hang_up(near)


def _receive(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


def _hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@contextmanager
def fault_proxy(target: str) -> Iterator[FaultProxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = FaultProxy(target, url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=proxy.serve, args=(listener,))
        thread.start()
        try:
            yield proxy
        finally:
            _hang_up(listener)
            thread.join(20)
            proxy.end()


@dataclass(frozen=True)
class Reply:
    """What the lying server answers; `parts` without end make a body without end."""

    status: int = 200
    media: str = c.MEDIA_JSON
    parts: Iterator[bytes] | tuple[bytes, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


Answer = Callable[[str, str, bytes], Reply | None]
"""Given method, path and body; None: answer as an honest server would, as far as meta and tokens go."""


def json_reply(value: object, status: int = 200, media: str = c.MEDIA_JSON) -> Reply:
    return Reply(status, media, (msgspec.json.encode(value),))


def signed_meta(
    server_id: str = SERVER_ID,
    *,
    by_other: bool = False,
    max_inline: int = 1 << 24,
    max_chunk: int = 0,
    tus: c.Tus | None = None,
) -> Reply:
    holder = trust().other_server if by_other else trust().server
    meta = c.Meta(
        server_id=server_id,
        feed_epoch="epoch-1",
        server_time="2026-11-20T08:00:00+07:00",
        api_versions=("1",),
        min_client="0",
        limits=c.Limits(max_packet=1 << 24, max_inline=max_inline, max_chunk=max_chunk),
        tus=tus,
        auth=c.AuthOffer(token_endpoint="https://evil.example/token", nonce="n"),
    )
    message = jws.sign(msgspec.json.encode(meta), holder.key, typ=c.TYP_META, chain_der=holder.chain_der)
    return json_reply(message, media=c.MEDIA_JOSE)


@dataclass
class LyingServer:
    url: str
    asked: list[str] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request, known before its answer is made; names in lower case."""


@contextmanager
def lying_server(answer: Answer) -> Iterator[LyingServer]:
    """A real HTTP server that has the pinned key and answers whatever the test wants."""
    record = LyingServer("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            record.asked.append(f"{self.command} {self.path}")
            record.heads.append({name.lower(): value for name, value in self.headers.items()})
            reply = answer(self.command, self.path, body) or self._honest()
            if any(name == "Date" for name, _ in reply.headers):
                self.send_response_only(reply.status)
            else:
                self.send_response(reply.status)
            if not any(name == "Content-Type" for name, _ in reply.headers):
                self.send_header("Content-Type", reply.media)
            for name, value in reply.headers:
                self.send_header(name, value)
            if isinstance(reply.parts, tuple):
                self.send_header("Content-Length", str(sum(map(len, reply.parts))))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            for part in () if self.command == "HEAD" else reply.parts:
                self.wfile.write(part)

        def _honest(self) -> Reply:
            if self.path == "/v1/meta":
                return signed_meta()
            if self.path == "/v1/token":
                token = c.BearerAnswer(access_token="t" * 32, token_type="Bearer", expires_in=900)
                return json_reply(token)
            return json_reply(c.Problem(status=404, code="not-found", retry="never"), 404, c.MEDIA_PROBLEM)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up in the middle is what these tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    record.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield record
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
