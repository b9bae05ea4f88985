"""The command `restored`: what a restore has left to be said, and saying it without a window.

Main process, under the data folder's lock: an open window asks the same itself. A book is named as the list names it,
BODY:YEAR:SEQUENCE, with an empty sequence for the numbers of what came.
"""

import argparse

from signer_app.backup.reconciling import LastNumber, NumberQuestion
from signer_app.cli.console import Console
from signer_app.desk.backing_up import AfterRestore, BackingUp
from signer_app.signing.jobs import UsageError
from signer_app.workspace import Workspace


def restored(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """1 while something is open."""
    backups = BackingUp(space)
    if args.last:
        backups.confirm_numbers([_answer(one) for one in args.last])
    if args.send is not None:
        backups.send_held(args.send or None)
    after = backups.after_restore()
    if console.as_json:
        console.result(_as_json(after))
    else:
        _say(after, console)
    return 1 if after.open else 0


def _answer(written: str) -> LastNumber:
    """BODY:YEAR:SEQUENCE=LAST as typed."""
    key, equals, last = written.rpartition("=")
    parts = key.split(":", 2)
    if not equals or len(parts) != 3 or not all(_is_number(part) for part in (parts[1], last)):
        raise UsageError("usage_last_number", value=written)
    return LastNumber(parts[0], int(parts[1]), parts[2] or None, int(last))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def _key(question: NumberQuestion) -> str:
    return f"{question.body_code}:{question.year}:{question.sequence or ''}"


def _as_json(after: AfterRestore) -> dict[str, object]:
    return {
        "restored_at": after.restored_at and after.restored_at.isoformat(),
        "backup_at": after.backup_at and after.backup_at.isoformat(),
        "to_ask": after.to_ask,
        "held": [
            {"packet_id": row.packet_id, "document": row.label, "receivers": list(row.receivers)} for row in after.held
        ],
        "numbers": [{"book": _key(one), "last": one.last} for one in after.numbers],
    }


def _say(after: AfterRestore, console: Console) -> None:
    if not after.open:
        console.say("bk_after_all")
        return
    if after.to_ask:
        console.say("bk_after_to_ask", count=after.to_ask)
    if after.held:
        console.say("bk_after_held", count=len(after.held))
        for row in after.held:
            console.say("restored_packet", packet=row.packet_id, document=row.label)
    if after.numbers:
        console.say("bk_after_numbers")
        for one in after.numbers:
            console.say("restored_book", book=_key(one), last=one.last)
