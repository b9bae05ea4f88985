"""The certificates that are kept as anchors or helpers: one small file, replaced whole, mode 0600.

Read by any process, written by the main process alone. The SHA-256 is computed anew from each certificate whenever the
file is read, and what is neither pinned nor was taken in as the body's own counts for nothing. Never fetches.
"""

import datetime as dt
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from asn1crypto import x509
from cryptography.x509 import load_der_x509_certificate

from signer_app.store.durable import disk_errors, make_folders, write_atomically
from signer_app.verification.addresses import ODD
from signer_app.verification.model import AnchorSet, TrustMaterial
from signer_app.verification.names import common_name
from signer_resources.errors import KnownError
from signer_resources.trust import PinKind, pin_of

_LARGEST_FILE = 8 << 20
_MOST = 200
_OTHERS_MAY_WRITE = 0o022


class Use(StrEnum):
    """What a certificate that is kept is good for. `void`: for nothing, as it is pinned no longer."""

    ANCHOR = "anchor"
    HELPER = "helper"
    VOID = "void"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A certificate as the file has it. `own`: taken in on a person's word as the body's own anchor."""

    der: bytes
    added_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    own: bool = False
    label: Annotated[str, msgspec.Meta(max_length=200)] = ""

    @property
    def sha256(self) -> str:
        """Of the DER, in lower-case hex; what it is known by."""
        return hashlib.sha256(self.der).hexdigest()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificates: Annotated[tuple[Entry, ...], msgspec.Meta(max_length=_MOST)] = ()


@dataclass(frozen=True)
class Kept:
    """A certificate that is kept, and what it is good for here. `name` is its common name or what a person calls it."""

    entry: Entry
    use: Use
    set: AnchorSet
    name: str

    @property
    def sha256(self) -> str:
        """What it is known by."""
        return self.entry.sha256


class TrustStoreFile:
    """The store in `folder`. `national_root` is the SHA-256 that an administrator has pinned for NEAC's root."""

    def __init__(self, folder: Path, national_root: str | None = None) -> None:
        self.folder = folder
        self._file = folder / "trust.json"
        self._national_root = national_root

    def kept(self) -> tuple[Kept, ...]:
        """All that is kept, in the order in which it came.

        Raises KnownError: trust_store_damaged, trust_store_exposed (others may write it).
        """
        return tuple(self._weighed(entry) for entry in self.entries())

    def entries(self) -> tuple[Entry, ...]:
        """The same as the file has it."""
        try:
            with self._file.open("rb") as stream:
                state = os.fstat(stream.fileno())
                content = stream.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise KnownError("trust_store_damaged", file=str(self._file)) from error
        if self._exposed(state):
            raise KnownError("trust_store_exposed", file=str(self._file))
        try:
            if len(content) > _LARGEST_FILE:
                raise ValueError("too large")
            entries = msgspec.json.decode(content, type=_File).certificates
            for entry in entries:
                load_der_x509_certificate(entry.der)
        except (msgspec.MsgspecError, *ODD) as error:
            raise KnownError("trust_store_damaged", file=str(self._file)) from error
        return entries

    def _exposed(self, file: os.stat_result) -> bool:
        """Whether somebody but the user or the administrator may write the file, or put another in its place."""
        if os.name != "posix":
            return False
        folder = self.folder.stat()
        shared = folder.st_mode & _OTHERS_MAY_WRITE and not folder.st_mode & stat.S_ISVTX
        owners = {file.st_uid, folder.st_uid} - {0, os.geteuid()}
        return bool(file.st_mode & _OTHERS_MAY_WRITE or shared or owners)

    def save(self, entries: Iterable[Entry]) -> None:
        """Replaces the file; KnownError: trust_store_full, disk_full, data_folder_unwritable."""
        certificates = tuple(entries)
        if len(certificates) > _MOST:
            raise KnownError("trust_store_full", most=_MOST)
        with disk_errors(self.folder, "data_folder_unwritable"):
            make_folders(self.folder, 0o700)
            write_atomically(self._file, msgspec.json.encode(_File(certificates)) + b"\n")

    def beside(self, found: TrustMaterial) -> TrustMaterial:
        """`found` with what is kept here. Raises as `kept`."""
        kept = self.kept()
        anchors = tuple(one.entry.der for one in kept if one.use is Use.ANCHOR)
        helpers = tuple(one.entry.der for one in kept if one.use is Use.HELPER)
        return msgspec.structs.replace(
            found, anchors=(*found.anchors, *anchors), intermediates=(*found.intermediates, *helpers)
        )

    def pinned(self, sha256: str) -> tuple[Use, AnchorSet] | None:
        """What the pins, and the administrator's, make of a certificate; None: it is not pinned."""
        if sha256 == self._national_root:
            return Use.ANCHOR, AnchorSet.NATIONAL
        pin = pin_of(sha256)
        if pin is None:
            return None
        return Use.ANCHOR if pin.kind is PinKind.ROOT else Use.HELPER, AnchorSet(pin.set.value)

    def _weighed(self, entry: Entry) -> Kept:
        name = entry.label or common_name(x509.Certificate.load(entry.der)) or entry.sha256
        pinned = self.pinned(entry.sha256)
        if pinned is not None:
            return Kept(entry, *pinned, name)
        return Kept(entry, Use.ANCHOR if entry.own else Use.VOID, AnchorSet.OWN, name)
