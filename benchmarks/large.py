"""What signing a large scan costs, beside reading it, hashing it, writing it and waiting for the disk.

Run by `./run bench large` (100 MB; with `--all` 1 GB as well). The file is made here: pages of one raw picture each, as
scanners write them, of bytes that no file system can pack. Ours is prepare, signature, finish and re-check by a real
worker, then the blob that is kept, with fsync. Prints tables; asserts nothing about time. It works in a temporary
folder, which must have room for three times the file.
"""

import argparse
import datetime as dt
import hashlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from rich.console import Console
from rich.table import Table

import signer_resources
from signer_app.demo.leaf import Leaf
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.plan import Drawing, ImageItem, SignStep
from signer_app.store.blobs import BlobStore
from signer_app.tasks import Finish, Prepare, Recheck, Verify
from signer_app.verification.model import TrustMaterial
from signer_app.verification.trust_dir import load_trust_dir
from signer_app.workers import Workers

NOW = dt.datetime.now(dt.timezone(dt.timedelta(hours=7)))
SEAL = signer_resources.path("images/sample-seal.png")
SIDE = 1000
"""Pixels of a page's picture each way: a megabyte a page."""
CHUNK = 1 << 20
AIM, AIM_MB = 3.0, 120


@dataclass(frozen=True)
class Measured:
    """Seconds of the plain copy and of each phase, and the worker's peak of memory in MB."""

    pages: int
    copied: float
    phases: dict[str, float]
    peak_mb: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="1 GB, too")
    # Where /tmp lies in memory, waiting for the disk costs nothing.
    parser.add_argument("--dir", type=Path, metavar="FOLDER", help="where to work, on a disk")
    parser.add_argument("--mb", type=int, metavar="N", help="another size")
    arguments = parser.parse_args()
    sizes = [arguments.mb] if arguments.mb else [100, 1000] if arguments.all else [100]
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
            _show(size, _measure(Path(name), max(1, size)))


def _measure(folder: Path, pages: int) -> Measured:
    pki = DemoPki.create_or_load(folder / "pki")
    pki.write_trust_dir(folder / "trust")
    trust, source = load_trust_dir(folder / "trust"), folder / "scan.pdf"
    _write_scan(source, pages)
    copied = _seconds(lambda: _copy(source, folder / "copy"))
    (folder / "copy").unlink()
    phases, peak = _sign(folder, source, pages, pki.leaf(Holder.AGENCY), trust)
    return Measured(pages, copied, phases, peak)


def _sign(
    folder: Path, source: Path, pages: int, leaf: Leaf, trust: TrustMaterial
) -> tuple[dict[str, float], float | None]:
    """Seconds of each phase, and the peak of the worker that did them."""
    picture = SEAL.read_bytes()
    name, chain, output = hashlib.sha256(picture).hexdigest(), leaf.chain_der[1:], folder / "signed.pdf"
    place = Rect(120, 200, 38, 38)
    drawing = Drawing((ImageItem(name, Rect(0, 0, 38, 38)),), multiply=True)
    step = SignStep("ky", existing=False, page=pages - 1, rect=place, drawing=drawing)
    (folder / "blobs" / "incoming").mkdir(parents=True)
    blobs = BlobStore(folder / "blobs")
    phases: dict[str, float] = {}
    with Workers() as workers:
        # The worker is started, and has loaded its libraries, before anything is timed.
        before = workers.verify(Verify(str(source), trust, NOW)).report
        request = Prepare(
            str(source), str(output), step, {name: picture}, NOW, leaf.certificate_der, chain, before.sha256
        )
        started = time.perf_counter()
        prepared = workers.prepare(request).prepared
        phases["prepare"] = time.perf_counter() - started
        signature = leaf.private_key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256())
        finish = Finish(str(output), prepared, leaf.certificate_der, chain, signature, None)
        phases["finish"] = _seconds(lambda: workers.finish(finish))
        recheck = Recheck(str(source), str(output), (step,), before, leaf.sha256, trust, NOW)
        started = time.perf_counter()
        checked = workers.recheck(recheck).rechecked
        phases["recheck"] = time.perf_counter() - started
        assert checked.fault is None, checked
    phases["blob: hash, fsync"] = _seconds(lambda: blobs.adopt(output))
    return phases, _peak_of_children_mb()


def _peak_of_children_mb() -> float | None:
    """What the largest child that has ended held in memory at most, what it had mapped of files included."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / (1 << 20)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _copy(source: Path, target: Path) -> None:
    """Read, hash, write, fsync."""
    digest = hashlib.sha256()
    with source.open("rb") as old, target.open("wb") as new:
        while chunk := old.read(CHUNK):
            digest.update(chunk)
            new.write(chunk)
        new.flush()
        os.fsync(new.fileno())


def _write_scan(path: Path, pages: int) -> None:
    """A file of so many pages with a raw picture each, with a classic table of references."""
    noise, places = random.Random(6), {}
    with path.open("wb") as out:

        def put(number: int, content: bytes) -> None:
            places[number] = out.tell()
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))

        out.write(b"%PDF-1.7\n")
        put(1, b"<< /Type /Catalog /Pages 2 0 R >>")
        kids = b" ".join(b"%d 0 R" % (3 + 3 * n) for n in range(pages))
        put(2, b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids))
        for n in range(pages):
            page, content, picture = 3 + 3 * n, 4 + 3 * n, 5 + 3 * n
            shows = b"/Resources << /XObject << /I %d 0 R >> >> /Contents %d 0 R" % (picture, content)
            put(page, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] %s >>" % shows)
            put(content, b"<< /Length 26 >>\nstream\nq 595 0 0 842 0 0 cm /I Do\nendstream")
            head = b"/Type /XObject /Subtype /Image /Width %d /Height %d" % (SIDE, SIDE)
            data = noise.randbytes(SIDE * SIDE)
            entries = head + b" /ColorSpace /DeviceGray /BitsPerComponent 8 /Length %d" % len(data)
            put(picture, b"<< %s >>\nstream\n%s\nendstream" % (entries, data))
        table = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
        out.writelines(b"%010d 00000 n \n" % places[number] for number in sorted(places))
        out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, table))


def _show(size: int, found: Measured) -> None:
    table = Table(title=f"one signature on {found.pages} pages, {size} MB")
    table.add_column("what")
    for head in ("s", "to read + hash + write + fsync", "aim"):
        table.add_column(head, justify="right")
    table.add_row("read + hash + write + fsync", f"{found.copied:.2f}", "1.0", "")
    for name, seconds in found.phases.items():
        table.add_row(name, f"{seconds:.2f}", f"{seconds / found.copied:.2f}", "")
    whole = sum(found.phases.values())
    table.add_row("ours, whole", f"{whole:.2f}", f"{whole / found.copied:.2f}", f"{AIM:.0f}")
    Console().print(table)
    if found.peak_mb is not None:
        Console().print(f"peak of the worker: {found.peak_mb:.0f} MB (aim: {AIM_MB})")


if __name__ == "__main__":
    main()
