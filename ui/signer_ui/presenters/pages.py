"""What a plan shows on the pages, and the one mark that a person may move: limits, steps, snapping, what is said.

Pure logic over plain values in mm of the displayed page; loads no Qt and draws nothing. The widget asks it where things
are and tells it what the person does; what comes out is a place for the owner of the plan, who examines the file again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from signer_app.pages import Margins, PageSize
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import PlaceOption
from signer_app.pdf.plan import Drawing, Mark, Placement, SigningPlan, SignStep
from signer_resources.rules.profiles import PlaceRule
from signer_ui.presenters.figures import millimetres
from signer_ui.words import Words

SNAP_MM = 2.0
"""A mark that is dragged this near to its rule's place, or to an edge of the text, takes it."""

_BY_HAND = PlaceRule.BY_HAND.value
"""How the placement rules call a place that a person gave."""

_SAME_MM = 0.05


class Lock(StrEnum):
    """Why a mark can't be moved."""

    PREPARED = "prepared"
    """The field was made by who signed before; moving it would break that signature."""
    BLANK = "blank"
    """Number and date stand in the blanks of the letter."""
    CORNER = "corner"
    """The line of an appendix stands at the top right of page 1 (NĐ 30/2020, appendix I)."""


class Step(StrEnum):
    """How far an arrow key moves a mark."""

    FINE = "fine"
    NORMAL = "normal"
    COARSE = "coarse"


STEP_MM = {Step.FINE: 0.1, Step.NORMAL: 1.0, Step.COARSE: 5.0}


@dataclass(frozen=True)
class Spot:
    """A place on a page (from 0), in mm."""

    page: int
    rect: Rect

    def near(self, other: "Spot") -> bool:
        """Whether both are the same place, as far as anybody can see."""
        return (
            self.page == other.page
            and abs(self.rect.x - other.rect.x) < _SAME_MM
            and abs(self.rect.y - other.rect.y) < _SAME_MM
        )


@dataclass(frozen=True)
class ShownMark:
    """A thing that lands on a page: what it is, where, whether the rule is sure, and why it stays where it is."""

    what: Mark
    spot: Spot
    sure: bool
    lock: Lock | None
    rule_text: str
    """The key of the text that names the rule which found its place."""


@dataclass(frozen=True)
class ShownDrawing:
    """What is drawn at a spot; `mark` is the index of the mark that it moves with."""

    spot: Spot
    drawing: Drawing
    mark: int | None


@dataclass(frozen=True)
class Overlay:
    """All that a plan puts on the pages."""

    marks: tuple[ShownMark, ...] = ()
    drawings: tuple[ShownDrawing, ...] = ()


def overlay_of(plan: SigningPlan) -> Overlay:
    """Marks and drawings of a plan, in the order in which they are signed."""
    steps = {index: _step_of(placement, plan.steps) for index, placement in enumerate(plan.placements)}
    marks = tuple(
        ShownMark(
            placement.what,
            Spot(placement.page - 1, placement.rect),
            placement.sure,
            _lock(plan, steps[index]),
            placement.rule_text,
        )
        for index, placement in enumerate(plan.placements)
    )
    drawings: list[ShownDrawing] = []
    for number, step in enumerate(plan.steps):
        drawings += [ShownDrawing(Spot(0, fill.box), fill.drawing, None) for fill in step.fill]
        if step.page is not None and step.rect is not None and step.drawing is not None:
            mark = next((index for index, owner in steps.items() if owner == number), None)
            drawings.append(ShownDrawing(Spot(step.page, step.rect), step.drawing, mark))
    return Overlay(marks, tuple(drawings))


def _step_of(placement: Placement, steps: Sequence[SignStep]) -> int | None:
    """The step that draws just this mark; None for number and date, which share a step or are filled into fields."""
    if placement.what in (Mark.SEAL, Mark.SIGNATURE, Mark.INITIAL, Mark.STAMP_TEXT):
        for number, step in enumerate(steps):
            if step.page == placement.page - 1 and step.rect is not None and step.rect.rounded() == placement.rect:
                return number
    return None


def _lock(plan: SigningPlan, step: int | None) -> Lock | None:
    if step is None:
        return Lock.BLANK
    if any(one.rule == PlaceRule.TOP_RIGHT and one.sure for one in plan.placements):
        return Lock.CORNER
    made_here = {make.name for earlier in plan.steps for make in earlier.make}
    return Lock.PREPARED if plan.steps[step].existing and plan.steps[step].field not in made_here else None


@dataclass(frozen=True)
class Outcome:
    """What a move came to: the place that the person chose, or None for the rule's own place again."""

    option: PlaceOption | None


class Marks:
    """The marks of one file while a person looks at them; at most one of them can be moved."""

    def __init__(self, size_of: Callable[[int], PageSize | None]) -> None:
        self._size_of = size_of
        self.margins = Margins()
        self.overlay = Overlay()
        self.selected: int | None = None
        self._place: Spot | None = None
        """Where the mark is now that can be moved."""
        self._told: Spot | None = None
        """Where the owner of the plan knows it to be."""
        self.rule: Spot | None = None
        """Where its rule puts it, once that is known."""
        self._rule_sure = False
        self._by_hand = False
        """Whether the plan has it where a person once put it."""
        self._rule_wanted = False
        """The person wants the rule's place, which the plan's owner has to find out again."""

    def show(self, plan: SigningPlan | None, rule_places: Sequence[Placement] = ()) -> None:
        """Takes another plan for the same file; `rule_places` are the placements without a place by hand."""
        kind = self.overlay.marks[self.selected].what if self.selected is not None else None
        known = (self.rule, self._rule_sure) if self.movable is not None else None
        moved_kind = self.movable.what if self.movable is not None else None
        self.overlay = overlay_of(plan) if plan is not None else Overlay()
        self.selected = next((i for i, mark in enumerate(self.overlay.marks) if mark.what is kind), None)
        self._place, self._told, self.rule, self._rule_sure = None, None, None, False
        self._by_hand = self._rule_wanted = False
        movable = self.movable
        if movable is None or plan is None:
            return
        self._place = self._told = movable.spot
        self._by_hand = any(one.what is movable.what and one.rule == _BY_HAND for one in plan.placements)
        own = (placement for placement in plan.placements if placement.rule != _BY_HAND)
        for placement in chain(rule_places, own):
            if placement.what is movable.what and placement.rule != _BY_HAND:
                self.rule, self._rule_sure = Spot(placement.page - 1, placement.rect), placement.sure
                return
        if known is not None and moved_kind is movable.what:
            self.rule, self._rule_sure = known

    def forget(self) -> None:
        """Another file: nothing is known of it."""
        self.overlay, self.selected = Overlay(), None
        self._place = self._told = self.rule = None

    # --- what is where -----------------------------------------------------------------------------------------------

    @property
    def movable_index(self) -> int | None:
        """The mark that can be moved."""
        return next((index for index, mark in enumerate(self.overlay.marks) if mark.lock is None), None)

    @property
    def movable(self) -> ShownMark | None:
        """The mark that can be moved, where the plan has it."""
        index = self.movable_index
        return None if index is None else self.overlay.marks[index]

    def spot(self, index: int) -> Spot:
        """Where mark `index` is now."""
        if index == self.movable_index and self._place is not None:
            return self._place
        return self.overlay.marks[index].spot

    def drawings_on(self, page: int) -> Iterator[tuple[Rect, Drawing]]:
        """What is drawn on a page, and where it is now."""
        for shown in self.overlay.drawings:
            spot = shown.spot if shown.mark is None or shown.mark != self.movable_index else self.spot(shown.mark)
            if spot.page == page:
                yield spot.rect, shown.drawing

    def at(self, page: int, x: float, y: float) -> int | None:
        """The mark under a point; the one that can be moved before all others."""
        found = [
            index
            for index in range(len(self.overlay.marks))
            if (spot := self.spot(index)).page == page
            and spot.rect.x <= x <= spot.rect.right
            and spot.rect.y <= y <= spot.rect.bottom
        ]
        return self.movable_index if self.movable_index in found else next(iter(found), None)

    @property
    def unsure(self) -> bool:
        """Whether the rule doubts its place, and the person has neither moved the mark nor said that it is right."""
        movable, place = self.movable, self._place
        return movable is not None and not movable.sure and place is not None and place.near(movable.spot)

    @property
    def moved(self) -> bool:
        """Whether the mark is elsewhere than its owner knows."""
        return self._place is not None and self._told is not None and not self._place.near(self._told)

    @property
    def away(self) -> bool:
        """Whether the mark is not at its rule's place."""
        return self.rule is not None and self._place is not None and not self._place.near(self.rule)

    def can_move(self, index: int | None) -> bool:
        """Whether mark `index` is the one that can be moved."""
        return index is not None and index == self.movable_index

    def select_next(self, step: int) -> bool:
        """The next mark (-1: the one before) is selected; False behind the last, with nothing selected."""
        count = len(self.overlay.marks)
        start = (-1 if step > 0 else count) if self.selected is None else self.selected
        self.selected = start + step if 0 <= start + step < count else None
        return self.selected is not None

    # --- moving ------------------------------------------------------------------------------------------------------

    def nudge(self, across: int, down: int, step: Step) -> None:
        """Arrow keys: by `across` and `down` steps; doesn't snap, or small steps would never get away."""
        if self._place is not None:
            by, rect = STEP_MM[step], self._place.rect
            self._put(self._place.page, rect.x + across * by, rect.y + down * by)

    def drag(self, page: int, x: float, y: float, *, snap: bool = True) -> None:
        """The mouse wants the mark's top left corner there; it snaps, and stays on the page."""
        if self._place is None:
            return
        if snap:
            x, y = self._snapped(page, x, y, self._place.rect)
        self._put(page, x, y)

    def to_page(self, by: int) -> bool:
        """The same place on another page; False when there is no such page."""
        if self._place is None or self._size_of(self._place.page + by) is None:
            return False
        self._put(self._place.page + by, self._place.rect.x, self._place.rect.y)
        return True

    def go_home(self) -> None:
        """Back to the rule's place; where that isn't known, to where the plan has it, or to ask for it."""
        self._rule_wanted = self.rule is None and self._by_hand
        self._place = self.rule or (self.movable.spot if self.movable is not None else None)

    def put_back(self) -> None:
        """Back to where it was before it was last moved."""
        self._place = self._told

    def drop(self) -> Outcome | None:
        """The move is done: what to tell the plan's owner; None when the mark is where it was."""
        if self._rule_wanted:
            self._rule_wanted = False
            return Outcome(None)
        if not self.moved or self._place is None:
            return None
        self._told = self._place
        if not self.away and self.rule is not None and self._rule_sure:
            return Outcome(None)
        return Outcome(self.option())

    def option(self) -> PlaceOption | None:
        """Where the mark is now, as a place by hand."""
        if self._place is None:
            return None
        rect = self._place.rect.rounded()
        return PlaceOption(self._place.page + 1, rect.x, rect.y, rect.w, rect.h)

    def _put(self, page: int, x: float, y: float) -> None:
        size = self._size_of(page)
        if size is None or self._place is None:
            return
        self._rule_wanted = False
        rect = self._place.rect
        x, y = min(max(0.0, x), max(0.0, size.width - rect.w)), min(max(0.0, y), max(0.0, size.height - rect.h))
        self._place = Spot(page, Rect(round(x, 2), round(y, 2), rect.w, rect.h))

    def _snapped(self, page: int, x: float, y: float, rect: Rect) -> tuple[float, float]:
        if self.rule is not None and self.rule.page == page:
            home = self.rule.rect
            if abs(home.x - x) <= SNAP_MM and abs(home.y - y) <= SNAP_MM:
                return home.x, home.y
        size, margins = self._size_of(page), self.margins
        if size is None:
            return x, y
        across = (0.0, margins.left, size.width - margins.right - rect.w, size.width - rect.w)
        down = (0.0, margins.top, size.height - margins.bottom - rect.h, size.height - rect.h)
        return _nearest(x, across), _nearest(y, down)

    # --- what is said ------------------------------------------------------------------------------------------------

    def says(self, words: Words) -> str:
        """The line below the pages about the selected mark: what, where in mm, or why it stays."""
        if self.selected is None:
            return ""
        mark, spot = self.overlay.marks[self.selected], self.spot(self.selected)
        what = words(f"page_what_{mark.what}")
        where = words(
            "page_mark_at",
            what=what,
            page=spot.page + 1,
            x=millimetres(spot.rect.x, words),
            y=millimetres(spot.rect.y, words),
        )
        if mark.lock is not None:
            return f"{where} {words(f'page_locked_{mark.lock}')}"
        if self.moved:
            return where
        return f"{where} {words(mark.rule_text)}."


def _nearest(value: float, places: Sequence[float]) -> float:
    near = min(places, key=lambda place: abs(place - value))
    return near if abs(near - value) <= SNAP_MM else value
