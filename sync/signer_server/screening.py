"""Whether a packet may travel: it can be read, is no secret, and comes from whom it says.

Called from the server's worker threads; reads the bytes once as a stream and keeps nothing of them.
"""

from typing import IO

from signer_resources.errors import KnownError
from signer_server.problems import RefusedError
from signer_sync.contract import Commit, PacketKind, ProblemCode
from signer_sync.edxml import PacketHeader
from signer_sync.edxml_read import ReadLimits, read_packet


def screen(source: IO[bytes], org: str, limit: int) -> PacketHeader:
    """The header of a packet that `org` may send.

    RefusedError invalid-edxml, secret-refused, metadata-mismatch, unknown-receiver.
    """
    try:
        packet = read_packet(source, lambda _: _Nowhere(), ReadLimits(packet=limit))
    except KnownError as error:
        place = f"{error.params.get('reason', '')}, line {error.params.get('line', 0)}"
        raise RefusedError(ProblemCode.INVALID_EDXML, place) from error
    header = packet.header
    if packet.secret:
        raise RefusedError(ProblemCode.SECRET_REFUSED)
    if header.sender.code != org:
        raise RefusedError(ProblemCode.METADATA_MISMATCH, "From is not the sending organisation")
    if header.kind is not PacketKind.STATUS and not header.document_id:
        raise RefusedError(ProblemCode.INVALID_EDXML, "DocumentId missing")
    if not header.routed_to:
        raise RefusedError(ProblemCode.UNKNOWN_RECEIVER, "no receiver")
    return header


def check_claims(header: PacketHeader, commit: Commit) -> None:
    """RefusedError metadata-mismatch unless a commit says of its packet what the packet says itself.

    A status message goes by the DocumentId of the document it answers.
    """
    possible = {header.document_id}
    if header.kind is PacketKind.STATUS and header.response_for:
        possible.add(header.response_for[0].document_id)
    if header.kind is not commit.kind or commit.edxml_document_id not in possible:
        raise RefusedError(ProblemCode.METADATA_MISMATCH, "kind or DocumentId differ from the edXML")


class _Nowhere:
    """A sink that keeps nothing."""

    def write(self, data: bytes, /) -> None:
        """Drops `data`."""
