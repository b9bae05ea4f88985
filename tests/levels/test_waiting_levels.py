"""What is said of documents that wait for a timestamp; a server that is tried; work that is let go when cancelled."""

import threading

import msgspec
import pytest

from signer_app.desk.check_values import Check, CheckState, told
from signer_app.desk.setup import Setup
from signer_app.desk.waiting_levels import levels_check
from signer_app.levels.crew import spread
from signer_app.levels.later import Later
from signer_app.signing.batch import never
from signer_app.store.levels import WhyHigher
from signer_app.store.settings import TimestampServer
from signer_resources.errors import KnownError
from tests.levels.signed import Place

DEAD = "http://127.0.0.1:9/"
"""The discard port, on which nobody listens."""


def said(check: Check) -> str:
    return told(check, "vi").what


@pytest.mark.usefixtures("no_pauses")
def test_the_machine_check_tells_how_many_files_wait_and_why(place: Place) -> None:
    assert said(levels_check(place.space)) == "Không có văn bản nào chờ bổ sung dấu thời gian."
    file = place.store(place.letter())
    now = place.space.now()
    place.space.store.write(lambda tx: tx.levels.want(file.id, "b-t", WhyHigher.TIMESTAMP, now))
    waiting = levels_check(place.space)
    assert (waiting.state, waiting.error) == (CheckState.GOOD, None)
    assert said(waiting).startswith("1 tệp chờ bổ sung dấu thời gian")

    place.settings(lambda old: msgspec.structs.replace(old, tsa_url=DEAD))
    assert Later(place.space).run(lambda *_: None).postponed == 1
    tried = levels_check(place.space)
    assert tried.state is CheckState.WARN
    assert said(tried).splitlines() == [
        "1 tệp chờ bổ sung dấu thời gian. Đã bổ sung 0 tệp, 0 tệp không bổ sung được.",
        "Chưa có dấu thời gian, sẽ bổ sung sau. Chữ ký không thay đổi.",
    ]
    place.settings(lambda old: msgspec.structs.replace(old, tsa_url=None))
    assert [error.code for error in levels_check(place.space).also] == ["level_no_tsa"]


def test_a_server_that_is_tried_tells_whether_its_timestamps_prove_anything_here(place: Place) -> None:
    setup = Setup(place.space)
    server = TimestampServer(url=place.tsa_url, per_day=10)
    assert setup.try_timestamp(server).trusted
    with place.space.store.view() as view:
        assert view.levels.uses(server.url, place.space.now().replace(year=2000)) == 1
    with pytest.raises(KnownError) as away:
        setup.try_timestamp(TimestampServer(url=DEAD, limit_s=1))
    assert away.value.code == "machine_tsa_away"


def test_work_is_shared_and_what_fails_is_told_when_the_others_have_ended() -> None:
    assert sorted(spread(lambda number: number * 2, range(20), 4, never)) == list(range(0, 40, 2))
    assert spread(lambda number: number, (), 4, never) == []

    def fails(number: int) -> int:
        raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        spread(fails, (1,), 4, never)


def test_who_cancels_is_let_go_while_a_server_stalls() -> None:
    answers, asked = threading.Event(), threading.Event()

    def stalls(_number: int) -> int:
        asked.set()
        answers.wait()
        return 1

    assert spread(stalls, (1, 2, 3), 2, asked.is_set, patience_s=0) == []
    # Threads that hang may not hold up the end of the process.
    left = [thread for thread in threading.enumerate() if thread.name.startswith("levels-")]
    assert left
    assert all(thread.daemon for thread in left)
    answers.set()
    for thread in left:
        thread.join()
