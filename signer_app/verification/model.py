"""The shapes of a verification's question and answer.

Plain frozen values that travel as JSON between the main process and a worker. No PDF, no cryptography, no network is
imported here. The words for people stand in the catalogue under the codes that these values carry.
"""

import datetime as dt
from enum import StrEnum

import msgspec

from signer_app.pdf.geometry import Rect

Params = dict[str, str | int]
"""What fills the gaps of a catalogue text."""


class Verdict(StrEnum):
    """What a clerk is told, worst first: invalid > indeterminate > changed > valid; unsigned stands apart."""

    VALID = "valid"
    CHANGED = "changed"
    INDETERMINATE = "indeterminate"
    INVALID = "invalid"
    UNSIGNED = "unsigned"


class Integrity(StrEnum):
    """Whether the document is what was signed, apart from trust: broken > unreadable > changed > intact."""

    INTACT = "intact"
    CHANGED = "changed"
    BROKEN = "broken"
    UNREADABLE = "unreadable"
    UNSIGNED = "unsigned"


class Trust(StrEnum):
    """Whether the signer's chain ends at an anchor in hand; `unknown` when no anchor is installed."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"


class Revocation(StrEnum):
    """`not_checked`: no CRL or OCSP response for the chain in hand; `unknown`: some, but none that fits the time."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    NOT_CHECKED = "not_checked"


class Level(StrEnum):
    """PAdES level by what is present (ETSI EN 319 142-1, 6): timestamp, validation data, timestamp over those."""

    B_B = "b-b"
    B_T = "b-t"
    B_LT = "b-lt"
    B_LTA = "b-lta"


class TimestampKind(StrEnum):
    """`signature`: inside the CMS (RFC 3161 token over the signature); `document`: a DocTimeStamp field."""

    SIGNATURE = "signature"
    DOCUMENT = "document"


class ChangeKind(StrEnum):
    """What was done to the document after it was signed."""

    VALIDATION_DATA = "validation_data"
    TIMESTAMP = "timestamp"
    TIMESTAMP_BROKEN = "timestamp_broken"
    SIGNATURE = "signature"
    SIGNATURE_FIELD = "signature_field"
    SIGNATURE_ALTERED = "signature_altered"
    FIELD_FILLED = "field_filled"
    FIELD_CHANGED = "field_changed"
    FIELD_ADDED = "field_added"
    FIELD_REMOVED = "field_removed"
    FIELD_ALTERED = "field_altered"
    FORM_SETTINGS = "form_settings"
    ANNOTATION_ADDED = "annotation_added"
    ANNOTATION_CHANGED = "annotation_changed"
    ANNOTATION_REMOVED = "annotation_removed"
    PAGE_CONTENT = "page_content"
    PAGE_TREE = "page_tree"
    LAYERS = "layers"
    INK_COVERED = "ink_covered"
    METADATA = "metadata"
    STRUCTURE = "structure"
    DOCUMENT_SETTINGS = "document_settings"
    UNUSED_OBJECTS = "unused_objects"
    UNEXPLAINED = "unexplained"


class RevocationUrlKind(StrEnum):
    """How a revocation address is asked: a CRL by GET (RFC 2585), OCSP by POST (RFC 6960)."""

    CRL = "crl"
    OCSP = "ocsp"


class AnchorSet(StrEnum):
    """Whose anchors a chain ends at: the Government Cipher Committee's, the nation's public side, or the body's own."""

    VGCA = "vgca"
    NATIONAL = "national"
    OWN = "own"


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the values here: frozen, comparable, strict when read back."""


class TrustMaterial(_Value, frozen=True):
    """What a check may rely on, all DER.

    `anchors` are trusted as they are; `intermediates` only help to build chains; `crls` and `ocsps` count only when
    the right issuer signed them. `warnings` names the files of a trust folder that could not be used.
    `national_roots` are the SHA-256 (hex) of roots that an administrator has pinned as the nation's, besides those of
    the table. `legacy_sha1_before`: what rests on SHA-1 is believed when a timestamp proves that it is older; None:
    never.
    """

    anchors: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    warnings: tuple[str, ...] = ()
    national_roots: tuple[str, ...] = ()
    legacy_sha1_before: dt.date | None = None


class RevocationUrl(_Value, frozen=True):
    """Where news about a certificate may be had over plain http; certificate and issuer (DER) make an OCSP request."""

    kind: RevocationUrlKind
    url: str
    certificate: bytes
    issuer: bytes


class Proof(_Value, frozen=True):
    """A CRL or OCSP answer that the finding about a certificate rests on, by SHA-256 (hex) of its DER.

    `certificate` is the SHA-256 of the certificate that it was asked about; `issued` and `next_update` are its own.
    """

    kind: RevocationUrlKind
    sha256: str
    certificate: str
    issued: dt.datetime
    next_update: dt.datetime | None
    status: Revocation


class Change(_Value, frozen=True):
    """One change after signing. `page` counts from 1, None when no page is concerned.

    `allowed` tells whether the document's own permissions allow it; `harmless` whether it leaves a signature intact.
    `areas` are where it shows, in mm from the top left of the displayed page, as it is now; empty where it has no
    place. `after` is the number of the signed state (from 0) after which it was made.
    """

    kind: ChangeKind
    page: int | None
    message_code: str
    params: Params
    allowed: bool
    harmless: bool
    areas: tuple[Rect, ...] = ()
    after: int | None = None


class Timestamp(_Value, frozen=True):
    """The timestamp that a signature's time rests on; `valid` when its digest, signature and chain are good."""

    time: dt.datetime
    kind: TimestampKind
    valid: bool


class SignatureReport(_Value, frozen=True):
    """One signature (document timestamps are no signatures; they count as evidence of time).

    `certificate` is the SHA-256 (hex) of the signer's certificate, `signer` its common name; both are None when the
    signature can't be read. `revision` counts signed states from 0. `page` counts from 1; `rect` is the widget's box
    in mm from the top left of the displayed page; both are None for an invisible signature. `docmdp` is the
    permission (1, 2, 3) that this signature itself asks for. `organization` is the unit that manages the certificate
    (O and OU), `issuer_name` the common name of the CA that issued it, `serial` its number in lower-case hex.
    `valid_at_signing`: within its validity and not revoked at signing time; None where nobody can tell. `anchor_set`
    and `anchor` (its common name) say where the chain ends; `legacy`: SHA-1 was let pass by the legacy setting.
    `chain` holds the DER from the leaf to the anchor, `proofs` what the finding about revocation rests on.
    `reasons` are the codes behind the verdict, the weightiest first; `message_code` is that first one.
    """

    field: str
    signer: str | None
    certificate: str | None
    subject: str | None
    issuer: str | None
    not_before: dt.datetime | None
    not_after: dt.datetime | None
    integrity: Integrity
    trust: Trust
    revocation: Revocation
    signing_time: dt.datetime | None
    timestamp: Timestamp | None
    level: Level
    verdict: Verdict
    message_code: str
    message_params: Params
    reasons: tuple[str, ...]
    changes: tuple[Change, ...]
    covers_whole_file: bool
    revision: int | None
    page: int | None
    rect: Rect | None
    docmdp: int | None
    organization: str | None = None
    issuer_name: str | None = None
    serial: str | None = None
    valid_at_signing: bool | None = None
    anchor_set: AnchorSet | None = None
    anchor: str | None = None
    legacy: bool = False
    chain: tuple[bytes, ...] = ()
    proofs: tuple[Proof, ...] = ()


class StampReport(_Value, frozen=True):
    """A document timestamp: a signed state by itself, though no signature. `revision` counts as for signatures."""

    field: str
    time: dt.datetime | None
    authority: str | None
    integrity: Integrity
    valid: bool
    revision: int | None


class FileReport(_Value, frozen=True):
    """The answer for one file. `file` is the path as it was given; signatures stand in signing order.

    `sha256` and `size` are of the bytes that were checked; None where they could not be read. `checked_at` is the time
    that the check was made for.
    """

    file: str
    verdict: Verdict
    integrity: Integrity
    message_code: str
    message_params: Params
    signatures: tuple[SignatureReport, ...]
    wanted_urls: tuple[RevocationUrl, ...]
    stamps: tuple[StampReport, ...] = ()
    sha256: str | None = None
    size: int | None = None
    checked_at: dt.datetime | None = None


_INTEGRITY_ORDER = (Integrity.INTACT, Integrity.CHANGED, Integrity.UNREADABLE, Integrity.BROKEN)
_VERDICT_ORDER = (Verdict.VALID, Verdict.CHANGED, Verdict.INDETERMINATE, Verdict.INVALID)


def worst_integrity(values: list[Integrity]) -> Integrity:
    """A file is as good as its worst signature; none: unsigned."""
    return max(values, key=_INTEGRITY_ORDER.index, default=Integrity.UNSIGNED)


def worst_verdict(values: list[Verdict]) -> Verdict:
    """The verdict of a file with these signatures; none: unsigned."""
    return max(values, key=_VERDICT_ORDER.index, default=Verdict.UNSIGNED)
