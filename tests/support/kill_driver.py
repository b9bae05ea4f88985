"""Runs the command line and kills it, as a power cut would, at a named point of its work.

    python kill_driver.py POINT COUNT ARGUMENT…

The process ends by SIGKILL right before or after the COUNT-th call of the function that POINT names; if there are fewer
calls, the command ends as ever. The program itself knows nothing of this: the functions are wrapped from outside.
"""

import functools
import itertools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Point:
    """Before or after a call of `owner`.`name`, where `owner` is a class or module."""

    owner: Callable[[], Any]
    name: str
    after: bool


def _blobs() -> Any:
    from signer_app.store.blobs import BlobStore

    return BlobStore


def _blobs_module() -> Any:
    from signer_app.store import blobs

    return blobs


def _store() -> Any:
    from signer_app.store import Store

    return Store


def _run() -> Any:
    from signer_app.signing.engine import SigningRun

    return SigningRun


def _session() -> Any:
    from signer_token.client import TokenSession

    return TokenSession


def _outbox() -> Any:
    from signer_app.store.sync_stores import SqlOutbox

    return SqlOutbox


def _inbox() -> Any:
    from signer_app.store.inbox_stores import SqlInbox

    return SqlInbox


def _channel() -> Any:
    from signer_sync.sync_channel import SyncChannel

    return SyncChannel


POINTS: dict[str, Point] = {
    # Signing, in the order of a letter's way.
    "input-kept": Point(_blobs, "add_file", after=True),
    "batch-begun": Point(_run, "begin", after=True),
    "before-signature": Point(_session, "sign", after=False),
    "after-signature": Point(_session, "sign", after=True),
    "output-kept": Point(_blobs, "adopt", after=True),
    "before-commit": Point(_store, "commit_signed", after=False),
    "after-commit": Point(_store, "commit_signed", after=True),
    "copy-half-made": Point(_blobs_module, "place_new", after=False),
    "copy-made": Point(_blobs, "export", after=True),
    "copy-recorded": Point(_store, "export", after=True),
    "batch-ending": Point(_run, "finish", after=False),
    "before-told": Point(_run, "reported", after=False),
    # Sending.
    "marked-sending": Point(_outbox, "mark_sending", after=True),
    "before-put": Point(_channel, "submit", after=False),
    "after-put": Point(_channel, "submit", after=True),
    "receipt-kept": Point(_outbox, "accepted", after=True),
    # Receiving.
    "before-receive": Point(_inbox, "take", after=False),
    "incoming-kept": Point(_inbox, "take", after=True),
    "before-ack": Point(_channel, "ack", after=False),
    "after-ack": Point(_channel, "ack", after=True),
}


def arm(point: Point, count: int) -> None:
    """From now on the `count`-th call of the point's function ends this process."""
    owner = point.owner()
    original, calls = getattr(owner, point.name), itertools.count(1)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        # Several threads may be inside at once; which call it is, is settled as it begins.
        mine = next(calls)
        if mine == count and not point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if mine == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, point.name, wrapped)


def main() -> int:
    """The command's exit code, if it lives to its end."""
    name, count, *arguments = sys.argv[1:]
    arm(POINTS[name], int(count))
    from signer_app.cli.main import command_line

    return command_line(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
