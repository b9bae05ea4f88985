"""Files that went along with a signed document unsigned, as rows of its files.

Reads on any connection. They are rows as signed files are, without a signed copy: what leaves is what came.
"""

import sqlite3

from signer_app.store.model import FileRole, StoredFile
from signer_app.store.rows import to_value


class AttachmentReader:
    """Attachments of documents as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def pending_exports(self) -> tuple[StoredFile, ...]:
        """Attachments whose copy beside the signed files is wanted and is not yet known to be there."""
        rows = self._connection.execute(
            "SELECT file.* FROM file JOIN document ON document.id = file.document_id"
            " WHERE file.role = ? AND file.output_path IS NOT NULL AND file.exported_at IS NULL"
            " ORDER BY document.created_at, file.document_id, file.position",
            (FileRole.ATTACHMENT.value,),
        )
        return tuple(to_value(row, StoredFile) for row in rows)


def leaving_blob(file: StoredFile) -> str | None:
    """The blob that leaves: of a signed file its output, of an attachment what came; None for what is not signed."""
    return file.blob_in if file.role is FileRole.ATTACHMENT else file.blob_out
