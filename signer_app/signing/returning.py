"""What comes back from the pipeline: kept, failed, or waiting again; and what of it ends the batch.

Main process, on the thread that signs. Here store, journal and the rows of the batch are told; the person is
told by whoever asked.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from signer_app.faults import told_fault
from signer_app.signing.batch import DocumentWork
from signer_app.signing.carrying import any_disk_error
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.clock import Onward
from signer_app.signing.login import tell_journal
from signer_app.signing.looking import Look
from signer_app.signing.pipeline import LeftOutError, Pipeline, Ride, TurnedAwayError
from signer_app.signing.rows import as_begun, file_rows
from signer_app.signing.settling import Settler
from signer_app.signing.waiting import Wait, Waits
from signer_app.store.model import FileState, JournalAction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.client import TokenError


@dataclass(frozen=True)
class Returns:
    """Of one batch. `touched` takes the places of documents with which the token has begun and that are not kept;
    `leave_out` writes down that the person leaves one out.
    """

    space: Workspace
    chosen: SigningCertificate
    batch: str
    settler: Settler
    look: Look
    touched: set[int]
    onward: Onward
    waits: Waits
    leave_out: Callable[[DocumentWork], None]

    def take(self, ride: Ride, pipeline: Pipeline) -> KnownError | None:
        """Keeps what was made of a document, or tells what went wrong; the error if the batch stops with it."""
        work = ride.work
        try:
            if ride.error is not None:
                raise ride.error
            with self.waits.on(Wait.DISK), any_disk_error(self.space.folder.work):
                self.settler.settle(work, ride.made, self.batch)
            for made in ride.made:
                self.onward.signed(made.moment, made.stamped.time if made.stamped is not None else None)
        except LeftOutError:
            return self._left_out(work, pipeline)
        except TurnedAwayError:
            # The token ended between its two signatures: it waits, as if none had been made.
            self.touched.add(work.place)
            self._tell_use("interrupted")
            self._put_rows(work)
        except TokenError as error:
            self.touched.add(work.place)
            self._tell_use(error.code)
            if not error.goes_on:
                pipeline.break_off()
                self._put_rows(work)
                return error
            self._fail(work, error)
        except KnownError as error:
            self.touched.add(work.place)
            if ride.signatures:
                self._tell_use(error.code)
            self._fail(work, error)
            if error.code == "disk_full":
                pipeline.close()
                return error
            if error.code == "secret":
                # Not even its name stays in the batch.
                try:
                    self.look.forget(work)
                except KnownError as fault:
                    pipeline.close()
                    return fault
        except Exception as fault:  # noqa: BLE001 - our own fault: told, and what has its signature is kept first
            pipeline.close()
            told = told_fault(fault, self.space.folder.path)
            self.touched.add(work.place)
            if not self._is_kept(work):
                if ride.signatures:
                    self._tell_use(told.code)
                self._fail(work, told)
            return told
        finally:
            if ride.folder is not None:
                shutil.rmtree(ride.folder, ignore_errors=True)
        return None

    def _left_out(self, work: DocumentWork, pipeline: Pipeline) -> KnownError | None:
        try:
            self.leave_out(work)
        except KnownError as error:
            pipeline.close()
            return error
        return None

    def _is_kept(self, work: DocumentWork) -> bool:
        """Whether it was kept before something went wrong."""
        with self.space.store.view() as view:
            rows = view.batches.of_document(self.batch, work.place)
        return any(row.state is FileState.SIGNED for row in rows)

    def _tell_use(self, result: str) -> None:
        """The key was used and no document came of it: the journal says so, without naming a document."""
        with suppress(KnownError):
            tell_journal(self.space, self.chosen, JournalAction.SIGN, result)

    def _fail(self, work: DocumentWork, error: KnownError) -> None:
        """Nothing of the document is kept; a full disk leaves it to be signed later, other faults are its own."""
        for file in work.files:
            file.outcome = replace(file.outcome, state=FileState.PENDING, level=None, sha256_out=None, document=None)
            if error.code != "disk_full":
                file.fail(error if file is work.main else KnownError("part_refused"))
        if error.code != "secret":
            self._put_rows(work)

    def _put_rows(self, work: DocumentWork) -> None:
        # What waits again keeps saying that the token has begun with it: its number stays its own.
        rows = tuple(as_begun(row) for row in file_rows(self.batch, work))
        with suppress(KnownError):
            # A full disk: the rows say that it was handed out, and so it waits.
            self.space.store.write(lambda tx: tx.batches.put_files(rows))
