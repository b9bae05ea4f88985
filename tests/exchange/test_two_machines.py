"""Two machines of one body, each with a data folder of its own: one of them answers of itself, and nothing twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.store.incoming_model import ArrivalState, IncomingDocument
from signer_app.store.notices import Voice
from signer_sync.contract import ProblemCode, Retry
from signer_sync.errors import ExchangeError, Scope
from tests.desk.office import office
from tests.exchange.arrivals import warm_workers
from tests.registers.machines import Machine
from tests.server.by_hand import Hand
from tests.server.world import COMMUNE, OFFICE, World, make_packet, running

FILE = b"so;ten\n1;Nam\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    with running(tmp_path / "world") as made:
        yield made


def machine(folder: Path, world: World) -> Iterator[Machine]:
    with office(folder) as place:
        place.space.__dict__["workers"] = warm_workers()
        place.at(world.clock.now())
        yield Machine(place, world)


@pytest.fixture
def first(tmp_path: Path, world: World) -> Iterator[Machine]:
    yield from machine(tmp_path / "one", world)


@pytest.fixture
def second(tmp_path: Path, world: World, first: Machine) -> Iterator[Machine]:
    """Enrolled later than the first one."""
    yield from machine(tmp_path / "two", world)


@pytest.fixture
def sender(world: World) -> Hand:
    return Hand(world, world.enrolled(OFFICE), OFFICE)


def send(sender: Hand, *numbers: str) -> None:
    for number in numbers:
        packet = make_packet(sender.world.folder, org=OFFICE, to=(COMMUNE,), number=number, content=FILE, name="so.csv")
        assert sender.put(packet.path.read_bytes(), packet.packet_id).status_code == 201


def documents(one: Machine) -> dict[str, IncomingDocument]:
    with one.place.store.view() as view:
        return {document.label.partition("/")[0]: document for document in view.incoming.touched_since(0)}


def answered(one: Machine) -> list[tuple[str, str | None]]:
    """Which documents this machine has answered, and how."""
    known = {document.id: number for number, document in documents(one).items()}
    with one.place.store.view() as view:
        packets = view.outbox.list()
    return sorted((known[packet.incoming], packet.status_code) for packet in packets if packet.incoming is not None)


def voice(one: Machine) -> Voice | None:
    with one.place.store.view() as view:
        return view.notices.voice(COMMUNE)


def test_a_machine_that_is_enrolled_later_reads_the_whole_feed_and_files_in_silence(
    first: Machine, sender: Hand, second: Machine
) -> None:
    send(sender, "1", "2")
    first.sync()
    assert (answered(first), voice(first)) == ([("1", "01"), ("2", "01")], Voice.OURS)
    second.sync()
    assert set(documents(second)) == {"1", "2"}
    assert (answered(second), voice(second)) == ([], Voice.SILENT)
    send(sender, "3")
    second.sync()
    first.sync()
    assert (answered(first)[-1], answered(second)) == (("3", "01"), [])


def test_the_machine_to_which_the_role_moves_answers_what_nobody_has_answered(
    world: World, first: Machine, sender: Hand, second: Machine
) -> None:
    send(sender, "1", "2")
    first.sync()
    first.desk.incoming.deciding.report(documents(first)["2"].id, "")
    second.sync()
    # The first one breaks: what comes now is read by the other one alone.
    send(sender, "3")
    second.sync()
    assert answered(second) == []
    world.admin.choose_device(second.device)
    send(sender, "4")
    second.sync()
    assert (answered(second), voice(second)) == ([("3", "01"), ("4", "01")], Voice.OURS)
    # The first one comes back, and reads along.
    first.sync()
    assert (answered(first), voice(first)) == ([("1", "01"), ("2", "01")], Voice.SILENT)
    assert set(documents(first)) == {"1", "2", "3", "4"}


def test_a_machine_that_begins_anew_with_the_role_answers_nothing_a_second_time(
    world: World, first: Machine, sender: Hand, second: Machine
) -> None:
    send(sender, "1")
    first.sync()
    world.admin.choose_device(second.device)
    send(sender, "2")
    second.sync()
    assert answered(second) == [("2", "01")]
    assert {one.state for one in documents(second).values()} == {ArrivalState.ARRIVED}


def test_nothing_is_filed_before_it_is_known_who_answers(
    first: Machine, sender: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(sender, "1")
    (body,) = first.place.space.settings.bodies
    way = first.place.space.channels.get(body)
    busy = ExchangeError("server_busy", retry=Retry.AFTER, scope=Scope.SERVER, problem=ProblemCode.UNAVAILABLE.code)

    def away() -> None:
        raise busy

    with monkeypatch.context() as patched:
        patched.setitem(way.__dict__, "me", away)
        first.sync()
        assert (documents(first), answered(first), voice(first)) == ({}, [], None)
    first.sync()
    assert (answered(first), voice(first)) == ([("1", "01")], Voice.OURS)


def test_while_the_server_does_not_tell_what_was_answered_before_nothing_is_answered(
    first: Machine, sender: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(sender, "1")
    (body,) = first.place.space.settings.bodies
    way = first.place.space.channels.get(body)

    def away(*_asked: object) -> None:
        raise ExchangeError("server_away", retry=Retry.NOW, unreachable=True)

    with monkeypatch.context() as patched:
        patched.setattr(way.channel, "status", away)
        first.sync()
        assert (documents(first), voice(first)) == ({}, Voice.CATCHING_UP)
    first.sync()
    assert (answered(first), voice(first)) == ([("1", "01")], Voice.OURS)
