"""Signs a list by the command line and kills it again and again at random instants; then looks what it left.

For the test and the benchmark of that name, in their own process; Linux, for it finds the program's children in /proc.
A power cut ends the program and all its children at the same moment; now and then a child alone is killed first. The
program knows nothing of it: it is told to sign the list, and from then on to resume.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from signer_app.custody.anchors import prove_journal
from signer_app.store import DataFolder, Store, load_settings
from signer_app.store.documents import canonical_number
from signer_app.store.model import Document, FileState, StoredFile
from signer_app.store.store import StoreReader, View
from signer_app.verification.model import TrustMaterial

SIGNED = ".signed.pdf"
_CHILDREN = ("worker", "token-host")
_ONE_CHILD = 0.25
"""So often a child is killed before all are."""
_DEADLINE_S = 600.0


@dataclass(frozen=True)
class Place:
    """What is signed and where: the command line up to the command, its environment, and a list of letters N.pdf, of
    which the N-th gets the number N.
    """

    line: Sequence[str]
    environment: Mapping[str, str]
    data: Path
    listing: Path
    documents: int
    pin: str

    @property
    def outputs(self) -> list[Path]:
        """The signed letters that lie beside the others."""
        return list(self.listing.parent.glob(f"*{SIGNED}"))


@dataclass
class Tally:
    """What was done: kills of everything, how many of them fell while a letter was between its preparation and its end,
    kills of each kind of child, and how each run that lived ended.
    """

    kills: int = 0
    in_the_midst: int = 0
    children: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    tracebacks: int = 0

    @property
    def all_kills(self) -> int:
        """Of everything and of children."""
        return self.kills + self.children.total()


class Campaign:
    """`kills` of one batch; `looking` of them while it looks at the documents, before anything is written down."""

    def __init__(self, place: Place, chance: random.Random, kills: int, looking: int = 2) -> None:
        self._place = place
        self._chance = chance
        self._wanted = kills
        self._looking = looking
        self._window = 4.0
        """Seconds within which the next one falls; wider while the letters are behind the kills."""
        self.tally = Tally()

    def kill(self) -> None:
        """All kills; fewer where the letters are through before."""
        for _ in range(self._looking):
            self._run(self._sign, self._chance.uniform(0.0, 0.05 * self._place.documents + 2.0))
        self._run(self._sign, None)
        # Where every run ends by itself, something else is wrong: then it is told what is there.
        while (
            self.tally.all_kills < self._wanted and not self._all_signed() and self.tally.ends.total() <= self._wanted
        ):
            signed, due = len(self._place.outputs) / self._place.documents, self.tally.all_kills / self._wanted
            self._window = min(30.0, self._window * 1.15) if signed < due else max(0.5, self._window / 1.15)
            self._run(self._resume(), self._chance.uniform(0.0, self._window))

    def finish(self) -> None:
        """As many runs as it takes, which live."""
        for _ in range(5):
            if self._all_signed():
                break
            self._run(self._resume(), _DEADLINE_S)
        # What was signed, but not put out yet, is put out by the next start.
        self._run(("resume",), _DEADLINE_S)

    @property
    def _sign(self) -> tuple[str, ...]:
        return ("sign", "--list", str(self._place.listing), "--profile", "agency", "--level", "b-b")

    def _resume(self) -> tuple[str, ...]:
        """As a clerk would: what has failed, because a child was killed, is tried again."""
        with _reader(self._place.data) as (_, view):
            last = view.batches.latest()
            failed = view.batches.counts(last.id).get(FileState.FAILED, 0) if last is not None else 0
        if last is None:
            return self._sign
        return ("resume", "--retry-failed") if failed else ("resume",)

    def _all_signed(self) -> bool:
        with _reader(self._place.data) as (_, view):
            return sum(1 for _ in _documents(view)) >= self._place.documents

    def _run(self, command: Sequence[str], seconds: float | None) -> None:
        """One run that is killed after so many seconds; None: soon after its first letter."""
        before = len(self._place.outputs)
        complaints = self._place.data.parent / "complaints"
        with (
            complaints.open("wb") as told,
            subprocess.Popen(
                [*self._place.line, "--json", *command, "--pin-stdin"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=told,
                env=dict(self._place.environment),
                start_new_session=True,
            ) as process,
        ):
            assert process.stdin is not None
            self.tally.runs += 1
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(self._place.pin.encode() + b"\n")
                process.stdin.close()
            started = time.monotonic()
            if seconds is None:
                while len(self._place.outputs) == before and process.poll() is None:
                    if time.monotonic() - started > _DEADLINE_S:
                        break
                    time.sleep(0.005)
                seconds = time.monotonic() - started + self._chance.uniform(0.0, 1.0)
            self._end(process, started, seconds)
        self.tally.tracebacks += complaints.read_bytes().count(b"Traceback")

    def _end(self, process: "subprocess.Popen[bytes]", started: float, seconds: float) -> None:
        if self._chance.random() < _ONE_CHILD:
            _wait(process, started + seconds * self._chance.random())
            self._kill_child(process)
        if not _wait(process, started + seconds):
            self.tally.kills += 1
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.tally.in_the_midst += any((self._place.data / "work").glob("*/document-*"))
        else:
            self.tally.ends[process.returncode] += 1

    def _kill_child(self, process: "subprocess.Popen[bytes]") -> None:
        children = sorted(_children(process.pid))
        if not children:
            return
        pid, kind = self._chance.choice(children)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.tally.children[kind] += 1


def _wait(process: "subprocess.Popen[bytes]", until: float) -> bool:
    """Whether the process has ended by itself before that moment."""
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _children(pid: int) -> Iterator[tuple[int, str]]:
    """The program's own children: their ids and kinds."""
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        # Any of them may end while we look.
        with contextlib.suppress(OSError):
            for child in map(int, listing.read_text(encoding="ascii").split()):
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                for kind in _CHILDREN:
                    if f"--child={kind}".encode() in words:
                        yield child, kind


@contextlib.contextmanager
def _reader(data: Path) -> Iterator[tuple[StoreReader, View]]:
    with Store.read_only(DataFolder(data)) as store, store.view() as view:
        yield store, view


def _documents(view: View) -> Iterator[Document]:
    before = None
    while page := view.documents.list(before=before):
        yield from page
        before = page[-1].id


# ---- what is left ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Findings:
    """What is wrong, by name; all empty where nothing is. `by_pdfsig` and `by_qpdf` are None where they are missing."""

    documents: int
    lost: list[str]
    doubled: list[str]
    broken: list[str]
    left_behind: list[str]
    journal: list[str]
    by_pdfsig: list[str] | None
    by_qpdf: list[str] | None

    @property
    def all_is_well(self) -> bool:
        """Whether nothing is wrong."""
        found = (self.lost, self.doubled, self.broken, self.left_behind, self.journal, self.by_pdfsig, self.by_qpdf)
        return not any(found)


def findings(place: Place, *, to: bool) -> Findings:
    """Everything that the database, the registers, the journal and the folders tell; `to`: there is a receiver."""
    with _reader(place.data) as (store, view):
        documents = list(_documents(view))
        files = [file for document in documents for file in view.documents.files(document.id)]
        packets = [packet.document_id or "" for packet in view.outbox.list()] if to else []
        waiting = [row.input_path for batch in view.batches.unfinished() for row in view.batches.files(batch.id)]
        kept = [f"number {kept.shown} is still kept" for kept in view.reservations.list()]
        broken = [file.name for file in files if not _is_whole(place, store, file)]
        journal = _journal(place, view, files)
    wanted = {f"{number}.pdf" for number in range(1, place.documents + 1)}
    names, outputs = Counter(file.name for file in files), {path.name for path in place.outputs}
    put_out = {name.removesuffix(".pdf") + SIGNED for name in wanted}
    numbers = Counter(canonical_number(document.number or "") for document in documents)
    expected = {canonical_number(str(number)) for number in range(1, place.documents + 1)}
    sent = Counter(packets)
    return Findings(
        documents=len(documents),
        lost=sorted(
            [*(wanted - names.keys()), *(put_out - outputs), *(f"number {n}" for n in expected - numbers.keys())]
            + [f"packet of {document.label}" for document in documents if to and not sent[document.id]]
        ),
        doubled=sorted(
            [name for name, times in (*names.items(), *numbers.items(), *sent.items()) if times > 1]
            + [*(outputs - put_out), *(names.keys() - wanted), *(f"number {n}" for n in numbers.keys() - expected)]
        ),
        broken=sorted(broken),
        left_behind=sorted([*waiting, *kept, *_rests(place)]),
        journal=journal,
        by_pdfsig=_each(place.outputs, _pdfsig_refuses) if shutil.which("pdfsig") else None,
        by_qpdf=_each(place.outputs, _qpdf_refuses) if shutil.which("qpdf") else None,
    )


def _is_whole(place: Place, store: StoreReader, file: StoredFile) -> bool:
    """The copy beside the letter is the store's own, and the letter with something behind it."""
    source = place.listing.with_name(file.name)
    output = source.with_suffix(SIGNED)
    if file.blob_out is None or not output.exists():
        return False
    content = output.read_bytes()
    return content == store.blobs.path(file.blob_out).read_bytes() and content.startswith(source.read_bytes())


def _journal(place: Place, view: View, files: Sequence[StoredFile]) -> list[str]:
    """The chain holds, and tells of each signed file once."""
    check = prove_journal(view, load_settings(DataFolder(place.data)), TrustMaterial()).verified.check
    wrong = [f"broken at {check.broken_at}"] if check.broken_at is not None else []
    told: Counter[str | None] = Counter()
    before = None
    while page := view.journal.entries(before=before):
        told.update(entry.use.sha256 for entry in page if entry.use.action == "sign" and entry.use.result == "ok")
        before = page[-1].seq
    return [*wrong, *(f"{file.name}: told {told[file.blob_out]} times" for file in files if told[file.blob_out] != 1)]


def _rests(place: Place) -> Iterator[str]:
    """Temporary files of runs that were killed."""
    yield from (str(path) for path in (place.data / "work").glob("*"))
    yield from (str(path) for path in (place.data / "blobs").glob("incoming/*"))
    yield from (path.name for path in place.listing.parent.glob(".*"))


def _each(paths: Sequence[Path], refuses: Callable[[Path], bool]) -> list[str]:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return sorted(path.name for path, bad in zip(paths, pool.map(refuses, paths), strict=True) if bad)


def _pdfsig_refuses(path: Path) -> bool:
    """Two signatures, the leader's and ours, and both right."""
    done = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=False, timeout=_DEADLINE_S)
    return done.stdout.count(b"Signature is Valid.") != 2 or done.stdout.count(b"Signature Validation:") != 2


def _qpdf_refuses(path: Path) -> bool:
    done = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, check=False, timeout=_DEADLINE_S)
    return done.returncode != 0
