"""What a province's LGSP refuses, and what is to be done about each of its error codes.

Pure functions on any thread. The words that the server sends are not shown: of them are taken only what can be
recognised (a code, the name of an element, a line, receivers that stand in our own packet).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signer_sync.contract import Retry
from signer_sync.edxml import Organ
from signer_sync.errors import ExchangeError, Scope

RECEIVER_LOCKED: Final = "lgsp_receiver_locked"
"""The code of the error whose `codes`, parted by blanks, are the receivers that are locked for sure."""
MOST_ATTEMPTS: Final = 5
"""So often a packet is offered whose file the LGSP says it could not process (code 21), or that it refuses with a code
that nobody knows; then a person has to look.
"""

_LICENCE: Final = "licenseinfo"
"""What the answer 401 says when the three headers do not fit together ("licenseInfo:invalid")."""
_LINE: Final = re.compile(r"(?:line|dòng)\s*(?:number|số)?\s*[:=#]?\s*(\d{1,7})", re.IGNORECASE)
_ELEMENT: Final = re.compile(r"(?:element|thẻ|phần tử|trường)\s*[:=]?\s*[\"'<«]?([A-Za-z][\w.:-]{1,59})", re.IGNORECASE)
_QUOTED: Final = re.compile(r"[\"'<«]/?([A-Za-z][\w.:-]{1,59})[\"'>»]", re.ASCII)
_TERM: Final = re.compile(r"[A-Za-z0-9_.:-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Refusal:
    """An answer that is no success: the HTTP status, the LGSP's own code ("" where there is none), what it says, and
    whether it gave the packet a number all the same, so that it may have kept it.
    """

    status: int
    code: str
    text: str = ""
    has_number: bool = False

    @property
    def is_licence(self) -> bool:
        """Whether the unit's id and key were refused, not the bearer token."""
        return self.code == "15" or _LICENCE in self.text.casefold()

    @property
    def outcome_unknown(self) -> bool:
        """Whether it may have kept the packet before it failed: it gave a number, or failed as a server (5xx)."""
        return self.has_number or self.status >= 500

    @property
    def wants_login(self) -> bool:
        """Whether the bearer token is over."""
        return self.status == 401 and not self.is_licence


def refusal_in(status: int, value: object) -> Refusal | None:
    """The refusal that an answer is; None for a success. Success needs both: `success` (or, where an answer has none, a
    `code` of success) and no `errorCode` but 0.
    """
    if not isinstance(value, Mapping):
        return None if status in (200, 201) else Refusal(status, "")
    inner = value.get("data")
    data: Mapping[str, object] = inner if isinstance(inner, Mapping) else {}
    code = next((_code(part.get("errorCode")) for part in (data, value) if part.get("errorCode") is not None), "")
    words = (data.get("errorDesc"), value.get("errorDesc"), value.get("message"))
    text = next((word for word in words if isinstance(word, str) and word.strip()), "")[:2000]
    success = value.get("success")
    good = success is True or (isinstance(success, str) and success.strip().lower() == "true")
    if success is None:
        outer = _code(value.get("code"))
        good = outer in ("", "0", "200")
        code = code or ("" if good else outer)
    if status in (200, 201) and good and code in ("", "0"):
        return None
    return Refusal(status, "" if code == "0" else code, text, _has_number(data) or _has_number(value))


def error_for(refusal: Refusal, host: str, *, receivers: Sequence[Organ] = (), attempts: int = 0) -> ExchangeError:
    """The error for a refusal. `receivers` are those of the packet, `attempts` counts the sendings begun, this one
    among them.
    """
    if refusal.is_licence:
        return ExchangeError("lgsp_unit_refused", retry=Retry.FIX, scope=Scope.SERVER, host=host)
    match refusal.code:
        case "10":
            return ExchangeError("lgsp_file_invalid", retry=Retry.FIX, problem="10", reason=_terms(refusal.text))
        case "18":
            named = _named(refusal.text, receivers)
            return ExchangeError("lgsp_receiver_unknown", retry=Retry.FIX, problem="18", receivers=named)
        case "19":
            return ExchangeError(
                "lgsp_sender_unregistered", retry=Retry.FIX, scope=Scope.SERVER, problem="19", host=host
            )
        case "20":
            return ExchangeError(
                "lgsp_system_fault", retry=Retry.AFTER, unreachable=refusal.outcome_unknown, problem="20", host=host
            )
        case "21" if attempts < MOST_ATTEMPTS:
            return ExchangeError(
                "lgsp_file_fault",
                retry=Retry.AFTER,
                unreachable=refusal.outcome_unknown,
                problem="21",
                host=host,
                most=MOST_ATTEMPTS,
            )
        case "21":
            return ExchangeError("lgsp_file_unusable", retry=Retry.FIX, problem="21", host=host, most=MOST_ATTEMPTS)
        case "22":
            element, line = _place(refusal.text)
            return ExchangeError("lgsp_format_wrong", retry=Retry.FIX, problem="22", element=element, line=line)
        case "23":
            named = _named(refusal.text, receivers)
            return ExchangeError(
                RECEIVER_LOCKED, retry=Retry.FIX, problem="23", receivers=named, codes=_meant(refusal.text, receivers)
            )
    return _other(refusal, host, attempts)


def _other(refusal: Refusal, host: str, attempts: int) -> ExchangeError:
    """The error for a refusal without a code of the table; 5xx: nobody knows what became of the request."""
    if refusal.status >= 500:
        return ExchangeError("server_answer_wrong", retry=Retry.AFTER, unreachable=True, host=host)
    if refusal.status == 403:
        return ExchangeError("server_not_allowed", retry=Retry.FIX, scope=Scope.SERVER, host=host, reason="403")
    if refusal.status == 429:
        return ExchangeError("server_busy", retry=Retry.AFTER, scope=Scope.SERVER, host=host, reason="429")
    code = _terms(refusal.code)
    retry = Retry.AFTER if attempts < MOST_ATTEMPTS else Retry.FIX
    return ExchangeError(
        "lgsp_refused", retry=retry, problem=code, host=host, reason=code, status=refusal.status,
        unreachable=refusal.has_number and retry is Retry.AFTER,
    )  # fmt: skip


def _code(value: object) -> str:
    """An error code as it is compared: "00" and 0 are "0"."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()[:40]
    return text.lstrip("0") or "0" if text.isascii() and text.isdecimal() else text


def _has_number(part: Mapping[str, object]) -> bool:
    return bool(doc_id_of(part.get("docId")))


def doc_id_of(value: object) -> str:
    """The LGSP's number of a packet as text; "" for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()
    return text if 0 < len(text) <= 200 and text.isprintable() else ""


def _named(text: str, receivers: Sequence[Organ]) -> str:
    """The packet's receivers that the server's words speak of, all of them where it speaks of none."""
    chosen = _spoken(text, receivers) or receivers
    return "; ".join(f"{organ.name} ({organ.code})" if organ.name else organ.code for organ in chosen) or "?"


def _meant(text: str, receivers: Sequence[Organ]) -> str:
    """Codes of the receivers that are meant without any doubt: those it speaks of, or the only one."""
    chosen = _spoken(text, receivers) or (receivers if len(receivers) == 1 else ())
    return " ".join(organ.code for organ in chosen)


def _spoken(text: str, receivers: Sequence[Organ]) -> list[Organ]:
    return [
        organ
        for organ in receivers
        if organ.code and re.search(rf"(?<![\w.]){re.escape(organ.code)}(?![\w]|\.\w)", text, re.IGNORECASE)
    ]


def _place(text: str) -> tuple[str, str]:
    """Element and line of which the server's words speak, "?" where they don't."""
    element = _ELEMENT.search(text) or _QUOTED.search(text)
    line = _LINE.search(text)
    return element[1] if element and element[1].isascii() else "?", line[1] if line else "?"


def _terms(text: str) -> str:
    """The technical terms in the server's words, for support staff: plain ASCII words, at most 80 letters of them."""
    words = [word.strip(".,;:()[]\"'") for word in text.split()]
    kept = " ".join(word for word in words if _TERM.fullmatch(word))
    return kept[:80].strip() or "?"
