"""The lists that an LGSP answers with, as values: incoming packets of some days, and the directory of units.

Pure functions on any thread. Everything in them is untrusted text; a line that cannot be used is left out, a list that
is none is None.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from signer_sync.contract import ORG_PATTERN, Org
from signer_sync.lgsp_cursor import Entry, day_in
from signer_sync.lgsp_errors import doc_id_of

_MAX_NAME: Final = 300
_DONE: Final = "done"


def entries_in(value: object, *, is_status: bool) -> Sequence[Entry] | None:
    """The packets of a list, each once, as often as it may stand there; None for what is no list.

    An entry that says of itself that it is of the other kind belongs to the other list.
    """
    lines = _lines(value)
    if lines is None:
        return None
    found: dict[str, Entry] = {}
    for line in lines:
        if not isinstance(line, Mapping):
            continue
        doc_id = doc_id_of(line.get("docId"))
        kind = _text(line.get("messageType")).casefold()
        if not doc_id or ((kind == "status") != is_status and kind in ("status", "edoc")):
            continue
        times = [text for name in ("createdTime", "updatedTime") if (text := _text(line.get(name)))]
        day = next((found_day for text in times if (found_day := day_in(text)) is not None), None)
        found.setdefault(
            doc_id,
            Entry(
                doc_id=doc_id,
                is_status=is_status,
                sender=_text(line.get("from"))[:100],
                day=day,
                # The form of the time may change from line to line; its day is in one form.
                order=f"{day or ''} {times[0] if times else ''}",
                done=_text(line.get("status")).casefold() == _DONE,
            ),
        )
    return tuple(found.values())


def organisations_in(value: object) -> tuple[Org, ...]:
    """The units of a directory, each once; those without a usable code are left out: nothing could be sent there."""
    found: dict[str, Org] = {}
    for line in _lines(value) or ():
        if not isinstance(line, Mapping):
            continue
        code, parent = _text(line.get("orgCode")), _text(line.get("parentCode"))
        if not re.match(ORG_PATTERN, code, re.ASCII) or code in found:
            continue
        name = " ".join(unicodedata.normalize("NFC", _text(line.get("orgName"))).split())[:_MAX_NAME]
        fits = parent != code and re.match(ORG_PATTERN, parent, re.ASCII)
        found[code] = Org(code=code, name=name or code, parent=parent if fits else None)
    return tuple(found.values())


def _lines(value: object) -> Sequence[object] | None:
    """The lines of a list: bare, or under `data`; a list without lines may have null there."""
    if isinstance(value, Mapping):
        if "data" not in value:
            return None
        value = value["data"]
        if value is None:
            return ()
        if isinstance(value, Mapping) and isinstance(value.get("data"), list):
            value = value["data"]
    return value if isinstance(value, list) else None


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()[:4000]
