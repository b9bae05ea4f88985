"""What the choice of receivers has done on other threads: understanding lines, searching, keeping what was said.

Blocks; touches no widget, loads no Qt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.desk.desk import Desk
from signer_app.desk.receivers import DirectoryDay
from signer_app.exchange.receivers import Line, LineState, Resolution
from signer_app.store.directory import Organisation
from signer_app.store.receivers import ReceiverGroup
from signer_ui.presenters.receivers import CODE


@dataclass(frozen=True)
class Understood:
    """Lines of a body's document, the body's groups, and how old the directory is."""

    resolution: Resolution
    groups: tuple[ReceiverGroup, ...]
    day: DirectoryDay


def understand(desk: Desk, body: str, lines: Sequence[str]) -> Understood:
    """What the lines mean. Where no directory is known at all, every code is taken at its word."""
    day = desk.receivers.day()
    resolution = desk.receivers.resolve(body, lines).resolution
    if not day.known:
        resolution = Resolution(tuple(_at_its_word(desk, line) for line in resolution.lines))
    return Understood(resolution, desk.receivers.groups(body), day)


def _at_its_word(desk: Desk, line: Line) -> Line:
    if line.state is LineState.ASK and CODE.fullmatch(line.text):
        return Line(line.text, LineState.FOUND, desk.receivers.reach([line.text]))
    return line


def search(desk: Desk, typed: str) -> tuple[Organisation, ...]:
    """Bodies for what was typed; none for nothing."""
    return desk.receivers.search(typed) if typed.strip() else ()


def body_of(desk: Desk) -> str:
    """The body whose drafts these are; while that isn't clear, the first of those that are set up."""
    bodies = desk.space.settings.bodies
    return desk.outgoing.body_code() or (bodies[0].code if bodies else "")
