"""Has the leaders sign the sample letters first, without number and date, as in life.

Our leader signs with her own token in her own data folder, through the ordinary engine. The drafter and the leader of
the joint letter's second body sign elsewhere: with keys that lie in the test PKI, by the same PDF code.
"""

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import signer_resources
from signer_app.demo.batch import certificate, sign_all
from signer_app.demo.leaf import Leaf
from signer_app.demo.pki_names import Holder
from signer_app.demo.workspace import Demo
from signer_app.pdf.geometry import Rect
from signer_app.pdf.letter import find_signer_blocks, text_end
from signer_app.pdf.measures import Measures
from signer_app.pdf.model import Profile
from signer_app.pdf.pagetext import PageText, open_document, read_page
from signer_app.pdf.placing import signature_box
from signer_app.pdf.plan import Drawing, ImageItem, SignStep
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.store.durable import fsync_file
from signer_app.store.model import FileRole, FileState
from signer_app.tasks import Finish, Prepare
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources import samples
from signer_resources.errors import KnownError

Progress = Callable[[str, int, int], None]


def sign_samples(demo: Demo, progress: Progress) -> None:
    """Fills the samples folder with what is missing; KnownError when a leader's signature can't be made."""
    demo.samples.mkdir(mode=0o700, exist_ok=True)
    known = samples.load()
    open_letters = [s for s in known.samples if not s.secret and not (demo.samples / s.main).exists()]
    for sample in known.samples:
        for name in sample.appendices if not sample.secret else ():
            if not (demo.samples / name).exists():
                _place(samples.file(name), demo.samples / name)
    if not open_letters:
        return
    with workspace(demo.leader_folder, Overrides(), writing=True) as space:
        drafts, done = demo.home / "drafts", demo.home / "drafts-signed"
        for folder in (drafts, done):
            folder.mkdir(mode=0o700, exist_ok=True)
        space.store.finish_exports()
        for sample in open_letters:
            draft = drafts / sample.main
            if not draft.exists():
                _draft(space, demo, sample, draft)
        _leader_signs(space, demo, [(drafts / s.main, done / s.main) for s in open_letters], progress)
        for sample in open_letters:
            _joint_leader(space, demo, sample, done / sample.main, demo.samples / sample.main)
    shutil.rmtree(drafts)
    shutil.rmtree(done)


def _draft(space: Workspace, demo: Demo, sample: samples.Sample, draft: Path) -> None:
    """The drafter's letter, with an initial right behind the end of the text where the sample has one."""
    source = samples.file(sample.main)
    if not sample.initials:
        _place(source, draft)
        return
    page, end = next((page, box) for page in reversed(_pages(source)) if (box := text_end(page)) is not None)
    rect = Rect(end.x + 1.5, end.y - 3.0, 14.0, 8.0).rounded()
    image = signer_resources.path("images/sample-initial.png")
    _sign_elsewhere(space, demo.pki.leaf(Holder.DRAFTER), source, draft, "ky_nhay", page.number, rect, image)


def _joint_leader(space: Workspace, demo: Demo, sample: samples.Sample, source: Path, target: Path) -> None:
    """The second body's leader signs after ours where the letter is a joint one."""
    if len(sample.signers) < 2:
        _place(source, target)
        return
    name = sample.signers[1].name
    block = find_signer_blocks(_pages(source), (name,))[0]
    image = signer_resources.path("images/sample-signature-2.png")
    _sign_elsewhere(
        space,
        demo.pki.leaf(Holder.FRONT_LEADER),
        source,
        target,
        "lanh_dao_2",
        block.page,
        signature_box(block, Measures.on(space.now().date())),
        image,
    )


def _leader_signs(space: Workspace, demo: Demo, pairs: list[tuple[Path, Path]], progress: Progress) -> None:
    """The ordinary way: preflight, one PIN, every letter; what an earlier run signed is not signed again."""
    jobs = [
        DocumentJob((FileJob(str(source), str(target), FileRole.MAIN, Profile.LEADER),))
        for source, target in pairs
        if not target.exists()
    ]
    if not jobs:
        return
    chosen = certificate(space, demo.pki.leaf(Holder.LEADER).sha256, Profile.LEADER)
    result = sign_all(space, chosen, jobs, demo.pin, progress)
    for outcome in result.files:
        if outcome.state is not FileState.SIGNED or outcome.code is not None:
            raise KnownError(outcome.code or "demo_incomplete", **outcome.params)


def _sign_elsewhere(
    space: Workspace, leaf: Leaf, source: Path, target: Path, field: str, page: int, rect: Rect, image: Path
) -> None:
    """A visible signature by a key of the test PKI, as other software would make it."""
    picture = hashlib.sha256(image.read_bytes()).hexdigest()
    drawing = Drawing((ImageItem(picture, Rect(0, 0, rect.w, rect.h)),), multiply=True)
    step = SignStep(field, existing=False, page=page, rect=rect, drawing=drawing)
    temporary = target.with_name(f".{target.name}.part")
    chain = leaf.chain_der[1:]
    prepared = space.workers.prepare(
        Prepare(
            source=str(source),
            output=str(temporary),
            step=step,
            images={picture: image.read_bytes()},
            moment=space.now() - dt.timedelta(minutes=1),
            certificate=leaf.certificate_der,
            chain=chain,
        )
    ).prepared
    signature = leaf.private_key.sign(prepared.to_be_signed, padding.PKCS1v15(), hashes.SHA256())
    space.workers.finish(
        Finish(
            path=str(temporary),
            prepared=prepared,
            certificate=leaf.certificate_der,
            chain=chain,
            signature=signature,
            timestamp=None,
        )
    )
    _place_whole(temporary, target)


def _place(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, temporary)
    _place_whole(temporary, target)


def _place_whole(temporary: Path, target: Path) -> None:
    temporary.chmod(0o600)
    fsync_file(temporary)
    temporary.replace(target)


def _pages(path: Path) -> list[PageText]:
    document = open_document(path)
    try:
        return [read_page(document, number) for number in range(len(document))]
    finally:
        document.close()
