"""The way from the real window into the training mode.

Main process, any thread; blocks for a look at the disk at most, and starts nothing itself.
"""

from signer_app.training.preparing import require_token_software
from signer_app.training.starting import window_command
from signer_app.workspace import Workspace


class TrainingDesk:
    """Training beside the data folder of this desk."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def command(self) -> list[str]:
        """What opens the window of the training mode; KnownError "training_no_softhsm"."""
        require_token_software()
        return window_command(self._space.folder.path, None)
