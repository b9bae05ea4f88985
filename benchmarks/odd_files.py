"""What becomes of files that are odd on purpose: ours beside plain pyHanko, file by file.

Run by `./run bench odd_files [FOLDER] [--write FILE]`. Each file goes the product's way, in worker processes with their
deadline: preflight, repair where that is offered, prepare, finish, recheck; once invisible and once with a stamp on
page 1. Plain pyHanko signs the same file in a child of its own, strict and then lenient, invisibly; its output is
judged by the same recheck. Needs no token and no network; never touches a data folder; asserts nothing.
"""

import argparse
import csv
import datetime as dt
import hashlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import keys, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore
from rich.console import Console
from rich.table import Table

from signer_app.demo.leaf import Leaf
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.pdf.model import Finding, PlaceOption, PreflightRequest, Profile, Severity
from signer_app.pdf.plan import SignStep
from signer_app.tasks import Finish, Preflight, PreflightAnswer, Prepare, Recheck, Repair, Verify
from signer_app.verification.model import TrustMaterial
from signer_app.verification.trust_dir import load_trust_dir
from signer_app.workers import Workers
from signer_resources import rules
from signer_resources.errors import KnownError

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "pdfs"
SHOWN = PlaceOption(1, 2, 2, 40, 12)
SIGNED, REPAIRED = "signed", "signed after repair"


@dataclass(frozen=True)
class Outcome:
    """What became of one file; `detail` is for whoever looks for the reason."""

    what: str
    detail: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether there is a signed file that passed the recheck."""
        return self.what in {SIGNED, REPAIRED}


@dataclass(frozen=True)
class Row:
    """One file's outcomes: ours twice, plain pyHanko's."""

    name: str
    invisible: Outcome
    visible: Outcome
    plain: Outcome


class Way:
    """The product's way over one file at a time, with a key in memory in the token's place."""

    def __init__(self, workers: Workers, leaf: Leaf, trust: TrustMaterial, folder: Path) -> None:
        self._workers = workers
        self._leaf = leaf
        self._trust = trust
        self._folder = folder

    def outcome(self, file: Path, place: PlaceOption | None) -> Outcome:
        """Ours, with a visible stamp where there is a place."""
        started = time.perf_counter()
        try:
            what, detail = self._signed(file, place)
        except KnownError as error:
            what, detail = f"refused: {error.code}", str(dict(error.params))
        return Outcome(what, detail, time.perf_counter() - started)

    def _signed(self, file: Path, place: PlaceOption | None) -> tuple[str, str]:
        answer = self._preflight(file, place, original=None)
        good = SIGNED
        if "pdf_needs_repair" in [finding.code for finding in _refused(answer)]:
            repaired = self._folder / "repaired.pdf"
            self._workers.repair(Repair(str(file), str(repaired)))
            answer, file, good = self._preflight(repaired, place, original=_sha256(file)), repaired, REPAIRED
        if answer.result.plan is None:
            return f"refused: {_refused(answer)[0].code}", str(_refused(answer)[0].params)
        output = self._folder / "signed.pdf"
        (step,) = answer.result.plan.steps
        chain = self._leaf.chain_der[1:]
        own = self._leaf.certificate_der
        prepared = self._workers.prepare(Prepare(str(file), str(output), step, {}, NOW, own, chain)).prepared
        signature = self._leaf.private_key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256())
        self._workers.finish(Finish(str(output), prepared, own, chain, signature, None))
        fault, detail = self._fault(file, output, (step,), answer)
        return (good, "") if fault is None else (f"refused: {fault}", detail)

    def _preflight(self, file: Path, place: PlaceOption | None, original: str | None) -> PreflightAnswer:
        request = PreflightRequest(
            profile=Profile.PLAIN,
            blob=_sha256(file),
            certificate=self._leaf.sha256,
            certificate_name=str(x509.Certificate.load(self._leaf.certificate_der).subject.native["common_name"]),
            rules=rules.load(NOW.date()).version,
            number=None,
            notation=None,
            date=None,
            today=NOW.date(),
            body=None,
            picture=None,
            place=place,
            original=original,
        )
        return self._workers.preflight(Preflight(str(file), request, self._trust, NOW))

    def _fault(
        self, file: Path, output: Path, steps: tuple[SignStep, ...], answer: PreflightAnswer
    ) -> tuple[str | None, str]:
        found = self._workers.recheck(
            Recheck(str(file), str(output), steps, answer.report, self._leaf.sha256, self._trust, NOW)
        ).rechecked
        return found.fault, found.detail

    def plain(self, file: Path, pki: Path, deadline_s: float) -> Outcome:
        """Plain pyHanko's, strict and then lenient, in a child."""
        started = time.perf_counter()
        output = self._folder / "plain.pdf"
        output.unlink(missing_ok=True)
        command = [sys.executable, "-P", __file__, str(file), "--plain", str(output), "--pki", str(pki)]
        try:
            child = subprocess.run(command, capture_output=True, text=True, timeout=deadline_s, check=False)
        except subprocess.TimeoutExpired:
            return Outcome("no answer in time", "", time.perf_counter() - started)
        seconds = time.perf_counter() - started
        said = (child.stdout or child.stderr).strip().splitlines()[-1:]
        if child.returncode or not output.exists():
            return Outcome("refused", " ".join(said), seconds)
        return Outcome(*self._plain_judged(file, output), seconds)

    def _plain_judged(self, file: Path, output: Path) -> tuple[str, str]:
        step = SignStep("plain", existing=False, page=None, rect=None, drawing=None)
        try:
            before = self._workers.verify(Verify(str(file), self._trust, NOW)).report
            found = self._workers.recheck(
                Recheck(str(file), str(output), (step,), before, self._leaf.sha256, self._trust, NOW)
            ).rechecked
        except KnownError as error:
            return f"bad output: {error.code}", ""
        return (SIGNED, "") if found.fault is None else (f"bad output: {found.fault}", found.detail)


def _refused(answer: PreflightAnswer) -> list[Finding]:
    return [finding for finding in answer.result.findings if finding.severity is Severity.REFUSED]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


# ---- plain pyHanko, in a child of its own ---------------------------------------------------------------------------


def _sign_plainly(file: Path, output: Path, pki: Path) -> None:
    """As pyHanko's own documentation does it: strict, and lenient where that fails; an invisible signature."""
    leaf = DemoPki.create_or_load(pki).leaf(Holder.AGENCY)
    signer = SimpleSigner(
        signing_cert=x509.Certificate.load(leaf.certificate_der),
        signing_key=keys.PrivateKeyInfo.load(leaf.private_key_der),
        cert_registry=SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
            [x509.Certificate.load(der) for der in leaf.chain_der[1:]]
        ),
    )
    metadata = PdfSignatureMetadata(field_name="plain", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    for strict in (True, False):
        try:
            with file.open("rb") as source, output.open("w+b") as target:
                writer = IncrementalPdfFileWriter(source, strict=strict)
                PdfSigner(metadata, signer, new_field_spec=SigFieldSpec("plain")).sign_pdf(writer, output=target)
            return
        except Exception:
            output.unlink(missing_ok=True)
            if not strict:
                raise


# ---- the table ------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=CORPUS, help="PDF files to be signed")
    parser.add_argument("--deadline", type=float, default=30.0, metavar="S", help="seconds for each task (30)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table by file as TSV too")
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--pki", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain is not None:
        _sign_plainly(arguments.folder, arguments.plain, arguments.pki)
        return
    files = sorted(arguments.folder.glob("*.pdf")) if arguments.folder.is_dir() else [arguments.folder]
    if not files:
        # The collection lies beside the project, not in it.
        Console().print(f"no PDF files in {arguments.folder.name}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pki = DemoPki.create_or_load(folder / "pki")
        pki.write_trust_dir(folder / "trust")
        with Workers(deadline_s=arguments.deadline) as workers:
            way = Way(workers, pki.leaf(Holder.AGENCY), load_trust_dir(folder / "trust"), folder)
            rows = [
                Row(
                    file.name,
                    way.outcome(file, None),
                    way.outcome(file, SHOWN),
                    way.plain(file, folder / "pki", arguments.deadline),
                )
                for file in files
            ]
    _show(rows)
    if arguments.write is not None:
        _write(rows, arguments.write)


def _show(rows: Sequence[Row]) -> None:
    by_file = Table(title=f"{len(rows)} files")
    summary = Table(title="in all")
    for table, first in ((by_file, "file"), (summary, "what became of it")):
        for head in (first, "ours, invisible", "ours, visible", "plain pyHanko"):
            table.add_column(head, overflow="fold")
    for row in rows:
        by_file.add_row(row.name, *(f"{o.what} ({o.seconds:.1f} s)" for o in (row.invisible, row.visible, row.plain)))
    counts = [Counter(o.what for o in column) for column in _columns(rows)]
    for what in sorted({key for count in counts for key in count}, key=lambda key: -counts[0][key]):
        summary.add_row(what, *(str(count[what]) for count in counts))
    summary.add_row("signed in all", *(str(sum(o.good for o in column)) for column in _columns(rows)))
    Console(width=160).print(by_file, summary)


def _columns(rows: Sequence[Row]) -> tuple[list[Outcome], ...]:
    return [r.invisible for r in rows], [r.visible for r in rows], [r.plain for r in rows]


def _write(rows: Sequence[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle, delimiter="\t", lineterminator="\n")
        table.writerow(("file", "invisible", "detail", "seconds", "visible", "detail", "seconds", "plain", "detail"))
        for row in rows:
            ours = (f for o in (row.invisible, row.visible) for f in (o.what, o.detail, f"{o.seconds:.2f}"))
            table.writerow((row.name, *ours, row.plain.what, row.plain.detail))


if __name__ == "__main__":
    main()
