"""A number from the book on paper: checked, never invented."""

import pytest

from signer_app.registers.typed import TypedNumber, check_typed
from signer_app.store.reservations import Reservation
from signer_resources.errors import KnownError
from tests.registers.conftest import BODY, CLERK, Bureau, at

DAY = at(23, 9)


def check(bureau: Bureau, typed: str, owner: str | None = None, notation: str = "UBND-VHXH") -> TypedNumber:
    sequences = bureau.settings.bodies[0].sequences
    with bureau.store.view() as view:
        return check_typed(view, BODY, notation, typed, DAY.date(), sequences, owner)


def test_a_number_that_follows_has_no_gap(bureau: Bureau) -> None:
    bureau.signed("7", DAY)
    found = check(bureau, " 8 ")
    assert (found.number, found.last, found.gap_from, found.gap_to) == ("08", 7, None, None)
    # 7a and a number left out before are no gap either.
    assert check(bureau, "7A").gap_from is None
    assert check(bureau, "5").gap_from is None


def test_a_number_further_on_tells_which_are_unknown(bureau: Bureau) -> None:
    bureau.signed("7", DAY)
    found = check(bureau, "12")
    assert (found.gap_from, found.gap_to) == (8, 11)


@pytest.mark.parametrize("typed", ["", "0", "000", "12/QĐ", "12ab", "1.2", "١٢", "-3", "12345678"])
def test_what_is_no_number_is_told(bureau: Bureau, typed: str) -> None:
    with pytest.raises(KnownError) as caught:
        check(bureau, typed)
    assert caught.value.code == "typed_number_form"


def test_a_number_that_was_used_kept_or_given_up_is_refused(bureau: Bureau) -> None:
    bureau.register("Văn bản đi", "UBND-VHXH", "TB-UBND")
    bureau.signed("7", DAY)
    sequences = bureau.settings.bodies[0].sequences
    with bureau.store.transaction() as tx:
        for number in ("8", "9"):
            owner, day = f"o{number}", DAY.date()
            wish = Reservation.of(
                BODY, sequences, number, "UBND-VHXH", day, owner=owner, name="a.pdf", at=DAY, operator=CLERK
            )
            tx.reservations.reserve(wish, sequences)
        tx.reservations.give_up(wish, "thôi", DAY, CLERK)
    codes = []
    for typed in ("07", "8", "9"):
        with pytest.raises(KnownError) as caught:
            check(bureau, typed, notation="TB-UBND")
        codes.append(caught.value.code)
    assert codes == ["number_used", "number_reserved", "number_given_up"]
    assert check(bureau, "8", owner="o8").number == "08"
    assert check(bureau, "11", notation="TB-UBND").gap_from == 10
