"""How a province's LGSP is reached, and with what: settings without secrets, and the secrets apart from them.

Plain values on any thread. The settings may lie in a file; the credentials are handed in by the caller, who has them
from a keyring, and never show in a repr, an error or a log.
"""

from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta as Rule

VIETNAM: Final = timezone(timedelta(hours=7))
"""The zone of the LGSP's days (Decree 30/2020, appendix I; there is no daylight saving)."""

RECEIVED: Final = "done"
"""What `updateStatus` is told of a packet that is durable here; some integrators send codes instead (unresolved)."""

_VISIBLE: Final = r"^[!-~]+\Z"
"""What may stand in a header: no blanks, no line ends."""


class LgspSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A province's LGSP as its administrator describes it.

    `base_url` as "https://apiltvb.example.gov.vn"; `system_id` is the code of the unit as the LGSP knows it
    (X-SystemId). `first_days`: how many days back the first list of incoming packets begins, because the LGSP has no
    beginning of its own.
    """

    base_url: Annotated[str, Rule(min_length=1)]
    application_code: Annotated[str, Rule(min_length=1, max_length=100)]
    system_id: Annotated[str, Rule(max_length=100, pattern=_VISIBLE)]
    polling_minutes: Annotated[int, Rule(ge=1, le=120)] = 5
    received_word: Annotated[str, Rule(min_length=1, max_length=40)] = RECEIVED
    first_days: Annotated[int, Rule(ge=1, le=90)] = 7


@dataclass(frozen=True)
class LgspCredentials:
    """The unit's account and its secret key. `revision` is no secret: a word that is another one whenever somebody
    types the account anew, and by which a refused login is remembered.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
    secret_key: str = field(repr=False)
    revision: str

    def __post_init__(self) -> None:
        """ValueError for a key that cannot stand in a header; the message does not hold it."""
        if not self.secret_key.isascii() or not self.secret_key.isprintable() or " " in self.secret_key:
            raise ValueError("the secret key is not plain visible ASCII")


class LoginMemory(Protocol):
    """Which credentials the server has refused. A password that was refused is never tried again by the program itself:
    a few more times, and the account is locked.
    """

    def is_refused(self, revision: str) -> bool:
        """Whether a login with these credentials was refused, and nobody has changed them since."""

    def refused(self, revision: str) -> None:
        """A login with these credentials was refused just now; durable when it returns."""

    def taken(self, revision: str) -> None:
        """A login with these credentials succeeded."""


class LoginsOfThisRun:
    """Remembers refused logins as long as the process lives."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def is_refused(self, revision: str) -> bool:
        """Whether a login with these credentials was refused."""
        return revision in self._refused

    def refused(self, revision: str) -> None:
        """A login with these credentials was refused just now."""
        self._refused.add(revision)

    def taken(self, revision: str) -> None:
        """A login with these credentials succeeded."""
        self._refused.discard(revision)
