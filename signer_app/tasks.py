"""What the main process asks of its workers, and what they answer: plain messages, files named by path.

Nothing here does any work; `worker` is the child's side, `workers` the parent's. Trust material, which may hold
megabytes of CRLs, travels once: a `trust` of None is what the child was told last.
"""

import datetime as dt
from enum import StrEnum

from signer_app.attachments.model import LookedInto
from signer_app.levels.model import DataAdded, StampGap, Standing
from signer_app.pdf.model import PreflightRequest, PreflightResult, Prepared, Rechecked, Repaired, Screened
from signer_app.pdf.plan import SignStep
from signer_app.verification.model import FileReport, TrustMaterial
from signer_token.channel import Message

FRAME_CAP = 96 << 20
"""Bytes that one message may hold: an incoming attachment of 64 MB as base64 is the largest that travels."""


class Screen(Message, frozen=True):
    """Is the file secret? `name` is what the person calls it. → ScreenAnswer"""

    path: str
    name: str


class ScreenBytes(Message, frozen=True):
    """Is this PDF, which lies nowhere but in memory, secret? → ScreenAnswer"""

    data: bytes
    name: str


class Preflight(Message, frozen=True):
    """What will happen to this file? → PreflightAnswer"""

    path: str
    request: PreflightRequest
    trust: TrustMaterial | None
    now: dt.datetime


class Prepare(Message, frozen=True):
    """`source` and one step up to the bytes that the token signs, written to `output`. → PrepareAnswer

    `images` are the pictures (PNG) that the step shows, by their SHA-256.
    """

    source: str
    output: str
    step: SignStep
    images: dict[str, bytes]
    moment: dt.datetime
    certificate: bytes
    chain: tuple[bytes, ...]
    source_sha256: str | None = None


class Finish(Message, frozen=True):
    """Put the signature into `path`. → Finished"""

    path: str
    prepared: Prepared
    certificate: bytes
    chain: tuple[bytes, ...]
    signature: bytes
    timestamp: bytes | None


class Recheck(Message, frozen=True):
    """Is `output` a good signed copy of `source`? → RecheckAnswer"""

    source: str
    output: str
    steps: tuple[SignStep, ...]
    before: FileReport
    certificate_sha256: str
    trust: TrustMaterial | None
    now: dt.datetime
    certified_may_change: bool = False
    """Whether a certification may show as changed: for the body's seal with number and date alone."""


class Repair(Message, frozen=True):
    """Write `source`, which nobody has signed, to `output` with a sound structure. → RepairAnswer"""

    source: str
    output: str


class MarkTraining(Message, frozen=True):
    """Write `source` with the mark of the training mode on each page to `output`. → MarkedForTraining"""

    source: str
    output: str


class Verify(Message, frozen=True):
    """Check the signatures of a file. → VerifyAnswer"""

    path: str
    trust: TrustMaterial | None
    now: dt.datetime


class LookInto(Message, frozen=True):
    """Is this attachment secret, or a danger? `name` is what the person calls it. → LookIntoAnswer"""

    path: str
    name: str


class LookIntoBytes(Message, frozen=True):
    """Is this attachment, which lies nowhere but in memory, secret, or a danger? → LookIntoAnswer"""

    data: bytes
    name: str


class CleanPicture(Message, frozen=True):
    """The stamp's picture in this file, lifted from its paper and trimmed to its ink. → Cleaned"""

    path: str


class Stand(Message, frozen=True):
    """How does this document stand, and what does it need to be raised? → StandAnswer"""

    path: str
    trust: TrustMaterial | None
    now: dt.datetime


class PrepareStamp(Message, frozen=True):
    """`source` with an empty document timestamp, written to `output`. → PrepareStampAnswer"""

    source: str
    output: str


class FinishStamp(Message, frozen=True):
    """Put the token of a timestamp into `path`. → Finished"""

    path: str
    gap: StampGap
    token: bytes


class AddValidation(Message, frozen=True):
    """`source` with the validation data that its signatures need, written to `output`. → AddValidationAnswer

    `report` is the verifier's on `source`. More than `largest` bytes of news are left out.
    """

    source: str
    output: str
    report: FileReport
    trust: TrustMaterial | None
    now: dt.datetime
    largest: int | None


class ScreenAnswer(Message, frozen=True):
    """The answer to Screen and ScreenBytes."""

    screened: Screened


class PreflightAnswer(Message, frozen=True):
    """The answer to Preflight, with the verifier's report on the file as it came."""

    result: PreflightResult
    report: FileReport


class PrepareAnswer(Message, frozen=True):
    """The answer to Prepare."""

    prepared: Prepared


class Finished(Message, frozen=True):
    """The answer to Finish."""


class RecheckAnswer(Message, frozen=True):
    """The answer to Recheck, with the verifier's report on the output; `secret`: a stamp has brought a mark."""

    rechecked: Rechecked
    report: FileReport
    secret: bool = False


class RepairAnswer(Message, frozen=True):
    """The answer to Repair: what was mended; `output` looks as `source` does."""

    repaired: Repaired


class MarkedForTraining(Message, frozen=True):
    """The answer to MarkTraining; `already`: the source carries the mark, and there is no output."""

    already: bool


class VerifyAnswer(Message, frozen=True):
    """The answer to Verify."""

    report: FileReport


class StandAnswer(Message, frozen=True):
    """The answer to Stand."""

    standing: Standing


class PrepareStampAnswer(Message, frozen=True):
    """The answer to PrepareStamp."""

    gap: StampGap


class AddValidationAnswer(Message, frozen=True):
    """The answer to AddValidation."""

    added: DataAdded


class LookIntoAnswer(Message, frozen=True):
    """The answer to LookInto and LookIntoBytes."""

    found: LookedInto


class PictureNote(StrEnum):
    """What the clerk should know about a picture that can be used."""

    NOT_ROUND = "not_round"
    """Its ink is not about as wide as high: a seal is cut off, or something beside it was scanned too."""
    COARSE = "coarse"
    """It has fewer pixels than print shows: under 200 dpi at 38 mm."""


class Cleaned(Message, frozen=True):
    """The answer to CleanPicture: a PNG with clear ground; `width` and `height` in pixels."""

    png: bytes
    width: int
    height: int
    notes: tuple[PictureNote, ...] = ()


Task = (
    Screen
    | ScreenBytes
    | Preflight
    | Prepare
    | Finish
    | Recheck
    | Verify
    | CleanPicture
    | LookInto
    | LookIntoBytes
    | Repair
    | MarkTraining
    | Stand
    | PrepareStamp
    | FinishStamp
    | AddValidation
)
Trusting = Preflight | Recheck | Verify | Stand | AddValidation
"""Those with trust material."""
Answer = (
    ScreenAnswer
    | PreflightAnswer
    | PrepareAnswer
    | Finished
    | RecheckAnswer
    | VerifyAnswer
    | Cleaned
    | LookIntoAnswer
    | RepairAnswer
    | MarkedForTraining
    | StandAnswer
    | PrepareStampAnswer
    | AddValidationAnswer
)
TASKS: tuple[type[Task], ...] = (
    Screen,
    ScreenBytes,
    Preflight,
    Prepare,
    Finish,
    Recheck,
    Verify,
    CleanPicture,
    LookInto,
    LookIntoBytes,
    Repair,
    MarkTraining,
    Stand,
    PrepareStamp,
    FinishStamp,
    AddValidation,
)
ANSWERS: tuple[type[Answer], ...] = (
    ScreenAnswer,
    PreflightAnswer,
    PrepareAnswer,
    Finished,
    RecheckAnswer,
    VerifyAnswer,
    Cleaned,
    LookIntoAnswer,
    RepairAnswer,
    MarkedForTraining,
    StandAnswer,
    PrepareStampAnswer,
    AddValidationAnswer,
)
