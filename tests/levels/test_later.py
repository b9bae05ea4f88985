"""The background task: what waits is made up for, beside the signed file and never in its place."""

import datetime as dt

import msgspec
import pytest

from signer_app.demo.pki_names import Holder
from signer_app.desk.levels import LaterLevels
from signer_app.levels.later import Later, LaterResult
from signer_app.store import recover
from signer_app.store.levels import AwaitedLevel, FileVersion, Levels, WhyHigher
from signer_app.store.model import StoredFile
from signer_app.store.settings import ArchiveLevel
from signer_app.verification.model import Verdict
from signer_resources.errors import KnownError
from tests.levels.signed import Place
from tests.support.workspace import Site

DAY = dt.timedelta(days=1)


def quiet(_key: str, _done: int, _all: int) -> None:
    """Nobody looks."""


def run(place: Place) -> LaterResult:
    return Later(place.space).run(quiet)


def versions(place: Place, file: StoredFile) -> tuple[FileVersion, ...]:
    with place.space.store.view() as view:
        return view.levels.versions(file.id)


def awaited(place: Place, file: StoredFile) -> AwaitedLevel | None:
    with place.space.store.view() as view:
        return view.levels.awaited(file.id)


def archive(place: Place, level: ArchiveLevel) -> None:
    place.settings(lambda old: msgspec.structs.replace(old, archive_level=level))


def test_a_file_signed_without_a_network_is_made_up_for_beside_itself(place: Place) -> None:
    file = place.store(place.letter())
    blobs = place.space.store.blobs

    assert run(place) == LaterResult(raised=1)

    (version,) = versions(place, file)
    assert (version.level, version.tsa, awaited(place, file)) == ("b-lt", place.tsa_url, None)
    assert file.blob_out is not None
    signed, raised = blobs.path(file.blob_out).read_bytes(), blobs.path(version.blob).read_bytes()
    assert raised.startswith(signed)
    assert place.report(blobs.path(version.blob)).verdict is Verdict.VALID
    with place.space.store.view() as view:
        kept, found = view.documents.file(file.id), view.levels.file_of(version.blob)
        evidence = [one for one in view.evidence.of_file(file.id) if one.record.document_sha256_after == version.blob]
    assert kept == found
    assert kept is not None
    assert (kept.blob_out, kept.level) == (file.blob_out, "b-b")
    assert evidence
    assert evidence[0].record.document_sha256_before == file.blob_out
    assert evidence[0].record.timestamp_token is not None
    assert evidence[0].pieces
    desk = LaterLevels(place.space)
    assert desk.look().counts.raised == 1
    # At the next start nothing of it is taken for an orphan.
    recover(place.space.store, clock=lambda: 1e12)
    assert blobs.has(version.blob)
    assert blobs.has(file.blob_out)
    assert all(blobs.has(piece) for piece in evidence[0].pieces)
    assert run(place) == LaterResult()


@pytest.mark.usefixtures("no_pauses")
def test_without_a_network_the_run_ends_at_once_and_nothing_is_lost(place: Place, site: Site) -> None:
    files = [place.store(place.desk.keep(b"%PDF-")) for _ in range(6)]
    place.settings(lambda old: msgspec.structs.replace(old, tsa_url=site.dead_url))
    letter = place.store(place.letter())
    later = Later(place.space)
    with place.space.store.transaction() as tx:
        for file in files:
            tx.levels.want(file.id, "b-t", WhyHigher.TIMESTAMP, place.clock() + DAY)

    result = later.run(quiet)

    waits = awaited(place, letter)
    assert result.stopped is not None
    assert (result.stopped.code, result.postponed, result.raised) == ("tsa_no_answer", 1, 0)
    assert waits is not None
    assert (waits.attempts, waits.error_code, waits.not_before > place.clock()) == (1, "tsa_no_answer", True)
    # The server is left alone for a while; then nobody asks, and nothing is said.
    later.ask_again()
    assert later.run(quiet) == LaterResult()
    # But a person may want it.
    result = later.run(quiet, wanted=True)
    assert result.stopped is not None
    assert result.stopped.code == "tsa_no_answer"
    waits = awaited(place, letter)
    assert waits is not None
    assert waits.attempts == 2


def test_what_can_never_be_raised_is_given_up_with_the_reason(place: Place) -> None:
    file = place.store(place.letter(Holder.EXPIRED_LEADER))
    assert run(place) == LaterResult(given_up=1)
    (row,) = LaterLevels(place.space).look().waiting
    assert row.error is not None
    assert (row.error.code, row.next_try, row.document) == ("level_certificate_expired", None, "7/TB-UBND")
    assert str(row.error.explain("vi"))
    assert run(place) == LaterResult()
    assert versions(place, file) == ()


def test_nothing_is_raised_while_somebody_signs(place: Place) -> None:
    file = place.store(place.letter())
    with place.space.tokens_held():
        assert run(place) == LaterResult()
    assert versions(place, file) == ()
    assert awaited(place, file) is not None


def test_without_a_server_or_by_the_settings_nothing_waits(place: Place) -> None:
    file = place.store(place.letter())
    archive(place, ArchiveLevel.B_B)
    assert Later(place.space).plan() == 0
    place.settings(lambda old: msgspec.structs.replace(old, tsa_url=None, archive_level=ArchiveLevel.B_LTA))
    assert run(place) == LaterResult()
    assert awaited(place, file) is None


def test_waiting_grows_longer_with_each_attempt(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place.store(place.letter())
    archive(place, ArchiveLevel.B_T)
    later, pauses = Later(place.space), []
    monkeypatch.setattr(place.space.workers, "stand", _dies)
    for _ in range(7):
        later.ask_again()
        assert later.run(quiet).postponed == 1
        waits = awaited(place, file)
        assert waits is not None
        pauses.append(round((waits.not_before - place.clock()) / dt.timedelta(minutes=1)))
    assert pauses == [5, 15, 60, 240, 1440, 1440, 1440]


def _dies(*_args: object) -> None:
    raise KnownError("worker_fault", detail="crash")


@pytest.mark.long
def test_an_archive_timestamp_is_renewed_before_its_certificate_ends(place: Place) -> None:
    file = place.store(place.letter())
    archive(place, ArchiveLevel.B_LTA)
    assert run(place) == LaterResult(raised=1)
    (first,) = versions(place, file)
    assert first.ends_at is not None
    assert run(place) == LaterResult()

    place.clock.ahead = first.ends_at - place.clock() - 179 * DAY
    assert run(place) == LaterResult(raised=1)

    _, second = versions(place, file)
    blobs = place.space.store.blobs
    assert second.level == "b-lta"
    assert blobs.path(second.blob).read_bytes().startswith(blobs.path(first.blob).read_bytes())
    # Its new timestamp ends no later: it is not followed by another one every day.
    assert run(place) == LaterResult()


def test_what_rests_on_a_ca_that_ends_is_due_in_time(place: Place) -> None:
    archive(place, ArchiveLevel.B_B)
    file = place.store(place.letter(), level="b-t")
    later = Later(place.space)
    assert later.plan() == 0
    place.clock.ahead = 1700 * DAY
    assert later.plan() == 1
    (due,) = later.due()
    assert (due.file_id, due.level, due.reason) == (file.id, "b-lta", WhyHigher.CERTIFICATES_END)


def test_an_old_archive_is_not_raised_for_the_settings_alone(place: Place) -> None:
    place.store(place.letter(), signed_at=place.clock() - 31 * DAY)
    assert Later(place.space).plan() == 0


def test_a_crash_before_the_version_is_written_down_leaves_the_signed_file_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.store(place.letter())
    archive(place, ArchiveLevel.B_T)
    store = place.space.store
    with store.view() as view:
        known = view.blobs()

    def cut(*_args: object) -> None:
        raise KnownError("disk_full", folder="")

    with monkeypatch.context() as patched:
        patched.setattr(Levels, "add", cut)
        result = run(place)
    assert result.stopped is not None
    assert (result.stopped.code, versions(place, file)) == ("disk_full", ())
    recover(store, clock=lambda: 1e12)
    assert {path.name for path in store.folder.blobs.glob("??/*")} == known

    Later(place.space).ask_again()
    assert run(place) == LaterResult(raised=1)
    assert [version.level for version in versions(place, file)] == ["b-t"]
