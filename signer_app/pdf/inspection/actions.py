"""Actions and scripts: those that run by themselves, and those that wait for a click (ISO 32000-1, 12.6).

Runs in a worker; reads, never runs anything.
"""

from collections.abc import Iterator
from typing import Any

from signer_app.pdf.inspection.reading import entry, has, identity, name, one_or_many, tree_leaves, values
from signer_app.pdf.inspection.sightings import Budget, Sighting

_BY_ITSELF = {
    "/JavaScript": "script",
    "/Launch": "launch_on_open",
    "/Hide": "action_changes_view",
    "/SetOCGState": "action_changes_view",
    "/ResetForm": "action_changes_view",
    "/ImportData": "action_changes_view",
    "/GoTo3DView": "action_changes_view",
    "/RichMediaExecute": "action_changes_view",
    "/Rendition": "action_changes_view",
    "/Movie": "action_changes_view",
    "/Sound": "action_on_open",
    "/URI": "action_on_open",
    "/SubmitForm": "action_on_open",
    "/GoToR": "action_on_open",
    "/GoToE": "action_on_open",
    "/Named": "action_on_open",
}
"""Kind of action to the code for one that nobody asks for; going to a page of the document is none."""

_ON_CLICK = {
    "/JavaScript": "script_on_click",
    "/Launch": "launch_link",
    "/Hide": "action_on_click",
    "/SetOCGState": "action_on_click",
    "/ResetForm": "action_on_click",
    "/ImportData": "action_on_click",
    "/SubmitForm": "action_on_click",
}
"""The same for a click; links to pages, files and addresses are what people expect of one."""

_AT_A_GLANCE = frozenset({"/PO", "/PC", "/PV", "/PI"})
"""Triggers of an annotation that need no hand: its page is opened, closed, seen, unseen."""
_OF_A_FIELD = frozenset({"/K", "/F", "/V", "/C"})
"""Triggers of a field that make up its value or look (`forms` tells of these)."""


def document_actions(root: Any, budget: Budget) -> Iterator[Sighting]:
    """What the document runs by itself: at opening, at closing, at printing; its named scripts; its bookmarks."""
    yield from _seen(entry(root, "/OpenAction"), _BY_ITSELF, "OpenAction", budget)
    yield from _all_triggers(entry(root, "/AA"), "AA", budget)
    scripts = entry(entry(root, "/Names"), "/JavaScript")
    if scripts is not None and any(True for _leaf in tree_leaves(scripts, "/Names", budget)):
        yield Sighting("script", "Names/JavaScript")
    yield from _bookmarks(entry(root, "/Outlines"), budget)


def page_actions(page: Any, number: int, budget: Budget) -> Iterator[Sighting]:
    """What runs when page `number` is opened or closed."""
    yield from _all_triggers(entry(page, "/AA"), number, budget)


def annotation_actions(annotation: Any, number: int, budget: Budget) -> Iterator[Sighting]:
    """What an annotation of page `number` does, by itself and when clicked."""
    yield from _seen(entry(annotation, "/A"), _ON_CLICK, number, budget)
    # An old way to give a link its action.
    yield from _seen(entry(annotation, "/PA"), _ON_CLICK, number, budget)
    for trigger, action in values(entry(annotation, "/AA")):
        if trigger not in _OF_A_FIELD:
            yield from _seen(action, _BY_ITSELF if trigger in _AT_A_GLANCE else _ON_CLICK, number, budget)


def has_script(action: Any, budget: Budget) -> bool:
    """Whether an action, or one that follows it, is a script."""
    return any(has(step, "/JS") or name(entry(step, "/S")) == "/JavaScript" for step in _steps(action, budget))


def _all_triggers(triggers: Any, where: int | str, budget: Budget) -> Iterator[Sighting]:
    for _trigger, action in values(triggers):
        yield from _seen(action, _BY_ITSELF, where, budget)


def _seen(action: Any, codes: dict[str, str], where: int | str, budget: Budget) -> Iterator[Sighting]:
    for step in _steps(action, budget):
        kind = name(entry(step, "/S"))
        if kind == "/Rendition" and has(step, "/JS"):
            kind = "/JavaScript"
        if kind in codes:
            yield Sighting(codes[kind], where, kind.lstrip("/"))


def _steps(action: Any, budget: Budget) -> Iterator[Any]:
    """An action and those that follow it; a destination (an array or a name) is none."""
    waiting, seen = [action], set[tuple[int, int]]()
    while waiting:
        step = waiting.pop()
        mark = identity(step)
        if not has(step, "/S") or (mark != (0, 0) and mark in seen):
            continue
        if not budget.spend():
            return
        seen.add(mark)
        yield step
        waiting += list(one_or_many(entry(step, "/Next")))


def _bookmarks(outlines: Any, budget: Budget) -> Iterator[Sighting]:
    waiting, seen = [entry(outlines, "/First")], set[tuple[int, int]]()
    while waiting:
        item = waiting.pop()
        mark = identity(item)
        if item is None or mark in seen or not budget.spend():
            continue
        seen.add(mark)
        yield from _seen(entry(item, "/A"), _ON_CLICK, "Outlines", budget)
        waiting += [entry(item, "/First"), entry(item, "/Next")]
