"""A province's LGSP on the loopback interface that speaks as documented, with the quirks that were met or reported."""

import base64
import email.parser
import email.policy
import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Listed:
    """A packet that waits for the unit."""

    doc_id: str
    content: bytes
    kind: str = "edoc"
    sender: str = "H37"
    created: str = "2026/11/20 08:00:00"
    status: str = "initial"


@dataclass
class Received:
    """A packet that was sent through it."""

    doc_id: str
    message_type: str
    name: str
    content: bytes
    length: int


@dataclass
class Quirks:
    """How this one differs."""

    token_at_root: bool = False
    wrap: str = "base64"
    """How getEdoc gives a packet: base64, lines (base64 with line breaks), xml, file, envelope."""
    double_lines: bool = False
    html: list[str] = field(default_factory=list)
    """Paths whose next call is answered by a page."""
    lose: list[str] = field(default_factory=list)
    """Paths whose next call is done but never answered."""
    hang_up: list[str] = field(default_factory=list)
    """Paths whose next call is cut before its body was read."""
    codes: dict[str, list[tuple[int, object, str]]] = field(default_factory=dict)
    """Path → next refusals: HTTP status, errorCode, errorDesc."""
    answers: dict[str, list[tuple[int, object]]] = field(default_factory=dict)
    """Path → next answers, word for word."""
    raw: dict[str, bytes] = field(default_factory=dict)
    """Path → what each answer is, byte for byte."""
    slow: float = 0.0
    """Seconds before each answer."""
    bare_directory: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass
class Lgsp:
    """The server as its tests see it."""

    url: str = ""
    username: str = "vanthu"
    password: str = "đúng mật khẩu"
    system_id: str = "H37.15"
    secret_key: str = "khoa-bi-mat"
    token_number: int = 0
    tokens: set[str] = field(default_factory=set)
    logins: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    waiting: list[Listed] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    agencies: list[dict[str, object]] = field(default_factory=list)
    quirks: Quirks = field(default_factory=Quirks)

    def calls(self, path: str) -> int:
        """How often a path was asked."""
        return sum(path in line for line in self.asked)

    def end_tokens(self) -> None:
        """All tokens are over."""
        self.tokens.clear()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lgsp: Lgsp

    def _any(self) -> None:
        parts = urlsplit(self.path)
        path, query = parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}
        quirks = self.lgsp.quirks
        self.lgsp.asked.append(f"{self.command} {self.path}")
        if path in quirks.hang_up:
            quirks.hang_up.remove(path)
            self.close_connection = True
            self.connection.close()
            return
        if "Content-Length" not in self.headers and self.command == "POST":
            self._say(411, {"success": False, "message": "Content-Length required"})
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        if path in quirks.html:
            quirks.html.remove(path)
            self._send(502, PAGE, "text/html")
            return
        if path in quirks.raw:
            self._send(200, quirks.raw[path], "application/json")
            return
        status, value = self._answer(path, query, body)
        if path in quirks.lose:
            quirks.lose.remove(path)
            self.close_connection = True
            self.connection.close()
            return
        if quirks.slow:
            time.sleep(quirks.slow)
        self._say(status, value)

    do_GET = do_POST = _any  # noqa: N815 - http.server's names

    def _answer(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, object]:
        quirks, lgsp = self.lgsp.quirks, self.lgsp
        if path == "/v1/auth/login":
            return self._login(json.loads(body))
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in lgsp.tokens:
            return 401, {"success": False, "message": "token expired"}
        if path != "/v1/getAgenciesList" and (
            self.headers.get("X-SystemId") != lgsp.system_id or self.headers.get("X-SecretKey") != lgsp.secret_key
        ):
            return 401, {"success": False, "message": "licenseInfo:invalid"}
        if quirks.codes.get(path):
            status, code, words = quirks.codes[path].pop(0)
            data = {"docId": None, "status": "fail", "errorCode": code, "errorDesc": words}
            return status, {"success": False, "message": "Lỗi", "data": data}
        if quirks.answers.get(path):
            return quirks.answers[path].pop(0)
        work = {
            "/v1/sendEdoc": lambda: self._take(body),
            "/v1/syncReceivedEdocList": lambda: self._list(query),
            "/v1/getEdoc": lambda: self._give(query["docId"]),
            "/v1/updateStatus": lambda: self._status(json.loads(body)),
            "/v1/getAgenciesList": self._agencies,
        }.get(path)
        return work() if work is not None else (404, {"success": False, "message": "not found"})

    def _login(self, asked: dict[str, Any]) -> tuple[int, object]:
        lgsp = self.lgsp
        lgsp.logins.append(asked)
        if lgsp.quirks.answers.get("/v1/auth/login"):
            return lgsp.quirks.answers["/v1/auth/login"].pop(0)
        if (asked["username"], asked["password"]) != (lgsp.username, lgsp.password):
            return 200, {"code": 401, "message": "Sai tên đăng nhập hoặc mật khẩu", "data": None}
        lgsp.token_number += 1
        token = f"token-{lgsp.token_number}"
        lgsp.tokens.add(token)
        if lgsp.quirks.token_at_root:
            return 200, {"code": 0, "token": token}
        return 200, {
            "code": 0,
            "message": "",
            "data": {"id": 7, "username": "vanthu", "name": "Văn thư", "token": token},
        }

    def _take(self, body: bytes) -> tuple[int, object]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields = {part.get_param("name", header="Content-Disposition"): part for part in form.iter_parts()}
        file = fields["edocFile"]
        doc_id = f"axis-{len(self.lgsp.received) + 1}"
        content = file.get_payload(decode=True)
        assert isinstance(content, bytes)
        kind = str(fields["messageType"].get_payload()).strip()
        taken = Received(doc_id, kind, file.get_filename() or "", content, int(self.headers["Content-Length"]))
        self.lgsp.received.append(taken)
        return 200, {"success": True, "message": "OK", "docId": doc_id}

    def _list(self, query: dict[str, str]) -> tuple[int, object]:
        first, last = query["fromDate"], query["toDate"]
        lines = [
            {
                "serviceType": "eDoc",
                "createdTime": item.created,
                "updatedTime": item.created,
                "messageType": item.kind,
                "docId": item.doc_id,
                "from": item.sender,
                "to": self.lgsp.system_id,
                "status": item.status,
                "statusDesc": "",
            }
            for item in self.lgsp.waiting
            if item.kind == query["messageType"] and first <= item.created[:10] <= last
        ]
        if self.lgsp.quirks.double_lines:
            lines += lines
        return 200, {"success": True, "message": "", "count": len(lines), "data": lines}

    def _give(self, doc_id: str) -> tuple[int, object]:
        item = next((item for item in self.lgsp.waiting if item.doc_id == doc_id), None)
        if item is None:
            return 200, {"success": False, "message": "not found", "data": None}
        data: dict[str, object] = {"docId": doc_id, "from": item.sender, "fromName": "UBND tỉnh", "edocCode": "05/QĐ"}
        match self.lgsp.quirks.wrap:
            case "xml":
                data["edxml"] = item.content.decode()
            case "lines":
                data["edxml"] = base64.encodebytes(item.content).decode().replace("\n", "\r\n")
            case "file":
                data["edxml"] = None
                data["attachments"] = [
                    {"fileName": "ghi chú.txt", "fileContent": base64.b64encode(b"x").decode()},
                    {"fileName": "05.EDXML", "fileContent": base64.b64encode(item.content).decode()},
                ]
            case "envelope":
                bare, files = _taken_apart(item.content)
                data["attachments"] = files
                data["edxml"] = base64.b64encode(bare).decode()
            case _:
                data["edxml"] = base64.b64encode(item.content).decode()
                data["attachments"] = []
        return 200, {"success": True, "data": data}

    def _status(self, asked: dict[str, str]) -> tuple[int, object]:
        self.lgsp.told.append((asked["docId"], asked["status"]))
        for item in self.lgsp.waiting:
            if item.doc_id == asked["docId"]:
                item.status = asked["status"]
        return 200, {"success": True, "message": "OK"}

    def _agencies(self) -> tuple[int, object]:
        agencies = self.lgsp.agencies
        return 200, agencies if self.lgsp.quirks.bare_directory else {"code": 0, "data": agencies}

    def _say(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, media: str) -> None:
        self.send_response_only(status)
        self.send_header("Date", format_datetime(self.lgsp.quirks.clock(), usegmt=True))
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _taken_apart(content: bytes) -> tuple[bytes, list[dict[str, str]]]:
    """A packet's envelope without its files, and the files."""
    start = content.index(b"<edXML:AttachmentEncoded>")
    end = content.index(b"</edXML:AttachmentEncoded>") + len(b"</edXML:AttachmentEncoded>")
    found = re.findall(rb"AttachmentName>([^<]*)</.*?TransferEncoded>([^<]*)<", content[start:end], re.DOTALL)
    files = [{"fileName": html.unescape(name.decode()), "fileContent": encoded.decode()} for name, encoded in found]
    return content[:start] + content[end:], files


@contextmanager
def lgsp_server() -> Iterator[Lgsp]:
    """Runs one until the end of the block."""
    lgsp = Lgsp()

    class Handler(_Handler):
        pass

    Handler.lgsp = lgsp

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client or a quirk that hangs up in the middle is what these tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    lgsp.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield lgsp
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
