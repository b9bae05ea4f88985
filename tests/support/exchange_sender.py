"""Sends files over a line in one of three ways, on the near machine: with the program's own sending, with a plain loop
over one `requests` session, or through as many bare sockets as the program has connections.

Run as a module with the name of the way and a JSON file that is an `Errand`; prints the seconds that it took. The first
two send to the same server; the large packet goes as it is in the plain loop, gzipped by the others.
"""

import base64
import gzip
import hashlib
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import requests
from urllib3.connection import HTTPConnection

from signer_sync import contract as c
from signer_sync.client import ClientPool, PinnedServer
from signer_sync.http import HttpSettings
from signer_sync.keystore import DeviceIdentity, FileKeyStore
from signer_sync.packets import OutgoingPacket
from signer_sync.packing import Packing
from signer_sync.reports import Outcome, PacketResult, Surroundings
from signer_sync.sending import send_due
from signer_sync.sync_channel import SIDE_BY_SIDE, SyncChannel
from tests.sync.stores import MemoryOutbox


class Errand(msgspec.Struct, frozen=True):
    """What is sent and where; `inline`: each in one request, else as an upload.

    `document`: bytes of the file in each.
    """

    url: str
    server_id: str
    certificate_der: bytes
    org: str
    device: str
    folder: str
    authority: str
    sink: tuple[str, int]
    packets: tuple[tuple[str, str, str, int, str], ...]
    """Id, file, SHA-256, bytes, DocumentId."""
    document: int
    inline: bool
    congestion: str
    """TCP's way, such as cubic."""


def ours(errand: Errand) -> float:
    """The program's sending: several connections, as many as the line bears."""
    began = time.monotonic()
    outbox = MemoryOutbox([_packet(errand, facts) for facts in errand.packets])
    around = Surroundings(lambda: datetime.now(UTC), random.SystemRandom().uniform)
    results: list[PacketResult] = []
    with _pool(errand) as pool:
        channel = SyncChannel(pool)
        while len(outbox.proofs) < len(outbox.packets):
            channel.contact()
            send_due(channel, outbox, around, results, at_once=True)
    retried = sum(result.outcome is not Outcome.ACCEPTED for result in results)
    if retried:
        sys.stderr.write(f"{retried} attempts failed\n")
    return time.monotonic() - began


def plain(errand: Errand) -> float:
    """A loop as one writes it: one session, one packet after the other."""
    began = time.monotonic()
    with _pool(errand) as pool, requests.Session() as session:
        pool.token()
        session.trust_env = False  # else a CA bundle of the environment beats the next line
        session.verify = errand.authority
        session.headers["Authorization"] = f"Bearer {pool._bearer}"
        for packet_id, file, sha256, size, _ in errand.packets:
            if errand.inline:
                body = packed(Path(file))
                headers = {
                    "Content-Type": c.MEDIA_PACKET,
                    "Content-Encoding": "gzip",
                    c.HEADER_CONTENT_DIGEST: c.digest_header(hashlib.sha256(body).digest()),
                    c.HEADER_PACKET_DIGEST: c.digest_header(bytes.fromhex(sha256)),
                }
                url = f"{errand.url}/v1/orgs/{errand.org}/packets/{packet_id}/content"
                session.put(url, data=body, headers=headers, timeout=120).raise_for_status()
            else:
                _upload(session, errand, packet_id, Path(file), sha256, size)
    return time.monotonic() - began


def raw(errand: Errand) -> float:
    """Bare sockets that share the same bytes, made before the time runs: what the line gives to anybody."""
    bodies = [packed(Path(file)) if errand.inline else streamed(Path(file)) for _, file, *_ in errand.packets]
    whole = b"".join(bodies)
    count = SIDE_BY_SIDE if errand.inline else 1
    share = -(-len(whole) // count)
    threads = [
        threading.Thread(target=_pour, args=(errand, whole[at : at + share])) for at in range(0, len(whole), share)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def packed(file: Path) -> bytes:
    """A packet as the program sends it in one request."""
    return gzip.compress(file.read_bytes(), compresslevel=6, mtime=0)


def streamed(file: Path) -> bytes:
    """A packet as the program uploads it."""
    with file.open("rb") as opened:
        return Packing(opened).read(file.stat().st_size)


def travelling(*, inline: bool) -> Callable[[Path], int]:
    """How many bytes a packet has on its way."""
    return lambda file: len(packed(file) if inline else streamed(file))


WAYS: Final[dict[str, Callable[[Errand], float]]] = {"ours": ours, "plain": plain, "raw": raw}


def _pour(errand: Errand, data: bytes) -> None:
    with socket.socket() as out:
        out.settimeout(600)
        out.setsockopt(*_option(errand))
        out.connect(errand.sink)
        out.sendall(data)
        out.shutdown(socket.SHUT_WR)
        if out.recv(1) != b".":
            raise ConnectionError("the sink has not got everything")


def _option(errand: Errand) -> tuple[int, int, bytes]:
    return socket.IPPROTO_TCP, socket.TCP_CONGESTION, errand.congestion.encode()


def _upload(session: requests.Session, errand: Errand, packet_id: str, file: Path, sha256: str, size: int) -> None:
    facts = {"packet": packet_id, "sha256": sha256, "org": errand.org}
    told = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in facts.items())
    tus = {c.HEADER_TUS: c.TUS_VERSION}
    made = session.post(
        f"{errand.url}/v1/uploads",
        headers={**tus, c.HEADER_UPLOAD_LENGTH: str(size), c.HEADER_UPLOAD_METADATA: told},
        timeout=120,
    )
    made.raise_for_status()
    upload = made.headers["Location"].rpartition("/")[2]
    with file.open("rb") as body:
        headers = {**tus, c.HEADER_UPLOAD_OFFSET: "0", "Content-Type": c.MEDIA_OFFSET}
        url = f"{errand.url}/v1/uploads/{upload}"
        session.patch(url, data=body, headers=headers, timeout=600).raise_for_status()


def _pool(errand: Errand) -> ClientPool:
    identity = DeviceIdentity.load(FileKeyStore(Path(errand.folder) / "keys"), errand.device, errand.org)
    limits = HttpSettings(extra_ca=Path(errand.authority))
    return ClientPool(errand.url, PinnedServer(errand.server_id, errand.certificate_der), identity, limits)


def _packet(errand: Errand, facts: tuple[str, str, str, int, str]) -> OutgoingPacket:
    packet_id, file, sha256, size, document_id = facts
    return OutgoingPacket(
        packet_id=packet_id,
        org=errand.org,
        path=Path(file),
        sha256=sha256,
        size=size,
        urgency=0,
        created_at=datetime.now(UTC),
        document_id=document_id,
    )


def main(way: str, file: Path) -> None:
    """Runs one errand."""
    errand = msgspec.json.decode(file.read_bytes(), type=Errand)
    # Both kinds of connection of urllib3 read it from here; what the machine is set to has no part in it.
    HTTPConnection.default_socket_options = [*HTTPConnection.default_socket_options, _option(errand)]
    sys.stdout.write(f"{WAYS[way](errand)}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
