"""The values of the window's signing: what a PIN would sign, and what became of it.

Frozen; passed between threads as they are. Loads nothing of the signing itself, so that a screen that only shows them
is there at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signer_app.signing.waiting import Wait
from signer_app.store.model import FileState
from signer_app.verification.model import Revocation
from signer_resources.errors import KnownError

if TYPE_CHECKING:
    from signer_app.pdf.model import Finding
    from signer_app.signing.certificates import SigningCertificate
    from signer_app.signing.jobs import DocumentJob
    from signer_token.model import Token


@dataclass(frozen=True)
class Planned:
    """A document that is to be signed; `label` is what people call it: number and notation, else its file's name."""

    job: DocumentJob
    label: str


@dataclass(frozen=True)
class DocumentOutcome:
    """What became of a document; `code` and `params` are an entry of the catalogue, None when all is well.

    `draft` is the id of the draft that it came from, `document` the one under which the store keeps it once signed.
    """

    draft: str | None
    label: str
    state: FileState
    code: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    warnings: tuple[Finding, ...] = ()
    level: str | None = None
    document: str | None = None

    @property
    def error(self) -> KnownError | None:
        """Why it is not signed, or what is to be known although it is."""
        return KnownError(self.code, **self.params) if self.code is not None else None


@dataclass(frozen=True)
class Ready:
    """What one PIN will sign. `token` was read last of all; `refused` will not be signed, for reasons."""

    chosen: SigningCertificate
    token: Token
    documents: tuple[Planned, ...]
    refused: tuple[DocumentOutcome, ...]
    send: bool = True
    level: str | None = None
    continues: str | None = None
    looked: str | None = None
    """Under which id the store has what was seen of the documents."""

    @property
    def token_name(self) -> str:
        """What people call the token."""
        return self.token.label.strip() or self.token.serial

    @property
    def unchecked(self) -> bool:
        """Whether nobody could tell if the certificate was revoked."""
        return self.chosen.state.revocation in (Revocation.UNKNOWN, Revocation.NOT_CHECKED)


@dataclass(frozen=True)
class Standing:
    """How a batch stands while it is signed, counted in documents. `waits_for` None: for nothing but this machine."""

    done: int
    total: int
    paused: bool = False
    waits_for: Wait | None = None


@dataclass(frozen=True)
class Choice:
    """More than one certificate could sign; the person names one."""

    certificates: tuple[SigningCertificate, ...]


@dataclass(frozen=True)
class BatchSummary:
    """What became of a batch; `stopped` is the error that ended it before its end."""

    batch: str | None
    stopped: KnownError | None
    outcomes: tuple[DocumentOutcome, ...]
    timestamp_missing: bool = False
    """A timestamp was wanted, and some were signed without."""
    unchecked: bool = False
    """Nobody could tell whether the certificate was revoked."""

    @property
    def signed(self) -> tuple[DocumentOutcome, ...]:
        """What is signed and kept."""
        return tuple(o for o in self.outcomes if o.state is FileState.SIGNED)

    @property
    def unsigned(self) -> tuple[DocumentOutcome, ...]:
        """What is not, for whatever reason."""
        return tuple(o for o in self.outcomes if o.state is not FileState.SIGNED)

    @property
    def failed(self) -> tuple[DocumentOutcome, ...]:
        """What was to be signed and could not be; it may be tried again."""
        return tuple(o for o in self.outcomes if o.state is FileState.FAILED)

    @property
    def pending(self) -> tuple[DocumentOutcome, ...]:
        """What can be gone on with."""
        return tuple(o for o in self.outcomes if o.state is FileState.PENDING)
