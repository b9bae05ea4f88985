"""The command `register`: the book of outgoing numbers, and giving a number up.

Main process. Listing only reads, beside a window or a running batch too; giving up (`--void`) takes the data folder's
lock. Shows numbers, never a picture and nothing of a document but its subject or its file's name.
"""

import argparse

from signer_app.cli.console import Console
from signer_app.desk.register import give_up_number
from signer_app.signing.jobs import UsageError, parse_number
from signer_app.store.number_book import NumberEntry
from signer_app.store.sequences import sequence_key
from signer_app.store.times import vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.messages import text


def register(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Lists the numbers of a year; with --void gives one up first."""
    year = args.year or space.now().year
    if args.void is not None:
        _give_up(space, args, year, console)
    elif args.reason is not None:
        raise UsageError("usage_arguments", reason="--reason")
    with (space.store if space.folder.locked else space.reader).view() as view:
        entries = view.number_book.entries(year, args.body)
    if console.as_json:
        console.result({"year": year, "numbers": [_entry(entry) for entry in entries]})
    elif entries:
        console.table(
            ("head_document", "head_time", "head_number_state", "head_number_register", "head_number_about"),
            [_row(entry, console) for entry in entries],
        )
    else:
        console.say("register_none", year=year)
    return 0


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
