"""The folders of the settings as a form: where documents come from by themselves, and where signed copies go.

Plain values, no screen; whether a folder is there is asked by who is given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from signer_app.store.settings import Settings
from signer_ui.presenters.settings import Change, Field, Problem


@dataclass(frozen=True)
class FoldersForm:
    """Empty: none."""

    inbox: str = ""
    output: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "FoldersForm":
        """As they are set."""
        return cls(settings.inbox_folder or "", settings.output_folder or "")

    def problems(self, is_folder: Callable[[Path], bool]) -> tuple[Problem, ...]:
        """A folder that isn't there; and the same one for both: what was signed would come again."""
        inbox, output = self.inbox.strip(), self.output.strip()
        found = [
            Problem(field, "ul_folder_missing")
            for field, typed in ((Field.INBOX_FOLDER, inbox), (Field.OUTPUT_FOLDER, output))
            if typed and not (Path(typed).is_absolute() and is_folder(Path(typed)))
        ]
        if inbox and output and not found and Path(output).is_relative_to(Path(inbox)):
            found.append(Problem(Field.OUTPUT_FOLDER, "ul_folder_within"))
        return tuple(found)

    def change(self) -> Change:
        """These, and nothing else of the settings."""
        inbox, output = self.inbox.strip() or None, self.output.strip() or None
        return lambda settings: msgspec.structs.replace(settings, inbox_folder=inbox, output_folder=output)
