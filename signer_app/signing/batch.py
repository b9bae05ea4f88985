"""The values of a batch while it runs: each file on its way, and what became of it.

Main process. No behaviour but small questions; `examine`, `engine` and `records` do the work.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec

from signer_app.pdf.model import Finding, LetterFacts, PreflightResult
from signer_app.pdf.plan import SigningPlan
from signer_app.signing.jobs import AttachmentJob, DocumentJob, FileJob, urgency_on_page
from signer_app.store.model import FileState, Urgency
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
    """What became of a batch; `stopped` is the error that ended it before its end. `batch` is None where nobody has
    said yes to it. `counts` are files by what became of them.

    `each` gives the outcomes in the order of the batch, read as they are asked for; `files` are all of them in memory.
    """

    batch: str | None
    stopped: KnownError | None
    counts: Mapping[FileState, int] = field(default_factory=dict)
    each: Callable[[], Iterator[Outcome]] = field(default=lambda: iter(()), repr=False)

    @cached_property
    def files(self) -> tuple[Outcome, ...]:
        """All outcomes, for batches of a size that a person looks through."""
        return tuple(self.each())

    @property
    def total(self) -> int:
        """How many files there are."""
        return sum(self.counts.values())


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

    def is_told(self, code: str) -> bool:
        """Whether the person is told this beside."""
        return any(warning.code == code for warning in self.outcome.warnings)

    def refuse(self, error: KnownError) -> None:
        """It will not be signed, for this reason."""
        self._end(FileState.REFUSED, error)

    def fail(self, error: KnownError) -> None:
        """It was to be signed and could not be."""
        self._end(FileState.FAILED, error)

    def skip(self, code: str) -> None:
        """It is left out, for this reason."""
        self._end(FileState.SKIPPED, KnownError(code))

    def _end(self, state: FileState, error: KnownError) -> None:
        params = {key: str(value) for key, value in error.params.items()}
        secret = error.code == "secret"
        self.outcome = replace(
            self.outcome,
            state=state,
            code=error.code,
            params=params,
            sha256_in=None if secret else self.outcome.sha256_in,
            sha256_repaired=None if secret else self.outcome.sha256_repaired,
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
    place: int = 0
    """That of its main file among all files of the batch."""

    @property
    def main(self) -> FileWork:
        """The main file."""
        return self.files[0]

    @property
    def in_a_hurry(self) -> bool:
        """Whether it goes before others: hỏa tốc."""
        return self.urgency >= Urgency.HOA_TOC

    @property
    def urgency(self) -> Urgency:
        """As the clerk has said; where nobody has said anything, as its page does."""
        said = self.job.urgency or self.job.draft is not None
        return self.job.urgency if said else urgency_on_page(self.main.facts)

    @property
    def ready(self) -> bool:
        """Whether every file waits for its signature."""
        return all(file.ready for file in self.files)

    def refuse(self, error: KnownError) -> None:
        """None of it will be signed, for this reason."""
        for file in self.files:
            file.refuse(error if file is self.main else KnownError("part_refused"))

    def copy(self) -> "DocumentWork":
        """The same, for another thread: what becomes of one doesn't change the other."""
        return replace(self, files=[replace(file) for file in self.files])

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
