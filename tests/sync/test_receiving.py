"""What came is taken, acknowledged once it is durable, and never keeps the rest out. The other side is scripted."""

from dataclasses import replace

import pytest

from signer_resources.errors import KnownError
from signer_sync.contract import FeedType, Retry
from signer_sync.errors import ExchangeError, Scope
from signer_sync.packets import Arrival, ArrivalPage, BinarySink
from signer_sync.ports import FeedPosition
from signer_sync.receiving import PATIENCE, Received, receive_all
from signer_sync.reports import CancelledError, Watching
from tests.sync.stores import MemoryInbox, MemoryOutbox, ScriptedChannel


def wrong() -> ExchangeError:
    return ExchangeError("content_wrong", retry=Retry.AFTER)


def receive(channel: ScriptedChannel, inbox: MemoryInbox, *, watching: Watching | None = None) -> Received:
    so_far = Received()
    receive_all(channel, MemoryOutbox(), inbox, channel.epoch, so_far, watching=watching)
    return so_far


def test_what_came_is_kept_acknowledged_and_taken_once() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(*(b"%d" % number for number in range(250)))
    assert receive(channel, inbox).received == 250
    assert (channel.acked, inbox.at) == (250, FeedPosition("e1", "250"))
    assert receive(channel, inbox).received == 0
    assert channel.lists[-1][0] == "250"


def test_an_acknowledgement_stops_before_what_is_stuck_and_later_ones_are_taken_all_the_same() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    cut = ExchangeError("server_unreachable", retry=Retry.AFTER, unreachable=True, host="h")
    channel.announce(b"a", cut, b"c")
    for _ in range(3 * PATIENCE):
        so_far = receive(channel, inbox)
        assert [(problem.packet_id, problem.code) for problem in so_far.problems] == [("n1", "server_unreachable")]
    assert (inbox.ids, channel.acked, inbox.given_up) == ({"n0", "n2"}, 1, {})
    channel.content["n1"] = b"b"
    channel.entries[1] = replace(channel.entries[1], sha256=None)
    assert receive(channel, inbox).received == 1
    assert channel.acked == 3


def test_one_stuck_page_keeps_no_later_page_out_nor_is_a_later_one_acknowledged() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(wrong(), *(b"%d" % number for number in range(149)))
    assert receive(channel, inbox).received == 149
    assert (channel.acked, inbox.at) == (0, None)


@pytest.mark.parametrize("retry", [Retry.NEVER, Retry.FIX])
def test_what_can_never_be_had_is_recorded_and_passed_over_after_five_passes(retry: Retry) -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(b"a", ExchangeError("packet_too_large", retry=retry, limit=1), b"c")
    for number in range(1, PATIENCE):
        so_far = receive(channel, inbox)
        assert (so_far.given_up, [item.code for item in so_far.problems]) == ([], ["packet_too_large"])
        assert (inbox.misses, channel.acked, inbox.ids) == ({"n1": number}, 1, {"n0", "n2"})
    so_far = receive(channel, inbox)
    assert [(item.packet_id, item.code) for item in so_far.given_up] == [("n1", "packet_too_large")]
    assert (inbox.given_up, channel.acked) == ({"n1": "packet_too_large"}, 3)


@pytest.mark.parametrize("change", [{"id": "other"}, {"type": None}, {"sha256": None}, {"size": 1 << 60}])
def test_an_entry_that_was_garbled_on_its_way_once_is_read_anew_and_taken(change: dict[str, object]) -> None:
    class Garbling(ScriptedChannel):
        garble = True

        def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
            page = super().list(cursor, limit=limit, wait=wait)
            return replace(page, items=tuple(replace(one, **change) for one in page.items)) if self.garble else page  # type: ignore[arg-type]

        def fetch(self, arrival: Arrival, sink: BinarySink, *, limit: int) -> None:
            if arrival.id not in self.content:
                raise ExchangeError("server_refused", retry=Retry.NEVER, problem="not-found", host="h", reason="r")
            if arrival.sha256 is None:
                raise ExchangeError("arrival_unknown", retry=Retry.FIX)
            if arrival.size is not None and arrival.size > limit:
                raise ExchangeError("packet_too_large", retry=Retry.FIX, limit=limit)
            super().fetch(arrival, sink, limit=limit)

    channel, inbox = Garbling(), MemoryInbox()
    channel.announce(b"a")
    so_far = receive(channel, inbox)
    assert (so_far.received, so_far.given_up, channel.acked, len(so_far.problems)) == (0, [], 0, 1)
    channel.garble = False
    assert receive(channel, inbox).received == 1
    assert (inbox.ids, inbox.given_up, channel.acked) == ({"n0"}, {}, 1)


def test_a_place_that_the_other_side_does_not_know_is_forgotten_and_the_list_read_from_its_start() -> None:
    class Choosy(ScriptedChannel):
        def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
            if cursor is not None and not cursor.isdecimal():
                self.lists.append((cursor, wait))
                raise ExchangeError("server_refused", retry=Retry.NEVER, problem="bad-request", host="h", reason="r")
            return super().list(cursor, limit=limit, wait=wait)

    channel, inbox = Choosy(), MemoryInbox()
    channel.announce(b"a")
    receive(channel, inbox)
    inbox.at = FeedPosition("e1", "garbled")
    channel.announce(b"b")
    assert receive(channel, inbox).received == 1
    assert (inbox.at, channel.acked) == (FeedPosition("e1", "2"), 2)


def test_who_refuses_even_the_start_of_the_list_is_believed() -> None:
    class Refusing(ScriptedChannel):
        def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
            self.lists.append((cursor, wait))
            raise ExchangeError("server_refused", retry=Retry.NEVER, problem="bad-request", host="h", reason="r")

    channel, inbox = Refusing(), MemoryInbox()
    inbox.at = FeedPosition("e1", "5")
    with pytest.raises(ExchangeError):
        receive(channel, inbox)
    assert [cursor for cursor, _ in channel.lists] == ["5", None]
    assert inbox.at == FeedPosition("e1", "5")


def test_wrong_bytes_are_fetched_again_at_once_and_given_up_after_five_passes() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(wrong(), b"b")
    for number in range(1, PATIENCE):
        receive(channel, inbox)
        assert (inbox.misses, inbox.given_up, channel.acked) == ({"n0": number}, {}, 0)
    assert [item.code for item in receive(channel, inbox).given_up] == ["content_wrong"]
    assert (inbox.given_up, channel.acked) == ({"n0": "content_wrong"}, 2)


def test_trouble_with_the_whole_server_gives_nothing_up_and_ends_the_pass() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(
        ExchangeError("server_not_allowed", retry=Retry.FIX, scope=Scope.SERVER, host="h", reason="r"), b""
    )
    with pytest.raises(ExchangeError):
        receive(channel, inbox)
    assert (inbox.given_up, inbox.kept, channel.acked) == ({}, {}, 0)


def test_a_cut_in_the_middle_ends_the_pass_only_if_the_server_is_away() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    cut = ExchangeError("server_unreachable", retry=Retry.AFTER, unreachable=True, host="h")
    channel.announce(cut, b"b")
    channel.away = cut
    with pytest.raises(ExchangeError):
        receive(channel, inbox)
    assert inbox.kept == {}
    channel.away = None
    assert receive(channel, inbox).received == 1


def test_of_a_secret_packet_only_the_id_is_kept_and_it_is_fetched_once() -> None:
    channel, fetched = ScriptedChannel(), []

    def is_secret(data: bytes) -> bool:
        fetched.append(data)
        return data == b"secret"

    inbox = MemoryInbox(is_secret=is_secret)
    channel.announce(b"secret", b"open")
    assert (receive(channel, inbox).secret, inbox.secret, inbox.ids) == (1, {"n0"}, {"n1"})
    inbox.at = None
    assert receive(channel, inbox).secret == 0
    assert (len(fetched), channel.acked) == (2, 2)


@pytest.mark.parametrize("step", ["take", "advance"])
def test_a_full_disk_ends_the_pass_and_nothing_is_lost_or_doubled_after_it(step: str) -> None:
    channel = ScriptedChannel()
    channel.announce(b"a")

    def full(at: str) -> None:
        if at == step:
            raise KnownError("disk_full", folder="d")

    inbox = MemoryInbox(step=full)
    with pytest.raises(KnownError, match="full"):
        receive(channel, inbox)
    assert channel.acked == (0 if step == "take" else 1)
    inbox.step = lambda _: None
    receive(channel, inbox)
    assert (len(inbox.kept), inbox.at) == (1, FeedPosition("e1", "1"))


def test_other_entries_are_told_and_words_of_a_later_version_are_not_lost() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.entries = [
        Arrival("d", FeedType.DIRECTORY),
        Arrival("n", FeedType.NOTICE, subject="Bảo trì 18 giờ"),
        Arrival("x", None),
        Arrival("p", FeedType.DELIVERY),
    ]
    assert receive(channel, inbox).directory_changed
    assert channel.acked == 2, "a word that nobody knows may have been garbled on its way"
    for _ in range(1, PATIENCE):
        receive(channel, inbox)
    assert inbox.given_up == {"x": "arrival_unknown"}
    assert set(inbox.notices) == {"Bảo trì 18 giờ"}
    assert channel.acked == 4


def test_a_pass_that_is_cancelled_takes_no_more() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(b"a", b"b")
    with pytest.raises(CancelledError):
        receive(channel, inbox, watching=Watching(cancelled=lambda: len(inbox.kept) == 1))
    assert (len(inbox.kept), inbox.at) == (1, None)


# -- a list that begins anew -------------------------------------------------------------------------------


def test_a_new_epoch_is_told_once_lists_from_the_start_and_takes_nothing_twice() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(b"a", b"b")
    assert not receive(channel, inbox).epoch_changed
    channel.epoch = "e2"
    so_far = receive(channel, inbox)
    assert (so_far.epoch_changed, so_far.received, inbox.at) == (True, 0, FeedPosition("e2", "2"))
    assert not receive(channel, inbox).epoch_changed


def test_an_emptied_server_deletes_nothing_here_and_its_new_epoch_is_told_once() -> None:
    channel, inbox = ScriptedChannel(), MemoryInbox()
    channel.announce(b"a")
    receive(channel, inbox)
    channel.epoch, channel.entries = "e2", []
    assert receive(channel, inbox).epoch_changed
    assert not receive(channel, inbox).epoch_changed
    assert inbox.ids == {"n0"}


def test_a_list_that_begins_anew_between_greeting_and_listing_is_noticed_too() -> None:
    class Restored(ScriptedChannel):
        def list(self, cursor: str | None, *, limit: int, wait: int):  # type: ignore[no-untyped-def]
            if cursor is not None and self.epoch == "e1":
                self.epoch = "e2"
                raise ExchangeError("epoch_changed", retry=Retry.NOW, scope=Scope.SERVER, host="h")
            return super().list(cursor, limit=limit, wait=wait)

    channel, inbox = Restored(), MemoryInbox()
    channel.announce(b"a")
    receive(channel, inbox)
    so_far = receive(channel, inbox)
    assert (so_far.epoch_changed, inbox.at) == (True, FeedPosition("e2", "1"))
