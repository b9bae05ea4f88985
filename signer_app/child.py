"""What all children of ours that read strangers' files have in common: a limit on memory, and how they say no.

Runs in each child; holds nothing between two requests.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signer_resources.errors import KnownError
from signer_token.channel import Refusal

_MEMORY_BYTES = 3 << 30
_TASK_BYTES = 3 << 29
_FULL = (errno.ENOSPC, errno.EDQUOT)


def limit_memory() -> None:
    """Lets a malicious file take this child down, but not the machine, where a process can limit itself."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


@contextmanager
def little_memory(path: Path) -> Iterator[None]:
    """Leaves much less to one task: what the file takes when it is mapped, and enough for a few large pages."""
    if sys.platform == "win32":
        yield
        return
    import resource

    before, most = resource.getrlimit(resource.RLIMIT_AS)
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    # Without a limit of its own (in a test) the process keeps what it has.
    limited = most != resource.RLIM_INFINITY
    if limited:
        resource.setrlimit(resource.RLIMIT_AS, (min(most, _TASK_BYTES + size), most))
    try:
        yield
    finally:
        if limited:
            resource.setrlimit(resource.RLIMIT_AS, (before, most))


def give_way() -> None:
    """Lets the screen go first where the machine has few cores: a second of checking more is noticed less than a window
    that stutters. On Windows the parent's priority stays.
    """
    if sys.platform != "win32":
        os.nice(5)


@contextmanager
def refusals() -> Iterator[None]:
    """What is known to go wrong, as a child tells it to its parent."""
    try:
        yield
    except KnownError as error:
        raise Refusal(error.code, **{key: str(value) for key, value in error.params.items()}) from error
    except OSError as error:
        if error.errno in _FULL:
            raise Refusal("disk_full", folder=str(Path(error.filename or ".").parent)) from error
        raise Refusal("file_unreadable", name=Path(error.filename or "").name) from error
