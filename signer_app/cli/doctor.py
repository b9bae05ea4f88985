"""`signer doctor`: each check of the machine with what was found, its likely cause and the proposed fix.

Main process. Asks token, network, keyring and the whole database, spends no PIN and mends nothing; works without the
data folder's lock, beside a window. `--confirm-clock` alone writes: a person's word about the clock, in the journal.
`--self-test` tries the installed program instead, `--diagnostic` writes what was found into a file to be sent.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer_app.administration.minimum import program_version
from signer_app.cli.console import Console
from signer_app.desk.check_values import Check, CheckState, merged, told, worst
from signer_app.desk.checks import Checks
from signer_app.desk.exchange import ExchangeSnapshot
from signer_app.desk.lights import lights
from signer_app.desk.support import support_code
from signer_app.desk.tokens import look
from signer_app.workspace import Workspace
from signer_resources.messages import text

if TYPE_CHECKING:
    from signer_app.administration.self_test import Tried


def doctor(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """All checks; exit 1 when one is bad, whatever it is about. Warnings alone are 0."""
    if args.self_test:
        return _self_test(space, console)
    checks = Checks(space)
    if args.confirm_clock:
        checks.accept_clock()
        console.note("doctor_clock_accepted")
    tokens = look(space)
    asked = (*checks.asked(tokens), checks.database())
    found = merged(checks.standing(tokens, ExchangeSnapshot()), asked)
    eight = lights(found)
    code = support_code(program_version(), eight)
    if args.diagnostic is not None:
        _save_diagnostic(space, found, args.diagnostic, console)
    if console.as_json:
        console.result(
            {
                "state": worst(found).value,
                "support_code": code,
                "lights": [
                    {
                        "light": one.light.value,
                        "title": text(f"ua_light_{one.light}", console.lang),
                        "state": one.state.value,
                        "checks": [check.name.value for check in one.checks],
                    }
                    for one in eight
                ],
                "checks": [_as_json(check, console) for check in found],
            }
        )
    else:
        for one in eight:
            title, state = text(f"ua_light_{one.light}", console.lang), text(f"ut_light_{one.state}", console.lang)
            console.say("doctor_light", title=title, state=state)
            _say(one.checks, console)
        console.say("doctor_support_code", code=code)
    return 1 if worst(found) is CheckState.BAD else 0


def _save_diagnostic(space: Workspace, found: Sequence[Check], target: Path, console: Console) -> None:
    """Tells what is in it, then writes it."""
    from signer_app.administration.diagnostic import gather

    made = gather(space, found)
    console.note("diagnostic_holds", file=target)
    for entry in made.entries:
        console.note("diagnostic_entry", name=entry.name, what=text(entry.key, console.lang), size=len(entry.content))
    made.save(target)


def _self_test(space: Workspace, console: Console) -> int:
    """Exit 1 where a step failed; what works in another way than it should, or could not be tried, is 0."""
    from signer_app.administration.self_test import SelfTest, StepState

    def said(one: "Tried") -> tuple[str, str]:
        fix = one.error.explain(console.lang) if one.error is not None else None
        found = text(one.key, console.lang, **one.params) if fix is None else f"{fix.what} {fix.why}".strip()
        return found, fix.do if fix is not None else ""

    def tell(one: "Tried") -> None:
        found, fix = said(one)
        title, state = text(f"ua_step_{one.step}", console.lang), text(f"ua_step_state_{one.state}", console.lang)
        console.say("self_test_step", state=state, title=title, seconds=f"{one.seconds:.2f}", found=found)
        if fix:
            console.say("doctor_fix", line=fix)

    tried = SelfTest(space).run(tell)
    failed = any(one.state is StepState.BAD for one in tried)
    if console.as_json:
        console.result(
            {
                "state": "bad" if failed else "good",
                "version": program_version(),
                "steps": [
                    {
                        "step": one.step.value,
                        "title": text(f"ua_step_{one.step}", console.lang),
                        "state": one.state.value,
                        "seconds": one.seconds,
                        "code": one.error.code if one.error is not None else None,
                        "found": said(one)[0],
                        "fix": said(one)[1],
                    }
                    for one in tried
                ],
            }
        )
    else:
        console.say("self_test_failed_end" if failed else "self_test_done")
    return 1 if failed else 0


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
