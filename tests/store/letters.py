"""Small signings for the store's tests: their files lie in the store, their metadata is that of real
letters.
"""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from signer_app.store.model import (
    CertificateStatus,
    Document,
    DocumentState,
    Evidence,
    EvidenceRecord,
    FileRole,
    JournalAction,
    NewPacket,
    StoredFile,
    TokenUse,
    Urgency,
)
from signer_app.store.store import Signing, Store
from signer_sync.contract import PacketKind
from signer_sync.ids import uuid7

MORNING = datetime(2026, 11, 22, 1, 42, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = MORNING

    def __call__(self) -> datetime:
        return self.time

    def go_on(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Letters:
    """Makes signings whose files lie in the store already."""

    plan_sha256 = hashlib.sha256(b"plan").hexdigest()

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._count = 0

    def keep(self, content: bytes) -> str:
        """Puts bytes into the store; their SHA-256."""
        source = self._store.folder.work / f"{hashlib.sha256(content).hexdigest()[:16]}.pdf"
        source.write_bytes(content)
        return self._store.blobs.adopt(source).sha256

    def signing(
        self,
        number: str | None = "125",
        *,
        receivers: tuple[str, ...] = ("H41.02",),
        content: bytes | None = None,
        output: Path | None = None,
        urgency: Urgency = Urgency.NORMAL,
        doc_date: date = date(2026, 11, 18),
        body: str = "H41.01",
        group: str = "UBND",
        notation: str = "UBND-VHXH",
    ) -> Signing:
        self._count += 1
        document_id, file_id = uuid7(), uuid7()
        text = content if content is not None else f"letter {self._count}".encode()
        blob_in, blob_out = self.keep(text), self.keep(text + b" signed")
        document = Document(
            id=document_id,
            body_code=body,
            created_at=self._clock(),
            state=DocumentState.RELEASED if receivers else DocumentState.SIGNED,
            number=number,
            notation=notation if number else None,
            notation_group=group if number else None,
            doc_date=doc_date,
            subject="V/v chuẩn bị hội nghị cuối năm",
            urgency=urgency,
        )
        file = StoredFile(
            id=file_id,
            document_id=document_id,
            position=0,
            role=FileRole.MAIN,
            name="Công văn 125.pdf",
            profile="agency",
            plan_sha256=self.plan_sha256,
            blob_in=blob_in,
            blob_out=blob_out,
            level="b-b",
            signed_at=self._clock(),
            output_path=str(output) if output else None,
        )
        evidence = Evidence(
            signature_id=uuid7(),
            file_id=file_id,
            record=EvidenceRecord(
                document_sha256_before=blob_in,
                document_sha256_after=blob_out,
                signer_cert_der=b"\x30\x82 certificate",
                chain_der=(b"\x30\x82 root",),
                status=CertificateStatus.NOT_CHECKED,
                operator="Lê Thị Văn Thư",
                token_serial="0123",
                rule_profile="decree30-2026",
                software_version="0.1.0",
                signing_time=self._clock(),
                verdict="valid",
            ),
        )
        packet = None
        if receivers:
            sha256 = self.keep(text + b" packet")
            packet = NewPacket(
                packet_id=uuid7(),
                document_id=document_id,
                org=body,
                kind=PacketKind.NEW,
                sha256=sha256,
                size=self._store.blobs.size(sha256),
                created_at=self._clock(),
                receivers=receivers,
                urgency=urgency,
            )
        return Signing(
            document=document,
            files=(file,),
            evidence=(evidence,),
            packet=packet,
            uses=(use(document_id),),
        )


def use(document_id: str | None = None, operator: str = "Lê Thị Văn Thư") -> TokenUse:
    return TokenUse(
        action=JournalAction.SIGN,
        operator=operator,
        certificate_sha256="ab" * 32,
        token_serial="0123",
        result="ok",
        document_id=document_id,
        number="125/UBND-VHXH",
    )


def not_secret() -> None:
    """A secrecy check that finds nothing."""
