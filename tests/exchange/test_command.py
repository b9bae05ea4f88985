"""`sync` without --once: what is held leaves in the first pass, and a signal ends it with 0."""

import argparse
import json
import os
import signal
import threading

import pytest

from signer_app.cli.console import Console
from signer_app.cli.exchange import sync
from signer_app.store.model import OutboxState
from tests.exchange.post import Post


def test_sync_sends_what_is_held_and_goes_on_until_a_signal(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    packets = [post.given(number).packet_id for number in "12"]
    pid, seen = os.getpid(), threading.Event()

    def stop_when_sent() -> None:
        while not seen.wait(0.05):
            if all(post.packet(one).state is OutboxState.ACCEPTED for one in packets):
                os.kill(pid, signal.SIGTERM)
                return

    watching = threading.Thread(target=stop_when_sent)
    watching.start()
    try:
        args = argparse.Namespace(enrol=False, once=False)
        assert sync(post.office.space, args, Console(as_json=True, lang="vi")) == 0
    finally:
        seen.set()
        watching.join()
    told = json.loads(capsys.readouterr().out)
    assert (told["sent"], told["waiting"], told["stopped"]) == (2, 0, None)
    assert {one["packet_id"] for one in told["packets"]} == set(packets)
