"""What the window asks and says about receivers."""

import pytest

from signer_app.desk.receivers import ReceiversDesk, reason_words
from signer_app.store.receivers import PaperReason
from signer_resources.errors import KnownError
from tests.desk.office import DEPARTMENT, MONDAY, ORG, PROVINCE, Office


@pytest.fixture
def desk(office: Office) -> ReceiversDesk:
    return ReceiversDesk(office.space)


def refused(code: str) -> "pytest.RaisesExc[KnownError]":
    return pytest.raises(KnownError, check=lambda error: error.code == code and bool(error.explain("vi").do))


def test_typed_receivers_are_found_and_the_rest_is_asked_once(desk: ReceiversDesk) -> None:
    assert desk.day().fetched_at == MONDAY
    assert [one.code for one in desk.search("noi vu")] == [DEPARTMENT]
    chosen = desk.read(ORG, f"{PROVINCE}; Sở Nội vụ tỉnh An Sơn\nÔng A; Các phòng; Sở Nội vụ")
    assert chosen.codes == (PROVINCE, DEPARTMENT)
    assert [line.text for line in chosen.resolution.asked] == ["Ông A", "Các phòng", "Sở Nội vụ"]
    desk.means_paper(ORG, "- Ông A;")
    desk.means_nobody(ORG, "Các phòng")
    desk.means(ORG, "Sở Nội vụ", [DEPARTMENT, DEPARTMENT])
    again = desk.resolve(ORG, ["- Ông A;", "- Các phòng;", "- Sở Nội vụ;"])
    assert (again.codes, [one.name for one in again.paper], again.resolution.asked) == ((DEPARTMENT,), ["Ông A"], ())
    desk.ask_again(ORG, "Các phòng")
    assert len(desk.resolve(ORG, ["Các phòng"]).resolution.asked) == 1


def test_only_bodies_of_the_directory_are_chosen(desk: ReceiversDesk) -> None:
    with refused("receiver_code_unknown"):
        desk.means(ORG, "Sở lạ", [DEPARTMENT, "H0"])
    with refused("receiver_code_unknown"):
        desk.save_group(ORG, "Nhóm", ["H0"])
    with refused("receiver_line_empty"):
        desk.means_paper(ORG, " - ")


def test_groups_are_saved_replaced_and_removed(desk: ReceiversDesk) -> None:
    for name, codes in (("", [PROVINCE]), ("Nhóm", [])):
        with refused("receiver_group_empty"):
            desk.save_group(ORG, name, codes)
    desk.save_group(ORG, "Trên tỉnh", [PROVINCE])
    desk.save_group(ORG, "trên tỉnh", [PROVINCE, DEPARTMENT])
    (group,) = desk.groups(ORG)
    assert (group.name, group.codes) == ("trên tỉnh", (PROVINCE, DEPARTMENT))
    assert desk.read(ORG, "Trên tỉnh").codes == (PROVINCE, DEPARTMENT)
    desk.remove_group(ORG, "Trên tỉnh")
    assert desk.groups(ORG) == ()


def test_before_a_document_is_queued_those_who_cannot_be_reached_go_on_its_paper_list(
    desk: ReceiversDesk, office: Office
) -> None:
    document = office.signed("12").id
    assert desk.unreachable(document, [PROVINCE, "H0", DEPARTMENT]) == (PROVINCE, DEPARTMENT)
    assert desk.unreachable(document, [PROVINCE, "H0"]) == (PROVINCE,)
    assert [(one.code, one.reason) for one in desk.paper(document)] == [("H0", PaperReason.UNKNOWN)]
    desk.keep_on_paper(document, [DEPARTMENT, "H0"], by_law=True)
    assert [one.reason for one in desk.paper(document)] == [PaperReason.UNKNOWN, PaperReason.LAW]
    assert desk.unreachable(document, [PROVINCE, DEPARTMENT]) == (PROVINCE,)
    assert desk.paper_waiting() == (document,)
    desk.paper_sent(document, 0)
    desk.paper_sent(document, 1)
    assert desk.paper_waiting() == ()
    with refused("paper_copy_gone"):
        desk.paper_sent(document, 1)


def test_every_reason_has_words_in_both_languages() -> None:
    for reason in PaperReason:
        assert reason_words(reason, "vi") != reason_words(reason, "en")
