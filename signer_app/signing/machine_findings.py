"""What the machine itself says against a signature, before any PIN: clock, certificate, rules, room, names and folders.

Main process; opens no PDF and keeps nothing. What goes for every document (clock, certificate, rules, room) is found
once, what goes for one file (its output) for each. These are findings like those of the preflight, and stand beside
them.
"""

import datetime as dt
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from signer_app.pdf.model import Finding, Severity
from signer_app.signing.certificates import SigningCertificate, require_fit
from signer_app.signing.clock import require_clock
from signer_app.signing.free_space import space_findings
from signer_app.signing.jobs import DocumentJob
from signer_app.store.durable import LONGEST_PLAIN_WINDOWS_PATH, is_full, reachable
from signer_app.store.times import VIETNAM, vietnamese_date
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?:\.|$)", re.IGNORECASE)
"""Names of devices, whatever follows them behind a dot (Win32, "Naming Files, Paths, and Namespaces")."""
_LONGEST_NAME = 255
"""UTF-16 units on Windows, bytes elsewhere."""
_LONGEST_WINDOWS_PATH = 32_766
"""UTF-16 units of an extended path, less the closing zero."""
_LONGEST_PATH = 4_095
"""Bytes of a path elsewhere (PATH_MAX less the closing zero, limits.h of Linux)."""


def machine_findings(
    space: Workspace, chosen: SigningCertificate | None, jobs: Sequence[DocumentJob]
) -> dict[int, tuple[Finding, ...]]:
    """What speaks against each file, by its place among all files of `jobs` in order.

    `chosen` is None where no certificate is known yet; then nothing is said of one.
    """
    for_all = (*of_machine(space, chosen), *space_findings(space, jobs))
    files = [file for job in jobs for file in job.files]
    return {place: (*for_all, *of_output(Path(file.output))) for place, file in enumerate(files)}


def of_machine(space: Workspace, chosen: SigningCertificate | None) -> tuple[Finding, ...]:
    """What goes for every document that is signed now with this certificate."""
    now = space.now()
    return (*_rules(now), *_clock(space, now), *(_certificate(chosen, now) if chosen is not None else ()))


def of_output(output: Path, *, windows: bool = os.name == "nt") -> tuple[Finding, ...]:
    """What is wrong with the place where the signed copy goes; names that Windows doesn't take matter elsewhere too,
    because receivers have it.
    """
    named = _name(output, windows=windows)
    if any(finding.severity is Severity.REFUSED for finding in named):
        return named
    try:
        require_writable(output)
    except KnownError as error:
        return (*named, _refused(error))
    return named


def require_writable(output: Path) -> None:
    """Before any PIN: the output must not exist and its folder must take a file; KnownError says which fails."""
    if os.path.lexists(reachable(output)):
        raise KnownError("output_exists", file=str(output))
    folder = reachable(output.parent)
    try:
        while not folder.exists():
            folder = folder.parent
        # Without a name, where the system can: a power cut must leave nothing in the clerk's folder.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if is_full(error):
            raise KnownError("disk_full", folder=str(folder)) from error
        raise KnownError("output_unwritable", folder=os.fspath(output.parent)) from error


def _name(output: Path, *, windows: bool) -> tuple[Finding, ...]:
    name = output.name
    units = len(name.encode("utf-16-le")) // 2 if windows else len(os.fsencode(name))
    if units > _LONGEST_NAME:
        return (_too_long(units, _LONGEST_NAME),)
    path = len(str(output.absolute()).encode("utf-16-le")) // 2 if windows else len(os.fsencode(output.absolute()))
    longest = _LONGEST_WINDOWS_PATH if windows else _LONGEST_PATH
    if path > longest:
        return (_too_long(path, longest),)
    found: list[Finding] = []
    if windows and path > LONGEST_PLAIN_WINDOWS_PATH:
        params = {"length": str(path), "most": str(LONGEST_PLAIN_WINDOWS_PATH)}
        found.append(Finding("output_path_long", Severity.WARNING, params))
    unfit = _unfit_for_windows(name)
    if unfit is not None:
        severity = Severity.REFUSED if windows else Severity.WARNING
        found.append(Finding("output_name_unfit", severity, {"name": name, "reason": unfit}))
    return tuple(found)


def _unfit_for_windows(name: str) -> str | None:
    """The part of a name that Windows doesn't take."""
    reserved, forbidden = _RESERVED.match(name), _FORBIDDEN.search(name)
    if reserved:
        return reserved[0].rstrip(".")
    if forbidden:
        return forbidden[0] if forbidden[0].isprintable() else f"U+{ord(forbidden[0]):04X}"
    return f"…{name[-1]!r}" if name.endswith((".", " ")) else None


def _too_long(length: int, most: int) -> Finding:
    return Finding("output_name_long", Severity.REFUSED, {"length": str(length), "most": str(most)})


def _rules(now: dt.datetime) -> tuple[Finding, ...]:
    try:
        rules.load(now.astimezone(VIETNAM).date())
    except rules.NoRuleProfileError as error:
        return (_refused(error),)
    return ()


def _clock(space: Workspace, now: dt.datetime) -> tuple[Finding, ...]:
    """A clock that others call wrong is a warning; one that runs behind the last signature stops the login."""
    found: list[Finding] = []
    wrong = space.clock.warning(now)
    if wrong is not None:
        found.append(Finding(wrong.code, Severity.WARNING, _params(wrong)))
    try:
        with space.reader.view() as view:
            require_clock(view, now)
    except KnownError as error:
        if error.code != "clock_before_last_signature":
            raise
        # A clock that is proved right is accepted at the login.
        if not space.clock.proves(now):
            found.append(_refused(error))
    return tuple(found)


def _certificate(chosen: SigningCertificate, now: dt.datetime) -> tuple[Finding, ...]:
    """Unfit, or in the last days of its life."""
    try:
        require_fit(chosen, now)
    except KnownError as error:
        return (_refused(error),)
    until = chosen.certificate.not_after
    days = (until - now).days
    if days > _last_days(now):
        return ()
    params = {"days": str(days), "date": vietnamese_date(until)}
    return (Finding("certificate_expires_soon", Severity.WARNING, params),)


def _last_days(now: dt.datetime) -> int:
    """The last warning before a certificate's end; the earlier ones stand at the token, not at each document."""
    try:
        return rules.load(now.astimezone(VIETNAM).date()).numbers("certificate.expiry_warnings")[2]
    except rules.NoRuleProfileError:
        return 0


def _refused(error: KnownError) -> Finding:
    return Finding(error.code, Severity.REFUSED, _params(error))


def _params(error: KnownError) -> dict[str, str]:
    return {key: str(value) for key, value in error.params.items()}
