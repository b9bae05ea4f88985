"""Numbers: what comes next, what is taken, what is to be said of them."""

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from signer_app.outgoing import numbers
from signer_app.outgoing.checks import Ground, check, notes
from signer_app.outgoing.model import Draft, Profile, Receivers, Urgency
from signer_app.outgoing.numbers import Series, Taken
from signer_app.pdf.model import LetterFacts
from signer_app.signing.jobs import FromPage
from signer_app.store.documents import NumberUse
from signer_app.store.model import Document, DocumentState
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION, Register, Sequences
from signer_app.store.settings import Settings
from signer_resources import rules
from tests.outgoing.drafts import TODAY, draft

QD: Series = (2026, "QĐ-UBND")


def issued(number: str, notation: str = "QĐ-UBND") -> dict[NumberUse, Document]:
    document = Document(
        id="d",
        body_code="H77.15",
        created_at=dt.datetime(2026, 11, 18, tzinfo=dt.UTC),
        state=DocumentState.SIGNED,
        number=number,
        notation=notation,
        doc_date=dt.date(2026, 11, 18),
    )
    return {NumberUse.of(2026, notation, number): document}


def ground(
    drafts: Sequence[Draft],
    last: Mapping[Series, int] | None = None,
    used: Mapping[NumberUse, Document] | None = None,
    receivers: Mapping[str, Receivers] | None = None,
) -> Ground:
    taken = Taken.of(drafts, TODAY, last or {}, used or {})
    return Ground(TODAY, taken, {}, receivers or {}, rules.load(TODAY))


def codes(checked: Draft, on: Ground) -> list[str]:
    return [finding.code for finding in check(checked, on)]


def test_the_next_numbers_are_above_all_that_is_issued_or_given_and_urgent_letters_come_first() -> None:
    late, urgent, other = draft(), draft(urgency=Urgency.HOA_TOC), draft(notation="TB-UBND")
    given, last_year = draft("40"), draft(date=dt.date(2025, 12, 30))
    everything = [late, urgent, other, given, last_year]
    taken = Taken.of(everything, TODAY, {QD: 37, (2025, "QĐ-UBND"): 812}, {})
    proposals = numbers.proposals(everything, TODAY, taken)
    assert proposals == {urgent.id: "41", late.id: "42", other.id: "01", last_year.id: "813"}


def test_a_letter_that_takes_no_number_is_proposed_none() -> None:
    plain, unknown = draft(profile=Profile.PLAIN), draft(notation="")
    assert numbers.proposals([plain, unknown], TODAY, Taken.of([plain, unknown], TODAY, {}, {})) == {}


def test_a_number_that_was_used_is_refused_in_the_words_of_the_clerks() -> None:
    again = draft("05")
    (finding, *others) = check(again, ground([again], {QD: 5}, issued("5")))
    assert (finding.code, finding.severity, others) == ("number_used", "refused", [])
    assert finding.params == {"number": "5/QĐ-UBND", "date": "18/11/2026"}


def test_two_drafts_with_one_number_are_both_told() -> None:
    one, two, apart = draft("7"), draft("07"), draft("7", "TB-UBND")
    on = ground([one, two, apart], {QD: 6})
    assert (codes(one, on), codes(two, on), codes(apart, on)) == (["out_number_twice"], ["out_number_twice"], [])


@pytest.mark.parametrize(
    ("given", "last", "expected"),
    [
        (("38",), 37, []),
        (("39",), 37, ["out_number_gap"]),
        (("38", "39"), 37, []),
        (("38", "40"), 37, ["out_number_gap"]),
        (("125", "126"), 0, []),
        (("125", "127"), 0, ["out_number_gap"]),
        (("12",), 37, []),
    ],
)
def test_a_gap_is_told_with_the_number_that_comes_next(given: tuple[str, ...], last: int, expected: list[str]) -> None:
    drafts = [draft(number) for number in given]
    assert codes(drafts[-1], ground(drafts, {QD: last})) == expected


def test_an_inserted_number_is_told() -> None:
    inserted = draft("12a")
    (finding,) = check(inserted, ground([inserted], {QD: 37}))
    assert (finding.code, finding.params["base"]) == ("out_number_inserted", "12")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (draft("1", date=dt.date(2025, 12, 31)), ["out_date_year"]),
        (draft("1/2025", date=dt.date(2026, 1, 5)), ["out_number_year"]),
        (draft("1", facts=LetterFacts(date=dt.date(2026, 11, 19))), []),
        (draft("1", type="Thông báo"), ["out_notation_type"]),
        (draft("1", type="Quyết định"), []),
        (draft("1", "UBND-VP", type="Công văn"), []),
        (draft("1", name="Phụ lục 2.pdf"), ["out_appendix_alone"]),
        (draft("", profile=Profile.PLAIN, date=dt.date(2025, 1, 1)), []),
    ],
)
def test_date_type_and_company_of_a_draft_are_checked(made: Draft, expected: list[str]) -> None:
    assert codes(made, ground([made])) == expected


def test_receivers_who_cannot_be_reached_are_told() -> None:
    sent = draft("1", receivers=("H77", "H77.99", "H00"))
    known = Receivers(codes=sent.receivers, unknown=("H77.99",), ended=("H00",))
    assert codes(sent, ground([sent])) == []
    assert codes(sent, ground([sent], receivers={sent.id: known})) == ["out_receiver_unknown", "out_receiver_gone"]


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (Receivers(), ["out_no_receivers"]),
        (Receivers(codes=("H77",)), []),
        (Receivers(page=FromPage(asked=("Các sở",))), ["out_receivers_unknown"]),
        (Receivers(paper=("Ông A",)), ["out_receivers_paper"]),
        (Receivers(codes=("H77",), referred=("Như Điều 3",)), ["out_receivers_referred"]),
    ],
)
def test_notes_say_who_gets_a_draft(known: Receivers, told: list[str]) -> None:
    made = draft("1", receivers=known.codes)
    assert [note.code for note in notes(made, ground([made], receivers={made.id: known}))] == told
    kept = draft(profile=Profile.LEADER)
    assert notes(kept, ground([kept], receivers={kept.id: known})) == ()


def kept(number: str, owner: str, sequences: Sequences = BY_NOTATION, notation: str = "QĐ-UBND") -> Reservation:
    return Reservation.of(
        "H77.15",
        sequences,
        number,
        notation,
        TODAY,
        owner=owner,
        name="dự thảo.pdf",
        at=dt.datetime(2026, 11, 18, tzinfo=dt.UTC),
        operator="hanh",
    )


def test_the_notations_of_a_register_go_on_with_one_row_of_numbers() -> None:
    book = Sequences((Register(name="Sổ chung", notations=("QĐ-UBND", "TB-UBND")),))
    first, second, other = draft(), draft(notation="TB-UBND"), draft(notation="KH-UBND")
    everything = [first, second, other, draft("9", "TB-UBND")]
    taken = Taken.of(everything, TODAY, {(2026, "SỔ CHUNG"): 5}, {}, sequences=book)
    assert numbers.proposals(everything, TODAY, taken) == {first.id: "10", second.id: "11", other.id: "01"}
    twice = [draft("9"), draft("09", "TB-UBND")]
    assert set(Taken.of(twice, TODAY, {}, {}, sequences=book).wanted.values()) == {2}
    assert set(Taken.of(twice, TODAY, {}, {}).wanted.values()) == {1}


def test_a_number_is_held_against_all_but_the_document_that_keeps_it() -> None:
    owner, other = draft("12"), draft("12")
    one = kept("12", owner.main.blob)
    taken = Taken.of([owner, other], TODAY, {QD: 12}, {}, {one.use: one})
    assert taken.held_by_another(owner, TODAY) is None
    assert taken.held_by_another(other, TODAY) is one
    given_up = msgspec.structs.replace(one, owner=None, name=None, reason="rút")
    assert Taken.of([owner], TODAY, {}, {}, {one.use: given_up}).held_by_another(owner, TODAY) is given_up
    assert taken.held_by_another(draft(), TODAY) is None


def test_a_draft_keeps_its_number_while_it_wants_the_same_in_the_same_year() -> None:
    same = draft("05")
    one = kept("5", same.main.blob)
    assert numbers.keeps(same, one, TODAY, BY_NOTATION)
    for changes in ({"number": "6"}, {"notation": "TB-UBND"}, {"date": dt.date(2027, 1, 4)}, {"number": ""}):
        assert not numbers.keeps(msgspec.structs.replace(same, **changes), one, TODAY, BY_NOTATION)
    assert not numbers.keeps(draft("05"), one, TODAY, BY_NOTATION), "another main file is another document"
    assert numbers.dropped([one], same, TODAY, Settings()) == []
    assert numbers.dropped([one], None, TODAY, Settings()) == [one]
