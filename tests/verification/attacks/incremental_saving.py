"""ISA, incremental saving attacks, and SWA, signature wrapping (Mladenov et al., "1 Trillion Dollar Refund", CCS 2019).

ISA appends to the signed file: a proper increment, or one whose cross-references or trailer are missing, so that some
viewers mend the file in their own way. SWA moves what the second signed range covers, and puts its own objects between.
"""

import re

from signer_app.verification.model import ChangeKind, Integrity
from tests.verification.attacks.base import (
    CATALOG,
    CONTENT,
    FONT,
    FORGED,
    FORM,
    PAGE,
    PAGES,
    SPARE,
    Attack,
    Scene,
    Xref,
    append,
    body,
    signature_number,
    stream,
    swap,
)


def _content(xref: Xref) -> Attack:
    return Attack(
        f"ISA: other content of a page, {xref}",
        lambda scene: append(scene.signed(), {CONTENT: FORGED}, xref=xref),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
    )


def _page(xref: Xref) -> Attack:
    def make(scene: Scene) -> bytes:
        signed = scene.signed()
        page = swap(body(signed, PAGE), b"/Contents %d 0 R" % CONTENT, b"/Contents %d 0 R" % SPARE)
        return append(signed, {PAGE: page, SPARE: FORGED}, xref=xref)

    return Attack(f"ISA: page led to other content, {xref}", make, Integrity.BROKEN, ChangeKind.PAGE_CONTENT)


def _root(xref: Xref) -> Attack:
    def make(scene: Scene) -> bytes:
        signed = scene.signed()
        objects = {
            SPARE: swap(body(signed, CATALOG), b"/Pages 2 0 R", b"/Pages %d 0 R" % (SPARE + 1)),
            SPARE + 1: swap(body(signed, PAGES), b"4 0 R", b"%d 0 R" % (SPARE + 2)),
            SPARE + 2: swap(body(signed, PAGE), b"/Contents 5 0 R", b"/Contents %d 0 R" % (SPARE + 3)),
            SPARE + 3: FORGED,
        }
        return append(signed, objects, root=b"%d 0 R" % SPARE, xref=xref)

    return Attack(f"ISA: another catalog, {xref}", make, Integrity.BROKEN, ChangeKind.PAGE_CONTENT)


def _signature_too(scene: Scene) -> bytes:
    signed = scene.signed()
    number = signature_number(signed)
    return append(signed, {CONTENT: FORGED, number: body(signed, number)})


def _packed(scene: Scene) -> bytes:
    """The other page stands in an object stream, which only a cross-reference stream can tell of."""
    signed = scene.signed()
    page = swap(body(signed, PAGE), b"/Contents 5 0 R", b"/Contents %d 0 R" % SPARE)
    head = b"%d 0 " % PAGE
    packed = stream(head + page, b"/Type /ObjStm /N 1 /First %d" % len(head))
    start = len(signed) + (0 if signed.endswith(b"\n") else 1)
    loose = append(signed, {SPARE: FORGED, SPARE + 1: packed}, xref=Xref.STREAM)
    row = b"\1" + (start).to_bytes(3, "big") + b"\0"
    assert row in loose
    # The row of the content gives up its place to two: it keeps its own, and the page's says "in the stream, first".
    longer = loose.replace(row, b"\2" + (SPARE + 1).to_bytes(3, "big") + b"\0" + row)
    longer = longer.replace(b"/Index [%d 1" % SPARE, b"/Index [%d 1 %d 1" % (PAGE, SPARE))
    return re.sub(
        rb"/Length (\d+)( >>\nstream\n\x02)", lambda m: b"/Length %d%b" % (int(m.group(1)) + 5, m.group(2)), longer
    )


_BODY_ONLY = b"%d 0 obj\n%b\nendobj\n" % (CONTENT, FORGED)


def _tail(name: str, tail: bytes) -> Attack:
    return Attack(
        f"ISA: {name}", lambda scene: scene.signed() + b"\n" + tail, Integrity.BROKEN, "verify_after_end", _blank_tail
    )


def _blank_tail(scene: Scene) -> bytes:
    return scene.signed() + b"\r\n \n"


def _old_startxref(scene: Scene) -> bytes:
    signed = scene.signed()
    old = signed.rsplit(b"startxref", 1)[1]
    return signed + b"\n" + _BODY_ONLY + b"startxref" + old


def _xref_without_trailer(scene: Scene) -> bytes:
    signed = scene.signed()
    start = len(signed) + len(_BODY_ONLY) + 1
    return (
        signed + b"\n" + _BODY_ONLY + b"xref\n5 1\n%010d 00000 n \nstartxref\n%d\n%%%%EOF\n" % (len(signed) + 1, start)
    )


# Wrapping


def _wrapped(name: str, pad: int, *, whole_gap: bool = False) -> Attack:
    """The end of the signed file moves back; a new cross-reference section lies where its startxref points.

    With `whole_gap` the new range says that nothing but the signature is left out, and so covers other bytes.
    """

    def make(scene: Scene) -> bytes:
        signed = scene.signed()
        number = signature_number(signed)
        found = re.search(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\] *", signed)
        assert found
        first, second, length = (int(n) for n in found.groups())
        startxref = int(signed.rsplit(b"startxref", 1)[1].split()[0])
        filler = b" " * (startxref - second + pad)
        at = second + len(filler)

        def middle(begin: int) -> bytes:
            shape = b"/ByteRange [0 %d %d %d]" % (first, begin, length)
            forged = body(signed, number).replace(found.group(), shape.ljust(60))
            return _section(at, signed[startxref:], {CONTENT: FORGED, number: forged})

        moved = second if whole_gap else at + len(middle(at))
        tail = signed[second:]
        if pad:
            tail = tail.replace(b"startxref\n%d" % startxref, b"startxref\n%d" % at)
        return signed[:second] + filler + middle(moved) + tail

    if whole_gap:
        # The signed bytes end in the middle of what was put between: no document by themselves.
        return Attack(f"SWA: second range moved, {name}", make, Integrity.UNREADABLE, "verify_damaged")
    return Attack(f"SWA: second range moved, {name}", make, Integrity.BROKEN, "verify_byte_range")


def _section(at: int, original: bytes, objects: dict[int, bytes]) -> bytes:
    """A cross-reference section at byte `at` with the entries of another but for these objects, which follow it."""
    entries: dict[int, bytes] = {}
    number = 0
    for line in original[: original.index(b"trailer")].splitlines()[1:]:
        if len(line.split()) == 2:
            number = int(line.split()[0])
            continue
        entries[number] = line.strip()
        number += 1
    bodies = b""
    for one, value in objects.items():
        entries[one] = b"%010d 00000 n" % (at + _SECTION + len(bodies))
        bodies += b"%d 0 obj\n%b\nendobj\n" % (one, value)
    lines = b"".join(b"%d 1\n%b \n" % entry for entry in sorted(entries.items()))
    trailer = original[original.index(b"trailer") : original.index(b"startxref")]
    section = b"xref\n" + lines + trailer
    assert len(section) < _SECTION
    return section.ljust(_SECTION) + bodies


_SECTION = 2048


ATTACKS = (
    *(_content(xref) for xref in Xref),
    *(_page(xref) for xref in Xref),
    *(_root(xref) for xref in Xref),
    Attack("ISA: page in an object stream", _packed, Integrity.BROKEN, ChangeKind.PAGE_CONTENT),
    Attack("ISA: with a copy of the signature", _signature_too, Integrity.BROKEN, ChangeKind.PAGE_CONTENT),
    Attack(
        "ISA: content freed",
        lambda scene: append(scene.signed(), {CONTENT: None}),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
    ),
    Attack(
        "ISA: font redefined",
        lambda scene: append(scene.signed(), {FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"}),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
    ),
    Attack(
        "ISA: form taken away",
        lambda scene: append(
            scene.signed(), {CATALOG: swap(body(scene.signed(), CATALOG), b"/AcroForm", b"/AcroFarm")}
        ),
        Integrity.UNREADABLE,
        "verify_signature_hidden",
    ),
    Attack(
        "ISA: fields taken away",
        lambda scene: append(scene.signed(), {FORM: swap(body(scene.signed(), FORM), b"/Fields", b"/Felder")}),
        Integrity.UNREADABLE,
        "verify_signature_hidden",
    ),
    Attack(
        "ISA: encrypted afterwards",
        lambda scene: append(scene.signed(), {SPARE: b"<< /Filter /Standard /V 1 /R 2 >>"}, more=b"/Encrypt 100 0 R"),
        Integrity.UNREADABLE,
        "verify_encrypted",
    ),
    _tail("objects without cross-references", _BODY_ONLY),
    _tail("objects and a trailer", _BODY_ONLY + b"trailer\n<< /Size 20 /Root 1 0 R >>\n%%EOF\n"),
    _tail("objects and a second end", _BODY_ONLY + b"%%EOF\n"),
    _tail("objects and a startxref into nothing", _BODY_ONLY + b"startxref\n0\n%%EOF\n"),
    _tail("a trailer alone", b"trailer\n<< /Size 20 /Root 100 0 R >>\n"),
    Attack("ISA: objects and the old startxref", _old_startxref, Integrity.BROKEN, "verify_after_end", _blank_tail),
    Attack(
        "ISA: cross-references without trailer",
        _xref_without_trailer,
        Integrity.UNREADABLE,
        "verify_damaged",
        _blank_tail,
    ),
    _wrapped("to the next free byte", 0),
    _wrapped("with padding", 512),
    _wrapped("and a range that does not say so", 0, whole_gap=True),
)
