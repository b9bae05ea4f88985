"""What is written down of a check: one record for each signature whose certificate could be read.

Main process. Pure making of values for the store; nothing is written here. A signature without a readable certificate
leaves nothing to keep: there is no certificate, no CRL and no status.
"""

import importlib.metadata

from signer_app.store.model import (
    CertificateStatus,
    Evidence,
    EvidencePiece,
    EvidenceRecord,
    EvidenceStamp,
    PieceKind,
)
from signer_app.verification.model import FileReport, Proof, SignatureReport
from signer_sync.ids import uuid7


def evidence_of(report: FileReport, name: str, operator: str, rule_profile: str) -> tuple[Evidence, ...]:
    """The evidence of a check, its pieces not yet named; empty where nobody knows of which bytes it would speak."""
    sha256, checked_at = report.sha256, report.checked_at
    if sha256 is None or checked_at is None:
        return ()
    return tuple(
        Evidence(
            signature_id=uuid7(),
            file_id=None,
            record=EvidenceRecord(
                document_sha256_before=sha256,
                document_sha256_after=sha256,
                signer_cert_der=one.chain[0],
                chain_der=one.chain[1:],
                status=CertificateStatus(one.revocation),
                operator=operator,
                token_serial="",
                rule_profile=rule_profile,
                software_version=importlib.metadata.version("signer"),
                signing_time=one.signing_time or checked_at,
                verdict=one.verdict.value,
                status_time=checked_at,
                warnings_shown=one.reasons,
                name=name,
                field=one.field,
                signer=one.signer or "",
                stamp=_stamp(one),
                anchor_set=one.anchor_set.value if one.anchor_set else "",
                anchor=one.anchor or "",
                proofs=pieces_of(one.proofs),
            ),
        )
        for one in report.signatures
        if one.chain
    )


def pieces_of(proofs: tuple[Proof, ...]) -> tuple[EvidencePiece, ...]:
    """The proofs of a report as they are kept."""
    return tuple(
        EvidencePiece(
            kind=PieceKind(proof.kind),
            sha256=proof.sha256,
            certificate=proof.certificate,
            issued=proof.issued,
            next_update=proof.next_update,
            status=CertificateStatus(proof.status),
        )
        for proof in proofs
    )


def _stamp(signature: SignatureReport) -> EvidenceStamp | None:
    stamp = signature.timestamp
    return EvidenceStamp(time=stamp.time, kind=stamp.kind.value, valid=stamp.valid) if stamp else None
