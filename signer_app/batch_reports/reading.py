"""Reads what a report tells out of the store: the head of a batch, then its files some at a time.

Main process, any thread; only reads, also while the batch is signed: then each piece is told as it stands when it is
read. Opens no document.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

import msgspec

from signer_app.batch_reports.model import EarlierBatch, ReportHead, ReportLine, Signer, Told
from signer_app.signing.jobs import DocumentJob, UsageError
from signer_app.store.batch_model import Batch, BatchFile
from signer_app.store.model import FileState
from signer_app.store.store import StoreReader, View
from signer_token.model import TokenCertificate

_LONGEST_CHAIN = 1000
"""Batches of one chain; a damaged database may have it go in circles."""
_JOURNAL_PAGE = 256
_JOURNAL_PAGES = 8
"""So much of the journal is looked through for the token of a batch that signed nothing."""


class _Command(msgspec.Struct, frozen=True):
    """Of how a batch signed, what a report tells; older programs have written more or less besides."""

    certificate: str = ""
    level: str | None = None


def report_of(store: StoreReader, batch: str | None = None) -> ReportHead | None:
    """The head of this batch's report, else of the batch begun last; None where none was ever begun.

    UsageError "report_batch_unknown" where there is no such batch, or nobody said yes to it.
    """
    with store.view() as view:
        found = view.batches.get(batch) if batch is not None else view.batches.latest()
        if found is None or found.begun_at is None:
            if batch is None:
                return None
            raise UsageError("report_batch_unknown", batch=batch)
        command = msgspec.json.decode(found.command, type=_Command)
        return ReportHead(
            batch=found.id,
            begun_at=found.begun_at,
            finished_at=found.finished_at,
            stopped=_stopped(found),
            signer=_signer(view, found, command.certificate),
            level=command.level,
            counts=_counts(view, found.id),
            earlier=tuple(_earlier(view, found)),
        )


def report_lines(store: StoreReader, batch: str) -> Iterator[ReportLine]:
    """The files of the batch in their order, read as they are asked for."""
    at, position = -1, 0
    while True:
        with store.view() as view:
            rows = view.batches.page(batch, tuple(FileState), at)
            # Counted here: a place that a secret document had in the batch would show as a gap.
            page = _lines(view, rows, position)
        if not rows:
            return
        yield from page
        at, position = rows[-1].position, position + len(page)


def _stopped(batch: Batch) -> Told | None:
    return Told(batch.stopped_code, batch.stopped_params) if batch.stopped_code is not None else None


def _counts(view: View, batch: str) -> Mapping[FileState, int]:
    counts: dict[FileState, int] = {}
    for state, count in view.batches.counts(batch).items():
        shown = _shown(state)
        counts[shown] = counts.get(shown, 0) + count
    return counts


def _shown(state: FileState) -> FileState:
    """However far a file that waits has come, for whoever reads the report it waits."""
    return FileState.PENDING if state.waits else state


def _earlier(view: View, batch: Batch) -> Iterator[EarlierBatch]:
    seen = {batch.id}
    while batch.continues is not None and batch.continues not in seen and len(seen) < _LONGEST_CHAIN:
        seen.add(batch.continues)
        before = view.batches.get(batch.continues)
        if before is None:
            return
        yield EarlierBatch(before.id, before.begun_at or before.created_at, _counts(view, before.id), _stopped(before))
        batch = before


# ---- with what was signed -------------------------------------------------------------------------------------------


def _signer(view: View, batch: Batch, certificate: str) -> Signer:
    for row in view.batches.page(batch.id, (FileState.SIGNED,), limit=1):
        for evidence in view.evidence.of_file(row.file_id) if row.file_id is not None else ():
            record = evidence.record
            return Signer(certificate, _name(record.signer_cert_der, certificate), record.token_serial, record.operator)
    return _by_journal(view, batch, certificate)


def _name(der: bytes, certificate: str) -> str | None:
    if hashlib.sha256(der).hexdigest() != certificate:
        return None
    try:
        read = TokenCertificate.from_der(der)
    except ValueError:
        return None
    return (read.common_name or None) if read is not None else None


def _by_journal(view: View, batch: Batch, certificate: str) -> Signer:
    """What the journal tells of the login, where nothing was signed or its evidence was destroyed."""
    before: int | None = None
    for _ in range(_JOURNAL_PAGES):
        entries = view.journal.entries(_JOURNAL_PAGE, before)
        for entry in entries:
            if entry.at < batch.created_at:
                return Signer(certificate)
            if entry.use.certificate_sha256 == certificate and (
                batch.finished_at is None or entry.at <= batch.finished_at
            ):
                return Signer(certificate, None, entry.use.token_serial, entry.use.operator)
        if not entries:
            break
        before = entries[-1].seq
    return Signer(certificate)


# ---- files ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Name:
    """How a document is called: số, ký hiệu and its date."""

    label: str | None = None
    date: dt.date | None = None


def _lines(view: View, rows: tuple[BatchFile, ...], before: int) -> list[ReportLine]:
    lines: list[ReportLine] = []
    # A document's files stand behind each other.
    last: tuple[int | None, bool, _Name] | None = None
    for row in rows:
        key = (row.document, row.file_id is not None)
        if last is None or row.document is None or last[:2] != key:
            last = (*key, _stored(view, row) or _wished(view, row))
        lines.append(_line(row, before + len(lines) + 1, last[2]))
    return lines


def _stored(view: View, row: BatchFile) -> _Name | None:
    """The document as it was kept."""
    file = view.documents.file(row.file_id) if row.file_id is not None else None
    document = view.documents.get(file.document_id) if file is not None else None
    return _Name(document.label, document.doc_date) if document is not None else None


def _wished(view: View, row: BatchFile) -> _Name:
    """The document as it was to be signed: as it was called when it was looked at; by older programs, as was said."""
    wish = view.batches.document(row.batch_id, row.document) if row.document is not None else None
    if wish is None:
        return _Name()
    job = msgspec.json.decode(wish.job, type=DocumentJob)
    said = "/".join(part for part in (job.number, job.notation) if part)
    return _Name(wish.label or said or None, wish.doc_date or job.date)


def _line(row: BatchFile, position: int, name: _Name) -> ReportLine:
    state = _shown(row.state)
    place = _place(row.input_path)
    return ReportLine(
        position=position,
        label=name.label,
        date=name.date,
        name=place.name,
        folder=str(place.parent),
        state=state,
        reason=Told(row.code, row.params) if row.code is not None else None,
        warnings=tuple(Told(code, params) for code, params in row.warnings),
        level=row.level,
        sha256_before=row.input_sha256,
        sha256_after=row.output_sha256,
        output=row.output_path if state is FileState.SIGNED else None,
        seconds=row.seconds if state is FileState.SIGNED else None,
    )


def _place(path: str) -> PurePath:
    """A path as the system wrote it on which the file lay."""
    return PureWindowsPath(path) if path[1:2] == ":" or path.startswith("\\\\") else PurePosixPath(path)
