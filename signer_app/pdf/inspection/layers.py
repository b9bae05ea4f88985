"""Layers that show other things on the screen, on paper, or after a click (ISO 32000-1, 8.11).

Runs in a worker. A layer that is on everywhere is no finding; nor is one that no page uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from signer_app.pdf.inspection.reading import elements, entry, identity, name, one_or_many, words

_STATES = {"/View": "/ViewState", "/Print": "/PrintState", "/Export": "/ExportState"}
_LONGEST_EXPRESSION = 1000


@dataclass
class Layers:
    """The layers that are not simply on, by identity, with their names."""

    hidden: dict[tuple[int, int], str] = field(default_factory=dict)

    def name_of(self, group: Any) -> str | None:
        """The layer that hides content marked with `group`, None where it is shown to all.

        `group` is a layer (OCG) or a membership (OCMD), which depends on several and counts as soon as there is any.
        """
        if name(entry(group, "/Type")) == "/OCMD" or identity(group) == (0, 0):
            members = [*one_or_many(entry(group, "/OCGs")), *_within(entry(group, "/VE"))]
            turns = name(entry(group, "/P")) in ("/AnyOff", "/AllOff") or entry(group, "/VE") is not None
            hidden = next((self.hidden[identity(m)] for m in members if identity(m) in self.hidden), None)
            return hidden if hidden is not None or not (turns and members) else words(entry(members[0], "/Name"))
        return self.hidden.get(identity(group))


def read_layers(root: Any) -> Layers:
    """Which layers are off at opening, or differ between screen and paper, or in another configuration."""
    layers = Layers()
    properties = entry(root, "/OCProperties")
    usual = entry(properties, "/D")
    groups = list(elements(entry(properties, "/OCGs")))
    off = {identity(group) for group in elements(entry(usual, "/OFF"))}
    on = {identity(group) for group in elements(entry(usual, "/ON"))}
    all_off = name(entry(usual, "/BaseState")) == "/OFF"
    elsewhere = {
        identity(group) for other in elements(entry(properties, "/Configs")) for group in elements(entry(other, "/OFF"))
    }
    automatic = _automatic(usual)
    for group in groups:
        mark = identity(group)
        hidden = mark in off or (all_off and mark not in on) or mark in elsewhere
        if hidden or (mark in automatic and _usage_differs(group)):
            layers.hidden[mark] = words(entry(group, "/Name")) or "?"
    for mark in off - set(layers.hidden):
        # Switched off without being listed: viewers disagree about what that is.
        layers.hidden[mark] = "?"
    return layers


def _automatic(usual: Any) -> set[tuple[int, int]]:
    """Layers whose usage a viewer applies by itself when it shows or prints (/AS)."""
    return {identity(group) for rule in elements(entry(usual, "/AS")) for group in elements(entry(rule, "/OCGs"))}


def _usage_differs(group: Any) -> bool:
    """Whether the layer is off on the screen, on paper or in an export."""
    usage = entry(group, "/Usage")
    return any(name(entry(entry(usage, kind), state)) == "/OFF" for kind, state in _STATES.items())


def _within(expression: Any) -> Iterator[Any]:
    """The layers of a visibility expression."""
    waiting, left = [expression], _LONGEST_EXPRESSION
    while waiting and left:
        left -= 1
        part = waiting.pop()
        if name(entry(part, "/Type")) == "/OCG":
            yield part
        else:
            waiting += islice(elements(part), left)
