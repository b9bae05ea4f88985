"""Keeps what a process remembers, a PIN perhaps, out of crash dumps.

For the token host and for the process in which PINs are typed; called before the first one is.
"""

import sys

_PR_SET_DUMPABLE = 4


def no_core_dumps() -> None:
    """No core file of this process from now on, nor one piped to a crash reporter; no dialog that waits on a crash."""
    if sys.platform == "win32":
        import ctypes

        # SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX: a crash ends the process at once, without a report.
        ctypes.windll.kernel32.SetErrorMode(0x0001 | 0x0002)
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # A limit of 0 doesn't hold where dumps are piped to a program (core(5)).
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
