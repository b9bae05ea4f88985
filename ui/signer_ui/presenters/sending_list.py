"""What the list *Chờ gửi* says of each packet: its columns, how it stands in the clerks' words, its deadline, the sums.

Pure values in and out; loads no Qt. A countdown is told anew each time it is asked for, so nothing here is kept.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signer_app.deadlines import Deadline
from signer_app.desk.sending_rows import SendingItem, Standing
from signer_app.store.model import Urgency
from signer_app.store.queue import QueueRow
from signer_app.store.times import VIETNAM
from signer_sync.contract import PacketKind
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count, day, moment, short_body, time_of
from signer_ui.presenters.grid import Column, Shade
from signer_ui.words import Words

STATE = "uq_head_state"
LABEL = "uq_head_label"
SUBJECT = "uq_head_subject"
RECEIVERS = "uq_head_receivers"
SINCE = "uq_head_since"
NEXT = "uq_head_next"
DEADLINE = "uq_head_deadline"

SPARED = (SINCE, NEXT, RECEIVERS, DEADLINE)
"""Columns that a narrow list can do without, in this order: the packet beside it says all of that."""
CARRYING = (PacketKind.NEW, PacketKind.REPLACE)
"""Kinds that bring a document."""
_ORDER = tuple(Standing)
_GLOWS = {
    Standing.HELD: Glow.OFF,
    Standing.POSTPONED: Glow.OFF,
    Standing.WAITING: Glow.OFF,
    Standing.SENDING: Glow.OFF,
    Standing.RETRYING: Glow.WARN,
    Standing.UNKNOWN: Glow.WARN,
    Standing.RECEIVED: Glow.GOOD,
    Standing.FORWARDED: Glow.GOOD,
    Standing.PARTIALLY: Glow.GOOD,
    Standing.DELIVERED: Glow.GOOD,
    Standing.WITHDRAWN: Glow.OFF,
}
_SHADES = {Glow.GOOD: Shade.GOOD, Glow.WARN: Shade.WARN, Glow.BAD: Shade.BAD, Glow.OFF: Shade.MUTED}
_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Sums:
    """What the lines come to. `waiting`: documents; `answers` to senders are none. `oldest`: since when the oldest
    unsent one waits, `oldest_label` what it is. `refused`: nobody took it, or a receiver sent it back. `answered`: what
    the other side has, and a person must act on.
    """

    waiting: int = 0
    answers: int = 0
    oldest: dt.datetime | None = None
    oldest_label: str = ""
    stuck: int = 0
    refused: int = 0
    answered: int = 0
    red: int = 0


def glow(item: SendingItem) -> Glow:
    """How it stands; what wants a person is bad."""
    return _GLOWS.get(item.standing, Glow.BAD)


def columns(
    names: Callable[[], Mapping[str, str]], now: Callable[[], dt.datetime], words: Words
) -> tuple[Column[SendingItem], ...]:
    """The list's columns; `names` by organisation code."""
    return (
        Column(
            STATE,
            lambda item: _state_tip(item, names(), now(), words),
            14.2,
            sort=lambda item: _ORDER.index(item.standing),
            shade=lambda item: _SHADES[glow(item)],
            dot=True,
            tip=lambda item: _state_tip(item, names(), now(), words),
        ),
        Column(LABEL, lambda item: item.row.label, 8.4),
        Column(
            SUBJECT,
            lambda item: subject(item, words),
            6,
            stretch=True,
            tip=lambda item: subject(item, words),
        ),
        Column(
            RECEIVERS,
            lambda item: receivers(item, names(), words),
            7,
            sort=lambda item: len(item.row.receivers),
            tip=lambda item: "\n".join(names().get(code, code) for code in item.row.receivers),
            also=lambda item: " ".join(names().get(code, code) for code in item.row.receivers),
        ),
        Column(
            DEADLINE,
            lambda item: deadline_words(item, now(), words, brief=True),
            10.2,
            sort=lambda item: item.deadline.late_at if item.deadline is not None else _LATEST,
            shade=lambda item: deadline_shade(item.deadline, now()),
            tip=lambda item: deadline_words(item, now(), words),
        ),
        Column(
            SINCE,
            lambda item: moment(item.since.astimezone(VIETNAM), now()),
            3.7,
            sort=lambda item: item.since,
            tip=lambda item: local_time(item.since, now()),
        ),
        Column(
            NEXT,
            lambda item: next_words(item, now(), words),
            3.7,
            sort=lambda item: item.next_try or _LATEST,
            tip=lambda item: local_time(item.next_try, now()) if item.next_try is not None else "",
        ),
    )


def local_time(at: dt.datetime, now: dt.datetime) -> str:
    """A time with its minutes, in Vietnam's time."""
    return time_of(at.astimezone(VIETNAM), now)


def state_words(item: SendingItem, now: dt.datetime, words: Words) -> str:
    """How the packet stands; only what the other side has confirmed counts as sent."""
    row, upcoming = item.row, item.next_try
    match item.standing:
        case Standing.HELD:
            left = (upcoming - now).total_seconds() if upcoming is not None else 0
            return words("uq_standing_held", left=_countdown(left)) if left > 0 else words("outbox_queued")
        case Standing.POSTPONED if upcoming is not None:
            return words("outbox_postponed", time=local_time(upcoming, now))
        case Standing.WAITING:
            return words("outbox_queued")
        case Standing.SENDING:
            return words("outbox_sending")
        case Standing.RETRYING:
            late = upcoming is None or upcoming <= now
            return words("uq_standing_retrying") if late else words("uq_standing_retrying_at", time=_at(upcoming, now))
        case Standing.UNKNOWN:
            return words("ut_sent_unknown")
        case Standing.NEEDS_PERSON:
            return words("ut_sent_needs_person")
        case Standing.WITHDRAWN:
            return words("outbox_withdrawn")
        case Standing.DELIVERED:
            return words("outbox_delivered")
        case Standing.RECEIVED | Standing.FORWARDED | Standing.PARTIALLY if row.accepted_at is not None:
            told = "ut_sent_partially" if item.standing is Standing.PARTIALLY else "ut_sent_received"
            # Nobody accepts a recall or an answer as a document is accepted.
            return words(told if row.kind in CARRYING else "outbox_received", time=local_time(row.accepted_at, now))
    return words(f"uq_standing_{item.standing}")


def answer_words(row: QueueRow, names: Mapping[str, str], words: Words) -> str:
    """Which receivers sent it back, declined or were not reached, and why; empty where a person need not act."""
    told = []
    for answer in row.answers:
        name = names.get(answer.org, answer.org)
        told.append(words("uq_answer_why", name=name, why=answer.reason) if answer.reason else name)
    return "; ".join(told)


def concerned(item: SendingItem, names: Mapping[str, str], words: Words) -> str:
    """On which receivers a person must act, and why; empty where on none."""
    return answer_words(item.row, names, words) or "; ".join(names.get(org, org) for org in item.to_settle)


def _state_tip(item: SendingItem, names: Mapping[str, str], now: dt.datetime, words: Words) -> str:
    state, told = state_words(item, now, words), concerned(item, names, words)
    return words("uq_answer", state=state, told=told) if told else state


def _at(moment: dt.datetime | None, now: dt.datetime) -> str:
    return local_time(moment, now) if moment is not None else ""


def _countdown(seconds: float) -> str:
    """1:42 of less than an hour, else hours and minutes as 2:05:00."""
    whole = int(seconds + 0.999)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def subject(item: SendingItem, words: Words) -> str:
    """What it brings: type and subject of a document; else what it does, and with which."""
    row = item.row
    if row.kind is PacketKind.STATUS:
        told = words("outbox_kind_status")
        return (
            words("uo_type_subject", type=told, subject=words(f"ut_status_{row.status_code}")) if _known(row) else told
        )
    title = row.subject or row.type or ""
    if row.subject and row.type and not row.subject.casefold().startswith(row.type.casefold()):
        title = words("uo_type_subject", type=row.type, subject=row.subject)
    if row.kind is PacketKind.NEW:
        return title
    kind = words(f"outbox_kind_{row.kind}")
    return words("uo_type_subject", type=kind, subject=title) if title else kind


def _known(row: object) -> bool:
    return getattr(row, "status_code", None) in _STATUS


_STATUS = frozenset({"01", "02", "03", "04", "05", "06", "13", "15", "16"})


def is_status(code: str | None) -> bool:
    """Whether a code is one of the states of a document at its receiver (QCVN 102:2016/BTTTT)."""
    return code in _STATUS


def receivers(item: SendingItem, names: Mapping[str, str], words: Words) -> str:
    """To whom: how many, and who."""
    told = [short_body(names.get(code, code)) for code in item.row.receivers]
    if len(told) < 2:
        return "".join(told)
    return words("uq_receivers", count=count(len(told), words), names="; ".join(told))


def next_words(item: SendingItem, now: dt.datetime, words: Words) -> str:
    """When it may leave by itself; empty where it doesn't."""
    upcoming = item.next_try
    if upcoming is not None and upcoming > now:
        return moment(upcoming.astimezone(VIETNAM), now)
    if item.standing in (Standing.HELD, Standing.POSTPONED, Standing.WAITING, Standing.RETRYING, Standing.UNKNOWN):
        return words("uq_next_now")
    return ""


def deadline_words(item: SendingItem, now: dt.datetime, words: Words, *, brief: bool = False) -> str:
    """By when its document must leave (wording 32); empty for what has left or brings none. `brief`: under a head that
    says what it is.
    """
    deadline = item.deadline
    if deadline is None:
        return ""
    days, hour = deadline.days_late(now), deadline.red_at.astimezone(VIETNAM).hour
    if deadline.is_late(now):
        told = "late" if days else "late_today"
    elif item.row.urgency is not Urgency.NORMAL:
        told = "at_once"
    elif deadline.last_day != now.date():
        told = "later"
    else:
        told = "today" if deadline.is_red(now) else "before"
    key = f"uq_brief_{told}" if brief else f"uq_deadline_{told}"
    return words(key, days=days, hour=hour, day=f"{deadline.last_day:%d/%m}")


def deadline_shade(deadline: Deadline | None, now: dt.datetime) -> Shade | None:
    """Red where it must be pressed for, yellow on its last day."""
    if deadline is None:
        return None
    if deadline.is_red(now):
        return Shade.BAD
    return Shade.WARN if deadline.last_day == now.date() else Shade.MUTED


def summary(sums: Sums, now: dt.datetime, words: Words) -> str:
    """What waits, and since when the oldest; then what wants a person."""
    if not sums.waiting:
        told = [words("outbox_empty").rstrip(".")]
    else:
        told = [words("uq_sum_waiting", count=count(sums.waiting, words))]
        if sums.oldest is not None:
            key = "uq_sum_oldest" if sums.oldest_label else "uq_sum_oldest_alone"
            told.append(words(key, time=local_time(sums.oldest, now), label=sums.oldest_label))
    if sums.answers:
        told.append(words("uq_sum_answers", count=count(sums.answers, words)))
    for key, number in (("uq_sum_red", sums.red), ("uq_sum_stuck", sums.stuck), ("uq_sum_refused", sums.refused)):
        if number:
            told.append(words(key, count=count(number, words)))
    return " · ".join(told)


@dataclass(frozen=True)
class Later:
    """A time until which sending may be put off, and how it is offered."""

    until: dt.datetime
    text: str


def times_to_postpone(now: dt.datetime, words: Words) -> tuple[Later, ...]:
    """What a clerk means by later: in half an hour, when the afternoon begins, when the next morning does."""
    local = now.astimezone(VIETNAM)
    found = [Later(local + dt.timedelta(minutes=30), words("uq_later_half_hour"))]
    afternoon = local.replace(hour=13, minute=30, second=0, microsecond=0)
    if local < afternoon - dt.timedelta(minutes=30):
        found.append(Later(afternoon, words("uq_later_afternoon")))
    morning = local.replace(hour=7, minute=30, second=0, microsecond=0) + dt.timedelta(days=1)
    found.append(Later(morning, words("uq_later_morning", day=day(morning.date()))))
    return tuple(found)


def read_time(clock: str, date: str, now: dt.datetime) -> dt.datetime | None:
    """A time as it is typed: 14:30 or 14h30, and 24/11/2026, 24/11 or nothing for today; None where it is none."""
    local = now.astimezone(VIETNAM)
    typed_day = date.strip().replace("-", "/").replace(".", "/")
    if typed_day and typed_day.count("/") == 1:
        typed_day = f"{typed_day}/{local.year}"
    try:
        hour = dt.datetime.strptime(clock.strip().lower().replace("h", ":").rstrip(":"), "%H:%M").time()  # noqa: DTZ007
        on = dt.datetime.strptime(typed_day, "%d/%m/%Y").date() if typed_day else local.date()  # noqa: DTZ007
    except ValueError:
        return None
    return dt.datetime.combine(on, hour, VIETNAM)
