"""The edXML packet inside an answer to `getEdoc`, taken out as it comes.

Runs on the network pool; one answer is read by one `Extraction`. Servers put the packet into the member `edxml`, as
base64 (with or without line breaks) or as it is, or they put it among the `attachments` as a file; where `edxml` is the
bare envelope, the files stand beside it and are put back into it. All of this may be large: nothing longer than a
bare envelope is held.
"""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from xml.sax.saxutils import escape

from signer_sync.contract import Retry
from signer_sync.edxml import NAMESPACE
from signer_sync.errors import ExchangeError
from signer_sync.json_strings import JsonStrings, Path, StringSink
from signer_sync.packets import BinarySink

MAX_ENVELOPE: Final = 1 << 20
"""Bytes of an `edxml` that are held until it is seen whether it brings its files itself."""
MAX_NAMES: Final = 1 << 18
"""Bytes of the names of files in one answer."""

_EDXML: Final = ("data", "edxml")
_FILE_NAME: Final = ("data", "attachments", "[]", "fileName")
_FILE: Final = ("data", "attachments", "[]", "fileContent")
_CLOSING: Final = re.compile(rb"</(?:[\w.-]+:)?edXML\s*>\s*\Z")
_WITH_FILES: Final = re.compile(rb"<(?:[\w.-]+:)?AttachmentEncoded[\s/>]")
_BLANK: Final = b" \t\r\n"
_EDXML_NAME: Final = re.compile(r"\.(?:edxml|xml)\s*\Z", re.IGNORECASE)


def content_wrong() -> ExchangeError:
    """The answer holds no packet that can be read; it is thrown away and asked for again."""
    return ExchangeError("content_wrong", retry=Retry.AFTER)


class Decoder:
    """Base64 of any line length, or text as it is, in pieces; `write` gets the decoded bytes."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._rest = b""
        self._plain: bool | None = None
        self._padded = False

    def feed(self, piece: bytes) -> None:
        """The next piece; ExchangeError content_wrong for what is neither."""
        if self._plain is None:
            piece = piece.lstrip(_BLANK)
            if not piece:
                return
            self._plain = piece.startswith((b"<", b"\xef\xbb\xbf"))
        if self._plain:
            self._write(piece)
            return
        data = self._rest + piece.translate(None, _BLANK)
        whole = len(data) - len(data) % 4
        data, self._rest = data[:whole], data[whole:]
        if not data:
            return
        if self._padded:
            raise content_wrong()
        try:
            decoded = binascii.a2b_base64(data, strict_mode=True)
        except binascii.Error as error:
            raise content_wrong() from error
        self._padded = data.endswith(b"=")
        self._write(decoded)

    def end(self) -> None:
        """No more comes; content_wrong if it was cut short."""
        if self._rest:
            raise content_wrong()


class Encoder:
    """Bytes in pieces as base64 without line breaks."""

    def __init__(self, sink: BinarySink) -> None:
        self._sink = sink
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        data = self._rest + data
        whole = len(data) - len(data) % 3
        self._rest = data[whole:]
        self._sink.write(binascii.b2a_base64(data[:whole], newline=False))

    def end(self) -> None:
        """No more comes."""
        self._sink.write(binascii.b2a_base64(self._rest, newline=False))
        self._rest = b""


class Capped:
    """A sink that refuses more than `limit` bytes with packet_too_large."""

    def __init__(self, sink: BinarySink, limit: int) -> None:
        self._sink = sink
        self._limit = limit
        self._total = 0

    def write(self, data: bytes, /) -> None:
        """Takes all of `data`."""
        self._total += len(data)
        if self._total > self._limit:
            raise ExchangeError("packet_too_large", retry=Retry.FIX, limit=self._limit)
        self._sink.write(data)


class Form(Enum):
    """How an answer brings its packet."""

    WHOLE = "whole"
    """As `edxml`, written already."""
    ENVELOPE = "envelope"
    """As `edxml`, whose files stand beside it: the answer is to be read again for them."""
    FILE = "file"
    """As one of the attachments: the answer is to be read again for it."""
    NONE = "none"


@dataclass
class Findings:
    """What a first reading of an answer found: names of attachments, the bare `envelope`, or as `file` the number
    of the attachment that is a packet.
    """

    form: Form = Form.NONE
    names: list[str] = field(default_factory=list)
    envelope: bytes = b""
    file: int | None = None


class FirstReading:
    """Reads an answer and writes the packet into `sink` if it stands there whole."""

    def __init__(self, sink: BinarySink) -> None:
        self._sink = sink
        self._names: list[bytearray] = []
        self._named = 0
        self._held = bytearray()
        self._flowing = False
        self._decoder = Decoder(self._take)
        self._begun = False
        self._files = 0
        self._json = JsonStrings(self._wanted)

    def feed(self, data: bytes) -> None:
        """The next bytes of the answer."""
        try:
            self._json.feed(data)
        except ValueError as error:
            raise content_wrong() from error

    def end(self) -> Findings:
        """What was found, when the answer is over."""
        try:
            self._json.close()
        except ValueError as error:
            raise content_wrong() from error
        self._decoder.end()
        names = [bytes(name).decode("utf-8", "replace") for name in self._names]
        found = Findings(names=names)
        if self._flowing:
            found.form = Form.WHOLE
        elif self._held:
            found.envelope = bytes(self._held)
            bare = self._files and not _WITH_FILES.search(self._held) and _CLOSING.search(self._held)
            found.form = Form.ENVELOPE if bare else Form.WHOLE
            if not bare:
                self._sink.write(found.envelope)
        elif self._files:
            likely = [number for number, name in enumerate(names) if _EDXML_NAME.search(name)]
            found.file = likely[0] if likely else (0 if self._files == 1 else None)
            found.form = Form.NONE if found.file is None else Form.FILE
        return found

    def _wanted(self, path: Path) -> StringSink | None:
        if path == _EDXML:
            if self._begun:
                raise ValueError("two packets")
            self._begun = True
            return self._decoder.feed
        if path == _FILE_NAME:
            self._names.append(bytearray())
            return self._name
        if path == _FILE:
            self._files += 1
        return None

    def _name(self, piece: bytes) -> None:
        self._named += len(piece)
        if self._named > MAX_NAMES:
            raise ValueError("too many names of files")
        self._names[-1] += piece

    def _take(self, decoded: bytes) -> None:
        if self._flowing:
            self._sink.write(decoded)
            return
        self._held += decoded
        if len(self._held) > MAX_ENVELOPE:
            self._flowing = True
            self._sink.write(bytes(self._held))
            self._held = bytearray()


class SecondReading:
    """Reads the same answer again for what stands among its attachments, as a first reading found it."""

    def __init__(self, found: Findings, sink: BinarySink) -> None:
        self._found = found
        self._sink = sink
        self._number = -1
        self._decoder: Decoder | None = None
        self._encoder = Encoder(sink)
        self._json = JsonStrings(self._wanted)
        self._closing = b""
        if found.form is Form.ENVELOPE:
            end = _CLOSING.search(found.envelope)
            assert end is not None
            self._closing = found.envelope[end.start() :]
            sink.write(found.envelope[: end.start()])
            sink.write(f'<AttachmentEncoded xmlns="{NAMESPACE}">'.encode())

    def feed(self, data: bytes) -> None:
        """The next bytes of the answer."""
        try:
            self._json.feed(data)
        except ValueError as error:
            raise content_wrong() from error

    def end(self) -> None:
        """The answer is over; ExchangeError content_wrong if it was another one than the first time."""
        try:
            self._json.close()
        except ValueError as error:
            raise content_wrong() from error
        self._end_file()
        if self._found.form is Form.ENVELOPE:
            self._sink.write(b"</AttachmentEncoded>" + self._closing)
        elif self._number < (self._found.file or 0):
            raise content_wrong()

    def _wanted(self, path: Path) -> StringSink | None:
        if path != _FILE:
            return None
        self._end_file()
        self._number += 1
        if self._found.form is Form.ENVELOPE:
            names = self._found.names
            name = names[self._number] if self._number < len(names) else ""
            start = f"<Attachment><AttachmentName>{escape(_printable(name))}</AttachmentName><ContentTransferEncoded>"
            self._sink.write(start.encode())
            # Decoded and encoded anew, so that nothing but base64 can get into the packet.
            self._decoder = Decoder(self._encoder.feed)
            return self._decoder.feed
        if self._number == self._found.file:
            self._decoder = Decoder(self._write)
            return self._decoder.feed
        return None

    def _write(self, data: bytes) -> None:
        self._sink.write(data)

    def _end_file(self) -> None:
        if self._decoder is None:
            return
        self._decoder.end()
        self._decoder = None
        if self._found.form is Form.ENVELOPE:
            self._encoder.end()
            self._sink.write(b"</ContentTransferEncoded></Attachment>")


def _printable(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:300]
