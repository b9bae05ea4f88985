"""The trusted certificates of this machine: which are installed, which are still missing, the ways in and out.

Main process, any thread; everything blocks. The same keeper as the command `trust` does the work, one change at a time,
each with its line in the journal; after it the anchors are read anew. Decides nothing about a fingerprint: that a
person's word is handed in.
"""

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509

from signer_app.store.settings import Settings
from signer_app.trust.keeper import Candidate, Imported, TrustKeeper
from signer_app.trust.kept import Kept, Use
from signer_app.verification.addresses import ODD
from signer_app.verification.model import AnchorSet
from signer_app.verification.names import common_name, issuer_name
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.rules import Mark
from signer_resources.trust import Pin, PinKind, all_pins, open_places


@dataclass(frozen=True)
class Installed:
    """A certificate that is kept. `issuer` is its issuer's common name; the validity's ends have their zone, and
    are None where they can't be read.
    """

    sha256: str
    name: str
    set: AnchorSet
    use: Use
    issuer: str
    not_before: dt.datetime | None
    not_after: dt.datetime | None
    added_at: dt.datetime


class PinSource(StrEnum):
    """How a fingerprint came into the list of those that are let in."""

    STATED = "stated"
    """Computed from the certificate, or published by its authority."""
    REPORTED = "reported"
    """From notices of others: to be compared with the authority's own before it is relied on."""
    ADMINISTRATOR = "administrator"
    """From this machine's settings."""


@dataclass(frozen=True)
class Missing:
    """A certificate that would be let in and isn't there. `since`: when its fingerprint came into the table of pins."""

    sha256: str
    name: str
    set: AnchorSet
    use: Use
    source: PinSource
    since: dt.date | None = None


@dataclass(frozen=True)
class TrustSnapshot:
    """What decides about trust on this machine, right now."""

    installed: tuple[Installed, ...] = ()
    missing: tuple[Missing, ...] = ()
    open_places: tuple[str, ...] = ()
    """Names of the roots without a fingerprint, which an administrator has yet to fill in."""
    legacy_sha1_before: dt.date | None = None
    folder: str | None = None
    """The folder of the settings that is read beside what is installed."""
    folder_anchors: tuple[str, ...] = ()
    """Names of the anchors in it."""
    shared_store: str | None = None
    """Where what is installed is kept for all users of this machine; None: for this user, in the data folder."""
    settings_file: str = ""
    error: KnownError | None = None
    """Why the anchors can't be used; then nothing is trusted."""


@dataclass(frozen=True)
class Offered:
    """A certificate that a person wants as the body's own anchor, with its validity as in `Installed`."""

    candidate: Candidate
    issuer: str
    not_before: dt.datetime | None
    not_after: dt.datetime | None


class Trusting:
    """The trusted certificates of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._keeper = TrustKeeper(space)
        self._turn = threading.Lock()
        """The keeper reads its file, changes it and writes it back."""

    def look(self) -> TrustSnapshot:
        """Everything that decides about trust; KnownError of the settings alone."""
        settings = self._space.settings
        error: KnownError | None = None
        kept: tuple[Kept, ...] = ()
        anchors: tuple[bytes, ...] = ()
        try:
            kept = self._keeper.kept()
            anchors = self._space.trust.anchors
        except KnownError as found:
            error = found
        ours = {one.entry.der for one in kept}
        folder = tuple(der for der in anchors if der not in ours)
        store = self._space.trust_store
        here = {one.sha256 for one in kept} | {asn1_x509.Certificate.load(der).sha256.hex() for der in folder}
        return TrustSnapshot(
            installed=tuple(_installed(one) for one in kept),
            missing=tuple(one for one in _let_in(settings) if one.sha256 not in here),
            open_places=() if settings.national_root else tuple(place.name for place in open_places()),
            legacy_sha1_before=settings.legacy_sha1_before,
            folder=settings.trust_dir,
            folder_anchors=tuple(_name(der) for der in folder),
            shared_store=str(store.folder) if settings.trust_store else None,
            settings_file=str(self._space.folder.settings),
            error=error,
        )

    def import_files(self, files: Sequence[Path]) -> tuple[Imported, ...]:
        """Takes in what is pinned and refuses the rest; raises as `TrustKeeper.import_files`."""
        with self._turn:
            return self._keeper.import_files(files)

    def offer(self, file: Path) -> Offered:
        """The one certificate of a file, to be the body's own anchor; raises as `TrustKeeper.candidate`."""
        candidate = self._keeper.candidate(file)
        issuer = issuer_name(asn1_x509.Certificate.load(candidate.der)) or "?"
        return Offered(candidate, issuer, *_validity(candidate.der))

    def add_own(self, offered: Offered, confirmed: str, label: str) -> None:
        """Takes it in when `confirmed` is its whole SHA-256; raises as `TrustKeeper.add_own`."""
        with self._turn:
            self._keeper.add_own(offered.candidate, confirmed, label)

    def remove(self, sha256: str) -> None:
        """Takes a certificate out again; raises as `TrustKeeper.remove`."""
        with self._turn:
            self._keeper.remove(sha256)

    def settings(self) -> Settings:
        """The settings, for who tells others that anchors have changed."""
        return self._space.settings


def _installed(one: Kept) -> Installed:
    issuer = issuer_name(asn1_x509.Certificate.load(one.entry.der)) or "?"
    return Installed(
        one.sha256, one.name, one.set, one.use, issuer, *_validity(one.entry.der), added_at=one.entry.added_at
    )


def _let_in(settings: Settings) -> list[Missing]:
    """All that the importer would take."""
    found = [
        Missing(pin.sha256, pin.name, AnchorSet(pin.set.value), _use(pin), _source(pin), pin.date)
        for pin in all_pins()
        if pin.sha256 is not None
    ]
    root = settings.national_root
    if root is not None and root not in {one.sha256 for one in found}:
        name = next((place.name for place in open_places()), root)
        found.append(Missing(root, name, AnchorSet.NATIONAL, Use.ANCHOR, PinSource.ADMINISTRATOR))
    return found


def _use(pin: Pin) -> Use:
    return Use.ANCHOR if pin.kind is PinKind.ROOT else Use.HELPER


def _source(pin: Pin) -> PinSource:
    return PinSource.STATED if pin.mark is Mark.STATED else PinSource.REPORTED


def _name(der: bytes) -> str:
    return common_name(asn1_x509.Certificate.load(der)) or "?"


def _validity(der: bytes) -> tuple[dt.datetime | None, dt.datetime | None]:
    certificate = x509.load_der_x509_certificate(der)
    try:
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except ODD:
        return None, None
