"""How long to wait after a failure.

Pure functions on any thread; chance is handed in.
"""

from collections.abc import Callable
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.errors import ExchangeError

BASE_DELAY: Final = 5.0
"""Seconds; upper bound of the first delay after a failure."""
MAX_DELAY: Final = 900.0
"""Seconds; the ceiling of the delay (15 minutes, Sync API §4.8)."""
MAX_RETRY_AFTER: Final = 3600.0
"""Seconds; a server that asks for more is asked again after this."""


def backoff(attempts: int, uniform: Callable[[float, float], float]) -> float:
    """Seconds to wait after `attempts` failures: full jitter below a doubling bound, at most `MAX_DELAY`."""
    bound = min(MAX_DELAY, BASE_DELAY * 2.0 ** min(max(attempts, 1) - 1, 16))
    return uniform(0.0, bound)


def delay_after(error: KnownError | None, attempts: int, uniform: Callable[[float, float], float]) -> float:
    """Seconds to wait after `attempts` failures, of which `error` is the last: never shorter than it asks for, within
    reason.
    """
    delay = backoff(attempts, uniform)
    asked = error.retry_after if isinstance(error, ExchangeError) else None
    return delay if asked is None else max(delay, min(asked, MAX_RETRY_AFTER))
