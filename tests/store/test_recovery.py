"""The start after a crash, and a disk that is full."""

import contextlib
import io
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from signer_app.store.datafolder import DataFolder
from signer_app.store.model import OutboxState
from signer_app.store.recovery import Recovery, recover
from signer_app.store.settings import Body, Seal, Settings, save_settings
from signer_app.store.store import Store, Transaction
from signer_resources.errors import KnownError
from signer_resources.messages import catalogue
from tests.store.letters import Clock, Letters, not_secret

AN_HOUR_AGO = time.time() - 3600


def test_the_start_collects_what_a_crash_left_and_keeps_what_is_named(
    folder: DataFolder, store: Store, letters: Letters, clock: Clock
) -> None:
    signing = letters.signing()
    assert signing.packet is not None
    store.commit_signed(signing, not_secret)
    packet_id = signing.packet.packet_id
    store.write(lambda transaction: transaction.outbox.mark_sending(packet_id))
    seal, orphan = (store.blobs.add_stream(io.BytesIO(content)).sha256 for content in (b"seal", b"orphan"))
    body = Body(code="H41.01", name="UBND", seals=(Seal(diameter_mm=36, blob=seal),))
    save_settings(folder, Settings(bodies=(body,)))
    (folder.work / "half.pdf").write_bytes(b"half")
    (folder.path / ".settings.json.0123.part").write_bytes(b"half")
    for path in folder.blobs.rglob("*"):
        os.utime(path, (AN_HOUR_AGO, AN_HOUR_AGO))
    assert recover(store) == Recovery(work_files=1, temporaries=1, orphans=1, unknown_outcomes=1)
    assert store.blobs.has(seal)
    assert not store.blobs.has(orphan)
    assert all(store.blobs.has(sha256) for sha256 in signing.blobs())
    with store.view() as view:
        (again,) = view.outbox.due("H41.01", clock())
    assert (again.state, again.error_code, again.attempts) == (OutboxState.RETRYING, "outcome_unknown", 1)
    assert recover(store) == Recovery(work_files=0, temporaries=0, orphans=0, unknown_outcomes=0)


def test_work_begun_after_the_start_is_not_collected(store: Store) -> None:
    young = store.blobs.add_stream(io.BytesIO(b"young")).sha256
    assert recover(store, clock=lambda: AN_HOUR_AGO).orphans == 0
    assert store.blobs.has(young)


def test_unreadable_settings_collect_nothing(folder: DataFolder, store: Store) -> None:
    orphan = store.blobs.add_stream(io.BytesIO(b"maybe a seal")).sha256
    folder.settings.write_text("{")
    with pytest.raises(KnownError) as caught:
        recover(store, clock=lambda: float("inf"))
    assert caught.value.code == "settings_invalid"
    assert store.blobs.has(orphan)


def test_a_full_disk_gives_back_the_reserve_and_the_signing_is_kept(
    folder: DataFolder, store: Store, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit of pages stands for the disk: the same error, and the reserve's room ends it."""
    signing = letters.signing()
    connection = store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    (evidence,) = signing.evidence
    big = msgspec.structs.replace(evidence.record, ocsp_der=b"x" * 50_000)
    signing = msgspec.structs.replace(signing, evidence=(msgspec.structs.replace(evidence, record=big),))
    real_release = folder.release_reserve

    def release() -> bool:
        connection.execute("PRAGMA max_page_count = 1000000")
        return real_release()

    monkeypatch.setattr(folder, "release_reserve", release)
    checks: list[None] = []
    store.commit_signed(signing, lambda: checks.append(None))
    assert not folder.reserve.exists()
    assert len(checks) >= 1
    with store.view() as view:
        assert view.documents.get(signing.document.id) == signing.document
        assert view.journal.head().count == 1
    assert folder.refill_reserve()


def test_a_disk_that_stays_full_is_told_and_nothing_half_is_kept(
    folder: DataFolder, store: Store, letters: Letters
) -> None:
    signing = letters.signing()
    connection = store._connection
    # Fill the free room of the pages that are there, so that the next row needs a new page.
    connection.execute("CREATE TABLE filler (x)")
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with contextlib.suppress(sqlite3.OperationalError):
        while True:
            connection.execute("INSERT INTO filler VALUES (zeroblob(200))")
    table_full = connection.execute("SELECT count(*) FROM filler").fetchone()[0]
    assert table_full > 0
    big = b"x" * 20_000

    def add_much(transaction: Transaction) -> None:
        connection.execute("INSERT INTO filler VALUES (?)", (big,))

    with pytest.raises(KnownError) as caught:
        store.write(add_much)
    assert (caught.value.code, caught.value.exit) == ("disk_full", 1)
    assert not connection.in_transaction
    assert not folder.reserve.exists()
    assert all(store.blobs.has(sha256) for sha256 in signing.blobs())


def fill(filler: Path) -> None:
    """Writes until the disk is full."""
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)


def can_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 12 MB; one may be mounted by root alone."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this container forbids mounting; the same faults are injected in the tests above")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(not can_mount(), reason="mounting needs root; the tests above inject the faults")
def test_on_a_disk_that_is_really_full_the_result_in_hand_is_kept_and_the_next_file_refused(
    small_disk: Path, clock: Clock
) -> None:
    folder = DataFolder(small_disk / "data")
    with folder.lock(), Store.open(folder, clock) as store:
        letters = Letters(store, clock)
        signing = letters.signing()
        filler = small_disk / "filler"
        fill(filler)
        with pytest.raises(KnownError) as caught:
            store.blobs.add_stream(io.BytesIO(b"next letter" * 10_000))
        assert caught.value.code == "disk_full"
        store.commit_signed(signing, not_secret)
        assert not folder.reserve.exists()
        with store.view() as view:
            assert len(view.documents.list()) == 1
        fill(small_disk / "rest")
        output = small_disk / "out" / "a.pdf"
        with pytest.raises(KnownError) as caught:
            store.blobs.export(signing.files[0].blob_out or "", output)
        assert caught.value.code == "disk_full"
        assert not output.exists()
        filler.unlink()
        recover(store)
        assert folder.reserve.exists()
    with folder.lock(), Store.open(folder, clock) as store, store.view() as view:
        assert len(view.documents.list()) == 1


def test_every_error_of_the_store_has_its_words_and_an_exit_code() -> None:
    root = Path(__file__).resolve().parents[2] / "signer_app" / "store"
    source = "\n".join(path.read_text(encoding="utf-8") for path in root.glob("*.py"))
    named = set(re.findall(r'KnownError\(\s*"(\w+)"', source)) | {"disk_full", "output_unwritable"}
    named |= set(re.findall(r'disk_errors\([^)]*"(\w+)"\)', source)) | {"outcome_unknown"}
    assert len(named) > 10
    for code in named:
        entry = catalogue().errors[code]
        assert entry.exit == 1
        assert all(entry.texts[lang].do for lang in ("vi", "en"))
