"""What all attacks share: the signed documents that they start from, and a hand that appends increments.

Nothing of the published proofs of concept is in this folder: each file is made anew, from a document that was properly
signed before. The increments are written byte by byte, for a PDF library would refuse most of what attackers do. The
documents are one small page with a form, so that a check takes some hundredths of a second.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pyhanko.sign.fields import MDPPerm

from signer_app.verification.model import ChangeKind, Integrity
from tests.verification.documents import Box, SignAs, assemble, drawing, sign
from tests.verification.small_pki import Holder

CATALOG, PAGES, FONT, PAGE, CONTENT, FORM, LEADER, NUMBER, SUM, SUM_LOOK, TICK, TICK_ON, LAST_PAGE = range(1, 14)
"""Numbers of the objects of the small document, the same before and after it is signed."""
SPARE = 100
"""A number far above what a signed document uses."""

TEXT: Box = (8, 66, 150, 82)
"""Over the line with the sum."""
BESIDE: Box = (90, 4, 150, 34)
"""Blank, and less than a tenth of the page."""
BODY: Box = (10, 4, 70, 34)
"""Where the body signs after the leader: blank, and less than a tenth of the page."""

LINES = ("So: 12/QD-UBND", "Chi 1.250.000.000 dong", "Co hieu luc tu ngay ky")


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object's body."""
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries, len(content), content)


def page_content(lines: tuple[str, ...] = LINES, before: str = "", after: str = "") -> bytes:
    """The content stream of a page with these lines, drawn between two pieces of operators."""
    text = "".join(f"BT /F1 12 Tf 10 {95 - 25 * n} Td ({line}) Tj ET\n" for n, line in enumerate(lines))
    return stream(f"{before}{text}{after}".encode())


FORGED = page_content((LINES[0], "Chi 9.250.000.000 dong", LINES[2]))
"""The page with another sum."""


def look(box: Box, content: str) -> bytes:
    """A form XObject as large as `box` that draws `content`."""
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 %d %d] /Resources << /Font << /F1 3 0 R >> >>" % (
        box[2] - box[0],
        box[3] - box[1],
    )
    return stream(content.encode(), entries)


def rect(box: Box) -> bytes:
    """A box as an array."""
    return b"[%d %d %d %d]" % box


def _widget(kind: bytes, name: bytes, box: Box, more: bytes) -> bytes:
    return b"<< /Type /Annot /Subtype /Widget /FT /%b /T (%b) /F 4 /P 4 0 R /Rect %b %b >>" % (
        kind,
        name,
        rect(box),
        more,
    )


def page(content: int, annotations: bytes = b"", resources: bytes = b"", parent: int = PAGES) -> bytes:
    """A page of 240 by 120 pt with the font /F1 and further resources."""
    return (
        b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 240 120] /Contents %d 0 R /Annots [%b] "
        b"/Resources << /Font << /F1 3 0 R >> %b >> >>" % (parent, content, annotations, resources)
    )


WIDGETS = b"7 0 R 8 0 R 9 0 R 11 0 R"
"""The widgets of the first page."""


def small_document(changed: Mapping[int, bytes] | None = None) -> bytes:
    """Two pages; on the first three lines, an empty field for the leader's signature, two text fields and a tick box.

    `changed` replaces objects by number, or adds some from 15 on.
    """
    number_box: Box = (160, 90, 230, 106)
    sum_box: Box = (160, 64, 230, 80)
    objects = {
        CATALOG: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R >>",
        PAGES: b"<< /Type /Pages /Kids [4 0 R 13 0 R] /Count 2 >>",
        FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        PAGE: page(CONTENT, WIDGETS),
        CONTENT: page_content(),
        FORM: b"<< /Fields [" + WIDGETS + b"] /DR << /Font << /F1 3 0 R >> >> /DA (/F1 10 Tf 0 g) >>",
        LEADER: _widget(b"Sig", b"Leader", (160, 4, 230, 34), b""),
        NUMBER: _widget(b"Tx", b"so", number_box, b"/DA (/F1 10 Tf 0 g)"),
        SUM: _widget(b"Tx", b"tien", sum_box, b"/V (500) /DA (/F1 10 Tf 0 g) /AP << /N 10 0 R >>"),
        SUM_LOOK: look(sum_box, "BT /F1 10 Tf 2 4 Td (500) Tj ET"),
        TICK: _widget(b"Btn", b"dong y", (160, 44, 172, 56), b"/AS /Off /AP << /N << /Yes 12 0 R >> >>"),
        TICK_ON: look((0, 0, 12, 12), "0 0 0 RG 2 2 m 10 10 l S"),
        LAST_PAGE: page(LAST_PAGE + 1),
        LAST_PAGE + 1: page_content(("Noi nhan: nhu tren",)),
    }
    return assemble(objects | dict(changed or {}))


LEADER_SIGNS = SignAs(
    "Leader",
    box=(160, 4, 230, 34),
    style=drawing("0 0 0.7 RG 5 5 m 65 25 l S", (160, 4, 230, 34)),
    existing=True,
    room=3000,
)


@dataclass(frozen=True)
class Scene:
    """Who signs, and the documents signed so far: each is made once."""

    leader: Holder = field(repr=False)
    body: Holder = field(repr=False)
    _made: dict[object, bytes] = field(default_factory=dict, repr=False)

    def signed(self, certify: MDPPerm | None = None) -> bytes:
        """The small document with the leader's signature: an approval, or a certification with this permission."""
        return self.once(
            ("signed", certify), lambda: sign(small_document(), self.leader, replace(LEADER_SIGNS, certify=certify))
        )

    def signs(self, name: str, document: Callable[[], bytes], how: SignAs = LEADER_SIGNS) -> bytes:
        """Another document with the leader's signature, made once under its name."""
        return self.once(name, lambda: sign(document(), self.leader, how))

    def once(self, name: object, make: Callable[[], bytes]) -> bytes:
        """What `make` gives, kept under its name."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def signed_by_body(self, document: bytes, how: SignAs) -> bytes:
        """The document with a later signature; the attacker's own, whoever that is."""
        return sign(document, self.body, how)


@dataclass(frozen=True)
class Attack:
    """One file made to deceive, and what the first signature must be said to be.

    `reason` is the kind of change that must be listed, or the code of the fault. `control` makes the honest file that
    is nearest to it, whose first signature is intact.
    """

    name: str
    make: Callable[[Scene], bytes]
    expected: Integrity
    reason: ChangeKind | str
    control: Callable[[Scene], bytes] = Scene.signed


class Xref(StrEnum):
    """How an increment tells where its objects are."""

    TABLE = "table"
    STREAM = "stream"
    HYBRID = "hybrid"


def append(
    document: bytes,
    objects: Mapping[int, bytes | None],
    *,
    root: bytes = b"1 0 R",
    xref: Xref = Xref.TABLE,
    more: bytes = b"",
    places: Mapping[int, int] | None = None,
) -> bytes:
    """The document with an increment. An object that is None is freed; `places` points numbers at bytes in the file.

    `more` are further entries of the trailer.
    """
    out = bytearray(document)
    if not out.endswith(b"\n"):
        out += b"\n"
    where: dict[int, int | None] = dict(places or {})
    for number, value in objects.items():
        if value is None:
            where[number] = None
            continue
        where[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, value)
    previous = int(document.rsplit(b"startxref", 1)[1].split()[0])
    size = max(int(document.rsplit(b"/Size ", 1)[1].split()[0]), *where, SPARE * 2) + 2
    entries = b"/Size %d /Root %b /Prev %d %b" % (size, root, previous, more)
    start = len(out)
    if xref is Xref.TABLE:
        out += _table(where) + b"trailer\n<< %b >>\n" % entries
    elif xref is Xref.STREAM:
        where[size - 1] = start
        out += _xref_stream(size - 1, where, entries)
    else:
        out += _xref_stream(size - 1, where, b"/Size %d /Root %b" % (size, root))
        start, beside = len(out), start
        out += _table({size - 1: beside}) + b"trailer\n<< %b /XRefStm %d >>\n" % (entries, beside)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def _table(where: Mapping[int, int | None]) -> bytes:
    lines = [b"xref\n0 1\n0000000000 65535 f \n"]
    for number in sorted(where):
        place = where[number]
        lines.append(b"%d 1\n" % number + (b"0000000000 00001 f \n" if place is None else b"%010d 00000 n \n" % place))
    return b"".join(lines)


def _xref_stream(number: int, where: Mapping[int, int | None], entries: bytes) -> bytes:
    rows = b"".join(
        b"\0\0\0\0\1" if place is None else b"\1" + place.to_bytes(3, "big") + b"\0"
        for _, place in sorted(where.items())
    )
    index = b" ".join(b"%d 1" % one for one in sorted(where))
    return b"%d 0 obj\n%b\nendobj\n" % (
        number,
        stream(rows, b"/Type /XRef /W [1 3 1] /Index [%b] %b" % (index, entries)),
    )


def body(document: bytes, number: int) -> bytes:
    """The latest body of an object that stands for itself."""
    found = re.findall(rb"(?<!\d)%d 0 obj\s(.*?)\sendobj" % number, document, re.DOTALL)
    assert found, number
    value: bytes = found[-1]
    return value


def swap(value: bytes, old: bytes, new: bytes) -> bytes:
    """`value` with `old` replaced; it must be there."""
    assert old in value, (old, value)
    return value.replace(old, new)


def with_entry(value: bytes, entry: bytes) -> bytes:
    """A dictionary's body with one more entry at its beginning."""
    return swap(value[:2], b"<<", b"<< " + entry) + value[2:]


def signature_number(document: bytes) -> int:
    """The number of the leader's signature dictionary."""
    found = re.search(rb"/V (\d+) 0 R", body(document, LEADER))
    assert found
    return int(found.group(1))
