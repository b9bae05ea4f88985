"""Which packets are about one document, whatever way they came and whatever they call it."""

import io

import pytest

from signer_sync.edxml import Organ, PacketHeader, ResponseFor, StatusCode, StatusMessage
from signer_sync.edxml_keys import document_key, fold_code, id_key, keys_meant
from signer_sync.edxml_write import write_recall, write_status
from tests.server.world import document
from tests.sync.edxml_made import HEADER, INNER_ID, STATUS, business, header_of, packet

OWN = "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT"
USUAL = "000.00.00.G22,2018/09/28,7816/VPCP-TTĐT"


def called(document_id: str, header: str = HEADER) -> PacketHeader:
    return header_of(packet(header.replace(OWN, document_id), business("0")))


KEY = document_key(called(USUAL))


@pytest.mark.parametrize(
    "header",
    [
        called(INNER_ID),
        called(INNER_ID.upper()),
        called("{" + INNER_ID.replace("-", "") + "}"),
        called(""),
        called(USUAL.lower()),
        called("g22,2018/09/28,7816/ VPCP-TTĐT"),
        called(INNER_ID, HEADER.replace("000.00.00.G22<", "G22<")),
        called(INNER_ID, HEADER.replace("2018/09/28", "28/09/2018")),
        called(INNER_ID, HEADER.replace("Number>7816", "Number>07816")),
        called(INNER_ID, HEADER.replace("ĐT</CodeN", "Đ\u200aT</CodeN")),
    ],
)
def test_one_document_has_one_key_by_whatever_channel_it_came(header: PacketHeader) -> None:
    assert document_key(header) == KEY


@pytest.mark.parametrize(
    "header",
    [
        called(OWN),
        called("x"),
        called(INNER_ID, HEADER.replace("G22<", "G23<")),
        called(INNER_ID, HEADER.replace("Number>7816", "Number>7817")),
        called(INNER_ID, HEADER.replace("VPCP", "VPCT")),
        called(INNER_ID, HEADER.replace("2018/09/28", "2018/09/29")),
        called(INNER_ID, HEADER.replace("2018/09/28", "2018/02/30")),
        called(INNER_ID, HEADER.replace("<CodeNumber>7816", "<CodeNumber>")),
    ],
)
def test_another_sender_number_date_or_id_is_another_document(header: PacketHeader) -> None:
    assert document_key(header) != KEY


def test_without_all_facts_a_uuid_is_what_tells_documents_apart() -> None:
    bare = HEADER.replace("<CodeNotation>VPCP-TTĐT", "<CodeNotation>")
    one, two = called(INNER_ID, bare), called(INNER_ID[:-1] + "0", bare)
    assert document_key(one) == id_key("000.00.00.G22", INNER_ID) != document_key(two)


def test_an_id_is_never_taken_apart() -> None:
    assert document_key(called(OWN)) == id_key("G22", OWN)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("000.00.00.H41", "H41", True),
        ("00.h41", "H41 ", True),
        ("000.00.04.G14", "04.G14", True),
        ("000.00.04.G14", "G14", False),
        ("000", "H41", False),
        ("H41.00", "H41", False),
        ("0.0.", "0", False),
    ],
)
def test_codes_are_compared_without_their_empty_levels(one: str, other: str, same: bool) -> None:
    assert (fold_code(one) == fold_code(other)) is same


def test_a_recall_means_the_document_that_it_repeats() -> None:
    out = io.BytesIO()
    plain = document()
    write_recall(plain, "Sai số", out)
    header = header_of(out.getvalue())
    assert document_key(header) in keys_meant(header)
    assert id_key(plain.sender.code, plain.document_id) in keys_meant(header)


def test_a_recall_of_another_document_does_not_mean_the_one_in_its_header() -> None:
    header = header_of(packet(trace=business("1", "<DocumentId>khác</DocumentId>")))
    assert keys_meant(header) == (id_key("G22", "khác"),)


def test_a_new_document_means_no_other() -> None:
    assert keys_meant(called(USUAL)) == ()


def test_a_status_message_means_the_document_of_whom_it_answers() -> None:
    assert keys_meant(header_of(packet(STATUS))) == (id_key("H41", "000.00.00.H41,2015/09/30,7/BC"),)


def test_asking_back_means_a_document_of_who_asks() -> None:
    plain = document()
    answered = ResponseFor("H77.02", "12/QĐ-UBND", "2026/11/20", plain.document_id)
    out = io.BytesIO()
    sender = Organ(plain.sender.code, "UBND xã")
    write_status(StatusMessage(sender, answered, StatusCode.ASKED_BACK, "Sai số", plain.sent_at), out)
    assert keys_meant(header_of(out.getvalue())) == (id_key(plain.sender.code, plain.document_id),)
