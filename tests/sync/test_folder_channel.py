"""Exchange through a folder: once only on the way out, nothing trusted and nothing lost on the way in."""

import hashlib
import io
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from signer_sync import folder_channel
from signer_sync.errors import ExchangeError
from signer_sync.folder_channel import DONE, IN, LEDGER, OUT, FolderChannel
from signer_sync.folder_files import SETTLE_SECONDS
from signer_sync.ids import uuid7
from signer_sync.loop import sync_once
from signer_sync.packets import OutgoingPacket
from signer_sync.ports import Sought
from signer_sync.receiving import PATIENCE
from signer_sync.reports import Outcome
from tests.sync.stores import NOON, HandClock, MemoryInbox, MemoryOutbox

ORG = "H77.15"


class Desk:
    """A folder that is exchanged through, and the program's side of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "trao đổi"
        self.folder.mkdir()
        self.files = folder
        FolderChannel.set_up(self.folder, ORG)
        self.clock = HandClock()
        self.outbox = MemoryOutbox()
        self.inbox = MemoryInbox()
        self.channel = self.opened()

    def opened(self) -> FolderChannel:
        """The channel as a program that was just started has it."""
        return FolderChannel(self.folder, ORG, now=lambda: self.clock.wall.timestamp(), monotonic=self.clock.monotonic)

    def packet(self, content: bytes = b"<edXML/>") -> OutgoingPacket:
        path = self.files / uuid7()
        path.write_bytes(content)
        return OutgoingPacket(
            path.name, ORG, path, hashlib.sha256(content).hexdigest(), len(content), urgency=0, created_at=NOON
        )

    def put(self, name: str, content: bytes, *, age: float = 2 * SETTLE_SECONDS) -> Path:
        """What another program lays down."""
        path = self.folder / IN / name
        path.write_bytes(content)
        written = self.clock.wall.timestamp() - age
        os.utime(path, (written, written))
        return path

    def run(self) -> tuple[int, int]:
        report = sync_once(self.channel, self.outbox, self.inbox, self.clock.around)
        assert report.stopped is None
        return report.sent, report.received

    def names(self, part: str) -> list[str]:
        return sorted(path.name for path in (self.folder / part).iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# -- out ---------------------------------------------------------------------------------------------------


def test_what_is_sent_lies_in_the_folder_under_its_id_and_is_proven_by_its_hash(desk: Desk) -> None:
    packet = desk.packet()
    desk.outbox.packets.append(packet)
    assert desk.run() == (1, 0)
    assert desk.names(OUT) == [f"{packet.packet_id}.edxml"]
    assert (desk.folder / OUT / desk.names(OUT)[0]).read_bytes() == packet.path.read_bytes()
    assert packet.sha256 in desk.outbox.proofs[packet.packet_id].text
    assert desk.outbox.proofs[packet.packet_id].receipt is None


def test_the_other_program_takes_it_away_and_it_is_not_laid_there_again(desk: Desk) -> None:
    packet = desk.packet()
    first = desk.channel.submit(packet, None, lambda _: None)
    (desk.folder / OUT / f"{packet.packet_id}.edxml").unlink()
    assert desk.opened().submit(packet, None, lambda _: None) == first
    assert desk.names(OUT) == []
    assert desk.channel.seek(packet) is Sought.THERE


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True])
def test_cut_at_any_step_it_appears_exactly_once(
    desk: Desk, step: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet, steps = desk.packet(), [0]
    real = Path.replace

    class PowerCutError(Exception):
        pass

    def cut(self: Path, target: Path) -> Path:
        steps[0] += 1
        if steps[0] == step and not after:
            raise PowerCutError
        made = real(self, target)
        if steps[0] == step:
            raise PowerCutError
        return made

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(PowerCutError):
        desk.channel.submit(packet, None, lambda _: None)
    monkeypatch.undo()
    taken = desk.names(OUT)
    for name in taken:  # the other program is quick
        (desk.folder / OUT / name).unlink()
    desk.opened().submit(packet, None, lambda _: None)
    assert [*taken, *desk.names(OUT)] == [f"{packet.packet_id}.edxml"]


def test_another_content_under_the_same_id_is_refused(desk: Desk) -> None:
    packet = desk.packet()
    desk.channel.submit(packet, None, lambda _: None)
    desk.outbox.packets.append(replace(desk.packet(b"<edXML>other</edXML>"), packet_id=packet.packet_id))
    sync_once(desk.channel, desk.outbox, desk.inbox, desk.clock.around)
    assert desk.outbox.stuck == {packet.packet_id: "failed packet_conflict"}


def test_a_queued_file_that_has_changed_does_not_leave(desk: Desk) -> None:
    changed, gone = desk.packet(), desk.packet()
    changed.path.write_bytes(b"other")
    gone.path.unlink()
    desk.outbox.packets += [changed, gone]
    report = sync_once(desk.channel, desk.outbox, desk.inbox, desk.clock.around)
    assert [(one.outcome, one.code) for one in report.packets] == [(Outcome.NEEDS_PERSON, "packet_damaged")] * 2
    assert desk.names(OUT) == []


def test_a_ledger_that_cannot_be_read_lets_a_person_decide(desk: Desk) -> None:
    packet = desk.packet()
    (desk.folder / LEDGER / f"{packet.packet_id}.json").write_bytes(b"\0\0\0")
    desk.outbox.packets.append(packet)
    sync_once(desk.channel, desk.outbox, desk.inbox, desk.clock.around)
    assert desk.outbox.stuck == {packet.packet_id: "needs_person outcome_undecided"}


# -- which folder ------------------------------------------------------------------------------------------


def test_the_ledger_does_not_grow_for_ever_and_forgets_nothing_that_could_be_doubled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_channel, "MOST_NOTES", 3)
    monkeypatch.setattr(folder_channel, "NOTES_BETWEEN", 2)
    # Ids made in one millisecond have no order of their own.
    sent = sorted((desk.packet(b"<edXML>%d</edXML>" % number) for number in range(9)), key=lambda one: one.packet_id)
    for packet in sent:
        desk.channel.submit(packet, None, lambda _: None)
        (desk.folder / OUT / f"{packet.packet_id}.edxml").unlink()
    assert len(desk.names(LEDGER)) <= 1 + 3 + 2
    oldest, newest = replace(sent[0], attempts=1), replace(sent[-1], attempts=1)
    with pytest.raises(ExchangeError) as caught:
        desk.opened().submit(oldest, None, lambda _: None)
    assert caught.value.code == "outcome_undecided"
    desk.opened().submit(newest, None, lambda _: None)
    assert desk.names(OUT) == []
    never_tried = replace(desk.packet(b"<edXML>old</edXML>"), packet_id="00000000-0000-7000-8000-000000000000")
    desk.opened().submit(never_tried, None, lambda _: None)
    assert desk.names(OUT) == [f"{never_tried.packet_id}.edxml"], "what waited for ages and was never tried goes out"
    desk.opened().contact()


def test_a_drive_that_is_not_connected_keeps_everything_waiting(desk: Desk) -> None:
    desk.outbox.packets.append(desk.packet())
    desk.folder.rename(desk.files / "elsewhere")
    for expected in ("folder_unreachable", "folder_not_ours"):
        report = sync_once(desk.channel, desk.outbox, desk.inbox, desk.clock.around)
        assert (report.unreachable, report.waiting, desk.outbox.log) == (expected, 1, [])
        desk.folder.mkdir(exist_ok=True)  # the bare mount point
    shutil.rmtree(desk.folder)
    (desk.files / "elsewhere").rename(desk.folder)
    assert desk.run() == (1, 0)


def test_the_folder_of_another_body_is_not_used(desk: Desk) -> None:
    with pytest.raises(ExchangeError) as caught:
        FolderChannel.set_up(desk.folder, "H77.02")
    assert caught.value.code == "folder_not_ours"


def test_a_folder_set_up_again_keeps_its_epoch_and_a_new_one_has_another(desk: Desk, tmp_path: Path) -> None:
    FolderChannel.set_up(desk.folder, ORG)
    before = desk.channel.contact().epoch
    assert desk.opened().contact().epoch == before
    (tmp_path / "new").mkdir()
    FolderChannel.set_up(tmp_path / "new", ORG)
    assert FolderChannel(tmp_path / "new", ORG).contact().epoch != before


# -- in ----------------------------------------------------------------------------------------------------


def test_files_of_any_name_come_in_once_and_are_put_aside(desk: Desk) -> None:
    names = ["CV 12.edxml", "Công văn số 7.EDXML", "..edxml", "a;rm -rf $(x).edxml", "x" * 200 + ".edxml"]
    for number, name in enumerate(names):
        desk.put(name, b"%d" % number)
    desk.put("not one.pdf", b"%PDF")
    desk.put(".hidden.edxml", b"?")
    wanted = {b"0", b"1", b"3", b"4"}
    assert desk.run() == (0, len(wanted))
    assert set(desk.inbox.kept.values()) == wanted
    assert desk.names(DONE) == sorted(name for name in names if not name.startswith("."))
    assert desk.names(IN) == sorted([".hidden.edxml", "..edxml", "not one.pdf"])
    assert desk.run() == (0, 0)


@pytest.mark.skipif(os.name == "nt", reason="names are bytes on other systems only")
def test_a_name_that_is_no_text_is_no_hindrance(desk: Desk) -> None:
    desk.put(os.fsdecode(b"\xff\xfe.edxml"), b"1")
    assert desk.run() == (0, 1)
    assert [os.fsencode(name) for name in desk.names(DONE)] == [b"\xff\xfe.edxml"]


def test_links_and_pipes_are_left_alone(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"1")
    (desk.folder / IN / "link.edxml").symlink_to(secret)
    os.mkfifo(desk.folder / IN / "pipe.edxml")
    (desk.folder / IN / "folder.edxml").mkdir()
    assert desk.run() == (0, 0)
    assert len(desk.names(IN)) == 3


def test_a_file_that_is_still_being_written_is_left_until_it_is_whole(desk: Desk) -> None:
    path = desk.put("a.edxml", b"half", age=1)
    assert desk.run() == (0, 0)
    desk.clock.sleep(SETTLE_SECONDS / 2)
    desk.put("a.edxml", b"whole", age=0)
    assert desk.run() == (0, 0)
    desk.clock.sleep(SETTLE_SECONDS + 1)
    assert desk.run() == (0, 1)
    assert list(desk.inbox.kept.values()) == [b"whole"]
    assert not path.exists()


def test_a_file_from_a_machine_whose_clock_is_ahead_comes_in_too(desk: Desk) -> None:
    desk.put("a.edxml", b"1", age=-86400)
    assert desk.run() == (0, 0)
    desk.clock.sleep(SETTLE_SECONDS)
    assert desk.run() == (0, 1)


def test_the_same_content_twice_is_one_arrival_and_both_files_are_put_aside(desk: Desk) -> None:
    desk.put("a.edxml", b"1")
    desk.put("b.edxml", b"1")
    assert desk.run() == (0, 1)
    assert desk.names(DONE) == ["a.edxml", "b.edxml"]


def test_the_same_name_again_puts_no_earlier_file_away(desk: Desk) -> None:
    for content in (b"1", b"2", b"1"):
        desk.put("a.edxml", content)
        desk.run()
    kept = {(desk.folder / DONE / name).read_bytes() for name in desk.names(DONE)}
    assert (kept, set(desk.inbox.kept.values()), desk.names(IN)) == ({b"1", b"2"}, {b"1", b"2"}, [])


def test_nothing_is_put_aside_before_it_is_kept_nor_if_it_changed_meanwhile(desk: Desk) -> None:
    desk.put("a.edxml", b"1")

    def overwritten(step: str) -> None:
        if step == "take":
            desk.put("a.edxml", b"22")

    desk.inbox.step = overwritten
    assert desk.run() == (0, 1)
    assert desk.names(DONE) == []
    desk.inbox.step = lambda _: None
    assert desk.run() == (0, 1)
    assert set(desk.inbox.kept.values()) == {b"1", b"22"}
    assert desk.names(DONE) == ["a.edxml"]


def test_a_program_that_ended_before_it_put_aside_takes_nothing_twice(desk: Desk) -> None:
    desk.put("a.edxml", b"1")

    class EndError(Exception):
        pass

    def ends(step: str) -> None:
        if step == "advance":
            raise EndError

    channel, desk.inbox.step = desk.channel, ends
    with pytest.raises(EndError):
        sync_once(channel, desk.outbox, desk.inbox, desk.clock.around)
    desk.put("b.edxml", b"2")
    desk.inbox.step, desk.channel = (lambda _: None), desk.opened()
    assert desk.run() == (0, 1)
    assert set(desk.inbox.kept.values()) == {b"1", b"2"}


def test_more_files_than_a_page_all_come_in_in_the_order_of_their_time(desk: Desk) -> None:
    for number in range(120):
        desk.put(f"{1000 - number}.edxml", b"%d" % number, age=1000 - number)
    assert desk.run() == (0, 120)
    assert list(desk.inbox.kept.values()) == [b"%d" % number for number in range(120)]
    assert desk.names(IN) == []


def test_a_file_too_large_for_anyone_is_recorded_and_put_aside_unread(desk: Desk) -> None:
    path = desk.put("a.edxml", b"")
    with path.open("r+b") as file:
        file.truncate(600 << 20)
    os.utime(path, (0, 0))
    desk.put("b.edxml", b"2")
    reports = [sync_once(desk.channel, desk.outbox, desk.inbox, desk.clock.around) for _ in range(PATIENCE)]
    assert [item.code for item in reports[-1].given_up] == ["packet_too_large"]
    assert [report.received for report in reports] == [1, 0, 0, 0, 0]
    assert desk.names(DONE) == ["a.edxml", "b.edxml"]


def test_a_file_that_is_taken_away_or_changed_under_our_hands_is_not_had(desk: Desk) -> None:
    desk.put("a.edxml", b"1")
    page = desk.channel.list(None, limit=10, wait=0)
    desk.put("a.edxml", b"2", age=99)
    for _ in range(2):
        with pytest.raises(ExchangeError) as caught:
            desk.channel.fetch(page.items[0], io.BytesIO(), limit=100)
        assert caught.value.code == "folder_file_gone"
        (desk.folder / IN / "a.edxml").unlink(missing_ok=True)


def test_an_old_cursor_moves_nothing(desk: Desk) -> None:
    desk.put("a.edxml", b"1")
    cursor = desk.channel.list(None, limit=10, wait=0).cursor
    desk.opened().ack(cursor)
    assert desk.names(IN) == ["a.edxml"]
