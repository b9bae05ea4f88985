"""A batch of letters against the token's own limit, beside the plain loop; with --memory what it holds in memory.

Run by `./run bench batch`. A module in front of SoftHSM lets each C_Sign take as long as a real token's and writes down
when each began and ended, so that the limit is counted in its calls. TSA and OCSP are the demonstration's, in a process
of their own, with the delay of a network. The plain loop is pyHanko as its documentation does it, one letter after the
other, with the same token and the same services. Each batch runs in a process of its own, whose peak memory is its
own. Prints tables; asserts nothing about time. It works in a temporary folder.
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

import signer_resources
from benchmarks.batch_ground import Ground, many_letters, prepare, services, written
from signer_app.demo.batch import certificate
from signer_app.pdf.model import Profile
from signer_app.signing.batch import DocumentWork
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.feeding import Feed
from signer_app.signing.gathering import read_list
from signer_app.store.model import FileState
from signer_app.workspace import Overrides, workspace
from signer_token.model import Login, Pin

# What only the preparation or the plain loop needs is imported there: the measured process holds what a batch needs.
if TYPE_CHECKING:
    from signer_app.demo.pki import DemoPki

T = TypeVar("T")

TOKEN_S = 0.150
MEMORY_AIM = 1.1
FONTS = (
    Path("/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf"),
    Path("/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf"),
)
SIDE_PT = 108
_LONG_S = 0.02
SHORT = ("cong-van.pdf", "giay-moi.pdf", "ke-hoach.pdf", "thong-bao.pdf")
"""Letters of a page or two, for where only the number of letters matters."""


@dataclass(frozen=True)
class Case:
    """What is measured: the level, how long a C_Sign takes (0: as SoftHSM does it), the share of its limit aimed at."""

    what: str
    level: str
    token_s: float
    aim: float | None


CASES = (
    Case("B-B", "b-b", 0.0, None),
    Case("B-B, 150 ms", "b-b", TOKEN_S, 0.98),
    Case("B-T, 150 ms", "b-t", TOKEN_S, 0.93),
)


@dataclass(frozen=True)
class Ran:
    """One batch. Times in seconds, memory in kB; `signed` are begin and end of each C_Sign in ns."""

    letters: int
    looked: float
    before: float
    """From the PIN to the first C_Sign."""
    after: float
    """From the last C_Sign until all is kept."""
    signed: tuple[tuple[int, int], ...]
    on_their_way: int
    main_kb: int
    workers_kb: tuple[int, ...]
    main_cpu: float
    workers_cpu: float
    services_cpu: float

    @property
    def steady(self) -> float:
        """From the first C_Sign's begin to the last one's end."""
        return (self.signed[-1][1] - self.signed[0][0]) / 1e9

    @property
    def idle(self) -> list[float]:
        """How long the token had nothing to do between one signature and the next."""
        return [(later[0] - earlier[1]) / 1e9 for earlier, later in pairwise(self.signed)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=1000, metavar="N", help="letters in a batch (1000)")
    parser.add_argument("--plain", type=int, default=0, metavar="N", help="letters of the plain loop (a 15th, 4 to 20)")
    parser.add_argument("--memory", action="store_true", help="instead: peak memory of N and of ten times N letters")
    parser.add_argument("--font", type=Path, metavar="FILE", help="full font for plain pyHanko (Liberation Serif)")
    arguments = parser.parse_args()
    font = arguments.font or next((path for path in FONTS if path.exists()), None)
    if font is None or not font.exists():
        parser.error("Liberation Serif is not installed (fonts-liberation2); install it or give --font")
    letters = max(2, arguments.letters)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ground, pki = prepare(folder)
        with services(pki.folder) as pid:
            ground = replace(ground, services=pid)
            if arguments.memory:
                _memory(ground, pki, folder, letters)
            else:
                plain = arguments.plain or min(20, max(4, letters // 15))
                _speed(ground, pki, folder, letters, plain, font)


def _speed(ground: Ground, pki: "DemoPki", folder: Path, letters: int, plain: int, font: Path) -> None:
    many, console, rows = many_letters(pki, folder), Console(stderr=True), []
    for place, case in enumerate(CASES):
        console.print(f"{case.what}: {letters} letters, then {plain} by the plain loop", style="dim")
        with written(many, folder, place * letters + 1, letters) as listing:
            ran = _apart(_batch, ground, case, listing)
            rows.append((case, ran, _apart(_plain_loop, ground, case, listing, plain, font)))
    _show(letters, plain, rows)


def _memory(ground: Ground, pki: "DemoPki", folder: Path, letters: int) -> None:
    many, console, ran, first = many_letters(pki, folder, SHORT), Console(stderr=True), [], 1
    for count in (letters, 10 * letters):
        console.print(f"memory: {count} letters", style="dim")
        with written(many, folder, first, count) as listing:
            ran.append(_apart(_batch, ground, CASES[0], listing))
        first += count
    _show_memory(ran)


def _apart(work: Callable[..., T], *given: object) -> T:
    """`work` in a new process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *given).result()


# ---- ours -----------------------------------------------------------------------------------------------------------


class _WatchedFeed(Feed):
    """Sees how many documents are in memory at most."""

    most: ClassVar[int] = 0

    def take(self) -> DocumentWork | None:
        work = super().take()
        _WatchedFeed.most = max(_WatchedFeed.most, len(self.taken) + len(self._shelf))
        return work


def _batch(ground: Ground, case: Case, listing: Path) -> Ran:
    """The whole list by the engine, as the command line has it done."""
    module = ground.module
    module.begin_anew()
    module.misbehave(times="on", **({"C_Sign": f"={case.token_s * 1000:.0f}ms"} if case.token_s else {}))
    with (
        workspace(ground.data, Overrides(modules=(module.path,)), writing=True) as space,
        patch("signer_app.signing.engine.Feed", _WatchedFeed),
    ):
        jobs = read_list(listing, profile=Profile.AGENCY, out=None)
        chosen = certificate(space, ground.name, Profile.AGENCY)
        run = SigningRun(space, chosen, jobs, Options(level=case.level, send=False))
        started = time.perf_counter()
        run.examine()
        looked = time.perf_counter() - started
        run.begin()
        workers, main_cpu = _workers(), time.process_time()
        workers_cpu, services_cpu = sum(map(_cpu_s, workers)), _cpu_s(ground.services)
        # The module's clock.
        started = time.monotonic()
        stopped = run.sign_with(Login(Pin(ground.pin)))
        ended = time.monotonic()
        main_cpu = time.process_time() - main_cpu
        # Those that were started meanwhile count from their start.
        workers_cpu = sum(map(_cpu_s, _workers())) - workers_cpu
        services_cpu = _cpu_s(ground.services) - services_cpu
        peaks = tuple(sorted(map(_peak_kb, _workers()), reverse=True))
        result = run.finish(stopped)
        run.reported()
        wrong = [(one.code, one.level) for one in result.each() if (one.state, one.level) != ("signed", case.level)]
    signed = tuple(module.signing_times())
    if stopped is not None or wrong or len(signed) != result.counts.get(FileState.SIGNED, 0):
        raise SystemExit(f"not all letters were signed once: {stopped}, {wrong[:3]}, {len(signed)} calls")
    return Ran(
        letters=len(jobs),
        looked=looked,
        before=signed[0][0] / 1e9 - started,
        after=ended - signed[-1][1] / 1e9,
        signed=signed,
        on_their_way=_WatchedFeed.most,
        main_kb=_peak_kb(os.getpid()),
        workers_kb=peaks,
        main_cpu=main_cpu,
        workers_cpu=workers_cpu,
        services_cpu=services_cpu,
    )


def _peak_kb(pid: int) -> int:
    """The most that a process has had in memory; Linux tells, elsewhere 0."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")), 0)


def _cpu_s(pid: int) -> float:
    """What a process has had of the processors; Linux tells, elsewhere 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _workers() -> list[int]:
    """The workers of this process."""
    children = (
        int(child)
        for listing in Path("/proc/self/task").glob("*/children")
        for child in listing.read_text(encoding="ascii").split()
    )
    return [pid for pid in children if b"--child=worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


# ---- the plain loop -------------------------------------------------------------------------------------------------


def _plain_loop(ground: Ground, case: Case, listing: Path, count: int, font: Path) -> float:
    """Seconds a letter, the first left out: what pyHanko reads only once is not counted."""
    import pkcs11
    from asn1crypto import x509
    from pyhanko import stamp
    from pyhanko.pdf_utils.font.opentype import GlyphAccumulatorFactory
    from pyhanko.pdf_utils.images import PdfImage
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.text import TextBoxStyle
    from pyhanko.sign import PdfSignatureMetadata, PdfSigner
    from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
    from pyhanko.sign.pkcs11 import PKCS11Signer
    from pyhanko.sign.timestamps import HTTPTimeStamper

    # It tells of each table of the full font that it leaves out.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    os.environ["SOFTHSM2_CONF"] = str(ground.tokens)
    token = pkcs11.lib(str(ground.module.path)).get_token(token_label=ground.label)
    seal = str(signer_resources.path("images/sample-seal.png"))
    output = listing.with_name("plain.out")
    with token.open(user_pin=ground.pin) as session:
        signer = PKCS11Signer(
            session,
            signing_cert=x509.Certificate.load(ground.certificate),
            ca_chain=[x509.Certificate.load(der) for der in ground.chain],
            key_label=ground.label,
        )
        stamper = HTTPTimeStamper(ground.tsa) if case.level == "b-t" else None
        started = 0.0
        for at, job in enumerate(read_list(listing, profile=Profile.AGENCY, out=None)[: count + 1]):
            if at == 1:
                started = time.perf_counter()
            style = stamp.TextStampStyle(
                stamp_text=f"{job.number}/{job.notation}\n{job.date}",
                text_box_style=TextBoxStyle(font=GlyphAccumulatorFactory(str(font)), font_size=12),
                background=PdfImage(seal),
                background_opacity=1,
            )
            field = SigFieldSpec("plain", on_page=-1, box=(280, 200, 280 + SIDE_PT, 200 + SIDE_PT))
            meta = PdfSignatureMetadata(field_name="plain", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
            with Path(job.files[0].path).open("rb") as source, output.open("wb") as target:
                PdfSigner(meta, signer, timestamper=stamper, stamp_style=style, new_field_spec=field).sign_pdf(
                    IncrementalPdfFileWriter(source), output=target
                )
        return (time.perf_counter() - started) / min(count, at)


# ---- what is shown --------------------------------------------------------------------------------------------------


def _show(letters: int, plain: int, rows: list[tuple[Case, Ran, float]]) -> None:
    table = Table(title=f"{letters} letters of a leader get seal, number and date; plain loop: {plain}")
    table.add_column("what")
    for head in ("letters/s", "token's limit", "share", "aim", "plain loop, letters/s", "ours is faster by"):
        table.add_column(head, justify="right")
    for case, ran, loop in rows:
        # Without a delay the limit is what SoftHSM itself took.
        token_s = case.token_s or statistics.fmean(ended - begun for begun, ended in ran.signed) / 1e9
        rate, limit = ran.letters / ran.steady, 1 / token_s
        aim = "" if case.aim is None else f"{case.aim:.2f}"
        share = f"{len(ran.signed) * token_s / ran.steady:.3f}"
        table.add_row(case.what, f"{rate:.2f}", f"{limit:.2f}", share, aim, f"{1 / loop:.2f}", f"{rate * loop:.1f}")
    Console().print(table)
    beside = Table(title="beside")
    beside.add_column("what")
    for case, _, _ in rows:
        beside.add_column(case.what, justify="right")
    for what, tell in _BESIDE.items():
        beside.add_row(what, *(tell(ran) for _, ran, _ in rows))
    Console().print(beside)


_BESIDE: dict[str, Callable[[Ran], str]] = {
    "preflight, ms a letter": lambda ran: f"{ran.looked * 1000 / ran.letters:.0f}",
    "from the PIN to the first C_Sign, ms": lambda ran: f"{ran.before * 1000:.0f}",
    "from the last C_Sign to the end, ms": lambda ran: f"{ran.after * 1000:.0f}",
    "idle between two C_Sign: median, ms": lambda ran: f"{statistics.median(ran.idle) * 1000:.1f}",
    "95th percentile, ms": lambda ran: f"{sorted(ran.idle)[int(len(ran.idle) * 0.95)] * 1000:.1f}",
    "longest, ms": lambda ran: f"{max(ran.idle) * 1000:.1f}",
    "longer than 20 ms": lambda ran: f"{sum(idle > _LONG_S for idle in ran.idle)} times",
    "processor: main, ms a letter": lambda ran: f"{ran.main_cpu * 1000 / ran.letters:.0f}",
    "processor: workers, ms a letter": lambda ran: f"{ran.workers_cpu * 1000 / ran.letters:.0f}",
    "processor: TSA and OCSP, ms a letter": lambda ran: f"{ran.services_cpu * 1000 / ran.letters:.0f}",
    "most documents in memory": lambda ran: str(ran.on_their_way),
    "most memory: main, MB": lambda ran: f"{ran.main_kb / 1024:.0f}",
    "most memory: workers, MB": lambda ran: " + ".join(f"{kb / 1024:.0f}" for kb in ran.workers_kb),
}


def _show_memory(ran: list[Ran]) -> None:
    table = Table(title="most in memory, B-B, software token, letters of a page or two")
    table.add_column("letters", justify="right")
    for head in ("documents in memory", "main, MB", "workers, MB", "all, MB", "to the first", "aim", "letters/s"):
        table.add_column(head, justify="right")
    first = ran[0].main_kb + sum(ran[0].workers_kb)
    for one in ran:
        whole = one.main_kb + sum(one.workers_kb)
        table.add_row(
            str(one.letters),
            str(one.on_their_way),
            f"{one.main_kb / 1024:.0f}",
            " + ".join(f"{kb / 1024:.0f}" for kb in one.workers_kb),
            f"{whole / 1024:.0f}",
            f"{whole / first:.2f}",
            "" if one is ran[0] else f"{MEMORY_AIM:.1f}",
            f"{one.letters / one.steady:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
