"""The user's settings: one typed, frozen value in settings.json.

Read by any process, written by the main process only. Holds no secret: no PIN, no key, no token. An unknown
or misspelt field is an error with its place, never ignored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Protocol, TypeVar

import msgspec

from signer_app.pdf.names import same_body
from signer_app.store.backup_settings import BackupSettings
from signer_app.store.calendar_settings import CalendarSettings
from signer_app.store.datafolder import DataFolder
from signer_app.store.durable import disk_errors, write_atomically
from signer_app.store.sequences import Register, Sequences
from signer_app.store.update_settings import UpdateSettings
from signer_resources.errors import KnownError
from signer_resources.messages import Lang
from signer_sync.lgsp_settings import LgspSettings

_LARGEST_FILE = 4 << 20
"""Bytes of settings.json that are read at most."""

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hex."""


class Exchange(StrEnum):
    """Who sends and receives for a body: this program, or the province's own system, while we only sign."""

    SERVER = "server"
    EXTERNAL = "external"


class ChannelKind(StrEnum):
    """The way on which this program exchanges for a body."""

    SYNC = "sync"
    """A document server that speaks our Sync API."""
    LGSP = "lgsp"
    """The province's LGSP."""
    FOLDER = "folder"
    """A folder of .edxml files, which another program empties and fills."""


class ProxyChoice(StrEnum):
    """Where the address of the proxy comes from."""

    SYSTEM = "system"
    MANUAL = "manual"
    NONE = "none"


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


class NetworkSettings(_Setting, frozen=True, kw_only=True):
    """The way through the body's network. `proxy_url` ("http://proxy.example.vn:3128") and `no_proxy` (hosts and
    domains, separated by commas) count where the proxy is set by hand; its password is kept with the named secrets,
    never here. `extra_ca` is a file of certificates (PEM) that the body's own network vouches with, beside the
    system's.
    """

    proxy: ProxyChoice = ProxyChoice.SYSTEM
    proxy_url: Annotated[str, msgspec.Meta(max_length=500)] = ""
    proxy_user: Annotated[str, msgspec.Meta(max_length=200)] = ""
    no_proxy: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    extra_ca: Annotated[str, msgspec.Meta(min_length=1)] | None = None


class Dated(Protocol):
    """What holds for some days; both days belong to it, None: no end on that side."""

    @property
    def valid_from(self) -> dt.date | None:
        """Its first day."""

    @property
    def valid_to(self) -> dt.date | None:
        """Its last day."""


D = TypeVar("D", bound=Dated)


def valid_on(items: Iterable[D], day: dt.date) -> D | None:
    """The one that holds on `day`; of several the one that began last, of those that began together the last named."""
    fitting = [
        item
        for item in items
        if (item.valid_from is None or item.valid_from <= day) and (item.valid_to is None or day <= item.valid_to)
    ]
    # Of equals `max` takes the first, hence from behind.
    return max(reversed(fitting), key=lambda item: item.valid_from or dt.date.min, default=None)


class Seal(_Setting, frozen=True, kw_only=True):
    """A body's seal: its picture in the vault, and the days on which it is used.

    `diameter_mm` is the real one; the body must be asked (about 34 to 42 mm by the level of the body). `file` (absolute
    path) and `blob` (SHA-256 in the store) are where the picture lay before there was a vault: the next start takes it
    in.
    """

    diameter_mm: Annotated[float, msgspec.Meta(ge=10, le=80)]
    picture: Sha256 | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    file: str | None = None
    blob: Sha256 | None = None

    def __post_init__(self) -> None:
        """Exactly one place."""
        if sum(place is not None for place in (self.picture, self.file, self.blob)) != 1:
            raise ValueError("a seal has one picture")


class HandKind(StrEnum):
    """What a person's hand has written."""

    SIGNATURE = "signature"
    INITIAL = "initial"


class Handwriting(_Setting, frozen=True, kw_only=True):
    """The picture of a person's signature or initial in the vault, shown with that person's certificate alone.

    `width_mm`: as wide as it is drawn; None: as the rule profile says.
    """

    picture: Sha256
    kind: HandKind = HandKind.SIGNATURE
    width_mm: Annotated[float, msgspec.Meta(ge=5, le=120)] | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class FormerName(_Setting, frozen=True, kw_only=True):
    """A name that the body, or one that was merged into it, had up to and with the day `valid_to`."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    valid_to: dt.date


class ServerSettings(_Setting, frozen=True, kw_only=True):
    """The document server and what was pinned of it at enrolment."""

    url: Annotated[str, msgspec.Meta(min_length=1)]
    server_id: str | None = None
    signer_certificate_der: bytes | None = None
    """The certificate that signs the server's answers (DER; base64 in the file)."""
    devices: dict[str, str] = {}
    """Organisation code → the id under which this machine is enrolled for it."""


class Body(_Setting, frozen=True, kw_only=True):
    """A body (cơ quan) that this machine serves."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """Organisation code, an opaque text such as H41.01.02."""
    name: Annotated[str, msgspec.Meta(min_length=1)]
    """Full name as in ô 2."""
    aliases: tuple[str, ...] = ()
    """Other spellings printed on pages today, short forms among them."""
    former_names: tuple[FormerName, ...] = ()
    parent_name: str | None = None
    """The body above it, the first line of ô 2."""
    place_name: str | None = None
    """The place in ô 4."""
    certificates: tuple[Sha256, ...] = ()
    """SHA-256 of the certificates that may seal for this body."""
    seals: tuple[Seal, ...] = ()
    """The seals that it has had, the newest last."""
    signers: tuple[str, ...] = ()
    """Names of those who may sign for the body (Decree 30/2020, article 13)."""
    notations: tuple[str, ...] = ()
    """The body's part of its notations ("UBND", "HĐND-VP"); empty: any."""
    registers: tuple[Register, ...] = ()
    """Registers whose numbers run through several notations; any other notation has numbers of its own."""
    exchange: Exchange = Exchange.SERVER
    channel: ChannelKind = ChannelKind.SYNC
    """How this program exchanges for it, where it does."""
    lgsp: LgspSettings | None = None
    """The province's LGSP, for the channel of that name; its secrets are kept elsewhere."""
    exchange_folder: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """The folder of .edxml files, for the channel of that name."""
    server: ServerSettings | None = None
    """Its own document server; None: the machine's."""

    @property
    def sequences(self) -> Sequences:
        """How its numbers run."""
        return Sequences(self.registers)

    @property
    def seal(self) -> Seal | None:
        """The newest seal, whether it is used yet or not."""
        return self.seals[-1] if self.seals else None

    def seal_on(self, day: dt.date) -> Seal | None:
        """The seal that is used on this day."""
        return valid_on(self.seals, day)

    def names_on(self, day: dt.date) -> tuple[str, ...]:
        """The names that a document of this day may bear."""
        return (self.name, *self.aliases, *(former.name for former in self.former_names if day <= former.valid_to))

    def former_on(self, day: dt.date) -> tuple[str, ...]:
        """The names that ended before this day."""
        return tuple(former.name for former in self.former_names if former.valid_to < day)


class ArchiveLevel(StrEnum):
    """The level to which signed documents are raised afterwards (ETSI EN 319 142-1, 6)."""

    B_B = "b-b"
    """Not at all."""
    B_T = "b-t"
    B_LT = "b-lt"
    B_LTA = "b-lta"


class TimestampServer(_Setting, frozen=True, kw_only=True):
    """A timestamp server. It has `limit_s` seconds to answer while a document is signed, `patience_s` when nobody
    waits; what it grants in a minute and in a day is None where it doesn't say.
    """

    url: Annotated[str, msgspec.Meta(min_length=1)]
    limit_s: Annotated[float, msgspec.Meta(gt=0, le=180)] = 10.0
    patience_s: Annotated[float, msgspec.Meta(gt=0, le=180)] = 150.0
    per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    per_day: Annotated[int, msgspec.Meta(ge=1)] | None = None

    @property
    def has_quota(self) -> bool:
        """Whether it grants only so many."""
        return self.per_minute is not None or self.per_day is not None


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
    output_folder: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """Where the window puts signed copies, by days; None: beside the originals."""
    inbox_folder: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """The folder whose documents are brought in by themselves and wait to be signed (Thư mục chờ ký); None: none."""
    tsa_url: str | None = None
    tsa_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=180)] = 10.0
    tsa_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """What the server at `tsa_url` grants; None where it doesn't say."""
    tsa_per_day: Annotated[int, msgspec.Meta(ge=1)] | None = None
    tsa_others: tuple[TimestampServer, ...] = ()
    """Servers that stand in for `tsa_url`, in their order."""
    archive_level: ArchiveLevel = ArchiveLevel.B_LT
    """Where a timestamp server is set, signed documents are raised to this level afterwards."""
    bodies: tuple[Body, ...] = ()
    backup: BackupSettings = BackupSettings()
    updates: UpdateSettings = UpdateSettings()
    calendar: CalendarSettings = CalendarSettings()
    """Working days that differ from the calendar that comes with the program."""
    server: ServerSettings | None = None
    network: NetworkSettings = NetworkSettings()
    hold_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 120
    """So long an ordinary document waits before it leaves, so that it can be held back; an urgent one doesn't."""
    roles: dict[Sha256, CertificateRole] = {}
    """Certificate's SHA-256 → its confirmed role."""
    certificates: dict[Sha256, KnownCertificate] = {}
    """Certificate's SHA-256 → what it is, for each that a person has confirmed, or has refused to take for a renewed
    one.
    """
    asking_keys: tuple[Sha256, ...] = ()
    """Certificates (SHA-256) whose key wants a login for each signature: their signature PIN is asked for at once."""
    handwriting: dict[Sha256, tuple[Handwriting, ...]] = {}
    """Certificate's SHA-256 → pictures of its holder's signature and initial, used with that certificate alone."""
    pictures: dict[Sha256, str] = {}
    """Certificate's SHA-256 → path of a signature's picture from before there was a vault; the next start takes it in.
    """
    signatures: dict[Sha256, Sha256] = {}
    """The same in the blob store; goes before `pictures`."""

    @property
    def timestamp_servers(self) -> tuple[TimestampServer, ...]:
        """All timestamp servers, in the order in which they are asked; none where `tsa_url` is not set."""
        if not self.tsa_url:
            return ()
        first = TimestampServer(
            url=self.tsa_url,
            limit_s=self.tsa_timeout_s,
            per_minute=self.tsa_per_minute,
            per_day=self.tsa_per_day,
        )
        return (first, *(other for other in self.tsa_others if other.url != first.url))

    def body(self, code: str) -> Body | None:
        """The body with this organisation code."""
        return next((body for body in self.bodies if body.code == code), None)

    def body_of(self, certificate_sha256: str) -> Body | None:
        """The body for which this certificate may seal."""
        return next((body for body in self.bodies if certificate_sha256 in body.certificates), None)

    def body_named(self, lines: Sequence[str], day: dt.date) -> Body | None:
        """The body that the lines of ô 2 name on a document of this day; None where none, or more than one, fits.

        A name may run over several lines. Of bodies with one name (two offices, say) the parent in the lines above
        decides.
        """
        found: list[tuple[Body, Sequence[str]]] = []
        for body in self.bodies:
            names = body.names_on(day)
            for start in range(len(lines)):
                if any(same_body(" ".join(lines[start:]), name) for name in names):
                    found.append((body, lines[:start]))
                    break
        if len(found) > 1:
            found = [(body, above) for body, above in found if same_body(" ".join(above), body.parent_name or "")]
        return found[0][0] if len(found) == 1 else None

    def server_of(self, body: Body) -> ServerSettings | None:
        """The document server of a body."""
        return body.server or self.server

    def blobs(self) -> frozenset[str]:
        """The blobs that the settings refer to, which must not be collected."""
        seals = {seal.blob for body in self.bodies for seal in body.seals if seal.blob}
        return frozenset(seals | set(self.signatures.values()))

    @property
    def has_plain_pictures(self) -> bool:
        """Whether a picture lies outside of the vault, as before there was one."""
        seals = [seal for body in self.bodies for seal in body.seals]
        return bool(self.pictures or self.signatures or any(seal.picture is None for seal in seals))

    def kept_pictures(self) -> frozenset[str]:
        """The pictures of the vault that the settings refer to."""
        seals = {seal.picture for body in self.bodies for seal in body.seals if seal.picture}
        return frozenset(seals | {one.picture for hands in self.handwriting.values() for one in hands})


def load_settings(folder: DataFolder) -> Settings:
    """The settings in `folder`, the defaults if there are none yet; KnownError "settings_invalid" says where
    it fails.
    """
    settings = _read_settings(folder)
    if folder.is_training:
        # Whatever was written into the file: nothing of training reaches a server or another token.
        from signer_app.store.training_settings import kept_apart

        return kept_apart(folder, settings)
    return settings


def _read_settings(folder: DataFolder) -> Settings:
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
        return msgspec.convert(_brought_up(msgspec.json.decode(content)), Settings)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KnownError("settings_invalid", file=str(folder.settings), reason=str(error)) from error


def save_settings(folder: DataFolder, settings: Settings) -> None:
    """Writes the settings whole or not at all (mode 0600); KnownError "disk_full" or
    "data_folder_unwritable".
    """
    encoded = msgspec.json.format(msgspec.json.encode(settings, order="sorted"), indent=2)
    with disk_errors(folder.path, "data_folder_unwritable"):
        write_atomically(folder.settings, encoded + b"\n")


def _brought_up(content: object) -> object:
    """What an older version wrote, as it is written now: a body had one `seal`, which is one of its `seals`."""
    bodies = content.get("bodies") if isinstance(content, dict) else None
    for body in bodies if isinstance(bodies, list) else ():
        if isinstance(body, dict) and "seal" in body and "seals" not in body:
            seal = body.pop("seal")
            body["seals"] = [] if seal is None else [seal]
    return content
