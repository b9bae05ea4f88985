"""A hundred clients at once against the reference server: is anything lost or doubled, and how long do answers take?

Run by `./run bench clients`. Each client is a body of its own with the program's loop, its feed held open, and stores
in memory; about every `--every` seconds it sends a packet to any of them. The server is a process of its own, with its
database and fsync; it and all clients share this machine's processors. Ends with 1 if anything is lost or doubled.
"""

import argparse
import secrets
import statistics
import tempfile
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from signer_sync.client import ServerClient
from signer_sync.http import HttpSettings, open_session
from signer_sync.keystore import DeviceIdentity, FileKeyStore
from tests.server.process import prepare
from tests.server.world import pinned
from tests.support.exchange_crowd import MEETING_S, Task, Told, crowd
from tests.support.exchange_server import enrolled, many_bodies


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100, metavar="N", help="clients at once (100)")
    parser.add_argument("--seconds", type=float, default=600.0, metavar="S", help="how long they send (600)")
    parser.add_argument("--every", type=float, default=5.0, metavar="S", help="seconds between a client's packets (5)")
    parser.add_argument("--size", type=int, default=150_000, metavar="BYTES", help="of each packet's file (150,000)")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="that share the clients (2)")
    parser.add_argument("--seed", type=int, metavar="N", help="what all is drawn from (a new one each time)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
    clients = max(2, arguments.clients)
    print(f"seed {seed}: {clients} clients, {arguments.seconds:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = prepare(folder)
        url = f"http://127.0.0.1:{port}"
        with many_bodies(folder, port, clients):
            devices = [enrolled(url, number) for number in range(clients)]
            for device in devices:
                device.save(FileKeyStore(folder / "keys"))
            began = time.monotonic()
            told = _crowds(arguments, url, folder, devices, seed)
            seconds = time.monotonic() - began
            at_server = Counter(packet for device in devices for packet in _fed(url, device))
    return _judge(told, at_server, seconds)


def _crowds(
    arguments: argparse.Namespace, url: str, folder: Path, devices: list[DeviceIdentity], seed: int
) -> list[Told]:
    context = get_context("spawn")
    count = max(1, min(arguments.processes, len(devices)))
    through, answers = context.Barrier(count), context.Queue()
    processes = []
    for at in range(count):
        task = Task(
            url=url,
            server=pinned(),
            folder=folder,
            members=tuple((number, devices[number].device) for number in range(at, len(devices), count)),
            all=len(devices),
            seconds=arguments.seconds,
            every=arguments.every,
            size=arguments.size,
            seed=seed * count + at,
        )
        processes.append(context.Process(target=crowd, args=(task, through, answers)))
        processes[-1].start()
    told = [answers.get(timeout=arguments.seconds + 3 * MEETING_S) for _ in processes]
    for process in processes:
        process.join()
    return told


def _fed(url: str, device: DeviceIdentity) -> list[str]:
    """Every packet in a body's feed, as often as it stands there."""
    found: list[str] = []
    with open_session(HttpSettings()) as session:
        client, cursor, more = ServerClient(url, pinned(), device, session), None, True
        while more:
            page = client.feed(cursor)
            cursor, more = page.cursor, page.more
            found += [item.id for item in page.items if item.type == "packet"]
    return found


def _judge(told: list[Told], at_server: Counter[str], seconds: float) -> int:
    sent = {packet: to for one in told for packet, to in one.sent.items()}
    proven = set().union(*(one.proven for one in told))
    kept = Counter((org, packet) for one in told for org, packets in one.kept.items() for packet in packets)
    lost = [packet for packet, to in sent.items() if (to, packet) not in kept or not at_server[packet]]
    doubled = [packet for packet, times in at_server.items() if times > 1 or packet not in sent]
    doubled += [packet for (_, packet), times in kept.items() if times > 1]
    table = Table(title=f"{len(sent)} packets in {seconds:.0f} s")
    for column in ("answers", "count", "p50, ms", "p99, ms", "longest, ms"):
        table.add_column(column, justify="left" if column == "answers" else "right")
    for kind in sorted({kind for one in told for kind in one.answers}):
        times = sorted(1000 * took for one in told for took in one.answers.get(kind, ()))
        p99 = times[min(len(times) - 1, round(0.99 * len(times)))]
        table.add_row(kind, str(len(times)), f"{statistics.median(times):.0f}", f"{p99:.0f}", f"{times[-1]:.0f}")
    console = Console()
    console.print(table)
    troubles: Counter[str] = sum((one.troubles for one in told), Counter())
    console.print(f"lost: {len(lost)}; doubled: {len(doubled)}; without a receipt: {len(sent.keys() - proven)}")
    console.print("troubles: " + (", ".join(f"{name} {count}" for name, count in troubles.most_common()) or "none"))
    return 1 if lost or doubled or sent.keys() - proven else 0


if __name__ == "__main__":
    raise SystemExit(main())
