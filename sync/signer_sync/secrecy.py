"""Secrecy marks in what a packet says of itself.

Pure functions on any thread. A hint, not the rule of the house: whatever it finds stops a packet, what it
does not find may still be stopped by a mark on the page. Secret documents must not travel on this system
at all (domain rule §7.1: mark, edXML field, file name or the clerk's choice; any one suffices).
"""

import re
import unicodedata
from typing import Final

_MARK: Final = r"(?:tuyệt\s*mật|tối\s*mật|mật)"
_WHOLE: Final = re.compile(rf"(?:độ\s*mật\s*[:\-–]?\s*)?\W*{_MARK}\W*", re.IGNORECASE)
_BRACKETED: Final = re.compile(rf"[\[(<«{{]\s*{_MARK}\s*[\])>»}}]", re.IGNORECASE)
_TOP: Final = re.compile(r"\b(?:TUYỆT|TỐI)\s+MẬT\b")
_NAME_PART: Final = re.compile(r"[-–_.,;+()\[\]]+")
_IN_WORDS: Final = re.compile(r"\b(?:văn bản|công văn|hồ sơ|tài liệu|tuyệt|tối)[\s_-]+mật\b", re.IGNORECASE)
_WITHOUT_MARKS: Final = re.compile(
    r"(?<![^\W_])(?:van[\s_-]?ban|cong[\s_-]?van|tuyet|toi)[\s_-]?mat(?![^\W_])", re.IGNORECASE
)
"""The same typed without diacritics, as file names often are."""

_FIELDS: Final = frozenset(
    {
        "securitylevel", "security", "secrecy", "secrecylevel", "secret", "secretlevel", "secretmark",
        "confidential", "confidentiality", "classification", "domat", "dokhan_domat", "mucdomat", "dobaomat",
    }
)  # fmt: skip
_OPEN_VALUES: Final = frozenset(
    {
        "", "0", "false", "no", "none", "normal", "public", "open", "thường", "thuong", "bình thường",
        "binh thuong", "không", "khong", "không mật", "khong mat",
    }
)  # fmt: skip


def is_mark(text: str) -> bool:
    """Whether the whole text is a secrecy mark ("MẬT", "Độ mật: Tối mật", "* TUYỆT MẬT *")."""
    return len(text) < 60 and _WHOLE.fullmatch(_seen(text).strip()) is not None


def field_is_secret(element: str, text: str) -> bool:
    """Whether a header element carries a mark: by its value, or as a secrecy field not plainly open."""
    value = " ".join(_seen(text).split())
    if element.casefold() in _FIELDS and value.casefold() not in _OPEN_VALUES:
        return True
    return is_mark(value) or _BRACKETED.search(value) is not None or _TOP.search(value) is not None


def name_is_secret(name: str) -> bool:
    """Whether a file's name, or what stands for it in a packet, says that the file is secret.

    A part of it is a mark ("12-BC (MẬT).pdf", "MẬT_12.pdf", "5 - Tối mật.pdf"), it ends with one ("QĐ 5 MẬT.pdf"), or
    it says so in words ("Văn bản mật", "toi mat"). "bảo mật", "bí mật nhà nước", "mật độ" and the bare "mat" of
    "mat-tran" are none.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", _seen(name))
    if _BRACKETED.search(stem) or _TOP.search(stem) or _IN_WORDS.search(stem) or _WITHOUT_MARKS.search(stem):
        return True
    parts = [part.strip() for part in _NAME_PART.split(stem)]
    if any(is_mark(part) and not _ends_otherwise(before) for before, part in zip(["", *parts], parts, strict=False)):
        return True
    words = stem.split()
    return (
        len(words) > 1
        and words[-1] == "MẬT"
        and not _ends_otherwise(words[-2])
        and (any(c.islower() for c in stem) or any(c.isdigit() for c in words[-2]))
    )


def _seen(text: str) -> str:
    """The text as it is seen: letters that take no room (zero-width ones, marks of direction) hide no mark."""
    if text.isascii():
        return text
    return "".join(one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one) != "Cf")


def _ends_otherwise(before: str) -> bool:
    """Whether the word before "mật" makes it another word: bảo mật, bí mật, cơ mật, thân mật."""
    return before.casefold().endswith(("bảo", "bí", "cơ", "thân"))
