import msgspec
import pytest

from signer_sync import contract as c
from tests.server.world import COMMUNE, World

UUID = "0199a1b2-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/", 404, "not-found"),
        ("GET", "/v2/meta", 404, "not-found"),
        ("GET", "/v1/me", 401, "token-invalid"),
        ("DELETE", "/v1/meta", 405, "method-not-allowed"),
        ("GET", f"/v1/orgs/{COMMUNE}/feed", 401, "token-invalid"),
        ("PUT", f"/v1/orgs/{COMMUNE}/packets/{UUID}/content", 401, "token-invalid"),
        ("PUT", "/v1/devices/../../x", 404, "not-found"),
        ("PUT", "/v1/devices/not-a-uuid", 400, "bad-request"),
        ("PUT", f"/v1/devices/{UUID}", 400, "bad-request"),
        ("POST", "/v1/token", 400, "bad-request"),
    ],
)
def test_every_refusal_is_problem_json(world: World, method: str, path: str, status: int, expected: str) -> None:
    answer = world.session().request(method, world.server.url + path)
    problem = msgspec.json.decode(answer.content, type=c.Problem)
    assert answer.headers["Content-Type"] == c.MEDIA_PROBLEM
    assert (answer.status_code, problem.status, problem.code) == (status, status, expected)
    assert problem.trace_id


def test_a_fault_of_the_server_is_a_problem_too_and_says_nothing_of_its_cause(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    headers = world.headers(world.enrolled())
    world.server._now.database.close()
    answer = world.session().get(f"{world.server.url}/v1/me", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, c.MEDIA_PROBLEM)
    problem = msgspec.json.decode(answer.content, type=c.Problem)
    assert (problem.code, problem.retry) == ("internal", "after")
    assert b"sqlite" not in answer.content.lower()
    assert problem.trace_id is not None
    assert problem.trace_id in caplog.text


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer wrong", "Bearer \xff"])
def test_whoever_has_no_token_of_ours_gets_nowhere(world: World, header: str) -> None:
    answer = world.session().get(f"{world.server.url}/v1/orgs", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_an_expired_token_is_told_from_a_wrong_one(world: World) -> None:
    client = world.enrolled()
    client.token()
    world.clock.seconds += 901
    answer = world.session().get(f"{world.server.url}/v1/orgs", headers={"Authorization": f"Bearer {client._bearer}"})
    assert msgspec.json.decode(answer.content, type=c.Problem).code == "token-expired"


def test_a_body_without_end_is_cut_off(world: World) -> None:
    endless = (b"x" * 65536 for _ in range(1000))
    answer = world.session().put(f"{world.server.url}/v1/devices/{UUID}", data=endless)
    assert answer.status_code == 413
