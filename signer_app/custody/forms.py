"""Fills the printed forms: the minute of a hand-over, and the requests when a token is locked, lost or near its end.

Pure; any thread of the main process. What isn't known is a dotted line to write on. The forms' wording is data of
`signer_resources.forms`; they are always Vietnamese. Nothing is kept or sent here.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from signer_app.custody.paper import Head, OfficePaper, Place
from signer_app.paper.sheet import Span, printable
from signer_app.pdf.plan import VIETNAM, Style
from signer_app.store.custody import CertificateFacts, DeviceFacts, HandOver, Waiting
from signer_app.store.settings import Body
from signer_app.store.times import vietnamese_date
from signer_resources import forms
from signer_resources.forms import FormKind
from signer_resources.messages import Lang, text

_LANG: Lang = "vi"
"""Of every paper, whatever the language of the screen."""
_DOTS = "…………………………"


@dataclass(frozen=True)
class Request:
    """What is known for a request form; None or empty where it isn't."""

    certificate: CertificateFacts
    device: DeviceFacts | None
    body: Body | None
    holder: str
    last_use: dt.datetime | None
    """The last signature with the certificate that this machine recorded."""


def request_form(kind: FormKind, request: Request, now: dt.datetime) -> bytes:
    """The request as a PDF; KnownError "glyph_missing" for a name that can't be printed."""
    certificate, device, body = request.certificate, request.device, request.body
    days_left = (certificate.not_after - now).days
    values = {
        **_certificate(certificate),
        **_device(device),
        "body": body.name if body else certificate.organization,
        "body_code": body.code if body else "",
        "holder": request.holder,
        "last_use": _moment(request.last_use) if request.last_use else "",
        "days_left": str(days_left) if days_left >= 0 else "",
        "ended": "" if days_left >= 0 else "yes",
    }
    return _print(kind, values, body, now)


def minute_form(entry: HandOver, body: Body | None) -> bytes:
    """The minute of a hand-over as a PDF; raises as `request_form`."""
    minute = entry.minute
    at = minute.at.astimezone(VIETNAM)
    returned = not minute.receiver
    other = minute.held_by if minute.held_by and minute.held_by != minute.giver else ""
    values = {
        **_certificate(minute.certificate),
        **_device(minute.device),
        "number_line": f"{minute.number:02d}",
        "permission_number": minute.permission.number,
        "permission_date": vietnamese_date(minute.permission.date),
        "permission_by": minute.permission.by,
        "time": text("paper_clock", _LANG, hour=f"{at.hour:02d}", minute=f"{at.minute:02d}"),
        "day": _long_date(at.date()),
        "place": minute.place,
        "body": minute.body,
        "giver": minute.giver,
        "receiver": minute.receiver,
        "receiver_signs": "" if returned else minute.receiver,
        "returned": "yes" if returned else "",
        "witness": minute.witness,
        "held_by": minute.held_by,
        "other_holder": other,
        "pin_state": text(f"pin_state_{minute.pin_state}", _LANG),
        "pin_change": "yes" if minute.pin_change_due else "",
        "no_pin_change": "" if minute.pin_change_due else "yes",
        "pin_changed": _pin_changed(entry),
        "unsigned_count": str(minute.unsigned.count),
        "unsigned": _names(minute.unsigned),
        "unsent_count": str(minute.unsent.count),
        "unsent": _names(minute.unsent),
        "journal_count": str(minute.journal.count),
        "journal_hash": minute.journal.hash,
        "purpose": minute.purpose,
        "until": vietnamese_date(minute.until) if minute.until else "",
        "purpose_or_until": minute.purpose or ("yes" if minute.until else ""),
        "signed": "yes" if entry.signed else "",
        "minute_sha256": entry.sha256,
    }
    return _print(FormKind.HAND_OVER, values, body, minute.at, minute.body)


def _print(kind: FormKind, values: Mapping[str, str], body: Body | None, at: dt.datetime, body_name: str = "") -> bytes:
    form = forms.load(kind)
    gaps = _Gaps(values)

    def filled(template: str) -> str:
        return template.format_map(gaps)

    sheet = OfficePaper()
    place = (body.place_name if body else None) or "……………"
    sheet.head(
        Head(
            parent=(body.parent_name if body else None) or _DOTS,
            body=body_name or (body.name if body else "") or values.get("body", "") or _DOTS,
            number=filled(form.number),
            place_and_date=f"{place}, {_long_date(at.astimezone(VIETNAM).date())}",
        )
    )
    sheet.title(form.name, form.subject)
    if form.to:
        sheet.addressees([filled(line) for line in form.to])
    for block in form.blocks:
        if not block.when or values.get(block.when):
            heading = block.text.startswith("*")
            sheet.paragraph(_spans(block.text, gaps), keep=40 if heading else 0)
    sheet.signatures(*(Place(p.title, p.hint, gaps.known(p.name)) for p in (form.left, form.right)))
    return sheet.pdf(" - ".join((form.name, *form.subject)))


class _Gaps(dict[str, str]):
    """Values for `str.format_map`: a dotted line for each that isn't known."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__({name: value for name, value in values.items() if value})

    def __missing__(self, _name: str) -> str:
        return _DOTS

    def known(self, template: str) -> str:
        """The template filled; empty where its one gap isn't known."""
        filled = template.format_map(self)
        return "" if filled == _DOTS else filled


def _spans(template: str, gaps: _Gaps) -> list[Span]:
    """What stands between stars is bold; the marks are looked for before the gaps are filled."""
    parts = template.split("*")
    return [
        Span(part.format_map(gaps), Style.BOLD if number % 2 else Style.REGULAR)
        for number, part in enumerate(parts)
        if part.strip()
    ]


def _certificate(certificate: CertificateFacts) -> dict[str, str]:
    return {
        "certificate_name": printable(certificate.name),
        "organization": printable(certificate.organization),
        "certificate_serial": certificate.serial,
        "certificate_sha256": certificate.sha256,
        "issuer": printable(certificate.issuer),
        "not_before": vietnamese_date(certificate.not_before),
        "not_after": vietnamese_date(certificate.not_after),
    }


def _device(device: DeviceFacts | None) -> dict[str, str]:
    if device is None:
        return {}
    return {"device_serial": printable(device.serial), "device_label": printable(device.label)}


def _names(waiting: Waiting) -> str:
    if not waiting.count:
        return text("paper_none", _LANG)
    more = waiting.count - len(waiting.names)
    listed = "; ".join(printable(name) for name in waiting.names)
    return (
        text("paper_names_more", _LANG, names=listed, more=more) if more else text("paper_names", _LANG, names=listed)
    )


def _pin_changed(entry: HandOver) -> str:
    if entry.pin_changed_at is None:
        return text("paper_pin_open", _LANG)
    return text("paper_pin_changed", _LANG, time=_moment(entry.pin_changed_at))


def _moment(moment: dt.datetime) -> str:
    at = moment.astimezone(VIETNAM)
    clock = text("paper_clock", _LANG, hour=f"{at.hour:02d}", minute=f"{at.minute:02d}")
    return text("paper_moment", _LANG, clock=clock, day=vietnamese_date(at))


def _long_date(day: dt.date) -> str:
    """Days below 10 and the months 1 and 2 with a leading 0 (annex I, ô 4)."""
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return text("paper_day", _LANG, day=f"{day.day:02d}", month=month, year=day.year)
