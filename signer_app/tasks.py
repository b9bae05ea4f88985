"""What the main process asks of its workers, and what they answer: plain messages, files named by path.

Nothing here does any work; `worker` is the child's side, `workers` the parent's.
"""

import datetime as dt
from enum import StrEnum

from signer_app.pdf.model import PreflightRequest, PreflightResult, Prepared, Rechecked, Screened
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
    trust: TrustMaterial
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
    trust: TrustMaterial
    now: dt.datetime


class Verify(Message, frozen=True):
    """Check the signatures of a file. → VerifyAnswer"""

    path: str
    trust: TrustMaterial
    now: dt.datetime


class CleanPicture(Message, frozen=True):
    """The stamp's picture in this file, lifted from its paper and trimmed to its ink. → Cleaned"""

    path: str


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
    """The answer to Recheck, with the verifier's report on the output."""

    rechecked: Rechecked
    report: FileReport


class VerifyAnswer(Message, frozen=True):
    """The answer to Verify."""

    report: FileReport


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


Task = Screen | ScreenBytes | Preflight | Prepare | Finish | Recheck | Verify | CleanPicture
Answer = ScreenAnswer | PreflightAnswer | PrepareAnswer | Finished | RecheckAnswer | VerifyAnswer | Cleaned
TASKS: tuple[type[Task], ...] = (
    Screen,
    ScreenBytes,
    Preflight,
    Prepare,
    Finish,
    Recheck,
    Verify,
    CleanPicture,
)
ANSWERS: tuple[type[Answer], ...] = (
    ScreenAnswer,
    PreflightAnswer,
    PrepareAnswer,
    Finished,
    RecheckAnswer,
    VerifyAnswer,
    Cleaned,
)
