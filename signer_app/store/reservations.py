"""Numbers that belong to a document which isn't signed yet, and numbers that were given up; as rows.

Reads on any connection, writes only inside a transaction of the main process. A number is kept from the moment a
signing with it begins (Decree 30/2020, article 15); it becomes an issued one with the signature, or is given up by the
clerk with a reason and never used again. Knows no PDF; what the owner's bytes are is the caller's affair.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from signer_app.store.documents import DocumentReader, NumberUse, canonical_number
from signer_app.store.model import Document
from signer_app.store.restored import RestoredReader
from signer_app.store.rows import insert, require_one, to_value
from signer_app.store.sequences import BY_NOTATION, Sequences, sequence_key
from signer_app.store.times import stamp, vietnamese_date
from signer_resources.errors import KnownError


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """A number that is kept for a document, or was given up; then it has a `reason` and no `owner` and `name`.

    `owner` is the SHA-256 of the document's main file as it was opened. `at` and `operator`: since when, by whom.
    """

    body_code: str
    year: int
    notation_group: str
    number: str
    shown: str
    """The number as it is printed: "05"."""
    notation: str
    doc_date: date
    at: datetime
    operator: str
    owner: str | None = None
    name: str | None = None
    reason: str | None = None

    @classmethod
    def of(
        cls,
        body_code: str,
        sequences: Sequences,
        number: str,
        notation: str,
        day: date,
        *,
        owner: str,
        name: str,
        at: datetime,
        operator: str,
    ) -> "Reservation":
        """The number of a document that is about to be signed."""
        return cls(
            body_code=body_code,
            year=day.year,
            notation_group=sequences.key(notation),
            number=canonical_number(number),
            shown=number,
            notation=notation,
            doc_date=day,
            at=at,
            operator=operator,
            owner=owner,
            name=name,
        )

    @property
    def label(self) -> str:
        """Số, ký hiệu as on the page."""
        return f"{self.shown}/{self.notation}"

    @property
    def use(self) -> NumberUse:
        """The form by which it is found."""
        return NumberUse(self.year, self.notation_group, self.number)

    @property
    def given_up(self) -> bool:
        """Whether it was given up."""
        return self.owner is None

    def same_number(self, other: "Reservation") -> bool:
        """Whether both are one number of one sequence, whatever their day."""
        return (self.body_code, self.use) == (other.body_code, other.use)


class ReservationReader:
    """Kept numbers as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def of_owner(self, owner: str) -> tuple[Reservation, ...]:
        """The numbers that are kept for this main file: one, or one for each of several bodies."""
        return self._some("WHERE owner = ? ORDER BY at", owner)

    def list(self, year: int | None = None, body_code: str | None = None) -> tuple[Reservation, ...]:
        """Kept and given-up numbers (of one year, of one body), by sequence and number."""
        return self._some(
            "WHERE (?1 IS NULL OR year = ?1) AND (?2 IS NULL OR body_code = ?2)"
            " ORDER BY year DESC, body_code, notation_group, CAST(number AS INTEGER), number",
            year,
            body_code,
        )

    def find(
        self, body_code: str, year: int, notation: str, number: str, sequences: Sequences = BY_NOTATION
    ) -> Reservation | None:
        """What is known of this number of the notation's sequence."""
        keys = sequences.keys(notation)
        rows = self._some("WHERE body_code = ? AND year = ? AND number = ?", body_code, year, canonical_number(number))
        return next((row for row in rows if keys & {row.notation_group, sequence_key(row.notation)}), None)

    def find_numbers(
        self, body_code: str, uses: Iterable[NumberUse], sequences: Sequences = BY_NOTATION
    ) -> dict[NumberUse, Reservation]:
        """Those of the numbers that are kept or given up in the body."""
        wanted = set(uses)
        rows = self._some(
            "WHERE body_code = ?1 AND (year, number) IN (SELECT json_extract(value, '$.year'),"
            " json_extract(value, '$.number') FROM json_each(?2))",
            body_code,
            msgspec.json.encode(wanted).decode(),
        )
        by_number: dict[tuple[int, str], list[Reservation]] = {}
        for row in rows:
            by_number.setdefault((row.year, row.number), []).append(row)
        found = {}
        for use in wanted:
            keys = sequences.alike(use.group)
            for row in by_number.get((use.year, use.number), ()):
                if keys & {row.notation_group, sequence_key(row.notation)}:
                    found[use] = row
        return found

    def last_numbers(self, body_code: str, year: int) -> dict[str, int]:
        """Sequence and notation → its highest number that is kept or given up; as `DocumentReader.last_numbers`."""
        found: dict[str, int] = {}
        for row in self._connection.execute(
            "SELECT notation_group, notation, max(CAST(number AS INTEGER)) AS last FROM reserved_number"
            " WHERE body_code = ? AND year = ? GROUP BY notation_group, notation",
            (body_code, year),
        ):
            for key in {row["notation_group"], sequence_key(row["notation"])}:
                found[key] = max(found.get(key, 0), row["last"])
        return found

    def check(self, wish: Reservation, sequences: Sequences = BY_NOTATION, replaces: str | None = None) -> None:
        """Whether the wish's owner may have the number; `replaces` as in `check_number`.

        KnownError "number_used", "number_reserved" (kept for another document), "number_given_up", "number_kept" (the
        owner has another number, which must be given up first), "restore_numbers_open".
        """
        RestoredReader(self._connection).require_numbers()
        DocumentReader(self._connection).check_number(
            wish.body_code, wish.doc_date, wish.notation, wish.number, sequences, replaces
        )
        known = self.find(wish.body_code, wish.year, wish.notation, wish.number, sequences)
        if known is not None and known.owner != wish.owner:
            raise refusal_of(known)
        for own in self.of_owner(wish.owner or ""):
            if own.body_code == wish.body_code and (known is None or not own.same_number(known)):
                raise KnownError("number_kept", number=own.label)

    def _some(self, clause: str, *values: object) -> tuple[Reservation, ...]:
        rows = self._connection.execute(
            f"SELECT * FROM reserved_number {clause}",  # noqa: S608 - clauses of this class; values are bound
            values,
        )
        return tuple(to_value(row, Reservation) for row in rows)


class Reservations(ReservationReader):
    """Kept numbers inside a transaction, where they can be written."""

    def reserve(self, wish: Reservation, sequences: Sequences = BY_NOTATION, replaces: str | None = None) -> bool:
        """Keeps the number for its document, and whether it was not kept for it before; again does no harm, and it is
        kept since the first time. Raises as `check`, before anything is written.
        """
        self.check(wish, sequences, replaces)
        documents = DocumentReader(self._connection)
        if documents.find_number(wish.body_code, wish.year, wish.notation, wish.number, sequences) is not None:
            # The document in whose place it comes has the number, and has it until the new one is kept.
            return False
        before = self.find(wish.body_code, wish.year, wish.notation, wish.number, sequences)
        self._connection.execute(
            "DELETE FROM reserved_number WHERE body_code = ? AND owner = ?", (wish.body_code, wish.owner)
        )
        insert(
            self._connection,
            "reserved_number",
            {
                "body_code": wish.body_code,
                "year": wish.year,
                "notation_group": wish.notation_group,
                "number": wish.number,
                "shown": wish.shown,
                "notation": wish.notation,
                "doc_date": wish.doc_date.isoformat(),
                "owner": wish.owner,
                "name": wish.name,
                "at": stamp(before.at if before is not None else wish.at),
                "operator": wish.operator,
            },
        )
        return before is None

    def release(self, wish: Reservation) -> None:
        """Lets a number go that was kept for a document with which nothing was begun; it is free again."""
        self._connection.execute(
            "DELETE FROM reserved_number WHERE body_code = ? AND year = ? AND notation_group = ? AND number = ?"
            " AND owner = ?",
            (wish.body_code, wish.year, wish.notation_group, wish.number, wish.owner),
        )

    def release_unused(self, batch_id: str | None = None) -> None:
        """Lets the numbers go that are kept for documents of a batch, or (None) of all batches to which nobody said
        yes, with which the token hasn't begun: for those that waited there and neither failed nor were on their way
        anywhere, nor wait in another batch.
        """
        # By the hash of the file as it came; where a repaired copy was brought in, its number stays kept.
        self._connection.execute(
            "WITH ours AS (SELECT id, created_at FROM batch WHERE id = ?1 OR ?1 IS NULL AND begun_at IS NULL)"
            " DELETE FROM reserved_number WHERE owner IS NOT NULL AND EXISTS"
            " (SELECT 1 FROM batch_file JOIN ours ON ours.id = batch_id WHERE input_sha256 = reserved_number.owner"
            " AND position = document AND state IN ('pending', 'prepared') AND reserved_number.at >= ours.created_at)"
            " AND NOT EXISTS (SELECT 1 FROM batch_file AS other WHERE other.input_sha256 = reserved_number.owner"
            " AND (other.state IN ('signing', 'failed') OR other.state IN ('pending', 'prepared')"
            " AND other.batch_id NOT IN (SELECT id FROM ours)))",
            (batch_id,),
        )

    def issue(self, document: Document, owner: str, sequences: Sequences) -> None:
        """The document's number is about to be issued: what was kept of it for `owner` goes. Others are refused.

        KnownError "number_reserved", "number_given_up".
        """
        if document.number is None or document.notation is None or document.doc_date is None:
            return
        known = self.find(document.body_code, document.doc_date.year, document.notation, document.number, sequences)
        if known is None:
            return
        if known.owner != owner:
            raise refusal_of(known)
        self._delete(known)

    def give_up(self, kept: Reservation, reason: str, at: datetime, operator: str) -> Reservation:
        """Gives a kept number up for good (Bỏ số); the row as it is then. ValueError for an empty reason, or a number
        that isn't kept any more.
        """
        if not reason.strip():
            raise ValueError("a number is given up with a reason")
        done = self._connection.execute(
            "UPDATE reserved_number SET owner = NULL, name = NULL, reason = ?, at = ?, operator = ?"
            " WHERE body_code = ? AND year = ? AND notation_group = ? AND number = ? AND owner IS NOT NULL",
            (reason.strip(), stamp(at), operator, kept.body_code, kept.year, kept.notation_group, kept.number),
        )
        require_one(done, "no number that is kept")
        return msgspec.structs.replace(kept, owner=None, name=None, reason=reason.strip(), at=at, operator=operator)

    def note_given(self, given: Reservation) -> None:
        """A number was given of which nothing else is known here (its machine is lost); it stays taken, with the
        `reason`. What it was kept for has it no longer; one that stands in the book already stays as it is.
        """
        if given.reason is None:
            raise ValueError("why it is taken must be said")
        known = self.find(given.body_code, given.year, given.notation, given.number)
        if known is not None and not known.given_up:
            self.give_up(known, given.reason, given.at, given.operator)
            return
        issued = DocumentReader(self._connection)
        if known is not None or issued.find_number(given.body_code, given.year, given.notation, given.number):
            return
        insert(
            self._connection,
            "reserved_number",
            {
                "body_code": given.body_code,
                "year": given.year,
                "notation_group": given.notation_group,
                "number": given.number,
                "shown": given.shown,
                "notation": given.notation,
                "doc_date": given.doc_date.isoformat(),
                "reason": given.reason,
                "at": stamp(given.at),
                "operator": given.operator,
            },
        )

    def forget(self, owner: str) -> None:
        """Takes every trace of a document that turned out to be secret away; its number is free again."""
        self._connection.execute("DELETE FROM reserved_number WHERE owner = ?", (owner,))

    def _delete(self, kept: Reservation) -> None:
        self._connection.execute(
            "DELETE FROM reserved_number WHERE body_code = ? AND year = ? AND notation_group = ? AND number = ?",
            (kept.body_code, kept.year, kept.notation_group, kept.number),
        )


def refusal_of(known: Reservation) -> KnownError:
    """Why another document can't have the number."""
    day = vietnamese_date(known.at if known.given_up else known.doc_date)
    if known.given_up:
        return KnownError("number_given_up", number=known.label, date=day, reason=known.reason)
    return KnownError("number_reserved", number=known.label, name=known.name, date=day)
