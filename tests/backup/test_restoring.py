"""Backup, loss, restore: nothing lost, nothing sent twice, the journal sound in both its parts."""

import datetime as dt
import io
import json
import os
import re
import shutil
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest

from signer_app.backup.making import make_backup
from signer_app.backup.phrase import RecoveryCode
from signer_app.backup.reconciling import (
    LastNumber,
    confirm_numbers,
    held,
    let_go,
    number_questions,
    still_to_ask,
)
from signer_app.backup.restoring import is_used, open_backup, restore
from signer_app.cli.main import command_line
from signer_app.custody.anchors import prove_journal
from signer_app.exchange import withdrawing
from signer_app.store.arrival_book import ArrivalEntry
from signer_app.store.datafolder import DataFolder
from signer_app.store.model import OutboxState, ProofBy
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION
from signer_app.store.settings import ChannelKind, Seal
from signer_app.store.soundness import JournalAnchor
from signer_app.store.store import Store
from signer_app.verification.model import TrustMaterial
from signer_app.workspace import Overrides, workspace
from signer_resources.errors import KnownError
from signer_sync.contract import JournalHead
from tests.backup.spare import Spare
from tests.desk.office import TODAY
from tests.exchange.post import ORG
from tests.support.workspace import schema


def code(raised: pytest.ExceptionInfo[KnownError]) -> str:
    raised.value.explain("vi")
    return raised.value.code


def test_a_restored_machine_asks_before_it_sends_and_sends_nothing_twice(spare: Spare) -> None:
    post = spare.post
    before = post.sent("1")
    sent_later, also = post.given("2"), post.given("3")
    spare.make()
    # Between backup and loss one leaves, with entries of the journal that the backup doesn't have.
    post.sent("4")
    assert post.packet(sent_later.packet_id).state is OutboxState.ACCEPTED
    there = post.there()
    assert post.packet(also.packet_id).state is OutboxState.ACCEPTED
    result = spare.restored()
    assert (result.missing, result.held, result.documents, result.pictures, result.told) == ((), 2, 3, True, True)
    with spare.new_machine() as new:
        first = new.packet(sent_later.packet_id)
        assert first.receipt is None
        with pytest.raises(KnownError) as raised:
            withdrawing.withdraw(new.space, sent_later.packet_id)
        assert code(raised) == "withdraw_too_late"
        report = new.sync()
        assert (report.sent, still_to_ask(new.space), post.there()) == (0, 0, there)
        assert new.packet(before.packet_id) == before
        known = new.packet(sent_later.packet_id)
        assert (known.state, known.proof_by) == (OutboxState.ACCEPTED, ProofBy.RECEIPT)
        assert known.receipt == post.packet(sent_later.packet_id).receipt
        assert held(new.space) == ()
        with new.space.store.view() as view:
            proof = prove_journal(view, new.space.settings, TrustMaterial())
        old, mine = proof.epochs
        assert proof.sound
        assert (old.linked, mine.linked, old.lost, mine.first) == (True, True, 1, old.last + 1)


def test_what_the_server_has_not_waits_for_one_click(spare: Spare) -> None:
    waiting = spare.post.given("1")
    spare.make()
    spare.restored()
    with spare.new_machine() as new:
        for _pass in range(2):
            assert (new.sync().sent, spare.post.there()) == (0, [])
        assert [one.packet_id for one in held(new.space)] == [waiting.packet_id]
        with new.space.store.view() as view:
            notices = {one.code: one.params for one in view.notices.unseen()}
            assert view.outbox.next_time() is None
        # The old machine is the one that acknowledges until an administrator chooses.
        assert notices == {"restored_packets_wait": {"count": 1}, "second_machine": {}}
        # Gửi ngay is no answer to the question.
        new.space.store.write(lambda tx: tx.outbox.send_all_now())
        assert new.sync().sent == 0
        assert let_go(new.space) == 1
        assert new.sync().sent == 1
        assert spare.post.there() == [waiting.sha256]
        with new.space.store.view() as view:
            assert [one.code for one in view.notices.unseen()] == ["second_machine"]
    # The old machine comes back with the same packet: there is one copy.
    assert spare.post.sync(at_once=True).sent == 1
    assert spare.post.there() == [waiting.sha256]


def test_something_else_under_the_same_id_is_never_sent_by_itself(spare: Spare) -> None:
    packet = spare.post.given("1")
    spare.make()
    spare.post.sync(at_once=True)
    spare.restored()
    with spare.new_machine() as new:
        new.space.store._connection.execute("UPDATE outbox SET sha256 = ?", ("0" * 64,))
        assert new.sync().sent == 0
        assert [one.packet_id for one in held(new.space)] == [packet.packet_id]
        assert new.packet(packet.packet_id).error_code == "receipt_wrong"


def test_a_channel_that_cannot_be_asked_leaves_it_to_the_person(spare: Spare) -> None:
    packet = spare.post.given("1")
    body = spare.space.settings.bodies[0]
    (spare.place.parent / "hộp thư").mkdir()
    away = msgspec.structs.replace(
        body, channel=ChannelKind.FOLDER, exchange_folder=str(spare.place.parent / "hộp thư")
    )
    spare.post.change(bodies=(away,))
    spare.make()
    result = spare.restored()
    assert (result.held, result.undecided) == (0, 1)
    with spare.new_machine(enrolled=False) as new:
        assert new.sync().sent == 0
        stuck = new.packet(packet.packet_id)
        assert (stuck.state, stuck.error_code) == (OutboxState.NEEDS_PERSON, "outcome_undecided")
        new.space.store.write(lambda tx: tx.outbox.not_arrived(packet.packet_id, "Lê", new.space.now()))
        assert new.sync().sent == 1


def test_no_number_is_given_before_the_books_on_paper_were_looked_into(spare: Spare) -> None:
    post = spare.post
    post.office.signed("5", receivers=(), group="UBND-VHXH")
    now = post.office.clock()
    arrived = ArrivalEntry(author="Sở Nội vụ", at=now, operator="Lê")
    spare.space.store.write(lambda tx: tx.arrivals.enter(ORG, TODAY, arrived))
    kept = wish("6", spare)
    spare.space.store.write(lambda tx: tx.reservations.reserve(kept))
    spare.make()
    spare.restored()
    with spare.new_machine() as new:
        store = new.space.store
        for number in ("6", "9"):
            with pytest.raises(KnownError) as raised:
                reserve(store, number, spare)
            assert code(raised) == "restore_numbers_open"
        with pytest.raises(KnownError) as raised:
            store.write(lambda tx: tx.arrivals.enter(ORG, TODAY, arrived))
        assert code(raised) == "restore_numbers_open"
        outgoing, incoming = number_questions(new.space)
        assert (outgoing.last, incoming.sequence, incoming.last) == (5, None, 1)
        answers = [LastNumber(ORG, 2026, outgoing.sequence, 7), LastNumber(ORG, 2026, None, 3)]
        with pytest.raises(KnownError) as raised:
            confirm_numbers(new.space, answers[:1])
        assert code(raised) == "restore_numbers_missing"
        for last, said in ((4, "restore_number_lower"), (70_000, "restore_number_far")):
            with pytest.raises(KnownError) as raised:
                confirm_numbers(new.space, [LastNumber(ORG, 2026, outgoing.sequence, last), answers[1]])
            assert code(raised) == said
        assert confirm_numbers(new.space, answers) == 4
        for taken in ("6", "7"):
            with pytest.raises(KnownError) as raised:
                reserve(store, taken, spare)
            assert code(raised) == "number_given_up"
        assert store.write(lambda tx: tx.reservations.reserve(wish("8", spare)))
        assert store.write(lambda tx: tx.arrivals.enter(ORG, TODAY, arrived)) == 4
        assert number_questions(new.space) == ()


def reserve(store: Store, number: str, spare: Spare) -> bool:
    return store.write(lambda tx: tx.reservations.reserve(wish(number, spare)))


def wish(number: str, spare: Spare) -> Reservation:
    return Reservation.of(
        ORG,
        BY_NOTATION,
        number,
        "UBND-VHXH",
        TODAY,
        owner=number.rjust(64, "a"),
        name="Công văn.pdf",
        at=spare.post.office.clock(),
        operator="Lê",
    )


def test_seals_open_without_the_old_keyring_and_the_old_device_is_left_behind(spare: Spare) -> None:
    picture = spare.space.vault.keep(b"\x89PNG seal")
    body = msgspec.structs.replace(spare.space.settings.bodies[0], seals=(Seal(diameter_mm=36, picture=picture),))
    spare.post.change(bodies=(body,), modules=("/x/mất rồi.so",))
    spare.make()
    assert spare.restored().pictures
    with spare.new_machine(enrolled=False) as new:
        settings = new.space.settings
        assert new.space.vault.open(picture) == b"\x89PNG seal"
        assert settings.server is not None
        assert (settings.server.devices, settings.modules) == ({}, ())
        assert settings.server.server_id == spare.space.settings.server.server_id  # type: ignore[union-attr]
        assert make_backup(new.space).missing == 0
    # What the old machine would back up now is no longer the office's; its light says so.
    with pytest.raises(KnownError) as raised:
        spare.make()
    assert code(raised) == "backup_restored_elsewhere"


def test_a_folder_with_documents_is_refused_or_put_aside(spare: Spare) -> None:
    spare.post.kept("1")
    spare.make()
    spare.restored()
    assert is_used(spare.folder)
    with pytest.raises(KnownError) as raised:
        spare.restored()
    assert code(raised) == "restore_folder_used"
    kept = spare.restored(keep_old=True).kept_old
    assert kept is not None
    assert is_used(DataFolder(kept))
    with spare.new_machine():
        with pytest.raises(KnownError) as raised:
            spare.restored(keep_old=True)
        assert code(raised) == "busy"


def test_a_machine_that_was_only_started_once_is_filled(spare: Spare) -> None:
    spare.post.kept("1")
    spare.make()
    with workspace(spare.folder.path, Overrides(), writing=True, now=spare.post.office.clock) as fresh:
        assert fresh.store is not None
    assert spare.restored().documents == 1


def test_a_wrong_code_opens_nothing_and_says_so(spare: Spare) -> None:
    spare.make()
    for typed, said in (
        (str(RecoveryCode.make()), "backup_code_wrong"),
        (str(spare.code)[:-1], "recovery_code_length"),
        ("000000" + str(spare.code)[6:], "recovery_code_group"),
    ):
        with pytest.raises(KnownError) as raised:
            open_backup(spare.place, typed)
        assert code(raised) == said
    with pytest.raises(KnownError) as raised:
        open_backup(spare.place.parent / "x", str(spare.code))
    assert code(raised) == "backup_target_away"
    with pytest.raises(KnownError) as raised:
        open_backup(spare.folder.path.parent, str(spare.code))
    assert code(raised) == "backup_none_there"
    (inside,) = spare.place.iterdir()
    assert open_backup(inside, f"  {str(spare.code).replace('-', ' . ')}\n").generations


def test_altered_objects_are_missed_and_altered_generations_passed_over(spare: Spare) -> None:
    spare.post.kept("1")
    spare.make()
    spare.post.office.clock.go_on(86_400)
    spare.post.kept("2")
    spare.make()
    (state,) = [one for one in spare.files("generations") if one.stem == newest(spare) and one.suffix == ".state"]
    state.write_bytes(state.read_bytes()[:-1] + b"x")
    result = spare.restored()
    assert (result.passed_over, result.documents, result.missing) == (1, 1, ())
    shutil.rmtree(spare.folder.path)
    for one in spare.files("objects"):
        one.write_bytes(one.read_bytes()[:-1] + b"x")
    result = spare.restored()
    assert (len(result.missing), result.files) == (2, 0)
    shutil.rmtree(spare.folder.path)
    for one in spare.files("generations"):
        one.write_bytes(one.read_bytes().replace(b"SIGNER", b"signer"))
    with pytest.raises(KnownError) as raised:
        spare.restored()
    assert code(raised) == "backup_damaged"
    assert not is_used(spare.folder)


def newest(spare: Spare) -> str:
    return open_backup(spare.place, str(spare.code)).generations[0].state.name


def test_another_object_under_the_right_name_is_no_file_of_ours(spare: Spare) -> None:
    """Whoever knows the public key can encrypt, but a kept file is what its name says."""
    spare.post.kept("1")
    spare.make()
    first, second = spare.files("objects")
    shutil.copy(first, second)
    assert len(spare.restored().missing) == 1


def test_a_restore_that_was_cut_at_any_step_is_done_again(spare: Spare, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("1", "2"):
        spare.post.kept(number)
    spare.make()
    steps = ("_state", "_blob", "_question", "_keys_of_pictures", "_settings", "_database", "_claim")
    for step in steps:
        with monkeypatch.context() as patch:
            patch.setattr(f"signer_app.backup.restoring._Restoring.{step}", _cut)
            with pytest.raises(ZeroDivisionError):
                spare.restored()
        with (
            pytest.raises(KnownError) as raised,
            workspace(spare.folder.path, Overrides(), writing=True),
        ):
            pass
        assert code(raised) == "restore_unfinished"
    result = spare.restored()
    assert (result.documents, result.missing) == (2, ())
    with spare.new_machine() as new, new.space.store.view() as view:
        assert len(view.restored.epochs()) == 1
        assert prove_journal(view, new.space.settings, TrustMaterial()).sound


def _cut(*_args: object) -> object:
    raise ZeroDivisionError


def test_a_restore_out_of_a_restore_is_a_third_part_of_the_journal(spare: Spare) -> None:
    spare.post.kept("1")
    spare.make()
    spare.restored()
    with spare.new_machine() as new:
        new.space.store.write(lambda tx: tx.restored.numbers_confirmed("Lê", new.space.now()))
        spare.post.office.clock.go_on(dt.timedelta(days=1).total_seconds())
        make_backup(new.space)
    third = DataFolder(spare.folder.path.parent / "máy thứ ba")
    restore(third, open_backup(spare.place, str(spare.code)), spare.post.office.clock)
    with workspace(third.path, Overrides(), writing=True, now=spare.post.office.clock) as space:
        with space.store.view() as view:
            proof = prove_journal(view, space.settings, TrustMaterial())
            assert view.restored.numbers_open()
        assert ([one.linked for one in proof.epochs], proof.sound) == ([True] * 3, True)
        # An entry that claims another head than it follows is found out.
        space.store._connection.execute("UPDATE restored SET journal_hash = ? WHERE epoch = 2", ("0" * 64,))
        with space.store.view() as view:
            proof = prove_journal(view, space.settings, TrustMaterial())
        assert ([one.linked for one in proof.epochs], proof.sound) == ([True, True, False], False)


def test_a_head_of_the_lost_part_excuses_no_rewriting(spare: Spare) -> None:
    """Only heads that came with receipts which were asked for after the restore may reach behind the backup."""
    post = spare.post
    sent = post.sent("1")
    spare.make()
    spare.restored()
    with spare.new_machine() as new:
        head = JournalHead(2, "f" * 64)
        new.space.store.write(lambda tx: tx.journal.anchor(_anchor(head, sent.packet_id, new.space.now())))
        with new.space.store.view() as view:
            proof = prove_journal(view, new.space.settings, TrustMaterial())
        assert not proof.sound


def _anchor(head: JournalHead, packet_id: str, at: dt.datetime) -> JournalAnchor:
    return JournalAnchor(count=head.count, hash=head.hash, packet_id=packet_id, at=at)


def test_the_commands(spare: Spare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spare.post.kept("1")
    spare.make()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{spare.code}\n"))
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    target = tmp_path / "máy lệnh"
    asked = ["restore", os.fspath(spare.place), "--phrase-stdin", "--data-dir", os.fspath(target), "--json"]
    assert command_line(asked) == 0
    told = json.loads(out.getvalue())
    assert (told["documents"], told["missing"], told["kept_old"]) == (1, [], None)
    jsonschema.Draft202012Validator(schema("restore")).validate(told)
    # A machine of its own, that is set up by the command: the code stands on stderr alone and is typed back.
    monkeypatch.setattr(sys, "stdin", Typist())
    monkeypatch.setattr(sys, "stderr", Typist.screen)
    out.truncate(0)
    out.seek(0)
    other = tmp_path / "ổ khác"
    other.mkdir()
    place = ["--data-dir", os.fspath(tmp_path / "máy khác"), "--json"]
    assert command_line(["backup", os.fspath(other), *place]) == 0
    made = json.loads(out.getvalue())
    jsonschema.Draft202012Validator(schema("backup")).validate(made)
    assert (made["target"], made["documents"]) == (os.fspath(other), 0)


class Typist(io.StringIO):
    """Types what stands on the screen."""

    screen = io.StringIO()

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]
        return " ".join(re.findall(r"\b\d{6}\b", self.screen.getvalue())) + "\n"
