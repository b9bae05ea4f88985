"""What the choice of receivers says: each line with whom it means and how it goes, what may be found, the sums.

Pure values in and out; loads no Qt. A line is text as somebody wrote it: it is shown, never taken for a code by its
look where a directory is there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from signer_app.desk.receivers import reason_words
from signer_app.exchange.receivers import Line, LineState, Reach, Resolution
from signer_app.store.directory import Organisation
from signer_app.store.receivers import PaperReason, PaperReceiver, ReceiverGroup
from signer_ui.glow import Glow
from signer_ui.presenters.figures import count
from signer_ui.presenters.grid import fold
from signer_ui.words import Words

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{1,63}")
"""How an organisation's code may look."""


@dataclass(frozen=True)
class Choice:
    """Whom a document goes to (codes), and who gets it on paper."""

    codes: tuple[str, ...] = ()
    paper: tuple[PaperReceiver, ...] = ()


@dataclass(frozen=True)
class Said:
    """Lines as they are understood now; `on_paper` are codes that get this one document on paper though they could be
    reached.
    """

    resolution: Resolution = field(default_factory=Resolution)
    on_paper: Mapping[str, PaperReason] = field(default_factory=dict)

    @property
    def choice(self) -> Choice:
        """What comes of it."""
        found = self.resolution
        reaches = [reach for line in found.lines for reach in line.reaches if reach.reason is None]
        kept = {
            reach.code: PaperReceiver(name=reach.name, code=reach.code, reason=self.on_paper[reach.code])
            for reach in reaches
            if reach.code in self.on_paper
        }
        codes = tuple(code for code in found.codes if code not in self.on_paper)
        return Choice(codes, (*found.paper, *kept.values()))

    @property
    def asked(self) -> int:
        """Lines of which a person has to say what they mean."""
        return len(self.resolution.asked)

    def summary(self, words: Words) -> str:
        """How many go which way."""
        choice = self.choice
        return words(
            "uq_r_sum",
            codes=count(len(choice.codes), words),
            paper=count(len(choice.paper), words),
            asked=count(self.asked, words),
        )


@dataclass(frozen=True)
class LineView:
    """A line of the list: its words, its light, and what can be said of it."""

    text: str
    glow: Glow
    asks: bool = False
    may_be_paper: bool = False
    remembered: bool = False


def line_view(line: Line, on_paper: Mapping[str, PaperReason], words: Words) -> LineView:
    """One line in words."""
    if line.state is LineState.ASK:
        return LineView(words("uq_r_line_ask", name=line.text), Glow.BAD, asks=True)
    if line.state is LineState.NOBODY:
        return LineView(words("uq_r_line_nobody", name=line.text), Glow.OFF, remembered=line.remembered)
    if not line.reaches:
        reason = reason_words(PaperReason.CHOSEN, words.lang)
        told = words("uq_r_line_paper", name=line.text, reason=reason)
        return LineView(told, Glow.WARN, remembered=line.remembered)
    told = "\n".join(_reach(reach, on_paper, words) for reach in line.reaches)
    papers = [reach.reason is not None or reach.code in on_paper for reach in line.reaches]
    return LineView(
        told,
        Glow.WARN if all(papers) else Glow.GOOD,
        may_be_paper=not all(papers),
        remembered=line.remembered,
    )


def _reach(reach: Reach, on_paper: Mapping[str, PaperReason], words: Words) -> str:
    reason = reach.reason or on_paper.get(reach.code)
    if reason is not None:
        return words("uq_r_line_paper", name=reach.name, reason=reason_words(reason, words.lang))
    if reach.replaced:
        return words("uq_r_line_successor", name=reach.asked, successor=reach.name, code=reach.code)
    return words("uq_r_line_electronic", name=reach.name, code=reach.code)


@dataclass(frozen=True)
class Offer:
    """Something that was found: what the list says, what is added as a line, the codes it stands for."""

    text: str
    line: str
    codes: tuple[str, ...]
    group: str = ""
    """The group's name, if it is one."""


def offers(
    typed: str, found: Sequence[Organisation], groups: Sequence[ReceiverGroup], words: Words
) -> tuple[Offer, ...]:
    """Groups whose name holds what was typed, then bodies."""
    wanted = fold(typed).split()
    told = [
        Offer(
            words("uq_r_group", name=group.name, count=count(len(group.codes), words)),
            group.name,
            group.codes,
            group.name,
        )
        for group in groups
        if all(part in fold(group.name) for part in wanted)
    ]
    for org in found:
        key = "uq_r_body" if org.active else "uq_r_body_gone"
        told.append(Offer(words(key, name=org.name, code=org.code), org.code, (org.code,)))
    return tuple(told)
