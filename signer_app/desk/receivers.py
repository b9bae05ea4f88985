"""Receivers as the window shows and asks for them: what lines mean, whom to choose, groups, who gets it on paper.

Main process, any thread; blocks. Reads over a connection of its own, so that no signing waits for a reader; what a
person says is kept at once, and for the body, so that nobody is asked twice.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from signer_app.desk.reading import reading
from signer_app.exchange.receivers import Reach, Resolution, clean, lines_of, part, reach, resolve
from signer_app.outgoing.again import wish_of
from signer_app.store.directory import Organisation
from signer_app.store.model import FileRole
from signer_app.store.receivers import KnownLine, PaperReason, PaperReceiver, ReceiverGroup
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError
from signer_resources.messages import Lang, text

MOST = 50
"""Bodies in one answer to a search."""


@dataclass(frozen=True)
class DirectoryDay:
    """Of which day the directory is; `known` False: no server has told one yet."""

    known: bool
    fetched_at: dt.datetime | None


@dataclass(frozen=True)
class Chosen:
    """What was typed or chosen for a document: whom it goes to, who gets it on paper, and what is still to be asked."""

    codes: tuple[str, ...]
    paper: tuple[PaperReceiver, ...]
    resolution: Resolution


class ReceiversDesk:
    """The receivers of one workspace's bodies (by their codes)."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def day(self) -> DirectoryDay:
        """How old the directory is."""
        with reading(self._space).view() as view:
            return DirectoryDay(view.directory.is_known(), view.directory.fetched_at())

    def search(self, words: str, limit: int = MOST) -> tuple[Organisation, ...]:
        """Bodies whose name or code has words that begin so, without regard to diacritics; quick at each key."""
        with reading(self._space).view() as view:
            return view.directory.search(words, limit)

    def resolve(self, body: str, lines: Iterable[str]) -> Chosen:
        """What lines of Nơi nhận mean."""
        with reading(self._space).view() as view:
            found = resolve(view, body, lines)
        return Chosen(found.codes, found.paper, found)

    def read(self, body: str, typed: str) -> Chosen:
        """What a person typed or pasted: names, codes and groups, parted by line ends or semicolons."""
        return self.resolve(body, lines_of(typed))

    def of_kept(self, document_id: str) -> tuple[str, ...]:
        """Lines to choose from for a document that was signed and kept: the codes that it was to be sent to, then the
        lines of its page that nobody had explained. Empty where that is no longer known.
        """
        with reading(self._space).view() as view:
            files = view.documents.files(document_id)
            wish = next((wish_of(view, file) for file in files if file.role is FileRole.MAIN), None)
        if wish is None:
            return ()
        return (*wish.receivers, *(wish.page.asked if wish.page is not None else ()))

    def reach(self, codes: Iterable[str]) -> tuple[Reach, ...]:
        """How each of these codes can be reached now."""
        with reading(self._space).view() as view:
            return reach(view, codes)

    # ---- what a line means

    def means(self, body: str, line: str, codes: Sequence[str]) -> None:
        """The clerk says which bodies a line means; remembered for the body. KnownError "receiver_code_unknown"."""
        self._require(codes)
        self._remember(body, KnownLine(line=clean(line), codes=tuple(dict.fromkeys(codes))))

    def means_nobody(self, body: str, line: str) -> None:
        """There is nobody to send to in this line."""
        self._remember(body, KnownLine(line=clean(line)))

    def means_paper(self, body: str, line: str) -> None:
        """Whoever this line means gets it on paper."""
        self._remember(body, KnownLine(line=clean(line), paper=True))

    def ask_again(self, body: str, line: str) -> None:
        """What was said of a line is forgotten."""
        self._space.store.write(lambda tx: tx.receivers.forget(body, clean(line)))

    # ---- groups

    def groups(self, body: str) -> tuple[ReceiverGroup, ...]:
        """The body's groups, by name."""
        with reading(self._space).view() as view:
            return view.receivers.groups(body)

    def save_group(self, body: str, name: str, codes: Sequence[str]) -> None:
        """Keeps a group in place of one of the same name. KnownError "receiver_group_empty" without a name or members,
        "receiver_code_unknown".
        """
        named = clean(name)
        if not named or not codes:
            raise KnownError("receiver_group_empty")
        self._require(codes)
        group = ReceiverGroup(name=named[:200], codes=tuple(dict.fromkeys(codes)))
        self._space.store.write(lambda tx: tx.receivers.put_group(body, group, self._space.now()))

    def remove_group(self, body: str, name: str) -> None:
        """The group is no more; its members stay in the directory."""
        self._space.store.write(lambda tx: tx.receivers.remove_group(body, clean(name)))

    # ---- on paper

    def paper(self, subject: str) -> tuple[PaperReceiver, ...]:
        """Who gets this document, or draft, on paper."""
        with reading(self._space).view() as view:
            return view.receivers.paper(subject)

    def put_paper(self, subject: str, receivers: Sequence[PaperReceiver]) -> None:
        """Keeps who gets it on paper; what was said to be sent so already stays."""
        self._space.store.write(lambda tx: tx.receivers.put_paper(subject, receivers, self._space.now()))

    def keep_on_paper(self, subject: str, codes: Iterable[str], *, by_law: bool) -> tuple[PaperReceiver, ...]:
        """These receivers get it on paper though they could be reached: because the law keeps paper, or the clerk says
        so. Who gets it on paper now.
        """
        reason = PaperReason.LAW if by_law else PaperReason.CHOSEN
        with reading(self._space).view() as view:
            before = view.receivers.paper(subject)
            chosen = reach(view, codes)
        more = [PaperReceiver(name=one.name, code=one.asked, reason=one.reason or reason) for one in chosen]
        known = {one.code for one in before if one.code is not None}
        after = (*before, *(one for one in more if one.code not in known))
        self.put_paper(subject, after)
        return after

    def unreachable(self, subject: str, codes: Iterable[str]) -> tuple[str, ...]:
        """Puts those of `codes` on a document's paper list who can be reached on paper alone; the codes to send to.

        To be asked right before a document is queued: the directory may be another one than when it was written.
        """
        with reading(self._space).view() as view:
            before = view.receivers.paper(subject)
            parted = part(view, before, codes)
        if parted.paper:
            self.put_paper(subject, (*before, *parted.paper))
        return parted.send

    def paper_waiting(self) -> tuple[str, ...]:
        """Signed documents of which a copy on paper is still to be sent, the oldest first."""
        with reading(self._space).view() as view:
            return view.receivers.paper_open()

    def paper_sent(self, subject: str, position: int) -> None:
        """A person says that the copy at this place of the list was sent. KnownError "paper_copy_gone"."""
        space = self._space
        try:
            space.store.write(lambda tx: tx.receivers.paper_done(subject, position, space.now(), operator_name()))
        except ValueError as error:
            raise KnownError("paper_copy_gone") from error

    # ---- pieces

    def _remember(self, body: str, known: KnownLine) -> None:
        space = self._space
        if not known.line:
            raise KnownError("receiver_line_empty")
        space.store.write(lambda tx: tx.receivers.remember(body, known, space.now(), operator_name()))

    def _require(self, codes: Sequence[str]) -> None:
        """Only bodies of the directory are chosen, where there is one."""
        with reading(self._space).view() as view:
            if not view.directory.is_known():
                return
            found = view.directory.many(codes)
        unknown = [code for code in codes if code not in found]
        if unknown:
            raise KnownError("receiver_code_unknown", codes=", ".join(unknown))


def reason_words(reason: PaperReason, lang: Lang) -> str:
    """Why somebody gets a document on paper, in words."""
    return text(f"receiver_paper_{reason.value}", lang)
