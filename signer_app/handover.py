"""Gives documents to the window that is open on a data folder: the asking side, used by a second start and by commands.

Standard library only, so that a second start ends before it has loaded a window; and of that only what is needed, so
that a first start is painted the sooner. The window's side, which listens, is `signer_ui.instance`; it alone decides
what becomes of the files. One line of JSON goes over, one word comes back.
"""

import os
import stat
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

TAKEN = b"taken\n"
LARGEST = 4 << 20
"""Bytes that one message may have."""
MOST_FILES = 10_000


class Wish(StrEnum):
    """What the window is asked to do; nothing is ever signed by asking."""

    OPEN = "open"
    """Open these documents, come to the front."""
    RESUME = "resume"
    """Show the batch that stopped."""
    SEND = "send"
    """Send now what waits."""


_ANSWER_S = 3.0
_KEY_CHARS = 32
_LONGEST_PATH = 100
"""Characters; the system allows 107 for a socket's path."""


def address(folder: Path) -> str | None:
    """Where the window of this data folder listens: a socket's path, or on Windows the name of a pipe; None where no
    window has been.
    """
    place = folder.absolute()
    if sys.platform == "win32":
        return pipe_name(place)
    inside = place / "window"
    if len(os.fsencode(inside)) <= _LONGEST_PATH:
        return str(inside)
    # The data folder is closed to others; only a path too long for a socket goes elsewhere.
    import tempfile

    return str(Path(tempfile.gettempdir()) / f"signer-{_key(place)}")


def pipe_name(folder: Path) -> str | None:
    """The pipe's name on Windows. Names of pipes are common to all users, so the window makes one that nobody can guess
    and leaves it in the data folder, which is closed to others.
    """
    try:
        key = (folder / "window").read_bytes()[:_KEY_CHARS].decode("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return rf"\\.\pipe\signer-{key}" if len(key) == _KEY_CHARS and key.isalnum() else None


def make_pipe_name(folder: Path) -> str:
    """A new name, left for who asks; OSError where the folder takes no file. For the owner of the folder's lock."""
    import secrets

    key = secrets.token_hex(_KEY_CHARS // 2)
    note = os.open(folder / "window", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(note, "w", encoding="ascii") as out:
        out.write(key)
    return rf"\\.\pipe\signer-{key}"


def _key(place: Path) -> str:
    import getpass
    import hashlib

    return hashlib.sha256(f"{getpass.getuser()}\0{place}".encode()).hexdigest()[:24]


def hand_over(folder: Path, files: Sequence[str], wish: Wish = Wish.OPEN) -> bool:
    """Gives the files (absolute paths, perhaps none) to the open window; False where none answers."""
    place = address(folder)
    if place is None or (sys.platform != "win32" and not os.path.lexists(place)):
        return False
    import json

    message = json.dumps({"wish": wish, "files": list(files)}).encode() + b"\n"
    if len(message) > LARGEST or len(files) > MOST_FILES:
        return False
    try:
        return _ask_pipe(place, message) if sys.platform == "win32" else _ask(place, message)
    except OSError:
        return False


def _ask(place: str, message: bytes) -> bool:
    found = os.lstat(place)
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        # Somebody else's socket, or a link that may lead to one tomorrow, would swallow the documents.
        return False
    import socket

    with socket.socket(socket.AF_UNIX) as speaker:
        until = time.monotonic() + _ANSWER_S
        speaker.settimeout(_ANSWER_S)
        speaker.connect(place)
        speaker.sendall(message)
        heard = b""
        while len(heard) < len(TAKEN):
            speaker.settimeout(max(0.001, until - time.monotonic()))
            more = speaker.recv(len(TAKEN) - len(heard))
            if not more:
                return False
            heard += more
        return heard == TAKEN


def _ask_pipe(place: str, message: bytes) -> bool:
    """A pipe has no deadline of its own: a window that hangs is left alone with the thread that asked it."""
    import threading

    answers: list[bytes] = []

    def ask() -> None:
        try:
            with open(place, "r+b", buffering=0) as pipe:  # noqa: PTH123 - a pipe's name
                pipe.write(message)
                answers.append(pipe.read(len(TAKEN)))
        except OSError:
            return

    asking = threading.Thread(target=ask, name="handover", daemon=True)
    asking.start()
    asking.join(_ANSWER_S)
    return answers == [TAKEN]
