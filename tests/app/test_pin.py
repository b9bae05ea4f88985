"""The PIN is spent by the person alone: how often C_Login is called, what is said, and where the PIN never stands."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import CANARY_PIN, DAY, DEADLINE_S, Answer, Desk, clean_environment

LOW, FINAL, LOCKED = "0x10000", "0x20000", "0x40000"


@pytest.fixture
def counting(tmp_path: Path) -> CountingModule:
    return build_counting_module(tmp_path, softhsm_module())


def seal(desk: Desk, counting: CountingModule, *words: object, **more: object) -> Answer:
    front = ("--module", counting.path)
    return desk.seal(desk.letter(), "1/UBND-VP", "--to", "H77", *words, options=front, **more)


def nothing_happened(desk: Desk) -> bool:
    return (desk.files(), desk.packets(), list(desk.letters.glob("*.signed.pdf"))) == ([], (), [])


def test_a_wrong_pin_is_one_login_exit_3_and_clear_words(desk: Desk, counting: CountingModule) -> None:
    answer = seal(desk, counting, pin="999999")
    assert (answer.code, answer.json["stopped"]["code"], answer.states) == (3, "pin_incorrect", ["pending"])
    assert answer.json["stopped"]["message"].startswith("Sai mã PIN, chưa ký văn bản nào.")
    assert counting.user_logins() == 1
    assert nothing_happened(desk)
    listed = desk.call("tokens", options=("--module", counting.path))
    assert {token["pin_state"] for token in listed.json} == {"ok", "low"}
    assert "999999" not in answer.out + answer.err

    resumed = desk.run("resume", pin=CANARY_PIN, options=("--module", counting.path))
    assert (resumed.code, resumed.states) == (0, ["signed"])
    assert counting.user_logins() == 2
    entries = desk.call("journal").json["entries"]
    # The first is that of the demonstration's enrolment.
    assert [entry["result"] for entry in entries if entry["action"] == "login"] == ["ok", "pin_incorrect", "ok"]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "pin_empty"),
        ("mãPIN123", "pin_not_ascii"),
        pytest.param(b"\xff\xfe12345", "pin_not_ascii", marks=pytest.mark.long),
    ],
)
def test_what_can_be_no_pin_is_never_tried(desk: Desk, counting: CountingModule, typed: str | bytes, code: str) -> None:
    answer = seal(desk, counting, pin=typed)
    assert (answer.code, answer.json["stopped"]["code"]) == (3, code)
    assert counting.user_logins() == 0
    assert nothing_happened(desk)


def test_the_last_try_is_not_made_unless_it_is_asked_for(desk: Desk, counting: CountingModule) -> None:
    counting.misbehave(flags=FINAL)
    answer = seal(desk, counting)
    assert (answer.code, answer.json["stopped"]["code"], counting.user_logins()) == (3, "pin_final", 0)

    answer = seal(desk, counting, "--final-try", "--level", "b-b")
    assert (answer.code, answer.states, counting.user_logins()) == (0, ["signed"], 1)


def test_a_key_that_asks_again_gets_only_a_pin_that_was_given_for_it(desk: Desk, counting: CountingModule) -> None:
    counting.misbehave(always_auth="all")
    asked = seal(desk, counting)
    assert (asked.code, asked.json["stopped"]["code"]) == (3, "signature_pin_needed")
    # It is known from now on, and still nobody gave a PIN for it.
    again = desk.run("resume", pin=CANARY_PIN, options=("--module", counting.path))
    assert (again.code, again.json["stopped"]["code"]) == (3, "signature_pin_needed")
    assert counting.context_logins() == 0
    other = "Canary-5cQ8-signature"
    wrong = desk.run("resume", pin=f"{CANARY_PIN}\n{other}", options=("--module", counting.path))
    assert (wrong.code, wrong.json["stopped"]["code"]) == (3, "signature_pin_incorrect")
    assert (counting.user_logins(), counting.context_logins()) == (3, 1)
    assert other not in wrong.out + wrong.err
    assert [path.name for path, data in desk.everything() if other.encode() in data] == []
    signed = desk.run("resume", pin=f"{CANARY_PIN}\n", options=("--module", counting.path))
    assert (signed.code, signed.states) == (0, ["signed"])
    assert counting.user_logins() == 4
    assert counting.context_logins() == 1 + counting.calls().count("C_Sign") > 1


def test_a_locked_token_is_not_tried(desk: Desk, counting: CountingModule) -> None:
    counting.misbehave(flags=LOCKED)
    answer = seal(desk, counting, "--final-try")
    assert (answer.code, answer.json["stopped"]["code"], counting.user_logins()) == (3, "pin_locked", 0)
    assert nothing_happened(desk)


def test_without_a_terminal_and_without_pin_stdin_nothing_is_asked(desk: Desk, counting: CountingModule) -> None:
    answer = seal(desk, counting, pin=None)
    assert (answer.code, answer.json["error"]["code"]) == (2, "usage_no_terminal")
    assert counting.user_logins() == 0
    assert nothing_happened(desk)


def test_only_the_end_of_the_line_is_taken_off_a_pin(desk: Desk, counting: CountingModule) -> None:
    answer = seal(desk, counting, pin=f"{CANARY_PIN} ")
    assert (answer.code, answer.json["stopped"]["code"]) == (3, "pin_incorrect")
    answer = seal(desk, counting, "--level", "b-b", pin=f"{CANARY_PIN}\r")
    assert (answer.code, answer.states) == (0, ["signed"])


def test_the_pin_stands_in_no_argument_environment_output_or_file(desk: Desk) -> None:
    letter = desk.letter()
    words = ("--json", "sign", letter, "--profile", "agency", "--number", "1/UBND-VP", "--date", DAY, "--pin-stdin")
    mark = f"mark-{os.getpid()}-{threading.get_ident()}"
    seen: set[tuple[bytes, bool]] = set()
    with subprocess.Popen(
        desk.line(*words),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=clean_environment(desk.home, SIGNER_TEST_MARK=mark, TEST_MARK=mark),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(CANARY_PIN.encode() + b"\n")
        process.stdin.close()
        process.stdin = None
        while process.poll() is None:
            seen |= looked_at(mark.encode())
        out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, out
    children = {argument for argument, _ in seen}
    assert any(b"token-host" in argument for argument in children)
    assert any(b"--child=worker" in argument for argument in children)
    assert not any(held for _, held in seen)
    assert CANARY_PIN.encode() not in out + err
    holders = {path.name for path, data in desk.everything() if CANARY_PIN.encode() in data}
    assert holders == {"demo.json"}


def looked_at(mark: bytes) -> set[tuple[bytes, bool]]:
    """Argument lists of all processes with `mark` in their environment, and whether the PIN stands in either."""
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or folder.name == str(os.getpid()):
            continue
        try:
            environment, arguments = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in environment:
            found.add((arguments, CANARY_PIN.encode() in environment + arguments))
    return found
