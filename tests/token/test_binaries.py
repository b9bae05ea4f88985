"""What a library file is built for: real files of this machine, headers made here, and garbage."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_token.binaries import UNKNOWN, Binary, Fit, Format, fit, own_binary, read_binary, read_header
from tests.support.headers import elf, pe
from tests.support.softhsm import softhsm_module

OURS = Binary(Format.ELF, 64, "x86-64")


@pytest.mark.parametrize(
    ("start", "binary"),
    [
        (elf(64, 62), Binary(Format.ELF, 64, "x86-64")),
        (elf(32, 3), Binary(Format.ELF, 32, "x86")),
        (elf(64, 183), Binary(Format.ELF, 64, "ARM64")),
        (elf(32, 62), Binary(Format.ELF, 32, "x86-64")),
        (elf(64, 22, ">"), Binary(Format.ELF, 64, "22")),
        (pe(64, 0x8664), Binary(Format.PE, 64, "x86-64")),
        (pe(32, 0x14C), Binary(Format.PE, 32, "x86")),
        (pe(64, 0xAA64), Binary(Format.PE, 64, "ARM64")),
        (pe(64, 0x200), Binary(Format.PE, 64, "0x0200")),
    ],
)
def test_width_and_processor_are_read_from_the_header(start: bytes, binary: Binary) -> None:
    assert read_header(start) == binary
    assert read_header(start + bytes(100)) == binary


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\x7fELF",
        b"\x7fELF\x03\x01" + bytes(20),
        b"\x7fELF\x02\x05" + bytes(20),
        elf()[:-1],
        b"MZ",
        pe()[:-1],
        pe().replace(b"PE\0\0", b"NE\0\0"),
        pe()[:0x3C] + b"\xff\xff\xff\xff" + pe()[0x40:],
        b"#!/bin/sh\n",
        b"\xcf\xfa\xed\xfe" + bytes(60),
    ],
)
def test_what_is_no_header_is_unknown(start: bytes) -> None:
    assert read_header(start) == UNKNOWN


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda rest: b"MZ" + rest)))
def test_no_bytes_are_an_error(start: bytes) -> None:
    assert read_header(start).bits in (None, 32, 64)


def test_only_the_beginning_of_a_file_is_read(tmp_path: Path) -> None:
    far = tmp_path / "far.dll"
    far.write_bytes(pe(at=1 << 20))
    assert read_header(far.read_bytes()).bits == 64
    assert read_binary(far) == UNKNOWN


def test_a_real_module_fits_this_process() -> None:
    module = read_binary(softhsm_module())
    assert (module.format, module.bits) == (Format.ELF, 64 if sys.maxsize > 2**32 else 32)
    assert fit(module, own_binary()) is Fit.FITS


def test_what_can_not_be_read_is_unknown(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        assert read_binary(file) == UNKNOWN


def test_the_own_width_is_the_interpreters_whatever_started_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "start"
    script.write_text("#!/bin/sh\n")
    bits = own_binary().bits
    monkeypatch.setattr(sys, "executable", str(script))
    assert own_binary() == Binary(bits=bits)


@pytest.mark.parametrize(
    ("file", "own", "result"),
    [
        (OURS, OURS, Fit.FITS),
        (Binary(Format.ELF, 32, "x86"), OURS, Fit.OTHER_WIDTH),
        (OURS, Binary(Format.ELF, 32, "x86"), Fit.OTHER_WIDTH),
        (Binary(Format.ELF, 64, "ARM64"), OURS, Fit.OTHER_MACHINE),
        (Binary(Format.PE, 64, "x86-64"), OURS, Fit.OTHER_MACHINE),
        (Binary(Format.PE, 32, "x86"), Binary(Format.PE, 64, "x86-64"), Fit.OTHER_WIDTH),
        (UNKNOWN, OURS, Fit.UNKNOWN),
        (OURS, Binary(bits=64), Fit.UNKNOWN),
        (OURS, Binary(bits=32), Fit.OTHER_WIDTH),
    ],
)
def test_a_file_fits_a_process_of_the_same_kind(file: Binary, own: Binary, result: Fit) -> None:
    assert fit(file, own) is result
