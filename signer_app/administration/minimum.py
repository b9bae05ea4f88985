"""The oldest version of the program that an administrator lets sign and send.

Pure; any thread. An older program still shows, verifies, prints and exports: nobody is shut out of their documents.
"""

import importlib.metadata

from signer_app.store.settings import Settings
from signer_app.updates.releases import numbers
from signer_resources.errors import KnownError


def program_version() -> str:
    """The version of this program."""
    return importlib.metadata.version("signer")


def require_version(settings: Settings, version: str | None = None) -> None:
    """KnownError "program_too_old" where this program (or `version`) is older than the settings allow."""
    minimum = settings.updates.minimum_version
    mine = version if version is not None else program_version()
    if minimum is not None and numbers(mine) < numbers(minimum):
        raise KnownError("program_too_old", version=mine, minimum=minimum)
