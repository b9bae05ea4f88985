"""The journal's proof: what signatures of others vouch for, and where it breaks when somebody has altered it."""

import base64
import datetime as dt

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from signer_app.custody.anchors import Anchor, AnchorKind, JournalProof, prove_journal
from signer_app.custody.book import Book, require_holder
from signer_app.store.journal import GENESIS, entry_hash
from signer_app.store.settings import ServerSettings, Settings
from signer_app.store.soundness import JournalFault
from signer_app.store.store import Store
from signer_app.verification.model import TrustMaterial
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync import jws
from signer_sync.contract import TYP_RECEIPT, JournalHead, Receipt
from signer_token.model import Login, Pin
from tests.custody.minutes import CERTIFICATE, add, tamper, wish
from tests.custody.minutes import entry as minute_entry
from tests.desk.office import MONDAY, Office
from tests.support.workspace import CANARY_PIN, Desk

RECEIVED = dt.datetime(2026, 11, 23, 8, 45, tzinfo=MONDAY.tzinfo)


class Notary:
    """A document server that signs receipts."""

    def __init__(self, name: str = "server") -> None:
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.der = (
            x509.CertificateBuilder(subject, subject, self.key.public_key(), 1, MONDAY, MONDAY + dt.timedelta(days=9))
            .sign(self.key, SHA256())
            .public_bytes(Encoding.DER)
        )

    def settings(self) -> Settings:
        server = ServerSettings(url="http://x", server_id=self.name, signer_certificate_der=self.der)
        return Settings(server=server)

    def receive(self, office: Office, number: str, head: JournalHead | None = None) -> JournalHead:
        """A document is signed and sent; its receipt repeats the journal's head. The head."""
        document = office.signed(number)
        packet_id = office.packet_of(document)
        with office.store.view() as view:
            packet = view.outbox.get(packet_id)
            repeated = head or view.journal.head()
        assert packet is not None
        facts = Receipt(
            server_id=self.name,
            packet_id=packet_id,
            sha256=packet.sha256,
            size=packet.size,
            received_at=RECEIVED.isoformat(),
            seq=1,
            journal_head=str(repeated),
        )
        message = jws.sign(msgspec.json.encode(facts), self.key, typ=TYP_RECEIPT)
        text = msgspec.json.encode(message).decode()
        office.store.write(lambda tx: tx.outbox.accepted(packet_id, text, repeated, MONDAY))
        return repeated


UNSIGNED = ("""UPDATE outbox SET receipt = replace(receipt, '"signature":"', '"signature":"AAAA')""",)


@pytest.fixture(scope="module")
def notary() -> Notary:
    return Notary()


def proof(store: Store, settings: Settings, trust: TrustMaterial | None = None) -> JournalProof:
    with store.view() as view:
        return prove_journal(view, settings, trust or TrustMaterial())


def rechain(store: Store) -> None:
    """Recomputes all hashes, as a careful forger would."""
    previous = GENESIS
    for row in store._connection.execute("SELECT seq, at, entry FROM journal ORDER BY seq").fetchall():
        new = entry_hash(previous, row["seq"], row["at"], row["entry"])
        store._connection.execute(
            "UPDATE journal SET prev_hash = ?, hash = ? WHERE seq = ?", (previous, new, row["seq"])
        )
        previous = new


def found(proof: JournalProof) -> tuple[int, int, int | None, JournalFault | None]:
    check = proof.verified.check
    return check.sound_to, check.newer, check.broken_at, check.fault


def test_a_receipt_of_the_pinned_server_proves_the_entries_up_to_its_head(office: Office, notary: Notary) -> None:
    notary.receive(office, "1")
    notary.receive(office, "2")
    office.signed("3")
    checked = proof(office.store, notary.settings())
    assert (found(checked), checked.sound) == ((2, 1, None, None), True)
    anchor = checked.verified.anchor
    assert anchor is not None
    assert (anchor.kind, anchor.at, anchor.place) == (AnchorKind.RECEIPT, RECEIVED, "server")


def test_rows_and_receipts_of_others_prove_nothing(office: Office, notary: Notary) -> None:
    Notary().receive(office, "1")
    checked = proof(office.store, notary.settings())
    assert (found(checked), checked.verified.unproven) == ((0, 1, None, None), 1)
    assert found(proof(office.store, Settings())) == (0, 1, None, None)
    # Nor can they make a sound journal look broken.
    Notary().receive(office, "2", JournalHead(2, "ee" * 32))
    tamper(office.store, "UPDATE journal_anchor SET count = 99")
    checked = proof(office.store, notary.settings())
    assert found(checked) == (0, 2, None, None)
    # But that something contradicts it is said.
    assert (checked.verified.contradicting, checked.sound) == (3, False)


def test_a_rewritten_journal_is_told_also_when_the_receipts_can_t_be_checked(office: Office, notary: Notary) -> None:
    for number in "123":
        notary.receive(office, number)
    tamper(office.store, "UPDATE journal SET entry = replace(entry, '0123', '9999') WHERE seq = 2", *UNSIGNED)
    rechain(office.store)
    checked = proof(office.store, notary.settings())
    assert (found(checked), checked.verified.contradicting, checked.sound) == ((0, 3, None, None), 2, False)
    tamper(office.store, "DELETE FROM journal WHERE seq > 1")
    checked = proof(office.store, notary.settings())
    assert (found(checked), checked.sound) == ((0, 1, None, None), False)


def test_bytes_that_are_no_text_are_found_and_break_nothing_else(office: Office, notary: Notary) -> None:
    for number in "123":
        notary.receive(office, number)
    tamper(
        office.store,
        "UPDATE journal SET entry = CAST(x'7bff7d' AS TEXT) WHERE seq = 2",
        "UPDATE outbox SET accepted_at = CAST(x'ff' AS TEXT)",
        "UPDATE journal_anchor SET at = 'never'",
    )
    checked = proof(office.store, notary.settings())
    assert found(checked) == (1, 0, 2, JournalFault.CONTENT)
    with office.store.view() as view:
        assert [entry.use.action.value for entry in view.journal.entries()] == ["sign", "unreadable", "sign"]
    add(office.store, minute_entry(1))
    tamper(office.store, "UPDATE hand_over SET minute = CAST(x'7bff7d' AS TEXT)")
    with pytest.raises(KnownError) as refused:
        require_holder(office.store, CERTIFICATE.sha256, "")
    assert refused.value.code == "custody_book_altered"


def test_a_receipt_whose_head_was_changed_in_the_table_is_no_proof(office: Office, notary: Notary) -> None:
    notary.receive(office, "1")
    row = office.store._connection.execute("SELECT packet_id, receipt FROM outbox").fetchone()
    message = msgspec.json.decode(row["receipt"], type=dict[str, str])
    payload = base64.urlsafe_b64decode(message["payload"] + "===").replace(b'"1:', b'"2:')
    message["payload"] = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    text = msgspec.json.encode(message).decode()
    office.store._connection.execute("UPDATE outbox SET receipt = ? WHERE packet_id = ?", (text, row["packet_id"]))
    assert found(proof(office.store, notary.settings())) == (0, 1, None, None)


def test_a_journal_rewritten_with_good_hashes_contradicts_a_receipt(office: Office, notary: Notary) -> None:
    for number in "1234":
        notary.receive(office, number)
    tamper(office.store, "UPDATE journal SET entry = replace(entry, '0123', '9999') WHERE seq = 3")
    checked = proof(office.store, notary.settings())
    assert found(checked) == (2, 0, 3, JournalFault.CONTENT)
    rechain(office.store)
    # Also when the forger has taken the rows away that repeat the receipts.
    tamper(office.store, "DELETE FROM journal_anchor")
    checked = proof(office.store, notary.settings())
    assert found(checked) == (2, 0, 3, JournalFault.REWRITTEN)
    with office.store.view() as view:
        assert checked.verified.check.broken_time == view.journal.entries(before=4)[0].at
    assert checked.verified.against is not None
    assert checked.verified.against.count == 3
    # A later receipt for the rewritten journal doesn't heal it.
    notary.receive(office, "5")
    assert found(proof(office.store, notary.settings())) == (2, 0, 3, JournalFault.REWRITTEN)


def test_entries_cut_off_at_the_end_are_missed(office: Office, notary: Notary) -> None:
    for number in "123":
        notary.receive(office, number)
    tamper(office.store, "DELETE FROM journal WHERE seq = 3")
    checked = proof(office.store, notary.settings())
    assert (found(checked), checked.verified.check.broken_time) == ((2, 0, 3, JournalFault.CUT), None)


def test_a_hand_over_anchors_the_journal_and_the_book_is_held_against_it(desk: Desk, space: Workspace) -> None:
    book = Book(space)
    made = book.record(desk.agency, wish(), Login(Pin(CANARY_PIN)))
    count = made.minute.journal.count
    checked = proof(space.store, Settings(), space.trust)
    assert (found(checked), checked.sound) == ((count, 1, None, None), True)
    assert checked.verified.anchor == Anchor(
        count, made.minute.journal.hash, AnchorKind.HAND_OVER, made.minute.at, "trụ sở", made
    )
    # Without the authority's anchor nobody can tell whose signature it is.
    blind = proof(space.store, Settings())
    assert (found(blind), blind.verified.unproven) == ((0, count + 1, None, None), 1)
    tamper(space.store, "UPDATE journal SET at = '2026-01-01T00:00:00.000+07:00' WHERE seq = 1")
    assert found(proof(space.store, Settings(), space.trust)) == (0, 0, 1, JournalFault.CONTENT)
    rechain(space.store)
    assert found(proof(space.store, Settings(), space.trust)) == (0, 0, 1, JournalFault.REWRITTEN)


def test_a_minute_added_removed_or_altered_behind_the_journals_back_shows(desk: Desk, space: Workspace) -> None:
    Book(space).record(desk.agency, wish(), None)
    assert proof(space.store, Settings()).sound
    for statement in (
        "UPDATE hand_over SET minute = replace(minute, 'Nhàn', 'Nhài')",
        "UPDATE hand_over SET signed = '{}'",
        "UPDATE hand_over SET minute = 'x'",
        "DELETE FROM hand_over",
    ):
        tamper(space.store, statement)
        checked = proof(space.store, Settings())
        assert (checked.sound, checked.book_sound, checked.verified.check.broken_at) == (False, False, None)


def test_an_entry_that_is_no_entry_any_more_is_shown_and_found(office: Office) -> None:
    office.signed("1")
    office.signed("2")
    tamper(office.store, "UPDATE journal SET entry = '{' WHERE seq = 2", "UPDATE journal SET at = 'x' WHERE seq = 2")
    with office.store.view() as view:
        assert [e.use.action.value for e in view.journal.entries()] == ["unreadable", "sign"]
    checked = proof(office.store, Settings())
    assert (found(checked), checked.verified.check.broken_time) == ((0, 1, 2, JournalFault.CONTENT), None)
