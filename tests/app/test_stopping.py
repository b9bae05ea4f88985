"""Ctrl+C while a batch is signed: the first stops it between two documents, the second ends the program."""

import signal
import threading

import pytest

from signer_app.cli.stopping import stop_signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_wish_and_the_next_is_as_always(number: signal.Signals) -> None:
    came: list[int] = []
    before = signal.signal(number, lambda which, _frame: came.append(which))
    try:
        stop = threading.Event()
        with stop_signal(stop):
            signal.raise_signal(number)
            assert (stop.wait(10), came) == (True, [])
            signal.raise_signal(number)
            assert came == [number]
        signal.raise_signal(number)
        assert came == [number] * 2
    finally:
        signal.signal(number, before)


def test_without_a_signal_everything_is_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_signal(threading.Event()):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
