"""Registers of numbers (sổ văn bản): one writer at a time, consecutive numbers, none of them ever used twice.

Called from the server's worker threads. A number is found again by the id of the wish for it. Numbers run within one
register and year and begin with 1; a number that is given up stays in the book with its reason.
"""

import sqlite3
from dataclasses import dataclass
from datetime import date
from typing import Final

from signer_server.accounts import Device
from signer_server.database import Database
from signer_server.problems import RefusedError
from signer_sync.contract import Lease, NumberState, NumberWish, PacketKind, ProblemCode, RegisterOffer, TakenNumber
from signer_sync.edxml import PacketHeader

_HIGHEST: Final = 10**9


@dataclass(frozen=True)
class BookEntry:
    """One number of the book, for the administrator."""

    id: str
    year: int
    number: int
    notation: str
    state: NumberState
    reason: str | None
    packet: str | None


class Registers:
    """Registers, leases and numbers as rows."""

    def __init__(self, database: Database, lease_seconds: int) -> None:
        self._database = database
        self._db = database.connection
        self._seconds = lease_seconds

    def open(self, org: str, offer: RegisterOffer) -> None:
        """Makes a register, or gives it another name; in its `notation` "{type}" stands for the kind of document."""
        with self._database.transaction():
            self._db.execute(
                "INSERT INTO register (id, org, name, notation, epoch) VALUES (?1, ?2, ?3, ?4, ?5)"
                " ON CONFLICT (id) DO UPDATE SET name = ?3, notation = ?4 WHERE org = ?2",
                (offer.id, org, offer.name, offer.notation, self._database.epoch),
            )

    def of(self, org: str) -> tuple[RegisterOffer, ...]:
        """The registers of an organisation."""
        with self._database.lock:
            rows = self._db.execute("SELECT * FROM register WHERE org = ? ORDER BY rowid", (org,)).fetchall()
        return tuple(RegisterOffer(id=row["id"], name=row["name"], notation=row["notation"]) for row in rows)

    def book(self, register: str) -> tuple[BookEntry, ...]:
        """All numbers that were given, in order."""
        with self._database.lock:
            rows = self._db.execute(
                "SELECT * FROM number WHERE register = ? ORDER BY year, number", (register,)
            ).fetchall()
        return tuple(
            BookEntry(
                row["id"],
                row["year"],
                row["number"],
                row["notation"],
                NumberState(row["state"]),
                row["reason"],
                row["packet"],
            )
            for row in rows
        )

    def lease(self, register: str, lease: str, device: Device) -> tuple[Lease, bool]:
        """Makes `device` the only writer for a while; the same lease again is prolonged. The second value: it is new.

        RefusedError not-found for a register of others, not-allowed for a machine that doesn't take the numbers,
        fence-stale for a lease that a newer one has replaced.
        """
        valid_until = int(self._database.clock()) + self._seconds
        with self._database.transaction():
            fence = self._register(register, device)["fence"]
            known = self._db.execute("SELECT * FROM lease WHERE id = ?", (lease,)).fetchone()
            if known is None:
                _need_role(device)
                fence += 1
                self._db.execute("UPDATE register SET fence = ? WHERE id = ?", (fence, register))
                self._db.execute(
                    "INSERT INTO lease (id, register, device, fence, valid_until) VALUES (?, ?, ?, ?, ?)",
                    (lease, register, device.id, fence, valid_until),
                )
            else:
                if (known["register"], known["device"]) != (register, device.id):
                    raise RefusedError(ProblemCode.NUMBER_CONFLICT, "lease of another register or machine")
                if known["fence"] != fence:
                    raise RefusedError(ProblemCode.FENCE_STALE)
                _need_role(device)
                self._db.execute("UPDATE lease SET valid_until = ? WHERE id = ?", (valid_until, lease))
        return Lease(fence=fence, valid_until=self._database.time_text(valid_until)), known is None

    def known(self, register: str, number: str, wish: NumberWish, device: Device) -> TakenNumber | None:
        """The number that was given for this id before; RefusedError number-conflict if the wish was another."""
        with self._database.lock:
            self._register(register, device)
            return self._known(register, number, wish)

    def take(self, register: str, number: str, wish: NumberWish, device: Device) -> tuple[TakenNumber, bool]:
        """The next number of the register and year, or the one that this id has; whether it is new.

        RefusedError number-conflict for an id with another wish, not-allowed, fence-stale for a writer that isn't the
        latest, or that doesn't say which number it had last after the server was restored.
        """
        year = _year(wish.issued_date)
        with self._database.transaction():
            row = self._register(register, device)
            known = self._known(register, number, wish)
            if known is not None:
                return known, False
            self._check_fence(row, wish.fence, device)
            last = self._last(row, year, wish.last_known)
            self._db.execute(
                "INSERT INTO number (id, register, year, number, doc_type, notation, issued_date, state, epoch,"
                " taken_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    register,
                    year,
                    last + 1,
                    wish.doc_type,
                    row["notation"].replace("{type}", wish.doc_type)[:300],
                    wish.issued_date,
                    NumberState.RESERVED.value,
                    self._database.epoch,
                    self._database.now_text(),
                ),
            )
            taken = self._known(register, number, wish)
        assert taken is not None
        return taken, True

    def void(self, register: str, number: str, reason: str, device: Device) -> TakenNumber:
        """Gives a number up; it stays in the book with the first reason that was told.

        RefusedError not-found, not-allowed, number-conflict for a number that a document bears already.
        """
        with self._database.transaction():
            self._register(register, device)
            row = self._db.execute("SELECT * FROM number WHERE id = ? AND register = ?", (number, register)).fetchone()
            if row is None:
                raise RefusedError(ProblemCode.NOT_FOUND)
            if row["state"] == NumberState.USED.value:
                raise RefusedError(ProblemCode.NUMBER_CONFLICT, "in use")
            if row["state"] == NumberState.RESERVED.value:
                _need_role(device)
                self._db.execute(
                    "UPDATE number SET state = ?, reason = ? WHERE id = ?", (NumberState.VOID.value, reason, number)
                )
            return _taken(row, NumberState.VOID)

    def _register(self, register: str, device: Device) -> sqlite3.Row:
        row = self._db.execute("SELECT * FROM register WHERE id = ? AND org = ?", (register, device.org)).fetchone()
        if row is None:
            raise RefusedError(ProblemCode.NOT_FOUND)
        found: sqlite3.Row = row
        return found

    def _last(self, register: sqlite3.Row, year: int, last_known: int | None) -> int:
        """The highest number of the year; a book from before the server was restored may lack what its writer has."""
        row = self._db.execute(
            "SELECT number, epoch FROM number WHERE register = ? AND year = ? ORDER BY number DESC LIMIT 1",
            (register["id"], year),
        ).fetchone()
        last, epoch = (int(row["number"]), row["epoch"]) if row is not None else (0, register["epoch"])
        if epoch == self._database.epoch:
            return last
        if last_known is None:
            raise RefusedError(ProblemCode.FENCE_STALE, "restored: tell the last number known")
        return max(last, min(last_known, _HIGHEST))

    def _known(self, register: str, number: str, wish: NumberWish) -> TakenNumber | None:
        row = self._db.execute("SELECT * FROM number WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        if (row["register"], row["doc_type"], row["issued_date"]) != (register, wish.doc_type, wish.issued_date):
            raise RefusedError(ProblemCode.NUMBER_CONFLICT)
        return _taken(row, NumberState(row["state"]))

    def _check_fence(self, register: sqlite3.Row, fence: int | None, device: Device) -> None:
        lease = self._db.execute(
            "SELECT * FROM lease WHERE register = ? AND fence = ?", (register["id"], register["fence"])
        ).fetchone()
        valid = lease is not None and lease["valid_until"] > self._database.clock()
        ours = valid and lease["device"] == device.id
        if (fence is not None and not (ours and fence == register["fence"])) or (valid and not ours):
            raise RefusedError(ProblemCode.FENCE_STALE)
        _need_role(device)


def use_number(database: Database, org: str, packet_id: str, header: PacketHeader) -> None:
    """In a transaction: a document has gone out; the number it bears, if a register gave it, is in use from now on."""
    number = header.code_number
    if header.kind not in (PacketKind.NEW, PacketKind.REPLACE) or not (number.isascii() and number.isdecimal()):
        return
    database.connection.execute(
        "UPDATE number SET state = ?, packet = ? WHERE state = ? AND number = ? AND notation = ? AND year = ?"
        " AND register IN (SELECT id FROM register WHERE org = ?)",
        (
            NumberState.USED.value,
            packet_id,
            NumberState.RESERVED.value,
            int(number[:18]),
            header.code_notation,
            header.issued[:4],
            org,
        ),
    )


def _year(issued_date: str) -> int:
    try:
        return date.fromisoformat(issued_date).year
    except ValueError as error:
        raise RefusedError(ProblemCode.BAD_REQUEST, "issuedDate") from error


def _need_role(device: Device) -> None:
    if not device.chosen:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "another machine of the organisation takes the numbers")


def _taken(row: sqlite3.Row, state: NumberState) -> TakenNumber:
    """Numbers below ten are written with a leading zero (Decree 30/2020, Appendix I)."""
    return TakenNumber(number=f"{row['number']:02d}", notation=row["notation"], state=state)
