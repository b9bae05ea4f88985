"""The values of a batch while it runs: each file on its way, and what became of it.

Main process. No behaviour but small questions; `examine`, `engine` and `records` do the work.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from signer_app.pdf.model import Finding, LetterFacts, PreflightResult
from signer_app.pdf.plan import SigningPlan
from signer_app.signing.jobs import AttachmentJob, DocumentJob, FileJob
from signer_app.store.model import FileState
from signer_app.verification.model import FileReport
from signer_resources.errors import KnownError

Progress = Callable[[str, int, int], None]
"""Told what is going on: key of a text, how many done, how many in all."""


def never() -> bool:
    """Nobody wants to stop."""
    return False


class Stamped(msgspec.Struct, frozen=True):
    """A timestamp token (DER of its ContentInfo) and the time in it."""

    token: bytes
    time: dt.datetime


@dataclass(frozen=True)
class Outcome:
    """What became of one file; `code` and `params` are an entry of the catalogue, None when all is well.

    `sha256_repaired` is of the copy that was signed where the file itself was broken.
    `document` is the id under which the store keeps it once it is signed; `draft` that of the draft it came from.
    """

    input: str
    output: str | None
    state: FileState
    code: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    level: str | None = None
    sha256_in: str | None = None
    sha256_out: str | None = None
    sha256_repaired: str | None = None
    seconds: float = 0.0
    warnings: tuple[Finding, ...] = ()
    document: str | None = None
    draft: str | None = None


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch; `stopped` is the error that ended it before its end."""

    batch: str | None
    stopped: KnownError | None
    files: tuple[Outcome, ...]


@dataclass
class FileWork:
    """A file on its way through a batch. `done_before`: signed by a batch that ended before it could tell."""

    job: FileJob
    outcome: Outcome
    plan: SigningPlan | None = None
    before: FileReport | None = None
    facts: LetterFacts = field(default_factory=LetterFacts)
    result: PreflightResult | None = None
    """All that the preflight said, for whoever shows it; None where there was none."""
    done_before: bool = False

    @property
    def ready(self) -> bool:
        """Whether it waits for its signature."""
        return self.outcome.state is FileState.PENDING

    @property
    def secret(self) -> bool:
        """Whether it must leave no trace."""
        return self.outcome.code == "secret"

    def refuse(self, error: KnownError) -> None:
        """It will not be signed, for this reason."""
        self._end(FileState.REFUSED, error)

    def fail(self, error: KnownError) -> None:
        """It was to be signed and could not be."""
        self._end(FileState.FAILED, error)

    def _end(self, state: FileState, error: KnownError) -> None:
        params = {key: str(value) for key, value in error.params.items()}
        sha256_in = None if error.code == "secret" else self.outcome.sha256_in
        self.outcome = replace(
            self.outcome,
            state=state,
            code=error.code,
            params=params,
            sha256_in=sha256_in,
            sha256_out=None,
            level=None,
        )


@dataclass
class DocumentWork:
    """A document on its way: what is wanted, its files, the main one first, and what goes along unsigned, as far as
    copies of it are kept.
    """

    job: DocumentJob
    files: list[FileWork]
    attached: tuple[AttachmentJob, ...] = ()

    @property
    def main(self) -> FileWork:
        """The main file."""
        return self.files[0]

    @property
    def ready(self) -> bool:
        """Whether every file waits for its signature."""
        return all(file.ready for file in self.files)

    @classmethod
    def of(cls, job: DocumentJob) -> "DocumentWork":
        """The work on a wish, at its beginning."""
        pending = FileState.PENDING
        return cls(
            job, [FileWork(file, Outcome(file.path, file.output, pending, draft=job.draft)) for file in job.files]
        )


@dataclass(frozen=True)
class Made:
    """A finished and checked signature of a file, not stored yet."""

    file: FileWork
    path: Path
    sha256: str
    report: FileReport
    stamped: Stamped | None
    moment: dt.datetime
    seconds: float
    level: str | None = None
    """What was reached by appending to it at once; None: what the signature itself carries."""
    warnings: tuple[Finding, ...] = ()
    """What came to be said while it was made."""
