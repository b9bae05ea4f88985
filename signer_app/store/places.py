"""Where the clerk put a mark by hand on the last document of a kind, as rows: proposed for the next one.

Reads on any connection, writes only inside a transaction of the main process. Decides nothing: whether a remembered
place fits the page is the preflight's to say.
"""

import sqlite3
from datetime import datetime

from signer_app.pdf.model import PlaceOption, Profile
from signer_app.store.rows import to_value
from signer_app.store.times import stamp


class PlaceReader:
    """Remembered places as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, body_code: str, profile: Profile, document_type: str) -> PlaceOption | None:
        """The place for this body, profile and type ("" for none); pages from 1, -1 is the last; mm."""
        row = self._connection.execute(
            "SELECT page, x, y, w, h FROM remembered_place WHERE body_code = ? AND profile = ? AND type = ?",
            (body_code, profile.value, document_type),
        ).fetchone()
        return to_value(row, PlaceOption) if row else None


class Places(PlaceReader):
    """Remembered places inside a transaction, where they can be written."""

    def put(self, body_code: str, profile: Profile, document_type: str, place: PlaceOption, at: datetime) -> None:
        """Remembers a place instead of the earlier one."""
        self._connection.execute(
            "INSERT OR REPLACE INTO remembered_place (body_code, profile, type, page, x, y, w, h, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                body_code,
                profile.value,
                document_type,
                place.page,
                place.x,
                place.y,
                place.w,
                place.h,
                stamp(at),
            ),
        )

    def forget(self, body_code: str, profile: Profile, document_type: str) -> None:
        """Goes back to the rule's place."""
        self._connection.execute(
            "DELETE FROM remembered_place WHERE body_code = ? AND profile = ? AND type = ?",
            (body_code, profile.value, document_type),
        )
