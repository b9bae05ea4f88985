"""What a person may do to a batch while it is signed: pause, go on, stop, skip a document, let an urgent one jump in.

Any thread. Only wishes are noted here; the thread that signs looks at them between two documents, and those who wait
for the token do. What has its signature comes to its end in any case.
"""

import threading
from collections.abc import Callable

from signer_app.signing.batch import DocumentWork, never


class Control:
    """The wishes about one batch. Whether to stop is asked of `cancelled`, as a task of the window is."""

    def __init__(self, cancelled: Callable[[], bool] = never) -> None:
        self._also = cancelled
        self._guard = threading.Lock()
        self._paused = False
        self._skipped: set[int] = set()
        self._urgent: list[DocumentWork] = []
        self._over = False

    def pause(self) -> None:
        """The token begins with nothing more until `go_on`; it stays logged in."""
        with self._guard:
            self._paused = True

    def go_on(self) -> None:
        """Ends a pause."""
        with self._guard:
            self._paused = False

    def skip(self, place: int) -> None:
        """Leaves out the document at this place of the batch, unless the token has begun with it."""
        with self._guard:
            self._skipped.add(place)

    def jump_in(self, work: DocumentWork) -> bool:
        """A document that was looked at, and comes before all that have no signature yet; False: the batch is over."""
        with self._guard:
            if self._over:
                return False
            self._urgent.append(work)
            return True

    # For the thread that signs

    def cancelled(self) -> bool:
        """Whether to stop."""
        return self._also()

    def paused(self) -> bool:
        """Whether to wait."""
        return self._paused

    def skips(self, place: int) -> bool:
        """Whether to leave this document out."""
        with self._guard:
            return place in self._skipped

    def arrival(self) -> DocumentWork | None:
        """The next one that has jumped in; None: there is none now."""
        with self._guard:
            return self._urgent.pop(0) if self._urgent else None

    def end(self) -> list[DocumentWork]:
        """From now on nothing jumps in; what did meanwhile."""
        with self._guard:
            self._over = True
            arrived, self._urgent = self._urgent, []
        return arrived
