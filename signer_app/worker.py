"""The child that touches PDF bytes: one request after the other, until the parent closes the pipe.

Started as `--child=worker`. Holds no lock, no key, no PIN and no connection; may be killed at any time. Memory is
limited where the system lets a process limit itself, so that a malicious file can't take the machine down.
"""

import sys
from functools import partial
from pathlib import Path

from signer_app.pdf.picture import clean_picture
from signer_app.pdf.preflight import preflight
from signer_app.pdf.prepare import finish, prepare
from signer_app.pdf.recheck import recheck
from signer_app.pdf.render import Renderer
from signer_app.pdf.screen import screen_bytes, screen_file
from signer_app.tasks import (
    FRAME_CAP,
    TASKS,
    Answer,
    Awake,
    CleanPicture,
    DrawInk,
    DrawPage,
    Finish,
    Finished,
    Outline,
    Preflight,
    PreflightAnswer,
    Prepare,
    PrepareAnswer,
    Recheck,
    RecheckAnswer,
    Screen,
    ScreenAnswer,
    ScreenBytes,
    Task,
    Verify,
    VerifyAnswer,
    Wake,
)
from signer_app.verification.verify import verify_file
from signer_resources.errors import KnownError
from signer_token.channel import Refusal, serve

_MEMORY_BYTES = 3 << 30


def handle(task: Task, renderer: Renderer | None = None) -> Answer:
    """Does one task; a KnownError becomes an answer, so that the parent can raise it again.

    `renderer` keeps documents open from one picture to the next.
    """
    try:
        return _do(task, renderer or Renderer())
    except KnownError as error:
        raise Refusal(error.code, **{key: str(value) for key, value in error.params.items()}) from error
    except OSError as error:
        if error.errno == 28:
            raise Refusal("disk_full", folder=str(Path(error.filename or ".").parent)) from error
        raise Refusal("file_unreadable", name=Path(error.filename or "").name) from error


def _do(task: Task, renderer: Renderer) -> Answer:
    match task:
        case Screen():
            return ScreenAnswer(screen_file(Path(task.path), task.name))
        case ScreenBytes():
            return ScreenAnswer(screen_bytes(task.data, task.name))
        case Preflight():
            path = Path(task.path)
            report = verify_file(path, task.trust, task.now)
            return PreflightAnswer(preflight(path, task.request, report), report)
        case Prepare():
            return PrepareAnswer(
                prepare(
                    Path(task.source),
                    Path(task.output),
                    task.step,
                    images={key: Path(value) for key, value in task.images.items()},
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
            after = verify_file(Path(task.output), task.trust, task.now)
            outcome = recheck(
                Path(task.source), Path(task.output), task.steps, task.before, after, task.certificate_sha256
            )
            return RecheckAnswer(outcome, after)
        case Verify():
            return VerifyAnswer(verify_file(Path(task.path), task.trust, task.now))
        case Wake():
            return Awake()
        case Outline():
            return renderer.outline(task)
        case DrawPage():
            return renderer.draw_page(task)
        case DrawInk():
            return renderer.draw_ink(task)
        case CleanPicture():
            return clean_picture(Path(task.path))


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> int:
    """The child's life."""
    _limit_memory()
    return serve(partial(handle, renderer=Renderer()), TASKS, cap=FRAME_CAP)
