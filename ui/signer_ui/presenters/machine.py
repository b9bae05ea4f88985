"""What the machine check says: a light a matter, what was found, what it means, what to do.

Pure; loads no Qt.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from signer_app.desk.check_values import Check, CheckName, CheckState, told, worst
from signer_app.desk.lights import Light, lights
from signer_app.desk.support import support_code
from signer_ui.glow import Glow
from signer_ui.words import Words


class Mend(StrEnum):
    """Where something can be done about it."""

    SETTINGS = "settings"
    TRUST = "trust"
    """The settings, at the trusted certificates."""
    NETWORK = "network"
    """The settings, at the way through the body's network."""
    BACKUP = "backup"
    """The settings, at the backups."""
    TOKENS = "tokens"
    CLOCK = "clock"
    """A person wants to say that the clock is right; is asked once more."""
    CLOCK_SURE = "clock_sure"
    """Says it."""
    LEVELS = "levels"
    """What was put off is tried now."""


@dataclass(frozen=True)
class CheckView:
    """One light with its words; `mend` is None where no button of the program helps."""

    name: CheckName
    glow: Glow
    title: str
    state: str
    found: str
    why: str
    do: str
    mend: Mend | None
    mend_words: str


@dataclass(frozen=True)
class LightView:
    """One of the eight: `checks` are what is told below it."""

    light: Light
    glow: Glow
    title: str
    state: str
    checks: tuple[CheckView, ...]


@dataclass(frozen=True)
class MachineView:
    """The whole pane; `code` is what is read over the telephone."""

    summary: str
    glow: Glow
    checks: tuple[CheckView, ...]
    lights: tuple[LightView, ...]
    code: str


_GLOWS = {
    CheckState.GOOD: Glow.GOOD,
    CheckState.WARN: Glow.WARN,
    CheckState.BAD: Glow.BAD,
    CheckState.NOT_CHECKED: Glow.OFF,
}
_IN_SETTINGS = frozenset(
    {
        "no_module",
        "module_missing",
        "module_load_failed",
        "driver_wrong_width",
        "driver_wrong_machine",
        "server_not_set",
        "not_enrolled",
        "device_revoked",
        "server_insecure",
        "server_not_ours",
        "lgsp_not_set",
        "lgsp_login_refused",
        "lgsp_unit_refused",
        "folder_not_set",
        "folder_unreachable",
        "folder_not_ours",
        "machine_tsa_away",
    }
)
_AT_NETWORK = frozenset(
    {
        "captive_portal",
        "extra_ca_unreadable",
        "proxy_address_wrong",
        "proxy_refused",
        "proxy_unreachable",
        "server_certificate_expired",
        "server_certificate_name",
        "server_certificate_unknown",
    }
)
_AT_TRUST = frozenset({"machine_roots_missing", "machine_national_root_open"})
_AT_TOKENS = frozenset(
    {
        "certificate_expired",
        "machine_certificate_ending",
        "machine_certificate_due",
        "machine_certificate_last",
        "key_missing",
        "machine_token_locked",
    }
)


def machine_view(
    checks: Sequence[Check], words: Words, *, confirming: bool = False, trying: bool = False, version: str = "0"
) -> MachineView:
    """The lights in their order, and all of them in one sentence. `confirming`: a person is about to say that the clock
    is right; `trying`: what waited for timestamps is being tried because a person wants it.
    """
    troubled = sum(check.state in (CheckState.WARN, CheckState.BAD) for check in checks)
    state = worst(checks)
    if troubled:
        summary = words("ut_machine_trouble", count=troubled)
    else:
        summary = words("ut_machine_open" if state is CheckState.NOT_CHECKED else "ut_machine_good")
    told_checks = tuple(_view(check, words, confirming, trying) for check in checks)
    views = {view.name: view for view in told_checks}
    found = lights(checks)
    eight = tuple(
        LightView(
            one.light,
            _GLOWS[one.state],
            words(f"ua_light_{one.light}"),
            words(f"ut_light_{one.state}"),
            tuple(views[check.name] for check in one.checks),
        )
        for one in found
    )
    return MachineView(summary, _GLOWS[state], told_checks, eight, support_code(version, found))


def _view(check: Check, words: Words, confirming: bool = False, trying: bool = False) -> CheckView:
    said, mend = told(check, words.lang), _mend(check)
    do = said.do
    if mend is Mend.CLOCK and confirming:
        mend, do = Mend.CLOCK_SURE, words("ut_clock_sure", **check.params)
    act = words(f"ut_mend_{mend}") if mend else ""
    return CheckView(
        check.name,
        _GLOWS[check.state],
        words(f"ut_check_{check.name}"),
        words(f"ut_light_{check.state}"),
        said.what,
        said.why,
        do,
        mend,
        words("ut_levels_trying") if trying and mend is Mend.LEVELS else act,
    )


def _mend(check: Check) -> Mend | None:
    if check.name is CheckName.LEVELS:
        return _mend_levels(check)
    if check.error is None:
        return None
    if check.name is CheckName.BACKUP:
        return Mend.BACKUP
    if check.error.code in _IN_SETTINGS:
        return Mend.SETTINGS
    if check.error.code in _AT_NETWORK:
        return Mend.NETWORK
    if check.error.code in _AT_TRUST:
        return Mend.TRUST
    if check.error.code in _AT_TOKENS:
        return Mend.TOKENS
    if check.error.code == "clock_before_last_signature":
        return Mend.CLOCK
    return None


def _mend_levels(check: Check) -> Mend | None:
    """Waiting is no fault, but a person may not want to wait; without a server there is nobody to be asked."""
    if "level_no_tsa" in {error.code for error in check.also}:
        return Mend.SETTINGS
    return Mend.LEVELS if check.params.get("waiting") else None


def report(checks: Sequence[Check], version: str, now: dt.datetime, words: Words) -> str:
    """All of it as text, to be read out or sent to whoever helps; holds no names of documents and no secrets."""
    lines = [
        words("ut_report_head", version=version, time=now.strftime("%H:%M %d/%m/%Y")),
        words("doctor_support_code", code=support_code(version, lights(checks))),
    ]
    for check in checks:
        view = _view(check, words)
        code = f" [{check.error.code}]" if check.error is not None else ""
        lines.append(f"{view.title}: {view.state}{code}")
        lines += [f"    {line}" for line in (words(check.key, **check.params), view.found, view.why) if line]
    return "\n".join(dict.fromkeys(lines))
