"""The reference server of many bodies as a process of its own, for benchmarks of the exchange.

Run as a module with folder, port and the number of bodies, over a folder that `tests.server.process.prepare` made; the
same test certificate enrols machines for all of them. Prints one line when it answers.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from signer_server.app import Organisation, Server, ServerIdentity, ServerRules, TrustedRoots
from signer_sync.client import ServerClient
from signer_sync.http import HttpSettings, open_session
from signer_sync.keystore import DeviceIdentity
from tests.server.world import SERVER_ID, pinned, trust


def code(number: int) -> str:
    """The code of the N-th body."""
    return f"H77.{number + 100}"


@contextmanager
def many_bodies(folder: Path, port: int, count: int, before: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """The server, answering; killed at the end. `before`: what stands before the command (`ip netns exec …`)."""
    command = [*before, sys.executable, "-P", "-m", "tests.support.exchange_server", str(folder), str(port), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.kill()


def enrolled(url: str, number: int) -> DeviceIdentity:
    """A machine that is enrolled for the N-th body."""
    device = DeviceIdentity.create(code(number))
    with open_session(HttpSettings()) as session:
        holder = trust().commune
        ServerClient(url, pinned(), None, session).enrol(holder.sign, holder.chain_der, device)
    return device


def main(folder: Path, port: int, count: int) -> None:
    """Serves until it is ended."""
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    chain = x509.load_pem_x509_certificates((folder / "chain.pem").read_bytes())
    certificate = (folder / "bodies.txt").read_text().split()[0]
    identity = ServerIdentity.of(SERVER_ID, chain, key)  # type: ignore[arg-type]
    rules = ServerRules(
        organisations=tuple(
            Organisation(code(number), f"Cơ quan {number}", certificates=frozenset({certificate}))
            for number in range(count)
        ),
        roots=TrustedRoots(anchors=((folder / "root.der").read_bytes(),)),
        max_connections=20 * count + 100,
    )
    with Server(folder / "server", identity, rules, port=port):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
