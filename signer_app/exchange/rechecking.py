"""Looks again at incoming documents that could not be decided in a first look, or for want of news: CRLs, OCSP answers,
anchors.

Main process, any thread but the exchange's; blocks on workers and the network. Only the verdict changes: what the clerk
has decided stays, and nothing is ever returned by this.
"""

import threading
from collections.abc import Callable
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from signer_app.exchange.incoming_checks import Checked, check_files, keep_evidence
from signer_app.faults import write_fault
from signer_app.signing.batch import never
from signer_app.store import Transaction
from signer_app.store.incoming_model import (
    ArrivalVerdict,
    IncomingDocument,
    IncomingEvent,
    IncomingWhat,
    Judged,
    OwnDoubt,
)
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_MOST_AT_ONCE = 500
"""Documents that are looked at when there may be news for all of them."""
_DOCUMENT_S = 240.0
"""For all files of a document: one that is made to exhaust must not keep the others waiting for hours."""


_turns: "WeakKeyDictionary[Workspace, threading.Lock]" = WeakKeyDictionary()
"""Who looks again in a workspace: after a pass, in the window, when a person asks; one at a time."""


class Rechecking:
    """The undecided documents of one workspace; one run at a time."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._turn = _turns.setdefault(space, threading.Lock())

    def run(self, cancelled: Callable[[], bool] = never) -> int:
        """Looks at those whose time has come, the most urgent first, until none is left; how many are decided now.

        KnownError as `Store.write`.
        """
        found, seen = 0, set[str]()
        with self._turn:
            while True:
                with self._space.store.view() as view:
                    due = view.incoming.to_check_again(self._space.now(), 1 + len(seen))
                following = next((document for document in due if document.id not in seen), None)
                if following is None or cancelled():
                    return found
                # One at a time: what has come meanwhile may be more urgent.
                seen.add(following.id)
                found += self._again(following, of_itself=True)

    def at_once(self, cancelled: Callable[[], bool] = never) -> int:
        """Looks at the undecided, the newest first: the network is back, anchors were installed. How many are decided
        now. When they are due to be looked at of themselves is not changed by it.
        """
        with self._turn:
            with self._space.store.view() as view:
                undecided = view.incoming.undecided(_MOST_AT_ONCE)
            return sum(self._again(document, of_itself=False) for document in undecided if not cancelled())

    def one(self, incoming_id: str) -> ArrivalVerdict | None:
        """Looks at one because a person asks; its verdict now, None if it isn't there any more."""
        with self._space.store.view() as view:
            document = view.incoming.get(incoming_id)
        if document is None or not document.readable:
            return None
        self._again(document, of_itself=False)
        with self._space.store.view() as view:
            now = view.incoming.get(incoming_id)
        return now.verdict if now is not None else None

    def _again(self, document: IncomingDocument, *, of_itself: bool) -> bool:
        """Whether its verdict is another one now."""
        with self._space.store.view() as view:
            files = view.incoming.files(document.id)
        rechecks = document.rechecks + of_itself
        checked = check_files(self._space, files, rechecks=max(rechecks, 1), patience_s=_DOCUMENT_S)
        judged = _next_look(document, checked, of_itself=of_itself)
        changed = judged.verdict is not document.verdict
        event = IncomingEvent(at=self._space.now(), what=IncomingWhat.VERIFIED, by="", words=judged.verdict.value)

        def work(tx: Transaction) -> bool:
            return tx.incoming.judged(
                document.id, document.content, judged, checked.files, event if changed else None, rechecks=rechecks
            )

        if not self._space.store.write(work):
            return False
        if OwnDoubt.UNSCREENED not in document.doubts:
            keep_evidence(self._space, checked)
        return changed


class LookingAgain:
    """Looks again on a thread of its own whenever it is called, beside loops that wait for nothing."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._called = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    def call(self) -> None:
        """Something came, or time has passed; at most one look runs."""
        with self._guard:
            if self._stopped:
                return
            self._called.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="looking again", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Begins no further look; one that runs ends after its file, and nobody waits for it."""
        with self._guard:
            self._stopped = True
            self._called.set()

    def _run(self) -> None:
        looking = Rechecking(self._space)
        while True:
            self._called.wait()
            self._called.clear()
            if self._stopped:
                return
            try:
                looking.run(lambda: self._stopped)
            except KnownError:
                # A full disk and the like: told by the next pass; looked at after it.
                continue
            except Exception as fault:  # noqa: BLE001 - our own fault must not end the looks unseen
                write_fault(fault, self._space.folder.path)


def _next_look(document: IncomingDocument, checked: Checked, *, of_itself: bool) -> Judged:
    """What was found; a look out of turn, which a shaky network may cause many times a day, uses up no other."""
    if of_itself or checked.judged.recheck_at is None:
        return checked.judged
    return replace(checked.judged, recheck_at=document.recheck_at)
