"""What the window says of updates.

Pure, on any thread; loads no Qt and nothing of the updates' room.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from signer_app.store.settings import Settings
from signer_app.store.times import VIETNAM
from signer_ui.glow import Glow
from signer_ui.presenters.backup import Change, Line
from signer_ui.presenters.figures import day
from signer_ui.presenters.settings import Field, Problem
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_app.desk.updating import UpdateState

ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}
_READY, _OFFERED, _UNFIT, _CURRENT = "ready", "offered", "unfit", "current"
"""Stages; the names are those of the desk, which is loaded later."""
_MOST_NOTES = 20


@dataclass(frozen=True)
class UpdatesForm:
    """Where updates come from; empty: nowhere."""

    source: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "UpdatesForm":
        """As it is set."""
        return cls(settings.updates.source or "")

    def problems(self) -> tuple[Problem, ...]:
        """What is neither a safe address nor a folder's whole path; whether it is there is seen when it is asked."""
        source = self.source.strip()
        if not source or Path(source).is_absolute():
            return ()
        try:
            parts = urlsplit(source)
            safe = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
        except ValueError:
            safe = False
        return () if safe else (Problem(Field.UPDATE_SOURCE, "up_source_wrong"),)

    def change(self) -> Change:
        """This, and nothing else of the settings."""
        source = self.source.strip() or None
        return lambda settings: msgspec.structs.replace(
            settings, updates=msgspec.structs.replace(settings.updates, source=source)
        )


@dataclass(frozen=True)
class UpdatesView:
    """The section. `offered`: it can be brought; `ready`: it can be installed; `previous`: what one can go back to."""

    lines: tuple[Line, ...]
    offered: bool = False
    ready: bool = False
    previous: str | None = None
    version: str = ""


def updates_view(state: "UpdateState | None", words: Words) -> UpdatesView:
    """How it stands, in words."""
    if state is None:
        return UpdatesView(((words("ui_opening"), Glow.OFF),))
    lines: list[Line] = [(words("update_installed", version=state.installed), Glow.OFF)]
    if state.below_minimum:
        lines.append((words("update_below", minimum=state.minimum or ""), Glow.BAD))
    if state.stage == _CURRENT and state.checked_at is not None:
        time = state.checked_at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")
        lines.append((words("update_current", time=time), Glow.GOOD))
    release = state.release
    if release is not None:
        told = words("update_offered", version=release.version, size=f"{state.size / (1 << 20):.0f}")
        lines.append((told, Glow.WARN))
        if release.released is not None:
            lines.append((words("up_released", date=day(release.released)), Glow.OFF))
        notes = [note for note in release.notes(words.lang).splitlines() if note.strip()]
        lines += [(note, Glow.OFF) for note in notes[:_MOST_NOTES]]
        if state.stage == _UNFIT:
            lines.append((words("up_unfit", needed=release.minimum_os or ""), Glow.BAD))
        if state.stage == _READY:
            lines.append((words("up_ready"), Glow.GOOD))
    if state.error is not None:
        lines.append((str(words.explain(state.error)), Glow.WARN))
    return UpdatesView(
        tuple(lines),
        offered=state.stage == _OFFERED,
        ready=state.stage == _READY,
        previous=state.previous,
        version=release.version if release is not None else "",
    )


def news(state: "UpdateState | None", words: Words) -> str:
    """A few words for the bar and the home screen; empty where there is nothing new that this machine can run."""
    if state is None:
        return ""
    if state.below_minimum:
        return words("up_news_must")
    if state.release is None or state.stage == _UNFIT:
        return ""
    return words("up_news", version=state.release.version)
