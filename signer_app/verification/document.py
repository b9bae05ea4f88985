"""The signatures of one file put in order of time, and the integrity of each.

Runs in a worker. Opens the state that each signature closed, checks range, history and CMS, compares successive
states, and lets `rules` judge. A fault while looking at one signature or step makes those signatures broken or
unreadable that depend on it, never better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfStrictReadError

from signer_app.verification import cms
from signer_app.verification.comparison import Comparison
from signer_app.verification.differences import Difference, differences
from signer_app.verification.faults import BrokenError, LimitError, UnreadableError
from signer_app.verification.ink import InkQuestion, Pages, covered
from signer_app.verification.model import Change, ChangeKind, Integrity, TrustMaterial
from signer_app.verification.permissions import Permissions, read_permissions
from signer_app.verification.revision import FormField, Revision, Widget
from signer_app.verification.rules import MAX_SHARE_OF_PAGE, Judge, State, Step
from signer_app.verification.second_opinion import EXPLAINED, finds_suspicious, has_unused_objects
from signer_app.verification.source import SignedRange, SourceFile

_MAX_SIGNATURES = 200
_DETACHED = frozenset({"/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/PBAD.PAdES"})
_TIMESTAMP = "/ETSI.RFC3161"


@dataclass(frozen=True)
class FoundSignature:
    """A filled signature field and what was found out about it, apart from trust.

    `fault` is the code of what is wrong with it. `signed` is set when the CMS is right; `token` for a document
    timestamp. `claimed` is the raw /M. `revision` is the number of the signed state.
    """

    field: FormField
    is_timestamp: bool
    integrity: Integrity
    fault: str | None = None
    claimed: str | None = None
    range: SignedRange | None = None
    state: State | None = None
    signed: cms.Signed | None = None
    token: cms.Token | None = None
    changes: tuple[Change, ...] = ()
    covers_whole_file: bool = False
    permissions: Permissions | None = None
    widget: Widget | None = None


class SignedDocument:
    """All signatures of a file, oldest first, with their integrity."""

    def __init__(self, source: SourceFile, *, strict: bool) -> None:
        self._source = source
        self._strict = strict
        ending = source.last_ending()
        self.final = Revision(source, ending, strict=strict)
        if strict and self.final.reader.xrefs.hybrid_xrefs_present:
            # Word writes hybrid files; pyHanko's strict mode has no answer for them.
            raise UnreadableError("verify_damaged")
        self._revisions: dict[int, Revision] = {}

    def signatures(self) -> list[FoundSignature]:
        """Looks at every filled signature field. Raises UnreadableError for the file as a whole."""
        filled = [
            (field, signature)
            for field in self.final.fields.values()
            if (signature := self.final.signature_of(field)) is not None
        ]
        if len(filled) > _MAX_SIGNATURES:
            raise LimitError
        hidden = self._source.signature_traces() > len(filled)
        if hidden and not filled:
            raise UnreadableError("verify_signature_hidden")
        found = [self._fenced(field, signature) for field, signature in filled]
        found.sort(key=lambda one: one.range.end if one.range else self._source.size)
        ordered = self._numbered(found)
        try:
            self.final.check_ending()
            if not self._source.only_blank(self.final.end):
                raise BrokenError("verify_after_end")
        except BrokenError as error:
            return [replace(one, integrity=Integrity.BROKEN, fault=error.code) for one in ordered]
        judged = self._judged(ordered)
        if not hidden:
            return judged
        # A signature that can't be reached any more might have covered what the others don't.
        return [
            replace(one, integrity=Integrity.UNREADABLE, fault="verify_signature_hidden")
            if one.integrity in {Integrity.INTACT, Integrity.CHANGED}
            else one
            for one in judged
        ]

    # One signature by itself

    def _fenced(self, field: FormField, signature: generic.DictionaryObject) -> FoundSignature:
        is_timestamp = self.final.is_timestamp(signature)
        try:
            return self._open(field, signature, is_timestamp=is_timestamp)
        except BrokenError as error:
            return FoundSignature(field, is_timestamp, Integrity.BROKEN, error.code)
        except UnreadableError as error:
            return FoundSignature(field, is_timestamp, Integrity.UNREADABLE, error.code)
        except Exception as error:  # noqa: BLE001  # pyHanko fails with many types on odd files
            return FoundSignature(field, is_timestamp, Integrity.UNREADABLE, self._odd(error))

    def _odd(self, error: Exception) -> str:
        """The code for an unexpected failure; strictness alone is no verdict, the lenient reader gets its turn."""
        if self._strict and isinstance(error, PdfStrictReadError):
            raise error
        return "verify_damaged"

    def _open(self, field: FormField, signature: generic.DictionaryObject, *, is_timestamp: bool) -> FoundSignature:
        contents = self.final.entry(signature, "/Contents")
        if not isinstance(contents, generic.TextStringObject | generic.ByteStringObject):
            raise BrokenError("verify_cms_malformed")
        numbers = [self.final.resolve(item) for item in self.final.array(dict.get(signature, "/ByteRange"))]
        if not all(isinstance(number, generic.NumberObject) for number in numbers):
            raise BrokenError("verify_byte_range")
        contents_bytes = bytes(contents.original_bytes)
        signed_range = self._source.signed_range([int(number) for number in numbers], contents_bytes)
        revision = self._revision(signed_range.end)
        same = revision.fields.get(field.name)
        closing = revision.signature_of(same) if same is not None else None
        if same is None or closing is None or not Comparison(revision, self.final).same(closing, signature):
            raise BrokenError("verify_history")
        permissions = read_permissions(revision, same, closing)
        claimed = revision.entry(closing, "/M")
        found = FoundSignature(
            field=same,
            is_timestamp=is_timestamp,
            integrity=Integrity.INTACT,
            claimed=str(claimed) if isinstance(claimed, generic.TextStringObject) else None,
            range=signed_range,
            state=State(0, field.name, is_timestamp, False, permissions, revision),
            covers_whole_file=self._source.only_blank(signed_range.end),
            permissions=permissions,
            widget=next((widget for widget in same.widgets if widget.visible), None),
        )
        return self._with_cms(found, contents_bytes, str(revision.entry(closing, "/SubFilter")))

    def _revision(self, end: int) -> Revision:
        if end not in self._revisions:
            revision = Revision(self._source, end, strict=self._strict)
            try:
                revision.check_ending()
            except BrokenError:
                raise BrokenError("verify_byte_range") from None
            if not self.final.continues(revision):
                raise BrokenError("verify_history")
            self._revisions[end] = revision
        return self._revisions[end]

    def _with_cms(self, found: FoundSignature, contents: bytes, subfilter: str) -> FoundSignature:
        signed_range = found.range
        assert signed_range is not None

        def digest(name: str) -> bytes:
            return self._source.digest(signed_range, name)

        try:
            signed_data = cms.load_signed_data(contents)
            if found.is_timestamp and subfilter == _TIMESTAMP:
                token = cms.check_token(signed_data, digest)
                if not token.right:
                    raise BrokenError("verify_digest")
                return replace(found, token=token)
            if not found.is_timestamp and subfilter in _DETACHED:
                return replace(found, signed=cms.check_detached(signed_data, digest))
            raise UnreadableError("verify_algorithm_unsupported")
        except BrokenError as error:
            return replace(found, integrity=Integrity.BROKEN, fault=error.code)
        except UnreadableError as error:
            return replace(found, integrity=Integrity.UNREADABLE, fault=error.code)
        except Exception as error:  # noqa: BLE001  # a CMS can be odd in as many ways as a PDF
            return replace(found, integrity=Integrity.UNREADABLE, fault=self._odd(error))

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
        steps, faults = self._steps(states)
        pages = Pages(self._source)
        try:
            judge = Judge(states, steps, self._ink_check(pages))
            return [self._judge_one(one, judge, faults) for one in found]
        finally:
            pages.close()

    def _judge_one(self, one: FoundSignature, judge: Judge, faults: dict[int, str]) -> FoundSignature:
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
            return replace(one, integrity=Integrity.UNREADABLE, fault=self._odd(error))
        return replace(one, integrity=integrity, changes=changes)

    def _steps(self, states: Sequence[State]) -> tuple[list[Step], dict[int, str]]:
        """What changed after each signed state, and the faults met on the way by the number of the state."""
        revisions = {state.index: state.revision for state in states}
        order = [revisions[index] for index in sorted(revisions)]
        steps: list[Step] = []
        faults: dict[int, str] = {}
        for number, old in enumerate(order):
            last = number == len(order) - 1
            if last and self._source.only_blank(old.end):
                continue
            new = self.final if last else order[number + 1]
            start = sorted(revisions)[number]
            try:
                steps.append(Step(start, tuple(self._step(old, new, covered=not last))))
            except UnreadableError as error:
                faults[start] = error.code
            except Exception as error:  # noqa: BLE001  # pyHanko fails with many types on odd files
                faults[start] = self._odd(error)
        return steps, faults

    def _step(self, old: Revision, new: Revision, *, covered: bool) -> list[Difference]:
        found = differences(old, new)
        if all(difference.kind in EXPLAINED for difference in found) and finds_suspicious(self.final, old, new):
            found.append(Difference(ChangeKind.UNEXPLAINED))
        if not found or (not covered and has_unused_objects(old, new)):
            found.append(Difference(ChangeKind.UNUSED_OBJECTS))
        return found

    def _ink_check(self, pages: Pages) -> Callable[[State, int, Sequence[Difference]], bool]:
        def check(state: State, page: int, found: Sequence[Difference]) -> bool:
            revision = state.revision
            free = [
                widget.box
                for field in revision.fields.values()
                if field.type == "/Sig"
                for widget in field.widgets
                if widget.box is not None
                and widget.page == page
                and widget.visible
                and revision.share_of_page(widget) <= MAX_SHARE_OF_PAGE
            ]
            repaint = [
                widget.box
                for difference in found
                for widget in difference.repaint
                if widget.box is not None and widget.page == page
            ]
            question = InkQuestion(page, revision.pages[page].frame, revision.end, self._source.size, free, repaint)
            return covered(pages, question)

        return check

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
