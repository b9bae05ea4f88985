"""The signatures of one file put in order of time, and the integrity of each.

Runs in a worker. Takes the signatures as `found` opened them, compares the states that they closed, and lets `rules`
judge. A fault while looking at one signature or step makes those signatures broken or
unreadable that depend on it, never better.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyhanko.pdf_utils import generic

from signer_app.pdf.geometry import UserBox
from signer_app.verification.cross_check import same_picture
from signer_app.verification.differences import Difference, differences
from signer_app.verification.drawing import Pages
from signer_app.verification.faults import BrokenError, LimitError, UnreadableError
from signer_app.verification.found import Finder, FoundSignature, odd
from signer_app.verification.ink import InkQuestion, Look, covered
from signer_app.verification.model import Change, ChangeKind, Integrity, TrustMaterial
from signer_app.verification.reading import Memory
from signer_app.verification.revision import Revision, Widget, key_of
from signer_app.verification.rules import MAX_SHARE_OF_PAGE, Judge, State, Step
from signer_app.verification.second_opinion import SecondOpinion, has_unused_objects
from signer_app.verification.source import SourceFile
from signer_app.verification.traces import match_traces

__all__ = ["FoundSignature", "Opened", "SignedDocument", "opened"]

_MAX_SIGNATURES = 200


@dataclass
class Opened:
    """An open file, for several who look at it one after the other: pictures and objects are made once.

    `final` is the file as it is, by the reader that could read it; None when none could. `states` are the signed states
    that were read with it, by where the file ended.
    """

    source: SourceFile
    pages: Pages
    final: Revision | None = None
    states: Mapping[int, Revision] = field(default_factory=dict)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Raises OSError, and UnreadableError for an empty file."""
    with SourceFile(path) as source, closing(Pages(source)) as pages:
        yield Opened(source, pages)


class SignedDocument:
    """All signatures of a file, oldest first, with their integrity."""

    def __init__(self, source: SourceFile, *, strict: bool, opened: Opened | None = None) -> None:
        self._source = source
        self._opened = opened
        self._strict = strict
        self.final = Revision(source, source.last_ending(), Memory(), strict=strict)
        if strict and self.final.reader.xrefs.hybrid_xrefs_present:
            # Word writes hybrid files; pyHanko's strict mode has no answer for them.
            raise UnreadableError("verify_damaged")
        if opened is not None:
            opened.final = self.final

    def signatures(self) -> list[FoundSignature]:
        """Looks at every filled signature field. Raises UnreadableError for the file as a whole."""
        filled = [
            (one, signature)
            for one in self.final.fields.values()
            if (signature := self.final.signature_of(one)) is not None
        ]
        if len(filled) > _MAX_SIGNATURES:
            raise LimitError
        traces = match_traces(self._source, self.final, [signature for _, signature in filled])
        if traces.hidden and not filled:
            raise UnreadableError("verify_signature_hidden")
        untraced = {filled[number][0].name for number in traces.untraced}
        finder = Finder(self._source, self.final, self._dss(self.final, "/Certs"), strict=self._strict)
        found = finder.find(filled)
        if self._opened is not None:
            self._opened.states = finder.revisions
        ordered = self._numbered(found)
        try:
            self.final.check_ending()
            if not self._source.only_blank(self.final.end):
                raise BrokenError("verify_after_end")
        except BrokenError as error:
            return [replace(one, integrity=Integrity.BROKEN, fault=error.code) for one in ordered]
        # A signature that can't be reached any more might have covered what the others don't; one that is packed away
        # or written in disguise was put there by nobody who signs.
        return [
            replace(one, integrity=Integrity.UNREADABLE, fault="verify_signature_hidden")
            if one.integrity in {Integrity.INTACT, Integrity.CHANGED} and (traces.hidden or one.field.name in untraced)
            else one
            for one in self._judged(ordered)
        ]

    # All together

    @staticmethod
    def _numbered(found: Sequence[FoundSignature]) -> list[FoundSignature]:
        ends = sorted({one.range.end for one in found if one.range})
        return [
            one
            if one.state is None or one.range is None
            else replace(
                one,
                state=replace(
                    one.state,
                    index=ends.index(one.range.end),
                    good=one.integrity is Integrity.INTACT,
                ),
            )
            for one in found
        ]

    def _judged(self, found: list[FoundSignature]) -> list[FoundSignature]:
        states = [one.state for one in found if one.state is not None]
        pages = self._opened.pages if self._opened is not None else Pages(self._source)
        try:
            steps, faults, doubts = self._steps(states, pages)
            look = _PageLooks(self._source, pages)
            undecided = {one.field.name for one in found if one.is_timestamp and one.integrity is Integrity.UNREADABLE}
            for step in steps:
                if any(d.kind is ChangeKind.TIMESTAMP and d.field in undecided for d in step.differences):
                    doubts.setdefault(step.start, "verify_timestamp_unreadable")
            judge = Judge(states, steps, look.check, undecided)
            return [_in_doubt(self._judge_one(one, judge, look, faults), doubts) for one in found]
        finally:
            if self._opened is None:
                pages.close()

    def _judge_one(
        self, one: FoundSignature, judge: Judge, look: "_PageLooks", faults: dict[int, str]
    ) -> FoundSignature:
        if one.state is None or one.integrity is not Integrity.INTACT:
            return one
        state = one.state
        fault = next((code for start, code in faults.items() if start >= state.index), None)
        if fault is not None:
            return replace(one, integrity=Integrity.UNREADABLE, fault=fault)
        try:
            integrity, changes = judge.judge(state)
        except UnreadableError as error:
            return replace(one, integrity=Integrity.UNREADABLE, fault=error.code)
        except Exception as error:  # noqa: BLE001  # PDFium and pyHanko on odd files
            return replace(one, integrity=Integrity.UNREADABLE, fault=odd(error, strict=self._strict))
        if integrity is Integrity.INTACT and (pages := look.unexplained.get(state.index)):
            changes = (*changes, *(_unexplained(page) for page in sorted(pages)))
            return replace(one, integrity=Integrity.UNREADABLE, fault="verify_page_differs", changes=changes)
        return replace(one, integrity=integrity, changes=changes)

    def _steps(self, states: Sequence[State], pages: Pages) -> tuple[list[Step], dict[int, str], dict[int, str]]:
        """What changed after each signed state; by the number of the state the faults met on the way, and the doubts of
        others about what a person sees after it.
        """
        revisions = {state.index: state.revision for state in states}
        order = [revisions[index] for index in sorted(revisions)]
        others = SecondOpinion(self._source, self.final, pages, len(order))
        steps: list[Step] = []
        faults: dict[int, str] = {}
        doubts: dict[int, str] = {}
        for number, old in enumerate(order):
            last = number == len(order) - 1
            if last and self._source.only_blank(old.end):
                continue
            new = self.final if last else order[number + 1]
            start = sorted(revisions)[number]
            try:
                found = differences(old, new)
                opinion = others.of(old, new, found)
                if opinion.doubt is not None:
                    doubts[start] = opinion.doubt
                if opinion.suspicious:
                    found.append(Difference(ChangeKind.UNEXPLAINED))
                if not found or (last and has_unused_objects(old, new)):
                    found.append(Difference(ChangeKind.UNUSED_OBJECTS))
                steps.append(Step(start, tuple(found)))
            except UnreadableError as error:
                faults[start] = error.code
            except Exception as error:  # noqa: BLE001  # pyHanko fails with many types on odd files
                faults[start] = odd(error, strict=self._strict)
        return steps, faults, doubts

    def validation_data(self) -> TrustMaterial:
        """Certificates (as supporting), CRLs and OCSP responses in the document's /DSS as it is now."""
        return TrustMaterial(
            intermediates=self._dss(self.final, "/Certs"),
            crls=self._dss(self.final, "/CRLs"),
            ocsps=self._dss(self.final, "/OCSPs"),
        )

    @staticmethod
    def has_revocation_data(revision: Revision) -> bool:
        """Whether the document's /DSS at that time held any CRL or OCSP response."""
        dss = revision.entry(revision.root, "/DSS")
        return isinstance(dss, generic.DictionaryObject) and any(
            revision.array(dict.get(dss, key)) for key in ("/CRLs", "/OCSPs")
        )

    @staticmethod
    def _dss(revision: Revision, key: str) -> tuple[bytes, ...]:
        dss = revision.entry(revision.root, "/DSS")
        if not isinstance(dss, generic.DictionaryObject):
            return ()
        found = []
        for raw in revision.array(dict.get(dss, key))[:_MAX_SIGNATURES]:
            stream = revision.resolve(raw)
            if isinstance(stream, generic.StreamObject):
                try:
                    found.append(bytes(stream.data))
                except Exception:  # noqa: BLE001, S112  # evidence that can't be decoded is no evidence
                    continue
        return tuple(found)


class _PageLooks:
    """The pictures of pages with a visible change, for the ink rule; and what in them nobody can explain.

    `unexplained` holds pages (from 0) by the number of the signed state since which they look different somewhere
    that no known change touches.
    """

    def __init__(self, source: SourceFile, pages: Pages) -> None:
        self._source = source
        self._pages = pages
        self.unexplained: dict[int, set[int]] = {}

    def check(self, state: State, number: int, found: Sequence[Difference]) -> Look:
        """Where the ink of a page of a signed state is covered in the file as it is now."""
        revision, page = state.revision, state.revision.pages[number]
        free = [
            widget.box
            for one in revision.fields.values()
            if one.type == "/Sig"
            for widget in one.widgets
            if widget.box is not None
            and widget.page == number
            and widget.visible
            and revision.share_of_page(widget) <= MAX_SHARE_OF_PAGE
        ]
        redrawn = [widget for difference in found for widget in difference.repaint]
        repaint = _boxes(number, redrawn)
        own = {widget.key for widget in redrawn}
        kept = [
            box
            for raw in page.annotations
            if key_of(raw) not in own
            and isinstance(note := revision.resolve(raw), generic.DictionaryObject)
            and (box := revision.box(dict.get(note, "/Rect"))) is not None
        ]
        ends = revision.end, self._source.size
        look = covered(self._pages, InkQuestion(number, page.frame, *ends, free, repaint, kept))
        known = repaint + _boxes(number, (widget for difference in found for widget in difference.widgets))
        if not same_picture(self._pages, page, ends, known):
            self.unexplained.setdefault(state.index, set()).add(number)
        return look


def _boxes(page: int, widgets: Iterable[Widget]) -> list[UserBox]:
    return [widget.box for widget in widgets if widget.box is not None and widget.page == page]


def _in_doubt(one: FoundSignature, doubts: dict[int, str]) -> FoundSignature:
    """A signature that would pass, after which something came that readers take differently; its changes are kept."""
    passes = one.integrity in {Integrity.INTACT, Integrity.CHANGED}
    index = one.state.index if one.state is not None else 0
    doubt = next((code for start, code in doubts.items() if start >= index), None)
    return replace(one, integrity=Integrity.UNREADABLE, fault=doubt) if passes and doubt is not None else one


def _unexplained(page: int) -> Change:
    """A page that looks different where no known change touches it: a change that we can't explain."""
    kind = ChangeKind.UNEXPLAINED
    return Change(kind, page + 1, f"verify_change_{kind}", {"page": page + 1}, allowed=True, harmless=False)
