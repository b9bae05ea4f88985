"""Documents and increments made by chance, for the properties that hold for all of them.

`Signed` is a small document in five steps, whose ends and signed ranges are known; `Increment` is a list of things that
were done to it, each of which says whether it belongs to the kinds that leave a signature intact.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import reject
from hypothesis import strategies as st
from pyhanko.pdf_utils.misc import PdfError

from tests.verification.attacks.annotations import annotated
from tests.verification.attacks.base import (
    BESIDE,
    BODY,
    CATALOG,
    CONTENT,
    FONT,
    FORM,
    LAST_PAGE,
    LEADER,
    LEADER_SIGNS,
    NUMBER,
    PAGE,
    PAGES,
    SUM,
    SUM_LOOK,
    TICK,
    Scene,
    append,
    body,
    signature_number,
    small_document,
    stream,
    swap,
    with_entry,
)
from tests.verification.attacks.forms import filled
from tests.verification.documents import SignAs, drawing, sign
from tests.verification.small_pki import Holder

BLANK = b"\0\t\n\f\r "


@dataclass(frozen=True)
class State:
    """A document that ends where a revision ends; nobody signed the hole of its last signature, if it ends with one."""

    data: bytes = field(repr=False)
    hole: tuple[int, int] | None

    def is_all_of(self, other: bytes) -> bool:
        """Whether `other` is this document, but for the hole and white space behind the end."""
        if self.hole is None:
            return not other[len(self.data) :].strip(BLANK) and other.startswith(self.data.rstrip(BLANK))
        # The end of the last line is signed too.
        first, second = self.hole
        length = len(self.data)
        return (
            other[:first] == self.data[:first]
            and other[second:length] == self.data[second:]
            and not other[length:].strip(BLANK)
        )


@dataclass(frozen=True)
class Signed:
    """A document, the leader's signature, the number, the body's signature and validation data: each a state.

    `filled` is the document with its number, before anybody has signed for that.
    """

    states: tuple[State, ...]
    filled: bytes

    @property
    def data(self) -> bytes:
        """The file as it is in the end."""
        return self.states[-1].data

    def honest(self, other: bytes) -> bool:
        """Whether `other` is one of the states, so that its signatures may be called intact."""
        return any(state.is_all_of(other) for state in self.states)

    def only_filled(self, other: bytes) -> bool:
        """Whether `other` ends where the number is there and not signed for yet: that is a change which is allowed."""
        return other.rstrip(BLANK) == self.filled.rstrip(BLANK)

    def begins(self, other: bytes) -> bool:
        """Whether all that both signatures cover is in `other`, whatever else is behind it."""
        state = self.states[1]
        return state.is_all_of(other[: len(state.data)])


def signed_in_steps(leader: Holder, body_: Holder) -> Signed:
    """The document whose every state is intact. Nobody signed its last part, the validation data."""
    plain = small_document()
    first = sign(plain, leader, LEADER_SIGNS)
    numbered = filled(first)
    second = sign(numbered, body_, BODY_SIGNS)
    data = with_entry(body(second, CATALOG), b"/DSS 300 0 R ")
    third = append(second, {CATALOG: data, 300: b"<< /Type /DSS /Certs [301 0 R] >>", 301: stream(leader.der)})
    # What was filled counts only under the signature that covers it: it is no state of its own.
    return Signed((State(first, _last_hole(first)), State(second, _last_hole(second)), State(third, None)), numbered)


def _last_hole(document: bytes) -> tuple[int, int]:
    start, end = max((int(a), int(b)) for a, b in re.findall(rb"/ByteRange \[0 (\d+) (\d+)", document))
    return start, end


BODY_SIGNS = SignAs("Body", box=BODY, style=drawing("0 0 1 RG 5 5 m 50 20 l S", BODY), room=3000)


# Increments


@dataclass(frozen=True)
class Deed:
    """One thing done to a document after the leader signed it; `harmless` if it is of kind (a), (b) or (c)."""

    name: str
    do: Callable[[Scene, bytes], bytes]
    harmless: bool
    signs: bool = False


def _add_data(scene: Scene, document: bytes) -> bytes:
    number = 300 + len(document) % 1000 * 2
    catalog = body(document, CATALOG)
    dss = b"<< /Type /DSS /Certs [%d 0 R] >>" % (number + 1)
    known = re.search(rb"/DSS (\d+) 0 R", catalog)
    if known is not None:
        number = int(known.group(1))
        dss = swap(body(document, number), b"/Certs [", b"/Certs [%d 0 R " % (number + 500))
        return append(document, {number: dss, number + 500: stream(scene.body.der)})
    return append(
        document,
        {CATALOG: with_entry(catalog, b"/DSS %d 0 R " % number), number: dss, number + 1: stream(scene.leader.der)},
    )


def _fill(_: Scene, document: bytes) -> bytes:
    return filled(document) if b"/V" not in body(document, NUMBER) else document


def _sign(scene: Scene, document: bytes) -> bytes:
    """A modest signature on blank paper, or an invisible one once the place is taken."""
    count = document.count(b"/ByteRange")
    if count == 1:
        return scene.signed_by_body(document, BODY_SIGNS)
    return scene.signed_by_body(document, SignAs(f"Body {count}", room=3000))


ADD_DATA = Deed("validation data", _add_data, harmless=True)
FILL = Deed("number filled", _fill, harmless=True)
SIGN = Deed("signed", _sign, harmless=True, signs=True)

_IN_USE = (CATALOG, PAGES, FONT, PAGE, CONTENT, FORM, LEADER, NUMBER, SUM, SUM_LOOK, TICK, LAST_PAGE, LAST_PAGE + 1)
_VALUES = (b"1", b"(x)", b"/Name", b"[1 2]", b"<< /A 1 >>", b"true", b"3 0 R", b"4 0 R", b"<00>")
_REMOVALS: tuple[tuple[int, bytes], ...] = (
    (PAGES, b" 13 0 R"),
    (FONT, b"/BaseFont /Helvetica"),
    (PAGE, b"/Contents 5 0 R"),
    (LAST_PAGE, b"/Contents 14 0 R"),
    (SUM, b"/V (500)"),
    (SUM, b"/AP << /N 10 0 R >>"),
    (TICK, b"/AS /Off"),
)


def _add_entry(number: int, key: str, value: bytes) -> Deed:
    entry = b"/%b %b " % (key.encode(), value)
    return Deed(
        f"object {number} has {entry!r}",
        lambda _, document: append(document, {number: with_entry(body(document, number), entry)}),
        harmless=False,
    )


def _remove_entry(number: int, entry: bytes) -> Deed:
    def do(_: Scene, document: bytes) -> bytes:
        return append(document, {number: swap(body(document, number), entry, b"")})

    return Deed(f"object {number} without {entry!r}", do, harmless=False)


def _free(number: int) -> Deed:
    return Deed(f"object {number} freed", lambda _, document: append(document, {number: None}), harmless=False)


def _note(kind: str) -> Deed:
    return Deed(
        f"{kind} beside the text",
        lambda _, document: annotated(document, kind, BESIDE, "0 0 1 rg 0 0 60 30 re f"),
        harmless=False,
    )


def _spoil_signature(_: Scene, document: bytes) -> bytes:
    number = signature_number(document)
    return append(document, {number: with_entry(body(document, number), b"/Zz 1 ")})


_KEYS = st.from_regex(r"\AZz[A-Za-z0-9]{1,6}\Z")

HARMFUL = st.one_of(
    st.builds(_add_entry, st.sampled_from(_IN_USE), _KEYS, st.sampled_from(_VALUES)),
    st.sampled_from([_remove_entry(number, entry) for number, entry in _REMOVALS]),
    st.builds(_free, st.sampled_from([n for n in _IN_USE if n not in {CATALOG, PAGES, FORM}])),
    st.builds(_note, st.sampled_from(["Square", "Stamp", "FreeText", "Link"])),
    st.just(Deed("the signature altered", _spoil_signature, harmless=False)),
)
HARMLESS = st.sampled_from([ADD_DATA, FILL, SIGN])

Deeds = list[Deed]


def increments(*, harmful: bool) -> st.SearchStrategy[Deeds]:
    """A few deeds in a row; with `harmful` at least one of them is of no harmless kind."""
    few = st.lists(HARMLESS, max_size=2)
    if not harmful:
        return few
    return st.tuples(few, HARMFUL, few).map(lambda parts: [*parts[0], parts[1], *parts[2]])


def is_covered(deeds: Deeds) -> bool:
    """Whether what was filled stands under a later signature; without, it is a change."""
    for n, deed in enumerate(deeds):
        if deed is FILL and FILL not in deeds[:n]:
            return any(later.signs for later in deeds[n + 1 :])
    return True


def done(scene: Scene, document: bytes, deeds: Deeds) -> bytes:
    """The document after all deeds; an example where that is not possible is left out."""
    for deed in deeds:
        try:
            document = deed.do(scene, document)
        except (PdfError, ValueError, AttributeError, KeyError, TypeError):
            # The signing software refuses what was made of the document: there is no such file.
            reject()
    return document
