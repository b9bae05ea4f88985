"""The number belongs to the document: kept when a signing with it begins, given up only by the clerk, with a reason.

Main process; writes only inside the transactions that are handed in. Who signs asks before any PIN (`require_free`) and
keeps when the token is open (`keep`). Giving up is another's affair (`giving_up`).
"""

import datetime as dt
from dataclasses import dataclass

from signer_app.pdf.model import LetterFacts
from signer_app.signing.batch import DocumentWork
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.jobs import has_own_number
from signer_app.signing.release import issues_number
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION, Sequences
from signer_app.store.store import Transaction, View
from signer_app.workspace import operator_name

NUMBER_REFUSALS = frozenset({"number_used", "number_reserved", "number_given_up", "number_kept"})
"""Codes of what `NumberKeeping` refuses one document for; others concern the machine."""


def sequences_of(chosen: SigningCertificate | None) -> Sequences:
    """How the numbers run of the body for which the certificate seals."""
    return chosen.body.sequences if chosen is not None and chosen.body is not None else BY_NOTATION


def owner_of(work: DocumentWork) -> str | None:
    """For whom a document's number is kept: SHA-256 of its main file as it was opened, before any repair."""
    file = work.main
    repaired = file.job.original or (file.plan.original if file.plan is not None else None)
    return repaired or (file.plan.blob if file.plan is not None else file.outcome.sha256_in)


@dataclass(frozen=True)
class NumberKeeping:
    """The numbers of the body for which one certificate seals."""

    body_code: str
    sequences: Sequences
    today: dt.date
    """The day of the run, that its documents bear: a midnight in the midst of it changes nothing."""

    @classmethod
    def of(cls, chosen: SigningCertificate, today: dt.date) -> "NumberKeeping":
        """Those of this certificate's body."""
        return cls(chosen.body_code, sequences_of(chosen), today)

    def wish(self, work: DocumentWork, now: dt.datetime) -> Reservation | None:
        """The number that signing the document issues; None where it issues none."""
        job, profile, owner = work.job, work.main.job.profile, owner_of(work)
        # What a copy's page says is the number of what was copied.
        facts = LetterFacts() if has_own_number(profile) else work.main.facts
        number, notation = job.number or facts.number, job.notation or facts.notation
        if not (issues_number(profile) and number and notation and owner):
            return None
        return Reservation.of(
            self.body_code,
            self.sequences,
            number,
            notation,
            job.date or facts.date or self.today,
            owner=owner,
            name=work.main.job.name,
            at=now,
            operator=operator_name(),
        )

    def require_free(self, view: View, work: DocumentWork, now: dt.datetime) -> None:
        """KnownError "number_used", "number_reserved", "number_given_up", "number_kept" where the document can't have
        its number.
        """
        wish = self.wish(work, now)
        if wish is not None:
            view.reservations.check(wish, self.sequences, work.job.replaces)

    def keep(self, tx: Transaction, work: DocumentWork, now: dt.datetime) -> bool:
        """Keeps the number of a document that is about to be signed, and whether it was not kept before; again does no
        harm. Raises as `require_free`, before anything is written.
        """
        wish = self.wish(work, now)
        return wish is not None and tx.reservations.reserve(wish, self.sequences, work.job.replaces)

    def leave(self, tx: Transaction, work: DocumentWork, now: dt.datetime) -> None:
        """Lets the number of a document go that `keep` has kept and with which nothing was begun: a batch that is
        stopped takes no number from the documents that it never came to.
        """
        wish = self.wish(work, now)
        if wish is not None:
            tx.reservations.release(wish)
