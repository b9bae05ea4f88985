import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest

from signer_resources.errors import KnownError
from signer_sync import contract as c
from signer_sync import jws
from signer_sync.client import PinnedServer, ServerClient, check_receipt, discover
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import HttpSettings, open_session
from signer_sync.ids import uuid7
from signer_sync.keystore import DeviceIdentity
from signer_sync.packets import SignedReceipt
from tests.server.world import COMMUNE, OFFICE, SERVER_ID, World, der, pinned, trust
from tests.sync.faults import Answer, LyingServer, Reply, fault_proxy, json_reply, lying_server, signed_meta

ITEM = c.FeedItem(
    seq=1,
    type=c.FeedType.PACKET,
    id=uuid7(),
    sha256=hashlib.sha256(b"content").hexdigest(),
    size=7,
    sender=OFFICE,
    kind=c.PacketKind.NEW,
)


@contextmanager
def lied_to(answer: Answer) -> Iterator[tuple[ServerClient, LyingServer]]:
    with lying_server(answer) as server, open_session(HttpSettings()) as session:
        yield ServerClient(server.url, pinned(), DeviceIdentity.create(COMMUNE), session), server


def on(prefix: str, reply: Reply) -> Answer:
    return lambda _method, path, _body: reply if path.startswith(prefix) else None


PORTAL = Reply(200, "text/html", (b"<html>Please sign in</html>",))
MOVED = Reply(302, "text/html", (), (("Location", "http://192.0.2.1/login"),))


# -- who is there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (PORTAL, "captive_portal"),
        (MOVED, "captive_portal"),
        (Reply(511, "text/html", (b"sign in",)), "captive_portal"),
        (Reply(302, "text/html", (), (("Location", "/login"),)), "server_not_ours"),
        (Reply(200, c.MEDIA_JSON, (b'{"serverId":"x"}',)), "server_not_ours"),
        (Reply(200, c.MEDIA_JOSE, (b'{"protected":"e30","payload":"e30","signature":"AA"}',)), "server_not_ours"),
        (Reply(404, "text/html", (b"not found",)), "server_not_ours"),
        (Reply(200, c.MEDIA_JSON, (b"[" * 100_000,)), "server_not_ours"),
        (lambda: signed_meta(by_other=True), "server_not_ours"),
        (lambda: signed_meta("another.example"), "server_not_ours"),
    ],
    ids=[
        "portal",
        "redirect",
        "sign-in demanded",
        "own redirect",
        "unsigned",
        "empty signature",
        "not found",
        "deep nesting",
        "other certificate",
        "other name",
    ],
)
def test_nothing_is_sent_to_whoever_is_not_the_pinned_server(
    world: World, reply: Reply | Callable[[], Reply], code: str
) -> None:
    answer = reply if isinstance(reply, Reply) else reply()
    with lied_to(lambda *_: answer) as (client, server):
        for attempt in (client.meta, lambda: client.put_packet(world.packet()), client.token):
            with pytest.raises(ExchangeError) as caught:
                attempt()
            assert (caught.value.code, caught.value.scope) == (code, Scope.SERVER)
    assert set(server.asked) == {"GET /v1/meta"}


def test_a_gateway_whose_server_is_down_counts_as_a_server_that_is_away() -> None:
    down = Reply(502, "text/html", (b"<h1>Bad Gateway</h1>",), (("Retry-After", "7"),))
    with lied_to(lambda *_: down) as (client, _), pytest.raises(ExchangeError) as caught:
        client.meta()
    assert (caught.value.code, caught.value.unreachable, caught.value.retry_after) == ("server_unreachable", True, 7.0)


def test_a_server_that_is_no_document_server_cannot_be_pinned() -> None:
    with (
        lying_server(lambda *_: PORTAL) as server,
        open_session(HttpSettings()) as session,
        pytest.raises(ExchangeError) as caught,
    ):
        discover(session, server.url)
    assert caught.value.code == "captive_portal"


def test_a_server_with_another_certificate_is_not_ours(world: World) -> None:
    other = PinnedServer(SERVER_ID, der(trust().other_server.certificate))
    client = ServerClient(world.server.url, other, None, world.session())
    with pytest.raises(ExchangeError) as caught:
        client.meta()
    assert caught.value.code == "server_not_ours"


def test_a_plain_http_address_elsewhere_is_refused_before_anything_leaves(world: World) -> None:
    with pytest.raises(KnownError) as caught:
        ServerClient("http://192.0.2.1", pinned(), None, world.session())
    assert caught.value.code == "server_insecure"


def test_a_server_that_is_away_is_unreachable(world: World) -> None:
    url = world.server.url
    world.server.stop()
    with pytest.raises(ExchangeError) as caught:
        world.anonymous(url).meta()
    assert (caught.value.code, caught.value.unreachable, caught.value.exit) == ("server_unreachable", True, 1)


def test_an_address_that_the_server_names_is_never_asked(world: World) -> None:
    with lied_to(on("/v1/orgs", json_reply({"items": [], "cursor": "c"}))) as (client, server):
        client.orgs()
    assert server.asked == ["GET /v1/meta", "POST /v1/token", "GET /v1/orgs"]


def test_a_wrong_clock_on_this_machine_does_not_stop_the_sending(world: World) -> None:
    holder = trust().commune
    client = ServerClient(
        world.server.url, pinned(), None, world.session(), epoch_seconds=lambda: world.clock() - 3 * 86400
    )
    client.enrol(holder.sign, holder.chain_der, DeviceIdentity.create(COMMUNE))
    assert client.put_packet(world.packet()).facts.seq == 1


# -- tokens ------------------------------------------------------------------------------------------------


def test_an_expired_token_is_renewed_once_without_anyone_noticing(world: World) -> None:
    client = world.enrolled()
    client.feed(None)
    before = client._bearer
    world.clock.seconds += 901
    client.feed(None)
    assert client._bearer != before


def test_a_server_that_never_accepts_the_token_is_asked_twice_and_no_more() -> None:
    problem = c.Problem(status=401, code="token-expired", retry="reauth")
    with lied_to(on("/v1/orgs/", json_reply(problem, 401, c.MEDIA_PROBLEM))) as (client, server):
        client.token()
        with pytest.raises(ExchangeError) as caught:
            client.feed(None)
    assert caught.value.code == "not_enrolled"
    assert sum(line.startswith("GET /v1/orgs/") for line in server.asked) == 2


def test_a_machine_that_is_not_enrolled_says_so(world: World) -> None:
    client = world.anonymous()
    for attempt in (client.token, lambda: client.feed(None), lambda: client.put_packet(world.packet())):
        with pytest.raises(KnownError) as caught:
            attempt()
        assert caught.value.code == "not_enrolled"


def test_a_client_speaks_for_its_own_organisation_only(world: World) -> None:
    with pytest.raises(ValueError, match="another organisation"):
        world.enrolled().put_packet(world.packet(org=OFFICE))


def test_an_enrolment_whose_answer_is_lost_is_repeated_with_one_signature_of_the_token(world: World) -> None:
    holder, signed = trust().commune, []

    def sign(data: bytes) -> bytes:
        signed.append(data)
        return holder.sign(data)

    with fault_proxy(world.server.url) as proxy:
        proxy.lose_answers(rb"^PUT /v1/devices/")
        client = world.anonymous(proxy.url)
        client.enrol(sign, holder.chain_der, DeviceIdentity.create(COMMUNE))
        assert (proxy.lost, len(signed)) == (1, 1)
        client.token()
    assert client.device is not None


# -- packets and receipts ----------------------------------------------------------------------------------


def test_a_lost_answer_leaves_the_outcome_unknown_and_the_same_packet_again_gets_the_receipt(
    world: World,
) -> None:
    packet = world.packet()
    sender, office = world.enrolled(), world.enrolled(OFFICE)
    with fault_proxy(world.server.url) as proxy:
        client = world.again(sender, proxy.url)
        proxy.lose_answers(rb"^PUT /v1/orgs/[^ ]+/content", times=2)  # one is repeated at once
        with pytest.raises(ExchangeError) as caught:
            client.put_packet(packet)
        assert (caught.value.code, caught.value.unreachable) == ("server_unreachable", True)
        receipt = client.put_packet(packet)
    assert receipt.facts.seq == 1
    assert [item.id for item in office.feed(None).items] == [packet.packet_id]


@pytest.mark.parametrize(
    "changes",
    [
        {"server_id": "another.example"},
        {"packet_id": "0199a1b2-0000-7000-8000-000000000001"},
        {"sha256": "00" * 32},
    ],
)
def test_a_receipt_for_something_else_is_no_proof(world: World, changes: dict[str, str]) -> None:
    packet = world.packet()
    facts = {
        "server_id": SERVER_ID,
        "packet_id": packet.packet_id,
        "sha256": packet.sha256,
        "size": 1,
        "received_at": "t",
        "seq": 1,
    } | changes
    assert receipt_error(packet.packet_id, packet.sha256, c.Receipt(**facts)) == "receipt_wrong"  # type: ignore[arg-type]


def receipt_error(packet_id: str, sha256: str, receipt: c.Receipt, typ: str = c.TYP_RECEIPT) -> str:
    message = jws.sign(msgspec.json.encode(receipt), trust().server.key, typ=typ)
    with pytest.raises(ExchangeError) as caught:
        check_receipt(message, pinned(), packet_id, sha256)
    return caught.value.code


def test_a_receipt_by_another_key_or_of_another_kind_is_no_proof(world: World) -> None:
    client, packet = world.enrolled(), world.packet()
    good = client.put_packet(packet)
    assert check_receipt(good.message, pinned(), packet.packet_id, packet.sha256) == good
    assert check_receipt(SignedReceipt.message_of(good.text), pinned(), packet.packet_id, packet.sha256) == good
    other = PinnedServer(SERVER_ID, der(trust().other_server.certificate))
    with pytest.raises(ExchangeError) as caught:
        check_receipt(good.message, other, packet.packet_id, packet.sha256)
    assert caught.value.code == "receipt_wrong"
    assert receipt_error(packet.packet_id, packet.sha256, good.facts, c.TYP_META) == "receipt_wrong"


def test_a_packet_whose_file_has_changed_is_not_sent(world: World) -> None:
    client = world.enrolled()
    for damage in (b"", b"other", None):
        packet = world.packet()
        if damage is None:
            packet.path.unlink()
        else:
            packet.path.write_bytes(damage)
        with pytest.raises(ExchangeError) as caught:
            client.put_packet(packet)
        assert (caught.value.code, caught.value.retry) == ("packet_damaged", c.Retry.FIX)
        with pytest.raises(ExchangeError) as unknown:
            client.packet_state(packet.packet_id)
        assert unknown.value.problem == "not-found"


@pytest.mark.parametrize(
    ("reply", "code", "retry", "after"),
    [
        (Reply(502, "text/html", (b"<h1>Bad Gateway</h1>",)), "server_answer_wrong", c.Retry.AFTER, None),
        (PORTAL, "server_answer_wrong", c.Retry.AFTER, None),
        (MOVED, "server_answer_wrong", c.Retry.AFTER, None),
        (Reply(500, c.MEDIA_PROBLEM, (b"{}",)), "server_answer_wrong", c.Retry.AFTER, None),
        (
            Reply(
                503,
                c.MEDIA_PROBLEM,
                (b'{"status":503,"code":"unavailable","retry":"after"}',),
                (("Retry-After", "120"),),
            ),
            "server_busy",
            c.Retry.AFTER,
            120.0,
        ),
        (
            Reply(418, c.MEDIA_PROBLEM, (b'{"status":418,"code":"new-code","retry":"fix"}',)),
            "server_refused",
            c.Retry.FIX,
            None,
        ),
        (
            Reply(403, c.MEDIA_PROBLEM, (b'{"status":403,"code":"client-too-old","retry":"fix"}',)),
            "client_too_old",
            c.Retry.FIX,
            None,
        ),
        (Reply(201, c.MEDIA_JSON, (b"{}",)), "server_answer_wrong", c.Retry.AFTER, None),
    ],
)
def test_every_answer_to_a_packet_has_its_error_and_retry_class(
    world: World, reply: Reply, code: str, retry: c.Retry, after: float | None
) -> None:
    with lied_to(on("/v1/orgs/", reply)) as (client, _), pytest.raises(ExchangeError) as caught:
        client.put_packet(world.packet())
    assert (caught.value.code, caught.value.retry, caught.value.retry_after) == (code, retry, after)


# -- what comes --------------------------------------------------------------------------------------------


def test_content_arrives_whole_in_the_callers_sink(world: World) -> None:
    packet, office = world.packet(), world.enrolled(OFFICE)
    world.enrolled().put_packet(packet)
    (item,) = office.feed(None).items
    sink = io.BytesIO()
    assert office.content(item, sink, limit=1 << 20) == packet.size
    assert sink.getvalue() == packet.path.read_bytes()
    with pytest.raises(ExchangeError) as caught:
        office.fetch(item, limit=10)
    assert caught.value.code == "packet_too_large"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(parts=(b"conTent",)),
        Reply(parts=(b"conten",)),
        Reply(parts=(b"contents",)),
        Reply(parts=itertools.repeat(b"content" * 1000)),
    ],
    ids=["changed", "cut", "longer", "endless"],
)
def test_content_that_is_not_what_the_feed_promised_is_refused(reply: Reply) -> None:
    with lied_to(on("/v1/packets/", reply)) as (client, _), pytest.raises(ExchangeError) as caught:
        client.fetch(ITEM, limit=1 << 20)
    assert caught.value.code == "content_wrong"


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://192.0.2.1/x", "/v1/meta"])
def test_a_redirect_of_the_content_is_not_followed(location: str) -> None:
    moved = Reply(302, "text/html", (), (("Location", location),))
    with lied_to(on("/v1/packets/", moved)) as (client, server), pytest.raises(ExchangeError) as caught:
        client.fetch(ITEM, limit=1 << 20)
    assert caught.value.code == "server_answer_wrong"
    assert server.asked[-1] == f"GET /v1/packets/{ITEM.id}/content"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../orgs"},
        {"id": "x"},
        {"sha256": "../../../../etc/passwd"},
        {"from": "../.."},
        {"seq": -1},
    ],
)
def test_a_feed_with_bad_names_is_refused_as_a_whole(changes: dict[str, object]) -> None:
    item = msgspec.to_builtins(ITEM) | changes
    reply = json_reply({"items": [item], "cursor": "c"})
    with lied_to(on("/v1/orgs/", reply)) as (client, _), pytest.raises(ExchangeError) as caught:
        client.feed(None)
    assert caught.value.code == "server_answer_wrong"


def test_a_feed_out_of_order_or_longer_than_asked_or_endless_is_refused() -> None:
    one = msgspec.to_builtins(ITEM)
    pages = [
        json_reply({"items": [one, one], "cursor": "c"}),
        json_reply({"items": [one, one | {"seq": 2}, one | {"seq": 3}], "cursor": "c"}),
        Reply(parts=itertools.repeat(b" " * 65536)),
    ]
    for page in pages:
        with lied_to(on("/v1/orgs/", page)) as (client, _), pytest.raises(ExchangeError) as caught:
            client.feed(None, limit=2)
        assert caught.value.code == "server_answer_wrong"


def test_an_id_that_is_none_never_becomes_part_of_an_address(world: World) -> None:
    client = world.enrolled()
    for call in (
        lambda: client.packet_state("../../meta"),
        lambda: client.receipt("x", "y"),
        lambda: client.put_packet(replace(world.packet(), packet_id="../x")),
    ):
        with pytest.raises(ValueError, match="packet id"):
            call()


def test_no_repr_or_error_shows_a_token_or_key(world: World) -> None:
    client = world.enrolled()
    client.token()
    assert client._bearer is not None
    shown = f"{client!r} {client.device!r} {vars(client._access)!r}"
    assert client._bearer not in shown
    world.server.stop()
    with pytest.raises(ExchangeError) as caught:
        client.feed(None)
    assert client._bearer not in f"{caught.value!r} {caught.value} {caught.value.params}"
