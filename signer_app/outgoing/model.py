"""The values of outgoing documents: what is kept of a draft, and what the grid shows of it.

Plain and immutable; usable on any thread. A draft is what the database has; a row is a draft with all that is known of
it at one moment. Nothing here ever describes a secret document, but `Left`, which lives as long as its message.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from signer_app.pdf.model import CopyOrder, Finding, LetterFacts, PlaceOption, Profile, Severity
from signer_app.pdf.plan import Placement, SigningPlan
from signer_app.signing.batch import Outcome
from signer_app.signing.jobs import FromPage
from signer_app.store.model import Draft, DraftAttachment, DraftFile, FileRole, InsteadOf, Urgency
from signer_resources.errors import KnownError

__all__ = [
    "Added", "Attached", "Changes", "CopyOrder", "Draft", "DraftAttachment", "DraftFile", "Examined", "FileRole",
    "Finding", "InsteadOf", "Left", "Note", "PlaceOption", "Profile", "Receivers", "Row", "Severity", "State",
    "Urgency",
]  # fmt: skip


class State(StrEnum):
    """How a row stands."""

    CHECKING = "checking"
    """Not examined as it is now."""
    NEEDS_NUMBER = "needs_number"
    """Chờ số: nothing else is in its way."""
    READY = "ready"
    WARNING = "warning"
    """Can be signed once a person has looked at what is told."""
    REFUSED = "refused"
    SIGNING = "signing"
    SIGNED = "signed"


@dataclass(frozen=True)
class Note:
    """Something worth knowing that stops nothing; `code` is an error entry of the catalogue, `params` fill it."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Receivers:
    """Who gets a draft. `codes` are the bodies, also those who can't be reached; `body` is the code of the body whose
    document it is, "" where that isn't known yet.

    `page` is set where the lines of the page say it. `unknown` and `ended` are those of the codes that the directory
    doesn't have, or whose body is no more; `paper` the names of the others who get it on paper; `referred` lines that
    point to another part of the document.
    """

    codes: tuple[str, ...] = ()
    body: str = ""
    page: FromPage | None = None
    unknown: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    paper: tuple[str, ...] = ()
    referred: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """Lines of the page of which nobody has said what they mean; while there are any, it is kept unsent."""
        return self.page.asked if self.page is not None else ()


@dataclass(frozen=True)
class Row:
    """A draft and what is known of it. `findings`, `plans` and `placements` go by the id of the file.

    What concerns the document as a whole stands with its main file. `date` is the day of issue: as given, as on the
    page, or today. `proposal` is the number that comes next for it, None where it has one or takes none. `key` is what
    is searched: all its words without diacritics, đ as d. `outcomes` are there once it is signed.
    """

    draft: Draft
    state: State
    date: dt.date
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    plans: Mapping[str, SigningPlan] = field(default_factory=dict)
    placements: Mapping[str, tuple[Placement, ...]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    proposal: str | None = None
    register: str = ""
    """The register on a server from which its number comes; empty where it has one, or where none gives it."""
    key: str = ""
    outcomes: tuple[Outcome, ...] = ()
    receivers: Receivers = Receivers()
    """Who gets it, and how; the draft's own `receivers` are their codes, whoever named them."""

    @property
    def facts(self) -> LetterFacts:
        """What the main file's pages say."""
        return self.draft.main.facts

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """All findings, refusals first."""
        found = [finding for file in self.draft.files for finding in self.findings.get(file.id, ())]
        return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.REFUSED))

    @property
    def signable(self) -> bool:
        """Whether it can be signed as it is."""
        return self.state in (State.READY, State.WARNING)


@dataclass(frozen=True)
class Left:
    """A file that was not taken, and why."""

    name: str
    error: KnownError


@dataclass(frozen=True)
class Added:
    """What became of files that were brought in; `interrupted`: not all of them were looked at. `notes` are about files
    that were taken.
    """

    drafts: tuple[Draft, ...]
    left: tuple[Left, ...]
    interrupted: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Attached:
    """What became of files that were to go along with a document: its row as it is now, and what was not taken."""

    row: Row
    left: tuple[Left, ...]


@dataclass(frozen=True)
class Examined:
    """Rows as they stand after an examination; `left` are files that had to go (a mark of secrecy seen late)."""

    rows: tuple[Row, ...]
    left: tuple[Left, ...] = ()


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a person changes of a draft; what is not given stays. An empty text goes back to what the page says.

    `number` may be given with its notation ("12/QĐ-UBND"). `copy` is what copy is made and who ordered it.
    """

    number: str | msgspec.UnsetType = msgspec.UNSET
    notation: str | msgspec.UnsetType = msgspec.UNSET
    date: dt.date | msgspec.UnsetType | None = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET
    subject: str | msgspec.UnsetType = msgspec.UNSET
    signer: str | msgspec.UnsetType = msgspec.UNSET
    receivers: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    urgency: Urgency | msgspec.UnsetType = msgspec.UNSET
    profile: Profile | msgspec.UnsetType = msgspec.UNSET
    copy: CopyOrder | msgspec.UnsetType | None = msgspec.UNSET
    instead: InsteadOf | msgspec.UnsetType | None = msgspec.UNSET
    """The document that was sent, in whose place it goes out once it is signed; None takes that back."""
