"""The list of what waits to be sent: how each packet stands, what a person may do, and quickly for ten thousand."""

import datetime as dt

import pytest

from signer_app.desk.sending import Deed, Sending, SendingItem, Standing
from signer_app.exchange import changing
from signer_app.store.model import Document, OutboxState, ProofBy, Urgency
from signer_app.store.settings import Body, Exchange
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError
from tests.desk.office import FRIDAY, MONDAY, ORG, Office, changed

NAME = "Ủy ban nhân dân xã Hòa Sơn"


@pytest.fixture
def sending(office: Office) -> Sending:
    changed(office, bodies=(Body(code=ORG, name=NAME),), clerk="Lê Thị Văn Thư")
    return Sending(office.space)


def standings(sending: Sending) -> dict[str, Standing]:
    return {item.row.label.partition("/")[0]: item.standing for item in sending.look().items}


def item(office: Office, sending: Sending, document: Document) -> SendingItem:
    return sending.packet(office.packet_of(document)).item


def given(office: Office, number: str, urgency: Urgency = Urgency.NORMAL) -> Document:
    document = office.signed(number, urgency=urgency, receivers=())
    changing.give(office.space, document.id, ["H77.02"])
    return document


def undecided(office: Office, document: Document) -> str:
    packet_id = office.packet_of(document)

    def work(tx: Transaction) -> None:
        tx.outbox.mark_sending(packet_id)
        tx.outbox.retry(packet_id, "server_unreachable", office.clock(), {"host": "x"}, uncertain=True)
        tx.outbox.needs_person(packet_id, "outcome_undecided")

    office.store.write(work)
    return packet_id


def test_each_packet_stands_as_a_person_would_say(office: Office, sending: Sending) -> None:
    held, urgent = given(office, "1"), given(office, "2", Urgency.HOA_TOC)
    retried, person, refused, done = (office.signed(number) for number in "3456")
    office.hindered(retried, "server_busy")
    office.hindered(person, "unknown_receiver", person=True)
    office.hindered(refused, "packet_conflict", never=True)
    office.accepted(done)
    undecided(office, office.signed("7"))
    assert standings(sending) == {
        "1": Standing.HELD,
        "2": Standing.WAITING,
        "3": Standing.RETRYING,
        "4": Standing.NEEDS_PERSON,
        "5": Standing.REFUSED,
        "6": Standing.RECEIVED,
        "7": Standing.UNDECIDED,
    }
    snapshot = sending.look()
    assert (snapshot.waiting, snapshot.held, snapshot.stuck, snapshot.refused) == (5, 1, 2, 1)
    assert snapshot.oldest_unsent == office.clock()
    labels = [found.row.label.partition("/")[0] for found in snapshot.items]
    assert set(labels[:3]) == {"4", "5", "7"}
    assert (labels[3], labels[-1]) == ("2", "6")
    assert item(office, sending, held).next_try == office.clock() + dt.timedelta(seconds=120)
    assert item(office, sending, urgent).next_try is None
    error = item(office, sending, person).error
    assert error is not None
    assert error.code == "unknown_receiver"


def test_what_a_person_may_do_depends_on_how_it_stands(office: Office, sending: Sending) -> None:
    held, cut = given(office, "1"), office.signed("2")
    office.hindered(cut, "server_busy")
    asked = office.signed("3")
    undecided(office, asked)
    assert item(office, sending, held).deeds == (Deed.SEND_NOW, Deed.POSTPONE, Deed.WITHDRAW)
    assert item(office, sending, cut).deeds == (Deed.SEND_NOW, Deed.POSTPONE, Deed.RECALL)
    assert item(office, sending, asked).deeds == (Deed.SAY_ARRIVED,)


def test_postponing_sending_and_taking_out(office: Office, sending: Sending) -> None:
    document = given(office, "1")
    packet_id = office.packet_of(document)
    until = office.clock() + dt.timedelta(hours=4)
    sending.postpone([packet_id], until)
    assert (item(office, sending, document).standing, sending.look().postponed) == (Standing.POSTPONED, 1)
    assert sending.send_now() == 0
    assert sending.send_now([packet_id]) == 1
    assert item(office, sending, document).standing is Standing.WAITING
    assert sending.withdraw(packet_id).state is OutboxState.WITHDRAWN
    assert sending.look().items == ()
    for attempt in (lambda: sending.send_now([packet_id]), lambda: sending.postpone([packet_id], until)):
        with pytest.raises(KnownError) as raised:
            attempt()
        assert raised.value.code == "packet_moved_on"
    with pytest.raises(KnownError) as raised:
        sending.postpone([packet_id], office.clock())
    assert raised.value.code == "postpone_past"


def test_of_several_all_are_postponed_or_none(office: Office, sending: Sending) -> None:
    waiting, sent = given(office, "1"), office.signed("2")
    office.accepted(sent)
    with pytest.raises(KnownError):
        sending.postpone([office.packet_of(waiting), office.packet_of(sent)], office.clock() + dt.timedelta(hours=1))
    assert item(office, sending, waiting).standing is Standing.HELD


def test_only_a_person_who_is_sure_says_that_it_arrived(office: Office, sending: Sending) -> None:
    there, away = (undecided(office, office.signed(number)) for number in "12")
    with pytest.raises(KnownError) as raised:
        sending.say_arrived(there, arrived=True, sure=False)
    assert raised.value.code == "say_not_sure"
    sending.say_arrived(there, arrived=True, sure=True)
    sending.say_arrived(away, arrived=False, sure=True)
    first, second = sending.packet(there), sending.packet(away)
    assert (first.item.standing, first.packet.proof_by) == (Standing.RECEIVED, ProofBy.PERSON)
    assert first.packet.decided_by == "Lê Thị Văn Thư"
    assert (second.item.standing, second.packet.uncertain) == (Standing.RETRYING, False)
    with pytest.raises(KnownError) as raised:
        sending.say_arrived(there, arrived=False, sure=True)
    assert raised.value.code == "packet_moved_on"


def test_what_waits_for_a_body_that_exchanges_elsewhere_is_loud(office: Office, sending: Sending) -> None:
    document = given(office, "1")
    changed(office, bodies=(Body(code=ORG, name=NAME, exchange=Exchange.EXTERNAL),))
    found = item(office, sending, document)
    assert (found.standing, found.deeds, sending.look().stuck) == (Standing.EXTERNAL, (Deed.WITHDRAW,), 1)
    sending.withdraw(found.id)
    assert sending.look().waiting == 0


def test_each_document_has_its_time_and_a_late_one_is_red(office: Office, sending: Sending) -> None:
    late, fresh = office.signed("1", FRIDAY), office.signed("2")
    office.at(MONDAY.replace(hour=13))
    found = {one.row.document_id: one for one in sending.look().items}
    assert (found[late.id].is_red(office.now), found[fresh.id].is_red(office.now)) == (True, False)
    assert sending.look().red == 1
    office.accepted(late)
    assert item(office, sending, late).deadline is None


def test_a_documents_way_is_told_with_each_receiver(office: Office, sending: Sending) -> None:
    document = given(office, "1")
    packet_id = office.packet_of(document)
    office.accepted(document)
    with office.store.view() as view:
        edxml_id = view.outbox.require(packet_id).edxml_id
    assert edxml_id == f"{ORG},2026/11/23,1/UBND-VHXH"
    why = "Sai nơi nhận"
    office.store.write(lambda tx: tx.outbox.receiver_told(edxml_id, "H77.02", "02", office.clock(), reason=why))
    told = sending.document(document.id)
    ((only,),) = [packet.receivers for packet in told.packets]
    assert (only.code, only.code_reason) == ("02", "Sai nơi nhận")
    assert [(one.org, one.has_it) for one in told.holders] == [("H77.02", False)]


def test_a_notice_is_shown_until_it_is_seen(office: Office, sending: Sending) -> None:
    for _ in range(2):
        office.store.write(lambda tx: tx.notices.tell(ORG, "server_lost_packets", office.clock(), {"count": 2}))
    (notice,) = sending.look().notices
    assert "2" in KnownError(notice.code, **notice.params).explain("vi").what
    sending.seen(notice)
    assert sending.look().notices == ()


def test_ten_thousand_packets_are_listed_in_order(office: Office, sending: Sending) -> None:
    made = office.signed("1")
    connection = office.store._connection
    packet_id = office.packet_of(made)
    connection.execute("BEGIN")
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        " INSERT INTO document SELECT printf('d%06d', i), body_code, i, notation, NULL, doc_date, type, subject,"
        " signer_name, i % 5, state, created_at FROM n, (SELECT * FROM document LIMIT 1)"
    )
    connection.execute(
        "INSERT INTO outbox_receiver (packet_id, position, org) SELECT 'p' || id, 0, 'H77.02' FROM document"
        " WHERE id LIKE 'd%'"
    )
    connection.execute(
        "INSERT INTO outbox (packet_id, document_id, org, kind, sha256, size, urgency, created_at, state)"
        " SELECT 'p' || document.id, document.id, org, kind, sha256, size, document.urgency, outbox.created_at,"
        " outbox.state"
        " FROM document, outbox WHERE document.id LIKE 'd%' AND outbox.packet_id = ?",
        (packet_id,),
    )
    connection.execute("COMMIT")
    snapshot = sending.look()
    assert len(snapshot.items) == snapshot.waiting == 10_000
    urgencies = [int(one.row.urgency) for one in snapshot.items]
    assert urgencies == sorted(urgencies, reverse=True)
