"""Reads edXML packets made by anybody: streaming, namespace-aware, and distrustful.

Runs on any thread. No DTD, no entity, no external reference is ever looked at; depth, number of elements,
length of texts and bytes are capped. Attachments go to sinks that the caller gives by number; declared
names are handed back as plain text and never touch a file system. Order of children and prefixes do not
matter (only the namespace does). Two faults that real packets have are overlooked, for reading only, and told as
doubts: stray bytes before `<?xml`, and a prefix that is declared nowhere.
"""

import binascii
import codecs
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final
from xml.parsers import expat

from signer_resources.errors import KnownError
from signer_sync.edxml import NAMESPACE, Doubt, PacketHeader, ReadAttachment, ReadPacket, invalid
from signer_sync.edxml_facts import Node, header_facts
from signer_sync.packets import BinarySink
from signer_sync.secrecy import field_is_secret

_FEED: Final = 1 << 16
_MAX_TOKEN: Final = 1 << 20
"""Bytes of one tag, comment or the like; expat looks at an unfinished one again with every block."""
_STRAY: Final = 4096
"""So many bytes before `<?xml` are skipped at most."""
_DECLARATION: Final = b"<?xml"
_SCOPE: Final = 64
"""Prefixes that may be declared at one place."""
_KNOWN: Final = {"edXML": NAMESPACE}
"""What an undeclared prefix is taken for; any other leads into a namespace of its own."""
_UNKNOWN: Final = "undeclared:"


@dataclass(frozen=True)
class ReadLimits:
    """Caps: packet in bytes, texts of the header in characters, nesting, elements, attachments."""

    packet: int = 1 << 30
    text: int = 1 << 16
    header_text: int = 1 << 21
    depth: int = 24
    elements: int = 20_000
    attachments: int = 500


SinkFor = Callable[[int], BinarySink]
"""Gives the sink for the attachment with this number, counted from 0 in the order of the packet."""


def read_header(source: IO[bytes], limits: ReadLimits = ReadLimits(), *, strict: bool = False) -> PacketHeader:
    """What the packet says of itself; reads no further than the end of the envelope.

    KnownError edxml_invalid with reason and line if it cannot be read so far. `strict`: nothing is overlooked.
    """
    reader = _Reader(limits, lambda _: _Nowhere(), envelope_only=True, strict=strict)
    reader.run(source)
    return header_facts(reader.root, reader.repairs)


def read_packet(
    source: IO[bytes],
    sink_for: SinkFor,
    limits: ReadLimits = ReadLimits(),
    *,
    strict: bool = False,
) -> ReadPacket:
    """Reads a packet to its end and writes each attachment, decoded, into the sink for its number.

    KnownError edxml_invalid if anything is amiss; the sinks then hold what came before and are to be
    thrown away. `strict`: nothing is overlooked.
    """
    reader = _Reader(limits, sink_for, strict=strict)
    reader.run(source)
    return ReadPacket(header_facts(reader.root, reader.repairs), tuple(item.finish() for item in reader.attachments))


class _Nowhere:
    """A sink that keeps nothing."""

    def write(self, data: bytes, /) -> None:
        """Drops `data`."""


class _EnvelopeRead(Exception):  # noqa: N818 - no error: ends the parser early
    pass


@dataclass
class _Attachment:
    """An attachment while it is read; base64 arrives in pieces of any length."""

    sink: BinarySink
    line: int
    facts: dict[str, str] = field(default_factory=dict)
    rest: bytes = b""
    padded: bool = False
    contents: int = 0
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def feed(self, text: str, line: int) -> None:
        data = self.rest + "".join(text.split()).encode("ascii", "replace")
        whole = len(data) - len(data) % 4
        self.rest = data[whole:]
        if whole:
            self._decode(data[:whole], line)

    def _decode(self, data: bytes, line: int) -> None:
        if self.padded:
            raise invalid("base64 goes on after its end", line)
        try:
            decoded = binascii.a2b_base64(data, strict_mode=True)
        except binascii.Error as error:
            raise invalid("not base64", line) from error
        self.padded = data.endswith(b"=")
        self.size += len(decoded)
        self.digest.update(decoded)
        self.sink.write(decoded)

    def end_of_content(self, line: int) -> None:
        if self.rest:
            raise invalid("base64 cut short", line)

    def finish(self) -> ReadAttachment:
        return ReadAttachment(
            content_id=self.facts.get("ContentId", ""),
            name=self.facts.get("AttachmentName", ""),
            description=self.facts.get("Description", ""),
            content_type=self.facts.get("ContentType", ""),
            size=self.size,
            sha256=self.digest.hexdigest(),
            marked=any(field_is_secret(name, text) for name, text in self.facts.items()),
        )


class _Reader:
    """Builds a small tree of the envelope and streams the attachments past it."""

    def __init__(
        self, limits: ReadLimits, sink_for: SinkFor, *, envelope_only: bool = False, strict: bool = False
    ) -> None:
        self._limits = limits
        self._sink_for = sink_for
        self._envelope_only = envelope_only
        self._strict = strict
        self.repairs: dict[Doubt, None] = {}
        self.root = Node("", "", 0)
        self.attachments: list[_Attachment] = []
        self._open: list[Node] = [self.root]
        self._path: list[str] = []
        self._scopes: list[dict[str, str]] = [{"": "", "xml": "http://www.w3.org/XML/1998/namespace"}]
        self._elements = 0
        self._characters = 0
        self._attachment: _Attachment | None = None
        self._in_content = False
        # Prefixes are resolved here and not by expat, which gives up at one that is not declared.
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = _FEED
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype
        parser.ExternalEntityRefHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def run(self, source: IO[bytes]) -> None:
        total = 0
        try:
            for chunk in self._chunks(source):
                total += len(chunk)
                if total > self._limits.packet:
                    raise self._invalid("too large")
                self._parser.Parse(chunk, False)
                if total - self._parser.CurrentByteIndex > _MAX_TOKEN:
                    raise self._invalid("tag too long")
            self._parser.Parse(b"", True)
        except _EnvelopeRead:
            return
        except expat.ExpatError as error:
            raise invalid(expat.errors.messages.get(error.code, "not well-formed"), error.lineno) from error
        except (UnicodeError, LookupError, ValueError) as error:
            raise self._invalid("encoding") from error

    def _chunks(self, source: IO[bytes]) -> Iterator[bytes]:
        """The packet from `<?xml` on; what stands before it is no part of any XML."""
        start = b""
        while len(start) < _STRAY + len(_DECLARATION) and (chunk := source.read(_FEED)):
            start += chunk
        at = start.find(_DECLARATION, 0, _STRAY + len(_DECLARATION))
        before = start[: max(at, 0)]
        if before and before != codecs.BOM_UTF8 and b"<" not in before:
            self._overlook(Doubt.STRAY_BYTES, "stray bytes before <?xml")
            start = start[at:]
        if start:
            yield start
        while chunk := source.read(_FEED):
            yield chunk

    def _overlook(self, doubt: Doubt, reason: str) -> None:
        if self._strict:
            raise self._invalid(reason)
        self.repairs[doubt] = None

    def _invalid(self, reason: str) -> KnownError:
        return invalid(reason, self._parser.CurrentLineNumber)

    def _doctype(self, *_: object) -> int:
        raise self._invalid("DOCTYPE or entity")

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._path) >= self._limits.depth:
            raise self._invalid("nested too deeply")
        if self._elements > self._limits.elements:
            raise self._invalid("too many elements")
        self._scopes.append(self._scope(attributes))
        namespace, name = self._resolve(qualified)
        for attribute in attributes:
            if ":" in attribute and not attribute.startswith("xmlns:"):
                self._resolve(attribute)
        if not self._path and (namespace, name) != (NAMESPACE, "edXML"):
            raise self._invalid("not an edXML packet")
        path = [*self._path, name if namespace == NAMESPACE else f"{{}}{name}"]
        if self._in_content:
            raise self._invalid("element inside an attachment's content")
        self._path = path
        if path[1:] == ["AttachmentEncoded", "Attachment"]:
            self._begin_attachment()
        elif self._attachment is not None:
            if path[3:] == ["ContentTransferEncoded"]:
                self._attachment.contents += 1
                if self._attachment.contents > 1:
                    raise self._invalid("two contents in one attachment")
                self._in_content = True
            self._open.append(Node(name, namespace, self._parser.CurrentLineNumber))
        else:
            node = Node(name, namespace, self._parser.CurrentLineNumber)
            self._open[-1].children.append(node)
            self._open.append(node)

    def _scope(self, attributes: dict[str, str]) -> dict[str, str]:
        """The prefixes that are declared inside an element (Namespaces in XML 1.0 §6)."""
        declared = {name[6:]: uri for name, uri in attributes.items() if name == "xmlns" or name.startswith("xmlns:")}
        if not declared:
            return self._scopes[-1]
        scope = {**self._scopes[-1], **declared}
        if len(scope) > _SCOPE:
            raise self._invalid("too many prefixes")
        return scope

    def _resolve(self, qualified: str) -> tuple[str, str]:
        """Namespace and local name."""
        prefix, _, name = qualified.rpartition(":")
        namespace = self._scopes[-1].get(prefix)
        if namespace is None:
            self._overlook(Doubt.UNDECLARED_PREFIX, "unbound prefix")
            namespace = _KNOWN.get(prefix, _UNKNOWN + prefix)
        return namespace, name

    def _begin_attachment(self) -> None:
        if len(self.attachments) >= self._limits.attachments:
            raise self._invalid("too many attachments")
        self._attachment = _Attachment(self._sink_for(len(self.attachments)), self._parser.CurrentLineNumber)
        self.attachments.append(self._attachment)

    def _end(self, _: str) -> None:
        path, self._path = self._path, self._path[:-1]
        self._scopes.pop()
        if path[1:] == ["AttachmentEncoded", "Attachment"]:
            if self._attachment is not None and self._attachment.contents == 0:
                raise self._invalid("attachment without content")
            self._attachment = None
            return
        node = self._open.pop()
        if self._attachment is not None:
            if self._in_content:
                self._attachment.end_of_content(self._parser.CurrentLineNumber)
                self._in_content = False
            elif len(path) == 4 and node.namespace == NAMESPACE:
                if node.name in self._attachment.facts:
                    raise self._invalid(f"two {node.name} in one attachment")
                self._attachment.facts[node.name] = node.text.strip()
        elif path[1:] == ["edXMLEnvelope"] and self._envelope_only:
            raise _EnvelopeRead

    def _text(self, text: str) -> None:
        if self._attachment is not None and self._in_content:
            self._attachment.feed(text, self._parser.CurrentLineNumber)
            return
        if not self._open[-1].pieces and not text.strip():
            return
        self._characters += len(text)
        node = self._open[-1]
        node.length += len(text)
        if node.length > self._limits.text or self._characters > self._limits.header_text:
            raise self._invalid("text too long")
        node.pieces.append(text)
