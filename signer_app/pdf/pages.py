"""The pages of a document, read when they are asked for: a file of thousands costs as much as the pages that matter.

Runs in a worker. Keeps those that rules look at again and again (the first, those where a letter may end) and a few
others; the document must stay open as long.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from signer_app.pdf.pagetext import OpenDocument, PageText, read_page

_SPARE = 4
"""Other pages that are kept, the last ones that were asked for."""


class Pages(Sequence[PageText]):
    """All pages of a document; `endings`: those (from 0) where a letter may end, which are searched."""

    def __init__(self, document: OpenDocument, endings: Iterable[int]) -> None:
        self._document = document
        self._endings = sorted(set(endings), reverse=True)
        self._kept: dict[int, PageText] = {}
        self._spare: dict[int, PageText] = {}

    def __len__(self) -> int:
        return len(self._document)

    @overload
    def __getitem__(self, number: int) -> PageText: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[PageText]: ...

    def __getitem__(self, number: int | slice) -> PageText | Sequence[PageText]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self._page(number % len(self))

    def endings(self) -> Iterator[PageText]:
        """The pages where a letter may end, the last first."""
        return map(self._page, self._endings)

    def _page(self, number: int) -> PageText:
        page = self._kept.get(number) or self._spare.pop(number, None) or read_page(self._document, number)
        if number == 0 or number in self._endings:
            self._kept[number] = page
        else:
            self._spare[number] = page
            if len(self._spare) > _SPARE:
                del self._spare[next(iter(self._spare))]
        return page


def last_first(pages: Sequence[PageText]) -> Iterator[PageText]:
    """The pages to be searched for the end of a letter, the last first."""
    return pages.endings() if isinstance(pages, Pages) else reversed(pages)
