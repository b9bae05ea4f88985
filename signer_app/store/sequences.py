"""How the numbers of a body run: one sequence for each notation, or one for all notations of a register (sổ).

Pure values, any process. Knows no database: `documents` and `reservations` look up by the keys that are made here. A
register that is set up, or given up, in the middle of a year must not let a number be used twice, so every look-up is
by all keys under which a number may stand.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated

import msgspec

_DASHES = re.compile("[–—‐‑‒−]")
"""What a page or a spreadsheet may have for the hyphen of a notation; the page's check takes them all for one."""


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A register (sổ) of outgoing documents whose numbers run through several notations."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    notations: tuple[str, ...]
    """As they are printed: "QĐ-UBND", "TB-UBND"."""
    server: str | None = None
    """The id of the register on the document server that gives its numbers; None: this machine counts them."""


def sequence_key(name: str) -> str:
    """The name of a sequence (a register's or a notation) in the one form by which it is found."""
    return _DASHES.sub("-", unicodedata.normalize("NFC", name)).strip(" .").upper()


class Sequences(msgspec.Struct, frozen=True):
    """The sequences of one body."""

    registers: tuple[Register, ...] = ()

    def name(self, notation: str) -> str:
        """What the sequence of this notation is called: its register, else the notation itself."""
        register = self._register(sequence_key(notation))
        return notation if register is None else register.name

    def key(self, notation: str) -> str:
        """`name` in the form by which it is found."""
        return sequence_key(self.name(notation))

    def on_server(self, notation: str) -> Register | None:
        """The register of a server that numbers this notation."""
        register = self._register(sequence_key(notation))
        return register if register is not None and register.server is not None else None

    def keys(self, notation: str) -> frozenset[str]:
        """All keys under which numbers of this sequence may stand: before its register was set up they ran by notation,
        and after it was given up they do again.
        """
        return self.alike(self.key(notation)) | {sequence_key(notation)}

    def alike(self, key: str) -> frozenset[str]:
        """`keys` of the sequence that is found by `key`."""
        own = [register for register in self.registers if sequence_key(register.name) == key]
        return frozenset({key, *(sequence_key(notation) for register in own for notation in register.notations)})

    def last(self, numbers: Mapping[str, int]) -> dict[str, int]:
        """Sequence → its highest number, given the highest by whatever key they were kept."""
        found: dict[str, int] = {}
        keys = {*numbers, *(sequence_key(register.name) for register in self.registers)}
        for key in keys:
            highest = max((numbers.get(one, 0) for one in self.alike(key)), default=0)
            if highest:
                found[key] = highest
        return found

    def _register(self, key: str) -> Register | None:
        return next((r for r in self.registers if any(sequence_key(one) == key for one in r.notations)), None)


BY_NOTATION = Sequences()
"""Where no register is set up: each notation has numbers of its own."""
