"""Two machines of one body and the register that the reference server keeps: one sequence, whoever numbers."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from signer_app.registers.rights import Right, register_for, type_in
from signer_app.store.sequences import Register
from signer_app.store.settings import Body, Exchange
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.contract import RegisterOffer
from tests.desk.office import TODAY, office
from tests.registers.machines import OFFER, Machine
from tests.server.world import COMMUNE, REGISTER, World, running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    with running(tmp_path / "world") as world:
        yield world


@pytest.fixture
def first(tmp_path: Path, world: World) -> Iterator[Machine]:
    with office(tmp_path / "one") as place:
        place.at(world.clock.now())
        yield Machine(place, world)


@pytest.fixture
def second(tmp_path: Path, world: World, first: Machine) -> Iterator[Machine]:
    with office(tmp_path / "two") as place:
        place.at(world.clock.now())
        yield Machine(place, world)


def book(world: World) -> list[tuple[int, str | None]]:
    return [(entry.number, entry.reason) for entry in world.admin.book(REGISTER)]


def test_two_machines_number_from_one_sequence_and_a_stale_right_gives_nothing(
    world: World, first: Machine, second: Machine
) -> None:
    assert first.rights.offers(COMMUNE) == (OFFER,)
    first.rights.take(COMMUNE, OFFER)
    assert first.standing().right is Right.HERE
    assert first.fill(first.letter(), first.letter()) == ["01/QĐ-UBND", "02/QĐ-UBND"]
    with pytest.raises(KnownError):
        # The server lets one machine of a body number at a time.
        second.rights.take(COMMUNE, OFFER)
    assert second.rights.standings() == ()
    world.admin.choose_device(second.device)
    second.rights.take(COMMUNE, OFFER)
    assert second.next() == "03/QĐ-UBND"
    assert first.refusal() == "register_lease_lost"
    assert first.standing().right is Right.ELSEWHERE
    first.online(False)
    assert first.refusal() == "register_no_right"
    assert second.next() == "04/QĐ-UBND"
    assert [number for number, _reason in book(world)] == [1, 2, 3, 4]


def test_without_network_numbers_go_on_inside_the_right_and_end_with_it(world: World, first: Machine) -> None:
    first.rights.take(COMMUNE, OFFER)
    first.online(False)
    # Others may have written before: nothing is made up.
    waiting = first.letter()
    with pytest.raises(KnownError) as caught:
        first.fill(waiting)
    assert caught.value.code == "register_number_waits"
    assert (first.standing().waiting, first.labels()[waiting]) == (1, "QĐ-UBND")
    first.online(True)
    first.sync()
    assert first.labels()[waiting] == "01/QĐ-UBND"
    first.online(False)
    assert [first.next(), first.next()] == ["02/QĐ-UBND", "03/QĐ-UBND"]
    assert first.standing().untold == 2
    first.online(True)
    first.sync()
    assert (first.standing().untold, [number for number, _reason in book(world)]) == (0, [1, 2, 3])
    first.online(False)
    first.place.clock.go_on(31 * 86400)
    assert first.standing().right is Right.ENDED
    assert first.refusal() == "register_number_waits"


def test_the_right_is_prolonged_with_the_daily_passes(world: World, first: Machine) -> None:
    first.rights.take(COMMUNE, OFFER)
    until = first.standing().until
    first.place.clock.go_on(2 * 86400)
    world.clock.seconds += 2 * 86400
    first.sync()
    assert until is not None
    assert first.standing().until == until + dt.timedelta(days=2)


def test_a_number_given_up_is_told_to_the_server_with_its_reason_and_stays_in_the_book(
    world: World, first: Machine
) -> None:
    first.rights.take(COMMUNE, OFFER)
    gone, kept = first.letter(), first.letter()
    first.fill(gone, kept)
    first.online(False)
    with pytest.raises(KnownError) as caught:
        first.desk.outgoing.remove([gone])
    assert caught.value.code == "out_number_kept"
    first.desk.outgoing.remove([gone], "Lãnh đạo rút văn bản")
    assert first.standing().untold == 1
    first.online(True)
    first.sync()
    assert book(world) == [(1, "Lãnh đạo rút văn bản"), (2, None)]
    assert first.next() == "03/QĐ-UBND"
    lines = first.desk.register_books.outgoing().lines
    assert [(line.label, line.kind.value) for line in lines] == [
        ("01/QĐ-UBND", "voided"),
        ("02/QĐ-UBND", "kept"),
        ("03/QĐ-UBND", "kept"),
    ]


def test_a_wish_whose_document_is_gone_is_given_up_when_its_number_comes(world: World, first: Machine) -> None:
    first.rights.take(COMMUNE, OFFER)
    first.online(False)
    gone = first.letter()
    with pytest.raises(KnownError):
        first.fill(gone)
    first.desk.outgoing.remove([gone])
    first.online(True)
    first.sync()
    first.sync()
    assert book(world) == [(1, "Văn bản đã lấy ra trước khi có số")]
    assert [line.kind.value for line in first.desk.register_books.outgoing().lines] == ["voided"]


def test_a_number_that_the_book_on_paper_has_is_not_given_twice(world: World, first: Machine) -> None:
    place = first.place
    place.signed("01", receivers=())
    place.signed("02", receivers=())
    first.rights.take(COMMUNE, OFFER)
    with place.store.view() as view:
        notation = next(iter(view.registers.issued())).notation
    first.place.space.change_settings(
        lambda old: msgspec.structs.replace(
            old,
            bodies=(
                msgspec.structs.replace(
                    old.bodies[0],
                    registers=(Register(name=OFFER.name, notations=("QĐ-UBND", notation), server=REGISTER),),
                ),
            ),
        )
    )
    assert first.next() == "03/QĐ-UBND"
    assert book(world) == [(1, "Số đã dùng ở sổ giấy"), (2, "Số đã dùng ở sổ giấy"), (3, None)]


def test_a_right_is_given_back_only_when_the_server_knows_everything(
    world: World, first: Machine, second: Machine
) -> None:
    first.rights.take(COMMUNE, OFFER)
    first.next()
    first.online(False)
    first.next()
    with pytest.raises(KnownError) as caught:
        first.rights.give_back(COMMUNE, REGISTER)
    assert caught.value.code == "server_unreachable"
    assert first.standing().right is Right.HERE
    first.online(True)
    first.rights.give_back(COMMUNE, REGISTER)
    assert first.standing().right is Right.ELSEWHERE
    assert first.refusal() == "register_no_right"
    world.admin.choose_device(second.device)
    second.rights.take(COMMUNE, OFFER)
    assert second.next() == "03/QĐ-UBND"


def test_where_the_provinces_system_exchanges_no_number_is_given_or_proposed(first: Machine) -> None:
    first.rights.take(COMMUNE, OFFER)
    (body,) = first.place.space.settings.bodies
    elsewhere = msgspec.structs.replace(body, exchange=Exchange.EXTERNAL)
    first.place.space.change_settings(lambda old: msgspec.structs.replace(old, bodies=(elsewhere,)))
    assert first.rights.standings() == ()
    assert first.refusal() == "exchange_external"
    first.place.space.change_settings(
        lambda old: msgspec.structs.replace(old, bodies=(msgspec.structs.replace(elsewhere, registers=()),))
    )
    assert {row.proposal for row in first.desk.outgoing.rows()} == {None}


def test_a_register_is_matched_by_its_name_or_has_the_notations_that_the_server_says() -> None:
    law, plain = rules.load(TODAY), Body(code=COMMUNE, name="UBND")
    made = register_for(plain, OFFER, law)
    assert made.server == REGISTER
    assert {"QĐ-UBND", "TTr-UBND"} <= set(made.notations)
    own = Register(name="quyết định", notations=("QĐ-UBND",))
    assert register_for(msgspec.structs.replace(plain, registers=(own,)), OFFER, law) == msgspec.structs.replace(
        own, server=REGISTER
    )
    with pytest.raises(KnownError) as caught:
        register_for(plain, RegisterOffer(id=REGISTER, name="Sổ lạ"), law)
    assert caught.value.code == "register_unmatched"
    assert [type_in("{type}-UBND", one) for one in ("QĐ-UBND", "UBND-VP", "TTr-UBND")] == ["QĐ", "UBND", "TTr"]
