"""A prepared demonstration workspace for tests of the whole program, and copies of it to work and to destroy in.

Preparing one (test PKI, tokens, letters signed by the leaders) takes a quarter of a minute, so a test process does it
once, by the real `signer demo --serve`; each test works in a copy with the paths in it rewritten. Copies share the test
PKI, whose services (CRL, OCSP, TSA) run in the test process; each has its own tokens, store and document server. The
program runs as the user runs it: a process of its own, by its command line.
"""

import contextlib
import datetime as dt
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

import signer_resources
from signer_app.cli.main import command_line
from signer_app.demo.pki import DemoPki
from signer_app.demo.services import document_server
from signer_app.demo.workspace import DemoFile
from signer_app.store import DataFolder, Settings, Store, load_settings, save_settings
from signer_app.store.model import OutboxPacket, StoredFile
from signer_app.store.store import StoreReader
from signer_server.app import Server

CANARY_PIN = "Canary-7fA3-pin"
"""The PIN of both tokens: such as nothing else on a disk looks like."""
ISSUED = dt.date(2026, 11, 20)
"""A day of issue that fits every sample, in which the year and in one the month are typed."""
DAY = ISSUED.isoformat()
DEADLINE_S = 100.0
COMMAND = (sys.executable, "-m", "signer_app")


@dataclass(frozen=True)
class Answer:
    """What a run of the program left: exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The files in the answer of `sign` and `resume`."""
        return list(self.json["documents"])

    @property
    def states(self) -> list[str]:
        """The state of each file."""
        return [entry["state"] for entry in self.documents]

    @property
    def codes(self) -> list[str | None]:
        """The code of each file."""
        return [entry["code"] for entry in self.documents]


def schema(name: str) -> dict[str, Any]:
    """A JSON schema of the program's resources."""
    loaded: dict[str, Any] = json.loads(signer_resources.path(f"schemas/{name}.json").read_text(encoding="utf-8"))
    return loaded


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user who has set nothing."""
    ours = ("SIGNER_", "SOFTHSM2_", "HTTP_", "HTTPS_", "ALL_", "NO_PROXY", "PYTEST")
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(ours)}
    return {**kept, "HOME": str(home), "XDG_DATA_HOME": str(home / "data-home"), **more}


class Site:
    """The prepared workspace at rest, and the services of its PKI while the test process lives."""

    def __init__(self, template: Path, home: Path, closed_port: int) -> None:
        self.template = template
        self.home = home
        self.closed_port = closed_port
        """A port on which nobody answers, ever."""
        self.pki = DemoPki.create_or_load(template / "demo" / "pki")

    @cached_property
    def facts(self) -> DemoFile:
        """The template's demo.json."""
        return msgspec.json.decode((self.template / "demo.json").read_bytes(), type=DemoFile)

    def desk(self, folder: Path, source: "Desk | None" = None) -> "Desk":
        """A copy of the template, or of another desk at rest, in `folder`."""
        original = source.data if source else self.template
        data = folder / "data"
        shutil.copytree(original, data, ignore=lambda _folder, names: {"leader"} & set(names))
        for name in ("settings.json", "demo.json", "demo/tokens/softhsm2.conf"):
            file = data / name
            file.write_text(file.read_text(encoding="utf-8").replace(str(original), str(data)), encoding="utf-8")
        desk = Desk(self.home, folder, data, site=self)
        desk.change_settings(server_url=self.dead_url)
        return desk

    @property
    def dead_url(self) -> str:
        """The address of a server that is not there."""
        return f"http://127.0.0.1:{self.closed_port}"


@dataclass
class Program:
    """The program with a data folder and a folder for letters."""

    home: Path
    folder: Path
    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def line(self, *words: object) -> list[str]:
        """The command line of a run."""
        return [*COMMAND, "--data-dir", str(self.data), *map(str, words)]

    def run(
        self,
        *words: object,
        pin: str | bytes | None = None,
        text: bool = False,
        options: tuple[object, ...] = (),
        env: Mapping[str, str] | None = None,
        line: list[str] | None = None,
    ) -> Answer:
        """Runs one command to its end; `pin` goes in by --pin-stdin. JSON is held against the command's schema.

        `text`: words instead of JSON. `options` stand before the command. `line` replaces the command line.
        """
        given = [*map(str, words), *(["--pin-stdin"] if pin is not None else [])]
        front = [*map(str, options), *([] if text else ["--json"])]
        stdin = b"" if pin is None else (pin.encode() if isinstance(pin, str) else pin) + b"\n"
        done = subprocess.run(
            line or self.line(*front, *given),
            input=stdin,
            capture_output=True,
            timeout=DEADLINE_S,
            cwd=self.folder,
            env=clean_environment(self.home, **self.environment, **(env or {})),
            check=False,
        )
        answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in answer.err, answer.err
        assert "Warning" not in answer.err, answer.err
        if line is None and not text:
            self._validate(given, answer)
        return answer

    def look(self, *words: object, text: bool = False) -> Answer:
        """A question after the fact, answered by the command line's code in this process: no PIN, a second less."""
        given = [*map(str, words)]
        line = ["--data-dir", str(self.data), *([] if text else ["--json"]), *given]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command_line(line)
        answer = Answer(code, out.getvalue(), err.getvalue())
        if not text:
            self._validate(given, answer)
        return answer

    def _validate(self, words: list[str], answer: Answer) -> None:
        value = answer.json
        failed = isinstance(value, dict) and "error" in value
        name = "error" if failed else words[0]
        jsonschema.validate(value, schema(name), cls=jsonschema.Draft202012Validator)


@dataclass
class Desk(Program):
    """A clerk's place in a copy of the prepared workspace."""

    site: Site = field(kw_only=True)

    @property
    def letters(self) -> Path:
        """Where the letters to be signed lie."""
        folder = self.folder / "letters"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def samples(self) -> Path:
        """The letters with the leaders' signatures."""
        return self.data / "demo" / "samples"

    @property
    def agency(self) -> str:
        """SHA-256 of the body's certificate."""
        return self.site.facts.agency_cert

    @property
    def leader(self) -> str:
        """SHA-256 of the leader's certificate."""
        return self.site.facts.leader_cert

    def letter(self, sample: str = "cong-van.pdf", name: str | None = None) -> Path:
        """A fresh copy of a letter that the leader has signed."""
        target = self.letters / (name or sample)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.samples / sample, target)
        return target

    def listing(self, *rows: str, name: str = "list.csv") -> Path:
        """A list for `--list`, beside the letters; the first row is its header."""
        file = self.letters / name
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return file

    def sign(self, *words: object, pin: str | bytes | None = CANARY_PIN, **more: Any) -> Answer:
        """`sign` with the right PIN, on the day that fits the samples where one letter is meant."""
        return self.run("sign", *words, pin=pin, **more)

    def seal(self, letter: Path, number: str, *words: object, **more: Any) -> Answer:
        """`sign` for one letter with the body's seal."""
        return self.sign(letter, "--profile", "agency", "--number", number, "--date", DAY, *words, **more)

    def settings(self) -> Settings:
        """The settings as they are on disk."""
        return load_settings(DataFolder(self.data))

    def change_settings(self, *, server_url: str | None = None, **changes: Any) -> None:
        """Writes changed settings."""
        old = self.settings()
        if server_url is not None:
            assert old.server is not None
            changes["server"] = msgspec.structs.replace(old.server, url=server_url)
        save_settings(DataFolder(self.data), msgspec.structs.replace(old, **changes))

    @contextmanager
    def server(self, port: int = 0) -> Iterator[Server]:
        """The document server at which this machine is enrolled, over the workspace's own server folder."""
        with document_server(self.site.pki, self.data / "demo" / "server", port) as server:
            self.change_settings(server_url=server.url)
            yield server
        self.change_settings(server_url=self.site.dead_url)

    @contextmanager
    def store(self) -> Iterator[StoreReader]:
        """The store, for looking."""
        with Store.read_only(DataFolder(self.data)) as reader:
            yield reader

    def packets(self) -> tuple[OutboxPacket, ...]:
        """All rows of the outbox."""
        with self.store() as store, store.view() as view:
            return tuple(view.outbox.list())

    def files(self) -> list[StoredFile]:
        """All files of all documents."""
        with self.store() as store, store.view() as view:
            return [file for document in view.documents.list() for file in view.documents.files(document.id)]

    def server_packets(self) -> list[str]:
        """SHA-256 of every packet that the document server keeps."""
        return sorted(path.name for path in (self.data / "demo" / "server" / "packets").glob("*/*"))

    def everything(self) -> Iterator[tuple[Path, bytes]]:
        """Every file of the data folder with its bytes."""
        for path in sorted(self.data.rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()


def hold_closed_port(stack: ExitStack) -> int:
    """A port that is taken by a socket which never listens, so that connections to it are refused."""
    held = stack.enter_context(socket.socket())
    held.bind(("127.0.0.1", 0))
    return int(held.getsockname()[1])


@contextmanager
def served(data: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    """`signer demo --serve` on `data`, from its line `ready` to a signal and its end with 0."""
    with subprocess.Popen(
        [*COMMAND, "--data-dir", str(data), "demo", "--serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(home),
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(DEADLINE_S)
    assert code == 0


def plant_pin(data: Path) -> None:
    """Has a demonstration that is still to be made use CANARY_PIN."""
    data.mkdir(mode=0o700, parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    known = DemoFile(CANARY_PIN, "", "", "", f"http://127.0.0.1:{port}", "", "", "", "")
    (data / "demo.json").write_bytes(msgspec.json.encode(known))


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Prepares a workspace in `folder` and keeps the services of its PKI up."""
    template, home = folder / "template", folder / "home"
    home.mkdir(parents=True)
    plant_pin(template)
    with served(template, home):
        pass
    with ExitStack() as stack:
        made = Site(template, home, hold_closed_port(stack))
        stack.enter_context(made.pki.services())
        yield made
