"""What is written down of a signing: the document, its files, evidence, journal entries and batch rows.

Main process. Pure making of values for the store; nothing is written here.
"""

import datetime as dt
import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.evidence.records import pieces_of
from signer_app.pdf.plan import plan_hash
from signer_app.signing.batch import DocumentWork, Made
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.jobs import AttachmentJob, has_own_number
from signer_app.signing.number_keeping import sequences_of
from signer_app.signing.release import document_type, issues_number
from signer_app.store.model import (
    AttachmentHash,
    CertificateStatus,
    Document,
    DocumentState,
    Evidence,
    EvidenceRecord,
    FileRole,
    JournalAction,
    StoredFile,
    TokenUse,
)
from signer_app.store.sequences import Sequences
from signer_app.verification.model import Revocation, SignatureReport, Trust
from signer_app.workspace import operator_name
from signer_resources.rules import RuleProfile
from signer_sync.ids import uuid7


@dataclass(frozen=True)
class Records:
    """Makes the records of one batch with one certificate under one rule profile."""

    chosen: SigningCertificate
    rules: RuleProfile

    @property
    def body_code(self) -> str:
        """The code under which numbers are taken."""
        return self.chosen.body_code

    @property
    def sequences(self) -> Sequences:
        """How the body's numbers run."""
        return sequences_of(self.chosen)

    def document(self, work: DocumentWork, day: dt.date, now: dt.datetime) -> Document:
        """The document; its number is taken when this signing issues it."""
        job, facts, profile = work.job, work.main.facts, work.main.job.profile
        own = has_own_number(profile)
        number, notation = (
            job.number or (None if own else facts.number),
            job.notation or (None if own else facts.notation),
        )
        issues = issues_number(profile) and number is not None and notation is not None
        return Document(
            id=uuid7(),
            body_code=self.body_code,
            created_at=now,
            state=DocumentState.SIGNED,
            number=number if notation else None,
            notation=notation if number else None,
            notation_group=self.sequences.name(notation or "") if issues else None,
            doc_date=day if own or issues or job.date else facts.date,
            type=job.type or (document_type(notation, self.rules)[1] if notation else None),
            subject=job.subject or facts.subject,
            signer_name=job.signer or facts.signer,
            urgency=work.urgency,
        )

    def attached(self, document: Document, jobs: Sequence[AttachmentJob], position: int) -> tuple[StoredFile, ...]:
        """The files that go along unsigned, behind those that are signed; each is a blob already."""
        return tuple(
            StoredFile(
                id=uuid7(),
                document_id=document.id,
                position=position + index,
                role=FileRole.ATTACHMENT,
                name=job.name,
                blob_in=job.blob or "",
                output_path=job.output,
            )
            for index, job in enumerate(jobs)
        )

    def stored(self, document: Document, made: Made, position: int) -> StoredFile:
        """The signed file."""
        plan = made.file.plan
        assert plan is not None
        return StoredFile(
            id=uuid7(),
            document_id=document.id,
            position=position,
            role=made.file.job.role,
            name=made.file.job.name,
            blob_in=plan.blob,
            original=plan.original,
            profile=plan.profile,
            plan_sha256=plan_hash(plan),
            certificate_sha256=plan.certificate,
            blob_out=made.sha256,
            level=level_of(made),
            signed_at=made.moment,
            output_path=made.file.job.output,
        )

    def evidence(
        self, stored: StoredFile, made: Made, pieces: tuple[str, ...], attached: Sequence[StoredFile] = ()
    ) -> Evidence:
        """What TT 15/2025/TT-BKHCN, article 5.4 asks to keep with the signature; `pieces` are the blobs of the CRLs and
        OCSP answers that its status rests on. With the main file's stands what went along unsigned.
        """
        own = own_signature(made)
        return Evidence(
            signature_id=uuid7(),
            file_id=stored.id,
            pieces=pieces,
            record=EvidenceRecord(
                document_sha256_before=stored.blob_in,
                document_sha256_after=made.sha256,
                signer_cert_der=self.chosen.certificate.der,
                chain_der=self.chosen.chain,
                status=_STATUS[own.revocation] if own.trust is Trust.TRUSTED else CertificateStatus.NOT_CHECKED,
                operator=operator_name(),
                token_serial=self.chosen.token.serial,
                rule_profile=f"{self.rules.id} {self.rules.version}",
                software_version=software_version(),
                signing_time=made.moment,
                verdict=own.verdict.value,
                status_time=made.moment,
                timestamp_token=made.stamped.token if made.stamped else None,
                original_sha256=_original(made),
                repairs=_repairs(made),
                warnings_shown=tuple(f.code for f in made.file.outcome.warnings),
                field=own.field,
                signer=own.signer or "",
                anchor_set=own.anchor_set.value if own.anchor_set else "",
                anchor=own.anchor or "",
                proofs=pieces_of(own.proofs),
                attachments=tuple(AttachmentHash(item.name, item.blob_in) for item in attached),
            ),
        )

    def use(
        self, action: JournalAction, result: str, document: Document | None = None, sha256: str | None = None
    ) -> TokenUse:
        """An entry of the journal."""
        return token_use(self.chosen, action, result, document, sha256)


def software_version() -> str:
    """The program's own."""
    return importlib.metadata.version("signer")


def token_use(
    chosen: SigningCertificate,
    action: JournalAction,
    result: str,
    document: Document | None = None,
    sha256: str | None = None,
) -> TokenUse:
    """An entry of the journal about a certificate; needs no rules, so that a wrong clock is journalled too."""
    return TokenUse(
        action=action,
        operator=operator_name(),
        certificate_sha256=chosen.certificate.sha256,
        token_serial=chosen.token.serial,
        result=result,
        document_id=document.id if document else None,
        number=document.label if document else None,
        sha256=sha256,
    )


def level_of(made: Made) -> str:
    """The level that was reached."""
    return made.level or ("b-t" if made.stamped else "b-b")


def _original(made: Made) -> str:
    plan = made.file.plan
    return (plan.original if plan is not None else None) or ""


def _repairs(made: Made) -> tuple[str, ...]:
    """What was mended, as the person was told before signing."""
    told = next((f.params["changes"] for f in made.file.outcome.warnings if f.code == "pdf_repaired"), "")
    return tuple(filter(None, told.split(", ")))


def own_signature(made: Made) -> SignatureReport:
    """The verifier's report on the last signature that was made."""
    plan = made.file.plan
    assert plan is not None
    field = plan.steps[-1].field
    return next(s for s in made.report.signatures if s.field == field)


_STATUS = {
    Revocation.GOOD: CertificateStatus.GOOD,
    Revocation.REVOKED: CertificateStatus.REVOKED,
    Revocation.UNKNOWN: CertificateStatus.UNKNOWN,
    Revocation.NOT_CHECKED: CertificateStatus.NOT_CHECKED,
}
