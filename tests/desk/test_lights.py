"""Eight lights, the code that is read over the telephone, and the network told apart from the server."""

import itertools
import socket
from pathlib import Path

import pytest

from signer_app.desk.check_values import Check, CheckName, CheckState
from signer_app.desk.checks_network import behind, network_check, network_standing
from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.lights import UNDER, Light, first_error, lights
from signer_app.desk.support import LETTERS, error_number, read_support_code, support_code
from signer_app.store.settings import NetworkSettings, ProxyChoice, ServerSettings
from signer_resources.errors import KnownError
from signer_resources.messages import catalogue
from tests.desk.office import Office, changed

GOOD, WARN, BAD, NOT_CHECKED = CheckState.GOOD, CheckState.WARN, CheckState.BAD, CheckState.NOT_CHECKED


def all_checks(state: CheckState = GOOD) -> dict[CheckName, Check]:
    return {name: Check(name, state, "ut_disk_good") for name in CheckName}


def state_of(light: Light, checks: dict[CheckName, Check]) -> CheckState:
    return next(one.state for one in lights(tuple(checks.values())) if one.light is light)


def test_each_check_belongs_under_exactly_one_light() -> None:
    names = list(itertools.chain.from_iterable(UNDER.values()))
    assert sorted(names) == sorted(CheckName)
    assert len(Light) == 8


@pytest.mark.parametrize("light", Light)
@pytest.mark.parametrize("state", [WARN, BAD, NOT_CHECKED])
def test_a_light_is_green_only_when_everything_under_it_was_checked_and_is_good(
    light: Light, state: CheckState
) -> None:
    for name in UNDER[light]:
        checks = all_checks()
        assert state_of(light, checks) is GOOD
        checks[name] = Check(name, state, "ut_disk_good")
        assert state_of(light, checks) is state
        del checks[name]
        assert state_of(light, checks) is NOT_CHECKED


def test_what_is_not_set_up_here_hinders_no_green() -> None:
    checks = all_checks()
    checks[CheckName.TIMESTAMP] = Check(CheckName.TIMESTAMP, NOT_CHECKED, "ut_timestamp_not_set", wanted=False)
    assert state_of(Light.SERVER, checks) is GOOD


def test_the_first_error_is_a_bad_one_before_a_warning() -> None:
    checks = all_checks()
    checks[CheckName.DRIVER] = Check(CheckName.DRIVER, WARN, "ut_driver_bad", error=KnownError("no_module"))
    checks[CheckName.DISK] = Check(CheckName.DISK, BAD, "ut_disk_bad", error=KnownError("disk_full"))
    assert first_error(lights(tuple(checks.values()))) == "disk_full"


# ---- the code


def some_code() -> str:
    checks = all_checks()
    checks[CheckName.TOKEN] = Check(CheckName.TOKEN, WARN, "ut_token_none", error=KnownError("no_token"))
    checks[CheckName.BACKUP] = Check(CheckName.BACKUP, NOT_CHECKED, "ut_backup_none")
    return support_code("1.12.7", lights(tuple(checks.values())))


def test_a_code_tells_version_lights_and_the_first_error_back() -> None:
    code = some_code()
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    found = read_support_code(code.lower().replace("-", " "))
    assert (found.version, found.error) == ("1.12.7", "no_token")
    states = dict(found.lights)
    assert (states[Light.USB], states[Light.BACKUP], states[Light.DISK]) == (WARN, NOT_CHECKED, GOOD)


def test_one_misheard_letter_or_two_changed_over_are_noticed() -> None:
    letters = some_code().replace("-", "")
    wrong = {letters[:at] + other + letters[at + 1 :] for at in range(16) for other in LETTERS if other != letters[at]}
    wrong |= {letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :] for at in range(15)} - {letters}
    for one in (*wrong, letters[:-1], letters + "2", "I" + letters[1:], ""):
        with pytest.raises(KnownError) as caught:
            read_support_code(one)
        assert caught.value.code == "support_code_wrong"


def test_no_two_errors_of_the_catalogue_have_one_number() -> None:
    codes = catalogue().errors
    assert len({error_number(code) for code in codes}) == len(codes)


def test_versions_and_errors_that_do_not_fit_are_still_a_code() -> None:
    assert read_support_code(support_code("300.2.999", lights(()))).version == "127.2.255"
    assert read_support_code(support_code("0.dev", lights(()))).version == "0.0.0"
    checks = all_checks()
    checks[CheckName.DISK] = Check(CheckName.DISK, BAD, "ut_disk_bad", error=KnownError("of_a_later_version"))
    assert read_support_code(support_code("1", lights(tuple(checks.values())))).error == "?"


# ---- the network


def server(code: str | None, key: str = "ut_server_away") -> Check:
    if code is None:
        return Check(CheckName.SERVER, GOOD, "ut_server_good")
    return Check(CheckName.SERVER, WARN, key, error=KnownError(code, host="vb.vn", proxy="p", file="/ca.pem"))


STAMPS = Check(CheckName.TIMESTAMP, NOT_CHECKED, "ut_timestamp_not_set", wanted=False)


def with_server(office: Office, **network: object) -> None:
    changed(office, server=ServerSettings(url="https://vb.example.vn"), network=NetworkSettings(**network))  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["captive_portal", "proxy_refused", "extra_ca_unreadable"])
def test_what_stands_in_the_way_is_the_networks_and_the_server_is_not_blamed(office: Office, code: str) -> None:
    asked = server(code)
    network = network_check(office.space, asked, STAMPS)
    assert network.error is not None
    assert (network.state, network.error.code) == (WARN, code)
    assert behind(network, asked).state is NOT_CHECKED


@pytest.mark.parametrize("code", [None, "server_certificate_expired", "device_revoked"])
def test_a_server_that_said_anything_was_reached(office: Office, code: str | None) -> None:
    asked = server(code)
    network = network_check(office.space, asked, STAMPS)
    assert (network.state, behind(network, asked)) == (GOOD, asked)


def test_without_a_link_the_network_is_what_is_wrong(office: Office) -> None:
    with_server(office)
    asked = server("server_unreachable")
    network = network_check(office.space, asked, STAMPS, link=lambda: False)
    assert network.error is not None
    assert network.error.code == "machine_no_link"
    assert behind(network, asked).state is NOT_CHECKED


def test_with_a_link_a_silent_server_is_the_servers_own_light(office: Office) -> None:
    with_server(office, proxy=ProxyChoice.NONE)
    asked = server("server_unreachable")
    network = network_check(office.space, asked, STAMPS, link=lambda: True)
    assert (network.state, behind(network, asked)) == (GOOD, asked)


def test_a_proxy_that_does_not_answer_is_named(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with_server(office, proxy=ProxyChoice.MANUAL, proxy_url=address)
        there = network_check(office.space, server("server_unreachable"), STAMPS, link=lambda: True)
    away = network_check(office.space, server("server_unreachable"), STAMPS, link=lambda: True)
    assert (there.state, there.key) == (GOOD, "ua_network_proxy")
    assert away.error is not None
    assert away.error.code == "proxy_unreachable"


def test_where_nobody_can_be_asked_a_link_alone_is_no_green(office: Office) -> None:
    nobody = Check(CheckName.SERVER, WARN, "ut_server_none", error=KnownError("server_not_set"))
    found = network_check(office.space, nobody, STAMPS, link=lambda: True)
    assert (found.state, found.key) == (NOT_CHECKED, "ua_network_link_only")


def test_the_last_pass_tells_of_the_network_without_asking() -> None:
    assert network_standing(ExchangeSnapshot(Link.REACHED)).state is GOOD
    assert network_standing(ExchangeSnapshot(Link.AWAY, error=KnownError("captive_portal", host="x"))).state is WARN
    assert network_standing(ExchangeSnapshot(Link.AWAY, error=KnownError("server_unreachable"))).state is NOT_CHECKED


def test_paths_are_never_needed_for_a_code(tmp_path: Path) -> None:
    """The code holds lights and a code of the catalogue: nothing of a path could fit into it."""
    checks = all_checks()
    one = Check(CheckName.DISK, BAD, "ut_disk_bad", error=KnownError("data_folder_unwritable", folder=str(tmp_path)))
    other = Check(CheckName.DISK, BAD, "ut_disk_bad", error=KnownError("data_folder_unwritable", folder="/elsewhere"))
    codes = {support_code("1", lights(tuple({**checks, CheckName.DISK: disk}.values()))) for disk in (one, other)}
    assert len(codes) == 1
