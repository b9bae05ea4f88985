"""The command `verify`: what the signatures of files and folders are worth.

Main process, without the data folder's lock, so that it works beside a window or a running batch. Only for keeping the
evidence the lock is taken, for a moment at the end; where somebody else has it, nothing is kept and the answer says so.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from signer_app.cli.console import Console
from signer_app.desk.verifying import Checked, Verifying, files_of, is_file, is_folder, kept, told_apart
from signer_app.paper.writing import require_free
from signer_app.signing.jobs import UsageError
from signer_app.verification.facts import signature_facts, without_verdict
from signer_app.verification.model import FileReport, SignatureReport, Verdict
from signer_app.verification.report import change_message, message, to_json
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text


def verify(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """The verdict on each file; exit 0 only when all are valid."""
    _require(args)
    verifying = Verifying(space)
    found: dict[Path, Checked] = {}
    with console.progress() as progress:
        files = files_of(args.files)
        # A newer answer takes the place of the one from before the network was asked.
        verifying.check_many(files, lambda one: found.update({one.path: one}), progress, ask_network=not args.offline)
    checked = _with_evidence(verifying, tuple(found.values()))
    if args.report is not None:
        verifying.report_pdf(checked, args.report)
    if console.as_json:
        console.result([to_json(one.report, console.lang, evidence=one.evidence) for one in checked])
    else:
        for name, one in zip(told_apart(checked), checked, strict=True):
            _tell(name, one.report, console)
        if args.report is not None:
            console.say("verify_report_written", file=args.report)
    return 0 if checked and all(one.report.verdict is Verdict.VALID for one in checked) else 1


def _require(args: argparse.Namespace) -> None:
    """That what is named is there, and the report's name free, before an hour's work is begun."""
    for source in args.files:
        if not (is_folder(source) or is_file(source)):
            raise UsageError("usage_missing_input", name=str(source))
    if args.trust is not None and not is_folder(args.trust):
        raise UsageError("usage_missing_input", name=str(args.trust))
    if args.report is not None:
        require_free(args.report)
        if not is_folder(args.report.absolute().parent):
            raise KnownError("output_unwritable", folder=str(args.report.parent))


def _with_evidence(verifying: Verifying, found: Sequence[Checked]) -> tuple[Checked, ...]:
    try:
        return kept(found, verifying.keep_what_waits())
    except KnownError:
        # Somebody else has the folder, or the disk is full: the check itself is none the worse.
        return tuple(found)


def _tell(name: str, report: FileReport, console: Console) -> None:
    console.say("verify_file", name=name, verdict=text(f"verdict_{report.verdict}", console.lang))
    if report.verdict not in (Verdict.VALID, Verdict.UNSIGNED):
        console.say("verify_line", line=without_verdict(message(report, console.lang), console.lang))
    for signature in report.signatures:
        _tell_signature(signature, console)


def _tell_signature(signature: SignatureReport, console: Console) -> None:
    verdict = text(f"verdict_{signature.verdict}", console.lang)
    unknown = text("verify_fact_unknown", console.lang)
    console.say("verify_signature", signer=signature.signer or unknown, verdict=verdict)
    for number, fact in enumerate(signature_facts(signature, console.lang), start=1):
        console.say("verify_fact", number=number, what=fact.what, value=fact.value)
    for change in signature.changes:
        console.say("verify_change", change=change_message(change, console.lang))
