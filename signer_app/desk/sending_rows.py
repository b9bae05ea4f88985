"""What the list "Chờ gửi" shows of each packet: how it stands, by when it must leave, what a person may do with it.

Pure values over the rows of the store; any thread. Never a word for the screen: those are the window's.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from signer_app.deadlines import Deadline
from signer_app.store.model import OutboxState, Urgency
from signer_app.store.queue import QueueRow
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind

_CARRYING = (PacketKind.NEW, PacketKind.REPLACE)
LOUD_AFTER = dt.timedelta(minutes=10)
"""So long a hỏa tốc may wait for a person, ours or the receiver's, before it is loud."""
LOUD_FOR = dt.timedelta(days=30)
"""So long one that nobody answers stays loud."""
UNDECIDED = "outcome_undecided"
"""The code of a packet of which nobody knows whether it arrived, on a channel that can't be asked."""


class Standing(StrEnum):
    """How a packet stands, as a person sees it."""

    HELD = "held"
    """Leaves by itself in a moment; may be held back until then."""
    POSTPONED = "postponed"
    """A person holds it back (Hoãn gửi)."""
    WAITING = "waiting"
    SENDING = "sending"
    RETRYING = "retrying"
    """An attempt failed; goes again by itself."""
    UNKNOWN = "unknown"
    """No answer came; asked again, never sent twice."""
    UNDECIDED = "undecided"
    """Nobody can be asked whether it arrived: a person finds out."""
    NEEDS_PERSON = "needs_person"
    EXTERNAL = "external"
    """Another system exchanges for the body by now: it stays here until someone decides."""
    REFUSED = "refused"
    """The server will never take it."""
    NOT_FORWARDED = "not_forwarded"
    """The server took it and could not pass it on."""
    LOST = "lost"
    """The server began anew, and no longer has it."""
    RETURNED = "returned"
    """A receiver sent it back (02), and nobody has acted on that."""
    DECLINED = "declined"
    """A receiver doesn't give a document back (16), and nobody has acted on that."""
    NOT_REACHED = "not_reached"
    """The server could not bring it to one of its receivers, and nobody has acted on that."""
    UNANSWERED = "unanswered"
    """A hỏa tốc that a receiver has not accepted for ten minutes."""
    RECEIVED = "received"
    FORWARDED = "forwarded"
    PARTIALLY = "partially"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"


class Deed(StrEnum):
    """What a person may do with a packet."""

    SEND_NOW = "send_now"
    POSTPONE = "postpone"
    WITHDRAW = "withdraw"
    SAY_ARRIVED = "say_arrived"
    """Both words of the one question: it is there, or it isn't and goes again."""
    SEND_IN_PLACE = "send_in_place"
    RECALL = "recall"
    SETTLE = "settle"
    """A person has acted on what a receiver made of it (Đã xử lý)."""


class Calm(StrEnum):
    """How much a packet wants to be looked at; the order of the list."""

    LOUD = "loud"
    """A person must do something."""
    WAITING = "waiting"
    DONE = "done"


_SENT = {
    OutboxState.ACCEPTED: Standing.RECEIVED,
    OutboxState.FORWARDED: Standing.FORWARDED,
    OutboxState.PARTIALLY: Standing.PARTIALLY,
    OutboxState.DELIVERED: Standing.DELIVERED,
}
_LOUD = frozenset(
    {
        Standing.UNDECIDED,
        Standing.NEEDS_PERSON,
        Standing.EXTERNAL,
        Standing.REFUSED,
        Standing.NOT_FORWARDED,
        Standing.LOST,
        Standing.RETURNED,
        Standing.DECLINED,
        Standing.NOT_REACHED,
        Standing.UNANSWERED,
    }
)
_ANSWERS = {"02": Standing.RETURNED, "16": Standing.DECLINED, None: Standing.NOT_REACHED}
"""How a packet stands by the worst of its open answers, that first."""
_DEEDS: dict[Standing, tuple[Deed, ...]] = {
    Standing.HELD: (Deed.SEND_NOW, Deed.POSTPONE, Deed.WITHDRAW),
    Standing.POSTPONED: (Deed.SEND_NOW, Deed.POSTPONE, Deed.WITHDRAW),
    Standing.WAITING: (Deed.SEND_NOW, Deed.POSTPONE, Deed.WITHDRAW),
    Standing.RETRYING: (Deed.SEND_NOW, Deed.POSTPONE, Deed.RECALL),
    Standing.UNKNOWN: (Deed.SEND_NOW, Deed.POSTPONE, Deed.RECALL),
    Standing.UNDECIDED: (Deed.SAY_ARRIVED,),
    Standing.NEEDS_PERSON: (Deed.SEND_NOW, Deed.SEND_IN_PLACE),
    Standing.EXTERNAL: (Deed.WITHDRAW,),
    Standing.REFUSED: (Deed.SEND_IN_PLACE,),
    Standing.NOT_FORWARDED: (Deed.SEND_IN_PLACE,),
    Standing.LOST: (Deed.SEND_IN_PLACE, Deed.RECALL),
    Standing.RETURNED: (Deed.SETTLE, Deed.RECALL),
    Standing.DECLINED: (Deed.SETTLE,),
    Standing.NOT_REACHED: (Deed.SETTLE, Deed.RECALL),
    Standing.UNANSWERED: (Deed.SETTLE, Deed.RECALL),
    Standing.RECEIVED: (Deed.RECALL,),
    Standing.FORWARDED: (Deed.RECALL,),
    Standing.PARTIALLY: (Deed.RECALL,),
    Standing.DELIVERED: (Deed.RECALL,),
}


class SendingItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A packet as a line of the list, at one moment. `deadline`: by when its document must leave; None for what has
    left and for what brings no document.
    """

    row: QueueRow
    standing: Standing
    deadline: Deadline | None = None

    @property
    def id(self) -> str:
        """What tells it from all others."""
        return self.row.packet_id

    @property
    def calm(self) -> Calm:
        """How much it wants to be looked at."""
        if self.standing in _LOUD:
            return Calm.LOUD
        return Calm.DONE if self.row.accepted_at is not None or self.standing is Standing.WITHDRAWN else Calm.WAITING

    @property
    def to_settle(self) -> tuple[str, ...]:
        """The receivers on which a person must act."""
        if self.row.answers:
            return tuple(answer.org for answer in self.row.answers)
        return self.row.unheard if self.standing is Standing.UNANSWERED else ()

    @property
    def since(self) -> dt.datetime:
        """Since when it waits."""
        return self.row.created_at

    @property
    def next_try(self) -> dt.datetime | None:
        """When it may leave, where that is not now and comes by itself."""
        match self.standing:
            case Standing.HELD | Standing.POSTPONED:
                return self.row.hold_until
            case Standing.RETRYING | Standing.UNKNOWN:
                return self.row.not_before
        return None

    @property
    def error(self) -> KnownError | None:
        """What hinders it."""
        if self.row.error_code is None:
            return None
        params = msgspec.json.decode(self.row.error_params, type=dict[str, object]) if self.row.error_params else {}
        return KnownError(self.row.error_code, **params)

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What a person may do with it."""
        found = _DEEDS.get(self.standing, ())
        row = self.row
        return tuple(
            deed
            for deed in found
            if not (
                (deed is Deed.WITHDRAW and (row.attempts > 0 or row.incoming is not None))
                or (deed is Deed.RECALL and row.kind not in _CARRYING and not self.to_settle)
                or (deed is Deed.SEND_IN_PLACE and row.uncertain and row.missing_since is None)
            )
        )

    def is_red(self, now: dt.datetime) -> bool:
        """Whether it must be pressed for."""
        return self.deadline is not None and self.deadline.is_red(now)


class _Issued(msgspec.Struct, frozen=True, gc=False):
    doc_date: dt.date | None
    created_at: dt.datetime
    urgency: Urgency


def standing_of(row: QueueRow, now: dt.datetime, *, external: bool = False) -> Standing:
    """How a packet stands at `now`; `external`: another system exchanges for its body."""
    if row.missing_since is not None:
        return Standing.LOST
    if (sent := _SENT.get(row.state)) is not None:
        told = {answer.code for answer in row.answers}
        loud = row.unheard and row.accepted_at is not None and now - row.accepted_at >= LOUD_AFTER
        return next(
            (standing for code, standing in _ANSWERS.items() if code in told), Standing.UNANSWERED if loud else sent
        )
    match row.state:
        case OutboxState.WITHDRAWN:
            return Standing.WITHDRAWN
        case OutboxState.FAILED:
            return Standing.REFUSED if row.accepted_at is None else Standing.NOT_FORWARDED
        case OutboxState.NEEDS_PERSON if row.error_code == UNDECIDED:
            return Standing.UNDECIDED
    if external:
        return Standing.EXTERNAL
    match row.state:
        case OutboxState.NEEDS_PERSON:
            return Standing.NEEDS_PERSON
        case OutboxState.SENDING:
            return Standing.SENDING
    if row.hold_until is not None and row.hold_until > now:
        return Standing.POSTPONED if row.postponed else Standing.HELD
    if row.state is OutboxState.QUEUED:
        return Standing.WAITING
    return Standing.UNKNOWN if row.uncertain else Standing.RETRYING


def items(
    rows: Iterable[QueueRow],
    now: dt.datetime,
    external: Callable[[str], bool],
    deadline: Callable[[_Issued], Deadline],
) -> tuple[SendingItem, ...]:
    """The rows as they stand at `now`: what wants a person first, then what waits (urgent first, then by age), then
    what is done, the newest first. `external` by the body's code.
    """
    known: dict[tuple[dt.date, dt.datetime | None], Deadline] = {}

    def due(row: QueueRow) -> Deadline | None:
        if row.accepted_at is not None or row.kind not in _CARRYING or row.signed_at is None:
            return None
        # An ordinary document's time counts from its day alone: a thousand of one day have one deadline.
        urgent = row.urgency is not Urgency.NORMAL
        key = (row.doc_date or row.signed_at.date(), row.signed_at if urgent or row.doc_date is None else None)
        if key not in known:
            known[key] = deadline(_Issued(row.doc_date, row.signed_at, row.urgency))
        return known[key]

    found = [
        SendingItem(row=row, standing=standing_of(row, now, external=external(row.org)), deadline=due(row))
        for row in rows
    ]
    order = {calm: place for place, calm in enumerate(Calm)}

    def place(item: SendingItem) -> tuple[int, int, float, str]:
        row = item.row
        if item.calm is Calm.DONE:
            moment = row.accepted_at or row.created_at
            return order[Calm.DONE], 0, -moment.timestamp(), row.packet_id
        return order[item.calm], -int(row.urgency), row.created_at.timestamp(), row.packet_id

    return tuple(sorted(found, key=place))
