"""What changing a token's PIN says, and what can be wrong with a new one before the token is asked.

Pure values in and out, any thread; loads no Qt.
"""

from dataclasses import dataclass

from signer_token.model import Pin, PinState, Token
from signer_ui.glow import Glow
from signer_ui.presenters.pin import state_glow, state_words
from signer_ui.words import Words

GOOD_LENGTH = 8
"""Characters that the issuer's guide asks for, whatever less a token would take."""


@dataclass(frozen=True)
class ChangeView:
    """The dialogue as it begins; `asks_first`: the last try for the old PIN is confirmed in a step of its own."""

    heading: str
    state: str
    glow: Glow
    rules: str
    takes_pin: bool
    asks_first: bool


def change_view(token: Token, words: Words) -> ChangeView:
    """The dialogue for a token."""
    least, state = _least(token), token.pin_state
    rules = words("us_change_rules", least=least)
    if token.pin_most and token.pin_most < 255:
        rules = words("us_change_rules_most", least=least, most=token.pin_most)
    return ChangeView(
        heading=words("us_change_heading", token=token.label.strip() or token.serial),
        state=state_words(state, words),
        glow=state_glow(state),
        rules=rules,
        takes_pin=state is not PinState.LOCKED and not token.pin_pad,
        asks_first=state is PinState.FINAL,
    )


def wrong_with(token: Token, old: Pin, new: Pin, again: Pin) -> str | None:
    """Key or error code of what is wrong, before a try is spent on it; None when the token may be asked."""
    for pin in (old, new):
        if problem := pin.problem():
            return problem
    if not new.same_as(again):
        return "us_change_differs"
    if new.same_as(old):
        return "us_change_same"
    if new.length < _least(token):
        return "us_change_short"
    return "us_change_long" if token.pin_most and new.length > token.pin_most else None


def _least(token: Token) -> int:
    return max(GOOD_LENGTH, token.pin_least) if not token.pin_most or token.pin_most >= GOOD_LENGTH else token.pin_most
