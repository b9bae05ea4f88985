"""Which files of documents that were sent long ago may go: those that nothing but such documents needs.

Reads on any connection. A document counts when its packet is proven to be with the other side since before the day, and
nothing about it is open: no packet that waits or needs a person, no recall or change without an answer from everybody,
no copy on paper or outside that is still owed, no file that waits for a higher level. Rows are never touched: hash,
evidence, receipt and the line in the register stay. What came from others isn't looked at.
"""

import datetime as dt
import sqlite3

from signer_app.store.times import stamp

_DONE = (
    "SELECT document.id FROM document WHERE document.state = 'released'"
    " AND EXISTS (SELECT 1 FROM outbox WHERE document_id = document.id AND kind IN ('new', 'replace')"
    "  AND superseded_by IS NULL AND accepted_at < ? AND state IN ('accepted', 'forwarded', 'delivered'))"
    " AND NOT EXISTS (SELECT 1 FROM outbox WHERE document_id = document.id AND superseded_by IS NULL"
    "  AND (state NOT IN ('accepted', 'forwarded', 'delivered', 'withdrawn') OR to_ask = 1"
    "  OR missing_since IS NOT NULL))"
    # A recall, a demand for it back, a change of receivers: everybody who was asked has answered.
    " AND NOT EXISTS (SELECT 1 FROM outbox JOIN outbox_receiver ON outbox_receiver.packet_id = outbox.packet_id"
    "  WHERE document_id = document.id AND (kind = 'revoke' OR status_code = '13') AND state <> 'withdrawn'"
    "  AND superseded_by IS NULL AND ifnull(code, '') NOT IN ('15', '16'))"
    " AND NOT EXISTS (SELECT 1 FROM file JOIN awaited_level ON awaited_level.file_id = file.id"
    "  WHERE document_id = document.id AND given_up = 0)"
    " AND NOT EXISTS (SELECT 1 FROM file WHERE document_id = document.id AND output_path IS NOT NULL"
    "  AND exported_at IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM paper_receiver WHERE subject = document.id AND done_at IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM draft WHERE replaces = document.id)"
)
_NAMED = (
    "SELECT id, blob FROM (SELECT document_id AS id, blob_in AS blob FROM file"
    " UNION ALL SELECT document_id, blob_out FROM file UNION ALL SELECT document_id, original FROM file"
    " UNION ALL SELECT file.document_id, file_version.blob FROM file_version JOIN file ON file.id = file_id"
    # A status message on what came is of no document of ours, and stays.
    " UNION ALL SELECT ifnull(document_id, ''), sha256 FROM outbox) WHERE blob IS NOT NULL"
)


class RetentionReader:
    """The same as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def may_go(self, sent_before: dt.datetime) -> set[str]:
        """Blobs of documents alone that the other side has had since before this moment, and with which nothing is
        open; what others than such documents name isn't among them, as far as documents and packets go.
        """
        done = {row[0] for row in self._connection.execute(_DONE, (stamp(sent_before),))}
        going: set[str] = set()
        needed: set[str] = set()
        for document, blob in self._connection.execute(_NAMED):
            (going if document in done else needed).add(blob)
        return going - needed
