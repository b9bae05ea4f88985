"""The table of known PKCS#11 modules: whose they are, what their files are called, where installers put them.

Read by the token layer, on any process and thread; read once, then immutable. Each place says where the fact is from
and how sure it is. Knows names and folders only: what lies on this machine is looked at by `signer_token.drivers`,
and what a module can do is asked of the module, never concluded from its name.
"""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from signer_resources.rules import Mark


class System(StrEnum):
    """An operating system for which modules are made."""

    WINDOWS = "windows"
    LINUX = "linux"
    MACOS = "macos"


class Fact(StrEnum):
    """What is known of a driver and worth telling; the text is `driver_fact_…` of the catalogue."""

    VGCA = "vgca"
    """Drives tokens that the Government Cipher Committee's authority (VGCA) gives out."""
    NOT_VGCA_BIT4ID = "not_vgca_bit4id"
    """Doesn't drive the Bit4id card of VGCA."""
    SOME_HOSTS_FAIL = "some_hosts_fail"
    """Doesn't initialise on some machines."""
    SECOND_PIN = "second_pin"
    """Some of its tokens ask a signature PIN of its own."""
    SLOW_START = "slow_start"
    """Some of its tokens take ten seconds until they answer."""
    TESTS_ONLY = "tests_only"
    """A token in software."""
    PROXY = "proxy"
    """Shows the tokens of other drivers once more."""


class Install(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one version of a driver puts its files: each name in each folder, newest and most usual first."""

    system: System
    folders: tuple[str, ...]
    """With gaps like {windows}, filled by `signer_token.drivers`."""
    names: tuple[str, ...]
    mark: Mark
    source: str


class KnownDriver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A driver and its places."""

    id: str
    name: str
    maker: str
    install: tuple[Install, ...]
    facts: tuple[Fact, ...] = ()

    @property
    def tests_only(self) -> bool:
        """Whether its tokens are software."""
        return Fact.TESTS_ONLY in self.facts

    @property
    def proxy(self) -> bool:
        """Whether it only passes other drivers on."""
        return Fact.PROXY in self.facts


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    driver: tuple[KnownDriver, ...]


@cache
def known_drivers() -> tuple[KnownDriver, ...]:
    """The table, in order of preference; checked while it is read."""
    text = Path(__file__).with_name("drivers.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File).driver
