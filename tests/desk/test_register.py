"""The register: all that was signed here, narrowed by year and body; files, proof and receipt of one document."""

import base64
import datetime as dt
import json
from pathlib import Path

import pytest

from signer_app.desk.names import Names
from signer_app.desk.register import Register, Years
from signer_app.store.model import DocumentState, OutboxState
from signer_app.store.settings import Body
from signer_resources.errors import KnownError
from tests.desk.office import FRIDAY, MONDAY, ORG, Office, changed
from tests.store.letters import Letters, not_secret


def register(office: Office) -> Register:
    return Register(office.space, Names(office.space.folder.cache))


def receipt(packet_id: str) -> str:
    payload = {"serverId": "tinh-an-son", "packetId": packet_id, "receivedAt": "2026-11-23T08:43:00+07:00", "seq": 7}
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return json.dumps({"protected": "e30", "payload": encoded, "signature": "AAAA"})


def test_the_list_shows_the_newest_year_first_and_all_years_when_asked(office: Office) -> None:
    office.at(MONDAY - dt.timedelta(days=400))
    office.signed("1", dt.date(2025, 10, 19))
    office.at(MONDAY)
    office.signed("2")
    office.clock.go_on(60)
    office.signed("3")
    book = register(office)
    newest, every, old = book.look(), book.look(Years.ALL), book.look(2025)
    assert newest is not None
    assert every is not None
    assert old is not None
    assert (newest.year, newest.years) == (2026, (2026, 2025))
    assert [row.label for row in newest.rows] == ["3/UBND-VHXH", "2/UBND-VHXH"]
    assert (every.year, len(every.rows)) == (None, 3)
    assert [row.label for row in old.rows] == ["1/UBND-VHXH"]
    assert newest.by_id[newest.rows[0].id] is newest.rows[0]


def test_an_empty_register_has_no_year(office: Office) -> None:
    snapshot = register(office).look()
    assert snapshot is not None
    assert (snapshot.rows, snapshot.year, snapshot.years, snapshot.bodies) == ((), None, (), ())


def test_a_row_tells_receivers_and_how_far_the_sending_is(office: Office) -> None:
    office.signed("1", receivers=())
    waiting = office.signed("2", receivers=("H77", "H77.02"))
    office.accepted(office.signed("3"))
    snapshot = register(office).look()
    assert snapshot is not None
    rows = {row.number: row for row in snapshot.rows}
    assert (rows["1"].state, rows["1"].sending, rows["1"].receivers) == (DocumentState.SIGNED, None, ())
    assert (rows["2"].sending, rows["2"].receivers) == (OutboxState.QUEUED, ("H77", "H77.02"))
    assert (rows["3"].sending, rows["3"].accepted_at) == (OutboxState.ACCEPTED, MONDAY)
    assert snapshot.by_id[waiting.id] is rows["2"]
    assert snapshot.names["H77.02"] == "Sở Nội vụ tỉnh An Sơn"


def test_one_body_s_documents_are_shown_alone(office: Office) -> None:
    office.signed("1")
    other = Letters(office.store, office.clock).signing("1", body="H77.16")
    office.store.commit_signed(other, not_secret)
    book = register(office)
    both, one = book.look(), book.look(body=ORG)
    assert both is not None
    assert one is not None
    assert both.bodies == (ORG, "H77.16")
    assert [row.body_code for row in one.rows] == [ORG]


def test_the_same_list_is_given_again_until_something_is_written(office: Office) -> None:
    office.signed("1")
    book = register(office)
    first = book.look()
    assert book.look() is first
    office.signed("2")
    second = book.look()
    assert second is not None
    assert second is not first
    assert len(second.rows) == 2


def test_a_reading_that_nobody_wants_any_more_ends_early(office: Office) -> None:
    def fill(count: int) -> None:
        rows = [(f"d{n}", ORG, 0, "signed", f"2026-11-20T08:00:00.{n:03d}+07:00") for n in range(count)]
        with office.store.transaction() as tx:
            tx.documents._connection.executemany(
                "INSERT INTO document (id, body_code, urgency, state, created_at) VALUES (?, ?, ?, ?, ?)", rows
            )

    fill(1000)
    assert register(office).look(cancelled=lambda: True) is None


def test_details_hold_the_proof_of_the_signature_and_the_receipt(office: Office) -> None:
    document = office.signed("1")
    packet = office.packet_of(document)
    office.accepted(document, receipt(packet))
    told = register(office).details(document.id)
    (file,), (sent,) = told.files, told.packets
    assert file.proof is not None
    assert (file.proof.operator, file.proof.token_serial, file.proof.verdict) == ("Lê Thị Văn Thư", "0123", "valid")
    assert (sent.state, sent.server_id, sent.sequence) == (OutboxState.ACCEPTED, "tinh-an-son", "7")
    assert sent.packet_id == packet


def test_details_of_a_packet_that_waits_tell_what_hinders_it(office: Office) -> None:
    document = office.signed("1")
    office.hindered(document, "unknown_receiver", person=True)
    (sent,) = register(office).details(document.id).packets
    assert sent.error is not None
    assert (sent.state, sent.error.code) == (OutboxState.NEEDS_PERSON, "unknown_receiver")


def test_the_copy_beside_the_input_is_opened_only_while_it_is_what_was_signed(office: Office) -> None:
    target = office.folder / "Đã ký" / "Công văn 125.pdf"
    made = Letters(office.store, office.clock).signing("1", output=target)
    office.store.commit_signed(made, not_secret)
    book, file = register(office), made.files[0].id
    with pytest.raises(KnownError) as caught:
        book.copy_to_open(file)
    assert caught.value.code == "register_copy_missing"
    office.store.export(file)
    assert book.copy_to_open(file) == target
    target.write_bytes(b"altered")
    with pytest.raises(KnownError) as caught:
        book.copy_to_open(file)
    assert caught.value.code == "register_copy_changed"


def test_a_copy_is_saved_elsewhere_and_never_over_another_file(office: Office, tmp_path: Path) -> None:
    made = Letters(office.store, office.clock).signing("1", content=b"%PDF letter")
    office.store.commit_signed(made, not_secret)
    book, target = register(office), tmp_path / "bản sao.pdf"
    book.save(made.files[0].id, target)
    assert target.read_bytes() == b"%PDF letter signed"
    with pytest.raises(KnownError) as caught:
        book.save(made.files[0].id, target)
    assert caught.value.code == "output_exists"


def test_our_own_bodies_are_named_by_the_settings(office: Office) -> None:
    changed(office, bodies=(Body(code=ORG, name="UBND xã Hòa Sơn"),))
    office.signed("1", FRIDAY)
    snapshot = register(office).look()
    assert snapshot is not None
    assert snapshot.names[ORG] == "UBND xã Hòa Sơn"
