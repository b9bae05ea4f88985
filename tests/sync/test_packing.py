"""A packet's file as it leaves: whether it is still what was queued, and its gzip stream from any place on."""

import base64
import gzip
import hashlib
import io
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_sync.errors import ExchangeError
from signer_sync.packets import OutgoingPacket
from signer_sync.packing import Packing, checked_file, read_packet
from tests.server.world import make_packet

TEXT = base64.b64encode(random.Random(7).randbytes(300_000))
STREAM = Packing(io.BytesIO(TEXT)).read(len(TEXT))


@pytest.fixture
def packet(tmp_path: Path) -> OutgoingPacket:
    return make_packet(tmp_path, data=TEXT)


def test_base64_of_what_is_compressed_already_gets_a_quarter_shorter(packet: OutgoingPacket) -> None:
    way = checked_file(packet, gzip=True)
    assert way is not None
    assert (way.length, way.sha256) == (len(STREAM), hashlib.sha256(STREAM).hexdigest())
    assert way.length < 0.76 * packet.size
    assert gzip.decompress(STREAM) == TEXT


def test_a_file_goes_as_it_is_where_it_must_or_where_packing_saves_nothing(
    packet: OutgoingPacket, tmp_path: Path
) -> None:
    assert checked_file(packet, gzip=False) is None
    assert checked_file(make_packet(tmp_path, data=random.Random(7).randbytes(70_000)), gzip=True) is None


@pytest.mark.parametrize("gzip", [False, True])
def test_a_file_that_is_not_what_was_queued_is_not_sent(packet: OutgoingPacket, *, gzip: bool) -> None:
    damaged = [
        replace(packet, sha256="00" * 32),
        replace(packet, size=packet.size + 1),
        replace(packet, size=packet.size - 1),
        replace(packet, path=packet.path.with_name("gone")),
    ]
    for one in damaged:
        with pytest.raises(ExchangeError) as caught:
            checked_file(one, gzip=gzip)
        assert caught.value.code == "packet_damaged"
        with pytest.raises(ExchangeError):
            read_packet(one)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, len(STREAM) + 10), st.integers(0, 90_000)), max_size=6))
def test_the_stream_can_be_read_from_any_place_on(wishes: list[tuple[int, int]]) -> None:
    packing = Packing(io.BytesIO(TEXT))
    for position, size in wishes:
        assert packing.seek(position) == min(position, len(STREAM)) == packing.tell()
        assert packing.read(size) == STREAM[position : position + size]
