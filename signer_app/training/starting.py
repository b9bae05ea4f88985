"""How the window of the training mode is started: a process of its own, beside the real one.

Any process; starts nothing itself.
"""

import sys
from pathlib import Path

from signer_resources.messages import Lang


def window_command(real: Path, lang: Lang | None) -> list[str]:
    """The command that opens the training that belongs to the data folder `real`."""
    if getattr(sys, "frozen", False):
        own = Path(sys.executable)
        start = [str(own.with_name(f"signer-gui{own.suffix}"))]
    else:
        start = [sys.executable, "-P", "-m", "signer_ui.main"]
    return [*start, "--data-dir", str(real), *(("--lang", lang) if lang else ()), "--training"]
