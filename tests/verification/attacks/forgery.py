"""USF, universal signature forgery (Mladenov et al., "1 Trillion Dollar Refund", CCS 2019).

What a validator needs is taken away or spoiled, in the hope that it shows the signature and forgets to check: /Contents
or /ByteRange missing, null, empty or absurd. Each is tried in an increment that also forges the page, and in place.
"""

import re
from collections.abc import Callable

from signer_app.verification.model import Integrity
from tests.verification.attacks.base import (
    CONTENT,
    FORGED,
    LEADER,
    Attack,
    Scene,
    append,
    body,
    signature_number,
)

_CONTENTS = rb"/Contents <[0-9A-Fa-f]*>"
_RANGE = rb"/ByteRange \[[^\]]*\] *"
"""With the blanks that software leaves for longer numbers."""

_SPOILED: tuple[tuple[str, bytes, bytes, str], ...] = (
    ("/Contents missing", _CONTENTS, b"", "verify_cms_malformed"),
    ("/Contents null", _CONTENTS, b"/Contents null", "verify_cms_malformed"),
    ("/Contents empty", _CONTENTS, b"/Contents <>", "verify_byte_range"),
    ("/Contents 0x00", _CONTENTS, b"/Contents <00>", "verify_byte_range"),
    ("/Contents 0x0000", _CONTENTS, b"/Contents <0000>", "verify_byte_range"),
    ("/Contents in round brackets", _CONTENTS, b"/Contents (0)", "verify_byte_range"),
    ("/Contents a number", _CONTENTS, b"/Contents 0", "verify_cms_malformed"),
    ("/Contents leads nowhere", _CONTENTS, b"/Contents 199 0 R", "verify_cms_malformed"),
    ("/ByteRange missing", _RANGE, b"", "verify_byte_range"),
    ("/ByteRange null", _RANGE, b"/ByteRange null", "verify_byte_range"),
    ("/ByteRange empty", _RANGE, b"/ByteRange []", "verify_byte_range"),
    ("/ByteRange of zeros", _RANGE, b"/ByteRange [0 0 0 0]", "verify_byte_range"),
    ("/ByteRange of one pair", _RANGE, b"/ByteRange [0 500]", "verify_byte_range"),
    ("/ByteRange of three pairs", _RANGE, b"/ByteRange [0 10 20 10 40 10]", "verify_byte_range"),
    ("/ByteRange negative", _RANGE, b"/ByteRange [0 -1 -1 -1]", "verify_byte_range"),
    ("/ByteRange from behind", _RANGE, b"/ByteRange [0 500 100 200]", "verify_byte_range"),
    ("/ByteRange of one point", _RANGE, b"/ByteRange [0 0 0 1]", "verify_byte_range"),
    ("/ByteRange beyond the file", _RANGE, b"/ByteRange [0 500 900 99999999999]", "verify_byte_range"),
    ("/ByteRange of fractions", _RANGE, b"/ByteRange [0 1.5 2.5 3.5]", "verify_byte_range"),
    ("/ByteRange of words", _RANGE, b"/ByteRange [/a /b /c /d]", "verify_byte_range"),
    ("/ByteRange leads nowhere", _RANGE, b"/ByteRange 199 0 R", "verify_byte_range"),
    ("/SubFilter unknown", rb"/SubFilter /ETSI.CAdES.detached", b"/SubFilter /none", "verify_history"),
    ("/SubFilter missing", rb"/SubFilter /ETSI.CAdES.detached", b"", "verify_history"),
    ("/Type of a timestamp", rb"/Type /Sig", b"/Type /DocTimeStamp", "verify_history"),
)


def _by_increment(pattern: bytes, new: bytes) -> Callable[[Scene], bytes]:
    def make(scene: Scene) -> bytes:
        signed = scene.signed()
        number = signature_number(signed)
        spoiled, count = re.subn(pattern, lambda _: new, body(signed, number))
        assert count == 1
        return append(signed, {CONTENT: FORGED, number: spoiled})

    return make


def _in_place(pattern: bytes, new: bytes) -> Callable[[Scene], bytes]:
    def make(scene: Scene) -> bytes:
        signed = scene.signed()
        found = re.search(pattern, signed)
        assert found
        # As long as it was, so that every other object stays where it is.
        return signed[: found.start()] + new.ljust(found.end() - found.start()) + signed[found.end() :]

    return make


def _value(new: bytes, expected: Integrity, reason: str) -> Attack:
    def make(scene: Scene) -> bytes:
        signed = scene.signed()
        field = re.sub(rb"/V \d+ 0 R", lambda _: new, body(signed, LEADER))
        return append(signed, {CONTENT: FORGED, LEADER: field})

    return Attack(f"USF: the field's value is {new.decode() or 'missing'}", make, expected, reason)


ATTACKS = (
    *(
        Attack(
            f"USF: {name}, in an increment",
            _by_increment(pattern, new),
            Integrity.BROKEN,
            code,
        )
        for name, pattern, new, code in _SPOILED
    ),
    *(
        Attack(
            f"USF: {name}, in place",
            _in_place(pattern, new),
            Integrity.BROKEN,
            code,
        )
        for name, pattern, new, code in _SPOILED
        if not name.startswith(("/SubFilter", "/Type"))
    ),
    _value(b"", Integrity.UNREADABLE, "verify_signature_hidden"),
    _value(b"/V null", Integrity.UNREADABLE, "verify_signature_hidden"),
    _value(b"/V (signed)", Integrity.UNREADABLE, "verify_signature_hidden"),
    _value(b"/V << >>", Integrity.BROKEN, "verify_cms_malformed"),
    _value(b"/V << /Type /Sig /Filter /Adobe.PPKLite >>", Integrity.BROKEN, "verify_cms_malformed"),
)
