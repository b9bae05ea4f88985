"""Builds the PKCS#11 module of pkcs11_shim.c, which counts calls and makes them fail, over a real module.

For tests only. Needs gcc and says so. Compiled once in a test process; each copy has its own log and control file
beside it, so that the module's path is all that a program under test has to be given.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SOURCE = Path(__file__).with_name("pkcs11_shim.c")


@dataclass(frozen=True)
class CountingModule:
    """A built module; use `path` where a PKCS#11 module is wanted."""

    path: Path
    log: Path
    control: Path

    def calls(self) -> list[str]:
        """Every call so far, in order: "C_Login 1" (with the user type), "C_Sign", …"""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def user_logins(self) -> int:
        """How often C_Login(CKU_USER) was called."""
        return self.calls().count("C_Login 1")

    def context_logins(self) -> int:
        """How often C_Login(CKU_CONTEXT_SPECIFIC) was called."""
        return self.calls().count("C_Login 2")

    def signing_times(self) -> list[tuple[int, int]]:
        """When each C_Sign began and ended, in ns of the monotonic clock; written while `times="on"` stands."""
        times = self.control.with_suffix(".times")
        lines = times.read_text().splitlines() if times.exists() else []
        return [(int(begun), int(ended)) for begun, ended in (line.split() for line in lines)]

    def open_sessions(self) -> int:
        """How many sessions the last process to use this module has open, or had when it died."""
        return int(self.control.with_suffix(".sessions").read_text())

    def misbehave(self, **lines: str) -> None:
        """From the next call on: `C_Sign="crash@2"`, `flags="0x40000"`, … as pkcs11_shim.c tells; none:
        behave. Calls are counted from here, what was unplugged is back; wrong PINs stay counted.
        """
        # The module may read at any moment, so it finds the old file or the new one.
        written = self.control.with_suffix(".written")
        written.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        self.control.with_suffix(".counts").unlink(missing_ok=True)
        self.control.with_suffix(".unplugged").unlink(missing_ok=True)
        written.replace(self.control)

    def begin_anew(self) -> None:
        """Behave, and forget all calls and all wrong PINs."""
        self.misbehave()
        self.log.unlink(missing_ok=True)
        self.control.with_suffix(".times").unlink(missing_ok=True)
        self.control.with_suffix(".tries").unlink(missing_ok=True)


def build_counting_module(folder: Path, target: Path) -> CountingModule:
    """A module over `target` in `folder`."""
    built = CountingModule(folder / "counting.so", folder / "counting.log", folder / "counting.control")
    built.path.write_bytes(_compiled(target))
    return built


@cache
def _compiled(target: Path) -> bytes:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise RuntimeError("these tests need a C compiler: apt-get install gcc libc6-dev")
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", f'-DTARGET="{target}"']
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "module.so"
        subprocess.run([compiler, *options, str(_SOURCE), "-o", str(made)], check=True)
        return made.read_bytes()
