"""A clerk's desk for the tests: files in a folder, keys in memory, and the way from preflight to re-check."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import signer_resources
from signer_app.demo.leaf import Leaf
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import HOLDERS, Authority, Holder
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import (
    Body,
    CopyOrder,
    PlaceOption,
    PreflightRequest,
    PreflightResult,
    Prepared,
    Profile,
    Rechecked,
    Severity,
)
from signer_app.pdf.plan import Drawing, ImageItem, Mark, Placement, SigningPlan, SignStep, Style, TextItem
from signer_app.pdf.preflight import preflight
from signer_app.pdf.prepare import prepare
from signer_app.pdf.recheck import recheck
from signer_app.pdf.signature import finish
from signer_app.verification.document import opened
from signer_app.verification.model import FileReport, TrustMaterial
from signer_app.verification.verify import verify_file, verify_opened
from tests.pdf.paper import Words, letter

_leaf = cache(DemoPki.leaf)
_crl = cache(DemoPki.crl_der)

BODY = HOLDERS[Holder.AGENCY].subject.common_name
LEADER = HOLDERS[Holder.LEADER].subject.common_name

SEAL_FILE = signer_resources.path("images/sample-seal.png")
PICTURE_FILE = signer_resources.path("images/sample-signature.png")
INITIAL_FILE = signer_resources.path("images/sample-initial.png")
IMAGES = {
    hashlib.sha256(file.read_bytes()).hexdigest(): file.read_bytes() for file in (SEAL_FILE, PICTURE_FILE, INITIAL_FILE)
}
SEAL, PICTURE, INITIAL = IMAGES
ROOM = Rect(120, 189, 60, 22)
"""Ô 7c of `paper.letter`."""
OUR_BODY = Body(names=(BODY, "UBND xã Hòa Sơn"), seal=SEAL, seal_mm=38.0)


@dataclass
class Desk:
    """Signs in `folder` with the keys of `pki`; each output is a new file."""

    pki: DemoPki
    folder: Path

    def __post_init__(self) -> None:
        self._numbers = count()
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self.trust = TrustMaterial(
            anchors=(self.pki.root_der,),
            intermediates=(self.pki.issuing_der,),
            crls=(_crl(self.pki, Authority.ROOT), _crl(self.pki, Authority.ISSUING)),
        )

    def leaf(self, holder: Holder) -> Leaf:
        """Certificate, chain and key of one holder."""
        return _leaf(self.pki, holder)

    def keep(self, data: bytes, name: str = "văn bản") -> Path:
        """The bytes as a new file."""
        path = self.folder / f"{name} {next(self._numbers)}.pdf"
        path.write_bytes(data)
        return path

    def verify(self, path: Path) -> FileReport:
        return verify_file(path, self.trust, self.now)

    def prepare(self, source: Path, step: SignStep, holder: Holder = Holder.AGENCY) -> tuple[Path, Prepared]:
        """The first half: the file with an empty gap."""
        output = self.folder / f"ra {next(self._numbers)}.pdf"
        leaf = self.leaf(holder)
        prepared = prepare(
            source,
            output,
            step,
            images=IMAGES,
            moment=self.now,
            certificate=leaf.certificate_der,
            chain=leaf.chain_der[1:],
        )
        return output, prepared

    def finish(
        self, output: Path, prepared: Prepared, holder: Holder = Holder.AGENCY, timestamp: bytes | None = None
    ) -> Path:
        """The second half: the signature is made and put in."""
        leaf = self.leaf(holder)
        signature = leaf.private_key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256())
        finish(
            output,
            prepared,
            certificate=leaf.certificate_der,
            chain=leaf.chain_der[1:],
            signature=signature,
            timestamp=timestamp,
        )
        return output

    def sign(self, source: Path, steps: Sequence[SignStep], holder: Holder = Holder.AGENCY) -> Path:
        """All steps, one signature each."""
        for step in steps:
            source = self.finish(*self.prepare(source, step, holder), holder)
        return source

    def recheck(
        self,
        source: Path,
        output: Path,
        steps: Sequence[SignStep],
        holder: Holder = Holder.AGENCY,
        *,
        certified_may_change: bool = False,
    ) -> Rechecked:
        before = self.verify(source)
        with opened(output) as file:
            after = verify_opened(file, output, self.trust, self.now)
            sha256 = self.leaf(holder).sha256
            return recheck(
                source, output, steps, before, after, sha256, file, certified_may_change=certified_may_change
            )

    def preflight(
        self,
        path: Path,
        profile: Profile = Profile.AGENCY,
        *,
        name: str | None = None,
        number: str | None = "05",
        notation: str | None = None,
        date: dt.date | None = dt.date(2026, 11, 3),
        body: Body | None = OUR_BODY,
        picture: str | None = PICTURE,
        place: PlaceOption | None = None,
        trust: TrustMaterial | None = None,
        copy: CopyOrder | None = None,
        remembered: PlaceOption | None = None,
        urgency: int | None = None,
    ) -> PreflightResult:
        person = LEADER if profile is Profile.LEADER else BODY
        request = PreflightRequest(
            profile=profile,
            blob=hashlib.sha256(path.read_bytes()).hexdigest(),
            certificate=self.leaf(Holder.LEADER if profile is Profile.LEADER else Holder.AGENCY).sha256,
            certificate_name=name or person,
            rules="1",
            number=number,
            notation=notation,
            date=date,
            today=dt.date(2026, 11, 22),
            body=body,
            picture=picture,
            place=place,
            copy=copy,
            remembered=remembered,
            urgency=urgency,
        )
        report = verify_file(path, self.trust if trust is None else trust, self.now)
        return preflight(path, request, report)

    def plan(self, path: Path, profile: Profile = Profile.AGENCY, **wishes: object) -> SigningPlan:
        """The plan; an assertion shows the findings when there is none."""
        result = self.preflight(path, profile, **wishes)  # type: ignore[arg-type]
        assert result.plan is not None, result.findings
        return result.plan

    def leader_signs(self, path: Path, **wishes: object) -> Path:
        """The leader's pass with this program: way 1 prepares the clerk's fields."""
        return self.sign(path, self.plan(path, Profile.LEADER, **wishes).steps, Holder.LEADER)

    def leader_signs_elsewhere(
        self, path: Path, rect: Rect = ROOM, holder: Holder = Holder.LEADER, page: int = 0
    ) -> Path:
        """The leader's signature as other software makes it: a picture, no fields."""
        return self.sign(path, [picture_step(rect, page, field="Signature1")], holder)


def picture_step(
    rect: Rect, page: int = 0, *, field: str = "ky", image: str = PICTURE, multiply: bool = True
) -> SignStep:
    """A new visible signature that shows a picture."""
    drawing = Drawing((ImageItem(image, Rect(0, 0, rect.w, rect.h)),), multiply=multiply)
    return SignStep(field, existing=False, page=page, rect=rect, drawing=drawing)


def text_step(rect: Rect, *texts: str, page: int = 0, size: float = 12, style: Style = Style.REGULAR) -> SignStep:
    """A new visible signature that shows lines of text, 6 mm apart, 1 mm from the left."""
    items = tuple(TextItem(1.0, 6.0 * (i + 1), size, style, text) for i, text in enumerate(texts))
    return SignStep("ky", existing=False, page=page, rect=rect, drawing=Drawing(items))


def with_picture(monkeypatch: pytest.MonkeyPatch, file: Path) -> str:
    """Makes a picture known; its name in a plan."""
    name = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setitem(IMAGES, name, file.read_bytes())
    return name


INVISIBLE = SignStep("ky", existing=False, page=None, rect=None, drawing=None)


def refusals(result: PreflightResult) -> list[str]:
    """Codes of what refuses."""
    return [finding.code for finding in result.findings if finding.severity is Severity.REFUSED]


def warnings(result: PreflightResult) -> list[str]:
    """Codes of what warns."""
    return [finding.code for finding in result.findings if finding.severity is Severity.WARNING]


def one(result: PreflightResult, what: Mark) -> Placement:
    """The one placement of this kind."""
    (found,) = [p for p in result.placements if p.what is what]
    return found


def page_items(step: SignStep) -> list[TextItem]:
    """Text items of a step in page coordinates."""
    found = [(step.rect, step.drawing)] if step.rect and step.drawing else []
    found += [(fill.box, fill.drawing) for fill in step.fill]
    return [
        msgspec.structs.replace(item, x=item.x + rect.x, baseline=item.baseline + rect.y)
        for rect, drawing in found
        for item in drawing.items
        if isinstance(item, TextItem)
    ]


def texts(plan: SigningPlan) -> list[str]:
    """The texts that a plan draws, in order."""
    return [item.text for step in plan.steps for item in page_items(step)]


def elsewhere(desk: Desk, *extra: Words, **of_head: Any) -> Path:
    """A letter that its leader signed with other software."""
    return desk.leader_signs_elsewhere(desk.keep(letter(*extra, **of_head)))
