"""How much of a slow line sending uses: 4 Mb/s with delay and loss, beside a plain loop and bare sockets.

Run by `./run bench link`, on Linux as root. Two network namespaces are joined by a line in user space (rate, delay,
loss, queue); behind TLS the reference server stands on its far side. Packets with an incompressible file of 150 kB go
one in a request, one of 20 MB as an upload. *Ours* is the program's own sending, from its first word to the last
receipt; *plain loop* one `requests` session, one packet after the other, small ones gzipped and the large one as it is;
*sockets* as many bare connections as the program may have, one for the large packet, with our bytes and nothing around
them.

Figures are shares of the line's rate, in three kinds of bytes. *Packets*: the .edxml as it is kept and hashed, before
it is compressed for the way; the aims are in these. *Documents*: the file inside, before base64 made it a third longer.
*Line*: bodies as they travel; headers of IP and TCP, 3.5 %, count as lost. With a loss of 2 % the aim is a part of what
bare sockets get, in bytes of the line.
"""

import argparse
import datetime as dt
import ipaddress
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rich.console import Console
from rich.table import Table

from signer_sync.keystore import FileKeyStore
from tests.server.process import prepare
from tests.server.world import SERVER_ID, der, make_packet, trust
from tests.support.exchange_link import FAR_ADDRESS, Line, Namespaces, namespaces, possible
from tests.support.exchange_sender import WAYS, Errand, travelling
from tests.support.exchange_server import code, enrolled, many_bodies

FRONT, SINK = 8443, 8444


@dataclass(frozen=True)
class Case:
    """A line, what goes over it, and the aim: a share of the line, or (`of_raw`) of what bare sockets get."""

    name: str
    line: Line
    inline: bool
    aim: float
    of_raw: bool = False


@dataclass(frozen=True)
class Share:
    """Parts of the line's rate that one way of sending reached: see above."""

    packets: float
    documents: float
    line: float


def cases(rate: float) -> tuple[Case, ...]:
    """All cases at this rate (bits per second)."""
    return (
        Case("150 kB, 40 ms", Line(rate, 0.04), inline=True, aim=0.95),
        Case("150 kB, 300 ms", Line(rate, 0.3), inline=True, aim=0.90),
        Case("150 kB, 300 ms, 0.5 %", Line(rate, 0.3, 0.005), inline=True, aim=0.80),
        Case("150 kB, 300 ms, 2 %", Line(rate, 0.3, 0.02), inline=True, aim=0.90, of_raw=True),
        Case("20 MB, 300 ms", Line(rate, 0.3), inline=False, aim=0.90),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=200, metavar="N", help="of 150 kB in each case (200)")
    parser.add_argument("--large", type=float, default=20.0, metavar="MB", help="the large file (20)")
    parser.add_argument("--rate", type=float, default=4.0, metavar="MBIT", help="of the line each way (4)")
    parser.add_argument("--congestion", default="cubic", help="TCP's way of whoever sends (cubic, as with most)")
    parser.add_argument(
        "--case", type=int, action="append", metavar="N", help="only this case, 1 to 5; may be repeated"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what losses are drawn from (1)")
    arguments = parser.parse_args()
    if not possible():
        print("Needs Linux, root and /dev/net/tun.")
        return 0
    chosen = [case for at, case in enumerate(cases(1e6 * arguments.rate), 1) if at in (arguments.case or range(1, 6))]
    table = Table(title=f"{arguments.rate:g} Mb/s, {arguments.congestion}, {arguments.packets} packets, {_load()}")
    table.add_column("what, round trip, loss", no_wrap=True)
    for column in (
        "ours: packets",
        "documents",
        "line",
        "plain loop: packets",
        "line",
        "sockets: line",
        "ours to sockets",
        "aim",
        "met",
    ):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        ground = Ground(Path(name), stack.enter_context(namespaces()), arguments.congestion, arguments.seed)
        for case in chosen:
            count, size = (arguments.packets, 150_000) if case.inline else (1, int(arguments.large * 1e6))
            shares = ground.run(case, count, size)
            ours, plain, raw = (shares[way] for way in ("ours", "plain", "raw"))
            ratio = ours.line / raw.line
            got = ratio if case.of_raw else ours.packets
            figures = (ours.packets, ours.documents, ours.line, plain.packets, plain.line, raw.line)
            table.add_row(
                case.name,
                *(f"{figure:.3f}" for figure in figures),
                f"{ratio:.2f}",
                f"{case.aim:.2f}" + (" of sockets" if case.of_raw else ""),
                "yes" if got >= case.aim else "no",
            )
    Console(width=150).print(table)
    return 0


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


class Ground:
    """The server's state, a machine that is enrolled, and the certificate of the front end."""

    def __init__(self, folder: Path, spaces: Namespaces, congestion: str, seed: int) -> None:
        self._folder = folder
        self._spaces = spaces
        self._congestion = congestion
        self._seed = seed
        self._port = prepare(folder)
        self._authority = folder / "authority.pem"
        _make_front(folder / "front.pem", self._authority)
        with many_bodies(folder, self._port, 2):
            self._device = enrolled(f"http://127.0.0.1:{self._port}", 0)
        self._device.save(FileKeyStore(folder / "keys"))

    def run(self, case: Case, count: int, size: int) -> dict[str, Share]:
        """What each way of sending reached."""
        shares = {}
        for way in WAYS:
            errand = self._errand(case, count, size)
            file = self._folder / "errand.json"
            file.write_bytes(msgspec.json.encode(errand))
            line = [*self._spaces.at_near(), sys.executable, "-P", "-m", "tests.support.exchange_sender"]
            with self._far_side(), self._spaces.joined(case.line, self._seed):
                done = subprocess.run([*line, way, str(file)], stdout=subprocess.PIPE, check=True)
            seconds = float(done.stdout)
            packets = [Path(packet[1]) for packet in errand.packets]
            whole = sum(path.stat().st_size for path in packets)
            carried = whole if way == "plain" and not case.inline else sum(map(travelling(inline=case.inline), packets))
            bits = (8 * amount / seconds / case.line.rate for amount in (whole, count * errand.document, carried))
            shares[way] = Share(*bits)
            told = f"{whole / 1e6:.1f} MB of packets, {carried / 1e6:.1f} MB on the line, {seconds:.1f} s"
            print(f"{case.name}, {way}: {told}, {shares[way].packets:.3f}, {shares[way].line:.3f}", flush=True)
            for path in packets:
                path.unlink()
        return shares

    @contextmanager
    def _far_side(self) -> Iterator[None]:
        """The server, with its front end and the sink, on the far machine."""
        words = (str(self._folder), FAR_ADDRESS, str(FRONT), str(SINK), str(self._port))
        command = [*self._spaces.at_far(), sys.executable, "-P", "-m", "tests.support.exchange_front", *words]
        with (
            many_bodies(self._folder, self._port, 2, self._spaces.at_far()),
            subprocess.Popen(command, stdout=subprocess.PIPE) as front,
        ):
            try:
                assert front.stdout is not None
                assert front.stdout.readline() == b"ready\n"
                yield
            finally:
                front.kill()

    def _errand(self, case: Case, count: int, size: int) -> Errand:
        # "20 MB" is the packet's size, in which the file stands as base64
        document = size if case.inline else size * 3 // 4
        packets = []
        for number in range(count):
            content = os.urandom(document)
            made = make_packet(self._folder, org=code(0), to=(code(1),), number=str(number + 1), content=content)
            packets.append((made.packet_id, str(made.path), made.sha256, made.size, made.document_id))
        for file in self._folder.glob("file-*"):
            file.unlink()  # the packets hold them now
        return Errand(
            url=f"https://{FAR_ADDRESS}:{FRONT}",
            server_id=SERVER_ID,
            certificate_der=der(trust().server.certificate),
            org=code(0),
            device=self._device.device,
            folder=str(self._folder),
            authority=str(self._authority),
            sink=(FAR_ADDRESS, SINK),
            packets=tuple(packets),
            document=document,
            inline=case.inline,
            congestion=self._congestion,
        )


def _make_front(target: Path, authority: Path) -> None:
    """The front end's key and certificate, and the certificate alone, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lienthong.anson.example")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address(FAR_ADDRESS))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    target.touch(mode=0o600)
    target.write_bytes(private + pem)
    authority.write_bytes(pem)


if __name__ == "__main__":
    raise SystemExit(main())
