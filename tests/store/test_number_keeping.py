"""Which number a signing keeps, for whom, and what it asks before any PIN."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from signer_app.pdf.model import LetterFacts, Profile
from signer_app.pdf.plan import SigningPlan
from signer_app.signing.batch import DocumentWork
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.number_keeping import NumberKeeping, owner_of
from signer_app.store.model import FileRole
from signer_app.store.sequences import Register, Sequences
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from tests.store.letters import MORNING, Letters, not_secret

KEEPING = NumberKeeping(
    "H41.01", Sequences((Register(name="Sổ chung", notations=("QĐ-UBND", "TB-UBND")),)), MORNING.date()
)
PAGE = LetterFacts(number="7", notation="TB-UBND", date=dt.date(2026, 11, 20))


def work(
    profile: Profile = Profile.AGENCY, blob: str = "a" * 64, original: str | None = None, **job: Any
) -> DocumentWork:
    main = FileJob("/x/thư.pdf", "/y/thư.pdf", FileRole.MAIN, profile, blob=blob, original=original)
    made = DocumentWork.of(DocumentJob((main,), **job))
    made.main.plan = SigningPlan(profile=profile.value, blob=blob, rules="r", certificate="c", steps=(), placements=())
    made.main.facts = PAGE
    return made


def test_the_number_is_what_is_said_else_what_the_page_says() -> None:
    typed = KEEPING.wish(work(), MORNING)
    given = KEEPING.wish(work(number="12", notation="QĐ-UBND", date=dt.date(2026, 11, 23)), MORNING)
    assert typed is not None
    assert given is not None
    assert (typed.label, typed.doc_date, typed.notation_group) == ("7/TB-UBND", PAGE.date, "SỔ CHUNG")
    assert (given.label, given.doc_date, given.name) == ("12/QĐ-UBND", dt.date(2026, 11, 23), "thư.pdf")


def test_what_issues_no_number_keeps_none() -> None:
    assert KEEPING.wish(work(Profile.LEADER, number="12", notation="QĐ-UBND"), MORNING) is None
    assert KEEPING.wish(work(Profile.COPY), MORNING) is None, "the page's number is that of what was copied"
    nothing = work()
    nothing.main.facts = LetterFacts()
    assert KEEPING.wish(nothing, MORNING) is None
    copy = KEEPING.wish(work(Profile.COPY, number="3", notation="SY-UBND"), MORNING)
    assert copy is not None
    assert copy.label == "3/SY-UBND"


def test_a_repaired_file_is_still_the_one_that_was_opened() -> None:
    assert owner_of(work()) == "a" * 64
    assert owner_of(work(original="b" * 64)) == "b" * 64
    planned = work()
    assert planned.main.plan is not None
    planned.main.plan = msgspec.structs.replace(planned.main.plan, original="c" * 64)
    assert owner_of(planned) == "c" * 64


def test_a_number_that_another_keeps_is_told_before_any_pin(store: Store) -> None:
    assert store.write(lambda tx: KEEPING.keep(tx, work(), MORNING))
    assert not store.write(lambda tx: KEEPING.keep(tx, work(), MORNING)), "it was kept before"
    assert not store.write(lambda tx: KEEPING.keep(tx, work(Profile.PLAIN, blob="c" * 64), MORNING))
    with store.view() as view:
        KEEPING.require_free(view, work(), MORNING)
        KEEPING.require_free(view, work(Profile.PLAIN, blob="b" * 64), MORNING)
        for other, code in ((work(blob="b" * 64), "number_reserved"), (work(number="8"), "number_kept")):
            with pytest.raises(KnownError) as caught:
                KEEPING.require_free(view, other, MORNING)
            assert caught.value.code == code


def test_a_number_of_a_document_that_nobody_came_to_is_free_again(store: Store) -> None:
    store.write(lambda tx: KEEPING.keep(tx, work(), MORNING))
    store.write(lambda tx: KEEPING.leave(tx, work(blob="b" * 64), MORNING))
    with store.view() as view:
        assert len(view.reservations.list()) == 1, "another's stays"
    store.write(lambda tx: KEEPING.leave(tx, work(), MORNING))
    store.write(lambda tx: KEEPING.leave(tx, work(Profile.PLAIN), MORNING))
    assert store.write(lambda tx: KEEPING.keep(tx, work(blob="b" * 64), MORNING))


def test_a_document_that_is_signed_again_takes_its_own_number_over(store: Store, letters: Letters) -> None:
    signed = letters.signing("7", receivers=(), group="Sổ chung", notation="TB-UBND")
    store.commit_signed(signed, not_secret)
    assert not store.write(lambda tx: KEEPING.keep(tx, work(replaces=signed.document.id), MORNING))
    with store.view() as view:
        assert view.reservations.list() == (), "a signing that fails now leaves nothing that could be given up"
    with store.view() as view, pytest.raises(KnownError) as caught:
        KEEPING.require_free(view, work(blob="b" * 64), MORNING)
    assert caught.value.code == "number_used"


def test_a_midnight_in_the_midst_of_a_run_changes_no_year() -> None:
    undated = work()
    undated.main.facts = msgspec.structs.replace(PAGE, date=None)
    eve = NumberKeeping("H41.01", KEEPING.sequences, dt.date(2026, 12, 31))
    wish = eve.wish(undated, dt.datetime(2027, 1, 1, 0, 3, tzinfo=dt.UTC))
    assert wish is not None
    assert (wish.year, wish.doc_date) == (2026, dt.date(2026, 12, 31))
