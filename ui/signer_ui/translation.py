"""Qt's own words (standard buttons, menus of text fields, file dialogue) from our catalogue. UI thread.

Qt ships no Vietnamese translation of them. Keys are Qt's English sources; what is not listed stays English.
"""

from PySide6.QtCore import QObject, QTranslator

from signer_ui.words import Words

_SOURCES = {
    "OK": "ui_std_ok",
    "&OK": "ui_std_ok",
    "Cancel": "ui_std_cancel",
    "&Cancel": "ui_std_cancel",
    "Close": "ui_std_close",
    "&Close": "ui_std_close",
    "Open": "ui_std_open",
    "&Open": "ui_std_open",
    "Save": "ui_std_save",
    "&Save": "ui_std_save",
    "&Yes": "ui_std_yes",
    "&No": "ui_std_no",
    "Apply": "ui_std_apply",
    "Help": "ui_std_help",
    "Discard": "ui_std_discard",
    "Reset": "ui_std_reset",
    "Retry": "ui_std_retry",
    "&Undo": "ui_std_undo",
    "&Redo": "ui_std_redo",
    "Cu&t": "ui_std_cut",
    "&Copy": "ui_std_copy",
    "&Paste": "ui_std_paste",
    "Delete": "ui_std_delete",
    "Select All": "ui_std_select_all",
    "&Step up": "ui_std_step_up",
    "Step &down": "ui_std_step_down",
    "Directory:": "ui_std_directory",
    "File &name:": "ui_std_file_name",
    "Files of type:": "ui_std_files_of_type",
    "Look in:": "ui_std_look_in",
    "&Choose": "ui_std_choose",
    "&New Folder": "ui_std_new_folder",
    "&Print": "ui_std_print",
}


class CatalogueTranslator(QTranslator):
    """Answers Qt's questions for its own words."""

    def __init__(self, words: Words, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words = words

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        """False: it has words."""
        return False

    def translate(  # noqa: D102 - as in QTranslator
        self,
        context: str,
        sourceText: str,  # noqa: N803 - Qt's name
        disambiguation: str | None = None,
        n: int = -1,
    ) -> str:
        key = _SOURCES.get(sourceText)
        return self._words(key) if key is not None else ""
