"""Ends the token host when a driver keeps it for good and nobody is left to kill it.

Token host only, from its main thread. python-pkcs11 holds the interpreter's lock while it loads a module and in
C_GetFunctionList and C_Finalize: a driver that hangs there stops every Python thread, also the one that notices the
parent's death. faulthandler's own thread needs no lock. A process has one such watch, so never one within another.
"""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


def end_after(seconds: float) -> None:
    """Ends this process in that time, whatever it does then, unless `relent` comes first. Places in the code go to
    stderr, values don't.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)


def relent() -> None:
    """What was watched has come to an end."""
    faulthandler.cancel_dump_traceback_later()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done here may take that long."""
    end_after(seconds)
    try:
        yield
    finally:
        relent()
