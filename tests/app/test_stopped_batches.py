"""A batch that a driver or a token ends before its end: what was signed stays, the rest waits, `resume` finishes it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import CANARY_PIN, DAY, Desk


@pytest.fixture
def counting(tmp_path: Path) -> CountingModule:
    return build_counting_module(tmp_path, softhsm_module())


def three(desk: Desk) -> Path:
    for name in ("cong-van.pdf", "giay-moi.pdf", "quyet-dinh.pdf"):
        desk.letter(name)
    return desk.listing(
        "input,number,date,to",
        f"cong-van.pdf,1/UBND-VP,{DAY},H77",
        f"giay-moi.pdf,2/GM-UBND,{DAY},H77",
        f"quyet-dinh.pdf,3/QĐ-UBND,{DAY},H77",
    )


@contextmanager
def failing_after_the_first_signature(counting: CountingModule, fault: str) -> Iterator[None]:
    """The driver does `fault` at the second signature, or at the third should this thread be late."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            if "C_Sign" in counting.calls():
                counting.misbehave(C_Sign=fault)
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        counting.misbehave()


@pytest.mark.parametrize(
    ("fault", "code"), [("crash", "driver_crashed"), pytest.param("0x32", "token_removed", marks=pytest.mark.long)]
)
def test_what_was_signed_before_the_driver_failed_is_kept_and_resume_signs_the_rest(
    desk: Desk, counting: CountingModule, fault: str, code: str
) -> None:
    listing, front = three(desk), ("--module", counting.path)
    with failing_after_the_first_signature(counting, fault):
        answer = desk.sign("--list", listing, "--profile", "agency", "--level", "b-b", options=front)

    assert (answer.code, answer.json["stopped"]["code"]) == (3, code)
    done = answer.states.count("signed")
    assert done in (1, 2)
    assert answer.states == ["signed"] * done + ["pending"] * (3 - done)
    assert counting.user_logins() == 1
    assert len(desk.files()) == len(desk.packets()) == len(list(desk.letters.glob("*.signed.pdf"))) == done

    resumed = desk.call("resume", answer.json["batch"], pin=CANARY_PIN, options=front)
    assert (resumed.code, resumed.states) == (0, ["signed"] * (3 - done))
    assert counting.user_logins() == 2
    assert sorted(packet.document or "" for packet in desk.packets()) == ["01/UBND-VP", "02/GM-UBND", "03/QĐ-UBND"]
    assert len(desk.files()) == len(list(desk.letters.glob("*.signed.pdf"))) == 3

    nothing = desk.call("resume")
    assert (nothing.code, nothing.json) == (0, {"batch": None, "stopped": None, "documents": []})


def test_resume_says_so_when_there_is_nothing_to_go_on_with(desk: Desk) -> None:
    nothing = desk.call("resume")
    assert (nothing.code, nothing.json) == (0, {"batch": None, "stopped": None, "documents": []})
    unknown = desk.call("resume", "no-such-batch")
    assert (unknown.code, unknown.json["error"]["code"]) == (2, "usage_batch_unknown")


def test_a_wrong_pin_and_another_token_at_resume_leave_the_batch_as_it_was(
    desk: Desk, counting: CountingModule
) -> None:
    listing, front = three(desk), ("--module", counting.path)
    (serial,) = (
        token["serial"]
        for token in desk.call("tokens", options=front).json
        if desk.agency in {certificate["sha256"] for certificate in token["certificates"]}
    )
    wrong = desk.sign("--list", listing, "--profile", "agency", "--level", "b-b", pin="999999", options=front)
    again = desk.call("resume", pin="999999", options=front)
    for answer in (wrong, again):
        assert (answer.code, answer.json["stopped"]["code"]) == (3, "pin_incorrect")
        assert answer.states == ["pending"] * 3
    assert counting.user_logins() == 2

    # The other token of the same driver is still there.
    counting.misbehave(gone=serial)
    away = desk.call("resume", pin=CANARY_PIN, options=front)
    assert away.code != 0
    assert counting.user_logins() == 2

    counting.misbehave()
    resumed = desk.call("resume", pin=CANARY_PIN, options=front)
    assert (resumed.code, resumed.states) == (0, ["signed"] * 3)
    assert counting.user_logins() == 3
