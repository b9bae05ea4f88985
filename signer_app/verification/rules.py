"""Judges the changes after a signature: harmless, allowed by the document, or forbidden.

Runs in a worker. This is the meaning of `intact`, `changed` and `broken`: (a) validation data and document
timestamps, (b) empty unlocked fields filled under a later signature, (c) later signatures of modest size that leave
earlier ink readable keep a signature intact; what else the document's own permissions allow makes it changed; the
rest breaks it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from signer_app.verification.differences import Difference, is_empty
from signer_app.verification.model import Change, ChangeKind, Integrity, Params
from signer_app.verification.permissions import ANNOTATE, FILL_FORMS, Permissions
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


InkCheck = Callable[[State, int, Sequence[Difference]], bool]
"""Whether the ink of a page (from 0) of a signed state is covered in the file as it is now."""

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


class Judge:
    """Weighs the steps of one document for each of its signatures."""

    def __init__(self, states: Sequence[State], steps: Sequence[Step], ink_covered: InkCheck) -> None:
        self._states = states
        self._steps = steps
        self._ink_covered = ink_covered

    def judge(self, state: State) -> tuple[Integrity, tuple[Change, ...]]:
        """Integrity of a signature whose own digest is good, and all changes after it, in order."""
        later = [step for step in self._steps if step.start >= state.index]
        weighed: list[tuple[Difference, Weight]] = []
        filled_later = {d.field for step in later for d in step.differences if d.kind in _SIGNING}
        for step in later:
            for difference in step.differences:
                if difference.kind is ChangeKind.SIGNATURE_FIELD and difference.field in filled_later:
                    continue
                weighed.append(self._weigh(difference, step, state))
        weighed += self._ink(state, [difference for difference, _ in weighed])
        changes = tuple(_change(difference, weight) for difference, weight in _unique(weighed))
        worst = max((weight for _, weight in weighed), default=Weight.HARMLESS)
        integrity = {
            Weight.HARMLESS: Integrity.INTACT,
            Weight.ALLOWED: Integrity.CHANGED,
            Weight.FORBIDDEN: Integrity.BROKEN,
        }[worst]
        return integrity, changes

    # Permissions in force when a step was made

    def _level(self, step: Step) -> int:
        levels = [s.permissions.level for s in self._states if s.index <= step.start]
        return min((level for level in levels if level is not None), default=ANNOTATE)

    def _certified(self, step: Step) -> bool:
        return any(s.permissions.certifies for s in self._states if s.index <= step.start)

    def _locked(self, step: Step, field: str | None) -> bool:
        return field is not None and any(
            lock.locks(field) for s in self._states if s.index <= step.start for lock in s.permissions.locks
        )

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
        good = any(s.good and s.field == difference.field for s in self._states)
        if difference.kind is ChangeKind.TIMESTAMP and not visible:
            if good:
                return difference, Weight.HARMLESS
            return Difference(ChangeKind.TIMESTAMP_BROKEN, difference.page, difference.field), Weight.FORBIDDEN
        if level < FILL_FORMS or self._locked(step, difference.field):
            return difference, Weight.FORBIDDEN
        new = difference.field not in state.revision.fields
        revision = self._states_revision(step, state)
        modest = len(difference.widgets) == 1 and all(
            widget.page is not None and revision.share_of_page(widget) <= MAX_SHARE_OF_PAGE for widget in visible
        )
        after_certification = bool(visible) and new and self._certified(step)
        harmless = good and (modest or not visible) and not after_certification
        return difference, Weight.HARMLESS if harmless else Weight.ALLOWED

    def _states_revision(self, step: Step, state: State) -> Revision:
        """Pages don't change size between states (that would be page content); any state's frames will do."""
        return next((s.revision for s in self._states if s.index == step.start), state.revision)

    def _weigh_filled(self, difference: Difference, step: Step, state: State, level: int) -> Weight:
        if level < FILL_FORMS or self._locked(step, difference.field):
            return Weight.FORBIDDEN
        signed_with = state.revision.fields.get(difference.field or "")
        was_empty = signed_with is not None and is_empty(state.revision, signed_with)
        return Weight.HARMLESS if was_empty and self._covered(step) else Weight.ALLOWED

    def _ink(self, state: State, found: Sequence[Difference]) -> list[tuple[Difference, Weight]]:
        unknowable = {d.page for d in found if d.kind is ChangeKind.PAGE_CONTENT}
        if any(d.kind is ChangeKind.PAGE_TREE for d in found):
            return []
        pages = {d.page for d in found if d.kind in _VISIBLE and d.page is not None}
        pages |= {
            widget.page
            for d in found
            if d.kind in _VISIBLE
            for widget in d.widgets
            if widget.page is not None and widget.visible
        }
        return [
            (Difference(ChangeKind.INK_COVERED, page=page), Weight.FORBIDDEN)
            for page in sorted(pages - unknowable)
            if self._ink_covered(state, page, found)
        ]


def _unique(weighed: Iterable[tuple[Difference, Weight]]) -> list[tuple[Difference, Weight]]:
    """One entry for each kind, page and field; the heaviest where they differ."""
    kept: dict[tuple[ChangeKind, int | None, str | None], tuple[Difference, Weight]] = {}
    for difference, weight in weighed:
        key = (difference.kind, difference.page, difference.field)
        if key not in kept or kept[key][1] < weight:
            kept[key] = (difference, weight)
    return list(kept.values())


def _change(difference: Difference, weight: Weight) -> Change:
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
        allowed=weight is not Weight.FORBIDDEN,
        harmless=weight is Weight.HARMLESS,
    )
