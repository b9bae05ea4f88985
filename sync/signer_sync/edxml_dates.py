"""Days and instants as packets write them, read as far as they mean something.

Pure functions on any thread. QCVN 102 writes `yyyy/MM/dd` and `yyyy/MM/dd HH:mm:ss` (domain rule §6.2, §6.3); other
spellings are met. What is impossible gives None, never a guess; the raw text stays with the caller.
"""

import re
from datetime import date, datetime
from typing import Final

from signer_sync.edxml import VIETNAM

_YEARS: Final = range(1945, 2101)
"""No document of this state is older; 0001 and 1970 are what programs write for "none"."""
_TIME: Final = r"(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(rf"(\d{{4}})([/.-])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII)
_DAY_FIRST: Final = re.compile(rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.ASCII)


def read_day(text: str) -> date | None:
    """The day in Vietnam; of an instant with an offset the day it is there (UTC midnight may be the day before)."""
    instant = read_instant(text)
    return instant.date() if instant is not None else None


def read_instant(text: str) -> datetime | None:
    """The instant, in Vietnam's time unless it tells another; midnight if it tells no time of day."""
    written = text.strip()
    found = _YEAR_FIRST.fullmatch(written)
    if found is not None:
        year, _, month, day, *clock = found.groups()
    else:
        found = _DAY_FIRST.fullmatch(written)
        if found is None:
            return None
        day, _, month, year, *clock = found.groups()
    hour, minute, second, zone = clock
    try:
        local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001 - gets its offset below
        instant = datetime.fromisoformat(f"{local.isoformat()}{zone or '+07:00'}").astimezone(VIETNAM)
    except (ValueError, OverflowError):
        return None
    return instant if instant.year in _YEARS else None
