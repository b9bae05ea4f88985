"""What is remembered of drafts besides the database: the certificate, what examinations said, what is being signed.

In memory of the main process, for any thread; gone after a start. Its one lock is held for a moment only, never while
the store is asked, whose own lock may be held outside of it. Knows nothing of pages, rules or numbers.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from signer_app.outgoing.model import Draft, Row, State
from signer_app.outgoing.rows import Answer
from signer_app.signing.batch import Outcome
from signer_app.signing.certificates import SigningCertificate
from signer_resources.errors import KnownError


class Memory:
    """What one window remembers of its drafts; all by id of the draft."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._chosen: SigningCertificate | None = None
        self._answers: dict[str, Answer] = {}
        self._signing: dict[str, Row | None] = {}
        self._signed: dict[str, Row] = {}

    @property
    def chosen(self) -> SigningCertificate | None:
        """The certificate that drafts were looked through with last; None: without a token."""
        with self._turn:
            return self._chosen

    def choose(self, certificate: SigningCertificate | None) -> None:
        """Remembers the certificate that drafts are looked through with."""
        with self._turn:
            self._chosen = certificate

    # --- what examinations said ------------------------------------------------------------------------------------

    def answers(self) -> Mapping[str, Answer]:
        """All answers, as they are now."""
        with self._turn:
            return dict(self._answers)

    def remember(self, draft_id: str, answer: Answer) -> None:
        """Keeps what an examination said, in place of what it said before."""
        with self._turn:
            self._answers[draft_id] = answer

    def forget(self, ids: Collection[str]) -> None:
        """Keeps nothing of drafts that are gone."""
        with self._turn:
            for draft_id in ids:
                self._answers.pop(draft_id, None)
                self._signed.pop(draft_id, None)

    # --- what is being signed --------------------------------------------------------------------------------------

    def require_free(self, draft: Draft) -> Draft:
        """The draft; KnownError "out_being_signed" while it must not be changed."""
        with self._turn:
            if draft.id in self._signing:
                raise KnownError("out_being_signed")
        return draft

    def hold(self, ids: Collection[str]) -> None:
        """From now on nobody changes these drafts; KnownError "out_being_signed" where one is held already."""
        with self._turn:
            if not self._signing.keys().isdisjoint(ids):
                raise KnownError("out_being_signed")
            self._signing |= dict.fromkeys(ids)

    def hold_as(self, rows: Sequence[Row]) -> None:
        """Remembers the rows of held drafts as they go into the signing."""
        with self._turn:
            self._signing |= {row.draft.id: row for row in rows}

    def held(self, draft_id: str) -> Row | None:
        """The row of a held draft."""
        with self._turn:
            return self._signing.get(draft_id)

    def release(self, ids: Collection[str]) -> None:
        """Drafts may be changed again."""
        with self._turn:
            for draft_id in ids:
                self._signing.pop(draft_id, None)

    def release_signed(self, row: Row, outcomes: tuple[Outcome, ...]) -> None:
        """A held draft has become a document: its row stays to be seen."""
        with self._turn:
            self._signing.pop(row.draft.id, None)
            self._answers.pop(row.draft.id, None)
            self._signed[row.draft.id] = replace(row, state=State.SIGNED, outcomes=outcomes)

    def with_signing(self, rows: Sequence[Row]) -> list[Row]:
        """Rows of drafts as the signing has them, and those of what was signed."""
        with self._turn:
            shown = [replace(row, state=State.SIGNING) if row.draft.id in self._signing else row for row in rows]
            return [*shown, *self._signed.values()]

    def forget_signed(self) -> None:
        """Forgets the rows of what was signed."""
        with self._turn:
            self._signed.clear()
