"""Changes to the form after a signature: values, looks, places, locks, and forms of another make (XFA).

Not one published attack but the ground that several stand on: which part of a form an increment may touch is said by
DocMDP, FieldMDP and the fields' own locks (ISO 32000-2, 12.8.2), and everything else is forbidden.
"""

from collections.abc import Callable
from dataclasses import replace

from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm

from signer_app.verification.model import ChangeKind, Integrity
from tests.verification.attacks.base import (
    FORM,
    LAST_PAGE,
    LEADER,
    LEADER_SIGNS,
    NUMBER,
    PAGE,
    SUM,
    SUM_LOOK,
    TICK,
    Attack,
    Scene,
    append,
    body,
    look,
    small_document,
    swap,
    with_entry,
)
from tests.verification.documents import SignAs

_NUMBER_BOX = (160, 90, 230, 106)
_HOW_FILLED = b"/V (12) /AP << /N 100 0 R >> "


def filled(signed: bytes) -> bytes:
    """The empty field is filled and shows it."""
    field = with_entry(body(signed, NUMBER), _HOW_FILLED)
    return append(signed, {NUMBER: field, 100: look(_NUMBER_BOX, "BT /F1 10 Tf 2 4 Td (12) Tj ET")})


def _edited(number: int, old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: append(signed, {number: swap(body(signed, number), old, new)})


def _entry(number: int, entry: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: append(signed, {number: with_entry(body(signed, number), entry)})


def _on(change: Callable[[bytes], bytes], certify: MDPPerm | None = None) -> Callable[[Scene], bytes]:
    return lambda scene: change(scene.signed(certify))


def _other_value(signed: bytes) -> bytes:
    field = swap(body(signed, SUM), b"(500)", b"(900)")
    return append(signed, {SUM: field, SUM_LOOK: look((160, 64, 230, 80), "BT /F1 10 Tf 2 4 Td (900) Tj ET")})


def _field_over_text() -> bytes:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (so) /F 4 /P 4 0 R /Rect [8 66 150 82] /DA (/F1 10 Tf 0 g) >>"
    return small_document({NUMBER: field})


def _moved_elsewhere(signed: bytes) -> bytes:
    """A filled field's widget is listed on the last page and no more on the first."""
    page = swap(body(signed, PAGE), b"9 0 R", b"")
    last = with_entry(body(signed, LAST_PAGE), b"/Annots [9 0 R] ")
    return append(signed, {PAGE: page, LAST_PAGE: last})


def _removed(signed: bytes) -> bytes:
    page, form = swap(body(signed, PAGE), b"9 0 R", b""), swap(body(signed, FORM), b"9 0 R", b"")
    return append(signed, {PAGE: page, FORM: form})


def _added(signed: bytes) -> bytes:
    page = swap(body(signed, PAGE), b"/Annots [", b"/Annots [ 100 0 R ")
    form = swap(body(signed, FORM), b"/Fields [", b"/Fields [ 100 0 R ")
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (moi) /V (1) /F 4 /P 4 0 R /Rect [90 4 150 34] >>"
    return append(signed, {PAGE: page, FORM: form, 100: field})


def _stray_widget(signed: bytes) -> bytes:
    """A widget that belongs to no field: viewers draw it all the same."""
    page = swap(body(signed, PAGE), b"/Annots [", b"/Annots [ 100 0 R ")
    widget = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (moi) /V (1) /F 4 /Rect [90 4 150 34] /AP << /N 101 0 R >> >>"
    )
    return append(signed, {PAGE: page, 100: widget, 101: look((90, 4, 150, 34), "0 0 1 rg 0 0 60 30 re f")})


# Locks


def _locked(action: FieldMDPAction, *names: str) -> SignAs:
    """The leader's signature with a FieldMDP; his field is made anew, for a lock belongs to the field."""
    return replace(LEADER_SIGNS, field="Khoa", existing=False, lock=FieldMDPSpec(action, list(names) or None))


def _lock(name: str, how: SignAs, change: Callable[[bytes], bytes], expected: Integrity, reason: ChangeKind) -> Attack:
    def control(scene: Scene) -> bytes:
        return scene.signs(f"locked: {how.lock}", _without_leader, how)

    return Attack(f"lock: {name}", lambda scene: change(control(scene)), expected, reason, control)


def _without_leader() -> bytes:
    """The small document with a text field where the leader's was."""
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (ghi chu) /F 4 /P 4 0 R /Rect [90 36 150 50] >>"
    return small_document({LEADER: field})


def _lock_of_all() -> bytes:
    """The leader's own field forbids everything after him, though his signature is a plain approval."""
    document = small_document()
    lock = b"/Lock << /Type /SigFieldLock /Action /Include /Fields [(tien)] /P 1 >> "
    return small_document({LEADER: with_entry(body(document, LEADER), lock)})


def _all_locked(scene: Scene) -> bytes:
    return scene.signs("lock of all", _lock_of_all)


def _body_signs_over(change: Callable[[bytes], bytes]) -> Callable[[Scene], bytes]:
    """The change is covered by a later signature, which makes no forbidden thing better."""
    return lambda scene: scene.signed_by_body(change(scene.signed()), SignAs("Body", room=3000))


def _filled_for_paper(signed: bytes) -> bytes:
    """The filled field shows on paper only, and covers the text there."""
    field = swap(with_entry(body(signed, NUMBER), _HOW_FILLED), b"/F 4", b"/F 36")
    return append(signed, {NUMBER: field, 100: look((8, 66, 150, 82), "1 g 0 0 142 16 re f")})


def _paper(scene: Scene) -> bytes:
    return scene.signed_by_body(_filled_for_paper(_over_text(scene)), SignAs("Body", room=3000))


def _under_the_mouse(signed: bytes) -> bytes:
    """The filled field has a second look, which covers the text when somebody points at it."""
    looks = b"/V (12) /AP << /N 100 0 R /R 101 0 R >> "
    honest, other = look(_NUMBER_BOX, "BT /F1 10 Tf 2 4 Td (12) Tj ET"), look(_NUMBER_BOX, "1 g 0 0 70 16 re f")
    return append(signed, {NUMBER: with_entry(body(signed, NUMBER), looks), 100: honest, 101: other})


def _over_text(scene: Scene) -> bytes:
    return scene.signs("field over text", _field_over_text)


_BROKEN, _CHANGED = Integrity.BROKEN, Integrity.CHANGED

ATTACKS = (
    Attack("form: filled and nobody signed it", _on(filled), _CHANGED, ChangeKind.FIELD_FILLED),
    Attack("form: filled, P1", _on(filled, MDPPerm.NO_CHANGES), _BROKEN, ChangeKind.FIELD_FILLED),
    Attack("form: another value with its look", _on(_other_value), _CHANGED, ChangeKind.FIELD_CHANGED),
    Attack("form: another value, P1", _on(_other_value, MDPPerm.NO_CHANGES), _BROKEN, ChangeKind.FIELD_CHANGED),
    Attack(
        "form: another value, covered by a later signature",
        _body_signs_over(_other_value),
        _CHANGED,
        ChangeKind.FIELD_CHANGED,
    ),
    Attack(
        "form: another value and the old look",
        _on(_edited(SUM, b"(500)", b"(900)")),
        _CHANGED,
        ChangeKind.FIELD_CHANGED,
    ),
    Attack("form: emptied", _on(_edited(SUM, b"(500)", b"()")), _CHANGED, ChangeKind.FIELD_CHANGED),
    Attack("form: box ticked", _on(_edited(TICK, b"/AS /Off", b"/V /Yes /AS /Yes")), _CHANGED, ChangeKind.FIELD_FILLED),
    Attack(
        "form: a filled field hides the text",
        lambda scene: append(
            _over_text(scene),
            {
                NUMBER: with_entry(body(_over_text(scene), NUMBER), _HOW_FILLED),
                100: look((8, 66, 150, 82), "1 g 0 0 142 16 re f"),
            },
        ),
        _BROKEN,
        ChangeKind.INK_COVERED,
        _over_text,
    ),
    Attack("form: a filled field hides the text on paper", _paper, _CHANGED, ChangeKind.FIELD_FILLED, _over_text),
    Attack(
        "form: a filled field shows something else under the mouse",
        _body_signs_over(_under_the_mouse),
        _CHANGED,
        ChangeKind.FIELD_FILLED,
        lambda scene: scene.once("filled and signed", lambda: _body_signs_over(filled)(scene)),
    ),
    Attack(
        "form: widget moved", _on(_edited(SUM, b"160 64 230 80", b"8 66 150 82")), _BROKEN, ChangeKind.FIELD_ALTERED
    ),
    Attack(
        "form: widget made larger",
        _on(_edited(SUM, b"160 64 230 80", b"100 60 230 80")),
        _BROKEN,
        ChangeKind.FIELD_ALTERED,
    ),
    Attack("form: widget hidden", _on(_edited(SUM, b"/F 4", b"/F 6")), _CHANGED, ChangeKind.FIELD_CHANGED),
    Attack("form: widget taken off its page", _on(_edited(PAGE, b"9 0 R", b"")), _BROKEN, ChangeKind.FIELD_ALTERED),
    Attack("form: widget put on another page", _on(_moved_elsewhere), _BROKEN, ChangeKind.FIELD_ALTERED),
    Attack(
        "form: signature's widget taken off its page",
        _on(_edited(PAGE, b"7 0 R", b"")),
        _BROKEN,
        ChangeKind.SIGNATURE_ALTERED,
    ),
    Attack("form: signature's widget moved", _on(_edited(LEADER, b"160", b"100")), _BROKEN, ChangeKind.FIELD_ALTERED),
    Attack(
        "form: signature's widget hidden", _on(_edited(LEADER, b"/F 4", b"/F 6")), _BROKEN, ChangeKind.SIGNATURE_ALTERED
    ),
    Attack("form: renamed", _on(_edited(SUM, b"(tien)", b"(nam)")), _BROKEN, ChangeKind.FIELD_REMOVED),
    Attack("form: made a password", _on(_entry(SUM, b"/Ff 8192 ")), _CHANGED, ChangeKind.FIELD_CHANGED),
    Attack("form: other words for the mouse", _on(_entry(SUM, b"/TU (khac) ")), _BROKEN, ChangeKind.FIELD_ALTERED),
    Attack(
        "form: field with a script",
        _on(_entry(SUM, b"/AA << /F << /S /JavaScript /JS (1) >> >> ")),
        _BROKEN,
        ChangeKind.FIELD_ALTERED,
    ),
    Attack("form: field removed", _on(_removed), _BROKEN, ChangeKind.FIELD_REMOVED),
    Attack("form: field added", _on(_added), _BROKEN, ChangeKind.FIELD_ADDED),
    Attack(
        "form: field added, covered by a later signature", _body_signs_over(_added), _BROKEN, ChangeKind.FIELD_ADDED
    ),
    Attack("form: widget without a field", _on(_stray_widget), _BROKEN, ChangeKind.FIELD_ADDED),
    Attack(
        "form: viewers told to draw it anew",
        _on(_entry(FORM, b"/NeedAppearances true ")),
        _CHANGED,
        ChangeKind.FORM_SETTINGS,
    ),
    Attack(
        "form: other order of calculation", _on(_entry(FORM, b"/CO [9 0 R] ")), _BROKEN, ChangeKind.DOCUMENT_SETTINGS
    ),
    Attack("form: XFA added", _on(_entry(FORM, b"/XFA (<xdp/>) ")), _BROKEN, ChangeKind.DOCUMENT_SETTINGS),
    _lock("all fields", _locked(FieldMDPAction.ALL), filled, _BROKEN, ChangeKind.FIELD_FILLED),
    _lock("the field", _locked(FieldMDPAction.INCLUDE, "so"), filled, _BROKEN, ChangeKind.FIELD_FILLED),
    _lock("all but another", _locked(FieldMDPAction.EXCLUDE, "tien"), filled, _BROKEN, ChangeKind.FIELD_FILLED),
    _lock("another field", _locked(FieldMDPAction.INCLUDE, "tien"), filled, _CHANGED, ChangeKind.FIELD_FILLED),
    _lock("all but the field", _locked(FieldMDPAction.EXCLUDE, "so"), filled, _CHANGED, ChangeKind.FIELD_FILLED),
    Attack(
        "lock: nothing may follow, a field is filled",
        lambda scene: filled(_all_locked(scene)),
        _BROKEN,
        ChangeKind.FIELD_FILLED,
        _all_locked,
    ),
)
