"""How a recovery code is written: its groups, each of which checks itself and its place.

Pure, and loads nothing, so that a field can be looked at while it is typed in. Which keys follow from a code: `phrase`.
"""

import re
import unicodedata

GROUPS = 8
"""Of `DIGITS` digits each."""
DIGITS = 6

_BASE = 11
_ALIKE = str.maketrans({"o": "0", "O": "0", "l": "1", "I": "1", "i": "1"})


def digits_of(typed: str) -> str:
    """The digits of what a person typed or read out; whatever stands between them makes no difference."""
    return re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", typed).translate(_ALIKE))


def group_value(place: int, digits: str) -> int | None:
    """The sixteen bits of the group at `place`, from 0; None where its digits can't be right."""
    value, check = divmod(int(digits), _BASE)
    return value if check == place + 1 and value <= 0xFFFF else None


def group_digits(place: int, value: int) -> str:
    """The group at `place`, from 0, that stands for these sixteen bits."""
    return f"{value * _BASE + place + 1:0{DIGITS}d}"
