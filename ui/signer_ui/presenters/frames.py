"""What is outlined on the pages of a checked file: its signatures, and what was changed after them.

Pure values; loads no Qt and draws nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from signer_app.verification.model import Change, SignatureReport
from signer_ui.presenters.pages import Spot

_MOST = 600
"""Frames of one file; a page with more of them could not be read. What is forbidden comes first."""


class FrameKind(Enum):
    """Why a place is outlined, the weightiest first."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"
    SIGNATURE = "signature"


@dataclass(frozen=True)
class Frame:
    """A place on a page and why it is outlined."""

    spot: Spot
    kind: FrameKind


def frames_of(signatures: Sequence[SignatureReport], changes: Iterable[Change]) -> tuple[Frame, ...]:
    """All frames of a file, each place once for each reason."""
    found = [
        Frame(spot, FrameKind.ALLOWED if change.allowed else FrameKind.FORBIDDEN)
        for change in changes
        if not change.harmless
        for spot in spots_of(change)
    ]
    found += [Frame(spot, FrameKind.SIGNATURE) for signature in signatures for spot in signature_spots(signature)]
    weights = list(FrameKind)
    return tuple(sorted(dict.fromkeys(found), key=lambda frame: weights.index(frame.kind))[:_MOST])


def spots_of(change: Change) -> tuple[Spot, ...]:
    """Where a change shows; nothing for one without a place."""
    page = change.page
    return tuple(Spot(page - 1, rect) for rect in change.areas) if page is not None else ()


def signature_spots(signature: SignatureReport) -> tuple[Spot, ...]:
    """Where a signature stands; nothing for an invisible one."""
    page, rect = signature.page, signature.rect
    visible = page is not None and rect is not None and rect.w > 0 and rect.h > 0
    return (Spot(page - 1, rect),) if visible and page is not None and rect is not None else ()
