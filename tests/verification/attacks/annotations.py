"""EAA, evil annotations, and SSA, sneaky signatures (Mainka et al., "Attacks on PDF Certification", S&P 2021).

On a certified document, or one with plain approvals, an annotation or a later signature's own picture is laid over what
was signed. Some show only on paper, or only under the mouse.
"""

from collections.abc import Callable
from dataclasses import replace

from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, append_signature_field

from signer_app.verification.model import ChangeKind, Integrity
from tests.verification.attacks.base import (
    BESIDE,
    BODY,
    FORM,
    PAGE,
    SPARE,
    TEXT,
    Attack,
    Scene,
    append,
    body,
    look,
    rect,
    swap,
)
from tests.verification.documents import Box, Preparation, SignAs, Writer, drawing, pdf

_PATCH = "1 g 0 0 142 16 re f 0 g BT /F1 12 Tf 2 4 Td (Chi 9.250) Tj ET"
_PERMISSIONS: tuple[tuple[str, MDPPerm | None], ...] = (
    ("P1", MDPPerm.NO_CHANGES),
    ("P2", MDPPerm.FILL_FORMS),
    ("P3", MDPPerm.ANNOTATE),
    ("approval", None),
)
_SUBTYPES = ("FreeText", "Stamp", "Redact", "Square", "Ink", "Popup", "Link", "Highlight")


def annotated(signed: bytes, subtype: str, box: Box, content: str, more: bytes = b"") -> bytes:
    """An increment with one annotation more on the first page."""
    note = b"<< /Type /Annot /Subtype /%b /F 4 /Rect %b /AP << /N %d 0 R >> %b >>" % (
        subtype.encode(),
        rect(box),
        SPARE + 1,
        more,
    )
    page = swap(body(signed, PAGE), b"/Annots [", b"/Annots [ %d 0 R " % SPARE)
    return append(signed, {PAGE: page, SPARE: note, SPARE + 1: look(box, content)})


def _evil(subtype: str, name: str, certify: MDPPerm | None) -> Attack:
    expected, reason = Integrity.BROKEN, ChangeKind.INK_COVERED
    if subtype == "Popup":
        # Viewers show the window of a note where and when they like; no picture tells what it covers.
        reason = ChangeKind.ANNOTATION_ADDED
        expected = Integrity.CHANGED if certify in {None, MDPPerm.ANNOTATE} else Integrity.BROKEN
    return Attack(
        f"EAA: {subtype} over the text, {name}",
        lambda scene: annotated(scene.signed(certify), subtype, TEXT, _PATCH),
        expected,
        reason,
        lambda scene: scene.signed(certify),
    )


def _beside(name: str, certify: MDPPerm | None, expected: Integrity) -> Attack:
    return Attack(
        f"EAA: FreeText beside the text, {name}",
        lambda scene: annotated(scene.signed(certify), "FreeText", BESIDE, "0 0 1 rg 0 0 60 30 re f"),
        expected,
        ChangeKind.ANNOTATION_ADDED,
        lambda scene: scene.signed(certify),
    )


# Sneaky signatures


def _signed_over(box: Box, content: str, *before: Preparation) -> SignAs:
    return SignAs("Body", box=box, style=drawing(content, box), before=before, room=3000)


def _honest(scene: Scene) -> bytes:
    return scene.once(
        "honest second", lambda: scene.signed_by_body(scene.signed(), _signed_over(BODY, "0 0 1 RG 5 5 m 50 20 l S"))
    )


def _sneaky(name: str, certify: MDPPerm | None) -> Attack:
    def make(scene: Scene) -> bytes:
        signed = scene.signed(certify)
        if certify is not MDPPerm.NO_CHANGES:
            return scene.signed_by_body(signed, _signed_over(TEXT, "1 g 0 0 142 16 re f"))
        # Software refuses to sign such a document; an attacker does not ask it.
        loose = signed.replace(b"/P 1\n", b"/P 2\n")
        assert loose != signed
        return signed + scene.signed_by_body(loose, _signed_over(BODY, "0 0 1 RG 5 5 m 50 20 l S"))[len(signed) :]

    if certify is MDPPerm.NO_CHANGES:
        return Attack(
            f"SSA: a later signature, {name}", make, Integrity.BROKEN, ChangeKind.SIGNATURE, lambda s: s.signed(certify)
        )
    return Attack(
        f"SSA: a later signature over the text, {name}", make, Integrity.BROKEN, ChangeKind.INK_COVERED, _honest
    )


def _unsigned_field(scene: Scene) -> bytes:
    """A signature field that nobody signed, but that shows something."""
    signed = scene.signed()
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Gia) /F 4 /P 4 0 R /Rect %b /AP << /N 101 0 R >> >>" % rect(
        TEXT
    )
    page = swap(body(signed, PAGE), b"/Annots [", b"/Annots [ 100 0 R ")
    form = swap(body(signed, FORM), b"/Fields [", b"/Fields [ 100 0 R ")
    return append(signed, {PAGE: page, FORM: form, SPARE: field, SPARE + 1: look(TEXT, _PATCH)})


def _large(scene: Scene) -> bytes:
    return scene.signed_by_body(scene.signed(), _signed_over((2, 2, 150, 40), "0 0 1 RG 5 5 m 50 20 l S"))


def _new_after_certification(scene: Scene) -> bytes:
    return scene.signed_by_body(scene.signed(MDPPerm.FILL_FORMS), _signed_over(BODY, "0 0 1 RG 5 5 m 50 20 l S"))


def _body_field(change: Callable[[Writer, pdf.DictionaryObject], None], box: Box) -> Preparation:
    """Makes the body's field beforehand, and then something odd of it."""

    def prepare(writer: Writer) -> None:
        append_signature_field(writer, SigFieldSpec("Body", on_page=0, box=box))
        for item in writer.root["/AcroForm"]["/Fields"]:
            found = item.get_object()
            if found["/T"] == "Body":
                change(writer, found)
                writer.update_container(found)

    return prepare


def _odd_field(change: Callable[[Writer, pdf.DictionaryObject], None], box: Box) -> Callable[[Scene], bytes]:
    how = replace(_signed_over(box, "1 g 0 0 142 16 re f", _body_field(change, box)), existing=True)
    return lambda scene: scene.signed_by_body(scene.signed(), how)


def _only_on_paper(_: Writer, found: pdf.DictionaryObject) -> None:
    found["/F"] = pdf.NumberObject(4 | 32)


def _only_when_toggled(_: Writer, found: pdf.DictionaryObject) -> None:
    found["/F"] = pdf.NumberObject(4 | 256)


def _hidden(_: Writer, found: pdf.DictionaryObject) -> None:
    found["/F"] = pdf.NumberObject(2)


def _in_a_layer(writer: Writer, found: pdf.DictionaryObject) -> None:
    layer = pdf.DictionaryObject({pdf_name("/Type"): pdf_name("/OCG"), pdf_name("/Name"): pdf.TextStringObject("x")})
    found["/OC"] = writer.add_object(layer)


ATTACKS = (
    *(_evil(subtype, name, certify) for subtype in _SUBTYPES for name, certify in _PERMISSIONS),
    _beside("P1", MDPPerm.NO_CHANGES, Integrity.BROKEN),
    _beside("P2", MDPPerm.FILL_FORMS, Integrity.BROKEN),
    _beside("P3", MDPPerm.ANNOTATE, Integrity.CHANGED),
    _beside("approval", None, Integrity.CHANGED),
    *(_sneaky(name, certify) for name, certify in _PERMISSIONS),
    Attack(
        "SSA: a field that nobody signed over the text",
        _unsigned_field,
        Integrity.BROKEN,
        ChangeKind.INK_COVERED,
        _honest,
    ),
    Attack(
        "SSA: a later signature larger than a tenth of the page",
        _large,
        Integrity.CHANGED,
        ChangeKind.SIGNATURE,
        _honest,
    ),
    Attack(
        "SSA: a new visible signature after a certification",
        _new_after_certification,
        Integrity.CHANGED,
        ChangeKind.SIGNATURE,
        lambda scene: scene.signed(MDPPerm.FILL_FORMS),
    ),
    Attack(
        "SSA: a later signature over the text on paper only",
        _odd_field(_only_on_paper, TEXT),
        Integrity.BROKEN,
        ChangeKind.INK_COVERED,
        _honest,
    ),
    Attack(
        "SSA: a later signature that shows on paper only",
        _odd_field(_only_on_paper, BODY),
        Integrity.CHANGED,
        ChangeKind.SIGNATURE,
        _honest,
    ),
    Attack(
        "SSA: a later signature that shows when pointed at",
        _odd_field(_only_when_toggled, BODY),
        Integrity.CHANGED,
        ChangeKind.SIGNATURE,
        _honest,
    ),
    Attack(
        "SSA: a later signature that is hidden as yet",
        _odd_field(_hidden, TEXT),
        Integrity.CHANGED,
        ChangeKind.SIGNATURE,
        _honest,
    ),
    Attack(
        "SSA: a later signature in a layer",
        _odd_field(_in_a_layer, BODY),
        Integrity.CHANGED,
        ChangeKind.SIGNATURE,
        _honest,
    ),
)
