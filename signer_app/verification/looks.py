"""How widgets and annotations show: where they stand on the page, and whether the screen tells all of it.

Runs in a worker, on files of others. A later signature, or a field that is filled, keeps earlier signatures intact only
when its picture can be judged; what shows on paper, under the mouse or in a layer is not on the picture. Draws nothing
and decides nothing.
"""

from collections.abc import Iterable

from pyhanko.pdf_utils import generic

from signer_app.pdf.geometry import Rect
from signer_app.verification.comparison import Comparison
from signer_app.verification.revision import Revision, Widget

_HIDDEN, _NO_VIEW, _TOGGLE_NO_VIEW = 1 << 1, 1 << 5, 1 << 8
"""Flags of annotations that show otherwise on paper, under the mouse, or later (ISO 32000-2, table 167)."""


def areas_of(c: Comparison, page: int | None, widgets: Iterable[Widget]) -> tuple[Rect, ...]:
    """Where these widgets, old or new, stand on a page (from 0) as it is now: mm, what lies on the displayed page."""
    if page is None or page >= len(c.new.pages):
        return ()
    frame = c.new.pages[page].frame
    boxes = [widget.box for widget in widgets if widget.box is not None and widget.visible and widget.page == page]
    places = (_on_page(frame.from_user(box), frame.whole) for box in boxes)
    return tuple(dict.fromkeys(place.rounded() for place in places if place is not None))


def _on_page(box: Rect, whole: Rect) -> Rect | None:
    if not box.overlaps(whole):
        return None
    x, y = max(0.0, box.x), max(0.0, box.y)
    return Rect(x, y, min(box.right, whole.right) - x, min(box.bottom, whole.bottom) - y)


def conceals(c: Comparison, widget: Widget) -> bool:
    """Whether a widget shows otherwise on paper or later than on the screen now.

    One that takes no room conceals nothing, nor does one that was hidden already when others signed.
    """
    if not widget.visible:
        return False
    flags = _flags(c.new, widget.dictionary)
    hidden = bool(flags & _HIDDEN) and not _was_hidden(c, widget)
    return hidden or bool(flags & (_NO_VIEW | _TOGGLE_NO_VIEW)) or "/OC" in widget.dictionary


def _was_hidden(c: Comparison, widget: Widget) -> bool:
    name = c.old.field_of(widget.key) if widget.key is not None else None
    before = c.old.fields[name].widgets if name is not None else ()
    return any(one.key == widget.key and _flags(c.old, one.dictionary) & _HIDDEN for one in before)


def _flags(revision: Revision, dictionary: generic.DictionaryObject) -> int:
    flags = revision.entry(dictionary, "/F")
    return int(flags) if isinstance(flags, generic.NumberObject) else 0


def has_one_look(c: Comparison, widget: Widget) -> bool:
    """Whether a widget of the later state has a single look: no other under the mouse, by state, or in a layer."""
    looks = c.new.entry(widget.dictionary, "/AP")
    if not widget.visible or looks is None:
        return True
    if not isinstance(looks, generic.DictionaryObject) or dict.keys(looks) - {"/N"}:
        return False
    normal = c.new.entry(looks, "/N")
    return normal is None or (isinstance(normal, generic.StreamObject) and "/OC" not in normal)


def has_kept_looks(c: Comparison, before: Widget, after: Widget) -> bool:
    """Whether a button shows no look that it had not, save the one that it is turned to now."""
    looks, known = c.new.entry(after.dictionary, "/AP"), c.old.entry(before.dictionary, "/AP")
    if not after.visible or looks is None:
        return True
    if not isinstance(looks, generic.DictionaryObject):
        return False
    if not isinstance(known, generic.DictionaryObject):
        known = generic.DictionaryObject()  # type: ignore[no-untyped-call]
    if not all(c.same(dict.get(known, key), dict.get(looks, key)) for key in dict.keys(looks) - {"/N"}):
        return False
    normal, was = c.new.entry(looks, "/N"), c.old.entry(known, "/N")
    if normal is None:
        return True
    if isinstance(normal, generic.StreamObject):
        return "/OC" not in normal
    if not isinstance(normal, generic.DictionaryObject):
        return False
    earlier = was if type(was) is generic.DictionaryObject else generic.DictionaryObject()  # type: ignore[no-untyped-call]
    state = str(c.new.entry(after.dictionary, "/AS"))
    shown = c.new.entry(normal, state)
    if isinstance(shown, generic.DictionaryObject) and "/OC" in shown:
        return False
    return all(c.same(dict.get(earlier, key), dict.get(normal, key)) for key in dict.keys(normal) - {state})


def has_look(revision: Revision, widget: Widget) -> bool:
    """Whether the state that a widget is in has a look of its own; else viewers make one up."""
    looks = revision.entry(widget.dictionary, "/AP")
    normal = revision.entry(looks, "/N") if isinstance(looks, generic.DictionaryObject) else None
    if isinstance(normal, generic.StreamObject):
        return True
    state = revision.entry(widget.dictionary, "/AS")
    return isinstance(normal, generic.DictionaryObject) and isinstance(
        revision.entry(normal, str(state)), generic.StreamObject
    )
