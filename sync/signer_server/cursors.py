"""Cursors: places in a feed or in the directory, opaque to clients and sealed by the server.

Pure functions over a key. The seal makes a cursor that lies behind the end of a feed a proof: this server has given it
out and lost what was there, so its state was put back from a copy.
"""

import base64
import hashlib
import hmac

from signer_server.problems import RefusedError
from signer_sync.contract import ProblemCode

_SEAL = 16
"""Hexadecimal digits of the seal."""


def make_cursor(key: str, epoch: str, place: str, number: int) -> str:
    """Number `number` of `place` (an organisation's feed, the directory) within an epoch."""
    body = f"{epoch}:{number}"
    return base64.urlsafe_b64encode(f"{body}:{_seal(key, place, body)}".encode("ascii")).rstrip(b"=").decode("ascii")


def read_cursor(key: str, epoch: str, place: str, cursor: str) -> int:
    """The number inside; RefusedError epoch-changed for one of another epoch, bad-request for anything else."""
    wrong = RefusedError(ProblemCode.BAD_REQUEST, "cursor")
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        given, number, *seal = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(":")
        position = int(number)
    except ValueError as error:
        raise wrong from error
    if not 0 <= position < 1 << 62:
        raise wrong
    if given != epoch or not seal:  # without a seal: from before there were any
        raise RefusedError(ProblemCode.EPOCH_CHANGED)
    if len(seal) != 1 or not hmac.compare_digest(seal[0], _seal(key, place, f"{given}:{number}")):
        raise wrong
    return position


def _seal(key: str, place: str, body: str) -> str:
    return hmac.new(key.encode(), f"cursor:{place}:{body}".encode(), hashlib.sha256).hexdigest()[:_SEAL]
