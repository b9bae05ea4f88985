"""Looks for secrecy marks in a packet that came, in memory, before anything of it is kept.

Main process; PDFs are read by workers, which get the bytes over their pipe and write nothing. What the packet says of
itself counts, and so does a mark on a page of any PDF in it.
"""

import io

from signer_app.tasks import ScreenBytes
from signer_app.workers import Workers
from signer_resources.errors import KnownError
from signer_sync.contract import FeedItem
from signer_sync.edxml_read import read_packet
from signer_sync.packets import BinarySink

_PDF = b"%PDF-"
_HEADER_ROOM = 1024
"""A PDF's header may stand behind some bytes of junk (ISO 32000-1, annex H.3)."""


class IncomingScreen:
    """Called with each packet of the feed; True for a secret one."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def __call__(self, item: FeedItem, data: bytes) -> bool:
        """Whether the packet is secret. One that nobody can read shows no mark; it is kept for its sender's sake."""
        sinks: list[io.BytesIO] = []

        def sink_for(_number: int) -> BinarySink:
            sinks.append(io.BytesIO())
            return sinks[-1]

        try:
            packet = read_packet(io.BytesIO(data), sink_for)
        except KnownError:
            return False
        if packet.header.secret:
            return True
        return any(
            self._workers.screen_bytes(ScreenBytes(sink.getvalue(), attachment.name)).screened.secret
            for attachment, sink in zip(packet.attachments, sinks, strict=True)
            if _PDF in sink.getvalue()[:_HEADER_ROOM]
        )
