"""Changes to the document around the pages: pages, layers, scripts, validation data, metadata, objects for later.

Layers and scripts are the ways of Markwood and of the shadow attacks to show one thing to the signer and another to the
reader; validation data are where software looks away, because they may be added to any signed document.
"""

from collections.abc import Callable

from pyhanko.sign.fields import MDPPerm

from signer_app.verification.model import ChangeKind, Integrity
from tests.verification.attacks.base import (
    CATALOG,
    CONTENT,
    LAST_PAGE,
    PAGE,
    PAGES,
    SPARE,
    WIDGETS,
    Attack,
    Scene,
    append,
    body,
    page,
    page_content,
    small_document,
    stream,
    swap,
    with_entry,
)
from tests.verification.documents import SignAs

_BROKEN, _CHANGED = Integrity.BROKEN, Integrity.CHANGED


def _edited(number: int, old: bytes, new: bytes) -> Callable[[Scene], bytes]:
    return lambda scene: append(scene.signed(), {number: swap(body(scene.signed(), number), old, new)})


def _entry(number: int, entry: bytes, certify: MDPPerm | None = None) -> Callable[[Scene], bytes]:
    return lambda scene: append(scene.signed(certify), {number: with_entry(body(scene.signed(certify), number), entry)})


def _new_page(scene: Scene) -> bytes:
    signed = scene.signed()
    tree = b"<< /Type /Pages /Kids [4 0 R 13 0 R 100 0 R] /Count 3 >>"
    return append(signed, {PAGES: tree, SPARE: page(LAST_PAGE + 1)})


# Layers


def _layered() -> bytes:
    """The sum stands twice, in two layers, of which one is on."""
    content = page_content(
        ("So: 12/QD-UBND",),
        after="/OC /A BDC BT /F1 12 Tf 10 70 Td (Chi 1.250) Tj ET EMC "
        "/OC /B BDC BT /F1 12 Tf 10 70 Td (Chi 9.250) Tj ET EMC\n",
    )
    layers = b"<< /OCGs [15 0 R 16 0 R] /D << /Order [15 0 R 16 0 R] /OFF [16 0 R] >> >>"
    return small_document(
        {
            CATALOG: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /OCProperties 17 0 R >>",
            PAGE: page(CONTENT, WIDGETS, b"/Properties << /A 15 0 R /B 16 0 R >>"),
            CONTENT: content,
            15: b"<< /Type /OCG /Name (A) >>",
            16: b"<< /Type /OCG /Name (B) >>",
            17: layers,
        }
    )


def _layers(scene: Scene) -> bytes:
    return scene.signs("layers", _layered)


def _layer(name: str, number: int, new: bytes, reason: ChangeKind, *, signed_again: bool = False) -> Attack:
    def make(scene: Scene) -> bytes:
        changed = append(_layers(scene), {number: new})
        return scene.signed_by_body(changed, SignAs("Body", room=3000)) if signed_again else changed

    return Attack(f"layers: {name}", make, _BROKEN, reason, _layers)


_SWITCHED = b"<< /OCGs [15 0 R 16 0 R] /D << /Order [15 0 R 16 0 R] /OFF [15 0 R] >> >>"
_ON_PRINT = (
    b"<< /OCGs [15 0 R 16 0 R] /D << /Order [15 0 R 16 0 R] /OFF [16 0 R] "
    b"/AS [<< /Event /Print /OCGs [16 0 R] /Category [/Print] >>] >> >>"
)


# Validation data


def _dss(dss: bytes, *objects: bytes) -> Callable[[Scene], bytes]:
    def make(scene: Scene) -> bytes:
        signed = scene.signed()
        catalog = with_entry(body(signed, CATALOG), b"/DSS 100 0 R ")
        return append(signed, {CATALOG: catalog, SPARE: dss} | {SPARE + 1 + n: one for n, one in enumerate(objects)})

    return make


def plain_dss(scene: Scene) -> bytes:
    """Validation data as software appends them."""
    return scene.once("dss", lambda: _dss(b"<< /Type /DSS /Certs [101 0 R] >>", stream(scene.leader.der))(scene))


_WAITING_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 240 120] /Contents 14 0 R >>"


def _dss_taken(scene: Scene) -> bytes:
    stamped = scene.once("dss, signed", lambda: scene.signed_by_body(plain_dss(scene), SignAs("Body", room=3000)))
    catalog = body(stamped, CATALOG)
    return append(stamped, {CATALOG: swap(catalog, b"/DSS 100 0 R", b"")})


def _more_in_objects(scene: Scene) -> bytes:
    return append(scene.signed(), {SPARE: b"(for later)"})


ATTACKS = (
    Attack("pages: one added", _new_page, _BROKEN, ChangeKind.PAGE_TREE),
    Attack("pages: one removed", _edited(PAGES, b" 13 0 R", b""), _BROKEN, ChangeKind.PAGE_TREE),
    Attack("pages: other order", _edited(PAGES, b"4 0 R 13 0 R", b"13 0 R 4 0 R"), _BROKEN, ChangeKind.PAGE_CONTENT),
    Attack("pages: one twice", _edited(PAGES, b"4 0 R 13 0 R", b"4 0 R 4 0 R"), _BROKEN, ChangeKind.PAGE_CONTENT),
    Attack("pages: turned", _entry(PAGE, b"/Rotate 180 "), _BROKEN, ChangeKind.PAGE_CONTENT),
    Attack("pages: turned from above", _entry(PAGES, b"/Rotate 90 "), _BROKEN, ChangeKind.PAGE_TREE),
    Attack("pages: cut", _entry(PAGE, b"/CropBox [0 0 240 60] "), _BROKEN, ChangeKind.PAGE_CONTENT),
    Attack("pages: stretched", _entry(PAGE, b"/UserUnit 2 "), _BROKEN, ChangeKind.PAGE_CONTENT),
    Attack(
        "pages: other content on the last", _edited(LAST_PAGE, b"14 0 R", b"5 0 R"), _BROKEN, ChangeKind.PAGE_CONTENT
    ),
    Attack(
        "pages: a script", _entry(PAGE, b"/AA << /O << /S /JavaScript /JS (1) >> >> "), _BROKEN, ChangeKind.PAGE_CONTENT
    ),
    _layer("switched", 17, _SWITCHED, ChangeKind.LAYERS),
    _layer("switched and signed over", 17, _SWITCHED, ChangeKind.LAYERS, signed_again=True),
    _layer("others on paper", 17, _ON_PRINT, ChangeKind.LAYERS),
    _layer(
        "group made a free one",
        16,
        b"<< /Type /OCG /Name (B) /Usage << /View << /ViewState /ON >> >> >>",
        ChangeKind.PAGE_CONTENT,
    ),
    Attack("layers: added", _entry(CATALOG, b"/OCProperties << /OCGs [] /D << >> >> "), _BROKEN, ChangeKind.LAYERS),
    Attack(
        "scripts: on opening",
        _entry(CATALOG, b"/OpenAction << /S /JavaScript /JS (1) >> "),
        _BROKEN,
        ChangeKind.DOCUMENT_SETTINGS,
    ),
    Attack(
        "scripts: by name",
        _entry(CATALOG, b"/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (1) >>] >> >> "),
        _BROKEN,
        ChangeKind.DOCUMENT_SETTINGS,
    ),
    Attack(
        "scripts: before closing",
        _entry(CATALOG, b"/AA << /WC << /S /JavaScript /JS (1) >> >> "),
        _BROKEN,
        ChangeKind.DOCUMENT_SETTINGS,
    ),
    Attack(
        "scripts: attached file",
        _entry(CATALOG, b"/Names << /EmbeddedFiles << /Names [] >> >> "),
        _BROKEN,
        ChangeKind.DOCUMENT_SETTINGS,
    ),
    Attack(
        "scripts: needs of the viewer",
        _entry(CATALOG, b"/Requirements [<< /S /EnableJavaScripts >>] "),
        _BROKEN,
        ChangeKind.DOCUMENT_SETTINGS,
    ),
    Attack("DSS: not a dictionary", _dss(b"[1 2 3]"), _CHANGED, ChangeKind.UNEXPLAINED),
    Attack(
        "DSS: with a page in it",
        _dss(b"<< /Type /DSS /Certs [101 0 R] >>", _WAITING_PAGE),
        _CHANGED,
        ChangeKind.UNEXPLAINED,
    ),
    Attack(
        "DSS: with an entry of its own",
        _dss(b"<< /Type /DSS /Later 101 0 R >>", _WAITING_PAGE),
        _CHANGED,
        ChangeKind.UNEXPLAINED,
    ),
    Attack(
        "DSS: objects for later below /VRI",
        _dss(b"<< /Type /DSS /VRI << /AB << /Cert [101 0 R] >> >> >>", _WAITING_PAGE),
        _CHANGED,
        ChangeKind.UNEXPLAINED,
    ),
    Attack("DSS: taken away", _dss_taken, _CHANGED, ChangeKind.UNEXPLAINED, plain_dss),
    Attack(
        "perms: taken away",
        lambda scene: append(
            scene.signed(MDPPerm.FILL_FORMS),
            {CATALOG: swap(body(scene.signed(MDPPerm.FILL_FORMS), CATALOG), b"/Perms", b"/Erms")},
        ),
        _BROKEN,
        ChangeKind.DOCUMENT_SETTINGS,
        lambda scene: scene.signed(MDPPerm.FILL_FORMS),
    ),
    Attack(
        "metadata: XMP",
        lambda scene: append(
            scene.signed(),
            {
                CATALOG: with_entry(body(scene.signed(), CATALOG), b"/Metadata 100 0 R "),
                SPARE: stream(b"<x/>", b"/Type /Metadata /Subtype /XML"),
            },
        ),
        _CHANGED,
        ChangeKind.METADATA,
    ),
    Attack(
        "metadata: Info",
        lambda scene: append(scene.signed(), {SPARE: b"<< /Title (Khac) >>"}, more=b"/Info 100 0 R"),
        _CHANGED,
        ChangeKind.METADATA,
    ),
    Attack(
        "metadata: Info, P1",
        lambda scene: append(scene.signed(MDPPerm.NO_CHANGES), {SPARE: b"<< /Title (Khac) >>"}, more=b"/Info 100 0 R"),
        _BROKEN,
        ChangeKind.METADATA,
    ),
    Attack(
        "structure: other words for what is shown",
        _entry(CATALOG, b"/StructTreeRoot << /Type /StructTreeRoot >> "),
        _CHANGED,
        ChangeKind.STRUCTURE,
    ),
    Attack("for later: an object that nothing uses", _more_in_objects, _CHANGED, ChangeKind.UNUSED_OBJECTS),
    Attack(
        "for later: an empty increment", lambda scene: append(scene.signed(), {}), _CHANGED, ChangeKind.UNUSED_OBJECTS
    ),
)
