"""What an object belongs to, told anew: a page under another node, a field that is a copy, a widget of another parent.

Viewers follow these links in ways of their own: PDFium looks for what a page inherits from its /Parent, whichever node
lists it, and draws every widget that a page lists, whichever field it once was. None of it is a published attack by
itself; each makes room for one. Buttons and form settings stand here as well: they name looks that show only at times.
"""

from collections.abc import Callable

from signer_app.verification.model import ChangeKind, Integrity
from tests.verification.attacks.base import (
    CONTENT,
    FORM,
    LAST_PAGE,
    PAGE,
    PAGES,
    SPARE,
    SUM,
    TICK,
    WIDGETS,
    Attack,
    Scene,
    append,
    body,
    look,
    page,
    small_document,
    swap,
    with_entry,
)
from tests.verification.documents import SignAs

_SUM_BOX = (160, 64, 230, 80)
_TICK_BOX = (160, 44, 172, 56)
_OTHER_DIGITS = (
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
    b"/Encoding << /Type /Encoding /Differences [49 /nine 53 /nine] >> >>"
)


def _alone(change: Callable[[bytes], bytes], signed: Callable[[Scene], bytes]) -> Callable[[Scene], bytes]:
    return lambda scene: change(signed(scene))


def _signed_over(change: Callable[[bytes], bytes], signed: Callable[[Scene], bytes]) -> Callable[[Scene], bytes]:
    return lambda scene: scene.signed_by_body(change(signed(scene)), SignAs("Body", page=1, room=3000))


# Pages under another node


def _inheriting() -> bytes:
    """The first page has its font from the node above it."""
    first = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 240 120] /Contents %d 0 R /Annots [" % CONTENT + WIDGETS + b"] >>"
    )
    node = b"<< /Type /Pages /Kids [4 0 R 13 0 R] /Count 2 /Resources << /Font << /F1 3 0 R >> >> >>"
    return small_document({PAGES: node, PAGE: first})


def _inherits(scene: Scene) -> bytes:
    return scene.signs("inheriting page", _inheriting)


def _other_parent(signed: bytes) -> dict[int, bytes]:
    node = b"<< /Type /Pages /Kids [4 0 R] /Count 1 /Parent 2 0 R /Resources << /Font << /F1 101 0 R >> >> >>"
    return {PAGE: swap(body(signed, PAGE), b"/Parent 2 0 R", b"/Parent 100 0 R"), SPARE: node, SPARE + 1: _OTHER_DIGITS}


def _page_moved(signed: bytes) -> bytes:
    return append(signed, _other_parent(signed))


def _page_moved_beside_a_note(signed: bytes) -> bytes:
    note = b"<< /Type /Annot /Subtype /Text /Rect [200 10 215 25] /Contents (x) >>"
    last = swap(body(signed, LAST_PAGE), b"/Annots [", b"/Annots [102 0 R ")
    return append(signed, {**_other_parent(signed), LAST_PAGE: last, SPARE + 2: note})


def _tree_hung_up(signed: bytes) -> bytes:
    """The root of the page tree gets a node above it, with another font for all."""
    node = b"<< /Type /Pages /Kids [2 0 R] /Count 2 /Resources << /Font << /F1 101 0 R >> >> >>"
    return append(
        signed, {PAGES: with_entry(body(signed, PAGES), b"/Parent 100 0 R "), SPARE: node, SPARE + 1: _OTHER_DIGITS}
    )


# Fields that are copies


def _copied(signed: bytes) -> bytes:
    """The form names a copy of the field; the old widget stays on the page, and shows something else."""
    old = swap(body(signed, SUM), b"/N 10 0 R", b"/N 101 0 R")
    form = swap(body(signed, FORM), b"9 0 R", b"100 0 R")
    forged = look(_SUM_BOX, "1 g 0 0 70 16 re f 0 g BT /F1 10 Tf 2 4 Td (900) Tj ET")
    return append(signed, {FORM: form, SPARE: body(signed, SUM), SUM: old, SPARE + 1: forged})


def _copied_for_the_mouse(signed: bytes) -> bytes:
    """As above, but the old widget shows the other sum only to who points at it: no picture tells."""
    old = swap(body(signed, SUM), b"/N 10 0 R", b"/N 10 0 R /R 101 0 R")
    form = swap(body(signed, FORM), b"9 0 R", b"100 0 R")
    return append(
        signed, {FORM: form, SPARE: body(signed, SUM), SUM: old, SPARE + 1: look(_SUM_BOX, "1 g 0 0 70 16 re f")}
    )


def _with_kid() -> bytes:
    kid = b"<< /Type /Annot /Subtype /Widget /Parent 9 0 R /F 4 /P 4 0 R /Rect [160 64 230 80] /AP << /N 10 0 R >> >>"
    field = b"<< /FT /Tx /T (tien) /V (500) /DA (/F1 10 Tf 0 g) /Kids [15 0 R] >>"
    return small_document({SUM: field, 15: kid, PAGE: page(CONTENT, b"7 0 R 8 0 R 15 0 R 11 0 R")})


def _has_kid(scene: Scene) -> bytes:
    return scene.signs("field above its widget", _with_kid)


def _other_field_above(signed: bytes) -> bytes:
    """The widget names a field that the form doesn't list, with another value."""
    kid = swap(body(signed, 15), b"/Parent 9 0 R", b"/Parent 100 0 R")
    return append(signed, {15: kid, SPARE: swap(body(signed, SUM), b"(500)", b"(900)")})


# Looks of buttons, and looks that viewers make up


def _ticked(looks: bytes, more: dict[int, bytes]) -> Callable[[bytes], bytes]:
    def change(signed: bytes) -> bytes:
        old = b"/AS /Off /AP << /N << /Yes 12 0 R >> >>"
        return append(signed, {TICK: swap(body(signed, TICK), old, b"/V /Yes /AS /Yes /AP << %b >>" % looks), **more})

    return change


_COVER = {SPARE: look(_TICK_BOX, "1 g 0 0 12 12 re f")}
_HONESTLY_TICKED = _ticked(b"/N << /Yes 12 0 R >>", {})
_IN_A_LAYER = _COVER[SPARE].replace(b"/Subtype /Form", b"/Subtype /Form /OC << /Type /OCG /Name (x) >>")


def _button(name: str, looks: bytes, more: dict[int, bytes]) -> Attack:
    make, control = _signed_over(_ticked(looks, more), Scene.signed), _signed_over(_HONESTLY_TICKED, Scene.signed)
    return Attack(
        f"buttons: {name}",
        make,
        Integrity.CHANGED,
        ChangeKind.FIELD_FILLED,
        lambda scene: scene.once("ticked and signed", lambda: control(scene)),
    )


def _without_look(font: bytes, form: bytes) -> Callable[[], bytes]:
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (tien) /F 4 /P 4 0 R /Rect [160 64 230 80] /V (500.000) %b >>"
        % font
    )
    return lambda: small_document({SUM: field, FORM: b"<< /Fields [" + WIDGETS + b"] %b >>" % form})


def _settings(name: str, document: Callable[[], bytes], entry: bytes) -> Attack:
    def control(scene: Scene) -> bytes:
        return scene.signs(f"settings: {name}", document)

    def change(signed: bytes) -> bytes:
        return append(signed, {FORM: with_entry(body(signed, FORM), entry), SPARE: _OTHER_DIGITS})

    return Attack(
        f"settings: {name}", _signed_over(change, control), Integrity.CHANGED, ChangeKind.FORM_SETTINGS, control
    )


_BROKEN, _CONTENT, _FIELD = Integrity.BROKEN, ChangeKind.PAGE_CONTENT, ChangeKind.FIELD_ALTERED

ATTACKS = (
    Attack("parents: page under another node", _alone(_page_moved, _inherits), _BROKEN, _CONTENT, _inherits),
    Attack("parents: page, signed over", _signed_over(_page_moved, _inherits), _BROKEN, _CONTENT, _inherits),
    Attack("parents: page, and a note", _alone(_page_moved_beside_a_note, _inherits), _BROKEN, _CONTENT, _inherits),
    Attack("parents: tree", _signed_over(_tree_hung_up, _inherits), _BROKEN, ChangeKind.PAGE_TREE, _inherits),
    Attack("copies: field", _alone(_copied, Scene.signed), _BROKEN, _FIELD),
    Attack("copies: field, for the mouse", _signed_over(_copied_for_the_mouse, Scene.signed), _BROKEN, _FIELD),
    Attack("copies: field above a widget", _signed_over(_other_field_above, _has_kid), _BROKEN, _FIELD, _has_kid),
    _button("shows something else under the mouse", b"/N << /Yes 12 0 R >> /R << /Yes 100 0 R >>", _COVER),
    _button("shows something else when pressed", b"/N << /Yes 12 0 R >> /D << /Yes 100 0 R >>", _COVER),
    _button("shows something else when off again", b"/N << /Yes 12 0 R /Off 100 0 R >>", _COVER),
    _button("shows in a layer", b"/N << /Yes 100 0 R >>", {SPARE: _IN_A_LAYER}),
    _settings(
        "font",
        _without_look(b"/DA (/Fx 10 Tf 0 g)", b"/DA (/F1 10 Tf 0 g)"),
        b"/DR << /Font << /Fx 100 0 R >> >> ",
    ),
    _settings("way to draw", _without_look(b"", b"/DR << /Font << /F1 3 0 R >> >>"), b"/DA (/F1 10 Tf 1 g) "),
)
