"""A batch of the window while it is signed: how far it is, what it waits for, and what a person may do to it.

Main process, any thread; only `jump_in` may block. The engine signs; here is kept which of its documents is which
draft.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from signer_app.desk.signing_values import Planned, Standing
from signer_app.outgoing.outgoing import Outgoing
from signer_app.signing.batch import DocumentWork, Outcome
from signer_app.signing.control import Control
from signer_app.signing.engine import SigningRun
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.waiting import Glance, Waits, waited_for
from signer_app.store.model import FileState
from signer_resources.errors import KnownError

_LOOK_BACK_S = 4.0
"""So long at least lies between the two looks that tell what is waited for."""


class Running:
    """The documents of one batch, by draft and by place; `close` when it is over."""

    def __init__(self, outgoing: Outgoing, documents: Sequence[Planned], cancelled: Callable[[], bool]) -> None:
        self.control = Control(cancelled)
        self.waits = Waits()
        self._outgoing = outgoing
        self._guard = threading.Lock()
        """Over the counts; held for a moment only."""
        self._turn = threading.Lock()
        """Over the end, and what is held until then."""
        self._run: SigningRun | None = None
        self._held = ExitStack()
        self._at_place: dict[int, Planned] = {}
        self._place_of: dict[str, int] = {}
        self._jumped: dict[str, Planned] = {}
        self._done, self._total = 0, len(documents)
        self._glance, self._now = self.waits.glance(), self.waits.glance()
        place = 0
        for one in documents:
            self._at_place[place] = one
            if one.job.draft is not None:
                self._place_of[one.job.draft] = place
            place += len(one.job.files)
        self._files = place

    # ---- for who signs

    def begin(self, run: SigningRun, ready: int) -> None:
        """Something may jump in from now on; so many were found ready."""
        with self._turn:
            self._run = run
        with self._guard:
            self._total = ready

    def done_with(self, work: DocumentWork) -> Planned:
        """A document was signed, has failed or was left out; which one it is."""
        with self._guard:
            if work.main.outcome.state is FileState.SKIPPED:
                self._total -= 1
            else:
                self._done += 1
        return self._jumped.get(work.job.draft or "") or self._at_place[work.place]

    def documents(self, files: Sequence[Outcome]) -> tuple[Planned, ...]:
        """All documents of the batch in its order, those that have jumped in behind the others."""
        found, at = list(self._at_place.values()), self._files
        while at < len(files):
            planned = self._jumped[files[at].draft or ""]
            found.append(planned)
            at += len(planned.job.files)
        return tuple(found)

    def close(self) -> None:
        """Nothing jumps in any more; who did may be changed again."""
        with self._turn:
            self._run = None
            self._held.close()

    # ---- for who watches

    def standing(self) -> Standing:
        """How it is now; never blocks."""
        now = self.waits.glance()
        with self._guard:
            if now.at - self._now.at >= _LOOK_BACK_S:
                self._glance, self._now = self._now, now
            waits = waited_for(_older(self._glance, self._now, now), now)
            return Standing(self._done, self._total, paused=self.control.paused(), waits_for=waits)

    def skip(self, drafts: Sequence[str]) -> None:
        """Leaves these out, as far as the token hasn't begun with them."""
        for draft in drafts:
            if (place := self._place_of.get(draft)) is not None:
                self.control.skip(place)

    def jump_in(self, draft: str, *, send: bool, label: str, fits: Callable[[DocumentJob], None]) -> None:
        """Has a draft signed next; `fits` raises where this batch's certificate can't sign it.

        KnownError "batch_over", the reason for which it can't be signed, and as `Outgoing.signing`.
        """
        with self._turn:
            run = self._run
        if run is None:
            raise KnownError("batch_over")
        with ExitStack() as held:
            (job,) = held.enter_context(self._outgoing.signing([draft], send=send))
            fits(job)
            with self._guard:
                # It may have been tried in this batch before, and have failed.
                before = self._jumped.get(draft)
                self._jumped[draft] = Planned(job, label)
                self._total += 1
            try:
                work = run.jump_in(job)
                if not work.ready:
                    self._outgoing.follow(work)
                    outcome = work.main.outcome
                    raise KnownError(outcome.code or "batch_over", **outcome.params)
            except KnownError:
                self._not_in(draft, before)
                raise
            with self._turn:
                if self._run is not None:
                    self._held.enter_context(held.pop_all())

    def _not_in(self, draft: str, before: Planned | None) -> None:
        with self._guard:
            if before is not None:
                self._jumped[draft] = before
            else:
                del self._jumped[draft]
            self._total -= 1


def _older(first: Glance, second: Glance, now: Glance) -> Glance:
    """The later of two looks that lies far enough back."""
    return second if now.at - second.at >= _LOOK_BACK_S / 2 else first
