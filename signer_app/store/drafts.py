"""Drafts of outgoing documents, as rows: what was opened to be signed and is not signed yet.

Reads on any connection, writes only inside a transaction of the main process. A secret or unscreened file never comes
here: whoever adds a draft has screened its files and made them blobs.
"""

import datetime as dt
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from signer_app.pdf.model import CopyOrder, LetterFacts, PlaceOption, Profile
from signer_app.store.model import Draft, DraftAttachment, DraftFile, FileRole, InsteadOf, Urgency
from signer_app.store.rows import insert, require_one
from signer_app.store.times import stamp
from signer_resources.errors import KnownError

_SELECT = (
    "SELECT draft.*, draft_file.id AS file_id, draft_file.name, draft_file.path, draft_file.output, draft_file.role,"
    " draft_file.profile, draft_file.blob, draft_file.place, draft_file.facts, draft_file.made_from,"
    " draft_file.original, draft_file.root"
    " FROM draft JOIN draft_file ON draft_file.draft_id = draft.id"
)


_ONE_OF = "(SELECT value FROM json_each(?))"


def _ids(ids: Collection[str]) -> str:
    """What `_ONE_OF` is given."""
    return msgspec.json.encode(list(ids)).decode()


class DraftReader:
    """Drafts as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def list(self) -> tuple[Draft, ...]:
        """All drafts, in the clerk's order."""
        return self._some("ORDER BY draft.position, draft.id, draft_file.position")

    def some(self, ids: Collection[str]) -> tuple[Draft, ...]:
        """Those of the drafts `ids` that are there, in the clerk's order."""
        return self._some(
            f"WHERE draft.id IN {_ONE_OF} ORDER BY draft.position, draft.id, draft_file.position", _ids(ids)
        )

    def get(self, draft_id: str) -> Draft | None:
        """The draft with this id."""
        found = self._some("WHERE draft.id = ? ORDER BY draft_file.position", draft_id)
        return found[0] if found else None

    def with_blob(self, blob: str) -> Draft | None:
        """The draft that has this file, be it as it came or repaired."""
        row = self._connection.execute(
            "SELECT draft_id FROM draft_file WHERE blob = ?1 OR original = ?1", (blob,)
        ).fetchone()
        return self.get(row["draft_id"]) if row else None

    def with_file(self, file_id: str) -> Draft | None:
        """The draft that has the file with this id."""
        row = self._connection.execute("SELECT draft_id FROM draft_file WHERE id = ?", (file_id,)).fetchone()
        return self.get(row["draft_id"]) if row else None

    def with_attachment(self, attachment_id: str) -> Draft | None:
        """The draft with which this attachment goes along."""
        row = self._connection.execute(
            "SELECT draft_id FROM draft_attachment WHERE id = ?", (attachment_id,)
        ).fetchone()
        return self.get(row["draft_id"]) if row else None

    def replacing(self, document_id: str) -> Draft | None:
        """The draft by which this document is to be signed again."""
        row = self._connection.execute("SELECT id FROM draft WHERE replaces = ?", (document_id,)).fetchone()
        return self.get(row["id"]) if row else None

    def outputs(self, without: Collection[str] = ()) -> set[str]:
        """Where the copies of all drafts' files are to go, but for the drafts `without`."""
        rows = self._connection.execute(
            f"SELECT output FROM draft_file WHERE draft_id NOT IN {_ONE_OF}"  # noqa: S608 - our own words
            f" UNION SELECT output FROM draft_attachment WHERE draft_id NOT IN {_ONE_OF}",
            2 * (_ids(without),),
        )
        return {row[0] for row in rows}

    def issued_before(self) -> dict[str, str]:
        """Draft id → số, ký hiệu under which its very same main file was issued already; the newest counts, that in
        whose place it is signed again does not.
        """
        rows = self._connection.execute(
            "SELECT draft_file.draft_id, document.number || '/' || document.notation AS label FROM draft_file"
            " JOIN file ON file.blob_in = draft_file.blob JOIN document ON document.id = file.document_id"
            " JOIN issued_number ON issued_number.document_id = document.id"
            " JOIN draft ON draft.id = draft_file.draft_id AND document.id IS NOT draft.replaces"
            " WHERE draft_file.role = 'main' ORDER BY document.created_at, document.id"
        )
        return {row["draft_id"]: row["label"] for row in rows}

    def next_position(self) -> int:
        """The position behind the last draft."""
        return int(self._connection.execute("SELECT ifnull(max(position) + 1, 0) FROM draft").fetchone()[0])

    def blobs(self) -> set[str]:
        """The blobs of all drafts."""
        rows = self._connection.execute(
            "SELECT blob FROM draft_file UNION SELECT original FROM draft_file UNION SELECT blob FROM draft_attachment"
        )
        return {row[0] for row in rows if row[0] is not None}

    def _some(self, clause: str, *values: object) -> tuple[Draft, ...]:
        rows = self._connection.execute(f"{_SELECT} {clause}", values).fetchall()
        attached: dict[str, list[DraftAttachment]] = {}
        found = self._connection.execute(
            f"SELECT * FROM draft_attachment WHERE draft_id IN {_ONE_OF}"  # noqa: S608 - our own words
            " ORDER BY draft_id, position",
            (_ids({row["id"] for row in rows}),),
        )
        for row in found:
            attached.setdefault(row["draft_id"], []).append(_attachment(row))
        return tuple(_drafts(rows, attached))


class Drafts(DraftReader):
    """Drafts inside a transaction, where they can be written."""

    def add(self, draft: Draft) -> None:
        """Adds a draft; KnownError "out_already_here" if one of its files is in a draft already, "attachment_already"
        if two of its attachments are the same.
        """
        insert(self._connection, "draft", {"id": draft.id, **_columns(draft), "created_at": stamp(draft.created_at)})
        self._add_files(draft)
        self._add_attachments(draft)

    def put(self, draft: Draft) -> None:
        """Writes a draft that is there as it is now, with its files; raises as `add`, ValueError if it isn't there."""
        columns = _columns(draft)
        done = self._connection.execute(
            f"UPDATE draft SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",  # noqa: S608 - names are ours
            (*columns.values(), draft.id),
        )
        require_one(done, "no such draft")
        self._connection.execute("DELETE FROM draft_file WHERE draft_id = ?", (draft.id,))
        self._connection.execute("DELETE FROM draft_attachment WHERE draft_id = ?", (draft.id,))
        self._add_files(draft)
        self._add_attachments(draft)

    def remove(self, ids: Iterable[str]) -> None:
        """Removes drafts, with who gets them on paper; one that is gone already is none of anybody's concern."""
        gone = [(draft_id,) for draft_id in ids]
        self._connection.executemany("DELETE FROM draft WHERE id = ?", gone)
        self._connection.executemany("DELETE FROM paper_receiver WHERE subject = ?", gone)

    def tick(self, ids: Collection[str], *, ticked: bool, by_hand: bool) -> None:
        """Ticks or unticks drafts."""
        self._connection.executemany(
            "UPDATE draft SET ticked = ?, ticked_by_hand = ? WHERE id = ?",
            [(ticked, by_hand, draft_id) for draft_id in ids],
        )

    def order(self, ids: Sequence[str]) -> None:
        """Puts all drafts into this order; those not named come behind."""
        named = frozenset(ids)
        behind = [draft.id for draft in self.list() if draft.id not in named]
        self._connection.executemany(
            "UPDATE draft SET position = ? WHERE id = ?",
            [(position, draft_id) for position, draft_id in enumerate([*ids, *behind])],
        )

    def _add_files(self, draft: Draft) -> None:
        for position, file in enumerate(draft.files):
            columns = {
                "id": file.id,
                "draft_id": draft.id,
                "position": position,
                "name": file.name,
                "path": file.path,
                "output": file.output,
                "role": file.role.value,
                "profile": file.profile.value,
                "blob": file.blob,
                "place": msgspec.json.encode(file.place).decode() if file.place else None,
                "facts": msgspec.json.encode(file.facts).decode(),
                "made_from": file.made_from,
                "original": file.original,
                "root": file.root,
            }
            try:
                insert(self._connection, "draft_file", columns)
            except sqlite3.IntegrityError as error:
                if "draft_file.blob" not in str(error):
                    raise
                raise KnownError("out_already_here", name=file.name) from None

    def _add_attachments(self, draft: Draft) -> None:
        for position, item in enumerate(draft.attachments):
            columns = {
                "id": item.id,
                "draft_id": draft.id,
                "position": position,
                "name": item.name,
                "path": item.path,
                "output": item.output,
                "blob": item.blob,
                "size": item.size,
                "words": item.words,
                "root": item.root,
            }
            try:
                insert(self._connection, "draft_attachment", columns)
            except sqlite3.IntegrityError as error:
                if "draft_attachment.blob" not in str(error):
                    raise
                raise KnownError("attachment_already", name=item.name) from None


def _columns(draft: Draft) -> dict[str, object]:
    return {
        "position": draft.position,
        "number": draft.number,
        "notation": draft.notation,
        "doc_date": draft.date.isoformat() if draft.date else None,
        "type": draft.type,
        "subject": draft.subject,
        "signer": draft.signer,
        "receivers": msgspec.json.encode(draft.receivers).decode(),
        "urgency": int(draft.urgency),
        "ticked": draft.ticked,
        "ticked_by_hand": draft.ticked_by_hand,
        "copy": msgspec.json.encode(draft.copy).decode() if draft.copy else None,
        "replaces": draft.replaces,
        "instead_of": draft.instead.document_id if draft.instead is not None else None,
        "instead_why": draft.instead.reason if draft.instead is not None else None,
    }


def _drafts(rows: Iterable[sqlite3.Row], attached: Mapping[str, Sequence[DraftAttachment]]) -> Iterator[Draft]:
    """The drafts of rows that stand together, one row a file."""
    head: sqlite3.Row | None = None
    files: list[DraftFile] = []
    for row in rows:
        if head is not None and row["id"] != head["id"]:
            yield _draft(head, files, attached)
            files = []
        head = row
        files.append(_file(row))
    if head is not None:
        yield _draft(head, files, attached)


def _draft(row: sqlite3.Row, files: Sequence[DraftFile], attached: Mapping[str, Sequence[DraftAttachment]]) -> Draft:
    return Draft(
        id=row["id"],
        files=tuple(files),
        created_at=dt.datetime.fromisoformat(row["created_at"]),
        position=row["position"],
        number=row["number"],
        notation=row["notation"],
        date=dt.date.fromisoformat(row["doc_date"]) if row["doc_date"] else None,
        type=row["type"],
        subject=row["subject"],
        signer=row["signer"],
        receivers=msgspec.json.decode(row["receivers"], type=tuple[str, ...]),
        urgency=Urgency(row["urgency"]),
        ticked=bool(row["ticked"]),
        ticked_by_hand=bool(row["ticked_by_hand"]),
        attachments=tuple(attached.get(row["id"], ())),
        copy=msgspec.json.decode(row["copy"], type=CopyOrder) if row["copy"] else None,
        replaces=row["replaces"],
        instead=(
            InsteadOf(document_id=row["instead_of"], reason=row["instead_why"])
            if row["instead_of"] is not None
            else None
        ),
    )


def _attachment(row: sqlite3.Row) -> DraftAttachment:
    return DraftAttachment(
        id=row["id"],
        name=row["name"],
        path=row["path"],
        output=row["output"],
        blob=row["blob"],
        size=row["size"],
        words=bool(row["words"]),
        root=row["root"],
    )


def _file(row: sqlite3.Row) -> DraftFile:
    return DraftFile(
        id=row["file_id"],
        name=row["name"],
        path=row["path"],
        output=row["output"],
        role=FileRole(row["role"]),
        profile=Profile(row["profile"]),
        blob=row["blob"],
        facts=msgspec.json.decode(row["facts"], type=LetterFacts),
        place=msgspec.json.decode(row["place"], type=PlaceOption) if row["place"] else None,
        made_from=row["made_from"],
        original=row["original"],
        root=row["root"],
    )
