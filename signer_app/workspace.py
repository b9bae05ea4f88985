"""What a command works with: data folder, settings, store, workers, token hosts, trust, and the way to ask a person.

Runs in the main process. One `Workspace` a command; it owns what it opened and closes it. Reading commands need no
lock and open the store read-only.
"""

import datetime as dt
import getpass
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from signer_app.pdf.plan import VIETNAM
from signer_app.signing.revocation import RevocationCache
from signer_app.store import DataFolder, Settings, Store, load_settings, recover
from signer_app.store.store import StoreReader
from signer_app.verification.model import TrustMaterial
from signer_app.verification.trust_dir import load_trust_dir
from signer_app.workers import Workers, own_command
from signer_resources.messages import Lang
from signer_token.client import TokenHost, TokenHosts


def vietnam_now() -> dt.datetime:
    """The present moment, in Vietnam's time."""
    return dt.datetime.now(VIETNAM)


def operator_name() -> str:
    """The account of the operating system: the first holder of a token until a hand-over is recorded."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "?"


@dataclass(frozen=True)
class Overrides:
    """What the command line says in place of the settings."""

    modules: tuple[Path, ...] = ()
    trust_dir: Path | None = None
    lang: Lang | None = None


class Workspace:
    """The parts that a command needs, each made when first asked for. Use as made by `workspace`."""

    def __init__(
        self, folder: DataFolder, overrides: Overrides, stack: ExitStack, now: Callable[[], dt.datetime]
    ) -> None:
        self.folder = folder
        self.now = now
        self._overrides = overrides
        self._stack = stack
        self._turn = threading.Lock()

    @cached_property
    def settings(self) -> Settings:
        """The settings as they were on disk when first asked for."""
        return load_settings(self.folder)

    def reload(self) -> None:
        """Forgets what was read of the settings, and what was made of it; hosts go only with their drivers."""
        with self._turn:
            for name in ("settings", "_anchors"):
                self.__dict__.pop(name, None)
            hosts: TokenHosts | None = self.__dict__.get("hosts")
            if hosts is None or hosts.modules == self._modules():
                return
            del self.__dict__["hosts"]
        hosts.close()

    def on_close(self, end: Callable[[], None]) -> None:
        """Has `end` called when the workspace is closed, before what was made earlier."""
        self._stack.callback(end)

    @property
    def lang(self) -> Lang:
        """The language of everything that is said."""
        return self._overrides.lang or self.settings.language

    @cached_property
    def workers(self) -> Workers:
        """The pool that touches PDF bytes."""
        return self._stack.enter_context(Workers())

    @cached_property
    def hosts(self) -> TokenHosts:
        """One host for each driver: those of the command line, else those of the settings."""
        # In a demo workspace the software token's configuration goes with it, whatever driver is named.
        extra = {"SOFTHSM2_CONF": self.settings.softhsm2_conf} if self.settings.softhsm2_conf else {}
        command = own_command("token-host")
        hosts = TokenHosts([TokenHost(command, module, env=extra) for module in self._modules()])
        return self._stack.enter_context(hosts)

    def _modules(self) -> tuple[Path, ...]:
        return self._overrides.modules or tuple(Path(module) for module in self.settings.modules)

    @cached_property
    def revocation(self) -> RevocationCache:
        """CRLs kept from before, and the way to newer ones."""
        return RevocationCache(self.folder.cache)

    @cached_property
    def _anchors(self) -> TrustMaterial:
        place = self._overrides.trust_dir or (Path(self.settings.trust_dir) if self.settings.trust_dir else None)
        return load_trust_dir(place) if place is not None else TrustMaterial()

    @property
    def trust(self) -> TrustMaterial:
        """The anchors and all that is in hand about revocation, right now."""
        return self.revocation.extend(self._anchors)

    @cached_property
    def store(self) -> Store:
        """The writer; only under the lock. Puts right what an earlier process left half-done."""
        store = self._stack.enter_context(Store.open(self.folder))
        recover(store)
        return store

    @cached_property
    def reader(self) -> StoreReader:
        """The store for reading."""
        return self._stack.enter_context(Store.read_only(self.folder))


@contextmanager
def workspace(
    path: Path, overrides: Overrides, *, writing: bool, now: Callable[[], dt.datetime] = vietnam_now
) -> Iterator[Workspace]:
    """A workspace on the data folder `path`; `writing` takes its lock for the time of the command.

    KnownError "busy" when another process has the lock, and those of the data folder and settings.
    """
    folder = DataFolder(path)
    with ExitStack() as stack:
        if writing:
            folder.create()
            stack.enter_context(folder.lock())
        yield Workspace(folder, overrides, stack, now)
