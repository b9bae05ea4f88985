"""The report on checked files as a PDF: for each its verdict in large words, then every signature with the seven facts
of TT 15/2025/TT-BKHCN, article 6.4, what was changed after it and what the finding rests on.

Main process, any thread. Pure: finished reports in, the bytes of a paper out; no file is opened and nothing decided.
"""

import datetime as dt
import importlib.metadata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.paper.listing import Column, ListingPaper
from signer_app.paper.sheet import Ink
from signer_app.verification.facts import anchors_used, moment, signature_facts, without_verdict
from signer_app.verification.model import Change, FileReport, Proof, SignatureReport, StampReport, Verdict
from signer_app.verification.report import change_message, message, reason
from signer_resources.messages import Lang, text

_GREEN, _AMBER, _RED, _GREY = (0.05, 0.42, 0.18), (0.62, 0.36, 0.0), (0.72, 0.07, 0.07), (0.35, 0.35, 0.35)
_INKS: dict[Verdict, Ink] = {
    Verdict.VALID: _GREEN,
    Verdict.CHANGED: _AMBER,
    Verdict.INDETERMINATE: _AMBER,
    Verdict.INVALID: _RED,
    Verdict.UNSIGNED: _GREY,
}
"""The words say it too: a printer may know no colours."""
_MOST_CHANGES = 60
"""Changes that are listed of one signature; the report in JSON has them all."""


@dataclass(frozen=True)
class PaperEntry:
    """A file of the report: what the person calls it, and what was found."""

    name: str
    report: FileReport


def report_paper(entries: Sequence[PaperEntry], now: dt.datetime, lang: Lang) -> bytes:
    """The report as a PDF, its files in the order given, with a table before them where there are several."""
    paper = _ReportPaper(lang)
    version = importlib.metadata.version("signer")
    made = text("paper_verify_made", lang, time=moment(now), version=version, count=len(entries))
    paper.title(text("paper_verify_title", lang), [made])
    if len(entries) > 1:
        paper.summary(entries)
    for number, entry in enumerate(entries, start=1):
        paper.file(number, entry)
    return paper.pdf(text("paper_verify_title", lang), language="vi-VN" if lang == "vi" else "en")


class _ReportPaper(ListingPaper):
    def __init__(self, lang: Lang) -> None:
        super().__init__()
        self._lang = lang

    def _say(self, key: str, **params: object) -> str:
        return text(key, self._lang, **params)

    def summary(self, entries: Sequence[PaperEntry]) -> None:
        counts = Counter(entry.report.verdict for entry in entries)
        told = (f"{self._say(f'verdict_{verdict}')}: {counts[verdict]}" for verdict in Verdict if counts[verdict])
        self.note(" · ".join(told))
        columns = (
            Column(self._say("paper_verify_head_number"), 0.08),
            Column(self._say("paper_verify_head_file"), 0.45),
            Column(self._say("paper_verify_head_verdict"), 0.35),
            Column(self._say("paper_verify_head_signatures"), 0.12),
        )
        rows = [
            (str(number), entry.name, self._say(f"verdict_{entry.report.verdict}"), str(len(entry.report.signatures)))
            for number, entry in enumerate(entries, start=1)
        ]
        self.table(columns, rows)

    def file(self, number: int, entry: PaperEntry) -> None:
        report = entry.report
        self.keep(150)
        self.line()
        self.heading(f"{number}. {entry.name}")
        self.heading(self._say(f"verdict_{report.verdict}").upper(), size=19, ink=_INKS[report.verdict])
        if report.verdict not in (Verdict.VALID, Verdict.UNSIGNED):
            self.note(without_verdict(message(report, self._lang), self._lang))
        unknown = self._say("verify_fact_unknown")
        self.fact(self._say("paper_verify_sha256"), report.sha256 or unknown, small=True)
        self.fact(self._say("paper_verify_size"), str(report.size) if report.size is not None else unknown)
        self.fact(self._say("paper_verify_checked"), moment(report.checked_at) if report.checked_at else unknown)
        if report.signatures:
            self.fact(self._say("verify_fact_anchor"), anchors_used(report, self._lang))
        for at, signature in enumerate(report.signatures, start=1):
            self._signature(at, signature)
        for stamp in report.stamps:
            self._stamp(stamp)

    def _signature(self, number: int, signature: SignatureReport) -> None:
        self.y -= 6
        verdict = self._say(f"verdict_{signature.verdict}")
        who = signature.signer or self._say("verify_fact_unknown")
        heading = self._say("paper_verify_signature", number=number, signer=who, verdict=verdict)
        self.heading(heading, size=12, ink=_INKS[signature.verdict], keep=110)
        for at, fact in enumerate(signature_facts(signature, self._lang), start=1):
            # The article numbers seven; the anchors are the eighth.
            self.fact(f"({at}) {fact.what}", fact.value)
        if signature.verdict is not Verdict.VALID:
            for code in signature.reasons:
                told = reason(code, signature.message_params, self._lang)
                self.fact(self._say("paper_verify_reason"), without_verdict(told, self._lang))
        if signature.legacy:
            self.fact(self._say("paper_verify_legacy"), self._say("paper_verify_legacy_used"))
        self._revocation(signature)
        self._changes(signature.changes)

    def _revocation(self, signature: SignatureReport) -> None:
        self.fact(self._say("paper_verify_revocation"), self._say(f"verify_status_{signature.revocation}"))
        for proof in signature.proofs:
            self.note(self._proof(proof), indent=1, small=True)

    def _proof(self, proof: Proof) -> str:
        end = moment(proof.next_update) if proof.next_update else self._say("verify_fact_unknown")
        return self._say(
            "paper_verify_proof",
            kind=proof.kind.value.upper(),
            issued=moment(proof.issued),
            end=end,
            status=self._say(f"verify_status_{proof.status}"),
            sha256=proof.sha256,
        )

    def _changes(self, changes: Sequence[Change]) -> None:
        if not changes:
            self.fact(self._say("paper_verify_changes"), self._say("paper_verify_changes_none"))
            return
        self.fact(self._say("paper_verify_changes"), self._say("paper_verify_changes_count", count=len(changes)))
        for change in changes[:_MOST_CHANGES]:
            weight = "harmless" if change.harmless else "allowed" if change.allowed else "forbidden"
            told = change_message(change, self._lang)
            self.note(f"– {told} {self._say(f'paper_verify_change_{weight}')}", indent=1)
        if len(changes) > _MOST_CHANGES:
            self.note(self._say("paper_verify_changes_more", count=len(changes) - _MOST_CHANGES), indent=1)

    def _stamp(self, stamp: StampReport) -> None:
        self.y -= 6
        self.heading(self._say("paper_verify_stamp"), size=12, keep=60)
        unknown = self._say("verify_fact_unknown")
        self.fact(self._say("paper_verify_stamp_time"), moment(stamp.time) if stamp.time else unknown)
        self.fact(self._say("paper_verify_stamp_authority"), stamp.authority or unknown)
        self.fact(self._say("verify_fact_integrity"), self._say(f"verify_integrity_{stamp.integrity}"))
        good = "paper_verify_stamp_good" if stamp.valid else "paper_verify_stamp_bad"
        self.fact(self._say("paper_verify_stamp_valid"), self._say(good))
