"""What is there before a batch is measured: the demonstration behind a counting module, new letters, TSA and OCSP.

Used by `benchmarks.batch`, whose processes get it as plain values. The services answer from a process of their own,
with the delay of a network. What only the preparation needs is imported where it is used.
"""

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Self
from unittest.mock import patch
from urllib.parse import urlsplit

from signer_app.workspace import Overrides, workspace
from tests.support.pkcs11_shim import CountingModule, build_counting_module

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from signer_app.demo.pki import DemoPki
    from tests.support.many_letters import ManyLetters

TSA_S, OCSP_S = 0.100, 0.050


@dataclass(frozen=True)
class Ground:
    """The prepared demonstration, as plain values: another process works on it."""

    data: Path
    module: CountingModule
    certificate: bytes
    chain: tuple[bytes, ...]
    name: str
    """The certificate's SHA-256."""
    label: str
    """The token's, and its key's."""
    pin: str
    tokens: Path
    """SoftHSM's configuration."""
    tsa: str
    services: int = 0
    """The process id of TSA and OCSP."""


def prepare(folder: Path) -> "tuple[Ground, DemoPki]":
    from signer_app.demo.pki_names import Holder
    from signer_app.demo.workspace import AGENCY_TOKEN, prepare

    data, shim = folder / "data", folder / "module"
    shim.mkdir()
    with workspace(data, Overrides(), writing=True) as space:
        demo = prepare(space.folder, None)
    clerk = demo.pki.leaf(Holder.AGENCY)
    ground = Ground(
        data=data,
        module=build_counting_module(shim, demo.tokens.module),
        certificate=clerk.certificate_der,
        chain=clerk.chain_der[1:],
        name=clerk.sha256,
        label=AGENCY_TOKEN,
        pin=demo.pin.reveal(),
        tokens=demo.tokens.conf,
        tsa=demo.pki.tsa_url,
    )
    return ground, demo.pki


def many_letters(pki: "DemoPki", folder: Path, only: tuple[str, ...] = ()) -> "ManyLetters":
    from tests.support.many_letters import ManyLetters

    return ManyLetters(pki, folder, only)


@contextmanager
def written(many: "ManyLetters", folder: Path, first: int, count: int) -> Iterator[Path]:
    """So many new letters and their list, until the end of the block."""
    from tests.support.many_letters import write_list

    place = folder / "letters"
    place.mkdir()
    listing = place / "list.csv"
    write_list((many.write(number, place / f"{number}.pdf") for number in range(first, first + count)), listing)
    try:
        yield listing
    finally:
        shutil.rmtree(place)


@contextmanager
def services(pki: Path) -> Iterator[int]:
    """TSA, OCSP and CRL of the PKI in that folder, each answer late, in a process of their own; its id."""
    context = get_context("spawn")
    ready, over = context.Event(), context.Event()
    process = context.Process(target=_serve, args=(pki, ready, over), daemon=True)
    process.start()
    try:
        if not ready.wait(60):
            raise SystemExit("the services of the test PKI don't answer")
        yield process.pid or 0
    finally:
        over.set()
        process.join(10)


def _serve(folder: Path, ready: Event, over: Event) -> None:
    from cryptography.hazmat.primitives import serialization

    from signer_app.demo import pki as demo_pki
    from signer_app.demo.pki_services import PkiServices

    class Late(PkiServices):
        def __enter__(self) -> Self:
            self._application = _late(self._application, delays)
            super().__enter__()
            return self

    pki = demo_pki.DemoPki.create_or_load(folder)
    delays = {urlsplit(pki.tsa_url).path: TSA_S, urlsplit(pki.ocsp_url).path: OCSP_S}
    # certomancer reads its key for each answer; a real TSA takes none of our processors at all.
    read_once = cache(serialization.load_der_private_key)
    with (
        patch.object(serialization, "load_der_private_key", read_once),
        patch.object(demo_pki, "PkiServices", Late),
        pki.services(),
    ):
        ready.set()
        over.wait()


def _late(application: "WSGIApplication", delays: dict[str, float]) -> "WSGIApplication":
    def answered(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        time.sleep(next((seconds for start, seconds in delays.items() if path.startswith(start)), 0.0))
        return application(environ, start_response)

    return answered
