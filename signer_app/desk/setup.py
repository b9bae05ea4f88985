"""Setting the program up: drivers that lie on this machine, a body as its certificate tells it, pictures of stamps.

Main process, any thread; may block. Proposes and prepares, and keeps nothing by itself but a picture that it is told to
keep: settings are changed by `Desk.change_settings`. Pictures are decoded by a worker, never here.
"""

import io
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import x509

from signer_app.exchange.directory import Directory, load_directory
from signer_app.signing.roles import role_of
from signer_app.store.durable import disk_errors
from signer_app.store.settings import CertificateRole, Seal, Settings
from signer_app.tasks import Cleaned, CleanPicture
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.http import PlainHttp, check_address
from signer_token.drivers import look_around
from signer_token.model import TokenCertificate

PUBLIC_TSA = "http://tsa.ca.gov.vn/"
"""The Government Cipher Committee's timestamp server; plain http by its own rule, its answers are signed."""

_MAX_PNG = 16 << 20

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
        """Keeps a cleaned picture as a blob; its SHA-256. Without a place in the settings the next start drops it."""
        return self._space.store.blobs.add_stream(io.BytesIO(png)).sha256

    def seal_png(self, seal: Seal) -> bytes:
        """The picture of a seal as it is set; KnownError "image_unusable" where it is gone."""
        if seal.file is not None:
            return self.clean(Path(seal.file)).png
        return self.kept_png(seal.blob or "")

    def kept_png(self, sha256: str) -> bytes:
        """A picture that `keep` kept; KnownError "image_unusable" where it is gone or has been changed."""
        blobs = self._space.store.blobs
        try:
            if blobs.verify(sha256).size > _MAX_PNG:
                raise KnownError("image_unusable", name=sha256[:12])
            return blobs.path(sha256).read_bytes()
        except (OSError, ValueError, KnownError) as error:
            raise KnownError("image_unusable", name=sha256[:12]) from error

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
    parent = "" if _folded(parent) == _folded(name) else parent
    code = next((text for text in subject.identifiers if _CODE.fullmatch(text)), "")
    if not code:
        found = [org.code for org in directory.organisations if org.active and _folded(org.name) == _folded(name)]
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


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().replace("uỷ", "ủy").split())
