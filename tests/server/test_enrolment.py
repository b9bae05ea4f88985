import threading
from pathlib import Path

import msgspec
import pytest

from signer_sync import contract as c
from signer_sync import jws
from signer_sync.client import ServerClient, discover
from signer_sync.errors import ExchangeError
from signer_sync.keystore import DeviceIdentity
from tests.server.world import COMMUNE, OFFICE, OTHER, SERVER_ID, Holder, World, der, pinned, running, trust


def refusal(client: ServerClient, holder: Holder, org: str = COMMUNE) -> str | None:
    with pytest.raises(ExchangeError) as caught:
        client.enrol(holder.sign, holder.chain_der, DeviceIdentity.create(org))
    return caught.value.problem


def put_enrolment(world: World, device: DeviceIdentity, /, **changes: object) -> tuple[int, bytes]:
    """An enrolment by the commune's token with some members changed."""
    meta = world.anonymous().meta()
    facts = {
        "device": device.device,
        "device_key": jws.device_key(device.key.public_key()),
        "server_id": SERVER_ID,
        "org": device.org,
        "nonce": meta.auth.nonce,
        "exp": int(world.clock()) + 600,
    } | changes
    holder = trust().commune
    message = jws.sign_by_callback(
        msgspec.json.encode(c.Enrolment(**facts)),  # type: ignore[arg-type]
        holder.sign,
        typ=c.TYP_ENROLMENT,
        chain_der=holder.chain_der,
    )
    return put(world, device.device, msgspec.json.encode(message))


def put(world: World, device: str, body: bytes) -> tuple[int, bytes]:
    answer = world.session().put(f"{world.server.url}/v1/devices/{device}", data=body)
    return answer.status_code, answer.content


def test_a_machine_enrols_with_the_bodys_token_and_gets_a_bearer_token(world: World) -> None:
    client = world.enrolled()
    client.token()
    assert client.feed(None).items == ()


def test_the_server_is_found_by_address_and_shows_its_certificate(world: World) -> None:
    offered = discover(world.session(), world.server.url)
    assert offered.pinned.server_id == SERVER_ID
    assert offered.pinned.certificate_der == der(trust().server.certificate)
    assert "Máy chủ liên thông" in offered.subject


def test_the_same_enrolment_again_is_answered_200_with_the_same_facts(world: World) -> None:
    device, holder = DeviceIdentity.create(COMMUNE), trust().commune
    facts = c.Enrolment(
        device=device.device,
        device_key=jws.device_key(device.key.public_key()),
        server_id=SERVER_ID,
        org=COMMUNE,
        nonce=world.anonymous().meta().auth.nonce,
        exp=int(world.clock()) + 600,
    )
    message = jws.sign_by_callback(
        msgspec.json.encode(facts), holder.sign, typ=c.TYP_ENROLMENT, chain_der=holder.chain_der
    )
    body = msgspec.json.encode(message)
    first, second = put(world, device.device, body), put(world, device.device, body)
    assert (first[0], second[0]) == (201, 200)
    assert first[1] == second[1]


@pytest.mark.parametrize("who", ["stranger", "encryption_only", "expired", "revoked", "namesake", "office"])
def test_a_certificate_that_is_not_a_trusted_signing_one_of_the_body_is_refused(world: World, who: str) -> None:
    assert refusal(world.anonymous(), getattr(trust(), who)) == "not-allowed"


@pytest.mark.parametrize("org", [OFFICE, OTHER, "H77.99", "X1"])
def test_a_token_enrols_for_its_own_body_only(world: World, org: str) -> None:
    assert refusal(world.anonymous(), trust().commune, org) == "not-allowed"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("server_id", "another.example"),
        ("nonce", "made up"),
        ("nonce", "ff.ff.ff"),
        ("exp", 1_000_000),
        ("exp", 99_999_999_999),
    ],
)
def test_an_enrolment_for_another_server_or_time_is_refused(world: World, member: str, value: object) -> None:
    assert put_enrolment(world, DeviceIdentity.create(COMMUNE), **{member: value})[0] == 403


def test_a_nonce_is_good_once_and_not_for_ever(world: World) -> None:
    nonce = world.anonymous().meta().auth.nonce
    assert put_enrolment(world, DeviceIdentity.create(COMMUNE), nonce=nonce)[0] == 201
    assert put_enrolment(world, DeviceIdentity.create(COMMUNE), nonce=nonce)[0] == 403
    late = world.anonymous().meta().auth.nonce
    world.clock.seconds += 1000
    assert put_enrolment(world, DeviceIdentity.create(COMMUNE), nonce=late)[0] == 403


def test_a_device_id_keeps_its_key(world: World) -> None:
    device = DeviceIdentity.create(COMMUNE)
    assert put_enrolment(world, device)[0] == 201
    assert put_enrolment(world, device)[0] == 200
    assert put_enrolment(world, DeviceIdentity.create(COMMUNE, device.device))[0] == 409


def test_an_enrolment_is_bound_to_the_device_in_its_path(world: World) -> None:
    device = DeviceIdentity.create(COMMUNE)
    assert put_enrolment(world, device, device=DeviceIdentity.create(COMMUNE).device)[0] == 403


def test_an_unknown_machine_gets_no_token(world: World) -> None:
    client = ServerClient(world.server.url, pinned(), DeviceIdentity.create(COMMUNE), world.session())
    with pytest.raises(ExchangeError) as caught:
        client.token()
    assert caught.value.code == "not_enrolled"


def test_another_machines_key_gets_no_token(world: World) -> None:
    enrolled = world.enrolled()
    assert enrolled.device is not None
    thief = DeviceIdentity.create(COMMUNE, enrolled.device.device)
    client = ServerClient(world.server.url, pinned(), thief, world.session())
    with pytest.raises(ExchangeError) as caught:
        client.token()
    assert caught.value.problem == "token-invalid"


def token_status(world: World, device: DeviceIdentity, **changes: object) -> int:
    facts = {
        "iss": device.device,
        "sub": device.device,
        "aud": SERVER_ID,
        "jti": "once",
        "exp": int(world.clock()) + 100,
    } | changes
    message = jws.sign(msgspec.json.encode(c.Assertion(**facts)), device.key, typ=c.TYP_ASSERTION)  # type: ignore[arg-type]
    form = {"client_assertion_type": c.CLIENT_ASSERTION_TYPE, "client_assertion": jws.compact(message)}
    return world.session().post(f"{world.server.url}/v1/token", data=form).status_code


def test_an_assertion_is_short_bound_to_the_server_and_good_once(world: World) -> None:
    device = world.enrolled().device
    assert device is not None
    assert token_status(world, device, aud="another.example") == 401
    assert token_status(world, device, exp=int(world.clock()) - 1) == 401
    assert token_status(world, device, exp=int(world.clock()) + 3600) == 401
    assert token_status(world, device) == 200
    assert token_status(world, device) == 401


def test_a_revoked_machine_is_out_at_once_and_stays_out(world: World) -> None:
    client = world.enrolled()
    client.feed(None)
    assert client.device is not None
    world.server.revoke_device(client.device.device)
    with pytest.raises(ExchangeError) as caught:
        client.feed(None)
    assert caught.value.code == "device_revoked"
    holder = trust().commune
    with pytest.raises(ExchangeError) as again:
        world.anonymous().enrol(holder.sign, holder.chain_der, client.device)
    assert again.value.code == "device_revoked"


def test_neither_bearer_tokens_nor_private_keys_are_in_the_servers_files(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        client = world.enrolled()
        client.token()
        bearer = client._bearer
        world.server.stop()
        data = b"".join(path.read_bytes() for path in (tmp_path / "server").rglob("*") if path.is_file())
    assert bearer is not None
    assert bearer.encode() not in data


def test_a_stopped_server_leaves_no_thread_and_frees_its_port(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with running(tmp_path) as world:
        world.enrolled()
        port = world.server.port
    assert set(threading.enumerate()) == before
    with running(tmp_path / "again") as other:
        assert other.server.port > 0
    assert port > 0
