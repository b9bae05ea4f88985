"""Attacks on the difference between readers: the same bytes are one document to one program, another to the next.

Parser differentials are among the means of the shadow attacks and of later work on PDF signatures. Each increment tells
little to a reader that takes the first of two entries, or the length as it is said, and forges the page for one that
takes the last, or mends what it reads. Viewers do; the attacker may sign the result, as any later signer may.
"""

from collections.abc import Callable

from tests.verification.attacks.base import (
    CATALOG,
    CONTENT,
    FORGED,
    PAGE,
    SPARE,
    WIDGETS,
    Scene,
    append,
    body,
    page,
    small_document,
    swap,
    with_entry,
)
from tests.verification.documents import SignAs

_FORGED_TREE: dict[int, bytes] = {
    SPARE: b"<< /Type /Pages /Kids [101 0 R 13 0 R] /Count 2 >>",
    SPARE + 1: page(SPARE + 2, WIDGETS, parent=SPARE),
    SPARE + 2: FORGED,
}


def _with_last(value: bytes, entry: bytes) -> bytes:
    """A dictionary's body with one more entry at its end."""
    inside = value.rstrip()
    assert inside.endswith(b">>")
    return inside[:-2] + entry + b" >>"


def _two_trees(signed: bytes) -> bytes:
    other = swap(body(signed, CATALOG), b"/Pages 2 0 R", b"/Pages 100 0 R")
    return append(signed, {CATALOG: with_entry(other, b"/Pages 2 0 R "), **_FORGED_TREE})


def _two_contents(signed: bytes) -> bytes:
    return append(signed, {PAGE: _with_last(body(signed, PAGE), b"/Contents 100 0 R"), SPARE: FORGED})


def _two_spellings(signed: bytes) -> bytes:
    return append(signed, {PAGE: _with_last(body(signed, PAGE), b"/Con#74ents 100 0 R"), SPARE: FORGED})


def _longer_than_told(signed: bytes) -> bytes:
    more = b" 1 g 0 0 240 120 re f 0 g BT /F1 12 Tf 10 70 Td (Chi 9.250) Tj ET\nendstream"
    return append(signed, {CONTENT: swap(body(signed, CONTENT), b"\nendstream", more)})


def _two_roots(signed: bytes) -> bytes:
    other = swap(body(signed, CATALOG), b"/Pages 2 0 R", b"/Pages 100 0 R")
    return append(signed, {SPARE + 3: other, **_FORGED_TREE}, more=b"/Root 103 0 R")


def _objects_gathered(signed: bytes) -> bytes:
    """A second body that no cross-reference tells of, and one reference so wrong that readers may gather objects."""
    orphan = b"%d 0 obj\n%b\nendobj\n" % (CONTENT, FORGED)
    return append(signed + orphan, {SPARE: b"(x)"}, places={SPARE + 99: 17})


def _other_generation(entry: bytes, header: int = 1) -> Callable[[bytes], bytes]:
    """The page's content once more, under a generation that nothing refers to; many readers ignore generations."""

    def change(signed: bytes) -> bytes:
        increment = append(signed, {CONTENT: FORGED})[len(signed) :]
        increment = swap(increment, b"%d 0 obj" % CONTENT, b"%d %d obj" % (CONTENT, header))
        return signed + swap(increment, b" 00000 n", b" %b n" % entry)

    return change


def _missing_generation(scene: Scene) -> bytes:
    """The page was signed with a reference that led nowhere; then the number comes into use, under a generation."""
    signed = scene.signs(
        "content missing", lambda: small_document({PAGE: swap(page(CONTENT, WIDGETS), b"5 0 R", b"[5 0 R 100 0 R]")})
    )
    increment = append(signed, {SPARE: FORGED})[len(signed) :]
    return signed + swap(swap(increment, b"100 0 obj", b"100 1 obj"), b" 00000 n", b" 00001 n")


_CASES: dict[str, Callable[[bytes], bytes]] = {
    "two page trees in the catalog": _two_trees,
    "two contents of a page": _two_contents,
    "two spellings of one name": _two_spellings,
    "a stream longer than told": _longer_than_told,
    "two catalogs in the trailer": _two_roots,
    "objects gathered anew": _objects_gathered,
    "another generation of the content": _other_generation(b"00001"),
    "an impossible generation of the content": _other_generation(b"70000", 0),
}
_KEPT_WHEN_SIGNED = (
    "two page trees in the catalog",
    "a stream longer than told",
    "another generation of the content",
    "an impossible generation of the content",
)
"""What a later signature leaves as it is; the others are mended by writing page or trailer again."""

Make = Callable[[Scene], bytes]


def _alone(change: Callable[[bytes], bytes]) -> Make:
    return lambda scene: change(scene.signed())


def _signed(change: Callable[[bytes], bytes]) -> Make:
    return lambda scene: scene.signed_by_body(change(scene.signed()), SignAs("Body", room=3000, lenient=True))


READER_ATTACKS: dict[str, Make] = {
    **{name: _alone(change) for name, change in _CASES.items()},
    "missing content under a generation": _missing_generation,
    **{f"{name}, signed": _signed(_CASES[name]) for name in _KEPT_WHEN_SIGNED},
}
