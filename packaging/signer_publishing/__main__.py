"""The tool's command line: init, rotate, add, withdraw, sign, show.

Keys lie where their options say, so that each root key can be on a stick of its own. Passphrases are asked for at the
terminal, or read from stdin, a line for each key in the order of their use; never arguments.
"""

import argparse
import datetime as dt
import getpass
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from signer_app.store.update_settings import VERSION_PATTERN
from signer_app.updates.releases import PACKAGES
from signer_publishing.keys import Ask, KeyFault, load_key, make_key
from signer_publishing.repository import ONLINE, PublishingFault, Repository

_NOTES = 8000


def main(argv: Sequence[str], now: dt.datetime | None = None) -> int:
    """Runs one command; 1 where it can't be done."""
    args = _parser().parse_args(argv)
    ask = _stdin if args.passphrase_stdin else _terminal
    try:
        _COMMANDS[args.command](args, Repository(args.tree, now or dt.datetime.now(dt.UTC)), ask)
    except (KeyFault, PublishingFault) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


def _init(args: argparse.Namespace, tree: Repository, ask: Ask) -> None:
    roots = [make_key(file, ask(f"{file.stem} (new)")) for file in args.root_key]
    online = {role: make_key(args.keys / f"{role}.pem", ask(f"{role} (new)")) for role in ONLINE}
    _put(args.root_out, tree.init(roots, args.threshold, online))


def _rotate(args: argparse.Namespace, tree: Repository, ask: Ask) -> None:
    old = [load_key(file, ask) for file in args.root_key]
    new = [make_key(file, ask(f"{file.stem} (new)")) for file in args.add_root]
    roles = {role: _make_again(args.keys / f"{role}.pem", ask) for role in args.role}
    _put(args.root_out, tree.rotate(old, add_roots=new, drop_roots=args.drop_root, roles=roles))


def _make_again(file: Path, ask: Ask) -> CryptoSigner:
    """A role's new key; the old one's file stays beside it, for what it signed is still read until it is replaced."""
    if file.exists():
        number = 1
        while (aside := file.with_suffix(f".old{number}")).exists():
            number += 1
        file.rename(aside)
    return make_key(file, ask(f"{file.stem} (new)"))


def _add(args: argparse.Namespace, tree: Repository, ask: Ask) -> None:
    for version in (args.version, args.minimum_os):
        if version is not None and re.fullmatch(VERSION_PATTERN, version) is None:
            raise PublishingFault(f"{version} is no version: two to four numbers with dots")
    if not args.package.is_file():
        raise PublishingFault(f"{args.package} can't be read")
    notes = {f"notes_{lang}": _notes(getattr(args, f"notes_{lang}")) for lang in ("vi", "en")}
    custom = {"version": args.version, "platform": args.platform, "released": args.released.isoformat(), **notes}
    if args.minimum_os is not None:
        custom["minimum_os"] = args.minimum_os
    tree.add(args.package, f"{args.platform}/{PACKAGES[args.platform]}", custom, _online(args, ask))


def _notes(file: Path) -> str:
    told = file.read_text(encoding="utf-8").strip()
    if not told or len(told) > _NOTES:
        raise PublishingFault(f"{file} must have 1 to {_NOTES} letters")
    return told


def _withdraw(args: argparse.Namespace, tree: Repository, ask: Ask) -> None:
    tree.withdraw(f"{args.platform}/{PACKAGES[args.platform]}", _online(args, ask))


def _sign(args: argparse.Namespace, tree: Repository, ask: Ask) -> None:
    tree.sign(_online(args, ask))


def _show(_args: argparse.Namespace, tree: Repository, _ask: Ask) -> None:
    for role, (version, end) in tree.standing().items():
        sys.stdout.write(f"{role:10} {version:5}  until {end:%Y-%m-%d}\n")
    for keyid in tree.root().roles["root"].keyids:
        sys.stdout.write(f"root key   {keyid}\n")


_COMMANDS = {
    "init": _init, "rotate": _rotate, "add": _add, "withdraw": _withdraw, "sign": _sign, "show": _show,
}  # fmt: skip


def _online(args: argparse.Namespace, ask: Ask) -> dict[str, CryptoSigner]:
    return {role: load_key(args.keys / f"{role}.pem", ask) for role in ONLINE}


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _terminal(name: str) -> str:
    typed = getpass.getpass(f"Passphrase of {name}: ")
    if name.endswith("(new)") and getpass.getpass("Once more: ") != typed:
        raise KeyFault("the two are not the same")
    return typed


def _stdin(_name: str) -> str:
    return sys.stdin.readline(1024).rstrip("\r\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="signer_publishing", description="What is published as updates, and by whom")
    parser.add_argument("--passphrase-stdin", action="store_true", help="read the keys' passphrases from stdin")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, told: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=told, description=told)
        command.add_argument("tree", type=Path, help="the published folder")
        return command

    def keys(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--keys", type=Path, required=True, help="folder with targets.pem, snapshot.pem, timestamp.pem"
        )

    init = add("init", "a new tree, new keys, and the root that the program is built with")
    keys(init)
    init.add_argument("--root-key", type=Path, action="append", required=True, help="where a root key goes; repeatedly")
    init.add_argument("--threshold", type=int, default=2, help="signatures that a root needs")
    rotate = add("rotate", "the next root: other keys, or the same ones for two more years")
    keys(rotate)
    rotate.add_argument(
        "--root-key", type=Path, action="append", required=True, help="a root key that signs; repeatedly"
    )
    rotate.add_argument("--add-root", type=Path, action="append", default=[], help="where a new root key goes")
    rotate.add_argument(
        "--drop-root", action="append", default=[], metavar="KEYID", help="a root key that no longer counts"
    )
    rotate.add_argument("--role", choices=ONLINE, action="append", default=[], help="a role that gets a new key")
    for command in (init, rotate):
        command.add_argument(
            "--root-out", type=Path, required=True, help="resources/signer_resources/updates/root.json"
        )

    release = add("add", "publish a package as the newest release of its platform")
    withdraw = add("withdraw", "no release for a platform any more")
    for command in (release, withdraw):
        command.add_argument("--platform", choices=tuple(PACKAGES), required=True)
    release.add_argument("package", type=Path, metavar="FILE")
    release.add_argument("--version", required=True)
    release.add_argument("--minimum-os", help="Windows 10.0.17763, glibc 2.36")
    release.add_argument("--released", type=dt.date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    release.add_argument("--notes-vi", type=Path, required=True, metavar="FILE")
    release.add_argument("--notes-en", type=Path, required=True, metavar="FILE")
    sign = add("sign", "the same releases for another while; every week")
    for command in (release, withdraw, sign):
        keys(command)
    add("show", "versions, ends and root keys")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
