"""The clock: what others say of it, what the last signature says, and how a wrong last signature is got rid of."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from asn1crypto import cms, tsp

from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.desk.checks import Checks
from signer_app.desk.exchange import ExchangeSnapshot
from signer_app.desk.tokens import TokensSnapshot
from signer_app.signing.clock import (
    TOLERANCE,
    ClockWatch,
    Ground,
    TimeSource,
    accept_clock,
    ensure_clock,
    require_clock,
)
from signer_app.store.model import JournalAction
from signer_resources.errors import KnownError
from tests.desk.office import MONDAY, Office, office
from tests.store.letters import Letters, not_secret

SECOND, MINUTE, DAY = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(days=1)
SERVER, TSA, STRANGER = TimeSource.SERVER, TimeSource.TSA, TimeSource.STRANGER


class Running:
    """Seconds since the machine was started."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
def watch(running: Running) -> ClockWatch:
    return ClockWatch(running)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


def refused(place: Office, now: dt.datetime) -> bool:
    """Whether nothing may be signed when the clock shows `now`."""
    try:
        with place.store.view() as view:
            require_clock(view, now)
    except KnownError as error:
        return error.code == "clock_before_last_signature"
    return False


def clock_entries(place: Office) -> list[str]:
    with place.store.view() as view:
        return [entry.use.result for entry in view.journal.entries() if entry.use.action is JournalAction.CLOCK]


# ---- what others say


@pytest.mark.parametrize("off", [5 * MINUTE + SECOND, -5 * MINUTE - SECOND, 3 * DAY])
def test_a_clock_that_differs_by_more_than_five_minutes_is_warned_of(watch: ClockWatch, off: dt.timedelta) -> None:
    watch.saw(MONDAY, MONDAY + off, SERVER)
    warned = watch.warning(MONDAY + off)
    assert warned is not None
    assert (warned.code, warned.params["right"]) == ("machine_clock_wrong", "08:42:00 23/11/2026")
    assert not watch.proves(MONDAY + off)


@pytest.mark.parametrize("off", [0 * SECOND, 5 * MINUTE, -5 * MINUTE])
def test_a_difference_of_five_minutes_is_none(watch: ClockWatch, off: dt.timedelta) -> None:
    watch.saw(MONDAY, MONDAY + off, TSA)
    assert watch.warning(MONDAY + off) is None
    assert watch.proves(MONDAY + off)


def test_nothing_is_said_or_proved_while_nobody_was_asked(watch: ClockWatch) -> None:
    assert (watch.ahead(MONDAY), watch.warning(MONDAY), watch.proves(MONDAY)) == (None, None, False)


def test_a_server_that_is_not_pinned_warns_but_proves_nothing(watch: ClockWatch) -> None:
    watch.saw(MONDAY, MONDAY, STRANGER)
    assert watch.ahead(MONDAY) == 0 * SECOND
    assert not watch.proves(MONDAY)


@pytest.mark.parametrize(
    "nonsense",
    [
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2012, 1, 1, tzinfo=dt.UTC),
        dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC),
        MONDAY.replace(tzinfo=None),
    ],
)
def test_what_can_not_be_the_time_is_not_heard(watch: ClockWatch, nonsense: dt.datetime) -> None:
    watch.saw(nonsense, MONDAY, TSA)
    assert (watch.ahead(MONDAY), watch.warning(MONDAY), watch.proves(MONDAY)) == (None, None, False)
    watch.saw(MONDAY, MONDAY, SERVER)
    watch.saw(nonsense, MONDAY, TSA)
    assert watch.proves(MONDAY), "what was heard before stands"


@pytest.mark.parametrize(("off", "proved"), [(5 * MINUTE, True), (5 * MINUTE + SECOND, False)])
def test_a_clock_that_is_older_than_the_rules_may_differ_by_five_minutes_too(
    watch: ClockWatch, off: dt.timedelta, proved: bool
) -> None:
    before_the_rules = MONDAY.replace(year=2025)
    watch.saw(before_the_rules - off, before_the_rules, SERVER)
    assert watch.proves(before_the_rules) is proved


def test_a_server_of_before_the_rules_is_held_against_a_clock_of_today(watch: ClockWatch) -> None:
    watch.saw(MONDAY.replace(year=2025), MONDAY, SERVER)
    warned = watch.warning(MONDAY)
    assert warned is not None
    assert (warned.code, warned.params["right"]) == ("machine_clock_wrong", "08:42:00 23/11/2025")


def test_what_was_known_holds_while_the_clock_goes_on_and_is_void_when_it_is_set(
    watch: ClockWatch, running: Running
) -> None:
    watch.saw(MONDAY, MONDAY, SERVER)
    running.seconds += 3600
    assert watch.proves(MONDAY + 60 * MINUTE)
    assert watch.ahead(MONDAY - 3 * DAY) is None, "set back: nobody has seen this clock"
    assert not watch.proves(MONDAY - 3 * DAY)


# ---- what the last signature says


def test_a_clock_a_minute_behind_the_last_signature_is_let_pass_a_second_more_is_not(place: Office) -> None:
    assert not refused(place, MONDAY - 100 * DAY), "nothing was ever signed"
    place.signed("1")
    assert not refused(place, MONDAY)
    assert not refused(place, MONDAY - TOLERANCE)
    assert refused(place, MONDAY - TOLERANCE - SECOND)


def test_a_signature_that_lies_in_the_future_is_got_rid_of_by_a_persons_word(place: Office) -> None:
    place.at(MONDAY + 90 * DAY)
    place.signed("1")
    place.at(MONDAY)
    assert refused(place, MONDAY)
    accept_clock(place.store, MONDAY, Ground.CONFIRMED)
    assert clock_entries(place) == ["confirmed"]
    assert not refused(place, MONDAY)
    place.signed("2")
    assert refused(place, MONDAY - DAY), "what is signed from now on counts again"
    assert not refused(place, MONDAY + MINUTE)


def test_a_server_that_says_the_clock_is_right_does_it_too_right_before_signing(
    place: Office, watch: ClockWatch
) -> None:
    place.at(MONDAY + 90 * DAY)
    place.signed("1")
    with pytest.raises(KnownError, match="earlier than the last signature"):
        ensure_clock(place.store, MONDAY, watch)
    watch.saw(MONDAY, MONDAY, STRANGER)
    with pytest.raises(KnownError, match="earlier than the last signature"):
        ensure_clock(place.store, MONDAY, watch)
    watch.saw(MONDAY, MONDAY, TSA)
    ensure_clock(place.store, MONDAY, watch)
    ensure_clock(place.store, MONDAY, watch)
    assert clock_entries(place) == ["proved"]


def test_a_clock_that_is_shown_to_be_slow_stays_stopped(place: Office, watch: ClockWatch) -> None:
    place.signed("1")
    late = MONDAY - 3 * DAY
    watch.saw(MONDAY, late, SERVER)
    with pytest.raises(KnownError, match="earlier than the last signature"):
        ensure_clock(place.store, late, watch)
    assert clock_entries(place) == []


def timestamp(at: dt.datetime) -> bytes:
    """A timestamp's outer form; its signature was checked when it was put in, and nobody looks at it again."""
    info = tsp.TSTInfo(
        {
            "version": 1,
            "policy": "1.3.6.1.4.1.0",
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)},
            "serial_number": 1,
            "gen_time": at.astimezone(dt.UTC),
        }
    )
    content = {"content_type": "tst_info", "content": cms.ParsableOctetString(info.dump())}
    signed = {"version": "v3", "digest_algorithms": [], "encap_content_info": content, "signer_infos": []}
    encoded: bytes = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump()
    return encoded


@pytest.mark.parametrize(
    ("token", "late_by"),
    [
        (timestamp(MONDAY + DAY), DAY),
        (timestamp(MONDAY - DAY), 0 * DAY),
        (timestamp(dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC)), 0 * DAY),
        (b"x", 0 * DAY),
    ],
)
def test_the_time_of_a_timestamp_counts_where_it_is_later(place: Office, token: bytes, late_by: dt.timedelta) -> None:
    made = Letters(place.store, place.clock).signing("1")
    record = msgspec.structs.replace(made.evidence[0].record, timestamp_token=token)
    stamped = msgspec.structs.replace(made, evidence=(msgspec.structs.replace(made.evidence[0], record=record),))
    place.store.commit_signed(stamped, not_secret)
    assert refused(place, MONDAY + late_by - TOLERANCE - SECOND)
    assert not refused(place, MONDAY + late_by - TOLERANCE)


# ---- in the machine check


def light(checks: Checks) -> Check:
    found = checks.standing(TokensSnapshot(), ExchangeSnapshot())
    return next(one for one in found if one.name is CheckName.CLOCK)


def test_the_light_follows_what_is_heard_in_the_course_of_work(place: Office, watch: ClockWatch) -> None:
    checks = Checks(place.space, watch)
    assert light(checks).state is CheckState.NOT_CHECKED
    watch.saw(MONDAY, MONDAY, SERVER)
    assert light(checks).state is CheckState.GOOD
    watch.saw(MONDAY + DAY, MONDAY, SERVER)
    wrong = light(checks)
    assert (wrong.state, wrong.error and wrong.error.code) == (CheckState.BAD, "machine_clock_wrong")


def test_the_light_is_red_behind_the_last_signature_until_somebody_says_that_the_clock_is_right(place: Office) -> None:
    place.at(MONDAY + DAY)
    place.signed("1")
    place.at(MONDAY)
    checks = Checks(place.space)
    wrong = light(checks)
    assert (wrong.state, wrong.error and wrong.error.code) == (CheckState.BAD, "clock_before_last_signature")
    checks.accept_clock()
    assert light(checks).state is CheckState.NOT_CHECKED


def test_a_clock_before_every_rule_is_told_and_breaks_nothing(place: Office, watch: ClockWatch) -> None:
    long_ago = MONDAY.replace(year=1999)
    place.at(long_ago)
    watch.saw(MONDAY, long_ago, SERVER)
    wrong = light(Checks(place.space, watch))
    assert (wrong.state, wrong.error and wrong.error.code) == (CheckState.BAD, "machine_clock_wrong")
