"""A prepared demonstration workspace for tests of the whole program, and copies of it to work and to destroy in.

Preparing one (test PKI, tokens, letters signed by the leaders) takes a third of a minute, so a run of the tests does it
once, by the real `signer demo --serve`; each test works in a copy with the paths in it rewritten. Copies share the test
PKI and its services (CRL, OCSP, TSA); each has its own tokens, store and document server. The program runs either as
the user runs it, a process of its own (`Program.run`), or by the command line's own code in the test process
(`Program.call`), with real token hosts and with real workers that stay warm from one command to the next.
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
import unittest.mock
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

import signer_resources
from signer_app.cli.main import command_line
from signer_app.demo.leaf import Leaf
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Authority, Holder
from signer_app.demo.services import document_server
from signer_app.demo.workspace import DemoFile
from signer_app.store import DataFolder, Settings, Store, load_settings, save_settings
from signer_app.store.model import OutboxPacket, StoredFile
from signer_app.store.store import StoreReader
from signer_app.workers import Workers
from signer_server.app import Server
from tests.support.shared import made_once, services_of

CANARY_PIN = "Canary-7fA3-pin"
"""The PIN of both tokens: such as nothing else on a disk looks like."""
ISSUED = dt.date(2026, 11, 20)
"""A day of issue that fits every sample, in which the year and in one the month are typed."""
DAY = ISSUED.isoformat()
DEADLINE_S = 200.0
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


class WarmWorkers(Workers):
    """Real workers that outlive the command: starting one takes longer than what most tests have it do."""

    def close(self, patience_s: float = 0.0) -> None:
        """Nothing yet: the next command has use for them."""

    def end(self) -> None:
        """Ends all children."""
        super().close()


class ReadPki(DemoPki):
    """A test PKI that reads each key and signs each CRL once: loading a key checks its primes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._leaves: dict[Holder, Leaf] = {}
        self._crls: dict[Authority, bytes] = {}

    def leaf(self, holder: Holder) -> Leaf:
        """The certificate and key of `holder`."""
        if holder not in self._leaves:
            self._leaves[holder] = super().leaf(holder)
        return self._leaves[holder]

    def crl_der(self, authority: Authority, at: dt.datetime | None = None) -> bytes:
        """The CRL of `authority`; the current one runs for a year."""
        if at is not None:
            return super().crl_der(authority, at)
        if authority not in self._crls:
            self._crls[authority] = super().crl_der(authority)
        return self._crls[authority]


class Site:
    """The prepared workspace at rest, and what a test process keeps up for its copies."""

    def __init__(self, template: Path, home: Path, closed_port: int, workers: WarmWorkers) -> None:
        self.template = template
        self.home = home
        self.closed_port = closed_port
        """A port on which nobody answers, ever."""
        self.workers = workers
        self.pki = ReadPki.create_or_load(template / "demo" / "pki")

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
        desk = self.desk_at(folder)
        desk.change_settings(server_url=self.dead_url)
        return desk

    def desk_at(self, folder: Path) -> "Desk":
        """The desk that lies in `folder` already."""
        return Desk(self.home, folder, folder / "data", site=self)

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
        done = subprocess.run(
            line or self.line(*front, *given),
            input=_typed(pin),
            capture_output=True,
            timeout=DEADLINE_S,
            cwd=self.folder,
            env=clean_environment(self.home, **self.environment, **(env or {})),
            check=False,
        )
        answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
        return _checked(answer, None if line is not None or text else given[0])

    def call(
        self,
        *words: object,
        pin: str | bytes | None = None,
        text: bool = False,
        options: tuple[object, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> Answer:
        """As `run`, but by the command line's code in this process: two seconds less for a command with a PDF."""
        given = [*map(str, words), *(["--pin-stdin"] if pin is not None else [])]
        front = [*map(str, options), *([] if text else ["--json"])]
        out, err = io.StringIO(), io.StringIO()
        environment = clean_environment(self.home, **self.environment, **(env or {}))
        with (
            unittest.mock.patch.dict(os.environ, environment, clear=True),
            unittest.mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(_typed(pin)))),
            self._own_workers(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = command_line(["--data-dir", str(self.data), *front, *given])
        return _checked(Answer(code, out.getvalue(), err.getvalue()), None if text else given[0])

    def _own_workers(self) -> contextlib.AbstractContextManager[object]:
        """The workers of `call`: each command's own, as in a process of its own."""
        return contextlib.nullcontext()


def _typed(pin: str | bytes | None) -> bytes:
    """What stdin holds."""
    return b"" if pin is None else (pin.encode() if isinstance(pin, str) else pin) + b"\n"


def _checked(answer: Answer, command: str | None) -> Answer:
    """Nothing of a fault on the screen; the JSON of `command` is held against its schema."""
    assert "Traceback" not in answer.err, answer.err
    assert "Warning" not in answer.err, answer.err
    if command is not None:
        value = answer.json
        failed = isinstance(value, dict) and "error" in value
        jsonschema.validate(value, schema("error" if failed else command), cls=jsonschema.Draft202012Validator)
    return answer


@dataclass
class Desk(Program):
    """A clerk's place in a copy of the prepared workspace."""

    site: Site = field(kw_only=True)

    def _own_workers(self) -> contextlib.AbstractContextManager[object]:
        """Those that the site keeps warm."""
        return unittest.mock.patch("signer_app.workspace.Workers", return_value=self.site.workers)

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

    def sign(self, *words: object, pin: str | bytes | None = CANARY_PIN, apart: bool = False, **more: Any) -> Answer:
        """`sign` with the right PIN; `apart`: in a process of its own."""
        return (self.run if apart else self.call)("sign", *words, pin=pin, **more)

    def seal(self, letter: Path, number: str, *words: object, **more: Any) -> Answer:
        """`sign` for one letter with the body's seal, on the day that fits the samples."""
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
        """All files of all documents, those of the newest document first."""
        found: list[StoredFile] = []
        with self.store() as store, store.view() as view:
            documents = view.documents.list()
            while documents:
                found += [file for document in documents for file in view.documents.files(document.id)]
                documents = view.documents.list(before=documents[-1].id)
        return found

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
def shared_site(factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The workspace of this run of the tests, with the services of its PKI; to be kept as long as a test process."""

    def prepare(folder: Path) -> None:
        home = folder / "home"
        home.mkdir(parents=True)
        plant_pin(folder / "template")
        with served(folder / "template", home):
            pass

    folder = made_once(factory, "site", prepare)
    with ExitStack() as stack:
        workers = WarmWorkers()
        stack.callback(workers.end)
        made = Site(folder / "template", folder / "home", hold_closed_port(stack), workers)
        stack.enter_context(services_of(made.pki, folder))
        yield made
