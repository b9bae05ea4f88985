"""What the batch that is gone on with has seen of its documents, used again where nothing it depends on has changed.

Main process, any thread; reads the store. Looks at no document: where anything differs, somebody else looks again.
"""

import datetime as dt
import hashlib

import msgspec

from signer_app.signing.batch import DocumentWork
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.examine import Examiner
from signer_app.signing.images import Images
from signer_app.signing.jobs import DocumentJob
from signer_app.signing.records import software_version
from signer_app.signing.rows import work_of
from signer_app.store.store import Store
from signer_app.workspace import Workspace


def context_of(space: Workspace, chosen: SigningCertificate, today: dt.date, rules: str, images: Images) -> str:
    """All that a preflight's answer depends on besides file and wish, as a hash."""
    parts = (
        chosen.certificate.sha256,
        chosen.body,
        today.isoformat(),
        rules,
        images.without_contents(),
        space.trust,
        software_version(),
    )
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


class SeenBefore:
    """Of one batch, by its id; nothing of it counts before `compare`."""

    def __init__(self, store: Store, batch: str, examiner: Examiner) -> None:
        self._store = store
        self._batch = batch
        self._examiner = examiner
        self._counts = False

    def compare(self, context: str) -> None:
        """What was seen goes for now if all that it depends on is the same."""
        with self._store.view() as view:
            batch = view.batches.get(self._batch)
        self._counts = batch is not None and batch.context == context

    def work(self, job: DocumentJob) -> DocumentWork | None:
        """The document as it was seen; None: it is to be looked at."""
        if not self._counts:
            return None
        main = job.files[0]
        with self._store.view() as view:
            row = view.batches.waiting_for(self._batch, (main.path, main.profile.value, main.output))
            if row is None or row.document is None:
                return None
            document = view.batches.document(self._batch, row.document)
            files = view.batches.of_document(self._batch, row.document)
        work = work_of(document, files) if document is not None else None
        if work is None or msgspec.structs.replace(work.job, receivers=job.receivers, page=job.page) != job:
            return None
        work.job = job
        return work if self._examiner.still_holds(work) else None
