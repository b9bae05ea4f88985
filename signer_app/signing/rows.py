"""Documents on their way through a batch as rows of the store, and back: so that none has to stay in memory.

Main process. Pure making of values; nothing is read or written here. Never asked for a secret document.
"""

import datetime as dt
import zlib
from collections.abc import Mapping, Sequence

import msgspec

from signer_app.pdf.model import Finding, LetterFacts, PreflightResult, Severity
from signer_app.pdf.plan import plan_hash
from signer_app.signing.batch import DocumentWork, FileWork, Outcome
from signer_app.signing.jobs import AttachmentJob, DocumentJob, has_own_number
from signer_app.store.batch_model import BatchDocument, BatchFile
from signer_app.store.model import FileState
from signer_app.verification.model import FileReport

_LARGEST = 64 << 20
"""Bytes of what a preflight said of one document; the database may be damaged."""


class _SeenFile(msgspec.Struct, frozen=True):
    """What the preflight said of one file, as far as signing it takes."""

    result: PreflightResult
    before: FileReport


class _Seen(msgspec.Struct, frozen=True):
    files: tuple[_SeenFile, ...]
    attached: tuple[AttachmentJob, ...]


# Made here, once: two threads that meet a type for the first time together may crash msgspec, and the process with it.
_JOBS = msgspec.json.Decoder(DocumentJob)
_SEEN = msgspec.msgpack.Decoder(_Seen)


def document_row(batch: str, work: DocumentWork, number_key: str | None) -> BatchDocument:
    """The row of a document that was looked at."""
    label, date = _called(work)
    return BatchDocument(
        batch_id=batch,
        position=work.place,
        job=msgspec.json.encode(_with_copies(work)).decode(),
        urgent=work.in_a_hurry,
        number_key=number_key,
        seen=_pack(work) if work.ready else None,
        label=label,
        doc_date=date,
    )


def file_row(batch: str, work: DocumentWork, file: FileWork, file_id: str | None = None) -> BatchFile:
    """The row of one of a document's files, as it stands now."""
    outcome = file.outcome
    return BatchFile(
        batch_id=batch,
        position=work.place + next(at for at, one in enumerate(work.files) if one is file),
        document=work.place,
        input_path=outcome.input,
        state=outcome.state,
        input_sha256=outcome.sha256_in,
        repaired_sha256=outcome.sha256_repaired,
        profile=file.job.profile.value,
        plan_sha256=plan_hash(file.plan) if file.plan else None,
        file_id=file_id,
        output_path=outcome.output,
        code=outcome.code,
        params=outcome.params,
        warnings=tuple((warning.code, warning.params) for warning in outcome.warnings),
        level=outcome.level if outcome.state is FileState.SIGNED else None,
        output_sha256=outcome.sha256_out,
        seconds=outcome.seconds,
    )


def file_rows(batch: str, work: DocumentWork) -> tuple[BatchFile, ...]:
    """The rows of all its files but those that another batch has signed."""
    return tuple(file_row(batch, work, file) for file in work.files if not file.done_before)


def as_begun(row: BatchFile) -> BatchFile:
    """What waits is as it was when it was handed out to the token."""
    return msgspec.structs.replace(row, state=FileState.SIGNING) if row.state is FileState.PENDING else row


def work_of(document: BatchDocument, files: Sequence[BatchFile]) -> DocumentWork | None:
    """A document as it was looked at; None where its rows don't tell (any more)."""
    job = _JOBS.decode(document.job)
    seen = _unpack(document.seen)
    if seen is None or not len(job.files) == len(seen.files) == len(files):
        return None
    works = [
        FileWork(
            wish,
            outcome_of(row, draft=job.draft),
            plan=part.result.plan,
            before=part.before,
            facts=part.result.facts,
            result=part.result,
        )
        for wish, row, part in zip(job.files, files, seen.files, strict=True)
    ]
    return DocumentWork(job, works, seen.attached, place=document.position)


def outcome_of(row: BatchFile, *, draft: str | None, document: str | None = None) -> Outcome:
    """What became of a file; one that waits is pending, however far it came."""
    return Outcome(
        input=row.input_path,
        output=row.output_path,
        state=FileState.PENDING if row.state.waits else row.state,
        code=row.code,
        params=_texts(row.params),
        level=row.level,
        sha256_in=row.input_sha256,
        sha256_out=row.output_sha256,
        sha256_repaired=row.repaired_sha256,
        seconds=row.seconds or 0.0,
        warnings=tuple(Finding(code, Severity.WARNING, _texts(params)) for code, params in row.warnings),
        document=document,
        draft=draft,
    )


def _called(work: DocumentWork) -> tuple[str | None, dt.date | None]:
    """Số, ký hiệu and date as the person said them, else as the page does: also of what is refused."""
    job = work.job
    # What a copy's page says is the number of what was copied.
    page = LetterFacts() if has_own_number(work.main.job.profile) else work.main.facts
    parts = (job.number or page.number, job.notation or page.notation)
    return "/".join(part for part in parts if part) or None, job.date or page.date


def _texts(params: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in params.items()}


def _with_copies(work: DocumentWork) -> DocumentJob:
    """The wish, naming the copies that are kept: it can be done although the file is gone from where it lay."""
    if not work.ready:
        return work.job
    files = tuple(
        msgspec.structs.replace(file.job, blob=file.job.blob or file.outcome.sha256_in) for file in work.files
    )
    return msgspec.structs.replace(work.job, files=files, attachments=work.attached)


def _pack(work: DocumentWork) -> bytes | None:
    files = [
        _SeenFile(file.result, file.before)
        for file in work.files
        if file.result is not None and file.before is not None and file.plan is not None
    ]
    if len(files) != len(work.files):
        return None
    return zlib.compress(msgspec.msgpack.encode(_Seen(tuple(files), work.attached)), 1)


def _unpack(packed: bytes | None) -> _Seen | None:
    if packed is None:
        return None
    opened = zlib.decompressobj()
    try:
        return _SEEN.decode(opened.decompress(packed, _LARGEST))
    except (zlib.error, msgspec.MsgspecError):
        return None
