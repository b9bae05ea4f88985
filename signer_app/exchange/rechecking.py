"""Looks again at incoming documents that could not be decided for want of news: CRLs, OCSP answers, anchors.

Main process, any thread; blocks on workers and the network. Only the verdict changes: what the clerk has decided stays,
and nothing is ever returned by this.
"""

import threading
from collections.abc import Callable

from signer_app.exchange.incoming_checks import check_files, keep_evidence
from signer_app.signing.batch import never
from signer_app.store import Transaction
from signer_app.store.incoming_model import ArrivalVerdict, IncomingDocument, IncomingEvent, IncomingWhat, OwnDoubt
from signer_app.workspace import Workspace

_AT_ONCE = 200


class Rechecking:
    """The undecided documents of one workspace; one run at a time."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._turn = threading.Lock()

    def run(self, cancelled: Callable[[], bool] = never) -> int:
        """Looks at those whose time has come; how many are decided now. KnownError as `Store.write`."""
        with self._turn:
            with self._space.store.view() as view:
                due = view.incoming.to_check_again(self._space.now(), _AT_ONCE)
            return sum(self._again(document) for document in due if not cancelled())

    def at_once(self, cancelled: Callable[[], bool] = never) -> int:
        """Looks at all that are undecided: the network is back, anchors were installed, a person asks."""
        with self._turn:
            with self._space.store.view() as view:
                undecided = view.incoming.undecided()
            return sum(self._again(document) for document in undecided if not cancelled())

    def one(self, incoming_id: str) -> ArrivalVerdict | None:
        """Looks at one because a person asks; its verdict now, None if it isn't there any more."""
        with self._space.store.view() as view:
            document = view.incoming.get(incoming_id)
        if document is None or not document.readable:
            return None
        self._again(document)
        with self._space.store.view() as view:
            now = view.incoming.get(incoming_id)
        return now.verdict if now is not None else None

    def _again(self, document: IncomingDocument) -> bool:
        """Whether its verdict is another one now."""
        with self._space.store.view() as view:
            files = view.incoming.files(document.id)
        checked = check_files(self._space, files, rechecks=document.rechecks + 1)
        changed = checked.judged.verdict is not document.verdict
        event = IncomingEvent(
            at=self._space.now(), what=IncomingWhat.VERIFIED, by="", words=checked.judged.verdict.value
        )

        def work(tx: Transaction) -> bool:
            return tx.incoming.judged(
                document.id, document.content, checked.judged, checked.files, event if changed else None
            )

        if not self._space.store.write(work):
            return False
        if OwnDoubt.UNSCREENED not in document.doubts:
            keep_evidence(self._space, checked)
        return changed
