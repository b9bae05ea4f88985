"""Says before any PIN what will happen to a file, and fixes it in a plan.

Runs in a worker, on the blob, once per file. Findings are warnings or refusals by code of the catalogue; a plan comes
only when nothing refuses. Preconditions of the agency's seal (NĐ 30 Đ32.2d) have no override.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pypdfium2 as pdfium
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import read_certification_data

from signer_app.pdf import place
from signer_app.pdf.fields import entry
from signer_app.pdf.leaders import leader_signature
from signer_app.pdf.letter import (
    find_all_signer_blocks,
    find_date_line,
    find_number_line,
    find_secrecy_mark,
    find_title,
    issuing_lines,
    names_body,
)
from signer_app.pdf.marks import Refused
from signer_app.pdf.measures import Measures
from signer_app.pdf.model import (
    Body,
    Finding,
    Findings,
    LetterFacts,
    PlaceOption,
    PreflightRequest,
    PreflightResult,
    Profile,
    Severity,
)
from signer_app.pdf.names import same_body
from signer_app.pdf.pagetext import PageText, open_document, read_page
from signer_app.pdf.place import Inputs, Placed
from signer_app.pdf.plan import SigningPlan
from signer_app.verification.model import FileReport, Integrity, SignatureReport

__all__ = ["Body", "Findings", "PlaceOption", "PreflightRequest", "PreflightResult", "Profile", "Severity", "preflight"]


def preflight(path: Path, request: PreflightRequest, report: FileReport) -> PreflightResult:
    """The preflight of the file at `path`, whose earlier signatures are told by `report`."""
    blocked = _file_findings(path)
    if any(f.severity is Severity.REFUSED for f in blocked):
        return PreflightResult(blocked, None, LetterFacts(), ())
    try:
        document = open_document(path)
    except (pdfium.PdfiumError, ValueError):
        refused = Finding("pdf_unreadable", Severity.REFUSED)
        return PreflightResult((*blocked, refused), None, LetterFacts(), ())
    try:
        pages = [read_page(document, number) for number in range(len(document))]
    except (pdfium.PdfiumError, ValueError):
        pages = []
    finally:
        document.close()
    if not pages:
        return PreflightResult((*blocked, Finding("pdf_unreadable", Severity.REFUSED)), None, LetterFacts(), ())
    if any(find_secrecy_mark(page) for page in pages):
        return PreflightResult((Finding("secret", Severity.REFUSED),), None, LetterFacts(), ())
    return _Preflight(path, request, report, pages, list(blocked)).run()


def _file_findings(path: Path) -> Findings:
    """What can be told from the file itself: readable, encrypted, locked, dynamic."""
    refused = Severity.REFUSED
    try:
        with path.open("rb") as handle:
            reader = PdfFileReader(handle, strict=False)
            if reader.encrypted:
                return (Finding("pdf_encrypted", refused),)
            certification = read_certification_data(reader)
            if certification is not None and certification.permission is MDPPerm.NO_CHANGES:
                return (Finding("pdf_locked", refused),)
            form = entry(reader.root, "/AcroForm")
            if form is not None and entry(form, "/XFA") is not None:
                return (Finding("pdf_dynamic", refused),)
            if certification is not None:
                return (Finding("pdf_certified", Severity.WARNING),)
    except Exception:  # noqa: BLE001 - pyHanko fails with many exception types on odd files, not only its own
        return (Finding("pdf_unreadable", refused),)
    return ()


class _Preflight:
    """One run over one file; collects findings in the order in which a person would look."""

    def __init__(
        self,
        path: Path,
        request: PreflightRequest,
        report: FileReport,
        pages: Sequence[PageText],
        findings: list[Finding],
    ) -> None:
        self.path = path
        self.request = request
        self.report = report
        self.pages = pages
        self.findings = findings

    def refuse(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.REFUSED, params))

    def warn(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.WARNING, params))

    def run(self) -> PreflightResult:
        request = self.request
        number_line, date_line = find_number_line(self.pages[0]), find_date_line(self.pages[0])
        blocks = find_all_signer_blocks(self.pages)
        typed_date = None
        if date_line and date_line.day and date_line.month and date_line.year:
            try:
                typed_date = dt.date(date_line.year, date_line.month, date_line.day)
            except ValueError:
                if request.profile in (Profile.AGENCY, Profile.LEADER):
                    self.refuse("date_impossible")
        facts = LetterFacts(
            notation=number_line.symbol if number_line else None,
            number=number_line.number if number_line else None,
            date=typed_date,
            signer=blocks[0].name if blocks else None,
            signer_title=blocks[0].title if blocks else None,
            subject=find_title(self.pages[0]),
            place=date_line.place if date_line else None,
            pages=len(self.pages),
        )
        leader: SignatureReport | None = None
        if request.profile in (Profile.AGENCY, Profile.LEADER):
            self._body()
        if request.profile is Profile.AGENCY:
            leader, findings = leader_signature(self.report, request.body, self.pages)
            self.findings += findings
        elif any(s.integrity in (Integrity.BROKEN, Integrity.UNREADABLE) for s in self.report.signatures):
            self.warn("earlier_signature_broken")
        inputs = Inputs(
            path=self.path,
            pages=self.pages,
            number_line=number_line,
            date_line=date_line,
            number=request.number,
            notation=request.notation,
            date=request.date or typed_date or request.today,
            certificate_name=request.certificate_name,
            seal=request.body.seal if request.body else None,
            seal_mm=request.body.seal_mm if request.body else 38.0,
            picture=request.picture,
            option=request.place,
            leader=leader,
            report=self.report,
            measures=Measures.on(request.today),
        )
        placed = self._place(inputs)
        refused = any(f.severity is Severity.REFUSED for f in self.findings)
        plan = None
        if placed is not None and not refused:
            plan = SigningPlan(
                profile=request.profile,
                blob=request.blob,
                certificate=request.certificate,
                rules=request.rules,
                steps=placed.steps,
                placements=placed.placements,
            )
        return PreflightResult(tuple(self.findings), plan, facts, placed.placements if placed is not None else ())

    def _place(self, inputs: Inputs) -> Placed | None:
        rule = {
            Profile.PLAIN: place.plain,
            Profile.LEADER: place.leader,
            Profile.AGENCY: place.agency,
            Profile.APPENDIX: place.appendix,
        }[self.request.profile]
        if self.request.profile is Profile.AGENCY and inputs.leader is None:
            return None
        try:
            placed = rule(inputs)
        except Refused as refusal:
            self.refuse(refusal.code, **refusal.params)
            return None
        for code, params in placed.warnings:
            self.warn(code, **params)
        return placed

    def _body(self) -> None:
        """The body in ô 2 must be the certificate's (agency), so that no letter gets another body's seal."""
        body = self.request.body
        if self.request.profile is not Profile.AGENCY:
            return
        if body is None or not any(same_body(self.request.certificate_name, name) for name in body.names):
            self.refuse("certificate_not_of_body", certificate=self.request.certificate_name)
            return
        lines = issuing_lines(self.pages[0])
        if not lines:
            self.refuse("body_not_found")
        elif not any(names_body(lines, name) for name in body.names):
            self.refuse("body_differs", page=lines[-1], certificate=self.request.certificate_name)
