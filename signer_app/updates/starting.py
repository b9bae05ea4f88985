"""Starts a package after the program has ended: how this copy was installed, and what puts another in its place.

Main process. Nothing here replaces a file: on Linux a shell waits for our end at a pipe that closes with us, and then
asks for the administrator's password (pkexec); on Windows the set-up itself waits for our process and refuses while
another one of ours runs. Never started while anybody is logged in at a token.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MARK = "installed-as"
"""The file that the set-up for Windows leaves beside the program: "user" or "machine"."""
_DEBIAN = Path("/usr/lib/signer")
_WAITING = 'cat >/dev/null; "$@"; [ -z "$SIGNER_AGAIN" ] || exec "$SIGNER_AGAIN"'


class InstallKind(StrEnum):
    """How this copy came onto the machine, and so what can replace it."""

    DEBIAN = "debian"
    WINDOWS_USER = "windows_user"
    WINDOWS_MACHINE = "windows_machine"
    OTHER = "other"
    """A checkout or a folder that was copied: replaced by whoever put it there."""


def how_installed(executable: Path, *, frozen: bool) -> InstallKind:
    """How the copy with this executable was installed."""
    if not frozen:
        return InstallKind.OTHER
    folder = executable.resolve().parent
    try:
        told = (folder / MARK).read_text(encoding="utf-8")[:20].strip()
    except (OSError, UnicodeDecodeError):
        told = ""
    if told in ("user", "machine"):
        return InstallKind.WINDOWS_USER if told == "user" else InstallKind.WINDOWS_MACHINE
    return InstallKind.DEBIAN if folder == _DEBIAN else InstallKind.OTHER


def this_install() -> InstallKind:
    """How we were installed."""
    return how_installed(Path(sys.executable), frozen=bool(getattr(sys, "frozen", False)))


@dataclass(frozen=True)
class Launch:
    """What puts a package in place. `argv` None: nothing here may; a person types `typed` in a terminal."""

    argv: tuple[str, ...] | None
    typed: str = ""
    elevated: bool = False
    """Windows: to be started with an administrator's consent."""


def launch(
    kind: InstallKind, package: Path, *, back: bool, pid: int, again: bool, environment: Mapping[str, str]
) -> Launch:
    """What puts `package` in place of a copy installed as `kind`.

    `back`: it is older than what is there. `pid`: the process whose end is waited for. `again`: the window is opened
    afterwards, as the set-up for one user does.
    """
    if kind is InstallKind.DEBIAN:
        install = ["apt-get", "install", "--yes", *(["--allow-downgrades"] if back else []), str(package)]
        pkexec = shutil.which("pkexec", path="/usr/bin:/bin")
        # Without a desktop there is nobody that could show the question.
        if pkexec is not None and (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
            return Launch((pkexec, f"/usr/bin/{install[0]}", *install[1:]))
        return Launch(None, shlex.join(["sudo", *install]))
    if kind is InstallKind.OTHER:
        return Launch(None, str(package))
    machine = kind is InstallKind.WINDOWS_MACHINE
    options = ["/S", "/AllUsers" if machine else "/CurrentUser", f"/WAITPID={pid}"]
    if back:
        options.append("/DOWNGRADE")
    if again and not machine:  # a set-up with an administrator's rights must not open a clerk's window with them
        options.append("/RELAUNCH")
    return Launch((str(package), *options), elevated=machine)


@dataclass(frozen=True)
class Waiting:
    """An installer that waits for our end. Its pipe closes with our process, or when it is given up."""

    process: "subprocess.Popen[bytes] | None" = None
    pipe: int = field(default=-1, repr=False)


def start(chosen: Launch, *, again: str = "") -> Waiting:
    """Starts what was chosen, so that it begins when this process is gone; OSError where it can't be started.

    `again`: on Linux the program that is opened afterwards.
    """
    assert chosen.argv is not None, "what a person types is told, not started"
    if sys.platform == "win32":
        if chosen.elevated:
            os.startfile(chosen.argv[0], "runas", subprocess.list2cmdline(chosen.argv[1:]))  # noqa: S606 - the only way to ask for consent
            return Waiting()
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return Waiting(subprocess.Popen(chosen.argv, creationflags=flags, close_fds=True))
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _WAITING, "sh", *chosen.argv],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "SIGNER_AGAIN": again},
        )
    except OSError:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    # Not inheritable, so no child of ours holds it; an object that owned it might be collected, and close it too early.
    return Waiting(process, writing)


def others_running(executable: Path, own: int, proc: Path = Path("/proc")) -> bool:
    """Whether another window of this installed copy is open, of whatever user; on Windows the set-up looks itself.

    Children are started as the command line's executable and end with their window (`workers.own_command`).
    """
    folder = executable.resolve().parent
    names = {str(folder / "signer-gui").encode(), b"signer-gui", b"/usr/bin/signer-gui"}
    try:
        ids = [int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal()]
    except OSError:
        return False
    for pid in ids:
        try:
            words = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
            if pid != own and words[0] in names:
                return True
        except OSError:
            continue
    return False
