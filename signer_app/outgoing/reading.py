"""What a person types or pastes into a cell, read: number and notation, day, receivers, urgency.

Pure functions; each raises a KnownError that names what it could not read. Lenient in form (dashes, blanks, leading
zeros), never in sense: nothing is guessed.
"""

import datetime as dt
import re
import unicodedata

from signer_app.exchange.directory import Directory, KnownOrganisation
from signer_app.pdf.names import body_key, fold, same_body
from signer_app.signing.jobs import printed_number
from signer_app.store.model import Urgency
from signer_resources.errors import KnownError

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


def read_receivers(text: str, directory: Directory) -> tuple[str, ...]:
    """Codes of receivers that are named by code or, as in the directory, by name; parted by ; or a new line, codes
    also by a comma. KnownError "out_receiver_unreadable" for what is neither.
    """
    names: dict[str, list[KnownOrganisation]] = {}
    for org in directory.organisations:
        names.setdefault(body_key(org.name), []).append(org)

    def named(name: str) -> list[str]:
        found = [org.code for org in names.get(body_key(name), ()) if same_body(name, org.name)]
        return found if len(found) == 1 else []

    codes: list[str] = []
    for part in (part.strip(" -–.") for part in re.split(r"[;\n]", text)):
        for name in [part] if named(part) else [piece.strip() for piece in part.split(",") if piece.strip()]:
            known = named(name) or ([name] if _CODE.fullmatch(name) else [])
            if not known:
                raise KnownError("out_receiver_unreadable", text=name)
            codes += known
    return tuple(dict.fromkeys(codes))


def read_urgency(text: str) -> Urgency:
    """Khẩn, Thượng khẩn, Hỏa tốc, Hỏa tốc hẹn giờ; KnownError "out_urgency_unreadable"."""
    found = _URGENCIES.get(fold(text))
    if found is None:
        raise KnownError("out_urgency_unreadable", text=text)
    return found


def _tidy(text: str) -> str:
    """One spelling of blanks and dashes, composed letters."""
    return " ".join(unicodedata.normalize("NFC", text).replace("–", "-").replace("\xa0", " ").split())
