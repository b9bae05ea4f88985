"""Letters by the thousand, each signed by its leader, and no two alike.

For tests and benchmarks, in their own process. A sample is planned and prepared once; a copy of it tells another second
of signing, and so has another digest and a signature of its own, which is all that is made anew: two milliseconds.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import signer_resources
from signer_app.demo.day import issue_date
from signer_app.demo.leaf import Leaf
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.pdf.model import Body, PreflightRequest, Prepared, Profile
from signer_app.pdf.plan import VIETNAM, SigningPlan
from signer_app.pdf.signature import finish, signed_attributes
from signer_app.tasks import Preflight, PreflightAnswer, Prepare, PrepareAnswer
from signer_app.verification.model import TrustMaterial
from signer_app.worker import handle
from signer_resources import rules, samples

_STAMP = "%Y%m%d%H%M%S"
"""How a PDF tells a moment, but for the "D:"; as long for each."""


@dataclass(frozen=True)
class Letter:
    """A copy that was written: where, and what the clerk gives it."""

    path: Path
    number: str
    notation: str
    date: dt.date


@dataclass(frozen=True)
class _Draft:
    """A sample with the leader's empty signature, and the second that it tells."""

    sample: samples.Sample
    content: bytes
    prepared: Prepared
    own: int
    """Where the sample ends and what is the leader's begins."""


class ManyLetters:
    """The samples of one leader, to be copied. `only`: of these, by the name of their file."""

    def __init__(self, pki: DemoPki, folder: Path, only: Collection[str] = ()) -> None:
        self._leader = pki.leaf(Holder.LEADER)
        self._first = dt.datetime.now(VIETNAM).replace(microsecond=0) - dt.timedelta(minutes=1)
        self._today = self._first.date()
        fit = [
            sample
            for sample in samples.load().samples
            if not sample.secret and len(sample.signers) == len(sample.files) == 1
        ]
        self._drafts = [
            _draft(sample, self._leader, self._first, folder) for sample in fit if not only or sample.main in only
        ]

    def write(self, number: int, path: Path) -> Letter:
        """The letter with this number, from 1, in its turn of the samples."""
        draft, leader = self._drafts[number % len(self._drafts)], self._leader
        moment = self._first - dt.timedelta(seconds=number)
        increment = draft.content[draft.own :].replace(_told(self._first), _told(moment))
        content = draft.content[: draft.own] + increment
        digest = hashlib.sha256(content[: draft.prepared.gap_start])
        digest.update(content[draft.prepared.gap_end :])
        attributes = signed_attributes(leader.certificate_der, leader.chain_der[1:], digest.digest())
        prepared = Prepared(attributes, digest.digest(), draft.prepared.gap_start, draft.prepared.gap_end)
        path.write_bytes(content)
        _finish(path, prepared, leader)
        return Letter(path, str(number), draft.sample.notation, issue_date(draft.sample, self._today))


def _told(moment: dt.datetime) -> bytes:
    return moment.strftime(_STAMP).encode()


def _draft(sample: samples.Sample, leader: Leaf, moment: dt.datetime, folder: Path) -> _Draft:
    source, path = samples.file(sample.main), folder / f"draft-{sample.main}"
    picture = signer_resources.path("images/sample-signature.png").read_bytes()
    shown = hashlib.sha256(picture).hexdigest()
    plan = _planned(source, leader, shown, moment)
    (step,) = plan.steps
    answer = handle(
        Prepare(
            source=str(source),
            output=str(path),
            step=step,
            images={shown: picture},
            moment=moment,
            certificate=leader.certificate_der,
            chain=leader.chain_der[1:],
            source_sha256=plan.blob,
        )
    )
    assert isinstance(answer, PrepareAnswer)
    content, own = path.read_bytes(), source.stat().st_size
    path.unlink()
    assert _told(moment) in content[own:]
    return _Draft(sample, content, answer.prepared, own)


def _planned(source: Path, leader: Leaf, picture: str, moment: dt.datetime) -> SigningPlan:
    issuer = samples.load().issuer
    request = PreflightRequest(
        profile=Profile.LEADER,
        blob=hashlib.sha256(source.read_bytes()).hexdigest(),
        certificate=leader.sha256,
        certificate_name=str(x509.Certificate.load(leader.certificate_der).subject.native["common_name"]),
        rules=rules.load(moment.date()).version,
        number=None,
        notation=None,
        date=None,
        today=moment.date(),
        body=Body((issuer.name, issuer.short_name)),
        picture=picture,
        place=None,
    )
    answer = handle(Preflight(str(source), request, TrustMaterial(), moment))
    assert isinstance(answer, PreflightAnswer)
    assert answer.result.plan is not None, answer.result.findings
    return answer.result.plan


def _finish(path: Path, prepared: Prepared, leader: Leaf) -> None:
    finish(
        path,
        prepared,
        certificate=leader.certificate_der,
        chain=leader.chain_der[1:],
        signature=leader.private_key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256()),
        timestamp=None,
    )


def write_list(letters: Iterable[Letter], listing: Path, *, to: str = "") -> None:
    """A list for `--list`, in the folder where the letters lie; `to` is the receiver of all."""
    rows = (f"{one.path.name},{one.number}/{one.notation},{one.date.isoformat()},{to}\n" for one in letters)
    listing.write_text("input,number,date,to\n" + "".join(rows), encoding="utf-8")
