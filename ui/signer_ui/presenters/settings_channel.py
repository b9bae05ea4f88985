"""The way on which this program exchanges for a body, as a form: document server, the province's LGSP, a folder.

Plain values, no screen, no disk. The account at the LGSP is typed and never shown again, and goes elsewhere than into
the settings.
"""

from dataclasses import dataclass, replace

import msgspec

from signer_app.desk.networking import NO_ACCOUNT, Account
from signer_app.desk.setup import server_address_is_safe
from signer_app.store.settings import Body, ChannelKind
from signer_sync.lgsp_settings import LgspSettings
from signer_ui.presenters.settings import one_line

DEFAULT_POLLING = 5
"""Minutes."""
MOST_POLLING = 120
CHANNELS = (
    (ChannelKind.SYNC, "un_channel_sync"),
    (ChannelKind.LGSP, "un_channel_lgsp"),
    (ChannelKind.FOLDER, "un_channel_folder"),
)
"""Each channel with its words."""


@dataclass(frozen=True)
class ChannelForm:
    """As typed; what belongs to another channel than `kind` stays as it was. An empty `account`: the kept one stays."""

    kind: ChannelKind = ChannelKind.SYNC
    url: str = ""
    application: str = ""
    system: str = ""
    polling: int = DEFAULT_POLLING
    account: Account = NO_ACCOUNT
    folder: str = ""
    base: LgspSettings | None = None

    @classmethod
    def of(cls, body: Body) -> "ChannelForm":
        """A body's channel as it is set; nothing secret."""
        lgsp = body.lgsp
        form = cls(body.channel, folder=body.exchange_folder or "")
        if lgsp is None:
            return form
        return replace(
            form,
            url=lgsp.base_url,
            application=lgsp.application_code,
            system=lgsp.system_id,
            polling=lgsp.polling_minutes,
            base=lgsp,
        )

    def lgsp_problem(self) -> str | None:
        """What is wrong with the LGSP's address and codes."""
        if self.kind is not ChannelKind.LGSP:
            return None
        if not server_address_is_safe(self.url.strip()):
            return "ue_wrong_server_address"
        try:
            # Values are only checked where they are read.
            msgspec.convert(msgspec.to_builtins(self._lgsp()), LgspSettings)
        except msgspec.ValidationError:
            return "un_lgsp_wrong"
        return None

    def account_problem(self) -> str | None:
        """What is wrong with the account, where one was typed."""
        if self.kind is not ChannelKind.LGSP or self.account.is_empty or self.account.is_whole:
            return None
        return "un_account_wrong"

    def set_on(self, body: Body) -> Body:
        """The body with this channel; a channel that isn't used keeps what was set for it."""
        lgsp = self._lgsp() if self.kind is ChannelKind.LGSP else body.lgsp
        folder = self.folder.strip() or None if self.kind is ChannelKind.FOLDER else body.exchange_folder
        return msgspec.structs.replace(body, channel=self.kind, lgsp=lgsp, exchange_folder=folder)

    def _lgsp(self) -> LgspSettings:
        base = self.base or LgspSettings(base_url="-", application_code="-", system_id="-")
        return msgspec.structs.replace(
            base,
            base_url=self.url.strip(),
            application_code=one_line(self.application),
            system_id=self.system.strip(),
            polling_minutes=self.polling,
        )


NO_CHANNEL = ChannelForm()
"""A new body's: the document server."""
