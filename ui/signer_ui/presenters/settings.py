"""The settings as forms: what is typed, what is wrong with it, and the change of the settings that it means.

Plain values, no screen, no disk. A form is compared with the one it began as to tell whether anything is unsaved; a
change is made of settings that are read anew when it is kept, so nothing that others wrote meanwhile is lost.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from signer_app.desk.setup import server_address_is_safe, tsa_address_is_right
from signer_app.desk.tokens import CertificateView, TokensSnapshot
from signer_app.store.settings import Body, CertificateRole, Exchange, Seal, ServerSettings, Settings, ThemeChoice
from signer_app.store.times import vietnamese_date
from signer_resources.messages import Lang

if TYPE_CHECKING:
    # Loaded where certificates are read, not with the window's forms.
    from signer_app.desk.trusting import Offered

SEAL_MM = (34.0, 42.0)
"""Usual diameters of seals by the level of the body, mm; others are taken, and told."""
SEAL_MM_LIMITS = (10.0, 80.0)
"""What the settings take, mm."""
_SHA256_DIGITS = 64
DEFAULT_SEAL_MM = 36.0

Change = Callable[[Settings], Settings]


class Field(StrEnum):
    """What is typed in; names the place where a problem is shown."""

    CODE = "code"
    NAME = "name"
    SEAL = "seal"
    URL = "url"
    TSA_URL = "tsa_url"
    MODULES = "modules"
    FINGERPRINT = "fingerprint"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field; `key` is a text of the catalogue. `item`: which body or driver, from 0."""

    field: Field
    key: str
    item: int = 0


@dataclass(frozen=True)
class SealForm:
    """A seal: its picture just made (`png`, not kept yet) or as it is set, and its diameter in mm."""

    diameter_mm: float = DEFAULT_SEAL_MM
    png: bytes | None = None
    kept: Seal | None = None

    @property
    def there(self) -> bool:
        """Whether there is a picture at all."""
        return self.png is not None or self.kept is not None

    @property
    def unusual(self) -> bool:
        """Whether the diameter is outside of what seals have."""
        return not SEAL_MM[0] <= self.diameter_mm <= SEAL_MM[1]

    def seal(self, blob: str | None) -> Seal | None:
        """As it is set; `blob` is where the new picture was kept."""
        if self.png is not None and blob is not None:
            return Seal(diameter_mm=self.diameter_mm, blob=blob)
        if self.kept is not None:
            return msgspec.structs.replace(self.kept, diameter_mm=self.diameter_mm)
        return None


@dataclass(frozen=True)
class BodyForm:
    """A body as it is typed; `base` is the one in the settings, None for a new one."""

    base: Body | None = None
    code: str = ""
    name: str = ""
    parent_name: str = ""
    place_name: str = ""
    aliases: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    exchange: Exchange = Exchange.SERVER
    seal: SealForm = SealForm()

    @classmethod
    def of(cls, body: Body) -> "BodyForm":
        """A body of the settings."""
        return cls(
            body,
            body.code,
            body.name,
            body.parent_name or "",
            body.place_name or "",
            body.aliases,
            body.signers,
            body.certificates,
            body.exchange,
            SealForm(body.seal.diameter_mm, None, body.seal) if body.seal else SealForm(),
        )

    def body(self, blob: str | None) -> Body:
        """The body that it means; `blob` is where the seal's new picture was kept."""
        return msgspec.structs.replace(
            self.base or Body(code="-", name="-"),
            code=_line(self.code),
            name=_line(self.name),
            parent_name=_line(self.parent_name) or None,
            place_name=_line(self.place_name) or None,
            aliases=_lines(self.aliases),
            signers=_lines(self.signers),
            certificates=self.certificates,
            exchange=self.exchange,
            seal=self.seal.seal(blob),
        )


def body_problems(forms: tuple[BodyForm, ...]) -> tuple[Problem, ...]:
    """What is wrong with the bodies."""
    found = []
    codes = [_line(form.code).casefold() for form in forms]
    for number, form in enumerate(forms):
        code = codes[number]
        if not code:
            found.append(Problem(Field.CODE, "ue_wrong_code_empty", number))
        elif any(letter.isspace() for letter in code) or len(code) > 64:
            found.append(Problem(Field.CODE, "ue_wrong_code_form", number))
        elif code in codes[:number]:
            found.append(Problem(Field.CODE, "ue_wrong_code_twice", number))
        if not _line(form.name):
            found.append(Problem(Field.NAME, "ue_wrong_name_empty", number))
    return tuple(found)


def bodies_change(forms: tuple[BodyForm, ...], blobs: Mapping[bytes, str]) -> Change:
    """These bodies and no others; `blobs`: new pictures and where they were kept. A certificate seals for one body."""
    taken: set[str] = set()
    bodies = []
    for form in forms:
        body = form.body(blobs.get(form.seal.png) if form.seal.png is not None else None)
        own = tuple(sha256 for sha256 in body.certificates if sha256 not in taken)
        taken.update(own)
        bodies.append(msgspec.structs.replace(body, certificates=own))

    def change(settings: Settings) -> Settings:
        roles = settings.roles | dict.fromkeys(taken, CertificateRole.AGENCY)
        return msgspec.structs.replace(settings, bodies=tuple(bodies), roles=roles)

    return change


@dataclass(frozen=True)
class CertificateChoice:
    """A certificate that a body may seal with; `text` is its holder, empty while its token isn't plugged in."""

    sha256: str
    holder: str
    valid_until: str
    plugged_in: bool


def certificate_choices(form: BodyForm, others: Iterable[BodyForm], tokens: TokensSnapshot) -> list[CertificateChoice]:
    """The certificates of this body, then those that are plugged in and belong to no other body."""
    elsewhere = {sha256 for other in others for sha256 in other.certificates}
    plugged = {
        view.certificate.sha256: view.certificate
        for token in tokens.tokens
        for view in token.certificates
        if view.role is CertificateRole.AGENCY or view.certificate.sha256 in form.certificates
    }
    own = list(form.certificates) + [s for s in plugged if s not in form.certificates and s not in elsewhere]
    return [
        CertificateChoice(
            sha256,
            plugged[sha256].common_name if sha256 in plugged else "",
            vietnamese_date(plugged[sha256].not_after) if sha256 in plugged else "",
            sha256 in plugged,
        )
        for sha256 in own
    ]


@dataclass(frozen=True)
class ServerForm:
    """The document server; `another`: not the one that was pinned, so what was pinned is forgotten."""

    url: str = ""
    another: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "ServerForm":
        """As it is set."""
        return cls(settings.server.url if settings.server else "")

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it."""
        if self.url.strip() and not server_address_is_safe(self.url.strip()):
            return (Problem(Field.URL, "ue_wrong_server_address"),)
        return ()

    def change(self) -> Change:
        """Keeps what is known of the server, unless it is another one."""
        url = self.url.strip()

        def change(settings: Settings) -> Settings:
            known = None if self.another else settings.server
            server = msgspec.structs.replace(known, url=url) if known else ServerSettings(url=url)
            return msgspec.structs.replace(settings, server=server if url else None)

        return change


@dataclass(frozen=True)
class Enrolment:
    """A body that exchanges by the server, and whether this machine is enrolled for it."""

    code: str
    name: str
    enrolled: bool
    certificate: CertificateView | None
    """With which it could be enrolled now: one of its own that is plugged in."""


def enrolments(settings: Settings, tokens: TokensSnapshot) -> tuple[Enrolment, ...]:
    """Where each body stands with the server."""
    devices = settings.server.devices if settings.server else {}
    plugged = {view.certificate.sha256: view for token in tokens.tokens for view in token.certificates}
    return tuple(
        Enrolment(
            body.code,
            body.name,
            body.code in devices,
            next((plugged[sha256] for sha256 in body.certificates if sha256 in plugged), None),
        )
        for body in settings.bodies
        if body.exchange is Exchange.SERVER
    )


@dataclass(frozen=True)
class TimestampForm:
    """The timestamp server; seconds."""

    on: bool = False
    url: str = ""
    timeout_s: int = 10

    @classmethod
    def of(cls, settings: Settings) -> "TimestampForm":
        """As it is set."""
        return cls(settings.tsa_url is not None, settings.tsa_url or "", round(settings.tsa_timeout_s))

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it."""
        if self.on and not tsa_address_is_right(self.url.strip()):
            return (Problem(Field.TSA_URL, "ue_wrong_tsa_address"),)
        return ()

    def change(self) -> Change:
        """Switched off, no address is kept."""
        return lambda settings: msgspec.structs.replace(
            settings, tsa_url=self.url.strip() if self.on else None, tsa_timeout_s=float(self.timeout_s)
        )


@dataclass(frozen=True)
class DriversForm:
    """The PKCS#11 modules, and pictures of signatures by certificate: bytes are new, None means none any more."""

    modules: tuple[str, ...] = ()
    pictures: tuple[tuple[str, bytes | None], ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "DriversForm":
        """As they are set."""
        return cls(settings.modules)

    def with_picture(self, certificate: str, png: bytes | None) -> "DriversForm":
        """With another picture of this certificate's holder's signature."""
        kept = tuple(pair for pair in self.pictures if pair[0] != certificate)
        return replace(self, pictures=(*kept, (certificate, png)))

    def problems(self, exists: Callable[[Path], bool]) -> tuple[Problem, ...]:
        """What is wrong; `exists` looks whether there is such a file."""
        return tuple(
            Problem(Field.MODULES, "ue_wrong_driver_missing", number)
            for number, module in enumerate(self.modules)
            if not exists(Path(module))
        )

    def change(self, blobs: Mapping[bytes, str]) -> Change:
        """`blobs`: the new pictures and where they were kept."""

        def change(settings: Settings) -> Settings:
            signatures, files = dict(settings.signatures), dict(settings.pictures)
            for certificate, png in self.pictures:
                signatures.pop(certificate, None)
                files.pop(certificate, None)
                if png is not None:
                    signatures[certificate] = blobs[png]
            return msgspec.structs.replace(settings, modules=self.modules, signatures=signatures, pictures=files)

        return change


@dataclass(frozen=True)
class SignatureRow:
    """A holder whose signature may have a picture: `png` was just made; `kept`: there is one in the settings.

    `holder` is empty while the token isn't plugged in.
    """

    certificate: str
    holder: str
    png: bytes | None
    kept: bool


def signature_rows(form: DriversForm, settings: Settings, tokens: TokensSnapshot) -> list[SignatureRow]:
    """The persons' certificates that are plugged in, then those whose pictures are kept."""
    holders = {
        view.certificate.sha256: view.certificate.common_name
        for token in tokens.tokens
        for view in token.certificates
        if view.role is CertificateRole.PERSONAL
    }
    kept = dict.fromkeys((*settings.signatures, *settings.pictures))
    fresh = dict(form.pictures)
    return [
        SignatureRow(sha256, holders.get(sha256, ""), fresh.get(sha256), sha256 in kept and sha256 not in fresh)
        for sha256 in dict.fromkeys((*holders, *kept))
    ]


@dataclass(frozen=True)
class DisplayForm:
    """Language, looks, the clerk's name."""

    language: Lang = "vi"
    theme: ThemeChoice = ThemeChoice.LIGHT
    clerk: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "DisplayForm":
        """As they are set."""
        return cls(settings.language, settings.theme, settings.clerk)

    def change(self) -> Change:
        """These, and nothing else of the settings."""
        return lambda settings: msgspec.structs.replace(
            settings, language=self.language, theme=self.theme, clerk=_line(self.clerk)
        )


@dataclass(frozen=True)
class OwnAnchorForm:
    """The body's own anchor that waits for its fingerprint, as its authority tells it. Without `offered` none waits."""

    offered: "Offered | None" = None
    fingerprint: str = ""
    label: str = ""

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the fingerprint: all of it must be there, and be the file's (decision 15)."""
        from signer_app.trust.keeper import digits_of

        digits = digits_of(self.fingerprint)
        if len(digits) != _SHA256_DIGITS:
            return (Problem(Field.FINGERPRINT, "ux_wrong_fingerprint_form"),)
        if self.offered is None or digits != self.offered.candidate.sha256:
            return (Problem(Field.FINGERPRINT, "ux_wrong_fingerprint"),)
        return ()

    def change(self) -> Change:
        """None of the settings: anchors are kept beside them."""
        return lambda settings: settings


def _line(text: str) -> str:
    return " ".join(text.split())


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for text in texts if (line := _line(text))))
