"""Kills two programs and their server again and again while documents are exchanged over a bad line: none may be lost
or doubled at the end, and every receipt must verify.

Run by `./run bench exchange_campaign`. Two bodies run `signer sync` and send each other documents, small and large,
which the other's program answers. Between them and the server each request meets a fault by chance: an answer is lost
or truncated, a body reset in its middle, the line stalls, a portal or a gateway answers, a bit flips. SIGKILL falls on
either program with its workers, or on the server. The seed is printed; it gives the same instants and faults again, but
what they hit depends on the machine. Ends with 1 if anything is wrong. It works in a temporary folder.
"""

import argparse
import random
import secrets
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.support.exchange_campaign import SERVER, Findings, Tally, campaign, findings
from tests.support.exchange_faults import BadLine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1000, metavar="N", help="documents of both bodies (1,000)")
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="kills in all (200)")
    parser.add_argument("--seed", type=int, metavar="N", help="what all is drawn from (a new one each time)")
    parser.add_argument("--faults", type=float, default=0.1, metavar="P", help="share of requests with a fault (0.1)")
    parser.add_argument("--pause", type=float, default=3.0, metavar="S", help="seconds between kills at most (3)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
    documents, kills = max(1, arguments.documents), max(1, arguments.kills)
    print(f"seed {seed}: {documents} documents, {kills} kills", flush=True)
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as name,
        campaign(Path(name), documents, kills, random.Random(seed), arguments.faults) as made,
    ):
        made.kill(arguments.pause)
        made.finish()
        found = findings(made.place, made.tally.given)
        _show(made.line, made.tally, found, seed, time.monotonic() - started)
        well = found.all_is_well and found.packets == 2 * documents
        return 0 if well and not made.tally.tracebacks and not made.tally.ends else 1


def _show(line: BadLine, tally: Tally, found: Findings, seed: int, seconds: float) -> None:
    table = Table(title=f"{found.documents} documents, seed {seed}, {seconds:.0f} s")
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("which")
    programs = tally.kills.total() - tally.kills[SERVER]
    table.add_row("kills", str(tally.kills.total()), f"{programs} of a program, {tally.kills[SERVER]} of the server")
    table.add_row("of programs, with packets on their way", str(tally.in_the_midst), "")
    faults = ", ".join(f"{fault.value} {count}" for fault, count in line.counts.most_common())
    table.add_row("faults", str(line.counts.total()), f"of {line.asked} requests: {faults}")
    ends = ", ".join(f"{count} with {code}" for code, count in sorted(tally.ends.items()))
    table.add_row("programs that ended by themselves", str(tally.ends.total()), ends)
    table.add_row("tracebacks shown", str(tally.tracebacks), "")
    table.add_row("passes at the end", str(tally.passes), "")
    table.add_row("packets", str(found.packets), "documents and the status messages that answer them")
    table.add_row("receipts that verify", str(found.receipts), "")
    outcomes = {
        "lost": found.lost,
        "doubled": found.doubled,
        "altered": found.altered,
        "without a good receipt": found.bad_receipts,
        "receipts' numbers wrong": found.chains,
    }
    for what, wrong in outcomes.items():
        table.add_row(what, str(len(wrong)), ", ".join(wrong[:5]))
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main())
