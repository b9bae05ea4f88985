"""PDFium's functions without a check of their arguments, for what is asked thousands of times a page.

Used in workers. ctypes checks and wraps each argument of a declared function, which takes longer than what PDFium does
with it. These take handles, `int` for C's int and `byref` of what PDFium fills in, and nothing else: a value of another
size would be passed wrongly, so functions with longs, doubles or strings as arguments stay with pypdfium2's own.
"""

import ctypes
from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Number = TypeVar("_Number", ctypes.c_double, ctypes.c_float, ctypes.c_uint)


def unchecked(function: Any, answer: Any) -> Callable[..., Any]:
    """A function of pypdfium2's as it is in the library; `answer` is the type of what it returns."""
    return ctypes.CFUNCTYPE(answer)(ctypes.cast(function, ctypes.c_void_p).value or 0)


class Room(Generic[_Number]):
    """Where PDFium leaves its answers: `each` numbers of one kind for each of `count` things that it is asked about.

    `values` are all of them, one thing after the other; `to[k][i]` is where number k about thing i is to be left. Made
    once and filled again and again, for making it takes longer than the asking.
    """

    def __init__(self, kind: type[_Number], each: int, count: int = 1) -> None:
        size = ctypes.sizeof(kind)
        self.values: ctypes.Array[_Number] = (kind * (each * count))()
        self.to = [[ctypes.byref(self.values, (each * i + k) * size) for i in range(count)] for k in range(each)]
