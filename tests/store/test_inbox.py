"""Packets and incoming documents as rows: what the database itself refuses, and what an older one brings along."""

import datetime as dt
import sqlite3
from functools import partial

import pytest

from signer_app.pdf.names import fold
from signer_app.store.database import load_migrations
from signer_app.store.datafolder import DataFolder
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import (
    ArrivalState,
    ArrivalVerdict,
    Asked,
    IncomingEvent,
    IncomingFacts,
    IncomingFile,
    IncomingWhat,
    Judged,
    NewIncoming,
)
from signer_app.store.store import Store, Transaction
from signer_sync.contract import PacketKind
from signer_sync.ids import uuid7
from signer_sync.ports import FeedPosition
from tests.store.letters import MORNING, Clock

ORG = "H41.01"
SHA = "ab" * 32


def packet(packet_id: str = "p1", **more: object) -> IncomingPacket:
    told: dict[str, object] = {"org": ORG, "packet_id": packet_id, "received_at": MORNING, "sha256": SHA, "size": 3}
    return IncomingPacket(**{**told, **more})  # type: ignore[arg-type]


def event(what: IncomingWhat = IncomingWhat.ARRIVED, words: str = "") -> IncomingEvent:
    return IncomingEvent(at=MORNING, what=what, by="Lê Thị Thư", words=words)


def judged(verdict: ArrivalVerdict = ArrivalVerdict.VALID, again: dt.datetime | None = None) -> Judged:
    return Judged(verdict=verdict, code=None, at=MORNING, recheck_at=again)


def add(came: IncomingPacket, tx: Transaction) -> bool:
    return tx.inbox.add(came)


def document(key: str = "k", **more: object) -> NewIncoming:
    told: dict[str, object] = {
        "id": uuid7(),
        "org": ORG,
        "document_key": key,
        "content": SHA,
        "packet_sha256": SHA,
        "kind": PacketKind.NEW,
        "arrived_at": MORNING,
        "facts": IncomingFacts(sender="H77", label="12/UBND", subject="Đê điều"),
        "files": (IncomingFile(name="thu.pdf", sha256=SHA, size=3, is_pdf=True, verdict="valid", integrity="intact"),),
        "judged": judged(),
    }
    return NewIncoming(**{**told, **more})  # type: ignore[arg-type]


def filed(store: Store, new: NewIncoming) -> str:
    store.write(lambda tx: tx.incoming.add(new, event()))
    return new.id


def test_the_same_packet_is_a_row_of_its_own_for_each_channel(store: Store) -> None:
    assert store.write(lambda tx: tx.inbox.add(packet()))
    assert not store.write(lambda tx: tx.inbox.add(packet()))
    assert store.write(lambda tx: tx.inbox.add(packet(channel="lgsp")))
    with store.view() as view:
        assert len(view.inbox.list()) == 2
        assert view.inbox.has(ORG, "p1", None, "lgsp")
        assert not view.inbox.has(ORG, "p1", None, "folder")
        assert not view.inbox.has(ORG, "p1", "cd" * 32)


def test_what_waits_to_be_filed_comes_hoa_toc_first_then_the_oldest(store: Store, clock: Clock) -> None:
    for number, priority in (("a", 0), ("b", 3), ("c", 0)):
        clock.go_on(1)
        came = packet(number, priority=priority, received_at=clock(), sha256=(number * 64))
        store.write(partial(add, came))
    with store.view() as view:
        assert [one.packet_id for one in view.inbox.to_file(10)] == ["b", "a", "c"]
    first = packet("b", sha256="b" * 64)
    store.write(lambda tx: tx.inbox.filed(first, MORNING))
    with pytest.raises(ValueError, match="waits to be filed"):
        store.write(lambda tx: tx.inbox.filed(first, MORNING))
    with store.view() as view:
        assert [one.packet_id for one in view.inbox.to_file(10)] == ["a", "c"]


def test_of_a_secret_packet_the_database_takes_nothing_more_than_its_id(store: Store) -> None:
    assert store.write(lambda tx: tx.inbox.add_secret(ORG, "s", MORNING))
    for column, value in (("subject", "x"), ("sha256", SHA), ("from_org", "H77"), ("error_code", "x")):
        with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
            tx.inbox._connection.execute(f"UPDATE inbox SET {column} = ? WHERE secret = 1", (value,))  # noqa: S608
    with pytest.raises(ValueError, match="kept"):
        store.write(lambda tx: tx.inbox.add(packet(secret=True)))


@pytest.mark.parametrize(
    "change",
    [
        "state = 'accepted', decided_at = 'x', decided_by = 'y'",
        "state = 'returned', decided_at = 'x', decided_by = 'y'",
        "state = 'cancelled'",
        "asked = 'recall'",
        "recheck_at = 'x'",
        "state = 'superseded', decided_at = 'x', decided_by = 'y'",
    ],
)
def test_the_database_refuses_rows_that_say_half(store: Store, change: str) -> None:
    filed(store, document())
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        tx.incoming._connection.execute(f"UPDATE incoming SET {change}")  # noqa: S608


@pytest.mark.parametrize(
    "statement", ["DELETE FROM incoming", "DELETE FROM incoming_event", "UPDATE incoming_event SET by = 'x'"]
)
def test_what_came_and_what_happened_to_it_can_t_be_deleted(store: Store, statement: str) -> None:
    filed(store, document())
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        tx.incoming._connection.execute(statement)


def test_one_round_of_a_document_is_one_row(store: Store) -> None:
    filed(store, document())
    with pytest.raises(sqlite3.IntegrityError):
        filed(store, document())
    again = filed(store, document(round=2))
    with store.view() as view:
        assert [one.round for one in view.incoming.of_key(ORG, "k")] == [2, 1]
        found = view.incoming.get(again)
    assert found is not None
    assert found.search == fold("12/UBND H77 Đê điều H41.01")


def test_a_decision_is_made_once(store: Store) -> None:
    one = filed(store, document())
    store.write(lambda tx: tx.incoming.accept(one, 7, 2026, event(IncomingWhat.ACCEPTED)))
    with pytest.raises(ValueError, match="waits for a decision"):
        store.write(lambda tx: tx.incoming.decide(one, ArrivalState.RETURNED, event(), reason="altered"))
    with store.view() as view:
        found = view.incoming.get(one)
    assert found is not None
    assert (found.state, found.number, found.number_year) == (ArrivalState.ACCEPTED, 7, 2026)


def test_a_recall_is_not_pushed_aside_by_an_update(store: Store) -> None:
    one = filed(store, document())

    def ask(asked: Asked, tx: Transaction) -> None:
        tx.incoming.ask(one, asked, asked.value, SHA, event(IncomingWhat.RECALL_ASKED))

    for asked in (Asked.UPDATE, Asked.RECALL, Asked.UPDATE):
        store.write(partial(ask, asked))
    with store.view() as view:
        found = view.incoming.get(one)
    assert found is not None
    assert (found.asked, found.asked_reason) == (Asked.RECALL, "recall")
    with pytest.raises(ValueError, match="no update"):
        store.write(lambda tx: tx.incoming.renew(one, IncomingFacts(), None, None, None, event()))


def test_only_what_was_touched_since_is_read(store: Store) -> None:
    first, second = filed(store, document("a")), filed(store, document("b"))
    with store.view() as view:
        last = max(one.touched for one in view.incoming.touched_since(0))
    store.write(lambda tx: tx.incoming.transferred(first, event(IncomingWhat.TRANSFERRED, "Phòng A")))
    with store.view() as view:
        assert [one.id for one in view.incoming.touched_since(last)] == [first]
        assert view.incoming.holders(first) == ("Phòng A",)
        assert view.incoming.holders(second) == ()


def test_a_verdict_of_other_files_is_not_written(store: Store) -> None:
    one = filed(store, document(judged=judged(ArrivalVerdict.INDETERMINATE, MORNING)))
    with store.view() as view:
        assert [found.id for found in view.incoming.to_check_again(MORNING, 5)] == [one]
    assert not store.write(lambda tx: tx.incoming.judged(one, "cd" * 32, judged(), (), None, rechecks=1))
    assert store.write(lambda tx: tx.incoming.judged(one, SHA, judged(), (), None, rechecks=1))
    with store.view() as view:
        assert view.incoming.to_check_again(MORNING, 5) == ()
        assert view.incoming.undecided(10) == ()


def test_blobs_of_files_and_packets_are_kept(store: Store) -> None:
    store.write(lambda tx: tx.inbox.add(packet(sha256="cd" * 32)))
    filed(store, document())
    with store.view() as view:
        assert view.blobs() == {"cd" * 32, SHA}


def test_an_older_inbox_becomes_that_of_the_sync_api_and_is_filed_by_and_by(folder: DataFolder, clock: Clock) -> None:
    steps = load_migrations()
    before = next(step.number for step in steps if "inbox_of_channels" in step.sql)
    with folder.lock():
        with Store.open(folder, clock, steps[: before - 1]) as old:
            old._connection.execute(
                "INSERT INTO inbox VALUES (?, 'p1', ?, 3, 'new', 'H77', 'V/v', 1, '2026-01-02T08:00:00.000+07:00', 0)",
                (ORG, SHA),
            )
            old._connection.execute("INSERT INTO feed_cursor VALUES (?, 'e', 'c')", (ORG,))
        with Store.open(folder, clock) as store, store.view() as view:
            (kept,) = view.inbox.to_file(5)
            assert (kept.channel, kept.subject, kept.sha256) == ("sync", "V/v", SHA)
            assert view.inbox.position(ORG) == FeedPosition("e", "c")
