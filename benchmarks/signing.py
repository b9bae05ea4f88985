"""What a signed letter costs: the whole engine, beside plain pyHanko and beside pyHanko made as fast as it can be.

Run by `./run bench signing`. One run measures all: ours from the token's login to the row in the database, with real
workers, a software token (SoftHSM), fsync, both re-openings and the re-check by the verifier; pyHanko as its
documentation does it; and pyHanko with our pre-built font, a fixed reservation and its own validation of the result.
Then the processor's time of each phase. Prints tables; asserts nothing about time. It works in a temporary folder.
"""

import argparse
import datetime as dt
import hashlib
import logging
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import keys, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pyhanko import stamp
from pyhanko.pdf_utils.font.opentype import GlyphAccumulatorFactory
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.text import TextBoxStyle
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.stamp import BaseStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore
from rich.console import Console
from rich.table import Table

import signer_resources
from signer_app.demo.batch import certificate
from signer_app.demo.day import issue_date
from signer_app.demo.leaf import Leaf
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.demo.workspace import Demo, prepare
from signer_app.pdf.appearance import DrawnAppearance, StepStampStyle
from signer_app.pdf.form import Frames
from signer_app.pdf.geometry import Rect, UserBox, mm_to_pt
from signer_app.pdf.model import Body, PreflightRequest, Prepared, Profile
from signer_app.pdf.plan import Drawing, ImageItem, SigningPlan, Style, TextItem
from signer_app.pdf.signature import CONTENTS_BYTES
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.store.model import FileRole, FileState
from signer_app.tasks import (
    Finish,
    Finished,
    Preflight,
    PreflightAnswer,
    Prepare,
    PrepareAnswer,
    Recheck,
    RecheckAnswer,
)
from signer_app.verification.model import FileReport, TrustMaterial
from signer_app.verification.trust_dir import load_trust_dir
from signer_app.verification.verify import verify_file
from signer_app.worker import handle
from signer_app.workers import Workers
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources import rules, samples
from signer_token.model import Login, Pin

NOW = dt.datetime.now(dt.timezone(dt.timedelta(hours=7)))
SEAL, SIGNATURE = (signer_resources.path(f"images/sample-{name}.png") for name in ("seal", "signature"))
FONTS = (
    Path("/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf"),
    Path("/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf"),
)
SIDE_MM = 38.0
AIMS = {"plain": 8.0, "same font": 3.0}


@dataclass(frozen=True)
class Letter:
    """A letter with its leader's signature, and what the engine has planned for number, date and seal."""

    sample: samples.Sample
    path: Path
    plan: SigningPlan
    before: FileReport

    @property
    def lines(self) -> tuple[str, str]:
        """What is written into it: the number and the date."""
        number, date = (fill.value for fill in self.plan.steps[0].fill[:2])
        return number, date


@dataclass(frozen=True)
class Whole:
    """Seconds of a batch by the engine: all of it, looking at the letters before, and what ran where."""

    signing: float
    examining: float
    phases: dict[str, float]
    main_cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=28, metavar="N", help="letters per measurement (28)")
    parser.add_argument("--font", type=Path, metavar="FILE", help="full font for plain pyHanko (Liberation Serif)")
    arguments = parser.parse_args()
    # It tells of each table of the full font that it leaves out.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    font = arguments.font or next((path for path in FONTS if path.exists()), None)
    if font is None or not font.exists():
        parser.error("Liberation Serif is not installed (fonts-liberation2); install it or give --font")
    count = max(1, arguments.letters)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with workspace(folder / "data", Overrides(), writing=True) as space:
            demo = prepare(space.folder, None)
            space.reload()
            trust = load_trust_dir(demo.trust)
            letters = _letters(demo.pki, trust, folder)
            whole = _engine(space, demo, letters, count, folder)
        clerk, output = demo.pki.leaf(Holder.AGENCY), folder / "out.pdf"
        plain = _plain_signer(clerk)
        others = {
            "plain": _timed(lambda letter: _plain(letter, output, plain, font), letters, count).wall,
            "same font": _timed(lambda letter: _fast(letter, output, plain, trust), letters, count).wall,
        }
        _show(count, letters, whole, others)
        _show_phases(_phases(clerk, trust, letters, count, folder))


# ---- the whole engine -----------------------------------------------------------------------------------------------


class _TimedWorkers(Workers):
    """The real ones; adds up what the engine waits for each kind of task."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: dict[str, float] = defaultdict(float)

    def prepare(self, task: Prepare) -> PrepareAnswer:
        with self._counted("prepare"):
            return super().prepare(task)

    def finish(self, task: Finish) -> Finished:
        with self._counted("finish"):
            return super().finish(task)

    def recheck(self, task: Recheck) -> RecheckAnswer:
        with self._counted("recheck"):
            return super().recheck(task)

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.waited[what] += time.perf_counter() - started


def _engine(space: Workspace, demo: Demo, letters: Sequence[Letter], count: int, folder: Path) -> Whole:
    """One batch for warming up, then the one that is measured. Each letter differs, for the engine signs none twice."""
    with _TimedWorkers() as workers:
        # As `Workspace` keeps its parts.
        vars(space)["workers"] = workers
        _batch(space, demo, _copies(demo.pki, letters, len(letters), folder / "warm", NOW), 1)
        jobs = _copies(demo.pki, letters, count, folder / "measured", NOW - dt.timedelta(hours=1))
        workers.waited.clear()
        return _batch(space, demo, jobs, len(letters) + 1)


def _copies(
    pki: DemoPki, letters: Sequence[Letter], count: int, folder: Path, first: dt.datetime
) -> list[tuple[Letter, Path]]:
    """So many letters, each signed by the leader at a second of its own."""
    folder.mkdir()
    made = []
    for number in range(count):
        letter = letters[number % len(letters)]
        source, path = samples.file(letter.sample.main), folder / f"{number}.pdf"
        plan = _plan(source, pki.leaf(Holder.LEADER), Profile.LEADER, SIGNATURE, _no_trust())[0]
        _sign(source, path, plan, pki.leaf(Holder.LEADER), first - dt.timedelta(seconds=number))
        made.append((letter, path))
    return made


def _batch(space: Workspace, demo: Demo, sources: Sequence[tuple[Letter, Path]], first_number: int) -> Whole:
    chosen = certificate(space, demo.pki.leaf(Holder.AGENCY).sha256, Profile.AGENCY)
    jobs = [
        DocumentJob(
            (FileJob(str(path), str(path.with_suffix(".signed.pdf")), FileRole.MAIN, Profile.AGENCY),),
            number=str(number),
            notation=letter.sample.notation,
            date=issue_date(letter.sample, space.now().date()),
        )
        for number, (letter, path) in enumerate(sources, start=first_number)
    ]
    run = SigningRun(space, chosen, jobs, Options(level="b-b", send=False))
    started = time.perf_counter()
    ready = run.examine()
    examined = time.perf_counter()
    run.begin()
    cpu = time.process_time()
    before = time.perf_counter()
    stopped = run.sign_with(Login(Pin(demo.pin.reveal())))
    signed, cpu = time.perf_counter(), time.process_time() - cpu
    result = run.finish(stopped)
    wrong = [one for one in result.files if one.state is not FileState.SIGNED]
    if ready != len(jobs) or wrong:
        raise SystemExit(f"not all letters were signed: {ready} ready, {wrong[:1]}")
    assert isinstance(space.workers, _TimedWorkers)
    return Whole(signed - before, examined - started, dict(space.workers.waited), cpu)


# ---- phases, in this process ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """Seconds a letter, by the clock and of the processor."""

    wall: float
    cpu: float


def _timed(work: Callable[[Letter], object], letters: Sequence[Letter], count: int) -> Taken:
    """Each letter was done once before it is timed."""
    for letter in letters:
        work(letter)
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        work(letters[number % len(letters)])
    return Taken((time.perf_counter() - wall) / count, (time.process_time() - cpu) / count)


def _phases(clerk: Leaf, trust: TrustMaterial, letters: Sequence[Letter], count: int, folder: Path) -> dict[str, Taken]:
    prepared: dict[Path, Prepared] = {}

    def kept(letter: Letter) -> Path:
        return folder / f"signed-{letter.path.name}"

    def recheck(letter: Letter) -> None:
        answer = handle(
            Recheck(
                source=str(letter.path),
                output=str(kept(letter)),
                steps=letter.plan.steps,
                before=letter.before,
                certificate_sha256=clerk.sha256,
                trust=trust,
                now=NOW,
            )
        )
        assert isinstance(answer, RecheckAnswer)
        assert answer.rechecked.fault is None, answer.rechecked

    def prepare_one(letter: Letter) -> None:
        prepared[letter.path] = _prepared(letter.path, kept(letter), letter.plan, clerk, NOW)

    def finish_one(letter: Letter) -> None:
        _finished(kept(letter), prepared[letter.path], clerk)

    return {
        "preflight (before the PIN)": _timed(
            lambda letter: _plan(letter.path, clerk, Profile.AGENCY, SEAL, trust), letters, count
        ),
        "prepare": _timed(prepare_one, letters, count),
        "software key and finish": _timed(finish_one, letters, count),
        "recheck": _timed(recheck, letters, count),
        "of it, the verifier": _timed(lambda letter: verify_file(kept(letter), trust, NOW), letters, count),
    }


# ---- what is shown --------------------------------------------------------------------------------------------------


def _show(count: int, letters: Sequence[Letter], whole: Whole, others: dict[str, float]) -> None:
    ours = whole.signing / count
    table = Table(title=f"{count} letters out of {len(letters)} samples, RSA-2048")
    table.add_column("what")
    for head in ("letters/s", "ms/letter", "ours is faster by", "aim"):
        table.add_column(head, justify="right")
    table.add_row("ours, whole: from the PIN to the database", f"{1 / ours:.1f}", f"{ours * 1000:.1f}", "", "")
    names = {
        "plain": "plain pyHanko: sign only",
        "same font": "pyHanko, our font, fixed reservation, its own validation",
    }
    for key, seconds in others.items():
        row = f"{1 / seconds:.1f}", f"{seconds * 1000:.1f}", f"{seconds / ours:.2f}", f"{AIMS[key]:.0f}"
        table.add_row(names[key], *row)
    table.add_row(
        "beside: preflight", f"{count / whole.examining:.1f}", f"{whole.examining * 1000 / count:.1f}", "", ""
    )
    Console().print(table)
    parts = Table(title="where a letter of ours spends its time, several letters at once")
    parts.add_column("part")
    parts.add_column("ms/letter", justify="right")
    for name, seconds in whole.phases.items():
        parts.add_row(f"in a worker's hands: {name}", f"{seconds * 1000 / count:.1f}")
    parts.add_row("processor of the main process, in all", f"{whole.main_cpu * 1000 / count:.1f}")
    Console().print(parts)


def _show_phases(phases: dict[str, Taken]) -> None:
    table = Table(title="phases in one process, without messages, token and database")
    table.add_column("phase")
    for head in ("CPU-ms/letter", "ms/letter"):
        table.add_column(head, justify="right")
    for name, taken in phases.items():
        table.add_row(name, f"{taken.cpu * 1000:.1f}", f"{taken.wall * 1000:.1f}")
    Console().print(table)


# ---- letters and steps ----------------------------------------------------------------------------------------------


def _no_trust() -> TrustMaterial:
    """Nobody has signed a sample yet, so there is nobody to trust."""
    return TrustMaterial()


def _letters(pki: DemoPki, trust: TrustMaterial, folder: Path) -> list[Letter]:
    """The samples of one leader, signed by her with the fields for number, date and seal, and their plans."""
    leader, made = pki.leaf(Holder.LEADER), []
    for sample in samples.load().samples:
        if sample.secret or len(sample.signers) != 1 or len(sample.files) != 1:
            continue
        source, signed = samples.file(sample.main), folder / sample.main
        plan, _before = _plan(source, leader, Profile.LEADER, SIGNATURE, trust)
        _sign(source, signed, plan, leader, NOW)
        plan, before = _plan(signed, pki.leaf(Holder.AGENCY), Profile.AGENCY, SEAL, trust)
        made.append(Letter(sample, signed, plan, before))
    return made


def _plan(
    path: Path, leaf: Leaf, profile: Profile, picture: Path, trust: TrustMaterial
) -> tuple[SigningPlan, FileReport]:
    issuer, picture_hash = samples.load().issuer, hashlib.sha256(picture.read_bytes()).hexdigest()
    request = PreflightRequest(
        profile=profile,
        blob=hashlib.sha256(path.read_bytes()).hexdigest(),
        certificate=leaf.sha256,
        certificate_name=_name(leaf),
        rules=rules.load(NOW.date()).version,
        number="12" if profile is Profile.AGENCY else None,
        notation=None,
        date=NOW.date(),
        today=NOW.date(),
        body=Body((issuer.name, issuer.short_name), seal=picture_hash),
        picture=picture_hash,
        place=None,
    )
    answer = handle(Preflight(str(path), request, trust, NOW))
    assert isinstance(answer, PreflightAnswer)
    assert answer.result.plan is not None, answer.result.findings
    return answer.result.plan, answer.report


def _sign(source: Path, output: Path, plan: SigningPlan, leaf: Leaf, moment: dt.datetime) -> None:
    _finished(output, _prepared(source, output, plan, leaf, moment), leaf)


def _prepared(source: Path, output: Path, plan: SigningPlan, leaf: Leaf, moment: dt.datetime) -> Prepared:
    (step,) = plan.steps
    answer = handle(
        Prepare(
            source=str(source),
            output=str(output),
            step=step,
            images={_hash(path): path.read_bytes() for path in (SEAL, SIGNATURE)},
            moment=moment,
            certificate=leaf.certificate_der,
            chain=leaf.chain_der[1:],
            source_sha256=plan.blob,
        )
    )
    assert isinstance(answer, PrepareAnswer)
    return answer.prepared


def _finished(output: Path, prepared: Prepared, leaf: Leaf) -> None:
    signature = leaf.private_key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256())
    handle(Finish(str(output), prepared, leaf.certificate_der, leaf.chain_der[1:], signature, None))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _name(leaf: Leaf) -> str:
    return str(x509.Certificate.load(leaf.certificate_der).subject.native["common_name"])


# ---- pyHanko --------------------------------------------------------------------------------------------------------


def _plain_signer(leaf: Leaf) -> SimpleSigner:
    return SimpleSigner(
        signing_cert=x509.Certificate.load(leaf.certificate_der),
        signing_key=keys.PrivateKeyInfo.load(leaf.private_key_der),
        cert_registry=SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
            [x509.Certificate.load(der) for der in leaf.chain_der[1:]]
        ),
    )


def _plain(letter: Letter, output: Path, signer: SimpleSigner, font: Path) -> None:
    """As pyHanko's own documentation does it: lines of text in a font of the system over a PNG, all by default."""
    style = stamp.TextStampStyle(
        stamp_text="\n".join(letter.lines),
        text_box_style=TextBoxStyle(font=GlyphAccumulatorFactory(str(font)), font_size=12),
        background=PdfImage(str(SEAL)),
        background_opacity=1,
    )
    with letter.path.open("rb") as source, output.open("wb") as target:
        _pdf_signer(signer, style).sign_pdf(IncrementalPdfFileWriter(source), output=target)


def _fast(letter: Letter, output: Path, signer: SimpleSigner, trust: TrustMaterial) -> None:
    """The same stamp with our pre-built font and picture, no dry run for the size of the signature; then pyHanko's own
    validation of both signatures, with its analysis of what came after the leader's.
    """
    with letter.path.open("rb") as source, output.open("w+b") as target:
        writer = IncrementalPdfFileWriter(source)
        frame = Frames(letter.path)[0]
        x, y, side = _place()
        box = Rect(0, 0, SIDE_MM, SIDE_MM)
        lines = [
            TextItem(2, 14 + 6 * n, 12, style, text)
            for n, (style, text) in enumerate(zip(_STYLES, letter.lines, strict=True))
        ]
        drawing = Drawing((ImageItem(_hash(SEAL), box), *lines), multiply=True)
        shown = DrawnAppearance(frame, drawing, {_hash(SEAL): SEAL.read_bytes()}, NOW)
        style = StepStampStyle(appearance=shown, field_box=UserBox(x, y, x + side, y + side))
        _pdf_signer(signer, style).sign_pdf(writer, output=target, bytes_reserved=CONTENTS_BYTES * 2)
        target.seek(0)
        reader = PdfFileReader(target)
        for embedded in reader.embedded_signatures:
            context = ValidationContext(
                trust_roots=[x509.Certificate.load(der) for der in trust.anchors],
                other_certs=[x509.Certificate.load(der) for der in trust.intermediates],
                crls=list(trust.crls),
                allow_fetching=False,
            )
            status = validate_pdf_signature(embedded, signer_validation_context=context)
            assert status.intact
            assert status.valid


_STYLES = (Style.REGULAR, Style.ITALIC)


def _place() -> tuple[int, int, int]:
    """Left, bottom and side of the stamp in points."""
    return 280, 200, round(mm_to_pt(SIDE_MM))


def _pdf_signer(signer: SimpleSigner, style: BaseStampStyle) -> PdfSigner:
    x, y, side = _place()
    return PdfSigner(
        PdfSignatureMetadata(field_name="plain", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES),
        signer,
        stamp_style=style,
        new_field_spec=SigFieldSpec("plain", on_page=-1, box=(x, y, x + side, y + side)),
    )


if __name__ == "__main__":
    main()
