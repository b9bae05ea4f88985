"""What a signature costs through the token host, beside python-pkcs11 in this very process, with the same SoftHSM key.

Run by `./run bench token`. The two take turns, so that whatever else the machine does meets both; medians are compared.
With `--turn 1` each signature finds a processor that has just done something else. Prints a table; asserts nothing of
time. Makes a token in a temporary folder; touches no data folder and no token of yours.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pkcs11 import Mechanism, ObjectClass
from rich.console import Console
from rich.table import Table

from signer_token.client import TokenHost, TokenSession
from signer_token.model import Pin
from tests.support.softhsm import (
    PIN,
    TOKEN_HOST_COMMAND,
    StoredCertificate,
    StoredKey,
    TokenPlan,
    make_certificate,
    make_tokens,
    softhsm_environment,
    softhsm_module,
)

ATTRIBUTES = bytes(range(256)) + bytes(44)
"""As long as the signed attributes of a PAdES signature."""
AIM_MS = 0.5


@dataclass(frozen=True)
class Taken:
    """Milliseconds of each signature of one way."""

    what: str
    times_ms: list[float]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.times_ms)

    @property
    def late_ms(self) -> float:
        """What 95 in 100 stay under."""
        return statistics.quantiles(self.times_ms, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signatures", type=int, default=1000, metavar="N", help="signatures of each way (1000)")
    parser.add_argument("--turn", type=int, default=25, metavar="N", help="signatures before the other's turn (25)")
    parser.add_argument("--bits", type=int, default=2048, choices=(2048, 3072, 4096), help="length of the key (2048)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = rsa.generate_private_key(65537, arguments.bits)
        certificate = make_certificate(key, "Benchmark")
        stored = [StoredKey(b"\x01", key)], [StoredCertificate(b"\x01", certificate)]
        make_tokens(folder, [TokenPlan("benchmark", PIN, *stored)])
        with TokenHost(TOKEN_HOST_COMMAND, softhsm_module(), env=softhsm_environment(folder)) as host:
            (token,) = host.tokens()
            with host.open(token.serial, sha256(certificate).hexdigest(), Pin(PIN)) as session:
                count, turn = max(2, arguments.signatures), max(1, arguments.turn)
                _show(arguments.bits, _measure(folder, certificate, session, count, turn))


def _measure(folder: Path, certificate: bytes, session: TokenSession, count: int, turn: int) -> list[Taken]:
    """Each way of making a signature, in turns."""
    os.environ.update(softhsm_environment(folder))
    public = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    with pkcs11.lib(str(softhsm_module())).get_token(token_label="benchmark").open(user_pin=PIN) as own:
        (key,) = own.get_objects({pkcs11.Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        assert isinstance(key, pkcs11.SignMixin)

        def in_process() -> bytes:
            return key.sign(ATTRIBUTES, mechanism=Mechanism.SHA256_RSA_PKCS)

        def checked() -> bytes:
            signature = in_process()
            public.verify(signature, ATTRIBUTES, padding.PKCS1v15(), hashes.SHA256())
            return signature

        return _in_turns(
            {
                "in this process": in_process,
                "in this process, checked": checked,
                "through the host (checks too)": lambda: session.sign(ATTRIBUTES),
            },
            count,
            turn,
        )


def _in_turns(ways: dict[str, Callable[[], bytes]], count: int, turn: int) -> list[Taken]:
    taken = [Taken(what, []) for what in ways]
    while len(taken[-1].times_ms) < count:
        for row, make in zip(taken, ways.values(), strict=True):
            for _ in range(turn):
                started = time.perf_counter()
                make()
                row.times_ms.append((time.perf_counter() - started) * 1000)
    return taken


def _show(bits: int, taken: list[Taken]) -> None:
    first = taken[0]
    table = Table(title=f"{len(first.times_ms)} signatures of each way, SoftHSM, RSA-{bits}; aim: {AIM_MS} ms more")
    table.add_column("what")
    for head in ("median ms", "95 % under ms", "more ms"):
        table.add_column(head, justify="right")
    for row in taken:
        more = row.median_ms - first.median_ms
        table.add_row(row.what, f"{row.median_ms:.3f}", f"{row.late_ms:.3f}", f"{more:+.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
