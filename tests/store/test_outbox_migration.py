"""A database with the old outbox comes over whole: what was sent keeps its receipt, what was cut is uncertain."""

from pathlib import Path

from signer_app.store.database import connect_writer, load_migrations
from signer_app.store.datafolder import DataFolder
from signer_app.store.model import OutboxState, ProofBy
from signer_app.store.store import Store
from signer_sync.contract import PacketKind

_AT = "2026-11-22T08:42:00.000+07:00"
_STATES = (
    ("queued", 0, None),
    ("retrying", 2, None),
    ("sending", 1, None),
    ("delivered", 1, '{"payload":"r"}'),
    ("failed", 1, None),
    ("failed", 1, '{"payload":"f"}'),
)


def test_an_outbox_of_before_is_brought_over(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "dữ liệu")
    steps = load_migrations()
    with folder.lock():
        connection = connect_writer(folder, steps[:11])
        connection.execute("BEGIN")
        for number, (state, attempts, receipt) in enumerate(_STATES, start=1):
            connection.execute(
                "INSERT INTO document VALUES (?, 'H41.01', ?, 'UBND-VX', 'UBND', '2026-11-18', NULL, NULL, NULL, 0,"
                " 'released', ?)",
                (f"d{number}", str(number), _AT),
            )
            connection.execute("INSERT INTO outbox_receiver VALUES (?, 0, 'H41.02')", (f"p{number}",))
            connection.execute(
                "INSERT INTO outbox (packet_id, document_id, org, kind, sha256, size, urgency, created_at, state,"
                " attempts, receipt, accepted_at) VALUES (?, ?, 'H41.01', 'new', 'x', 1, 0, ?, ?, ?, ?, ?)",
                (f"p{number}", f"d{number}", _AT, state, attempts, receipt, _AT if receipt else None),
            )
        connection.execute("INSERT INTO journal_anchor VALUES (1, 'h', 'p4', ?)", (_AT,))
        connection.execute("COMMIT")
        connection.close()
        with Store.open(folder) as store, store.view() as view:
            packets = [view.outbox.require(f"p{number}") for number in range(1, len(_STATES) + 1)]
            assert [anchor.packet_id for anchor in view.journal.anchors()] == ["p4"]
            assert [one.org for one in view.outbox.receivers("p1")] == ["H41.02"]
    assert [packet.state.value for packet in packets] == [state for state, _attempts, _receipt in _STATES]
    assert [packet.uncertain for packet in packets] == [False, True, True, False, False, False]
    assert packets[0].edxml_id == "H41.01,2026/11/18,1/UBND-VX"
    assert (packets[3].receipt, packets[3].proof_by) == ('{"payload":"r"}', ProofBy.RECEIPT)
    assert packets[3].state is OutboxState.DELIVERED
    assert {packet.kind for packet in packets} == {PacketKind.NEW}
