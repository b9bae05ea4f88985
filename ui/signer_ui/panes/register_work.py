"""What the register has done on other threads: details with levels, numbers that are given up.

Blocks; touches no widget, loads no Qt. Read over the readers' connection, so that no signing waits.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from signer_app.desk.desk import Desk
from signer_app.desk.reading import reading
from signer_app.desk.register import RegisterDetails, RegisterSnapshot, Years
from signer_app.store.number_book import NumberEntry
from signer_ui.presenters.register import BookLine, FileLevel, line_id


@dataclass(frozen=True)
class Found:
    """One document of the register, with the levels of its signed files by their ids."""

    details: RegisterDetails
    levels: dict[str, FileLevel]


@dataclass(frozen=True, eq=False)
class Book:
    """The register's lines, the newest first; `numbers` are those without a document, by the ids of their lines."""

    snapshot: RegisterSnapshot
    lines: tuple[BookLine, ...]
    numbers: dict[str, NumberEntry]


def look(
    desk: Desk, year: int | Years, body: str | None, known: Book | None, cancelled: Callable[[], bool]
) -> Book | None:
    """The register of a year and a body; `known` again while nothing has changed, None when `cancelled`."""
    snapshot = desk.register.look(year, body, cancelled)
    if snapshot is None or (known is not None and snapshot is known.snapshot):
        return known if snapshot is not None else None
    lines: list[BookLine] = list(snapshot.rows)
    for number in sorted(snapshot.numbers, key=lambda one: one.at):
        since = -number.at.timestamp()
        place = bisect_left(snapshot.rows, since, key=lambda row: -row.created_at.timestamp())
        # Younger numbers come later and before it: nothing that stands behind it has moved yet.
        lines.insert(place, number)
    return Book(snapshot, tuple(lines), {line_id(number): number for number in snapshot.numbers})


def find(desk: Desk, document_id: str) -> Found:
    """The document as it stands now."""
    details = desk.register.details(document_id)
    levels: dict[str, FileLevel] = {}
    with reading(desk.space).view() as view:
        for file in details.files:
            if file.level is None:
                continue
            newest, awaited = view.levels.newest(file.id), view.levels.awaited(file.id)
            levels[file.id] = FileLevel(
                file.level,
                newest.level if newest is not None else file.level,
                awaited.level if awaited is not None and not awaited.given_up else "",
                awaited.error if awaited is not None and awaited.given_up else None,
            )
    return Found(details, levels)


def give_up(desk: Desk, number: NumberEntry, reason: str) -> str:
    """Gives a number up (Bỏ số); its label. Raises as `Register.give_up`."""
    desk.register.give_up(number.body_code, number.year, number.number, number.notation, reason)
    return number.label
