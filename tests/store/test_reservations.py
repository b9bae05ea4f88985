"""Numbers of documents: kept when a signing begins, issued with the signature, or given up with a reason."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from signer_app.pdf.model import PlaceOption, Profile
from signer_app.signing.giving_up import let_go
from signer_app.store.documents import NumberUse
from signer_app.store.model import JournalAction
from signer_app.store.number_book import NumberState
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION, Register, Sequences
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError
from tests.store.letters import MORNING, Letters, not_secret

BODY, NOTATION = "H41.01", "UBND-VHXH"
DAY = dt.date(2026, 11, 18)
BOOK = Sequences((Register(name="Sổ chung", notations=("QĐ-UBND", "TB-UBND")),))


def wish(number: str = "126", owner: str = "a" * 64, notation: str = NOTATION, **more: Any) -> Reservation:
    day, sequences = more.pop("day", DAY), more.pop("sequences", BY_NOTATION)
    return Reservation.of(
        more.pop("body", BODY),
        sequences,
        number,
        notation,
        day,
        owner=owner,
        name=f"{owner[:1]}.pdf",
        at=more.pop("at", MORNING),
        operator="hanh",
    )


def keep(store: Store, one: Reservation, sequences: Sequences = BY_NOTATION) -> None:
    store.write(lambda tx: tx.reservations.reserve(one, sequences))


def refusal(work: Callable[[], object]) -> KnownError:
    with pytest.raises(KnownError) as caught:
        work()
    return caught.value


def kept(store: Store) -> list[tuple[str, str | None]]:
    with store.view() as view:
        return [(one.label, one.owner) for one in view.reservations.list()]


def give_up(store: Store, owner: str, reason: str | None = "Lãnh đạo rút văn bản") -> None:
    store.write(lambda tx: let_go(tx, tx.reservations.of_owner(owner), reason, MORNING))


def test_a_kept_number_is_refused_to_others_and_its_owner_signs_again_with_it(store: Store) -> None:
    keep(store, wish("05"))
    keep(store, wish("5", day=DAY + dt.timedelta(days=1)))
    assert kept(store) == [(f"5/{NOTATION}", "a" * 64)]
    error = refusal(lambda: keep(store, wish("5", owner="b" * 64)))
    assert error.code == "number_reserved"
    assert error.explain("vi").what == "Số 5/UBND-VHXH đang giữ cho văn bản «a.pdf» ngày 19/11/2026."
    for other in (wish("5a", "b" * 64), wish("5", "c" * 64, "QĐ-UBND"), wish("5", "d" * 64, body="H99")):
        keep(store, other)
    keep(store, wish("5", "e" * 64, day=dt.date(2027, 1, 4)))


def test_a_number_is_kept_since_it_was_first_kept_whoever_begins_with_it_again(store: Store) -> None:
    # What a batch that nobody wanted lets go again is only what was kept since it began.
    keep(store, wish("5"))
    keep(store, wish("5", at=MORNING + dt.timedelta(hours=1)))
    with store.view() as view:
        assert [one.at for one in view.reservations.list()] == [MORNING]


def test_a_document_that_keeps_a_number_gets_no_other_before_it_gives_that_up(store: Store) -> None:
    keep(store, wish("5"))
    error = refusal(lambda: keep(store, wish("6")))
    assert (error.code, error.params) == ("number_kept", {"number": f"5/{NOTATION}"})
    keep(store, wish("6", body="H99"))
    give_up(store, "a" * 64)
    keep(store, wish("7"))
    assert refusal(lambda: keep(store, wish("5", "b" * 64))).code == "number_given_up"
    assert refusal(lambda: keep(store, wish("5"))).code == "number_given_up"


def test_a_signing_turns_the_kept_number_into_an_issued_one(store: Store, letters: Letters) -> None:
    signing = letters.signing("126")
    keep(store, wish("126", signing.keeper))
    store.commit_signed(signing, not_secret)
    assert kept(store) == []
    assert refusal(lambda: keep(store, wish("126", "b" * 64))).code == "number_used"


def test_a_signing_that_fails_leaves_the_number_kept(store: Store, letters: Letters) -> None:
    signing = letters.signing("126")
    keep(store, wish("126", signing.keeper))

    def fails() -> None:
        raise KnownError("output_changed", name="x")

    assert refusal(lambda: store.commit_signed(signing, fails)).code == "output_changed"
    assert kept(store) == [(f"126/{NOTATION}", signing.keeper)]


def test_a_number_that_another_keeps_or_gave_up_is_not_issued(store: Store, letters: Letters) -> None:
    keep(store, wish("126", "b" * 64))
    assert refusal(lambda: store.commit_signed(letters.signing("126"), not_secret)).code == "number_reserved"
    give_up(store, "b" * 64)
    error = refusal(lambda: store.commit_signed(letters.signing("126"), not_secret))
    assert error.code == "number_given_up"
    assert "Lãnh đạo rút văn bản" in error.explain("vi").why
    with store.view() as view:
        assert view.documents.list() == ()


def test_a_document_that_turns_out_secret_leaves_no_name_and_its_number_is_free(store: Store, letters: Letters) -> None:
    signing = letters.signing("126")
    keep(store, wish("126", signing.keeper))

    def secret() -> None:
        raise KnownError("secret")

    assert refusal(lambda: store.commit_signed(signing, secret)).code == "secret"
    assert kept(store) == []
    store.commit_signed(letters.signing("126"), not_secret)


def test_giving_up_needs_a_reason_leaves_a_line_in_the_journal_and_one_in_the_book(
    store: Store, letters: Letters
) -> None:
    store.commit_signed(letters.signing("2", group=NOTATION), not_secret)
    keep(store, wish("10"))
    keep(store, wish("9", "b" * 64))
    for reason in (None, "  "):
        assert refusal(partial(give_up, store, "a" * 64, reason)).code == "out_number_kept"
    give_up(store, "a" * 64)
    with store.view() as view:
        lines = view.number_book.entries(2026)
        (last,) = (entry.use for entry in view.journal.entries() if entry.use.action is JournalAction.NUMBER_GIVEN_UP)
        assert view.number_book.entries(2025) == view.number_book.entries(2026, "H99") == ()
    assert last.number == f"10/{NOTATION}"
    assert [(line.number, line.state, line.subject or line.reason) for line in lines] == [
        ("2", NumberState.ISSUED, "V/v chuẩn bị hội nghị cuối năm"),
        ("9", NumberState.RESERVED, "b.pdf"),
        ("10", NumberState.VOIDED, "Lãnh đạo rút văn bản"),
    ]


def test_what_isnt_kept_any_more_is_not_given_up_twice(store: Store) -> None:
    one = wish("5")
    keep(store, one)
    give_up(store, "a" * 64)

    def again(tx: Transaction) -> None:
        tx.reservations.give_up(one, "again", MORNING, "hanh")

    with pytest.raises(ValueError, match="no number"):
        store.write(again)


# ---- registers -----------------------------------------------------------------------------------------------------


def test_the_notations_of_a_register_share_their_numbers(store: Store, letters: Letters) -> None:
    keep(store, wish("5", "a" * 64, "QĐ-UBND", sequences=BOOK), BOOK)
    error = refusal(lambda: keep(store, wish("5", "b" * 64, "TB-UBND", sequences=BOOK), BOOK))
    assert error.code == "number_reserved"
    keep(store, wish("5", "b" * 64, "KH-UBND", sequences=BOOK), BOOK)
    store.commit_signed(letters.signing("8", group="Sổ chung", notation="TB-UBND"), not_secret)
    with store.view() as view:
        assert refusal(lambda: view.documents.check_number(BODY, DAY, "QĐ-UBND", "08", BOOK)).code == "number_used"
        assert BOOK.last(view.documents.last_numbers(BODY, 2026))["SỔ CHUNG"] == 8
        assert BOOK.last(view.reservations.last_numbers(BODY, 2026))["SỔ CHUNG"] == 5


def test_a_register_set_up_or_given_up_in_the_year_uses_no_number_twice(store: Store, letters: Letters) -> None:
    store.commit_signed(letters.signing("40", group="QĐ-UBND", notation="QĐ-UBND"), not_secret)
    store.commit_signed(letters.signing("41", group="Sổ chung", notation="TB-UBND"), not_secret)
    keep(store, wish("42", "a" * 64, "TB-UBND", sequences=BOOK), BOOK)
    asked = {NumberUse.of(2026, "Sổ chung", "40"), NumberUse.of(2026, "TB-UBND", "41"), NumberUse.of(2026, "X", "41")}
    with store.view() as view:
        documents = view.documents
        assert BOOK.last(documents.last_numbers(BODY, 2026))["SỔ CHUNG"] == 41
        assert BY_NOTATION.last(documents.last_numbers(BODY, 2026))["TB-UBND"] == 41
        for sequences, notation, number in ((BOOK, "TB-UBND", "40"), (BY_NOTATION, "TB-UBND", "41")):
            assert documents.find_number(BODY, 2026, notation, number, sequences) is not None
        assert documents.find_number(BODY, 2026, "TB-UBND", "40") is None
        assert {use.group for use in documents.find_numbers(BODY, asked, BOOK)} == {"SỔ CHUNG", "TB-UBND"}
        assert {use.group for use in documents.find_numbers(BODY, asked)} == {"TB-UBND"}
        found = view.reservations.find_numbers(BODY, {NumberUse.of(2026, "TB-UBND", "42")})
        assert [one.label for one in found.values()] == ["42/TB-UBND"]


@pytest.mark.parametrize(
    ("number", "notation"),
    [
        ("5", "QĐ–UBND"),
        ("5", "QĐ\N{NON-BREAKING HYPHEN}UBND"),
        ("5", "qđ-ubnd."),
        ("\N{FULLWIDTH DIGIT FIVE}", "QĐ-UBND"),
        ("05", "Q\N{LATIN CAPITAL LETTER D WITH STROKE}\N{MINUS SIGN}UBND"),
    ],
)
def test_one_number_in_other_letters_is_the_same_number(
    store: Store, letters: Letters, number: str, notation: str
) -> None:
    asked = wish(number, "b" * 64, notation)
    keep(store, wish("5", "a" * 64, "QĐ-UBND"))
    assert refusal(lambda: keep(store, asked)).code == "number_reserved"
    store.write(lambda tx: tx.reservations.release(wish("5", "a" * 64, "QĐ-UBND")))
    # As a row says that was written before these letters were told to be alike.
    store.commit_signed(letters.signing("5", group="QĐ–UBND", notation="QĐ–UBND"), not_secret)
    assert refusal(lambda: keep(store, asked)).code == "number_used"


# ---- places --------------------------------------------------------------------------------------------------------


def test_a_place_is_remembered_for_its_body_profile_and_type(store: Store) -> None:
    first, second = PlaceOption(-1, 20, 200), PlaceOption(1, 30, 210, 40, 15)
    for place in (first, second):
        with store.transaction() as tx:
            tx.places.put(BODY, Profile.AGENCY, "Quyết định", place, MORNING)
    with store.view() as view:
        assert view.places.get(BODY, Profile.AGENCY, "Quyết định") == second
        assert view.places.get(BODY, Profile.LEADER, "Quyết định") is None
        assert view.places.get("H99", Profile.AGENCY, "Quyết định") is None
    store.write(lambda tx: tx.places.forget(BODY, Profile.AGENCY, "Quyết định"))
    with store.view() as view:
        assert view.places.get(BODY, Profile.AGENCY, "Quyết định") is None
