"""What the administrator of a running server may do; each call is durable when it returns.

Called from any thread but the server's own. A gateway to the national axis uses the same calls to tell how far it got.
"""

from collections.abc import Callable, Iterable, Sequence

from signer_server.context import Context
from signer_server.registers import BookEntry
from signer_server.rules import Register
from signer_sync.contract import FeedType, Org, RegisterOffer


class Admin:
    """The administrator's side of a server; `wake` ends the waiting of organisations that have something to read."""

    def __init__(self, context: Context, wake: Callable[[Iterable[str]], None]) -> None:
        self._context = context
        self._wake = wake

    def revoke_device(self, device_id: str) -> None:
        """Takes a machine's right to speak for its organisation; the oldest one left follows a chosen one."""
        self._context.accounts.revoke(device_id)

    def choose_device(self, device_id: str) -> None:
        """Makes this machine the one that acknowledges and takes numbers; LookupError if it isn't enrolled."""
        self._context.accounts.choose(device_id)

    def set_directory(self, organisations: Sequence[Org]) -> None:
        """Takes over a new directory; what is no longer in it becomes inactive. Those who read are told of a change."""
        if self._context.directory.take_over(organisations):
            self._tell(self._readers(), FeedType.DIRECTORY, "")

    def notice(self, text: str, orgs: Sequence[str] | None = None) -> None:
        """Tells organisations something (None: all that have a machine)."""
        self._tell(self._readers() if orgs is None else orgs, FeedType.NOTICE, text[:4000])

    def open_register(self, register: Register) -> None:
        """Makes a register, or gives it another name."""
        offer = RegisterOffer(id=register.id, name=register.name, notation=register.notation)
        self._context.registers.open(register.org, offer)

    def book(self, register_id: str) -> tuple[BookEntry, ...]:
        """All numbers of a register, in order."""
        return self._context.registers.book(register_id)

    def forwarded(self, packet_id: str, axis_doc_id: str) -> None:
        """The axis has taken a packet under this number."""
        with self._context.database.transaction():
            told = self._context.packets.delivery.forwarded(packet_id, axis_doc_id)
        self._wake(told)

    def failed(self, packet_id: str, org: str, error: str) -> None:
        """A packet can't be brought to `org`, for good; `error` is the axis's own code."""
        with self._context.database.transaction():
            told = self._context.packets.delivery.failed(packet_id, org, error)
        self._wake(told)

    def begin_epoch(self) -> str:
        """After the state was put back from a copy: clients list the feed from the start. The new epoch."""
        epoch = self._context.database.begin_epoch()
        self._wake(self._readers())
        return epoch

    def _readers(self) -> tuple[str, ...]:
        with self._context.database.lock:
            return self._context.packets.feeds.readers()

    def _tell(self, orgs: Sequence[str], kind: FeedType, text: str) -> None:
        with self._context.database.transaction():
            self._context.packets.feeds.tell(orgs, kind, text)
        self._wake(orgs)
