"""Opens what is encrypted in a file that anybody can open, the one with an empty user password (ISO 32000-1, 7.6).

Runs in a worker, on files of others. Objects come out as if the file had never been encrypted, so that the rest of the
check knows nothing of it. Holds no password and tries none; whatever wants one is `verify_encrypted`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import AuthStatus, SecurityHandler, StandardSecurityHandler
from pyhanko.pdf_utils.crypt.api import CryptFilter
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.misc import PdfError

from signer_app.verification.faults import UnreadableError

_MAX_DEPTH = 64
_Key = tuple[int, int]


class Unlocked:
    """The key of one file, from its /Encrypt dictionary and the first part of its /ID.

    Raises UnreadableError `verify_encrypted` when the empty password doesn't open it, or nobody knows how.
    """

    def __init__(self, settings: Any, first_id: bytes) -> None:
        if not isinstance(settings, generic.DictionaryObject):
            raise UnreadableError("verify_encrypted")
        try:
            self._handler = SecurityHandler.build(settings)
            if not isinstance(self._handler, StandardSecurityHandler):
                raise UnreadableError("verify_encrypted")
            found = self._handler.authenticate(b"", id1=first_id)
        except (PdfError, ValueError, KeyError, TypeError, IndexError, NotImplementedError):
            raise UnreadableError("verify_encrypted") from None
        if found.status is AuthStatus.FAILED:
            raise UnreadableError("verify_encrypted")

    def plain(self, value: Any, key: _Key) -> Any:
        """The object with this number, as it was read from its own place, with strings and stream data opened."""
        return self._opened(value, key, 0)

    def _opened(self, value: Any, key: _Key, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise UnreadableError("verify_damaged")
        if isinstance(value, generic.TextStringObject | generic.ByteStringObject):
            opened: Any = generic.pdf_string(_decrypted(self._handler.get_string_filter(), key, value.original_bytes))
        elif isinstance(value, generic.StreamObject):
            opened = self._stream(value, key, depth)
        elif isinstance(value, generic.DictionaryObject):
            opened = generic.DictionaryObject(self._entries(value, key, depth))  # type: ignore[no-untyped-call]
        elif isinstance(value, generic.ArrayObject):
            opened = generic.ArrayObject(self._opened(item, key, depth + 1) for item in list.__iter__(value))
        else:
            return value
        opened.container_ref = value.container_ref
        return opened

    def _entries(self, value: generic.DictionaryObject, key: _Key, depth: int) -> dict[Any, Any]:
        # The signature itself is never encrypted (ISO 32000-1, 7.6.1).
        clear = {"/Contents"} if "/ByteRange" in value else set()
        return {name: one if name in clear else self._opened(one, key, depth + 1) for name, one in dict.items(value)}

    def _stream(self, value: generic.StreamObject, key: _Key, depth: int) -> generic.StreamObject:
        kind = dict.get(value, "/Type")
        if kind == "/XRef":
            return value
        entries = self._entries(value, key, depth)
        if value._has_crypt_filter:
            # The filter says itself what it does; the one that does nothing is all that is known here.
            return _Opened(entries, value, bytes)
        if kind == "/Metadata" and not self._handler.encrypt_metadata:
            return _Opened(entries, value, bytes)
        handler = self._handler
        crypt = (
            handler.get_embedded_file_filter()  # type: ignore[no-untyped-call]
            if kind == "/EmbeddedFile"
            else handler.get_stream_filter()
        )
        return _Opened(entries, value, partial(_decrypted, crypt, key))


def _decrypted(crypt: CryptFilter, key: _Key, data: bytes) -> bytes:
    opened: bytes = crypt.decrypt(crypt.derive_object_key(*key), data)
    return opened


class _Opened(generic.StreamObject):
    """A stream whose data is opened when it is asked for; not kept."""

    def __init__(self, entries: dict[Any, Any], sealed: generic.StreamObject, opens: Callable[[bytes], bytes]) -> None:
        super().__init__(entries, encoded_data=b"")
        self._sealed = sealed
        self._opens = opens

    @property
    def encoded_data(self) -> bytes:
        """The bytes before their filters, without encryption."""
        return self._opens(self._sealed.encoded_data)

    def read_data(self, purpose: DecodePurpose = DecodePurpose.GENERIC, expected_size: int | None = None) -> bytes:
        """The decoded bytes, within pyHanko's limits. Raises what pyHanko raises."""
        whole = generic.StreamObject(dict(dict.items(self)), encoded_data=self.encoded_data)
        whole.container_ref = self.container_ref
        return whole.read_data(purpose, expected_size)
