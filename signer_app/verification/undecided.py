"""Which files could not be decided for want of news alone: anchors, CRLs, OCSP answers that may come later.

Pure functions over reports, in any process.
"""

from signer_app.verification.model import FileReport, Integrity, Revocation, Trust, Verdict


def could_be_decided(report: FileReport) -> bool:
    """Whether only news about certificates, or another anchor, keeps the file from being decided."""
    return report.verdict is Verdict.INDETERMINATE and any(
        one.verdict is Verdict.INDETERMINATE
        and one.integrity in (Integrity.INTACT, Integrity.CHANGED)
        and (one.trust is not Trust.TRUSTED or one.revocation in (Revocation.UNKNOWN, Revocation.NOT_CHECKED))
        for one in report.signatures
    )
