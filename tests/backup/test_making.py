"""Making backups: what is written, what stays good when the place is full, away, read-only or pulled out, what goes."""

import datetime as dt
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import pytest

from signer_app.backup.groups import DIGITS, GROUPS
from signer_app.backup.making import Made
from signer_app.backup.phrase import RecoveryCode
from signer_app.backup.restoring import open_backup, restore
from signer_app.backup.retention import let_files_go
from signer_app.backup.sealing import Sealed
from signer_app.backup.setting_up import confirm_code, new_code, place_target
from signer_app.backup.target import BackupSet, Manifest, Piece, kept_of
from signer_app.desk.backing_up import BackingUp
from signer_app.desk.backup_light import backup_check
from signer_app.desk.check_values import CheckState
from signer_app.exchange import changing, withdrawing
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError
from signer_resources.messages import text
from tests.backup.spare import Spare
from tests.exchange.post import FIRST


def code(raised: pytest.ExceptionInfo[KnownError]) -> str:
    raised.value.explain("vi")
    return raised.value.code


# ---- the code ------------------------------------------------------------------------------------------------------


def test_a_code_is_read_however_it_was_written_and_every_slip_is_seen() -> None:
    made = RecoveryCode.make()
    assert [len(group) for group in made.groups] == [DIGITS] * GROUPS
    assert RecoveryCode.parse("  ".join(made.groups).replace("0", "O")).is_same(made)
    digits = list("".join(made.groups))
    for at in range(len(digits)):
        for other in "0123456789":
            if other != digits[at]:
                wrong = [*digits[:at], other, *digits[at + 1 :]]
                assert _refused("".join(wrong)) == at // DIGITS + 1
        if at + 1 < len(digits) and digits[at] != digits[at + 1]:
            swapped = [*digits[:at], digits[at + 1], digits[at], *digits[at + 2 :]]
            assert _refused("".join(swapped)) in (at // DIGITS + 1, (at + 1) // DIGITS + 1)
    for first in range(GROUPS):
        for second in range(first):
            groups = list(made.groups)
            groups[first], groups[second] = groups[second], groups[first]
            assert _refused(" ".join(groups)) == second + 1
    assert str(made) not in repr(made)


def _refused(typed: str) -> int:
    """The group that is named."""
    with pytest.raises(KnownError) as raised:
        RecoveryCode.parse(typed)
    assert raised.value.code == "recovery_code_group"
    return int(str(raised.value.params["group"]))


def test_the_code_is_typed_back_and_kept_nowhere(spare: Spare) -> None:
    new = new_code()
    shown = new.groups
    other = spare.place.parent / "khác"
    other.mkdir()
    with pytest.raises(KnownError) as raised:
        confirm_code(spare.space, other, new, str(RecoveryCode.make()))
    assert code(raised) == "recovery_code_other"
    confirm_code(spare.space, other, new, " ".join(shown))
    spare.make()
    assert open_backup(other, "".join(shown)).generations
    for root in (spare.space.folder.path, other):
        for path in root.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not any(group.encode() in content for group in shown if len(set(group)) > 3)
    assert shown[0] not in repr(new)


# ---- what is there -------------------------------------------------------------------------------------------------


def test_nothing_of_a_document_shows_in_the_place(spare: Spare) -> None:
    document = spare.post.kept("1")
    spare.make()
    with spare.space.store.view() as view:
        names = view.blobs()
    there = b"".join(path.read_bytes() for path in spare.place.rglob("*") if path.is_file())
    assert b"signed" not in there
    assert (document.subject or "x").encode() not in there
    assert not any(sha256[:16].encode() in there for sha256 in names)
    assert not any(sha256[:8] in path.name for sha256 in names for path in spare.place.rglob("*"))


def test_a_file_is_written_once_and_again_where_the_stick_forgot_it(spare: Spare) -> None:
    spare.post.kept("1")
    assert spare.make().written == 2
    spare.post.kept("2")
    assert spare.make().written == 2
    assert spare.make().written == 0
    for one in spare.files("objects"):
        one.write_bytes(b"x" * one.stat().st_size)
    written = 0
    for _day in range(31):
        spare.post.office.clock.go_on(86_400)
        written += spare.make().written
    assert written == 4
    assert spare.restored().missing == ()


def test_a_blob_that_is_damaged_here_is_said_and_the_good_copy_stays(spare: Spare) -> None:
    document = spare.post.kept("1")
    spare.make()
    with spare.space.store.view() as view:
        (file,) = view.documents.files(document.id)
    spare.space.store.blobs.path(file.blob_in).write_bytes(b"damaged")
    assert spare.make().missing == 0
    other = spare.post.kept("2")
    with spare.space.store.view() as view:
        (file,) = view.documents.files(other.id)
    spare.space.store.blobs.path(file.blob_in).write_bytes(b"damaged")
    assert spare.make().missing == 1
    assert backup_check(spare.space).error is not None
    assert len(spare.restored().missing) == 1


def test_seven_days_and_four_weeks_are_kept() -> None:
    def made(day: int) -> Manifest:
        moment = dt.datetime(2026, 1, 1, 9, tzinfo=dt.UTC) + dt.timedelta(days=day)
        return Manifest(
            format=1,
            number=day,
            made_at=moment,
            machine="m",
            program="1",
            documents=0,
            state=Piece(f"{day:x}", "0", 0),
            objects=(),
        )

    kept = kept_of([made(day) for day in range(60)])
    assert sorted(int(one.state.name, 16) for one in kept) == [38, 45, 52, *range(53, 60)]
    ahead = msgspec.structs.replace(made(1), made_at=dt.datetime(2090, 1, 1, tzinfo=dt.UTC))
    assert {one.number for one in kept_of([ahead, *(made(day) for day in range(2, 12))])} >= {1, 11}
    back = msgspec.structs.replace(made(90), made_at=dt.datetime(2001, 1, 1, tzinfo=dt.UTC))
    assert 90 in {one.number for one in kept_of([back, *(made(day) for day in range(60))])}


def test_what_no_generation_names_any_more_goes(spare: Spare) -> None:
    post = spare.post
    post.kept("1")
    for _day in range(40):
        post.office.clock.go_on(86_400)
        spare.make()
    generations = open_backup(spare.place, str(spare.code)).generations
    assert len(generations) == 9
    assert len(spare.files("generations")) == 18
    stray = spare.files("objects")[0].with_name("0" * 32)
    stray.write_bytes(b"cut")
    spare.make()
    assert not stray.exists()


# ---- the place fails -----------------------------------------------------------------------------------------------


def test_a_place_that_is_away_full_or_closed_is_told_and_older_backups_stay(
    spare: Spare, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare.post.kept("1")
    spare.make()
    good = {path: path.read_bytes() for path in spare.place.rglob("*") if path.is_file()}
    spare.post.kept("2")
    for fault, said in (
        (errno.ENOSPC, "backup_target_full"),
        (errno.EROFS, "backup_target_readonly"),
        (errno.EIO, "backup_target_away"),
    ):
        for after in range(4):
            with monkeypatch.context() as patch:
                patch.setattr(BackupSet, "_put", _failing(BackupSet._put, fault, after))
                with pytest.raises(KnownError) as raised:
                    spare.make()
            assert code(raised) == said
            assert all(path.read_bytes() == content for path, content in good.items())
            assert len(open_backup(spare.place, str(spare.code)).generations) == 1
    with spare.space.store.view() as view:
        run, made = view.restored.last_run(), view.restored.last_made()
    assert run is not None
    assert made is not None
    assert run.error is not None
    assert spare.make().missing == 0
    assert spare.restored().documents == 2
    # A stick that is pulled out often leaves the empty folder where it was.
    spare.place.rename(spare.place.with_name("rút ra"))
    for _there in range(2):
        with pytest.raises(KnownError) as raised:
            spare.make()
        assert code(raised) == "backup_target_away"
        spare.place.mkdir(exist_ok=True)
    assert list(spare.place.iterdir()) == []


Put = Callable[[BackupSet, Path, Callable[[IO[bytes]], Sealed]], Sealed]


def _failing(put: Put, fault: int, after: int) -> Put:
    """The disk takes so many files and fails in the midst of the next."""
    left = [after]

    def fails(self: BackupSet, target: Path, fill: Callable[[IO[bytes]], Sealed]) -> Sealed:
        left[0] -= 1
        if left[0] >= 0:
            return put(self, target, fill)
        target.with_name(f".{target.name}.part").write_bytes(b"half")
        raise OSError(fault, os.strerror(fault))

    return fails


def test_the_data_folder_is_no_place_for_its_backups(spare: Spare) -> None:
    with pytest.raises(KnownError) as raised:
        place_target(spare.space, spare.space.folder.path / "logs")
    assert code(raised) == "backup_target_inside"
    with pytest.raises(KnownError) as raised:
        place_target(spare.space, spare.place / "không có")
    assert code(raised) == "backup_target_away"


# ---- each day ------------------------------------------------------------------------------------------------------


def test_the_day_has_one_backup_and_the_light_tells_when_it_is_late(spare: Spare) -> None:
    desk, space = BackingUp(spare.space), spare.space
    assert backup_check(space).state is not CheckState.GOOD
    assert isinstance(desk.run_if_due(), Made)
    assert desk.run_if_due() is None
    assert (backup_check(space).state, desk.look().due) == (CheckState.GOOD, False)
    spare.post.office.clock.go_on(86_400)
    assert desk.look().due
    spare.place.rename(spare.place.with_name("rút ra"))
    with pytest.raises(KnownError):
        desk.run_if_due()
    assert (desk.look().due, desk.look().last_error is not None) == (False, True)
    spare.post.office.clock.go_on(3 * 86_400)
    light = backup_check(space)
    assert (light.state, light.error is not None and light.error.code) == (CheckState.WARN, "machine_backup_old")
    assert desk.look().due
    assert text(light.key, "vi", **light.params)
    assert not desk.after_restore().open


# ---- files that are no longer kept ---------------------------------------------------------------------------------


def test_files_go_after_receipt_and_time_and_all_else_stays(spare: Spare) -> None:
    post, space = spare.post, spare.space
    sent, recalled, kept = post.sent("1"), post.sent("2"), post.kept("4")
    withdrawing.recall(space, recalled.document_id or "", "Nhầm")
    post.sync(at_once=True)
    waiting = post.given("3")
    assert let_files_go(space).files == 0
    backup = msgspec.structs.replace(space.settings.backup, keep_sent_days=365)
    post.change(backup=backup)
    assert let_files_go(space).files == 0
    post.office.clock.go_on(400 * 86_400)
    gone = let_files_go(space)
    with space.store.view() as view:
        files = {name: view.documents.files(one or "")[0] for name, one in (
            ("sent", sent.document_id), ("recalled", recalled.document_id), ("waiting", waiting.document_id),
            ("kept", kept.id),
        )}  # fmt: skip
        assert view.documents.get(sent.document_id or "") is not None
        assert len(view.evidence.of_file(files["sent"].id)) == 1
    assert (gone.files, post.packet(sent.packet_id).receipt) == (3, sent.receipt)
    there = {name: space.store.blobs.has(file.blob_out or "") for name, file in files.items()}
    assert there == {"sent": False, "recalled": True, "waiting": True, "kept": True}
    assert space.store.blobs.has(waiting.sha256)
    desk = post.office.desk
    assert desk.register.details(sent.document_id or "").files[0].released_at == post.office.clock()
    for deed in (
        lambda: desk.register.save(files["sent"].id, spare.place / "x.pdf"),
        lambda: changing.change_receivers(space, sent.document_id or "", ["H77.16"], [FIRST], "Đổi"),
    ):
        with pytest.raises(KnownError) as raised:
            deed()
        assert code(raised) == "file_released"
    assert let_files_go(space).files == 0
    assert spare.make().missing == 0
    assert spare.restored().missing == ()


# ---- many ----------------------------------------------------------------------------------------------------------


def test_a_thousand_documents_go_and_come(spare: Spare) -> None:
    store, post = spare.space.store, spare.post
    document = post.kept("1")
    blobs = [store.blobs.add_stream(io.BytesIO(b"%d" % at)).sha256 for at in range(100)]

    def work(tx: Transaction) -> None:
        connection = tx.documents._connection
        for at, blob in enumerate(blobs):
            for copy in range(10):
                connection.execute(
                    "INSERT INTO document SELECT ? || id, body_code, NULL, NULL, NULL, doc_date, type, subject,"
                    " signer_name, urgency, state, created_at FROM document WHERE id = ?",
                    (f"{at}-{copy}-", document.id),
                )
                connection.execute(
                    "INSERT INTO file (id, document_id, position, role, name, blob_in)"
                    " VALUES (?, ?, 0, 'main', 'x', ?)",
                    (f"{at}-{copy}", f"{at}-{copy}-{document.id}", blob),
                )

    store.write(work)
    assert spare.make().manifest.documents == 1001
    result = restore(spare.folder, open_backup(spare.place, str(spare.code)), post.office.clock)
    assert (result.documents, result.files, result.missing) == (1001, 102, ())
