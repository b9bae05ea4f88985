"""What a person types or pastes into a cell, read: number and notation, day, receivers, urgency.

Functions of what is typed, and for receivers of what lines mean; each raises a KnownError that names what it could not
read. Lenient in form (dashes, blanks, leading zeros), never in sense: nothing is guessed.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Sequence

from signer_app.exchange.receivers import Line, LineState, Resolution, lines_of
from signer_app.pdf.names import fold
from signer_app.signing.jobs import printed_number
from signer_app.store.model import Urgency
from signer_resources.errors import KnownError

Understand = Callable[[Sequence[str]], Resolution]
"""What lines of Nơi nhận mean."""

# The first number of a year is 01 (Decree 30/2020/NĐ-CP, article 15), so no number is zero.
_NUMBER = re.compile(
    r"(?:số\s*:?\s*)?(?P<number>(?=0*[1-9])\d{1,6}[a-zđ]?)(?:\s*/\s*(?P<year>\d{4}))?(?:\s*/\s*(?P<notation>[^\W\d_][^\s/]{0,63}))?",
    re.IGNORECASE,
)
_NOTATION = re.compile(r"[^\W\d_][^\s/]{0,63}")
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_]{0,63}")
_URGENCIES = {
    "": Urgency.NORMAL,
    "thuong": Urgency.NORMAL,
    "binh thuong": Urgency.NORMAL,
    "khong": Urgency.NORMAL,
    "khan": Urgency.KHAN,
    "thuong khan": Urgency.THUONG_KHAN,
    "hoa toc": Urgency.HOA_TOC,
    "hoa toc hen gio": Urgency.HOA_TOC_HEN_GIO,
}


def read_number(text: str) -> tuple[str, str | None]:
    """ "5/QĐ-UBND" as ("05", "QĐ-UBND"), "5" as ("05", None), "30/2020/NĐ-CP" as ("30/2020", "NĐ-CP").

    KnownError "out_number_unreadable".
    """
    found = _NUMBER.fullmatch(_tidy(text))
    if not found:
        raise KnownError("out_number_unreadable", text=text)
    number = printed_number(found["number"].lower())
    if found["year"]:
        number = f"{number}/{found['year']}"
    return number, found["notation"].rstrip(".") if found["notation"] else None


def read_notation(text: str) -> str:
    """ "QĐ – UBND" as "QĐ-UBND"; KnownError "out_notation_unreadable"."""
    notation = re.sub(r"\s*-\s*", "-", _tidy(text)).lstrip("/").strip(" .")
    if not _NOTATION.fullmatch(notation):
        raise KnownError("out_notation_unreadable", text=text)
    return notation


def read_day(text: str) -> dt.date:
    """20/11/2026, 20-11-2026, 20.11.2026 or 2026-11-20; KnownError "out_date_unreadable"."""
    tidy = _tidy(text)
    try:
        if found := _DAY_FIRST.fullmatch(tidy):
            return dt.date(int(found[3]), int(found[2]), int(found[1]))
        if found := _YEAR_FIRST.fullmatch(tidy):
            return dt.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise KnownError("out_date_unreadable", text=text)


def read_receivers(text: str, understand: Understand) -> tuple[str, ...]:
    """Codes of receivers that are named by code, as in the directory, by a group's name or as they were explained
    before; parted by ; or a new line, or by commas. Who is nobody to send to (Lưu) is left out.

    KnownError "out_receiver_unreadable" for what is none of these, "out_receiver_on_paper" for who gets it on paper.
    """
    codes: list[str] = []
    for line in understand(lines_of(text)).lines:
        # A name may hold commas; so may a list.
        parts = [part.strip() for part in line.text.split(",") if part.strip()]
        several = line.state is LineState.ASK and len(parts) > 1
        for one in understand(parts).lines if several else (line,):
            codes += _codes(one)
    return tuple(dict.fromkeys(codes))


def _codes(line: Line) -> tuple[str, ...]:
    match line.state:
        case LineState.ASK if _CODE.fullmatch(line.text):
            # A code that isn't in the directory is still a code.
            return (line.text,)
        case LineState.ASK:
            raise KnownError("out_receiver_unreadable", text=line.text)
        case LineState.PAPER:
            raise KnownError("out_receiver_on_paper", text=line.text)
        case LineState.FOUND | LineState.NOBODY:
            return tuple(reach.code for reach in line.reaches)


def read_urgency(text: str) -> Urgency:
    """Khẩn, Thượng khẩn, Hỏa tốc, Hỏa tốc hẹn giờ; KnownError "out_urgency_unreadable"."""
    found = _URGENCIES.get(fold(text))
    if found is None:
        raise KnownError("out_urgency_unreadable", text=text)
    return found


def _tidy(text: str) -> str:
    """One spelling of blanks and dashes, composed letters."""
    return " ".join(unicodedata.normalize("NFC", text).replace("–", "-").replace("\xa0", " ").split())
