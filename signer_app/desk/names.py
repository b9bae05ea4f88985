"""Names of organisations by their codes, as lists need them: the directory's file read once, looked up at once.

Main process, any thread. The file is read again when it has changed; a code that nobody knows stands for itself.
"""

import threading
from collections.abc import Mapping
from pathlib import Path

from signer_app.exchange.directory import load_directory


class Names:
    """The directory of organisations in the data folder's `cache`."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._guard = threading.Lock()
        self._changed_at: int | None = None
        self._names: Mapping[str, str] = {}

    def all(self) -> Mapping[str, str]:
        """Code → name, as the directory stands now."""
        with self._guard:
            try:
                changed_at = (self._cache / "organisations.json").stat().st_mtime_ns
            except OSError:
                changed_at = None
            if changed_at != self._changed_at:
                self._names = {known.code: known.name for known in load_directory(self._cache).organisations}
                self._changed_at = changed_at
            return self._names
