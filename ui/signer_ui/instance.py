"""The door of the one window: takes what later starts and commands hand over (`signer_app.handover`). UI thread.

Only this user may connect. What comes is capped and checked; paths are taken as the user's own wish, as if they had
been dropped on the window.
"""

import json
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from signer_app.handover import LARGEST, MOST_FILES, TAKEN, Wish, address


class Door(QObject):
    """Listens while it is open. Open it only while holding the data folder's lock."""

    knocked = Signal(str, list)
    """A `Wish`, and paths (list of str), perhaps none."""

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)
        place = address(folder)
        # Nobody else can be behind this address now, for we hold the lock; a killed window leaves its socket.
        QLocalServer.removeServer(place)
        self.open = self._server.listen(place)
        """False where the system gives no socket: the window works, only later starts say that the folder is busy."""

    def close(self) -> None:
        """Takes nothing more."""
        self._server.close()

    def _connected(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            guest = _Guest(socket, self)
            guest.said.connect(self.knocked)
            guest.listen()


class _Guest(QObject):
    """One connection, to its line's end."""

    said = Signal(str, list)

    def __init__(self, socket: QLocalSocket, parent: QObject) -> None:
        super().__init__(parent)
        self._socket = socket
        self._heard = b""
        socket.setParent(self)
        socket.readyRead.connect(self.listen)
        socket.disconnected.connect(self.deleteLater)

    def listen(self) -> None:
        """Reads what has come so far."""
        self._heard += bytes(self._socket.readAll().data())
        line, end, _rest = self._heard.partition(b"\n")
        if not end:
            if len(self._heard) > LARGEST:
                self._socket.abort()
            return
        self._heard = b""
        wish = _wish(line)
        if wish is None:
            self._socket.abort()
            return
        self._socket.write(TAKEN)
        self._socket.flush()
        self.said.emit(*wish)


def _wish(line: bytes) -> tuple[Wish, list[str]] | None:
    """What the line asks for; None for anything that is not exactly a wish."""
    try:
        message = json.loads(line)
        wish, files = Wish(message["wish"]), message["files"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    if not isinstance(files, list) or len(files) > MOST_FILES or not all(isinstance(f, str) for f in files):
        return None
    return wish, files
