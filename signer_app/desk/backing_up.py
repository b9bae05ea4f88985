"""Backups for the window: where they go, the recovery code once, the daily run, and what is asked after a restore.

Main process, any thread; every method but `due` blocks, so none is called on a UI thread. Immutable snapshots. The
recovery code passes through `begin` and `confirm` and is kept nowhere.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from signer_app.backup.making import Made, free_bytes, make_backup
from signer_app.backup.reconciling import (
    LastNumber,
    NumberQuestion,
    confirm_numbers,
    held,
    let_go,
    number_questions,
    still_to_ask,
)
from signer_app.backup.retention import LetGo, let_files_go
from signer_app.backup.setting_up import NewCode, confirm_code, new_code, place_target, shares_disk, try_place
from signer_app.exchange.directory import names_of
from signer_app.signing.batch import never
from signer_app.store.queue import QueueRow
from signer_app.store.restored import BackupRun
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

AGAIN_AFTER = dt.timedelta(minutes=30)
"""After a run that failed the next one waits so long; a stick is often put in a little later."""


@dataclass(frozen=True)
class BackupSnapshot:
    """How backups stand. `due`: one should be made when nobody works; `missed`: yesterday there was none either, so it
    shouldn't wait for that. `same_disk`: they would be lost with the data; `free`: bytes of room in their place, None
    where that can't be told now.
    """

    target: Path | None
    set: bool
    last_made: BackupRun | None
    last_error: KnownError | None
    due: bool
    missed: bool
    same_disk: bool
    free: int | None


@dataclass(frozen=True)
class AfterRestore:
    """What a restored machine still waits for. `to_ask`: packets that the server is still to be asked for; `held`:
    those that it doesn't have, and that leave when a person says so, with their receivers in `names`; `numbers`: books
    that are to be looked into.
    """

    to_ask: int
    held: tuple[QueueRow, ...]
    numbers: tuple[NumberQuestion, ...]
    restored_at: dt.datetime | None
    backup_at: dt.datetime | None
    names: Mapping[str, str]

    @property
    def open(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.to_ask or self.held or self.numbers)


class BackingUp:
    """The backups of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    # ---- looking ---------------------------------------------------------------------------------------------------

    def look(self) -> BackupSnapshot:
        """How it stands now; KnownError as `Store.view`."""
        settings, now = self._space.settings.backup, self._space.now()
        target = Path(settings.target) if settings.target is not None else None
        with self._space.store.view() as view:
            made, run = view.restored.last_made(), view.restored.last_run()
        return BackupSnapshot(
            target=target,
            set=settings.is_set,
            last_made=made,
            last_error=run.error if run is not None else None,
            due=settings.is_set and _due(made, run, now),
            missed=settings.is_set and _due(made, run, now) and _missed(made, now),
            same_disk=target is not None and shares_disk(self._space, target),
            free=free_bytes(target) if target is not None else None,
        )

    def after_restore(self) -> AfterRestore:
        """What is still to be asked or said after a restore."""
        with self._space.store.view() as view:
            epochs = view.restored.epochs()
        last = epochs[-1] if epochs else None
        if last is None:
            return AfterRestore(0, (), (), None, None, {})
        ids = [packet.packet_id for packet in held(self._space)]
        with self._space.store.view() as view:
            rows = tuple(row for one in ids if (row := view.queue.one(one)) is not None)
            names = names_of(view, {org for row in rows for org in row.receivers})
        questions = number_questions(self._space)
        return AfterRestore(still_to_ask(self._space), rows, questions, last.at, last.backup_at, names)

    # ---- setting up ------------------------------------------------------------------------------------------------

    def begin(self) -> NewCode:
        """A new recovery code, to be shown once; nothing changes before `confirm`."""
        return new_code()

    def try_place(self, target: Path) -> None:
        """Whether backups could be written there; raises as `setting_up.try_place`."""
        try_place(self._space, target)

    def confirm(self, target: Path, new: NewCode, typed: str) -> None:
        """The person has typed it back; raises as `confirm_code`."""
        confirm_code(self._space, target, new, typed)

    def move(self, target: Path) -> None:
        """Backups go elsewhere from now on; raises as `place_target`."""
        place_target(self._space, target)

    # ---- doing -----------------------------------------------------------------------------------------------------

    def make(
        self, progress: Callable[[int, int], None] = lambda _d, _c: None, cancelled: Callable[[], bool] = never
    ) -> Made:
        """Sao lưu ngay; raises as `make_backup`."""
        return make_backup(self._space, progress, cancelled)

    def run_if_due(self, cancelled: Callable[[], bool] = never) -> Made | None:
        """For quiet moments and after the start: the day's backup, if there was none today; raises as `make_backup`.
        Files whose time is over go after it. Gives way to signing, with "interrupted".
        """
        if not self.look().due:
            return None
        made = make_backup(self._space, cancelled=lambda: cancelled() or self._space.tokens_are_held)
        let_files_go(self._space)
        return made

    def let_files_go(self) -> LetGo:
        """Files of documents that were sent long ago; none unless the body has set a time."""
        return let_files_go(self._space)

    # ---- after a restore -------------------------------------------------------------------------------------------

    def send_held(self, packet_ids: Collection[str] | None = None) -> int:
        """The person's one click: these (None: all) that the server doesn't have may leave; who sends must be woken."""
        return let_go(self._space, packet_ids)

    def confirm_numbers(self, answers: Sequence[LastNumber]) -> int:
        """The last numbers of the books on paper; raises as `confirm_numbers`."""
        return confirm_numbers(self._space, answers)


def _due(made: BackupRun | None, run: BackupRun | None, now: dt.datetime) -> bool:
    """Once a day, by Vietnam's calendar; what was missed is made up for at the next chance."""
    if made is not None and made.at <= now and _day(made.at) == _day(now):
        return False
    if run is not None and run.error_code == "backup_restored_elsewhere":
        return False
    return run is None or run.error_code is None or not run.at <= now < run.at + AGAIN_AFTER


def _missed(made: BackupRun | None, now: dt.datetime) -> bool:
    return made is None or _day(made.at) < _day(now) - dt.timedelta(days=1)


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(VIETNAM).date()
