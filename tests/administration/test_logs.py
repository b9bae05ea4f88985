"""The log: what gets in, what never does, how it stays small, who may write beside whom."""

import logging
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.faults import told_fault, write_fault
from signer_app.logs import (
    CHILDS_LOG,
    FIELDS,
    SharedRotating,
    close_log,
    for_children,
    log_event,
    log_files,
    open_log,
    watch_uncaught,
)

SECRETS = (
    "12345678",
    "Hunter2",
    "1234567890123456",
    "Canary-7fA3 pin",
    "pin=Hunter2!",
    "/thu-muc/lan/Công văn mật.pdf",
    r"D:\Văn bản\Lan\To trinh.pdf",
    "Công văn 125/UBND-VP về việc cán bộ",
    "Nguyễn Thị Phượng",
    "https://lan:matkhau@proxy.example.vn:3128/?token=abc",
    "Bearer eyJhbGciOi/JIUzI1NiJ9",
    "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
    "-----BEGIN PRIVATE KEY-----\nMIIE",
    "482913 104827 559201",
    "line\nInjected 2026-11-23T00:00:00Z I 1 signed",
    "lan@tinh.gov.vn",
)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data" / "logs"
    folder.mkdir(parents=True)
    open_log(folder)
    yield folder
    close_log()


def lines(folder: Path) -> list[str]:
    return (folder / "signer.log").read_text(encoding="utf-8").splitlines()


def test_an_event_is_one_line_that_only_the_user_reads(logs: Path) -> None:
    log_event("command", command="sign", exit=0, seconds=1.25, version="1.0.2")
    pattern = r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z I \d+ command command=sign exit=0 seconds=1.25 version=1.0.2"
    assert re.fullmatch(pattern, lines(logs)[0])
    assert stat.S_IMODE((logs / "signer.log").stat().st_mode) == 0o600


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_gets_in_by_whatever_way(logs: Path, secret: str) -> None:
    log = logging.getLogger("signer")
    for name in FIELDS:
        log_event("stopped", **{name: secret})
    log_event(secret)
    log_event("stopped", pin=secret, **{secret: secret})
    log_event("stopped", code=[secret], kind={secret: secret}, id=secret.encode(), state=ValueError(secret))
    log.warning("PIN is %s", secret)
    log.error(secret)
    try:
        raise ValueError(secret)
    except ValueError as fault:
        log.exception("fault")
        write_fault(fault, logs.parent)
    written = b"".join(file.read_bytes() for file in logs.iterdir())
    for part in {secret, *secret.split(), *secret.split("\n")}:
        assert part.encode() not in written or part in ("line", "I", "1", "signed", "Injected", "in")
    assert not any("Injected" in line for line in lines(logs))


def test_a_number_as_long_as_a_pin_does_not_get_in_either(logs: Path) -> None:
    log_event("stopped", id=12345678, seconds=123456.0, count=100000)
    assert lines(logs)[0].endswith("stopped id=… seconds=… count=100000")


def test_the_log_stays_small_and_the_newest_lines_stay(tmp_path: Path) -> None:
    handler, log = SharedRotating(tmp_path, largest=2000, kept=2), logging.getLogger("test rotation")
    log.propagate = False
    log.addHandler(handler)
    for number in range(300):
        log.error("stopped", extra={"signer_fields": {"count": number}})
    log.removeHandler(handler)
    files = log_files(tmp_path)
    assert [file.name for file in files] == ["signer.log", "signer.log.1", "signer.log.2"]
    assert all(file.stat().st_size <= 2000 for file in files)
    counts = [int(line.rpartition("=")[2]) for file in reversed(files) for line in file.read_text().splitlines()]
    assert counts == list(range(counts[0], 300))


_WRITER = """
import logging, sys
from pathlib import Path
from signer_app.logs import SharedRotating
log = logging.getLogger("writer")
log.propagate = False
log.addHandler(SharedRotating(Path(sys.argv[1]), largest=6000, kept=9))
for number in range(150):
    log.error("stopped", extra={"signer_fields": {"count": number, "child": sys.argv[2]}})
"""


def test_several_processes_write_and_rotate_side_by_side_and_lose_no_line(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), f"writer-{name}"]) for name in "abc"]
    assert [one.wait() for one in running] == [0, 0, 0]
    said = [line for file in tmp_path.glob("signer.log*") for line in file.read_text().splitlines()]
    found = {(line.split("child=")[1], int(line.split("count=")[1].split()[0])) for line in said}
    assert len(said) == len(found) == 450


def test_a_log_that_cannot_be_written_hinders_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    open_log(folder)
    folder.rmdir()
    log_event("stopped")
    close_log()
    log_event("stopped")
    open_log(tmp_path / "none")
    log_event("stopped")
    assert for_children() == {}


def test_a_faults_message_file_and_line_have_one_id(logs: Path) -> None:
    try:
        raise ZeroDivisionError("12345678")
    except ZeroDivisionError as fault:
        told = told_fault(fault, logs.parent)
    file = Path(str(told.params["file"]))
    fault_id = file.stem.rpartition("-")[2]
    assert file.read_text(encoding="utf-8").startswith(f"{fault_id} ZeroDivisionError\n")
    assert f"fault id={fault_id} kind=ZeroDivisionError place=test_logs.py:" in lines(logs)[-1]
    assert fault_id in told.explain("vi").do


def test_no_more_than_fifty_faults_are_kept(logs: Path) -> None:
    for _ in range(55):
        write_fault(ValueError(), logs.parent)
    assert len(list(logs.glob("fault-*.txt"))) == 50


def test_what_nobody_caught_on_a_thread_is_written_down(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    watch_uncaught()

    def fail() -> None:
        raise LookupError("12345678")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert "kind=LookupError" in lines(logs)[-1]


def test_a_child_that_dies_of_a_fault_writes_into_its_parents_log(logs: Path) -> None:
    # Frames that are none: the child's own reading of them ends in what nobody catches, or it says so by itself.
    code = "import sys\nfrom signer_app.logs import watch_child\nwatch_child('worker')\nraise OverflowError('12345678')"
    environment = {**os.environ, **for_children()}
    assert environment[CHILDS_LOG] == str(logs)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert any("kind=OverflowError" in line for line in lines(logs))
    assert "child_fault child=worker" in lines(logs)[-1]
    assert not any("12345678" in file.read_text(encoding="utf-8") for file in logs.iterdir() if file.suffix != ".lock")
