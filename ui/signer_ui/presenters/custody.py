"""What the hand-over book shows: who holds which certificate, what was handed over, and what a form means.

Pure values in and out, any thread; loads no Qt.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from signer_app.custody.values import BookSnapshot, Holding, Wish
from signer_app.pdf.plan import VIETNAM
from signer_app.store.custody import HandOver, Permission
from signer_app.store.times import vietnamese_date
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count
from signer_ui.words import Words


class Field(StrEnum):
    """The fields of the form."""

    GIVER = "giver"
    RECEIVER = "receiver"
    NUMBER = "number"
    DATE = "date"
    BY = "by"
    PLACE = "place"
    WITNESS = "witness"
    PURPOSE = "purpose"
    UNTIL = "until"


@dataclass(frozen=True)
class HandOverForm:
    """What is typed, as it is typed. `returned`: to nobody; `signed`: the token signs the minute."""

    texts: Mapping[Field, str]
    returned: bool
    pin_change: bool
    signed: bool


@dataclass(frozen=True)
class HoldingCard:
    """A certificate and who holds it. `pin_open`: its PIN must still be changed; `plugged`: it can be handed over."""

    certificate: str
    device_serial: str
    name: str
    device: str
    holder: str
    glow: Glow
    pin_open: str
    plugged: bool


@dataclass(frozen=True)
class EntryLine:
    """A hand-over in the list."""

    number: int
    heading: str
    facts: str


@dataclass(frozen=True)
class CustodyPage:
    """The whole page. `empty` is said where no certificate is known."""

    cards: tuple[HoldingCard, ...]
    entries: tuple[EntryLine, ...]
    empty: str


def custody_page(snapshot: BookSnapshot, words: Words) -> CustodyPage:
    """The page for the book as it is."""
    return CustodyPage(
        tuple(_card(holding, words) for holding in snapshot.holdings),
        tuple(_line(entry, words) for entry in snapshot.entries),
        "" if snapshot.holdings else words("uc_no_certificate"),
    )


def waiting_words(snapshot: BookSnapshot, words: Words) -> str:
    """What would be handed over unfinished."""
    return words(
        "uc_waiting",
        unsigned=count(snapshot.unsigned.count, words),
        unsent=count(snapshot.unsent.count, words),
    )


def first_form(holding: Holding, clerk: str, words: Words) -> HandOverForm:
    """The form before anything is typed: the holder gives, and whoever follows sets a PIN of their own; where nobody
    holds it, it is the clerk who takes it.
    """
    texts = dict.fromkeys(Field, "")
    texts[Field.GIVER] = holding.holder
    texts[Field.RECEIVER] = "" if holding.holder else clerk
    texts[Field.PLACE] = words("uc_place_of", body=holding.body.name) if holding.body is not None else ""
    # Whoever receives it sets a PIN that nobody else knows; the clerk who enters himself first may untick it.
    return HandOverForm(texts, returned=False, pin_change=True, signed=True)


def problems(form: HandOverForm) -> dict[Field, str]:
    """What is wrong, as keys of the catalogue by field."""
    texts = {field: text.strip() for field, text in form.texts.items()}
    found = {field: "uc_missing" for field in (Field.GIVER, Field.NUMBER, Field.DATE, Field.BY) if not texts[field]}
    if not form.returned and not texts[Field.RECEIVER]:
        found[Field.RECEIVER] = "uc_receiver_missing"
    for field in (Field.DATE, Field.UNTIL):
        if texts[field] and _day(texts[field]) is None:
            found[field] = "uc_date_wrong"
    return found


def wish_of(form: HandOverForm) -> Wish:
    """What a form without problems means."""
    texts = {field: text.strip() for field, text in form.texts.items()}
    date = _day(texts[Field.DATE])
    assert date is not None
    return Wish(
        giver=texts[Field.GIVER],
        receiver="" if form.returned else texts[Field.RECEIVER],
        permission=Permission(number=texts[Field.NUMBER], date=date, by=texts[Field.BY]),
        place=texts[Field.PLACE],
        witness=texts[Field.WITNESS],
        purpose=texts[Field.PURPOSE],
        until=_day(texts[Field.UNTIL]),
        pin_change=form.pin_change and not form.returned,
    )


def question(name: str, wish: Wish, words: Words) -> str:
    """What is asked once more before it is written."""
    if wish.returns:
        return words("uc_sure_return", name=name, giver=wish.giver)
    return words("uc_sure", name=name, giver=wish.giver, receiver=wish.receiver)


def _card(holding: Holding, words: Words) -> HoldingCard:
    subject, last = holding.subject, holding.last
    device = subject.device
    where = words("uc_device", serial=device.serial, label=device.label or "-") if device is not None else ""
    plugged = subject.token is not None
    holder, glow = _holder(last, words)
    pin_open = words("uc_pin_open", holder=holding.holder) if last is not None and last.pin_change_open else ""
    return HoldingCard(
        certificate=subject.certificate.sha256,
        device_serial=device.serial if device is not None else "",
        name=subject.certificate.name,
        device=where if plugged else f"{where} · {words('uc_unplugged')}",
        holder=holder,
        glow=Glow.WARN if pin_open else glow,
        pin_open=pin_open,
        plugged=plugged,
    )


def _holder(last: HandOver | None, words: Words) -> tuple[str, Glow]:
    if last is None:
        return words("uc_no_book"), Glow.OFF
    minute = last.minute
    day, number = vietnamese_date(minute.at), minute.number
    if not minute.receiver:
        return words("uc_nobody", date=day, number=number), Glow.BAD
    return words("uc_holder", holder=minute.receiver, date=day, number=number), Glow.GOOD


def _line(entry: HandOver, words: Words) -> EntryLine:
    minute = entry.minute
    permission = minute.permission
    at = minute.at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")
    facts = [
        minute.certificate.name,
        words(
            "custody_permission",
            number=permission.number,
            date=vietnamese_date(permission.date),
            by=permission.by,
        ),
        words("uc_signed" if entry.signed else "uc_unsigned"),
    ]
    if minute.pin_change_due:
        state = words(f"custody_pin_{entry.pin_proof or 'open'}")
        facts.append(f"{words('head_pin')}: {state}")
    receiver = minute.receiver or words("custody_nobody")
    heading = words("uc_entry", number=minute.number, time=at, giver=minute.giver, receiver=receiver)
    return EntryLine(minute.number, heading, " · ".join(facts))


def _day(typed: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(typed, "%d/%m/%Y").replace(tzinfo=VIETNAM).date()
    except ValueError:
        return None
