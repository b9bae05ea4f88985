"""How numbers, days and times, names of certificates and hashes are written on the screen.

Pure; loads no Qt.
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from signer_ui.words import Words

_COMMON_NAME = re.compile(r"(?:^|,)CN=((?:\\.|[^,\\])+)")
_HEX = re.compile(r"[0-9A-Fa-f]{12,}")
_IN_A_GROUP = 8
_SHORT_FORMS = (
    (re.compile(r"\b(?:ủy|uỷ) ban mặt trận tổ quốc việt nam\b", re.IGNORECASE), "UBMTTQ Việt Nam"),
    (re.compile(r"\b(?:ủy|uỷ) ban nhân dân\b", re.IGNORECASE), "UBND"),
    (re.compile(r"\bhội đồng nhân dân\b", re.IGNORECASE), "HĐND"),
)


@dataclass(frozen=True)
class Fact:
    """What, and its value."""

    what: str
    value: str


def count(number: int, words: Words) -> str:
    """A whole number with its thousands apart: 1.200 in Vietnamese, 1,200 in English."""
    written = f"{number:,}"
    return written.replace(",", ".") if words.lang == "vi" else written


def day(date: dt.date | None) -> str:
    """18/11/2026; empty without a day."""
    return date.strftime("%d/%m/%Y") if date else ""


def moment(at: dt.datetime, now: dt.datetime) -> str:
    """A time as briefly as it is clear: 08:42 of today, 21/11 of this year, else 21/11/2025."""
    if at.date() == now.date():
        return at.strftime("%H:%M")
    return at.strftime("%d/%m") if at.year == now.year else day(at)


def time_of(at: dt.datetime, now: dt.datetime) -> str:
    """A time with its minutes: 08:42 of today, else 08:42 21/11/2026."""
    return at.strftime("%H:%M") if at.date() == now.date() else at.strftime("%H:%M %d/%m/%Y")


def millimetres(length: float, words: Words) -> str:
    """A length without its unit, to a tenth: 27,5 in Vietnamese, 27.5 in English."""
    written = f"{length:.1f}"
    return written.replace(".", ",") if words.lang == "vi" else written


def size(amount: int, words: Words) -> str:
    """Bytes as people read them: 330 KB, 1,2 MB (1.2 MB in English)."""
    if amount < 1 << 20:
        return f"{max(1, round(amount / 1024))} KB"
    written = f"{amount / (1 << 20):.1f} MB"
    return written.replace(".", ",") if words.lang == "vi" else written


def short_body(name: str) -> str:
    """A body's name for a narrow column, as clerks write it: UBND tỉnh An Sơn. Its beginning is that of half the
    province, so the name as a whole would be cut where it begins to say who it is.
    """
    written = unicodedata.normalize("NFC", name)
    for long, short in _SHORT_FORMS:
        written = long.sub(short, written)
    return written


def common_name(subject: str) -> str:
    """The common name in an RFC 4514 text; the whole text where there is none."""
    found = _COMMON_NAME.search(subject)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else subject


def grouped(text: str) -> str:
    """A long hexadecimal number in groups, so that a narrow line can end in it and a person can compare it."""
    if not _HEX.fullmatch(text):
        return text
    return " ".join(text[at : at + _IN_A_GROUP] for at in range(0, len(text), _IN_A_GROUP))
