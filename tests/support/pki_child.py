"""Serves a test PKI (CRL, OCSP, TSA) to several processes until nobody holds the other end of its pipe: a child.

    python -m tests.support.pki_child FOLDER DOOR LOCK

Returns as soon as the services answer and leaves them behind in a process of their own. DOOR is a named pipe that every
user opens for writing under LOCK; however a user ends, its end of the pipe goes with it.
"""

import os
import select
import sys
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock

from signer_app.demo.pki import DemoPki


def main(folder: Path, door: Path, lock: Path) -> int:
    if not door.exists():
        os.mkfifo(door)
    answer, tell = os.pipe()
    if os.fork():
        os.close(tell)
        return 0 if os.read(answer, 1) else 1
    os.close(answer)
    # Ctrl+C in the terminal is for the tests; this process goes when they are gone.
    os.setsid()
    with ExitStack() as services:
        services.enter_context(DemoPki.create_or_load(folder).services())
        watched = os.open(door, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(watched, True)
        os.write(tell, b"1")
        os.close(tell)
        while True:
            os.read(watched, 1)
            with FileLock(lock):
                # Under the lock nobody comes in, and the next child finds the port free.
                if nobody_holds(watched):
                    services.close()
                    return 0


def nobody_holds(pipe: int) -> bool:
    """Whether the other end of `pipe` is closed everywhere."""
    poll = select.poll()
    poll.register(pipe, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


if __name__ == "__main__":
    raise SystemExit(main(*map(Path, sys.argv[1:])))
