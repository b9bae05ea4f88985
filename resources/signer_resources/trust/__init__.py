"""The pins: which certificates of the State's authorities may become anchors here, each by its SHA-256.

Read by the importer, by verification and by the machine's checks, on any process and thread; read once, then immutable.
A pin says whose certificate it is, where its fingerprint is from and how sure that is. Holds no certificate: those come
through the authority's own channel and are compared with the pin when they are imported.
"""

import datetime as dt
import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from signer_resources.rules import Mark


class PinSet(StrEnum):
    """Whose: the Government Cipher Committee's authority, or the nation's public side (TT 15/2025, article 6.1b)."""

    VGCA = "vgca"
    NATIONAL = "national"


class PinKind(StrEnum):
    """`root`: an anchor; `ca`: helps to build chains to one, for signers often send their own certificate only."""

    ROOT = "root"
    CA = "ca"


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One certificate by its SHA-256 (lower-case hex, of the DER); None: a place that an administrator fills."""

    id: str
    name: str
    """Common name as the certificate writes it."""
    set: PinSet
    kind: PinKind
    mark: Mark
    source: str
    date: dt.date
    """When it was put into this table."""
    sha256: str | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pin: tuple[Pin, ...]


@cache
def all_pins() -> tuple[Pin, ...]:
    """The whole table; ValueError names what is wrong with it."""
    with Path(__file__).with_name("pins.toml").open("rb") as stream:
        pins = msgspec.convert(tomllib.load(stream), type=_File).pin
    marks = [pin.sha256 for pin in pins if pin.sha256 is not None]
    if len(set(marks)) != len(marks) or len({pin.id for pin in pins}) != len(pins):
        raise ValueError("pins.toml: a pin stands there twice")
    if any(len(mark) != 64 or set(mark) - set("0123456789abcdef") for mark in marks):
        raise ValueError("pins.toml: a SHA-256 is 64 digits of lower-case hex")
    return pins


def pin_of(sha256: str) -> Pin | None:
    """The pin with this fingerprint (lower-case hex), if it is one."""
    return next((pin for pin in all_pins() if pin.sha256 == sha256), None)


def open_places() -> tuple[Pin, ...]:
    """Those that wait for an administrator."""
    return tuple(pin for pin in all_pins() if pin.sha256 is None)
