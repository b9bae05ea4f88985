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
    "&Look in:": "ui_std_look_in",
    "Files of &type:": "ui_std_files_of_kind",
    "&Rename": "ui_std_rename",
    "&Delete": "ui_std_delete_file",
    "Back": "ui_std_back",
    "Go back": "ui_std_back",
    "Forward": "ui_std_forward",
    "Go forward": "ui_std_forward",
    "Parent Directory": "ui_std_up",
    "Go to the parent directory": "ui_std_up",
    "Create New Folder": "ui_std_create_folder",
    "Create a New Folder": "ui_std_create_folder",
    "List View": "ui_std_list_view",
    "Change to list view mode": "ui_std_list_view",
    "Detail View": "ui_std_detail_view",
    "Change to detail view mode": "ui_std_detail_view",
    "Sidebar": "ui_std_places",
    "List of places and bookmarks": "ui_std_places",
    "Show &hidden files": "ui_std_hidden_files",
    "Find Directory": "ui_std_find_directory",
    "Save As": "ui_std_save_as",
    "All Files (*)": "ui_std_all_files",
    "Directories": "ui_std_directories",
    "Files": "ui_std_files",
    "Name": "ui_std_name",
    "Size": "ui_std_size",
    "Type": "ui_std_kind",
    "Date Modified": "ui_std_modified",
    "Computer": "ui_std_computer",
    "Drive": "ui_std_drive",
    "Folder": "ui_std_folder",
    "%1 already exists.\nDo you want to replace it?": "ui_std_replace",
    "%1\nFile not found.\nPlease verify the correct file name was given.": "ui_std_no_file",
    "%1\nDirectory not found.\nPlease verify the correct directory name was given.": "ui_std_no_directory",
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
    ) -> str | None:
        key = _SOURCES.get(sourceText)
        # None leaves Qt its own word; an empty text would take its place.
        return self._words(key) if key is not None else None
