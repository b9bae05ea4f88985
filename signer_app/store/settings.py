"""The user's settings: one typed, frozen value in settings.json.

Read by any process, written by the main process only. Holds no secret: no PIN, no key, no token. An unknown
or misspelt field is an error with its place, never ignored.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

import msgspec

from signer_app.store.datafolder import DataFolder
from signer_app.store.durable import disk_errors, write_atomically
from signer_resources.errors import KnownError
from signer_resources.messages import Lang

_LARGEST_FILE = 4 << 20
"""Bytes of settings.json that are read at most."""

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hex."""


class Exchange(StrEnum):
    """Who sends and receives for a body: this program, or the province's own system, while we only sign."""

    SERVER = "server"
    EXTERNAL = "external"


class ThemeChoice(StrEnum):
    """The looks of the window."""

    LIGHT = "light"
    DARK = "dark"


class CertificateRole(StrEnum):
    """What a certificate seals with; no machine mark tells it, so the clerk confirms it once."""

    AGENCY = "agency"
    PERSONAL = "personal"


class _Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of the settings have in common."""


class Seal(_Setting, frozen=True, kw_only=True):
    """The picture of a body's seal, either a `file` (absolute path) or a `blob` (SHA-256) of the store.

    `diameter_mm` is the real one; the body must be asked (about 34 to 42 mm by the level of the body).
    """

    diameter_mm: Annotated[float, msgspec.Meta(ge=10, le=80)]
    file: str | None = None
    blob: Sha256 | None = None

    def __post_init__(self) -> None:
        """Exactly one of the two places."""
        if (self.file is None) == (self.blob is None):
            raise ValueError("a seal has either a file or a blob")


class Body(_Setting, frozen=True, kw_only=True):
    """A body (cơ quan) that this machine serves."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """Organisation code, an opaque text such as H41.01.02."""
    name: Annotated[str, msgspec.Meta(min_length=1)]
    """Full name as in ô 2."""
    aliases: tuple[str, ...] = ()
    """Other spellings printed on pages, former names among them."""
    parent_name: str | None = None
    """The body above it, the first line of ô 2."""
    place_name: str | None = None
    """The place in ô 4."""
    certificates: tuple[Sha256, ...] = ()
    """SHA-256 of the certificates that may seal for this body."""
    seal: Seal | None = None
    signers: tuple[str, ...] = ()
    """Names of those who may sign for the body (Decree 30/2020, article 13)."""
    exchange: Exchange = Exchange.SERVER


class ServerSettings(_Setting, frozen=True, kw_only=True):
    """The document server and what was pinned of it at enrolment."""

    url: Annotated[str, msgspec.Meta(min_length=1)]
    server_id: str | None = None
    signer_certificate_der: bytes | None = None
    """The certificate that signs the server's answers (DER; base64 in the file)."""
    devices: dict[str, str] = {}
    """Organisation code → the id under which this machine is enrolled for it."""


class KnownCertificate(_Setting, frozen=True, kw_only=True):
    """What is kept of a certificate that a person was asked about, so that the one which replaces it is recognised."""

    subject: str
    """RFC 4514 text, as is `issuer`."""
    issuer: str
    serial: str
    not_before: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    not_after: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    key_id: Sha256
    """SHA-256 of its public key (SubjectPublicKeyInfo, DER), hex."""


class Settings(_Setting, frozen=True, kw_only=True):
    """All settings; what is left out has a value that works."""

    language: Lang = "vi"
    theme: ThemeChoice = ThemeChoice.LIGHT
    clerk: str = ""
    """The clerk's name as the window shows it; empty: the account of the operating system."""
    modules: tuple[str, ...] = ()
    """Paths of the PKCS#11 drivers."""
    softhsm2_conf: str | None = None
    """Set in a demo workspace alone: the configuration of its software tokens."""
    trust_dir: str | None = None
    """A folder of anchors, helping certificates and revocation lists, beside those that were imported."""
    trust_store: str | None = None
    """The folder that keeps imported certificates; None: the data folder. One for all users of a machine, say."""
    national_root: Sha256 | None = None
    """SHA-256 of NEAC's present root, `Vietnam National Root CA`, as an administrator has it from NEAC itself."""
    legacy_sha1_before: dt.date | None = None
    """What rests on SHA-1 is believed when a timestamp proves that it is older than this day; None: never."""
    tsa_url: str | None = None
    tsa_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=180)] = 10.0
    bodies: tuple[Body, ...] = ()
    server: ServerSettings | None = None
    roles: dict[Sha256, CertificateRole] = {}
    """Certificate's SHA-256 → its confirmed role."""
    certificates: dict[Sha256, KnownCertificate] = {}
    """Certificate's SHA-256 → what it is, for each that a person has confirmed, or has refused to take for a renewed
    one.
    """
    asking_keys: tuple[Sha256, ...] = ()
    """Certificates (SHA-256) whose key wants a login for each signature: their signature PIN is asked for at once."""
    pictures: dict[Sha256, str] = {}
    """Certificate's SHA-256 → path of the picture of its holder's signature, used with that certificate alone."""

    signatures: dict[Sha256, Sha256] = {}
    """Certificate's SHA-256 → blob of that picture, trimmed and kept in the store; goes before `pictures`."""

    def body(self, code: str) -> Body | None:
        """The body with this organisation code."""
        return next((body for body in self.bodies if body.code == code), None)

    def body_of(self, certificate_sha256: str) -> Body | None:
        """The body for which this certificate may seal."""
        return next((body for body in self.bodies if certificate_sha256 in body.certificates), None)

    def blobs(self) -> frozenset[str]:
        """The blobs that the settings refer to, which must not be collected."""
        seals = {body.seal.blob for body in self.bodies if body.seal and body.seal.blob}
        return frozenset(seals | set(self.signatures.values()))


def load_settings(folder: DataFolder) -> Settings:
    """The settings in `folder`, the defaults if there are none yet; KnownError "settings_invalid" says where
    it fails.
    """
    try:
        with folder.settings.open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise KnownError("settings_invalid", file=str(folder.settings), reason=error.strerror) from error
    if len(content) > _LARGEST_FILE:
        raise KnownError("settings_invalid", file=str(folder.settings), reason=f"> {_LARGEST_FILE} bytes")
    try:
        return msgspec.json.decode(content, type=Settings)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KnownError("settings_invalid", file=str(folder.settings), reason=str(error)) from error


def save_settings(folder: DataFolder, settings: Settings) -> None:
    """Writes the settings whole or not at all (mode 0600); KnownError "disk_full" or
    "data_folder_unwritable".
    """
    encoded = msgspec.json.format(msgspec.json.encode(settings, order="sorted"), indent=2)
    with disk_errors(folder.path, "data_folder_unwritable"):
        write_atomically(folder.settings, encoded + b"\n")
