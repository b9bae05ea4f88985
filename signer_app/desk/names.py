"""Names of organisations by their codes, as lists need them: looked up at once, read again when they have changed.

Main process, any thread. A code that nobody knows stands for itself.
"""

from collections.abc import Mapping
from pathlib import Path

from signer_app.exchange.directory import load_directory


class Names:
    """The directory of organisations of the data folder whose `cache` this is."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def all(self) -> Mapping[str, str]:
        """Code → name, as the directory stands now; the very same mapping while nothing has changed."""
        return load_directory(self._cache).names
