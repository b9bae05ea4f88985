"""What is to be said of a draft beside its pages: its number, date, type, receivers, and what else waits or was issued.

Pure functions; the pages themselves are the preflight's. Severity says whether the document can be signed at all; notes
stop nothing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from signer_app.outgoing.grouping import is_appendix
from signer_app.outgoing.model import Draft, Finding, Note, Receivers, Severity
from signer_app.outgoing.numbers import Taken, day_of, takes_number, use_of, value_of
from signer_app.signing.jobs import has_own_number
from signer_app.signing.release import document_type
from signer_app.store.reservations import refusal_of
from signer_app.store.times import vietnamese_date
from signer_resources.errors import KnownError
from signer_resources.rules import RuleProfile


@dataclass(frozen=True)
class Ground:
    """All that the checks look at beside the draft. `issued` is draft id → the number that its file has had before,
    `receivers` draft id → who gets it.
    """

    today: dt.date
    taken: Taken
    issued: Mapping[str, str]
    receivers: Mapping[str, Receivers]
    rules: RuleProfile
    again: Mapping[str, KnownError] = field(default_factory=dict)
    """Draft id → why the document in whose place it is to be signed can't be replaced any more."""

    def receivers_of(self, draft: Draft) -> Receivers:
        """Who gets the draft."""
        return self.receivers.get(draft.id) or Receivers(draft.receivers)


def check(draft: Draft, ground: Ground) -> tuple[Finding, ...]:
    """What speaks against signing the draft as it is."""
    return (*_number(draft, ground), *_date(draft, ground), *_type(draft, ground), *_others(draft, ground))


def notes(draft: Draft, ground: Ground) -> tuple[Note, ...]:
    """What is worth knowing of it."""
    if not takes_number(draft):
        return ()
    told, receivers = [], ground.receivers_of(draft)
    if receivers.asked:
        told.append(Note("out_receivers_unknown", {"lines": "; ".join(receivers.asked)}))
    elif not receivers.codes and not receivers.paper:
        told.append(Note("out_no_receivers"))
    if receivers.paper:
        told.append(Note("out_receivers_paper", {"names": "; ".join(receivers.paper)}))
    if receivers.referred:
        told.append(Note("out_receivers_referred", {"lines": "; ".join(receivers.referred)}))
    return tuple(told)


def _number(draft: Draft, ground: Ground) -> list[Finding]:
    use = use_of(draft, ground.today, ground.taken.sequences)
    if use is None:
        return []
    taken, found = ground.taken, []
    document = taken.used.get(use)
    if document is not None and document.id != draft.replaces and document.doc_date is not None:
        params = {"number": document.label or draft.label, "date": vietnamese_date(document.doc_date)}
        found.append(Finding("number_used", Severity.REFUSED, params))
    held = taken.held_by_another(draft, ground.today)
    if held is not None:
        error = refusal_of(held)
        params = {key: str(value) for key, value in error.params.items()}
        found.append(Finding(error.code, Severity.REFUSED, params))
    if taken.wanted.get(use, 0) > 1:
        found.append(Finding("out_number_twice", Severity.REFUSED, {"number": draft.label}))
    if not draft.number.partition("/")[0].isdecimal():
        base = str(value_of(draft.number))
        found.append(Finding("out_number_inserted", Severity.WARNING, {"number": draft.number, "base": base}))
    expected = taken.missing_before(use)
    if expected is not None:
        params = {"number": draft.label, "expected": str(expected)}
        found.append(Finding("out_number_gap", Severity.WARNING, params))
    return found


def _date(draft: Draft, ground: Ground) -> list[Finding]:
    if not takes_number(draft):
        return []
    day, found = day_of(draft, ground.today), []
    if day.year != ground.today.year:
        params = {"date": vietnamese_date(day), "year": str(ground.today.year)}
        found.append(Finding("out_date_year", Severity.WARNING, params))
    year = draft.number.partition("/")[2]
    if year and year != str(day.year):
        params = {"number": draft.number, "date": vietnamese_date(day)}
        found.append(Finding("out_number_year", Severity.WARNING, params))
    return found


def _type(draft: Draft, ground: Ground) -> list[Finding]:
    """The notation begins with the type's abbreviation (NĐ 30 PL III); an official letter has none."""
    if not (draft.notation and draft.type) or has_own_number(draft.profile):
        return []
    _code, by_notation = document_type(draft.notation, ground.rules)
    if by_notation.casefold() == draft.type.casefold():
        return []
    params = {"notation": draft.notation, "by_notation": by_notation, "type": draft.type}
    return [Finding("out_notation_type", Severity.WARNING, params)]


def _others(draft: Draft, ground: Ground) -> list[Finding]:
    found, receivers = [], ground.receivers_of(draft)
    if draft.id in ground.issued:
        found.append(Finding("issued_before", Severity.WARNING, {"number": ground.issued[draft.id]}))
    if draft.id in ground.again:
        error = ground.again[draft.id]
        params = {key: str(value) for key, value in error.params.items()}
        found.append(Finding(error.code, Severity.REFUSED, params))
    unread = [item.name for item in draft.attachments if not item.words]
    if unread:
        found.append(Finding("attachment_not_looked", Severity.WARNING, {"names": ", ".join(unread)}))
    if len(draft.files) == 1 and is_appendix(draft.main.name):
        found.append(Finding("out_appendix_alone", Severity.WARNING, {"name": draft.main.name}))
    if receivers.unknown:
        found.append(Finding("out_receiver_unknown", Severity.WARNING, {"codes": ", ".join(receivers.unknown)}))
    if receivers.ended:
        found.append(Finding("out_receiver_gone", Severity.WARNING, {"codes": ", ".join(receivers.ended)}))
    return found
