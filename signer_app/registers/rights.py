"""Who numbers the documents of a register that a server keeps: the right to it, taken, looked after and given back, and
the numbers that come by it.

Main process, any thread; blocks while the server answers. Only bodies for which this program exchanges by the Sync API
have such registers. Without the right no number is made here, whoever asks.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from signer_app.exchange.session import client
from signer_app.outgoing.numbers import day_of, owner_of
from signer_app.registers.handing import hand_again, hand_over
from signer_app.registers.leasing import Leasing, NumberFor, NumberServer
from signer_app.store.leases import LeasedNumber, LeasedState, RegisterLease
from signer_app.store.model import Draft
from signer_app.store.sequences import Register, sequence_key
from signer_app.store.settings import Body, ChannelKind, Exchange, Settings
from signer_app.store.store import Transaction, View
from signer_app.workspace import Workspace, operator_name
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_resources.rules import RuleProfile
from signer_sync.contract import RegisterOffer
from signer_sync.errors import ExchangeError

_TYPE = "{type}"
_RENEW_BEFORE = dt.timedelta(days=29)
"""Of the 30 days that the reference server gives: once a day is often enough, and a month offline is covered."""
_ROUNDS = 500
"""Numbers that may be taken in the book already, one after the other, before it is given up."""


class Right(StrEnum):
    """Who gives a register's numbers."""

    HERE = "here"
    """This machine, offline too."""
    ENDED = "ended"
    """This machine, once it has reached the server again: the time for which it may do so alone is over."""
    ELSEWHERE = "elsewhere"
    """Not this machine: another took the right over, or it was given back, or never taken."""


@dataclass(frozen=True)
class Standing:
    """How a register stands on this machine. `until`: how long the right lasts offline; `waiting`: documents that wait
    for the server's number; `untold`: numbers of which the server doesn't know yet; `differing`: numbers that the
    server has otherwise, which a person must look at.
    """

    register_id: str
    body_code: str
    name: str
    right: Right
    until: dt.datetime | None = None
    waiting: int = 0
    untold: int = 0
    differing: tuple[LeasedNumber, ...] = ()


def standings(view: View, settings: Settings, now: dt.datetime) -> tuple[Standing, ...]:
    """The registers of the bodies for which this program exchanges, that a server keeps."""
    return tuple(
        _standing(view, body.code, register, now)
        for body in settings.bodies
        if has_server_registers(body)
        for register in body.registers
        if register.server is not None
    )


def has_server_registers(body: Body) -> bool:
    """Whether a server may keep registers of this body for this program."""
    return body.exchange is Exchange.SERVER and body.channel is ChannelKind.SYNC


def _standing(view: View, body_code: str, register: Register, now: dt.datetime) -> Standing:
    assert register.server is not None
    lease = view.leases.lease(register.server)
    if lease is None or lease.fence is None:
        return Standing(register.server, body_code, register.name, Right.ELSEWHERE)
    right = Right.HERE if lease.holds(now) else Right.ENDED if lease.lost_at is None else Right.ELSEWHERE
    waiting = view.leases.open(register.server)
    return Standing(
        register.server,
        body_code,
        register.name,
        right,
        lease.valid_until,
        sum(one.state is LeasedState.ASKED for one in waiting),
        sum(one.state is not LeasedState.ASKED for one in waiting),
        view.leases.differing(register.server),
    )


class NumberRights:
    """The rights of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def standings(self) -> tuple[Standing, ...]:
        """As `standings`, now."""
        with self._space.store.view() as view:
            return standings(view, self._space.settings, self._space.now())

    def offers(self, body_code: str) -> tuple[RegisterOffer, ...]:
        """The registers that the server keeps for a body. KnownError "exchange_external", "not_enrolled"; ExchangeError
        as the server gives it.
        """
        self._body(body_code)
        with client(self._space, body_code) as server:
            me = server.me()
        return next((one.registers for one in me.orgs if one.code == body_code), ())

    def take(self, body_code: str, offer: RegisterOffer) -> RegisterLease:
        """This machine gives the register's numbers from now on, whoever did before: a person has decided that.

        KnownError "register_unmatched" where nobody knows which notations it numbers; as `offers` besides.
        """
        body = self._body(body_code)
        register = register_for(body, offer, rules.load(self._space.now().date()))
        with self._space.store.view() as view:
            known = view.leases.lease(offer.id)
        with client(self._space, body_code) as server:
            leasing = self._leasing(body_code, server)
            granted = leasing.renew(body_code, offer, take_over=known is None or known.lost_at is not None)
            self._space.change_settings(lambda now: _with_register(now, body_code, register))
            with suppress(ExchangeError):
                leasing.settle(offer.id)
        return granted

    def give_back(self, body_code: str, register_id: str) -> None:
        """This machine gives no more numbers of the register. First the server is told of all that it doesn't know:
        ExchangeError where that can't be done, and the right stays here.
        """
        self._body(body_code)
        with self._space.store.view() as view:
            known = view.leases.lease(register_id)
        if known is None or known.lost_at is not None:
            return
        with client(self._space, body_code) as server:
            self._leasing(body_code, server).settle(register_id)
        self._space.store.write(lambda tx: tx.leases.lost(register_id, self._space.now()))

    def number(self, body_code: str, register: Register, drafts: Sequence[Draft], today: dt.date) -> tuple[str, ...]:
        """Gives the next numbers of a server's register to drafts that lack one, in this order; the ids of those that
        have one now.

        KnownError "register_no_right" where this machine has not taken the right, "register_number_waits" where some
        wait for the server; ExchangeError as the server gives it ("register_lease_lost" among them). What was given
        before stays given.
        """
        self._body(body_code)
        assert register.server is not None
        with self._space.store.view() as view:
            lease = view.leases.lease(register.server)
        if lease is None or lease.lost_at is not None:
            raise KnownError("register_no_right", register=register.name)
        with client(self._space, body_code) as server:
            leasing = self._leasing(body_code, server)
            if not lease.holds(self._space.now()):
                self._prolong(leasing, lease)
            given = self._all(leasing, lease, drafts, today)
        if len(given) < len(drafts):
            raise KnownError("register_number_waits", register=register.name)
        return given

    def _all(self, leasing: Leasing, lease: RegisterLease, drafts: Sequence[Draft], today: dt.date) -> tuple[str, ...]:
        """Asks until each has a number or waits: what the book has already is given up, and the next is asked for."""
        lacking = list(drafts)
        for _ in range(_ROUNDS):
            wanted = [
                NumberFor(owner_of(one), type_in(lease.notation, one.notation), day_of(one, today)) for one in lacking
            ]
            found = leasing.take_all(lease.register_id, wanted)
            waits = any(one.state is LeasedState.ASKED for one in found)
            self._again(lease.body_code, [one for one in found if one.state is not LeasedState.ASKED])
            with self._space.store.view() as view:
                numbered = {one.id for one in view.drafts.some([one.id for one in lacking]) if one.number}
            lacking = [one for one in lacking if one.id not in numbered]
            if not lacking or waits:
                break
        left = {one.id for one in lacking}
        return tuple(one.id for one in drafts if one.id not in left)

    def _again(self, body_code: str, numbers: Sequence[LeasedNumber]) -> None:
        """Numbers that were known before their documents lacked one again."""
        sequences, operator = self._body(body_code).sequences, operator_name()

        def write(tx: Transaction) -> None:
            for number in numbers:
                hand_again(tx, number, body_code, sequences, self._space.now(), operator)

        self._space.store.write(write)

    def look_after(self, body: Body, server: NumberServer) -> None:
        """After a pass: tells the server what it doesn't know, and prolongs the rights that are this machine's. What
        can't be done now is done after a later pass.
        """
        if not has_server_registers(body):
            return
        leasing, now = self._leasing(body.code, server), self._space.now()
        with self._space.store.view() as view:
            leases = [one for one in view.leases.leases(body.code) if one.fence is not None and one.lost_at is None]
            busy = {one.register_id for one in leases if view.leases.open(one.register_id)}
        for lease in leases:
            with suppress(ExchangeError):
                if lease.valid_until is None or lease.valid_until < now + _RENEW_BEFORE:
                    self._prolong(leasing, lease)
                if lease.register_id in busy:
                    leasing.settle(lease.register_id)

    def _prolong(self, leasing: Leasing, lease: RegisterLease) -> None:
        """ExchangeError unless the server can't be reached: then the lease is as it was."""
        offer = RegisterOffer(id=lease.register_id, name=lease.name, notation=lease.notation)
        try:
            leasing.renew(lease.body_code, offer)
        except ExchangeError as error:
            if not error.unreachable:
                raise

    def _leasing(self, body_code: str, server: NumberServer) -> Leasing:
        def given(tx: Transaction, number: LeasedNumber) -> None:
            self._given(tx, number, body_code)

        return Leasing(self._space.store, server, self._space.now, operator_name(), given)

    def _given(self, tx: Transaction, number: LeasedNumber, body_code: str) -> None:
        sequences = self._body(body_code).sequences
        hand_over(tx, number, body_code, sequences, self._space.now(), operator_name())

    def _body(self, code: str) -> Body:
        body = self._space.settings.body(code)
        if body is None or not has_server_registers(body):
            raise KnownError("exchange_external", body=body.name if body is not None else code)
        return body


def type_in(pattern: str, notation: str) -> str:
    """The kind of document that a notation names in a register with this pattern ("{type}-UBND"): QĐ of QĐ-UBND."""
    before, found, after = pattern.partition(_TYPE)
    key, start, end = sequence_key(notation), sequence_key(before), after.upper()
    if found and key.startswith(start) and key.endswith(end) and len(key) > len(start) + len(end):
        return notation.strip()[len(before) : len(notation.strip()) - len(after)]
    return notation.partition("-")[0] or notation


def register_for(body: Body, offer: RegisterOffer, law: RuleProfile) -> Register:
    """The body's register that the server's one is: that which was matched before or has the same name, else a new one
    with the notations that the server numbers. KnownError "register_unmatched".
    """
    for register in body.registers:
        if register.server == offer.id:
            return register
    for register in body.registers:
        if register.server is None and sequence_key(register.name) == sequence_key(offer.name):
            return msgspec.structs.replace(register, server=offer.id)
    taken = {sequence_key(one) for register in body.registers for one in register.notations}
    if _TYPE in offer.notation:
        wanted = [offer.notation.replace(_TYPE, one.abbreviation) for one in law.document_types if one.abbreviation]
    else:
        wanted = [offer.notation] if offer.notation else []
    notations = tuple(one for one in wanted if sequence_key(one) not in taken)
    if not notations:
        raise KnownError("register_unmatched", register=offer.name)
    return Register(name=offer.name, notations=notations, server=offer.id)


def _with_register(settings: Settings, body_code: str, register: Register) -> Settings:
    def changed(body: Body) -> Body:
        if body.code != body_code or register in body.registers:
            return body
        others = [one for one in body.registers if sequence_key(one.name) != sequence_key(register.name)]
        return msgspec.structs.replace(body, registers=(*others, register))

    return msgspec.structs.replace(settings, bodies=tuple(changed(body) for body in settings.bodies))
