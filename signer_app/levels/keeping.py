"""Keeps a later version of a signed file: a blob beside the one that was signed, with the evidence of what was added.

Main process, by the owner of the data folder's lock; any thread. The signed file, its row and what was sent stay as
they are. All of it commits at once, or nothing does and the new file is an orphan that the next start collects.
"""

import datetime as dt
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from signer_app.evidence.pieces import keep_pieces, named
from signer_app.evidence.records import evidence_of
from signer_app.levels.model import at_least
from signer_app.levels.raising import Raised
from signer_app.store.levels import FileVersion
from signer_app.store.model import Evidence, StoredFile
from signer_app.store.store import Transaction
from signer_app.verification.model import Level
from signer_app.workspace import Workspace, operator_name
from signer_resources import rules
from signer_resources.errors import KnownError


def newest_blob(space: Workspace, file: StoredFile) -> str:
    """SHA-256 of the newest version of a signed file; ValueError for one that goes along unsigned."""
    with space.store.view() as view:
        newest = view.levels.newest(file.id)
    blob = newest.blob if newest is not None else file.blob_out
    if blob is None:
        raise ValueError("not a signed file")
    return blob


def keep(space: Workspace, file: StoredFile, raised: Raised, before: str) -> FileVersion:
    """Keeps what became of `file`, whose newest version was `before` (SHA-256) when it was begun with; one that waits
    for this level waits no more.

    KnownError "output_changed" where the new file is not what was checked, "level_overtaken" where there is a newer
    version than `before` by now, which the new file doesn't go on from; and as `Store.write`, `BlobStore.adopt`.
    """
    assert raised.path is not None
    now = space.now()
    blob = space.store.blobs.adopt(Path(raised.path)).sha256
    if blob != raised.standing.report.sha256:
        raise KnownError("output_changed", name=file.name)
    evidence = _evidence(space, file, raised, before, now)

    def write(tx: Transaction) -> FileVersion:
        newest = tx.levels.newest(file.id)
        if before != (newest.blob if newest else file.blob_out):
            raise KnownError("level_overtaken", name=file.name)
        version = FileVersion(
            file_id=file.id,
            position=newest.position + 1 if newest else 1,
            blob=blob,
            level=raised.level.value,
            made_at=now,
            tsa=raised.stamp.tsa if raised.stamp else None,
            ends_at=raised.standing.ends_at,
        )
        tx.levels.add(version)
        tx.evidence.add(evidence)
        awaited = tx.levels.awaited(file.id)
        if awaited is not None and raised.reason is None and at_least(raised.level, Level(awaited.level)):
            tx.levels.settle(file.id)
        return version

    return space.store.write(write)


def _evidence(
    space: Workspace, file: StoredFile, raised: Raised, before: str, now: dt.datetime
) -> tuple[Evidence, ...]:
    """What each signature of the new version is worth, on which news that rests, and the timestamp that came in."""
    profile = rules.load(now.date())
    report = raised.standing.report
    proofs = {one.field: one.proofs for one in report.signatures}
    with space.store.view() as view:
        tokens = {one.record.field: one.record.token_serial for one in view.evidence.of_file(file.id)}

    def find(wanted: AbstractSet[str]) -> Mapping[str, bytes]:
        return named(wanted, space.trust)

    return tuple(
        msgspec.structs.replace(
            one,
            file_id=file.id,
            pieces=keep_pieces(space.store.blobs, proofs[one.record.field], find),
            record=msgspec.structs.replace(
                one.record,
                document_sha256_before=before,
                token_serial=tokens.get(one.record.field, ""),
                timestamp_token=raised.stamp.token if raised.stamp else None,
            ),
        )
        for one in evidence_of(report, file.name, operator_name(), f"{profile.id} {profile.version}")
    )
