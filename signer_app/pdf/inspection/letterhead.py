"""What ô 2 to 4 and ô 10b of page 1 say against what is asked: another body, a former name, another year or urgency.

Pure functions over the text of the page; run in a worker. For the body's own seal a mismatch has no override; a copy
or an archive form may be made of what others have issued, and is warned of.
"""

import datetime as dt
from collections.abc import Iterator

from signer_app.pdf.letter import NumberLine, find_urgency_mark, issuing_bodies, issuing_lines, names_body
from signer_app.pdf.model import Finding, PreflightRequest, Profile, Severity
from signer_app.pdf.names import fold, same_body
from signer_app.pdf.pagetext import PageText

BODY_PROFILES = frozenset({Profile.AGENCY, Profile.COPY, Profile.ARCHIVE})
"""What a body signs by itself, with its own certificate."""

_FAR_DAYS = 31
"""A date of issue that is farther from today is more often a slip than meant."""
_URGENCY = ("", "KHẨN", "THƯỢNG KHẨN", "HỎA TỐC", "HỎA TỐC HẸN GIỜ")
"""Marks of ô 10b by the number that the document's data have (QCVN 102:2016/BTTTT)."""


def body_findings(page: PageText, number: NumberLine | None, request: PreflightRequest) -> Iterator[Finding]:
    """Whether the certificate is the body's, and the body that of ô 2, so that no letter gets another body's seal."""
    if request.profile not in BODY_PROFILES:
        return
    body, certificate = request.body, request.certificate_name
    if body is None or not any(same_body(certificate, name) for name in body.names):
        yield Finding("certificate_not_of_body", Severity.REFUSED, {"certificate": certificate})
        return
    lines = issuing_lines(page)
    own = any(names_body(lines, name) for name in body.names)
    if own and request.profile is Profile.AGENCY:
        # "VĂN PHÒNG" above "ỦY BAN NHÂN DÂN XÃ …", both bold, is one name, and not ours.
        own = any(same_body(read, name) for read in issuing_bodies(page) for name in body.names)
    if request.profile is not Profile.AGENCY:
        if not own:
            yield _of_others(lines, certificate)
        return
    if not lines:
        yield Finding("body_not_found", Severity.REFUSED)
    elif not own and any(names_body(lines, name) for name in body.former):
        yield Finding("body_former_name", Severity.REFUSED, {"page": lines[-1]})
    elif not own:
        yield Finding("body_differs", Severity.REFUSED, {"page": lines[-1], "certificate": certificate})
    elif number is not None and body.notations and not _names_one(number.symbol, body.notations):
        params = {"page": number.symbol, "known": ", ".join(body.notations)}
        yield Finding("notation_not_of_body", Severity.WARNING, params)


def _of_others(lines: tuple[str, ...], certificate: str) -> Finding:
    if not lines:
        return Finding("copy_body_unread", Severity.WARNING)
    return Finding("copy_of_other_body", Severity.WARNING, {"page": lines[-1], "certificate": certificate})


def _names_one(symbol: str, notations: tuple[str, ...]) -> bool:
    """Whether the notation on the page holds one of the body's parts ("QĐ-UBND", "UBND-VP", "NQ-HĐND")."""
    written = f" {fold(symbol)} "
    return any(f" {fold(part)} " in written for part in notations if fold(part))


def urgency_findings(page: PageText, request: PreflightRequest) -> Iterator[Finding]:
    """Whether the mark of ô 10b is the urgency that the document's data have."""
    if request.urgency is None:
        return
    mark = find_urgency_mark(page) or ""
    given = _URGENCY[request.urgency] if 0 <= request.urgency < len(_URGENCY) else str(request.urgency)
    # The hour of "hẹn giờ" is often written below the mark, or stands in the data alone.
    if mark != given and not (mark == "HỎA TỐC" and given.startswith(mark)):
        params = {"page": mark or "–", "given": given or "–"}
        yield Finding("urgency_differs", Severity.WARNING, params)


def date_findings(line: NumberLine | None, typed: dt.date | None, request: PreflightRequest) -> Iterator[Finding]:
    """Whether the year of the number is that of the date, and the date is one on which documents leave now."""
    if request.profile is not Profile.AGENCY:
        return
    date = request.date or typed or request.today
    year = (line.year if line is not None else None) or (request.number or "").partition("/")[2]
    if year and year != str(date.year):
        yield Finding("number_year_differs", Severity.WARNING, {"year": year, "date": f"{date:%d/%m/%Y}"})
    if abs((date - request.today).days) > _FAR_DAYS or date.year != request.today.year:
        params = {"date": f"{date:%d/%m/%Y}", "today": f"{request.today:%d/%m/%Y}"}
        yield Finding("date_far", Severity.WARNING, params)
