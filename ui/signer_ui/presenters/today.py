"""What the home screen says: the red strip, the three cards, the grey line.

Pure; loads no Qt.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.incoming_model import IncomingRow, Place
from signer_app.desk.sending_rows import standing_of
from signer_app.desk.today import Arrived, Sending, TodaySnapshot
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot
from signer_app.store.listings import SendingRow, StoppedBatch
from signer_app.store.model import OutboxState, Urgency
from signer_app.store.notices import Notice
from signer_app.store.queue import QueueRow
from signer_app.store.times import VIETNAM
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_ui.glow import Glow
from signer_ui.presenters.bar import age, is_offline
from signer_ui.presenters.figures import count, day, moment, short_body, time_of
from signer_ui.presenters.sending import error_words, explained, state_glow, state_words
from signer_ui.presenters.sending_list import CARRYING, answer_words
from signer_ui.tabs import Tab
from signer_ui.words import Words

if TYPE_CHECKING:
    # Takes the PDF library with it, and the home screen is painted before that.
    from signer_app.desk.inbox_folder import InboxLook

_PLACES = {Place.PROBLEM: Glow.BAD, Place.UNDECIDED: Glow.WARN, Place.VALID: Glow.GOOD}
"""How what waits for the clerk stands by its signatures."""
_FILING = "incoming_state_filing"
_MOST_NOTICES = 2
_MOST_ALIKE = 2
"""So many recalls and returned documents are told one by one; more are counted."""
_THIS_MACHINE = frozenset({"not_enrolled", "device_revoked", "device_key_unavailable", "client_too_old"})
"""What keeps a packet here lies with this machine, not with the document."""


@dataclass(frozen=True)
class Alarm:
    """A line of the red strip, the words of its button, and the tab to which that leads.

    `batch`: the stopped batch that the button goes on with there; `loud`: how many must be heard of now, also by who
    looks elsewhere.
    """

    text: str
    action: str
    tab: Tab
    batch: str | None = None
    loud: int = 0
    sending: bool = False
    """Whether it leads to what waits to be sent, which is the second list there."""


@dataclass(frozen=True)
class Line:
    """A line of a card: when or which, who, what, and its state in words; `tip` says more."""

    lead: str
    who: str
    what: str
    state: str = ""
    glow: Glow = Glow.OFF
    tip: str = ""


@dataclass(frozen=True)
class Told:
    """A sentence and how what it says stands."""

    text: str
    glow: Glow = Glow.OFF


@dataclass(frozen=True)
class Card:
    """A card: its heading, sentences, and lines; `empty` stands in place of both when there is nothing."""

    heading: str
    told: tuple[Told, ...] = ()
    lines: tuple[Line, ...] = ()
    empty: str = ""


@dataclass(frozen=True)
class TodayView:
    """The home screen. `waiting`: drafts wait to be signed; `can_send`: *Gửi ngay* has something to do; `valid`: how
    many incoming ones one click accepts, of the list `rows`; `notices`: what the exchange says, to be put away.
    """

    incoming: Card
    outgoing: Card
    sending: Card
    waiting: bool
    can_send: bool
    grey: str
    valid: int = 0
    rows: Mapping[str, IncomingRow] = field(default_factory=dict, repr=False, compare=False)
    notices: tuple[Notice, ...] = ()


def today_view(
    snapshot: TodaySnapshot,
    exchange: ExchangeSnapshot,
    tokens: TokensSnapshot,
    words: Words,
    inbox: Sequence[InboxLook] = (),
) -> TodayView:
    """The home screen as it stands; `inbox` is what came by the inbox folder and was not looked at yet."""
    outgoing, sending = snapshot.outgoing, snapshot.sending
    return TodayView(
        incoming=_incoming(snapshot, words),
        outgoing=_outgoing(snapshot, inbox, words),
        sending=_sending(sending, snapshot.now, exchange, words),
        waiting=bool(outgoing.to_sign or outgoing.needs_number),
        can_send=bool(sending.waiting) and exchange.link not in (Link.NOT_SET, Link.NOT_ENROLLED),
        grey=" · ".join(part for part in (*_certificates(tokens, words), _version(snapshot, words)) if part),
        valid=snapshot.incoming.valid,
        rows=snapshot.incoming.rows,
        notices=sending.notices[:_MOST_NOTICES],
    )


# ---- the red strip -------------------------------------------------------------------------------------------------


def alarms(snapshot: TodaySnapshot, words: Words) -> tuple[Alarm, ...]:
    """What must not be overlooked; mostly nothing."""
    return (
        *_flash(snapshot, words),
        *_unanswered(snapshot.sending, snapshot.now, words),
        *_recalls(snapshot, words),
        *_refused(snapshot, words),
        *_batches(snapshot.stopped, words),
    )


def _flash(snapshot: TodaySnapshot, words: Words) -> list[Alarm]:
    found, now = [], snapshot.now
    came, loud = snapshot.incoming.flash, snapshot.incoming.loud
    if came:
        oldest = came[0]
        told = {"count": count(len(came), words), "sender": oldest.sender, "time": moment(oldest.at, now)}
        if loud:
            text = words("un_alarm_flash_loud", age=age(now - oldest.at, words), **told)
        else:
            text = words("un_alarm_flash", **told)
        found.append(Alarm(text, words("ut_open_incoming"), Tab.INCOMING, loud=loud))
    if snapshot.outgoing.flash:
        text = words("ut_alarm_flash_out", count=count(snapshot.outgoing.flash, words))
        found.append(Alarm(text, words("ut_open_outgoing"), Tab.OUTGOING))
    return found


def _unanswered(sending: Sending, now: dt.datetime, words: Words) -> list[Alarm]:
    """Each hỏa tốc of ours that a receiver leaves without an answer, until a person has acted."""
    silent = sending.silent
    if not silent:
        return []
    look = words("ut_look")
    if len(silent) > _MOST_ALIKE:
        waits, label = age(now - (silent[0].accepted_at or now), words), silent[0].label or silent[0].subject or ""
        text = words("ut_alarm_unanswered_many", count=count(len(silent), words), age=waits, label=label)
        return [Alarm(text, look, Tab.OUTGOING, loud=len(silent), sending=True)]
    found = []
    for row in silent:
        told = "; ".join(sending.names.get(org, org) for org in row.unheard)
        waits, label = age(now - (row.accepted_at or now), words), row.label or row.subject or ""
        text = words("ut_alarm_unanswered", label=label, age=waits, told=told)
        found.append(Alarm(text, look, Tab.OUTGOING, loud=1, sending=True))
    return found


def _recalls(snapshot: TodaySnapshot, words: Words) -> list[Alarm]:
    asked = snapshot.incoming.recalls
    if len(asked) > _MOST_ALIKE:
        text = words("ut_alarm_recalls", count=count(len(asked), words))
        return [Alarm(text, words("ut_open_incoming"), Tab.INCOMING)]
    return [
        Alarm(words("ut_alarm_recall", sender=one.sender, subject=one.subject), words("ut_open_incoming"), Tab.INCOMING)
        for one in asked
    ]


def _refused(snapshot: TodaySnapshot, words: Words) -> list[Alarm]:
    refused, sending = snapshot.sending.refused, snapshot.sending
    if len(refused) + sending.answered > _MOST_ALIKE:
        text = words("ut_alarm_refused_many", count=count(len(refused) + sending.answered, words))
        return [Alarm(text, words("ut_look"), Tab.OUTGOING, sending=True)]
    found = [_sent_back(row, sending.names, words) for row in sending.returned]
    for row in refused:
        error = _error(row)
        key = "ut_alarm_refused" if row.state is OutboxState.FAILED else "ut_alarm_needs_person"
        text = words(key, label=row.document or row.subject or "", why=explained(error, words).what if error else "")
        here = row.error_code in _THIS_MACHINE
        action = words("ut_open_machine" if here else "ut_look")
        found.append(Alarm(text.strip(), action, Tab.MACHINE if here else Tab.OUTGOING, sending=not here))
    return found


def _sent_back(row: QueueRow, names: Mapping[str, str], words: Words) -> Alarm:
    """A document that a receiver sent back, doesn't give back, or wasn't reached with; until a person has acted."""
    told = answer_words(row, names, words)
    text = words(f"ut_alarm_{standing_of(row, row.created_at)}", label=row.label or row.subject or "", told=told)
    return Alarm(text, words("ut_look"), Tab.OUTGOING, sending=True)


def _batches(stopped: tuple[StoppedBatch, ...], words: Words) -> list[Alarm]:
    return [
        Alarm(
            words("ut_alarm_batch", done=count(batch.signed, words), total=count(batch.total, words)),
            words("ut_go_on"),
            Tab.OUTGOING,
            batch.id,
        )
        for batch in stopped[:1]
    ]


def _error(row: SendingRow) -> KnownError | None:
    return KnownError(row.error_code, **row.error_params) if row.error_code is not None else None


# ---- the cards -----------------------------------------------------------------------------------------------------


def _incoming(snapshot: TodaySnapshot, words: Words) -> Card:
    incoming, told = snapshot.incoming, list[Told]()
    if incoming.secret:
        told.append(Told(words("ut_incoming_secret", count=count(incoming.secret, words)), Glow.BAD))
    if incoming.late:
        told.append(Told(words("un_incoming_late", count=count(incoming.late, words)), Glow.BAD))
    if incoming.open:
        valid = count(incoming.valid, words)
        told.append(Told(words("un_incoming_open", count=count(incoming.open, words), valid=valid)))
    if incoming.named:
        number = count(incoming.today, words)
        told.append(
            Told(words("ut_incoming_today", count=number) if incoming.today else words("un_incoming_none_today"))
        )
    empty = words("un_incoming_external" if snapshot.sending.external else "ut_incoming_empty")
    return Card(
        words("ut_incoming"),
        tuple(told),
        tuple(_arrived(one, snapshot.now, words) for one in incoming.named),
        "" if incoming.named or incoming.secret else empty,
    )


def _arrived(one: Arrived, now: dt.datetime, words: Words) -> Line:
    """A line of the card; of one that is done only how it stands."""
    says, sender = words(one.says) if one.says else "", short_body(one.sender)
    if one.place == Place.DONE:
        return Line(moment(one.at, now), sender, one.subject, says)
    if one.kind is PacketKind.REVOKE:
        return Line(moment(one.at, now), sender, one.subject, words("ut_kind_revoke"), Glow.BAD)
    urgency = words(f"ut_urgency_{one.urgency.value}") if one.urgency else ""
    glow = Glow.OFF if one.says == _FILING else _PLACES.get(one.place, Glow.OFF)
    if urgency:
        # There is room for both only where both matter.
        says = f"{urgency} · {says}" if glow is Glow.BAD else urgency
        glow = Glow.BAD if one.urgency >= Urgency.HOA_TOC or glow is Glow.BAD else Glow.WARN
    return Line(moment(one.at, now), sender, one.subject, says, glow)


def _inbox(came: Sequence[InboxLook], words: Words) -> list[Told]:
    """What came by the inbox folder since somebody looked at the list."""
    added, left = sum(len(look.added) for look in came), sum(len(look.refused) for look in came)
    told = [Told(words("ul_inbox_new", count=count(added, words)))] if added else []
    if left:
        told.append(Told(words("ul_inbox_left", count=count(left, words)), Glow.WARN))
    if noted := sum(len(look.notes) for look in came):
        told.append(Told(words("ul_inbox_noted", count=count(noted, words)), Glow.WARN))
    # The last look tells how the folder stands.
    faults = [look.fault for look in came if look.fault is not None]
    return [*told, *(Told(words.explain(fault).what, Glow.WARN) for fault in faults[-1:])]


def _outgoing(snapshot: TodaySnapshot, inbox: Sequence[InboxLook], words: Words) -> Card:
    out = snapshot.outgoing
    told = [
        *_inbox(inbox, words),
        Told(words("ut_out_to_sign", count=count(out.to_sign, words))) if out.to_sign else None,
        Told(words("ut_out_needs_number", count=count(out.needs_number, words))) if out.needs_number else None,
        Told(words("ut_out_before_hour", count=count(out.before_hour, words), hour=f"{out.hour:02d}"), Glow.WARN)
        if out.before_hour
        else None,
        Told(words("ut_out_due_today", count=count(out.due_today, words)), Glow.WARN) if out.due_today else None,
        Told(words("ut_out_late", count=count(out.late, words), days=count(out.late_days, words)), Glow.BAD)
        if out.late
        else None,
        Told(words("ut_out_signed_today", count=count(out.signed_today, words)), Glow.GOOD)
        if out.signed_today
        else None,
    ]
    known = tuple(one for one in told if one is not None)
    return Card(words("ut_outgoing"), known, empty="" if known else words("ut_out_empty"))


def _sending(sending: Sending, now: dt.datetime, exchange: ExchangeSnapshot, words: Words) -> Card:
    told = []
    if sending.documents:
        since = time_of(sending.oldest, now) if sending.oldest else ""
        told.append(Told(words("ut_sending_waiting", count=count(sending.documents, words), since=since)))
    if sending.answers:
        told.append(Told(words("ut_sending_answers", count=count(sending.answers, words))))
    if sending.answered:
        told.append(Told(words("ut_sending_answered", count=count(sending.answered, words)), Glow.BAD))
    if sending.silent:
        told.append(Told(words("ut_sending_unanswered", count=count(len(sending.silent), words)), Glow.BAD))
    if sending.sent_today:
        told.append(Told(words("ut_sending_today", count=count(sending.sent_today, words)), Glow.GOOD))
    hindered = _hindered(exchange, now, words)
    if hindered and sending.waiting:
        told.append(hindered)
    told += [Told(_notice(one, words), Glow.WARN) for one in sending.notices[:_MOST_NOTICES]]
    nothing = words("un_sending_external" if sending.external else "ut_sending_empty")
    return Card(
        words("ut_sending"),
        tuple(told),
        tuple(_packet(row, now, words) for row in sending.lines),
        "" if told or sending.lines else nothing,
    )


def _notice(notice: Notice, words: Words) -> str:
    """What the exchange says, and what is to be done."""
    told = explained(KnownError(notice.code, **notice.params), words)
    return " ".join(part for part in (told.what, told.do) if part)


def _hindered(exchange: ExchangeSnapshot, now: dt.datetime, words: Words) -> Told | None:
    match exchange.link:
        case Link.AWAY:
            if not is_offline(exchange) and exchange.error is not None:
                said = explained(exchange.error, words)
                return Told(" ".join(part for part in (said.what, said.do) if part), Glow.WARN)
            since = time_of(exchange.since, now) if exchange.since else ""
            return Told(words("ut_sending_offline", time=since), Glow.WARN)
        case Link.NOT_SET:
            return Told(words("ut_sending_no_server"), Glow.WARN)
        case Link.NOT_ENROLLED:
            return Told(words("ut_sending_stranger"), Glow.WARN)
    return None


def _packet(row: SendingRow, now: dt.datetime, words: Words) -> Line:
    state = state_words(row.state, row.accepted_at, row.error_code, now, words)
    if row.accepted_at is not None and row.kind not in CARRYING:
        # Nobody accepts a recall as a document is accepted.
        state = words("outbox_received", time=time_of(row.accepted_at, now))
    if row.urgency and row.accepted_at is None:
        state = f"{words(f'ut_urgency_{row.urgency.value}')} · {state}"
    return Line(
        row.document or "–",
        "",
        words("outbox_kind_status") if row.kind is PacketKind.STATUS else row.subject or "",
        state,
        state_glow(row.state, row.error_code),
        error_words(_error(row), words),
    )


# ---- the grey line -------------------------------------------------------------------------------------------------


def _certificates(tokens: TokensSnapshot, words: Words) -> list[str]:
    views = [view for _token, view in tokens.sealing]
    views = views or [view for token in tokens.tokens for view in token.certificates]
    return [_days_left(view, words) for view in views[:1]]


def _days_left(view: CertificateView, words: Words) -> str:
    until = day(view.certificate.not_after.astimezone(VIETNAM))
    match view.life:
        case Life.EXPIRED:
            return words("ut_grey_expired", date=until)
        case Life.NOT_YET:
            return words("ut_grey_not_yet", date=day(view.certificate.not_before.astimezone(VIETNAM)))
    return words("ut_grey_days", days=count(view.days_left, words), date=until)


def _version(snapshot: TodaySnapshot, words: Words) -> str:
    return words("ut_grey_version", version=snapshot.version)
