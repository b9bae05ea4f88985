"""How long a check of signatures takes in a warm worker, beside pdfsig and plain pyHanko on the same files.

Run by `./run bench verification`. Files of 1 to 100 signatures, invisible and visible, and one large file beside what
reading and hashing it takes. Keys of a PKI in memory, no network, no data folder. Prints tables; asserts that all is
well signed, and nothing about time.
"""

import argparse
import hashlib
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore
from rich.console import Console
from rich.table import Table

from signer_app.tasks import Verify
from signer_app.verification.model import Integrity, TrustMaterial
from signer_app.workers import Workers
from tests.verification.documents import Box, SignAs, drawing, make_document, sign
from tests.verification.small_pki import NOW, Holder, make_certificate, make_crl

COUNTS = (1, 10, 50, 100)
AIM_S, AIM_RATIO, AIM_LARGE = 1.0, 2.2, 2.0


@dataclass(frozen=True)
class File:
    """A signed file of the measurement."""

    what: str
    count: int
    path: Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="checks of each file, the median counts (5)")
    parser.add_argument("--plain", type=int, default=50, metavar="N", help="most signatures for plain pyHanko (50)")
    parser.add_argument("--large", type=int, default=1024, metavar="MB", help="size of the large file; 0: none (1024)")
    arguments = parser.parse_args()
    root = make_certificate("Root", None, ca=True)
    leaf = make_certificate("Leaf", root, usage="content_commitment")
    trust = TrustMaterial(anchors=(root.der,), crls=(make_crl(root),))
    console = Console()
    with tempfile.TemporaryDirectory() as name, Workers() as workers:
        folder = Path(name)
        files = [*_files(folder, leaf, visible=False), *_files(folder, leaf, visible=True)]

        def ours(path: Path) -> None:
            report = workers.verify(Verify(str(path), trust, NOW)).report
            assert report.integrity is Integrity.INTACT, report

        def plain(path: Path) -> None:
            _plain(path, root)

        ours(files[0].path)
        plain(files[0].path)
        console.print(_signatures(files, ours, plain, arguments.runs, arguments.plain))
        if arguments.large:
            path = folder / "large.pdf"
            _write_large(path, leaf, arguments.large << 20)
            console.print(_large(path, ours, arguments.runs))


def _files(folder: Path, holder: Holder, *, visible: bool) -> list[File]:
    document, made = make_document(pages=1), []
    for number in range(max(COUNTS)):
        x, y = 40 + number % 10 * 52, 60 + number // 10 * 40
        box: Box = (x, y, x + 46, y + 34)
        style = drawing("0 0 1 RG 4 4 m 40 28 l S", box)
        how = SignAs(f"S{number}", box=box, style=style) if visible else SignAs(f"S{number}")
        document = sign(document, holder, how)
        if number + 1 in COUNTS:
            path = folder / f"{'visible' if visible else 'invisible'}-{number + 1}.pdf"
            path.write_bytes(document)
            made.append(File("visible" if visible else "invisible", number + 1, path))
    return made


def _plain(path: Path, root: Holder) -> None:
    """As pyHanko's documentation does it, for each signature of the file."""
    with path.open("rb") as file:
        for signature in PdfFileReader(file).embedded_signatures:
            context = ValidationContext(trust_roots=[root.asn1], moment=NOW, allow_fetching=False)
            assert validate_pdf_signature(signature, context).bottom_line


def _pdfsig(path: Path) -> None:
    subprocess.run(["pdfsig", "-nocert", str(path)], check=True, capture_output=True)


def _seconds(work: Callable[[Path], None], path: Path, runs: int) -> float:
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        work(path)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _signatures(
    files: Sequence[File],
    ours: Callable[[Path], None],
    plain: Callable[[Path], None],
    runs: int,
    most_plain: int,
) -> Table:
    table = Table(
        title=f"Seconds for a check, median of {runs}; aims: 50 in {AIM_S:g} s, 100 in {AIM_RATIO} times that"
    )
    table.add_column("signatures")
    for head in ("ours", "to half as many", "pdfsig -nocert", "plain pyHanko"):
        table.add_column(head, justify="right")
    have_pdfsig = shutil.which("pdfsig") is not None
    taken: dict[tuple[str, int], float] = {}
    for file in files:
        seconds = taken[file.what, file.count] = _seconds(ours, file.path, runs)
        half = taken.get((file.what, file.count // 2))
        table.add_row(
            f"{file.count} {file.what}",
            f"{seconds:.3f}",
            f"{seconds / half:.2f}" if half else "",
            f"{_seconds(_pdfsig, file.path, runs):.3f}" if have_pdfsig else "not here",
            f"{_seconds(plain, file.path, 1):.3f}" if file.count <= most_plain else "",
        )
    return table


def _write_large(path: Path, holder: Holder, size: int) -> None:
    """A signed document with an attached stream of this many bytes, none of them a hole in the file."""
    base = path.with_suffix(".unsigned")
    start_of_table = make_document(pages=1).split()[-2]
    block = hashlib.shake_256(b"large").digest(1 << 20)
    with base.open("wb") as file:
        file.write(make_document(pages=1))
        start = file.tell()
        file.write(b"90 0 obj\n<< /Length %d >>\nstream\n" % size)
        for _ in range(size >> 20):
            file.write(block)
        file.write(b"\nendstream\nendobj\n")
        catalog = file.tell()
        file.write(b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /PieceInfo 90 0 R >>\nendobj\n")
        table = file.tell()
        file.write(b"xref\n1 1\n%010d 00000 n \n90 1\n%010d 00000 n \ntrailer\n" % (catalog, start))
        file.write(b"<< /Size 91 /Root 1 0 R /ID [<00><00>] /Prev %b >>\n" % start_of_table)
        file.write(b"startxref\n%d\n%%%%EOF\n" % table)
    signer = SimpleSigner(
        signing_cert=x509.Certificate.load(holder.der),
        signing_key=holder.asn1_key,
        cert_registry=SimpleCertificateStore.from_certs(holder.chain),  # type: ignore[no-untyped-call]
    )
    with base.open("rb") as source, path.open("w+b") as target:
        metadata = PdfSignatureMetadata("Large", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
        PdfSigner(metadata, signer).sign_pdf(IncrementalPdfFileWriter(source), output=target)
    base.unlink()


def _large(path: Path, ours: Callable[[Path], None], runs: int) -> Table:
    def hashed(path: Path) -> None:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    reading, checking = _seconds(hashed, path, runs), _seconds(ours, path, runs)
    table = Table(title=f"One signature over {path.stat().st_size / (1 << 20):.0f} MB; aim: {AIM_LARGE:g} times")
    for head in ("read and hashed, s", "checked, s", "ratio"):
        table.add_column(head, justify="right")
    table.add_row(f"{reading:.2f}", f"{checking:.2f}", f"{checking / reading:.2f}")
    return table


if __name__ == "__main__":
    main()
