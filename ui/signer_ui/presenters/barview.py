"""The shape of the top bar's content: apart from `bar`, which makes it, so that the first paint loads no more.

Pure values; loads no Qt and nothing heavy.
"""

from dataclasses import dataclass

from signer_ui.glow import Glow


@dataclass(frozen=True)
class LightView:
    """A light: its state, its few words, and more for those who ask."""

    glow: Glow
    words: str
    tip: str = ""


@dataclass(frozen=True)
class BarView:
    """The whole bar; `unsent` is empty when nothing waits, `update` when there is no newer version."""

    body: str
    clerk: str
    token: LightView
    server: LightView
    unsent: str
    update: str = ""
