"""Enrolled machines and what lets them in: nonces, assertions seen, bearer tokens.

Called from the server's worker threads. Of a bearer token only the hash is kept.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

import msgspec

from signer_server.database import Database
from signer_server.problems import RefusedError
from signer_sync.contract import DeviceKey, ProblemCode

_NONCE_SECONDS: Final = 900


@dataclass(frozen=True)
class Device:
    """An enrolled machine; `chosen`: the one of its organisation that acknowledges and takes numbers."""

    id: str
    org: str
    key: DeviceKey
    enrolment: str
    enrolled_at: str
    revoked: bool
    chosen: bool = False


class Accounts:
    """Who may do what, as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def make_nonce(self) -> str:
        """A nonce for one enrolment; nothing is stored until it is used."""
        expires = int(self._database.clock()) + _NONCE_SECONDS
        body = f"{expires:x}.{secrets.token_hex(12)}"
        return f"{body}.{self._nonce_mac(body)}"

    def device(self, device_id: str) -> Device | None:
        """The enrolled machine with this id."""
        with self._database.lock:
            return self._device(device_id)

    def enrol(self, device_id: str, org: str, key: DeviceKey, certificate: bytes, enrolment: str, nonce: str) -> bool:
        """Records a checked enrolment and uses up its nonce; whether the device is new.

        Raises RefusedError for a used, foreign or expired nonce, another key under the same id, a revoked
        device.
        """
        with self._database.transaction():
            known = self._device(device_id)
            if known is not None and known.revoked:
                raise RefusedError(ProblemCode.DEVICE_REVOKED)
            if known is not None and (known.org, known.key) != (org, key):
                raise RefusedError(ProblemCode.DEVICE_CONFLICT)
            self._use_nonce(nonce)
            self._db.execute(
                "INSERT INTO device (id, org, key, certificate, enrolment, enrolled_at, chosen)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
                " NOT EXISTS (SELECT 1 FROM device WHERE org = ?2 AND chosen = 1))"
                " ON CONFLICT (id) DO UPDATE SET certificate = ?4, enrolment = ?5, enrolled_at = ?6",
                (
                    device_id,
                    org,
                    msgspec.json.encode(key).decode(),
                    certificate,
                    enrolment,
                    self._database.now_text(),
                ),
            )
            return known is None

    def revoke(self, device_id: str) -> None:
        """Takes a machine's right to speak for its organisation, at once.

        If it was the chosen one, the machine enrolled longest takes its place.
        """
        with self._database.transaction():
            known = self._device(device_id)
            if known is None:
                return
            self._db.execute(
                "UPDATE device SET revoked_at = ?, chosen = 0 WHERE id = ? AND revoked_at IS NULL",
                (self._database.now_text(), device_id),
            )
            self._db.execute(
                "UPDATE device SET chosen = 1 WHERE rowid ="
                " (SELECT min(rowid) FROM device WHERE org = ?1 AND revoked_at IS NULL)"
                " AND NOT EXISTS (SELECT 1 FROM device WHERE org = ?1 AND chosen = 1)",
                (known.org,),
            )

    def choose(self, device_id: str) -> None:
        """Makes this machine the one of its organisation that acknowledges and takes numbers.

        LookupError if it isn't enrolled or revoked.
        """
        with self._database.transaction():
            known = self._device(device_id)
            if known is None or known.revoked:
                raise LookupError("no such machine")
            self._db.execute("UPDATE device SET chosen = 0 WHERE org = ? AND chosen = 1", (known.org,))
            self._db.execute("UPDATE device SET chosen = 1 WHERE id = ?", (device_id,))

    def certificate(self, device_id: str) -> bytes:
        """The certificate that enrolled the machine, in DER; LookupError if there is no such machine."""
        with self._database.lock:
            row = self._db.execute("SELECT certificate FROM device WHERE id = ?", (device_id,)).fetchone()
        if row is None:
            raise LookupError("no such machine")
        return bytes(row["certificate"])

    def enrolled(self, org: str) -> int:
        """How many machines speak for `org`."""
        with self._database.lock:
            row = self._db.execute("SELECT count(*) FROM device WHERE org = ? AND revoked_at IS NULL", (org,))
            return int(row.fetchone()[0])

    def use_once(self, value: str, expires: int) -> bool:
        """Whether `value` is seen for the first time; it is remembered until `expires`."""
        with self._database.transaction():
            return self._use_once(value, expires)

    def make_bearer(self, device: Device, seconds: int) -> str:
        """A fresh bearer token; only its hash is kept."""
        token = secrets.token_urlsafe(32)
        with self._database.transaction():
            self._db.execute("DELETE FROM bearer WHERE expires < ?", (int(self._database.clock()) - 86400,))
            self._db.execute(
                "INSERT INTO bearer (hash, device, expires) VALUES (?, ?, ?)",
                (_hash(token), device.id, int(self._database.clock()) + seconds),
            )
        return token

    def bearer(self, token: str) -> Device:
        """The machine behind a bearer token; RefusedError token-invalid, token-expired, device-revoked."""
        with self._database.lock:
            row = self._db.execute("SELECT device, expires FROM bearer WHERE hash = ?", (_hash(token),)).fetchone()
            device = self._device(row["device"]) if row is not None else None
        if row is None or device is None:
            raise RefusedError(ProblemCode.TOKEN_INVALID)
        if device.revoked:
            raise RefusedError(ProblemCode.DEVICE_REVOKED)
        if row["expires"] <= self._database.clock():
            raise RefusedError(ProblemCode.TOKEN_EXPIRED)
        return device

    def _device(self, device_id: str) -> Device | None:
        row = self._db.execute("SELECT * FROM device WHERE id = ?", (device_id,)).fetchone()
        if row is None:
            return None
        return Device(
            id=row["id"],
            org=row["org"],
            key=msgspec.json.decode(row["key"], type=DeviceKey),
            enrolment=row["enrolment"],
            enrolled_at=row["enrolled_at"],
            revoked=row["revoked_at"] is not None,
            chosen=bool(row["chosen"]),
        )

    def _use_nonce(self, nonce: str) -> None:
        body, _, mac = nonce.rpartition(".")
        expires = body.partition(".")[0]
        if not hmac.compare_digest(mac.encode(), self._nonce_mac(body).encode()):
            raise RefusedError(ProblemCode.NOT_ALLOWED, "nonce not of this server")
        if int(expires, 16) < self._database.clock() or not self._use_once(nonce, int(expires, 16)):
            raise RefusedError(ProblemCode.NOT_ALLOWED, "nonce used or expired")

    def _nonce_mac(self, body: str) -> str:
        return hmac.new(self._database.secret.encode(), body.encode(), hashlib.sha256).hexdigest()

    def _use_once(self, value: str, expires: int) -> bool:
        self._db.execute("DELETE FROM used_once WHERE expires < ?", (int(self._database.clock()) - 60,))
        done = self._db.execute(
            "INSERT INTO used_once (value, expires) VALUES (?, ?) ON CONFLICT DO NOTHING", (value, expires)
        )
        return done.rowcount == 1


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
