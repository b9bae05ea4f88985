"""Numbers of a register that a server keeps: asked for by an id of ours, so that none is ever given twice for one
document, and given by the lease where the server can't be asked.

Main process; blocks while the server answers, so never on a UI thread. Every wish is in the store before it leaves. A
number is made here only while this machine is the register's single writer and knows the last one (Decree 30/2020,
article 15.3: numbers are the system's); without that the document waits for its number. Several threads may be at it:
what a number is by now is looked at in the transaction that changes it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from signer_app.outgoing.numbers import value_of
from signer_app.signing.jobs import printed_number
from signer_app.store.leases import LeasedNumber, LeasedState, LeaseReader, RegisterLease
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError
from signer_sync.contract import Lease, NumberWish, ProblemCode, RegisterOffer, TakenNumber
from signer_sync.errors import ExchangeError
from signer_sync.ids import uuid7


class NumberServer(Protocol):
    """The server's register; every method raises ExchangeError."""

    def lease(self, register: str, lease_id: str, /) -> Lease:
        """Asks for the lease under this id, or prolongs it."""

    def take_number(self, register: str, number_id: str, wish: NumberWish, /) -> TakenNumber:
        """The number that belongs to this id."""

    def void_number(self, register: str, number_id: str, reason: str, /) -> TakenNumber:
        """Gives the number of this id up."""


_LONGEST_REASON = 1000
"""Letters, as the contract has it."""


@dataclass(frozen=True)
class NumberFor:
    """Who wants a number: SHA-256 of the document's main file as opened, its kind and its day of issue."""

    owner: str
    doc_type: str
    day: dt.date


Given = Callable[[Transaction, LeasedNumber], None]
"""What is to be done with a number in the transaction in which it becomes known."""


def _nothing(_tx: Transaction, _number: LeasedNumber) -> None:
    pass


class Leasing:
    """The registers of one body, kept by one server. `given` is called once with each number that becomes known, also
    with one that had been given up (`voided`) before it was.
    """

    def __init__(
        self,
        store: Store,
        server: NumberServer,
        now: Callable[[], dt.datetime],
        operator: str,
        given: Given = _nothing,
    ) -> None:
        self._store = store
        self._server = server
        self._now = now
        self._operator = operator
        self._given = given

    def renew(self, body_code: str, offer: RegisterOffer, *, take_over: bool = False) -> RegisterLease:
        """Asks for the lease of a register, or prolongs it. `take_over`: under a new id, which takes it from any other
        machine; a person decides that.

        KnownError "register_lease_lost" where another machine has it by now; ExchangeError as the server gives it.
        """
        with self._store.view() as view:
            known = view.leases.lease(offer.id)
        fresh = known is None or take_over
        lease_id = uuid7() if known is None or take_over else known.lease_id
        wanted = RegisterLease(
            register_id=offer.id, body_code=body_code, name=offer.name, notation=offer.notation, lease_id=lease_id
        )
        if not fresh and known is not None and known.lost_at is not None:
            raise KnownError("register_lease_lost", reason=ProblemCode.FENCE_STALE.code)
        self._store.write(lambda tx: tx.leases.ask_lease(wanted))
        try:
            granted = self._server.lease(offer.id, lease_id)
        except ExchangeError as error:
            self._note_loss(offer.id, error)
            raise
        until = dt.datetime.fromisoformat(granted.valid_until)
        self._store.write(lambda tx: tx.leases.granted(lease_id, granted.fence, until))
        return self._lease(offer.id)

    def take(self, register_id: str, owner: str, doc_type: str, day: dt.date) -> LeasedNumber:
        """The number of one document; again gives the same. KnownError "register_number_waits" where neither the server
        can be asked nor the lease gives one; else as `take_all`.
        """
        for found in self.take_all(register_id, [NumberFor(owner, doc_type, day)]):
            if found.state is not LeasedState.ASKED:
                return found
        raise KnownError("register_number_waits", register=self._lease(register_id).name)

    def take_all(self, register_id: str, wanted: Sequence[NumberFor]) -> tuple[LeasedNumber, ...]:
        """The numbers of documents, each as the server or the lease gives it; again gives the same. Those that wait for
        the server are there as wishes (`asked`): they are kept, and the next call asks again under the same ids.

        ExchangeError as the server gives it (code "register_lease_lost" among them), but not where it can't be reached.
        ValueError for a register whose lease was never asked for.
        """
        self._lease(register_id)
        waiting = self._store.write(lambda tx: self._ask(tx, register_id, wanted))
        if waiting:
            try:
                self.settle(register_id)
            except ExchangeError as error:
                if not error.unreachable:
                    raise
                self._store.write(lambda tx: self._hold(tx, register_id))
        with self._store.view() as view:
            found = (view.leases.number_of(register_id, one.owner) for one in wanted)
            return tuple(one for one in found if one is not None)

    def settle(self, register_id: str) -> tuple[LeasedNumber, ...]:
        """Tells the server, in their order, all that it doesn't know yet: numbers asked for, given by the lease, given
        up; those that it numbers otherwise than the lease did. ExchangeError stops it; nothing is lost.
        """
        differing = []
        with self._store.view() as view:
            waiting = view.leases.open(register_id)
        for one in waiting:
            try:
                settled = self._tell_void(one) if one.state is LeasedState.VOIDED else self._settle(one)
            except ExchangeError as error:
                self._note_loss(register_id, error)
                raise
            if settled.state is LeasedState.DIFFERS:
                differing.append(settled)
        return tuple(differing)

    def void(self, number_id: str, reason: str) -> LeasedNumber:
        """Gives a number up for good; the server hears of it now, or with the next `settle`. It is never used again.

        KnownError "number_void_reason" without a reason.
        """
        if not reason.strip():
            raise KnownError("number_void_reason")
        voided = self._store.write(lambda tx: tx.leases.void(number_id, reason.strip()))
        try:
            # In its turn: the server's numbers go by the order in which it hears of them.
            self.settle(voided.register_id)
        except ExchangeError:
            # It is kept; the next `settle` tells it.
            return voided
        return self._number(number_id)

    def _ask(self, tx: Transaction, register_id: str, wanted: Sequence[NumberFor]) -> bool:
        """Writes the wishes down that are new; whether any of them all waits."""
        lease = tx.leases.lease(register_id)
        waits = False
        for one in wanted:
            known = tx.leases.number_of(register_id, one.owner)
            if known is None:
                wish = LeasedNumber(
                    position=0,
                    id=uuid7(),
                    register_id=register_id,
                    owner=one.owner,
                    doc_type=one.doc_type,
                    issued_date=one.day,
                    state=LeasedState.ASKED,
                    at=self._now(),
                    operator=self._operator,
                    fence=lease.fence if lease is not None else None,
                    last_known=tx.leases.last_number(register_id, one.day.year),
                )
                known = tx.leases.ask(wish)
            waits |= known.state is LeasedState.ASKED
        return waits

    def _settle(self, one: LeasedNumber) -> LeasedNumber:
        try:
            given = self._taken(one)
        except ExchangeError as error:
            fence = self._newer_fence(one, error)
            if fence is None:
                raise
            if one.state is LeasedState.HELD:
                # Another machine wrote in between; what it gave, nobody here knows.
                return self._store.write(lambda tx: _unless_told(tx, one, lambda: tx.leases.differs(one.id, None)))
            # The server never had the wish, so it may be another: that of the writer that this machine is now.
            return self._settle(self._store.write(lambda tx: tx.leases.ask_anew(one.id, fence)))

        def write(tx: Transaction) -> LeasedNumber:
            return _unless_told(tx, one, lambda: self._put(tx, one, given))

        return self._store.write(write)

    def _put(self, tx: Transaction, one: LeasedNumber, given: TakenNumber) -> LeasedNumber:
        now = tx.leases.number(one.id) or one
        if now.number is not None and value_of(given.number) != value_of(now.number):
            return tx.leases.differs(one.id, given.number)
        number = now.number or printed_number(given.number)
        taken = tx.leases.given(one.id, LeasedState.TAKEN, number, given.notation or now.notation or "")
        if now.number is None:
            self._given(tx, taken)
            return tx.leases.number(one.id) or taken
        return taken

    def _taken(self, one: LeasedNumber) -> TakenNumber:
        # The same wish word for word: the server knows it by its id, and refuses another under it.
        wish = NumberWish(
            doc_type=one.doc_type,
            issued_date=one.issued_date.isoformat(),
            fence=one.fence,
            last_known=one.last_known,
        )
        return self._server.take_number(one.register_id, one.id, wish)

    def _hold(self, tx: Transaction, register_id: str) -> None:
        """All that wait get the next numbers by the lease, in the order of the wishes; none where it gives none."""
        lease = tx.leases.lease(register_id)
        if lease is None or not lease.holds(self._now()):
            return
        waiting = [one for one in tx.leases.open(register_id) if one.state is LeasedState.ASKED]
        last = {year: _last_under(tx.leases, lease, year) for year in {one.issued_date.year for one in waiting}}
        for one in waiting:
            number = last[one.issued_date.year]
            if number is None or one.fence != lease.fence:
                continue
            last[one.issued_date.year] = number + 1
            notation = lease.notation.replace("{type}", one.doc_type)
            self._given(tx, tx.leases.given(one.id, LeasedState.HELD, printed_number(str(number + 1)), notation))

    def _tell_void(self, one: LeasedNumber) -> LeasedNumber:
        try:
            given = self._server.void_number(one.register_id, one.id, _reason(one))
        except ExchangeError as error:
            never = error.problem == ProblemCode.NOT_FOUND.code
            if not never and error.problem != ProblemCode.NUMBER_CONFLICT.code:
                raise
            if one.number is None or not never:
                # A wish that never reached it, or a number that a sent document bears: there is nothing to give up.
                return self._store.write(lambda tx: tx.leases.void_told(one.id))
            # The lease had given it: unless the server counts it too, its next number would be this one.
            return self._tell_held_void(one)

        def write(tx: Transaction) -> LeasedNumber:
            told = tx.leases.void_told(one.id, printed_number(given.number), given.notation)
            if one.number is None:
                self._given(tx, told)
            return told

        return self._store.write(write)

    def _tell_held_void(self, one: LeasedNumber) -> LeasedNumber:
        try:
            self._taken(one)
        except ExchangeError as error:
            if self._newer_fence(one, error) is None:
                raise
            # Another machine has gone on with the register since; it counts no number of ours.
            return self._store.write(lambda tx: tx.leases.void_told(one.id))
        self._server.void_number(one.register_id, one.id, _reason(one))
        return self._store.write(lambda tx: tx.leases.void_told(one.id))

    def _newer_fence(self, one: LeasedNumber, error: ExchangeError) -> int | None:
        """The fence that this machine has now, where the wish was refused for an older one."""
        lease = self._lease(one.register_id)
        stale = error.problem == ProblemCode.FENCE_STALE.code and lease.lost_at is None and lease.fence != one.fence
        return lease.fence if stale else None

    def _note_loss(self, register_id: str, error: ExchangeError) -> None:
        if error.problem == ProblemCode.FENCE_STALE.code:
            self._store.write(lambda tx: tx.leases.lost(register_id, self._now()))

    def _lease(self, register_id: str) -> RegisterLease:
        with self._store.view() as view:
            known = view.leases.lease(register_id)
        if known is None:
            raise ValueError("no lease was asked for")
        return known

    def _number(self, number_id: str) -> LeasedNumber:
        with self._store.view() as view:
            known = view.leases.number(number_id)
        assert known is not None
        return known


def _reason(one: LeasedNumber) -> str:
    return (one.void_reason or "–")[:_LONGEST_REASON]


def _unless_told(tx: Transaction, one: LeasedNumber, write: Callable[[], LeasedNumber]) -> LeasedNumber:
    """The number as it is once it is written, or as somebody else settled it, or gave it up, meanwhile."""
    now = tx.leases.number(one.id)
    assert now is not None
    return write() if now.state in (LeasedState.ASKED, LeasedState.HELD) else now


def _last_under(leases: LeaseReader, lease: RegisterLease, year: int) -> int | None:
    """The register's last number of the year, where this machine knows it: it has had one since it became the writer,
    or was the writer already in the year before. None where others may have taken numbers meanwhile.
    """
    years = leases.years_under(lease.register_id, lease.fence)
    if year in years:
        return leases.last_number(lease.register_id, year)
    return 0 if any(one < year for one in years) else None
