"""Status messages leave through the outbox: durable bytes first, one row in the transaction of the decision."""

import pytest

from signer_app.exchange.messages import status_packet
from signer_app.store.settings import Body, Exchange
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import ResponseFor, Staff, StatusCode
from signer_sync.edxml_read import read_header
from tests.desk.office import ORG, PROVINCE, Office, changed

BODY = Body(code=ORG, name="Ủy ban nhân dân xã Hòa Sơn")
ANSWERED = ResponseFor(PROVINCE, "12/UBND-VX", "2026/11/20", "H77,2026/11/20,12/UBND-VX")
CLERK = Staff(name="Lê Thị Văn Thư")


@pytest.mark.parametrize("code", [one for one in StatusCode if one is not StatusCode.ASKED_BACK])
def test_every_answer_is_a_packet_to_the_sender_about_its_document(office: Office, code: StatusCode) -> None:
    changed(office, bodies=(BODY,))
    packet = status_packet(
        office.space, BODY, ANSWERED, code, " Sai nơi nhận ", CLERK, office.now, incoming="in-1", about="12/UBND-VX"
    )
    with office.store.view() as view:
        assert view.outbox.list() == ()
    office.store.write(lambda tx: tx.outbox.add(packet))
    with office.store.view() as view:
        (kept,) = view.outbox.of_incoming("in-1")
        (due,) = view.outbox.due(ORG, office.now)
    assert (kept.document, kept.status_code, kept.reason, kept.operator) == (
        "12/UBND-VX",
        code.value,
        "Sai nơi nhận",
        CLERK.name,
    )
    assert (kept.receivers, kept.hold_until, due.packet_id) == ((PROVINCE,), None, packet.packet_id)
    with office.store.blobs.path(packet.sha256).open("rb") as stream:
        said = read_header(stream, strict=True)
    assert (said.kind, said.status, said.routed_to) == (PacketKind.STATUS, code, (PROVINCE,))
    assert (said.sender.code, said.staff.name, said.description) == (ORG, CLERK.name, "Sai nơi nhận")


@pytest.mark.parametrize(
    ("external", "code", "reason", "told"),
    [
        (True, StatusCode.ACCEPTED, "", "exchange_external"),
        (False, StatusCode.RETURNED, "  ", "status_needs_reason"),
    ],
)
def test_no_answer_is_made_for_another_system_or_without_its_reason(
    office: Office, external: bool, code: StatusCode, reason: str, told: str
) -> None:
    exchange = Exchange.EXTERNAL if external else Exchange.SERVER
    changed(office, bodies=(Body(code=ORG, name=BODY.name, exchange=exchange),))
    with pytest.raises(KnownError) as raised:
        status_packet(office.space, BODY, ANSWERED, code, reason, CLERK, office.now, incoming="in-1")
    assert raised.value.code == told
    assert raised.value.explain("vi").what


def test_asking_back_answers_nothing_that_came(office: Office) -> None:
    changed(office, bodies=(BODY,))
    with pytest.raises(ValueError, match="13"):
        status_packet(office.space, BODY, ANSWERED, StatusCode.ASKED_BACK, "Nhầm", CLERK, office.now, incoming="in-1")
