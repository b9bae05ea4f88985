"""Documents, their files and numbers, as rows.

Reads on any connection, writes only inside a transaction of the main process. Knows that a number is used
once; does not know what a PDF is.
"""

import sqlite3
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from signer_app.store.model import Document, StoredFile
from signer_app.store.rows import insert, require_one, to_value
from signer_app.store.sequences import BY_NOTATION, Sequences, sequence_key
from signer_app.store.times import stamp, stamp_or_none, vietnamese_date
from signer_resources.errors import KnownError


def canonical_number(number: str) -> str:
    """The number without what makes no difference: "05", "5" and " 5" are one; "12a" is not "12"."""
    text = unicodedata.normalize("NFKC", number).strip().casefold()
    return text.lstrip("0") or text


class NumberUse(msgspec.Struct, frozen=True):
    """A number of a sequence (`sequences`) in a year, in the one form by which it is found; make it by `of`."""

    year: int
    group: str
    number: str

    @classmethod
    def of(cls, year: int, group: str, number: str) -> "NumberUse":
        """The number as it was typed: "05", "5" and " 5" are one use."""
        return cls(year, sequence_key(group), canonical_number(number))


class DocumentReader:
    """Documents and files as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, document_id: str) -> Document | None:
        """The document with this id."""
        row = self._connection.execute("SELECT * FROM document WHERE id = ?", (document_id,)).fetchone()
        return to_value(row, Document) if row else None

    def list(self, limit: int = 1000, before: str | None = None) -> tuple[Document, ...]:
        """The newest documents first; `before`: only those older than the document with this id."""
        rows = self._connection.execute(
            "SELECT * FROM document WHERE ?1 IS NULL"
            " OR (created_at, id) < (SELECT created_at, id FROM document WHERE id = ?1)"
            " ORDER BY created_at DESC, id DESC LIMIT ?2",
            (before, limit),
        )
        return tuple(to_value(row, Document) for row in rows)

    def files(self, document_id: str) -> tuple[StoredFile, ...]:
        """The files of a document in their order, the main one among them."""
        rows = self._connection.execute("SELECT * FROM file WHERE document_id = ? ORDER BY position", (document_id,))
        return tuple(to_value(row, StoredFile) for row in rows)

    def file(self, file_id: str) -> StoredFile | None:
        """The file with this id."""
        row = self._connection.execute("SELECT * FROM file WHERE id = ?", (file_id,)).fetchone()
        return to_value(row, StoredFile) if row else None

    def find_signed(self, input_sha256: str, profile: str, plan_sha256: str) -> StoredFile | None:
        """The newest signed file made of this input by this profile and plan: what need not be signed
        again.
        """
        row = self._connection.execute(
            "SELECT * FROM file WHERE blob_in = ? AND profile = ? AND plan_sha256 = ?"
            " AND blob_out IS NOT NULL ORDER BY signed_at DESC, id DESC LIMIT 1",
            (input_sha256, profile, plan_sha256),
        ).fetchone()
        return to_value(row, StoredFile) if row else None

    def issued_of(self, input_sha256: str) -> Document | None:
        """The newest document that was issued from these bytes, if any."""
        row = self._connection.execute(
            "SELECT document.* FROM document JOIN file ON file.document_id = document.id"
            " JOIN issued_number ON issued_number.document_id = document.id"
            " WHERE file.blob_in = ? ORDER BY document.created_at DESC, document.id DESC LIMIT 1",
            (input_sha256,),
        ).fetchone()
        return to_value(row, Document) if row else None

    def signed_of(self, input_sha256: str) -> Document | None:
        """The newest document with a file that was signed from these bytes, as they came or repaired, issued or not."""
        row = self._connection.execute(
            "SELECT document.* FROM document JOIN file ON file.document_id = document.id"
            " WHERE file.blob_in = ?1 OR file.original = ?1"
            " ORDER BY document.created_at DESC, document.id DESC LIMIT 1",
            (input_sha256,),
        ).fetchone()
        return to_value(row, Document) if row else None

    def find_number(
        self, body_code: str, year: int, notation: str, number: str, sequences: Sequences = BY_NOTATION
    ) -> Document | None:
        """The document that has used this number in the notation's sequence."""
        keys = sequences.keys(notation)
        rows = self._connection.execute(
            "SELECT document.*, issued_number.notation_group AS in_group FROM issued_number"
            " JOIN document ON document.id = issued_number.document_id"
            " WHERE issued_number.body_code = ? AND issued_number.year = ? AND issued_number.number = ?",
            (body_code, year, canonical_number(number)),
        )
        return next((to_value(row, Document) for row in rows if keys & _keys(row)), None)

    def find_numbers(
        self, body_code: str, uses: Iterable[NumberUse], sequences: Sequences = BY_NOTATION
    ) -> dict[NumberUse, Document]:
        """Those of the numbers that are used in the body already, with the documents that have used them."""
        wanted = set(uses)
        rows = self._connection.execute(
            "SELECT DISTINCT document.*, issued_number.year AS in_year, issued_number.notation_group AS in_group,"
            " issued_number.number AS taken FROM json_each(?2) AS asked"
            " JOIN issued_number ON issued_number.body_code = ?1"
            " AND issued_number.year = json_extract(asked.value, '$.year')"
            " AND issued_number.number = json_extract(asked.value, '$.number')"
            " JOIN document ON document.id = issued_number.document_id",
            (body_code, msgspec.json.encode(wanted).decode()),
        )
        by_number: dict[tuple[int, str], list[sqlite3.Row]] = {}
        for row in rows:
            by_number.setdefault((row["in_year"], row["taken"]), []).append(row)
        found = {}
        for use in wanted:
            keys = sequences.alike(use.group)
            for row in by_number.get((use.year, use.number), ()):
                if keys & _keys(row):
                    found[use] = to_value(row, Document)
        return found

    def last_numbers(self, body_code: str, year: int) -> dict[str, int]:
        """Sequence → its highest number used in the year, and notation → the highest with it; letters behind a number
        ("12a") don't count. `Sequences.last` makes of it what a body's sequences have.
        """
        found: dict[str, int] = {}
        for row in self._connection.execute(
            "SELECT issued_number.notation_group AS in_group, document.notation,"
            " max(CAST(issued_number.number AS INTEGER)) AS last FROM issued_number"
            " JOIN document ON document.id = issued_number.document_id"
            " WHERE issued_number.body_code = ? AND issued_number.year = ? GROUP BY 1, 2",
            (body_code, year),
        ):
            for key in _keys(row):
                found[key] = max(found.get(key, 0), row["last"])
        return found

    def check_number(
        self,
        body_code: str,
        doc_date: date,
        notation: str,
        number: str,
        sequences: Sequences = BY_NOTATION,
        replaces: str | None = None,
    ) -> None:
        """KnownError "number_used" if the number is taken (Decree 30/2020, article 15.1: unique per year) by another
        document than `replaces` (an id), in whose place it comes.
        """
        used = self.find_number(body_code, doc_date.year, notation, number, sequences)
        if used is not None and used.id != replaces:
            assert used.doc_date is not None
            raise KnownError("number_used", number=used.label or number, date=vietnamese_date(used.doc_date))

    def pending_exports(self) -> tuple[StoredFile, ...]:
        """Signed files whose copy outside the store was wanted and is not yet known to be there, oldest
        first.
        """
        rows = self._connection.execute(
            "SELECT * FROM file WHERE output_path IS NOT NULL AND exported_at IS NULL"
            " AND blob_out IS NOT NULL ORDER BY signed_at, id"
        )
        return tuple(to_value(row, StoredFile) for row in rows)

    def blobs(self) -> set[str]:
        """All blobs that files refer to."""
        rows = self._connection.execute(
            "SELECT blob_in FROM file UNION SELECT blob_out FROM file UNION SELECT original FROM file"
        )
        return {row[0] for row in rows if row[0] is not None}


def _keys(row: sqlite3.Row) -> set[str]:
    """The keys by which an issued number is found: of the sequence it was given in, and of its notation."""
    return {sequence_key(row["in_group"]), sequence_key(row["notation"] or "")}


class Documents(DocumentReader):
    """Documents inside a transaction, where they can be added."""

    def add(self, document: Document, sequences: Sequences = BY_NOTATION) -> None:
        """Adds a document and, if it has a `notation_group`, takes its number.

        Raises KnownError "number_used"; ValueError if the number to take has no notation or date.
        """
        insert(
            self._connection,
            "document",
            {
                "id": document.id,
                "body_code": document.body_code,
                "number": document.number,
                "notation": document.notation,
                "notation_group": document.notation_group,
                "doc_date": document.doc_date.isoformat() if document.doc_date else None,
                "type": document.type,
                "subject": document.subject,
                "signer_name": document.signer_name,
                "urgency": int(document.urgency),
                "state": document.state.value,
                "created_at": stamp(document.created_at),
            },
        )
        if document.notation_group is not None:
            self._take_number(document, document.notation_group, sequences)

    def _take_number(self, document: Document, group: str, sequences: Sequences) -> None:
        if document.number is None or document.notation is None or document.doc_date is None:
            raise ValueError("a number is taken only together with its notation and date")
        for name in (group, document.notation):
            self.check_number(document.body_code, document.doc_date, name, document.number, sequences)
        insert(
            self._connection,
            "issued_number",
            {
                "body_code": document.body_code,
                "year": document.doc_date.year,
                "notation_group": sequence_key(group),
                "number": canonical_number(document.number),
                "document_id": document.id,
            },
        )

    def add_files(self, files: Iterable[StoredFile]) -> None:
        """Adds the files of a document that was added before."""
        for file in files:
            insert(
                self._connection,
                "file",
                {
                    "id": file.id,
                    "document_id": file.document_id,
                    "position": file.position,
                    "role": file.role.value,
                    "name": file.name,
                    "profile": file.profile,
                    "plan_sha256": file.plan_sha256,
                    "certificate_sha256": file.certificate_sha256,
                    "blob_in": file.blob_in,
                    "original": file.original,
                    "blob_out": file.blob_out,
                    "level": file.level,
                    "signed_at": stamp_or_none(file.signed_at),
                    "output_path": file.output_path,
                    "exported_at": stamp_or_none(file.exported_at),
                },
            )

    def mark_released(self, document_id: str) -> None:
        """Records that the document is given to the outbox; ValueError if it was, or has no number taken for
        it.
        """
        done = self._connection.execute(
            "UPDATE document SET state = 'released' WHERE id = ? AND state = 'signed'"
            " AND EXISTS (SELECT 1 FROM issued_number WHERE document_id = document.id)",
            (document_id,),
        )
        require_one(done, "no signed document with a number that is not released yet")

    def mark_kept(self, document_id: str) -> None:
        """Records that the document is not given to the outbox any more: it was taken out before anything of it
        left.
        """
        done = self._connection.execute(
            "UPDATE document SET state = 'signed' WHERE id = ? AND state = 'released'", (document_id,)
        )
        require_one(done, "no released document")

    def mark_exported(self, file_id: str, at: datetime, output_path: str | None = None) -> None:
        """Records that the copy outside the store is durable, at `output_path` if it went elsewhere than
        wanted.
        """
        done = self._connection.execute(
            "UPDATE file SET exported_at = ?, output_path = ifnull(?, output_path) WHERE id = ?",
            (stamp(at), output_path, file_id),
        )
        require_one(done, "no such file")
