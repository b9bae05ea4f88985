"""Asks for the PIN: from the terminal with words about the token, or one line of stdin for scripts.

The PIN lives in a `Pin`, goes to the token host and nowhere else. It is asked once per batch; the program never tries
a second one by itself.
"""

import getpass
import sys
from contextlib import suppress
from dataclasses import replace

from signer_app.cli.console import Console, ask_person
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.jobs import UsageError
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text
from signer_token.client import TokenError
from signer_token.model import Login, Pin, PinState

_MAX_LINE = 1024


def require_source(*, from_stdin: bool) -> None:
    """UsageError when there is neither --pin-stdin nor a terminal."""
    if not from_stdin and not sys.stdin.isatty():
        raise UsageError("usage_no_terminal")


def _as_it_is_now(space: Workspace, chosen: SigningCertificate) -> SigningCertificate:
    """`chosen` with the state of its PIN read anew: minutes may have gone by since it was chosen."""
    with suppress(TokenError):
        for token in space.hosts.tokens().tokens:
            # By the certificate too: two slots of one card may bear the same serial.
            held = {one.sha256 for one in token.certificates}
            same = (token.serial, token.module) == (chosen.token.serial, chosen.token.module)
            if same and chosen.certificate.sha256 in held:
                return replace(chosen, token=token)
    # What is the matter with the token is told by the login.
    return chosen


def ask(
    console: Console, space: Workspace, chosen: SigningCertificate, purpose: str, *, from_stdin: bool, final_try: bool
) -> Login:
    """What is typed for a login; KnownError pin_empty, pin_not_ascii, pin_final, pin_locked, interrupted.

    `purpose` says what the PIN is for. A key that is known to want a signature PIN gets one asked for; an empty line
    says that it is the same. From stdin it is a second line; where input ends before it there is none, and no PIN is
    taken for it that nobody gave.
    """
    asks_again = chosen.certificate.sha256 in space.settings.asking_keys
    chosen = _as_it_is_now(space, chosen)
    state = chosen.token.pin_state
    if state is PinState.LOCKED:
        raise KnownError("pin_locked")
    if asks_again and chosen.token.pin_pad:
        raise KnownError("pin_pad_asks_again")
    if from_stdin and chosen.token.pin_pad:
        return Login(None, final_try)
    if from_stdin:
        pin, second = Pin(_line() or ""), _second_line() if asks_again else None
    else:
        name = chosen.certificate.common_name
        console.note("pin_what", purpose=purpose, token=chosen.token.label, name=name)
        if state is not PinState.FINAL:
            console.note(f"pin_state_{state}")
        elif not final_try:
            agreed = ask_person(text("pin_final_question", console.lang)).strip()
            if agreed != text("pin_final_yes", console.lang):
                raise KnownError("pin_final")
            final_try = True
        if chosen.token.pin_pad:
            console.note("pin_on_reader")
            return Login(None, final_try)
        pin = _typed(text("pin_prompt", console.lang))
        second = _typed(text("signature_pin_prompt", console.lang)) if asks_again else None
    problem = pin.problem()
    if problem is not None:
        raise KnownError(problem)
    if second is None:
        return Login(pin, final_try)
    if second.problem() == "pin_empty":
        return Login(pin, final_try, pin)
    if second.problem():
        raise KnownError("pin_not_ascii")
    return Login(pin, final_try, second)


def _typed(prompt: str) -> Pin:
    try:
        return Pin(getpass.getpass(prompt, sys.stderr))
    except EOFError as error:
        raise KnownError("interrupted") from error


def _second_line() -> Pin | None:
    line = _line()
    return Pin(line) if line is not None else None


def _line() -> str | None:
    """One line of stdin without its end and nothing else, None at the end of input; bytes that are no UTF-8 make a PIN
    that is refused.
    """
    line = sys.stdin.buffer.readline(_MAX_LINE)
    return line.rstrip(b"\r\n").decode("utf-8", errors="replace") if line else None
