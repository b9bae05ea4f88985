"""The letters of the training mode: samples without a year in ô 4, made by `resources/tools/build_training.py`.

Read by the training mode, any process, any thread. Their facts are those of the samples.
"""

from pathlib import Path

import signer_resources

LETTERS = ("quyet-dinh", "cong-van", "to-trinh")
"""The samples (by id) that are laid ready."""


def file(name: str) -> Path:
    """Where the training letter `name` ("cong-van.pdf") lies; FileNotFoundError if there is none."""
    return signer_resources.path(f"training/{name}")
