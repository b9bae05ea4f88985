"""What the window says of backups and of what a restore has left open.

Pure, on any thread; loads no Qt and nothing of the backups' room.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from signer_app.store.queue import QueueRow
from signer_app.store.settings import Settings
from signer_app.store.times import VIETNAM
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count, moment, size, time_of
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_app.backup.making import Made
    from signer_app.backup.reconciling import NumberQuestion
    from signer_app.backup.restoring import RestoreResult
    from signer_app.desk.backing_up import AfterRestore, BackupSnapshot

YEAR = 365
KEPT_YEARS = (1, 2, 5, 10, 20)
"""What is offered; another time that an administrator has set is offered beside them."""

_GIGABYTE = 1 << 30

Line = tuple[str, Glow]
Change = Callable[[Settings], Settings]


@dataclass(frozen=True)
class BackupForm:
    """How long files of sent documents stay here, in days; None: as long as the machine does."""

    keep_days: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> "BackupForm":
        """As it is set."""
        return cls(settings.backup.keep_sent_days)

    def change(self) -> Change:
        """This, and nothing else of the settings."""
        return lambda settings: msgspec.structs.replace(
            settings, backup=msgspec.structs.replace(settings.backup, keep_sent_days=self.keep_days)
        )


def kept_choices(days: int | None, words: Words) -> tuple[tuple[str, int | None], ...]:
    """What may be chosen, and the days that it means; what is set now is among them."""
    known: list[int | None] = [None, *(years * YEAR for years in KEPT_YEARS)]
    if days not in known:
        known.append(days)
    return tuple((_kept(one, words), one) for one in sorted(known, key=lambda one: one or 0))


def _kept(days: int | None, words: Words) -> str:
    if days is None:
        return words("bk_keep_always")
    if days % YEAR:
        return words("bk_keep_days", count=count(days, words))
    return words("bk_keep_years", count=days // YEAR)


# ---- how backups stand ---------------------------------------------------------------------------------------------


def facts(state: "BackupSnapshot", words: Words) -> tuple[tuple[str, str], ...]:
    """Where backups go, the last one, the room there."""
    room = _room(state.free, words) if state.free is not None else words("bk_room_unknown")
    made = words("bk_last_none") if state.last_made is None else _time(state.last_made.at)
    return (
        (words("bk_place"), str(state.target) if state.target is not None else ""),
        (words("bk_last"), made),
        (words("bk_room"), room),
    )


def _room(free: int, words: Words) -> str:
    if free < _GIGABYTE:
        return size(free, words)
    written = f"{free / _GIGABYTE:.1f} GB"
    return written.replace(".", ",") if words.lang == "vi" else written


def worries(state: "BackupSnapshot", words: Words) -> tuple[Line, ...]:
    """What is wrong with them, in sentences."""
    found: list[Line] = []
    if state.last_error is not None:
        bad = state.last_error.code == "backup_restored_elsewhere"
        found.append((str(words.explain(state.last_error)), Glow.BAD if bad else Glow.WARN))
    if state.last_made is not None and state.last_made.missing:
        error = KnownError("machine_backup_incomplete", missing=state.last_made.missing)
        found.append((str(words.explain(error)), Glow.WARN))
    if state.same_disk:
        found.append((str(words.explain(KnownError("backup_same_disk"))), Glow.WARN))
    return tuple(found)


def made_words(made: "Made", target: str, words: Words) -> tuple[str, str]:
    """What came of a backup: what was done, and what is wrong with it."""
    done = words(
        "bk_done",
        documents=count(made.manifest.documents, words),
        folder=target,
        files=count(made.written, words),
        size=size(made.written_bytes, words),
    )
    wrong = [words("backup_missing", count=made.missing)] if made.missing else []
    if not made.pictures:
        wrong.append(str(words.explain(KnownError("backup_pictures_left"))))
    return done, "\n".join(wrong)


def grey_words(state: "BackupSnapshot | None", now: dt.datetime, words: Words) -> str:
    """The last backup, for the grey line of the home screen; empty where that is not known or none is wanted."""
    if state is None or not state.set:
        return ""
    if state.last_made is None:
        return words("bk_grey_none")
    return words("bk_grey", time=time_of(state.last_made.at.astimezone(VIETNAM), now))


def _time(at: dt.datetime) -> str:
    return at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")


# ---- a restore -----------------------------------------------------------------------------------------------------


def found_words(made_at: dt.datetime, documents: int, words: Words) -> str:
    """What would be restored."""
    return words("bk_found", time=_time(made_at), documents=count(documents, words))


def restored_lines(result: "RestoreResult", words: Words) -> tuple[Line, ...]:
    """What came of a restore, and what is to be done now."""
    told: list[Line] = [
        (
            words(
                "restore_done",
                documents=count(result.documents, words),
                files=count(result.files, words),
                time=_time(result.made_at),
            ),
            Glow.GOOD,
        )
    ]
    if result.passed_over:
        told.append((words("restore_passed_over", count=result.passed_over), Glow.WARN))
    if result.missing:
        told.append((words("restore_missing", count=len(result.missing)), Glow.WARN))
    if result.held:
        told.append((words("restore_held", count=result.held), Glow.OFF))
    if result.undecided:
        told.append((words("restore_undecided", count=result.undecided), Glow.WARN))
    if not result.pictures:
        told.append((words("restore_pictures_left"), Glow.WARN))
    if not result.told:
        told.append((words("restore_not_told"), Glow.WARN))
    if result.kept_old is not None:
        told.append((words("restore_kept_old", folder=str(result.kept_old)), Glow.OFF))
    return (*told, (words("restore_next"), Glow.OFF))


# ---- after it ------------------------------------------------------------------------------------------------------


def open_lines(after: "AfterRestore | None", words: Words) -> tuple[Line, ...]:
    """What is still to be said after a restore, for the home screen; none when all is."""
    if after is None or not after.open:
        return ()
    backup_at = _time(after.backup_at) if after.backup_at is not None else ""
    told: list[Line] = [(words("bk_after_from", time=backup_at), Glow.OFF)]
    if after.numbers:
        told.append((words("bk_after_numbers"), Glow.WARN))
    if after.to_ask:
        told.append((words("bk_after_to_ask", count=count(after.to_ask, words)), Glow.OFF))
    if after.held:
        told.append((words("bk_after_held", count=count(len(after.held), words)), Glow.WARN))
    return tuple(told)


def held_words(row: QueueRow, names: Mapping[str, str], now: dt.datetime, words: Words) -> str:
    """A packet that the server doesn't have, in one line."""
    what = words("outbox_kind_status") if row.kind is PacketKind.STATUS else row.subject or row.type or ""
    to = ", ".join(names.get(one, one) for one in row.receivers)
    made = moment(row.created_at.astimezone(VIETNAM), now)
    return " · ".join(part for part in (row.label, what, to, made) if part)


@dataclass(frozen=True)
class NumberLine:
    """A question for the last number of a book on paper, and what was typed."""

    question: "NumberQuestion"
    caption: str
    typed: str

    @property
    def number(self) -> int | None:
        """The number that was typed; None for anything else."""
        digits = self.typed.strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None

    def problem(self, words: Words) -> str | None:
        """What is wrong with it."""
        number = self.number
        if number is None:
            return words("bk_number_wanted")
        if number < self.question.last:
            return words("bk_number_lower", last=self.question.last)
        return None

    def with_typed(self, typed: str) -> "NumberLine":
        """The same with another text."""
        return replace(self, typed=typed)


def number_lines(questions: "Sequence[NumberQuestion]", words: Words) -> tuple[NumberLine, ...]:
    """The questions; nothing is filled in, for who presses on without looking would confirm what is wrong."""
    several = len({one.body_code for one in questions}) > 1
    return tuple(NumberLine(one, _caption(one, words, several=several), "") for one in questions)


def _caption(question: "NumberQuestion", words: Words, *, several: bool) -> str:
    if question.sequence is None:
        told = words("bk_number_arrival", year=question.year, last=question.last)
    else:
        told = words("bk_number_sequence", name=question.sequence, year=question.year, last=question.last)
    return f"{question.body_name}: {told}" if several else told
