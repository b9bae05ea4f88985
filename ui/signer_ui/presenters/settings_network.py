"""The way through the body's network as a form: proxy, its login, the body's own root certificate; how trials come out.

Plain values, no screen. Whether a file can be read is asked by who is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.desk.networking import NO_SECRET, Kept, Secret, Tried, proxy_address_is_right
from signer_app.store.settings import NetworkSettings, ProxyChoice, Settings
from signer_ui.glow import Glow
from signer_ui.presenters.sending import explained
from signer_ui.presenters.settings import Change, Field, Problem
from signer_ui.words import Words

_KEPT = {Kept.KEYRING: "un_kept_keyring", Kept.MEMORY: "un_kept_memory", None: "un_kept_none"}


@dataclass(frozen=True)
class NetworkForm:
    """As typed; `password` is empty where the kept one stays. Without a user the proxy is asked without a login."""

    proxy: ProxyChoice = ProxyChoice.SYSTEM
    url: str = ""
    no_proxy: str = ""
    user: str = ""
    password: Secret = NO_SECRET
    extra_ca: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "NetworkForm":
        """As it is set; what is secret is not shown."""
        network = settings.network
        return cls(
            network.proxy, network.proxy_url, network.no_proxy, network.proxy_user, NO_SECRET, network.extra_ca or ""
        )

    @property
    def uses_login(self) -> bool:
        """Whether a password is of any use."""
        return self.proxy is not ProxyChoice.NONE and bool(self.user.strip())

    def problems(self, has_certificates: Callable[[Path], bool]) -> tuple[Problem, ...]:
        """What is wrong with it."""
        found = []
        if self.proxy is ProxyChoice.MANUAL and not proxy_address_is_right(self.url):
            found.append(Problem(Field.PROXY_URL, "un_proxy_wrong"))
        if self.extra_ca.strip() and not has_certificates(Path(self.extra_ca.strip())):
            found.append(Problem(Field.EXTRA_CA, "un_ca_wrong"))
        return tuple(found)

    def change(self) -> Change:
        """All of it but the password, which is kept elsewhere."""
        network = NetworkSettings(
            proxy=self.proxy,
            proxy_url=self.url.strip(),
            proxy_user=self.user.strip(),
            no_proxy=self.no_proxy.strip(),
            extra_ca=self.extra_ca.strip() or None,
        )
        return lambda settings: msgspec.structs.replace(settings, network=network)


def kept_words(kept: Kept | None, words: Words) -> tuple[str, Glow]:
    """Where a secret is, and whether that is to be heard: what is only remembered must be typed again."""
    return words(_KEPT[kept]), Glow.WARN if kept is Kept.MEMORY else Glow.OFF


@dataclass(frozen=True)
class TrialLine:
    """How one way came out."""

    text: str
    glow: Glow


def trial_lines(tried: Sequence[Tried], words: Words) -> tuple[TrialLine, ...]:
    """How the trial came out, in the words of what is wrong."""
    return tuple(_line(one, words) for one in tried) or (TrialLine(words("un_try_none"), Glow.WARN),)


def _line(tried: Tried, words: Words) -> TrialLine:
    wrong = tried.error or tried.clock
    if wrong is not None:
        told, glow = str(explained(wrong, words)), Glow.BAD
    elif tried.enrolled:
        told, glow = words("un_try_good"), Glow.GOOD
    else:
        told, glow = words("un_try_stranger"), Glow.WARN
    return TrialLine(words("un_try_line", name=tried.name or words("un_try_server"), told=told), glow)
