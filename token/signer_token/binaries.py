"""What a library file is built for, read from its first bytes: 32 or 64 bit, and for which processor.

Any process and thread. Loads and runs nothing of the file: the header is read, at most some kilobytes of it, and
whatever is no header of a known kind is `UNKNOWN`, never an error. So a driver of the wrong kind is named as such
where the system would only say "not a valid application".
"""

import struct
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_HEADER_BYTES = 8192
"""More than any linker puts before the PE header; what lies further back is taken for garbage."""

_ELF_MACHINES = {3: "x86", 62: "x86-64", 40: "ARM", 183: "ARM64"}
"""e_machine (System V ABI; elf.h)."""
_PE_MACHINES = {0x014C: "x86", 0x8664: "x86-64", 0x01C4: "ARM", 0xAA64: "ARM64"}
"""Machine of the COFF header (Microsoft, "PE Format", section Machine Types)."""
_PE_BITS = {0x010B: 32, 0x020B: 64}
"""Magic of the optional header: PE32, PE32+ (ibid.)."""


class Format(StrEnum):
    """Whose libraries look like this; ELF is told as Linux, whose other users have no drivers for tokens."""

    ELF = "Linux"
    PE = "Windows"


@dataclass(frozen=True)
class Binary:
    """What a file is built for. Everything is None where the header told nothing."""

    format: Format | None = None
    bits: int | None = None
    """32 or 64."""
    machine: str | None = None
    """The processor: "x86-64", "ARM64", …; one that we have no name for as its number."""

    def __str__(self) -> str:
        return ", ".join(str(part) for part in (self.format, self.bits and f"{self.bits} bit", self.machine) if part)


UNKNOWN = Binary()


class Fit(StrEnum):
    """Whether a process can load a file."""

    FITS = "fits"
    OTHER_WIDTH = "other_width"
    """32 against 64 bit, the commonest mistake with drivers."""
    OTHER_MACHINE = "other_machine"
    """Another system or processor."""
    UNKNOWN = "unknown"
    """It can't be told; trying it tells."""


def read_binary(file: Path) -> Binary:
    """What `file` is built for; UNKNOWN for anything else than an ELF or PE file that can be read."""
    try:
        if not file.is_file():  # a pipe in its place would keep us waiting
            return UNKNOWN
        with file.open("rb") as stream:
            return read_header(stream.read(_HEADER_BYTES))
    except OSError:
        return UNKNOWN


def read_header(start: bytes) -> Binary:
    """What the file that begins with `start` is built for."""
    try:
        if start[:4] == b"\x7fELF":
            return _elf(start)
        if start[:2] == b"MZ":
            return _pe(start)
    except struct.error:  # shorter than its own header
        return UNKNOWN
    return UNKNOWN


def _elf(start: bytes) -> Binary:
    """e_ident[EI_CLASS], e_ident[EI_DATA] and e_machine (System V ABI, chapter 4)."""
    bits = {1: 32, 2: 64}.get(start[4] if len(start) > 4 else 0)
    order = {1: "<", 2: ">"}.get(start[5] if len(start) > 5 else 0)
    if bits is None or order is None:
        return UNKNOWN
    (machine,) = struct.unpack_from(f"{order}H", start, 18)
    return Binary(Format.ELF, bits, _ELF_MACHINES.get(machine, str(machine)))


def _pe(start: bytes) -> Binary:
    """The DOS header leads to the PE header; behind that lies the optional header ("PE Format", Overview)."""
    (at,) = struct.unpack_from("<I", start, 0x3C)
    signature, machine = struct.unpack_from("<4sH", start, at)
    (magic,) = struct.unpack_from("<H", start, at + 24)
    if signature != b"PE\0\0" or magic not in _PE_BITS:
        return UNKNOWN
    return Binary(Format.PE, _PE_BITS[magic], _PE_MACHINES.get(machine, f"0x{machine:04x}"))


def own_binary() -> Binary:
    """What this process is built for, and so the token hosts that it starts: they are the same program.

    The width is the interpreter's own; the file that was started may be a script that only leads to it.
    """
    bits = struct.calcsize("P") * 8
    started = read_binary(Path(sys.executable))
    return started if started.bits == bits else Binary(bits=bits)


def fit(file: Binary, own: Binary) -> Fit:
    """Whether a process that is `own` can load `file`."""
    if file == UNKNOWN or own.format is None:
        # Without a word on ourselves only the width can be compared.
        return Fit.OTHER_WIDTH if file.bits and own.bits and file.bits != own.bits else Fit.UNKNOWN
    if file.format is not own.format:
        return Fit.OTHER_MACHINE
    if file.bits != own.bits:
        return Fit.OTHER_WIDTH
    return Fit.FITS if file.machine == own.machine else Fit.OTHER_MACHINE
