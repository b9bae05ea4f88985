"""The arguments of the command line, with help from the catalogue.

Knows no command's work. A wrong argument is a `UsageError`, told like every other error.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from signer_app.pdf.model import CopyForm, Profile
from signer_app.signing.jobs import UsageError
from signer_resources.messages import Lang, text

LEVELS = ("b-b", "b-t", "b-lt", "b-lta")
COPY_FORMS = tuple(form.value.lower() for form in CopyForm)


class _Formatter(argparse.HelpFormatter):
    """Says "usage" in the language of the rest."""

    def __init__(self, prog: str, usage_word: str) -> None:
        super().__init__(prog)
        self._usage_word = usage_word

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, f"{self._usage_word}: " if prefix is None else prefix)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError("usage_arguments", reason=message)


def language_of(argv: Sequence[str]) -> Lang | None:
    """The language asked for, looked at before anything else so that errors come in it."""
    for i, word in enumerate(argv):
        value = argv[i + 1] if word == "--lang" and i + 1 < len(argv) else word.removeprefix("--lang=")
        if value == "en" and word.startswith("--lang"):
            return "en"
        if value == "vi" and word.startswith("--lang"):
            return "vi"
    return None


def parse(argv: Sequence[str], lang: Lang) -> argparse.Namespace:
    """The parsed arguments; UsageError for wrong ones. `--help` prints and exits as argparse does."""
    return _parser(lang).parse_args(_bound_places(argv))


def _bound_places(argv: Sequence[str]) -> list[str]:
    """`--place -1,20,30` as `--place=-1,20,30`: argparse takes a word with a hyphen for an option."""
    words: list[str] = []
    for word in argv:
        if words and words[-1] == "--place":
            words[-1] = f"--place={word}"
        else:
            words.append(word)
    return words


def _parser(lang: Lang) -> argparse.ArgumentParser:
    def say(key: str) -> str:
        return text(f"help_{key}", lang)

    def formatter(*, prog: str) -> argparse.HelpFormatter:
        return _Formatter(prog, say("usage"))

    def dress(made: argparse.ArgumentParser) -> None:
        """argparse names its two groups and its own option in English only."""
        made._positionals.title, made._optionals.title = say("positionals"), say("options")
        made.add_argument("-h", "--help", action="help", help=say("help"))

    parser = _Parser(
        prog="signer", description=say("program"), allow_abbrev=False, add_help=False, formatter_class=formatter
    )
    dress(parser)
    _common(parser, say, {"data_dir": None, "lang": None, "json": False, "module": []})
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, under: Any = commands, key: str = "") -> argparse.ArgumentParser:
        told = say(key or name)
        command: argparse.ArgumentParser = under.add_parser(
            name, help=told, description=told, allow_abbrev=False, add_help=False, formatter_class=formatter
        )
        dress(command)
        # The same options behind the command; left out there, those before it stand.
        _common(command, say, dict.fromkeys(("data_dir", "lang", "json", "module"), argparse.SUPPRESS))
        return command

    demo = add("demo")
    how = demo.add_mutually_exclusive_group()
    how.add_argument("--headless", action="store_true", help=say("headless"))
    how.add_argument("--serve", action="store_true", help=say("serve"))
    demo.add_argument("--port", type=_port, metavar="N", help=say("port"))

    add("tokens")
    doctor = add("doctor")
    how_checked = doctor.add_mutually_exclusive_group()
    how_checked.add_argument("--confirm-clock", action="store_true", help=say("confirm_clock"))
    how_checked.add_argument("--self-test", action="store_true", help=say("self_test"))
    doctor.add_argument("--diagnostic", type=Path, metavar="FILE.zip", help=say("diagnostic"))
    told = add("support-code", key="support_code")
    told.add_argument("code", metavar="CODE", help=say("support_code_code"))
    events = add("events")
    events.add_argument("--since", metavar="YYYY-MM-DD", help=say("events_since"))
    events.add_argument("--out", type=Path, metavar="FILE.jsonl", help=say("events_out"))
    settings = add("settings")
    wishes = settings.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = add("export", wishes, "settings_export")
    export.add_argument("file", type=Path, metavar="FILE.json", help=say("settings_file"))
    bring = add("import", wishes, "settings_import")
    bring.add_argument("file", type=Path, metavar="FILE.json", help=say("settings_file"))
    bring.add_argument("--yes", action="store_true", help=say("settings_yes"))
    setup = add("setup")
    setup.add_argument("--enrolment", type=Path, required=True, metavar="FILE.json", help=say("setup_enrolment"))
    drivers = add("drivers")
    drivers.add_argument("--probe", action="store_true", help=say("probe"))

    for name in ("check", "sign"):
        command = add(name)
        command.add_argument("files", nargs="*", type=Path, metavar="FILE", help=say("files"))
        command.add_argument("--profile", choices=tuple(Profile), default="plain", help=say("profile"))
        command.add_argument("--cert", metavar="ID", help=say("cert"))
        command.add_argument("--number", metavar="12/QĐ-UBND", help=say("number"))
        command.add_argument("--date", metavar="YYYY-MM-DD", help=say("date"))
        command.add_argument("--list", type=Path, metavar="CSV", help=say("list"))
        command.add_argument("--place", metavar="PAGE,X,Y[,W,H]", help=say("place"))
        command.add_argument("--copy-form", choices=COPY_FORMS, default=COPY_FORMS[0], help=say("copy_form"))
        command.add_argument("--ordered-by", metavar="NAME", help=say("ordered_by"))
        command.add_argument("--file-code", metavar="CODE", help=say("file_code"))
        command.add_argument("--start", type=int, metavar="N", help=say("start"))
        if name == "sign":
            command.add_argument("--level", choices=LEVELS, help=say("level"))
            command.add_argument("--to", action="append", default=[], metavar="CODE,…", help=say("to"))
            command.add_argument("--out", type=Path, metavar="DIR", help=say("out"))
            _pin(command, say("pin_stdin"), say("final_try"))

    resume = add("resume")
    resume.add_argument("batch", nargs="?", metavar="BATCH", help=say("batch"))
    resume.add_argument("--retry-failed", action="store_true", help=say("retry_failed"))
    resume.add_argument("--give-up", action="store_true", help=say("give_up"))
    _pin(resume, say("pin_stdin"), say("final_try"))

    upgrade = add("upgrade")
    upgrade.add_argument("files", nargs="+", type=Path, metavar="FILE", help=say("files"))
    upgrade.add_argument("--level", choices=LEVELS[1:], required=True, help=say("upgrade_level"))
    upgrade.add_argument("--out", type=Path, metavar="DIR", help=say("upgrade_out"))

    verify = add("verify")
    verify.add_argument("files", nargs="+", type=Path, metavar="FILE", help=say("files"))
    verify.add_argument("--report", type=Path, metavar="OUT.pdf", help=say("report"))
    verify.add_argument("--trust", type=Path, metavar="DIR", help=say("trust_dir"))
    verify.add_argument("--offline", action="store_true", help=say("offline"))

    evidence = add("evidence")
    evidence.add_argument("action", nargs="?", choices=("list", "show", "destroy"), default="list", help=say("action"))
    evidence.add_argument("document", nargs="?", metavar="SHA256", help=say("evidence_document"))

    trust = add("trust")
    trust.set_defaults(action="list")
    wishes = trust.add_subparsers(dest="action", metavar="ACTION")
    add("list", wishes, "trust_list")
    take = add("import", wishes, "trust_import")
    take.add_argument("files", nargs="+", type=Path, metavar="FILE", help=say("trust_files"))
    own = add("add", wishes, "trust_add")
    own.add_argument("file", type=Path, metavar="FILE", help=say("trust_files"))
    own.add_argument("--sha256", metavar="SHA256", help=say("trust_sha256"))
    own.add_argument("--label", metavar="TEXT", help=say("trust_label"))
    remove = add("remove", wishes, "trust_remove")
    remove.add_argument("id", metavar="ID", help=say("trust_id"))

    sync = add("sync")
    sync.add_argument("--once", action="store_true", help=say("once"))
    sync.add_argument("--enrol", action="store_true", help=say("enrol"))
    sync.add_argument("--cert", metavar="ID", help=say("cert"))
    _pin(sync, say("pin_stdin"), say("final_try"))

    add("outbox")
    add("inbox")
    register = add("register")
    register.add_argument("--year", type=_year, metavar="YEAR", help=say("register_year"))
    register.add_argument("--body", metavar="CODE", help=say("register_body"))
    register.add_argument("--incoming", action="store_true", help=say("register_incoming"))
    register.add_argument("--search", default="", metavar="TEXT", help=say("register_search"))
    register.add_argument("--report", nargs=2, metavar=("FROM", "TO"), help=say("register_report"))
    register.add_argument("--out", type=Path, metavar="FILE", help=say("register_out"))
    register.add_argument("--void", metavar="12/QĐ-UBND", help=say("register_void"))
    register.add_argument("--reason", metavar="TEXT", help=say("register_reason"))
    report = add("report", key="batch_report")
    report.add_argument("batch", nargs="?", metavar="BATCH", help=say("report_batch"))
    report.add_argument("--out", type=Path, metavar="FILE", help=say("report_out"))
    journal = add("journal")
    journal.add_argument("--verify", action="store_true", help=say("journal_verify"))

    backup = add("backup")
    backup.add_argument("dir", nargs="?", type=Path, metavar="DIR", help=say("backup_dir"))
    backup.add_argument("--new-code", action="store_true", help=say("backup_new_code"))
    restore = add("restore")
    restore.add_argument("dir", type=Path, metavar="DIR", help=say("restore_dir"))
    restore.add_argument("--phrase-stdin", action="store_true", help=say("phrase_stdin"))
    restore.add_argument("--keep-old", action="store_true", help=say("keep_old"))
    restored = add("restored")
    restored.add_argument("--last", action="append", metavar="BODY:YEAR:BOOK=LAST", help=say("restored_last"))
    restored.add_argument("--send", nargs="*", metavar="PACKET", help=say("restored_send"))

    update = add("update")
    how_far = update.add_mutually_exclusive_group()
    how_far.add_argument("--check", action="store_true", help=say("update_check"))
    how_far.add_argument("--back", action="store_true", help=say("update_back"))
    update.add_argument("--from", dest="source", metavar="DIR|URL", help=say("update_from"))

    training = add("training")
    wanted = training.add_mutually_exclusive_group()
    wanted.add_argument("--prepare", action="store_true", help=say("training_prepare"))
    wanted.add_argument("--remove", action="store_true", help=say("training_remove"))

    handover = add("handover")
    what = handover.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help=say("handover_list"))
    what.add_argument("--record", action="store_true", help=say("handover_record"))
    what.add_argument("--pin-changed", action="store_true", help=say("handover_pin_changed"))
    what.add_argument("--print", type=int, metavar="N", help=say("handover_print"))
    handover.add_argument("--cert", "--certificate", metavar="ID", help=say("cert"))
    handover.add_argument("--output", type=Path, metavar="FILE.pdf", help=say("form_output"))
    handover.add_argument("--final-try", action="store_true", help=say("final_try"))

    form = add("form")
    form.add_argument("kind", choices=("locked", "lost", "renew"), help=say("form_kind"))
    form.add_argument("--cert", "--certificate", metavar="ID", help=say("cert"))
    form.add_argument("--output", type=Path, required=True, metavar="FILE.pdf", help=say("form_output"))
    return parser


def _common(parser: argparse.ArgumentParser, say: Callable[[str], str], defaults: Mapping[str, object]) -> None:
    parser.add_argument("--data-dir", type=Path, default=defaults["data_dir"], metavar="DIR", help=say("data_dir"))
    parser.add_argument("--lang", choices=("vi", "en"), default=defaults["lang"], help=say("lang"))
    parser.add_argument("--json", action="store_true", default=defaults["json"], help=say("json"))
    parser.add_argument(
        "--module", type=Path, action="append", default=defaults["module"], metavar="PATH", help=say("module")
    )


def _pin(command: argparse.ArgumentParser, pin_help: str, final_help: str) -> None:
    command.add_argument("--pin-stdin", action="store_true", help=pin_help)
    command.add_argument("--final-try", action="store_true", help=final_help)


def _port(value: str) -> int:
    number = int(value)
    if not 0 < number < 65536:
        raise ValueError
    return number


def _year(value: str) -> int:
    year = int(value)
    if not 2000 <= year <= 9999:
        raise ValueError
    return year
