"""Identifiers made by the client: UUIDv7, the idempotency keys of all writes.

Pure functions on any thread; the clock and the random bytes are handed in.
"""

import re
import secrets
import time
import uuid
from collections.abc import Callable

from signer_sync.contract import UUID_PATTERN


def uuid7(
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """A fresh UUIDv7 (RFC 9562 §5.7) in lower case; `now_ms` gives milliseconds since 1970."""
    raw = bytearray((now_ms() & 0xFFFF_FFFF_FFFF).to_bytes(6, "big") + random_bytes(10))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one spelling that the contract knows (lower case, four hyphens)."""
    return re.fullmatch(UUID_PATTERN, text, re.ASCII) is not None
