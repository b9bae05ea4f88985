"""What a body's machine may try against others and against the server: nobody else is harmed by it."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from signer_server.packets import Packets
from signer_sync import contract as c
from signer_sync import jws
from signer_sync.client import ServerClient
from signer_sync.ids import uuid7
from signer_sync.receiving import Received, receive_all
from signer_sync.reports import IncomingProblem
from signer_sync.sync_channel import SyncChannel
from tests.server.by_hand import Hand, code
from tests.server.world import COMMUNE, OFFICE, OTHER, REGISTER, World, packet_bytes, rules, running, trust
from tests.sync.stores import MemoryInbox, MemoryOutbox

DEEP = b"[" * 20_000 + b"]" * 20_000


def test_long_subjects_never_make_a_page_that_its_reader_may_not_read(world: World) -> None:
    receiver = world.enrolled(OFFICE)
    for number in range(70):
        world.admin.notice(f"{number}" + "𝔞" * 3990, [OFFICE])
    seen, cursor, more = 0, None, True
    while more:
        page = receiver.feed(cursor)
        assert page.items
        seen, cursor, more = seen + len(page.items), page.cursor, page.more
    assert seen == 70


def test_a_packet_whose_bytes_were_lost_keeps_no_other_out(world: World) -> None:
    sender, receiver = world.enrolled(), world.enrolled(OFFICE)
    lost, other = world.packet(content=b"lost"), world.packet(number="13", content=b"other")
    sender.put_packet(lost)
    sender.put_packet(other)
    blobs = world.folder / "server" / "packets"
    (blobs / lost.sha256[:2] / lost.sha256).unlink()
    hand = Hand(world, receiver, OFFICE)
    refused = hand.ask("GET", f"/packets/{lost.packet_id}/content")
    assert (refused.status_code, code(refused)) == (503, "content-lost")
    assert int(refused.headers["Retry-After"]) > 0
    taken, problems = _one_pass(receiver)
    assert (taken, [problem.code for problem in problems]) == ({other.packet_id}, ["server_refused"])


def _one_pass(client: ServerClient) -> tuple[set[str], list[IncomingProblem]]:
    """What a pass of receiving keeps, and what troubled it."""
    so_far, inbox = Received(), MemoryInbox()
    channel = SyncChannel(client)
    receive_all(channel, MemoryOutbox(), inbox, channel.contact().epoch, so_far)
    return inbox.ids, so_far.problems


def test_one_machine_that_waits_many_times_at_once_leaves_room_for_others(tmp_path: Path) -> None:
    with running(tmp_path, server_rules=rules(max_connections=12)) as world:
        hand, other = Hand(world, world.enrolled()), world.enrolled(OFFICE)
        answered = threading.Semaphore(0)

        def wait(_: int) -> int:
            with world.session() as session:
                session.headers.update(hand.session.headers)
                status = session.get(f"{world.server.url}/v1/orgs/{COMMUNE}/feed?wait=3").status_code
                answered.release()
                return status

        with ThreadPoolExecutor(10) as threads:
            waits = threads.map(wait, range(8))
            for _ in range(2):
                assert answered.acquire(timeout=2), "those beyond a few are answered at once"
            assert other.feed(None).items == ()
            assert set(waits) == {200}


@pytest.mark.parametrize("path", ["/token", "/devices/{id}", "/orgs/{org}/feed/ack", "/orgs/{org}/packets/{id}"])
def test_bodies_nested_without_end_are_bad_requests(world: World, path: str) -> None:
    hand = Hand(world, world.enrolled())
    where = path.format(id=uuid7(), org=COMMUNE)
    nested = jws._b64(b'{"iss":"' + uuid7().encode() + b'","later":' + DEEP + b"}")
    if path == "/token":
        form = {"client_assertion_type": c.CLIENT_ASSERTION_TYPE, "client_assertion": f"e30.{nested}.AA"}
        answer = hand.ask("POST", where, data=form)
    else:
        answer = hand.ask("PUT", where, data=b'{"cursor":"x","later":' + DEEP + b"}")
    assert answer.status_code in (400, 401)


def test_many_uploads_announced_at_once_do_not_get_more_than_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = 1 << 20
    with running(tmp_path, server_rules=rules(quota=quota)) as world:
        hand = Hand(world, world.enrolled())
        together = threading.Barrier(4)
        used = Packets.used

        def slow(packets: Packets, org: str) -> int:
            found = used(packets, org)
            try:
                together.wait(0.3)
            except threading.BrokenBarrierError:
                return found
            return found

        monkeypatch.setattr(Packets, "used", slow)

        def announce(number: int) -> int:
            data = b"%d" % number
            with world.session() as session:
                mine = Hand.__new__(Hand)
                mine.world, mine.client, mine.org, mine.session = world, hand.client, COMMUNE, session
                session.headers.update(hand.session.headers)
                return mine.create(data, uuid7(), length=quota // 2 + 1).status_code

        with ThreadPoolExecutor(4) as threads:
            assert sorted(threads.map(announce, range(4))) == [201, 507, 507, 507]


def _others_things(world: World) -> tuple[str, str, str]:
    """A packet, an upload and a number of the commune's."""
    hand = Hand(world, world.enrolled())
    data, packet, other = packet_bytes(world.folder), uuid7(), b"x" * 1000
    hand.put(data, packet)
    upload = hand.create(other, uuid7()).headers["Location"].rpartition("/")[2]
    return packet, upload, COMMUNE


def test_another_body_may_do_nothing_in_ours(world: World) -> None:
    packet, upload, org = _others_things(world)
    office = Hand(world, world.enrolled(OFFICE), OFFICE)
    tus = {c.HEADER_TUS: c.TUS_VERSION}
    commit = msgspec.json.encode(
        c.Commit(upload=upload, sha256=hashlib.sha256(b"x" * 1000).hexdigest(), size=1000, kind=c.PacketKind.NEW)
    )
    wish = b'{"docType":"QD","issuedDate":"2026-11-20"}'
    digest = {c.HEADER_PACKET_DIGEST: c.digest_header(b"0" * 32), "Content-Type": c.MEDIA_PACKET}
    asks = {
        ("GET", f"/orgs/{org}/packets/{packet}"): (403, {}, b""),
        ("GET", f"/orgs/{org}/packets/{packet}/receipt"): (403, {}, b""),
        ("GET", f"/orgs/{OFFICE}/packets/{packet}/receipt"): (403, {}, b""),
        ("PUT", f"/orgs/{org}/packets/{uuid7()}"): (403, {}, commit),
        ("PUT", f"/orgs/{OFFICE}/packets/{uuid7()}"): (410, {}, commit),
        ("PUT", f"/orgs/{org}/packets/{uuid7()}/content"): (403, digest, b"x"),
        ("PUT", f"/orgs/{OFFICE}/packets/{packet}/content"): (409, digest, b"x"),
        ("GET", f"/orgs/{org}/feed"): (403, {}, b""),
        ("PUT", f"/orgs/{org}/feed/ack"): (403, {}, b'{"cursor":"x"}'),
        ("HEAD", f"/uploads/{upload}"): (410, tus, b""),
        ("PATCH", f"/uploads/{upload}"): (
            410,
            {**tus, c.HEADER_UPLOAD_OFFSET: "0", "Content-Type": c.MEDIA_OFFSET},
            b"x",
        ),
        ("DELETE", f"/uploads/{upload}"): (410, tus, b""),
        ("PUT", f"/registers/{REGISTER}/lease/{uuid7()}"): (404, {}, b""),
        ("PUT", f"/registers/{REGISTER}/numbers/{uuid7()}"): (404, {}, wish),
        ("PUT", f"/registers/{REGISTER}/numbers/{uuid7()}/void"): (404, {}, b'{"reason":"x"}'),
    }
    for (method, path), (status, headers, body) in asks.items():
        answer = office.ask(method, path, headers=headers, data=body)
        assert (method, path, answer.status_code) == (method, path, status)
    theirs = world.enrolled()
    cursor = theirs.feed(None).cursor
    stolen = office.ask("PUT", f"/orgs/{OFFICE}/feed/ack", data=msgspec.json.encode(c.FeedAck(cursor=cursor)))
    assert code(stolen) == "bad-request", "a cursor of another body's feed"


def test_a_third_body_reads_no_packet_that_is_not_for_it(world: World) -> None:
    sender, office = world.enrolled(), Hand(world, world.enrolled(OFFICE), OFFICE)
    ours, not_ours = world.packet(), world.packet(number="13", to=(OTHER,))
    for packet in (ours, not_ours):
        sender.put_packet(packet)
    statuses = [office.ask("GET", f"/packets/{one.packet_id}/content").status_code for one in (ours, not_ours)]
    assert statuses == [200, 403]


def test_an_enrolment_by_a_broken_certificate_is_refused_and_is_no_fault_of_ours(world: World) -> None:
    holder = trust().commune
    der = bytearray(holder.chain_der[0])
    for at in range(4, len(der), 37):
        broken = bytes(der[:at] + bytes([der[at] ^ 0x40]) + der[at + 1 :])
        header = jws._compact_json(jws._header("RS256", c.TYP_ENROLMENT, [broken]))
        text = f"{jws._b64(header)}.{jws._b64(b'{}')}"
        message = c.JwsBody(
            protected=text.split(".")[0], payload=text.split(".")[1], signature=jws._b64(holder.sign(text.encode()))
        )
        answer = world.session().put(f"{world.server.url}/v1/devices/{uuid7()}", data=msgspec.json.encode(message))
        assert answer.status_code in (400, 403), (at, answer.content)
