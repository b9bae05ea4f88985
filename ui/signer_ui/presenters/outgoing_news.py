"""What the pane of outgoing documents says of files that were not taken, and of what a paste would change.

Pure values in and out; loads no Qt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from signer_app.desk.inbox_folder import InboxLook
from signer_app.outgoing.model import Added, Changes, Left
from signer_app.outgoing.paste import Pasted
from signer_ui.presenters.figures import count
from signer_ui.words import Words

_LINES_SHOWN = 6


@dataclass(frozen=True)
class LeftView:
    """Files that were not taken: what a notice says of them. Secret ones are told apart, strongly."""

    secret: tuple[str, ...] = ()
    heading: str = ""
    lines: str = ""


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
    if not added.interrupted:
        return view
    stopped = words("uo_left_stopped")
    return LeftView(
        view.secret, view.heading or stopped, "\n".join(filter(None, (view.lines, view.heading and stopped)))
    )


def inbox_view(came: Sequence[InboxLook], words: Words) -> LeftView:
    """What a notice says of documents that came by the inbox folder."""
    added = sum(len(look.added) for look in came)
    faults = [look.fault for look in came if look.fault is not None]
    view = left_view([left for look in came for left in look.refused], words)
    heading = words("ul_inbox_new", count=count(added, words)) if added else ""
    told = [view.heading if heading else "", view.lines]
    told += [str(words.explain(fault)) for fault in faults]
    lines = "\n".join(part for part in told if part)
    return LeftView(view.secret, heading or view.heading or (words("ul_inbox_fault") if faults else ""), lines)


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
