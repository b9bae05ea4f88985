"""What the window must know before its first paint: which data folder, which language, light or dark.

Loads nothing but the standard library: the typed settings, the store and all that hangs on them come after the paint.
What can't be read here is no error; the settings say so when they are loaded.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from signer_resources.messages import Lang

_LARGEST = 4 << 20
_BESIDE = "-tap-duot"


@dataclass(frozen=True)
class Looks:
    """Language and looks of the window; `known` is False where no settings were read."""

    language: Lang = "vi"
    dark: bool = False
    known: bool = False


def default_data_folder() -> Path:
    """Where the data lies when nobody named another place; not created."""
    import platformdirs

    return Path(platformdirs.user_data_path("Signer", appauthor=False))


def training_folder(real: Path) -> Path:
    """The folder of the training mode that belongs to the data folder `real`, beside it; itself where it is one."""
    real = real.absolute()
    return real if real.name.endswith(_BESIDE) else real.with_name(f"{real.name}{_BESIDE}")


def is_training(folder: Path) -> bool:
    """Whether this data folder is one of the training mode."""
    return (folder / "training.json").is_file()


def read_looks(folder: Path) -> Looks:
    """The looks set in the data folder `folder`, the defaults where there are none."""
    try:
        with (folder / "settings.json").open("rb") as stream:
            found = json.loads(stream.read(_LARGEST))
    except (OSError, ValueError):
        return Looks()
    if not isinstance(found, dict):
        return Looks()
    return Looks("en" if found.get("language") == "en" else "vi", found.get("theme") == "dark", known=True)
