"""To whom a document goes: through the exchange, on paper, or to be asked first. The same at its signing and after.

Pure over a view of the store; any process. Asked right before a packet is made: the directory may be another one than
when the document was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.exchange.receivers import part, resolve
from signer_app.pdf.model import Finding, Severity
from signer_app.store.receivers import PaperReceiver
from signer_app.store.store import View


@dataclass(frozen=True)
class Goes:
    """To whom a document goes: `codes` through the exchange, `paper` by hand, besides those who are on its paper list
    already. `names` are all who get it on paper. While lines are `asked`, it is kept.
    """

    codes: tuple[str, ...] = ()
    paper: tuple[PaperReceiver, ...] = ()
    names: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def leaves(self) -> bool:
        """Whether anything is to be sent now."""
        return bool(self.codes) and not self.asked

    @property
    def told(self) -> tuple[Finding, ...]:
        """What the person is told of it."""
        found = []
        if self.asked:
            found.append(Finding("out_receivers_unknown", Severity.WARNING, {"lines": "; ".join(self.asked)}))
        if self.names:
            found.append(Finding("out_receivers_paper", Severity.WARNING, {"names": "; ".join(self.names)}))
        return tuple(found)


def goes(
    view: View,
    body: str,
    before: Sequence[PaperReceiver],
    codes: Sequence[str],
    *,
    lines: Sequence[str] = (),
    nameless: Sequence[PaperReceiver] = (),
    at_their_word: bool = False,
) -> Goes:
    """How a document of this body goes to `codes` and to those whom `lines` mean by now, where its paper list is
    `before`; `nameless` are others who get it on paper. `at_their_word` as in `part`.
    """
    asked: tuple[str, ...] = ()
    if lines:
        found = resolve(view, body, lines, candidates=False)
        codes = (*codes, *found.named)
        nameless = (*nameless, *(one for one in found.paper if one.code is None))
        asked = tuple(line.text for line in found.asked)
    parted = part(view, before, codes, at_their_word=at_their_word)
    known = {one.name for one in before}
    paper = (*(one for one in nameless if one.name not in known), *parted.paper)
    return Goes(parted.send, paper, tuple(one.name for one in (*before, *paper)), asked)
