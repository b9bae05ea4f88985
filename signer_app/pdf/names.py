"""Compares Vietnamese names as people do: case, diacritics, spacing and the usual short forms don't count.

A name typed in capitals, decomposed letters (NFD), "UBND" for "Ủy ban nhân dân", "Hoà" for "Hòa" must all be taken
for the same; a different word must not.
"""

import re
import unicodedata

# Short forms as they stand on letterheads and in certificates. Compared after folding.
_SHORT_FORMS = {
    "ubnd": "uy ban nhan dan",
    "hdnd": "hoi dong nhan dan",
    "mttq": "mat tran to quoc",
    "ubmttq": "uy ban mat tran to quoc",
    "vp": "van phong",
    "tp": "thanh pho",
    "tx": "thi xa",
    "tt": "thi tran",
    "vn": "viet nam",
}


def fold(text: str) -> str:
    """Lower case without diacritics, đ as d, everything but letters and digits a single blank."""
    text = text.replace("đ", "d").replace("Đ", "D")
    stripped = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", stripped.casefold()).strip()


def body_key(name: str) -> str:
    """A body's name in the one form that is compared: folded, short forms written out."""
    return " ".join(_SHORT_FORMS.get(word, word) for word in fold(name).split())


def same_body(left: str, right: str) -> bool:
    """Whether two spellings name the same body."""
    return bool(left.strip()) and body_key(left) == body_key(right)


def same_person(left: str, right: str) -> bool:
    """Whether two spellings name the same person; academic titles before the name don't count (NĐ 30 PL I, ô 7b)."""
    a, b = _without_titles(fold(left)), _without_titles(fold(right))
    return bool(a) and a == b


_TITLES = frozenset(
    {
        "ong", "ba", "ts", "ths", "pgs", "gs", "bs", "ks", "cn", "dr", "bscki", "bsckii",
        "dai", "thuong", "trung", "thieu", "ta",
    }
)  # fmt: skip


def _without_titles(name: str) -> str:
    words = name.split()
    while len(words) > 2 and words[0] in _TITLES:
        words = words[1:]
    return " ".join(words)
