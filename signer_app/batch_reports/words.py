"""A report in words: the facts of its head, and the cells of its lines, for every form alike.

Pure. Names come from outside, so each cell is made harmless (`paper.cells`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from signer_app.batch_reports.model import EarlierBatch, ReportHead, ReportLine, Told
from signer_app.paper.cells import Cell, defused, plain
from signer_app.store.model import FileState
from signer_app.verification.facts import moment
from signer_resources.messages import Lang, text

_SHOWN = (FileState.SIGNED, FileState.PENDING, FileState.REFUSED, FileState.FAILED, FileState.SKIPPED)


@dataclass(frozen=True)
class Fact:
    """A fact of the head: what it is called, and what it is."""

    what: str
    value: str


def title(lang: Lang) -> str:
    """What the report is called."""
    return text("batch_report_title", lang)


def head_facts(head: ReportHead, lang: Lang) -> tuple[Fact, ...]:
    """When, with what, how many of each, what stopped it, and with which batches it went on."""
    signer, unknown = head.signer, text("batch_report_unknown", lang)
    ended = moment(head.finished_at) if head.finished_at else text("batch_report_not_finished", lang)
    facts = [
        Fact(text("batch_report_batch", lang), head.batch),
        Fact(text("batch_report_begun", lang), moment(head.begun_at)),
        Fact(text("batch_report_finished", lang), ended),
        Fact(text("batch_report_certificate", lang), _certificate(signer.name, signer.certificate)),
        Fact(text("batch_report_token", lang), plain(signer.token or unknown)),
        Fact(text("batch_report_operator", lang), plain(signer.operator or unknown)),
        Fact(text("batch_report_counts", lang), counts_told(head.counts, lang)),
    ]
    if head.stopped is not None:
        facts.append(Fact(text("batch_report_stopped", lang), plain(head.stopped.whole(lang))))
    facts += [Fact(text("batch_report_continues", lang), _earlier(one, lang)) for one in head.earlier]
    if head.earlier:
        facts.append(Fact(text("batch_report_in_all", lang), str(head.signed_in_all)))
    return tuple(facts)


def counts_told(counts: Mapping[FileState, int], lang: Lang) -> str:
    """How many files stand how, in one line."""
    total = text("batch_report_total", lang, count=sum(counts.values()))
    return " · ".join(
        [total, *(f"{state_told(state, lang)}: {counts[state]}" for state in _SHOWN if counts.get(state))]
    )


def state_told(state: FileState, lang: Lang) -> str:
    """What became of a file."""
    return text(f"batch_report_state_{state}", lang)


def whole_told(told: Told | None, lang: Lang) -> str:
    """All that is said of a reason; nothing where there is none."""
    return plain(told.whole(lang)) if told is not None else ""


def warnings_told(line: ReportLine, lang: Lang) -> str:
    """What was said besides."""
    return plain(" ".join(warning.what(lang) for warning in line.warnings))


def seconds_told(seconds: float | None, lang: Lang) -> str:
    """A tenth of a second is told, with the language's own point."""
    told = "" if seconds is None else f"{seconds:.1f}"
    return told.replace(".", ",") if lang == "vi" else told


def column_names(lang: Lang) -> tuple[str, ...]:
    """The heads of `cells`."""
    return tuple(
        text(key, lang)
        for key in (
            "batch_report_head_position",
            "batch_report_head_label",
            "batch_report_head_date",
            "batch_report_head_name",
            "batch_report_head_folder",
            "batch_report_head_state",
            "batch_report_head_reason",
            "batch_report_head_warnings",
            "batch_report_head_level",
            "batch_report_head_before",
            "batch_report_head_after",
            "batch_report_head_output",
            "batch_report_head_seconds",
        )
    )


def cells(line: ReportLine, lang: Lang) -> tuple[Cell, ...]:
    """All that is told of a file, for a spreadsheet: no text in it is a formula."""
    return (
        line.position,
        defused(line.label or ""),
        line.date,
        defused(line.name),
        defused(line.folder),
        state_told(line.state, lang),
        defused(whole_told(line.reason, lang)),
        defused(warnings_told(line, lang)),
        (line.level or "").upper(),
        line.sha256_before or "",
        line.sha256_after or "",
        defused(line.output or ""),
        None if line.seconds is None else round(line.seconds, 1),
    )


def _certificate(name: str | None, sha256: str) -> str:
    return plain(f"{name} ({sha256})" if name else sha256)


def _earlier(one: EarlierBatch, lang: Lang) -> str:
    parts = [one.batch, moment(one.begun_at), counts_told(one.counts, lang)]
    if one.stopped is not None:
        parts.append(one.stopped.what(lang))
    return plain(" · ".join(parts))
