"""Which earlier signature lets the agency's seal be put on: the leader's, intact and trusted (NĐ 30/2020, Đ32.2d).

Pure functions over the verifier's report and the text of the pages; run in a worker. An initial counts for nothing.
There is no override here.
"""

from collections.abc import Sequence

from signer_app.pdf.letter import SignerBlock, find_all_signer_blocks, find_signer_blocks
from signer_app.pdf.model import Body, Finding, Severity
from signer_app.pdf.names import same_body, same_person
from signer_app.pdf.pagetext import PageText
from signer_app.verification.model import FileReport, Integrity, Revocation, SignatureReport, Trust, Verdict

_SMALLEST_SEAL_MM = 25.0


def leader_signature(
    report: FileReport, body: Body | None, pages: Sequence[PageText]
) -> tuple[SignatureReport | None, list[Finding]]:
    """The signature that counts, None where there is none, and what is to be said of it."""
    search = _Search(report, body, pages)
    return search.run(), search.findings


class _Search:
    def __init__(self, report: FileReport, body: Body | None, pages: Sequence[PageText]) -> None:
        self._report = report
        self._body = body
        self._pages = pages
        self.findings: list[Finding] = []

    def refuse(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.REFUSED, params))

    def warn(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.WARNING, params))

    def run(self) -> SignatureReport | None:
        """The signature that lets the seal be put on (NĐ 30 Đ32.2d); an initial is none."""
        report = self._report
        if not report.signatures:
            self.refuse("leader_missing")
            return None
        if any(s.integrity in (Integrity.BROKEN, Integrity.UNREADABLE) for s in report.signatures):
            self.refuse("earlier_signature_broken_no_seal")
            return None
        if any(self._is_own(s) and _looks_like_seal(s) for s in report.signatures):
            self.refuse("already_sealed")
            return None
        candidates = [s for s in report.signatures if not self._is_own(s) and self._is_issuing_signature(s)]
        if not candidates:
            self.refuse("leader_only_initial", name=report.signatures[0].signer or "?")
            return None
        good = next((s for s in candidates if _counts(s)), None)
        if good is None:
            self.refuse(_why_not(candidates[0]), name=candidates[0].signer or "?")
        elif good.revocation is not Revocation.GOOD:
            self.warn("leader_revocation_unchecked", name=good.signer or "?")
        return good

    def _is_own(self, signature: SignatureReport) -> bool:
        """Whether the body itself made it."""
        names = self._body.names if self._body else ()
        return signature.signer is not None and any(same_body(signature.signer, name) for name in names)

    def _signs_the_letter(self, block: SignerBlock) -> bool:
        """Whether a block is one of ô 7: under a title, in the right half, or beside another one (joint letters)."""
        if not block.sure:
            return False
        if block.name_box.centre[0] > self._pages[block.page].frame.width_mm * 0.45:
            return True
        return any(
            other.page == block.page and other.name != block.name and abs(other.name_box.y - block.name_box.y) < 15
            for other in find_all_signer_blocks(self._pages)
        )

    def _is_issuing_signature(self, signature: SignatureReport) -> bool:
        """It fits the name of 7b, or lies in 7c, or its holder is one of the body's signers."""
        name = signature.signer or ""
        if self._body and any(same_person(name, signer) for signer in self._body.signers):
            return True
        if any(self._signs_the_letter(block) for block in find_signer_blocks(self._pages, (name,))):
            return True
        if signature.page is None or signature.rect is None:
            return False
        x, y = signature.rect.x + signature.rect.w / 2, signature.rect.y + signature.rect.h / 2
        return any(
            block.page + 1 == signature.page
            and block.room.x <= x <= block.room.right
            and block.room.y <= y <= block.room.bottom
            for block in find_all_signer_blocks(self._pages)
        )


def _counts(signature: SignatureReport) -> bool:
    """Intact, from a trusted chain, not known to be revoked, valid when it was made."""
    return (
        signature.integrity is Integrity.INTACT
        and signature.trust is Trust.TRUSTED
        and signature.revocation is not Revocation.REVOKED
        and signature.verdict is not Verdict.INVALID
    )


def _why_not(signature: SignatureReport) -> str:
    """Why a leader's signature doesn't count, the weightiest reason first."""
    if signature.integrity is not Integrity.INTACT:
        return "leader_not_intact"
    if signature.revocation is Revocation.REVOKED:
        return "leader_revoked"
    return "leader_certificate_unfit" if signature.trust is Trust.TRUSTED else "leader_untrusted"


def _looks_like_seal(signature: SignatureReport) -> bool:
    """A seal is as high as wide and at least 25 mm; a line with number and date, or nothing visible, is none."""
    rect = signature.rect
    return rect is not None and min(rect.w, rect.h) >= _SMALLEST_SEAL_MM
