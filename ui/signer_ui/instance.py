"""The door of the one window: takes what later starts and commands hand over (`signer_app.handover`). UI thread.

Only this user may connect. What comes is capped and checked, one wish a connection, and who is silent or slow is shown
out; paths are taken as the user's own wish, as if they had been dropped on the window.
"""

import json
import os
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from signer_app.handover import LARGEST, MOST_FILES, TAKEN, Wish, address, make_pipe_name

MOST_GUESTS = 64
"""Connections that are listened to at once; who comes later is told nothing and asks again or gives up."""
PATIENCE_MS = 5_000
"""A guest that has not said its wish by then is shown out."""


class Door(QObject):
    """Listens while it is open. Open it only while holding the data folder's lock."""

    knocked = Signal(object, object)
    """A `Wish`, and paths (list of str), perhaps none; as they are, for Qt's own texts can't hold every file's name."""

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)
        self.open = self._listen(folder)
        """False where the system gives no socket: the window works, only later starts say that the folder is busy."""

    def close(self) -> None:
        """Takes nothing more, also from those who are speaking."""
        self._server.close()
        for guest in self._guests():
            guest.show_out()

    def _listen(self, folder: Path) -> bool:
        try:
            place = make_pipe_name(folder) if sys.platform == "win32" else address(folder)
        except OSError:
            return False
        if place is None:
            return False
        # Nobody else can be behind this address now, for we hold the lock; a killed window leaves its socket.
        QLocalServer.removeServer(place)
        return self._server.listen(place)

    def _guests(self) -> list["_Guest"]:
        return self.findChildren(_Guest)

    def _connected(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            crowded = len(self._guests()) >= MOST_GUESTS
            guest = _Guest(socket, self)
            if crowded:
                guest.show_out()
                continue
            guest.said.connect(self.knocked)
            guest.listen()


class _Guest(QObject):
    """One connection, to its line's end."""

    said = Signal(object, object)

    def __init__(self, socket: QLocalSocket, parent: QObject) -> None:
        super().__init__(parent)
        self._socket = socket
        self._heard = bytearray()
        self._answered = False
        socket.setParent(self)
        socket.readyRead.connect(self.listen)
        socket.disconnected.connect(self.deleteLater)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self.show_out)
        self._patience.start(PATIENCE_MS)

    def listen(self) -> None:
        """Reads what has come so far."""
        came = self._socket.readAll().data()
        if self._answered:
            return
        self._heard += came
        end = self._heard.find(b"\n", len(self._heard) - len(came))
        if end < 0:
            if len(self._heard) > LARGEST:
                self.show_out()
            return
        wish = _wish(bytes(self._heard[:end]))
        self._answered = True
        self._heard.clear()
        if wish is None:
            self.show_out()
            return
        self._socket.write(TAKEN)
        self._socket.flush()
        self.said.emit(*wish)

    def show_out(self) -> None:
        """Ends the connection; nothing that it says is heard any more."""
        self._answered = True
        self._socket.abort()
        self.deleteLater()


def _wish(line: bytes) -> tuple[Wish, list[str]] | None:
    """What the line asks for; None for anything that is not exactly a wish."""
    try:
        message = json.loads(line)
        wish, files = Wish(message["wish"]), message["files"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    if not isinstance(files, list) or len(files) > MOST_FILES:
        return None
    # Absolute, for the asking side has another working folder.
    if not all(isinstance(file, str) and "\0" not in file and os.path.isabs(file) for file in files):  # noqa: PTH117
        return None
    return wish, files
