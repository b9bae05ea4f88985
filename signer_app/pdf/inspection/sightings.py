"""What the inspection saw, and how that becomes one finding for each code.

Plain values without a PDF behind them; runs in a worker. Text that comes from the file is cut short and freed of
control characters here, before anybody shows it.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from signer_app.pdf.inspection.weights import severity
from signer_app.pdf.model import Finding, Profile

_LONGEST = 60
_MOST_NAMED = 3


@dataclass(frozen=True)
class Sighting:
    """One thing at one place: a page (from 1), or a part of the document by its key ("OpenAction"); `what` names it."""

    code: str
    where: int | str
    what: str = ""


@dataclass
class Budget:
    """How many steps a walk may still take; `short` once there were more."""

    left: int
    short: bool = field(default=False)

    def spend(self) -> bool:
        """Takes one step; False when there are none left."""
        if self.left <= 0:
            self.short = True
            return False
        self.left -= 1
        return True


def findings(sightings: Iterable[Sighting], profile: Profile) -> tuple[Finding, ...]:
    """One finding for each code, in the order in which they were seen, with all places and the first names."""
    grouped: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        grouped.setdefault(sighting.code, []).append(sighting)
    return tuple(
        Finding(code, severity(code, profile), {"where": _places(seen), "what": _names(seen)})
        for code, seen in grouped.items()
    )


def readable(text: str) -> str:
    """`text` from a file as it may be shown: one line, no control or direction marks, not long."""
    kept = "".join(" " if c.isspace() else c for c in text[:1000] if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(unicodedata.normalize("NFC", kept).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _places(seen: Iterable[Sighting]) -> str:
    """Pages as "2, 5-9", then the document's parts."""
    pages = sorted({sighting.where for sighting in seen if isinstance(sighting.where, int)})
    parts = dict.fromkeys(sighting.where for sighting in seen if isinstance(sighting.where, str))
    ranges: list[tuple[int, int]] = []
    for page in pages:
        if ranges and ranges[-1][1] == page - 1:
            ranges[-1] = (ranges[-1][0], page)
        else:
            ranges.append((page, page))
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    if len(texts) > 20:
        texts = [*texts[:20], "…"]
    return ", ".join([*texts, *parts])


def _names(seen: Iterable[Sighting]) -> str:
    names = list(dict.fromkeys(filter(None, (readable(sighting.what) for sighting in seen))))
    more = ["…"] if len(names) > _MOST_NAMED else []
    return "; ".join([*names[:_MOST_NAMED], *more])
