"""What the pane of outgoing documents has done on other threads.

Blocks; touches no widget, loads no Qt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from signer_app.desk.desk import Desk
from signer_app.exchange.directory import Directory
from signer_app.outgoing.model import Profile, Row, State
from signer_app.signing.certificates import SigningCertificate, choose
from signer_app.signing.images import load_images
from signer_app.signing.jobs import UsageError
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_token.client import TokenError
from signer_ui.presenters.outgoing import KINDS, Line


@dataclass(frozen=True)
class Loaded:
    """All rows, with how far their sending is, and the receivers that are known."""

    lines: tuple[Line, ...]
    directory: Directory


@dataclass(frozen=True)
class Chosen:
    """Which certificate signs each kind, as far as that is clear; and where the pictures of their stamps lie."""

    certificates: Mapping[Profile, SigningCertificate] = field(default_factory=dict)
    images: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def names(self) -> dict[Profile, str]:
        """The certificates by their SHA-256."""
        return {profile: chosen.certificate.sha256 for profile, chosen in self.certificates.items()}


def load(desk: Desk) -> Loaded:
    """The rows as they stand."""
    rows = desk.outgoing.rows()
    documents = {row.draft.id: document for row in rows if (document := _document(row)) is not None}
    packets = {}
    if documents:
        with desk.space.store.view() as view:
            for draft_id, document in documents.items():
                packets[draft_id] = next(iter(view.outbox.of_document(document)), None)
    return Loaded(tuple(Line(row, packets.get(row.draft.id)) for row in rows), desk.outgoing.directory())


def _document(row: Row) -> str | None:
    if row.state is not State.SIGNED or not row.outcomes:
        return None
    return row.outcomes[0].document


def choose_certificates(desk: Desk, wanted: str | None) -> Chosen:
    """Which certificate would sign each kind: the one named by the person where it may, else the only one."""
    found: dict[Profile, SigningCertificate] = {}
    for profile in KINDS:
        one = _named(desk, wanted, profile) or desk.signing.chosen_for([profile])
        if one is not None:
            found[profile] = one
    images: dict[str, bytes] = {}
    for chosen in (*found.values(), None):
        try:
            images.update(load_images(desk.space.settings, desk.space.store.blobs, chosen).contents)
        except KnownError:
            # The preflight tells it, with the row that it concerns.
            continue
    return Chosen(found, images)


def _named(desk: Desk, wanted: str | None, profile: Profile) -> SigningCertificate | None:
    if wanted is None:
        return None
    space = desk.space
    try:
        chosen = choose(space.hosts.tokens().tokens, wanted, [profile], space.settings, space.trust, space.now())
    except (UsageError, TokenError):
        return None
    needed = {Profile.AGENCY: CertificateRole.AGENCY, Profile.LEADER: CertificateRole.PERSONAL}.get(profile)
    return chosen if needed in (None, chosen.role) else None


def blob_path(desk: Desk, blob: str) -> Path:
    """Where the copy lies that is shown and signed."""
    return desk.space.store.blobs.path(blob)


def paths_of(lines: Sequence[Line]) -> list[str]:
    """From where the files of documents came."""
    return [file.path for line in lines for file in line.draft.files]
