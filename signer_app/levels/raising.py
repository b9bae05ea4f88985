"""Raises one document to a higher level: timestamp, validation data, timestamp over those; each step is looked at.

Main process, any thread, blocks on workers and network. Works on a file and leaves a new one, which begins with the
old one; keeps nothing and changes nothing that is there. A step whose outcome is not what it should be is thrown away,
and what was reached before it stands.
"""

import datetime as dt
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from signer_app.levels.model import Standing, at_least
from signer_app.signing.batch import never
from signer_app.signing.clock import TimeSource
from signer_app.signing.timestamps import FetchedStamp
from signer_app.tasks import AddValidation, FinishStamp, PrepareStamp, Recheck, Stand
from signer_app.verification.model import FileReport, Integrity, Level, RevocationUrl, Verdict
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

Stamps = Callable[[bytes, Callable[[], bool]], FetchedStamp]
"""A timestamp over a SHA-256, unless it is cancelled: `TimestampPool.patiently`, or `BatchStamps.over` while documents
are signed. KnownError where there is none.
"""
LARGEST_SENT = 1 << 20
"""Bytes of CRLs and OCSP answers that a file may carry which is going to be sent."""

_MEGABYTE = 1 << 20
_INTEGRITY = (Integrity.INTACT, Integrity.CHANGED, Integrity.UNREADABLE, Integrity.BROKEN)
_VERDICT = (Verdict.VALID, Verdict.CHANGED, Verdict.INDETERMINATE, Verdict.INVALID)


@dataclass(frozen=True)
class Raised:
    """What became of a document. `path` is the new file, None where nothing could be added; `level` is what is reached
    now; `reason` says why it isn't the wanted one, None if it is. `stamp` is the last timestamp that came in.
    """

    path: Path | None
    level: Level
    standing: Standing
    stamp: FetchedStamp | None = None
    reason: KnownError | None = None


@dataclass(frozen=True)
class _Step:
    """A file on the way up, and how it stands."""

    path: Path
    standing: Standing
    stamp: FetchedStamp | None = None


class Raiser:
    """Raises documents of one workspace; `stamps` gives timestamps, None where no server is set.

    One instance serves a run over many documents: an address that gave nothing useful is asked once in it.
    """

    def __init__(self, space: Workspace, stamps: Stamps | None) -> None:
        self._space = space
        self._stamps = stamps
        self._guard = threading.Lock()
        self._useless: set[tuple[str, bytes]] = set()

    def raise_to(
        self,
        path: Path,
        level: Level,
        folder: Path,
        *,
        largest: int | None = LARGEST_SENT,
        renew_before: dt.datetime | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Raised:
        """A copy of the document in `folder` that is at `level`, or as near to it as could be reached.

        The news that come in have at most `largest` bytes. A document at B-LTA gets another round where its last
        timestamp runs out before `renew_before`. KnownError only where nobody can tell how the document stands.
        """
        place = Path(tempfile.mkdtemp(prefix="raise-", dir=folder))
        try:
            begin = _Step(path, self._stand(path))
            renew = _runs_out(begin.standing, renew_before)
            reached, reason = self._climb(begin, level, place, largest, cancelled, renew=renew)
            if reached is not begin:
                reached, reason = self._checked(begin, reached, reason)
            if reached is begin:
                return Raised(None, begin.standing.level, begin.standing, None, reason)
            kept = folder / f"raised-{place.name.removeprefix('raise-')}.pdf"
            reached.path.replace(kept)
            return Raised(kept, reached.standing.level, reached.standing, reached.stamp, reason)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _climb(
        self,
        begin: _Step,
        level: Level,
        place: Path,
        largest: int | None,
        cancelled: Callable[[], bool],
        *,
        renew: bool,
    ) -> tuple[_Step, KnownError | None]:
        """The highest step that was reached, and why it isn't the last."""
        reached = begin
        try:
            if begin.standing.obstacle is not None:
                raise KnownError(begin.standing.obstacle)
            if not at_least(reached.standing.level, Level.B_T) and at_least(level, Level.B_T):
                reached = self._stamp(reached, place / "t.pdf", Level.B_T, cancelled)
            if at_least(level, Level.B_LT) and (renew or not at_least(reached.standing.level, Level.B_LT)):
                reached = self._add_data(reached, place / "lt.pdf", largest)
            if level is Level.B_LTA and (renew or reached.standing.level is not Level.B_LTA):
                reached = self._stamp(reached, place / "lta.pdf", Level.B_LTA, cancelled)
        except KnownError as error:
            return reached, error
        return reached, None

    def _stand(self, path: Path) -> Standing:
        space = self._space
        return space.workers.stand(Stand(str(path), space.trust, space.now())).standing

    def _stamp(self, step: _Step, target: Path, promised: Level, cancelled: Callable[[], bool]) -> _Step:
        if self._stamps is None:
            raise KnownError("level_no_tsa")
        space = self._space
        gap = space.workers.prepare_stamp(PrepareStamp(str(step.path), str(target))).gap
        stamp = self._stamps(gap.document_digest, cancelled)
        space.clock.saw(stamp.time, space.now(), TimeSource.TSA)
        space.workers.finish_stamp(FinishStamp(str(target), gap, stamp.token))
        return self._step(step, target, promised, stamp, "level_timestamp_untrusted")

    def _add_data(self, step: _Step, target: Path, largest: int | None) -> _Step:
        standing = step.standing
        if standing.lt_obstacle is not None:
            raise KnownError(standing.lt_obstacle)
        if not standing.in_hand:
            standing = self._ask(step)
        if not standing.in_hand:
            raise KnownError("level_news_missing")
        space = self._space
        task = AddValidation(str(step.path), str(target), standing.report, space.trust, space.now(), largest)
        added = space.workers.add_validation(task).added
        if not added.written and largest is not None and added.size > largest:
            sizes = {"megabytes": f"{added.size / _MEGABYTE:.1f}", "most": f"{largest / _MEGABYTE:g}"}
            raise KnownError("level_news_too_large", **sizes)
        if not added.written:
            raise KnownError("level_news_missing")
        return self._step(step, target, Level.B_LT, step.stamp, "level_not_reached")

    def _ask(self, step: _Step) -> Standing:
        """Asks for the news that are missing, and looks again."""
        with self._guard:
            wanted = [url for url in step.standing.wanted if _key(url) not in self._useless]
        if not wanted:
            return step.standing
        # News from before the signature lie in the cache and won't do, however lately they were fetched.
        self._space.revocation.fetch(wanted, again=True)
        standing = self._stand(step.path)
        with self._guard:
            self._useless.update(_key(url) for url in standing.wanted)
        return standing

    def _step(self, before: _Step, path: Path, promised: Level, stamp: FetchedStamp | None, code: str) -> _Step:
        """The next step, if every signature is as good as it was and the level is what was promised."""
        standing = self._stand(path)
        if not _as_good(before.standing.report, standing.report):
            raise KnownError("level_worse")
        if not at_least(standing.level, promised):
            raise KnownError(code)
        return _Step(path, standing, stamp)

    def _checked(self, begin: _Step, reached: _Step, reason: KnownError | None) -> tuple[_Step, KnownError | None]:
        """The last look, by other parsers too: the file begins with the old one, and its pages look the same."""
        space = self._space
        try:
            task = Recheck(
                source=str(begin.path),
                output=str(reached.path),
                steps=(),
                before=begin.standing.report,
                certificate_sha256="",
                trust=space.trust,
                now=space.now(),
            )
            rechecked = space.workers.recheck(task).rechecked
        except KnownError as error:
            return begin, error
        if rechecked.fault is not None:
            return begin, KnownError(rechecked.fault, detail=rechecked.detail)
        return reached, reason


def _key(url: RevocationUrl) -> tuple[str, bytes]:
    return url.url, url.certificate


def _runs_out(standing: Standing, before: dt.datetime | None) -> bool:
    if before is None or standing.ends_at is None:
        return False
    return standing.level is Level.B_LTA and standing.ends_at < before


def _as_good(before: FileReport, after: FileReport) -> bool:
    """Whether every signature is there, and none is worth less than it was."""
    now = {one.field: one for one in after.signatures}
    return len(now) == len(before.signatures) and all(
        (same := now.get(one.field)) is not None
        and _INTEGRITY.index(same.integrity) <= _INTEGRITY.index(one.integrity)
        and _VERDICT.index(same.verdict) <= _VERDICT.index(one.verdict)
        for one in before.signatures
    )
