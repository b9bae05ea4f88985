"""The states of a document that goes out, in the words that clerks use.

Pure; loads no Qt.
"""

import datetime as dt

from signer_app.store.model import OutboxState
from signer_resources.errors import KnownError
from signer_resources.messages import Explanation
from signer_ui.glow import Glow
from signer_ui.presenters.figures import time_of
from signer_ui.words import Words

_UNKNOWN = frozenset({"outcome_unknown", "server_answer_wrong", "receipt_wrong"})
"""After these nobody knows whether the server has the packet; the same one goes again."""

_GLOWS = {
    OutboxState.ACCEPTED: Glow.GOOD,
    OutboxState.FORWARDED: Glow.GOOD,
    OutboxState.PARTIALLY: Glow.GOOD,
    OutboxState.DELIVERED: Glow.GOOD,
    OutboxState.FAILED: Glow.BAD,
    OutboxState.NEEDS_PERSON: Glow.BAD,
}


def state_words(
    state: OutboxState, accepted_at: dt.datetime | None, error_code: str | None, now: dt.datetime, words: Words
) -> str:
    """Where the packet is; only the server's receipt counts as sent."""
    match state:
        case OutboxState.ACCEPTED | OutboxState.FORWARDED if accepted_at is not None:
            return words("ut_sent_received", time=time_of(accepted_at, now))
        case OutboxState.PARTIALLY if accepted_at is not None:
            return words("ut_sent_partially", time=time_of(accepted_at, now))
        case OutboxState.RETRYING if error_code in _UNKNOWN:
            return words("ut_sent_unknown")
        case OutboxState.RETRYING:
            return words("outbox_queued")
        case OutboxState.NEEDS_PERSON:
            return words("ut_sent_needs_person")
    return words(f"outbox_{state}")


def state_glow(state: OutboxState, error_code: str | None) -> Glow:
    """How that stands."""
    if state is OutboxState.RETRYING and error_code is not None:
        return Glow.WARN
    return _GLOWS.get(state, Glow.OFF)


def error_words(error: KnownError | None, words: Words) -> str:
    """What hinders it, why, and what to do; empty where nothing does."""
    return str(explained(error, words)) if error is not None else ""


def explained(error: KnownError, words: Words) -> Explanation:
    """An error that was kept, in words. An older version may have kept less than its sentences ask for by now: dots
    stand for that, and a code that is no longer known stands for itself.
    """
    params = dict(error.params)
    while True:
        try:
            return words.explain(KnownError(error.code, **params))
        except KeyError as missing:
            gap = str(missing.args[0])
            if gap == error.code or gap in params:
                return Explanation(error.code, "", "")
            params[gap] = "…"
