"""Judges the changes after a signature: harmless, allowed by the document, or forbidden.

Runs in a worker. This is the meaning of `intact`, `changed` and `broken`: (a) validation data and document
timestamps, (b) empty unlocked fields filled under a later signature, (c) later signatures of modest size that leave
earlier ink readable keep a signature intact; what else the document's own permissions allow makes it changed; the
rest breaks it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from signer_app.pdf.geometry import Rect
from signer_app.verification.differences import Difference, is_empty
from signer_app.verification.ink import Look, fewer
from signer_app.verification.model import Change, ChangeKind, Integrity, Params
from signer_app.verification.permissions import ANNOTATE, FILL_FORMS, FieldLock, Permissions
from signer_app.verification.revision import Revision

MAX_SHARE_OF_PAGE = 0.1
"""A later signature's appearance takes at most a tenth of the page (the product's own bound against cover-ups)."""


class Weight(IntEnum):
    """How a change weighs on the signatures before it."""

    HARMLESS = 0
    ALLOWED = 1
    FORBIDDEN = 2


@dataclass(frozen=True)
class State:
    """A signed state of the document, in order of time.

    `index` numbers the states; `good` says that digest and CMS are right; `field` is the signature's field.
    """

    index: int
    field: str
    is_timestamp: bool
    good: bool
    permissions: Permissions
    revision: Revision


@dataclass(frozen=True)
class Step:
    """What changed from state `start` to the next one (or to the end of the file)."""

    start: int
    differences: tuple[Difference, ...]


InkCheck = Callable[[State, int, Sequence[Difference]], Look]
"""How a page (from 0) of a signed state looks in the file as it is now."""

_MAX_PICTURED = 20
"""So many pages with other content are drawn to tell where they differ; they are forbidden either way."""

_NEEDS_ANNOTATE = frozenset(
    {
        ChangeKind.ANNOTATION_ADDED,
        ChangeKind.ANNOTATION_CHANGED,
        ChangeKind.ANNOTATION_REMOVED,
        ChangeKind.UNUSED_OBJECTS,
    }
)
_NEEDS_FILLING = frozenset(
    {
        ChangeKind.SIGNATURE_FIELD,
        ChangeKind.STRUCTURE,
        ChangeKind.FORM_SETTINGS,
        ChangeKind.UNEXPLAINED,
    }
)
_SIGNING = frozenset({ChangeKind.SIGNATURE, ChangeKind.TIMESTAMP, ChangeKind.VALIDATION_DATA})
_VISIBLE = frozenset(
    {
        ChangeKind.SIGNATURE,
        ChangeKind.TIMESTAMP,
        ChangeKind.SIGNATURE_FIELD,
        ChangeKind.FIELD_FILLED,
        ChangeKind.FIELD_CHANGED,
        ChangeKind.FORM_SETTINGS,
        ChangeKind.ANNOTATION_ADDED,
        ChangeKind.ANNOTATION_CHANGED,
        ChangeKind.ANNOTATION_REMOVED,
    }
)


@dataclass(frozen=True)
class _InForce:
    """The permissions of all signatures up to a step: the strictest level, and every lock."""

    level: int
    certified: bool
    locks: tuple[FieldLock, ...]


class Judge:
    """Weighs the steps of one document for each of its signatures.

    `undecided` are the fields of timestamps that can't be checked.
    """

    def __init__(
        self,
        states: Sequence[State],
        steps: Sequence[Step],
        ink_covered: InkCheck,
        undecided: Collection[str] = frozenset(),
    ) -> None:
        self._states = states
        self._steps = steps
        self._ink_covered = ink_covered
        self._outlines: dict[tuple[int, int | None], tuple[Rect, ...]] = {}
        self._in_force = {step.start: self._permissions_at(step) for step in steps}
        self._good = {state.field for state in states if state.good}
        self._undecided = undecided
        self._revisions = {state.index: state.revision for state in states}

    def judge(self, state: State) -> tuple[Integrity, tuple[Change, ...]]:
        """Integrity of a signature whose own digest is good, and all changes after it, in order."""
        weighed: list[_Weighed] = []
        later = [step for step in self._steps if step.start >= state.index]
        filled_later = {d.field for step in later for d in step.differences if d.kind in _SIGNING}
        for step in later:
            for difference in step.differences:
                if difference.kind is ChangeKind.SIGNATURE_FIELD and difference.field in filled_later:
                    continue
                weighed.append(_Weighed(*self._weigh(difference, step, state), step.start))
        weighed += self._ink(state, weighed)
        worst = max((one.weight for one in weighed), default=Weight.HARMLESS)
        integrity = {
            Weight.HARMLESS: Integrity.INTACT,
            Weight.ALLOWED: Integrity.CHANGED,
            Weight.FORBIDDEN: Integrity.BROKEN,
        }[worst]
        return integrity, tuple(_change(one) for one in self._outlined(state, _unique(weighed)))

    # Permissions in force when a step was made

    def _permissions_at(self, step: Step) -> "_InForce":
        until = [s.permissions for s in self._states if s.index <= step.start]
        return _InForce(
            level=min((one.level for one in until if one.level is not None), default=ANNOTATE),
            certified=any(one.certifies for one in until),
            locks=tuple(dict.fromkeys(lock for one in until for lock in one.locks)),
        )

    def _level(self, step: Step) -> int:
        return self._in_force[step.start].level

    def _certified(self, step: Step) -> bool:
        return self._in_force[step.start].certified

    def _locked(self, step: Step, field: str | None) -> bool:
        return field is not None and any(lock.locks(field) for lock in self._in_force[step.start].locks)

    def _covered(self, step: Step) -> bool:
        """Whether a later signature with a good digest covers all of the step."""
        return any(s.good and not s.is_timestamp for s in self._states if s.index > step.start)

    # Weighing

    def _weigh(self, difference: Difference, step: Step, state: State) -> tuple[Difference, Weight]:
        kind, level = difference.kind, self._level(step)
        weight = Weight.FORBIDDEN
        if kind is ChangeKind.VALIDATION_DATA:
            weight = Weight.HARMLESS
        elif kind in {ChangeKind.TIMESTAMP, ChangeKind.SIGNATURE}:
            return self._weigh_signature(difference, step, state, level)
        elif kind is ChangeKind.FIELD_FILLED:
            weight = self._weigh_filled(difference, step, state, level)
        elif kind is ChangeKind.FIELD_CHANGED:
            allowed = level >= FILL_FORMS and not self._locked(step, difference.field)
            weight = Weight.ALLOWED if allowed else Weight.FORBIDDEN
        elif kind is ChangeKind.METADATA:
            # Writers note who wrote last whenever they append; with a signature or its data that is part of it.
            if any(d.kind in _SIGNING for d in step.differences):
                weight = Weight.HARMLESS
            elif level >= ANNOTATE:
                weight = Weight.ALLOWED
        elif (kind in _NEEDS_ANNOTATE and level >= ANNOTATE) or (kind in _NEEDS_FILLING and level >= FILL_FORMS):
            weight = Weight.ALLOWED
        return difference, weight

    def _weigh_signature(
        self, difference: Difference, step: Step, state: State, level: int
    ) -> tuple[Difference, Weight]:
        visible = [widget for widget in difference.widgets if widget.visible]
        good = difference.field in self._good
        if difference.kind is ChangeKind.TIMESTAMP and not visible:
            if good:
                return difference, Weight.HARMLESS
            if difference.field in self._undecided:
                # Nobody can tell whether it is good; who opened it doubts what it stamps.
                return difference, Weight.ALLOWED
            return replace(difference, kind=ChangeKind.TIMESTAMP_BROKEN), Weight.FORBIDDEN
        if level < FILL_FORMS or self._locked(step, difference.field):
            return difference, Weight.FORBIDDEN
        new = difference.field not in state.revision.fields
        revision = self._states_revision(step, state)
        modest = len(difference.widgets) == 1 and all(
            widget.page is not None and revision.share_of_page(widget) <= MAX_SHARE_OF_PAGE for widget in visible
        )
        after_certification = bool(visible) and new and self._certified(step)
        harmless = good and (modest or not visible) and not after_certification and not difference.concealed
        return difference, Weight.HARMLESS if harmless else Weight.ALLOWED

    def _states_revision(self, step: Step, state: State) -> Revision:
        """Pages don't change size between states (that would be page content); any state's frames will do."""
        return self._revisions.get(step.start, state.revision)

    def _weigh_filled(self, difference: Difference, step: Step, state: State, level: int) -> Weight:
        if level < FILL_FORMS or self._locked(step, difference.field):
            return Weight.FORBIDDEN
        signed_with = state.revision.fields.get(difference.field or "")
        was_empty = signed_with is not None and is_empty(state.revision, signed_with)
        harmless = was_empty and self._covered(step) and not difference.concealed
        return Weight.HARMLESS if harmless else Weight.ALLOWED

    # Pictures

    def _ink(self, state: State, weighed: Sequence["_Weighed"]) -> list["_Weighed"]:
        found = [one.difference for one in weighed]
        if any(d.kind is ChangeKind.PAGE_TREE for d in found):
            return []
        unknowable = {d.page for d in found if d.kind is ChangeKind.PAGE_CONTENT}
        steps: dict[int, set[int | None]] = {}
        for one in weighed:
            for page in _shown_on(one.difference):
                steps.setdefault(page, set()).add(one.after)
        lost = []
        for page in sorted(steps.keys() - unknowable):
            areas = self._ink_covered(state, page, found).covered
            if areas:
                # Drawn once for all steps: which of several did it is not known.
                after = next(iter(steps[page])) if len(steps[page]) == 1 else None
                lost.append(_Weighed(Difference(ChangeKind.INK_COVERED, page, areas=areas), Weight.FORBIDDEN, after))
        return lost

    def _outlined(self, state: State, weighed: Sequence["_Weighed"]) -> list["_Weighed"]:
        """The same with the places where pages of other content differ to the eye, and layers on each such page."""
        if any(one.difference.kind is ChangeKind.PAGE_TREE for one in weighed):
            return list(weighed)
        return [outlined for one in weighed for outlined in self._outlines_of(state, one)]

    def _outlines_of(self, state: State, one: "_Weighed") -> list["_Weighed"]:
        difference = one.difference
        if difference.kind is ChangeKind.PAGE_CONTENT and difference.page is not None:
            areas = self._differing(state, difference.page, one.after)
            return [replace(one, difference=replace(difference, areas=areas))]
        if difference.kind is ChangeKind.LAYERS:
            pages = range(min(len(state.revision.pages), _MAX_PICTURED))
            shown = [(page, areas) for page in pages if (areas := self._differing(state, page, one.after))]
            return [replace(one, difference=replace(difference, page=page, areas=areas)) for page, areas in shown] or [
                one
            ]
        return [one]

    def _differing(self, state: State, page: int, after: int | None) -> tuple[Rect, ...]:
        """Drawn once for all signatures before the same step, and for a few pages only."""
        if (page, after) not in self._outlines:
            if len(self._outlines) >= _MAX_PICTURED:
                return ()
            try:
                areas = self._ink_covered(state, page, ()).differing()
            except Exception:  # noqa: BLE001  # forbidden already; a page that can't be drawn has no outline
                areas = ()
            self._outlines[page, after] = areas
        return self._outlines[page, after]


@dataclass(frozen=True)
class _Weighed:
    """A difference, how it weighs, and the number of the state after which it was made where that is known."""

    difference: Difference
    weight: Weight
    after: int | None


def _shown_on(difference: Difference) -> set[int]:
    """The pages (from 0) that a difference may show on."""
    if difference.kind not in _VISIBLE:
        return set()
    pages = {widget.page for widget in difference.widgets if widget.visible}
    return {page for page in (*pages, difference.page) if page is not None}


def _unique(weighed: Iterable[_Weighed]) -> list[_Weighed]:
    """One entry for each kind, page, field and step; the heaviest where they differ, with the places of all."""
    kept: dict[tuple[ChangeKind, int | None, str | None, int | None], _Weighed] = {}
    for one in weighed:
        key = (one.difference.kind, one.difference.page, one.difference.field, one.after)
        known = kept.get(key)
        if known is None:
            kept[key] = one
            continue
        heavier = max(known, one, key=lambda w: w.weight)
        areas = fewer((*known.difference.areas, *one.difference.areas))
        kept[key] = replace(heavier, difference=replace(heavier.difference, areas=areas))
    return list(kept.values())


def _change(one: _Weighed) -> Change:
    difference = one.difference
    params: Params = {}
    if difference.field is not None:
        params["field"] = difference.field
    page = None if difference.page is None else difference.page + 1
    if page is not None:
        params["page"] = page
    return Change(
        kind=difference.kind,
        page=page,
        message_code=f"verify_change_{difference.kind}",
        params=params,
        allowed=one.weight is not Weight.FORBIDDEN,
        harmless=one.weight is Weight.HARMLESS,
        areas=fewer(difference.areas),
        after=one.after,
    )
