"""How many packets are on their way at once, and how long to wait after a failure."""

from signer_sync.backoff import MAX_DELAY, backoff, delay_after
from signer_sync.pace import QUICK_RATE, QUICK_SECONDS, Pace


def test_it_begins_with_two_and_doubles_in_a_round_while_answers_are_quick() -> None:
    pace, widths = Pace(8), []
    for _ in range(40):
        widths.append(pace.width)
        pace.answered(0.2, 50_000)
    assert widths[:8] == [2, 3, 4, 5, 6, 7, 8, 8]
    assert set(widths[8:]) == {8}


def test_after_a_fault_it_grows_by_one_in_a_whole_round() -> None:
    pace, widths = Pace(8), []
    for _ in range(3):
        pace.answered(0.2, 50_000)
    pace.fault()
    for _ in range(8):
        widths.append(pace.width)
        pace.answered(0.2, 50_000)
    assert widths == [2, 2, 3, 3, 3, 4, 4, 4]


def test_slow_answers_hold_it_where_it_is_but_a_large_packet_may_take_its_time() -> None:
    pace = Pace(8)
    for _ in range(20):
        pace.answered(QUICK_SECONDS + 1, 1000)
    assert pace.width == 2
    for _ in range(2):
        pace.answered(QUICK_SECONDS + 9, 10 * QUICK_RATE)
    assert pace.width == 3, "a whole round, after the slow ones"


def test_a_fault_halves_it_and_one_is_the_least() -> None:
    pace = Pace(8)
    for _ in range(40):
        pace.answered(0.1, 1)
    widths = []
    for _ in range(5):
        pace.fault()
        widths.append(pace.width)
    assert widths == [4, 2, 1, 1, 1]
    pace.answered(0.1, 1)
    assert pace.width == 2


def test_a_channel_for_one_at_a_time_stays_at_one() -> None:
    pace = Pace(1)
    for _ in range(5):
        pace.answered(0.1, 1)
    assert pace.width == Pace(0).width == 1


def test_delays_grow_with_full_jitter_up_to_the_ceiling() -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high / 2

    delays = [backoff(attempt, uniform) for attempt in range(1, 40)]
    assert bounds[:4] == [(0.0, 5.0), (0.0, 10.0), (0.0, 20.0), (0.0, 40.0)]
    assert bounds[-1] == (0.0, MAX_DELAY)
    assert delays == sorted(delays)
    assert max(delays) == MAX_DELAY / 2
    assert delay_after(None, 3, uniform) == delays[2]
