"""Numbers of a register that a server keeps: asked for by an id of ours, so that none is ever given twice for one
document, and given by the lease where the server can't be asked.

Main process; blocks while the server answers, so never on a UI thread. Every wish is in the store before it leaves. A
number is made here only while this machine is the register's single writer and knows the last one (Decree 30/2020,
article 15.3: numbers are the system's); without that the document waits for its number.
"""

import datetime as dt
from collections.abc import Callable
from typing import Protocol

from signer_app.outgoing.numbers import value_of
from signer_app.signing.jobs import printed_number
from signer_app.store.leases import LeasedNumber, LeasedState, LeaseReader, RegisterLease
from signer_app.store.store import Store
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


class Leasing:
    """The registers of one body, kept by one server."""

    def __init__(self, store: Store, server: NumberServer, now: Callable[[], dt.datetime], operator: str) -> None:
        self._store = store
        self._server = server
        self._now = now
        self._operator = operator

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
        """The number of a document of this day; again gives the same. `owner`: SHA-256 of its main file as opened.

        KnownError "register_number_waits" where neither the server can be asked nor the lease gives one: the wish is
        kept, and the next call asks again under the same id. ExchangeError as the server gives it (code
        "register_lease_lost" among them). ValueError for a register whose lease was never asked for.
        """
        lease = self._lease(register_id)
        with self._store.view() as view:
            known = view.leases.number_of(register_id, owner)
        if known is not None and known.state is not LeasedState.ASKED:
            return known
        if known is None:
            known = self._ask(lease, owner, doc_type, day)
        try:
            self.settle(register_id)
        except ExchangeError as error:
            if not error.unreachable:
                raise
            return self._hold(register_id, known.id, error)
        return self._number(known.id)

    def settle(self, register_id: str) -> tuple[LeasedNumber, ...]:
        """Tells the server, in their order, all that it doesn't know yet: numbers asked for, given by the lease, given
        up; those that it numbers otherwise than the lease did. ExchangeError stops it; nothing is lost.
        """
        differing = []
        with self._store.view() as view:
            waiting = view.leases.open(register_id)
        for one in waiting:
            try:
                if one.state is LeasedState.VOIDED:
                    self._tell_void(one)
                elif (settled := self._settle(one)).state is LeasedState.DIFFERS:
                    differing.append(settled)
            except ExchangeError as error:
                self._note_loss(register_id, error)
                raise
        return tuple(differing)

    def void(self, number_id: str, reason: str) -> LeasedNumber:
        """Gives a number up for good; the server hears of it now, or with the next `settle`. It is never used again.

        KnownError "number_void_reason" without a reason.
        """
        if not reason.strip():
            raise KnownError("number_void_reason")
        voided = self._store.write(lambda tx: tx.leases.void(number_id, reason.strip()))
        try:
            self._tell_void(voided)
        except ExchangeError:
            # It is kept; `settle` tells it again.
            return voided
        return self._number(number_id)

    def _ask(self, lease: RegisterLease, owner: str, doc_type: str, day: dt.date) -> LeasedNumber:
        with self._store.view() as view:
            last = _last(view.leases, lease.register_id, day.year)
        wish = LeasedNumber(
            position=0,
            id=uuid7(),
            register_id=lease.register_id,
            owner=owner,
            doc_type=doc_type,
            issued_date=day,
            state=LeasedState.ASKED,
            at=self._now(),
            operator=self._operator,
            fence=lease.fence,
            last_known=last,
        )
        return self._store.write(lambda tx: tx.leases.ask(wish))

    def _settle(self, one: LeasedNumber) -> LeasedNumber:
        # The same wish word for word: the server knows it by its id, and refuses another under it.
        wish = NumberWish(
            doc_type=one.doc_type,
            issued_date=one.issued_date.isoformat(),
            fence=one.fence,
            last_known=one.last_known,
        )
        given = self._server.take_number(one.register_id, one.id, wish)
        if one.state is LeasedState.HELD and value_of(given.number) != value_of(one.number or ""):
            return self._store.write(lambda tx: tx.leases.differs(one.id, given.number))
        number = one.number or printed_number(given.number)
        return self._store.write(
            lambda tx: tx.leases.given(one.id, LeasedState.TAKEN, number, given.notation or one.notation or "")
        )

    def _hold(self, register_id: str, number_id: str, error: ExchangeError) -> LeasedNumber:
        """The next number by the lease, in the order of the wishes before it."""
        lease = self._lease(register_id)
        if not lease.holds(self._now()):
            raise KnownError("register_number_waits", register=lease.name) from error
        with self._store.view() as view:
            waiting = [one for one in view.leases.open(register_id) if one.state is LeasedState.ASKED]
            last = {one.issued_date.year: _last_under(view.leases, lease, one.issued_date.year) for one in waiting}
        for one in waiting:
            year = one.issued_date.year
            number = last[year]
            if number is None:
                if one.id == number_id:
                    raise KnownError("register_number_waits", register=lease.name) from error
                continue
            last[year] = number + 1
            self._give(one, number + 1, lease.notation.replace("{type}", one.doc_type))
        return self._number(number_id)

    def _give(self, one: LeasedNumber, number: int, notation: str) -> None:
        printed = printed_number(str(number))
        self._store.write(lambda tx: tx.leases.given(one.id, LeasedState.HELD, printed, notation))

    def _tell_void(self, one: LeasedNumber) -> None:
        try:
            self._server.void_number(one.register_id, one.id, one.void_reason or "")
        except ExchangeError as error:
            # Of a wish that never reached it the server has no number: there is nothing to give up.
            if error.problem != ProblemCode.NOT_FOUND.code:
                raise
        self._store.write(lambda tx: tx.leases.void_told(one.id))

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


def _last(leases: LeaseReader, register_id: str, year: int) -> int:
    """The highest number of the year that this machine has had; 0 for none."""
    return max((value_of(one.number) for one in leases.numbers(register_id, year) if one.number), default=0)


def _last_under(leases: LeaseReader, lease: RegisterLease, year: int) -> int | None:
    """The register's last number of the year, where this machine knows it: it has had one since it became the writer,
    or was the writer already in the year before. None where others may have taken numbers meanwhile.
    """
    own = [one for one in leases.numbers(lease.register_id) if one.number and one.fence == lease.fence]
    if any(one.issued_date.year == year for one in own):
        return _last(leases, lease.register_id, year)
    return 0 if any(one.issued_date.year < year for one in own) else None
