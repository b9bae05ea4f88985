"""When two packets are about one document, whatever way they came.

Pure functions on any thread. A key tells that two packets speak of the same document, not that they say the same:
packets with one key and different bytes are two versions, and none of them may be dropped unseen.
"""

import re
import unicodedata
from typing import Final

from signer_sync.contract import PacketKind
from signer_sync.edxml import PacketHeader, StatusCode

_UUID: Final = re.compile(r"[{(]?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}[)}]?")
_EMPTY_LEVELS: Final = re.compile(r"^(?:0+\.)+(?=[^.])")


def document_key(header: PacketHeader) -> str:
    """The document that this packet carries (or, of a recall or update, whose header it repeats).

    Sender and DocumentId make it. A DocumentId that is a UUID is made anew by each system that passes a document on;
    then sender, date, number and notation count instead, where all are there. They count, too, where the DocumentId is
    nothing but these in their usual spelling (`OrganId,yyyy/MM/dd,number/notation`): so a document has one key with the
    one and with the other. A DocumentId is compared whole and never taken apart: it is an opaque string.

    Codes are compared without regard to case and to empty levels (`000.00.00.H41` is `H41`), texts without regard to
    case, Unicode form and blanks; so no part of a key holds a blank.
    """
    sender, number, notation = header.sender.code, _fold(header.code_number), _fold(header.code_notation)
    day = header.issued_date
    if number and notation and day is not None:
        told = fold_code(header.document_id)
        label = f"{header.code_number}/{header.code_notation}"
        usual = {fold_code(f"{sender},{issued},{label}") for issued in (header.issued, f"{day:%Y/%m/%d}")}
        if not told or told in usual or _UUID.fullmatch(told):
            return f"{fold_code(sender)} {day:%Y-%m-%d} {number.lstrip('0') or '0'}/{notation}"
    return id_key(sender, header.document_id)


def id_key(sender_code: str, document_id: str) -> str:
    """The document that a body calls so: what `document_key` gives where the DocumentId alone counts.

    Keep it beside the `document_key`: a later packet may name the document by its DocumentId alone.
    """
    return f"{fold_code(sender_code)} id {fold_code(document_id)}"


def keys_meant(header: PacketHeader) -> tuple[str, ...]:
    """The documents that a recall, an update, a replacement or a status message is about; of a new document none.

    Look for documents whose `document_key` or `id_key` is among these.
    """
    if header.kind is PacketKind.STATUS:
        # Asking for a document back is its sender's; all else is said to the sender, whom ResponseFor names.
        own = header.status is StatusCode.ASKED_BACK
        return tuple(
            dict.fromkeys(
                id_key(header.sender.code if own else answered.organ_code, answered.document_id)
                for answered in header.response_for
                if answered.document_id
            )
        )
    keys = [id_key(header.sender.code, meant) for meant in header.concerns]
    if header.document_id in header.concerns:
        keys.append(document_key(header))
    return tuple(dict.fromkeys(keys))


def fold_code(code: str) -> str:
    """A body's code as it is compared: lower case, without blanks and without empty levels in front."""
    return _EMPTY_LEVELS.sub("", _fold(code))


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).casefold().split())
