"""Where backups go, to which key they are encrypted, and how long files of sent documents are kept.

Plain values of the settings; no secret is among them.
"""

from typing import Annotated

import msgspec


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The backup of this machine; nothing is made while `target` or `recipient` is None.

    `recipient` is the public half of the recovery code's key ("age1…"), `key` names the key in `keys/` by which this
    machine vouches for what it writes, `machine` this machine among those that have used the same code. Nothing of it
    opens a backup.
    """

    target: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """The folder on another disk, a share or a USB stick."""
    recipient: Annotated[str, msgspec.Meta(pattern="^age1[0-9a-z]{58}$")] | None = None
    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f-]{36}$")] | None = None
    machine: Annotated[str, msgspec.Meta(pattern="^[0-9a-f-]{36}$")] | None = None
    warn_after_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 3
    """So many days without a backup are a warning."""
    keep_sent_days: Annotated[int, msgspec.Meta(ge=365, le=36500)] | None = None
    """Files of a document that was sent may go so many days after the server had it; None: they stay. Off by itself:
    the signed file may be the original that the body must keep (Decree 30/2020, article 19), which only the body can
    say.
    """

    @property
    def is_set(self) -> bool:
        """Whether backups can be made."""
        return None not in (self.target, self.recipient, self.key, self.machine)
