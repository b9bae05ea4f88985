"""Packets that are taken apart to be looked at before they are filed: few, bounded, and gone with the workspace.

Main process, any thread; everything blocks. A packet is taken apart into `work`, under names made of hashes: what a
sender calls a file is text to be shown and never a path.
"""

import shutil
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import IO

from signer_app.desk.incoming_model import IncomingFile, OpenedPacket
from signer_app.store.durable import disk_errors
from signer_app.workspace import Workspace
from signer_sync.edxml_attachments import FileKind, UnwrappedFile, open_packet

_KEPT = 8
"""Packets that stay taken apart."""
_BLOCK = 1 << 20


class TakenApart:
    """The packets of one workspace that are open."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._guard = threading.Lock()
        self._opened: OrderedDict[str, OpenedPacket] = OrderedDict()
        space.on_close(self._forget_all)

    def open(self, row_id: str, sha256: str) -> OpenedPacket:
        """The packet taken apart; at once if it still is. KnownError `edxml_invalid`, `blob_damaged`, `disk_full`,
        `data_folder_unwritable`.
        """
        with self._guard:
            known = self._opened.get(sha256)
            if known is not None and all(file.path.is_file() for file in known.files):
                self._opened.move_to_end(sha256)
                return known
            opened = self._take_apart(row_id, sha256)
            self._opened[sha256] = opened
            while len(self._opened) > _KEPT:
                shutil.rmtree(self._opened.popitem(last=False)[1].folder, ignore_errors=True)
            return opened

    def _take_apart(self, row_id: str, sha256: str) -> OpenedPacket:
        blobs, work = self._space.store.blobs, self._space.folder.work
        blobs.size(sha256)  # "blob_damaged" if it is gone
        with disk_errors(work, "data_folder_unwritable"):
            folder = Path(tempfile.mkdtemp(prefix="incoming-", dir=work))

            def spool() -> IO[bytes]:
                return tempfile.TemporaryFile(dir=folder)

            try:
                with blobs.path(sha256).open("rb") as stream, open_packet(stream, spool) as packet:
                    files = tuple(_kept(folder, file) for file in packet.files)
                    return OpenedPacket(row_id, packet.packet.header, files, folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def _forget_all(self) -> None:
        with self._guard:
            for opened in self._opened.values():
                shutil.rmtree(opened.folder, ignore_errors=True)
            self._opened.clear()


def _kept(folder: Path, file: UnwrappedFile) -> IncomingFile:
    is_pdf = file.kind is FileKind.PDF
    target = folder / f"{file.sha256}.{'pdf' if is_pdf else 'bin'}"
    target.touch(mode=0o600)
    with target.open("wb") as out:
        file.stream.seek(0)
        while block := file.stream.read(_BLOCK):
            out.write(block)
    return IncomingFile(file.name, file.size, file.sha256, is_pdf, target)
