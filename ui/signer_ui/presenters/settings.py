"""The settings as forms: what is typed, what is wrong with it, and the change of the settings that it means.

Plain values, no screen, no disk. A form is compared with the one it began as to tell whether anything is unsaved; a
change is made of settings that are read anew when it is kept, so nothing that others wrote meanwhile is lost.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from signer_app.desk.setup import server_address_is_safe
from signer_app.desk.tokens import CertificateView, TokensSnapshot
from signer_app.store.settings import Exchange, ServerSettings, Settings, ThemeChoice
from signer_app.store.times import VIETNAM, vietnamese_date
from signer_resources.messages import Lang

if TYPE_CHECKING:
    # Loaded where certificates are read, not with the window's forms.
    from signer_app.desk.trusting import Offered

_SHA256_DIGITS = 64

Change = Callable[[Settings], Settings]


class Field(StrEnum):
    """What is typed in; names the place where a problem is shown."""

    CODE = "code"
    NAME = "name"
    FORMER = "former"
    NOTATIONS = "notations"
    REGISTERS = "registers"
    SEAL = "seal"
    OWN_SERVER = "own_server"
    HANDS = "hands"
    URL = "url"
    TSA_URL = "tsa_url"
    MODULES = "modules"
    FINGERPRINT = "fingerprint"
    INBOX_FOLDER = "inbox_folder"
    OUTPUT_FOLDER = "output_folder"
    PROXY_URL = "proxy_url"
    EXTRA_CA = "extra_ca"
    WEEKDAYS = "weekdays"
    DAYS_OFF = "days_off"
    DAYS_WORKED = "days_worked"
    LGSP = "lgsp"
    LGSP_ACCOUNT = "lgsp_account"
    EXCHANGE_FOLDER = "exchange_folder"
    UPDATE_SOURCE = "update_source"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field; `key` is a text of the catalogue. `item`: which body, driver or server, from 0."""

    field: Field
    key: str
    item: int = 0


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
    """Where each body stands with its server; one without a server is left out."""
    plugged = {view.certificate.sha256: view for token in tokens.tokens for view in token.certificates}
    return tuple(
        Enrolment(
            body.code,
            body.name,
            body.code in server.devices,
            next((plugged[sha256] for sha256 in body.certificates if sha256 in plugged), None),
        )
        for body in settings.bodies
        if body.exchange is Exchange.SERVER and (server := settings.server_of(body)) is not None
    )


@dataclass(frozen=True)
class DriversForm:
    """The PKCS#11 modules."""

    modules: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "DriversForm":
        """As they are set."""
        return cls(settings.modules)

    def problems(self, exists: Callable[[Path], bool]) -> tuple[Problem, ...]:
        """What is wrong; `exists` looks whether there is such a file."""
        return tuple(
            Problem(Field.MODULES, "ue_wrong_driver_missing", number)
            for number, module in enumerate(self.modules)
            if not exists(Path(module))
        )

    def change(self) -> Change:
        """These, and nothing else of the settings."""
        return lambda settings: msgspec.structs.replace(settings, modules=self.modules)


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
            settings, language=self.language, theme=self.theme, clerk=one_line(self.clerk)
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


def one_line(text: str) -> str:
    """Text without blanks that were typed by mistake."""
    return " ".join(text.split())


def some_lines(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts that say something, each once."""
    return tuple(dict.fromkeys(line for text in texts if (line := one_line(text))))


def day_text(day: dt.date | None) -> str:
    """A day as it is typed; empty: none."""
    return vietnamese_date(day) if day is not None else ""


def typed_day(text: str) -> dt.date | None:
    """The day that was typed, as 18/11/2026; None where nothing was. ValueError for anything else."""
    typed = "".join(text.split())
    return dt.datetime.strptime(typed, "%d/%m/%Y").replace(tzinfo=VIETNAM).date() if typed else None
