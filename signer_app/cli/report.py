"""The command `report`: what became of a batch, on the screen or as a file.

Main process, without the data folder's lock, so that it works beside a window or a running batch.
"""

import argparse
from collections.abc import Iterator
from itertools import islice

from signer_app.batch_reports import (
    EarlierBatch,
    ReportHead,
    ReportLine,
    Told,
    report_lines,
    report_of,
    require_report_name,
    write_report,
)
from signer_app.batch_reports.words import head_facts, seconds_told, state_told, title, warnings_told
from signer_app.cli.console import Console
from signer_app.store.store import StoreReader
from signer_app.store.times import stamp, vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.messages import Lang

_TOGETHER = 200
"""Lines of one table on the screen; its head comes again."""


def report(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Shows or writes the report on a batch, on the one begun last unless it is named."""
    if args.out is not None:
        require_report_name(args.out)
    store = space.store if space.folder.locked else space.reader
    head = report_of(store, args.batch)
    if head is not None and args.out is not None:
        with console.progress() as progress:
            write_report(store, head, args.out, console.lang, space.now(), progress=progress)
    if console.as_json:
        _tell_json(store, head, args, console)
    elif head is None:
        console.say("batch_report_none")
    elif args.out is not None:
        console.say("batch_report_written", file=args.out)
    else:
        _show(store, head, console)
    return 0


def _show(store: StoreReader, head: ReportHead, console: Console) -> None:
    console.say("batch_report_line", line=title(console.lang))
    for fact in head_facts(head, console.lang):
        console.say("batch_report_fact", what=fact.what, value=fact.value)
    lines = report_lines(store, head.batch)
    while some := list(islice(lines, _TOGETHER)):
        console.table(
            (
                "batch_report_head_position",
                "batch_report_head_label",
                "batch_report_head_date",
                "batch_report_head_name",
                "batch_report_head_state",
                "batch_report_head_remarks",
                "batch_report_head_level",
                "batch_report_head_seconds",
            ),
            [_row(line, console.lang) for line in some],
        )


def _row(line: ReportLine, lang: Lang) -> tuple[str, ...]:
    remarks = (line.reason.what(lang) if line.reason is not None else "", warnings_told(line, lang))
    return (
        str(line.position),
        line.label or "",
        vietnamese_date(line.date) if line.date else "",
        line.name,
        state_told(line.state, lang),
        " ".join(part for part in remarks if part),
        (line.level or "").upper(),
        seconds_told(line.seconds, lang),
    )


def _tell_json(store: StoreReader, head: ReportHead | None, args: argparse.Namespace, console: Console) -> None:
    def files() -> Iterator[dict[str, object]]:
        if head is not None:
            yield from (_line_json(line, console.lang) for line in report_lines(store, head.batch))

    out = str(args.out.absolute()) if head is not None and args.out is not None else None
    told = {"batch": _head_json(head, console.lang) if head is not None else None, "out": out}
    console.result_with(told, "files", files())


def _head_json(head: ReportHead, lang: Lang) -> dict[str, object]:
    return {
        "id": head.batch,
        "begun_at": stamp(head.begun_at),
        "finished_at": stamp(head.finished_at) if head.finished_at else None,
        "stopped": _told_json(head.stopped, lang),
        "certificate": {"sha256": head.signer.certificate, "name": head.signer.name},
        "token": head.signer.token,
        "operator": head.signer.operator,
        "level": head.level,
        "counts": {state.value: count for state, count in head.counts.items()},
        "signed_in_all": head.signed_in_all,
        "continues": [_earlier_json(one, lang) for one in head.earlier],
    }


def _earlier_json(one: EarlierBatch, lang: Lang) -> dict[str, object]:
    return {
        "id": one.batch,
        "begun_at": stamp(one.begun_at),
        "stopped": _told_json(one.stopped, lang),
        "counts": {state.value: count for state, count in one.counts.items()},
    }


def _line_json(line: ReportLine, lang: Lang) -> dict[str, object]:
    return {
        "position": line.position,
        "number": line.label,
        "date": line.date.isoformat() if line.date else None,
        "name": line.name,
        "folder": line.folder,
        "state": line.state.value,
        "reason": _told_json(line.reason, lang),
        "warnings": [_told_json(warning, lang) for warning in line.warnings],
        "level": line.level,
        "sha256_before": line.sha256_before,
        "sha256_after": line.sha256_after,
        "output": line.output,
        "seconds": line.seconds,
    }


def _told_json(told: Told | None, lang: Lang) -> dict[str, str] | None:
    return {"code": told.code, "message": told.whole(lang)} if told is not None else None
