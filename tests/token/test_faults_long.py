"""What only shows after a long time: a thousand insertions, dozens of dead hosts, a batch that meets every fault.

Counted are processes, threads, open files and sessions, which must be as many at the end as at the beginning, and the
memory of this process and of the token host, which must not grow with what has happened.
"""

import gc
import os
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from signer_token.client import Deadlines, TokenError, TokenHost
from signer_token.model import Pin
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import PIN, SoftTokens, softhsm_module
from tests.support.workspace import CANARY_PIN, DAY, Desk, Site

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads processes by /proc"),
]

ATTRIBUTES = b"\x31\x0bsigned attr"
CYCLES, WARM = 1000, 100
GROWTH_KB = 2048
"""More than an allocator's whims, less than 3 kB for each cycle."""


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    threads: int
    files: int
    children: int


def held_by(pid: int) -> Held:
    process = Path(f"/proc/{pid}")
    tasks = list((process / "task").iterdir())
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    return Held(len(tasks), len(list((process / "fd").iterdir())), len(children))


def memory_kb(pid: int) -> int:
    gc.collect()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def host_pid(host: TokenHost) -> int:
    assert host._child is not None
    return host._child.pid


@pytest.mark.timeout(400)
def test_a_thousand_insertions_and_removals_leave_nothing_behind(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    tokens = {token.label: token for token in host.tokens()}
    agency = tokens["UBND xã Hòa Sơn"]
    typed = 0

    def sign() -> None:
        nonlocal typed
        typed += 1
        with host.open(agency.serial, soft_tokens.agency_sha256, Pin(PIN)) as session:
            session.sign(ATTRIBUTES)

    def pulled_out_while_logged_in() -> None:
        nonlocal typed
        typed += 1
        session = host.open(agency.serial, soft_tokens.agency_sha256, Pin(PIN))
        counting.misbehave(gone=agency.serial)
        with pytest.raises(TokenError) as removed:
            session.sign(ATTRIBUTES)
        assert removed.value.code == "token_removed"
        counting.misbehave()

    def cycle(number: int) -> None:
        counting.misbehave(gone="all" if number % 2 else agency.serial)
        assert len(host.tokens()) == (0 if number % 2 else 1)
        counting.misbehave()
        assert {token.label for token in host.tokens()} == set(tokens)
        if number % 100 == 50:
            pulled_out_while_logged_in()
        if number % 100 == 99:
            sign()

    for number in range(WARM):
        cycle(number)
    child = host_pid(host)
    before, memory = (held_by(os.getpid()), held_by(child)), (memory_kb(os.getpid()), memory_kb(child))
    logins = counting.user_logins()
    counting.log.unlink()
    for number in range(WARM, CYCLES):
        cycle(number)
    # First of all: reading the log takes memory too.
    growth = memory_kb(os.getpid()) - memory[0], memory_kb(child) - memory[1]
    assert host_pid(host) == child, "the same host all the time"
    assert (held_by(os.getpid()), held_by(child)) == before
    assert counting.open_sessions() == 0
    assert logins + counting.user_logins() == typed == 2 * CYCLES // 100
    assert max(growth) < GROWTH_KB, f"kB more than after {WARM} cycles, here and in the host: {growth}"


@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_thirty_hosts_that_die_leave_nothing_behind(
    soft_tokens: SoftTokens, counting: CountingModule, host: TokenHost, fault: str
) -> None:
    def die() -> None:
        host._deadlines = Deadlines(load_s=60)
        host.tokens()
        counting.misbehave(C_GetSlotList=fault)
        host._deadlines = Deadlines(list_s=0.05)
        with pytest.raises(TokenError):
            host.tokens()
        counting.misbehave()

    for _ in range(5):
        die()
    before, memory, threads = held_by(os.getpid()), memory_kb(os.getpid()), threading.active_count()
    for _ in range(30):
        die()
    assert (held_by(os.getpid()), threading.active_count()) == (before, threads)
    assert memory_kb(os.getpid()) - memory < GROWTH_KB


# ---- the engine ----------------------------------------------------------------------------------------------------


FAULTS_OF_A_BATCH = (
    ("0x6@1", "driver_error"),
    ("hang@1", "driver_timeout"),
    ("0xa4@1", "pin_locked"),
    ("garbage@1", "signature_wrong"),
    ("0x101@2", "session_lost"),
    ("unplug@1", "token_removed"),
)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that hangs in a signature is given up after a second."""
    monkeypatch.setattr("signer_app.workspace.TokenHost", partial(TokenHost, deadlines=Deadlines(sign_s=1.0)))


@pytest.mark.usefixtures("patience")
def test_a_batch_meets_one_fault_after_the_other_and_every_letter_is_signed_once(site: Site, tmp_path: Path) -> None:
    desk = site.desk(tmp_path)
    module = build_counting_module(tmp_path, softhsm_module())
    front = ("--module", module.path)
    letters = {"cong-van.pdf": "1/UBND-VP", "giay-moi.pdf": "2/GM-UBND", "quyet-dinh.pdf": "3/QĐ-UBND"}
    for name in letters:
        desk.letter(name)
    rows = [f"{name},{number},{DAY},H77" for name, number in letters.items()]
    listing = desk.listing("input,number,date,to", *rows)

    module.misbehave(C_Sign="crash@2")
    answer = desk.sign("--list", listing, "--profile", "agency", "--level", "b-b", options=front)
    assert (answer.code, answer.json["stopped"]["code"]) == (3, "driver_crashed")
    assert answer.states == ["signed", "pending", "pending"]
    for typed, (fault, code) in enumerate(FAULTS_OF_A_BATCH, 2):
        module.misbehave(C_Sign=fault)
        answer = desk.call("resume", pin=CANARY_PIN, options=front)
        assert (answer.code, answer.json["stopped"]["code"]) == (3, code)
        assert module.user_logins() == typed
    module.misbehave()
    answer = desk.call("resume", pin=CANARY_PIN, options=front)
    assert (answer.code, set(answer.states)) == (0, {"signed"})
    assert module.user_logins() == 2 + len(FAULTS_OF_A_BATCH)
    assert all_signed_once(desk, len(letters))


def all_signed_once(desk: Desk, count: int) -> bool:
    """As many stored files, packets and copies as letters, each number given once."""
    numbers = [packet.document for packet in desk.packets()]
    copies = list(desk.letters.glob("*.signed.pdf"))
    return len(set(numbers)) == len(numbers) == len(desk.files()) == len(copies) == count
