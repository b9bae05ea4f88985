"""What the main process asks of its workers, and what they answer: plain messages, files named by path.

Nothing here does any work; `worker` is the child's side, `workers` the parent's.
"""

import datetime as dt
from enum import StrEnum

import msgspec

from signer_app.pdf.model import PreflightRequest, PreflightResult, Prepared, Rechecked, Screened
from signer_app.pdf.plan import SignStep
from signer_app.verification.model import FileReport, TrustMaterial
from signer_token.channel import Message

FRAME_CAP = 96 << 20
"""Bytes that one message may hold: an incoming attachment of 64 MB as base64 is the largest that travels."""

MAX_PIXELS = 8_000_000
"""Pixels of one picture of a page (32 MB): what is larger is asked for in parts."""


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
    """`source` and one step up to the bytes that the token signs, written to `output`. → PrepareAnswer"""

    source: str
    output: str
    step: SignStep
    images: dict[str, str]
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


class PixelBox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a picture: left, top, width and height in pixels from its top left corner."""

    left: int
    top: int
    width: int
    height: int


class Wake(Message, frozen=True):
    """Are you there? Asked of a worker that was just started, so that a start is not mistaken for work. → Awake"""


class Outline(Message, frozen=True):
    """How large are the pages from `first` (from 0), at most `count` of them? → Outlined"""

    path: str
    first: int
    count: int


class DrawPage(Message, frozen=True):
    """The page (from 0) `width` by `height` pixels large, and of that picture `clip`, written to `output`. → Drawn"""

    path: str
    page: int
    width: int
    height: int
    clip: PixelBox
    output: str


class DrawInk(Message, frozen=True):
    """The ink of a stamp's picture, as large as `width` by `height` pixels allow, written to `output`. → Drawn"""

    path: str
    sha256: str
    width: int
    height: int
    output: str


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


class Awake(Message, frozen=True):
    """The answer to Wake."""


class Outlined(Message, frozen=True):
    """The answer to Outline: how many pages the file has, and width and height in mm of those asked for."""

    total: int
    sizes: tuple[tuple[float, float], ...]


class Drawn(Message, frozen=True):
    """The answer to DrawPage (blue, green, red, unused) and DrawInk (red, green, blue, alpha): four bytes a pixel.

    The bytes themselves lie in the file that the task named; `stride` is the bytes of a row.
    """

    width: int
    height: int
    stride: int


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
    | Wake
    | Outline
    | DrawPage
    | DrawInk
    | CleanPicture
)
Answer = (
    ScreenAnswer
    | PreflightAnswer
    | PrepareAnswer
    | Finished
    | RecheckAnswer
    | VerifyAnswer
    | Awake
    | Outlined
    | Drawn
    | Cleaned
)
TASKS: tuple[type[Task], ...] = (
    Screen,
    ScreenBytes,
    Preflight,
    Prepare,
    Finish,
    Recheck,
    Verify,
    Wake,
    Outline,
    DrawPage,
    DrawInk,
    CleanPicture,
)
ANSWERS: tuple[type[Answer], ...] = (
    ScreenAnswer,
    PreflightAnswer,
    PrepareAnswer,
    Finished,
    RecheckAnswer,
    VerifyAnswer,
    Awake,
    Outlined,
    Drawn,
    Cleaned,
)
