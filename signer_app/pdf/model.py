"""What goes into a worker and comes out of it about one PDF: plain values without a PDF library behind them.

Imported on both sides, also by commands that touch no PDF; so nothing here may load one.
"""

import datetime as dt
from enum import StrEnum

import msgspec

from signer_app.pdf.plan import Placement, SigningPlan


class PlaceOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place given by the person: page from 1 (-1 is the last), mm from the top left of the displayed page."""

    page: int
    x: float
    y: float
    w: float | None = None
    h: float | None = None


class Profile(StrEnum):
    """What a signature is for. Each is data for the rules in `place`, not a class."""

    PLAIN = "plain"
    LEADER = "leader"
    INITIAL = "initial"
    AGENCY = "agency"
    APPENDIX = "appendix"
    COPY = "copy"
    ARCHIVE = "archive"


class CopyForm(StrEnum):
    """The forms of copies (NĐ 30/2020, Đ25), by the abbreviation of their notation."""

    SAO_Y = "SY"
    SAO_LUC = "SL"
    TRICH_SAO = "TrS"


class Severity(StrEnum):
    """How much a finding weighs."""

    WARNING = "warning"
    REFUSED = "refused"


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Finding(_Value, frozen=True):
    """One thing that the preflight has to say; `code` is an entry of the catalogue, `params` fill it."""

    code: str
    severity: Severity
    params: dict[str, str] = {}


Findings = tuple[Finding, ...]


class Body(_Value, frozen=True):
    """The issuing body as the preflight needs it: names as they may be printed on the day of signing, names that ended
    before (`former`), seal (file hash, mm), its signers, the body's parts of notations ("UBND"; empty: any).
    """

    names: tuple[str, ...]
    seal: str | None = None
    seal_mm: float = 38.0
    signers: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    notations: tuple[str, ...] = ()


class CopyOrder(_Value, frozen=True):
    """What copy is made, and who ordered it: the head of the body decides on copying (NĐ 30/2020, Đ27.1)."""

    form: CopyForm
    ordered_by: str


class PreflightRequest(_Value, frozen=True):
    """What is asked about one file: `certificate_name` is the signer's CN, `picture` the hash of a signature image.

    `picture_mm`: how wide its holder wants it. `remembered`: where the person put the mark on the last document of this
    body and type. `urgency` (0 to 4) is what
    the document's data say, None where nothing does. `original`: hash of the file as it came, when `blob` is its
    repaired copy; `repairs`: what was mended in that. `training`: it is to have no value, and to show that.
    """

    profile: Profile
    blob: str
    certificate: str
    certificate_name: str
    rules: str
    number: str | None
    notation: str | None
    date: dt.date | None
    today: dt.date
    body: Body | None
    picture: str | None
    place: PlaceOption | None
    copy: CopyOrder | None = None
    remembered: PlaceOption | None = None
    picture_mm: float | None = None
    urgency: int | None = None
    original: str | None = None
    repairs: tuple[str, ...] = ()
    training: bool = False


class LetterFacts(_Value, frozen=True):
    """What the page itself says: as typed, None where it says nothing."""

    notation: str | None = None
    number: str | None = None
    date: dt.date | None = None
    signer: str | None = None
    signer_title: str | None = None
    subject: str | None = None
    place: str | None = None
    pages: int = 0
    urgency: str | None = None
    """The mark of ô 10b as it stands: "KHẨN", "THƯỢNG KHẨN", "HỎA TỐC"."""
    body: str | None = None
    """The issuing body as ô 2 names it."""
    receivers: tuple[str, ...] = ()
    """The lines of Kính gửi and Nơi nhận (ô 9a, 9b), without bullets, closing marks and "Lưu"."""


class EarlierSignature(_Value, frozen=True):
    """A signature that the file carries: its field, its signer's name, its integrity ("intact", "changed", ...)."""

    field: str
    signer: str | None
    integrity: str


class PreflightResult(_Value, frozen=True):
    """Findings, the plan if nothing refuses, what the page says, and the state of earlier signatures."""

    findings: Findings
    plan: SigningPlan | None
    facts: LetterFacts
    placements: tuple[Placement, ...]
    earlier: tuple[EarlierSignature, ...] = ()


class Screened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer: secret or not; for a file that is not, its SHA-256 (hex) and size in bytes as they were read.

    `readable` is False for a file whose pages nobody could look at (no PDF, damaged, encrypted): it is not known to be
    free of marks, so nothing of it may be kept.
    """

    secret: bool
    readable: bool
    sha256: str | None
    size: int


class Prepared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands between `prepare` and `finish`.

    `to_be_signed` is the DER of the CMS signed attributes, which hold the digest of the document's signed bytes; the
    token signs exactly these bytes. `gap_start` and `gap_end` bound the room for the CMS in the prepared file.
    """

    to_be_signed: bytes
    document_digest: bytes
    gap_start: int
    gap_end: int


class Repaired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was rewritten because its structure was broken: its new SHA-256, what was mended by the names that
    the standard has for it ("xref", "Pages"), and its pages, which look as before.
    """

    sha256: str
    changes: tuple[str, ...]
    pages: int


class Rechecked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome: `fault` is None for a good file, else a code of the catalogue with a detail for the log."""

    fault: str | None
    detail: str
    sha256: str
    size: int
