"""The child that touches PDF bytes: one request after the other, until the parent closes the pipe.

Started as `--child=worker`. Holds no lock, no key, no PIN and no connection; may be killed at any time. Memory is
limited where the system lets a process limit itself, so that a malicious file can't take the machine down.
"""

import gc
from pathlib import Path

from signer_app.attachments.screen import look_into, look_into_bytes
from signer_app.child import give_way, limit_memory, little_memory, refusals
from signer_app.pdf.later import add_validation, finish_timestamp, prepare_timestamp
from signer_app.pdf.picture import clean_picture
from signer_app.pdf.preflight import preflight
from signer_app.pdf.prepare import prepare
from signer_app.pdf.recheck import recheck, shows_secrecy
from signer_app.pdf.repair import repair
from signer_app.pdf.screen import screen_bytes, screen_file
from signer_app.pdf.signature import finish
from signer_app.pdf.training_mark import mark, marked
from signer_app.pdf.validation_data import standing
from signer_app.tasks import (
    FRAME_CAP,
    TASKS,
    AddValidation,
    AddValidationAnswer,
    Answer,
    CleanPicture,
    Finish,
    Finished,
    FinishStamp,
    LookInto,
    LookIntoAnswer,
    LookIntoBytes,
    MarkedForTraining,
    MarkTraining,
    Preflight,
    PreflightAnswer,
    Prepare,
    PrepareAnswer,
    PrepareStamp,
    PrepareStampAnswer,
    Recheck,
    RecheckAnswer,
    Repair,
    RepairAnswer,
    Screen,
    ScreenAnswer,
    ScreenBytes,
    Stand,
    StandAnswer,
    Task,
    Trusting,
    Verify,
    VerifyAnswer,
)
from signer_app.verification.document import opened
from signer_app.verification.model import TrustMaterial
from signer_app.verification.verify import verify_file, verify_opened
from signer_token.channel import serve


class _Told:
    """What the parent said last about whom to trust."""

    trust = TrustMaterial()


def _trust(task: Task) -> TrustMaterial:
    """The task's, else what was told last."""
    given = task.trust if isinstance(task, Trusting) else None
    if given is not None and given != _Told.trust:
        _Told.trust = given
    return _Told.trust


def handle(task: Task) -> Answer:
    """Does one task; a KnownError becomes an answer, so that the parent can raise it again."""
    # Before anything can fail: the parent doesn't say it a second time.
    trust = _trust(task)
    with refusals():
        return _do(task, trust)


def _do(task: Task, trust: TrustMaterial) -> Answer:
    match task:
        case Screen():
            return ScreenAnswer(screen_file(Path(task.path), task.name))
        case ScreenBytes():
            return ScreenAnswer(screen_bytes(task.data, task.name))
        case Preflight():
            path = Path(task.path)
            report = verify_file(path, trust, task.now)
            return PreflightAnswer(preflight(path, task.request, report), report)
        case Prepare():
            return PrepareAnswer(
                prepare(
                    Path(task.source),
                    Path(task.output),
                    task.step,
                    images=task.images,
                    moment=task.moment,
                    certificate=task.certificate,
                    chain=task.chain,
                    source_sha256=task.source_sha256,
                )
            )
        case Finish():
            finish(
                Path(task.path),
                task.prepared,
                certificate=task.certificate,
                chain=task.chain,
                signature=task.signature,
                timestamp=task.timestamp,
            )
            return Finished()
        case Recheck():
            source, output = Path(task.source), Path(task.output)
            with opened(output) as file:
                after = verify_opened(file, output, trust, task.now)
                outcome = recheck(
                    source,
                    output,
                    task.steps,
                    task.before,
                    after,
                    task.certificate_sha256,
                    file,
                    certified_may_change=task.certified_may_change,
                )
            secret = outcome.fault is None and shows_secrecy(output, task.steps)
            return RecheckAnswer(outcome, after, secret)
        case Verify():
            with little_memory(Path(task.path)):
                return VerifyAnswer(verify_file(Path(task.path), trust, task.now))
        case Repair():
            return RepairAnswer(repair(Path(task.source), Path(task.output)))
        case MarkTraining():
            already = marked(Path(task.source)).everywhere
            if not already:
                mark(Path(task.source), Path(task.output))
            return MarkedForTraining(already)
        case Stand():
            with little_memory(Path(task.path)):
                return StandAnswer(standing(Path(task.path), trust, task.now))
        case PrepareStamp():
            return PrepareStampAnswer(prepare_timestamp(Path(task.source), Path(task.output)))
        case FinishStamp():
            finish_timestamp(Path(task.path), task.gap, task.token)
            return Finished()
        case AddValidation():
            return AddValidationAnswer(
                add_validation(Path(task.source), Path(task.output), task.report, trust, task.now, task.largest)
            )
        case CleanPicture():
            return clean_picture(Path(task.path))
        case LookInto():
            return LookIntoAnswer(look_into(Path(task.path), task.name))
        case LookIntoBytes():
            return LookIntoAnswer(look_into_bytes(task.data, task.name))


def main() -> int:
    """The child's life."""
    limit_memory()
    give_way()
    # What was imported stays; looking through it for garbage again and again takes longer than small tasks.
    gc.freeze()
    return serve(handle, TASKS, cap=FRAME_CAP)
