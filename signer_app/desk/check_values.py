"""What a check of the machine says, as plain values: for the window, the command line and a report alike.

Immutable, any thread; looks at nothing itself. Words come from the catalogue.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from signer_resources.errors import KnownError
from signer_resources.messages import Explanation, Lang, text


class CheckName(StrEnum):
    """What is looked at."""

    DRIVER = "driver"
    TOKEN = "token"  # noqa: S105 - a check's name
    CERTIFICATE = "certificate"
    ANCHORS = "anchors"
    CLOCK = "clock"
    ZONE = "zone"
    SERVER = "server"
    NETWORK = "network"
    KEYRING = "keyring"
    TIMESTAMP = "timestamp"
    LEVELS = "levels"
    DISK = "disk"
    FOLDER = "folder"
    DATABASE = "database"
    BACKUP = "backup"
    FONTS = "fonts"
    MACHINE = "machine"


class CheckState(StrEnum):
    """How it stands."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Check:
    """One light. `key` and `params` are a text of the catalogue that says what was found; `error` what is amiss, `also`
    what else is of the same kind.
    """

    name: CheckName
    state: CheckState
    key: str
    params: Mapping[str, object] = field(default_factory=dict)
    error: KnownError | None = None
    also: tuple[KnownError, ...] = ()
    wanted: bool = True
    """False: nothing of the kind is set up here, so that nothing is left unchecked."""


_BADNESS = (CheckState.GOOD, CheckState.NOT_CHECKED, CheckState.WARN, CheckState.BAD)


def worst(checks: Sequence[Check]) -> CheckState:
    """How the machine stands as a whole; what isn't set up here at all doesn't count."""
    return worst_state(check.state for check in checks if check.wanted)


def worst_state(states: Iterable[CheckState]) -> CheckState:
    """The worst of several; of none, nothing was checked."""
    return max(states, key=_BADNESS.index, default=CheckState.NOT_CHECKED)


def worst_of(checks: Sequence[Check]) -> Check:
    """The check that is worst off, the first of several; ValueError without any."""
    return max(checks, key=lambda check: _BADNESS.index(check.state))


def merged(checks: Sequence[Check], newer: Sequence[Check]) -> tuple[Check, ...]:
    """`checks` in their order, with what `newer` says in place of what was known."""
    by_name = {check.name: check for check in newer}
    return tuple(by_name.get(check.name, check) for check in checks)


def told(check: Check, lang: Lang) -> Explanation:
    """What was found, its likely cause, the proposed fix; cause and fix are empty where nothing is amiss."""
    if check.error is None:
        return Explanation(text(check.key, lang, **check.params), "", "")
    all_told = [error.explain(lang) for error in (check.error, *check.also)]
    return Explanation(
        _once(one.what for one in all_told), _once(one.why for one in all_told), _once(one.do for one in all_told)
    )


def _once(lines: Iterable[str]) -> str:
    """Line under line; what several have in common, such as what to do, stands there once."""
    return "\n".join(line for line in dict.fromkeys(lines) if line)
