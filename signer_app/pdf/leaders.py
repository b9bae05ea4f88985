"""Which earlier signature lets the agency's seal be put on: the leader's, intact and trusted (NĐ 30/2020, Đ32.2d).

Pure functions over the verifier's report and the text of the pages; run in a worker. An initial counts for nothing, nor
does another body's seal. Of a joint letter (liên tịch) our own leader's signature is wanted. There is no override here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from signer_app.pdf.letter import (
    SignerBlock,
    Signers,
    issuing_bodies,
    issuing_lines,
    names_body,
)
from signer_app.pdf.letter.words import begins_body
from signer_app.pdf.model import Body, Finding, Severity
from signer_app.pdf.names import body_key, fold, same_body, same_person, same_signer, without_honorifics
from signer_app.pdf.pagetext import PageText
from signer_app.verification.model import FileReport, Integrity, Revocation, SignatureReport, Trust, Verdict
from signer_resources.rules import RuleProfile
from signer_resources.rules.profiles import Picture

_SMALLEST_SEAL_MM = 25.0
_INITIAL_FIELD = re.compile(r"\bky ?(?:nhay|tat)(?![a-z])")
_INITIAL = re.compile(r"(?:(?:da|toi|nguoi|chu) )?ky (?:nhay|tat)\b")
"""How other software's initials are known by what they call themselves, folded: "KyNhay1", "Đã ký nháy", "ký tắt"."""
_BESIDE_MM = 15.0
"""Names of one joint letter stand on one level, so far apart at most."""


@dataclass(frozen=True)
class Leader:
    """The signature that lets the seal be put on; not `sure` where several leaders signed and nothing tells whose."""

    signature: SignatureReport
    sure: bool = True


def leader_signature(
    report: FileReport,
    body: Body | None,
    pages: Sequence[PageText],
    signers: Signers,
    rules: RuleProfile,
    reasons: Mapping[str, str],
) -> tuple[Leader | None, list[Finding]]:
    """The signature that counts, None where there is none, and what is to be said of it.

    `signers` are those of `pages`; `reasons`: what each signature gives as its reason, by field.
    """
    search = _Search(report, body, pages, signers, _Initials.of(rules), reasons)
    return search.run(), search.findings


@dataclass(frozen=True)
class _Initials:
    """How our own initials are known: stem of the field's name, and reason."""

    stems: tuple[str, ...]
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, rules: RuleProfile) -> "_Initials":
        profiles = [one for one in rules.signature_profiles if one.picture is Picture.INITIAL]
        return cls(tuple(one.field for one in profiles), tuple(fold(one.reason) for one in profiles if one.reason))

    def include(self, signature: SignatureReport, reason: str) -> bool:
        """Whether the signature calls itself an initial."""
        named = any(re.fullmatch(rf"{re.escape(stem)}(?:_\d+)?", signature.field) for stem in self.stems)
        told = any(fold(reason).startswith(known) for known in self.reasons)
        return named or told or bool(_INITIAL_FIELD.search(fold(signature.field)) or _INITIAL.match(fold(reason)))


class _Search:
    def __init__(
        self,
        report: FileReport,
        body: Body | None,
        pages: Sequence[PageText],
        signers: Signers,
        initials: _Initials,
        reasons: Mapping[str, str],
    ) -> None:
        self._report = report
        self._body = body
        self._pages = pages
        self._initials = initials
        self._reasons = reasons
        self._names = (*body.names, *body.former) if body is not None else ()
        self._signers = signers
        self._blocks = signers.all
        self.findings: list[Finding] = []

    def refuse(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.REFUSED, params))

    def warn(self, code: str, **params: str) -> None:
        self.findings.append(Finding(code, Severity.WARNING, params))

    def run(self) -> Leader | None:
        """The signature that lets the seal be put on (NĐ 30 Đ32.2d); an initial is none."""
        signatures = self._report.signatures
        if not signatures:
            self.refuse("leader_missing")
            return None
        if any(s.integrity in (Integrity.BROKEN, Integrity.UNREADABLE) for s in signatures):
            self.refuse("earlier_signature_broken_no_seal")
            return None
        if any(self._is_own(s) and _looks_like_seal(s) for s in signatures):
            self.refuse("already_sealed")
            return None
        issuing = [s for s in signatures if self._may_issue(s)]
        people = [s for s in signatures if not self._is_body(s)]
        if not issuing:
            if (stranger := next(filter(None, map(self._in_place_of, people)), None)) is not None:
                self.refuse("leader_other_name", name=stranger[0], typed=stranger[1])
                return None
            people = people or list(signatures)
            self.refuse("leader_only_initial", name=people[0].signer or "?")
            return None
        candidates, sure = self._of_our_body(issuing)
        if not candidates:
            self.refuse("joint_leader_missing", name=issuing[0].signer or "?")
            return None
        good = next((s for s in candidates if _counts(s)), None)
        if good is None:
            self.refuse(_why_not(candidates[0]), name=candidates[0].signer or "?")
            return None
        bad = [s for s in people if not _counts(s) and not self._is_initial(s)]
        holder = next((s for s in bad if self._holds_the_only_block(s) and not self._blocks_of(good)), None)
        if holder is not None:
            self.refuse(_why_not(holder), name=holder.signer or "?")
            return None
        if bad:
            self.warn("leader_other_unfit", names=_names(bad))
        if good.revocation is not Revocation.GOOD:
            self.warn("leader_revocation_unchecked", name=good.signer or "?")
        if not sure:
            self.warn("joint_leader_unclear", names=_names(candidates))
        if missing := self._still_to_sign(good, issuing):
            self.warn("joint_others_missing", names=", ".join(missing))
        fits = self._is_listed(good) or bool(self._named_blocks(good))
        if not fits:
            # A certificate that spells its holder in a way of its own.
            self.warn("leader_name_differs", name=good.signer or "?", typed=self._blocks_of(good)[0].name)
        return Leader(good, sure and fits)

    # --- whose signature it is ---------------------------------------------------------------------------------------

    def _may_issue(self, signature: SignatureReport) -> bool:
        """A person's signature at the place of signing, or of one who is known to sign; no initial and no seal."""
        if self._is_initial(signature) or self._is_body(signature):
            return False
        return self._is_listed(signature) or bool(self._blocks_of(signature))

    def _is_initial(self, signature: SignatureReport) -> bool:
        return self._initials.include(signature, self._reasons.get(signature.field, ""))

    def _is_own(self, signature: SignatureReport) -> bool:
        """Whether the body itself made it."""
        return signature.signer is not None and any(same_body(signature.signer, name) for name in self._names)

    def _is_body(self, signature: SignatureReport) -> bool:
        """Whether a body made it, ours or another: its name stands in ô 2, or it looks like a seal of nobody in ô 7."""
        if self._is_own(signature):
            return True
        if signature.signer is not None and names_body(issuing_lines(self._pages[0]), signature.signer):
            return True
        if self._is_listed(signature) or self._named_blocks(signature):
            return False
        # A body's certificate in ô 7 is no person's, however its stamp is shaped.
        return begins_body(signature.signer or "") or (_looks_like_seal(signature) and _is_square(signature))

    def _is_listed(self, signature: SignatureReport) -> bool:
        """Whether its holder is one of our body's signers."""
        name = signature.signer or ""
        return self._body is not None and any(same_signer(name, signer) for signer in self._body.signers)

    def _of_our_body(self, issuing: Sequence[SignatureReport]) -> tuple[list[SignatureReport], bool]:
        """Those of our body's leaders, and whether that is certain; none where only others have signed."""
        ours = [s for s in issuing if self._is_listed(s) or any(map(self._speaks_for_us, self._blocks_of(s)))]
        if ours:
            return ours, True
        if any(map(self._speaks_for_us, self._blocks)):
            # Somebody else signed; our leader's place is still empty.
            return [], False
        left = [s for s in issuing if not any(map(self._speaks_for_others, self._blocks_of(s)))]
        return left, len({fold(s.signer or "") for s in left}) == 1

    def _speaks_for_us(self, block: SignerBlock) -> bool:
        """Whether a block's title names our body, in full or by the beginning that titles give ("TM. ỦY BAN NHÂN DÂN").

        A beginning that another block shares names nobody.
        """
        if block.body is None:
            return False
        if any(same_body(block.body, name) for name in self._names):
            return True
        others = (one for one in self._blocks if one.name != block.name)
        shared = any(one.body is not None and same_body(one.body, block.body) for one in others)
        return _begins(block.body, self._names) and not shared

    def _speaks_for_others(self, block: SignerBlock) -> bool:
        """Whether a block's title names one of the other bodies of ô 2."""
        if block.body is None or _begins(block.body, self._names):
            return False
        return _begins(block.body, issuing_bodies(self._pages[0]))

    # --- where it lies -----------------------------------------------------------------------------------------------

    def _blocks_of(self, signature: SignatureReport) -> list[SignerBlock]:
        """The blocks of ô 7 that name the signer or hold the signature."""
        held = (block for block in self._held(signature) if not _another_person(block.name, signature.signer or ""))
        return [*self._named_blocks(signature), *held]

    def _held(self, signature: SignatureReport) -> list[SignerBlock]:
        """The blocks of ô 7 in whose room the signature lies, whoever made it."""
        return [block for block in self._blocks if lies_in(signature, block)]

    def _in_place_of(self, signature: SignatureReport) -> tuple[str, str] | None:
        """Who signed in the room of another person, and that person's name; None where nobody did."""
        held = [] if self._is_initial(signature) else self._held(signature)
        return (signature.signer or "?", held[0].name) if held else None

    def _holds_the_only_block(self, signature: SignatureReport) -> bool:
        return len(self._blocks) == 1 and bool(self._held(signature) or self._blocks_of(signature))

    def _still_to_sign(self, leader: SignatureReport, issuing: Sequence[SignatureReport]) -> list[str]:
        """Names that stand beside the leader's, on one level, under which nobody has signed who counts."""
        signed = [block.name for one in issuing if _counts(one) for block in self._blocks_of(one)]
        own = next(iter(self._blocks_of(leader)), None)
        beside = [
            block.name
            for block in self._blocks
            if own is not None
            and block.page == own.page
            and abs(block.name_box.y - own.name_box.y) < _BESIDE_MM
            and self._signs_the_letter(block)
        ]
        return [name for name in dict.fromkeys(beside) if not any(same_signer(name, other) for other in signed)]

    def _named_blocks(self, signature: SignatureReport) -> list[SignerBlock]:
        name = signature.signer or ""
        found = (block for block in self._signers.of(name) if same_signer(block.name, name))
        return [block for block in found if self._signs_the_letter(block)]

    def _signs_the_letter(self, block: SignerBlock) -> bool:
        """Whether a block is one of ô 7: under a title, in the right half, or beside another one (joint letters)."""
        if not block.sure:
            return False
        if block.name_box.centre[0] > self._pages[block.page].frame.width_mm * 0.45:
            return True
        return any(
            other.page == block.page
            and other.name != block.name
            and abs(other.name_box.y - block.name_box.y) < _BESIDE_MM
            for other in self._blocks
        )


def lies_in(signature: SignatureReport, block: SignerBlock) -> bool:
    """Whether the middle of a signature is in the room between title and name (ô 7c)."""
    if signature.page != block.page + 1 or signature.rect is None:
        return False
    x, y = signature.rect.x + signature.rect.w / 2, signature.rect.y + signature.rect.h / 2
    return block.room.x <= x <= block.room.right and block.room.y <= y <= block.room.bottom


def _names(signatures: Sequence[SignatureReport]) -> str:
    return ", ".join(dict.fromkeys(s.signer or "?" for s in signatures))


def _another_person(typed: str, signer: str) -> bool:
    """Whether a name under a place of signing is certainly not the signer's: its first or last word is another.

    A certificate may spell its holder in a way of its own; a drafter who signs there has another name, if only by its
    diacritics.
    """
    if same_person(typed, signer):
        return not same_signer(typed, signer)
    left, right = fold(without_honorifics(typed)).split(), fold(without_honorifics(signer)).split()
    return len(left) > 1 and len(right) > 1 and (left[0], left[-1]) != (right[0], right[-1])


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


def _is_square(signature: SignatureReport) -> bool:
    rect = signature.rect
    return rect is not None and 0.8 < rect.w / rect.h < 1.25


def _begins(title: str, names: Sequence[str]) -> bool:
    """Whether a title's name of a body is one of these names, or how one begins."""
    start = body_key(title)
    return bool(start) and any(f"{body_key(name)} ".startswith(f"{start} ") for name in names)
