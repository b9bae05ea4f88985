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
_NAME_PART: Final = re.compile(r"[-_.,;+()\[\]]+")

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
    return len(text) < 60 and _WHOLE.fullmatch(unicodedata.normalize("NFC", text).strip()) is not None


def field_is_secret(element: str, text: str) -> bool:
    """Whether a header element carries a mark: by its value, or as a secrecy field not plainly open."""
    value = " ".join(unicodedata.normalize("NFC", text).split())
    if element.casefold() in _FIELDS and value.casefold() not in _OPEN_VALUES:
        return True
    return is_mark(value) or _BRACKETED.search(value) is not None or _TOP.search(value) is not None


def name_is_secret(name: str) -> bool:
    """Whether a file name carries a mark as a part of its own ("12-BC (MẬT).pdf", "MẬT_12.pdf")."""
    stem = unicodedata.normalize("NFC", name)
    return _BRACKETED.search(stem) is not None or any(is_mark(part) for part in _NAME_PART.split(stem))
