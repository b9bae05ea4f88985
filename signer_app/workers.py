"""The parent's side of the workers: hands a task to a child, kills it when it is late or dead, starts a new one.

Runs in the main process. One `Workers` owns its children and ends them with it; a child that was killed by a file
takes nothing with it but that file's answer.
"""

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from signer_app.logs import for_children, log_event
from signer_app.tasks import (
    ANSWERS,
    FRAME_CAP,
    AddValidation,
    AddValidationAnswer,
    Answer,
    Cleaned,
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
from signer_app.verification.model import TrustMaterial
from signer_resources.errors import KnownError
from signer_resources.messages import catalogue
from signer_token.channel import Child, ChildCrashed, ChildError, ChildFailed, ChildTimeout

A = TypeVar("A")

_VERIFY_S = 60.0
_VERIFY_BYTES_A_SECOND = 16 << 20
"""A check of signatures reads the file; from a slow stick that takes a second for as much as this."""


def own_command(child: str) -> list[str]:
    """The command that starts this program as `child`: our own executable with a hidden first argument.

    In the installed program that is always the command line's executable: the window's, which lies beside it, brings Qt
    along even where nothing of it is wanted.
    """
    if getattr(sys, "frozen", False):
        window = Path(sys.executable)
        return [str(window.with_name(f"signer{window.suffix}")), f"--child={child}"]
    return [sys.executable, "-P", "-m", "signer_app", f"--child={child}"]


class Workers:
    """A small pool of worker processes; calls may come from several threads."""

    def __init__(self, command: Sequence[str] | None = None, deadline_s: float = 120.0) -> None:
        self._command = list(command or own_command("worker"))
        self._deadline_s = deadline_s
        self._idle: list[Child[Task, Answer]] = []
        self._at_work: set[Child[Task, Answer]] = set()
        self._told: WeakKeyDictionary[Child[Task, Answer], TrustMaterial] = WeakKeyDictionary()
        """What each child knows about whom to trust."""
        self._guard = threading.Lock()
        self._closed = False

    def screen(self, task: Screen, deadline_s: float | None = None) -> ScreenAnswer:
        """Is the file secret? `deadline_s`: sooner given up than other work."""
        return self._call(task, ScreenAnswer, deadline_s)

    def screen_bytes(self, task: ScreenBytes, deadline_s: float | None = None) -> ScreenAnswer:
        """Is the PDF in memory secret?"""
        return self._call(task, ScreenAnswer, deadline_s)

    def preflight(self, task: Preflight) -> PreflightAnswer:
        """What will happen to the file?"""
        return self._call(task, PreflightAnswer)

    def prepare(self, task: Prepare) -> PrepareAnswer:
        """The file up to the bytes that the token signs."""
        return self._call(task, PrepareAnswer)

    def finish(self, task: Finish) -> Finished:
        """Puts the signature in."""
        return self._call(task, Finished)

    def recheck(self, task: Recheck) -> RecheckAnswer:
        """Is the output good?"""
        return self._call(task, RecheckAnswer)

    def repair(self, task: Repair) -> RepairAnswer:
        """Writes a file whose structure is broken anew."""
        return self._call(task, RepairAnswer)

    def mark_training(self, task: MarkTraining) -> MarkedForTraining:
        """Puts the mark of the training mode on each page."""
        return self._call(task, MarkedForTraining)

    def verify(self, task: Verify, deadline_s: float | None = None) -> VerifyAnswer:
        """Checks the signatures of a file; a file that is made to exhaust is given up sooner than other work, and
        after `deadline_s` at the latest.
        """
        try:
            size = Path(task.path).stat().st_size
        except OSError:
            # The worker says what is wrong with it.
            size = 0
        limit = min(self._deadline_s, _VERIFY_S + size / _VERIFY_BYTES_A_SECOND)
        return self._call(task, VerifyAnswer, limit if deadline_s is None else min(limit, deadline_s))

    def stand(self, task: Stand) -> StandAnswer:
        """How a document stands."""
        return self._call(task, StandAnswer)

    def prepare_stamp(self, task: PrepareStamp) -> PrepareStampAnswer:
        """The file with an empty document timestamp."""
        return self._call(task, PrepareStampAnswer)

    def finish_stamp(self, task: FinishStamp) -> Finished:
        """Puts the timestamp in."""
        return self._call(task, Finished)

    def add_validation(self, task: AddValidation) -> AddValidationAnswer:
        """The file with its validation data."""
        return self._call(task, AddValidationAnswer)

    def clean_picture(self, task: CleanPicture) -> Cleaned:
        """A stamp's picture out of a scan."""
        return self._call(task, Cleaned)

    def look_into(self, task: LookInto, deadline_s: float | None = None) -> LookIntoAnswer:
        """Is the attachment secret, or a danger?"""
        return self._call(task, LookIntoAnswer, deadline_s)

    def look_into_bytes(self, task: LookIntoBytes, deadline_s: float | None = None) -> LookIntoAnswer:
        """The same of an attachment in memory."""
        return self._call(task, LookIntoAnswer, deadline_s)

    def _call(self, task: Task, expected: type[A], deadline_s: float | None = None) -> A:
        deadline_s = self._deadline_s if deadline_s is None else deadline_s
        child = self._take()
        try:
            answer = self._answer(child, self._without_known_trust(child, task), deadline_s)
        except ChildFailed as failed:
            self._give_back(child)
            if failed.code in catalogue().errors:
                raise KnownError(failed.code, **failed.params) from None
            raise KnownError("worker_fault", detail=str(failed.params.get("type", ""))) from None
        except ChildTimeout:
            log_event("child_late", child="worker")
            raise KnownError("worker_timeout", seconds=f"{round(deadline_s, 1):g}") from None
        except ChildCrashed:
            log_event("child_died", child="worker")
            raise KnownError("worker_fault", detail="crash") from None
        except ChildError as error:
            raise KnownError("worker_fault", detail=type(error).__name__) from None
        except ValueError:
            self._give_back(child)
            raise KnownError("worker_fault", detail="request too large") from None
        self._give_back(child)
        if not isinstance(answer, expected):
            raise KnownError("worker_fault", detail=type(answer).__name__)
        return answer

    def _without_known_trust(self, child: Child[Task, Answer], task: Task) -> Task:
        if not isinstance(task, Trusting) or task.trust is None:
            return task
        with self._guard:
            known, self._told[child] = self._told.get(child), task.trust
        return msgspec.structs.replace(task, trust=None) if known == task.trust else task

    def _answer(self, child: Child[Task, Answer], task: Task, deadline_s: float) -> Answer:
        with self._guard:
            if self._closed:
                child.close(patience_s=0)
            self._at_work.add(child)
        try:
            return child.call(task, deadline_s)
        finally:
            with self._guard:
                self._at_work.discard(child)

    def _take(self) -> Child[Task, Answer]:
        with self._guard:
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    return child
                child.close(patience_s=0)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SIGNER_", "SOFTHSM"))}
        return Child(self._command, ANSWERS, env={**environment, **for_children()}, cap=FRAME_CAP)

    def _give_back(self, child: Child[Task, Answer]) -> None:
        with self._guard:
            if not self._closed:
                self._idle.append(child)
                return
        child.close()

    def close(self, patience_s: float = 2.0) -> None:
        """Ends all children: idle ones in `patience_s` seconds, those at work at once, whose callers get an error."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
            at_work = set(self._at_work)
        for child in at_work:
            child.close(patience_s=0)
        for child in idle:
            child.close(patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
