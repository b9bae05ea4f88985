"""What the PIN dialogue says: for what, with which token, how near the token is to locking itself.

Pure values in and out, any thread; loads no Qt. No PIN ever comes here but wrapped, in the answer.
"""

from dataclasses import dataclass
from enum import StrEnum

from signer_resources.errors import KnownError
from signer_token.model import Pin, PinState
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


@dataclass(frozen=True)
class PinRequest:
    """What the person is asked. `state` was read from the token right before.

    `labels`: number and notation of what is signed, in order; `notes`: more to know before signing, ready to be read.
    """

    purpose: Purpose
    token: str
    state: PinState
    count: int = 0
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PinAnswer:
    """What the person gave; the PIN shows itself as *** in every repr."""

    pin: Pin
    final_try: bool
    """The person has confirmed that the last try is to be spent."""


@dataclass(frozen=True)
class PinView:
    """The dialogue as it begins. `takes_pin`: without it there is no field; `asks_first`: the last try is confirmed
    in a step of its own.
    """

    heading: str
    documents: str
    state: str
    glow: Glow
    notes: tuple[str, ...]
    accept: str
    takes_pin: bool
    asks_first: bool


def pin_view(request: PinRequest, words: Words) -> PinView:
    """The dialogue for a request."""
    state = request.state
    return PinView(
        heading=words(f"us_pin_{request.purpose}", token=request.token, count=count_text(request.count, words)),
        documents=_documents(request, words),
        state=_state(state, words),
        glow=_GLOWS[state],
        notes=request.notes,
        accept=words(f"us_accept_{request.purpose}"),
        takes_pin=state is not PinState.LOCKED,
        asks_first=state is PinState.FINAL,
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


def _state(state: PinState, words: Words) -> str:
    if state is PinState.LOCKED:
        told = words.explain(KnownError("pin_locked"))
        return f"{words('pin_state_locked')} {told.do}"
    return words(f"pin_state_{state}")


_GLOWS = {
    PinState.OK: Glow.GOOD,
    PinState.LOW: Glow.WARN,
    PinState.FINAL: Glow.BAD,
    PinState.LOCKED: Glow.BAD,
    PinState.UNKNOWN: Glow.OFF,
}
