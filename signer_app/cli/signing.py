"""The commands `check`, `sign` and `resume`.

Main process. `check` keeps nothing and needs no lock; the other two ask for one PIN at most, after every file was
looked at.
"""

import argparse
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

import msgspec

from signer_app.cli import pin as pin_source
from signer_app.cli.console import Console, message_of
from signer_app.cli.stopping import stop_signal
from signer_app.custody.book import require_holder
from signer_app.pdf.model import CopyForm, CopyOrder, Finding, LetterFacts, PreflightResult, Profile, Severity
from signer_app.signing.batch import BatchResult, Outcome
from signer_app.signing.certificates import SigningCertificate, choose, fit_to_sign
from signer_app.signing.engine import Options, SigningRun
from signer_app.signing.examine import Examiner
from signer_app.signing.file_codes import FileCode
from signer_app.signing.free_space import space_findings
from signer_app.signing.gathering import gather, read_list
from signer_app.signing.images import images_for
from signer_app.signing.jobs import DocumentJob, Jobs, UsageError, parse_receivers
from signer_app.signing.machine_findings import machine_findings
from signer_app.signing.preflights import Preflights
from signer_app.signing.resume import give_up_rest, unfinished, without_lost_copies
from signer_app.store.model import FileState
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_resources.messages import Lang, text
from signer_token.client import TokenError


def wishes(args: argparse.Namespace, console: Console) -> Sequence[DocumentJob]:
    """The documents that the arguments speak of; UsageError where they make no sense."""
    profile, out = Profile(args.profile), getattr(args, "out", None)
    scans = FileCode.of(args.file_code, args.start)
    if args.list is not None:
        if args.files or args.number or args.date or args.place:
            raise UsageError("usage_arguments", reason="--list")
        jobs = read_list(args.list, profile=profile, out=out, scans=scans)
        extra = parse_receivers(getattr(args, "to", []))
        return _copied(args, jobs.changed(lambda job: msgspec.structs.replace(job, receivers=job.receivers or extra)))
    if not args.files:
        raise UsageError("usage_arguments", reason="FILE")
    jobs = gather(
        args.files,
        profile=profile,
        out=out,
        number=args.number,
        date=args.date,
        place=args.place,
        receivers=getattr(args, "to", []),
        scans=scans,
        told=console.warn,
    )
    return _copied(args, jobs)


def _copied(args: argparse.Namespace, jobs: Jobs) -> Jobs:
    """The jobs, those of them that make copies with what copy it is and who ordered it (NĐ 30/2020, Đ27.1)."""
    if not any(file.profile is Profile.COPY for job in jobs for file in job.files):
        if args.ordered_by:
            raise UsageError("usage_arguments", reason="--ordered-by")
        return jobs
    form = next(form for form in CopyForm if form.value.lower() == args.copy_form)
    order = CopyOrder(form, (args.ordered_by or "").strip())
    return jobs.changed(
        lambda job: (
            msgspec.structs.replace(job, copy=order) if any(f.profile is Profile.COPY for f in job.files) else job
        )
    )


def check(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """What will happen to each file; keeps nothing, asks for no PIN."""
    jobs = wishes(args, console)
    chosen = _certificate_if_any(space, args.cert, jobs)
    profile = rules.load(space.now().date())
    images = images_for(space, chosen, space.now().date())
    examiner = Examiner(space, chosen, images, profile, Preflights(space))
    answers: list[_Checked] = []
    files = [(job, file) for job in jobs for file in job.files]
    machine = machine_findings(space, chosen, jobs)
    with console.progress() as progress:
        for done, (job, file) in enumerate(files):
            progress("progress_examine", done, len(files))
            try:
                result = examiner.look(Path(file.path), job, file)
            except KnownError as error:
                params = {k: str(v) for k, v in error.params.items()}
                result = PreflightResult((Finding(error.code, Severity.REFUSED, params),), None, LetterFacts(), ())
            if not any(finding.code == "secret" for finding in result.findings):
                # Of a secret file nothing else is told, not even what its copy would be called.
                result = msgspec.structs.replace(result, findings=(*result.findings, *machine[done]))
            answers.append(_checked(file.path, result, console.lang))
    if console.as_json:
        console.result(answers)
    else:
        counts = {state: sum(a["state"] == state for a in answers) for state in ("ready", "warning", "refused")}
        console.say("check_summary", **counts)
        for answer in answers:
            _tell_checked(answer, console)
    return 1 if any(answer["state"] == "refused" for answer in answers) else 0


def _tell_checked(answer: "_Checked", console: Console) -> None:
    """One file's findings, earlier signatures and places, a line each."""
    name = Path(answer["file"]).name
    for finding in answer["findings"]:
        console.say("check_line", name=name, message=finding["message"])
    for signature in answer["signatures"]:
        state = text(f"earlier_{signature['integrity']}", console.lang)
        console.say("check_signature", name=name, signer=signature["signer"] or "?", state=state)
    for spot in answer["placement"]:
        console.say(
            "check_place",
            name=name,
            page=spot["page"],
            what=text(f"mark_{spot['what']}", console.lang),
            x=spot["x"],
            y=spot["y"],
            w=spot["w"],
            h=spot["h"],
        )


class _FindingJson(TypedDict):
    code: str
    severity: str
    message: str


class _PlacementJson(TypedDict):
    what: str
    page: int
    x: float
    y: float
    w: float
    h: float
    rule: str
    sure: bool


class _SignatureJson(TypedDict):
    field: str
    signer: str | None
    integrity: str


class _Checked(TypedDict):
    file: str
    state: str
    findings: list[_FindingJson]
    signatures: list[_SignatureJson]
    placement: list[_PlacementJson]


def _checked(file: str, result: PreflightResult, lang: Lang) -> _Checked:
    refused = any(f.severity is Severity.REFUSED for f in result.findings)
    return {
        "file": file,
        "state": "refused" if refused else "warning" if result.findings else "ready",
        "findings": [
            _FindingJson(
                code=f.code,
                severity=f.severity.value,
                message=str(KnownError(f.code, **f.params).explain(lang)),
            )
            for f in result.findings
        ],
        "signatures": [_SignatureJson(field=s.field, signer=s.signer, integrity=s.integrity) for s in result.earlier],
        "placement": [
            _PlacementJson(
                what=p.what.value,
                page=p.page,
                x=p.rect.x,
                y=p.rect.y,
                w=p.rect.w,
                h=p.rect.h,
                rule=p.rule,
                sure=p.sure,
            )
            for p in result.placements
        ],
    }


def _certificate_if_any(space: Workspace, wanted: str | None, jobs: Sequence[DocumentJob]) -> SigningCertificate | None:
    """`check` works without a token; with one it looks through that token's eyes."""
    try:
        tokens = space.hosts.tokens().tokens
    except TokenError:
        tokens = ()
    if not tokens and wanted is None:
        return None
    try:
        return choose(tokens, wanted, _profiles(jobs), space.settings, space.trust, space.now())
    except KnownError:
        if wanted is not None:
            raise
        return None


def sign(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Examines, asks for one PIN, signs."""
    jobs = wishes(args, console)
    return _run(space, args, console, jobs, args.cert, Options(args.level))


def resume(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Goes on with a batch that stopped: what is not signed yet, under a new PIN; or has it stay unsigned."""
    if args.give_up:
        if args.retry_failed:
            raise UsageError("usage_arguments", reason="--retry-failed")
        count = give_up_rest(space.store, args.batch)
        if console.as_json:
            _tell_json(BatchResult(None, None), console)
        else:
            console.say("resume_given_up" if count else "resume_nothing", count=count)
        return 0
    with space.store.view() as view:
        rest = unfinished(view, args.batch, failed=args.retry_failed)
    if rest is None or not rest.jobs:
        if console.as_json:
            _tell_json(BatchResult(None, None), console)
        else:
            console.say("resume_nothing")
        return 0
    # A file that is gone meanwhile is refused by the look, and holds up no other.
    jobs = [without_lost_copies(job, space.store.blobs.has) for job in rest.jobs]
    options = Options(rest.level, rest.send)
    return _run(space, args, console, jobs, rest.certificate, options, continues=rest.batch.id)


def _run(
    space: Workspace,
    args: argparse.Namespace,
    console: Console,
    jobs: Sequence[DocumentJob],
    wanted: str | None,
    options: Options,
    continues: str | None = None,
) -> int:
    pin_source.require_source(from_stdin=args.pin_stdin)
    chosen = fit_to_sign(space, wanted, _profiles(jobs))
    require_holder(space.store, chosen.certificate.sha256, chosen.token.serial)
    for finding in space_findings(space, jobs):
        if finding.severity is Severity.WARNING:
            console.warn(KnownError(finding.code, **finding.params))
    stop = threading.Event()
    with console.progress() as progress:
        run = SigningRun(space, chosen, jobs, options, progress, continues=continues, cancelled=stop.is_set)
        ready = run.examine()
    stopped: KnownError | None = None
    if ready:
        try:
            login = pin_source.ask(
                console,
                space,
                chosen,
                text("pin_for_signing", console.lang, count=ready),
                from_stdin=args.pin_stdin,
                final_try=args.final_try,
            )
        except KnownError as error:
            stopped = error
        else:
            run.begin()
            # Ctrl+C stops as the window's button does: what has its signature is kept, the rest waits.
            with console.progress() as progress, stop_signal(stop):
                stopped = run.sign_with(login, progress=progress)
    result = run.finish(stopped)
    clean = _tell_json(result, console) if console.as_json else _tell(result, console)
    run.reported()
    if stopped is not None:
        return stopped.exit
    return 0 if clean else 1


def _profiles(jobs: Sequence[DocumentJob]) -> list[Profile]:
    return [file.profile for job in jobs for file in job.files]


def _is_clean(outcome: Outcome) -> bool:
    """Whether nothing is left to do or to know of a file."""
    return outcome.state in (FileState.SIGNED, FileState.SKIPPED) and outcome.code is None


def _tell_json(result: BatchResult, console: Console) -> bool:
    """The result as one JSON document, however long; whether all went well."""
    clean = True

    def shapes() -> Iterator[dict[str, object]]:
        nonlocal clean
        for outcome in result.each():
            clean = clean and _is_clean(outcome)
            yield _shape(outcome, console.lang)

    head = {
        "batch": result.batch,
        "stopped": message_of(result.stopped, console.lang) if result.stopped is not None else None,
    }
    console.result_with(head, "documents", shapes())
    return clean


def _shape(outcome: Outcome, lang: Lang) -> dict[str, object]:
    return {
        "input": outcome.input,
        "output": outcome.output if outcome.state is FileState.SIGNED else None,
        "state": outcome.state.value,
        "code": outcome.code,
        "message": _message(outcome, lang),
        "level": outcome.level,
        "sha256_in": outcome.sha256_in,
        "sha256_repaired": outcome.sha256_repaired,
        "sha256_out": outcome.sha256_out,
        "seconds": outcome.seconds,
    }


def _message(outcome: Outcome, lang: Lang) -> str:
    parts = []
    if outcome.code is not None:
        parts.append(str(KnownError(outcome.code, **outcome.params).explain(lang)))
    parts += [str(KnownError(w.code, **w.params).explain(lang)) for w in outcome.warnings]
    return " ".join(parts)


def _tell(result: BatchResult, console: Console) -> bool:
    """The result in words; whether all went well."""
    signed, clean = result.counts.get(FileState.SIGNED, 0), True
    if result.stopped is not None:
        console.error(result.stopped)
        console.say("sign_stopped", done=signed, total=result.total)
    elif signed == result.total:
        console.say("sign_done", count=signed)
    else:
        console.say("sign_partly", count=signed, rest=result.total - signed)
    for outcome in result.each():
        clean = clean and _is_clean(outcome)
        name = Path(outcome.input).name
        if outcome.state is FileState.SIGNED:
            console.say("sign_line", name=name, output=outcome.output, level=(outcome.level or "").upper())
        message = _message(outcome, console.lang)
        if message:
            console.say("check_line", name=name, message=message)
    return clean
