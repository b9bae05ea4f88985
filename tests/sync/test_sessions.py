import threading
from pathlib import Path

import pytest
import requests

from signer_sync.contract import Retry
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import HttpSettings, open_session
from signer_sync.sessions import OneSession, SessionPool


class Opened:
    """Counts the sessions that were opened and remembers which were closed."""

    def __init__(self) -> None:
        self.sessions: list[requests.Session] = []
        self.closed: list[requests.Session] = []

    def __call__(self, settings: HttpSettings) -> requests.Session:
        session = open_session(settings)
        real_close = session.close

        def close() -> None:
            self.closed.append(session)
            real_close()

        session.close = close  # type: ignore[method-assign]
        self.sessions.append(session)
        return session


def test_no_two_borrowers_have_the_same_session_and_a_warm_one_goes_out_first() -> None:
    opened = Opened()
    pool = SessionPool(HttpSettings(), 3, make=opened)
    with pool.lend() as first, pool.lend() as second:
        assert first is not second
    with pool.lend() as again:
        assert again is first
    assert len(opened.sessions) == 2
    pool.close()
    assert set(map(id, opened.closed)) == set(map(id, opened.sessions))


def test_borrowers_beyond_the_most_wait_for_one_to_come_back() -> None:
    opened = Opened()
    pool = SessionPool(HttpSettings(), 1, make=opened)
    got = threading.Event()

    def borrow() -> None:
        with pool.lend():
            got.set()

    with pool.lend():
        thread = threading.Thread(target=borrow)
        thread.start()
        assert not got.wait(0.05)
    assert got.wait(20)
    thread.join()
    assert len(opened.sessions) == 1
    pool.close()


def test_what_is_lent_at_closing_is_closed_when_it_comes_back() -> None:
    opened = Opened()
    pool = SessionPool(HttpSettings(), 2, make=opened)
    with pool.lend():
        pool.close()
        assert opened.closed == []
    assert opened.closed == opened.sessions
    with pytest.raises(RuntimeError), pool.lend():
        pass


def test_settings_that_cannot_be_used_stop_the_pass_and_not_a_packet(tmp_path: Path) -> None:
    pool = SessionPool(HttpSettings(extra_ca=tmp_path / "gone.pem"), 1)
    for _ in range(2):  # and nobody has to wait for a session that was never opened
        with pytest.raises(ExchangeError) as caught, pool.lend():
            pass
        assert (caught.value.code, caught.value.scope, caught.value.retry) == (
            "extra_ca_unreadable",
            Scope.SERVER,
            Retry.FIX,
        )


def test_a_callers_own_session_is_lent_as_it_is_and_left_open() -> None:
    settings = HttpSettings(read_timeout=7)
    with open_session(settings) as session:
        one = OneSession(session)
        with one.lend() as lent:
            assert lent is session
        assert one.settings is settings
