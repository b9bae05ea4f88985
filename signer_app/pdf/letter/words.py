"""What kind of words a piece of a letter is: capitals, a title, a body's name, spaced letters.

Pure functions; run in a worker. The lists are words of the language by which a line is recognised, no rules of law:
what a line is taken for only proposes, and a person's name or a body's must fit besides.
"""

import re

from signer_app.pdf.names import fold, unspaced

_PREFIX = re.compile(
    r"^\s*(?:(?:TM|KT|TL|TUQ|Q|T/M|K/T|T/L|T/UQ)\s*\.|(?:T/M|K/T|T/L|T/UQ)\b|(?:TM|KT|TL|TUQ)(?=\s+[^\W\d_a-z]))\s*",
    re.IGNORECASE,
)
"""Thay mặt, ký thay, thừa lệnh, thừa ủy quyền, quyền (Decree 30/2020, article 13)."""

CHIEFS = (
    "chu tich", "giam doc", "tong giam doc", "truong phong", "chanh van phong", "truong ban", "bi thu", "cuc truong",
    "chi cuc truong", "tong cuc truong", "vu truong", "hieu truong", "vien truong", "bo truong", "thu truong",
    "chanh thanh tra", "chanh an", "truong thon", "truong khoa", "tram truong", "doi truong", "chi huy truong",
    "chu nhiem", "tu lenh", "chinh uy", "chinh tri vien", "hat truong", "tong bien tap", "truong doan", "thu tuong",
    "thong doc", "ke toan truong", "truong tram", "truong cong an", "doan chu tich", "to truong", "chu tri", "thu ky",
    "uy vien", "quan doc", "chanh toa", "truong tieu ban",
)  # fmt: skip
_TITLES = tuple(
    sorted((before + title for title in CHIEFS for before in ("", "pho ", "quyen ")), key=len, reverse=True)
)
_OFFICE = re.compile(rf"(?:{'|'.join(_TITLES)})(?![a-z0-9])")
_BODIES = (
    "uy ban", "ubnd", "ubmttq", "hoi dong", "hdnd", "so", "phong", "van phong", "ban", "bo", "cong an", "cuc",
    "chi cuc",
    "tong cuc", "vien", "truong", "benh vien", "trung tam", "tram", "dang uy", "huyen uy", "tinh uy", "thi uy",
    "thanh uy", "quan uy", "dang bo", "chi bo", "doan", "hoi", "mat tran", "lien doan", "lien minh", "cong ty",
    "tong cong ty", "toa an", "thanh tra", "kho bac", "ngan hang", "quy", "bao hiem xa hoi", "hat", "doi", "chinh phu",
    "thuong truc", "dai hoc", "hoc vien", "thu vien", "bao tang", "vpcp", "vp", "cum",
)  # fmt: skip
_BODY = re.compile(rf"(?:{'|'.join(_BODIES)})(?![a-z0-9])")


def is_capitals(text: str) -> bool:
    """Whether the letters are capitals, but for one in ten."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= 2 and sum(c.isupper() for c in letters) >= 0.9 * len(letters)


def is_title(text: str) -> bool:
    """Whether a line begins as a signer's title does: with a power of attorney (TM., KT., …) or an office."""
    return has_prefix(text) or _office(text) is not None


def has_prefix(text: str) -> bool:
    """Whether a line begins with TM., KT., TL., TUQ. or Q."""
    return bool(_PREFIX.match(text))


def after_office(text: str) -> tuple[bool, str]:
    """Whether a line of a title names an office, and what stands behind it and behind the prefix."""
    rest = _PREFIX.sub("", text).strip()
    office = _office(rest)
    if office is None:
        return False, rest
    return True, " ".join(rest.split()[len(office.split()) :])


def begins_body(text: str) -> bool:
    """Whether a line begins as the name of a body does."""
    folded = fold(unspaced(text))
    return _BODY.match(folded) is not None


def _office(text: str) -> str | None:
    """The office with which a line begins, folded; also where its letters are spaced."""
    tight = unspaced(text)
    folded = fold(tight)
    if tight != text.strip():
        return next((title for title in _TITLES if folded.startswith(title.replace(" ", ""))), None)
    found = _OFFICE.match(folded)
    return found[0] if found else None
