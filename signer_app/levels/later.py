"""The background task: files that wait for a timestamp, for validation data, or for a new timestamp in good time.

Main process, any thread; blocks, so it runs beside everything else, a few files at a time, and yields to a batch that
is being signed. Without a network it stops at the first file and says nothing; a file that failed waits longer each
time, one that can't be raised is given up with the reason. What was sent is never sent again.
"""

import datetime as dt
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from signer_app.levels.crew import spread
from signer_app.levels.keeping import keep, newest_blob
from signer_app.levels.model import at_least
from signer_app.levels.raising import Raised, Raiser
from signer_app.signing.batch import Progress, never
from signer_app.signing.timestamps import ServerState
from signer_app.store.levels import AwaitedLevel, LevelCounts, WhyHigher
from signer_app.store.settings import ArchiveLevel
from signer_app.store.store import Transaction, View
from signer_app.verification.addresses import ODD
from signer_app.verification.model import Level
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

BEFORE_END = dt.timedelta(days=180)
"""So long before certificates run out, what rests on them gets a new timestamp: time for a whole archive."""
_NOT_AGAIN_WITHIN = dt.timedelta(days=60)
"""A timestamp whose own certificates end soon is not followed by another of the same kind every day."""
_LOOK_BACK = dt.timedelta(days=30)
"""How old a file may be that is raised only because the settings say so; older ones are raised before they end."""
_PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 1440))
_ASKED = frozenset({ServerState.READY})
_ASKED_NOW = frozenset({ServerState.READY, ServerState.LEFT_ALONE})
"""Servers that are worth a run; a quota that is used up stays so, whoever asks."""
AT_ONCE = 4
_IN_A_RUN = 500
AWAY = frozenset({"tsa_no_answer", "tsa_quota_used"})
"""What would befall every other file too."""
HOPELESS = frozenset(
    {
        "level_certificate_expired",
        "level_certificate_revoked",
        "level_no_signature",
        "level_not_appendable",
        "level_not_reached",
        "level_not_valid",
        "level_worse",
        "output_looks_different",
        "output_not_intact",
        "output_not_prefix",
        "output_pages_differ",
        "output_unreadable",
    }
)
"""What no later attempt will change."""


@dataclass(frozen=True)
class LaterResult:
    """What a run has done: how many files were raised, put off and given up; `stopped` is what ended it before its end.

    A file that came nearer to its level counts as put off.
    """

    raised: int = 0
    postponed: int = 0
    given_up: int = 0
    stopped: KnownError | None = None


class Later:
    """The waiting files of one workspace that may write."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._turn = threading.Lock()

    def plan(self) -> int:
        """Has all files wait that should be raised, by the settings and by the ends of certificates; how many anew."""
        settings, now = self._space.settings, self._space.now()
        if not settings.timestamp_servers:
            return 0
        with self._space.store.view() as view:
            ending = _ending(view, now + BEFORE_END)

        def write(tx: Transaction) -> int:
            wanted = 0
            if settings.archive_level is not ArchiveLevel.B_B:
                level = settings.archive_level.value
                wanted = tx.levels.want_all_below(level, WhyHigher.SETTING, now, now - _LOOK_BACK)
            return wanted + tx.levels.want_before_end(ending, now, now + BEFORE_END, now - _NOT_AGAIN_WITHIN)

        return self._space.store.write(write)

    def due(self, limit: int = _IN_A_RUN) -> tuple[AwaitedLevel, ...]:
        """The files that may be tried now."""
        with self._space.store.view() as view:
            return view.levels.due(self._space.now(), limit)

    def counts(self) -> LevelCounts:
        """How the files stand."""
        with self._space.store.view() as view:
            return view.levels.counts()

    def ask_again(self) -> None:
        """A person wants it now: what was put off is due."""
        now = self._space.now()
        self._space.store.write(lambda tx: tx.levels.ask_again(now))

    def run(self, progress: Progress, cancelled: Callable[[], bool] = never, *, wanted: bool = False) -> LaterResult:
        """Raises what is due, until it is done, cancelled, or the network seems to be away.

        Nothing begins while somebody is logged in at a token. A second call beside a running one does nothing.
        `wanted`: a person wants it now, so what was put off is due, and servers that failed a moment ago are asked.
        """
        if not self._turn.acquire(blocking=False):
            return LaterResult()
        try:
            pool, asked = self._space.timestamps, _ASKED_NOW if wanted else _ASKED
            if pool is None or all(one.state not in asked for one in pool.status()):
                return LaterResult()
            self.plan()
            if wanted:
                self.ask_again()
            return _Run(self._space, Raiser(self._space, pool.patiently), progress, cancelled).through(self.due())
        finally:
            self._turn.release()


class _Run:
    """One run over the files that are due."""

    def __init__(self, space: Workspace, raiser: Raiser, progress: Progress, cancelled: Callable[[], bool]) -> None:
        self._space = space
        self._raiser = raiser
        self._progress = progress
        self._cancelled = cancelled
        self._guard = threading.Lock()
        self._stopped: KnownError | None = None
        self._done = 0

    def through(self, due: tuple[AwaitedLevel, ...]) -> LaterResult:
        outcomes = spread(lambda one: self._one(one, len(due)), due, AT_ONCE, self._cancelled)
        return LaterResult(
            raised=outcomes.count("raised"),
            postponed=outcomes.count("postponed"),
            given_up=outcomes.count("given_up"),
            stopped=self._stopped,
        )

    def _ends(self) -> bool:
        return self._stopped is not None or self._cancelled() or self._space.tokens_are_held

    def _one(self, awaited: AwaitedLevel, total: int) -> str:
        if self._ends():
            return "left"
        try:
            outcome = self._raise(awaited)
        except KnownError as error:
            outcome = self._failed(awaited, error)
        with self._guard:
            self._done += 1
            self._progress("progress_levels", self._done, total)
        return outcome

    def _raise(self, awaited: AwaitedLevel) -> str:
        raised = raise_stored(self._space, self._raiser, awaited, self._ends)
        return "raised" if raised.reason is None else self._failed(awaited, raised.reason)

    def _failed(self, awaited: AwaitedLevel, error: KnownError) -> str:
        if error.code == "interrupted":
            return "left"
        if error.code in AWAY or error.code == "disk_full":
            with self._guard:
                self._stopped = self._stopped or error
        now = self._space.now()
        try:
            if error.code in HOPELESS:
                self._space.store.write(lambda tx: tx.levels.give_up(awaited.file_id, error, now))
                return "given_up"
            pause = _PAUSES[min(awaited.attempts, len(_PAUSES) - 1)]
            self._space.store.write(lambda tx: tx.levels.postpone(awaited.file_id, error, now + pause))
        except KnownError as fault:
            # A full disk: it stays due.
            with self._guard:
                self._stopped = self._stopped or fault
        return "postponed"


def raise_stored(
    space: Workspace, raiser: Raiser, awaited: AwaitedLevel, cancelled: Callable[[], bool] = never
) -> Raised:
    """Raises a file of the store from its newest version, and keeps what was reached, be it less than was wanted.

    Raises KnownError as `keep` and `BlobStore.path`'s users.
    """
    with space.store.view() as view:
        file = view.documents.file(awaited.file_id)
    if file is None:
        raise ValueError("no such file")
    begun, level = newest_blob(space, file), Level(awaited.level)
    source = space.store.blobs.path(begun)
    renew_before = space.now() + BEFORE_END
    with tempfile.TemporaryDirectory(prefix="levels-", dir=space.folder.work) as folder:
        raised = raiser.raise_to(
            source, level, Path(folder), largest=None, renew_before=renew_before, cancelled=cancelled
        )
        if raised.path is not None:
            keep(space, file, raised, begun)
        elif raised.reason is None and at_least(raised.level, level):
            # It is there already: what was kept of it said less.
            space.store.write(lambda tx: tx.levels.settle(awaited.file_id))
    return raised


def _ending(view: View, until: dt.datetime) -> tuple[str, ...]:
    """The certificates whose chain, as the evidence of a signature keeps it, ends before `until`."""
    found = []
    for certificate, file_id in view.levels.certificates():
        records = [one.record for one in view.evidence.of_file(file_id)]
        ders = [der for record in records[:1] for der in (record.signer_cert_der, *record.chain_der)]
        ends = [end for der in ders if (end := _end_of(der)) is not None]
        if ends and min(ends) < until:
            found.append(certificate)
    return tuple(found)


def _end_of(der: bytes) -> dt.datetime | None:
    try:
        return x509.load_der_x509_certificate(der).not_valid_after_utc
    except ODD:
        return None
