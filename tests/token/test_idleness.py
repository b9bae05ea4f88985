"""When the token host logs out by itself."""

from dataclasses import dataclass
from typing import Any, cast

import pytest
from pkcs11 import Mechanism

from signer_token.channel import Refusal
from signer_token.host import Driver, OpenKey
from signer_token.idleness import Idleness
from signer_token.wire import Ping, Sign


@dataclass
class Clock:
    now: float = 0.0
    slept: float = 0.0

    def idleness(self) -> Idleness:
        return Idleness(300.0, lambda: self.now, lambda: self.slept)


def test_a_login_ends_when_it_was_not_used_for_long() -> None:
    clock = Clock()
    idleness = clock.idleness()
    clock.now = 299
    idleness.used()
    clock.now = 598
    assert not idleness.over
    clock.now = 600
    assert idleness.over


def test_a_login_ends_when_the_machine_has_slept() -> None:
    clock = Clock(slept=70.0)
    idleness = clock.idleness()
    clock.now = 1
    assert not idleness.over
    clock.slept = 100.0
    assert idleness.over
    idleness.used()
    assert not idleness.over


class Session:
    """A session that only tells whether it was closed: no machine can be put to sleep for a test."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_after_sleep_the_host_has_logged_out_and_forgotten_the_signature_pin() -> None:
    clock, session, pin = Clock(), Session(), bytearray(b"123456")
    driver = Driver(clock.idleness())
    driver.opened = OpenKey(cast("Any", session), cast("Any", None), Mechanism.RSA_PKCS, "77", "ab", True, pin)
    driver.handle(Ping())
    assert not session.closed
    clock.slept = 3600.0
    with pytest.raises(Refusal) as refused:
        driver.handle(Sign("ab", b"attributes"))
    assert (refused.value.code, session.closed, bytes(pin)) == ("session_lost", True, b"")
