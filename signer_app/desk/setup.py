"""Setting the program up: drivers that lie on this machine, a body as its certificate tells it, pictures of stamps.

Main process, any thread; may block. Proposes and prepares, and keeps nothing by itself but a picture that it is told to
keep: settings are changed by `Desk.change_settings`. Pictures are decoded by a worker, never here.
"""

import os
import re
import tempfile
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import x509

from signer_app.exchange.directory import Directory, load_directory
from signer_app.pdf.names import same_body
from signer_app.signing.roles import role_of
from signer_app.store.durable import disk_errors
from signer_app.store.settings import CertificateRole, Seal, Settings, TimestampServer
from signer_app.tasks import Cleaned, CleanPicture
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.http import PlainHttp, check_address
from signer_token.drivers import look_around
from signer_token.model import TokenCertificate

if TYPE_CHECKING:
    pass

PUBLIC_TSA = "http://tsa.ca.gov.vn/"
"""The Government Cipher Committee's timestamp server; plain http by its own rule, its answers are signed."""

_CODE = re.compile(r"[A-Z]\d{2}(\.\d{1,4}){0,5}|\d{3}(\.\d{2,3}){1,3}\.[A-Z]\d{2}")
"""Organisation codes, today's (QĐ 20/2020/QĐ-TTg: H41.xx.yy) and the older form (000.xx.yy.H41)."""

_UNIT = re.compile(r"\b(?:xã|phường|thị trấn|đặc khu|huyện|quận|thị xã|thành phố|tỉnh)\s+(\S.*)$", re.IGNORECASE)
"""The unit of administration that a body's name ends with: Decree 30/2020, annex I, names the place after it (ô 4)."""


@dataclass(frozen=True)
class BodyGuess:
    """A body as far as a certificate tells it; empty where it doesn't."""

    name: str = ""
    code: str = ""
    parent_name: str = ""
    place_name: str = ""


@dataclass(frozen=True)
class TriedServer:
    """A timestamp server that answered rightly after `ms` milliseconds; `trusted`: this machine knows who stands behind
    its certificate, so that its timestamps prove something here.
    """

    ms: int
    trusted: bool


class Setup:
    """What first start and settings need beside the settings themselves."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def drivers(self) -> tuple[Path, ...]:
        """Modules of this machine that fit, are safe and aren't set yet, best first. None is loaded for that, so being
        there is no proof that it works.
        """
        found = look_around(self._space.settings.modules)
        return tuple(module.path for module in found.usable if not module.in_use)

    def body_of(self, certificate: TokenCertificate) -> BodyGuess:
        """The body that the certificate speaks of; its code from the directory of organisations where that is known."""
        return guess_body(certificate, self._space.settings, load_directory(self._space.folder.cache))

    def clean(self, file: Path) -> Cleaned:
        """The stamp's picture in a file of the clerk's; KnownError as `clean_picture`, "file_unreadable"."""
        return self._space.workers.clean_picture(CleanPicture(str(file)))

    def keep(self, png: bytes) -> str:
        """Keeps a cleaned picture in the vault; its id. Without a place in the settings the next start drops it.

        KnownError as `Vault.keep`.
        """
        return self._space.vault.keep(png)

    def seal_png(self, seal: Seal) -> bytes:
        """The picture of a seal as it is set; KnownError as `kept_png`."""
        return self.kept_png(seal.picture or "")

    def kept_png(self, picture: str) -> bytes:
        """A picture that `keep` kept; KnownError "image_unusable" where it is gone, altered or its key is lost,
        "device_key_unavailable" where the keyring is locked.
        """
        return self._space.vault.open(picture)

    def try_timestamp(self, server: TimestampServer) -> TriedServer:
        """Asks a timestamp server once, whether it is set or not, and counts it where it grants only so many.

        KnownError "machine_tsa_away", and as `Workspace.trust`.
        """
        from signer_app.levels.uses import StoredUses
        from signer_app.signing.timestamps import TimestampClient, stands_on_anchor

        if server.has_quota:
            StoredUses(self._space.store).use(server.url, self._space.now())
        begun = time.monotonic()
        stamped = TimestampClient(server.url, server.limit_s).stamp(b"signer server check")
        passed = round((time.monotonic() - begun) * 1000)
        if stamped is None:
            raise KnownError("machine_tsa_away", seconds=f"{server.limit_s:g}")
        return TriedServer(passed, stands_on_anchor(stamped, self._space.trust))

    def work_file(self, ending: str) -> Path:
        """A new empty file in the data folder's `work`, which the next start empties."""
        folder = self._space.folder.work
        with disk_errors(folder, "data_folder_unwritable"):
            handle, name = tempfile.mkstemp(ending, "page-", folder)
            os.close(handle)
            return Path(name)


def guess_body(certificate: TokenCertificate, settings: Settings, directory: Directory) -> BodyGuess:
    """What stands in the certificate's subject: a body's own name is its CN, a person's body is O (domain practice)."""
    subject = _Subject.of(certificate)
    if role_of(certificate, settings) is CertificateRole.AGENCY:
        name, parent = certificate.common_name, subject.organization
    else:
        name, parent = subject.unit or subject.organization, subject.organization if subject.unit else ""
    parent = "" if same_body(parent, name) else parent
    code = next((text for text in subject.identifiers if _CODE.fullmatch(text)), "")
    if not code:
        found = [org.code for org in directory.organisations if org.active and same_body(org.name, name)]
        code = found[0] if len(found) == 1 else ""
    return BodyGuess(name, code, parent, _place(name) or subject.locality)


def server_address_is_safe(url: str) -> bool:
    """Whether a document server may be asked there: https, or http on this very machine."""
    return _allowed(url, PlainHttp.LOOPBACK)


def tsa_address_is_right(url: str) -> bool:
    """Whether a timestamp server may be asked there: http or https, its answers are signed themselves."""
    return _allowed(url, PlainHttp.ANYWHERE)


def _allowed(url: str, plain_http: PlainHttp) -> bool:
    try:
        check_address(url, plain_http)
    except KnownError:
        return False
    return True


@dataclass(frozen=True)
class _Subject:
    """Parts of a certificate's subject; empty where they are missing."""

    organization: str
    unit: str
    locality: str
    identifiers: tuple[str, ...]

    @classmethod
    def of(cls, certificate: TokenCertificate) -> "_Subject":
        found: dict[str, str] = {}
        for part in x509.Certificate.load(certificate.der).subject.chosen:
            for pair in part:
                text = unicodedata.normalize("NFC", str(pair["value"].native)).strip()
                found.setdefault(pair["type"].native, text)
        identifiers = ("organization_identifier", "serial_number", "user_id", "organizational_unit_name")
        return cls(
            found.get("organization_name", ""),
            found.get("organizational_unit_name", ""),
            found.get("locality_name", ""),
            tuple(found[kind] for kind in identifiers if kind in found),
        )


def _place(name: str) -> str:
    unit = _UNIT.search(name)
    return " ".join(word.capitalize() for word in unit.group(1).split()) if unit else ""
