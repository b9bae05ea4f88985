"""The register as the window shows it: every document signed here, and of one of them its files, proof and receipt.

Main process, any thread; blocks. Read over a connection of its own, so that no signing waits for a reader. Writes
nothing but the copies that a clerk asks for, never over another file, and the giving up of a number (Bỏ số).
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from signer_app.desk.names import Names
from signer_app.desk.reading import reading
from signer_app.exchange.receipts import receipt_facts
from signer_app.signing.giving_up import let_go
from signer_app.store.documents import canonical_number
from signer_app.store.listings import RegisterEntry
from signer_app.store.model import CertificateStatus, Evidence, FileRole, OutboxPacket, OutboxState, StoredFile
from signer_app.store.number_book import NumberEntry
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import sequence_key
from signer_app.store.store import Transaction, View
from signer_app.store.times import vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.model import TokenCertificate

_LOOK_UP = 1000
"""Rows after which is asked whether anybody still wants them."""


class Years(Enum):
    """Years in place of one: the newest that has documents, or all of them."""

    NEWEST = auto()
    ALL = auto()


@dataclass(frozen=True, eq=False)
class RegisterSnapshot:
    """The list, the newest first; `years` and `bodies` are those that it could be narrowed to. `numbers` are those of
    the same year and body that are kept for unfinished documents, or were given up.
    """

    rows: tuple[RegisterEntry, ...]
    by_id: Mapping[str, RegisterEntry] = field(repr=False)
    year: int | None
    """The year that it shows; None for all."""
    years: tuple[int, ...]
    bodies: tuple[str, ...]
    """Organisation codes."""
    names: Mapping[str, str]
    """Code → name, of receivers and of our own bodies."""
    numbers: tuple[NumberEntry, ...] = ()


@dataclass(frozen=True)
class Proof:
    """What was kept of a signature made (TT 15/2025/TT-BKHCN, article 5.4), in short."""

    signer: str
    issuer: str
    certificate_serial: str
    token_serial: str
    operator: str
    signed_at: dt.datetime
    status: CertificateStatus
    verdict: str
    """As `verify` gives it: valid, changed, …"""
    timestamped: bool
    sha256: str
    """Of the signed file."""
    rule_profile: str
    software_version: str
    warnings: tuple[str, ...]
    """Codes of the catalogue that the clerk was shown."""


@dataclass(frozen=True)
class SignedFile:
    """A file of a document. `output` is where a copy was wanted, `exported` whether it was put there. `released_at`:
    since when the file itself is no longer kept here; all else is.
    """

    id: str
    name: str
    role: FileRole
    level: str | None
    output: Path | None
    exported: bool
    proof: Proof | None
    released_at: dt.datetime | None = None


@dataclass(frozen=True)
class SentPacket:
    """How far the sending of a document is; the server's own time and number stand in its receipt."""

    packet_id: str
    state: OutboxState
    queued_at: dt.datetime
    accepted_at: dt.datetime | None
    server_id: str
    server_time: str
    sequence: str
    error: KnownError | None


@dataclass(frozen=True)
class RegisterDetails:
    """One document of the register."""

    id: str
    files: tuple[SignedFile, ...]
    packets: tuple[SentPacket, ...]


class Register:
    """The register of one workspace."""

    def __init__(self, space: Workspace, names: Names) -> None:
        self._space = space
        self._names = names
        self._known: tuple[object, RegisterSnapshot] | None = None

    def look(
        self,
        year: int | Years = Years.NEWEST,
        body: str | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> RegisterSnapshot | None:
        """Documents of a year and a body; the very same answer while nothing has changed, None when `cancelled`."""
        reader = reading(self._space)
        with reader.view() as view:
            years, bodies = view.listings.register_years(), view.listings.register_bodies()
            numbers = view.number_book.kept(None, body)
            key = (year, body, view.listings.version(), numbers, self._names.all(), self._space.settings.bodies)
        if self._known is not None and self._known[0] == key:
            return self._known[1]
        only = (years[0] if years else None) if year is Years.NEWEST else None if year is Years.ALL else year
        rows: list[RegisterEntry] = []
        with reader.view() as view:
            for row in view.listings.register(only, body):
                rows.append(row)
                if len(rows) % _LOOK_UP == 0 and cancelled():
                    return None
        names = dict(self._names.all())
        names.update({own.code: own.name for own in self._space.settings.bodies})
        snapshot = RegisterSnapshot(
            tuple(rows),
            {entry.id: entry for entry in rows},
            only,
            years,
            bodies,
            names,
            tuple(number for number in numbers if only in (None, number.year)),
        )
        self._known = key, snapshot
        return snapshot

    def give_up(self, body_code: str, year: int, number: str, notation: str, reason: str) -> Reservation:
        """Gives a number up that is kept for a document (Bỏ số); as `give_up_number`."""
        return give_up_number(self._space, body_code, year, number, notation, reason)

    def details(self, document_id: str) -> RegisterDetails:
        """Files, proof and receipt of a document; empty for one that isn't there."""
        with reading(self._space).view() as view:
            files = tuple(_file(view, file) for file in view.documents.files(document_id))
            packets = tuple(_packet(packet) for packet in view.outbox.of_document(document_id))
        return RegisterDetails(document_id, files, packets)

    def copy_to_open(self, file_id: str) -> Path:
        """The copy beside the input, if it still is what was signed.

        KnownError `register_copy_missing` if there is none, `register_copy_changed` if it is another file by now.
        """
        file = self._file(file_id)
        if file.output_path is None or not Path(file.output_path).is_file():
            raise KnownError("register_copy_missing", name=file.name)
        if not self._space.store.blobs.is_exported(_signed(file), Path(file.output_path)):
            raise KnownError("register_copy_changed", file=file.output_path)
        return Path(file.output_path)

    def save(self, file_id: str, destination: Path) -> None:
        """Puts a copy where the clerk wants it: of what was signed, with the timestamps and validation data that have
        come since; raises as `BlobStore.export`, "file_released" where it is no longer kept.
        """
        file = self._file(file_id)
        with reading(self._space).view() as view:
            newest = view.levels.newest(file_id)
            blob = newest.blob if newest is not None else _signed(file)
            released = view.restored.released_at(blob)
        if released is not None and not self._space.store.blobs.has(blob):
            raise KnownError("file_released", name=file.name, date=vietnamese_date(released))
        self._space.store.blobs.export(blob, destination)

    def _file(self, file_id: str) -> StoredFile:
        with reading(self._space).view() as view:
            file = view.documents.file(file_id)
        if file is None:
            raise ValueError("no such file")
        return file


def give_up_number(space: Workspace, body_code: str, year: int, number: str, notation: str, reason: str) -> Reservation:
    """Gives a number up for good, with a reason and a line in the journal; it stays in the book.

    KnownError "number_not_kept" where no document keeps it, "out_number_kept" for an empty reason.
    """
    # Of a register's numbers just this one: another notation's with the same number is another document's.
    wanted = canonical_number(number), sequence_key(notation)

    def write(tx: Transaction) -> Reservation:
        all_kept = (one for one in tx.reservations.list(year, body_code) if not one.given_up)
        kept = next((one for one in all_kept if (one.number, sequence_key(one.notation)) == wanted), None)
        if kept is None:
            raise KnownError("number_not_kept", number=f"{number}/{notation}")
        let_go(tx, [kept], reason, space.now())
        return kept

    return space.store.write(write)


def _signed(file: StoredFile) -> str:
    """The blob that left: the signed file, or an attachment that went along as it was."""
    return file.blob_out or file.blob_in


def _file(view: View, file: StoredFile) -> SignedFile:
    # Of what was signed; later versions have evidence of their own.
    kept = [one for one in view.evidence.of_file(file.id) if one.record.document_sha256_after == file.blob_out]
    return SignedFile(
        file.id,
        file.name,
        file.role,
        file.level,
        Path(file.output_path) if file.output_path else None,
        file.exported_at is not None,
        _proof(kept[-1]) if kept else None,
        view.restored.released_at(_signed(file)),
    )


def _proof(evidence: Evidence) -> Proof:
    record = evidence.record
    try:
        certificate = TokenCertificate.from_der(record.signer_cert_der)
    except ValueError:
        # The proof stands for itself, whether this program can still read the certificate or not.
        certificate = None
    return Proof(
        signer=certificate.common_name if certificate else "",
        issuer=certificate.issuer if certificate else "",
        certificate_serial=certificate.serial if certificate else "",
        token_serial=record.token_serial,
        operator=record.operator,
        signed_at=record.signing_time,
        status=record.status,
        verdict=record.verdict,
        timestamped=record.timestamp_token is not None,
        sha256=record.document_sha256_after,
        rule_profile=record.rule_profile,
        software_version=record.software_version,
        warnings=record.warnings_shown,
    )


def _packet(packet: OutboxPacket) -> SentPacket:
    facts = receipt_facts(packet.receipt) if packet.receipt is not None else {}
    return SentPacket(
        packet.packet_id,
        packet.state,
        packet.created_at,
        packet.accepted_at,
        str(facts.get("serverId", "")),
        str(facts.get("receivedAt", "")),
        str(facts.get("seq", "")),
        KnownError(packet.error_code, **packet.error_params) if packet.error_code is not None else None,
    )
