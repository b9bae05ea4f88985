"""The reference server as a process of its own, which a test can kill at any instant.

Run as a module with folder and port; the identity lies in the folder as PEM. Prints one line when it answers.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding

from signer_server.app import Organisation, Server, ServerIdentity, ServerRules, TrustedRoots
from tests.server.world import COMMUNE, OFFICE, SERVER_ID, fingerprint, trust


def prepare(folder: Path) -> int:
    """Writes what the process needs to know; a port that was free just now."""
    server = trust().server
    key = server.key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key)
    (folder / "chain.pem").write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in server.chain))
    (folder / "root.der").write_bytes(trust().roots.anchors[0])
    (folder / "bodies.txt").write_text(f"{fingerprint(trust().commune)}\n{fingerprint(trust().office)}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server over `folder`, answering; killed with SIGKILL at the end at the latest."""
    command = [sys.executable, "-m", "tests.server.process", str(folder), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.kill()


def main(folder: Path, port: int) -> None:
    """Serves until it is killed."""
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    chain = x509.load_pem_x509_certificates((folder / "chain.pem").read_bytes())
    commune, office = (folder / "bodies.txt").read_text().split()
    identity = ServerIdentity.of(SERVER_ID, chain, key)  # type: ignore[arg-type]
    rules = ServerRules(
        organisations=(
            Organisation(COMMUNE, "UBND xã Hòa Sơn", certificates=frozenset({commune})),
            Organisation(OFFICE, "Sở Nội vụ", certificates=frozenset({office})),
        ),
        roots=TrustedRoots(anchors=((folder / "root.der").read_bytes(),)),
    )
    with Server(folder / "server", identity, rules, port=port):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
