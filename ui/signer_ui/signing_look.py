"""The look before the PIN: what would be signed, whether its pages are to be seen, and how full the disks are.

`look` runs on the token's lane and may block; the rest is plain values. Asks for no PIN, signs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from signer_app.desk.signing_values import Choice, Ready
from signer_app.pdf.model import Severity
from signer_app.signing.free_space import space_findings
from signer_resources.errors import KnownError
from signer_ui.presenters.pin import PinRequest
from signer_ui.tasks import Control
from signer_ui.words import Words

if TYPE_CHECKING:
    from signer_app.desk.desk import Desk

Wish = Callable[["str | None", Control], "Ready | Choice"]
"""What was asked for, looked at with the certificate that the person named (None: whichever fits)."""


class Review(Enum):
    """Whether the pages are looked at before the PIN, where a pane shows them."""

    NONE = 0
    DOUBTFUL = 1
    """Where something is doubtful among several documents."""
    WANTED = 2
    """The person wants to see them."""

    def goes_for(self, documents: int) -> bool:
        """Whether somebody has to see whether there is something to look at."""
        return self is Review.WANTED or (self is Review.DOUBTFUL and documents > 1)


@dataclass(frozen=True)
class Looked:
    """What came of the look; `warnings` concern the whole batch."""

    found: Ready | Choice
    warnings: tuple[KnownError, ...] = ()


def look(desk: Desk, found: Ready | Choice) -> Looked:
    """What was found, and what is to be known of the disks."""
    if isinstance(found, Choice):
        return Looked(found)
    # Too little room has been refused already; what is told here is that it is tight.
    findings = space_findings(desk.space, [one.job for one in found.documents])
    tight = (finding for finding in findings if finding.severity is Severity.WARNING)
    return Looked(found, tuple(KnownError(finding.code, **finding.params) for finding in tight))


def with_warnings(request: PinRequest, warnings: tuple[KnownError, ...], words: Words) -> PinRequest:
    """The question for the PIN, with what is to be known before."""
    told = (words.explain(warning) for warning in warnings)
    lines = tuple(" ".join(part for part in (one.what, one.why, one.do) if part) for one in told)
    return replace(request, notes=(*request.notes, *lines))
