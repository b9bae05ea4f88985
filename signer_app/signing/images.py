"""The pictures that stamps show: the body's seal, the person's signature and initial; chosen by the day, named by hash.

Main process. A plan names a picture by the SHA-256 of its content, so that a changed picture is another plan. Pictures
are opened from the vault into memory; workers get those that they draw, as bytes, and none ever lies in a file.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from signer_app.pdf.model import Profile
from signer_app.pdf.plan import ImageItem, SignStep
from signer_app.signing.certificates import SigningCertificate
from signer_app.store.settings import Body, HandKind, Handwriting, Settings, valid_on
from signer_app.store.times import vietnamese_date
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


@dataclass(frozen=True)
class Images:
    """Hashes of the pictures that apply, and the content (PNG) of each hash; sizes in mm, None: by the rule profile.

    `outdated` are the profiles whose picture is set, but none of it for the day.
    """

    seal: str | None = None
    signature: str | None = None
    initial: str | None = None
    seal_mm: float | None = None
    signature_mm: float | None = None
    initial_mm: float | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    outdated: frozenset[Profile] = frozenset()
    day: dt.date = dt.date.min

    def picture(self, profile: Profile) -> str | None:
        """The hash of the handwriting that this profile shows."""
        return self.initial if profile is Profile.INITIAL else self.signature

    def picture_mm(self, profile: Profile) -> float | None:
        """How wide that is in mm, as its holder said; None: as the rule profile has it."""
        return self.initial_mm if profile is Profile.INITIAL else self.signature_mm

    def without_contents(self) -> "Images":
        """What they are, without their pixels."""
        return replace(self, contents={})

    def shown_by(self, step: SignStep) -> dict[str, bytes]:
        """Those that a step shows, as the workers take them."""
        items = step.drawing.items if step.drawing is not None else ()
        shown = {item.image for item in items if isinstance(item, ImageItem)}
        return {sha256: content for sha256, content in self.contents.items() if sha256 in shown}

    def require(self, profile: Profile) -> None:
        """KnownError "seal_not_valid", "handwriting_not_valid" where the profile's picture isn't for this day."""
        if profile in self.outdated:
            day = vietnamese_date(self.day)
            if profile is Profile.AGENCY:
                raise KnownError("seal_not_valid", date=day)
            raise KnownError("handwriting_not_valid", date=day)


def images_for(space: Workspace, chosen: SigningCertificate | None, on: dt.date) -> Images:
    """The pictures for this certificate on the day of signing; KnownError "image_unusable" for one that is set and
    can't be opened, "device_key_unavailable".
    """
    settings, vault = space.settings, space.vault
    body = chosen.body if chosen is not None else _only_body(settings)
    hands = settings.handwriting.get(chosen.certificate.sha256, ()) if chosen is not None else ()
    of_kind = {kind: [hand for hand in hands if hand.kind is kind] for kind in HandKind}
    seals = body.seals if body is not None else ()
    seal = body.seal_on(on) if body is not None else None
    signature, initial = (valid_on(of_kind[kind], on) for kind in (HandKind.SIGNATURE, HandKind.INITIAL))
    outdated = {
        profile
        for profile, there, found in (
            (Profile.AGENCY, seals, seal),
            (Profile.LEADER, of_kind[HandKind.SIGNATURE], signature),
            (Profile.INITIAL, of_kind[HandKind.INITIAL], initial),
        )
        if there and found is None
    }
    if seal is not None and seal.picture is None:
        # It could not be taken into the vault at the start: its file is gone.
        raise KnownError("image_unusable", name=(seal.file or seal.blob or "")[-40:])
    pictures = [found.picture for found in (seal, signature, initial) if found is not None]
    return Images(
        seal=seal.picture if seal else None,
        signature=signature.picture if signature else None,
        initial=initial.picture if initial else None,
        seal_mm=seal.diameter_mm if seal else None,
        signature_mm=_width(signature),
        initial_mm=_width(initial),
        contents={picture: vault.open(picture) for picture in pictures if picture is not None},
        outdated=frozenset(outdated),
        day=on,
    )


def _only_body(settings: Settings) -> Body | None:
    return settings.bodies[0] if len(settings.bodies) == 1 else None


def _width(hand: Handwriting | None) -> float | None:
    return hand.width_mm if hand is not None else None
