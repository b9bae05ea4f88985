"""Signs a batch without asking anybody: the demonstration knows the PIN of its own software tokens.

Main process, through the ordinary engine; an error that stops the batch is raised.
"""

from collections.abc import Sequence

from signer_app.pdf.model import Profile
from signer_app.signing.batch import BatchResult, Progress
from signer_app.signing.certificates import SigningCertificate, choose, require_fit
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.jobs import DocumentJob
from signer_app.workspace import Workspace
from signer_token.model import Login, Pin


def certificate(space: Workspace, sha256: str, profile: Profile) -> SigningCertificate:
    """The certificate with this SHA-256 on one of the software tokens, fit to sign now."""
    tokens = space.hosts.tokens().required()
    chosen = choose(tokens, sha256, [profile], space.settings, space.trust, space.now())
    require_fit(chosen, space.now())
    return chosen


def sign_all(
    space: Workspace, chosen: SigningCertificate, jobs: Sequence[DocumentJob], pin: Pin, progress: Progress
) -> BatchResult:
    """Examines and signs `jobs`; KnownError when the token or the disk stopped it."""
    run = SigningRun(space, chosen, jobs, Options(), progress)
    stopped = None
    if run.examine():
        run.begin()
        stopped = run.sign_with(Login(Pin(pin.reveal())), progress=progress)
    result = run.finish(stopped)
    run.reported()
    if stopped is not None:
        raise stopped
    return result
