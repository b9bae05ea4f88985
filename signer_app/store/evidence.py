"""Evidence of signatures made and checked, as rows: found by file or by the document's hash, destroyed whole.

Reads on any connection, writes only inside a transaction of the main process. CRLs and OCSP answers are blobs that many
records share; here only their hashes are known. Decides nothing about what is worth keeping.
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

import msgspec

from signer_app.store.model import Evidence, EvidenceRecord
from signer_app.store.rows import insert
from signer_app.store.times import stamp

_SELECT = (
    "SELECT signature_id, file_id, record, (SELECT json_group_array(sha256) FROM evidence_piece"
    " WHERE evidence_piece.signature_id = evidence.signature_id) AS pieces FROM evidence WHERE"
)


class EvidenceOfDocument(msgspec.Struct, frozen=True):
    """What a list tells of a document's evidence. `made_here`: some of its signatures were made on this machine."""

    sha256: str
    name: str
    at: datetime
    signatures: int
    made_here: bool


class EvidenceReader:
    """The evidence as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def of_file(self, file_id: str) -> tuple[Evidence, ...]:
        """The evidence of the signatures made on a file."""
        return self._some("file_id = ? ORDER BY signature_id", file_id)

    def of_document(self, sha256: str) -> tuple[Evidence, ...]:
        """All evidence about a document with these bytes, signatures made here first."""
        return self._some("document_sha256 = ? ORDER BY file_id IS NULL, signature_id", sha256)

    def documents(self, limit: int) -> tuple[EvidenceOfDocument, ...]:
        """The documents of which evidence is kept, the newest first."""
        rows = self._connection.execute(
            "SELECT evidence.document_sha256 AS sha256, max(evidence.at) AS at, count(*) AS signatures,"
            " max(evidence.file_id IS NOT NULL) AS made_here,"
            " ifnull(max(file.name), max(ifnull(json_extract(evidence.record, '$.name'), ''))) AS name"
            " FROM evidence LEFT JOIN file ON file.id = evidence.file_id"
            " GROUP BY evidence.document_sha256 ORDER BY at DESC, sha256 LIMIT ?",
            (limit,),
        )
        return tuple(msgspec.convert(dict(row), EvidenceOfDocument, strict=False) for row in rows)

    def beginning(self, digits: str, limit: int) -> tuple[str, ...]:
        """The documents of which evidence is kept and whose SHA-256 begins like this."""
        rows = self._connection.execute(
            "SELECT DISTINCT document_sha256 FROM evidence WHERE substr(document_sha256, 1, ?) = ?"
            " ORDER BY document_sha256 LIMIT ?",
            (len(digits), digits, limit),
        )
        return tuple(row[0] for row in rows)

    def blobs(self) -> set[str]:
        """Every CRL and OCSP answer that a record rests on."""
        return {row[0] for row in self._connection.execute("SELECT DISTINCT sha256 FROM evidence_piece")}

    def _some(self, clause: str, *values: object) -> tuple[Evidence, ...]:
        rows = self._connection.execute(f"{_SELECT} {clause}", values)
        return tuple(
            Evidence(
                signature_id=row["signature_id"],
                file_id=row["file_id"],
                record=msgspec.json.decode(row["record"], type=EvidenceRecord),
                pieces=tuple(sorted(msgspec.json.decode(row["pieces"], type=tuple[str, ...]))),
            )
            for row in rows
        )


class EvidenceTable(EvidenceReader):
    """The evidence inside a transaction, where it can be added to and destroyed."""

    def add(self, evidence: Iterable[Evidence]) -> None:
        """Adds evidence whose pieces are blobs already; of a check, in place of what the last one left."""
        for item in evidence:
            record = item.record
            if item.file_id is None:
                self._connection.execute(
                    "DELETE FROM evidence WHERE document_sha256 = ? AND field = ? AND file_id IS NULL",
                    (record.document_sha256_after, record.field),
                )
            insert(
                self._connection,
                "evidence",
                {
                    "signature_id": item.signature_id,
                    "file_id": item.file_id,
                    "document_sha256": record.document_sha256_after,
                    "field": record.field,
                    "at": stamp(record.status_time or record.signing_time),
                    "record": msgspec.json.encode(record).decode(),
                },
            )
            self._connection.executemany(
                "INSERT INTO evidence_piece (signature_id, sha256) VALUES (?, ?)",
                [(item.signature_id, sha256) for sha256 in sorted(set(item.pieces))],
            )

    def destroy(self, sha256: str) -> tuple[Evidence, ...]:
        """Takes away all evidence about a document; what it was."""
        gone = self.of_document(sha256)
        self._connection.execute("DELETE FROM evidence WHERE document_sha256 = ?", (sha256,))
        return gone
