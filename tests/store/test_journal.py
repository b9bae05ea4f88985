"""The journal: only appended to, and any later change of it shows at the right entry."""

from datetime import timedelta

import pytest

from signer_app.store.journal import GENESIS, canonical, entry_hash
from signer_app.store.soundness import JournalAnchor, JournalCheck, JournalFault
from signer_app.store.store import Store, Transaction
from tests.store.letters import MORNING, Letters, not_secret, use


def fill(store: Store, entries: int) -> None:
    def work_of(number: int) -> None:
        store.write(
            lambda transaction: transaction.journal.append(
                use(operator=f"Văn thư {number}"), MORNING + timedelta(minutes=number)
            )
        )

    for number in range(1, entries + 1):
        work_of(number)


def tamper(store: Store, *statements: str) -> None:
    """Changes the journal as someone with the file and the sqlite3 tool can."""
    for trigger in ("journal_keeps_entries", "journal_loses_nothing"):
        store._connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    for statement in statements:
        store._connection.execute(statement)


def rechain(store: Store, first: int) -> None:
    """Recomputes all hashes from entry `first` on, as a careful forger would."""
    rows = store._connection.execute("SELECT seq, at, entry, hash FROM journal ORDER BY seq").fetchall()
    previous = GENESIS
    for row in rows:
        if row["seq"] < first:
            previous = row["hash"]
            continue
        new = entry_hash(previous, row["seq"], row["at"], row["entry"])
        store._connection.execute(
            "UPDATE journal SET prev_hash = ?, hash = ? WHERE seq = ?", (previous, new, row["seq"])
        )
        previous = new


def check(store: Store) -> JournalCheck:
    """What is found when every anchor is taken for proven."""
    with store.view() as view:
        return view.journal.verify(view.journal.anchors(), lambda _anchor: True).check


def anchor_at(store: Store, letters: Letters, count: int) -> None:
    """Anchors entry `count`, as the receipt of some packet does."""
    signing = letters.signing(str(count))
    assert signing.packet is not None
    packet_id = signing.packet.packet_id
    store.commit_signed(signing, not_secret)
    row = store._connection.execute("SELECT hash FROM journal WHERE seq = ?", (count,)).fetchone()
    anchor = JournalAnchor(count=count, hash=row["hash"], packet_id=packet_id, at=MORNING)
    store.write(lambda transaction: transaction.journal.anchor(anchor))


def test_entries_come_back_as_they_were_written(store: Store) -> None:
    fill(store, 3)
    with store.view() as view:
        newest, _, oldest = view.journal.entries()
        assert (newest.seq, newest.use.operator, newest.at) == (
            3,
            "Văn thư 3",
            MORNING + timedelta(minutes=3),
        )
        assert [entry.seq for entry in view.journal.entries(limit=1, before=3)] == [2]
    assert oldest.use == use(operator="Văn thư 1")
    assert check(store) == JournalCheck(entries=3, sound_to=0, newer=3, broken_at=None)


def test_the_hash_of_an_entry_is_computed_as_documented() -> None:
    # Computed by sha256sum over 64 zeros and {"at":"t","entry":"{\"a\":\"ký\"}","seq":1}.
    expected = "850f0a2d4856da393a2fc3c1a82e465f922f80efa83844502d89bcfac9e3ad91"
    assert canonical({"b": 1, "a": "ký"}) == '{"a":"ký","b":1}'
    assert entry_hash(GENESIS, 1, "t", '{"a":"ký"}') == expected


def test_the_program_itself_can_neither_change_nor_delete_an_entry(store: Store) -> None:
    fill(store, 2)
    for statement in ("UPDATE journal SET entry = '{}'", "DELETE FROM journal WHERE seq = 2"):
        with pytest.raises(Exception, match="only appended to"):
            store._connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "broken_at", "fault"),
    [
        (
            "UPDATE journal SET entry = replace(entry, 'Văn thư 4', 'Người khác') WHERE seq = 4",
            4,
            JournalFault.CONTENT,
        ),
        ("UPDATE journal SET at = '2026-11-22T00:00:00.000+07:00' WHERE seq = 2", 2, JournalFault.CONTENT),
        ("UPDATE journal SET prev_hash = hash WHERE seq = 5", 5, JournalFault.LINK),
        ("DELETE FROM journal WHERE seq = 3", 3, JournalFault.MISSING),
        ("DELETE FROM journal WHERE seq = 1", 1, JournalFault.MISSING),
    ],
)
def test_a_change_is_found_at_its_entry(store: Store, statement: str, broken_at: int, fault: JournalFault) -> None:
    fill(store, 6)
    tamper(store, statement)
    found = check(store)
    assert (found.broken_at, found.fault) == (broken_at, fault)
    assert (found.sound_to, found.newer) == (0, broken_at - 1)


def test_anchored_entries_are_sound_and_later_ones_newer(store: Store, letters: Letters) -> None:
    fill(store, 3)
    anchor_at(store, letters, 3)
    fill(store, 2)
    assert check(store) == JournalCheck(entries=6, sound_to=3, newer=3, broken_at=None)


def test_a_journal_rewritten_with_good_hashes_misfits_its_anchors(store: Store, letters: Letters) -> None:
    fill(store, 4)
    anchor_at(store, letters, 2)
    anchor_at(store, letters, 4)
    tamper(store, "UPDATE journal SET entry = replace(entry, 'Văn thư 3', 'Người khác') WHERE seq = 3")
    rechain(store, 3)
    assert check(store) == JournalCheck(
        entries=6,
        sound_to=2,
        newer=0,
        broken_at=3,
        fault=JournalFault.REWRITTEN,
        broken_time=MORNING + timedelta(minutes=3),
    )


def test_entries_cut_off_at_the_end_are_missed_if_they_were_anchored(store: Store, letters: Letters) -> None:
    fill(store, 3)
    anchor_at(store, letters, 3)
    tamper(store, "DELETE FROM journal WHERE seq >= 3")
    assert check(store) == JournalCheck(entries=2, sound_to=0, newer=2, broken_at=3, fault=JournalFault.CUT)


def test_an_anchor_whose_receipt_is_not_proven_does_not_count(store: Store, letters: Letters) -> None:
    fill(store, 3)
    anchor_at(store, letters, 3)
    with store.view() as view:
        anchors = view.journal.anchors()
        nobody = view.journal.verify(anchors, lambda _anchor: False)
        assert (nobody.check.sound_to, nobody.anchor, nobody.unproven) == (0, None, 1)
        good = view.journal.verify(anchors, lambda anchor: anchor.count == 3)
        assert (good.check.sound_to, good.anchor, good.unproven) == (3, anchors[0], 0)


def test_an_entry_is_undone_with_its_transaction(store: Store) -> None:
    fill(store, 1)

    def append_and_stop(transaction: Transaction) -> None:
        transaction.journal.append(use(), MORNING)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        store.write(append_and_stop)
    assert check(store).entries == 1
