"""The command `register`: the book of outgoing numbers, giving a number up, the incoming register, both as files, and
the period report.

Main process. Listing and writing files only read the store, beside a window or a running batch too; giving up
(`--void`) takes the data folder's lock. Shows no picture and nothing of a document but what stands in the register.
"""

import argparse
from pathlib import Path

from signer_app.cli.console import Console
from signer_app.desk.names import Names
from signer_app.desk.register import give_up_number
from signer_app.desk.register_books import RegisterBooks
from signer_app.pdf.names import fold
from signer_app.registers import words
from signer_app.registers.model import IncomingLine, found
from signer_app.registers.period import LateDocument, PeriodReport
from signer_app.registers.period_writing import days, figures, notes, title
from signer_app.signing.jobs import UsageError, parse_date, parse_number
from signer_app.store.number_book import NumberEntry
from signer_app.store.registers import Book
from signer_app.store.sequences import sequence_key
from signer_app.store.times import stamp, vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.messages import text


def register(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Lists the numbers of a year, or the incoming register; with --void gives a number up first; with --out writes the
    register, with --report the period report.
    """
    _check(args)
    year = args.year or space.now().year
    books = RegisterBooks(space, Names(space.folder.cache))
    if args.report is not None:
        return _report(books, args, console)
    if args.void is not None:
        _give_up(space, args, year, console)
    book = Book.INCOMING if args.incoming else Book.OUTGOING
    if args.out is not None:
        books.export(book, args.out, console.lang, year, args.body, args.search)
        console.say("register_written", file=args.out)
    if args.incoming:
        _show_incoming(books, year, args, console)
    else:
        _show_numbers(space, year, args, console)
    return 0


def _check(args: argparse.Namespace) -> None:
    """What doesn't go together."""
    if args.reason is not None and args.void is None:
        raise UsageError("usage_arguments", reason="--reason")
    if args.void is not None and args.incoming:
        raise UsageError("usage_arguments", reason="--void --incoming")
    if args.report is not None and (args.void is not None or args.incoming or args.year or args.search):
        raise UsageError("usage_arguments", reason="--report")


def _show_numbers(space: Workspace, year: int, args: argparse.Namespace, console: Console) -> None:
    with (space.store if space.folder.locked else space.reader).view() as view:
        entries = view.number_book.entries(year, args.body)
    wanted = fold(args.search)
    entries = tuple(
        one for one in entries if found(fold(f"{one.label} {one.subject or ''} {one.reason or ''}"), wanted)
    )
    if console.as_json:
        console.result({"year": year, "numbers": [_entry(entry) for entry in entries], "out": _out(args)})
    elif args.out is not None:
        return
    elif entries:
        console.table(
            ("head_document", "head_time", "head_number_state", "head_number_register", "head_number_about"),
            [_row(entry, console) for entry in entries],
        )
    else:
        console.say("register_none", year=year)


def _show_incoming(books: RegisterBooks, year: int, args: argparse.Namespace, console: Console) -> None:
    lines = books.incoming(year, args.body, args.search).lines
    if console.as_json:
        console.result({"year": year, "arrivals": [_arrival(line, console) for line in lines], "out": _out(args)})
    elif args.out is not None:
        return
    elif lines:
        rows = [[words.shown(cell) for cell in words.incoming_cells(line, console.lang)] for line in lines]
        console.table(words.INCOMING_HEADS, rows)
    else:
        console.say("register_arrivals_none", year=year)


def _arrival(line: IncomingLine, console: Console) -> dict[str, object]:
    return {
        "body": line.body_code,
        "year": line.year,
        "number": line.number,
        "last": line.last or None,
        "state": line.kind.value,
        "arrived": line.arrived_on.isoformat() if line.arrived_on else None,
        "author": line.author,
        "label": line.label,
        "date": line.date.isoformat() if line.date else None,
        "subject": line.title,
        "on_paper": line.on_paper,
        "passed_to": line.passed_to,
        "passed_on": line.passed_on.isoformat() if line.passed_on else None,
        "signed_for": line.signed_for,
        "note": line.remarks_told(console.lang),
    }


def _report(books: RegisterBooks, args: argparse.Namespace, console: Console) -> int:
    if args.out is None and not console.as_json:
        raise UsageError("usage_register_out")
    first, last = (parse_date(one) for one in args.report)
    made = books.report(first, last, args.body)
    if args.out is not None:
        books.write_report(made, args.out, console.lang)
        console.say("period_written", file=args.out)
    if console.as_json:
        console.result(_report_json(made, args, console))
    return 0


def _report_json(made: PeriodReport, args: argparse.Namespace, console: Console) -> dict[str, object]:
    return {
        "title": f"{title(made, console.lang)}. {days(made, console.lang)}",
        "from": made.first.isoformat(),
        "to": made.last.isoformat(),
        "body": made.body,
        "made_at": stamp(made.made_at),
        "figures": [
            {"what": one.what, "count": one.count, "definition": one.definition} for one in figures(made, console.lang)
        ],
        "late": [_late(one, made) for one in made.late],
        "notes": list(notes(made, console.lang)),
        "out": _out(args),
    }


def _late(one: LateDocument, made: PeriodReport) -> dict[str, object]:
    return {
        "document": one.id,
        "label": one.label,
        "date": one.date.isoformat(),
        "subject": one.title,
        "late_at": stamp(one.deadline.late_at),
        "sent_at": stamp(one.sent_at) if one.sent_at else None,
        "days_late": one.days_late(made.made_at),
    }


def _out(args: argparse.Namespace) -> str | None:
    out: Path | None = args.out
    return str(out.absolute()) if out is not None else None


def _give_up(space: Workspace, args: argparse.Namespace, year: int, console: Console) -> None:
    if not (args.reason or "").strip():
        raise UsageError("usage_give_up_reason")
    number, notation = parse_number(args.void)
    given_up = give_up_number(space, _body(space, args.body), year, number, notation, args.reason)
    console.say("register_given_up", number=given_up.label)


def _body(space: Workspace, wanted: str | None) -> str:
    """The code of the body whose number is meant: as named, else the only one that there is."""
    codes = [body.code for body in space.settings.bodies]
    if wanted is None and len(codes) == 1:
        return codes[0]
    with space.store.view() as view:
        # A certificate without a body in the settings has numbers of its own.
        known = dict.fromkeys((*codes, *(one.body_code for one in view.reservations.list())))
    if wanted in known:
        return str(wanted)
    if wanted is None and len(known) == 1:
        return next(iter(known))
    raise UsageError("usage_body", known=", ".join(known))


def _entry(entry: NumberEntry) -> dict[str, object]:
    return {
        "body": entry.body_code,
        "year": entry.year,
        "number": entry.number,
        "notation": entry.notation,
        "register": _register(entry) or None,
        "date": entry.doc_date.isoformat(),
        "state": entry.state.value,
        "at": entry.at.isoformat(),
        "document": entry.document_id,
        "subject": entry.subject,
        "reason": entry.reason,
        "operator": entry.operator,
    }


def _row(entry: NumberEntry, console: Console) -> list[str]:
    return [
        entry.label,
        vietnamese_date(entry.doc_date),
        text(f"register_state_{entry.state}", console.lang),
        _register(entry),
        entry.reason or entry.subject or "",
    ]


def _register(entry: NumberEntry) -> str:
    """The register that holds the number; empty where its notation has numbers of its own."""
    return entry.sequence if entry.sequence != sequence_key(entry.notation) else ""
