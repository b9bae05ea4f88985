"""What is written of each kind of packet is what is read of it."""

import io
import unicodedata
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import (
    VIETNAM,
    AttachmentFile,
    Doubt,
    Organ,
    OutgoingDocument,
    PacketHeader,
    Priority,
    ReceiverChange,
    Replaced,
    Replacement,
    ResponseFor,
    SignerInfo,
    Staff,
    StatusCode,
    StatusMessage,
    Steering,
    Trace,
    Update,
)
from signer_sync.edxml_write import write_packet, write_recall, write_status
from tests.server.world import COMMUNE, COMMUNE_NAME, OFFICE, attachment, document
from tests.sync.edxml_made import header_of, read, short

T = TypeVar("T")

# Letters that people use, those that XML must escape, stacked diacritics, signs beyond the first plane.
LETTERS = st.sampled_from("aĐđ Ợ0/,.<>&\"']ế\u0302\u00a0😀\u200b") | st.characters(exclude_categories=["Cc", "Cs"])
POOLS = st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=5)


class Author:
    """Makes up values out of a few texts: a field more costs no draw more."""

    def __init__(self, pool: list[str], random: Random) -> None:
        self.pool, self.random = pool, random

    def text(self) -> str:
        return self.random.choice(self.pool)

    def words(self) -> str:
        return self.random.choice([text for text in self.pool if text.strip()] or ["12"])

    def several(self, make: Callable[[], T], least: int = 0) -> tuple[T, ...]:
        return tuple(make() for _ in range(self.random.randint(least, 3)))

    def yes(self) -> bool:
        return self.random.random() < 0.5

    def instant(self) -> datetime:
        return datetime(1945, 9, 2, tzinfo=VIETNAM) + timedelta(seconds=self.random.randrange(150 * 365 * 86400))

    def organ(self) -> Organ:
        return Organ(self.words(), *(self.text() for _ in range(7)))

    def response(self) -> ResponseFor:
        return ResponseFor(self.words(), self.text(), self.text(), self.words())

    def staff(self) -> Staff:
        return Staff(*(self.text() for _ in range(4)))

    def document(self) -> OutgoingDocument:
        return OutgoingDocument(
            sender=self.organ(),
            receivers=self.several(self.organ, 1),
            number=self.words(),
            notation=self.words(),
            issued=self.instant().date(),
            place=self.text(),
            type_code=self.text(),
            type_name=self.text(),
            subject=self.text(),
            signer=SignerInfo(self.text(), self.text(), self.text()),
            sent_at=self.instant(),
            priority=self.random.choice(list(Priority)),
            appendixes=self.several(self.text),
            to_places=self.several(self.text),
            page_amount=self.random.choice([None, 0, 12]),
            staff=self.staff(),
            content=self.text(),
            due=self.instant().date() if self.yes() else None,
            steering=self.random.choice([None, *Steering]),
            response_for=self.several(self.response),
            paper=self.yes(),
            sent_as=self.words() if self.yes() else "",
        )

    def update(self) -> Update:
        changes = self.several(lambda: ReceiverChange(self.words(), self.yes()))
        return Update(not changes or self.yes(), changes, self.text())

    def replacement(self) -> Replacement:
        return Replacement(self.several(lambda: Replaced(self.words(), self.several(self.words)), 1), self.words())

    def status(self) -> StatusMessage:
        code = self.random.choice(list(StatusCode))
        return StatusMessage(self.organ(), self.response(), code, self.words(), self.instant(), self.staff())


AUTHORS = st.builds(Author, POOLS, st.integers(0, 1 << 30).map(Random))

shared = settings(short, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def told(value: Any) -> Any:
    """A value as it comes back: texts composed and without blanks around them."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip()
    if isinstance(value, tuple):
        return tuple(told(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: told(getattr(value, item.name)) for item in fields(value)})
    return value


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def assert_tells(header: PacketHeader, plain: OutgoingDocument) -> None:
    """Nothing of the document is lost in the header, whatever kind of packet carries it."""
    assert header.sender == told(plain.sender)
    assert header.receivers == told(plain.receivers)
    assert (header.document_id, header.label) == told(
        (plain.document_id, f"{told(plain.number)}/{told(plain.notation)}")
    )
    assert (header.place, header.issued_date) == (told(plain.place), plain.issued)
    assert (header.type_code, header.type_name) == told((plain.type_code, plain.type_name))
    assert (header.subject, header.content) == told((plain.subject, plain.content))
    assert (header.signer, header.staff) == told((plain.signer, plain.staff))
    assert (header.priority, header.steering, header.paper) == (plain.priority, plain.steering, plain.paper)
    assert (header.appendixes, header.to_places) == told((plain.appendixes, plain.to_places))
    assert header.page_amount == ("" if plain.page_amount is None else str(plain.page_amount))
    assert (header.due_date, header.response_for) == (plain.due, told(plain.response_for))
    assert header.traces == (Trace(told(plain.sender.code), f"{plain.sent_at:%Y/%m/%d %H:%M:%S}"),)
    assert header.told_at == plain.sent_at
    assert header.kind_declared
    assert not header.signature_present


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> AttachmentFile:
    return attachment(tmp_path_factory.mktemp("edxml"))


@shared
@given(AUTHORS)
def test_a_new_document_comes_back_whole(file: AttachmentFile, author: Author) -> None:
    plain, name, description = author.document(), author.text(), author.text()
    called = replace(file, name=name, description=description)
    packet, contents = read(written(lambda out: write_packet(plain, [called, file], out)), strict=True)
    assert_tells(packet.header, plain)
    assert (packet.header.kind, packet.header.concerns) == (PacketKind.NEW, ())
    assert tuple(item.name for item in packet.attachments) == told((name, file.name))
    assert (packet.attachments[0].description, packet.attachments[1].sha256) == (told(description or name), file.sha256)
    assert contents == [file.path.read_bytes()] * 2
    assert not set(packet.doubts) - {Doubt.NUMBER}


@shared
@given(AUTHORS)
def test_an_update_comes_back_whole(author: Author) -> None:
    plain, change = author.document(), author.update()
    header = header_of(written(lambda out: write_packet(plain, [], out, change)), strict=True)
    assert_tells(header, plain)
    assert (header.kind, header.reason) == (PacketKind.UPDATE, told(change.reason))
    assert header.concerns == (told(plain.document_id),)
    assert (header.info_changed, header.receiver_changes) == (change.info, told(change.receivers))


@shared
@given(AUTHORS)
def test_a_replacement_comes_back_whole(file: AttachmentFile, author: Author) -> None:
    plain, change = author.document(), author.replacement()
    header = header_of(written(lambda out: write_packet(plain, [file], out, change)), strict=True)
    assert_tells(header, plain)
    assert (header.kind, header.reason) == (PacketKind.REPLACE, told(change.reason))
    everyone = tuple(organ.code for organ in plain.receivers)
    assert header.replaced == told(
        tuple(Replaced(item.document_id, item.organ_codes or everyone) for item in change.replaced)
    )
    assert header.concerns == tuple(dict.fromkeys(item.document_id for item in header.replaced))


@shared
@given(AUTHORS)
def test_a_recall_comes_back_whole(author: Author) -> None:
    plain, reason = author.document(), author.words()
    packet, contents = read(written(lambda out: write_recall(plain, reason, out)), strict=True)
    assert_tells(packet.header, plain)
    assert (packet.header.kind, packet.header.reason) == (PacketKind.REVOKE, told(reason))
    assert packet.header.concerns == (told(plain.document_id),)
    assert contents == []


@shared
@given(AUTHORS)
def test_a_status_message_comes_back_whole(author: Author) -> None:
    status = author.status()
    out = io.BytesIO()
    result = write_status(status, out)
    header = header_of(out.getvalue(), strict=True)
    assert (header.kind, header.status) == (PacketKind.STATUS, status.code)
    assert (header.sender, header.staff) == told((status.sender, status.staff))
    assert header.response_for == (told(status.answers),)
    assert header.routed_to == (told(status.answers.organ_code),)
    assert (header.description, header.told_at) == (told(status.description), status.at)
    assert (header.receivers, header.references, header.concerns) == ((), (), ())
    assert (result.size, result.document_id) == (len(out.getvalue()), status.answers.document_id)
    assert not header.doubts


ANSWERED = ResponseFor(OFFICE, "5/BC-SNV", "2026/11/20", f"{OFFICE},2026/11/20,5/BC-SNV")


def status(**changes: Any) -> StatusMessage:
    plain = StatusMessage(
        Organ(COMMUNE, COMMUNE_NAME), ANSWERED, StatusCode.ACCEPTED, "Đã vào sổ", datetime(2026, 11, 20, 3, tzinfo=UTC)
    )
    return replace(plain, **changes)


@pytest.mark.parametrize("code", [StatusCode.RETURNED, StatusCode.ASKED_BACK])
@pytest.mark.parametrize("reason", ["", " \n "])
def test_nothing_is_returned_or_asked_back_without_a_reason(code: StatusCode, reason: str) -> None:
    with pytest.raises(KnownError, match="reason missing"):
        write_status(status(code=code, description=reason), io.BytesIO())


@pytest.mark.parametrize("code", ["03", "01", "15", "16"])
def test_what_needs_no_reason_may_go_without(code: str) -> None:
    header = header_of(written(lambda out: write_status(status(code=StatusCode(code), description=""), out)))
    assert (header.status_code, header.description) == (code, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": Organ("", "x")},
        {"answers": replace(ANSWERED, organ_code=" ")},
        {"answers": replace(ANSWERED, document_id="")},
    ],
)
def test_a_status_message_names_its_sender_its_addressee_and_the_document(changes: dict[str, Any]) -> None:
    with pytest.raises(KnownError, match="missing"):
        write_status(status(**changes), io.BytesIO())


def test_a_reason_of_several_lines_keeps_them() -> None:
    reason = "Chữ ký không hợp lệ:\r\n\t- trang 2 bị thay đổi\n- đề nghị gửi lại"
    header = header_of(written(lambda out: write_status(status(code=StatusCode.RETURNED, description=reason), out)))
    assert header.description == "Chữ ký không hợp lệ:\n - trang 2 bị thay đổi\n- đề nghị gửi lại"
    header = header_of(written(lambda out: write_recall(document(), reason, out)))
    assert header.reason.count("\n") == 2
    with pytest.raises(KnownError, match="control character in Description"):
        write_status(status(description="a\x07b"), io.BytesIO())


def test_a_time_without_an_offset_is_a_fault_of_ours() -> None:
    bare = datetime(2026, 11, 20)  # noqa: DTZ001
    with pytest.raises(ValueError, match="offset"):
        write_status(status(at=bare), io.BytesIO())
    with pytest.raises(ValueError, match="offset"):
        write_recall(document(sent_at=bare), "Sai nội dung", io.BytesIO())


def test_a_recall_an_empty_update_and_a_replacement_of_nothing_are_refused(tmp_path: Path) -> None:
    file, out = attachment(tmp_path), io.BytesIO()
    with pytest.raises(KnownError, match="reason missing"):
        write_recall(document(), " ", out)
    with pytest.raises(KnownError, match="update without change"):
        write_packet(document(), [file], out, Update())
    for replacement in (Replacement((), "Sai"), Replacement((Replaced("x"),), "")):
        with pytest.raises(KnownError, match="reason or replaced document missing"):
            write_packet(document(), [file], out, replacement)
    with pytest.raises(KnownError, match="file missing"):
        write_packet(document(), [], out, Replacement((Replaced("x"),), "Sai nội dung"))
    with pytest.raises(KnownError, match="code of a body missing"):
        write_packet(document(receivers=(Organ("", "Sở Nội vụ"),)), [file], out)
    assert out.getvalue() == b""


def test_a_document_of_a_body_with_a_new_code_is_recalled_by_the_id_it_was_sent_under() -> None:
    old = "000.00.15.H77,2026/11/20,12/QĐ-UBND"
    header = header_of(written(lambda out: write_recall(document(sent_as=old), "Sai số", out)))
    assert (header.document_id, header.concerns, header.sender.code) == (old, (old,), COMMUNE)


def test_an_answer_to_a_packet_names_the_document_that_it_is_about() -> None:
    plain = document()
    expected = ResponseFor(COMMUNE, "12/QĐ-UBND", "2026/11/20", plain.document_id)
    assert header_of(written(lambda out: write_recall(plain, "Sai số", out))).answered() == expected
    change = Update(receivers=(ReceiverChange(OFFICE, added=True),))
    assert header_of(written(lambda out: write_packet(plain, [], out, change))).answered() == expected


def test_an_answer_to_a_replacement_names_the_new_document(tmp_path: Path) -> None:
    change = Replacement((Replaced("cũ"),), "Sai nội dung")
    header = header_of(written(lambda out: write_packet(document(), [attachment(tmp_path)], out, change)))
    assert header.concerns == ("cũ",)
    assert header.answered().document_id == document().document_id
