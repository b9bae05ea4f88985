"""What was dropped: the paths of local files and folders.

UI thread.
"""

from PySide6.QtCore import QMimeData


def local_paths(data: QMimeData) -> list[str]:
    """Files and folders of this machine; what lies elsewhere is no file to us."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
