"""After a restore: which of the unproven packets the server has, which numbers were given since the backup.

Main process; asks on the network's thread, after a pass. A packet that is there gets its receipt, by id and content;
one that isn't waits for a person's one click; nothing of a body leaves while a question of it is open. Numbers of the
days that are lost stand in the books on paper: they are typed in once, stay taken, and show as what they are.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from signer_app.exchange.channels import ReceiptOf, Way
from signer_app.exchange.outgoing import clerk
from signer_app.store.arrival_book import ArrivalEntry
from signer_app.store.model import OutboxPacket
from signer_app.store.reservations import Reservation
from signer_app.store.restored import Answer
from signer_app.store.sequences import BY_NOTATION, Sequences, sequence_key
from signer_app.store.settings import Exchange
from signer_app.store.store import Transaction, View
from signer_app.store.times import VIETNAM, vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text
from signer_sync.contract import ProblemCode
from signer_sync.errors import ExchangeError
from signer_sync.packets import SignedReceipt

A_PASS = 200
"""Packets that are asked for in one pass."""
MOST_LOST = 2000
"""Numbers of one sequence that may have been given since a backup; more is a slip of the keyboard."""

_WAIT = "restored_packets_wait"


# ---- packets -------------------------------------------------------------------------------------------------------


def ask_for_unproven(space: Workspace, way: Way, most: int = A_PASS) -> int:
    """Asks the server for packets that it may have had before the backup was restored; how many were settled.

    ExchangeError when it can't be asked; what was answered until then is kept.
    """
    receipt = way.receipt
    if receipt is None:
        return 0
    org, settled = way.channel.org, 0
    with space.store.view() as view:
        packets = [view.outbox.require(one) for one in view.restored.packets(Answer.OPEN, org)[:most]]
    try:
        for packet in packets:
            _settle(space, way, packet, _receipt_of(receipt, packet))
            settled += 1
    finally:
        if packets:
            _tell(space, org)
    return settled


@dataclass(frozen=True)
class _Told:
    """What the server said of a packet: its receipt, or what is wrong with it; neither: it doesn't have it."""

    receipt: SignedReceipt | None = None
    wrong: KnownError | None = None


def _receipt_of(receipt: ReceiptOf, packet: OutboxPacket) -> _Told:
    try:
        return _Told(receipt(packet.packet_id, packet.sha256))
    except ExchangeError as error:
        if error.problem == ProblemCode.NOT_FOUND.code:
            return _Told()
        if error.code == "receipt_wrong":
            # It has something else under this id: nobody sends or forgets it before a person has seen it.
            return _Told(wrong=error)
        raise


def _settle(space: Workspace, way: Way, packet: OutboxPacket, told: _Told) -> None:
    state = way.channel.status(packet.packet_id, "") if told.receipt is not None else None
    now = space.now()

    def work(tx: Transaction) -> None:
        tx.restored.answered(packet.packet_id, Answer.ABSENT if told.receipt is None else Answer.THERE)
        if told.receipt is not None:
            # Without its head: that tells of the journal of the machine that is lost (see `custody.anchors`).
            tx.outbox.accepted(packet.packet_id, told.receipt.text, None, now)
            if state is not None:
                tx.outbox.delivery(packet.packet_id, state)
        elif told.wrong is not None:
            with suppress(ValueError):
                tx.outbox.needs_person(packet.packet_id, told.wrong.code, told.wrong.params)

    space.store.write(work)


def held(space: Workspace) -> tuple[OutboxPacket, ...]:
    """Packets that the server doesn't have and that leave when a person says so."""
    with space.store.view() as view:
        return tuple(view.outbox.require(one) for one in view.restored.packets(Answer.ABSENT))


def still_to_ask(space: Workspace) -> int:
    """How many packets the server has still to be asked for."""
    with space.store.view() as view:
        return len(view.restored.packets(Answer.OPEN))


def let_go(space: Workspace, packet_ids: Collection[str] | None = None) -> int:
    """A person says that these (None: all that the server doesn't have) leave; how many. Who sends must be woken."""
    with space.store.view() as view:
        orgs = {view.outbox.require(one).org for one in view.restored.packets(Answer.ABSENT)}
    gone = space.store.write(lambda tx: tx.restored.let_go(packet_ids))
    for org in orgs:
        _tell(space, org)
    return gone


def _tell(space: Workspace, org: str) -> None:
    with space.store.view() as view:
        waiting = len(view.restored.packets(Answer.ABSENT, org))
    now = space.now()

    def work(tx: Transaction) -> None:
        tx.notices.take_back(org, _WAIT)
        if waiting:
            tx.notices.tell(org, _WAIT, now, {"count": waiting})

    space.store.write(work)


# ---- numbers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NumberQuestion:
    """A sequence of numbers that may have gone on: what is the last number in the book on paper? `sequence` is a
    notation or a register; None: the numbers of what came (số đến). `last`: the last that is known here, 0 for none.
    """

    body_code: str
    body_name: str
    year: int
    sequence: str | None
    last: int


@dataclass(frozen=True)
class LastNumber:
    """A person's answer: the last number that was given."""

    body_code: str
    year: int
    sequence: str | None
    last: int


def numbers_open(space: Workspace) -> bool:
    """Whether a person must say which numbers were given before any is given here."""
    with space.store.view() as view:
        return view.restored.numbers_open()


def number_questions(space: Workspace) -> tuple[NumberQuestion, ...]:
    """The sequences that a person is asked about; none once it was answered."""
    with space.store.view() as view:
        if not view.restored.numbers_open():
            return ()
        epochs = view.restored.epochs()
        days = [epochs[-1].backup_at, space.now()]
        years = sorted({day.astimezone(VIETNAM).year for day in days})
        found: list[NumberQuestion] = []
        for body in space.settings.bodies:
            if body.exchange is not Exchange.SERVER and not view.documents.last_numbers(body.code, years[-1]):
                # Another system gives its numbers.
                continue
            for year in years:
                for key, last in sorted(_issued(view, body.code, year, body.sequences).items()):
                    found.append(NumberQuestion(body.code, body.name, year, key, last))
                arrivals = view.arrivals.last_number(body.code, year)
                found.append(NumberQuestion(body.code, body.name, year, None, arrivals))
    return tuple(found)


def confirm_numbers(space: Workspace, answers: Sequence[LastNumber]) -> int:
    """Takes all numbers that were given since the backup, by a person's word, and lets new ones be given; how many were
    taken. An answer for a sequence that is not known here (its first document came after the backup) may stand among
    them.

    Raises KnownError: "restore_numbers_missing" where a question has no answer, "restore_number_lower" below the last
    known one, "restore_number_far".
    """
    questions = {(one.body_code, one.year, one.sequence): one for one in number_questions(space)}
    given = {(one.body_code, one.year, _key(one.sequence)): one.last for one in answers}
    if missing := [one for key, one in questions.items() if key not in given]:
        raise KnownError("restore_numbers_missing", name=_name(missing[0]), body=missing[0].body_name)
    for key, last in given.items():
        known = questions[key].last if key in questions else 0
        shown = key[2] or "số đến"
        if last < known:
            raise KnownError("restore_number_lower", number=last, last=known, name=shown)
        if last - known > MOST_LOST:
            raise KnownError("restore_number_far", number=last, last=known, name=shown)
    now, by = space.now(), clerk(space)
    reason = text("restore_number_reason", space.lang, date=vietnamese_date(now.astimezone(VIETNAM)))
    author = text("restore_arrival_author", space.lang)

    def work(tx: Transaction) -> int:
        taken = 0
        tx.restored.numbers_confirmed(by, now)
        for (body_code, year, sequence), last in given.items():
            known = questions[body_code, year, sequence].last if (body_code, year, sequence) in questions else 0
            day = _day(year, now)
            if sequence is None:
                for _number in range(known, last):
                    tx.arrivals.enter(body_code, day, ArrivalEntry(author=author, at=now, operator=by))
                    taken += 1
                continue
            for number in range(known + 1, last + 1):
                lost = Reservation(
                    body_code=body_code,
                    year=year,
                    notation_group=sequence,
                    number=str(number),
                    shown=str(number),
                    notation=sequence,
                    doc_date=day,
                    at=now,
                    operator=by,
                    reason=reason,
                )
                tx.reservations.note_given(lost)
                taken += 1
        return taken

    return space.store.write(work)


def _issued(view: View, body_code: str, year: int, sequences: Sequences) -> dict[str, int]:
    """Sequence → its highest number that is issued or given up. One that is kept for a document was perhaps issued
    after the backup: the book on paper knows.
    """
    numbers = dict(view.documents.last_numbers(body_code, year))
    kept: set[str] = set()
    for one in view.reservations.list(year, body_code):
        key = sequence_key(one.notation_group)
        if one.given_up:
            digits = one.number[: len(one.number) - len(one.number.lstrip("0123456789"))]
            numbers[key] = max(numbers.get(key, 0), int(digits or 0))
        else:
            kept.add(key)
    last = (sequences or BY_NOTATION).last(numbers)
    # A notation of a register has its numbers by both names; the question is asked once.
    found = {sequences.key(key): value for key, value in sorted(last.items(), key=lambda one: one[1])}
    return {**{sequences.key(key): 0 for key in kept}, **found}


def _key(sequence: str | None) -> str | None:
    return None if sequence is None else sequence_key(sequence)


def _name(question: NumberQuestion) -> str:
    return question.sequence or "số đến"


def _day(year: int, now: dt.datetime) -> dt.date:
    """A day of that year, not after today."""
    today = now.astimezone(VIETNAM).date()
    return today if today.year == year else dt.date(year, 12, 31)
