"""What a report on a batch tells, as plain values.

Usable on any thread and in any process; no behaviour but small questions. How it is put into words and cells is for
`words`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from signer_app.store.model import FileState
from signer_resources.errors import KnownError
from signer_resources.messages import Lang


@dataclass(frozen=True)
class Told:
    """An entry of the catalogue with what fills it, as it was written down when it happened."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    def what(self, lang: Lang) -> str:
        """What happened, in one sentence."""
        return self._explained(lang, short=True)

    def whole(self, lang: Lang) -> str:
        """What happened, why, and what to do."""
        return self._explained(lang, short=False)

    def _explained(self, lang: Lang, *, short: bool) -> str:
        try:
            told = KnownError(self.code, **self.params).explain(lang)
        except KeyError:
            # Written down by another version of the program, whose words are not ours.
            return self.code
        return told.what if short else str(told)


@dataclass(frozen=True)
class Signer:
    """With what was signed: the certificate, its holder, the token's serial number and who used it; None: not known."""

    certificate: str
    name: str | None = None
    token: str | None = None
    operator: str | None = None


@dataclass(frozen=True)
class EarlierBatch:
    """A batch whose rest was taken over. `counts` are its files by what became of them in it."""

    batch: str
    begun_at: dt.datetime
    counts: Mapping[FileState, int]
    stopped: Told | None


@dataclass(frozen=True)
class ReportHead:
    """The batch itself. `counts` are files by what became of them, all that wait as pending; `finished_at` is None
    while it is signed, and where it was cut. `earlier` are the batches that it goes on with, the newest first.
    """

    batch: str
    begun_at: dt.datetime
    finished_at: dt.datetime | None
    stopped: Told | None
    signer: Signer
    level: str | None
    counts: Mapping[FileState, int]
    earlier: tuple[EarlierBatch, ...] = ()

    @property
    def total(self) -> int:
        """How many files it has."""
        return sum(self.counts.values())

    @property
    def signed_in_all(self) -> int:
        """Files signed by it and by those that it goes on with."""
        return sum(counts.get(FileState.SIGNED, 0) for counts in (self.counts, *(one.counts for one in self.earlier)))


@dataclass(frozen=True)
class ReportLine:
    """One file. `position` counts the lines, from 1; `label` is số, ký hiệu; `folder` where the file lay; `output`
    where its signed copy went, None where there is none.
    """

    position: int
    label: str | None
    date: dt.date | None
    name: str
    folder: str
    state: FileState
    reason: Told | None
    warnings: tuple[Told, ...]
    level: str | None
    sha256_before: str | None
    sha256_after: str | None
    output: str | None
    seconds: float | None
