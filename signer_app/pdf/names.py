"""Compares Vietnamese names as people do: case, spacing, the place of a tone mark and usual short forms don't count.

A name typed in capitals, decomposed letters (NFD), "UBND" for "Ủy ban nhân dân", "Hoà" for "Hòa" must all be taken
for the same; a different word must not. A name without any diacritics is one whose diacritics are not known.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Short forms as they stand on letterheads and in certificates.
_SHORT_FORMS = {
    "ubnd": "ủy ban nhân dân",
    "hđnd": "hội đồng nhân dân",
    "hdnd": "hội đồng nhân dân",
    "mttq": "mặt trận tổ quốc",
    "ubmttq": "ủy ban mặt trận tổ quốc",
    "vp": "văn phòng",
    "tp": "thành phố",
    "tx": "thị xã",
    "tt": "thị trấn",
    "vn": "việt nam",
}
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""Huyền, sắc, ngã, hỏi, nặng; the other marks (ă, â, ơ, ...) make other letters."""


class _Folded(dict[int, str]):
    """What each character is folded to, found when it is first met."""

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFD", chr(code).replace("đ", "d").replace("Đ", "D"))
        plain = "".join(c for c in parts if not unicodedata.combining(c)).casefold()
        folded = re.sub(r"[^a-z0-9]", " ", plain)
        if len(self) < _KNOWN_CHARACTERS:
            self[code] = folded
        return folded


_KNOWN_CHARACTERS, _KNOWN_TEXTS, _LONGEST_KNOWN = 4_096, 4_096, 200
_FOLDED = _Folded()


def fold(text: str) -> str:
    """Lower case without diacritics, đ as d, everything but letters and digits a single blank."""
    # The same few lines of a letter are asked for again and again; a whole page isn't kept.
    return _fold_known(text) if len(text) <= _LONGEST_KNOWN else _fold(text)


def _fold(text: str) -> str:
    return " ".join(text.translate(_FOLDED).split())


_fold_known = lru_cache(_KNOWN_TEXTS)(_fold)


def body_key(name: str) -> str:
    """A body's name in the one form by which it is found: folded, short forms written out."""
    return fold(" ".join(_written_out(name)))


def same_body(left: str, right: str) -> bool:
    """Whether two spellings name the same body.

    Bodies of one province may differ in diacritics alone (xã Đồng Tâm, xã Đông Tâm), so these count where
    both have any.
    """
    if not body_key(left) or body_key(left) != body_key(right):
        return False
    if left.isascii() or right.isascii():
        return True
    return [*map(_spelling, _written_out(left))] == [*map(_spelling, _written_out(right))]


def _written_out(name: str) -> Iterator[str]:
    """The words of a name in lower case, short forms written out."""
    for word in re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name).casefold()):
        yield from _SHORT_FORMS.get(word, word).split()


def _spelling(word: str) -> str:
    """A syllable with its tone mark behind it, so that hoà is hòa."""
    parts = unicodedata.normalize("NFD", word)
    tones = "".join(c for c in parts if c in _TONES)
    return unicodedata.normalize("NFC", "".join(c for c in parts if c not in _TONES)) + tones


def same_person(left: str, right: str) -> bool:
    """Whether two spellings name the same person; academic titles before the name don't count (NĐ 30 PL I, ô 7b)."""
    first, second = fold(left), fold(right)
    if first[-1:] != second[-1:]:
        # What is left out stands before a name.
        return False
    a, b = _without_titles(first), _without_titles(second)
    if unspaced(left) != left.strip() or unspaced(right) != right.strip():
        # Letters set apart hide where the words end.
        a, b = a.replace(" ", ""), b.replace(" ", "")
    return bool(a) and a == b


def same_signer(left: str, right: str) -> bool:
    """Whether two spellings may stand for one person where it gives a right: diacritics count where both have any.

    Nguyễn Thị Phượng and Nguyễn Thị Phương are two people, and a drafter may bear the other's letters.
    """
    if not same_person(left, right):
        return False
    return left.isascii() or right.isascii() or _letters(left) == _letters(right)


def _letters(name: str) -> str:
    """The syllables of a name without what stands before it, written together."""
    words = [_spelling(word) for word in re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name).casefold())]
    count = len(words) if unspaced(name) != name.strip() else len(_without_titles(fold(name)).split())
    return "".join(words[-count:])


def is_honorific(text: str) -> bool:
    """Whether a line is only what stands before a name: academic titles, or a rank."""
    folded = fold(text)
    return bool(folded) and (all(word in _TITLES for word in folded.split()) or bool(_RANKS.fullmatch(folded + " ")))


def without_honorifics(text: str) -> str:
    """A name as it is typed, without rank and academic titles before it."""
    words = text.replace(".", ". ").replace(",", " ").split()
    if len(words) > 2 and is_honorific(" ".join(words[:2])):
        words = words[2:]
    while len(words) > 2 and is_honorific(words[0]):
        words = words[1:]
    return " ".join(words)


def unspaced(text: str) -> str:
    """A line whose letters are set apart ("C H Ủ T Ị C H") written together; any other line as it is."""
    words = text.split()
    single = sum(len(word) == 1 and word.isalpha() for word in words)
    return "".join(words) if len(words) >= _SPACED_LETTERS and single >= 0.8 * len(words) else text.strip()


_SPACED_LETTERS = 4
_TITLES = frozenset(
    {
        "ong", "ba", "ts", "ths", "pgs", "gs", "bs", "ks", "cn", "dr", "bscki", "bsckii", "tskh", "ck1", "ck2",
        "cki", "ckii", "bsck1", "bsck2", "nsnd", "nsut", "ngnd", "ngut", "ttnd", "ttut", "ls", "kts", "ds",
    }
)  # fmt: skip
_RANKS = re.compile(r"^(?:(?:dai|thuong|trung|thieu) (?:tuong|ta|uy)|chuan do doc|(?:pho )?do doc) ")
"""Army and police; Tạ and Đại alone are family names."""


def _without_titles(name: str) -> str:
    words = _RANKS.sub("", name).split()
    while len(words) > 2 and words[0] in _TITLES:
        words = words[1:]
    return " ".join(words)
