"""How many letters a second the signing engine makes, beside plain pyHanko on the same letters.

Run by `./run bench signing`, in one process and with keys from the demonstration's test PKI: no token, no network,
no database, so that what is measured is the work on the PDF. Prints a table; asserts nothing about time. It never
touches a data folder.
"""

import argparse
import datetime as dt
import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import keys, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pyhanko import stamp
from pyhanko.pdf_utils.font.opentype import GlyphAccumulatorFactory
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.text import TextBoxStyle
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore
from rich.console import Console
from rich.table import Table

import signer_resources
from signer_app.demo.pki import DemoPki, Leaf
from signer_app.demo.pki_names import Holder
from signer_app.pdf.geometry import mm_to_pt
from signer_app.pdf.model import Body, PreflightRequest, Prepared, Profile
from signer_app.pdf.plan import SigningPlan
from signer_app.tasks import (
    Finish,
    Preflight,
    PreflightAnswer,
    Prepare,
    PrepareAnswer,
    Recheck,
    RecheckAnswer,
)
from signer_app.verification.model import FileReport, TrustMaterial
from signer_app.verification.trust_dir import load_trust_dir
from signer_app.worker import handle
from signer_resources import rules, samples

NOW = dt.datetime.now(dt.timezone(dt.timedelta(hours=7)))
SEAL, SIGNATURE = (signer_resources.path(f"images/sample-{name}.png") for name in ("seal", "signature"))
FONTS = (
    Path("/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf"),
    Path("/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf"),
)


@dataclass(frozen=True)
class Letter:
    """A letter with its leader's signature, and what the engine has planned for the seal."""

    path: Path
    plan: SigningPlan
    before: FileReport


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=48, metavar="N", help="letters per measurement (48)")
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
        pki = DemoPki.create_or_load(folder / "pki")
        pki.write_trust_dir(folder / "trust")
        trust = load_trust_dir(folder / "trust")
        letters = _letters(pki, trust, folder)
        _show(count, letters, _measure(pki, trust, letters, count, folder, font))


def _measure(
    pki: DemoPki, trust: TrustMaterial, letters: Sequence[Letter], count: int, folder: Path, font: Path
) -> dict[str, float]:
    """Letters a second of each way, by its name; each way has done every letter once before it is timed."""
    clerk, output = pki.leaf(Holder.AGENCY), folder / "out.pdf"

    def ours(letter: Letter) -> None:
        _sign(letter.path, output, letter.plan, clerk)

    def checked(letter: Letter) -> None:
        answer = handle(
            Recheck(
                source=str(letter.path),
                output=str(_kept(folder, letter)),
                steps=letter.plan.steps,
                before=letter.before,
                certificate_sha256=clerk.sha256,
                trust=trust,
                now=NOW,
            )
        )
        assert isinstance(answer, RecheckAnswer)
        assert answer.rechecked.fault is None, answer.rechecked

    def looked_at(letter: Letter) -> None:
        _plan(letter.path, clerk, Profile.AGENCY, SEAL, trust)

    plain = _plain_signer(clerk)
    for letter in letters:
        _sign(letter.path, _kept(folder, letter), letter.plan, clerk)
    return {
        "prepare + finish": _per_second(ours, letters, count),
        "plain pyHanko": _per_second(lambda letter: _plain(letter, output, plain, font), letters, count),
        "preflight": _per_second(looked_at, letters, count),
        "recheck": _per_second(checked, letters, count),
    }


def _kept(folder: Path, letter: Letter) -> Path:
    return folder / f"signed-{letter.path.name}"


def _per_second(work: Callable[[Letter], None], letters: Sequence[Letter], count: int) -> float:
    for letter in letters:
        work(letter)
    started = time.perf_counter()
    for number in range(count):
        work(letters[number % len(letters)])
    return count / (time.perf_counter() - started)


def _show(count: int, letters: Sequence[Letter], speeds: dict[str, float]) -> None:
    plain = speeds["plain pyHanko"]
    table = Table(title=f"{count} letters out of {len(letters)} samples, one process, software key RSA-2048")
    table.add_column("what")
    for head in ("letters/s", "ms/letter", "to plain pyHanko"):
        table.add_column(head, justify="right")
    for name, speed in speeds.items():
        table.add_row(name, f"{speed:.1f}", f"{1000 / speed:.1f}", f"{speed / plain:.1f}")
    whole = 1 / sum(1 / speeds[part] for part in ("preflight", "prepare + finish", "recheck"))
    table.add_row("all three of ours", f"{whole:.1f}", f"{1000 / whole:.1f}", f"{whole / plain:.1f}")
    Console().print(table)


# ---- the engine -----------------------------------------------------------------------------------------------------


def _letters(pki: DemoPki, trust: TrustMaterial, folder: Path) -> list[Letter]:
    """The samples of one leader, signed by her with the fields for number, date and seal, and their plans."""
    leader, made = pki.leaf(Holder.LEADER), []
    for sample in samples.load().samples:
        if sample.secret or len(sample.signers) != 1:
            continue
        source, signed = samples.file(sample.main), folder / sample.main
        plan, _before = _plan(source, leader, Profile.LEADER, SIGNATURE, trust)
        _sign(source, signed, plan, leader)
        plan, before = _plan(signed, pki.leaf(Holder.AGENCY), Profile.AGENCY, SEAL, trust)
        made.append(Letter(signed, plan, before))
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


def _sign(source: Path, output: Path, plan: SigningPlan, leaf: Leaf) -> None:
    (step,) = plan.steps
    chain, images = leaf.chain_der[1:], {_hash(path): path.read_bytes() for path in (SEAL, SIGNATURE)}
    answer = handle(
        Prepare(
            source=str(source),
            output=str(output),
            step=step,
            images=images,
            moment=NOW,
            certificate=leaf.certificate_der,
            chain=chain,
            source_sha256=plan.blob,
        )
    )
    assert isinstance(answer, PrepareAnswer)
    handle(Finish(str(output), answer.prepared, leaf.certificate_der, chain, _token(leaf, answer.prepared), None))


def _token(leaf: Leaf, prepared: Prepared) -> bytes:
    """What the USB token does; a software key, so that its speed is not what is measured."""
    return leaf.private_key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256())


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _name(leaf: Leaf) -> str:
    return str(x509.Certificate.load(leaf.certificate_der).subject.native["common_name"])


# ---- plain pyHanko --------------------------------------------------------------------------------------------------


def _plain_signer(leaf: Leaf) -> SimpleSigner:
    return SimpleSigner(
        signing_cert=x509.Certificate.load(leaf.certificate_der),
        signing_key=keys.PrivateKeyInfo.load(leaf.private_key_der),
        cert_registry=SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
            [x509.Certificate.load(der) for der in leaf.chain_der[1:]]
        ),
    )


def _plain(letter: Letter, output: Path, signer: SimpleSigner, font: Path) -> None:
    """As pyHanko's own documentation does it: a stamp of text in a font of the system over a PNG, all by default."""
    x, y, side = 280, 200, round(mm_to_pt(38))
    style = stamp.TextStampStyle(
        stamp_text="Người ký: %(signer)s\nThời gian ký: %(ts)s",
        text_box_style=TextBoxStyle(font=GlyphAccumulatorFactory(str(font)), font_size=8),
        background=PdfImage(str(SEAL)),
        background_opacity=1,
    )
    with letter.path.open("rb") as source, output.open("wb") as target:
        PdfSigner(
            PdfSignatureMetadata(field_name="plain", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES),
            signer,
            stamp_style=style,
            new_field_spec=SigFieldSpec("plain", on_page=-1, box=(x, y, x + side, y + side)),
        ).sign_pdf(IncrementalPdfFileWriter(source), output=target)


if __name__ == "__main__":
    main()
