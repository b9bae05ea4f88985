"""A test signature: one page made on the spot, signed by the token, checked, thrown away.

Main process, on the thread that talks to token hosts; every byte of the PDF but the sample itself is the workers'. It
takes the same way as a document and leaves no document behind: the work folder is emptied, and the journal tells.
"""

import datetime as dt
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from signer_app.pdf.model import PreflightRequest, Profile, Severity
from signer_app.signing.certificates import SigningCertificate
from signer_app.store.durable import disk_errors
from signer_app.tasks import Finish, Preflight, Prepare, Recheck
from signer_app.verification.model import Revocation, Trust, Verdict
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_token.client import TokenSession


@dataclass(frozen=True)
class Trial:
    """A test signature that is as it should be; `verdict` is what the verifier says of it with what is in hand."""

    sha256: str
    verdict: Verdict
    trust: Trust
    revocation: Revocation


def sign_sample(space: Workspace, chosen: SigningCertificate, session: TokenSession) -> Trial:
    """Signs a sample page and checks the result by other parsers; keeps neither.

    Raises TokenError, and KnownError with what a document's own signing may meet.
    """
    with disk_errors(space.folder.work, "data_folder_unwritable"):
        folder = Path(tempfile.mkdtemp(prefix="trial-", dir=space.folder.work))
        sample = folder / "sample.pdf"
        sample.touch(mode=0o600)
        sample.write_bytes(sample_page())
    try:
        return sign_file(space, chosen, session.sign, sample, folder / "signed.pdf")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sign_file(
    space: Workspace, chosen: SigningCertificate, sign: Callable[[bytes], bytes], sample: Path, target: Path
) -> Trial:
    """`sample` signed without a visible mark and checked, at `target`; `sign` gives the signature over bytes. Raises as
    `sign_sample`.
    """
    certificate, now = chosen.certificate, space.now()
    looked = space.workers.preflight(Preflight(str(sample), _request(chosen, sample, now), space.trust, now))
    refusal = next((f for f in looked.result.findings if f.severity is Severity.REFUSED), None)
    if refusal is not None:
        raise KnownError(refusal.code, **refusal.params)
    plan = looked.result.plan
    assert plan is not None
    step = plan.steps[-1]
    prepared = space.workers.prepare(
        Prepare(str(sample), str(target), step, {}, now, certificate.der, chosen.chain, plan.blob)
    ).prepared
    signature = sign(prepared.to_be_signed)
    space.workers.finish(Finish(str(target), prepared, certificate.der, chosen.chain, signature, None))
    answer = space.workers.recheck(
        Recheck(str(sample), str(target), plan.steps, looked.report, certificate.sha256, space.trust, space.now())
    )
    if answer.rechecked.fault is not None:
        raise KnownError(answer.rechecked.fault, detail=answer.rechecked.detail)
    made = answer.report.signatures[-1]
    return Trial(answer.rechecked.sha256, made.verdict, made.trust, made.revocation)


def _request(chosen: SigningCertificate, sample: Path, now: dt.datetime) -> PreflightRequest:
    return PreflightRequest(
        profile=Profile.PLAIN,
        blob=hashlib.sha256(sample.read_bytes()).hexdigest(),
        certificate=chosen.certificate.sha256,
        certificate_name=chosen.certificate.common_name,
        rules=rules.load(now.date()).version,
        number=None,
        notation=None,
        date=None,
        today=now.date(),
        body=None,
        picture=None,
        place=None,
    )


def sample_page() -> bytes:
    """A PDF of one A4 page with one line on it (ISO 32000-1, 7.5)."""
    line = b"BT /F1 12 Tf 72 770 Td (Signer: test signature) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(line), line),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    page, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(page))
        page += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(page)
    page += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    page += b"".join(b"%010d 00000 n \n" % place for place in places)
    page += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(page)
