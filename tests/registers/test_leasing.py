"""Numbers of a register on a server: asked for once, given by the lease offline, never doubled."""

import datetime as dt
from collections.abc import Callable

import pytest

from signer_app.registers.leasing import Leasing
from signer_app.store.leases import LeasedState
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from signer_sync.contract import Lease, NumberState, NumberWish, ProblemCode, RegisterOffer, Retry, TakenNumber
from signer_sync.errors import ExchangeError
from tests.registers.conftest import BODY, CLERK, at
from tests.store.letters import Clock

OFFER = RegisterOffer(id="0190a000-0000-7000-8000-000000000001", name="Văn bản đi", notation="{type}-UBND")
DAY = dt.date(2026, 11, 23)


class Book:
    """The server's register. `away`: nobody answers; `deaf`: the answers are lost; `others`: how many numbers other
    machines have taken.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.away = self.deaf = False
        self.fence = 0
        self.others = 0
        self.stolen = False
        self.leases: dict[str, int] = {}
        self.given: dict[str, TakenNumber] = {}
        self.wishes: dict[str, NumberWish] = {}
        self.voided: list[str] = []

    def lease(self, register: str, lease: str) -> Lease:
        self._answer()
        if lease not in self.leases:
            self.fence += 1
            self.leases[lease] = self.fence
        if self.stolen or self.leases[lease] != self.fence:
            raise self._refusal(ProblemCode.FENCE_STALE, "register_lease_lost")
        until = self.clock() + dt.timedelta(days=30)
        return Lease(fence=self.leases[lease], valid_until=until.isoformat())

    def take_number(self, register: str, number: str, wish: NumberWish) -> TakenNumber:
        if self.away:
            raise self._silence()
        if number in self.given:
            assert self.wishes[number] == wish
        else:
            if wish.fence != self.fence:
                raise self._refusal(ProblemCode.FENCE_STALE, "register_lease_lost")
            last = len(self.given) + self.others + 1
            self.given[number] = TakenNumber(
                number=str(last), notation=f"{wish.doc_type}-UBND", state=NumberState.RESERVED
            )
            self.wishes[number] = wish
        self._answer()
        return self.given[number]

    def void_number(self, register: str, number: str, reason: str) -> TakenNumber:
        self._answer()
        if number not in self.given:
            raise self._refusal(ProblemCode.NOT_FOUND, "server_refused")
        self.voided.append(number)
        return self.given[number]

    def _answer(self) -> None:
        if self.away or self.deaf:
            raise self._silence()

    @staticmethod
    def _silence() -> ExchangeError:
        return ExchangeError("server_unreachable", retry=Retry.AFTER, unreachable=True, host="x", reason="x")

    @staticmethod
    def _refusal(problem: ProblemCode, code: str) -> ExchangeError:
        return ExchangeError(code, retry=problem.retry, problem=problem.code)


@pytest.fixture
def book(clock: Clock) -> Book:
    clock.time = at(23, 8)
    return Book(clock)


@pytest.fixture
def leasing(store: Store, book: Book, clock: Clock) -> Leasing:
    return Leasing(store, book, clock, CLERK)


@pytest.fixture
def take(leasing: Leasing) -> Callable[[str], str]:
    leasing.renew(BODY, OFFER)
    return lambda owner: leasing.take(OFFER.id, owner, "QĐ", DAY).label


def test_numbers_come_from_the_server_and_one_document_has_one(take: Callable[[str], str]) -> None:
    assert [take("a"), take("b"), take("a")] == ["01/QĐ-UBND", "02/QĐ-UBND", "01/QĐ-UBND"]


def test_a_lost_answer_is_asked_for_again_under_the_same_id(
    take: Callable[[str], str], book: Book, store: Store, clock: Clock
) -> None:
    clock.go_on(40 * 86400)
    book.deaf = True
    with pytest.raises(KnownError) as caught:
        take("a")
    assert caught.value.code == "register_number_waits"
    book.deaf = False
    # Whatever happened to the program meanwhile: the wish is in the store.
    again = Leasing(store, book, clock, CLERK)
    assert again.take(OFFER.id, "a", "QĐ", DAY).label == "01/QĐ-UBND"
    assert len(book.given) == 1


def test_without_network_the_lease_gives_the_next_number_and_the_server_confirms_it(
    take: Callable[[str], str], leasing: Leasing, book: Book, store: Store
) -> None:
    take("a")
    book.away = True
    assert [take("b"), take("c"), take("b")] == ["02/QĐ-UBND", "03/QĐ-UBND", "02/QĐ-UBND"]
    book.away = False
    assert leasing.settle(OFFER.id) == ()
    with store.view() as view:
        told = [(one.owner, one.number, one.state) for one in view.leases.numbers(OFFER.id)]
    assert told == [
        ("a", "01", LeasedState.TAKEN),
        ("b", "02", LeasedState.TAKEN),
        ("c", "03", LeasedState.TAKEN),
    ]
    assert take("d") == "04/QĐ-UBND"


def test_a_number_is_not_made_up_where_the_last_one_is_not_known(take: Callable[[str], str], book: Book) -> None:
    book.away = True
    with pytest.raises(KnownError) as caught:
        take("a")
    assert caught.value.code == "register_number_waits"


def test_a_lease_that_has_run_out_gives_no_number(take: Callable[[str], str], book: Book, clock: Clock) -> None:
    take("a")
    book.away = True
    clock.go_on(31 * 86400)
    with pytest.raises(KnownError) as caught:
        take("b")
    assert caught.value.code == "register_number_waits"


def test_a_new_year_begins_with_one_under_a_lease_that_went_through(
    take: Callable[[str], str], leasing: Leasing, book: Book
) -> None:
    take("a")
    book.away = True
    assert leasing.take(OFFER.id, "b", "QĐ", dt.date(2027, 1, 4)).label == "01/QĐ-UBND"


def test_a_writer_that_was_replaced_gives_no_numbers_until_a_person_takes_the_register_over(
    take: Callable[[str], str], leasing: Leasing, book: Book, store: Store
) -> None:
    take("a")
    book.fence += 1
    with pytest.raises(ExchangeError) as refused:
        take("b")
    assert refused.value.code == "register_lease_lost"
    book.away = True
    with pytest.raises(KnownError):
        take("b")
    book.away = False
    with pytest.raises(KnownError) as caught:
        leasing.renew(BODY, OFFER)
    assert caught.value.code == "register_lease_lost"
    fresh = leasing.renew(BODY, OFFER, take_over=True)
    assert fresh.fence == book.fence


def test_a_renewed_lease_keeps_its_id_and_lasts_longer(leasing: Leasing, clock: Clock) -> None:
    first = leasing.renew(BODY, OFFER)
    clock.go_on(86400)
    second = leasing.renew(BODY, OFFER)
    assert (first.lease_id, first.fence) == (second.lease_id, second.fence)
    assert first.valid_until is not None
    assert second.valid_until is not None
    assert second.valid_until > first.valid_until


def test_a_lease_that_was_lost_while_renewing_is_told(leasing: Leasing, book: Book, store: Store) -> None:
    leasing.renew(BODY, OFFER)
    book.stolen = True
    with pytest.raises(ExchangeError):
        leasing.renew(BODY, OFFER)
    with store.view() as view:
        assert not view.leases.leases()[0].holds(at(23, 9))


def test_another_number_than_the_lease_gave_is_for_a_person(
    take: Callable[[str], str], leasing: Leasing, book: Book
) -> None:
    take("a")
    book.away = True
    take("b")
    book.away, book.others = False, 5
    (differs,) = leasing.settle(OFFER.id)
    assert (differs.number, differs.server_number, differs.state) == ("02", "7", LeasedState.DIFFERS)
    assert take("b") == "02/QĐ-UBND"


def test_a_number_given_up_offline_is_told_later_and_never_used_again(
    take: Callable[[str], str], leasing: Leasing, book: Book
) -> None:
    take("a")
    number = leasing.take(OFFER.id, "b", "QĐ", DAY)
    with pytest.raises(KnownError) as caught:
        leasing.void(number.id, " ")
    assert caught.value.code == "number_void_reason"
    book.away = True
    assert not leasing.void(number.id, "lãnh đạo rút").void_told
    assert take("c") == "03/QĐ-UBND"
    book.away = False
    leasing.settle(OFFER.id)
    assert book.voided == [number.id]
    assert take("b") == "04/QĐ-UBND"


def test_a_wish_that_never_reached_the_server_is_given_up_without_it(
    take: Callable[[str], str], leasing: Leasing, book: Book, store: Store
) -> None:
    book.away = True
    with pytest.raises(KnownError):
        take("a")
    with store.view() as view:
        (wish,) = view.leases.numbers(OFFER.id)
    book.away = False
    assert leasing.void(wish.id, "thôi").void_told
    assert book.voided == []


def test_a_number_that_the_lease_gave_and_that_was_given_up_is_counted_by_the_server_too(
    take: Callable[[str], str], leasing: Leasing, book: Book
) -> None:
    take("a")
    book.away = True
    number = leasing.take(OFFER.id, "b", "QĐ", DAY)
    leasing.void(number.id, "lãnh đạo rút")
    assert take("c") == "03/QĐ-UBND"
    book.away = False
    assert leasing.settle(OFFER.id) == ()
    assert (book.voided, [one.number for one in book.given.values()]) == ([number.id], ["1", "2", "3"])


def test_what_an_older_lease_left_behind_does_not_end_the_newer_one(
    take: Callable[[str], str], leasing: Leasing, book: Book, store: Store, clock: Clock
) -> None:
    take("a")
    book.away = True
    take("b")
    leasing.void(leasing.take(OFFER.id, "c", "QĐ", DAY).id, "thôi")
    clock.go_on(31 * 86400)
    with pytest.raises(KnownError):
        take("d")
    book.away = False
    book.fence, book.others = book.fence + 1, 4
    with pytest.raises(ExchangeError):
        leasing.settle(OFFER.id)
    leasing.renew(BODY, OFFER, take_over=True)
    (differs,) = leasing.settle(OFFER.id)
    assert (differs.owner, differs.number, differs.server_number) == ("b", "02", None)
    assert take("d") == "06/QĐ-UBND"
    with store.view() as view:
        lease = view.leases.lease(OFFER.id)
        assert lease is not None
        assert (lease.holds(clock()), view.leases.open(OFFER.id)) == (True, ())


def test_a_wish_given_up_after_a_lost_answer_leaves_its_number_in_the_book(
    take: Callable[[str], str], leasing: Leasing, book: Book, store: Store, clock: Clock
) -> None:
    clock.go_on(40 * 86400)
    book.deaf = True
    with pytest.raises(KnownError):
        take("a")
    with store.view() as view:
        (wish,) = view.leases.numbers(OFFER.id)
    book.deaf = False
    voided = leasing.void(wish.id, "thôi")
    assert (voided.void_told, voided.label) == (True, "01/QĐ-UBND")
