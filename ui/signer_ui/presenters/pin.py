"""What the PIN dialogue says: for what, with which token, how near the token is to locking itself.

Pure values in and out, any thread; loads no Qt. No PIN ever comes here.
"""

from dataclasses import dataclass
from enum import StrEnum

from signer_resources.errors import KnownError
from signer_token.model import PinState
from signer_ui.glow import Glow
from signer_ui.words import Words

_LABELS_SHOWN = 4


class Purpose(StrEnum):
    """What the PIN is wanted for."""

    SIGN = "sign"
    TRY = "try"
    """A test signature, of which nothing is kept."""
    ENROL = "enrol"
    """Making this machine known to the document server."""
    HAND_OVER = "hand_over"
    """Signing the minute of a hand-over."""


@dataclass(frozen=True)
class PinRequest:
    """What the person is asked. `state` was read from the token right before.

    `labels`: number and notation of what is signed, in order; `notes`: more to know before signing, ready to be read.
    `asks_again`: the key wants a signature PIN too; `pin_pad`: the PIN is typed on the reader's own keys.
    """

    purpose: Purpose
    token: str
    state: PinState
    count: int = 0
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    asks_again: bool = False
    pin_pad: bool = False


@dataclass(frozen=True)
class PinView:
    """The dialogue as it begins. `takes_pin`: without it nothing can be given; `asks_first`: the last try is confirmed
    in a step of its own; `typed_here`: there is a field; `second`: there is one for the signature PIN.
    """

    heading: str
    documents: str
    state: str
    glow: Glow
    notes: tuple[str, ...]
    accept: str
    takes_pin: bool
    asks_first: bool
    typed_here: bool
    second: bool


def pin_view(request: PinRequest, words: Words) -> PinView:
    """The dialogue for a request."""
    state = request.state
    return PinView(
        heading=words(f"us_pin_{request.purpose}", token=request.token, count=count_text(request.count, words)),
        documents=_documents(request, words),
        state=state_words(state, words),
        glow=state_glow(state),
        notes=request.notes,
        accept=words(f"us_accept_{request.purpose}"),
        takes_pin=state is not PinState.LOCKED,
        asks_first=state is PinState.FINAL,
        typed_here=not request.pin_pad,
        second=request.asks_again and not request.pin_pad,
    )


def count_text(count: int, words: Words) -> str:
    """A count as people write it: 1.200 in Vietnamese, 1,200 in English."""
    grouped = f"{count:,}"
    return grouped.replace(",", ".") if words.lang == "vi" else grouped


def problem_text(code: str, words: Words) -> str:
    """What is wrong with what was typed, and what to do, in one line."""
    told = words.explain(KnownError(code))
    return f"{told.what} {told.do}"


def _documents(request: PinRequest, words: Words) -> str:
    shown = ", ".join(request.labels[:_LABELS_SHOWN])
    more = request.count - min(len(request.labels), _LABELS_SHOWN)
    return words("us_pin_more", labels=shown, more=count_text(more, words)) if shown and more > 0 else shown


def state_words(state: PinState, words: Words) -> str:
    """How near the token is to locking itself."""
    if state is PinState.LOCKED:
        told = words.explain(KnownError("pin_locked"))
        return f"{words('pin_state_locked')} {told.do}"
    return words(f"pin_state_{state}")


def state_glow(state: PinState) -> Glow:
    """The same as a light."""
    return _GLOWS[state]


_GLOWS = {
    PinState.OK: Glow.GOOD,
    PinState.LOW: Glow.WARN,
    PinState.FINAL: Glow.BAD,
    PinState.LOCKED: Glow.BAD,
    PinState.UNKNOWN: Glow.OFF,
}
