"""Kills a batch of letters again and again at random instants: none may be lost, doubled or broken at the end.

Run by `./run bench kill_campaign`. Letters of one or two pages, each signed by its leader, get seal, number and date by
the command line: `sign --list`, and after each SIGKILL to the whole program, or now and then to one of its children,
`resume`. The seed is printed; it gives the same instants again, but what they hit depends on the machine. Ends with 1
if anything is wrong. It works in a temporary folder.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from signer_app.demo.workspace import prepare
from signer_app.workspace import Overrides, workspace
from tests.support.kills import Campaign, Findings, Place, Tally, findings
from tests.support.many_letters import ManyLetters, write_list

SHORT = ("cong-van.pdf", "giay-moi.pdf", "ke-hoach.pdf", "thong-bao.pdf")
"""Of a page or two: what is signed makes no difference here."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500, metavar="N", help="letters of the batch (500)")
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="kills in all (200)")
    parser.add_argument("--seed", type=int, metavar="N", help="what the instants are drawn from (a new one each time)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
    documents, kills = max(1, arguments.documents), max(1, arguments.kills)
    print(f"seed {seed}: {kills} kills, {documents} letters", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        place = _place(Path(name), documents)
        campaign = Campaign(place, random.Random(seed), kills)
        campaign.kill()
        campaign.finish()
        tally, found = campaign.tally, findings(place, to=True)
    _show(tally, found, documents, seed, time.monotonic() - started)
    return 0 if found.all_is_well and not tally.tracebacks else 1


def _place(folder: Path, documents: int) -> Place:
    data, letters, home = folder / "data", folder / "letters", folder / "home"
    with workspace(data, Overrides(), writing=True) as space:
        demo = prepare(space.folder, None)
    for made in (letters, home):
        made.mkdir()
    many, listing = ManyLetters(demo.pki, folder, SHORT), letters / "list.csv"
    write_list((many.write(number, letters / f"{number}.pdf") for number in range(1, documents + 1)), listing, to="H77")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SIGNER_", "SOFTHSM2_"))}
    return Place(
        line=[sys.executable, "-P", "-m", "signer_app", "--data-dir", str(data)],
        environment={**environment, "HOME": str(home), "XDG_DATA_HOME": str(home)},
        data=data,
        listing=listing,
        documents=documents,
        pin=demo.pin.reveal(),
    )


def _show(tally: Tally, found: Findings, documents: int, seed: int, seconds: float) -> None:
    children = ", ".join(f"{count} of a {kind}" for kind, count in sorted(tally.children.items())) or "none"
    ends = ", ".join(f"{count} with {code}" for code, count in sorted(tally.ends.items()))
    table = Table(title=f"{documents} letters, seed {seed}, {seconds:.0f} s")
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("which")
    table.add_row("runs", str(tally.runs), f"ended by themselves: {ends}")
    table.add_row("kills", str(tally.all_kills), f"{tally.kills} of the whole program; of a child alone: {children}")
    table.add_row("of these, with letters on their way", str(tally.in_the_midst), "")
    table.add_row("tracebacks shown", str(tally.tracebacks), "")
    table.add_row("documents in the database", str(found.documents), "")
    outcomes = {
        "lost": found.lost,
        "doubled": found.doubled,
        "broken": found.broken,
        "left behind": found.left_behind,
        "journal wrong": found.journal,
        "refused by pdfsig": found.by_pdfsig,
        "refused by qpdf --check": found.by_qpdf,
    }
    for what, wrong in outcomes.items():
        if wrong is None:
            table.add_row(what, "", "not installed")
        else:
            table.add_row(what, str(len(wrong)), ", ".join(wrong[:5]))
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main())
