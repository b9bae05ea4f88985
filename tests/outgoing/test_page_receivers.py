"""From the lines of Nơi nhận on the page to whom a document goes: in the grid, and when it is signed."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from signer_app.desk.receivers import ReceiversDesk
from signer_app.exchange.changing import give
from signer_app.exchange.directory import refresh
from signer_app.exchange.going import Goes
from signer_app.outgoing.model import Changes, Draft, Profile, Row
from signer_app.outgoing.outgoing import Outgoing
from signer_app.pdf.model import LetterFacts
from signer_app.signing.batch import BatchResult, DocumentWork
from signer_app.signing.jobs import DocumentJob, FileJob, FromPage
from signer_app.signing.release import goes_to
from signer_app.signing.resume import unfinished
from signer_app.store.model import Document, DocumentState, FileRole, OutboxPacket
from signer_app.store.receivers import KnownLine, PaperReason, PaperReceiver, ReceiverGroup
from signer_app.store.settings import Body, Exchange
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_sync.contract import Org, OrgPage
from signer_sync.edxml_read import read_header
from tests.outgoing.conftest import opened
from tests.outgoing.drafts import draft
from tests.outgoing.test_signing_drafts import Clerk, clerk_at
from tests.support.workspace import Desk

OWN, COUNCIL = "H77.15", "H77.16"
OWN_NAME, COUNCIL_NAME = "Ủy ban nhân dân xã Hòa Sơn", "Hội đồng nhân dân xã Hòa Sơn"
NOW = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
BODIES = (
    Org(code="H77", name="Ủy ban nhân dân tỉnh An Sơn"),
    Org(code="H77.02", name="Sở Nội vụ tỉnh An Sơn"),
    Org(code=OWN, name=OWN_NAME),
    Org(code="H77.30", name="UBND huyện Cũ", active=False, replaced_by="H77.02"),
    Org(code="H77.31", name="Trạm Thú y huyện Cũ", active=False),
    Org(code="H77.40", name="Trường Mầm non", channels=("paper",)),
)
PROVINCE = "UBND tỉnh An Sơn (để b/c)"


def tell(space: Workspace) -> None:
    """A server tells the directory."""
    refresh(space, lambda _since: OrgPage(items=BODIES, cursor="c"))


def said(space: Workspace, line: str, *codes: str, paper: bool = False, body: str = OWN) -> None:
    """The clerk says what a line means."""
    known = KnownLine(line=line, codes=codes, paper=paper)
    space.store.write(lambda tx: tx.receivers.remember(body, known, NOW, "hanh"))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace without tokens; its only body knows the directory."""
    with workspace(tmp_path / "data", Overrides(), writing=True) as space:
        space.change_settings(lambda old: msgspec.structs.replace(old, bodies=(Body(code=OWN, name=OWN_NAME),)))
        tell(space)
        yield space


def waits(space: Workspace, *lines: str, body: str | None = None, **more: Any) -> str:
    """A draft whose page has these lines waits; its id."""
    made = draft(facts=LetterFacts(receivers=lines, body=body), **more)
    space.store.write(lambda tx: tx.drafts.add(made))
    return made.id


def row(space: Workspace, draft_id: str) -> Row:
    return next(one for one in Outgoing(space).rows() if one.draft.id == draft_id)


def notes(shown: Row) -> dict[str, str]:
    """Code → what it fills in."""
    return {note.code: "".join(note.params.values()) for note in shown.notes}


def kept(space: Workspace, draft_id: str) -> Draft:
    with space.store.view() as view:
        found = view.drafts.get(draft_id)
    assert found is not None
    return found


# --- in the grid -----------------------------------------------------------------------------------------------------


def test_a_draft_goes_to_those_whom_its_page_names(office: Workspace) -> None:
    shown = row(office, waits(office, PROVINCE, "Sở Nội vụ tỉnh An Sơn", "UBND xã Hòa Sơn", "UBND huyện Cũ"))
    assert shown.draft.receivers == ("H77", "H77.02")
    assert (shown.receivers.body, shown.receivers.asked, notes(shown)) == (OWN, (), {})
    assert shown.reasons == ()
    # What came from the page is never written down as if the clerk had said it.
    Outgoing(office).edit(shown.draft.id, Changes(subject="Về việc khác"))
    assert kept(office, shown.draft.id).receivers == ()


def test_a_line_that_nobody_knows_is_asked_once_for_all_that_waits(office: Workspace) -> None:
    first, second = waits(office, PROVINCE, "Các phòng"), waits(office, "- CÁC PHÒNG;", "Sở Nội vụ tỉnh An Sơn")
    assert notes(row(office, first)) == {"out_receivers_unknown": "Các phòng"}
    assert row(office, first).draft.receivers == ("H77",)
    assert not row(office, first).reasons
    ReceiversDesk(office).means(OWN, "Các phòng", ["H77.02"])
    assert notes(row(office, first)) == notes(row(office, second)) == {}
    assert row(office, first).draft.receivers == ("H77", "H77.02")
    ReceiversDesk(office).means_paper(OWN, "Các phòng")
    assert notes(row(office, second)) == {"out_receivers_paper": "CÁC PHÒNG"}
    assert row(office, second).draft.receivers == ("H77.02",)
    ReceiversDesk(office).ask_again(OWN, "Các phòng")
    assert notes(row(office, first)) == {"out_receivers_unknown": "Các phòng"}


def test_whom_the_clerk_names_counts_and_without_them_the_page_again(office: Workspace) -> None:
    draft_id, outgoing = waits(office, PROVINCE, "Các phòng"), Outgoing(office)
    named = outgoing.edit(draft_id, Changes(receivers=outgoing.read_receivers("sở nội vụ tỉnh an sơn")))
    assert (named.draft.receivers, named.receivers.page, notes(named)) == (("H77.02",), None, {})
    back = outgoing.edit(draft_id, Changes(receivers=()))
    assert (back.draft.receivers, notes(back)) == (("H77",), {"out_receivers_unknown": "Các phòng"})


def test_receivers_are_typed_and_pasted_by_what_the_body_knows(office: Workspace) -> None:
    draft_id, outgoing = waits(office), Outgoing(office)
    said(office, "Tỉnh", "H77")
    group = ReceiverGroup(name="Các sở", codes=("H77.02", "H77.40"))
    office.store.write(lambda tx: tx.receivers.put_group(OWN, group, NOW))
    assert outgoing.paste([draft_id], "Nơi nhận\nTỉnh; Các sở").changed == (draft_id,)
    assert kept(office, draft_id).receivers == ("H77", "H77.02", "H77.40")
    assert [fault.error.code for fault in outgoing.read_cells("Nơi nhận\nSở Lạ").faults] == ["out_receiver_unreadable"]


def test_who_cannot_be_reached_is_told(office: Workspace) -> None:
    shown = row(office, waits(office, "Trạm Thú y huyện Cũ", "Trường Mầm non"))
    assert [finding.code for finding in shown.reasons] == ["out_receiver_gone"]
    assert notes(shown) == {"out_receivers_paper": "Trường Mầm non"}
    typed = row(office, waits(office, receivers=("H99",)))
    assert [finding.params for finding in typed.reasons] == [{"codes": "H99"}]
    # Who was put on the paper list is no more to be looked at.
    listed = (PaperReceiver(name="Đơn vị H99", code="H99", reason=PaperReason.UNKNOWN),)
    ReceiversDesk(office).put_paper(typed.draft.id, listed)
    again = row(office, typed.draft.id)
    assert (again.reasons, notes(again)) == ((), {"out_receivers_paper": "Đơn vị H99"})


def test_lines_that_point_into_the_text_are_told_and_stop_nothing(office: Workspace) -> None:
    shown = row(office, waits(office, "Như Điều 3", "Như thành phần mời", PROVINCE))
    assert notes(shown) == {"out_receivers_referred": "Như Điều 3; Như thành phần mời"}
    assert shown.receivers.asked == ()
    said(office, "Như Điều 3")
    assert notes(row(office, shown.draft.id)) == {"out_receivers_referred": "Như thành phần mời"}
    assert set(notes(row(office, waits(office, "Như Điều 3")))) == {"out_no_receivers"}


def test_only_what_this_program_sends_for_a_body_is_read_off_the_page(office: Workspace) -> None:
    for profile in (Profile.COPY, Profile.LEADER, Profile.PLAIN):
        assert row(office, waits(office, PROVINCE, "Các phòng", profile=profile)).draft.receivers == ()
    external = Body(code=OWN, name=OWN_NAME, exchange=Exchange.EXTERNAL)
    office.change_settings(lambda old: msgspec.structs.replace(old, bodies=(external,)))
    shown = row(office, waits(office, PROVINCE, "Các phòng"))
    assert (shown.draft.receivers, notes(shown)) == ((), {"out_no_receivers": ""})


def test_each_body_has_said_for_itself_what_a_line_means(office: Workspace) -> None:
    both = (Body(code=OWN, name=OWN_NAME), Body(code=COUNCIL, name=COUNCIL_NAME))
    office.change_settings(lambda old: msgspec.structs.replace(old, bodies=both))
    said(office, "Các ban", "H77.02", body=COUNCIL)
    council, own = (row(office, waits(office, "Các ban", body=name.upper())) for name in (COUNCIL_NAME, OWN_NAME))
    assert (council.receivers.body, council.draft.receivers) == (COUNCIL, ("H77.02",))
    assert (own.receivers.body, own.receivers.asked) == (OWN, ("Các ban",))
    # Nobody knows yet whose document it is: the directory alone speaks.
    unknown = row(office, waits(office, "Các ban", PROVINCE))
    assert (unknown.receivers.body, unknown.draft.receivers, unknown.receivers.asked) == ("", ("H77",), ("Các ban",))


def test_a_draft_that_goes_takes_its_paper_list_along(office: Workspace) -> None:
    draft_id = waits(office)
    ReceiversDesk(office).put_paper(draft_id, (PaperReceiver(name="Ông A", reason=PaperReason.CHOSEN),))
    Outgoing(office).remove([draft_id])
    assert ReceiversDesk(office).paper(draft_id) == ()


# --- right before it is queued ---------------------------------------------------------------------------------------


def goes(
    space: Workspace,
    receivers: Sequence[str] = (),
    page: FromPage | None = None,
    *,
    profile: Profile = Profile.AGENCY,
    number: str | None = "1",
    exchange: Exchange = Exchange.SERVER,
    body: bool = True,
    draft_id: str | None = "d",
) -> Goes:
    """To whom a document of the draft "d" goes."""
    main = FileJob("/a.pdf", "", FileRole.MAIN, profile)
    work = DocumentWork.of(DocumentJob((main,), receivers=tuple(receivers), page=page, draft=draft_id))
    document = Document(
        id="x", body_code=OWN, created_at=NOW, state=DocumentState.SIGNED, number=number, notation="QĐ-UBND",
        doc_date=NOW.date(),
    )  # fmt: skip
    owner = Body(code=OWN, name=OWN_NAME, exchange=exchange) if body else None
    with space.store.view() as view:
        return goes_to(view, work, document, owner)


def test_receivers_are_parted_by_how_they_can_be_reached(office: Workspace) -> None:
    found = goes(office, ("H77", "H77.30", "H77.31", "H77.40", "H99"))
    assert found.codes == ("H77", "H77.02")
    assert [(one.code, one.reason) for one in found.paper] == [
        ("H77.31", PaperReason.INACTIVE),
        ("H77.40", PaperReason.NO_CHANNEL),
        ("H99", PaperReason.UNKNOWN),
    ]
    assert found.leaves
    assert [finding.code for finding in found.told] == ["out_receivers_paper"]


def test_on_the_command_line_a_code_is_taken_at_its_word(office: Workspace) -> None:
    found = goes(office, ("H99", "H77.31"), draft_id=None)
    assert (found.codes, [one.code for one in found.paper]) == (("H99",), ["H77.31"])


def test_nothing_leaves_while_a_line_is_asked_and_the_answer_counts_at_once(office: Workspace) -> None:
    page = FromPage(asked=("Các phòng", "Ông A"))
    found = goes(office, ("H77",), page)
    assert (found.leaves, found.asked) == (False, ("Các phòng", "Ông A"))
    assert [finding.params for finding in found.told] == [{"lines": "Các phòng; Ông A"}]
    said(office, "Các phòng", "H77.02", "H77.31")
    said(office, "Ông A", paper=True)
    found = goes(office, ("H77",), page)
    assert (found.leaves, found.codes) == (True, ("H77", "H77.02"))
    assert [(one.code, one.name) for one in found.paper] == [(None, "Ông A"), ("H77.31", "Trạm Thú y huyện Cũ")]


def test_who_is_on_the_drafts_paper_list_is_not_sent_to_and_not_listed_twice(office: Workspace) -> None:
    on_list = (
        PaperReceiver(name="Tỉnh", code="H77", reason=PaperReason.LAW),
        PaperReceiver(name="Ông A", reason=PaperReason.CHOSEN),
    )
    office.store.write(lambda tx: tx.receivers.put_paper("d", on_list, NOW))
    found = goes(office, ("H77",), FromPage(paper=(on_list[1],)))
    assert (found.codes, found.paper, found.leaves) == ((), (), False)
    assert found.names == ("Tỉnh", "Ông A")


def test_only_what_this_program_may_send_goes_anywhere(office: Workspace) -> None:
    asked = FromPage(asked=("Các phòng",))
    for found in (
        goes(office, ("H77", "H99"), asked, profile=Profile.LEADER),
        goes(office, ("H77", "H99"), asked, number=None),
        goes(office, ("H77", "H99"), asked, exchange=Exchange.EXTERNAL),
        goes(office, ("H77", "H99"), asked, body=False),
    ):
        assert found == Goes()


# --- signed ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clerk(desk: Desk) -> Iterator[Clerk]:
    with clerk_at(desk) as clerk:
        tell(clerk.space)
        yield clerk


def sent(space: Workspace, result: BatchResult) -> tuple[str, tuple[OutboxPacket, ...]]:
    """The one document that was signed, and what was queued of it."""
    (document,) = {file.document for file in result.files}
    assert document is not None
    with space.store.view() as view:
        return document, view.outbox.of_document(document)


def test_what_the_page_names_is_sent_and_those_without_a_channel_are_on_paper(clerk: Clerk) -> None:
    said(clerk.space, "Sở Nội vụ", "H77.02", "H77.40")
    said(clerk.space, "Các phòng chuyên môn, các thôn", paper=True)
    ids = clerk.bring_in(clerk.desk.letter("ke-hoach.pdf"))
    document, (packet,) = sent(clerk.space, result := clerk.sign(ids))
    assert packet.receivers == ("H77", "H77.02")
    desk = ReceiversDesk(clerk.space)
    assert [(one.name, one.reason) for one in desk.paper(document)] == [
        ("Các phòng chuyên môn, các thôn", PaperReason.CHOSEN),
        ("Trường Mầm non", PaperReason.NO_CHANNEL),
    ]
    assert desk.paper_waiting() == (document,)
    (file,) = result.files
    assert [warning.code for warning in file.warnings] == ["out_receivers_paper"]
    with clerk.space.store.blobs.path(packet.sha256).open("rb") as stream:
        header = read_header(stream)
    assert header.paper
    assert [organ.code for organ in header.receivers] == ["H77", "H77.02"]


def test_what_is_asked_is_signed_and_kept_until_it_is_told(clerk: Clerk) -> None:
    ids = clerk.bring_in(clerk.desk.letter("ke-hoach.pdf"))
    document, packets = sent(clerk.space, result := clerk.sign(ids))
    asked = ("Sở Nội vụ", "Các phòng chuyên môn, các thôn")
    (file,) = result.files
    assert (file.state, packets) == ("signed", ())
    assert [(warning.code, warning.params) for warning in file.warnings] == [
        ("out_receivers_unknown", {"lines": "; ".join(asked)})
    ]
    desk = ReceiversDesk(clerk.space)
    assert desk.of_kept(document) == ("H77", *asked)
    assert desk.of_kept("nobody") == ()
    for line in asked:
        desk.means(OWN, line, ["H77.02"])
    packet = give(clerk.space, document, desk.resolve(OWN, desk.of_kept(document)).codes)
    with clerk.space.store.view() as view:
        assert [(one.packet_id, one.receivers) for one in view.outbox.of_document(document)] == [
            (packet, ("H77", "H77.02"))
        ]


def test_what_goes_to_all_on_paper_is_not_queued_and_counts_as_paper(clerk: Clerk) -> None:
    ids = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"), receivers=("H77", "H77.40"))
    ReceiversDesk(clerk.space).keep_on_paper(ids[0], ["H77"], by_law=True)
    document, packets = sent(clerk.space, clerk.sign(ids))
    assert packets == ()
    assert [(one.code, one.reason) for one in ReceiversDesk(clerk.space).paper(document)] == [
        ("H77", PaperReason.LAW),
        ("H77.40", PaperReason.NO_CHANNEL),
    ]
    with clerk.space.store.view() as view:
        found = view.documents.get(document)
        assert found is not None
        assert found.state is DocumentState.SIGNED
        assert view.receivers.paper(ids[0]) == ()
    # Signed again, what the clerk said of paper still holds, and the old copy is owed to nobody.
    again = clerk.outgoing.sign_again(document)
    assert [one.code for one in ReceiversDesk(clerk.space).paper(again.id)] == ["H77"]
    clerk.outgoing.edit(again.id, Changes(receivers=("H77", "H77.02")))
    clerk.outgoing.examine([again.id], clerk.chosen)
    newer, (packet,) = sent(clerk.space, clerk.sign([again.id]))
    assert packet.receivers == ("H77.02",)
    assert ReceiversDesk(clerk.space).paper_waiting() == (newer,)


def test_a_batch_that_is_gone_on_with_sends_to_whom_the_page_named(desk: Desk) -> None:
    with clerk_at(desk) as clerk:
        tell(clerk.space)
        ids = clerk.bring_in(clerk.desk.letter("ke-hoach.pdf"))
        clerk.sign(ids, stop_at_once=True)
        said(clerk.space, "Sở Nội vụ", "H77.02")
        said(clerk.space, "Các phòng chuyên môn, các thôn")
    with opened(desk) as space, space.store.view() as view:
        rest = unfinished(view)
        assert rest is not None
        (job,) = rest.jobs
        assert (job.receivers, job.page) == (
            ("H77",), FromPage(asked=("Sở Nội vụ", "Các phòng chuyên môn, các thôn")),
        )  # fmt: skip
    with clerk_at(desk) as clerk:
        clerk.outgoing.examine(ids, clerk.chosen)
        _document, (packet,) = sent(clerk.space, clerk.sign(ids, continues=rest.batch.id))
        assert packet.receivers == ("H77", "H77.02")


def test_signing_alone_asks_nobody_and_owes_no_paper(clerk: Clerk) -> None:
    ids = clerk.bring_in(clerk.desk.letter("ke-hoach.pdf"))
    document, packets = sent(clerk.space, result := clerk.sign(ids, send=False))
    assert (packets, [file.warnings for file in result.files]) == ((), [()])
    assert ReceiversDesk(clerk.space).paper(document) == ()


def test_a_document_that_cannot_be_reached_any_more_cannot_be_given(clerk: Clerk) -> None:
    ids = clerk.bring_in(clerk.desk.letter("quyet-dinh.pdf"), receivers=("H77.40",))
    document, packets = sent(clerk.space, clerk.sign(ids))
    assert packets == ()
    desk = ReceiversDesk(clerk.space)
    with pytest.raises(KnownError) as caught:
        give(clerk.space, document, desk.of_kept(document))
    assert caught.value.code == "receivers_on_paper"
    assert [(one.code, one.reason) for one in desk.paper(document)] == [("H77.40", PaperReason.NO_CHANNEL)]
