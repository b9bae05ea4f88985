"""Shadow attacks (Mainka, Mladenov, Rohlmann, "Shadow Attacks", NDSS 2021).

The document is prepared before it is signed: something lies over what shall be seen later (hide), looks other than it
is (replace), or a second content waits in the signed bytes for a cross-reference to it (hide and replace).
"""

from signer_app.verification.model import ChangeKind, Integrity
from tests.verification.attacks.base import (
    CATALOG,
    CONTENT,
    FONT,
    FORGED,
    NUMBER,
    PAGE,
    PAGES,
    SUM,
    SUM_LOOK,
    TEXT,
    WIDGETS,
    Attack,
    Scene,
    Xref,
    append,
    body,
    look,
    page,
    page_content,
    rect,
    small_document,
    swap,
    with_entry,
)

_COVER = "1 g 0 0 142 16 re f 0 g BT /F1 12 Tf 2 4 Td (Chi 1.250 dong) Tj ET"
_SUM_BOX = (160, 64, 230, 80)


# Hide: an overlay is taken off


def _with_overlay_object() -> bytes:
    content = page_content(after="q 1 0 0 1 8 66 cm /X1 Do Q\n")
    return small_document(
        {PAGE: page(CONTENT, WIDGETS, b"/XObject << /X1 15 0 R >>"), CONTENT: content, 15: look(TEXT, _COVER)}
    )


def _with_overlay_annotation() -> bytes:
    note = b"<< /Type /Annot /Subtype /Stamp /F 4 /Rect %b /AP << /N 16 0 R >> >>" % rect(TEXT)
    return small_document({PAGE: page(CONTENT, WIDGETS + b" 15 0 R"), 15: note, 16: look(TEXT, _COVER)})


def _overlay_object(scene: Scene) -> bytes:
    return scene.signs("overlay object", _with_overlay_object)


def _overlay_annotation(scene: Scene) -> bytes:
    return scene.signs("overlay annotation", _with_overlay_annotation)


def _annotation_off(scene: Scene) -> bytes:
    signed = _overlay_annotation(scene)
    return append(signed, {PAGE: swap(body(signed, PAGE), b"15 0 R", b"")})


# Replace: what lies over is other than what is in


def _redrawn(scene: Scene) -> bytes:
    signed = scene.signed()
    return append(signed, {SUM_LOOK: look(_SUM_BOX, "BT /F1 10 Tf 2 4 Td (900) Tj ET")})


def _look_off(scene: Scene) -> bytes:
    signed = scene.signed()
    return append(signed, {SUM: swap(body(signed, SUM), b"/AP << /N 10 0 R >>", b"")})


def _font_of_field(scene: Scene) -> bytes:
    """A font that only the form uses is drawn otherwise: the page's own is another one."""
    signed = scene.signs("own font", _with_own_font)
    return append(signed, {15: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"})


def _with_own_font() -> bytes:
    return small_document(
        {
            SUM_LOOK: swap(look(_SUM_BOX, "BT /F1 10 Tf 2 4 Td (500) Tj ET"), b"3 0 R", b"15 0 R"),
            15: b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
        }
    )


def _filled_otherwise(scene: Scene) -> bytes:
    """What the field says is not what it shows; nobody signs it."""
    signed = scene.signed()
    field = with_entry(body(signed, NUMBER), b"/V (12) /AP << /N 100 0 R >> ")
    return append(signed, {NUMBER: field, 100: look((160, 90, 230, 106), "BT /F1 10 Tf 2 4 Td (99) Tj ET")})


# Hide and replace: the other content was signed along and waits


def _with_second_set() -> bytes:
    return small_document(
        {
            15: b"<< /Type /Catalog /Pages 16 0 R /AcroForm 6 0 R >>",
            16: b"<< /Type /Pages /Kids [17 0 R 13 0 R] /Count 2 >>",
            17: page(18, WIDGETS, parent=16),
            18: FORGED,
        }
    )


def _second_set(scene: Scene) -> bytes:
    return scene.signs("second set", _with_second_set)


def _with_second_body() -> bytes:
    """Another object 5 lies in the signed file, where no cross-reference leads yet."""
    honest = small_document()
    hidden = b"%d 0 obj\n%b\nendobj\n" % (CONTENT, FORGED)
    start = honest.rindex(b"xref\n0")
    head, tail = honest[:start], honest[start:]
    return head + hidden + swap(tail, b"startxref\n%d" % start, b"startxref\n%d" % (start + len(hidden)))


def _second_body(scene: Scene) -> bytes:
    return scene.signs("second body", _with_second_body)


def _repointed(xref: Xref) -> Attack:
    def make(scene: Scene) -> bytes:
        signed = _second_body(scene)
        place = signed.index(b"5 0 obj\n" + FORGED)
        return append(signed, {}, places={CONTENT: place}, xref=xref)

    return Attack(
        f"shadow, hide and replace: cross-reference to a second body, {xref}",
        make,
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
        _second_body,
    )


ATTACKS = (
    Attack(
        "shadow, hide: overlay freed",
        lambda scene: append(_overlay_object(scene), {15: None}),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
        _overlay_object,
    ),
    Attack(
        "shadow, hide: overlay is something else now",
        lambda scene: append(_overlay_object(scene), {15: b"<< /Type /XObject /Subtype /PS >>"}),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
        _overlay_object,
    ),
    Attack(
        "shadow, hide: a stamp that lay over the sum is taken off",
        _annotation_off,
        Integrity.CHANGED,
        ChangeKind.ANNOTATION_REMOVED,
        _overlay_annotation,
    ),
    Attack("shadow, replace: a field drawn otherwise", _redrawn, Integrity.CHANGED, ChangeKind.FIELD_CHANGED),
    Attack("shadow, replace: a field's look taken off", _look_off, Integrity.CHANGED, ChangeKind.FIELD_CHANGED),
    Attack(
        "shadow, replace: the page's font redefined",
        lambda scene: append(scene.signed(), {FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"}),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
    ),
    Attack(
        "shadow, replace: a field's font redefined",
        _font_of_field,
        Integrity.CHANGED,
        ChangeKind.FIELD_CHANGED,
        lambda scene: scene.signs("own font", _with_own_font),
    ),
    Attack(
        "shadow, replace: filled with one thing, showing another",
        _filled_otherwise,
        Integrity.CHANGED,
        ChangeKind.FIELD_FILLED,
    ),
    Attack(
        "shadow, hide and replace: the other catalog, by trailer alone",
        lambda scene: append(_second_set(scene), {}, root=b"15 0 R"),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
        _second_set,
    ),
    Attack(
        "shadow, hide and replace: the other tree of pages",
        lambda scene: append(
            _second_set(scene), {CATALOG: swap(body(_second_set(scene), CATALOG), b"/Pages 2 0 R", b"/Pages 16 0 R")}
        ),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
        _second_set,
    ),
    Attack(
        "shadow, hide and replace: the tree's number leads to the other tree",
        lambda scene: append(_second_set(scene), {PAGES: body(_second_set(scene), 16)}),
        Integrity.BROKEN,
        ChangeKind.PAGE_CONTENT,
        _second_set,
    ),
    *(_repointed(xref) for xref in Xref),
)
