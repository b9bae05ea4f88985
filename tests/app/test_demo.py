"""The demonstration as a newcomer starts it: the whole day on a fresh folder, again, and beside other commands."""

import datetime as dt
import hashlib
import os
import stat
import subprocess
from pathlib import Path

import msgspec
import pytest

from signer_app.demo.day import issue_date
from signer_app.demo.pki import DemoPki
from signer_app.demo.workspace import DemoFile
from signer_app.store import DataFolder, Store
from signer_resources import samples
from tests.app.test_sealing import accepted_by_others
from tests.support.workspace import CANARY_PIN, DAY, Answer, Program, plant_pin, served

SECRET_SENTENCE = "kho vật chứng"


class Day:
    """A data folder in which the demonstration ran, without a prepared site."""

    def __init__(self, folder: Path) -> None:
        self.data, self.home = folder / "dữ liệu", folder / "home"
        self.home.mkdir()
        plant_pin(self.data)
        self.program = Program(self.home, folder, self.data)
        self.first = self.run()
        self.kept = self.snapshot()

    def run(self) -> Answer:
        return self.program.run("demo", "--headless")

    def outputs(self) -> list[Path]:
        return sorted((self.data / "Đã ký").iterdir())

    def snapshot(self) -> dict[str, object]:
        """All that must not grow by a second run."""
        with Store.read_only(DataFolder(self.data)) as store, store.view() as view:
            documents, packets = view.documents.list(), view.outbox.list()
            numbers = sorted(document.label or "" for document in documents)
            receipts = sorted(packet.receipt or "" for packet in packets)
        server = sorted(p.name for p in (self.data / "demo" / "server" / "packets").glob("*/*"))
        written = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in self.outputs()}
        return {"numbers": numbers, "receipts": receipts, "server": server, "outputs": written}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("demo"))


@pytest.mark.timeout(240)
def test_a_fresh_folder_sees_the_whole_day_and_every_sample_ends_as_expected(day: Day) -> None:
    assert day.first.code == 0, day.first.out + day.first.err
    told = {row["sample"]: row for row in day.first.json["samples"]}
    assert set(told) == {sample.id for sample in samples.load().samples}
    assert all(row["as_expected"] for row in told.values())
    for sample in samples.load().samples:
        row = told[sample.id]
        if sample.secret:
            assert (row["number"], row["verdict"], row["received_at"]) == (None, None, None)
            assert row["error"]["code"] == "secret"
        else:
            assert row["number"].endswith("/" + sample.notation)
            assert (row["verdict"], row["error"]) == ("valid", None)
            assert row["received_at"] is not None


@pytest.mark.timeout(240)
def test_other_programs_accept_every_output(day: Day) -> None:
    wanted = sorted(name for sample in samples.load().samples if not sample.secret for name in sample.files)
    assert [path.name for path in day.outputs()] == wanted
    for sample in samples.load().samples:
        if not sample.secret:
            least = len(sample.signers) + len(sample.initials) + 1
            assert accepted_by_others(day.data / "Đã ký" / sample.main) >= least


def test_the_secret_sample_leaves_no_trace_in_the_data_folder(day: Day) -> None:
    secret = next(sample for sample in samples.load().samples if sample.secret)
    content = samples.file(secret.main).read_bytes()
    digest = hashlib.sha256(content)
    traces = [
        secret.main.encode(),
        Path(secret.main).stem.encode(),
        secret.subject.encode(),
        SECRET_SENTENCE.encode(),
        digest.hexdigest().encode(),
        digest.digest(),
        content[200:400],
    ]
    assert SECRET_SENTENCE in secret.subject
    for folder, _folders, names in os.walk(day.data):
        for name in names:
            path = Path(folder, name)
            assert secret.main not in name
            data = path.read_bytes()
            assert [trace for trace in traces if trace in data] == [], path


def test_all_that_is_kept_is_for_the_owners_eyes_only(day: Day) -> None:
    open_to_others = [
        path
        for path in day.data.rglob("*")
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
        # What was signed is the user's own file, to be shared like the user's others.
        and not path.is_relative_to(day.data / "Đã ký")
    ]
    assert open_to_others == []
    assert stat.S_IMODE(day.data.stat().st_mode) == 0o700


def test_nothing_is_written_outside_of_the_data_folder(day: Day) -> None:
    assert [path for path in day.home.rglob("*") if path.is_file()] == []


def test_the_pin_is_written_nowhere_but_into_demo_json(day: Day) -> None:
    pin = CANARY_PIN.encode()
    holders = {path.name for path in day.data.rglob("*") if path.is_file() and pin in path.read_bytes()}
    assert holders == {"demo.json"}
    assert CANARY_PIN not in day.first.out + day.first.err


@pytest.mark.timeout(240)
def test_a_second_run_doubles_nothing(day: Day) -> None:
    again = day.run()
    assert again.code == 0, again.out + again.err
    assert [row["as_expected"] for row in again.json["samples"]] == [True] * 9
    assert day.snapshot() == day.kept


@pytest.mark.timeout(240)
def test_while_it_serves_other_commands_work_beside_it(day: Day) -> None:
    known = msgspec.json.decode((day.data / "demo.json").read_bytes(), type=DemoFile)
    with served(day.data, day.home):
        now = msgspec.json.decode((day.data / "demo.json").read_bytes(), type=DemoFile)
        assert now == known  # ports, PIN and certificates are kept
        assert DemoPki.create_or_load(day.data / "demo" / "pki").tsa_url == now.tsa_url
        letter = day.data.parent / "cong-van.pdf"
        letter.write_bytes((day.data / "demo" / "samples" / letter.name).read_bytes())
        words = ("--profile", "agency", "--number", "21/UBND-VP", "--date", DAY, "--to", "H77")
        answer = day.program.run("sign", letter, *words, pin=CANARY_PIN)
        assert (answer.code, answer.states) == (0, ["signed"])
        sent = day.program.call("sync", "--once")
        assert (sent.code, sent.json["sent"]) == (0, 1)


def test_a_folder_with_a_clerks_own_data_never_becomes_a_demonstration(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with folder.lock():
        Store.open(folder).close()
    answer = Program(tmp_path, tmp_path, folder.path).run("demo", "--headless")
    assert (answer.code, answer.json["error"]["code"]) == (2, "demo_folder_in_use")
    assert not (folder.path / "demo").exists()


@pytest.mark.parametrize("today", [dt.date(2026, 11, 22), dt.date(2026, 12, 1), dt.date(2027, 3, 31)])
def test_the_day_of_issue_fits_what_the_drafters_have_typed(today: dt.date) -> None:
    for sample in samples.load().samples:
        day_of_issue = issue_date(sample, today)
        assert day_of_issue.year == 2026
        assert sample.month in (None, day_of_issue.month)
        if today.year == 2026 and sample.month is None:
            assert day_of_issue == today


def test_the_samples_have_no_other_year_typed() -> None:
    for sample in samples.load().samples:
        told = subprocess.run(
            ["pdftotext", "-l", "1", "-layout", str(samples.file(sample.main)), "-"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        line = next(line for line in told.splitlines() if "ngày" in line and "Hòa Sơn," in line)
        assert line.rstrip().endswith("2026")
