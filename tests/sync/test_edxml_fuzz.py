"""Packets and ZIPs with bytes changed, cut, doubled: read, or refused as what they are; never anything else."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_resources.errors import KnownError
from signer_sync.edxml_attachments import FileKind, UnwrapLimits, open_packet, unwrap
from signer_sync.edxml_keys import document_key, keys_meant
from signer_sync.edxml_read import read_header
from tests.sync.edxml_made import (
    HEADER,
    OUTER_NAME,
    STATUS,
    attachment,
    business,
    inner_packet,
    long,
    packet,
    short,
    streamed_zip,
)

ZIPS = (streamed_zip(("x.edxml", inner_packet(b"%PDF-1.5\n" * 20))), streamed_zip(("a", b"%PDF-"), ("b", b"")))
PACKETS = (
    packet(HEADER, business("0"), [attachment(ZIPS[0], OUTER_NAME)], "<Signature><SignedInfo/></Signature>"),
    packet(
        HEADER, business("2", "<BussinessDocumentInfo><ReceiverList><Receiver/></ReceiverList></BussinessDocumentInfo>")
    ),
    packet(HEADER, business("3", "<ReplacementInfoList><ReplacementInfo/></ReplacementInfoList>")),
    packet(STATUS),
    inner_packet(),
)
PIECES = st.sampled_from(
    [
        b"",
        b"\0",
        b"<",
        b">",
        b"</",
        b"<a>",
        b"&",
        b"]]>",
        b"<!DOCTYPE a>",
        b"<?xml",
        b" xmlns=''",
        b"x:",
        b"PK\x05\x06",
        b"\xff" * 4,
    ]
) | st.binary(max_size=8)


@st.composite
def mutated(draw: st.DrawFn, originals: tuple[bytes, ...]) -> bytes:
    """One of the originals after up to four wounds."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from([0, 1, 2, 4, 60, 1 << 20])))
        data = data[:at] + draw(PIECES) + data[end:]
    return data


def refusal_of(act: Callable[[], object]) -> KnownError | None:
    try:
        act()
    except KnownError as refusal:
        return refusal
    return None


def unwrapped(data: bytes) -> None:
    with open_packet(io.BytesIO(data), io.BytesIO) as found:
        assert len(found.files) >= len(found.packet.attachments)


def check_packet(data: bytes) -> None:
    no_header = refusal_of(lambda: read_header(io.BytesIO(data)))
    no_packet = refusal_of(lambda: unwrapped(data))
    # Whoever cannot read the header cannot read the whole.
    assert no_packet is not None or no_header is None
    assert {refusal.code for refusal in (no_header, no_packet) if refusal} <= {"edxml_invalid"}
    if no_header is None:
        header = read_header(io.BytesIO(data))
        assert document_key(header).count(" ") == 2
        assert len(keys_meant(header)) <= len(header.concerns) + len(header.response_for) + 1


def check_zip(data: bytes) -> None:
    with unwrap(io.BytesIO(data), "a.doc", io.BytesIO, UnwrapLimits(total=1 << 20)) as found:
        assert found
        if len(found) == 1 and found[0].kind is FileKind.ZIP:
            # Nothing is lost: what was not opened is there as it came.
            assert found[0].stream.read() == data


@short
@given(mutated(PACKETS))
def test_a_wounded_packet_is_read_or_refused(data: bytes) -> None:
    check_packet(data)


@short
@given(mutated(ZIPS))
def test_a_wounded_zip_is_opened_or_kept(data: bytes) -> None:
    check_zip(data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@long
@given(mutated(PACKETS))
def test_many_wounded_packets_are_read_or_refused(data: bytes) -> None:
    check_packet(data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@long
@given(mutated(ZIPS))
def test_many_wounded_zips_are_opened_or_kept(data: bytes) -> None:
    check_zip(data)
