"""The values of batches as the store keeps and gives them: a batch, its documents, its files.

Plain, frozen, without behaviour; usable on any thread and in any process. No value here ever describes a secret
document.
"""

import datetime as dt
from collections.abc import Mapping

import msgspec

from signer_app.store.model import FileState


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One run of `sign`. `command` is how it signs, as JSON, without any secret; what it signs are its documents.

    `begun_at`: when the person said yes to it; until then nobody goes on with it. `continues` is the batch whose rest
    it takes over. `context` names all that the preflight's answers depend on besides the files and the wishes.
    """

    id: str
    created_at: dt.datetime
    command: str
    begun_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    reported_at: dt.datetime | None = None
    stopped_code: str | None = None
    stopped_params: Mapping[str, object] = {}
    continues: str | None = None
    context: str | None = None


class BatchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a batch: `position` is that of its first file, `job` the wish as JSON, `seen` what the preflight
    made of it until it is done with, `number_key` the number that it issues; `label` (số, ký hiệu) and `doc_date` as
    said, else as its page says. None for a secret document.
    """

    batch_id: str
    position: int
    job: str
    urgent: bool = False
    number_key: str | None = None
    seen: bytes | None = None
    label: str | None = None
    doc_date: dt.date | None = None


class BatchFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a batch; `document` is its document's position, `code` and `params` name and fill the message of the
    catalogue, `warnings` are (code, params) of what was told besides. None for a secret file.
    """

    batch_id: str
    position: int
    input_path: str
    state: FileState
    document: int | None = None
    input_sha256: str | None = None
    repaired_sha256: str | None = None
    profile: str | None = None
    plan_sha256: str | None = None
    file_id: str | None = None
    output_path: str | None = None
    code: str | None = None
    params: Mapping[str, object] = {}
    warnings: tuple[tuple[str, Mapping[str, object]], ...] = ()
    level: str | None = None
    output_sha256: str | None = None
    seconds: float | None = None
