"""What the registers' tests share: a store with a clock that is told, a body, documents that were signed and sent."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer_app.registers.model import OutgoingLine
from signer_app.registers.outgoing import outgoing_lines
from signer_app.store.datafolder import DataFolder
from signer_app.store.model import Document, Urgency
from signer_app.store.sequences import Register
from signer_app.store.settings import Body, Settings
from signer_app.store.store import Signing, Store
from signer_app.store.times import VIETNAM, stamp
from signer_sync.ids import uuid7
from tests.store.letters import Clock, Letters, not_secret

BODY = "H41.01"
CLERK = "Lê Thị Văn Thư"
NAMES = {"H41.02": "Sở Nội vụ tỉnh An Sơn", BODY: "UBND xã Hòa Sơn"}


def at(day: int, hour: int = 8, minute: int = 0, month: int = 11, year: int = 2026) -> dt.datetime:
    """A moment in Vietnam."""
    return dt.datetime(year, month, day, hour, minute, tzinfo=VIETNAM)


class Bureau:
    """A store with a body's documents."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.settings = Settings(bodies=(Body(code=BODY, name=NAMES[BODY]),))
        self._letters = Letters(store, clock)

    def register(self, name: str, *notations: str) -> None:
        """The body has a register from now on."""
        registers = (Register(name=name, notations=notations),)
        self.settings = Settings(bodies=(Body(code=BODY, name=NAMES[BODY], registers=registers),))

    def signed(
        self,
        number: str,
        signed_at: dt.datetime,
        *,
        notation: str = "UBND-VHXH",
        urgency: Urgency = Urgency.NORMAL,
        receivers: tuple[str, ...] = ("H41.02",),
        doc_date: dt.date | None = None,
        body: str = BODY,
    ) -> Document:
        """A document was signed at this moment, and given to be sent unless it has no receivers."""
        self.clock.time = signed_at
        made: Signing = self._letters.signing(
            number,
            receivers=receivers,
            doc_date=doc_date or signed_at.date(),
            urgency=urgency,
            notation=notation,
            group=notation,
            body=body,
        )
        self.store.commit_signed(made, not_secret)
        return made.document

    def sent(self, document: Document, when: dt.datetime) -> None:
        """The server had it."""
        self._run(
            "UPDATE outbox SET state = 'accepted', proof_by = 'receipt', receipt = '{}', accepted_at = ?"
            " WHERE document_id = ?",
            stamp(when),
            document.id,
        )

    def sent_back(self, document: Document, org: str, reason: str, when: dt.datetime) -> None:
        """A receiver returned it."""
        self._run(
            "UPDATE outbox_receiver SET code = '02', code_at = ?, code_reason = ? WHERE org = ? AND packet_id ="
            " (SELECT packet_id FROM outbox WHERE document_id = ?)",
            stamp(when),
            reason,
            org,
            document.id,
        )

    def recalled(self, document: Document, when: dt.datetime) -> None:
        """Its recall had left."""
        packet = uuid7()
        with self.store.transaction() as tx:
            run = tx.registers._connection.execute
            run("INSERT INTO outbox_receiver (packet_id, position, org) VALUES (?, 0, 'H41.02')", (packet,))
            run(
                "INSERT INTO outbox (packet_id, document_id, org, kind, sha256, size, urgency, created_at, state,"
                " attempts, reason, proof_by, receipt, accepted_at)"
                " VALUES (?1, ?2, ?3, 'revoke', ?1, 1, 0, ?4, 'accepted', 1, 'sai nội dung', 'receipt', '{}', ?4)",
                (packet, document.id, BODY, stamp(when)),
            )

    def came(self, name: str, when: dt.datetime, state: str = "arrived", decided: dt.datetime | None = None) -> None:
        """A document came electronically."""
        decision = (stamp(decided), CLERK) if decided else (None, None)
        self._run(
            "INSERT INTO incoming (id, org, document_key, round, content, packet_sha256, kind, arrived_at, urgency,"
            " readable, sender, sender_name, document_id, id_key, label, issued, type_name, subject, signer, due,"
            " doubts, search, verdict, verified_at, state, decided_at, decided_by, reason, number, number_year,"
            " touched)"
            " VALUES (?1, ?2, ?1, 1, ?1, ?1, 'new', ?3, 0, 1, 'X', 'X', ?1, ?1, '', '', '', '', '', '', '[]', '',"
            " 'valid', ?3, ?4, ?5, ?6, CASE WHEN ?4 = 'returned' THEN 'sai nơi nhận' END,"
            " CASE WHEN ?4 = 'accepted' THEN 1 END, CASE WHEN ?4 = 'accepted' THEN 2026 END,"
            " (SELECT count(*) FROM incoming))",
            name,
            BODY,
            stamp(when),
            state,
            *decision,
        )

    def on_paper(self, document: Document, name: str) -> None:
        """Somebody gets it on paper."""
        self._run(
            "INSERT INTO paper_receiver (subject, position, name, reason, at) VALUES (?, 0, ?, 'chosen', ?)",
            document.id,
            name,
            stamp(self.clock()),
        )

    def passed_on(self, incoming: str, to: str, when: dt.datetime) -> None:
        """What came was passed on."""
        self._run(
            "INSERT INTO incoming_event (incoming_id, at, what, by, words) VALUES (?, ?, 'transferred', ?, ?)",
            incoming,
            stamp(when),
            CLERK,
            to,
        )

    def lines(self, year: int | None = None, body: str | None = None, search: str = "") -> list[OutgoingLine]:
        """The outgoing register."""
        with self.store.view() as view:
            return outgoing_lines(view, self.settings, NAMES, year, body, search)

    def _run(self, statement: str, *values: object) -> None:
        with self.store.transaction() as tx:
            tx.registers._connection.execute(statement, values)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    folder = DataFolder(tmp_path / "dữ liệu")
    with folder.lock(), Store.open(folder, clock) as opened:
        yield opened


@pytest.fixture
def bureau(store: Store, clock: Clock) -> Bureau:
    return Bureau(store, clock)
