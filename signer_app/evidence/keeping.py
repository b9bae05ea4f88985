"""Keeps the evidence of checks, with the CRLs and OCSP answers that it rests on, and destroys it on request.

Main process, by the owner of the data folder's lock; any thread, one at a time. Pieces are kept once, by content, and
go with the last record that names them.
"""

import threading

import msgspec

from signer_app.evidence.pieces import Find, keep_pieces
from signer_app.evidence.records import evidence_of
from signer_app.store.model import CertificateStatus, Evidence, JournalAction, TokenUse
from signer_app.store.store import Transaction
from signer_app.verification.model import FileReport
from signer_app.workspace import Workspace, operator_name
from signer_resources import rules

_DECIDED = frozenset({CertificateStatus.GOOD, CertificateStatus.REVOKED})


class EvidenceKeeper:
    """The evidence of one workspace that may write."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._turn = threading.Lock()

    def keep(self, report: FileReport, name: str, find: Find) -> bool:
        """Keeps what the check of a file found; False where it has no signature that could be read.

        The caller has screened these very bytes: of a document that carries or may carry a mark of secrecy nothing may
        be written down. `find` gives the pieces that the check relied on. Raises KnownError "no_rule_profile", and as
        `Store.write` and `BlobStore.add_stream`.
        """
        found = evidence_of(report, name, operator_name(), self._rule_profile())
        if not found:
            return False
        with self._turn:
            with self._space.store.view() as view:
                kept_before = view.evidence.of_document(str(report.sha256))
            earlier = {one.record.field: one for one in kept_before if one.file_id is None}
            proofs = {one.field: one.proofs for one in report.signatures}
            complete = [
                msgspec.structs.replace(
                    one, pieces=keep_pieces(self._space.store.blobs, proofs[one.record.field], find)
                )
                for one in found
                if not _says_less(one, earlier.get(one.record.field))
            ]
            replaced = {
                sha256
                for one in complete
                if (before := earlier.get(one.record.field)) is not None
                for sha256 in before.pieces
            }
            self._space.store.write(lambda transaction: transaction.evidence.add(complete))
            self._space.store.discard(replaced - {sha256 for one in complete for sha256 in one.pieces})
        return True

    def destroy(self, sha256: str) -> int:
        """Destroys all evidence about the document with this hash, and journals it; how many records there were.

        KnownError as `Store.write`.
        """

        def work(transaction: Transaction) -> tuple[Evidence, ...]:
            gone = transaction.evidence.destroy(sha256)
            if gone:
                transaction.journal.append(_destruction(sha256), self._space.now())
            return gone

        with self._turn:
            store = self._space.store
            gone = store.write(work)
            store.discard({piece for one in gone for piece in one.pieces})
            if gone:
                store.truncate_log()
        return len(gone)

    def _rule_profile(self) -> str:
        profile = rules.load(self._space.now().date())
        return f"{profile.id} {profile.version}"


def _says_less(new: Evidence, earlier: Evidence | None) -> bool:
    """Whether a check could not tell the certificate's status, while an earlier one of the same signature could."""
    return earlier is not None and earlier.record.status in _DECIDED and new.record.status not in _DECIDED


def _destruction(sha256: str) -> TokenUse:
    return TokenUse(
        action=JournalAction.EVIDENCE_DESTROYED,
        operator=operator_name(),
        certificate_sha256=None,
        token_serial=None,
        result="ok",
        sha256=sha256,
    )
