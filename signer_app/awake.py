"""Keeps the machine from going to sleep while documents are signed; the screen may be locked meanwhile.

A sleeping machine cuts the power of its tokens, and with it the login. Asks the system and is content with a no: then a
batch that was cut off is gone on with after another PIN.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_ES_SYSTEM_REQUIRED = 0x00000001
_ES_CONTINUOUS = 0x80000000
_KILL_WAIT_S = 5.0


@contextmanager
def kept_awake() -> Iterator[None]:
    """No sleep by itself while this is held, where the system can be asked for that."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetThreadExecutionState(_ES_CONTINUOUS | _ES_SYSTEM_REQUIRED)
        try:
            yield
        finally:
            ctypes.windll.kernel32.SetThreadExecutionState(_ES_CONTINUOUS)
        return
    holder = _inhibitor()
    try:
        yield
    finally:
        if holder is not None:
            _end(holder)


def _inhibitor() -> "subprocess.Popen[bytes] | None":
    """A child that holds systemd's lock against sleep for as long as its input is open."""
    program = shutil.which("systemd-inhibit")
    if program is None:
        return None
    with suppress(OSError):
        return subprocess.Popen(
            [program, "--what=sleep:idle", "--who=Signer", "--why=Signing documents", "--mode=block", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return None


def _end(holder: "subprocess.Popen[bytes]") -> None:
    if holder.stdin is not None:
        with suppress(OSError):
            holder.stdin.close()
    try:
        holder.wait(_KILL_WAIT_S)
    except subprocess.TimeoutExpired:
        holder.kill()
        holder.wait()
