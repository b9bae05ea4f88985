"""The uses of timestamp servers in the store, so that a quota holds across starts.

Main process, by the owner of the data folder's lock, any thread.
"""

import datetime as dt

from signer_app.store import Store

_REMEMBERED = dt.timedelta(days=2)
"""Quotas are for a minute and a day."""


class StoredUses:
    """Counts in the database; as `UseCounter` of `signing.timestamps` asks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def used(self, tsa: str, since: dt.datetime) -> int:
        """How many requests were made to the server after `since`."""
        with self._store.view() as view:
            return view.levels.uses(tsa, since)

    def use(self, tsa: str, at: dt.datetime) -> None:
        """Counts one durably, before it is made; KnownError as `Store.write`."""
        self._store.write(lambda tx: tx.levels.use(tsa, at, at - _REMEMBERED))
