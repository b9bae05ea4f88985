"""Lines of the two registers, as plain values with the ten columns of Decree 30/2020, annex IV.

Usable on any thread; frozen. Words of ours in a line are entries of the catalogue, put into a language when shown.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from signer_resources.messages import Lang, text


@dataclass(frozen=True)
class Remark:
    """A remark of the program's on a line: a text of the catalogue with what fills it."""

    key: str
    params: Mapping[str, object] = field(default_factory=dict)

    def told(self, lang: Lang) -> str:
        """In words."""
        return text(self.key, lang, **self.params)


class LineKind(StrEnum):
    """What a line of a register stands for."""

    DOCUMENT = "document"
    KEPT = "kept"
    """A number that belongs to a document which isn't signed yet."""
    VOIDED = "voided"
    """A number that was given up; it stays in the book."""
    GAP = "gap"
    """Numbers of which this machine knows nothing."""


LOUD = frozenset({"register_remark_returned", "register_remark_recalled"})
"""Keys of the remarks that a person must not overlook."""


@dataclass(frozen=True)
class OutgoingLine:
    """A line of the outgoing register. `id` is that of its cells; `number` sorts it within its sequence; `receivers`
    are names. A gap's numbers go from `number` to `last`.

    The columns are `label`, `date`, `title`, `signer`, `receivers`, `keeper`, `copies`, `passed_on`, `signed_for` and,
    from `note` and `remarks`, the tenth.
    """

    id: str
    kind: LineKind
    body_code: str
    year: int
    sequence: str
    number: int
    label: str
    date: dt.date | None = None
    title: str = ""
    """Type and subject."""
    signer: str = ""
    receivers: tuple[str, ...] = ()
    keeper: str = ""
    copies: str = ""
    passed_on: dt.date | None = None
    """Typed, else the day on which the other side had it."""
    signed_for: str = ""
    note: str = ""
    remarks: tuple[Remark, ...] = ()
    last: int = 0
    search: str = field(default="", repr=False)
    """All its words without diacritics."""

    def remarks_told(self, lang: Lang) -> str:
        """The tenth column: what came back, what the clerk noted, and what else the program knows. A narrow cell shows
        no more than the beginning.
        """
        loud = [one.told(lang) for one in self.remarks if one.key in LOUD]
        rest = [one.told(lang) for one in self.remarks if one.key not in LOUD]
        return "; ".join(part for part in (*loud, self.note, *rest) if part)


@dataclass(frozen=True)
class IncomingLine:
    """A line of the incoming register. The columns are `arrived_on`, `number`, `author`, `label`, `date` (else
    `date_text`), `title`, `passed_to`, `passed_on`, `signed_for` and, from `note` and `remarks`, the tenth.

    A gap's numbers go from `number` to `last`.
    """

    id: str
    kind: LineKind
    body_code: str
    year: int
    number: int
    arrived_on: dt.date | None = None
    author: str = ""
    label: str = ""
    date: dt.date | None = None
    date_text: str = ""
    title: str = ""
    passed_to: str = ""
    passed_on: dt.date | None = None
    signed_for: str = ""
    note: str = ""
    on_paper: bool = False
    remarks: tuple[Remark, ...] = ()
    last: int = 0
    search: str = field(default="", repr=False)

    def remarks_told(self, lang: Lang) -> str:
        """The tenth column: what the clerk noted, and what the program knows."""
        return "; ".join(part for part in (self.note, *(one.told(lang) for one in self.remarks)) if part)


def title_of(kind: str | None, subject: str | None) -> str:
    """Tên loại và trích yếu; the type is left out where the subject begins with it."""
    kind, subject = kind or "", subject or ""
    if not kind or subject.casefold().startswith(kind.casefold()):
        return subject or kind
    return f"{kind}: {subject}" if subject else kind


def found(search: str, wanted: str) -> bool:
    """Whether a line with these folded words has each word of `wanted` (folded too)."""
    return all(word in search for word in wanted.split())
