"""Keeps what was made of a document: durable blobs, then one transaction, then the copies where they are wanted.

Main process, on the thread that signs. From here on a document is signed: nobody is told so before.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from signer_app.attachments.opening import look_again
from signer_app.evidence.pieces import keep_pieces, named
from signer_app.exchange.directory import Directory
from signer_app.exchange.replacing import Place, place_of
from signer_app.pdf.model import Finding, PlaceOption, Severity
from signer_app.signing.batch import DocumentWork, FileWork, Made
from signer_app.signing.examine import day_of
from signer_app.signing.number_keeping import owner_of
from signer_app.signing.records import Records, level_of, own_signature
from signer_app.signing.release import goes_to, make_packet, type_of
from signer_app.signing.rows import file_row
from signer_app.store.batch_model import BatchFile
from signer_app.store.model import Document, DocumentState, FileState, JournalAction, StoredFile
from signer_app.store.store import Signing, Transaction
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError


@dataclass(frozen=True)
class Settler:
    """What all documents of a batch share."""

    space: Workspace
    records: Records
    directory: Directory

    def settle(self, work: DocumentWork, made: Sequence[Made], batch: str) -> None:
        """The document is signed and kept when this returns.

        KnownError: nothing of it is kept. A copy that can't be put where it is wanted is in the file's outcome.
        """
        stored = self._keep(work, made, batch)
        # What goes along is told of at the main file.
        told = [*work.files, *[work.main] * len(work.attached)]
        ids = {id(file): item.id for file, item in zip(work.files, stored, strict=False)}
        rows: list[BatchFile] = []
        for file, item in zip(told, stored, strict=True):
            if item.output_path is None:
                continue
            error = self._exported(item)
            if error is not None:
                # Signed and kept; only the copy beside the input is missing, and is made up for at the next start.
                params = {key: str(value) for key, value in error.params.items()}
                file.outcome = replace(file.outcome, code=error.code, params=params)
                rows.append(file_row(batch, work, file, ids[id(file)]))
        if rows:
            with suppress(KnownError):
                self.space.store.write(lambda tx: tx.batches.put_files(rows))

    def _exported(self, item: StoredFile) -> KnownError | None:
        """Why a file's copy could not be put where it is wanted; whatever it is, the document is signed."""
        try:
            return self.space.store.export(item.id).error
        except KnownError as error:
            return error

    def _keep(self, work: DocumentWork, made: Sequence[Made], batch: str) -> tuple[StoredFile, ...]:
        """Durable blobs first, then everything about the document in one transaction."""
        space, store, records = self.space, self.space.store, self.records
        today = space.now().date()
        for item in made:
            if store.blobs.adopt(item.path).sha256 != item.sha256:
                raise KnownError("output_changed", name=item.file.job.name)
            item.file.outcome = replace(item.file.outcome, warnings=(*item.file.outcome.warnings, *item.warnings))
        document = records.document(work, day_of(work, today), space.now())
        files = tuple(records.stored(document, item, position) for position, item in enumerate(made))
        attached = records.attached(document, work.attached, len(files))
        packet, body = None, records.chosen.body
        with store.view() as view:
            goes = goes_to(view, work, document, body)
        work.main.outcome = replace(work.main.outcome, warnings=(*work.main.outcome.warnings, *goes.told))
        place = self._place(work, document) if goes.leaves else None
        if work.job.instead is not None and place is None:
            kept = Finding("replacement_kept", Severity.WARNING, {})
            work.main.outcome = replace(work.main.outcome, warnings=(*work.main.outcome.warnings, kept))
        if body is not None and goes.leaves:
            document = msgspec.structs.replace(document, state=DocumentState.RELEASED)
            packet = make_packet(
                work,
                document,
                files,
                made,
                goes,
                body=body,
                rules=records.rules,
                directory=self.directory,
                blobs=store.blobs,
                folder=made[0].path.parent,
                now=space.now(),
                hold=dt.timedelta(seconds=space.settings.hold_seconds),
                operator=operator_name(),
                attached=attached,
                place=place,
            )
        for item in made:
            item.file.outcome = replace(
                item.file.outcome,
                state=FileState.SIGNED,
                level=level_of(item),
                sha256_out=item.sha256,
                seconds=round(item.seconds, 3),
                document=document.id,
            )
        store.commit_signed(
            Signing(
                document=document,
                files=(*files, *attached),
                evidence=tuple(
                    records.evidence(
                        s,
                        m,
                        keep_pieces(store.blobs, own_signature(m).proofs, self._find_pieces),
                        attached if m.file is work.main else (),
                    )
                    for s, m in zip(files, made, strict=True)
                ),
                packet=packet,
                uses=tuple(records.use(JournalAction.SIGN, "ok", document, item.sha256) for item in made),
                batch_files=tuple(
                    file_row(batch, work, item.file, stored.id) for item, stored in zip(made, files, strict=True)
                ),
                draft=work.job.draft,
                owner=owner_of(work),
                sequences=records.sequences,
                replaces=work.job.replaces,
                paper=goes.paper,
            ),
            lambda: self._look_again(attached),
        )
        self._remember(work)
        return (*files, *attached)

    def _place(self, work: DocumentWork, document: Document) -> Place | None:
        """The place of a sent document that this one takes; raises as `place_of` where it can't any more, which undoes
        all, for it may not go out as a new one.
        """
        if work.job.instead is None:
            return None
        with self.space.store.view() as view:
            return place_of(view, work.job.instead, document.body_code)

    def _remember(self, work: DocumentWork) -> None:
        """Where the clerk put marks by hand is proposed for the next document of this body and type."""
        kind = type_of(work.job, self.records.rules)
        places = [(file.job.profile, place) for file in work.files if (place := _place_by_hand(file)) is not None]
        if not places:
            return

        def write(tx: Transaction) -> None:
            for profile, place in places:
                tx.places.put(self.records.body_code, profile, kind, place, self.space.now())

        with suppress(KnownError):
            self.space.store.write(write)

    def _find_pieces(self, wanted: AbstractSet[str]) -> Mapping[str, bytes]:
        """The CRLs and OCSP answers that a status rests on; read again only where one is not kept yet."""
        return named(wanted, self.space.trust)

    def _look_again(self, attached: Sequence[StoredFile]) -> None:
        """What goes along was not in anybody's hands since it was looked into, unless the store's folder was."""
        for item in attached:
            look_again(self.space, item.blob_in, item.name)


def _place_by_hand(file: FileWork) -> PlaceOption | None:
    """The place that the person gave; on the last page of several it is remembered as that."""
    place, pages = file.job.place, file.facts.pages
    if place is not None and pages > 1 and place.page == pages:
        return msgspec.structs.replace(place, page=-1)
    return place
