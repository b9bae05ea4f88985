import threading
from pathlib import Path

import msgspec
import pytest
import requests

from signer_sync import contract as c
from signer_sync.ids import uuid7
from tests.server.by_hand import Hand, code
from tests.server.world import COMMUNE, OFFICE, REGISTER, World, packet_bytes

DAY = "2026-11-20"


@pytest.fixture
def hand(world: World) -> Hand:
    return Hand(world, world.enrolled())


def lease(hand: Hand, lease_id: str | None = None) -> requests.Response:
    return hand.ask("PUT", f"/registers/{REGISTER}/lease/{lease_id or uuid7()}")


def fence_of(answer: requests.Response) -> int:
    return msgspec.json.decode(answer.content, type=c.Lease).fence


def take(hand: Hand, number_id: str | None = None, /, **wish: object) -> requests.Response:
    body = {"docType": "QĐ", "issuedDate": DAY} | wish
    return hand.ask("PUT", f"/registers/{REGISTER}/numbers/{number_id or uuid7()}", json=body)


def number(answer: requests.Response) -> str:
    assert answer.status_code in (200, 201), answer.content
    return msgspec.json.decode(answer.content, type=c.TakenNumber).number


def test_numbers_follow_each_other_and_the_same_id_has_the_same_number(world: World, hand: Hand) -> None:
    fence, first = fence_of(lease(hand)), uuid7()
    one = take(hand, first, fence=fence)
    assert (one.status_code, number(one)) == (201, "01")
    assert [number(take(hand, fence=fence)) for _ in range(3)] == ["02", "03", "04"]
    again = take(hand, first, fence=fence)
    assert (again.status_code, again.content) == (200, one.content)
    assert msgspec.json.decode(one.content, type=c.TakenNumber).notation == "QĐ-UBND"
    assert code(take(hand, first, fence=fence, docType="TB")) == "number-conflict"
    assert number(take(hand, fence=fence, issuedDate="2027-01-04")) == "01"
    assert [entry.number for entry in world.admin.book(REGISTER)] == [1, 2, 3, 4, 1]


def test_many_at_once_get_numbers_without_gap_or_repetition(world: World, hand: Hand) -> None:
    fence, found, hands = fence_of(lease(hand)), list[str](), [Hand(world, hand.client) for _ in range(4)]

    def some(mine: Hand) -> None:
        found.extend(number(take(mine, fence=fence)) for _ in range(5))

    threads = [threading.Thread(target=some, args=(mine,)) for mine in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"{value:02d}" for value in range(1, 21)]


def test_a_voided_number_stays_in_the_book_and_is_never_given_again(world: World, hand: Hand) -> None:
    first = uuid7()
    assert number(take(hand, first)) == "01"
    path = f"/registers/{REGISTER}/numbers/{first}/void"
    void = hand.ask("PUT", path, json={"reason": "Nhập nhầm"})
    again = hand.ask("PUT", path, json={"reason": "Lý do khác"})
    assert void.content == again.content
    assert msgspec.json.decode(void.content, type=c.TakenNumber).state is c.NumberState.VOID
    assert number(take(hand)) == "02"
    assert [(entry.number, entry.reason) for entry in world.admin.book(REGISTER)] == [(1, "Nhập nhầm"), (2, None)]
    assert number(take(hand, first)) == "01"
    assert code(hand.ask("PUT", path, json={"reason": ""})) == "bad-request"
    assert code(hand.ask("PUT", f"/registers/{REGISTER}/numbers/{uuid7()}/void", json={"reason": "x"})) == "not-found"


def test_a_number_that_a_sent_document_bears_is_in_use(world: World, hand: Hand) -> None:
    ids = [uuid7() for _ in range(12)]
    for item in ids:
        take(hand, item)
    assert hand.put(packet_bytes(world.folder)).status_code == 201  # 12/QĐ-UBND of 2026
    taken = msgspec.json.decode(take(hand, ids[11]).content, type=c.TakenNumber)
    assert taken.state is c.NumberState.USED
    refused = hand.ask("PUT", f"/registers/{REGISTER}/numbers/{ids[11]}/void", json={"reason": "x"})
    assert code(refused) == "number-conflict"


def test_a_newer_lease_ends_the_older_one(world: World, hand: Hand) -> None:
    first, second = uuid7(), uuid7()
    old = fence_of(lease(hand, first))
    assert lease(hand, first).status_code == 200
    new = fence_of(lease(hand, second))
    assert new > old
    assert code(take(hand, fence=old)) == "fence-stale"
    assert code(lease(hand, first)) == "fence-stale"
    assert number(take(hand, fence=new)) == "01"


def test_a_lease_that_ran_out_must_be_renewed_first(world: World, hand: Hand) -> None:
    mine = uuid7()
    fence = fence_of(lease(hand, mine))
    world.clock.seconds += 31 * 86400
    hand = Hand(world, hand.client)
    assert code(take(hand, fence=fence)) == "fence-stale"
    assert fence_of(lease(hand, mine)) == fence
    assert number(take(hand, fence=fence)) == "01"


def test_only_one_machine_of_a_body_takes_numbers_and_the_administrator_can_move_that(world: World, hand: Hand) -> None:
    other = Hand(world, world.enrolled())
    fence = fence_of(lease(hand))
    assert code(lease(other)) == "not-allowed"
    assert code(take(other)) == "fence-stale"
    assert other.client.device is not None
    world.admin.choose_device(other.client.device.device)
    newer = fence_of(lease(other))
    assert code(take(hand, fence=fence)) == "fence-stale"
    assert number(take(other, fence=newer)) == "01"
    with pytest.raises(LookupError):
        world.admin.choose_device(uuid7())


def test_registers_of_others_are_not_there(world: World) -> None:
    office = Hand(world, world.enrolled(OFFICE), OFFICE)
    assert code(lease(office)) == "not-found"
    assert code(take(office)) == "not-found"


@pytest.mark.parametrize("day", ["2026-02-30", "20261120", "", "٢٠٢٦-11-20"])
def test_a_number_is_given_for_a_real_day_only(hand: Hand, day: str) -> None:
    assert code(take(hand, issuedDate=day)) == "bad-request"


def test_after_the_state_was_put_back_no_number_is_given_twice(world: World, hand: Hand) -> None:
    fence = fence_of(lease(hand))
    assert number(take(hand, fence=fence)) == "01"
    copy: Path = world.copy_of_state()
    lost = [number(take(hand, fence=fence)) for _ in range(2)]
    world.put_back(copy)
    hand = Hand(world, world.again(hand.client))
    assert code(take(hand, fence=fence)) == "fence-stale"
    fence = fence_of(lease(hand))
    assert code(take(hand, fence=fence)) == "fence-stale"
    assert lost == ["02", "03"]
    assert number(take(hand, fence=fence, lastKnown=3)) == "04"
    assert number(take(hand, fence=fence)) == "05"


def test_me_tells_roles_registers_and_how_many_machines_there_are(world: World, hand: Hand) -> None:
    other = world.enrolled()
    me = msgspec.json.decode(hand.ask("GET", "/me").content, type=c.Me)
    assert me.person.startswith("ỦY BAN")
    assert me.orgs == (
        c.OrgRole(
            code=COMMUNE,
            roles=("send", "read", "acks", "numbers"),
            devices=2,
            registers=(c.RegisterOffer(id=REGISTER, name="Quyết định", notation="{type}-UBND"),),
        ),
    )
    assert hand.client.device is not None
    world.admin.revoke_device(hand.client.device.device)
    left = msgspec.json.decode(Hand(world, other).ask("GET", "/me").content, type=c.Me)
    assert (left.orgs[0].roles, left.orgs[0].devices) == (("send", "read", "acks", "numbers"), 1)
    assert code(hand.ask("GET", "/me")) == "device-revoked"
