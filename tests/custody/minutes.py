"""Hand-overs for tests, as a clerk fills them in."""

import datetime as dt
import sqlite3

from signer_app.custody.book import minute_text
from signer_app.custody.values import Wish
from signer_app.store.custody import CertificateFacts, DeviceFacts, HandOver, Minute, Permission, Waiting
from signer_app.store.store import Store
from signer_app.store.times import VIETNAM
from signer_sync.contract import JournalHead
from signer_sync.ids import uuid7
from signer_token.model import PinState

AT = dt.datetime(2026, 11, 23, 8, 42, tzinfo=VIETNAM)
PERMISSION = Permission(number="15/QĐ-UBND", date=dt.date(2026, 11, 20), by="Chủ tịch UBND xã Hòa Sơn")
CERTIFICATE = CertificateFacts(
    sha256="ab" * 32,
    serial="0a1b2c3d",
    name="UBND XÃ HÒA SƠN",
    organization="UBND tỉnh An Sơn",
    issuer="CA phục vụ các cơ quan Nhà nước G2",
    not_before=dt.datetime(2024, 1, 5, tzinfo=VIETNAM),
    not_after=dt.datetime(2026, 12, 18, tzinfo=VIETNAM),
)


def wish(giver: str = "Trần Văn An", receiver: str = "Lê Thị Nhàn", *, pin_change: bool = False) -> Wish:
    return Wish(giver=giver, receiver=receiver, permission=PERMISSION, place="trụ sở", pin_change=pin_change)


def entry(
    number: int = 1,
    receiver: str = "Lê Thị Nhàn",
    *,
    head: JournalHead | None = None,
    pin_change: bool = False,
    signed: str | None = None,
    **more: object,
) -> HandOver:
    facts: dict[str, object] = {
        "id": uuid7(),
        "number": number,
        "at": AT,
        "place": "trụ sở Ủy ban nhân dân xã Hòa Sơn",
        "body": "Ủy ban nhân dân xã Hòa Sơn",
        "giver": "Trần Văn An",
        "receiver": receiver,
        "held_by": "",
        "witness": "",
        "permission": PERMISSION,
        "purpose": "",
        "until": None,
        "certificate": CERTIFICATE,
        "device": DeviceFacts(serial="77", label="UBND xã Hòa Sơn"),
        "pin_state": PinState.OK,
        "pin_change_due": pin_change,
        "unsigned": Waiting(0, ()),
        "unsent": Waiting(0, ()),
        "journal": head or JournalHead(0, "0" * 64),
        **more,
    }
    minute = Minute(**facts)  # type: ignore[arg-type]
    return HandOver(minute=minute, text=minute_text(minute), signed=signed)


def add(store: Store, *entries: HandOver) -> None:
    for one in entries:
        store.write(lambda tx, one=one: tx.custody.add(one))  # type: ignore[misc]


def tamper(store: Store, *statements: str) -> None:
    """Changes the tables as someone with the file and the sqlite3 tool can."""
    connection: sqlite3.Connection = store._connection
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        if name.startswith(("journal", "hand_over")):
            connection.execute(f'DROP TRIGGER "{name}"')
    for statement in statements:
        connection.execute(statement)
