"""Leases of registers that a server keeps, and the numbers asked of them, as rows.

Reads on any connection, writes only inside a transaction of the main process. The id under which a lease or a number is
asked for is kept before it is asked for, so that a lost answer is asked for again and never a second number. Talks to
no server.
"""

import datetime as dt
import sqlite3
from enum import StrEnum

import msgspec

from signer_app.store.rows import insert, require_one, to_value
from signer_app.store.times import stamp


class RegisterLease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to be a register's only writer. Without `fence` it has not been granted yet; `lost_at`: another machine
    has it since.
    """

    register_id: str
    body_code: str
    name: str
    notation: str
    """As the server forms it; "{type}" stands for the kind of document."""
    lease_id: str
    fence: int | None = None
    valid_until: dt.datetime | None = None
    lost_at: dt.datetime | None = None

    def holds(self, now: dt.datetime) -> bool:
        """Whether this machine may give numbers by itself now."""
        return self.lost_at is None and self.valid_until is not None and now < self.valid_until


class LeasedState(StrEnum):
    """How a number of such a register stands."""

    ASKED = "asked"
    """Asked for; no answer yet."""
    HELD = "held"
    """Given by the lease while the server couldn't be asked."""
    TAKEN = "taken"
    """Given by the server."""
    DIFFERS = "differs"
    """Given by the lease, and the server gave another one: a person must look."""
    VOIDED = "voided"


class LeasedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number of such a register. `owner` is for whom it was asked: the document's main file, as in a reservation."""

    position: int
    id: str
    register_id: str
    owner: str
    doc_type: str
    issued_date: dt.date
    state: LeasedState
    at: dt.datetime
    operator: str
    fence: int | None = None
    last_known: int | None = None
    number: str | None = None
    notation: str | None = None
    server_number: str | None = None
    void_reason: str | None = None
    void_told: bool = False

    @property
    def label(self) -> str:
        """Số, ký hiệu; empty while there is no number."""
        return f"{self.number}/{self.notation}" if self.number else ""


class LeaseReader:
    """Leases and numbers as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def lease(self, register_id: str) -> RegisterLease | None:
        """The lease of this register, as it was asked for last."""
        row = self._connection.execute("SELECT * FROM register_lease WHERE register_id = ?", (register_id,)).fetchone()
        return to_value(row, RegisterLease) if row else None

    def leases(self, body_code: str | None = None) -> tuple[RegisterLease, ...]:
        """All leases (of one body)."""
        rows = self._connection.execute(
            "SELECT * FROM register_lease WHERE ?1 IS NULL OR body_code = ?1 ORDER BY body_code, name", (body_code,)
        )
        return tuple(to_value(row, RegisterLease) for row in rows)

    def number(self, number_id: str) -> LeasedNumber | None:
        """The number that was asked for under this id."""
        return next(iter(self._some("WHERE id = ?", number_id)), None)

    def number_of(self, register_id: str, owner: str) -> LeasedNumber | None:
        """The number of this document, unless it was given up."""
        return next(
            iter(self._some("WHERE register_id = ? AND owner = ? AND state <> 'voided'", register_id, owner)), None
        )

    def numbers(self, register_id: str, year: int | None = None) -> tuple[LeasedNumber, ...]:
        """All numbers (of one year), in the order in which they were asked for."""
        return self._some(
            "WHERE register_id = ?1 AND (?2 IS NULL OR substr(issued_date, 1, 4) = printf('%04d', ?2))"
            " ORDER BY position",
            register_id,
            year,
        )

    def last_number(self, register_id: str, year: int) -> int:
        """The highest number of the year that this machine has had; 0 for none."""
        row = self._connection.execute(
            "SELECT max(CAST(number AS INTEGER)) FROM register_number"
            " WHERE register_id = ? AND substr(issued_date, 1, 4) = printf('%04d', ?)",
            (register_id, year),
        ).fetchone()
        return row[0] or 0

    def years_under(self, register_id: str, fence: int | None) -> frozenset[int]:
        """The years of which this machine has had numbers under this fence."""
        rows = self._connection.execute(
            "SELECT DISTINCT CAST(substr(issued_date, 1, 4) AS INTEGER) FROM register_number"
            " WHERE register_id = ? AND fence IS ? AND number IS NOT NULL",
            (register_id, fence),
        )
        return frozenset(row[0] for row in rows)

    def asked(self) -> int:
        """How many wishes wait for a server."""
        row = self._connection.execute("SELECT count(*) FROM register_number WHERE state = 'asked'").fetchone()
        return int(row[0])

    def differing(self, register_id: str) -> tuple[LeasedNumber, ...]:
        """Numbers of the lease that the server has otherwise: a person must look."""
        return self._some("WHERE register_id = ? AND state = 'differs' ORDER BY position", register_id)

    def open(self, register_id: str) -> tuple[LeasedNumber, ...]:
        """Numbers for which the server's word is still to come, in the order in which they were asked for; those given
        up of which it doesn't know, too.
        """
        return self._some(
            "WHERE register_id = ? AND (state IN ('asked', 'held') OR (state = 'voided' AND void_told = 0))"
            " ORDER BY position",
            register_id,
        )

    def _some(self, clause: str, *values: object) -> tuple[LeasedNumber, ...]:
        rows = self._connection.execute(
            f"SELECT * FROM register_number {clause}",  # noqa: S608 - clauses of this class; values are bound
            values,
        )
        return tuple(to_value(row, LeasedNumber) for row in rows)


class Leases(LeaseReader):
    """Leases and numbers inside a transaction, where they can be written."""

    def ask_lease(self, wanted: RegisterLease) -> None:
        """A lease is about to be asked for under its id; what another id was granted before is forgotten."""
        self._connection.execute(
            "INSERT INTO register_lease (register_id, body_code, name, notation, lease_id) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT (register_id) DO UPDATE SET body_code = ?2, name = ?3, notation = ?4, lease_id = ?5,"
            " fence = CASE WHEN lease_id = ?5 THEN fence END,"
            " valid_until = CASE WHEN lease_id = ?5 THEN valid_until END,"
            " lost_at = CASE WHEN lease_id = ?5 THEN lost_at END",
            (wanted.register_id, wanted.body_code, wanted.name, wanted.notation, wanted.lease_id),
        )

    def granted(self, lease_id: str, fence: int, valid_until: dt.datetime) -> None:
        """The server granted or prolonged the lease; ValueError if it isn't the one that is asked for now."""
        done = self._connection.execute(
            "UPDATE register_lease SET fence = ?, valid_until = ?, lost_at = NULL WHERE lease_id = ?",
            (fence, stamp(valid_until), lease_id),
        )
        require_one(done, "no such lease")

    def lost(self, register_id: str, at: dt.datetime) -> None:
        """Another machine is the register's writer now."""
        self._connection.execute(
            "UPDATE register_lease SET lost_at = ? WHERE register_id = ? AND lost_at IS NULL", (stamp(at), register_id)
        )

    def ask(self, wanted: LeasedNumber) -> LeasedNumber:
        """A number is about to be asked for; with its place among the others. `wanted.position` counts for nothing."""
        insert(
            self._connection,
            "register_number",
            {
                "id": wanted.id,
                "register_id": wanted.register_id,
                "owner": wanted.owner,
                "doc_type": wanted.doc_type,
                "issued_date": wanted.issued_date.isoformat(),
                "fence": wanted.fence,
                "last_known": wanted.last_known,
                "state": LeasedState.ASKED.value,
                "at": stamp(wanted.at),
                "operator": wanted.operator,
            },
        )
        return self._known(wanted.id)

    def given(self, number_id: str, state: LeasedState, number: str, notation: str) -> LeasedNumber:
        """The server (`taken`) or the lease (`held`) gave this number."""
        done = self._connection.execute(
            "UPDATE register_number SET state = ?, number = ?, notation = ?"
            " WHERE id = ? AND state IN ('asked', 'held')",
            (state.value, number, notation, number_id),
        )
        require_one(done, "no number that waits")
        return self._known(number_id)

    def ask_anew(self, number_id: str, fence: int) -> LeasedNumber:
        """A wish that the server never had is asked for under a newer lease."""
        done = self._connection.execute(
            "UPDATE register_number SET fence = ? WHERE id = ? AND state = 'asked'", (fence, number_id)
        )
        require_one(done, "no wish that waits")
        return self._known(number_id)

    def differs(self, number_id: str, server_number: str | None) -> LeasedNumber:
        """The server gave another number than the lease did; None: it takes no number of that lease any more."""
        done = self._connection.execute(
            "UPDATE register_number SET state = 'differs', server_number = ? WHERE id = ? AND state = 'held'",
            (server_number, number_id),
        )
        require_one(done, "no number of the lease")
        return self._known(number_id)

    def void(self, number_id: str, reason: str) -> LeasedNumber:
        """Gives a number up; ValueError if it was given up before."""
        done = self._connection.execute(
            "UPDATE register_number SET state = 'voided', void_reason = ? WHERE id = ? AND state <> 'voided'",
            (reason, number_id),
        )
        require_one(done, "no such number in use")
        return self._known(number_id)

    def give_up_for(self, owner: str, number: str, reason: str) -> None:
        """Gives up what such a register has given under this number for `owner`; nothing where it gave none."""
        self._connection.execute(
            "UPDATE register_number SET state = 'voided', void_reason = ?"
            " WHERE owner = ? AND ltrim(number, '0') = ltrim(?, '0') AND state <> 'voided'",
            (reason, owner, number),
        )

    def forget(self, owner: str, reason: str) -> None:
        """Of a document that turned out to be secret nothing stays but that its number isn't used."""
        self._connection.execute(
            "UPDATE register_number SET owner = '', state = 'voided', void_reason = ifnull(void_reason, ?)"
            " WHERE owner = ?",
            (reason, owner),
        )

    def void_told(self, number_id: str, number: str | None = None, notation: str | None = None) -> LeasedNumber:
        """The server knows that it was given up; of a wish whose answer was lost it says now which number that was."""
        self._connection.execute(
            "UPDATE register_number SET void_told = 1, number = ifnull(number, ?), notation = ifnull(notation, ?)"
            " WHERE id = ?",
            (number, notation, number_id),
        )
        return self._known(number_id)

    def _known(self, number_id: str) -> LeasedNumber:
        found = self.number(number_id)
        assert found is not None
        return found
