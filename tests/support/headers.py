"""Beginnings of library files that no linker made, for tests that read them. Plain bytes, nothing that could run."""

import struct


def elf(bits: int = 64, machine: int = 62, order: str = "<") -> bytes:
    """An ELF header up to e_machine; 62 is x86-64, 3 x86, 183 ARM64."""
    identity = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    return identity + struct.pack(f"{order}HH", 3, machine)


def pe(bits: int = 64, machine: int = 0x8664, at: int = 0x80) -> bytes:
    """A DOS header that leads to a PE header at `at`; 0x8664 is x86-64, 0x14c x86, 0xaa64 ARM64."""
    dos = b"MZ" + bytes(0x3A) + struct.pack("<I", at)
    coff = b"PE\0\0" + struct.pack("<H", machine) + bytes(18)
    return dos.ljust(at, b"\0") + coff + struct.pack("<H", 0x20B if bits == 64 else 0x10B)
