"""The exercise of the training mode: six steps, what each says, and what its button does.

Pure values, any thread; loads no Qt.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from signer_ui.words import Words


class Deed(Enum):
    """What the button of a step does."""

    OPEN_LETTERS = "open_letters"
    GO_OUTGOING = "go_outgoing"
    GO_INCOMING = "go_incoming"


class Step(StrEnum):
    """The steps, in their order."""

    OPEN = "open"
    NUMBER = "number"
    LOOK = "look"
    WRONG_PIN = "wrong_pin"
    SIGN = "sign"
    CHECK = "check"


_DEEDS = {
    Step.OPEN: Deed.OPEN_LETTERS,
    Step.NUMBER: Deed.GO_OUTGOING,
    Step.LOOK: Deed.GO_OUTGOING,
    Step.WRONG_PIN: Deed.GO_OUTGOING,
    Step.SIGN: Deed.GO_OUTGOING,
    Step.CHECK: Deed.GO_INCOMING,
}
_ACTIONS = {
    Deed.OPEN_LETTERS: "tr_open_letters",
    Deed.GO_OUTGOING: "tr_go_outgoing",
    Deed.GO_INCOMING: "tr_go_incoming",
}


@dataclass(frozen=True)
class StepView:
    """A step as it is shown: `heading` with its place among all, what to do, the words of its button."""

    heading: str
    told: str
    action: str
    deed: Deed
    first: bool
    last: bool


def step_view(number: int, pin: str, words: Words) -> StepView:
    """Step `number` (from 0) of the exercise."""
    steps = tuple(Step)
    step = steps[number]
    return StepView(
        heading=words("tr_step", number=number + 1, count=len(steps), title=words(f"tr_step_{step}")),
        told=words(f"tr_told_{step}", pin=pin),
        action=words(_ACTIONS[_DEEDS[step]]),
        deed=_DEEDS[step],
        first=number == 0,
        last=number == len(steps) - 1,
    )


COUNT = len(Step)
"""How many steps there are."""
