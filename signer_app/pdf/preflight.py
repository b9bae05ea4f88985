"""Says before any PIN what will happen to a file, and fixes it in a plan.

Runs in a worker, on the blob, once per file. Findings are warnings or refusals by code of the catalogue; a plan comes
only when nothing refuses. Preconditions of the agency's seal (NĐ 30 Đ32.2d) have no override.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pypdfium2 as pdfium

from signer_app.pdf import placing
from signer_app.pdf.agreement import disagreement
from signer_app.pdf.drawable import undrawable_page
from signer_app.pdf.increment import unsound
from signer_app.pdf.inspection.content import ContentInspector
from signer_app.pdf.inspection.letterhead import body_findings, date_findings, urgency_findings
from signer_app.pdf.inspection.scan import Scan, scan_findings
from signer_app.pdf.inspection.sightings import Sighting, findings
from signer_app.pdf.inspection.structure import (
    PasswordNeededError,
    Structure,
    UnreadableStructureError,
    read_structure,
)
from signer_app.pdf.leaders import Leader, leader_signature
from signer_app.pdf.letter import (
    DateLine,
    Signers,
    find_date_line,
    find_number_line,
    find_receivers,
    find_secrecy_mark,
    find_title,
    find_urgency_mark,
    issuing_body,
)
from signer_app.pdf.marks import Refused
from signer_app.pdf.model import (
    Body,
    EarlierSignature,
    Finding,
    Findings,
    LetterFacts,
    PlaceOption,
    PreflightRequest,
    PreflightResult,
    Profile,
    Severity,
)
from signer_app.pdf.pages import Pages
from signer_app.pdf.pagetext import OpenDocument, PageText, open_document
from signer_app.pdf.placing import Inputs, Placed
from signer_app.pdf.plan import Mark, SigningPlan
from signer_app.pdf.skim import may_end, skim
from signer_app.pdf.standards import claims, obstacles
from signer_app.pdf.training_mark import shows_mark
from signer_app.verification.model import FileReport, Integrity
from signer_resources import rules
from signer_resources.errors import KnownError

__all__ = ["Body", "Findings", "PlaceOption", "PreflightRequest", "PreflightResult", "Profile", "Severity", "preflight"]

_READ_WHOLE, _FIRST, _LAST, _OTHERS = 40, 2, 20, 40
"""Pages: a document with no more is read in full; of a longer one the first, the last, and so many where it may end."""
_MOST_NAMES = 200
_SEALS = frozenset({Mark.SEAL})
_PLACED_BY_RULE = frozenset({Mark.SEAL, Mark.SIGNATURE, Mark.INITIAL, Mark.STAMP_TEXT})
"""What a person can drag; number and date have their line."""


def preflight(path: Path, request: PreflightRequest, report: FileReport) -> PreflightResult:
    """The preflight of the file at `path`, whose earlier signatures are told by `report`."""
    try:
        structure = read_structure(path, request.certificate)
    except PasswordNeededError:
        return _only(Finding("pdf_encrypted", Severity.REFUSED))
    except UnreadableStructureError:
        return _only(Finding("pdf_unreadable", Severity.REFUSED))
    if structure.secret:
        return _only(Finding("secret", Severity.REFUSED))
    try:
        document = open_document(path)
    except (pdfium.PdfiumError, ValueError):
        # qpdf could read it: others may show it, but here nobody would have seen what is signed.
        return _only(Finding("viewer_cannot_open", Severity.REFUSED))
    with closing(document):
        try:
            pages = _pages(document, _names(request, report))
            inspector = ContentInspector(document)
            seen = list(inspector.document()) if pages is not None else []
        except (pdfium.PdfiumError, ValueError):
            return _only(Finding("pdf_unreadable", Severity.REFUSED))
        if pages is None:
            return _only(Finding("secret", Severity.REFUSED))
        if not pages:
            return _only(Finding("pdf_unreadable", Severity.REFUSED))
        return _Preflight(path, request, report, pages, structure, inspector.scan).run(seen)


def _pages(document: OpenDocument, names: Sequence[str]) -> Pages | None:
    """The pages, of a long document those in full that rules may need; None where any carries a mark of secrecy."""
    count = len(document)
    if count <= _READ_WHOLE:
        pages = Pages(document, range(count))
        return None if any(find_secrecy_mark(page) for page in pages) else pages
    endings: list[int] = []
    for number in range(count):
        letters = skim(document, number)
        if letters is None:
            return None
        if may_end(letters, names):
            endings.append(number)
    return Pages(document, (*range(_FIRST), *range(count - _LAST, count), *endings[-_OTHERS:]))


def _names(request: PreflightRequest, report: FileReport) -> tuple[str, ...]:
    """Whose places of signing are looked for."""
    names = (request.certificate_name, *(signature.signer for signature in report.signatures))
    return tuple(dict.fromkeys(name for name in names if name))[:_MOST_NAMES]


def _only(finding: Finding) -> PreflightResult:
    """The answer about a file of which nothing else can, or may, be told."""
    return PreflightResult((finding,), None, LetterFacts(), ())


class _Preflight:
    """One run over one file; collects findings in the order in which a person would look."""

    def __init__(
        self,
        path: Path,
        request: PreflightRequest,
        report: FileReport,
        pages: Sequence[PageText],
        structure: Structure,
        scan: Scan | None,
    ) -> None:
        self.path = path
        self.request = request
        self.report = report
        self.pages = pages
        self.signers = Signers(pages)
        self.structure = structure
        self.scan = scan
        self.findings: list[Finding] = []
        self.number_line = find_number_line(pages[0])
        self.date_line = find_date_line(pages[0])

    def refuse(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.REFUSED, params))

    def warn(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.WARNING, params))

    def run(self, seen: Sequence[Sighting]) -> PreflightResult:
        """All that is to be said; `seen` is what the pages' content showed."""
        facts = self._facts()
        self._file()
        self.findings += findings((*self.structure.sightings, *seen), self.request.profile)
        self.findings += body_findings(self.pages[0], self.number_line, self.request)
        self.findings += urgency_findings(self.pages[0], self.request)
        self.findings += date_findings(self.number_line, facts.date, self.request)
        placed = self._place(facts)
        if placed is not None:
            self._fields(placed)
            self._unsure(placed)
        refused = any(f.severity is Severity.REFUSED for f in self.findings)
        return PreflightResult(
            tuple(self.findings),
            self._plan(placed) if placed is not None and not refused else None,
            facts,
            placed.placements if placed is not None else (),
            tuple(EarlierSignature(s.field, s.signer, s.integrity) for s in self.report.signatures),
        )

    # --- the file ----------------------------------------------------------------------------------------------------

    def _file(self) -> None:
        """What the file allows at all, and the state of the signatures that it carries."""
        self._training()
        certified = self.structure.form.certified
        if certified == 1 or any(s.docmdp == 1 for s in self.report.signatures):
            self.refuse("pdf_locked")
        elif certified is not None:
            self.warn("pdf_certified")
        if not self.structure.access.may_fill:
            self.refuse("permissions_forbid_signing")
        self._damage()
        if self.request.original is not None:
            self.warn("pdf_repaired", changes=", ".join(self.request.repairs) or "?")
        self._earlier()

    def _training(self) -> None:
        """What was made to train with is never signed in earnest, and nothing is signed in training that doesn't say so
        on each page.
        """
        carried = self.structure.training
        if self.request.training:
            if not carried.everywhere:
                self.refuse("training_unmarked")
        # Another program may have written the file anew: then the letters tell. They stand on every page, and the first
        # and the last are read anyhow.
        elif carried.anywhere or shows_mark((self.pages[0], self.pages[-1])):
            self.refuse("training_document")

    def _damage(self) -> None:
        """What would stop `prepare`, or the look at what was signed, is told now; a repair is for files that nobody has
        signed.
        """
        try:
            damage = unsound(self.path, self.report)
        except KnownError as error:
            self.refuse(error.code)
            return
        if damage is None:
            self._seen_by_all()
        elif self.report.signatures:
            self.refuse("repair_signed")
        elif self.request.original is not None:
            self.refuse("repair_beyond", reason=damage.value)
        else:
            self.refuse("pdf_needs_repair", damage=damage.value)

    def _seen_by_all(self) -> None:
        """Every page can be shown, and shows the same to everybody."""
        page = undrawable_page(self.path)
        if page is not None:
            self.refuse("page_not_shown", page=str(page))
        elif (where := disagreement(self.path, len(self.pages))) is not None:
            self.refuse("readers_disagree", where=where)

    def _earlier(self) -> None:
        """Signatures that are not as they were made. For the agency's seal `leaders` says it, and refuses."""
        states = {signature.integrity for signature in self.report.signatures}
        if self.request.profile is not Profile.AGENCY and states & {Integrity.BROKEN, Integrity.UNREADABLE}:
            # A leader's own signature would vouch for what another's no longer does.
            if self.request.profile is Profile.LEADER:
                self.refuse("earlier_signature_broken_no_leader")
            else:
                self.warn("earlier_signature_broken")
        changed = [s.signer or "?" for s in self.report.signatures if s.integrity is Integrity.CHANGED]
        if changed:
            self.warn("earlier_signature_changed", names=", ".join(dict.fromkeys(changed[:5])))

    # --- the letter --------------------------------------------------------------------------------------------------

    def _facts(self) -> LetterFacts:
        """What page 1, and the place of signing, say."""
        number, date = self.number_line, self.date_line
        blocks = self.signers.all
        return LetterFacts(
            notation=number.symbol if number else None,
            # "?" only says that something covers the blank.
            number=number.number if number and (number.number or "")[:1].isdigit() else None,
            date=self._typed_date(date) if date else None,
            signer=blocks[0].name if blocks else None,
            signer_title=blocks[0].title if blocks else None,
            subject=find_title(self.pages[0]),
            place=date.place if date else None,
            pages=len(self.pages),
            urgency=find_urgency_mark(self.pages[0]),
            body=issuing_body(self.pages[0]),
            receivers=find_receivers(self.pages),
        )

    def _typed_date(self, line: DateLine) -> dt.date | None:
        """The date of ô 4 where all of it is typed."""
        if line.day is None or line.month is None or line.year is None:
            return None
        try:
            return dt.date(line.year, line.month, line.day)
        except ValueError:
            if self.request.profile in (Profile.AGENCY, Profile.LEADER):
                self.refuse("date_impossible")
            return None

    # --- the plan ----------------------------------------------------------------------------------------------------

    def _place(self, facts: LetterFacts) -> Placed | None:
        request = self.request
        try:
            profile = rules.load(request.today)
            form = placing.read_form(self.path)
            leader: Leader | None = None
            if request.profile is Profile.AGENCY:
                leader, told = leader_signature(
                    self.report, request.body, self.pages, self.signers, profile, form.reasons
                )
                self.findings += told
                if leader is None:
                    return None
            placed = placing.place(
                request.profile,
                Inputs(
                    path=self.path,
                    pages=self.pages,
                    signers=self.signers,
                    request=request,
                    report=self.report,
                    rules=profile,
                    form=form,
                    number_line=self.number_line,
                    date_line=self.date_line,
                    date=request.date or facts.date or request.today,
                    leader=leader,
                ),
            )
        except Refused as refusal:
            self._refuse_once(refusal.code, refusal.params)
            return None
        except rules.NoRuleProfileError as error:
            self._refuse_once(error.code, {key: str(value) for key, value in error.params.items()})
            return None
        self.findings += scan_findings(self.scan, profile, self.request)
        for code, params in placed.warnings:
            self.warn(code, **params)
        return placed

    def _refuse_once(self, code: str, params: dict[str, str]) -> None:
        """A file that can't be extended says so first; that its form can't be read either is nothing new."""
        if code != "pdf_unreadable" or not any(f.severity is Severity.REFUSED for f in self.findings):
            self.refuse(code, **params)

    def _fields(self, placed: Placed) -> None:
        """Whether the file lets its fields be made, filled and signed so, and stays what it claims to be."""
        known = self.structure.form.fields
        new = any(step.make or not step.existing for step in placed.steps)
        if new and self.structure.access.may_fill and not self.structure.access.may_add:
            self.refuse("permissions_forbid_signing")
        for step in placed.steps:
            field = known.get(step.field) if step.existing else None
            if field is not None and field.demands:
                self.refuse("seed_value_unmet", field=field.name, demands=", ".join(field.demands))
            if field is not None and field.locks_on_signing:
                self.warn("lock_on_signing", field=field.name)
        for claim, obstacle in obstacles(claims(self.path), placed.steps):
            self.warn("pdfa_not_kept", claim=claim, obstacle=obstacle.value)

    def _unsure(self, placed: Placed) -> None:
        """Where no rule is sure, the person is asked (wording: "Chưa chắc vị trí đóng dấu")."""
        for spot in placed.placements:
            if not spot.sure and spot.what in _SEALS:
                self.warn("place_unsure", page=str(spot.page))
            elif not spot.sure and spot.what in _PLACED_BY_RULE:
                self.warn("place_unsure_mark", page=str(spot.page))

    def _plan(self, placed: Placed) -> SigningPlan:
        request = self.request
        return SigningPlan(
            profile=request.profile,
            blob=request.blob,
            certificate=request.certificate,
            rules=request.rules,
            steps=placed.steps,
            placements=placed.placements,
            original=request.original,
        )
