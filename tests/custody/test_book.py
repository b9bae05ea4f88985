"""The hand-over book: who holds what, what a hand-over says, and that nobody signs with what nobody holds."""

import datetime as dt
from dataclasses import replace

import msgspec
import pytest

from signer_app.custody.anchors import minute_is_signed, prove_journal
from signer_app.custody.book import Book, checked, minute_text, require_holder
from signer_app.custody.subjects import wanted_subject
from signer_app.custody.values import Subject
from signer_app.signing.jobs import UsageError
from signer_app.store.custody import DeviceFacts, HandOver, Permission, PinProof
from signer_app.store.model import JournalAction, TokenUse
from signer_app.store.settings import Settings
from signer_app.store.times import stamp
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_token.client import TokenError
from signer_token.model import Login, Pin
from tests.custody.minutes import AT, CERTIFICATE, PERMISSION, add, entry, tamper, wish
from tests.desk.office import Office
from tests.support.workspace import CANARY_PIN, Desk


def login() -> Login:
    return Login(Pin(CANARY_PIN))


OTHER = msgspec.structs.replace(CERTIFICATE, sha256="ac" * 32, serial="0b")


def uses(space: Workspace) -> list[tuple[str, str, str | None]]:
    with space.store.view() as view:
        return [(e.use.action.value, e.use.result, e.use.holder) for e in reversed(view.journal.entries(50))]


def test_a_hand_over_is_signed_by_the_token_told_by_the_journal_and_names_its_head(
    desk: Desk, space: Workspace
) -> None:
    book = Book(space)
    before = len(uses(space))
    first = book.record(desk.agency, wish(), login())
    assert uses(space)[before:] == [("login", "ok", None), ("hand_over", "ok", None)]
    assert first.minute.journal.count == before + 1
    assert first.minute.certificate.sha256 == desk.agency
    assert minute_is_signed(first, space.trust)
    assert msgspec.json.decode(first.text, type=type(first.minute)) == first.minute
    second = book.record(desk.agency, wish("Lê Thị Nhàn", "Phạm Hoàng Ngữ"), None)
    assert (second.minute.number, second.minute.held_by, second.signed) == (2, "", None)
    # The entry names who held it until then; whatever comes later names the new holder.
    assert uses(space)[-1] == ("hand_over", "ok", "Lê Thị Nhàn")
    third = book.record(desk.agency, wish("Người vắng mặt ký thay", "Trần Văn An"), None)
    assert third.minute.held_by == "Phạm Hoàng Ngữ"
    assert uses(space)[-1] == ("hand_over", "ok", "Phạm Hoàng Ngữ")
    holding = book.holding(desk.agency, plugged=True)
    assert (holding.holder, holding.last) == ("Trần Văn An", third)
    assert [e.minute.number for e in book.look().entries] == [3, 2, 1]


def test_a_wrong_pin_records_no_hand_over_and_is_in_the_journal(desk: Desk, space: Workspace) -> None:
    with pytest.raises(TokenError) as refused:
        Book(space).record(desk.agency, wish(), Login(Pin("wrong-pin")))
    assert refused.value.code == "pin_incorrect"
    assert uses(space)[-1] == ("login", "pin_incorrect", None)
    assert Book(space).entries(space.store) == ()


def test_a_minute_changed_by_one_letter_is_signed_by_nobody(desk: Desk, space: Workspace) -> None:
    made = Book(space).record(desk.agency, wish(), login())
    minute = msgspec.structs.replace(made.minute, receiver="Lê Thị Nhàm")
    forged = msgspec.structs.replace(made, minute=minute, text=minute_text(minute))
    assert not minute_is_signed(forged, space.trust)
    outside = msgspec.structs.replace(made.minute, at=made.minute.at + dt.timedelta(days=40_000))
    assert not minute_is_signed(msgspec.structs.replace(made, minute=outside), space.trust)
    assert not minute_is_signed(made, msgspec.structs.replace(space.trust, anchors=()))


def test_nobody_signs_with_a_certificate_that_nobody_holds(office: Office) -> None:
    store = office.store
    require_holder(store, CERTIFICATE.sha256, "")
    add(store, entry(1), entry(2, receiver=""))
    with pytest.raises(KnownError) as refused:
        require_holder(store, CERTIFICATE.sha256, "")
    assert refused.value.code == "custody_no_holder"
    assert refused.value.params == {"name": CERTIFICATE.name, "date": "23/11/2026", "number": 2}
    require_holder(store, OTHER.sha256, "")
    add(store, entry(3))
    require_holder(store, CERTIFICATE.sha256, "")


def test_a_certificate_that_is_newer_than_the_book_is_held_by_who_holds_the_device(office: Office) -> None:
    store = office.store
    add(store, entry(1, receiver=""))
    with pytest.raises(KnownError) as refused:
        require_holder(store, OTHER.sha256, entry().minute.device.serial)
    assert refused.value.code == "custody_no_holder"
    require_holder(store, OTHER.sha256, "another device")


def test_a_column_changed_by_hand_frees_nobody_and_is_told(office: Office) -> None:
    store = office.store
    add(store, entry(1, receiver=""))
    tamper(store, "UPDATE hand_over SET certificate_sha256 = 'zz'")
    with pytest.raises(KnownError) as refused:
        require_holder(store, CERTIFICATE.sha256, "")
    assert refused.value.code == "custody_book_altered"


def test_signing_with_a_certificate_given_back_stops_before_any_login(desk: Desk) -> None:
    with workspace(desk.data, Overrides(), writing=True) as space:
        Book(space).record(desk.agency, wish(receiver=""), None)
        before = len(uses(space))
    answer = desk.seal(desk.letter(), "1/UBND-VP")
    assert (answer.code, answer.json["error"]["code"]) == (1, "custody_no_holder")
    with workspace(desk.data, Overrides(), writing=True) as space:
        assert len(uses(space)) == before
        Book(space).record(desk.agency, wish(), None)
    assert desk.seal(desk.letter(name="again.pdf"), "1/UBND-VP").states == ["signed"]


def test_a_forced_pin_change_holds_until_the_pin_of_that_device_is_changed(office: Office) -> None:
    store = office.store
    add(store, entry(1, pin_change=True), entry(2, pin_change=True, certificate=OTHER))

    def change(serial: str, result: str) -> None:
        use = TokenUse(
            action=JournalAction.CHANGE_PIN,
            operator="a",
            certificate_sha256=OTHER.sha256,
            token_serial=serial,
            result=result,
        )
        store.write(lambda tx: tx.journal.append(use, AT))

    for serial, result in (("77", "pin_incorrect"), ("78", "ok")):
        change(serial, result)
        with pytest.raises(KnownError, match="has not changed the PIN") as refused:
            require_holder(store, CERTIFICATE.sha256, "")
        assert refused.value.code == "custody_pin_unchanged"
    change("77", "ok")
    # One PIN guards both certificates of the device.
    require_holder(store, CERTIFICATE.sha256, "")
    require_holder(store, OTHER.sha256, "")
    change("77", "ok")
    with store.view() as view:
        assert [(e.pin_changed_at, e.pin_proof) for e in view.custody.list()] == [(AT, PinProof.HERE)] * 2


def test_that_the_pin_was_changed_elsewhere_is_noted_as_said(office: Office) -> None:
    add(office.store, entry(1, pin_change=True))
    Book(office.space).pin_was_changed("77")
    (only,) = Book(office.space).entries(office.store)
    assert (only.pin_change_open, only.pin_proof) == (False, PinProof.TOLD)
    with office.store.view() as view:
        (told,) = view.journal.entries()
    assert (told.use.action, told.use.result, told.use.token_serial) == (JournalAction.CHANGE_PIN, "told", "77")
    require_holder(office.store, CERTIFICATE.sha256, "")


@pytest.mark.parametrize("how", ["here", "told"])
def test_a_changed_pin_that_no_journal_tells_lifts_nothing(office: Office, how: str) -> None:
    """Also where the journal tells another device's change, or a refused one, at that very moment."""
    made = entry(1, pin_change=True)
    add(office.store, made)
    for serial, result in (("78", "ok"), ("77", "pin_incorrect")):
        use = TokenUse(
            action=JournalAction.CHANGE_PIN,
            operator="a",
            certificate_sha256=None,
            token_serial=serial,
            result=result,
        )
        office.store.write(lambda tx, use=use: tx.journal.append(use, AT))  # type: ignore[misc]
    row = f"VALUES ('{made.minute.id}', '{stamp(AT)}', '{how}')"
    tamper(office.store, f"INSERT INTO hand_over_pin (hand_over_id, at, how) {row}")
    with pytest.raises(KnownError) as refused:
        require_holder(office.store, CERTIFICATE.sha256, "")
    assert refused.value.code == "custody_book_altered"
    with office.store.view() as view:
        assert not prove_journal(view, Settings(), office.space.trust).book_sound


def test_an_earlier_change_of_the_pin_lifts_no_later_demand(office: Office) -> None:
    add(office.store, entry(1, pin_change=True))
    Book(office.space).pin_was_changed("77")
    with office.store.view() as view:
        head = view.journal.head()
    add(office.store, entry(2, pin_change=True, head=head))
    tamper(
        office.store,
        "INSERT INTO hand_over_pin SELECT (SELECT id FROM hand_over WHERE number = 2), at, how FROM hand_over_pin",
    )
    with pytest.raises(KnownError) as refused:
        require_holder(office.store, CERTIFICATE.sha256, "")
    assert refused.value.code == "custody_book_altered"


def test_a_renewed_certificate_is_held_by_the_holder_of_its_device_everywhere(desk: Desk, space: Workspace) -> None:
    """The book, the minute and the journal say the same as what stops the signing."""
    other = msgspec.structs.replace(
        entry(1, pin_change=True).minute,
        device=DeviceFacts(serial=Book(space).chosen(desk.agency).token.serial, label=""),
    )
    add(space.store, HandOver(minute=other, text=minute_text(other), signed=None))
    with pytest.raises(KnownError) as refused:
        require_holder(space.store, desk.agency, other.device.serial)
    assert refused.value.code == "custody_pin_unchanged"
    holding = Book(space).holding(desk.agency, plugged=True)
    assert (holding.holder, holding.last and holding.last.pin_change_open) == ("Lê Thị Nhàn", True)
    Book(space).pin_was_changed(other.device.serial)
    require_holder(space.store, desk.agency, other.device.serial)
    made = Book(space).record(desk.agency, wish("Phạm Hoàng Ngữ", "Trần Văn An"), login())
    assert made.minute.held_by == "Lê Thị Nhàn"
    assert uses(space)[-1] == ("hand_over", "ok", "Lê Thị Nhàn")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE hand_over SET receiver = 'x'",
        "DELETE FROM hand_over",
        "UPDATE hand_over_pin SET how = 'here'",
        "DELETE FROM hand_over_pin",
    ],
)
def test_the_program_itself_can_neither_change_nor_delete_an_entry(office: Office, statement: str) -> None:
    add(office.store, entry(1, pin_change=True))
    office.store.write(lambda tx: tx.custody.pin_changed("77", AT, PinProof.TOLD))
    with pytest.raises(Exception, match="only added to"):
        office.store._connection.execute(statement)


def test_a_hand_over_with_a_number_taken_meanwhile_is_refused(office: Office) -> None:
    add(office.store, entry(1))
    with pytest.raises(ValueError, match="meanwhile"):
        add(office.store, entry(1))


def test_an_altered_book_stops_signing_and_says_where(office: Office) -> None:
    add(office.store, entry(1))
    tamper(office.store, "UPDATE hand_over SET minute = '{}'")
    with pytest.raises(KnownError) as refused:
        require_holder(office.store, CERTIFICATE.sha256, "")
    assert (refused.value.code, refused.value.params) == ("custody_book_altered", {"number": 1})


def test_what_a_minute_must_say_is_asked_for() -> None:
    for broken, code in (
        (wish(giver=" "), "custody_giver_missing"),
        (replace(wish(), permission=Permission(number="", date=PERMISSION.date, by="x")), "custody_permission_missing"),
        (
            replace(wish(), permission=Permission(number="1", date=PERMISSION.date, by=" ")),
            "custody_permission_missing",
        ),
        (wish(receiver="", pin_change=True), "custody_nobody_changes"),
        (wish(receiver="李"), "custody_letter"),
    ):
        with pytest.raises(KnownError) as refused:
            checked(broken)
        assert refused.value.code == code
    tidy = checked(wish(giver="  Tra\u0302\u0300n \n An "))
    assert tidy.giver == "Trần An"


def test_documents_that_wait_are_counted_and_named(office: Office) -> None:
    office.draft("125")
    office.signed("7")
    snapshot = Book(office.space).look()
    assert (snapshot.unsigned.count, snapshot.unsigned.names) == (1, ("125/UBND-VP",))
    assert (snapshot.unsent.count, snapshot.unsent.names) == (1, ("7/UBND-VHXH",))


def test_a_certificate_is_known_from_the_book_and_named_by_serial_or_hash(office: Office) -> None:
    add(office.store, entry(1), entry(2, certificate=OTHER))
    snapshot = Book(office.space).look()
    assert {one.subject.certificate.sha256 for one in snapshot.holdings} == {CERTIFICATE.sha256, OTHER.sha256}
    subjects = tuple(Subject(one, None) for one in (CERTIFICATE, OTHER))
    assert wanted_subject(subjects, "AB:AB").certificate is CERTIFICATE
    assert wanted_subject(subjects, "b").certificate is OTHER
    for wanted, code in (
        (None, "usage_certificate_ambiguous"),
        ("ff", "usage_certificate_unknown"),
        ("x", "usage_certificate"),
    ):
        with pytest.raises(UsageError) as refused:
            wanted_subject(subjects, wanted)
        assert refused.value.code == code
