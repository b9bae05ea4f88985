"""PDFium's functions without a check of their arguments, for what is asked thousands of times a page.

Used in workers. ctypes checks and wraps each argument of a declared function, which takes longer than what PDFium does
with it. These take handles, `int` for C's int and `byref` of what PDFium fills in, and nothing else: a value of another
size would be passed wrongly, so functions with longs, doubles or strings as arguments stay with pypdfium2's own.
"""

import ctypes
from collections.abc import Callable
from typing import Any


def unchecked(function: Any, answer: Any) -> Callable[..., Any]:
    """A function of pypdfium2's as it is in the library; `answer` is the type of what it returns."""
    return ctypes.CFUNCTYPE(answer)(ctypes.cast(function, ctypes.c_void_p).value or 0)
