"""What the pane of outgoing documents says of files that came or were not taken, and of what a paste would change.

Pure values in and out; loads no Qt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from signer_app.desk.inbox_folder import InboxLook
from signer_app.outgoing.model import Added, Changes, Left, Note
from signer_app.outgoing.paste import Pasted
from signer_resources.errors import KnownError
from signer_resources.messages import Explanation
from signer_ui.presenters.figures import count
from signer_ui.words import Words

_LINES_SHOWN = 6


@dataclass(frozen=True)
class LeftView:
    """Files that were not taken, or were and want a word: what a notice says of them. Secret ones are told apart,
    strongly.
    """

    secret: tuple[str, ...] = ()
    heading: str = ""
    lines: str = ""
    do: str = ""

    @property
    def good(self) -> bool:
        """Whether there is nothing in it but good news."""
        return not (self.lines or self.do)


def left_view(left: Sequence[Left], words: Words) -> LeftView:
    """The files that were left, each with its reason."""
    secret = tuple(one.name for one in left if one.error.code == "secret")
    others = [one for one in left if one.error.code != "secret"]
    if not others:
        return LeftView(secret)
    told = []
    for one in others[:_LINES_SHOWN]:
        explained = words.explain(one.error)
        told.append(words("uo_left_line", name=one.name, what=explained.what, do=explained.do).strip())
    if len(others) > _LINES_SHOWN:
        told.append(words("uo_left_more", count=count(len(others) - _LINES_SHOWN, words)))
    return LeftView(secret, words("uo_left_heading", count=count(len(others), words)), "\n".join(told))


def added_view(added: Added, words: Words) -> LeftView:
    """What a notice says after files were brought in."""
    view = left_view(added.left, words)
    stopped = words("uo_left_stopped") if added.interrupted else ""
    return _with(LeftView(view.secret, *_first(view.heading, stopped, under=view.lines)), _noted(added.notes), words)


def inbox_view(came: Sequence[InboxLook], words: Words) -> LeftView:
    """What a notice says of documents that came by the inbox folder."""
    added = sum(len(look.added) for look in came)
    view = left_view([left for look in came for left in look.refused], words)
    heading = words("ul_inbox_new", count=count(added, words)) if added else ""
    faults = [look.fault for look in came if look.fault is not None]
    more = [*faults, *_noted([note for look in came for note in look.notes])]
    return _with(LeftView(view.secret, *_first(heading, view.heading, under=view.lines)), more, words)


def _first(heading: str, other: str, *, under: str) -> tuple[str, str]:
    """The first that is said is the heading; the rest stands below it."""
    below = other if heading else ""
    return heading or other, "\n".join(part for part in (below, under) if part)


def _noted(notes: Sequence[Note]) -> list[KnownError]:
    return [KnownError(note.code, **note.params) for note in notes]


def _with(view: LeftView, more: Sequence[KnownError], words: Words) -> LeftView:
    """The view, and below it what else is to be known; one thing alone has the notice for itself."""
    if not more:
        return view
    told = [words.explain(error) for error in more]
    if len(told) == 1 and not view.heading:
        return LeftView(view.secret, told[0].what, told[0].why, told[0].do)
    lines = [view.lines, *(_in_a_line(one) for one in told[:_LINES_SHOWN])]
    if len(told) > _LINES_SHOWN:
        lines.append(words("ul_notes_more", count=count(len(told) - _LINES_SHOWN, words)))
    heading = view.heading or words("ul_notes_heading", count=count(len(told), words))
    return LeftView(view.secret, heading, "\n".join(line for line in lines if line))


def _in_a_line(told: Explanation) -> str:
    return " ".join(part for part in (told.what, told.why, told.do) if part)


@dataclass(frozen=True)
class PasteView:
    """What a paste would do: a question, what is in the way, and whether there is anything to paste at all."""

    question: str
    problems: str
    possible: bool


def paste_view(pasted: Pasted, documents: int, words: Words) -> PasteView:
    """What pasting these cells into so many documents would change."""
    rows = [row for row in pasted.rows[:documents] if row.changes is not None and row.changes != Changes()]
    often: Counter[str] = Counter()
    for row in rows:
        often.update(name for name in Changes.__struct_fields__ if _given(row.changes, name))
    fields = [
        words("uo_paste_field", count=count(often[name], words), field=words(f"uo_field_{name}"))
        for name in Changes.__struct_fields__
        if often[name] and not (name == "notation" and often["number"])
    ]
    problems = [
        words("uo_paste_fault", row=fault.row, what=words.explain(fault.error).what)
        for fault in pasted.faults[:_LINES_SHOWN]
    ]
    if len(pasted.faults) > _LINES_SHOWN:
        problems.append(words("uo_paste_faults_more", count=count(len(pasted.faults) - _LINES_SHOWN, words)))
    if pasted.faults:
        problems.append(words("uo_paste_faulty"))
    if len(pasted.rows) > documents:
        problems.append(words("uo_paste_over", count=count(len(pasted.rows) - documents, words)))
    if pasted.ignored:
        problems.append(words("uo_paste_ignored", names=", ".join(pasted.ignored)))
    asked = words("uo_paste_ask", count=count(len(rows), words), fields=" · ".join(fields))
    return PasteView(asked if rows else words("uo_paste_nothing_read"), "\n".join(problems), bool(rows))


def _given(changes: Changes | None, name: str) -> bool:
    return getattr(changes, name, msgspec.UNSET) is not msgspec.UNSET


def is_one_cell(text: str) -> bool:
    """Whether a clipboard holds a single value, which goes into the current cell alone."""
    return "\t" not in text and "\n" not in text.strip("\r\n")
