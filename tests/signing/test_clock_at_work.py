"""The clock in the course of work: what exchange and signing hear of the time, and that a slow clock costs no PIN."""

import datetime as dt
from pathlib import Path

import pytest

from signer_app.exchange.passes import one_pass
from signer_app.exchange.session import exchanging_bodies
from signer_app.store.model import JournalAction
from signer_app.workspace import Overrides, workspace
from tests.store.letters import Clock, Letters, not_secret
from tests.support.workspace import Desk, Site


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return site.desk(tmp_path)


def logins(desk: Desk) -> int:
    with desk.store() as store, store.view() as view:
        return [entry.use.action for entry in view.journal.entries()].count(JournalAction.LOGIN)


def test_each_pass_of_sending_and_receiving_tells_what_the_time_is(desk: Desk) -> None:
    with desk.server(), workspace(desk.data, Overrides(), writing=True) as space:
        assert space.clock.ahead(space.now()) is None
        (body,) = exchanging_bodies(space.settings)
        one_pass(space, body, at_once=True)
        assert space.clock.proves(space.now())


def test_a_clock_behind_the_last_signature_stops_before_the_login(desk: Desk) -> None:
    clock = Clock()
    clock.time = dt.datetime.now(dt.UTC) + dt.timedelta(days=90)
    with workspace(desk.data, Overrides(), writing=True, now=clock) as space:
        space.store.commit_signed(Letters(space.store, clock).signing("900"), not_secret)
    before = logins(desk)
    answer = desk.seal(desk.letter(), "1/UBND-VP")
    assert answer.json["stopped"]["code"] == "clock_before_last_signature"
    assert logins(desk) == before
    assert desk.call("doctor", "--confirm-clock").code == 0
    assert desk.seal(desk.letter(name="again.pdf"), "1/UBND-VP").states == ["signed"]
