"""Requests of the Sync API made by hand, so that the server is seen without our client between."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import requests

from signer_sync import contract as c
from signer_sync.client import ServerClient
from signer_sync.ids import uuid7
from tests.server.world import COMMUNE, World


def code(answer: requests.Response) -> str:
    """The code of a refusal."""
    assert answer.headers["Content-Type"] == c.MEDIA_PROBLEM
    problem = msgspec.json.decode(answer.content, type=c.Problem)
    assert problem.status == answer.status_code
    return problem.code


@dataclass
class Hand:
    """Speaks for one enrolled machine."""

    world: World
    client: ServerClient
    org: str = COMMUNE
    session: requests.Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = self.world.session()
        self.session.headers.update(self.world.headers(self.client))

    @property
    def authorization(self) -> str:
        """The header that lets this machine in."""
        return str(self.session.headers["Authorization"])

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request; `path` behind /v1."""
        return self.session.request(method, f"{self.world.server.url}/v1{path}", **more)

    def create(self, data: bytes, packet_id: str, *, length: int | None = None, **more: str) -> requests.Response:
        """Announces an upload; `more` metadata."""
        values = {"packet": packet_id, "sha256": hashlib.sha256(data).hexdigest(), "org": self.org} | more
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
        return self.ask(
            "POST",
            "/uploads",
            headers={
                c.HEADER_TUS: c.TUS_VERSION,
                c.HEADER_UPLOAD_LENGTH: str(len(data) if length is None else length),
                c.HEADER_UPLOAD_METADATA: metadata,
            },
        )

    def create_packed(
        self, data: bytes, packet_id: str, stream: bytes, *, length: int | None = None, **changes: str
    ) -> requests.Response:
        """Announces an upload of `stream`, which is said to be the gzip stream of `data`; with metadata changed."""
        told = {"encoding": "gzip", "size": str(len(data)), "encodedSha256": hashlib.sha256(stream).hexdigest()}
        return self.create(data, packet_id, length=len(stream) if length is None else length, **(told | changes))

    def send_packed(self, data: bytes, stream: bytes, packet_id: str | None = None) -> requests.Response:
        """All three steps, with `stream` on the line."""
        packet_id = packet_id or uuid7()
        made = self.create_packed(data, packet_id, stream)
        assert made.status_code == 201, made.content
        upload = made.headers["Location"].rpartition("/")[2]
        assert self.patch(upload, 0, stream).status_code == 204
        return self.commit(data, packet_id, upload)

    def upload_id(self, data: bytes, packet_id: str) -> str:
        """The id of a new upload."""
        answer = self.create(data, packet_id)
        assert answer.status_code == 201, answer.content
        return answer.headers["Location"].rpartition("/")[2]

    def offset(self, upload: str) -> int:
        """How much is durably there."""
        answer = self.ask("HEAD", f"/uploads/{upload}", headers={c.HEADER_TUS: c.TUS_VERSION})
        assert answer.status_code == 200
        return int(answer.headers[c.HEADER_UPLOAD_OFFSET])

    def patch(self, upload: str, offset: int, data: Any) -> requests.Response:
        """Adds bytes."""
        headers = {
            c.HEADER_TUS: c.TUS_VERSION,
            c.HEADER_UPLOAD_OFFSET: str(offset),
            "Content-Type": c.MEDIA_OFFSET,
        }
        return self.ask("PATCH", f"/uploads/{upload}", headers=headers, data=data)

    def commit(self, data: bytes, packet_id: str, upload: str, /, **changes: Any) -> requests.Response:
        """Commits an upload of the world's usual document, with some members changed."""
        wish = {
            "upload": upload,
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "kind": "new",
            "edxmlDocumentId": f"{self.org},2026/11/20,12/QĐ-UBND",
        } | changes
        return self.ask("PUT", f"/orgs/{self.org}/packets/{packet_id}", json=wish)

    def send_large(self, data: bytes, packet_id: str | None = None, /, **changes: Any) -> requests.Response:
        """All three steps."""
        packet_id = packet_id or uuid7()
        upload = self.upload_id(data, packet_id)
        assert self.patch(upload, 0, data).status_code == 204
        return self.commit(data, packet_id, upload, **changes)

    def put(self, data: bytes, packet_id: str | None = None) -> requests.Response:
        """A packet in one request."""
        headers = {c.HEADER_PACKET_DIGEST: c.digest_header(hashlib.sha256(data).digest())}
        path = f"/orgs/{self.org}/packets/{packet_id or uuid7()}/content"
        return self.ask("PUT", path, headers=headers, data=data)


def upload_files(world: World) -> int:
    """How many files of uploads the server has."""
    return sum(1 for _ in (world.folder / "server" / "uploads").iterdir())
