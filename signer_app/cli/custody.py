"""The commands of custody: `handover` (the book and its minutes) and `form` (requests that are filled in).

Main process. `handover --record` and `--pin-changed` write, under the data folder's lock; everything else only looks. A
hand-over is never one line of a script: it asks on the terminal, and once more before it is written.
"""

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from signer_app.cli import pin as pin_source
from signer_app.cli.console import Console, ask_person
from signer_app.custody.book import Book
from signer_app.custody.values import BookSnapshot, Wish
from signer_app.paper.writing import require_free, write_paper
from signer_app.signing.certificates import SigningCertificate
from signer_app.store.custody import HandOver, Permission
from signer_app.store.times import VIETNAM, vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.forms import FormKind
from signer_resources.messages import text

Ask = Callable[[str], str]
"""Shows a question and gives the answer, one line without its end."""


def handover(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """The hand-over book: listed, added to, printed."""
    book = Book(space)
    if args.record:
        pin_source.require_source(from_stdin=False)
        if args.output is not None:
            require_free(args.output)
        _tell(book, record(space, book, args, console, ask_person), args, console)
    elif args.pin_changed:
        chosen = book.chosen(_one(book, args.cert, plugged=True))
        book.pin_was_changed(chosen.token.serial)
        _list(book.entries(space.store), console)
    elif args.print is not None:
        content = book.minute_pdf(args.print, space.reader)
        _write(args.output or Path(f"bien-ban-{args.print}.pdf"), content, console)
    else:
        _list(book.entries(space.reader), console)
    return 0


def form(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """A request form, filled in as far as this machine knows."""
    content = Book(space).request_pdf(FormKind(args.kind), args.cert, space.reader)
    _write(args.output, content, console)
    return 0


def record(space: Workspace, book: Book, args: argparse.Namespace, console: Console, ask: Ask) -> HandOver:
    """Asks for everything that a minute wants, then writes it; KnownError "custody_refused" when the person stops."""
    certificate = _one(book, args.cert, plugged=True)
    chosen = book.chosen(certificate)
    snapshot = book.look()
    wish = _wish(space, chosen, snapshot, console, ask)
    signs = _yes("custody_ask_sign", console, ask)
    told = {
        "name": chosen.certificate.common_name,
        "giver": wish.giver,
        "receiver": wish.receiver or text("custody_nobody", console.lang),
        "unsigned": snapshot.unsigned.count,
        "unsent": snapshot.unsent.count,
    }
    if not _yes("custody_ask_sure", console, ask, **told):
        raise KnownError("custody_refused")
    login = None
    if signs:
        purpose = text("pin_for_minute", console.lang)
        login = pin_source.ask(console, space, chosen, purpose, from_stdin=False, final_try=args.final_try)
    return book.record(certificate, wish, login)


def _wish(space: Workspace, chosen: SigningCertificate, snapshot: BookSnapshot, console: Console, ask: Ask) -> Wish:
    def say(key: str, default: str = "") -> str:
        return ask(text(key, console.lang, default=default) if default else text(key, console.lang)).strip() or default

    sha256 = chosen.certificate.sha256
    holder = next((h.holder for h in snapshot.holdings if h.subject.certificate.sha256 == sha256), "")
    giver = say("custody_ask_giver", holder or space.settings.clerk or "-").removeprefix("-")
    receiver = say("custody_ask_receiver")
    permission = Permission(
        number=say("custody_ask_permission_number"),
        date=_day(say("custody_ask_permission_date")),
        by=say("custody_ask_permission_by"),
    )
    body = chosen.body
    place = say("custody_ask_place", (body.name if body else chosen.certificate.organization) or "-")
    witness, purpose, until = (say(f"custody_ask_{key}") for key in ("witness", "purpose", "until"))
    return Wish(
        giver=giver,
        receiver=receiver,
        permission=permission,
        place=place,
        witness=witness,
        purpose=purpose,
        until=_day(until) if until else None,
        pin_change=bool(receiver) and _yes("custody_ask_pin_change", console, ask),
    )


def _day(typed: str) -> dt.date:
    try:
        return dt.datetime.strptime(typed, "%d/%m/%Y").replace(tzinfo=VIETNAM).date()
    except ValueError:
        raise KnownError("custody_date", text=typed) from None


def _yes(key: str, console: Console, ask: Ask, **params: object) -> bool:
    """Whether the person agrees; anything but the word for yes is no."""
    yes, no = text("custody_yes", console.lang), text("custody_no", console.lang)
    return ask(text(key, console.lang, yes=yes, no=no, **params)).strip().casefold() == yes


def _one(book: Book, wanted: str | None, *, plugged: bool) -> str:
    """SHA-256 of the certificate that is meant."""
    return book.holding(wanted, plugged=plugged).subject.certificate.sha256


def _tell(book: Book, entry: HandOver, args: argparse.Namespace, console: Console) -> None:
    number = entry.minute.number
    console.say("custody_recorded", number=number)
    if args.output is not None:
        try:
            write_paper(args.output, book.minute_pdf(number))
        except KnownError as error:
            # The hand-over is recorded, whatever becomes of its paper, which can be printed again.
            console.warn(error)
        else:
            console.say("custody_written", file=args.output)
    if console.as_json:
        console.result([_entry(entry)])


def _write(target: Path, content: bytes, console: Console) -> None:
    write_paper(target, content)
    console.say("custody_written", file=target)
    if console.as_json:
        console.result({"file": str(target.absolute()), "bytes": len(content)})


def _list(entries: tuple[HandOver, ...], console: Console) -> None:
    if console.as_json:
        console.result([_entry(entry) for entry in entries])
        return
    if not entries:
        console.say("custody_empty")
        return
    console.table(
        (
            "head_number", "head_time", "head_certificate", "head_giver", "head_receiver", "head_permission",
            "head_signed", "head_pin",
        ),
        [_row(entry, console) for entry in entries],
    )  # fmt: skip


def _row(entry: HandOver, console: Console) -> list[str]:
    minute, lang = entry.minute, console.lang
    permission = minute.permission
    return [
        str(minute.number),
        minute.at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M"),
        minute.certificate.name,
        minute.giver,
        minute.receiver or text("custody_nobody", lang),
        text(
            "custody_permission",
            lang,
            number=permission.number,
            date=vietnamese_date(permission.date),
            by=permission.by,
        ),
        text("custody_yes" if entry.signed else "custody_no", lang),
        _pin_words(entry, console),
    ]


def _pin_words(entry: HandOver, console: Console) -> str:
    """What became of the change of the PIN, in words."""
    if not entry.minute.pin_change_due:
        return text("custody_pin_none", console.lang)
    return text(f"custody_pin_{entry.pin_proof or 'open'}", console.lang)


def _entry(entry: HandOver) -> dict[str, object]:
    minute = entry.minute
    return {
        "number": minute.number,
        "at": minute.at.isoformat(),
        "place": minute.place,
        "body": minute.body,
        "giver": minute.giver,
        "receiver": minute.receiver or None,
        "witness": minute.witness or None,
        "permission": {
            "number": minute.permission.number,
            "date": minute.permission.date.isoformat(),
            "by": minute.permission.by,
        },
        "purpose": minute.purpose or None,
        "until": minute.until.isoformat() if minute.until else None,
        "certificate_sha256": minute.certificate.sha256,
        "token_serial": minute.device.serial,
        "pin_state": minute.pin_state.value,
        "pin_change": entry.pin_proof.value if entry.pin_proof else "open" if minute.pin_change_due else "none",
        "unsigned": {"count": minute.unsigned.count, "names": minute.unsigned.names},
        "unsent": {"count": minute.unsent.count, "names": minute.unsent.names},
        "journal_head": str(minute.journal),
        "sha256": entry.sha256,
        "signed": entry.signed is not None,
    }
