"""The sending and receiving loop over an LGSP: nothing twice, nothing lost, and a person decides what nobody knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_sync.edxml import StatusCode
from signer_sync.loop import sync_once
from signer_sync.reports import Outcome, Surroundings, SyncReport
from tests.sync.lgsp_unit import Unit, running_unit
from tests.sync.stores import MemoryInbox, MemoryOutbox


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    with running_unit(tmp_path) as made:
        yield made


def one_pass(unit: Unit, outbox: MemoryOutbox, inbox: MemoryInbox | None = None) -> SyncReport:
    around = Surroundings(lambda: unit.time, lambda _low, high: high)
    return sync_once(unit.channel(), outbox, inbox or MemoryInbox(), around, at_once=True)


def test_a_pass_sends_fetches_and_acknowledges(unit: Unit) -> None:
    packet, item = unit.packet(), unit.waits("a")
    unit.answered(StatusCode.ARRIVED, "s", "another")
    outbox, inbox = MemoryOutbox([packet]), MemoryInbox()
    report = one_pass(unit, outbox, inbox)
    assert (report.sent, report.received, report.stopped) == (1, 2, None)
    assert outbox.proofs[packet.packet_id].doc_id == "axis-1"
    assert item.content in inbox.kept.values()
    assert sorted(unit.lgsp.told) == [("a", "done"), ("s", "done")]
    again = one_pass(unit, outbox, inbox)
    assert (again.received, len(unit.lgsp.told), len(unit.lgsp.received)) == (0, 2, 1)


def test_nothing_is_acknowledged_that_was_not_kept_and_nothing_is_kept_twice(unit: Unit) -> None:
    unit.waits("a")

    def full(_step: str) -> None:
        raise OSError("disk full")

    inbox = MemoryInbox(step=full)
    with pytest.raises(OSError, match="disk full"):
        one_pass(unit, MemoryOutbox(), inbox)
    assert not unit.lgsp.told
    inbox.step = lambda _step: None
    unit.lgsp.quirks.lose = ["/v1/updateStatus"]
    one_pass(unit, MemoryOutbox(), inbox)
    one_pass(unit, MemoryOutbox(), inbox)
    assert len(inbox.kept) == 1
    assert set(unit.lgsp.told) == {("a", "done")}


def test_a_lost_answer_is_left_to_a_person_and_never_sent_again(unit: Unit) -> None:
    packet = unit.packet()
    outbox = MemoryOutbox([packet])
    unit.lgsp.quirks.lose = ["/v1/sendEdoc"]
    assert one_pass(unit, outbox).packets[0].outcome is Outcome.RETRYING
    assert one_pass(unit, outbox).packets[0].outcome is Outcome.NEEDS_PERSON
    assert outbox.stuck[packet.packet_id].endswith("outcome_undecided")
    one_pass(unit, outbox)
    assert len(unit.lgsp.received) == 1


def test_a_lost_answer_is_settled_by_the_receivers_status_message(unit: Unit) -> None:
    packet = unit.packet()
    outbox = MemoryOutbox([packet])
    unit.lgsp.quirks.lose = ["/v1/sendEdoc"]
    one_pass(unit, outbox)
    unit.answered(StatusCode.ARRIVED, "s", packet.document_id)
    assert one_pass(unit, outbox).packets[0].outcome is Outcome.ACCEPTED
    assert len(unit.lgsp.received) == 1


def test_a_refused_connection_is_no_reason_to_ask_anybody(unit: Unit) -> None:
    packet = unit.packet(content=b"%PDF-" + bytes(8 << 20))
    outbox = MemoryOutbox([packet])
    unit.lgsp.quirks.hang_up = ["/v1/sendEdoc"]
    assert one_pass(unit, outbox).packets[0].outcome is Outcome.RETRYING
    assert one_pass(unit, outbox).packets[0].outcome is Outcome.ACCEPTED
    assert len(unit.lgsp.received) == 1


def test_a_locked_receiver_holds_up_no_other_packet(unit: Unit) -> None:
    first, second = unit.packet(number="1"), unit.packet(number="2")
    outbox = MemoryOutbox([first, second])
    unit.lgsp.quirks.codes["/v1/sendEdoc"] = [(200, 23, "đã khóa")]
    outcomes = sorted(result.outcome.value for result in one_pass(unit, outbox).packets)
    assert outcomes == ["accepted", "needs_person"]


def test_a_wrong_password_is_asked_once_however_many_passes_there_are(unit: Unit) -> None:
    outbox = MemoryOutbox([unit.packet()])
    unit.lgsp.password = "đã đổi"
    channel = unit.channel(password="cũ")
    around = Surroundings(lambda: unit.time, lambda _low, high: high)
    for _ in range(4):
        report = sync_once(channel, outbox, MemoryInbox(), around, at_once=True)
        assert report.stopped is not None
        assert report.stopped.code == "lgsp_login_refused"
    assert len(unit.lgsp.logins) == 1
    assert not outbox.stuck
