"""The support code: version, the eight lights and the first error as sixteen letters that can be read over a telephone.

Pure; any thread. Four groups of four out of 31 letters and digits of which no two look alike (no I, L, O, 0, 1); the
last one is a check digit (weights over a prime, as ISBN-10 has them), so that one misheard letter, or two neighbours
changed over, are noticed. Holds nothing of any document or person.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.desk.check_values import CheckState
from signer_app.desk.lights import Light, LightState, first_error
from signer_app.updates.releases import numbers
from signer_resources.errors import KnownError
from signer_resources.messages import catalogue

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_DATA = 15
_FORMAT = 1
_STATES = (CheckState.NOT_CHECKED, CheckState.GOOD, CheckState.WARN, CheckState.BAD)
_ERROR_BITS = 28
_VERSION_BITS = (7, 7, 8)


@dataclass(frozen=True)
class Support:
    """What a code says. `error` is the code of the catalogue, None: nothing was amiss, "?": one that this version
    doesn't know.
    """

    version: str
    lights: tuple[tuple[Light, CheckState], ...]
    error: str | None


def support_code(version: str, found: Sequence[LightState]) -> str:
    """Such as "7K2M-…"; the same machine in the same state always has the same."""
    value = _FORMAT
    parts = (*numbers(version), 0, 0, 0)
    for part, bits in zip(parts, _VERSION_BITS, strict=False):
        value = value << bits | min(part, (1 << bits) - 1)
    states = {one.light: one.state for one in found}
    for light in Light:
        value = value << 2 | _STATES.index(states.get(light, CheckState.NOT_CHECKED))
    error = first_error(found)
    value = value << _ERROR_BITS | (error_number(error) if error is not None else 0)
    digits = []
    for _ in range(_DATA):
        value, digit = divmod(value, len(LETTERS))
        digits.append(digit)
    digits.append(_check_digit(digits))
    text = "".join(LETTERS[digit] for digit in digits)
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def read_support_code(typed: str) -> Support:
    """What somebody has read aloud; KnownError support_code_wrong where it can't be right."""
    letters = [letter for letter in typed.upper() if letter not in " -.\u2013"]
    if len(letters) != _DATA + 1 or any(letter not in LETTERS for letter in letters):
        raise KnownError("support_code_wrong")
    digits = [LETTERS.index(letter) for letter in letters]
    if _check_digit(digits[:_DATA]) != digits[_DATA]:
        raise KnownError("support_code_wrong")
    value = 0
    for digit in reversed(digits[:_DATA]):
        value = value * len(LETTERS) + digit
    value, error = divmod(value, 1 << _ERROR_BITS)
    states = []
    for _ in Light:
        value, state = divmod(value, 4)
        states.append(_STATES[state])
    version = []
    for bits in reversed(_VERSION_BITS):
        value, part = divmod(value, 1 << bits)
        version.append(str(part))
    if value != _FORMAT:
        raise KnownError("support_code_wrong")
    return Support(".".join(reversed(version)), tuple(zip(Light, reversed(states), strict=True)), _error_of(error))


def error_number(code: str) -> int:
    """The number of an error's code, never 0; no two codes of the catalogue have the same."""
    digest = hashlib.sha256(code.encode()).digest()
    return int.from_bytes(digest[:4], "big") % ((1 << _ERROR_BITS) - 1) + 1


def _error_of(number: int) -> str | None:
    if number == 0:
        return None
    return next((code for code in catalogue().errors if error_number(code) == number), "?")


def _check_digit(digits: Sequence[int]) -> int:
    return sum(weight * digit for weight, digit in enumerate(digits, start=2)) % len(LETTERS)
