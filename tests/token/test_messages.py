import re
import string
from pathlib import Path

import signer_token
from signer_resources.messages import catalogue, text
from signer_token.model import PinState

ROOM = Path(str(signer_token.__file__)).parent
RAISED = re.compile(r'(?:TokenError|Refusal)\(\s*"(\w+)"|return "(pin_\w+)"')


def codes() -> set[str]:
    found = (RAISED.findall(file.read_text(encoding="utf-8")) for file in ROOM.glob("*.py"))
    return {first or second for matches in found for first, second in matches}


def test_every_error_of_the_token_layer_ends_a_command_with_3_and_has_its_words() -> None:
    assert len(codes()) > 18
    for code in codes():
        entry = catalogue().errors[code]
        assert entry.exit == 3, code
        for words in entry.texts.values():
            gaps = {name for _, name, _, _ in string.Formatter().parse(str(words)) if name}
            given = {"module_load_failed": {"reason"}, "driver_exposed": {"place"}}
            assert gaps <= {"module", "ckr", *given.get(code, ())}, code


def test_every_pin_state_has_its_words() -> None:
    assert len({text(f"pin_state_{state}", "vi") for state in PinState}) == len(PinState)
