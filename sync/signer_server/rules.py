"""What whoever runs the server decides: who it is, whom it lets in, how much it takes and for how long.

Plain values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer_server.enrolment import Organisation, TrustedRoots
from signer_sync import jws
from signer_sync.contract import Org


@dataclass(frozen=True)
class ServerIdentity:
    """The organisation certificate that signs the server's answers: chain in DER, leaf first, and its key."""

    server_id: str
    chain_der: tuple[bytes, ...]
    key: jws.PrivateKey

    def __repr__(self) -> str:
        return f"ServerIdentity({self.server_id!r})"

    @classmethod
    def of(cls, server_id: str, chain: Sequence[x509.Certificate], key: jws.PrivateKey) -> "ServerIdentity":
        """From loaded certificates."""
        return cls(server_id, tuple(item.public_bytes(Encoding.DER) for item in chain), key)


@dataclass(frozen=True)
class Register:
    """A register of numbers that the server keeps for `org`; `id` is a UUID.

    `notation` is what follows the number, with "{type}" for the kind of document ("{type}-UBND").
    """

    org: str
    id: str
    name: str
    notation: str


@dataclass(frozen=True)
class ServerRules:
    """What the server allows: whom, how much (bytes of unencoded edXML), for how long (seconds)."""

    organisations: tuple[Organisation, ...]
    roots: TrustedRoots
    registers: tuple[Register, ...] = ()
    max_inline: int = 512 << 10
    """Largest packet in one request; it is held in memory."""
    max_packet: int = 512 << 20
    """Largest packet at all; those above `max_inline` come as uploads."""
    bearer_seconds: int = 900
    upload_seconds: int = 7 * 86400
    """How long an upload waits for its next byte."""
    lease_seconds: int = 30 * 86400
    """How long the only writer of a register may be away (a commune without network)."""
    min_client: str = "0.1.0"
    """Oldest version of our own client that is served; others aren't asked for their version."""
    requests_per_minute: int | None = 6000
    """Of one machine; the answer to something that the server has already is never counted."""
    bodies_at_once: int = 16
    """Packets that one machine may be sending at the same time."""
    quota: int | None = None
    """Bytes that one organisation may have sent; None: no limit."""
    reserve: int = 64 << 20
    """Bytes that must stay free on the disk."""
    idle_seconds: float = 30.0
    """Longest wait for the next byte of a request."""
    keep_seconds: int = 75
    """How long a connection may rest between two requests. Not the pace at which clients look (5): a request and the
    closing of its connection would meet on the way, and the client would take the server for gone.
    """
    slowest: int = 1024
    """Bytes per second below which a packet in one request is given up (its memory is wanted by others)."""
    max_connections: int = 500

    def directory(self) -> tuple[Org, ...]:
        """The organisations as the contract tells them."""
        return tuple(
            Org(
                code=item.code,
                name=item.name,
                parent=item.parent,
                active=item.active,
                valid_from=item.valid_from,
                replaced_by=item.replaced_by,
                channels=item.channels,
            )
            for item in self.organisations
        )
