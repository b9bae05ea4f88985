"""`signer doctor`: each check of the machine with what was found, its likely cause and the proposed fix.

Main process. Asks token, network, keyring and the whole database, spends no PIN and mends nothing; works without the
data folder's lock, beside a window. `--confirm-clock` alone writes: a person's word about the clock, in the journal.
"""

import argparse
from collections.abc import Sequence

from signer_app.cli.console import Console
from signer_app.desk.check_values import Check, CheckState, merged, told, worst
from signer_app.desk.checks import Checks
from signer_app.desk.exchange import ExchangeSnapshot
from signer_app.desk.tokens import look
from signer_app.workspace import Workspace
from signer_resources.messages import text


def doctor(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """All checks; exit 1 when one is bad, whatever it is about. Warnings alone are 0."""
    checks = Checks(space)
    if args.confirm_clock:
        checks.accept_clock()
        console.note("doctor_clock_accepted")
    tokens = look(space)
    asked = (*checks.asked(tokens), checks.database())
    found = merged(checks.standing(tokens, ExchangeSnapshot()), asked)
    if console.as_json:
        console.result({"state": worst(found).value, "checks": [_as_json(check, console) for check in found]})
    else:
        _say(found, console)
    return 1 if worst(found) is CheckState.BAD else 0


def _as_json(check: Check, console: Console) -> dict[str, object]:
    said = told(check, console.lang)
    return {
        "check": check.name.value,
        "title": _title(check, console),
        "state": check.state.value,
        "code": check.error.code if check.error is not None else None,
        "found": said.what,
        "cause": said.why,
        "fix": said.do,
    }


def _say(checks: Sequence[Check], console: Console) -> None:
    for check in checks:
        said = told(check, console.lang)
        state = text(f"ut_light_{check.state}", console.lang)
        console.say("doctor_check", state=state, title=_title(check, console))
        for key, lines in (("doctor_line", said.what), ("doctor_cause", said.why), ("doctor_fix", said.do)):
            for line in lines.splitlines():
                console.say(key, line=line)


def _title(check: Check, console: Console) -> str:
    return text(f"ut_check_{check.name}", console.lang)
