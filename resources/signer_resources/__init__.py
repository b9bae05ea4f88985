"""What every room may read and none may change: messages, rule profiles, fonts, images, schemas, sample letters.

Imports nothing of ours. Files are found through `path()`, so that an installed or frozen program finds them too.
"""

from pathlib import Path

_ROOT = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """Where the resource `name` ("fonts/SignerSerif-Regular.ttf") lies; FileNotFoundError if there is none."""
    found = _ROOT / name
    if not found.exists():
        raise FileNotFoundError(f"no resource {name!r}")
    return found
