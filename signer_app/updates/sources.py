"""Where updates are read from: a folder (stick, share) or an https address, each a tree of plain files.

Blocking, one thread at a time. Names come from us and from signed metadata, and are still checked: none leads out of
the folder, and no address outside the source is asked. What is read is believed only after the TUF client has compared
it with signatures and hashes; nothing here decides that.
"""

import re
import stat
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import requests
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from signer_app.store.durable import CHUNK
from signer_resources.errors import KnownError
from signer_sync.http import (
    HttpSettings,
    PlainHttp,
    TransferError,
    TransferFault,
    check_address,
    chunks,
    open_session,
    streamed,
)

METADATA: Final = "metadata/"
TARGETS: Final = "targets/"
FOLDER: Final = "signer-updates"
"""The folder on a stick; who names the stick itself means this one in it."""

_LARGEST: Final = 1 << 30
"""Bytes of one file at most; the signed length, which is asked for beside this, is far below."""
_SECONDS: Final = 3600.0
"""A package over a slow line takes long, but not for ever."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")

Heard = Callable[[int], None]
"""Is told of each block's length; raises KnownError to stop."""


def _unheard(_length: int) -> None:
    pass


class Source(FetcherInterface):
    """One source, as the TUF client asks it: by names relative to it, such as "metadata/timestamp.json"."""

    heard: Heard = staticmethod(_unheard)
    shown: str = ""
    """How it may be named to a person."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        parts = url.split("/")
        if not all(_PART.fullmatch(part) for part in parts):
            raise KnownError("update_altered")
        for block in self._blocks(parts):
            self.heard(len(block))
            yield block

    @abstractmethod
    def _blocks(self, parts: list[str]) -> Iterator[bytes]:
        """The file at these parts of a name, in blocks; DownloadHTTPError 404 where there is none."""

    def close(self) -> None:
        """Gives back what is held."""


class FolderSource(Source):
    """A folder; KnownError update_source_away while it is not there or can't be read."""

    def __init__(self, folder: Path) -> None:
        self.shown = str(folder)
        inside = folder / FOLDER
        self._folder = inside if inside.is_dir() and not (folder / METADATA).is_dir() else folder

    def _blocks(self, parts: list[str]) -> Iterator[bytes]:
        try:
            root = self._folder.resolve(strict=True)
            if not (root / METADATA).is_dir():
                raise KnownError("update_source_empty", source=self.shown)
            file = root.joinpath(*parts).resolve()
            if not file.is_relative_to(root):
                raise KnownError("update_altered")
            # A pipe would be waited on for ever.
            if not file.exists() or not stat.S_ISREG(file.stat().st_mode):
                raise DownloadHTTPError("no such file", 404)
            with file.open("rb") as stream:
                while block := stream.read(CHUNK):
                    yield block
        except OSError as error:
            raise KnownError("update_source_away", source=self.shown) from error


class WebSource(Source):
    """An https address, through the body's own network settings; http on this machine alone."""

    def __init__(self, address: str, settings: HttpSettings) -> None:
        self._base = address if address.endswith("/") else f"{address}/"
        self._host = check_address(self._base, PlainHttp.LOOPBACK).hostname or "?"
        self.shown = self._base
        self._settings = settings
        self._session: requests.Session | None = None

    def _blocks(self, parts: list[str]) -> Iterator[bytes]:
        if self._session is None:
            self._session = open_session(self._settings)
        try:
            with streamed(self._session, "GET", self._base + "/".join(parts)) as response:
                if response.status_code in (403, 404, 410):
                    raise DownloadHTTPError("no such file", 404)
                if response.status_code != 200:
                    raise KnownError("update_source_answer", source=self._host, status=response.status_code)
                yield from chunks(response, _LARGEST, seconds=_SECONDS)
        except TransferError as error:
            raise self._told(error.fault) from error

    def _told(self, fault: TransferFault) -> KnownError:
        match fault:
            case TransferFault.TLS:
                return KnownError("update_source_untrusted", source=self._host)
            case TransferFault.PROXY_UNREACHABLE | TransferFault.PROXY_REFUSED:
                proxy = self._settings.proxies.of(self._base)
                code = "proxy_refused" if fault is TransferFault.PROXY_REFUSED else "proxy_unreachable"
                return KnownError(code, proxy=proxy.host if proxy is not None else "?", host=self._host)
            case _:
                return KnownError("update_source_away", source=self._host)

    def close(self) -> None:
        """Ends its connections."""
        if self._session is not None:
            self._session.close()
            self._session = None


def open_source(named: str, settings: Callable[[], HttpSettings]) -> Source:
    """The source that a person or the settings name; KnownError server_insecure for http, proxy_address_wrong."""
    if re.match(r"https?://", named, re.IGNORECASE):
        return WebSource(named, settings())
    return FolderSource(Path(named).expanduser().absolute())
