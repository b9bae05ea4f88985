"""What a placing rule looks at and what it answers: plain values between the preflight and the rules.

Runs in a worker. Boxes are in mm of the displayed page, pages count from 0 unless a value says otherwise.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from signer_app.pdf.geometry import PageFrame, Rect
from signer_app.pdf.leaders import Leader
from signer_app.pdf.letter import DateLine, NumberLine, Signers
from signer_app.pdf.measures import Measures
from signer_app.pdf.model import Body, PreflightRequest
from signer_app.pdf.pagetext import PageText
from signer_app.pdf.placing.form import FormFacts, WaitingField
from signer_app.pdf.plan import Mark, Placement, SignStep
from signer_app.verification.model import FileReport
from signer_resources.rules import RuleProfile
from signer_resources.rules.profiles import PlaceRule


@dataclass(frozen=True)
class Inputs:
    """All that a rule looks at.

    `date` is the date of issue: as it was given, as it is typed, or today. `leader`: whose signature lets the seal be
    put on, None where there is none or the profile asks for none.
    """

    path: Path
    pages: Sequence[PageText]
    signers: Signers
    request: PreflightRequest
    report: FileReport
    rules: RuleProfile
    form: FormFacts
    number_line: NumberLine | None
    date_line: DateLine | None
    date: dt.date | None
    leader: Leader | None

    @cached_property
    def measures(self) -> Measures:
        """The measures that hold on the day of signing."""
        return Measures.of(self.rules)

    @property
    def body(self) -> Body:
        """The issuing body; one without names where nobody has told."""
        return self.request.body or Body(())

    def frame(self, page: int) -> PageFrame:
        """How page `page` is displayed."""
        return self.pages[page].frame


@dataclass(frozen=True)
class Place:
    """Where something lands, by which rule, and whether it is sure. `waiting`: the empty field that lies there."""

    page: int
    rect: Rect
    rule: PlaceRule
    sure: bool = True
    waiting: WaitingField | None = None

    def of(self, what: Mark) -> Placement:
        """The placement that a plan tells of it."""
        return Placement(what, self.page + 1, self.rect.rounded(), self.rule.value, self.sure)


@dataclass(frozen=True)
class Placed:
    """Steps to be signed in order, where things land, and warnings by code."""

    steps: tuple[SignStep, ...]
    placements: tuple[Placement, ...]
    warnings: tuple[tuple[str, dict[str, str]], ...] = field(default=())
