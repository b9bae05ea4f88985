"""Asks for the PIN: from the terminal with words about the token, or one line of stdin for scripts.

The PIN lives in a `Pin`, goes to the token host and nowhere else. It is asked once per batch; the program never tries
a second one by itself.
"""

import getpass
import sys

from signer_app.cli.console import Console
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.jobs import UsageError
from signer_resources.errors import KnownError
from signer_resources.messages import text
from signer_token.model import Pin, PinState

_MAX_LINE = 1024


def require_source(*, from_stdin: bool) -> None:
    """UsageError when there is neither --pin-stdin nor a terminal."""
    if not from_stdin and not sys.stdin.isatty():
        raise UsageError("usage_no_terminal")


def ask(
    console: Console, chosen: SigningCertificate, count: int, *, from_stdin: bool, final_try: bool
) -> tuple[Pin, bool]:
    """The PIN, and whether the last try was confirmed; KnownError pin_empty, pin_not_ascii, pin_final, pin_locked."""
    state = chosen.token.pin_state
    if state is PinState.LOCKED:
        raise KnownError("pin_locked")
    if from_stdin:
        pin = Pin(_line())
    else:
        console.note("pin_what", count=count, token=chosen.token.label, name=chosen.certificate.common_name)
        console.note(f"pin_state_{state}")
        if state is PinState.FINAL and not final_try:
            if input(text("pin_final_question", console.lang)).strip() != text("pin_final_yes", console.lang):
                raise KnownError("pin_final")
            final_try = True
        pin = Pin(getpass.getpass(text("pin_prompt", console.lang)))
    problem = pin.problem()
    if problem is not None:
        raise KnownError(problem)
    return pin, final_try


def _line() -> str:
    """One line of stdin without its end and nothing else; bytes that are no UTF-8 make a PIN that is refused."""
    line = sys.stdin.buffer.readline(_MAX_LINE)
    return line.rstrip(b"\r\n").decode("utf-8", errors="replace")
