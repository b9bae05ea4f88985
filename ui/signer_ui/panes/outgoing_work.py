"""What the pane of outgoing documents has done on other threads.

Blocks; touches no widget, loads no Qt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from signer_app.desk.desk import Desk
from signer_app.exchange.directory import Directory
from signer_app.outgoing.model import DraftAttachment, Profile, Row, State
from signer_app.signing import resume
from signer_app.signing.certificates import SigningCertificate, choose
from signer_app.signing.images import images_for
from signer_app.signing.jobs import UsageError
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_token.client import TokenError
from signer_ui.presenters.outgoing import Line
from signer_ui.presenters.outgoing_kinds import PROFILES, role_for
from signer_ui.presenters.outgoing_totals import Totals

_STANDS_FOR = {CertificateRole.AGENCY: Profile.AGENCY, CertificateRole.PERSONAL: Profile.LEADER}
"""The kind by which the signer of a role is looked for."""


@dataclass(frozen=True)
class Loaded:
    """All rows by draft, in their order, with how far their sending is; what they come to; the receivers that are
    known.
    """

    lines: Mapping[str, Line]
    totals: Totals
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
    lines = {row.draft.id: Line(row, packets.get(row.draft.id), _no_pdf(desk, row)) for row in rows}
    return Loaded(lines, Totals.of(lines.values()), desk.outgoing.directory())


def _no_pdf(desk: Desk, row: Row) -> dict[str, KnownError]:
    """Why files that go along can't become PDF here, by their ids."""
    found: dict[str, KnownError] = {}
    for item in row.draft.attachments:
        try:
            reason = desk.outgoing.why_not_converted(item.id)
        except KnownError as error:
            # Signed or taken out meanwhile.
            reason = error
        if reason is not None:
            found[item.id] = reason
    return found


def _document(row: Row) -> str | None:
    if row.state is not State.SIGNED or not row.outcomes:
        return None
    return row.outcomes[0].document


def choose_certificates(desk: Desk, wanted: str | None) -> Chosen:
    """Which certificate would sign each kind: the one named by the person where it may, else the only one."""
    found: dict[Profile, SigningCertificate] = {}
    for profile in PROFILES:
        one = _named(desk, wanted, profile) or _only(desk, profile)
        if one is not None:
            found[profile] = one
    images: dict[str, bytes] = {}
    once = {one.certificate.sha256: one for one in found.values()}
    for chosen in (*once.values(), None):
        try:
            images.update(images_for(desk.space, chosen, desk.now().date()).contents)
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
    return chosen if role_for(profile, space.now().date()) in (None, chosen.role) else None


def _only(desk: Desk, profile: Profile) -> SigningCertificate | None:
    """The one certificate that signs documents of this kind; None while there is none, or it is open which.

    A body signs copies and scans, too: the rules say who signs, and that decides where several could.
    """
    role = role_for(profile, desk.now().date())
    return desk.signing.chosen_for([_STANDS_FOR[role] if role is not None else profile])


def blob_path(desk: Desk, blob: str) -> Path:
    """Where the copy lies that is shown and signed."""
    return desk.space.store.blobs.path(blob)


def paths_of(lines: Sequence[Line]) -> list[str]:
    """From where the files of documents came."""
    return [file.path for line in lines for file in line.draft.files]


def rest_of(desk: Desk, batch: str) -> int:
    """How many files of a batch that stopped are still to be signed."""
    with desk.space.store.view() as view:
        return sum(number for state, number in view.batches.counts(batch).items() if state.waits)


def give_up_rest(desk: Desk, batch: str) -> int:
    """Has nothing more signed of a batch that stopped, and the documents stay in the list as they are; how many files
    that are. KnownError "us_nothing_left".
    """
    try:
        return resume.give_up_rest(desk.space.store, batch)
    except UsageError:
        raise KnownError("us_nothing_left") from None


def attachment_to_open(desk: Desk, item: DraftAttachment) -> Path:
    """A file that goes along, where the clerk has it; KnownError "attachment_moved" where it isn't there as it was."""
    path = Path(item.path)
    if not desk.space.store.blobs.is_exported(item.blob, path):
        raise KnownError("attachment_moved", name=item.name)
    return path
