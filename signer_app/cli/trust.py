"""The command `trust`: the anchors of this machine, listed, imported, added as the body's own, and removed.

Main process; everything but the list writes, under the data folder's lock. An own anchor is never one line of a script
without its fingerprint: that is either given whole, or typed by a person who has it before him on paper.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from signer_app.cli.console import Console, clean, message_of
from signer_app.signing.jobs import UsageError
from signer_app.store.times import VIETNAM
from signer_app.trust.keeper import Candidate, Imported, Outcome, TrustKeeper
from signer_app.trust.kept import Kept
from signer_app.workspace import Workspace
from signer_resources.messages import text
from signer_resources.trust import open_places

Ask = Callable[[str], str]
"""Shows a question and gives the answer, one line without its end."""


def trust(space: Workspace, args: argparse.Namespace, console: Console, ask: Ask | None = None) -> int:
    """What `args.action` wants; exit 1 when a certificate was refused."""
    keeper = TrustKeeper(space)
    if args.action == "import":
        return _import(keeper, args, console)
    if args.action == "add":
        return _add(keeper, args, console, ask or _terminal())
    if args.action == "remove":
        return _remove(keeper, args, console)
    _list(keeper.kept(), space, console)
    return 0


def _import(keeper: TrustKeeper, args: argparse.Namespace, console: Console) -> int:
    for file in args.files:
        if not file.is_file():
            raise UsageError("usage_missing_input", name=str(file))
    found = keeper.import_files(args.files)
    if console.as_json:
        console.result({"imported": [_imported(one, console) for one in found]})
    for one in found:
        if one.error is not None:
            console.warn(one.error)
        else:
            console.say(f"trust_import_{one.outcome}", name=one.name, sha256=one.sha256)
    return 1 if any(one.outcome is Outcome.REFUSED for one in found) else 0


def _imported(one: Imported, console: Console) -> dict[str, object]:
    return {
        "file": str(one.file),
        "sha256": one.sha256,
        "name": one.name,
        "outcome": one.outcome.value,
        "error": None if one.error is None else message_of(one.error, console.lang),
    }


def _add(keeper: TrustKeeper, args: argparse.Namespace, console: Console, ask: Ask | None) -> int:
    if not args.file.is_file():
        raise UsageError("usage_missing_input", name=str(args.file))
    candidate = keeper.candidate(args.file)
    kept = keeper.add_own(candidate, args.sha256 or _typed(candidate, console, ask), args.label or "")
    if console.as_json:
        console.result({"added": _shown(kept)})
    console.say("trust_added", name=kept.name, sha256=kept.sha256)
    return 0


def _remove(keeper: TrustKeeper, args: argparse.Namespace, console: Console) -> int:
    gone = keeper.remove(args.id)
    if console.as_json:
        console.result({"removed": _shown(gone)})
    console.say("trust_removed", name=gone.name, sha256=gone.sha256)
    return 0


def _typed(candidate: Candidate, console: Console, ask: Ask | None) -> str:
    """The fingerprint as the person has it from the certificate's authority; it is not shown before."""
    if ask is None:
        raise UsageError("usage_trust_sha256")
    return ask(text("trust_ask_sha256", console.lang, name=candidate.name))


def _terminal() -> Ask | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> str:
        sys.stderr.write(clean(question))
        sys.stderr.flush()
        return sys.stdin.readline().rstrip("\r\n")

    return ask


def _list(found: Sequence[Kept], space: Workspace, console: Console) -> None:
    if console.as_json:
        console.result({"certificates": [_shown(one) for one in found], **_settings(space)})
        return
    if found:
        rows = [
            [
                one.name,
                text(f"trust_set_{one.set}", console.lang),
                text(f"trust_use_{one.use}", console.lang),
                one.entry.added_at.astimezone(VIETNAM).strftime("%d/%m/%Y"),
                one.sha256,
            ]
            for one in found
        ]
        heads = ("head_certificate", "trust_head_set", "trust_head_use", "trust_head_added", "trust_head_sha256")
        console.table(heads, rows)
    else:
        console.say("trust_none")
    _say_settings(space, console)


def _settings(space: Workspace) -> dict[str, object]:
    settings = space.settings
    rule = settings.legacy_sha1_before
    return {
        "open_places": [] if settings.national_root else [place.name for place in open_places()],
        "legacy_sha1_before": rule.isoformat() if rule is not None else None,
        "trust_dir": settings.trust_dir,
    }


def _say_settings(space: Workspace, console: Console) -> None:
    """What else decides about trust."""
    settings = space.settings
    if settings.trust_dir:
        console.say("trust_folder_too", folder=settings.trust_dir)
    if not settings.national_root:
        for place in open_places():
            console.say("trust_place_open", name=place.name)
    if settings.legacy_sha1_before is not None:
        console.say("trust_sha1_rule", date=settings.legacy_sha1_before.strftime("%d/%m/%Y"))


def _shown(one: Kept) -> dict[str, object]:
    return {
        "sha256": one.sha256,
        "name": one.name,
        "set": one.set.value,
        "use": one.use.value,
        "own": one.entry.own,
        "added_at": one.entry.added_at.isoformat(),
    }
