import gc
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
import pytest

from signer_token.channel import (
    Child,
    ChildCrashed,
    ChildError,
    ChildFailed,
    ChildGarbage,
    ChildTimeout,
)
from tests.support import scripted_child
from tests.support.scripted_child import Do, Said, Say

COMMAND = [sys.executable, str(Path(scripted_child.__file__))]
LONG_S = 30.0
SHORT_S = 0.2
ScriptedChild = Child[Say | Do, Said]


def start(code: str | None = None, *, cap: int = 1 << 20, stderr: IO[bytes] | None = None) -> ScriptedChild:
    command = COMMAND if code is None else [sys.executable, "-c", code]
    return Child(command, (Said,), env=environment(), cap=cap, stderr=stderr)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(scripted_child.__file__).parents[2])}


@pytest.fixture
def child() -> Iterator[ScriptedChild]:
    with start() as started:
        yield started


def test_a_request_gets_its_reply(child: ScriptedChild) -> None:
    assert child.call(Say("Xã Hòa Sơn"), LONG_S) == Said("Xã Hòa Sơn")
    assert child.call(Say("again"), LONG_S) == Said("again")


def test_a_child_that_is_late_is_killed(child: ScriptedChild) -> None:
    child.call(Say("started"), LONG_S)
    with pytest.raises(ChildTimeout):
        child.call(Do("hang"), SHORT_S)
    assert not child.alive
    with pytest.raises(ChildCrashed):
        child.call(Say("still there?"), LONG_S)


def test_a_child_that_never_reads_its_input_is_late_too() -> None:
    with start("import threading; threading.Event().wait()", cap=32 << 20) as child:
        with pytest.raises(ChildTimeout):
            child.call(Say("x" * (16 << 20)), SHORT_S)
        assert not child.alive


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_crash_is_told_with_the_signal(child: ScriptedChild) -> None:
    with pytest.raises(ChildCrashed) as crash:
        child.call(Do("crash"), LONG_S)
    assert crash.value.returncode == -signal.SIGABRT


def test_a_command_that_ends_at_once_is_a_crash() -> None:
    with start("raise SystemExit(7)") as child, pytest.raises(ChildCrashed) as crash:
        child.call(Say("hello"), LONG_S)
    assert crash.value.returncode == 7


def test_what_a_library_prints_or_reads_never_touches_the_channel(child: ScriptedChild) -> None:
    assert child.call(Do("print"), LONG_S) == Said("done")
    assert child.call(Do("read stdin"), LONG_S) == Said("")
    assert child.call(Say("still clear"), LONG_S) == Said("still clear")


def test_what_the_child_prints_goes_to_the_given_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, start(stderr=log) as child:
        child.call(Do("print"), LONG_S)
    assert (tmp_path / "log").read_bytes() == b"text in the pipe's place\nbytes in the pipe's place\n"


RAW = "import sys; sys.stdin.buffer.raw.read(4096);sys.stdout.buffer.write({!r}); sys.stdout.flush(); sys.stdin.read()"


def frame(payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + payload


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(b"hello from a driver\n", id="text, read as a huge length"),
        pytest.param(frame(b"\xff\xfe"), id="no JSON"),
        pytest.param(frame(b'{"type":"Said"}'), id="a field missing"),
        pytest.param(frame(b'{"type":"Said","text":"x","more":1}'), id="a field too many"),
        pytest.param(frame(b'{"type":"Other","text":"x"}'), id="an unknown type"),
        pytest.param(frame(b'{"type":"Said","text":5}'), id="a wrong type"),
        pytest.param(frame(b"[" * 5000), id="nested beyond all measure"),
        pytest.param(frame(b'{"type":"Said","text":"\xff"}'), id="not UTF-8"),
    ],
)
def test_garbage_kills_the_child_and_is_not_quoted(output: bytes) -> None:
    with start(RAW.format(output), cap=8192) as child:
        with pytest.raises(ChildGarbage) as garbage:
            child.call(Say("x"), LONG_S)
        assert not child.alive
    assert garbage.value.__cause__ is None
    assert str(garbage.value) in {"a frame over the cap", "not one of the agreed replies"}


def test_a_reply_cut_short_is_a_crash() -> None:
    code = RAW.format(frame(b'{"type":"Said","text":"x"}')[:-3]).replace("sys.stdin.read()", "pass")
    with start(code) as child, pytest.raises(ChildCrashed):
        child.call(Say("x"), LONG_S)


def test_a_refusal_arrives_with_its_facts_and_the_child_lives(child: ScriptedChild) -> None:
    with pytest.raises(ChildFailed) as refused:
        child.call(Do("refuse"), LONG_S)
    assert (refused.value.code, refused.value.params) == ("pin_incorrect", {"tries": 1})
    assert child.call(Say("alive"), LONG_S) == Said("alive")


def test_an_unexpected_exception_tells_its_class_and_never_its_text(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, start(stderr=log) as child:
        with pytest.raises(ChildFailed) as broken:
            child.call(Do("break"), LONG_S)
        assert (broken.value.code, broken.value.params) == ("child_fault", {"type": "ValueError"})
        assert child.call(Say("alive"), LONG_S) == Said("alive")
    printed = (tmp_path / "log").read_text()
    assert "scripted_child.py" in printed, "the place is told"
    assert "ValueError: the PIN" not in printed


def test_a_request_over_the_cap_is_not_sent(child: ScriptedChild) -> None:
    with start(cap=100) as small:
        with pytest.raises(ValueError, match="cap"):
            small.call(Say("x" * 200), LONG_S)
        assert small.call(Say("short"), LONG_S) == Said("short")


def test_a_reply_over_the_childs_cap_is_a_fault_that_it_survives(child: ScriptedChild) -> None:
    with pytest.raises(ChildFailed) as fault:
        child.call(Do("long"), LONG_S)
    assert fault.value.params == {"type": "ReplyTooLong"}
    assert child.call(Say("alive"), LONG_S) == Said("alive")


def test_a_request_that_is_none_ends_the_child() -> None:
    class Unknown(msgspec.Struct, frozen=True, tag=True):
        text: str

    with Child[Unknown, Said](COMMAND, (Said,), env=environment()) as child:
        with pytest.raises(ChildCrashed) as crash:
            child.call(Unknown("x"), LONG_S)
        assert crash.value.returncode == 65


@pytest.mark.skipif(os.name == "nt", reason="core dumps are POSIX")
def test_the_child_leaves_no_core_dump(child: ScriptedChild) -> None:
    assert child.call(Do("core limit"), LONG_S) == Said("(0, 0)")


def test_close_ends_the_child_politely_and_leaves_nothing() -> None:
    threads = threading.active_count()
    child = start()
    child.call(Say("x"), LONG_S)
    child.close(LONG_S)
    child.close()
    assert child._process.returncode == 0
    assert threading.active_count() == threads
    del child
    gc.collect()  # an unclosed pipe or process would warn here, and warnings are errors


def test_close_kills_a_child_that_does_not_listen() -> None:
    child = start("import threading; threading.Event().wait()")
    child.close(SHORT_S)
    assert child._process.returncode not in {None, 0}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files by /proc")
def test_a_hundred_failures_leak_no_thread_and_no_handle() -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_files(), threading.active_count()
    for _ in range(100):
        child = Child[Say | Do, Said](["/bin/false"], (Said,))
        with pytest.raises(ChildError):
            child.call(Say("x"), LONG_S)
    assert (open_files(), threading.active_count()) == before


def test_requests_from_several_threads_get_their_own_replies(child: ScriptedChild) -> None:
    wrong: list[str] = []

    def ask(name: str) -> None:
        wrong.extend(f"{name}{n}" for n in range(50) if child.call(Say(f"{name}{n}"), LONG_S).text != f"{name}{n}")

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


PARENT = """
import os, sys
from signer_token.channel import Child
from tests.support.scripted_child import Do, Said, Say
child = Child([sys.executable, {script!r}], (Said,))
child.call(Say("x"), 30)
print(child.pid, flush=True)
{last}
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="watches processes by /proc")
@pytest.mark.parametrize("last", ["os._exit(1)", 'child.call(Do("hang"), 300)'], ids=["idle", "in mid-call"])
def test_a_child_whose_parent_is_killed_ends(last: str) -> None:
    code = PARENT.format(script=COMMAND[1], last=last)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment()) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = threading.Event()
    for _ in range(200):
        if not _running(pid):
            return
        deadline.wait(0.1)
    pytest.fail("the child outlived its parent")


HANGING_AFTERWARDS = """
import threading
from signer_token.channel import serve
from tests.support.scripted_child import REQUESTS, handle
serve(handle, REQUESTS, settle=threading.Event().wait, end_s=0.1)
"""


def test_a_child_that_hangs_when_it_has_answered_ends_without_its_parent() -> None:
    with start(HANGING_AFTERWARDS) as child:
        assert child.call(Say("x"), LONG_S) == Said("x")
        child._requests.put(None)  # the pipes are closed, as by the parent's death
        assert child._process.wait(LONG_S) == 66


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
