"""Whom the lines of Nơi nhận mean, and how each of them can be reached: through the exchange, or on paper.

Pure over a view of the store; any process. Nothing is guessed: a line means a body when the directory has exactly one
of that name, when it gives a code, when it is the name of a group, or when the clerk has said so before. All else is
asked, once.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from signer_app.pdf.names import fold, same_body
from signer_app.store.directory import Organisation
from signer_app.store.receivers import KnownLine, PaperReason, PaperReceiver, ReceiverGroup, line_key
from signer_app.store.store import View

CANDIDATES: Final = 8
"""So many bodies are offered for a line that nobody knows."""

_REMARK: Final = re.compile(r"\(([^()]*)\)")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{1,63}")
_FILE_COPY: Final = re.compile(r"luu\b")
_REFERENCE: Final = re.compile(
    r"nhu (?:tren|noi gui|(?:phan |noi )?kinh (?:gui|moi)|thanh phan|danh sach|phu luc"
    r"|(?:dieu|khoan|muc|phan|diem|chuong) [0-9ivx]+\w?)\b"
)
"""What stands in Nơi nhận and is nobody to send to (NĐ 30/2020, appendix I, ô 9b): the file copy, and what only points
to another part of the document.
"""
_KEPT_ON_PAPER: Final = frozenset({PaperReason.LAW, PaperReason.CHOSEN, PaperReason.LOCKED})
_PAPER_CHANNELS: Final = frozenset({"paper", "giay", "post", "buu dien"})


class LineState(StrEnum):
    """What is known of a line."""

    FOUND = "found"
    NOBODY = "nobody"
    """Nobody to send to."""
    PAPER = "paper"
    """The clerk said that this one gets it on paper."""
    ASK = "ask"


@dataclass(frozen=True)
class Reach:
    """How a body can be reached. `code` is where it is sent: the successor's, where the body was replaced; `asked` the
    code that was given. `reason` is set where it can't be reached but on paper.
    """

    code: str
    asked: str
    name: str
    reason: PaperReason | None = None

    @property
    def replaced(self) -> bool:
        """Whether another body stands in its place now."""
        return self.code != self.asked


@dataclass(frozen=True)
class Line:
    """One line: as it stands, what is known of it, the bodies it means, and for ASK the bodies it may mean."""

    text: str
    state: LineState
    reaches: tuple[Reach, ...] = ()
    candidates: tuple[Organisation, ...] = ()
    remembered: bool = False


@dataclass(frozen=True)
class Resolution:
    """All lines of a document."""

    lines: tuple[Line, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Whom to send it to, each once."""
        found = (reach.code for line in self.lines for reach in line.reaches if reach.reason is None)
        return tuple(dict.fromkeys(found))

    @property
    def named(self) -> tuple[str, ...]:
        """All bodies that are meant, those who get it on paper too, each once."""
        return tuple(dict.fromkeys(reach.code for line in self.lines for reach in line.reaches))

    @property
    def paper(self) -> tuple[PaperReceiver, ...]:
        """Who gets it on paper, each once."""
        found: dict[tuple[str | None, str], PaperReceiver] = {}
        for line in self.lines:
            if line.state is LineState.PAPER and not line.reaches:
                found.setdefault((None, line.text), PaperReceiver(name=line.text, reason=PaperReason.CHOSEN))
            for one in paper_list(line.reaches):
                found.setdefault((one.code, one.name), one)
        return tuple(found.values())

    @property
    def asked(self) -> tuple[Line, ...]:
        """Lines of which a person has to say what they mean."""
        return tuple(line for line in self.lines if line.state is LineState.ASK)

    @property
    def referred(self) -> tuple[str, ...]:
        """Lines that only point to another part of the document ("Như Điều 3"), where others may be named."""
        points = (line for line in self.lines if line.state is LineState.NOBODY and not line.remembered)
        return tuple(line.text for line in points if _REFERENCE.match(fold(line.text)))


@dataclass(frozen=True)
class Parted:
    """Receivers parted by how they get a document: the codes to send it to, and those who come on its paper list."""

    send: tuple[str, ...] = ()
    paper: tuple[PaperReceiver, ...] = ()
    """Without those who are on it already."""


def resolve(view: View, body_code: str, lines: Iterable[str], *, candidates: bool = True) -> Resolution:
    """What the lines of Nơi nhận of this body's document mean. Without `candidates` nobody is offered for those that
    are to be asked, which costs a search each.
    """
    texts = [text for line in lines if (text := clean(line))]
    known = view.receivers.lines(body_code, texts)
    groups = {line_key(group.name): group for group in view.receivers.groups(body_code)}
    found = (_line(view, body_code, text, known, groups) for text in texts)
    offered = (
        replace(one, candidates=_candidates(view, one.text)) if candidates and one.state is LineState.ASK else one
        for one in found
    )
    return Resolution(tuple(offered))


def reach(view: View, codes: Iterable[str]) -> tuple[Reach, ...]:
    """How each of these codes can be reached. Where no directory is known at all, every code is taken at its word."""
    wanted = list(dict.fromkeys(codes))
    if not view.directory.is_known():
        return tuple(Reach(code, code, code) for code in wanted)
    found = view.directory.many(wanted)
    return tuple(_reach(view, code, found.get(code)) for code in wanted)


def part(view: View, before: Sequence[PaperReceiver], codes: Iterable[str], *, at_their_word: bool = False) -> Parted:
    """How receivers of a document (or draft) get it whose paper list is `before`, right before it is queued: the
    directory may be another one than when it was written. Whom the law or the clerk keeps on paper, or the exchange has
    locked, is not sent to. `at_their_word`: codes that the directory doesn't have are sent to all the same, for the
    server to judge.
    """
    reaches = reach(view, codes)
    if at_their_word:
        reaches = tuple(replace(one, reason=None) if one.reason is PaperReason.UNKNOWN else one for one in reaches)
    told = {one.code for one in before}
    kept = {one.code for one in before if one.reason in _KEPT_ON_PAPER}
    send = (one.code for one in reaches if one.reason is None and kept.isdisjoint((one.asked, one.code)))
    more = tuple(one for one in paper_list(reaches) if one.code not in told)
    return Parted(tuple(dict.fromkeys(send)), more)


def paper_list(reaches: Iterable[Reach]) -> tuple[PaperReceiver, ...]:
    """Those of them who can be reached on paper alone."""
    return tuple(
        PaperReceiver(name=one.name, code=one.asked, reason=one.reason) for one in reaches if one.reason is not None
    )


def clean(line: str) -> str:
    """A line as its words say it: without bullet, closing mark and line end. "" for a line without words."""
    text = " ".join(unicodedata.normalize("NFC", line).split())
    text = text.strip(" -–—+*•·;,").removesuffix(".").rstrip(" ;,/.")
    return "" if not fold(text) or fold(text) == "noi nhan" else text


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a text that was typed or pasted: parted by line ends and semicolons."""
    return tuple(found for part in re.split(r"[;\n]", text) if (found := clean(part)))


def _line(view: View, own: str, text: str, known: Mapping[str, KnownLine], groups: Mapping[str, ReceiverGroup]) -> Line:
    said = known.get(line_key(text))
    if said is not None:
        if said.codes:
            return Line(text, LineState.FOUND, reach(view, _without(own, said.codes)), remembered=True)
        return Line(text, LineState.PAPER if said.paper else LineState.NOBODY, remembered=True)
    if _FILE_COPY.match(fold(text)) or _REFERENCE.match(fold(text)):
        return Line(text, LineState.NOBODY)
    codes = _codes(view, text, groups)
    if codes:
        others = _without(own, codes)
        return Line(text, LineState.FOUND if others else LineState.NOBODY, reach(view, others))
    return Line(text, LineState.ASK)


def _codes(view: View, text: str, groups: Mapping[str, ReceiverGroup]) -> tuple[str, ...]:
    """The codes that a line names without any doubt."""
    group = groups.get(line_key(text))
    if group is not None:
        return group.codes
    bare = " ".join(_REMARK.sub(" ", text).split())
    in_brackets = [found.strip() for found in _REMARK.findall(text)]
    written = [word for word in (text, *in_brackets) if _CODE.fullmatch(word)]
    told = [code for code in written if code in view.directory.many(written)]
    if told:
        return (told[0],)
    for name in dict.fromkeys((text, bare)):
        found = [one for one in view.directory.named(name) if same_body(one.name, name)]
        # Of two bodies of one name, the one that still receives; of two that do, nobody can tell.
        found = [one for one in found if one.active] or found
        if len(found) == 1:
            return (found[0].code,)
    return ()


def _candidates(view: View, text: str) -> tuple[Organisation, ...]:
    """Bodies that a line may mean, likely ones first: fewer of its words are asked for until some are found."""
    bare = _REMARK.sub(" ", text)
    words = fold(bare).split()
    for count in range(len(words), max(len(words) // 2, 1) - 1, -1):
        if found := view.directory.search(" ".join(words[:count]), CANDIDATES, active_only=True):
            return found
    return ()


def _reach(view: View, code: str, body: Organisation | None) -> Reach:
    if body is None:
        return Reach(code, code, code, PaperReason.UNKNOWN)
    if not body.active or body.replaced_by is not None:
        after = view.directory.successor(code)
        if after is not None and after.active and after.code != code:
            return Reach(after.code, code, after.name, _no_channel(after))
    if not body.active:
        return Reach(code, code, body.name, PaperReason.INACTIVE)
    return Reach(code, code, body.name, _no_channel(body))


def _no_channel(body: Organisation) -> PaperReason | None:
    only_paper = body.channels and all(fold(channel) in _PAPER_CHANNELS for channel in body.channels)
    return PaperReason.NO_CHANNEL if only_paper else None


def _without(own: str, codes: Sequence[str]) -> tuple[str, ...]:
    """A body does not send to itself."""
    return tuple(code for code in codes if code != own)
