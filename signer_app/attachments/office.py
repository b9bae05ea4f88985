"""LibreOffice, where it is installed: finds it, and has it make a PDF of a file that came from anybody.

Main process, on the thread of the caller. It runs in a group of its own with a throw-away profile, without macros, with
little memory and for a limited time, and is ended as a group; what it made is looked at like any other PDF. On Linux it
gets no network where the system allows that; everywhere its settings forbid what is linked from outside.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from signer_app.attachments.kinds import kind_of, suffix_of
from signer_resources.errors import KnownError

DEADLINE_S: Final = 120.0
_MEMORY_KB: Final = 4 << 20
_LARGEST_PDF: Final = 512 << 20
_PROGRAMS: Final = ("soffice", "libreoffice")
_USUAL: Final = (
    "/usr/lib/libreoffice/program/soffice",
    "/usr/lib64/libreoffice/program/soffice",
    "/usr/local/bin/soffice",
    "/snap/bin/libreoffice",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    "C:/Program Files/LibreOffice/program/soffice.exe",
    "C:/Program Files (x86)/LibreOffice/program/soffice.exe",
)
_PROFILE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyPort" oor:op="fuse"><value>9</value></prop></item>
</oor:items>
"""  # noqa: E501 - LibreOffice's own form
"""No macro, no script, nothing from outside; a proxy at which nobody answers (port 9, discard)."""


class Office:
    """An installed LibreOffice."""

    def __init__(self, program: Path, deadline_s: float = DEADLINE_S) -> None:
        self.program = program
        self._deadline_s = deadline_s

    def to_pdf(self, source: Path, name: str, work: Path) -> Path:
        """A PDF of the file at `source`, called `name`, within the empty folder `work`.

        KnownError "office_kind", "office_failed", "office_timeout"; OSError for what the disk refuses.
        """
        if not converts(name):
            raise KnownError("office_kind", name=name)
        profile, made = work / "profile", work / "made"
        (profile / "user").mkdir(parents=True, mode=0o700)
        made.mkdir(mode=0o700)
        (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
        # The name that people gave it stays outside; its ending is one of ours.
        input_file = work / f"source.{suffix_of(name)}"
        shutil.copyfile(source, input_file)
        command = [
            str(self.program),
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless", "--norestore", "--nologo", "--nodefault", "--nofirststartwizard", "--nolockcheck",
            "--convert-to", "pdf", "--outdir", str(made), str(input_file),
        ]  # fmt: skip
        self._run(command, name, work)
        result = made / "source.pdf"
        if result.is_symlink() or not result.is_file() or not 0 < result.stat().st_size <= _LARGEST_PDF:
            raise KnownError("office_failed", name=name)
        return result

    def _run(self, command: Sequence[str], name: str, work: Path) -> None:
        """Runs it to its end or to the deadline; nothing of its group is left then."""
        process = subprocess.Popen(
            _limited(command),
            cwd=work,
            env=_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(self._deadline_s)
        except subprocess.TimeoutExpired:
            raise KnownError("office_timeout", name=name, seconds=f"{self._deadline_s:g}") from None
        finally:
            _end_group(process)


def find_office(usual: Sequence[str] = _USUAL) -> Office | None:
    """LibreOffice by the system's PATH or where it usually is; None where it isn't installed."""
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return Office(Path(found))
    return next((Office(Path(path)) for path in usual if Path(path).is_file()), None)


def converts(name: str) -> bool:
    """Whether LibreOffice makes pages of files of this kind."""
    try:
        return kind_of(name).converts
    except KnownError:
        return False


def _limited(command: Sequence[str]) -> list[str]:
    """The command with little memory and, where that can be had, without network."""
    if os.name != "posix":
        return list(command)
    # The limit is set before anything of it runs, and goes over to all that it starts.
    limited = ["/bin/sh", "-c", f'ulimit -v {_MEMORY_KB} 2>/dev/null; exec "$@"', "sh", *command]
    return [*_without_network(), *limited]


@lru_cache(maxsize=1)
def _without_network() -> tuple[str, ...]:
    """What to put before a command so that it sees no network: a namespace of its own, where users may have one."""
    program = shutil.which("unshare") if sys.platform == "linux" else None
    if program is None:
        return ()
    prefix = (program, "--map-current-user", "--net", "--")
    with suppress(OSError, subprocess.SubprocessError):
        if subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=False).returncode == 0:
            return prefix
    return ()


def _environment(work: Path) -> Mapping[str, str]:
    """What it needs of the environment; home and temporary files are within `work`."""
    kept = {"PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "PROGRAMFILES"}
    own = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "USERPROFILE"), str(work))
    return {key: value for key, value in os.environ.items() if key.upper() in kept} | own


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Ends the process and all that it has started."""
    if os.name == "posix":
        # On macOS a group of which only the dead are left may not be signalled.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        killer = Path(os.environ.get("SYSTEMROOT", "C:/Windows")) / "System32" / "taskkill.exe"
        subprocess.run([str(killer), "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    process.wait()
