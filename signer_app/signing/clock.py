"""The machine's clock: what others said of the time, and whether it may be signed by it.

Main process, any thread. `ClockWatch` keeps what document server and TSA said, in memory alone. Times of signing never
run backwards: before the PIN the clock is held against the last signature. Sets no clock and asks nobody.

A last signature that lies in the future because the clock was wrong *then* is got rid of by proof (a server said that
now is right) or by a person's word; either is an entry of the journal, and what was signed before it counts no more.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from asn1crypto import cms

from signer_app.store.model import Document, JournalAction, TokenUse
from signer_app.store.store import Store, View
from signer_app.store.times import VIETNAM
from signer_app.workspace import operator_name
from signer_resources import rules
from signer_resources.errors import KnownError

TOLERANCE = dt.timedelta(seconds=60)
"""So much earlier than the last signature the clock may be: systems set a clock back by seconds all the time."""
_STEP = dt.timedelta(seconds=30)
"""A clock and the time since start that part by more: it was set, or the machine slept, and what was known is void."""
_USUAL_MOST = dt.timedelta(minutes=5)
"""As rule "clock.warning" has it, for a clock at which there are no rules yet, or no more."""
_EARLIEST, _LATEST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
"""It is no earlier than this program, and later than that nobody runs it; who says otherwise has a clock that was never
set, or means harm.
"""
_PAGE = 1000
_NONSENSE = (ValueError, KeyError, TypeError, AttributeError)
"""What the ASN.1 reader raises on bytes that are no timestamp."""


class TimeSource(StrEnum):
    """Who said what the time is."""

    SERVER = "server"
    """The pinned document server, in a signed answer."""
    TSA = "tsa"
    STRANGER = "stranger"
    """A server that isn't pinned yet: enough for a warning, no proof."""


@dataclass(frozen=True)
class _Told:
    """What was said, and what this machine's two clocks showed then."""

    right: dt.datetime
    ours: dt.datetime
    running: float
    source: TimeSource


class ClockWatch:
    """How far the clock is from what others said last. `running`: seconds that grow whatever the clock is set to."""

    def __init__(self, running: Callable[[], float] = time.monotonic) -> None:
        self._running = running
        self._last: _Told | None = None

    def saw(self, right: dt.datetime, ours: dt.datetime, source: TimeSource) -> None:
        """`source` said that it is `right` when this machine's clock showed `ours` (with a zone). What can't be the
        time is not heard.
        """
        if _is_sensible(right):
            self._last = _Told(right, ours, self._running(), source)

    def ahead(self, now: dt.datetime) -> dt.timedelta | None:
        """By how much the clock, which shows `now`, is ahead; None while nobody said so since it was last set."""
        told = self._last
        if told is None or not self._went_on(told, now):
            return None
        return told.ours - told.right

    def warning(self, now: dt.datetime) -> KnownError | None:
        """What is to be said before signing by a clock that shows `now`: "machine_clock_wrong", or nothing.

        The limit is rule "clock.warning" (minutes; Decree 30/2020, appendix I).
        """
        ahead = self.ahead(now)
        if ahead is None:
            return None
        if abs(ahead) <= _most(now):
            return None
        return KnownError("machine_clock_wrong", machine=clock_words(now), right=clock_words(now - ahead))

    def proves(self, now: dt.datetime) -> bool:
        """Whether the server or the TSA has shown that `now` is right."""
        told = self._last
        known = told is not None and told.source is not TimeSource.STRANGER and self.ahead(now) is not None
        return known and self.warning(now) is None

    def _went_on(self, told: _Told, now: dt.datetime) -> bool:
        passed = dt.timedelta(seconds=self._running() - told.running)
        return abs((now - told.ours) - passed) <= _STEP


def _is_sensible(moment: dt.datetime) -> bool:
    """Whether it could be the time at all; one without a zone says nothing."""
    return moment.utcoffset() is not None and _EARLIEST <= moment < _LATEST


def _most(now: dt.datetime) -> dt.timedelta:
    """By how much a clock that shows `now` may be wrong."""
    try:
        return dt.timedelta(minutes=rules.load(now.astimezone(VIETNAM).date()).number("clock.warning"))
    except rules.NoRuleProfileError:
        return _USUAL_MOST


class Ground(StrEnum):
    """Why the clock is taken for right although a signature bears a later time; the result in the journal."""

    PROVED = "proved"
    CONFIRMED = "confirmed"


def require_clock(view: View, now: dt.datetime) -> None:
    """KnownError "clock_before_last_signature" where `now` is more than TOLERANCE earlier than the last signature.

    Its time is the machine's at signing, or the TSA's where that is later. Signatures before the journal's last entry
    about the clock don't count.
    """
    newest = view.documents.list(limit=1)
    if not newest or _signed_at(view, newest[0]) <= now + TOLERANCE:
        return
    last = max((_signed_at(view, document) for document in _since_accepted(view)), default=None)
    if last is not None and last > now + TOLERANCE:
        raise KnownError("clock_before_last_signature", machine=clock_words(now), last=clock_words(last))


def accept_clock(store: Store, now: dt.datetime, ground: Ground) -> None:
    """Takes the clock for right from now on, with an entry in the journal; raises as `Store.write`."""
    use = TokenUse(
        action=JournalAction.CLOCK,
        operator=operator_name(),
        certificate_sha256=None,
        token_serial=None,
        result=ground.value,
    )
    store.write(lambda tx: tx.journal.append(use, now))


def ensure_clock(store: Store, now: dt.datetime, watch: ClockWatch) -> None:
    """As `require_clock`, for whoever is about to sign: a clock that is proved right is accepted on the way."""
    try:
        with store.view() as view:
            require_clock(view, now)
    except KnownError as error:
        if error.code != "clock_before_last_signature" or not watch.proves(now):
            raise
        accept_clock(store, now, Ground.PROVED)


class Onward:
    """Times of signing within one batch: a clock that is set back while it runs is noticed before the next document."""

    def __init__(self, store: Store, watch: ClockWatch) -> None:
        self._store = store
        self._watch = watch
        self._last: dt.datetime | None = None

    def signed(self, *moments: dt.datetime | None) -> None:
        """A signature bears these times; the store has it."""
        self._last = max((moment for moment in (self._last, *moments) if moment is not None), default=None)

    def require(self, now: dt.datetime) -> None:
        """Raises as `ensure_clock`, which is asked only where this batch has signed later than `now`."""
        if self._last is not None and now < self._last - TOLERANCE:
            ensure_clock(self._store, now, self._watch)
            # The clock was wrong when that was signed, and is proved right by now.
            self._last = None


def clock_words(moment: dt.datetime) -> str:
    """A moment as it is told beside a clock, in Vietnam's time."""
    return moment.astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y")


def _signed_at(view: View, document: Document) -> dt.datetime:
    """The latest time that a signature of the document bears."""
    times = [document.created_at]
    for file in view.documents.files(document.id):
        if file.signed_at is not None:
            times.append(file.signed_at)
        for evidence in view.evidence.of_file(file.id):
            stamped = _stamped_at(evidence.record.timestamp_token)
            times += [stamped] if stamped is not None else []
    return max(times)


def _stamped_at(token: bytes | None) -> dt.datetime | None:
    """The time in a timestamp, which was checked when it was put in (RFC 3161, 2.4.2)."""
    if token is None:
        return None
    with suppress(*_NONSENSE):
        info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
        stamped = info["gen_time"].native
        return stamped if isinstance(stamped, dt.datetime) and _is_sensible(stamped) else None
    return None


def _since_accepted(view: View) -> Iterator[Document]:
    """The documents signed since the journal's last entry about the clock, or ever. Times say nothing of the order
    here; the journal's numbers do.
    """
    before: int | None = None
    seen: set[str] = set()
    while entries := view.journal.entries(_PAGE, before):
        for entry in entries:
            if entry.use.action is JournalAction.CLOCK:
                return
            document_id = entry.use.document_id
            if document_id is not None and document_id not in seen:
                seen.add(document_id)
                document = view.documents.get(document_id)
                if document is not None:
                    yield document
        before = entries[-1].seq
