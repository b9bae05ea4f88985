"""The light for what is made up for after signing: how many files wait for a timestamp or for proofs, and why.

Main process, any thread; reads the database, asks nobody. Waiting is no fault: signatures stay as they are and what
was sent is not touched, so nothing here is ever worse than worth a look.
"""

from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.store.levels import LevelCounts
from signer_app.store.store import View
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError

_LOOKED_AT = 200
"""Files of which one is asked why it waits: those that were tried wait for the same."""


def levels_check(space: Workspace) -> Check:
    """How many files wait, were given up, and have got what they lacked."""
    try:
        with (space.store if space.folder.locked else space.reader).view() as view:
            counts, why = view.levels.counts(), _why(view)
    except KnownError:
        # A database that can't be read has a light of its own; before the first start there is none.
        return Check(CheckName.LEVELS, CheckState.NOT_CHECKED, "ut_levels_not_checked")
    params = {"waiting": counts.waiting, "raised": counts.raised, "given_up": counts.given_up}
    if counts.waiting and not space.settings.timestamp_servers:
        why = KnownError("level_no_tsa")
    if counts.waiting and why is not None:
        waiting = KnownError("machine_levels_waiting", **params)
        return Check(CheckName.LEVELS, CheckState.WARN, "ut_levels_waiting", params, waiting, (why,))
    return Check(CheckName.LEVELS, CheckState.GOOD, _found(counts), params)


def _why(view: View) -> KnownError | None:
    """What the last attempt with one of the files that wait came to."""
    waiting = (one for one in view.levels.listed(_LOOKED_AT) if not one.given_up)
    return next((one.error for one in waiting if one.error is not None), None)


def _found(counts: LevelCounts) -> str:
    if counts.waiting:
        return "ut_levels_waiting"
    if counts.given_up:
        return "ut_levels_given_up"
    return "ut_levels_done" if counts.raised else "ut_levels_none"
