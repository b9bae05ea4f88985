"""Signs one document into the store in a process that kills itself before the n-th step.

Reads lines of JSON, [FOLDER, OUTPUT, STEP], and does each in a process of its own, forked from this one, which has
everything imported: that takes longer than the signing. A step is a statement of SQL, an fsync, or a change of names on
the disk; 0 never kills. Prints "signed" and "exported" when a person would be told so, and at last "ended CODE".
"""

import json
import os
import signal
import sqlite3
import sys
from pathlib import Path

from signer_app.store.datafolder import DataFolder
from signer_app.store.store import Store
from tests.store.letters import Clock, Letters, not_secret

NAME_CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir"}


class Steps:
    """Counts steps, and dies before the one that was named."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def watch(steps: Steps, connection: sqlite3.Connection) -> None:
    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event in NAME_CHANGES:
            steps.step()

    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        steps.step()
        real_fsync(descriptor)

    sys.addaudithook(audit)
    setattr(os, "fsync", fsync)  # noqa: B010 - narrower than the declared signature
    connection.set_trace_callback(lambda statement: steps.step())


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(folder: Path, output: Path, last: int) -> None:
    clock, data = Clock(), DataFolder(folder)
    with data.lock(), Store.open(data, clock) as store:
        steps = Steps(last)
        watch(steps, store._connection)
        letters = Letters(store, clock)
        plan, content = "agency", b"the same letter every time"
        kept = letters.keep(content)
        with store.view() as view:
            done = view.documents.find_signed(kept, plan, letters.plan_sha256)
        if done is None:
            signing = letters.signing(content=content, output=output)
            store.commit_signed(signing, not_secret)
            done = signing.files[0]
        tell("signed")
        if done.exported_at is None and store.export(done.id).error is None:
            tell("exported")
        tell(f"steps {steps.count}")


def apart(folder: Path, output: Path, last: int) -> int:
    """Does it in a process of its own; its exit code, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        main(folder, output, last)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        place, letter, step = json.loads(line)
        tell(f"ended {apart(Path(place), Path(letter), step)}")
