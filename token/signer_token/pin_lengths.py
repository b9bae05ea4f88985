"""How long a token's user PIN may be: ulMinPinLen and ulMaxPinLen of CK_TOKEN_INFO, which python-pkcs11 doesn't tell.

Used in the token host alone, on its main thread, beside a module that python-pkcs11 has loaded and initialised: the
same library is asked once more through its own table of functions. Read only.
"""

import ctypes
import sys
from dataclasses import dataclass

_GET_TOKEN_INFO = 6
"""Place of C_GetTokenInfo in CK_FUNCTION_LIST (PKCS#11 2.40, pkcs11f.h)."""
_MOST = 255


class _TokenInfo(ctypes.Structure):
    """CK_TOKEN_INFO; Windows packs it."""

    if sys.platform == "win32":
        _pack_ = 1
    _fields_ = (
        ("texts", ctypes.c_ubyte * 96),
        ("flags", ctypes.c_ulong),
        ("session_counts", ctypes.c_ulong * 4),
        ("max_pin", ctypes.c_ulong),
        ("min_pin", ctypes.c_ulong),
        ("memory", ctypes.c_ulong * 4),
        ("versions_and_time", ctypes.c_ubyte * 20),
    )


class _FunctionList(ctypes.Structure):
    """The start of CK_FUNCTION_LIST."""

    if sys.platform == "win32":
        _pack_ = 1
    _fields_ = (("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * (_GET_TOKEN_INFO + 1)))


@dataclass(frozen=True)
class PinLengths:
    """Characters, both ends included; 0: nothing is known."""

    least: int
    most: int


UNTOLD = PinLengths(0, 0)
"""The token, or its module, has nothing sensible to say."""


def pin_lengths(module: str, slot: int) -> PinLengths | None:
    """What the token in `slot` (CK_SLOT_ID) asks of a PIN's length; None where it could not be asked this time."""
    try:
        get_function_list = ctypes.CDLL(module).C_GetFunctionList
    except (OSError, AttributeError):
        return UNTOLD
    table = ctypes.POINTER(_FunctionList)()
    if get_function_list(ctypes.byref(table)) != 0:
        return None
    place = table.contents.functions[_GET_TOKEN_INFO] if table else None
    if not place:
        return UNTOLD
    info = _TokenInfo()
    asked = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_ulong, ctypes.POINTER(_TokenInfo))(place)
    if asked(slot, ctypes.byref(info)) != 0:
        return None
    if not 1 <= info.min_pin <= info.max_pin:
        return UNTOLD
    return PinLengths(int(info.min_pin), min(int(info.max_pin), _MOST))
